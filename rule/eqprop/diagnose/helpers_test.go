package diagnose

import (
	"context"
	"math"
	"testing"

	"synfire/internal/rng"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

func learner(t testing.TB, c eqprop.Config) *eqprop.Learner {
	t.Helper()
	l, err := eqprop.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
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

func step(t testing.TB, l *eqprop.Learner, b *sample.Batch) {
	t.Helper()
	if _, err := l.Step(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func gradient(t testing.TB, l *eqprop.Learner, b *sample.Batch) *coupling.Net {
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

// linear is a network whose states stay inside (0, 1).
func linear(t testing.TB, c eqprop.Config) *eqprop.Learner {
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
func recurrent(l *eqprop.Learner, b *sample.Batch) *coupling.Net {
	g, n, stages := l.Net().Zeros(), l.Net(), stagesOf(l.Net())
	for i := range b.Len() {
		s := make([][]float64, len(n.W))
		for k := range s {
			for _, v := range l.Free()[k][i*n.Sizes[k+1]:][:n.Sizes[k+1]] {
				s[k] = append(s[k], float64(v))
			}
		}
		cost, lambda, next := like(s), like(s), like(s)
		for j, v := range s[len(s)-1] {
			if j == b.Classes()[i] {
				v--
			}
			cost[len(s)-1][j] = 2 * l.Config().CostScale * v / float64(b.Len())
		}
		for range 500 {
			couple(stages, make([][]int, len(stages)), next, lambda)
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

// cost is the mean cost of the free states.
func cost(t testing.TB, l *eqprop.Learner, b *sample.Batch) float64 {
	t.Helper()
	p, err := l.Predict(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return meanOf(p.Metrics, train.Loss)
}

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
func inner(t *testing.T, c eqprop.Config) *eqprop.Learner {
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

func complete(c eqprop.Config) eqprop.Config {
	c.Sizes, c.LearningRates, c.Free, c.Nudged, c.Beta, c.Seed = []int{40, 33, 20, 5}, []float64{0.2, 0.1, 0.1}, 12, 5, 0.3, 7
	if c.Convolutional != nil {
		c.Sizes = c.Convolutional.Sizes(5)
	}
	return c
}

// differences is the gradient of the cost after the free phase, which is what
// backpropagation through its steps computes, from differences.
func differences(t *testing.T, l *eqprop.Learner, b *sample.Batch) *coupling.Net {
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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fill(x []tensor.Float, v tensor.Float) {
	for i := range x {
		x[i] = v
	}
}

// meanOf is a figure of metrics, NaN where there is none.
func meanOf(m train.Metrics, name string) float64 {
	if v, ok := m.Mean(name); ok {
		return v
	}
	return math.NaN()
}
