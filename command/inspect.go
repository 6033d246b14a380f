package command

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/format/idx"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/model"
	"synfire/report"
	"synfire/runstore"
)

type inspectCmd struct {
	File   string `arg:"" help:"Checkpoint or other safetensors, IDX, NPY or NPZ file, YAML of a training run, or run directory."`
	Tensor string `help:"Show the histogram of this tensor." placeholder:"NAME"`
	JSON   bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (inspectCmd) Help() string {
	return `Tells what a file is and what is in it: facts, and for each tensor its type, shape,
smallest, mean and largest value and a small histogram. A checkpoint's sum is
verified.`
}

// inspection is the JSON of inspect.
type inspection struct {
	Format  string            `json:"format"`
	Version string            `json:"version"`
	Summary map[string]string `json:"summary"`
	Tensors []tensorRow       `json:"tensors"`

	text string // of a configuration
}

type tensorRow struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`

	values []float64 // nil for types that are no numbers here
}

// maxInspect bounds the arrays that are read.
const maxInspect = 4 << 30

// Run inspects.
func (c *inspectCmd) Run(a *app) error {
	in, err := inspect(c.File)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return json.NewEncoder(a.out).Encode(in)
	case c.Tensor != "":
		known := names(in.Tensors, func(t tensorRow) string { return t.Name })
		if param := "param." + c.Tensor; slices.Contains(known, param) {
			c.Tensor = param // as the network names it
		}
		i, err := choose("inspect", "tensor", c.Tensor, known)
		if err != nil {
			return usageError{err}
		}
		return in.Tensors[i].print(a)
	}
	return in.print(a)
}

// inspect finds out by its first bytes what a file is, and reads it.
func inspect(path string) (inspection, error) {
	st, err := os.Stat(path)
	if err != nil {
		return inspection{}, usageError{fmt.Errorf("inspect: %w", err)}
	}
	if st.IsDir() {
		return inspectRun(path)
	}
	head, err := firstBytes(path)
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		arrays, err := npz.ReadFile(path, maxInspect)
		return inspectNumPy("npz", arrays, err)
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		array, err := readNPY(path)
		return inspectNumPy("npy", map[string]npz.Array{"data": array}, err)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}), len(head) > 3 && head[0] == 0 && head[1] == 0 && head[2] >= 8:
		return inspectIDX(path)
	case ext == ".yaml", ext == ".yml":
		return inspectYAML(path)
	case ext == ".safetensors", len(head) > 8 && head[8] == '{':
		return inspectSafetensors(path)
	}
	return inspection{}, usageError{fmt.Errorf("inspect %s: it begins like no format that is known; known are safetensors (checkpoints), IDX (plain or .gz), NPY, NPZ, YAML files (.yaml) and run directories", path)}
}

func firstBytes(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

func inspectSafetensors(path string) (inspection, error) {
	f, err := safetensors.ReadFile(path, safetensors.Limits{})
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	in := inspection{Format: "safetensors", Summary: map[string]string{}}
	for key, value := range f.Meta {
		in.Summary[key] = value
	}
	if _, version, ok := strings.Cut(f.Meta["format"], "synfire checkpoint "); ok {
		in.Format, in.Version = "checkpoint", version
		delete(in.Summary, "format")
		in.text = in.Summary["config"]
	}
	for _, name := range slices.Sorted(maps.Keys(f.Tensors)) {
		t := f.Tensors[name]
		row := tensorRow{Name: name, DType: t.DType, Shape: append([]int{}, t.Shape...)}
		if dtype, ok := numpyTypes[t.DType]; ok {
			row.values, _ = npz.Array{DType: dtype, Shape: t.Shape, Data: t.Data}.Float64s()
		}
		in.Tensors = append(in.Tensors, row)
	}
	return in, nil
}

// numpyTypes are the safetensors types that NumPy has too, by its names.
var numpyTypes = map[string]string{
	"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
	"F16": "<f2", "F32": "<f4", "F64": "<f8",
}

func readNPY(path string) (npz.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return npz.Array{}, err
	}
	defer f.Close()
	array, err := npz.ReadNPY(f, maxInspect)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return array, err
}

func inspectNumPy(format string, arrays map[string]npz.Array, err error) (inspection, error) {
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	in := inspection{Format: format, Summary: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		t := arrays[name]
		row := tensorRow{Name: name, DType: t.DType, Shape: append([]int{}, t.Shape...)}
		row.values, _ = t.Float64s() // strings have none
		in.Tensors = append(in.Tensors, row)
	}
	return in, nil
}

func inspectIDX(path string) (inspection, error) {
	f, err := os.Open(path)
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	defer f.Close()
	var r io.Reader = f
	in := inspection{Format: "idx", Summary: map[string]string{}}
	if zipped, err := gzip.NewReader(f); err == nil {
		r, in.Summary["compression"] = zipped, "gzip"
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return inspection{}, fmt.Errorf("inspect %s: %w", path, err)
	}
	t, err := idx.Read(r, maxInspect)
	if err != nil {
		return inspection{}, fmt.Errorf("inspect %s: %w", path, err)
	}
	row := tensorRow{Name: "data", DType: "U8", Shape: t.Dims}
	for _, v := range t.Data {
		row.values = append(row.values, float64(v))
	}
	in.Tensors = []tensorRow{row}
	return in, nil
}

func inspectYAML(path string) (inspection, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	cfg, err := model.Default().Decode(path, src)
	if err != nil {
		return inspection{}, usageError{err}
	}
	resolved, err := model.Default().Encode(cfg)
	if err != nil {
		return inspection{}, fmt.Errorf("inspect: %w", err)
	}
	return inspection{Format: "training run", text: string(resolved), Tensors: []tensorRow{}, Summary: map[string]string{
		"data": cmp.Or(cfg.Data.Name, cfg.Data.Folder, cfg.Data.NPZ), "steps": strconv.Itoa(cfg.Steps), "layers": strconv.Itoa(len(cfg.Layers)),
		"epochs": strconv.Itoa(cfg.Epochs), "batch": strconv.Itoa(cfg.Batch), "seed": strconv.FormatUint(cfg.Seed, 10),
	}}, nil
}

func inspectRun(path string) (inspection, error) {
	r, err := runstore.Open(path)
	if err != nil {
		return inspection{}, usageError{fmt.Errorf("inspect: %w", err)}
	}
	in := inspection{Format: "run", text: string(r.Config), Tensors: []tensorRow{}, Summary: map[string]string{
		"status": string(r.Status), "recipe": r.Recipe, "scale": r.Scale, "seed": strconv.FormatUint(r.Seed, 10),
	}}
	saved, _ := filepath.Glob(filepath.Join(path, "checkpoints", "*.safetensors"))
	in.Summary["checkpoints"] = strings.Join(names(saved, filepath.Base), ", ")
	return in, nil
}

func (in inspection) print(a *app) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "format\t%s %s\n", in.Format, in.Version)
	for _, key := range slices.Sorted(maps.Keys(in.Summary)) {
		if value := in.Summary[key]; value != "" && value != in.text {
			fmt.Fprintf(w, "%s\t%s\n", key, shorten(value, a.width-14))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(in.Tensors) > 0 {
		fmt.Fprintln(a.out)
		w = tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "TENSOR\tTYPE\tSHAPE\tMIN\tMEAN\tMAX\tVALUES")
		for _, t := range in.Tensors {
			lo, mean, hi := span(t.values)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Name, t.DType, shapeText(t.Shape), short(lo), short(mean), short(hi), t.spark(12))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if in.text != "" {
		fmt.Fprintf(a.out, "\n%s\n", strings.TrimSpace(in.text))
	}
	return nil
}

// print shows a tensor's facts and its histogram, a line a bin.
func (t tensorRow) print(a *app) error {
	const bins, bar = 16, 40
	lo, mean, hi := span(t.values)
	fmt.Fprintf(a.out, "%s  %s  %s\n", t.Name, t.DType, shapeText(t.Shape))
	if len(t.values) == 0 {
		_, err := fmt.Fprintln(a.out, "no numbers")
		return err
	}
	other := 0
	for _, v := range t.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			other++
		}
	}
	fmt.Fprintf(a.out, "%s values from %s to %s, mean %s", report.Integer(int64(len(t.values))), short(lo), short(hi), short(mean))
	if other > 0 {
		fmt.Fprintf(a.out, ", %s NaN or infinite", report.Integer(int64(other)))
	}
	fmt.Fprint(a.out, "\n\n")
	counts := histogram(t.values, lo, hi, bins)
	for i, n := range counts {
		length := int(math.Ceil(n / slices.Max(counts) * bar))
		fmt.Fprintf(a.out, "%11s  %-*s %s\n", short(lo+(hi-lo)*(float64(i)+0.5)/bins), bar, strings.Repeat("█", length), report.Integer(int64(n)))
	}
	return nil
}

func (t tensorRow) spark(bins int) string {
	if len(t.values) == 0 {
		return ""
	}
	lo, _, hi := span(t.values)
	counts := histogram(t.values, lo, hi, bins)
	return spark(counts, 0, slices.Max(counts))
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
