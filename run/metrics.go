package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// Figures are named scalars. One that is not finite is null in JSON.
type Figures map[string]float64

// MarshalJSON writes the figures by name.
func (f Figures) MarshalJSON() ([]byte, error) {
	out := make(map[string]*float64, len(f))
	for name, v := range f {
		out[name] = nil
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = &v
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads null as NaN.
func (f *Figures) UnmarshalJSON(b []byte) error {
	var in map[string]*float64
	if err := json.Unmarshal(b, &in); err != nil || in == nil {
		*f = nil
		return err
	}
	*f = make(Figures, len(in))
	for name, v := range in {
		if v == nil {
			nan := math.NaN()
			v = &nan
		}
		(*f)[name] = *v
	}
	return nil
}

// The kinds of lines of metrics.jsonl.
const (
	kindStep  = "step"
	kindEpoch = "epoch"
)

// Point is the record of some steps within an epoch, a line of metrics.jsonl of kind
// "step": means over the steps since the point before it.
type Point struct {
	Kind  string  `json:"kind"`
	Epoch int     `json:"epoch"` // from 1
	Step  int     `json:"step"`  // steps done
	Train Figures `json:"train"`
}

// Epoch is the record of an epoch, a line of metrics.jsonl of kind "epoch".
type Epoch struct {
	Kind    string             `json:"kind"`
	Epoch   int                `json:"epoch"` // from 1
	Step    int                `json:"step"`  // steps done
	Train   Figures            `json:"train,omitempty"`
	Valid   Figures            `json:"valid,omitempty"` // of held-out samples, by which the best is chosen
	Test    Figures            `json:"test,omitempty"`  // where the test samples are watched
	Rates   map[string]float64 `json:"rates"`           // of firing, by layer
	Seconds float64            `json:"seconds"`
}

// line is a line of metrics.jsonl of today and of before there were named figures.
type line struct {
	Kind    string  `json:"kind"`
	Epoch   int     `json:"epoch"`
	Step    int     `json:"step"`
	Train   Figures `json:"train"`
	Valid   Figures `json:"valid"`
	Test    Figures `json:"test"`
	Rates   Figures `json:"rates"`
	Seconds float64 `json:"seconds"`

	TrainLoss     *float64 `json:"train_loss"`
	TrainAccuracy *float64 `json:"train_accuracy"`
	TestLoss      *float64 `json:"test_loss"`
	TestAccuracy  *float64 `json:"test_accuracy"`
}

// older adds figures that have a key of their own.
func older(f Figures, loss, accuracy *float64) Figures {
	for name, v := range map[string]*float64{"loss": loss, "accuracy": accuracy} {
		if v == nil {
			continue
		}
		if f == nil {
			f = Figures{}
		}
		f[name] = *v
	}
	return f
}

// Append adds a line to metrics.jsonl, brings it to the disk, and returns the length
// of the file, for Truncate.
func (d *Dir) Append(line any) (size int64, err error) {
	b, err := json.Marshal(line)
	if err != nil {
		return 0, fmt.Errorf("record metrics: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(d.Path, metricsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fmt.Errorf("record metrics: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = d.sync(f)
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("record metrics: %w; free some space and continue with --resume", err)
	}
	return size, nil
}

// Truncate drops what metrics.jsonl has beyond size: lines that are younger than the
// checkpoint that a run goes on from. A file that is shorter is an error.
func (d *Dir) Truncate(size int64) error {
	path := filepath.Join(d.Path, metricsFile)
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && size == 0:
		return nil
	case err == nil && st.Size() < size:
		err = fmt.Errorf("%s has %d bytes, the checkpoint knows of %d: lines were lost; bring the file back, or start anew in another directory with --out", metricsFile, st.Size(), size)
	case err == nil:
		err = os.Truncate(path, size)
	}
	if err != nil {
		return fmt.Errorf("resume %s: %w", d.Path, err)
	}
	return nil
}

// History reads metrics.jsonl.
func (d *Dir) History() ([]Point, []Epoch, error) { return History(d.Path) }

// maxLine bounds a line of metrics.jsonl, in bytes.
const maxLine = 1 << 20

// History reads the metrics of the run in a directory, none where it recorded none. A
// last line that was not written whole is left out; resuming drops it.
func History(dir string) (points []Point, epochs []Epoch, err error) {
	f, err := os.Open(filepath.Join(dir, metricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer f.Close()
	if points, epochs, err = history(f); err != nil {
		return nil, nil, fmt.Errorf("read the metrics of %s: %w", dir, err)
	}
	return points, epochs, nil
}

func history(r io.Reader) (points []Point, epochs []Epoch, err error) {
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		b, err := lines.ReadSlice('\n')
		cut := errors.Is(err, io.EOF)
		if cut && len(b) == 0 {
			return points, epochs, nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, nil, fmt.Errorf("%s:%d: a line of more than %d bytes is none of a run", metricsFile, n, maxLine)
		}
		if err != nil && !cut {
			return nil, nil, err
		}
		var l line
		if err := json.Unmarshal(b, &l); err != nil {
			if cut {
				return points, epochs, nil
			}
			return nil, nil, fmt.Errorf("%s:%d: %w: %.40q", metricsFile, n, err, bytes.TrimSpace(b))
		}
		train := older(l.Train, l.TrainLoss, l.TrainAccuracy)
		switch l.Kind {
		case kindStep:
			points = append(points, Point{Kind: l.Kind, Epoch: l.Epoch, Step: l.Step, Train: train})
		case kindEpoch:
			epochs = append(epochs, Epoch{
				Kind: l.Kind, Epoch: l.Epoch, Step: l.Step, Train: train, Valid: l.Valid,
				Test: older(l.Test, l.TestLoss, l.TestAccuracy), Rates: l.Rates, Seconds: l.Seconds,
			})
		default:
			return nil, nil, fmt.Errorf("%s:%d: a line of kind %.40q, want %s or %s; use a newer program", metricsFile, n, l.Kind, kindStep, kindEpoch)
		}
	}
}
