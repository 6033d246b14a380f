package spikegrad

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/format/yaml"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/optim"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// samples are n random images with signed pixels of one of some classes.
func samples(n int, in tensor.Shape, classes int, seed uint64) (*sample.Batch, train.Setting) {
	src := rng.New(seed, "test").Source()
	x, index, labels := make([]tensor.Float, n*in.Size()), make([]int, n), make([]int, n)
	for i := range x {
		if src.Float64() < 0.6 {
			x[i] = tensor.Float(2*src.Float64() - 0.7)
		}
	}
	for i := range n {
		index[i], labels[i] = i, src.IntN(classes)
	}
	b := sample.Labelled(index, x, labels, classes)
	b.Spec.Shape = in
	return b, train.Setting{Spec: *b.Spec, Samples: 100, Epochs: 1, Batch: n, Seed: seed}
}

func learner(t testing.TB, r Rule, s train.Setting) *Learner {
	t.Helper()
	l, err := New(r, s)
	if err != nil {
		t.Fatal(err)
	}
	src := rng.New(s.Seed, "biases").Source()
	for _, p := range l.Params() {
		if strings.HasSuffix(p.Name, "bias") {
			for i := range p.Value.Data {
				p.Value.Data[i] = tensor.Float(0.1 * src.Norm())
			}
		}
	}
	l.Refresh()
	return l
}

// networks are the layers of random networks of two to four layers.
func networks() map[string][]Layer {
	return map[string][]Layer{
		"one hidden":  {{Dense: 9}},
		"linear":      {{Dense: 9, Linear: true}, {Dense: 7, Linear: true}},
		"mixed":       {{Dense: 9, Linear: true}, {Dense: 8, ThetaBP: 0.5}, {Dense: 6, Theta: 2}},
		"conv":        {{Conv: 3, Kernel: 3, Padding: 1, ThetaBP: 0.25}, {Pool: 2}, {Dense: 8}},
		"conv linear": {{Conv: 2, Kernel: 2, Stride: 2, Linear: true}, {Conv: 3, Kernel: 2}, {Dense: 5}},
		"pool of 3":   {{Pool: 3}, {Conv: 4, Kernel: 2}, {Dense: 5, Linear: true}},
	}
}

