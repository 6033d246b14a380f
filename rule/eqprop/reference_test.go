package eqprop

import (
	"math"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/snntest"
	"synfire/tensor"
)

// Backpropagation through all steps is the derivative of the cost after them, settled
// or not, clipped or not: from rest and from a prediction that stays, for all
// activations and schedules, through convolutions and both poolings.
func TestBackpropDifferences(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision; run with -tags float64")
	}
	layered := []int{6, 7, 5, 3}
	for name, c := range map[string]Config{
		"continuous": {Sizes: layered}, "cost scale": {Sizes: layered, CostScale: 1},
		"predictor":    {Sizes: layered, Predictor: &Predictor{Lambda: 0.3}},
		"hard sigmoid": {Sizes: layered, Activation: HardSigmoid, Step: 1},
		"half sigmoid": {Sizes: layered, Activation: HalfSigmoid, Step: 0.3},
		"logistic":     {Sizes: layered, Activation: Logistic}, "tanh": {Sizes: layered, Activation: Tanh},
		"budget":          {Sizes: layered, TopK: &TopK{K: 1}},
		"budget, pulled":  {Sizes: layered, TopK: &TopK{K: 1}, Predictor: &Predictor{Lambda: 0.3}},
		"forward sweep":   {Sizes: layered, Schedule: SweepForward, Activation: Logistic, Step: 1},
		"backward sweep":  {Sizes: layered, Schedule: SweepBackward, Predictor: &Predictor{Lambda: 0.3}},
		"swept windows":   {Convolutional: pooledTwice(false), Schedule: SweepBackward},
		"convolutions":    {Convolutional: small(false)},
		"average pooling": {Convolutional: small(true)},
		"pooled twice":    {Convolutional: pooledTwice(false), Activation: HardSigmoid},
		"averages twice":  {Convolutional: pooledTwice(true), Activation: Logistic, Step: 1},
	} {
		if c.Convolutional != nil {
			c.Sizes = c.Convolutional.Sizes(3)
		}
		c.Rates, c.Beta, c.Free, c.Weights, c.Seed = []float64{1, 1, 1}, 1, 7, FanIn, 3
		l, b := learner(t, c), samples(3, c.Sizes[0], 3, 0.8, 2)
		g, err := l.Backprop(b, c.Free)
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
		c := Config{Beta: 1e-4, Activation: HardSigmoid, Convolutional: small(false)}
		l := inner(t, c)
		l.c.Nudged, l.r.c.Nudged = steps, steps
		b := samples(3, 40, 3, 0.8, 2)
		exact, err := l.Backprop(b, steps)
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
	for want, c := range map[string]Config{
		"squared error": {Output: CrossEntropy}, "without spikes": {Spiking: &Spiking{Epsilon: 1}},
		"another top-k": {TopK: &TopK{K: 3, Variant: Hard}},
	} {
		if _, err := learner(t, complete(c)).Backprop(b, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := learner(t, complete(Config{})).Backprop(b, 0); err == nil || !strings.Contains(err.Error(), "at least one") {
		t.Errorf("%v of no steps", err)
	}
}

// The norm of convolutions with pooling is that of the coupling as a matrix, with the
// largest elements where the states put them, and changes with these.
func TestConvolutionNorm(t *testing.T) {
	for _, average := range []bool{false, true} {
		for _, convs := range []*Convolutional{small(average), pooledTwice(average)} {
			n := newNet(convs, convs.Sizes(3), FanIn, 1, "")
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
				norms = append(norms, n.Norm(3, states))
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
func matrixNorm(n *Net, states [][]tensor.Float) float64 {
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
				v := n.coupling(x, states, p, q)
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
func (n *Net) coupling(x []tensor.Float, states [][]tensor.Float, below, above [2]int) float64 {
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
	l, b := linear(t, Config{Beta: 1, Predictor: &Predictor{}}), samples(4, 6, 3, 1, 2)
	got, err := l.Alignment(b)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	losses := func() []float64 { // by layer
		must(l.Predict(t.Context(), b))
		sums := make([]float64, 4)
		for k := 1; k <= 3; k++ {
			for i, v := range l.r.guess[k] {
				sums[k] += math.Pow(float64(v-l.r.free[k][i]), 2) / 2
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
	if _, err := learner(t, complete(Config{})).Alignment(samples(1, 40, 5, 0.5, 1)); err == nil {
		t.Error("a learner without a predictor is aligned")
	}
}
