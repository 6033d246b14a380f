// Package signal defines what flows between layers: a value that knows what it
// is, so that a layer can do less work for it.
//
//   - Constant [B, shape…]: the same at each step, as an image held before a
//     network. It is multiplied once, not T times.
//   - Spikes: bits, one row for each (step, sample), added by event where
//     they are sparse. Bit (y·W + x)·C + c is channel c of pixel (x, y).
//   - Dense [T, B, shape…]: everything else.
package signal

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/spike"
	"synfire/tensor"
)

// Kind says how a Signal is stored.
type Kind uint8

const (
	Dense Kind = iota
	Constant
	Spikes
)

// String names the kind in errors.
func (k Kind) String() string { return [...]string{"dense", "constant", "spikes"}[k] }

// Signal holds T steps of B samples of one shape. Data is used by Constant
// (B rows) and Dense (T·B rows, row t·B+b), Raster by Spikes (the same rows).
type Signal struct {
	Kind   Kind
	T, B   int
	Shape  tensor.Shape // of one sample
	Data   []tensor.Float
	Raster spike.Raster
}

// Reset makes s a signal of the given form, reusing its memory. Spikes are
// cleared; the elements of other kinds are unspecified.
func (s *Signal) Reset(kind Kind, t, b int, shape tensor.Shape) {
	s.Kind, s.T, s.B, s.Shape = kind, t, b, shape
	if kind == Spikes {
		s.Raster.Reset(t*b, shape.Size())
		return
	}
	s.Data = tensor.Resize(s.Data, s.Rows()*shape.Size())
}

// Window is steps [t0, t1) of s, in s's own memory; a Constant has no other
// memory at any time.
func (s *Signal) Window(t0, t1 int) Signal {
	w := *s
	w.T = t1 - t0
	switch s.Kind {
	case Dense:
		w.Data = s.Data[t0*s.Stride() : t1*s.Stride()]
	case Spikes:
		w.Raster.Rows = w.T * s.B
		w.Raster.Bits = s.Raster.Bits[t0*s.B*s.Raster.Words : t1*s.B*s.Raster.Words]
	}
	return w
}

// Rows is the number of stored rows: B for Constant, else T·B.
func (s *Signal) Rows() int {
	if s.Kind == Constant {
		return s.B
	}
	return s.T * s.B
}

// Units is the number of elements of one sample at one step.
func (s *Signal) Units() int { return s.Shape.Size() }

// Stride is the distance in Data between one step and the next: 0 for
// Constant, else B·Units.
func (s *Signal) Stride() int {
	if s.Kind == Constant {
		return 0
	}
	return s.B * s.Units()
}

// Density is the fraction of set bits of Spikes, and 1 for the other kinds.
func (s *Signal) Density() float64 {
	if s.Kind != Spikes || s.Rows() == 0 {
		return 1
	}
	return float64(s.Raster.Count(0, s.Rows())) / float64(s.Rows()*s.Units())
}

// ReadRow writes one stored row to dst as numbers, a spike as 1.
func (s *Signal) ReadRow(dst []tensor.Float, row int) {
	n := s.Units()
	if s.Kind != Spikes {
		copy(dst, s.Data[row*n:][:n])
		return
	}
	kernel.Expand(dst[:n], s.Raster.Row(row), 0)
}

// Densify writes s to dst as Dense (Constant stays Constant: it has no time).
func (s *Signal) Densify(dst *Signal) {
	kind := Dense
	if s.Kind == Constant {
		kind = Constant
	}
	dst.Reset(kind, s.T, s.B, s.Shape)
	n := s.Units()
	for r := range s.Rows() {
		s.ReadRow(dst.Data[r*n:][:n], r)
	}
}

// Check returns an error unless s is a whole signal of the given shape.
func (s *Signal) Check(shape tensor.Shape) error {
	switch {
	case s.T < 1 || s.B < 1:
		return fmt.Errorf("%v signal of %d steps and %d samples: both must be at least 1", s.Kind, s.T, s.B)
	case !s.Shape.Equal(shape):
		return fmt.Errorf("%v signal of shape %v, want %v", s.Kind, s.Shape, shape)
	case s.Kind == Spikes && (s.Raster.Rows != s.Rows() || s.Raster.Units != s.Units() || len(s.Raster.Bits) != s.Rows()*s.Raster.Words):
		return fmt.Errorf("spikes: raster of %d×%d bits, want %d×%d", s.Raster.Rows, s.Raster.Units, s.Rows(), s.Units())
	case s.Kind != Spikes && len(s.Data) != s.Rows()*s.Units():
		return fmt.Errorf("%v signal holds %d numbers, want %d×%d", s.Kind, len(s.Data), s.Rows(), s.Units())
	}
	return nil
}
