package encode_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// streams are the keys of b samples.
func streams(b int) []rng.Key {
	keys := make([]rng.Key, b)
	for i := range keys {
		keys[i] = rng.New(1, rng.Encode).Int(uint64(i))
	}
	return keys
}

// batch is samples of a shape without targets.
func batch(x []tensor.Float, shape tensor.Shape) *sample.Batch {
	return &sample.Batch{Spec: &sample.Spec{Shape: shape}, Index: make([]int, len(x)/shape.Size()), X: x}
}

// ramp is b samples of n values from 0 to 1.
func ramp(b, n int) []tensor.Float {
	x := make([]tensor.Float, b*n)
	for i := range x {
		x[i] = tensor.Float(i%17) / 16
	}
	return x
}

// poisson is the spikes of [t0, t1), in a signal that held others before.
func poisson(t testing.TB, p encode.Poisson, x []tensor.Float, n int, keys []rng.Key, t0, t1 int) *signal.Signal {
	t.Helper()
	var s signal.Signal
	s.Reset(signal.Spikes, 3, len(keys), tensor.Shape{n + 3})
	for i := range s.Raster.Bits {
		s.Raster.Bits[i] = math.MaxUint64
	}
	shape := tensor.Shape{n}
	p.Encode(&s, batch(x, shape), keys, encode.Window{T0: t0, T1: t1, Steps: t1})
	if err := s.Check(shape); err != nil || s.Kind != signal.Spikes || s.T != t1-t0 || s.B != len(keys) {
		t.Fatalf("%v signal of %d steps and %d samples, want %d and %d: %v", s.Kind, s.T, s.B, t1-t0, len(keys), err)
	}
	for row := range s.Rows() {
		if n%64 != 0 && s.Raster.Row(row)[n/64]>>(n%64) != 0 {
			t.Fatalf("row %d has bits beyond unit %d", row, n)
		}
	}
	return &s
}

// A constant is the values themselves, not a copy, for any window.
func TestConstant(t *testing.T) {
	x := []tensor.Float{0, 0.25, 0.5, 0.75, 1, 2}
	shape := tensor.Shape{1, 3}
	var s signal.Signal
	encode.Constant{}.Encode(&s, batch(x, shape), streams(2), encode.Window{T0: 3, T1: 10, Steps: 10})
	if err := s.Check(shape); err != nil || s.Kind != signal.Constant || s.T != 7 || s.B != 2 {
		t.Errorf("%v signal of %d steps and %d samples, want constant, 7 and 2: %v", s.Kind, s.T, s.B, err)
	}
	if &s.Data[0] != &x[0] {
		t.Error("the values were copied")
	}
	if err := (encode.Constant{}).Validate(); err != nil {
		t.Error(err)
	}
}

// Counts are binomial with the documented probability, spikes are independent
// of those one step and one unit away, and the probabilities 0 and 1 are kept
// without exception.
func TestPoissonRates(t *testing.T) {
	const steps, units = 4000, 67 // the last units lie in a second word
	for _, c := range []struct{ scale, x, want float64 }{
		{0, 0.25, 0.25}, {1, 0.25, 0.25}, {0.5, 0.25, 0.125}, {0.5, 1, 0.5}, {1, 0.01, 0.01}, {0.5, 1.5, 0.75},
		{1, 0, 0}, {1, -0.5, 0}, {1, 1, 1}, {1, 1.5, 1}, {0.5, 3, 1},
	} {
		x := make([]tensor.Float, units)
		for i := range x {
			x[i] = tensor.Float(c.x)
		}
		s := poisson(t, encode.Poisson{Scale: c.scale}, x, units, streams(1), 0, steps)
		within := func(what string, count, n int, p float64) {
			t.Helper()
			if bound := 6 * math.Sqrt(float64(n)*p*(1-p)); math.Abs(float64(count)-float64(n)*p) > bound {
				t.Errorf("scale %v, value %v, %s: %d of %d, want %.1f ± %.1f", c.scale, c.x, what, count, n, float64(n)*p, bound)
			}
		}
		within("all spikes", s.Raster.Count(0, steps), steps*units, c.want)
		inTime, inSpace := 0, 0
		for u := range units {
			count := 0
			for r := range steps {
				if !s.Raster.At(r, u) {
					continue
				}
				count++
				if r > 0 && r%2 == 1 && s.Raster.At(r-1, u) { // disjoint pairs are independent
					inTime++
				}
				if u%2 == 1 && s.Raster.At(r, u-1) {
					inSpace++
				}
			}
			within("one unit", count, steps, c.want)
		}
		within("both of two steps", inTime, steps/2*units, c.want*c.want)
		within("both of two units", inSpace, steps*(units/2), c.want*c.want)
	}
}

// A spike depends on its sample's key, its step and its unit alone: it is the
// comparison with one number drawn for it.
func TestPoissonDraws(t *testing.T) {
	const b, n, t0, t1 = 3, 130, 5, 12
	x, keys := ramp(b, n), streams(b)
	s := poisson(t, encode.Poisson{Scale: 0.5}, x, n, keys, t0, t1)
	for step := t0; step < t1; step++ {
		for i := range b {
			for u := range n {
				var draw [1]float32
				keys[i].Uniforms(draw[:], uint64(step), uint64(u))
				if got, want := s.Raster.At((step-t0)*b+i, u), tensor.Float(draw[0]) < 0.5*x[i*n+u]; got != want {
					t.Fatalf("step %d, sample %d, unit %d: spike %v, want %v", step, i, u, got, want)
				}
			}
		}
	}
}

