package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/inspect"
	"synfire/internal/atomicfile"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/view"
	"synfire/zoo"
)

type inspectCmd struct {
	File   string `arg:"" help:"Model or checkpoint, other safetensors, IDX, NPY, NPZ or HDF5 file, spike trains (JSON, CSV, text), YAML of a training run, or run directory."`
	Tensor string `help:"Show the histogram of this tensor; of a spike train, over time." placeholder:"NAME"`
	SVG    string `help:"Draw the spikes of the unit that --tensor names to FILE, a row for each trial." placeholder:"FILE"`
	Unit   string `help:"Unit of time, such as ms, for the axis of the drawing." placeholder:"UNIT"`
	JSON   bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (inspectCmd) Help() string {
	return `Tells what a file is and what is in it: facts, and for each tensor its type, shape,
smallest, mean and largest value and a small histogram. The sum of a model or checkpoint
is verified. With --json, and where there is much in it, headers alone are read.
An HDF5 file is shown as a tree of groups and data sets, from its headers.

  synfire inspect cells.csv --tensor V1 --svg v1.svg --unit ms`
}

// inspection is the JSON of inspect.
type inspection struct {
	Format  string            `json:"format"`
	Version string            `json:"version"`
	Summary map[string]string `json:"summary"`
	Tensors []tensorRow       `json:"tensors"`
	Groups  []inspect.Group   `json:"groups,omitempty"`
}

type tensorRow struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`

	Storage    string            `json:"storage,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// shownBytes is how much of a file is read to show its values.
const shownBytes = 32 << 20

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
	case c.SVG != "":
		return c.draw(in)
	case c.JSON:
		out := inspection{in.Format, in.Version, in.Summary, []tensorRow{}, in.Groups}
		for _, t := range in.Arrays {
			out.Tensors = append(out.Tensors, tensorRow{t.Name, t.DType, t.Shape, t.Storage, t.Attributes})
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
		return a.Array(a.ctx, in.Arrays[i])
	}
	return c.print(a, in)
}

// draw draws the raster of a unit of a recording.
func (c *inspectCmd) draw(in inspect.File) error {
	if in.Trains == nil || c.Tensor == "" {
		return usageError{errors.New("inspect: --svg draws the spikes of one unit of a recording; name it by --tensor")}
	}
	var rows []figure.Train
	first, last := math.Inf(1), math.Inf(-1)
	for i, t := range in.Trains {
		if t.Unit != c.Tensor && in.Arrays[i].Name != c.Tensor {
			continue
		}
		name := t.Unit
		if t.Trial != "" {
			name = "trial " + t.Trial
		}
		sorted := slices.Sorted(slices.Values(t.Times))
		rows = append(rows, figure.Train{Name: sample.Printable(name), Times: sorted})
		if t.Window != nil {
			first, last = min(first, t.Window[0]), max(last, t.Window[1])
		}
		if n := len(sorted); n > 0 {
			first, last = min(first, sorted[0]), max(last, sorted[n-1])
		}
	}
	if rows == nil {
		_, err := choose("inspect", "unit", c.Tensor, names(in.Trains, func(t inspect.Train) string { return t.Unit }))
		return usageError{err}
	}
	if !(first < last) { // no spike, or all at one time
		if math.IsInf(first, 0) {
			first = 0
		}
		last = first + 1
	}
	axis := "time"
	if c.Unit != "" {
		axis += " (" + sample.Printable(c.Unit) + ")"
	}
	f, err := figure.Trains("Spikes of unit "+sample.Printable(c.Tensor), axis, first, last, rows)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return atomicfile.Write(c.SVG, writer(titled(f.SVG(), fmt.Sprintf("Raster of unit %s", sample.Printable(c.Tensor)))))
}

func (c *inspectCmd) print(a *app, in inspect.File) error {
	total := int64(0)
	for _, t := range in.Arrays {
		total += t.Bytes
	}
	if in.Version != "" && total <= shownBytes {
		if _, err := zoo.Read(c.File); err != nil { // for its sum
			return fmt.Errorf("inspect: %w", err)
		}
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "format\t%s %s\n", in.Format, in.Version)
	for _, key := range slices.Sorted(maps.Keys(in.Summary)) {
		if value := in.Summary[key]; value != "" && value != in.Text {
			fmt.Fprintf(w, "%s\t%s\n", sample.Printable(key), view.Shorten(sample.Printable(value), a.width-14))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case in.Tree != "":
		fmt.Fprintf(a.out, "\n%s", in.Tree)
	case len(in.Arrays) > 0:
		fmt.Fprintln(a.out)
		if err := a.Arrays(a.ctx, in.Arrays, total <= shownBytes); err != nil {
			return err
		}
	}
	if in.Text != "" {
		fmt.Fprintf(a.out, "\n%s\n", strings.TrimSpace(in.Text))
	}
	return nil
}