// Whatever the order of events, after settling spikes, potentials, errors and the gradient
// of the weights are those of the equivalent network, bit for bit; I = Θn + V holds before,
// and in the first layer settling takes at most one spike.
func TestAnyOrderOfEventsEqualsTheIntegers(t *testing.T) {
	orders := 101
	if testing.Short() {
		orders = 10
	}
	for name, layers := range networks() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				b, s := samples(2, tensor.Shape{6, 6, 1}, 4, seed+1)
				r := NewRule()
				r.Layers, r.Bits, r.ThetaIn, r.Alpha, r.BiasSpikes = layers, 16, 0.25, 30, 3
				if snntest.DoublePrecision() {
					r.Alpha = 300
				}
				l := learner(t, r, s)
				if err := l.take(b, true); err != nil {
					t.Fatal(err)
				}
				l.run(true)
				sim := l.p.spikingOf(&l.p.workers[0])
				for i := range b.Len() {
					if l.p.each[i].inexact != 0 {
						t.Fatalf("sample %d: sums may be inexact: the test shows nothing", i)
					}
					for order := range orders {
						sim.take()
						src := rng.New(seed, "order").Int(uint64(i)).Int(uint64(order)).Source()
						if order == 0 {
							src = nil
							must(t, sim.run(row(l.p.n[0], b.Len(), i), nil))
						} else {
							must(t, sim.start(row(l.p.n[0], b.Len(), i)))
							must(t, sim.asynchronous(src))
							unsettled(t, l, sim, i)
							must(t, sim.settle(src))
						}
						if !l.p.same(sim, i) {
							t.Fatalf("seed %d, sample %d, order %d: the neurons end otherwise", seed, i, order)
						}
						must(t, sim.runBack(row(l.p.d[len(l.p.stages)], b.Len(), i), src))
						errorsAlike(t, l, sim, i)
					}
				}
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unsettled checks what holds before a network settles.
func unsettled(t *testing.T, l *Learner, sim *Spiking, i int) {
	t.Helper()
	for layer, st := range l.p.stages {
		c, drive := sim.forward[layer+1], make([]int64, st.units())
		for j, n := range sim.forward[layer].n {
			for _, y := range sim.wires[layer].down[j/st.in[2]] {
				if st.size > 0 {
					drive[int(y.to)*st.in[2]+j%st.in[2]] += n
					continue
				}
				for o := range st.m.N {
					drive[int(y.to)*st.m.N+o] += n * sim.weights[layer][(int(y.tap)*st.in[2]+j%st.in[2])*st.m.N+o]
				}
			}
		}
		for k := range drive {
			if st.size == 0 {
				drive[k] += int64(st.bias[k%st.m.N])
			}
			if got := c.n[k]*int64(st.theta) + c.v[k]; got != drive[k] && !st.last || st.last && c.v[k] != drive[k] {
				t.Fatalf("layer %d, neuron %d: Θn + V = %d, I = %d", layer+1, k, got, drive[k])
			}
			if !st.linear && c.n[k] < 0 {
				t.Fatalf("layer %d, neuron %d: a ReLU neuron sent %d spikes", layer+1, k, c.n[k])
			}
			if layer == 0 && !st.last && math.Abs(float64(c.n[k])-float64(row(l.p.n[1], l.p.samples, i)[k])) > 1 {
				t.Fatalf("neuron %d of the first layer is %d spikes away", k, c.n[k])
			}
		}
	}
}

// errorsAlike compares the backward phases of a sample.
func errorsAlike(t *testing.T, l *Learner, sim *Spiking, i int) {
	t.Helper()
	for layer, st := range l.p.stages {
		d := row(l.p.d[layer+1], l.p.samples, i)
		if !slices.EqualFunc(d, sim.back[layer+1].n, equal) {
			t.Fatalf("sample %d, layer %d: errors %v, spikes %v", i, layer+1, d, sim.back[layer+1].n)
		}
		if st.size > 0 {
			continue
		}
		dw := make([]tensor.Float, len(st.used.Data))
		st.m.Outer(&l.p.workers[0].images, dw, row(l.p.n[layer], l.p.samples, i), d)
		if !slices.EqualFunc(dw, sim.dw[layer], equal) {
			t.Fatalf("sample %d, layer %d: another gradient", i, layer+1)
		}
	}
}

// Training on spikes gives the weights of training on integers, to the last bit, on any
// side and with any number of threads; synaptic operations are the same too.
func TestSidesLearnTheSame(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	for name, layers := range networks() {
		var want map[string]train.Array
		var figures train.Metrics
		for _, side := range []Side{Integers, Integers, Synchronous, Asynchronous} {
			b, s := samples(20, tensor.Shape{6, 6, 1}, 4, 5)
			r := NewRule()
			r.Layers, r.Side, r.ThetaIn = layers, side, 0.25
			if want != nil {
				s.Pool = pool
			}
			l := learner(t, r, s)
			var m train.Metrics
			for range 5 {
				var err error
				if m, err = l.Step(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
			if want == nil {
				want, figures = l.State(), m
				continue
			}
			for k, a := range l.State() {
				if !slices.Equal(a.Data, want[k].Data) {
					t.Errorf("%s on the %v side: another %s", name, side, k)
				}
			}
			if side == Asynchronous { // in random order spikes are taken back, and sent again
				continue
			}
			for k, sum := range m.Sums {
				if w := figures.Sums[k]; sum != w && sum.Name != "gradient-ratio" {
					t.Errorf("%s on the %v side: %s %v, want %v", name, side, sum.Name, sum.Total, w.Total)
				}
			}
		}
	}
}

// The rule passes the checks of learning rules, on both sides.
func TestLearnerConformance(t *testing.T) {
	for name, change := range map[string]func(r *Rule){
		"integers":     func(*Rule) {},
		"asynchronous": func(r *Rule) { r.Side = Asynchronous },
		"float":        func(r *Rule) { r.Truncate = Forward },
		"convolution":  func(r *Rule) { r.Layers = networks()["conv"] },
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRule()
			r.Layers = []Layer{{Dense: 12}}
			change(&r)
			var batches []*sample.Batch
			var s train.Setting
			for i := range 3 {
				var b *sample.Batch
				b, s = samples(10, tensor.Shape{6, 6, 1}, 5, uint64(i+1))
				batches = append(batches, b)
			}
			snntest.Learner(t, r, s, batches...)
		})
	}
}

// hand is one neuron with a threshold of 1 and weights to some inputs, without training.
func hand(t *testing.T, linear bool, weights ...float64) *Spiking {
	t.Helper()
	_, s := samples(1, tensor.Shape{1, 1, len(weights)}, 2, 1)
	r := NewRule()
	r.Layers, r.Bits = []Layer{{Dense: 1, Linear: linear}}, 16
	l, err := New(r, s)
	must(t, err)
	for i, w := range weights {
		l.params[0].Value.Data[i] = tensor.Float(w)
	}
	l.Refresh()
	sim := l.p.spikingOf(&l.p.workers[0])
	sim.take()
	sim.begin(make([]tensor.Float, len(weights)))
	return sim
}

// event sends a spike of an input and reports what the neuron has sent, and its potential.
func (s *Spiking) tell(t *testing.T, input int, sign int64) (n int64, v float64) {
	t.Helper()
	must(t, s.deliver(0, input, sign, true))
	return s.forward[1].n[0], float64(s.forward[1].v[0]) / 65536
}

func near(t *testing.T, what string, n int64, v float64, wantN int64, wantV float64) {
	t.Helper()
	if n != wantN || math.Abs(v-wantV) > 1e-4 {
		t.Errorf("%s: n = %d, V = %v, want %d and %v", what, n, v, wantN, wantV)
	}
}

// The card's cases by hand.
func TestNeuronByHand(t *testing.T) {
	s := hand(t, false, 0.6)
	for i, want := range []struct {
		n int64
		v float64
	}{{0, 0.6}, {1, 0.2}, {1, 0.8}} {
		n, v := s.tell(t, 0, 1)
		near(t, fmt.Sprintf("w = 0.6, spike %d", i+1), n, v, want.n, want.v)
	}
	for _, linear := range []bool{false, true} {
		s := hand(t, linear, -0.6)
		var n int64
		var v float64
		for range 3 {
			n, v = s.tell(t, 0, 1)
		}
		if linear {
			near(t, "linear, w = −0.6", n, v, -1, -0.8)
		} else {
			near(t, "ReLU, w = −0.6", n, v, 0, -1.8)
		}
		if s.open(1, 0) != linear {
			t.Errorf("linear %v: S′ is %v", linear, !linear)
		}
	}
	s = hand(t, false, 2.5, 2)
	n, v := s.tell(t, 0, 1)
	near(t, "+2.5", n, v, 2, 0.5)
	n, v = s.tell(t, 1, -1)
	near(t, "−2 gives one spike back", n, v, 1, -0.5)
	must(t, s.settle(rng.New(1, "order").Source()))
	near(t, "settled", s.forward[1].n[0], float64(s.forward[1].v[0])/65536, 0, 0.5)
	if !s.open(1, 0) {
		t.Error("a silent neuron with V in (0, Θ) has S′ = 0")
	}
	if s := hand(t, false, 1); s.open(1, 0) {
		t.Error("at I = 0, S′ is 1")
	}
	for sign, linear := range map[int64]bool{1: false, -1: true} {
		s := hand(t, linear, 1)
		n, v := s.tell(t, 0, sign)
		near(t, "the threshold is inclusive", n, v, sign, 0)
	}
}

// Counts are truncated toward zero, exactly at multiples of odd thresholds too.
func TestFireTruncates(t *testing.T) {
	for _, theta := range []tensor.Float{1, 3, 7, 9, 65536, 4096*3 + 1} {
		for _, linear := range []bool{false, true} {
			s := stage{theta: theta, linear: linear}
			for k := -50; k <= 50; k++ {
				for _, off := range []int64{-1, 0, 1} {
					in := int64(k)*int64(theta) + off
					want := in / int64(theta)
					if want < 0 && !linear {
						want = 0
					}
					n, v := []tensor.Float{0}, []tensor.Float{tensor.Float(in)}
					s.fire(n, v, true)
					if int64(n[0]) != want || int64(v[0]) != in-want*int64(theta) {
						t.Errorf("Θ = %v, I = %d: n = %v, V = %v, want %d", theta, in, n[0], v[0], want)
					}
				}
			}
		}
	}
}

// α and the outputs' Θ_bp scale alike, errors of the outputs nearly cancel, and without
// error spikes nothing is learnt, which is warned of.
func TestErrorScale(t *testing.T) {
	b, s := samples(20, tensor.Shape{1, 1, 12}, 5, 3)
	run := func(alpha, theta float64) *Learner {
		r := NewRule()
		r.Layers, r.Alpha, r.ThetaBP = []Layer{{Dense: 8, ThetaBP: 1}}, alpha, theta
		l := learner(t, r, s)
		if _, err := l.Gradient(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		return l
	}
	one, two := run(50, 1), run(100, 2)
	for layer := 1; layer <= 2; layer++ {
		if !slices.Equal(one.p.d[layer], two.p.d[layer]) {
			t.Errorf("layer %d: α = 100 over 2 gives other errors than 50 over 1", layer)
		}
	}
	for i := range b.Len() {
		sum := 0.0
		for _, v := range row(one.p.d[2], b.Len(), i) {
			sum += float64(v)
		}
		if math.Abs(sum) > 5 {
			t.Errorf("sample %d: errors of 5 classes add up to %v", i, sum)
		}
	}
	r := NewRule()
	r.Layers, r.Alpha, r.Kappa = []Layer{{Dense: 8}}, 0.9, 16
	l := learner(t, r, s)
	before := slices.Clone(l.params[0].Value.Data)
	m, err := l.Step(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if dead, _ := m.Mean("dead"); dead != 100 || !slices.Equal(before, l.params[0].Value.Data) {
		t.Errorf("%v %% of samples are dead, want all, and no update", dead)
	}
	if w := l.Warnings(); len(w) != 1 || !strings.Contains(w[0], "dead gradient") {
		t.Errorf("warnings %q", w)
	}
}

// Errors that vanish are those of unlikely classes: what is left of the outputs' errors lifts
// all of them, the less the larger α is. Real errors sum to 0.
func TestVanishingErrorsLiftAllOutputs(t *testing.T) {
	_, s := samples(1, tensor.Shape{1, 1, 4}, 10, 1)
	lift := func(alpha float64, truncate Truncate) (mean float64) {
		r := NewRule()
		r.Alpha, r.Truncate = alpha, truncate
		l := learner(t, r, s)
		src, scores, d := rng.New(7, "scores").Source(), make([]tensor.Float, 10), make([]tensor.Float, 10)
		const draws = 1000
		for i := range draws {
			for j := range scores {
				scores[j] = tensor.Float(16 * 1.5 * src.Norm())
			}
			l.p.inject(d, scores, i%10)
			for _, v := range d {
				mean -= float64(v) / alpha / draws
			}
		}
		return mean
	}
	coarse, fine, real := lift(200, Both), lift(4000, Both), lift(200, Forward)
	if !(coarse > 0.01) || !(fine > 0) || !(fine < coarse/10) || math.Abs(real) > 1e-6 {
		t.Errorf("outputs are lifted by %v in all with α = 200, %v with 4,000, %v by real errors", coarse, fine, real)
	}
}

// Sums that float32 may round are said so; there the sides may part.
func TestInexactIsSaid(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("float64 has units to spare")
	}
	b, s := samples(10, tensor.Shape{1, 1, 40}, 3, 3)
	r := NewRule()
	r.Layers, r.Bits, r.ThetaIn = []Layer{{Dense: 8}}, 20, 1.0/64
	l := learner(t, r, s)
	m, err := l.Step(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if share, _ := m.Mean("inexact"); !(share > 50 && share <= 100) {
		t.Errorf("of samples with 20 bits of 64 levels %v %% are called inexact, want most", share)
	}
	r.Alpha, r.Kappa = 0.9, 16 // no error spikes: only the way forward is looked at
	if m, err = learner(t, r, s).Step(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if share, _ := m.Mean("inexact"); !(share > 50 && share <= 100) {
		t.Errorf("of dead samples with 20 bits of 64 levels %v %% are called inexact, want most", share)
	}
}

// A context that ends stops the spiking side, and too many spikes are an error that says
// what to do.
func TestSpikingSideEnds(t *testing.T) {
	b, s := samples(10, tensor.Shape{1, 1, 40}, 3, 3)
	r := NewRule()
	r.Layers, r.Side = []Layer{{Dense: 8}}, Asynchronous
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := learner(t, r, s).Step(ctx, b); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("%v", err)
	}
	for _, r.Side = range []Side{Synchronous, Asynchronous} {
		r.MostSpikes = 10
		if _, err := learner(t, r, s).Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "more than 10 spikes for one sample") || !strings.Contains(err.Error(), "raise most-spikes") {
			t.Errorf("%v: %v", r.Side, err)
		}
	}
}

// Verify finds no difference where there is none, and one where a weight is another.
func TestVerifyFindsDifferences(t *testing.T) {
	b, s := samples(10, tensor.Shape{6, 6, 1}, 3, 3)
	r := NewRule()
	r.Layers = networks()["conv"]
	l := learner(t, r, s)
	v, err := l.Verify(t.Context(), b, 3)
	if err != nil || v.Samples != 10 || v.Orders != 3 || v.Different != 0 || v.Inexact != 0 || v.Sent < v.Counted || v.Counted == 0 {
		t.Errorf("%+v, %v", v, err)
	}
	must(t, l.take(b, false))
	l.run(false)
	sim := l.p.spikingOf(&l.p.workers[0])
	sim.take()
	sim.weights[0][4] += 4096
	different := 0
	for i := range 10 {
		must(t, sim.run(row(l.p.n[0], 10, i), nil))
		if !l.p.same(sim, i) {
			different++
		}
	}
	if different == 0 {
		t.Error("a changed weight is not seen")
	}
}

// What a configuration may not say is refused with what to try.
func TestErrors(t *testing.T) {
	_, s := samples(1, tensor.Shape{6, 6, 1}, 3, 1)
	for want, change := range map[string]func(r *Rule){
		"theta is 0, want a positive":             func(r *Rule) { r.Theta = 0 },
		"theta-in is NaN":                         func(r *Rule) { r.ThetaIn = math.NaN() },
		"alpha is -1":                             func(r *Rule) { r.Alpha = -1 },
		"bits is 30":                              func(r *Rule) { r.Bits = 30 },
		"most-spikes is 0":                        func(r *Rule) { r.MostSpikes = 0 },
		"spikes are whole":                        func(r *Rule) { r.Side, r.Truncate = Synchronous, Forward },
		"no optimizer":                            func(r *Rule) { r.Optimizer = nil },
		"lr is 0":                                 func(r *Rule) { r.Optimizer = optim.SGD{} },
		"layer 1: want one of dense":              func(r *Rule) { r.Layers = []Layer{{}} },
		"layer 1: kernel is 0":                    func(r *Rule) { r.Layers = []Layer{{Conv: 3}} },
		"leave linear out":                        func(r *Rule) { r.Layers = []Layer{{Pool: 2, Linear: true}} },
		"are of conv; leave them out":             func(r *Rule) { r.Layers = []Layer{{Dense: 2, Kernel: 3}} },
		"layer 1: theta-bp is -1":                 func(r *Rule) { r.Layers = []Layer{{Dense: 2, ThetaBP: -1}} },
		"a kernel of 9 does not fit":              func(r *Rule) { r.Layers = []Layer{{Conv: 2, Kernel: 9}} },
		"theta is 0.3, want a multiple of 1/4096": func(r *Rule) { r.Theta = 0.3 },
		"theta-bp is 0.1, want a multiple of 1/4, the u": func(r *Rule) {
			r.Layers = []Layer{{Dense: 4, ThetaBP: 0.1}, {Pool: 1}}
			r.Layers = []Layer{{Conv: 2, Kernel: 1, ThetaBP: 0.1}, {Pool: 2}}
		},
	} {
		r := NewRule()
		r.Layers = []Layer{{Dense: 4}}
		change(&r)
		if _, err := New(r, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	r := NewRule()
	r.Layers = []Layer{{Dense: 4}}
	b, s := samples(2, tensor.Shape{6, 6, 1}, 3, 1)
	l := learner(t, r, s)
	b.X[40] = tensor.Float(math.Inf(1))
	if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "input 4 of sample 1 is +Inf") {
		t.Errorf("%v", err)
	}
	s.Spec.Targets[0].Kind = sample.Values
	if _, err := New(r, s); err == nil || !strings.Contains(err.Error(), "choose data with classes") {
		t.Errorf("%v", err)
	}
}

// The rule comes back from its file.
func TestRuleAsYAML(t *testing.T) {
	var r Rule
	err := yaml.Decode("x.yaml", []byte("theta-in: 1\ntheta: 1\ntheta-bp: 1\nalpha: 1\nkappa: 1\nbits: 1\nside: synchronus\nmost-spikes: 1"), &r, nil)
	if err == nil || !strings.Contains(err.Error(), `did you mean "synchronous"?`) {
		t.Errorf("%v", err)
	}
}

// What a plan says of a network is what it has.
func TestPlan(t *testing.T) {
	_, s := samples(1, tensor.Shape{6, 6, 1}, 4, 1)
	r := NewRule()
	r.Layers = networks()["conv"]
	p, err := r.Plan(s)
	if err != nil {
		t.Fatal(err)
	}
	l, count := learner(t, r, s), int64(0)
	for _, w := range l.Params() {
		count += int64(len(w.Value.Data))
	}
	if p.Parameters != count || len(p.Layers) != 4 || !p.Layers[1].Output.Equal(tensor.Shape{3, 3, 3}) || p.Train < p.Weights {
		t.Errorf("%+v, %d parameters", p, count)
	}
}

// The equations of a dense network of mixed neurons by plain loops in float64: spikes, error
// spikes, loss, gradients of weights and biases, and the share of a dense pass.
func TestEquationsAsWritten(t *testing.T) {
	const in, classes, kappa, alpha, biasSpikes, bits = 6, 3, 5.0, 40.0, 3, 6
	sizes, theta, thetaBP := []int{in, 8, 5, classes}, []float64{1, 2, 0}, []float64{0.5, 1, 1}
	for seed := range uint64(8) {
		b, s := samples(1, tensor.Shape{1, 1, in}, classes, seed+1)
		r := NewRule()
		r.Layers = []Layer{{Dense: 8, ThetaBP: 0.5}, {Dense: 5, Theta: 2, Linear: true}}
		r.ThetaIn, r.Alpha, r.Kappa, r.BiasSpikes, r.Bits = 0.125, alpha, kappa, biasSpikes, bits
		l := learner(t, r, s)
		weight := func(layer, i int) float64 {
			return math.RoundToEven(float64(l.params[layer].Value.Data[i])*(1<<bits)) / (1 << bits)
		}
		n := [][]float64{make([]float64, in)}
		for i, v := range b.X {
			n[0][i] = math.Trunc(float64(v) / 0.125)
		}
		var open [][]bool
		for k := range 3 {
			next, let := make([]float64, sizes[k+1]), make([]bool, sizes[k+1])
			for o := range next {
				sum := biasSpikes * weight(2*k+1, o)
				for i, v := range n[k] {
					sum += v * weight(2*k, i*sizes[k+1]+o)
				}
				switch next[o] = sum; k {
				case 0:
					next[o] = max(0, math.Floor(sum))
					let[o] = sum > 0
				case 1:
					next[o], let[o] = math.Trunc(sum/2), true
				}
			}
			n, open = append(n, next), append(open, let)
		}
		total := 0.0
		for _, v := range n[3] {
			total += math.Exp(v / kappa)
		}
		label, d := b.Classes()[0], [][]float64{make([]float64, 8), make([]float64, 5), make([]float64, classes)}
		loss, ratio := math.Log(total)-n[3][label]/kappa, 0.0
		for o, v := range n[3] {
			p := math.Exp(v/kappa) / total
			if o == label {
				p--
			}
			d[2][o] = math.Trunc(alpha * p)
		}
		for k := 1; k >= 0; k-- {
			for i := range d[k] {
				sum := 0.0
				for o, e := range d[k+1] {
					sum += e * weight(2*k+2, i*sizes[k+2]+o)
				}
				if open[k][i] {
					d[k][i] = math.Trunc(sum / thetaBP[k])
				}
			}
			for _, e := range d[k+1] {
				ratio += math.Abs(e) * float64(sizes[k+1]) / (8*5 + 5*classes)
			}
		}
		grads, err := l.Gradient(t.Context(), b)
		must(t, err)
		c := 1 / (alpha * kappa)
		for k := 2; k >= 0; k-- {
			if c *= thetaBP[k]; k < 2 {
				c /= theta[k]
			}
			for o, e := range d[k] {
				if got := float64(l.p.d[k+1][o]); got != e {
					t.Fatalf("seed %d: layer %d sends %v errors at %d, want %v", seed, k+1, got, o, e)
				}
				if got, want := float64(grads[2*k+1][o]), c*biasSpikes*e; math.Abs(got-want) > 1e-5 {
					t.Errorf("seed %d: gradient of bias %d of layer %d is %v, want %v", seed, o, k+1, got, want)
				}
				for i, v := range n[k] {
					if got, want := float64(grads[2*k][i*sizes[k+1]+o]), c*v*e; math.Abs(got-want) > 1e-5 {
						t.Errorf("seed %d: gradient of weight %d → %d of layer %d is %v, want %v", seed, i, o, k+1, got, want)
					}
				}
			}
		}
		if got := l.p.loss[0]; math.Abs(got-loss) > 1e-5 {
			t.Errorf("seed %d: loss %v, want %v", seed, got, loss)
		}
		if got := l.p.each[0].ratio; math.Abs(got-ratio) > 1e-9*max(1, ratio) {
			t.Errorf("seed %d: errors cost %v of a dense pass, want %v", seed, got, ratio)
		}
	}
}

// The bounds of exactness hold for biases, errors going back, and errors times spikes.
func TestBoundsOfExactness(t *testing.T) {
	s := stage{bounds: bounds{column: 1, row: 1, bias: limit}}
	if s.certain(0) || s.certainBack(limit*limit) || !s.certainBack(1) {
		t.Error("a bias at the limit, or errors at it, count as exact")
	}
	b, set := samples(1, tensor.Shape{1, 1, 2}, 2, 1)
	r := NewRule()
	l := learner(t, r, set)
	if err := l.take(b, true); err != nil {
		t.Fatal(err)
	}
	for spikes, want := range map[float64]int64{limit / 4: 0, limit: 1} {
		l.p.each[0].inexact = 0
		copy(l.p.n[0], []tensor.Float{tensor.Float(spikes), 0})
		copy(l.p.d[1], []tensor.Float{1, -1})
		if l.outer(0); l.p.each[0].inexact != want {
			t.Errorf("%v spikes times errors: inexact %d, want %d", spikes, l.p.each[0].inexact, want)
		}
	}
}

// The schedule begins at the first step.
func TestScheduleBeginsAtTheFirstStep(t *testing.T) {
	b, s := samples(4, tensor.Shape{1, 1, 6}, 3, 1)
	s.Samples, s.Epochs, s.Batch = 4, 2, 4
	r := NewRule()
	r.Optimizer, r.Schedule = optim.SGD{LR: 0.1}, optim.Milestones{At: []float64{0.5}, Factor: 0.1}
	l := learner(t, r, s)
	for _, rate := range []float64{0.1, 0.01} {
		before := slices.Clone(l.params[0].Value.Data)
		grads, err := l.Gradient(t.Context(), b)
		must(t, err)
		g := slices.Clone(grads[0])
		if _, err := l.Step(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for i, w := range l.params[0].Value.Data {
			if want := float64(before[i]) - rate*float64(g[i]); math.Abs(float64(w)-want) > 1e-6 {
				t.Fatalf("weight %d is %v, want %v at a rate of %v", i, w, want, rate)
			}
		}
	}
}

// Spikes that 64 bits do not count are an error with the layer, forwards and of errors, in
// place of counts below zero.
func TestMoreSpikesThanCount(t *testing.T) {
	b, s := samples(3, tensor.Shape{1, 1, 6}, 3, 1)
	for want, change := range map[string]func(l *Learner){
		"sample 0: layer 1 would": func(l *Learner) { l.params[0].Value.Data[0] = 1e30 },
		"the errors of layer 2":   func(*Learner) {},
	} {
		r := NewRule()
		r.Layers = []Layer{{Dense: 4}}
		if strings.HasPrefix(want, "the errors") {
			r.Alpha = 1e30
		}
		l := learner(t, r, s)
		change(l)
		l.Refresh()
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error of %q", err, want)
		}
	}
	r := NewRule()
	r.Truncate = None // real numbers are not counted
	r.Layers, r.Alpha = []Layer{{Dense: 4}}, 1e30
	if _, err := learner(t, r, s).Step(t.Context(), b); err != nil {
		t.Error(err)
	}
}
