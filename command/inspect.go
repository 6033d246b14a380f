package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/inspect"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/view"
)

type inspectCmd struct {
	File   string `arg:"" help:"Model or checkpoint, other safetensors, IDX, NPY, NPZ or HDF5 file, spike trains (JSON, CSV, text), YAML of a training run, or run directory."`
	Tensor string `help:"Show the histogram of this tensor; of a spike train, over time." placeholder:"NAME"`
	JSON   bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (inspectCmd) Help() string {
	return `Tells what a file is and what is in it: facts, and for each tensor its type, shape,
smallest, mean and largest value and a small histogram. The sum of a model or checkpoint
is verified. With --json, and where there is much in it, headers alone are read.
An HDF5 file is shown as a tree of groups and data sets, from its headers.`
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
