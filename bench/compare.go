package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Reference is a measurement to compare with.
type Reference struct {
	Key              string // workload, with the density or the product's shape
	Shape            string // "" where the source does not say
	Phase, Path      string // "" for all, where it could not be measured
	Threads          int    // 0 likewise
	Source           string // what was measured
	Median, Min, Max float64
	Error            string // why there is no figure
}

// Comparison is a row's figure beside another's. Ratio says how many times as
// fast the row is: its median over the other's, or for a time the other way round.
type Comparison struct {
	Source string  `json:"source"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Ratio  float64 `json:"ratio"`
	Error  string  `json:"error,omitempty"`
}

// ReadReferences reads an array of rows, as `synfire bench --json` printed it, or
// JSON lines with the keys work, lib, mode, threads, median, min, max or gflops,
// and error, as scripts that time other simulators print them, or for W6 what,
// trains, spikes and seconds. name is the file's, for errors.
func ReadReferences(name string, src []byte) ([]Reference, error) {
	if src = bytes.TrimSpace(src); len(src) == 0 {
		return nil, fmt.Errorf("bench: compare with %s: the file is empty; give the output of bench --json or of a script of peers", name)
	}
	read := readLines
	if src[0] == '[' {
		read = readRows
	}
	refs, err := read(name, src)
	if err != nil {
		return nil, fmt.Errorf("bench: compare with %s: %w", name, err)
	}
	return refs, nil
}

func readRows(name string, src []byte) (refs []Reference, err error) {
	var rows []Row
	if err := json.Unmarshal(src, &rows); err != nil {
		return nil, fmt.Errorf("no rows of bench --json: %w", err)
	}
	for _, r := range rows {
		refs = append(refs, Reference{
			Key: r.key(), Shape: r.Shape, Phase: r.Phase, Path: r.Path, Threads: r.Threads, Source: name,
			Median: r.Median, Min: r.Min, Max: r.Max, Error: r.Error,
		})
	}
	return refs, nil
}

// line is what a script of peers prints.
type line struct {
	Work, Lib, Mode  string
	Threads          int
	Median, Min, Max float64
	GFLOPS           float64
	Error            string

	What           string // library and metric, of W6
	Trains, Spikes int
	Seconds        float64
}

func readLines(_ string, src []byte) (refs []Reference, err error) {
	for d := json.NewDecoder(bytes.NewReader(src)); ; {
		var l line
		switch err := d.Decode(&l); {
		case errors.Is(err, io.EOF):
			return refs, nil
		case err != nil:
			return nil, fmt.Errorf("measurement %d: %w", len(refs)+1, err)
		case l.Work != "" && l.What != "":
			r, err := l.matrixReference()
			if err != nil {
				return nil, fmt.Errorf("measurement %d: %w", len(refs)+1, err)
			}
			refs = append(refs, r)
			continue
		case l.Work == "" || l.Lib == "":
			return nil, fmt.Errorf("measurement %d names no work and lib; give the output of bench --json or of a script of peers", len(refs)+1)
		}
		r := Reference{Key: l.Work, Phase: l.Mode, Threads: l.Threads, Source: l.Lib, Median: l.Median, Min: l.Min, Max: l.Max, Error: l.Error}
		if strings.HasPrefix(l.Work, "GEMM ") {
			r.Phase, r.Median, r.Min, r.Max = GEMM, l.GFLOPS, l.GFLOPS, l.GFLOPS
		}
		refs = append(refs, r)
	}
}

// key names a row's work as the scripts of peers do: "W1", "W3@0.1",
// "GEMM 1024x1024x1024".
func (r Row) key() string {
	if r.Phase == GEMM {
		return r.Workload + " " + r.Shape
	}
	_, suffix, ok := strings.Cut(r.Shape, "@")
	if !ok {
		return r.Workload
	}
	if v, err := strconv.ParseFloat(suffix, 64); err == nil {
		suffix = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return r.Workload + "@" + suffix
}

// Compare fills in Compared: the references of the same work, phase and number
// of threads.
func (r *Row) Compare(refs []Reference) {
	for _, ref := range refs {
		if !ref.matches(*r) {
			continue
		}
		c := Comparison{Source: ref.Source, Median: ref.Median, Min: ref.Min, Max: ref.Max, Error: ref.Error}
		if ref.Median > 0 && r.Median > 0 {
			c.Ratio = r.Median / ref.Median
			if r.Unit == "ms" || r.Unit == "s" {
				c.Ratio = ref.Median / r.Median
			}
		}
		r.Compared = append(r.Compared, c)
	}
}

func (f Reference) matches(r Row) bool {
	failed := f.Error != ""
	return f.Key == r.key() && f.Path == r.Path && (f.Shape == "" || f.Shape == r.Shape) &&
		(f.Phase == r.Phase || failed && f.Phase == "") && (f.Threads == r.Threads || (failed || f.Phase == Matrix) && f.Threads == 0)
}
