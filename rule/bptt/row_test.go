package bptt

import (
	"slices"
	"testing"

	"synfire/signal"
	"synfire/tensor"
)

// The output of a network without time is the same at every step.
func TestRowsOfAConstantOutput(t *testing.T) {
	var out, dst signal.Signal
	out.Reset(signal.Constant, 3, 2, tensor.Shape{1})
	copy(out.Data, []tensor.Float{5, 7})
	dst.Reset(signal.Dense, 3, 2, tensor.Shape{1})
	for row := range 6 {
		readRow(&dst, row, &out, row)
	}
	if want := []tensor.Float{5, 7, 5, 7, 5, 7}; !slices.Equal(dst.Data, want) {
		t.Errorf("rows %v, want %v", dst.Data, want)
	}
}
