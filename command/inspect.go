package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/inspect"
	"synfire/modelfile"
	"synfire/report"
	"synfire/sample"
)

type inspectCmd struct {
	File   string `arg:"" help:"Model or checkpoint, other safetensors, IDX, NPY or NPZ file, YAML of a training run, or run directory."`
	Tensor string `help:"Show the histogram of this tensor." placeholder:"NAME"`
	JSON   bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (inspectCmd) Help() string {
	return `Tells what a file is and what is in it: facts, and for each tensor its type, shape,
smallest, mean and largest value and a small histogram. The sum of a model or checkpoint
is verified. With --json, and where there is much in it, headers alone are read.`
}

// inspection is the JSON of inspect.
type inspection struct {
	Format  string            `json:"format"`
	Version string            `json:"version"`
	Summary map[string]string `json:"summary"`
	Tensors []tensorRow       `json:"tensors"`
}

type tensorRow struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// shownBytes is how much of a file is read to show its values.
const shownBytes = 256 << 20

// Run inspects.
func (c *inspectCmd) Run(a *app) error {
	in, err := inspect.Open(a.Catalog, c.File)
	var mistake inspect.ConfigError
	var unknown inspect.UnknownError
	switch {
	case errors.As(err, &mistake):
		return usageError{mistake.Unwrap()}
	case errors.As(err, &unknown), errors.Is(err, fs.ErrNotExist):
		return usageError{fmt.Errorf("inspect: %w", err)}
	case err != nil:
		return fmt.Errorf("inspect: %w", err)
	}
	switch {
	case c.JSON:
		out := inspection{in.Format, in.Version, in.Summary, []tensorRow{}}
		for _, t := range in.Arrays {
			out.Tensors = append(out.Tensors, tensorRow{t.Name, t.DType, t.Shape})
		}
		return json.NewEncoder(a.out).Encode(out)
	case c.Tensor != "":
		known := names(in.Arrays, func(t inspect.Array) string { return t.Name })
		if param := "param." + c.Tensor; slices.Contains(known, param) {
			c.Tensor = param // as checkpoints of version 1 name it
		}
		i, err := choose("inspect", "tensor", c.Tensor, known)
		if err != nil {
			return usageError{err}
		}
		return a.tensor(in.Arrays[i])
	}
	return c.print(a, in)
}

func (c *inspectCmd) print(a *app, in inspect.File) error {
	total := int64(0)
	for _, t := range in.Arrays {
		total += t.Bytes
	}
	if in.Version != "" && total <= shownBytes {
		if _, err := modelfile.Read(c.File); err != nil { // for its sum
			return fmt.Errorf("inspect: %w", err)
		}
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "format\t%s %s\n", in.Format, in.Version)
	for _, key := range slices.Sorted(maps.Keys(in.Summary)) {
		if value := in.Summary[key]; value != "" && value != in.Text {
			fmt.Fprintf(w, "%s\t%s\n", sample.Printable(key), shorten(sample.Printable(value), a.width-14))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(in.Arrays) > 0 {
		fmt.Fprintln(a.out)
		if err := a.tensors(in.Arrays, total <= shownBytes); err != nil {
			return err
		}
	}
	if in.Text != "" {
		fmt.Fprintf(a.out, "\n%s\n", strings.TrimSpace(in.Text))
	}
	return nil
}

// tensors prints a line for each array, with its values where they are few enough.
func (a *app) tensors(list []inspect.Array, values bool) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TENSOR\tTYPE\tSHAPE\tMIN\tMEAN\tMAX\tVALUES")
	for _, t := range list {
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		var v []float64
		if values {
			var err error
			if v, err = t.Values(); err != nil {
				return fmt.Errorf("inspect: %w", err)
			}
		}
		lo, mean, hi := span(v)
		bar := ""
		if len(v) > 0 {
			counts := histogram(v, lo, hi, 12)
			bar = spark(counts, 0, slices.Max(counts))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", sample.Printable(t.Name), t.DType, shapeText(t.Shape), short(lo), short(mean), short(hi), bar)
	}
	if err := w.Flush(); err != nil || values {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\nThese are more than %s: values are not read. One with its values: --tensor NAME\n", report.Bytes(shownBytes))
	return err
}

// tensor shows an array's facts and its histogram, a line a bin.
func (a *app) tensor(t inspect.Array) error {
	const bins, bar = 16, 40
	values, err := t.Values()
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	lo, mean, hi := span(values)
	fmt.Fprintf(a.out, "%s  %s  %s\n", sample.Printable(t.Name), t.DType, shapeText(t.Shape))
	if len(values) == 0 {
		_, err := fmt.Fprintln(a.out, "no numbers")
		return err
	}
	other := 0
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			other++
		}
	}
	fmt.Fprintf(a.out, "%s values from %s to %s, mean %s", report.Integer(int64(len(values))), short(lo), short(hi), short(mean))
	if other > 0 {
		fmt.Fprintf(a.out, ", %s NaN or infinite", report.Integer(int64(other)))
	}
	fmt.Fprint(a.out, "\n\n")
	counts := histogram(values, lo, hi, bins)
	for i, n := range counts {
		length := int(math.Ceil(n / max(1, slices.Max(counts)) * bar))
		fmt.Fprintf(a.out, "%11s  %-*s %s\n", short(lo+(hi-lo)*(float64(i)+0.5)/bins), bar, strings.Repeat("█", length), report.Integer(int64(n)))
	}
	return nil
}

// span is the smallest, mean and largest of the finite values, NaN without any.
func span(values []float64) (lo, mean, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	n := 0
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		lo, hi, mean, n = min(lo, v), max(hi, v), mean+v, n+1
	}
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return lo, mean / float64(n), hi
}

func short(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func shapeText(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	return strings.Join(names(shape, strconv.Itoa), "×")
}

// shorten is text in one line of at most width runes.
func shorten(text string, width int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return string(r)
}
