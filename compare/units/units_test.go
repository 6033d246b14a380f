package units_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/units"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestSelectivity(t *testing.T) {
	x := mat.NewDense(4, 3, []float64{
		2, 1, 0,
		4, 1, 0,
		0, 1, 0,
		1, 1, 0,
	})
	got, err := units.Selectivity(x, []int{0, 0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "selective unit", got[0], (3-.5)/(3+.5), 1e-12)
	if got[1] != 0 || got[2] != 0 {
		t.Errorf("units that do not distinguish: %v", got)
	}
}

func TestAblation(t *testing.T) {
	order := units.Descending([]float64{0.1, 0.9, 0.9, 0.5})
	if !reflect.DeepEqual(order, []int{1, 2, 3, 0}) {
		t.Fatalf("order %v", order)
	}
	var masks [][]bool
	curve, err := units.Ablation(func(silenced []bool) (float64, error) {
		masks = append(masks, silenced)
		return float64(len(masks)), nil
	}, order, []float64{0, 0.5, 1})
	if err != nil || !reflect.DeepEqual(curve, []units.Point{{0, 0, 1}, {2, 0.5, 2}, {4, 1, 3}}) {
		t.Errorf("curve %v, %v", curve, err)
	}
	if !reflect.DeepEqual(masks[1], []bool{false, true, true, false}) {
		t.Errorf("mask %v", masks[1])
	}
	failed := errors.New("no data")
	if _, err := units.Ablation(func([]bool) (float64, error) { return 0, failed }, order, []float64{0}); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if a := units.RandomOrder(9, 1); reflect.DeepEqual(a, units.RandomOrder(9, 2)) || !reflect.DeepEqual(a, units.RandomOrder(9, 1)) {
		t.Error("random orders do not follow the seed")
	}
}

// Selectivity has no scale, and follows the order of the units.
func TestSelectivityInvariances(t *testing.T) {
	labels := []int{0, 1, 2, 0, 1, 2}
	x := mat.NewDense(6, 2, []float64{3, 0, 1, 5, 2, 2, 4, 1, 0, 7, 1, 3})
	y := mat.NewDense(6, 2, nil)
	for i := range 6 {
		y.SetRow(i, []float64{1e-200 * x.At(i, 1), 1e200 * x.At(i, 0)})
	}
	a, err := units.Selectivity(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	b, err := units.Selectivity(y, labels)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "unit 0", b[1], a[0], 1e-12)
	near(t, "unit 1", b[0], a[1], 1e-12)
}

func TestErrors(t *testing.T) {
	x := mat.NewDense(2, 1, []float64{1, -1})
	for want, f := range map[string]func() error{
		"not negative":    func() error { _, err := units.Selectivity(x, []int{0, 1}); return err },
		"at least 2":      func() error { _, err := units.Selectivity(mat.NewDense(2, 1, nil), []int{0, 0}); return err },
		"condition 0 has": func() error { _, err := units.Selectivity(x, []int{1, 2}); return err },
		"permutation":     func() error { _, err := units.Ablation(nil, []int{0, 0}, nil); return err },
		"within [0, 1]":   func() error { _, err := units.Ablation(nil, []int{0}, []float64{2}); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
}

// One unit answers class 0 alone, the other both classes alike: silence the first.
func Example() {
	rates := mat.NewDense(4, 2, []float64{8, 3, 6, 3, 0, 3, 0, 3})
	index, err := units.Selectivity(rates, []int{0, 0, 1, 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(index, units.Descending(index))
	// Output: [1 0] [0 1]
}