// A draw equal to the probability is no spike, so that probability 0 never
// fires, though 0 is drawn; and the next number above it is one.
func TestPoissonEdge(t *testing.T) {
	const n, step = 70, 3
	keys := streams(1)
	draws := make([]float32, n)
	keys[0].Uniforms(draws, step, 0)
	at, above := make([]tensor.Float, n), make([]tensor.Float, n)
	for i, d := range draws {
		at[i], above[i] = tensor.Float(d), tensor.Float(math.Nextafter32(d, 1))
	}
	for _, c := range []struct {
		x    []tensor.Float
		want int
	}{{at, 0}, {above, n}} {
		if got := poisson(t, encode.Poisson{}, c.x, n, keys, step, step+1).Raster.Count(0, 1); got != c.want {
			t.Errorf("%d of %d units fire, want %d", got, n, c.want)
		}
	}
}

// Windows, batches and goroutines are matters of speed: the bits are those of
// one batch over all steps. Another seed gives others.
func TestPoissonSplit(t *testing.T) {
	const b, n, steps = 4, 100, 12
	p := encode.Poisson{Scale: 1}
	x, keys := ramp(b, n), streams(b)
	want := poisson(t, p, x, n, keys, 0, steps).Raster
	for cut := 1; cut < steps; cut++ {
		got := append(slices.Clone(poisson(t, p, x, n, keys, 0, cut).Raster.Bits), poisson(t, p, x, n, keys, cut, steps).Raster.Bits...)
		if !slices.Equal(got, want.Bits) {
			t.Errorf("cut at step %d: other bits", cut)
		}
	}
	var wg sync.WaitGroup
	for i := range b {
		wg.Go(func() {
			var s signal.Signal
			p.Encode(&s, batch(x[i*n:][:n], tensor.Shape{n}), keys[i:][:1], encode.Window{T0: 0, T1: steps, Steps: steps})
			for r := range steps {
				if !slices.Equal(s.Raster.Row(r), want.Row(r*b+i)) {
					t.Errorf("sample %d alone: other bits at step %d", i, r)
				}
			}
		})
	}
	wg.Wait()
	keys[0] = rng.New(2, rng.Encode)
	if slices.Equal(poisson(t, p, x, n, keys, 0, steps).Raster.Bits, want.Bits) {
		t.Error("another key gives the same bits")
	}
}

func TestPoissonValidate(t *testing.T) {
	for _, c := range []struct {
		scale float64
		ok    bool
	}{{0, true}, {0.5, true}, {1, true}, {-0.1, false}, {1.1, false}, {math.NaN(), false}, {math.Inf(1), false}} {
		if err := (encode.Poisson{Scale: c.scale}).Validate(); (err == nil) != c.ok {
			t.Errorf("scale %v: %v, want ok %v", c.scale, err, c.ok)
		}
	}
}

// Scores are worked out by hand, and errors spread over time as the transpose
// of decoding, which is what makes the gradients of a loss right.
func TestDecoders(t *testing.T) {
	// Two samples of three outputs, over four steps.
	o := signal.Signal{Kind: signal.Dense, T: 4, B: 2, Shape: tensor.Shape{3}, Data: []tensor.Float{
		1, 0, 0, 0, -2, 8,
		1, 1, 0, 0, 2, 8,
		0, 1, 0, 0, 1, 8,
		1, 0, 0, 1, 0, 8,
	}}
	errs := []tensor.Float{1, -2, 3, 0, 8, -4}
	for _, c := range []struct {
		name           string
		d              encode.Decoder
		scores, spread []tensor.Float
	}{
		{"count", encode.Count{}, []tensor.Float{3, 2, 0, 1, 1, 32}, errs},
		{"membrane", encode.Membrane{}, []tensor.Float{0.75, 0.5, 0, 0.25, 0.25, 8}, []tensor.Float{0.25, -0.5, 0.75, 0, 2, -1}},
	} {
		scores := []tensor.Float{9, 9, 9, 9, 9, 9} // left from a batch before
		c.d.Decode(scores, &o)
		if !slices.Equal(scores, c.scores) {
			t.Errorf("%s: scores %v, want %v", c.name, scores, c.scores)
		}
		dst := signal.Signal{Data: []tensor.Float{7}}
		c.d.Spread(&dst, errs, o.T, o.B, o.Shape)
		if err := dst.Check(o.Shape); err != nil || dst.Kind != signal.Dense || dst.T != o.T || dst.B != o.B {
			t.Fatalf("%s: spread to a %v signal of %d steps and %d samples: %v", c.name, dst.Kind, dst.T, dst.B, err)
		}
		var decoded, spread tensor.Float // the sums are exact
		for i, e := range errs {
			decoded += e * scores[i]
		}
		for i, v := range dst.Data {
			if want := c.spread[i%len(errs)]; v != want {
				t.Errorf("%s: error %v at step %d, element %d, want %v", c.name, v, i/len(errs), i%len(errs), want)
			}
			spread += v * o.Data[i]
		}
		if decoded != spread {
			t.Errorf("%s: ⟨decoded, errors⟩ = %v, but ⟨outputs, spread⟩ = %v", c.name, decoded, spread)
		}
	}
}
