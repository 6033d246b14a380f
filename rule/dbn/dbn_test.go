package dbn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
	"synfire/train/online"
)

// Values of the formula from mpmath, whose quadrature has 40 digits: neurons that fluctuations
// fire, others that their mean fires, one that hardly fires, and synapses that take time.
func TestSiegert(t *testing.T) {
	for _, c := range []struct{ tauM, tauS, drive, power, want float64 }{
		{0.02, 0, 60, 3, 29.7355640747},
		{0.02, 0, 40, 4, 11.7822499302},
		{0.02, 0.001, 40, 4, 8.93948766305},
		{5, 0, 25, 1.5, 23.7241456428},
		{5, 0.001, 400, 30, 222.182624818},
		{0.02, 0, 200, 1, 129.05235791},
		{0.02, 0, -20, 6, 8.89081055822e-6},
	} {
		got := LIF{TauM: c.tauM, TauS: c.tauS, Refractory: 0.002}.Rate(c.drive, c.power)
		if math.Abs(got-c.want) > 2e-3*c.want+1e-6 {
			t.Errorf("%+v: %.12g", c, got)
		}
	}
	n := LIF{TauM: 0.02, Refractory: 0.002}
	if n.Rate(5, 0) != 0 || n.Rate(-1e5, 1) != 0 || n.Rate(1e7, 1e3) > 500 {
		t.Error("rates at the ends")
	}
	for x, want := range map[float64]float64{-2: 108.940904389978, 0.5: 0.615690344192926, 9.9: 0.0567024569388323, 10.1: 0.0555904870092399, 50: 0.0112815362653238} {
		if got := erfcx(x); math.Abs(got-want) > 1e-12*want {
			t.Errorf("erfcx(%v) = %.15g, want %.15g", x, got, want)
		}
	}
}

// A neuron that gets many small spikes fires as the formula says, whether its mean input or
// fluctuations bring it over the threshold.
func TestSiegertAgainstNeuron(t *testing.T) {
	const weight, seconds = 0.02, 40.0
	for _, c := range []struct{ tauM, drive, power float64 }{{0.02, 60, 3}, {0.02, 40, 4}, {0.02, 90, 2}, {5, 30, 3}} {
		n := LIF{TauM: c.tauM, Refractory: 0.002}
		src := rng.New(1, "neuron").Source()
		total, excess := c.power/(weight*weight), c.drive/weight // Hz
		cell := &cells{v: make([]float64, 1), until: make([]float64, 1)}
		spikes := 0.0
		for at := 0.0; at < seconds; at -= math.Log1p(-src.Float64()) / total {
			w := -weight
			if src.Float64() < (1+excess/total)/2 {
				w = weight
			}
			cell.receive(at, func(int) float64 { return w }, n)
			spikes += float64(len(cell.fired))
		}
		if got, want := spikes/seconds, n.Rate(c.drive, c.power); math.Abs(got-want) > 0.08*want {
			t.Errorf("%+v: %v Hz, the formula has %v", c, got, want)
		}
	}
}

// logistic are the units of an ordinary machine, on or off, for which sums over all states are
// known.
type logistic struct{}

func (logistic) rates(drive, _ []tensor.Float) {
	for i, v := range drive {
		drive[i] = tensor.Float(sigmoid(float64(v)))
	}
}

