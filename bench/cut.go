package bench

import (
	"math"

	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// CutError is what a surrogate's cut does to the gradient of a batch of eight:
// ‖g − g₀‖ / ‖g₀‖ and the cosine between g, the gradient with the cut, and g₀,
// the one without, over all parameters.
type CutError struct {
	Relative float64 `json:"relative"`
	Cosine   float64 `json:"cosine"`
	// Live is, for each layer of neurons, the share of membranes within the cut,
	// LiveGroups that of sixteen adjacent channels with one of them among them.
	Live       []float64 `json:"live"`
	LiveGroups []float64 `json:"live_groups"`
}

const cutBatch = 8

// CutError measures the cut of the surrogates of a case of training, with the
// factors that Calibrate returned; nil where there is none.
func (c Case) CutError(factors []float64) (*CutError, error) {
	if c.work == nil || c.Phase != Train {
		return nil, nil
	}
	w, cut := c.work, 0.0
	plain := *w
	plain.layers = nil
	for _, l := range w.layers {
		if s, ok := l.(layer.Spiking); ok { // the workloads have no other populations with a surrogate
			if fast, ok := s.Surrogate.(surrogate.FastSigmoid); ok && fast.Cut > 0 {
				cut = fast.Cut
				s.Surrogate = surrogate.FastSigmoid{Slope: fast.Slope}
				l = s
			}
		}
		plain.layers = append(plain.layers, l)
	}
	if cut == 0 {
		return nil, nil
	}
	exact, err := gradient(&plain, factors)
	if err != nil {
		return nil, err
	}
	rough, err := gradient(w, factors)
	if err != nil {
		return nil, err
	}
	e := &CutError{}
	e.compare(rough, exact)
	return e, e.membranes(w, factors, cut)
}

// gradient is that of the loss of a batch of eight, for all parameters.
func gradient(w *work, factors []float64) (network.Grads, error) {
	net, err := w.network(factors)
	if err != nil {
		return nil, err
	}
	pass := net.Compile(nil, true).NewPass(network.Options{})
	batch, _ := w.feed(cutBatch)
	outs, err := pass.Forward(net.NewState(cutBatch), w.signal(cutBatch), true)
	if err != nil {
		return nil, err
	}
	out := outs[0]
	var dense, dout signal.Signal
	out.Densify(&dense)
	scores := make([]tensor.Float, cutBatch*out.Units())
	if _, err := (loss.CountCrossEntropy{}).Eval(&loss.Call{Out: &dense, Target: &batch.Targets[0], DOut: &dout, Scores: scores}); err != nil {
		return nil, err
	}
	grads := net.NewGrads()
	return grads, pass.Backward(net.NewAdjoint(cutBatch), []*signal.Signal{&dout}, grads)
}

func (e *CutError) compare(rough, exact network.Grads) {
	var diff, dot, a, b float64
	for i := range exact {
		for j, g := range exact[i] {
			x, y := float64(rough[i][j]), float64(g)
			diff += (x - y) * (x - y)
			dot += x * y
			a += x * x
			b += y * y
		}
	}
	e.Relative, e.Cosine = math.Sqrt(diff/b), dot/math.Sqrt(a*b)
}

// membranes counts those within the cut.
func (e *CutError) membranes(w *work, factors []float64, cut float64) error {
	net, err := w.network(factors)
	if err != nil {
		return err
	}
	packed, x := net.Compile(nil, false), w.signal(cutBatch)
	for _, nd := range net.Nodes() {
		if l, ok := nd.Layer.(layer.Population); ok {
			if n, driven := l.Neurons(); driven {
				e.count(n, x, cut)
			}
		}
		var state []tensor.Float
		if l, ok := nd.Layer.(layer.Stateful); ok {
			state = make([]tensor.Float, x.B*l.StateSize(x.Shape))
		}
		if x, err = packed.Eval(nd.Name, []*signal.Signal{x}, state); err != nil {
			return err
		}
	}
	return nil
}

func (e *CutError) count(n neuron.Neuron, x *signal.Signal, cut float64) {
	units := x.B * x.Units()
	u, words := make([]tensor.Float, x.T*units), (units+63)/64
	n.Forward(neuron.Window{
		Steps: x.T, Units: units, Input: neuron.Strided{Data: x.Data, Stride: x.Stride()}, State: make([]tensor.Float, units*n.States()),
		Membrane: neuron.Strided{Data: u, Stride: units}, Spikes: neuron.Bits{Data: make([]uint64, x.T*words), Stride: words},
	})
	live, groups := 0, 0
	for i := 0; i < len(u); i += 16 {
		here := 0
		for _, m := range u[i:min(i+16, len(u))] {
			if z, _ := n.Argument(m); math.Abs(float64(z)) <= cut {
				here++
			}
		}
		live += here
		groups += min(here, 1)
	}
	e.Live = append(e.Live, float64(live)/float64(len(u)))
	e.LiveGroups = append(e.LiveGroups, float64(groups)/float64((len(u)+15)/16))
}
