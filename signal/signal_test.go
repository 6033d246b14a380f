package signal_test

import (
	"fmt"
	"slices"
	"testing"

	"synfire/signal"
	"synfire/tensor"
)

// A window shows the steps of the signal that it is of, in the same memory, and has its rows.
func TestWindowOfEachKind(t *testing.T) {
	for _, kind := range []signal.Kind{signal.Constant, signal.Dense, signal.Spikes} {
		var s, all, part signal.Signal
		s.Reset(kind, 5, 3, tensor.Shape{70})
		for i := range s.Data {
			s.Data[i] = tensor.Float(i)
		}
		if kind == signal.Spikes {
			for r := range 15 {
				s.Raster.Set(r, 4*r)
			}
		}
		w := s.Window(1, 4)
		if err := w.Check(s.Shape); err != nil || w.T != 3 || kind == signal.Spikes && w.Raster.Rows != 9 {
			t.Errorf("%v: %v, %d steps, %d rows", kind, err, w.T, w.Raster.Rows)
		}
		s.Densify(&all)
		w.Densify(&part)
		if kind == signal.Constant {
			continue // densified over its own steps, alike at each
		}
		if want := all.Data[1*3*70 : 4*3*70]; !slices.Equal(part.Data, want) {
			t.Errorf("%v: the window is not steps 1 to 3", kind)
		}
	}
}

func ExampleSignal_Densify() {
	var s, d signal.Signal
	s.Reset(signal.Spikes, 2, 1, tensor.Shape{3}) // two steps, one sample, three units
	s.Raster.Set(0, 2)
	s.Raster.Set(1, 0)
	s.Densify(&d)
	fmt.Println(d.Kind, d.Data, s.Density() < 0.34)
	// Output: dense [0 0 1 1 0 0] true
}

func TestCheck(t *testing.T) {
	var s signal.Signal
	s.Reset(signal.Dense, 2, 3, tensor.Shape{4})
	if err := s.Check(tensor.Shape{4}); err != nil {
		t.Errorf("whole signal: %v", err)
	}
	if s.Check(tensor.Shape{5}) == nil {
		t.Error("wrong shape accepted")
	}
	s.Data = s.Data[:23]
	if s.Check(tensor.Shape{4}) == nil {
		t.Error("short data accepted")
	}
	s.Reset(signal.Spikes, 2, 3, tensor.Shape{65})
	s.Raster.Rows--
	if s.Check(tensor.Shape{65}) == nil {
		t.Error("short raster accepted")
	}
}

func TestReadRowAcrossWords(t *testing.T) {
	var s signal.Signal
	s.Reset(signal.Spikes, 1, 1, tensor.Shape{130})
	row := make([]tensor.Float, 130)
	for _, u := range []int{0, 63, 64, 127, 128, 129} {
		s.Raster.Set(0, u)
	}
	s.ReadRow(row, 0)
	for u, v := range row {
		if (v == 1) != s.Raster.At(0, u) {
			t.Errorf("unit %d reads %v", u, v)
		}
	}
}

// All rows count, the first and the last.
func TestDensity(t *testing.T) {
	var s signal.Signal
	s.Reset(signal.Spikes, 3, 1, tensor.Shape{4})
	for _, at := range [][2]int{{0, 0}, {0, 1}, {2, 3}} {
		s.Raster.Set(at[0], at[1])
	}
	if d := s.Density(); d != 0.25 {
		t.Errorf("density %v, want 3 of 12", d)
	}
	s.Reset(signal.Spikes, 1, 1, tensor.Shape{4})
	s.Raster.Set(0, 2)
	if d := s.Density(); d != 0.25 {
		t.Errorf("density of one row %v, want 1 of 4", d)
	}
	if s.Reset(signal.Dense, 3, 1, tensor.Shape{4}); s.Density() != 1 {
		t.Error("dense values are not all there")
	}
}