func (logistic) draw(x []tensor.Float, src *rng.Source) {
	for i, p := range x {
		x[i] = 0
		if src.Float64() < float64(p) {
			x[i] = 1
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// each calls f with all states of n units.
func each(n int, f func(s []float64)) {
	s := make([]float64, n)
	for k := range 1 << n {
		for i := range s {
			s[i] = float64(k >> i & 1)
		}
		f(s)
	}
}

// odds are the probabilities of a layer's units given the other's, and of one of its states.
func odds(m *machine, other []float64, back bool) (p []float64, of func(s []float64) float64) {
	size := m.hidden
	if back {
		size = m.visible
	}
	p = make([]float64, size)
	for i := range p {
		sum := 0.0
		for j, v := range other {
			if back {
				sum += v * m.w[i*m.hidden+j]
			} else {
				sum += v * m.w[j*m.hidden+i]
			}
		}
		p[i] = sigmoid(sum)
	}
	return p, func(s []float64) float64 {
		all := 1.0
		for i, v := range s {
			all *= v*p[i] + (1-v)*(1-p[i])
		}
		return all
	}
}

// Of a machine of seven units that are on or off, one step of contrastive divergence is the
// expectation over all states that its chain can take, and after many steps it is the gradient
// of the likelihood: correlations of the data less those of all 128 states by their energies.
func TestContrastiveDivergence(t *testing.T) {
	const chains = 40_000
	patterns := [][]float64{{1, 1, 0, 0}, {0, 1, 1, 0}, {1, 0, 0, 1}, {1, 1, 1, 1}}
	fresh := func() *machine {
		m := newMachine(4, 3, logistic{}, 0.8, rng.New(4, "tiny").Source())
		m.refresh()
		return m
	}
	m := fresh()
	data, once, energies := make([]float64, 12), make([]float64, 12), make([]float64, 12)
	correlate := func(to, v, h []float64, weight float64) {
		for i, x := range v {
			for j, y := range h {
				to[i*3+j] += weight * x * y
			}
		}
	}
	total := 0.0
	for _, v := range patterns {
		p, ofHidden := odds(m, v, false)
		correlate(data, v, p, 0.25)
		each(3, func(h []float64) {
			_, ofVisible := odds(m, h, true)
			each(4, func(again []float64) {
				p, _ := odds(m, again, false)
				correlate(once, again, p, 0.25*ofHidden(h)*ofVisible(again))
			})
		})
	}
	weigh := func(v, h []float64) float64 {
		sum := 0.0
		for i, x := range v {
			for j, y := range h {
				sum += x * y * m.w[i*3+j]
			}
		}
		return math.Exp(sum)
	}
	each(4, func(v []float64) { each(3, func(h []float64) { total += weigh(v, h) }) })
	each(4, func(v []float64) { each(3, func(h []float64) { correlate(energies, v, h, weigh(v, h)/total) }) })

	pool := par.New(1)
	defer pool.Close()
	for _, c := range []struct {
		gibbs int
		model []float64
	}{{1, once}, {60, energies}} {
		m := fresh()
		var v []tensor.Float
		for i := range chains {
			for _, x := range patterns[i%len(patterns)] {
				v = append(v, tensor.Float(x))
			}
		}
		hidden := make([]tensor.Float, chains*3)
		m.up(pool, hidden, v, chains)
		m.learn(pool, v, hidden, chains, c.gibbs, step{rate: 1}, rng.New(1, "chains").Source())
		for i, got := range m.moved {
			if want := data[i] - c.model[i]; math.Abs(got-want) > 0.012 { // 4.8 deviations of the mean of as many coins
				t.Errorf("%d steps, weight %d: %.4f, want %.4f", c.gibbs, i, got, want)
			}
		}
	}
	if slices.Equal(once, energies) {
		t.Error("one step tells nothing from many")
	}
}

// Momentum repeats a part of the last change, and decay draws weights to 0.
func TestStep(t *testing.T) {
	m := newMachine(1, 1, spiking{neuron: LIF{TauM: 5, Refractory: 0.002}}, 1, rng.New(1, "one").Source())
	m.w[0], m.moved[0] = 2, 0.5
	m.refresh()
	pool := par.New(1)
	defer pool.Close()
	m.learn(pool, []tensor.Float{0}, []tensor.Float{0}, 1, 1, step{rate: 0.1, momentum: 0.4, decay: 0.25}, rng.New(1, "").Source())
	if want := 0.4*0.5 - 0.1*0.25*2; math.Abs(m.moved[0]-want) > 1e-6 || math.Abs(m.w[0]-2-want) > 1e-6 {
		t.Errorf("moved by %v to %v, want %v", m.moved[0], m.w[0], want)
	}
}

// A push moves the weights of what is active, in two states 0.5 and 0.1 of the first input and
// none of the second, by η·push·(sparsity − ⟨h⟩)·⟨v⟩, ⟨h⟩ being (0.3 + 0.7)/2.
func TestPush(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	var moved [2][]float64
	for k, push := range []float64{0, 3} {
		m := newMachine(2, 1, spiking{neuron: LIF{TauM: 5, Refractory: 0.002}}, 1, rng.New(1, "one").Source())
		m.refresh()
		m.learn(pool, []tensor.Float{0.5, 0, 0.1, 0}, []tensor.Float{0.3, 0.7}, 2, 1, step{rate: 0.1, push: push, sparsity: 0.2}, rng.New(1, "").Source())
		moved[k] = m.moved
	}
	if first, second := moved[1][0]-moved[0][0], moved[1][1]-moved[0][1]; math.Abs(first-0.1*3*(0.2-0.5)*0.3) > 1e-7 || second != 0 {
		t.Errorf("a push moves weights by %v and %v, want %v and 0", first, second, 0.1*3*(0.2-0.5)*0.3)
	}
}

// toy is patterns of three classes with noise.
func toy(n int) (x []tensor.Float, labels []int) {
	src := rng.New(7, "toy").Source()
	for i := range n {
		labels = append(labels, i%3)
		for k := range 12 {
			v := 0.1 * src.Float64()
			if k/4 == i%3 {
				v = 1 - v
			}
			x = append(x, tensor.Float(v))
		}
	}
	return x, labels
}

func small() Rule {
	r := NewRule()
	r.Hidden, r.LR, r.Initial = []int{20, 20}, 1, 0.1
	return r
}

func taught(t *testing.T) *Net {
	t.Helper()
	n := small().NewNet(12, 3, 1)
	pool := par.New(1)
	defer pool.Close()
	for range 200 {
		x, labels := toy(30)
		if err := n.LearnBatch(&online.Batch{Ctx: t.Context(), Pool: pool, X: x, Labels: labels, Factor: 1, Scores: make([]float64, 90), Loss: make([]float64, 30)}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// A net learns three patterns, and tells them by spikes as by rates; answers depend on the
// sample and the seed alone.
func TestNet(t *testing.T) {
	n := taught(t)
	x, labels := toy(30)
	scores, again := make([]float64, 3), make([]float64, 3)
	other := n.Fork()
	right := 0
	for i, label := range labels {
		if _, err := n.Run(x[12*i:][:12], label, scores); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Run(x[12*i:][:12], -1, again); err != nil || !slices.Equal(scores, again) {
			t.Fatalf("%v and %v, %v", scores, again, err)
		}
		if online.Best(scores) == label {
			right++
		}
		if n.Fired[0] == 0 || n.Fired[1] == 0 || n.Fired[3] == 0 {
			t.Fatalf("spikes by layer: %v", n.Fired)
		}
	}
	if right < 29 {
		t.Errorf("%d of 30 are right", right)
	}
	pool := par.New(1)
	defer pool.Close()
	all := make([]float64, 90)
	n.Rates(pool, x, all)
	for i, label := range labels {
		if online.Best(all[3*i:][:3]) != label {
			t.Errorf("sample %d of class %d has rates %v", i, label, all[3*i:][:3])
		}
	}
	x[5] = 2
	if _, err := n.Run(x[:12], 0, scores); err == nil || !strings.Contains(err.Error(), "value 5 is 2") {
		t.Errorf("a value of 2: %v", err)
	}
	if err := n.LearnBatch(&online.Batch{Ctx: t.Context(), Pool: pool, X: x, Labels: labels, Scores: all, Loss: make([]float64, 30)}); err == nil {
		t.Error("a value of 2 is learned")
	}
}

// Spikes of the layers come as often as Siegert's rates say, in a net that is given many.
func TestSpikesFollowRates(t *testing.T) {
	r := small()
	r.Hidden, r.Duration, r.Bright = []int{1}, 40, 1
	n := r.NewNet(40, 1, 1)
	for i := range n.stack[0].w {
		n.stack[0].w[i] = 0.02 // of 40 inputs at 250 Hz: a drive of 200
	}
	n.stack[0].w[40] = 0.52 // to the label, whom two spikes fire
	x := slices.Repeat([]tensor.Float{0.5}, 40)
	if _, err := n.Run(x, -1, make([]float64, 1)); err != nil {
		t.Fatal(err)
	}
	hidden := r.Neuron.Rate(40*250*0.02, 40*250*0.0004)
	for l, want := range []float64{40 * 250, hidden, hidden / 2} {
		if got := float64(n.Fired[l]) / r.Duration; math.Abs(got-want) > 0.03*want {
			t.Errorf("layer %d: %v Hz, want %v", l, got, want)
		}
	}
}

func TestLearner(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2, 6, 1}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
	s := train.Setting{Spec: spec, Samples: 12, Steps: 1, Epochs: 2, Batch: 4, Seed: 3, Pool: par.New(2)}
	defer s.Pool.Close()
	x, labels := toy(12)
	var batches []*sample.Batch
	for k := range 3 {
		b := &sample.Batch{Spec: &spec, X: x[48*k:][:48], Targets: []sample.Column{{Field: &spec.Targets[0], Class: labels[4*k:][:4]}}}
		for i := range 4 {
			b.Index = append(b.Index, 4*k+i)
		}
		batches = append(batches, b)
	}
	snntest.Learner(t, small(), s, batches...)
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Hidden = nil }, func(r *Rule) { r.Hidden = []int{0} }, func(r *Rule) { r.Neuron.TauM = 0 }, func(r *Rule) { r.Neuron.TauS = 5 },
		func(r *Rule) { r.LR = math.NaN() }, func(r *Rule) { r.Bright = 1.5 }, func(r *Rule) { r.Momentum = 1 }, func(r *Rule) { r.Decay = -1 },
		func(r *Rule) { r.Noise = -1 }, func(r *Rule) { r.Gibbs = 0 }, func(r *Rule) { r.Schedule = nil }, func(r *Rule) { r.Duration = math.Inf(1) },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
	if err := NewRule().Validate(); err != nil {
		t.Error(err)
	}
}

// Rates without leak are drives that the refractory time bends; a leak lets fluctuations
// decide.
func ExampleLIF_Rate() {
	slow, fast := LIF{TauM: 5, Refractory: 0.002}, LIF{TauM: 0.02, Refractory: 0.002}
	for _, drive := range []float64{20, 40, 100} {
		fmt.Printf("%.1f %.1f\n", slow.Rate(drive, 4), fast.Rate(drive, 4))
	}
	// Output:
	// 19.2 0.6
	// 37.0 11.8
	// 83.3 64.2
}
