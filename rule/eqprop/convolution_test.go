package eqprop

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/snntest"
	"synfire/tensor"
)

// small is two convolutions of 40 inputs, with and without a border and pooling.
func small(average bool) *Convolutional {
	return &Convolutional{Image: tensor.Shape{5, 8, 1}, Layers: []Convolution{
		{Out: 3, Kernel: 3, Pad: 1, Pool: 2, Average: average}, {Out: 4, Kernel: 2},
	}}
}

// pooledTwice has windows in both layers, the second behind a border.
func pooledTwice(average bool) *Convolutional {
	return &Convolutional{Image: tensor.Shape{5, 8, 1}, Layers: []Convolution{
		{Out: 3, Kernel: 2, Pool: 2, Average: average}, {Out: 4, Kernel: 3, Pad: 1, Pool: 2, Average: average},
	}}
}

func TestConvolutionalSizes(t *testing.T) {
	c := &Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []Convolution{{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2}}}
	if got, want := c.Sizes(10), []int{784, 12 * 12 * 32, 4 * 4 * 64, 10}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// inner is a learner with convolutions whose states stay inside (0, 1) and settle.
func inner(t *testing.T, c Config) *Learner {
	c.Sizes, c.Rates, c.Free, c.Nudged = c.Convolutional.Sizes(3), []float64{1, 1, 1}, 200, 200
	l := learner(t, c)
	for i, p := range l.Net().Params() {
		for j := range p.Value.Data {
			if i%2 == 0 {
				p.Value.Data[j] *= 0.4
			} else {
				p.Value.Data[j] = 0.4 + 0.02*tensor.Float(j)
			}
		}
	}
	l.Refresh()
	return l
}

// The drives are the derivatives of Φ, the energy without the leak: of both
// directions, with and without borders, for both poolings.
func TestConvolutionDrives(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	for _, average := range []bool{false, true} {
		for _, convs := range []*Convolutional{small(average), pooledTwice(average)} {
			l := inner(t, Config{Convolutional: convs, Beta: 0.1})
			b := samples(1, 40, 3, 1, 5)
			if _, err := l.Predict(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			r, w := l.r, &l.r.blocks[0]
			src := rng.New(3, "states").Source()
			for k := 1; k <= r.top; k++ {
				for i := range w.s[k] {
					w.s[k][i] = tensor.Float(src.Float64())
				}
			}
			states := w.s[1 : r.top+1]
			for k := r.top; k >= 1; k-- {
				r.drive(w, &l.batch, k, 0)
			}
			const h = 1e-6
			for k, s := range states {
				for i, v := range s {
					s[i] = v + h
					up := r.net.Energy(b.X, states)
					s[i] = v - h
					down := r.net.Energy(b.X, states)
					s[i] = v
					near(t, "drive", float64(w.z[k+1][i]), float64(v)-(up-down)/(2*h), 1e-7)
				}
			}
		}
	}
}

// The estimate becomes the gradient of the cost after the free phase, by differences,
// as β → 0: with an error of order β², or one-sided of order β.
func TestConvolutionGradient(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("small β needs double precision; run with -tags float64")
	}
	b := samples(2, 40, 3, 1, 5)
	for name, c := range map[string]Config{
		"largest":  {Convolutional: pooledTwice(false), Activation: HardSigmoid, Step: 1},
		"averaged": {Convolutional: pooledTwice(true), Activation: HardSigmoid, Step: 1},
		"bordered": {Convolutional: small(false)},
		"cross":    {Convolutional: pooledTwice(false), Output: CrossEntropy, Activation: HardSigmoid, Step: 1},
	} {
		for nudge, ratio := range map[Nudge]float64{Centred: 4, OneSided: 2} {
			c.Nudge = nudge
			var errs []float64
			for _, beta := range []float64{0.04, 0.02, 0.001} {
				c.Beta = beta
				l := inner(t, c)
				errs = append(errs, distance(gradient(t, l, b), differences(t, l, b)))
			}
			if got := errs[0] / errs[1]; math.Abs(got-ratio) > 0.1*ratio {
				t.Errorf("%s, %v: halving β divides the error by %.3f, want %v (errors %.3g)", name, nudge, got, ratio, errs)
			}
			if nudge == Centred && !(errs[2] < 1e-5) {
				t.Errorf("%s: error %v at β = 0.001", name, errs[2])
			}
		}
	}
}

// Adding the rows of states that are not zero and multiplying whole patches give the
// same bits.
func TestConvolutionEvents(t *testing.T) {
	for _, convs := range []*Convolutional{small(false), pooledTwice(false)} {
		c := complete(Config{Convolutional: convs})
		l := learner(t, c)
		var m imaging
		for k := 1; k <= 2; k++ {
			g := l.r.convs[k]
			below := samples(1, c.Sizes[k-1], 3, 0.5, 2).X
			var maps [2][]tensor.Float
			for i, add := range []func(*imaging, []tensor.Float){g.addEvents, g.multiply} {
				m.mapped = make([]tensor.Float, g.mapped())
				add(&m, below)
				maps[i] = m.mapped
			}
			if !slices.Equal(maps[0], maps[1]) {
				t.Errorf("layer %d: by events %v, multiplied %v", k, maps[0], maps[1])
			}
		}
	}
}

