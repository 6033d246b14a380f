package eqprop

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

func learner(t testing.TB, c Config) *Learner {
	t.Helper()
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// set overwrites the weights, layer by layer: W_1, b_1, W_2, ….
func set(l *Learner, values ...tensor.Float) {
	for i, p := range l.Net().Params() {
		p.Value.Data[0] = values[i]
	}
	l.Refresh()
}

// samples draws a batch.
func samples(n, in, classes int, density float64, seed uint64) *sample.Batch {
	src := rng.New(seed, "test").Source()
	x, index, labels := make([]tensor.Float, n*in), make([]int, n), make([]int, n)
	for i := range x {
		if src.Float64() < density {
			x[i] = tensor.Float(src.Float64())
		}
	}
	for i := range n {
		index[i], labels[i] = i, src.IntN(classes)
	}
	return sample.Labelled(index, x, labels, classes)
}

func step(t testing.TB, l *Learner, b *sample.Batch) {
	t.Helper()
	if _, err := l.Step(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func gradient(t testing.TB, l *Learner, b *sample.Batch) *coupling.Net {
	t.Helper()
	g, _, err := l.Gradient(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v within %v", what, got, want, tolerance)
	}
}

// tolerance is what rounding may leave of a figure near 1.
func tolerance() float64 {
	if snntest.DoublePrecision() {
		return 1e-9
	}
	return 2e-5
}

// One linear unit: the nudged state is (z + βy)/(1 + β), so that the estimates are
// x(z − y)/(1 + β) and x(z − y)/(1 − β²).
func TestOneUnit(t *testing.T) {
	one := sample.Labelled([]int{0}, []tensor.Float{1}, []int{0}, 9)
	for nudge, want := range map[Nudge]float64{OneSided: -0.6 / 1.1, Centred: -0.6 / 0.99} {
		l := learner(t, Config{Sizes: []int{1, 1}, Free: 100, Nudged: 100, Beta: 0.1, Nudge: nudge, LearningRates: []float64{1}})
		set(l, 0.3, 0.1)
		g := gradient(t, l, one)
		near(t, "weight", float64(g.W[0].Value.Data[0]), want, 10*tolerance())
		near(t, "bias", float64(g.B[0].Value.Data[0]), want, 10*tolerance())
		before := l.Net().W[0].Value.Data[0]
		step(t, l, one)
		near(t, "step", float64(l.Net().W[0].Value.Data[0]-before), -want, 10*tolerance())
	}
}

// A chain x → h → o, solved by hand: h = w₁x/(1 − w₂²) = 0.8, o = 0.4.
func TestChain(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("β = 0.001 needs double precision; run with -tags float64")
	}
	l := learner(t, Config{Sizes: []int{1, 1, 1}, Free: 300, Nudged: 300, Beta: 1e-3, LearningRates: []float64{1, 1}})
	set(l, 0.6, 0, 0.5, 0)
	g := gradient(t, l, sample.Labelled([]int{0}, []tensor.Float{1}, []int{0}, 9))
	near(t, "h", float64(l.r.free[1][0]), 0.8, 1e-9)
	near(t, "o", float64(l.r.free[2][0]), 0.4, 1e-9)
	near(t, "dJ/dw1", float64(g.W[0].Value.Data[0]), -0.4, 1e-5)
	near(t, "dJ/dw2", float64(g.W[1].Value.Data[0]), -0.8, 1e-5)
}

// linear is a network whose states stay inside (0, 1).
func linear(t testing.TB, c Config) *Learner {
	c.Sizes, c.LearningRates, c.Free, c.Nudged = []int{6, 7, 5, 3}, []float64{1, 1, 1}, 400, 400
	l := learner(t, c)
	for _, w := range l.Net().W {
		for i := range w.Value.Data {
			w.Value.Data[i] *= 0.2
		}
	}
	for _, b := range l.Net().B {
		for i := range b.Value.Data {
			b.Value.Data[i] = 0.4 + 0.02*tensor.Float(i)
		}
	}
	l.Refresh()
	return l
}

// recurrent is the exact gradient at the fixed point of a linear network, by
// recurrent backpropagation: λ = (I − A)⁻¹ ∂C/∂s.
func recurrent(l *Learner, b *sample.Batch) *coupling.Net {
	g, n := l.r.net.Zeros(), l.r.net
	for i := range b.Len() {
		s := make([][]float64, len(n.W))
		for k := range s {
			for _, v := range l.r.free[k+1][i*n.Sizes[k+1]:][:n.Sizes[k+1]] {
				s[k] = append(s[k], float64(v))
			}
		}
		cost, lambda, next := like(s), like(s), like(s)
		for j, v := range s[len(s)-1] {
			if j == b.Classes()[i] {
				v--
			}
			cost[len(s)-1][j] = 2 * l.c.CostScale * v / float64(b.Len())
		}
		for range 500 {
			couple(n, next, lambda)
			for k := range next {
				for j := range next[k] {
					next[k][j] += cost[k][j]
				}
			}
			lambda, next = next, lambda
		}
		for k := range s {
			for j, v := range lambda[k] {
				g.B[k].Value.Data[j] += tensor.Float(v)
			}
			if k > 0 {
				outer(g.W[k].Value.Data, s[k-1], lambda[k])
				outer(g.W[k].Value.Data, lambda[k-1], s[k])
			}
		}
		x := make([]float64, n.Sizes[0])
		for j := range x {
			x[j] = float64(b.X[i*len(x)+j])
		}
		outer(g.W[0].Value.Data, x, lambda[0])
	}
	return g
}

// like is zeros of the same sizes.
func like(layers [][]float64) [][]float64 {
	out := make([][]float64, len(layers))
	for k, s := range layers {
		out[k] = make([]float64, len(s))
	}
	return out
}

// couple writes to v what states u of dense layers send each other.
func couple(n *coupling.Net, v, u [][]float64) {
	for l := range v {
		clear(v[l])
	}
	for l := 1; l < len(u); l++ {
		for i, below := range u[l-1] {
			for j, above := range u[l] {
				w := float64(n.W[l].Value.Data[i*len(u[l])+j])
				v[l][j] += w * below
				v[l-1][i] += w * above
			}
		}
	}
}

// outer adds a bᵀ.
func outer(dst []tensor.Float, a, b []float64) {
	for i, v := range a {
		for j, u := range b {
			dst[i*len(b)+j] += tensor.Float(v * u)
		}
	}
}

// distance is the relative error of gradients.
func distance(a, b *coupling.Net) float64 {
	var d, n float64
	for i, p := range a.Params() {
		q := b.Params()[i]
		for j, v := range p.Value.Data {
			d += math.Pow(float64(v-q.Value.Data[j]), 2)
			n += math.Pow(float64(q.Value.Data[j]), 2)
		}
	}
	return math.Sqrt(d / n)
}

// The estimate becomes the gradient as β → 0: with an error of order β², or one-sided
// of order β.
func TestGradient(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("small β needs double precision; run with -tags float64")
	}
	b := samples(4, 6, 3, 1, 1)
	for nudge, ratio := range map[Nudge]float64{Centred: 4, OneSided: 2} {
		var errs []float64
		for _, beta := range []float64{0.004, 0.002, 0.001} {
			l := linear(t, Config{Beta: beta, Nudge: nudge})
			g := gradient(t, l, b)
			for k := 1; k <= 3; k++ {
				for _, v := range l.r.free[k] {
					if v <= 0 || v >= 1 {
						t.Fatalf("layer %d: state %v is clipped; the network is to be linear", k, v)
					}
				}
			}
			errs = append(errs, distance(g, recurrent(l, b)))
		}
		near(t, fmt.Sprintf("nudge %d: half of β, ratio of errors", nudge), errs[0]/errs[1], ratio, 0.004*ratio) // the next order is β times less
		if most := map[Nudge]float64{Centred: 1e-4, OneSided: 1e-2}[nudge]; errs[2] > most {
			t.Errorf("nudge %d: error %v at β = 0.001, want at most %v", nudge, errs[2], most)
		}
	}
}

// cost is the mean cost of the free states.
func cost(t testing.TB, l *Learner, b *sample.Batch) float64 {
	t.Helper()
	p, err := l.Predict(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return meanOf(p.Metrics, train.Loss)
}

// Centred estimates agree with differences of the cost: with the readout of the
// cross-entropy, with a predictor (whose output is frozen: λ's part moves with it,
// so the weights of the network alone are tried), and in sweeps.
func TestDifferences(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	for name, c := range map[string]Config{
		"squared error": {}, "cost scale": {CostScale: 1}, "cross-entropy": {Output: CrossEntropy},
		"predictor": {Predictor: &Predictor{Lambda: 0.3}}, "sweeps": {Schedule: SweepForward}, "backward sweeps": {Schedule: SweepBackward},
	} {
		c.Beta = 1e-3
		l, b := linear(t, c), samples(3, 6, 3, 1, 2)
		g := gradient(t, l, b)
		for i, p := range l.Net().Params() {
			for _, j := range []int{0, len(p.Value.Data) / 2, len(p.Value.Data) - 1} {
				const h = 1e-5
				old := p.Value.Data[j]
				p.Value.Data[j] = old + h
				l.Refresh()
				up := cost(t, l, b)
				p.Value.Data[j] = old - h
				l.Refresh()
				down := cost(t, l, b)
				p.Value.Data[j] = old
				l.Refresh()
				near(t, name+" "+p.Name, float64(g.Params()[i].Value.Data[j]), (up-down)/(2*h), 1e-5)
			}
		}
	}
}

// Nothing is learned where nothing is nudged, or where the outputs are the target.
func TestZeroUpdate(t *testing.T) {
	b := samples(3, 6, 3, 1, 1)
	for name, c := range map[string]Config{"no nudged steps": {Beta: 1}, "right outputs": {Beta: 1}} {
		c.Sizes, c.LearningRates, c.Free = []int{6, 8, 3}, []float64{1, 1}, 50
		if name == "right outputs" {
			c.Nudged = 10
		}
		l := learner(t, c)
		if c.Nudged > 0 {
			b.Targets[0].Class = []int{1, 1, 1}
			copy(l.Net().B[1].Value.Data, []tensor.Float{-9, 9, -9})
			l.Refresh()
		}
		before := l.State()
		step(t, l, b)
		for key, a := range l.State() {
			if key != "eqprop.step" && !slices.Equal(a.Data, before[key].Data) {
				t.Errorf("%s: %s has changed", name, key)
			}
		}
	}
}

// The estimates of the two signs have the centred one as their mean.
func TestRandomSign(t *testing.T) {
	b := samples(4, 6, 3, 1, 3)
	l, sum, seen := linear(t, Config{Beta: 0.2, Nudge: RandomSign}), map[bool]*coupling.Net{}, 0
	for l.step = 0; len(sum) < 2; l.step++ {
		betas, _ := l.nudges()
		sum[betas[0] > 0] = gradient(t, l, b)
		seen++
	}
	want := gradient(t, linear(t, Config{Beta: 0.2}), b)
	for i, p := range want.Params() {
		for j, v := range p.Value.Data {
			mean := (sum[true].Params()[i].Value.Data[j] + sum[false].Params()[i].Value.Data[j]) / 2
			near(t, p.Name, float64(mean), float64(v), 10*tolerance())
		}
	}
	if seen > 20 {
		t.Errorf("%d draws for both signs", seen)
	}
}

// variants are ways to learn that go through each part of the engine.
func variants() map[string]Config {
	return map[string]Config{
		"centred":         {},
		"one-sided":       {Nudge: OneSided},
		"random sign":     {Nudge: RandomSign},
		"forward sweeps":  {Schedule: SweepForward},
		"backward sweeps": {Schedule: SweepBackward},
		"cross-entropy":   {Output: CrossEntropy},
		"one-sided cross": {Output: CrossEntropy, Nudge: OneSided},
		"logistic":        {Activation: unit.Logistic, Step: 0.2},
		"hard":            {Activation: unit.HardSigmoid, Step: 1},
		"half":            {Activation: unit.HalfSigmoid, Step: 1},
		"tanh":            {Activation: unit.Tanh, Step: 0.5},
		"tolerance":       {Tolerance: 1e-2},
		"particles":       {Particles: 50},
		"predictor":       {Predictor: &Predictor{Lambda: 0.1}},
		"fan in":          {Weights: coupling.FanIn},
		"budget":          {TopK: &limit.TopK{K: 4}},
		"budget, settled": {TopK: &limit.TopK{K: 4}, Tolerance: 1e-2},
		"soft":            {TopK: &limit.TopK{K: 4, Variant: limit.Soft, Temperature: 0.2}},
		"pruned":          {Pruning: &sparse.Pruning{Sparsity: 0.8, Last: 0.4, Begin: 1, End: 3, Every: 1}},
		"chosen":          {TopK: &limit.TopK{K: 4, Variant: limit.Hard}, Tolerance: 1e-2},
		"perturbed":       {TopK: &limit.TopK{K: 4, Variant: limit.Perturbed, Temperature: 0.2}},
		"falling budget":  {TopK: &limit.TopK{K: 4, Begin: 1, End: 4}},
		"binary":          {Binary: &unit.Binary{}},
		"binary, pruned":  {Binary: &unit.Binary{}, TopK: &limit.TopK{K: 4}, Pruning: &sparse.Pruning{Sparsity: 0.8, Last: 0.4, Begin: 1, End: 3, Every: 1}},
		"limited spiking": {Spiking: &unit.Spiking{Drift: 0.05}, TopK: &limit.TopK{K: 4}, Pruning: &sparse.Pruning{Sparsity: 0.8, Last: 0.4, Begin: 1, End: 3, Every: 1}},
		"spiking":         {Spiking: &unit.Spiking{Drift: 0.0346, Lambda: 0.275}},
		"centred spiking": {Spiking: &unit.Spiking{Epsilon: 0.8, Decay: 0.3, Bidirectional: true}},
		"warm spiking":    {Spiking: &unit.Spiking{Drift: 0.05, Warm: 10}, Predictor: &Predictor{Lambda: 0.1}},

		"convolutions":            {Convolutional: small(false), Activation: unit.HardSigmoid, Step: 1},
		"convolutions, averaged":  {Convolutional: small(true), Nudge: OneSided},
		"convolutions, settled":   {Convolutional: small(false), Tolerance: 1e-2, Nudge: RandomSign},
		"convolutions, swept":     {Convolutional: small(false), Schedule: SweepBackward, TopK: &limit.TopK{K: 4}},
		"convolutions with cross": {Convolutional: small(false), Output: CrossEntropy, Activation: unit.HalfSigmoid, Step: 1},
	}
}

func complete(c Config) Config {
	c.Sizes, c.LearningRates, c.Free, c.Nudged, c.Beta, c.Seed = []int{40, 33, 20, 5}, []float64{0.2, 0.1, 0.1}, 12, 5, 0.3, 7
	if c.Convolutional != nil {
		c.Sizes = c.Convolutional.Sizes(5)
	}
	return c
}

// trained is the state after a few steps, the last of them on fewer samples.
func trained(t testing.TB, c Config, threads int, density float64) map[string][]byte {
	t.Helper()
	if threads > 1 {
		c.Pool = par.New(threads)
		defer c.Pool.Close()
	}
	l := learner(t, c)
	for i := range uint64(3) {
		step(t, l, samples(31, 40, 5, density, i))
	}
	step(t, l, samples(2, 40, 5, density, 9))
	out := map[string][]byte{}
	for key, a := range l.State() {
		out[key] = a.Data
	}
	return out
}

// Any number of threads leaves the same bits.
func TestThreads(t *testing.T) {
	for name, c := range variants() {
		c = complete(c)
		for _, density := range []float64{0.2, 1} {
			want := trained(t, c, 1, density)
			for _, threads := range []int{2, 3, 8} {
				for key, bits := range trained(t, c, threads, density) {
					if !slices.Equal(bits, want[key]) {
						t.Errorf("%s, density %v, %d threads: %s differs", name, density, threads, key)
					}
				}
			}
		}
	}
}

// Listed and whole inputs leave the same bits.
func TestDenseInput(t *testing.T) {
	for _, predictor := range []*Predictor{nil, {Lambda: 0.1}} {
		c := complete(Config{Predictor: predictor})
		var states [2]map[string][]byte
		for i := range states {
			l := learner(t, c)
			if err := l.take(samples(31, 40, 5, 0.2, 1), true); err != nil {
				t.Fatal(err)
			}
			l.batch.dense = i == 1
			l.learn(l.r.net, l.r.predictor)
			states[i] = map[string][]byte{}
			for key, a := range l.State() {
				states[i][key] = a.Data
			}
		}
		for key, bits := range states[0] {
			if !slices.Equal(bits, states[1][key]) {
				t.Errorf("predictor %v: %s differs", predictor, key)
			}
		}
	}
}

// A sample's scores do not depend on its batch, and many equal samples teach what
// one does.
func TestBatches(t *testing.T) {
	for name, c := range variants() {
		l, b := learner(t, complete(c)), samples(9, 40, 5, 0.5, 4)
		p, err := l.Predict(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		all := slices.Clone(p.Outputs[0].Scores)
		one := b.Slice(4, 5)
		if p, err = l.Predict(t.Context(), one); err != nil || !slices.Equal(p.Outputs[0].Scores, all[4*5:][:5]) {
			t.Errorf("%s: %v alone, %v in a batch, %v", name, p.Outputs[0].Scores, all[4*5:][:5], err)
		}
		want := gradient(t, l, one)
		many := sample.Labelled([]int{0, 1, 2, 3}, slices.Repeat(one.X, 4), slices.Repeat(one.Classes(), 4), 5)
		if d := distance(gradient(t, l, many), want); d > 1e-5 {
			t.Errorf("%s: four equal samples have another gradient than one, by %v", name, d)
		}
	}
}

// A tolerance ends relaxations early, near where they go.
func TestTolerance(t *testing.T) {
	c := complete(Config{})
	c.Free = 300
	b := samples(9, 40, 5, 0.5, 4)
	want := slices.Clone(must(learner(t, c).Predict(t.Context(), b)).Outputs[0].Scores)
	c.Tolerance = 1e-4
	got := must(learner(t, c).Predict(t.Context(), b)).Outputs[0].Scores
	for i, v := range got {
		near(t, "score", float64(v), float64(want[i]), 3e-3)
	}
	if slices.Equal(got, want) {
		t.Error("all steps were taken")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A learner made of another's state goes on with the same bits.
func TestState(t *testing.T) {
	for name, c := range variants() {
		c = complete(c)
		a, b := learner(t, c), learner(t, c)
		for i := range uint64(3) {
			step(t, a, samples(9, 40, 5, 0.5, i))
		}
		if err := b.SetState(a.State()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, l := range []*Learner{a, b} {
			step(t, l, samples(9, 40, 5, 0.5, 5))
		}
		for key, v := range a.State() {
			if !slices.Equal(v.Data, b.State()[key].Data) {
				t.Errorf("%s: %s differs", name, key)
			}
		}
	}
	l := learner(t, complete(Config{}))
	s := l.State()
	delete(s, "w2")
	if err := l.SetState(s); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("without w2: %v", err)
	}
	s = l.State()
	s["w2"] = s["w3"]
	if err := l.SetState(s); err == nil || !strings.Contains(err.Error(), `"w2" has shape`) {
		t.Errorf("w2 of another shape: %v", err)
	}
	if err := l.SetState(nil); err == nil {
		t.Error("took no state")
	}
}

// Training goes without garbage, but for the metrics.
func TestAllocations(t *testing.T) {
	l, b := learner(t, complete(Config{})), samples(20, 40, 5, 0.2, 1)
	step(t, l, b)
	if n := testing.AllocsPerRun(20, func() { step(t, l, b) }); n > 2 {
		t.Errorf("%v allocations a step, want those of the metrics alone, of layers and of tasks", n)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"at least one layer":              func(c *Config) { c.Sizes = []int{3} },
		"layer 1 has 0 units":             func(c *Config) { c.Sizes[1] = 0 },
		"2 learning rates for 3 matrices": func(c *Config) { c.LearningRates = c.LearningRates[:2] },
		"rate -1":                         func(c *Config) { c.LearningRates = []float64{1, -1, 1} },
		"step -1":                         func(c *Config) { c.Step = -1 },
		"step 2":                          func(c *Config) { c.Step = 2 },
		"step 1.5 of discrete":            func(c *Config) { c.Step, c.Activation = 1.5, unit.Logistic },
		"beta 0":                          func(c *Config) { c.Beta = 0 },
		"beta NaN":                        func(c *Config) { c.Beta = math.NaN() },
		"cost scale -1":                   func(c *Config) { c.CostScale = -1 },
		"0 free":                          func(c *Config) { c.Free = 0 },
		"tolerance NaN":                   func(c *Config) { c.Tolerance = math.NaN() },
		"reads off a hidden layer":        func(c *Config) { c.Sizes, c.LearningRates, c.Output = []int{4, 2}, []float64{1}, CrossEntropy },
		"one of them is unknown":          func(c *Config) { c.Nudge = 9 },
		"choose one":                      func(c *Config) { c.Particles, c.Predictor = 9, &Predictor{} },
		"needs the squared error":         func(c *Config) { c.Output, c.Predictor = CrossEntropy, &Predictor{} },
		"lambda that is not neg":          func(c *Config) { c.Predictor = &Predictor{Lambda: -1} },
		"leak 0.01: want a lambda":        func(c *Config) { c.Predictor = &Predictor{Lambda: math.NaN()} },
		"predictor with lambda +Inf":      func(c *Config) { c.Predictor = &Predictor{Lambda: math.Inf(1)} },
	} {
		c := complete(Config{})
		c.Sizes = slices.Clone(c.Sizes)
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), strings.Replace(want, "leak 0.01: want a lambda", "want a lambda", 1)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Batches that cannot be learned from are refused, and an empty one is no harm.
func TestBadBatches(t *testing.T) {
	for want, change := range map[string]func(b *sample.Batch){
		"160 inputs for 3 samples": func(b *sample.Batch) { b.Index, b.Targets[0].Class = b.Index[:3], b.Classes()[:3] },
		"input 2 of sample 1 is":   func(b *sample.Batch) { b.X[42] = tensor.Float(math.NaN()) },
		"sample 3 has label 5":     func(b *sample.Batch) { b.Classes()[3] = 5 },
		"number 60":                func(b *sample.Batch) { b.Index[0] = 60 },
	} {
		b, l := samples(4, 40, 5, 0.2, 1), learner(t, complete(Config{Particles: 50}))
		change(b)
		before := l.State()
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if !slices.Equal(before["w1"].Data, l.State()["w1"].Data) {
			t.Errorf("%s: learned from it", want)
		}
	}
	l := learner(t, complete(Config{}))
	if m, err := l.Step(t.Context(), &sample.Batch{}); err != nil || m.N != 0 {
		t.Errorf("empty batch: %v, %v", m, err)
	}
}

// A layer of outputs alone learns, an image without light has only biases, and
// units that start at zero come alive.
func TestEdges(t *testing.T) {
	l := learner(t, Config{Sizes: []int{4, 3}, Free: 30, Nudged: 5, Beta: 0.2, LearningRates: []float64{0.5}})
	b := sample.Labelled([]int{0}, make([]tensor.Float, 4), []int{1}, 9)
	before := cost(t, l, b)
	for range 20 {
		step(t, l, b)
	}
	if after := cost(t, l, b); !(after < before/4) {
		t.Errorf("cost %v, was %v", after, before)
	}
}

func fill(x []tensor.Float, v tensor.Float) {
	for i := range x {
		x[i] = v
	}
}

func TestNames(t *testing.T) {
	c := Config{Nudge: RandomSign, Schedule: SweepBackward, Output: CrossEntropy, Activation: unit.Tanh, Weights: coupling.FanIn}
	got := fmt.Sprint(c.Nudge, c.Schedule, c.Output, c.Activation, c.Weights, unit.Identity, limit.Soft, Nudge(9))
	if want := "random-sign sweep-backward cross-entropy tanh fan-in identity soft 9"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Annealed rates start whole, are halved midway and end at zero, where a step
// changes nothing.
func TestAnneal(t *testing.T) {
	c := Config{Anneal: 8}
	for step, want := range map[int]float64{0: 1, 4: 0.5, 8: 0, 20: 0} {
		if got := c.annealed(step); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: %v of the rates, want %v", step, got, want)
		}
	}
	if got := (Config{}).annealed(5); got != 1 {
		t.Errorf("without annealing: %v of the rates", got)
	}
}
