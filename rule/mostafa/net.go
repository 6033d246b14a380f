package mostafa

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// Net is layers of neurons behind the encoding of values. It implements online.Network.
type Net struct {
	rule    Rule
	inputs  int
	classes int
	layers  []*Layer
	z       []float64
	errors  [][]float64
	grads   [][]float64
}

// NewNet makes a network with weights drawn by the seed, of a mean and spread that let the first
// spikes come soon.
func (r Rule) NewNet(inputs, classes int, seed uint64) *Net {
	n := &Net{rule: r, inputs: inputs, classes: classes, z: make([]float64, inputs)}
	sizes := append(append([]int{inputs}, r.Hidden...), classes)
	for l := 1; l < len(sizes); l++ {
		layer := NewLayer(sizes[l-1], sizes[l])
		src := rng.New(seed, rng.Init).Str(fmt.Sprintf("mostafa%d", l)).Source()
		for k := range layer.W {
			layer.W[k] = (r.Mean + src.Norm()*r.Spread*math.Sqrt(float64(layer.In))) / float64(layer.In)
		}
		n.add(layer)
	}
	return n
}

func (n *Net) add(l *Layer) {
	n.layers = append(n.layers, l)
	n.errors = append(n.errors, make([]float64, l.Out))
	n.grads = append(n.grads, nil)
}

// Fork shares the weights.
func (n *Net) Fork() online.Network {
	f := &Net{rule: n.rule, inputs: n.inputs, classes: n.classes, z: make([]float64, n.inputs)}
	for _, l := range n.layers {
		f.add(l.share())
	}
	return f
}

// Z are those of each layer for a sample. They are the network's until the next call.
func (n *Net) Z(x []tensor.Float) (all [][]float64) {
	for i, v := range x {
		n.z[i] = n.rule.encode(float64(v))
	}
	z := n.z
	for _, l := range n.layers {
		z = l.Forward(z)
		all = append(all, z)
	}
	return all
}

// Layers are the network's layers.
func (n *Net) Layers() []*Layer { return n.layers }

// Run answers by the first output to fire. The loss is the cross-entropy alone.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (e float64, err error) {
	for i, v := range x {
		if v < 0 || v > 1 {
			return 0, fmt.Errorf("value %d is %v, and times stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
	}
	all := n.Z(x)
	z := all[len(all)-1]
	for j, v := range z {
		scores[j] = -min(v, math.MaxFloat32)
	}
	if label >= 0 {
		e = loss(z, label, n.errors[len(n.layers)-1])
	}
	return e, nil
}

// Gradients adds those of the sample that was run with a label to g, one for each layer.
func (n *Net) Gradients(g [][]float64) {
	for l := len(n.layers) - 1; l >= 0; l-- {
		var back []float64
		if l > 0 {
			back = n.errors[l-1]
		}
		n.layers[l].Backward(n.errors[l], g[l], back)
	}
}

// Learn changes all weights by the gradient of a sample, clipped in each layer, and by the cost
// of neurons that cannot fire.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	e, err := n.Run(x, label, scores)
	if err != nil {
		return 0, err
	}
	for l, layer := range n.layers {
		if n.grads[l] == nil {
			n.grads[l] = make([]float64, len(layer.W))
		}
		clear(n.grads[l])
	}
	n.Gradients(n.grads)
	rate := factor * n.rule.LR
	for l, layer := range n.layers {
		norm := 0.0
		for _, v := range n.grads[l] {
			norm += v * v
		}
		by := rate
		if norm = math.Sqrt(norm); norm > n.rule.Clip {
			by *= n.rule.Clip / norm
		}
		for k, v := range n.grads[l] {
			layer.W[k] -= by * v
		}
		n.lift(layer, rate)
	}
	return e, nil
}

// lift raises the weights of neurons whose sum is below 1, by the gradient of the cost K.
func (n *Net) lift(l *Layer, rate float64) {
	clear(l.p)
	for i := range l.In {
		for j, w := range l.W[i*l.Out:][:l.Out] {
			l.p[j] += w
		}
	}
	for j, sum := range l.p {
		if sum >= 1 {
			continue
		}
		by := min(rate*n.rule.SumCost, 2*(1-sum)/float64(l.In)) // no further than to as much above 1
		for i := range l.In {
			l.W[i*l.Out+j] += by
		}
	}
}

// Model is the weights of each layer, [in, out].
func (n *Net) Model() (all []online.Array) {
	for l, layer := range n.layers {
		all = append(all, online.Array{Name: fmt.Sprintf("weight%d", l+1), Shape: []int{layer.In, layer.Out}, Data: layer.W})
	}
	return all
}

// Memory is nothing.
func (n *Net) Memory() []online.Array { return nil }