// A free relaxation of a small step never raises the energy, though the places of the
// largest elements move.
func TestConvolutionEnergyFalls(t *testing.T) {
	for seed := range uint64(10) {
		c := complete(Config{Convolutional: pooledTwice(seed%2 == 1), Step: 0.1})
		c.Free, c.Nudged, c.Seed = 100, 0, seed
		l := learner(t, c)
		tr, err := l.Trace(samples(1, 40, 5, 0.5, seed))
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(tr.Energy); i++ {
			if rise := tr.Energy[i] - tr.Energy[i-1]; rise > tolerance() {
				t.Fatalf("seed %d, step %d: the energy rises by %v", seed, i, rise)
			}
		}
		if fall := tr.Energy[0] - tr.Energy[len(tr.Energy)-1]; !(fall > 0.01) {
			t.Errorf("seed %d: the energy falls by %v only", seed, fall)
		}
	}
}

// Training goes without garbage, but for the metrics.
func TestConvolutionAllocations(t *testing.T) {
	l, b := learner(t, complete(Config{Convolutional: small(false)})), samples(20, 40, 5, 0.2, 1)
	for range 3 {
		step(t, l, b)
	}
	if n := testing.AllocsPerRun(20, func() { step(t, l, b) }); n > 2 {
		t.Errorf("%v allocations a step, want the metrics alone", n)
	}
}

// What does not settle is told of, and a coupling too strong for the step.
func TestConvolutionWarnings(t *testing.T) {
	c := complete(Config{Convolutional: small(false), Activation: HardSigmoid, Step: 1})
	c.Free = 3
	b := samples(5, 40, 5, 0.5, 1)
	for want, scale := range map[string]tensor.Float{"still moves by": 1, "stable below 2": 4} {
		l := learner(t, c)
		for i := range l.Net().W[1].Value.Data {
			l.Net().W[1].Value.Data[i] *= scale
		}
		l.Refresh()
		all, err := l.Warnings(b)
		if err != nil || !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q, %v, want %q", all, err, want)
		}
	}
	c.Free, c.Nudged, c.Step = 200, 10, 0.3
	l := inner(t, c)
	if all, err := l.Warnings(samples(5, 40, 3, 0.5, 1)); err != nil || len(all) > 0 {
		t.Errorf("nothing is wrong, but %q, %v", all, err)
	}
}

func TestConvolutionValidate(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"want height, width":      func(c *Config) { c.Convolutional.Image = tensor.Shape{40} },
		"0 layers":                func(c *Config) { c.Convolutional.Layers = nil },
		"convolution 2: {Out:0":   func(c *Config) { c.Convolutional.Layers[1].Out = 0 },
		"padding below":           func(c *Config) { c.Convolutional.Layers[0].Pad = 3 },
		"nothing is left of 2×4":  func(c *Config) { c.Convolutional.Layers[1].Kernel = 3 },
		"layer of outputs":        func(c *Config) { c.Sizes, c.Rates = c.Sizes[:3], c.Rates[:2] },
		"take Convolutional.Size": func(c *Config) { c.Sizes[1]++ },
		"neither spikes":          func(c *Config) { c.Predictor = &Predictor{} },
		"another schedule":        func(c *Config) { c.Schedule = SweepForward },
	} {
		c := complete(Config{Convolutional: small(false)})
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// differences is the gradient of the cost after the free phase, which is what
// backpropagation through its steps computes, from differences.
func differences(t *testing.T, l *Learner, b *data.Batch) *Net {
	const h = 1e-5
	out := zeros(l.Net())
	for i, p := range l.Net().Params() {
		for j, old := range p.Value.Data {
			p.Value.Data[j] = old + h
			l.Refresh()
			up := cost(t, l, b)
			p.Value.Data[j] = old - h
			l.Refresh()
			out.Params()[i].Value.Data[j] = tensor.Float((up - cost(t, l, b)) / (2 * h))
			p.Value.Data[j] = old
		}
	}
	l.Refresh()
	return out
}

// BenchmarkConvolution is a step of learning from 20 digits at the size of Ernoult et
// al., with 50 free and two times 10 nudged steps.
func BenchmarkConvolution(b *testing.B) {
	convs := &Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []Convolution{{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2}}}
	l := learner(b, Config{
		Convolutional: convs, Sizes: convs.Sizes(10), Step: 1, Activation: HardSigmoid, Weights: FanIn,
		Free: 50, Nudged: 10, Beta: 0.4, Rates: []float64{0.15, 0.035, 0.015}, Seed: 1,
	})
	batch := samples(20, 28*28, 10, 0.2, 1)
	for b.Loop() {
		step(b, l, batch)
	}
}
