package sparse

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v within %v", what, got, want, tolerance)
	}
}

// draw is n numbers of which a share is not zero.
func draw(n int, share float64, seed uint64) []tensor.Float {
	src := rng.New(seed, "test").Source()
	x := make([]tensor.Float, n)
	for i := range x {
		if src.Float64() < share {
			x[i] = tensor.Float(src.Float64())
		}
	}
	return x
}

// Pruning takes the smallest, and its share rises on a cubic.
func TestPrune(t *testing.T) {
	w := []tensor.Float{0.5, -0.1, 0.1, -2, 0.3, 0}
	Prune(w, Magnitude.Of(w, nil), 0.5)
	if !slices.Equal(w, []tensor.Float{0.5, 0, 0, -2, 0.3, 0}) {
		t.Errorf("%v", w)
	}
	p := Pruning{Sparsity: 0.8, Last: 0.4, Begin: 1, End: 5, Every: 2}
	near(t, "half-way", p.At(3, 0.8), 0.8*(1-1.0/8), 1e-12)
	if p.Due(0) || p.Due(2) || !p.Due(3) || !p.Due(5) || p.Due(7) {
		t.Error("masks change after other steps than 1, 3 and 5")
	}
}

// Sums over lists have the bits of the product with the whole matrix, in both directions,
// of rows and of listed inputs; one row too.
func TestProducts(t *testing.T) {
	const k, n, count = 90, 70, 5
	w := draw(k*n, 0.1, 1)
	var m Matrix
	m.List(w, k, n)
	m.Choose(100, 1, false)
	if !m.Sums || !m.Always() || m.ForEvents() {
		t.Errorf("lists for a batch %v, for all %v, for spikes %v", m.Sums, m.Always(), m.ForEvents())
	}
	check := func(what string, got, s []tensor.Float, from, to int, turned bool) {
		t.Helper()
		want := draw(count*to, 1, 3)
		var p kernel.Packed
		p.Pack(nil, w, n, from, to, turned)
		p.MulDirect(count, s, from, 0, from, 0, to, want, to)
		if !slices.Equal(got, want) {
			t.Errorf("%s: sums over lists have other bits than the product", what)
		}
	}
	var p Product
	up, down, s := draw(count*n, 1, 3), draw(count*k, 1, 3), draw(count*max(k, n), 0.5, 2)
	p.Add(&m.Columns, count, s[:count*k], k, up, n)
	check("up", up, s[:count*k], k, n, false)
	p.Add(&m.Rows, count, s[:count*n], n, down, k)
	check("down", down, s[:count*n], n, k, true)
	listed := draw(count*n, 1, 3)
	p.AddEvents(&m.Columns, count, k, func(i int) ([]int32, []tensor.Float) {
		return kernel.Nonzeros(nil, nil, s[i*k:][:k], 0)
	}, listed, n)
	if !slices.Equal(listed, up) {
		t.Error("listed inputs give other sums")
	}
	row := make([]tensor.Float, n)
	m.Rows.AddRow(row, 3, 1)
	if !slices.Equal(row, w[3*n:4*n]) || m.Rows.Count([]int32{3, 3}, n) != 2*kernel.CountNonzero(row) {
		t.Errorf("row 3 is %v, %d weights in two of them", row, m.Rows.Count([]int32{3, 3}, n))
	}
	var loops Loops
	for i := range w {
		w[i]++
	}
	m.Changed()
	loops.Mask(nil, &m, w)
	loops.Take(nil, &m, w)
	clear(row)
	m.Rows.AddRow(row, 3, 1)
	if !slices.Equal(row, w[3*n:4*n]) || len(w)-kernel.CountNonzero(w) == 0 {
		t.Error("lists have not followed the weights, or pruned ones came back")
	}
}

// A pruned weight comes last in each order, and movement is the distance from where a
// weight was drawn.
func TestSaliency(t *testing.T) {
	w, first := []tensor.Float{0.5, 0, -0.2, 0.1}, []tensor.Float{0.5, 1, -0.1, 0.6}
	got := Movement.Of(w, first)
	for i, want := range []float64{0, -1, 0.02, 0.05} {
		near(t, "movement", float64(got[i]), want, 1e-8)
	}
	if got := Magnitude.Of(w, nil); !slices.Equal(got, []tensor.Float{0.5, -1, 0.2, 0.1}) {
		t.Errorf("magnitude %v", got)
	}
}

// The n-th smallest, ties included.
func TestSmallest(t *testing.T) {
	for seed := range uint64(50) {
		x := draw(1+int(seed), 0.6, seed)
		sorted := slices.Sorted(slices.Values(x))
		for n, want := range sorted {
			if got := Smallest(slices.Clone(x), n); got != want {
				t.Fatalf("%v: number %d is %v, want %v", x, n, got, want)
			}
		}
	}
}

// A bit is set where a weight is not zero, in words of its row alone.
func TestRowBits(t *testing.T) {
	const k, n = 5, 70
	w := draw(k*n, 0.3, 2)
	var m Matrix
	m.List(w, k, n)
	for i := range k {
		bits := m.RowBits(i, i+1)
		if len(bits) != 2 {
			t.Fatalf("%d words for %d weights", len(bits), n)
		}
		for j := range 128 {
			if got, want := bits[j/64]>>(j%64)&1 == 1, j < n && w[i*n+j] != 0; got != want {
				t.Errorf("row %d, column %d: bit %v, want %v", i, j, got, want)
			}
		}
	}
}
