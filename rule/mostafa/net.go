package mostafa

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// Net is layers of neurons behind the encoding of values. It implements online.Batcher.
type Net struct {
	rule    Rule
	inputs  int
	classes int
	layers  []*Layer
	samples []*trip // of a batch; the first serves Run too
	rooms   []*room // of each thread
}

// trip is a sample's way through the network.
type trip struct {
	z      []float64 // of the inputs
	passes []*Pass
	errors [][]float64 // ∂L/∂z of each layer
}

// NewNet makes a network with weights drawn by the seed, of a mean and spread that let the first
// spikes come soon.
func (r Rule) NewNet(inputs, classes int, seed uint64) *Net {
	n := &Net{rule: r, inputs: inputs, classes: classes}
	sizes := append(append([]int{inputs}, r.Hidden...), classes)
	for l := 1; l < len(sizes); l++ {
		layer := NewLayer(sizes[l-1], sizes[l])
		src := rng.New(seed, rng.Init).Str(fmt.Sprintf("mostafa%d", l)).Source()
		for k := range layer.W {
			layer.W[k] = (r.Mean + src.Norm()*r.Spread*math.Sqrt(float64(layer.In))) / float64(layer.In)
		}
		if r.Momentum > 0 {
			layer.Change = make([]float64, len(layer.W))
		}
		layer.Refresh()
		n.layers = append(n.layers, layer)
	}
	return n
}

// Fork shares the weights.
func (n *Net) Fork() online.Network {
	return &Net{rule: n.rule, inputs: n.inputs, classes: n.classes, layers: n.layers}
}

// Refresh is to be called when weights were changed from outside.
func (n *Net) Refresh() {
	for _, l := range n.layers {
		l.Refresh()
	}
}

// trip is that of sample i of a batch.
func (n *Net) trip(i int) *trip {
	for len(n.samples) <= i {
		t := &trip{z: make([]float64, n.inputs)}
		for _, l := range n.layers {
			t.passes, t.errors = append(t.passes, l.NewPass()), append(t.errors, make([]float64, l.Out))
		}
		n.samples = append(n.samples, t)
	}
	return n.samples[i]
}

// forward runs a sample, and returns the z of the outputs.
func (t *trip) forward(r *Rule, x []tensor.Float) ([]float64, error) {
	encode := r.encoder()
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("value %d is %v, and times stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
		t.z[i] = encode(float64(v))
	}
	z := t.z
	for _, p := range t.passes {
		z = p.Forward(z)
	}
	return z, nil
}

// backward prepares the gradients of the sample that was run; the errors of the outputs are there.
func (t *trip) backward(clip float64) {
	for l := len(t.passes) - 1; l >= 0; l-- {
		var back []float64
		if l > 0 {
			back = t.errors[l-1]
		}
		t.passes[l].Backward(t.errors[l], clip, back)
	}
}

// Z are those of each layer for a sample. They are the network's until the next call.
func (n *Net) Z(x []tensor.Float) (all [][]float64, err error) {
	t := n.trip(0)
	if _, err := t.forward(&n.rule, x); err != nil {
		return nil, err
	}
	for _, p := range t.passes {
		all = append(all, p.z)
	}
	return all, nil
}

// Layers are the network's layers.
func (n *Net) Layers() []*Layer { return n.layers }

// Run answers by the first output to fire. The loss is the cross-entropy alone.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (float64, error) {
	return n.run(n.trip(0), x, label, scores)
}

func (n *Net) run(t *trip, x []tensor.Float, label int, scores []float64) (e float64, err error) {
	z, err := t.forward(&n.rule, x)
	if err != nil {
		return 0, err
	}
	for j, v := range z {
		scores[j] = -min(v, math.MaxFloat32)
	}
	if label >= 0 {
		e = loss(z, label, t.errors[len(n.layers)-1])
	}
	return e, nil
}

// Gradients are those of a sample, not scaled, one for each layer, with its loss.
func (n *Net) Gradients(x []tensor.Float, label int) (e float64, g [][]float64, err error) {
	t := n.trip(0)
	if e, err = n.run(t, x, label, make([]float64, n.classes)); err != nil {
		return 0, nil, err
	}
	t.backward(math.Inf(1))
	for l, layer := range n.layers {
		g = append(g, make([]float64, len(layer.W)))
		for lo := 0; lo < layer.Out; lo += block {
			hi := min(lo+block, layer.Out)
			r := new(room)
			r.begin(layer.In * (hi - lo))
			t.passes[l].gradient(lo, hi, r)
			for i := range layer.In {
				for j := lo; j < hi; j++ {
					g[l][i*layer.Out+j] = r.grad[i*(hi-lo)+j-lo] + r.all[j-lo]
				}
			}
		}
	}
	return e, g, nil
}

// Learn is LearnBatch with one sample.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	return online.LearnOne(n, x, label, factor, scores)
}

// Batches is true.
func (n *Net) Batches() bool { return true }

// LearnBatch changes all weights by the mean of the samples' gradients, each scaled in each layer,
// and by the cost of neurons that cannot fire. Threads share first the samples, then the neurons,
// whose gradients are added in the order of the samples.
func (n *Net) LearnBatch(b *online.Batch) error {
	size := len(b.Labels)
	n.trip(size - 1)
	err := b.Each(func(i int) (err error) {
		t := n.samples[i]
		if b.Loss[i], err = n.run(t, b.Sample(i), b.Labels[i], b.ScoresOf(i)); err == nil {
			t.backward(n.rule.Clip)
		}
		return err
	})
	if err != nil {
		return err
	}
	for len(n.rooms) < max(1, b.Pool.Threads()) {
		n.rooms = append(n.rooms, new(room))
	}
	passes := make([]*Pass, size)
	for k, l := range n.layers {
		for i, t := range n.samples[:size] {
			passes[i] = t.passes[k]
		}
		b.Pool.For((l.Out+block-1)/block, 1, func(worker, first, end int) {
			for at := first; at < end; at++ {
				l.learn(passes, at*block, min((at+1)*block, l.Out), &n.rule, b.Factor*n.rule.LR, n.rooms[worker])
			}
		})
	}
	return nil
}

// Model is the weights of each layer, [in, out].
func (n *Net) Model() (all []online.Array) {
	for l, layer := range n.layers {
		all = append(all, online.Array{Name: fmt.Sprintf("weight%d", l+1), Shape: []int{layer.In, layer.Out}, Data: layer.W})
	}
	return all
}

// Memory is the last changes, with momentum.
func (n *Net) Memory() (all []online.Array) {
	for l, layer := range n.layers {
		if layer.Change != nil {
			all = append(all, online.Array{Name: fmt.Sprintf("change%d", l+1), Shape: []int{layer.In, layer.Out}, Data: layer.Change})
		}
	}
	return all
}
