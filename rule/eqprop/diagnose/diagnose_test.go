package diagnose

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

// A free relaxation of a small step never raises the energy, though the places of the
// largest elements move.
func TestConvolutionEnergyFalls(t *testing.T) {
	for seed := range uint64(10) {
		c := complete(eqprop.Config{Convolutional: pooledTwice(seed%2 == 1), Step: 0.1})
		c.Free, c.Nudged, c.Seed = 100, 0, seed
		l := learner(t, c)
		tr, err := Follow(l, samples(1, 40, 5, 0.5, seed))
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

// What does not settle is told of, and a coupling too strong for the step.
func TestConvolutionWarnings(t *testing.T) {
	c := complete(eqprop.Config{Convolutional: small(false), Activation: unit.HardSigmoid, Step: 1})
	c.Free = 3
	b := samples(5, 40, 5, 0.5, 1)
	for want, scale := range map[string]tensor.Float{"still moves by": 1, "stable below 2": 4} {
		l := learner(t, c)
		for i := range l.Net().W[1].Value.Data {
			l.Net().W[1].Value.Data[i] *= scale
		}
		l.Refresh()
		all, err := Warnings(l, b)
		if err != nil || !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q, %v, want %q", all, err, want)
		}
	}
	c.Free, c.Nudged, c.Step = 200, 10, 0.3
	l := inner(t, c)
	if all, err := Warnings(l, samples(5, 40, 3, 0.5, 1)); err != nil || len(all) > 0 {
		t.Errorf("nothing is wrong, but %q, %v", all, err)
	}
}

// counted is 3–2–2 with weights of zero, so that products can be counted by hand.
func counted(t *testing.T, c eqprop.Config) *eqprop.Learner {
	t.Helper()
	c.Sizes, c.LearningRates, c.Free, c.Nudged, c.Beta = []int{3, 2, 2}, []float64{0.1, 0.1}, 3, 2, 0.3
	l := learner(t, c)
	copy(l.Net().W[0].Value.Data, []tensor.Float{1, 0, 1, 1, 0.5, -2})
	copy(l.Net().W[1].Value.Data, []tensor.Float{0.5, 0, 1, 1})
	l.Refresh()
	return l
}

// The first sample keeps one hidden unit and one output active, the second all of them.
// From zeros the first step sends nothing, the second sends up, the third up and down.
func TestCost(t *testing.T) {
	b := sample.Labelled([]int{0, 1}, []tensor.Float{1, 0, 0.5, 0, 1, 0}, []int{0, 1}, 9)
	plain := (3 + 0 + 1 + (1 + 2)) + (2 + 0 + 3 + (3 + 3))
	for name, c := range map[string]struct {
		eqprop.Config
		products, forward int
		active            []int
	}{
		"plain": {eqprop.Config{}, plain, 0, []int{3, 3}},
		// The choice reads what comes from above, 2 and 3, and in the step after it all is
		// active still. Of the second sample's hidden units, alike but for what comes from
		// above, the second is left.
		"hard": {eqprop.Config{TopK: &limit.TopK{K: 1, Variant: limit.Hard}}, plain + (2 + 3 + 3) + (3 + 6 + 2 + 3), 0, []int{2, 3}},
	} {
		got := must(CostOf(t.Context(), counted(t, c.Config), b))
		if got.Products != c.products || got.Forward != c.forward || !slices.Equal(got.Active, c.active) {
			t.Errorf("%s: %+v, want %d products, %d of them forward, %v active", name, got, c.products, c.forward, c.active)
		}
	}
	got := must(CostOf(t.Context(), counted(t, eqprop.Config{Predictor: &eqprop.Predictor{Lambda: 0.1}}), b))
	if want := (4 + 4) + (2 + 4); got.Forward != want || got.Products <= want || len(got.Predicted) != 2 || got.Predicted[0] == 0 {
		t.Errorf("predictor: %+v, want %d products forward, and more in all, and its active units", got, want)
	}
	spiking := counted(t, eqprop.Config{Spiking: &unit.Spiking{Drift: 0.05}})
	if got := must(CostOf(t.Context(), spiking, b)); got.Products != spiking.SynapticOperations() || got.Products == 0 {
		t.Errorf("spiking: %+v, want the %d additions of the run", got, spiking.SynapticOperations())
	}
	if _, err := CostOf(t.Context(), counted(t, eqprop.Config{Tolerance: 0.1}), b); err == nil {
		t.Error("no error of phases that end early")
	}
	var sum Cost
	sum.Add(Cost{Products: 1, Forward: 2, Active: []int{3, 4}, Predicted: []int{9}})
	sum.Add(Cost{Products: 5, Forward: 6, Active: []int{7, 8}, Predicted: []int{1}})
	if sum.Products != 6 || sum.Forward != 8 || !slices.Equal(sum.Active, []int{10, 12}) || !slices.Equal(sum.Predicted, []int{10}) {
		t.Errorf("sum %+v", sum)
	}
}

// Backpropagation through enough steps of time is recurrent backpropagation, and
// through one it is not.
func TestBackprop(t *testing.T) {
	l := linear(t, eqprop.Config{Beta: 0.01})
	b := samples(4, 6, 3, 1, 1)
	gradient(t, l, b) // leaves the free states
	want := recurrent(l, b)
	for steps, check := range map[int]func(d float64) bool{200: func(d float64) bool { return d < 1e-4 }, 1: func(d float64) bool { return d > 0.1 }} {
		g, err := Backprop(l, b, steps)
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(g, want); !check(d) {
			t.Errorf("through %d steps: distance %v", steps, d)
		}
	}
}

// A free relaxation never raises the energy where ε ≤ 1/(1 + λ + ‖A‖), clipped or not,
// and sweeps never with whole steps.
func TestEnergyFalls(t *testing.T) {
	for seed := range uint64(20) {
		c := eqprop.Config{Sizes: []int{20, 30, 20, 5}, Free: 60, Nudged: 0, Beta: 1, LearningRates: []float64{1, 1, 1}, Seed: seed}
		l := learner(t, c)
		for _, p := range l.Net().Params() {
			for i := range p.Value.Data {
				p.Value.Data[i] *= tensor.Float(1 + seed%4)
			}
		}
		lambda := 0.1 * float64(seed%3)
		if lambda > 0 {
			c.Predictor = &eqprop.Predictor{Lambda: lambda}
		} else {
			c.Activation = unit.Activation(seed % 5)
		}
		c.Step = 1 / (1 + lambda + Norm(l.Net(), 3, nil))
		if seed%4 == 3 {
			c.Schedule, c.Step = eqprop.SweepForward, 1
		}
		stable := learner(t, c)
		for i, p := range l.Net().Params() {
			copy(stable.Net().Params()[i].Value.Data, p.Value.Data)
		}
		stable.Refresh()
		tr, err := Follow(stable, samples(1, 20, 5, 0.5, seed))
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

func TestNorm(t *testing.T) {
	n := coupling.NewNet(nil, []int{2, 1, 1}, coupling.Glorot, 1, "")
	n.W[1].Value.Data[0] = -0.75
	near(t, "one coupling", Norm(n, 2, nil), 0.75, 1e-6)
	n = coupling.NewNet(nil, []int{1, 1, 2}, coupling.Glorot, 1, "")
	n.W[1].Value.Data[0], n.W[1].Value.Data[1] = 3, 4
	near(t, "two", Norm(n, 2, nil), 5, 1e-6)
}

// What is about to go wrong is named with its bound.
func TestWarnings(t *testing.T) {
	b := samples(5, 40, 5, 0.5, 1)
	for want, c := range map[string]struct {
		change func(c *eqprop.Config)
		then   func(l *eqprop.Learner)
	}{
		"2κβ = 1.2":      {change: func(c *eqprop.Config) { c.Beta = 1.2 }},
		"2 nudged steps": {change: func(c *eqprop.Config) { c.Nudged = 2 }},
		"1 free steps":   {change: func(c *eqprop.Config) { c.Free = 1 }},
		"stable below 2": {then: func(l *eqprop.Learner) { l.Net().W[1].Value.Data[0] = 50 }},
		"still moves by": {change: func(c *eqprop.Config) { c.Free = 3 }},
		"layer2 is dead": {then: func(l *eqprop.Learner) { fill(l.Net().B[1].Value.Data, -100) }},
	} {
		k := complete(eqprop.Config{})
		k.Free = 60
		if c.change != nil {
			c.change(&k)
		}
		l := learner(t, k)
		if c.then != nil {
			c.then(l)
			l.Refresh()
		}
		all, err := Warnings(l, b)
		if err != nil || !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q, %v, want %q", all, err, want)
		}
	}
	k := complete(eqprop.Config{})
	k.Free, k.Step = 200, 0.3
	swept := k
	swept.Schedule, swept.Step = eqprop.SweepForward, 1
	l := learner(t, swept)
	for i := range l.Net().W[1].Value.Data {
		l.Net().W[1].Value.Data[i] *= 3
	}
	l.Refresh()
	if all, err := Warnings(l, nil); err != nil || len(all) > 0 {
		t.Errorf("sweeps need no smaller step, but %q, %v", all, err)
	}
	if all, err := Warnings(learner(t, k), b); err != nil || len(all) > 0 {
		t.Errorf("nothing is wrong, but %q, %v", all, err)
	}
}

// Backpropagation through all steps is the derivative of the cost after them, settled
// or not, clipped or not: from rest and from a prediction that stays, for all
// activations and schedules, through convolutions and both poolings.
func TestBackpropDifferences(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	layered := []int{6, 7, 5, 3}
	for name, c := range map[string]eqprop.Config{
		"continuous": {Sizes: layered}, "cost scale": {Sizes: layered, CostScale: 1},
		"predictor":    {Sizes: layered, Predictor: &eqprop.Predictor{Lambda: 0.3}},
		"hard sigmoid": {Sizes: layered, Activation: unit.HardSigmoid, Step: 1},
		"half sigmoid": {Sizes: layered, Activation: unit.HalfSigmoid, Step: 0.3},
		"logistic":     {Sizes: layered, Activation: unit.Logistic}, "tanh": {Sizes: layered, Activation: unit.Tanh},
		"budget":          {Sizes: layered, TopK: &limit.TopK{K: 1}},
		"budget, pulled":  {Sizes: layered, TopK: &limit.TopK{K: 1}, Predictor: &eqprop.Predictor{Lambda: 0.3}},
		"forward sweep":   {Sizes: layered, Schedule: eqprop.SweepForward, Activation: unit.Logistic, Step: 1},
		"backward sweep":  {Sizes: layered, Schedule: eqprop.SweepBackward, Predictor: &eqprop.Predictor{Lambda: 0.3}},
		"swept windows":   {Convolutional: pooledTwice(false), Schedule: eqprop.SweepBackward},
		"convolutions":    {Convolutional: small(false)},
		"average pooling": {Convolutional: small(true)},
		"pooled twice":    {Convolutional: pooledTwice(false), Activation: unit.HardSigmoid},
		"averages twice":  {Convolutional: pooledTwice(true), Activation: unit.Logistic, Step: 1},
	} {
		if c.Convolutional != nil {
			c.Sizes = c.Convolutional.Sizes(3)
		}
		c.LearningRates, c.Beta, c.Free, c.Weights, c.Seed = []float64{1, 1, 1}, 1, 7, coupling.FanIn, 3
		l, b := learner(t, c), samples(3, c.Sizes[0], 3, 0.8, 2)
		g, err := Backprop(l, b, c.Free)
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(g, differences(t, l, b)); !(d < 1e-6) {
			t.Errorf("%s: distance %v", name, d)
		}
	}
}

// Where the free phase has settled, K nudged steps of little strength are K steps of
// backpropagation: of the discrete dynamics too.
func TestTruncated(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("small β needs double precision; run with -tags float64")
	}
	for _, steps := range []int{1, 3, 8} {
		c := eqprop.Config{Beta: 1e-4, Activation: unit.HardSigmoid, Convolutional: small(false)}
		weights := inner(t, c)
		nudged := weights.Config()
		nudged.Nudged = steps
		l := learner(t, nudged)
		if err := l.SetState(weights.State()); err != nil {
			t.Fatal(err)
		}
		b := samples(3, 40, 3, 0.8, 2)
		exact, err := Backprop(l, b, steps)
		if err != nil {
			t.Fatal(err)
		}
		g := gradient(t, l, b)
		for layer := 1; layer <= 3; layer++ {
			if c := Cosine(g.W[layer-1].Value.Data, exact.W[layer-1].Value.Data); layer > 3-steps && !(c > 0.999) {
				t.Errorf("%d steps, layer %d: cosine %v", steps, layer, c)
			}
		}
	}
}

func TestBackpropRefuses(t *testing.T) {
	b := samples(2, 40, 5, 0.5, 1)
	for want, c := range map[string]eqprop.Config{
		"squared error": {Output: eqprop.CrossEntropy}, "without spikes": {Spiking: &unit.Spiking{Epsilon: 1}},
		"another top-k": {TopK: &limit.TopK{K: 3, Variant: limit.Hard}},
	} {
		if _, err := Backprop(learner(t, complete(c)), b, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Backprop(learner(t, complete(eqprop.Config{})), b, 0); err == nil || !strings.Contains(err.Error(), "at least one") {
		t.Errorf("%v of no steps", err)
	}
}

// The norm of convolutions with pooling is that of the coupling as a matrix, with the
// largest elements where the states put them, and changes with these.
func TestConvolutionNorm(t *testing.T) {
	for _, average := range []bool{false, true} {
		for _, convs := range []*coupling.Convolutional{small(average), pooledTwice(average)} {
			n := coupling.NewNet(convs, convs.Sizes(3), coupling.FanIn, 1, "")
			src := rng.New(1, "test").Source()
			var norms []float64
			for range 2 {
				var states [][]tensor.Float
				for _, size := range n.Sizes[1:] {
					s := make([]tensor.Float, size)
					for i := range s {
						s[i] = tensor.Float(src.Float64())
					}
					states = append(states, s)
				}
				norms = append(norms, Norm(n, 3, states))
				near(t, "norm", norms[len(norms)-1], matrixNorm(n, states), max(1e-6, 5*tolerance()))
			}
			if pooled := convs.Layers[1].Pool > 1 && !average; pooled == (norms[0] == norms[1]) {
				t.Errorf("norms %v with other states", norms)
			}
		}
	}
}

// matrixNorm is the norm of a network's coupling from differences of the drives, which
// Energy knows, as a whole matrix: A_ij = −∂²E/∂s_i∂s_j for i ≠ j.
func matrixNorm(n *coupling.Net, states [][]tensor.Float) float64 {
	total := 0
	var at [][2]int
	for l, s := range states {
		total += len(s)
		for j := range s {
			at = append(at, [2]int{l, j})
		}
	}
	x, a := make([]tensor.Float, n.Sizes[0]), make([]float64, total*total)
	for i, p := range at {
		for j, q := range at {
			if q[0] == p[0]+1 {
				v := coupled(n, x, states, p, q)
				a[i*total+j], a[j*total+i] = v, v
			}
		}
	}
	u, v, norm := make([]float64, total), make([]float64, total), 0.0
	for i := range u {
		u[i] = math.Sin(float64(i + 1))
	}
	for range 400 {
		norm = math.Sqrt(dot(u, u))
		for i := range v {
			v[i] = dot(a[i*total:][:total], u) / norm
		}
		u, v = v, u
	}
	return norm
}

// coupling is the element of A between a unit and one of the layer above: the
// weight with which the first drives the second.
func coupled(n *coupling.Net, x []tensor.Float, states [][]tensor.Float, below, above [2]int) float64 {
	const h = 1e-3
	drive := func(by tensor.Float) float64 { // of the unit above
		s := copies(states[:above[0]+1])
		s[below[0]][below[1]] += by
		with := n.Energy(x, s)
		s[above[0]][above[1]] += 1
		old := float64(states[above[0]][above[1]])
		return with - n.Energy(x, s) + ((old+1)*(old+1)-old*old)/2
	}
	return (drive(h) - drive(-h)) / (2 * h)
}

// The alignment is that of differences of the losses: where λ is 0 the free states do
// not move with the predictor.
func TestAlignment(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	l, b := linear(t, eqprop.Config{Beta: 1, Predictor: &eqprop.Predictor{}}), samples(4, 6, 3, 1, 2)
	got, err := Alignment(l, b)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	losses := func() []float64 { // by layer
		must(l.Predict(t.Context(), b))
		sums := make([]float64, 4)
		for k := 1; k <= 3; k++ {
			for i, v := range l.Guess()[k-1] {
				sums[k] += math.Pow(float64(v-l.Free()[k-1][i]), 2) / 2
			}
		}
		return sums
	}
	for layer := 1; layer <= 2; layer++ {
		var own, above []float64
		w := l.Predictor().W[layer-1].Value.Data
		for j, old := range w {
			const h = 1e-5
			w[j] = old + h
			l.Refresh()
			up := losses()
			w[j] = old - h
			l.Refresh()
			down := losses()
			w[j] = old
			var higher float64
			for m := layer + 1; m <= 3; m++ {
				higher += up[m] - down[m]
			}
			own, above = append(own, up[layer]-down[layer]), append(above, higher)
		}
		l.Refresh()
		near(t, "alignment", got[layer-1], cosine(own, above), 1e-5)
	}
	if _, err := Alignment(learner(t, complete(eqprop.Config{})), samples(1, 40, 5, 0.5, 1)); err == nil {
		t.Error("a learner without a predictor is aligned")
	}
}

// The trace of a spiking network ends near the least energy: its units stay about one
// last step ε = 1/√n from their places there, where ½s² bends the energy by 1 for each.
func TestSpikingTrace(t *testing.T) {
	const n, units = 1600, 33 + 20 + 5
	c := complete(eqprop.Config{})
	c.Free = n
	b := samples(1, 40, 5, 0.5, 1)
	want := must(Follow(learner(t, c), b))
	c.Spiking = &unit.Spiking{Epsilon: 1, Decay: 0.5}
	got := must(Follow(learner(t, c), b))
	if steps := c.Free + c.Nudged; len(got.Energy) != steps+1 || len(got.Residual[0]) != steps {
		t.Errorf("%d energies and %d residuals of %d steps", len(got.Energy), len(got.Residual[0]), steps)
	}
	near(t, "energy", got.Energy[n], want.Energy[n], units/2./n)
}

// States of a spiking network and how a nudge moves them are near the real-valued
// ones, and nearer with more steps.
func TestStates(t *testing.T) {
	c := complete(eqprop.Config{})
	c.Free, c.Nudged = 500, 500
	b := samples(4, 40, 5, 0.5, 1)
	free, changes, err := learner(t, c).States(b)
	if err != nil {
		t.Fatal(err)
	}
	last := []float64{1, -1}
	for _, steps := range []int{20, 400, 4000} {
		c.Free, c.Nudged, c.Spiking = steps, steps, &unit.Spiking{Drift: 0.0346, Lambda: 0.275}
		f, d, err := learner(t, c).States(b)
		if err != nil {
			t.Fatal(err)
		}
		if far, cos := meanDistance(f, free), Cosine(d[0], changes[0]); far >= last[0] || cos <= last[1] {
			t.Errorf("%d steps: distance %v, cosine %v, before %v", steps, far, cos, last)
		} else {
			last[0], last[1] = far, cos
		}
	}
	if last[0] > 0.002 || last[1] < 0.95 {
		t.Errorf("after 4000 steps: distance and cosine %v", last)
	}
}

func meanDistance(a, b [][]tensor.Float) (mean float64) {
	for l := range a {
		for i, v := range a[l] {
			mean += math.Abs(float64(v-b[l][i])) / float64(len(a)*len(a[l]))
		}
	}
	return mean
}
