package linmap_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/snntest"
	"synfire/tensor"
)

// geometry draws the options of a convolution that fits a drawn image.
func geometry(src *rng.Source) (tensor.Shape, linmap.Options) {
	for {
		in := tensor.Shape{1 + src.IntN(9), 1 + src.IntN(9), 1 + src.IntN(5)}
		one := func(n, least int) []int {
			return [][]int{nil, {least + src.IntN(n)}, {least + src.IntN(n), least + src.IntN(n)}}[src.IntN(3)]
		}
		o := linmap.Options{Kernel: one(4, 1), Stride: one(3, 1), Dilation: one(3, 1), Padding: one(4, 0)}
		if src.IntN(3) == 0 {
			o.Padding = []int{src.IntN(4), src.IntN(4), src.IntN(4), src.IntN(4)}
		}
		if _, err := linmap.NewWindow(in, o); err == nil {
			return in, o
		}
	}
}

// draw is n numbers, of which a share is not zero.
func draw(src *rng.Source, n int, share float64) []tensor.Float {
	x := make([]tensor.Float, n)
	for i := range x {
		if src.Float64() < share {
			x[i] = tensor.Float(2*src.Float64() - 1)
		}
	}
	return x
}

// terms calls f for each product of the definition: y[o] takes w[k]·x[i].
func terms(m linmap.Map, f func(o, k, i int)) {
	for y := range m.OH {
		for x := range m.OW {
			for i := range m.KH {
				for j := range m.KW {
					row, column := y*m.StrideH+i*m.DilateH-m.PadTop, x*m.StrideW+j*m.DilateW-m.PadLeft
					if row < 0 || row >= m.H || column < 0 || column >= m.W {
						continue
					}
					for c := range m.C {
						for n := range m.N {
							f((y*m.OW+x)*m.N+n, ((i*m.KW+j)*m.C+c)*m.N+n, (row*m.W+column)*m.C+c)
						}
					}
				}
			}
		}
	}
}

func limit() float64 {
	if snntest.DoublePrecision() {
		return 1e-12
	}
	return 2e-5
}

func near(t *testing.T, what string, got []tensor.Float, want []float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= limit()) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], w)
		}
	}
}

