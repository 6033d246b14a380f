package bptt_test

import (
	"math"
	"testing"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
)

// stdbNet is two layers of neurons that act late, without biases.
func stdbNet(beta float64, s surrogate.Surrogate) []layer.Layer {
	spiking := layer.Spiking{Neuron: neuron.STDB{Beta: beta, Threshold: 0.3, Delay: true}, Surrogate: s, Varied: layer.Varied{"threshold": layer.PerChannel}}
	return []layer.Layer{
		layer.Linear{Out: 12, NoBias: true}, spiking, layer.Dropout{Rate: 0.2},
		layer.Linear{Out: 9, NoBias: true}, spiking, layer.Linear{Out: 3, NoBias: true},
	}
}

// STDB learns like any rule: state, resumption, threads and windows of time to the bit, with
// masks of dropout that hold for all steps.
func TestLearnerOfSTDB(t *testing.T) {
	for _, s := range []surrogate.Surrogate{surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}, surrogate.Triangle{Height: 0.3, Width: 1}} {
		for _, window := range []int{0, 2} {
			set, batches := setting(t, nil)
			set.Encoder, set.Tasks = encode.Poisson{Scale: 1}, []task.Binding{{Task: task.Classify{}}}
			r := bptt.NewRule()
			r.Layers, r.Loss, r.Window = network.Chain(stdbNet(1, s)...), []bptt.Term{{Loss: loss.CountCrossEntropy{}}}, window
			r.Optimizer = optim.Adam{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
			snntest.Learner(t, r, set, batches...)
		}
	}
}

// Without memory (β = 0) and in one step more than there are layers the gradient is that
// of a feed-forward network of steps with the surrogate's derivative, by hand:
//
//	∂W_2 = h_1ᵀ·(e·W_3ᵀ ∘ σ'(u_2/θ − 1)/θ), and so on down.
func TestGradientOfOneWaveIsFeedForward(t *testing.T) {
	const theta = 0.3
	s := surrogate.Triangle{Height: 0.3, Width: 1}
	spiking := layer.Spiking{Neuron: neuron.STDB{Threshold: theta, Delay: true}, Surrogate: s}
	net, err := network.Sequential(tensor.Shape{5}, 3, layer.Linear{Out: 6, NoBias: true}, spiking, layer.Linear{Out: 4, NoBias: true}, spiking, layer.Linear{Out: 2, NoBias: true})
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, 0.5, 0.25, 1, 0.75}
	in := &signal.Signal{}
	in.Reset(signal.Dense, 3, 1, tensor.Shape{5})
	for i, v := range x {
		in.Data[i] = tensor.Float(v) // the wave starts in step 0 and reaches the scores in step 2
	}
	pass, grads := net.Compile(nil, true).NewPass(network.Options{}), net.NewGrads()
	if _, err := pass.Forward(net.NewState(1), in, true); err != nil {
		t.Fatal(err)
	}
	e := &signal.Signal{}
	e.Reset(signal.Dense, 3, 1, tensor.Shape{2})
	for step := range 3 { // the same at every step
		e.Data[2*step], e.Data[2*step+1] = 0.5, -0.5
	}
	if err := pass.Backward(net.NewAdjoint(1), []*signal.Signal{e}, grads); err != nil {
		t.Fatal(err)
	}
	w := func(i, from, to, width int) float64 { return float64(net.Params()[i].Value.Data[from*width+to]) }
	forward := func(i int, in []float64, width int) (u, spikes, slope []float64) {
		for to := range width {
			sum := 0.0
			for from, v := range in {
				sum += v * w(i, from, to, width)
			}
			u, spikes = append(u, sum), append(spikes, 0)
			if sum > theta {
				spikes[to] = 1
			}
			slope = append(slope, float64(s.Derivative(tensor.Float(sum/theta-1)))/theta)
		}
		return u, spikes, slope
	}
	_, h1, d1 := forward(0, x, 6)
	_, h2, d2 := forward(1, h1, 4)
	g2, g1 := make([]float64, 4), make([]float64, 6)
	for i := range g2 {
		g2[i] = (0.5*w(2, i, 0, 2) - 0.5*w(2, i, 1, 2)) * d2[i]
	}
	for i := range g1 {
		for k := range g2 {
			g1[i] += g2[k] * w(1, i, k, 4) * d1[i]
		}
	}
	check := func(k int, in, g []float64) {
		moved := false
		for i, v := range in {
			for j, e := range g {
				got := float64(grads[k][i*len(g)+j])
				moved = moved || got != 0
				if math.Abs(got-v*e) > 1e-5 {
					t.Errorf("weight %d → %d of layer %d: gradient %v, want %v", i, j, k+1, got, v*e)
				}
			}
		}
		if !moved {
			t.Errorf("layer %d has no gradient: the check shows nothing", k+1)
		}
	}
	check(0, x, g1)
	check(1, h1, g2)
	check(2, h2, []float64{0.5, -0.5})
}

// The errors at the scores sum to nothing, at each step the same: Σ_c (p_c − y_c) = 0.
func TestErrorsOfSummedScores(t *testing.T) {
	out := snntest.Random(signal.Dense, 4, 2, tensor.Shape{3}, 0, 1)
	c := loss.Call{Out: out, Target: &sample.Column{Field: &sample.Field{Kind: sample.Class, Classes: []string{"a", "b", "c"}}, Class: []int{2, 0}}, DOut: &signal.Signal{}, Scores: make([]tensor.Float, 6)}
	if _, err := (loss.CountCrossEntropy{}).Eval(&c); err != nil {
		t.Fatal(err)
	}
	for row := range 8 {
		sum := 0.0
		for k := range 3 {
			g := c.DOut.Data[row*3+k]
			if sum += float64(g); g == 0 || g != c.DOut.Data[row%2*3+k] {
				t.Errorf("row %d: error %v, in step 0 %v", row, g, c.DOut.Data[row%2*3+k])
			}
		}
		if math.Abs(sum) > 1e-7 {
			t.Errorf("row %d: the errors sum to %v", row, sum)
		}
	}
}
