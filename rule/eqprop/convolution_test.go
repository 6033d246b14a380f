package eqprop

import (
	"math"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

// small is two convolutions of 40 inputs, with and without a border and pooling.
func small(average bool) *coupling.Convolutional {
	return &coupling.Convolutional{Image: tensor.Shape{5, 8, 1}, Layers: []coupling.Convolution{
		{Out: 3, Kernel: 3, Pad: 1, Pool: 2, Average: average}, {Out: 4, Kernel: 2},
	}}
}

// pooledTwice has windows in both layers, the second behind a border.
func pooledTwice(average bool) *coupling.Convolutional {
	return &coupling.Convolutional{Image: tensor.Shape{5, 8, 1}, Layers: []coupling.Convolution{
		{Out: 3, Kernel: 2, Pool: 2, Average: average}, {Out: 4, Kernel: 3, Pad: 1, Pool: 2, Average: average},
	}}
}

// inner is a learner with convolutions whose states stay inside (0, 1) and settle.
func inner(t *testing.T, c Config) *Learner {
	c.Sizes, c.LearningRates, c.Free, c.Nudged = c.Convolutional.Sizes(3), []float64{1, 1, 1}, 200, 200
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
		for _, convs := range []*coupling.Convolutional{small(average), pooledTwice(average)} {
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
		"largest":  {Convolutional: pooledTwice(false), Activation: unit.HardSigmoid, Step: 1},
		"averaged": {Convolutional: pooledTwice(true), Activation: unit.HardSigmoid, Step: 1},
		"bordered": {Convolutional: small(false)},
		"cross":    {Convolutional: pooledTwice(false), Output: CrossEntropy, Activation: unit.HardSigmoid, Step: 1},
	} {
		c.Beta = 1 // neither β nor the nudge has a part in the differences
		exact := differences(t, inner(t, c), b)
		for nudge, ratio := range map[Nudge]float64{Centred: 4, OneSided: 2} {
			c.Nudge = nudge
			var errs []float64
			for _, beta := range []float64{0.004, 0.002, 0.001} {
				c.Beta = beta
				l := inner(t, c)
				errs = append(errs, distance(gradient(t, l, b), exact))
			}
			if got := errs[0] / errs[1]; math.Abs(got-ratio) > 0.004*ratio { // the next order is β times less
				t.Errorf("%s, %v: halving β divides the error by %.3f, want %v (errors %.3g)", name, nudge, got, ratio, errs)
			}
			if nudge == Centred && !(errs[2] < 1e-5) {
				t.Errorf("%s: error %v at β = 0.001", name, errs[2])
			}
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

func TestConvolutionValidate(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"want height, width":      func(c *Config) { c.Convolutional.Image = tensor.Shape{40} },
		"0 layers":                func(c *Config) { c.Convolutional.Layers = nil },
		"convolution 2: {Out:0":   func(c *Config) { c.Convolutional.Layers[1].Out = 0 },
		"padding below":           func(c *Config) { c.Convolutional.Layers[0].Pad = 3 },
		"nothing is left of 2×4":  func(c *Config) { c.Convolutional.Layers[1].Kernel = 3 },
		"layer of outputs":        func(c *Config) { c.Sizes, c.LearningRates = c.Sizes[:3], c.LearningRates[:2] },
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
func differences(t *testing.T, l *Learner, b *sample.Batch) *coupling.Net {
	const h = 1e-5
	out := l.Net().Zeros()
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
	convs := &coupling.Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []coupling.Convolution{{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2}}}
	l := learner(b, Config{
		Convolutional: convs, Sizes: convs.Sizes(10), Step: 1, Activation: unit.HardSigmoid, Weights: coupling.FanIn,
		Free: 50, Nudged: 10, Beta: 0.4, LearningRates: []float64{0.15, 0.035, 0.015}, Seed: 1,
	})
	batch := samples(20, 28*28, 10, 0.2, 1)
	for b.Loop() {
		step(b, l, batch)
	}
}