func doubles(x []tensor.Float) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// All directions against the definition as plain loops, for random geometries, sparse and
// dense: both paths of a direction add to what is there, and forward to the same bits.
func TestMaps(t *testing.T) {
	var s linmap.Scratch
	for seed := range uint64(300) {
		src := rng.New(seed, "linmap").Source()
		in, o := geometry(src)
		m, err := linmap.Conv(in, 1+src.IntN(20), o)
		switch {
		case seed%6 == 1: // rows are gathered
			in[2] = 20 + src.IntN(40)
			m, err = linmap.Conv(in, 32+src.IntN(10), o)
		case seed%10 == 0:
			m, err = linmap.Dense(1+src.IntN(30), 1+src.IntN(30)).Rows(1+src.IntN(4)), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("seed %d, %+v", seed, m)
		share := []float64{0.1, 0.5, 1}[seed%3]
		x, y := draw(src, m.In().Size(), share), draw(src, m.Out().Size(), share)
		w := draw(src, m.Kernel().Size(), 1)
		ws := &linmap.Weights{}
		ws.Renew(w)

		want := doubles(y)
		terms(m, func(o, k, i int) { want[o] += float64(w[k]) * float64(x[i]) })
		events, product, chosen := slices.Clone(y), slices.Clone(y), slices.Clone(y)
		m.AddEvents(&s, ws, events, x)
		m.Multiply(&s, ws, product, x)
		m.Forward(&s, ws, chosen, x)
		near(t, name+" forward", events, want)
		if !slices.Equal(events, product) || !slices.Equal(events, chosen) {
			t.Errorf("%s: events give %v, the product %v", name, events, product)
		}

		want = doubles(x)
		terms(m, func(o, k, i int) { want[i] += float64(w[k]) * float64(y[o]) })
		back, whole := slices.Clone(x), slices.Clone(x)
		m.Transpose(&s, ws, back, y)
		m.MultiplyBack(&s, ws, whole, y)
		near(t, name+" transpose", back, want)
		near(t, name+" transpose, multiplied", whole, want)

		want = doubles(w)
		terms(m, func(o, k, i int) { want[k] += float64(x[i]) * float64(y[o]) })
		dw := slices.Clone(w)
		m.Outer(&s, dw, x, y)
		near(t, name+" outer", dw, want)
		parts := slices.Clone(w)
		for lo := 0; lo < m.Patch(); {
			hi := min(m.Patch(), lo+1+src.IntN(7))
			m.OuterRows(&s, parts[lo*m.N:hi*m.N], x, y, lo, hi)
			lo = hi
		}
		if !slices.Equal(dw, parts) {
			t.Errorf("%s: parts of the gradient give other bits", name)
		}
	}
}

func dot(a, b []tensor.Float) (sum float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// ⟨y, A x⟩ = ⟨Aᵀ y, x⟩ for maps, poolings, and one behind the other.
func TestTransposes(t *testing.T) {
	var s linmap.Scratch
	same := func(name string, a, b float64) {
		t.Helper()
		if math.Abs(a-b) > 20*limit() {
			t.Errorf("%s: ⟨y, A x⟩ = %v, ⟨Aᵀ y, x⟩ = %v", name, a, b)
		}
	}
	for seed := range uint64(200) {
		src := rng.New(seed, "transpose").Source()
		in, o := geometry(src)
		m, err := linmap.Conv(in, 1+src.IntN(9), o)
		if err != nil {
			t.Fatal(err)
		}
		w := &linmap.Weights{Data: draw(src, m.Kernel().Size(), 1)}
		x, y := draw(src, in.Size(), 0.5), draw(src, m.Out().Size(), 0.5)
		ax, ay := make([]tensor.Float, len(y)), make([]tensor.Float, len(x))
		m.Forward(&s, w, ax, x)
		m.Transpose(&s, w, ay, y)
		same(fmt.Sprintf("%+v", m), dot(y, ax), dot(ay, x))

		p, err := linmap.NewPool(in, 1+src.IntN(3), src.IntN(4), []int{src.IntN(2)})
		if err != nil {
			continue
		}
		p.Average, p.CountPadding = seed%2 == 0, seed%4 == 0
		y = draw(src, p.Outputs(), 0.7)
		ax, places := make([]tensor.Float, len(y)), make([]uint8, p.Places())
		p.Forward(&s, ax, x, places)
		ay = draw(src, len(x), 1) // is written over
		p.Transpose(&s, ay, y, places)
		same(fmt.Sprintf("%+v", p), dot(y, ax), dot(ay, x))
	}
	for seed := range uint64(60) {
		src := rng.New(seed, "pooled").Source()
		in := tensor.Shape{4 + src.IntN(5), 4 + src.IntN(5), 1 + src.IntN(3)}
		m, err := linmap.Conv(in, 1+src.IntN(5), linmap.Options{Kernel: []int{1 + src.IntN(3)}, Padding: []int{src.IntN(2)}})
		if err != nil {
			t.Fatal(err)
		}
		pool, err := linmap.NewPool(m.Out(), 1+src.IntN(2), 0, nil)
		if err != nil {
			continue
		}
		pool.Average = seed%2 == 0
		p, w := linmap.Pooled{Map: m, Pool: pool}, &linmap.Weights{Data: draw(src, m.Kernel().Size(), 1)}
		x, y := draw(src, in.Size(), 0.5), draw(src, p.Outputs(), 0.5)
		ax, ay, places := make([]tensor.Float, len(y)), make([]tensor.Float, len(x)), make([]uint8, pool.Places())
		p.Forward(&s, w, nil, ax, x, places)
		p.Transpose(&s, w, ay, y, places)
		same(fmt.Sprintf("%+v", p), dot(y, ax), dot(ay, x))
		mapped, lifted := make([]tensor.Float, p.Mapped()), make([]tensor.Float, len(x))
		pool.Transpose(&s, mapped, y, places)
		m.Transpose(&s, w, lifted, mapped)
		near(t, "one after the other", ay, doubles(lifted))
	}
}

// Pooling against its definition, padding included.
func TestPools(t *testing.T) {
	var s linmap.Scratch
	for seed := range uint64(200) {
		src := rng.New(seed, "pool").Source()
		in := tensor.Shape{1 + src.IntN(9), 1 + src.IntN(9), 1 + src.IntN(20)}
		size := 1 + src.IntN(4)
		p, err := linmap.NewPool(in, size, src.IntN(5), []int{src.IntN(size), src.IntN(size), src.IntN(size), src.IntN(size)})
		if err != nil {
			continue
		}
		x, y := draw(src, in.Size(), 0.8), make([]tensor.Float, p.Outputs())
		for _, p.Average = range []bool{false, true} {
			for _, p.CountPadding = range []bool{false, true} {
				p.Forward(&s, y, x, nil)
				near(t, fmt.Sprintf("seed %d, %+v", seed, p), y, pooled(p, x))
			}
		}
	}
}

func pooled(p linmap.Pool, x []tensor.Float) (out []float64) {
	for y := range p.OH {
		for z := range p.OW {
			for c := range p.C {
				sum, most, count := 0.0, math.Inf(-1), 0.0
				for k := range p.KH * p.KW {
					row, column := y*p.StrideH-p.PadTop+k/p.KW, z*p.StrideW-p.PadLeft+k%p.KW
					if row < 0 || row >= p.H || column < 0 || column >= p.W {
						continue
					}
					v := float64(x[(row*p.W+column)*p.C+c])
					sum, most, count = sum+v, max(most, v), count+1
				}
				switch {
				case !p.Average:
					out = append(out, most)
				case p.CountPadding:
					out = append(out, sum/float64(p.KH*p.KW))
				default:
					out = append(out, sum/count)
				}
			}
		}
	}
	return out
}

// Renewed weights count in all arrangements.
func TestRenew(t *testing.T) {
	m, err := linmap.Conv(tensor.Shape{3, 3, 2}, 3, linmap.Options{Kernel: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	var s linmap.Scratch
	src := rng.New(1, "renew").Source()
	x, y, w := draw(src, 18, 1), draw(src, 12, 1), draw(src, m.Kernel().Size(), 1)
	run := func(ws *linmap.Weights) (all []tensor.Float) {
		for _, f := range []func(*linmap.Scratch, *linmap.Weights, []tensor.Float, []tensor.Float){m.Multiply, m.AddEvents} {
			out := make([]tensor.Float, len(y))
			f(&s, ws, out, x)
			all = append(all, out...)
		}
		for _, f := range []func(*linmap.Scratch, *linmap.Weights, []tensor.Float, []tensor.Float){m.Transpose, m.MultiplyBack} {
			out := make([]tensor.Float, len(x))
			f(&s, ws, out, y)
			all = append(all, out...)
		}
		return all
	}
	ws := &linmap.Weights{Data: w}
	old := run(ws)
	for i := range w {
		w[i]++
	}
	ws.Renew(w)
	if again := run(ws); slices.Equal(again, old) || !slices.Equal(again, run(&linmap.Weights{Data: w})) {
		t.Error("weights that were renewed are not those of a new Weights")
	}
}

func TestWindowErrors(t *testing.T) {
	in := tensor.Shape{4, 6, 1}
	for want, make := range map[string]func() error{
		"want height×width×channels":        func() error { _, err := linmap.NewWindow(tensor.Shape{4}, linmap.Options{}); return err },
		"stride is 0, want at least 1":      func() error { _, err := linmap.NewWindow(in, linmap.Options{Stride: []int{0}}); return err },
		"kernel of 5×2 does not fit":        func() error { _, err := linmap.NewWindow(in, linmap.Options{Kernel: []int{5, 2}}); return err },
		"padding is 1×-1":                   func() error { _, err := linmap.NewWindow(in, linmap.Options{Padding: []int{1, -1}}); return err },
		"out is 0":                          func() error { _, err := linmap.Conv(in, 0, linmap.Options{}); return err },
		"window of 5 does not fit":          func() error { _, err := linmap.NewPool(in, 5, 0, nil); return err },
		"windows may lie outside the image": func() error { _, err := linmap.NewPool(in, 2, 0, []int{2}); return err },
		"size is 0 and stride -1":           func() error { _, err := linmap.NewPool(in, 0, -1, nil); return err },
		"or top, bottom, left and right":    func() error { _, err := linmap.NewPool(in, 2, 0, []int{1, 1, 1}); return err },
		"dilation has 3 numbers, want one":  func() error { _, err := linmap.NewWindow(in, linmap.Options{Dilation: []int{1, 1, 1}}); return err },
		"(dilated by 4×1) does not fit an i": func() error {
			_, err := linmap.NewWindow(in, linmap.Options{Kernel: []int{2}, Dilation: []int{4, 1}})
			return err
		},
	} {
		if err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Slabs of one width do not take the place of those of another: lists of spikes of other lengths
// ask for other widths of the same weights.
func TestSlabs(t *testing.T) {
	m := linmap.Dense(3, 512)
	w := draw(rng.New(1, "slabs").Source(), 3*512, 1)
	ws := &linmap.Weights{Data: w}
	check := func() {
		t.Helper()
		for _, width := range []int{64, 128, 64, 256, 512} {
			got, ld := m.Slab(ws, width)
			for k := range 3 {
				for n := range 512 {
					at := k*ld + n // as it stands
					if width < 512 {
						at = n/width*width*3 + k*ld + n%width
					}
					if got[at] != w[k*512+n] {
						t.Fatalf("slabs of %d columns: row %d, column %d is %v, want %v", width, k, n, got[at], w[k*512+n])
					}
				}
			}
		}
	}
	check()
	for i := range w {
		w[i]++
	}
	ws.Renew(w)
	check()
}
