// Package bpstdp trains deep networks of neurons that integrate and fire, by changes at the times
// of wanted spikes that approximate backpropagation and are local in time (Tavanaei and Maida,
// "BP-STDP: Approximating backpropagation using spike timing dependent plasticity", Neurocomputing
// 330, 2019; arXiv 1711.04214).
//
// Time is T steps. An input of value x fires in a share rate·x of them: by chance (poisson), or in a
// regular train, whose phase φ in [0, 1) is drawn once for each input; in each step φ ← φ + rate·x, and
// where that reaches 1 the input fires and 1 is taken off. A neuron adds the weights of what fires, and
// begins anew where it reaches its threshold:
//
//	U_j(t) = U_j(t−1) + Σ_i w_ij s_i(t);   where U_j ≥ θ:  s_j(t) = 1, U_j ← 0
//
// θ is 0.9 of hidden neurons and 0.025 times the neurons below of outputs. The output of the label is
// wanted to fire every period steps, the others never. At each wanted spike, with the window from
// t − ε to t,
//
//	ξ_k = 1 where k is the label and has not fired in the window, −1 where it is not and has, else 0
//	Δw_jk = η ξ_k Σ_window s_j
//	Δw_ij = η e_j Σ_window s_i,   e_j = Σ_k ξ_k w_jk of hidden neurons j that fired in the window, else 0
//
// and on, layer by layer, by the e of the layer above: a spike count in the place of a rectified
// unit, whose derivative is whether it fired. The answer is the output with most spikes, of equals
// that of the highest potential.
//
// The weights stand still while a sample is shown; a batch changes them by the mean of its samples'
// changes. Published changes are made at once, which is another order of the same sums.
package bpstdp

import (
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// layer is the weights of neurons, [in, out].
type layer struct {
	in, out   int
	threshold tensor.Float
	w         []tensor.Float
}

// trains is which units of a layer fire in each step.
type trains [][]int32

// event is the changes of a wanted spike, of each layer: those of weight ij are counts_i·errors_j.
type event struct {
	units  [][]int32        // inputs that fired in the window
	counts [][]tensor.Float // how often
	errors [][]tensor.Float // of the neurons
}

// trial is one sample's course through the network.
type trial struct {
	rule   *Rule
	layers []*layer
	steps  int
	spikes []trains         // of the inputs and of each layer
	u      [][]tensor.Float // of each layer
	fired  []int            // spikes of each output
	count  [][]tensor.Float // spikes in the window, of the inputs and of each layer
	events []event
	used   int // of events
	wrong  int // ξ that are not 0
}

func newTrial(r *Rule, layers []*layer, steps int) *trial {
	t := &trial{rule: r, layers: layers, steps: steps, spikes: []trains{make(trains, steps)}, count: [][]tensor.Float{make([]tensor.Float, layers[0].in)}}
	for _, l := range layers {
		t.spikes = append(t.spikes, make(trains, steps))
		t.u = append(t.u, make([]tensor.Float, l.out))
		t.count = append(t.count, make([]tensor.Float, l.out))
	}
	t.fired = make([]int, layers[len(layers)-1].out)
	return t
}

// encode makes the inputs' spikes of values, in regular trains by their phases or by chance.
func (t *trial) encode(x []tensor.Float, phases []float64, chance *rng.Source) {
	in := t.spikes[0]
	for s := range in {
		in[s] = in[s][:0]
	}
	for i, v := range x {
		if v == 0 {
			continue
		}
		p, at := float64(v)*t.rule.Rate, phases[i]
		for s := range in {
			if chance != nil {
				if chance.Float64() < p {
					in[s] = append(in[s], int32(i))
				}
				continue
			}
			if at += p; at >= 1 {
				at--
				in[s] = append(in[s], int32(i))
			}
		}
	}
}

// run shows the encoded sample. With a label of 0 or more it keeps what is to be learned.
func (t *trial) run(label int) {
	t.used, t.wrong = 0, 0
	clear(t.fired)
	for l := range t.u {
		clear(t.u[l])
	}
	last := len(t.layers)
	for s := range t.steps {
		for l, layer := range t.layers {
			u := t.u[l]
			kernel.AddRows(u, layer.w, layer.out, t.spikes[l][s])
			out := t.spikes[l+1][s][:0]
			for j, v := range u {
				if v >= layer.threshold {
					u[j] = 0
					out = append(out, int32(j))
				}
			}
			t.spikes[l+1][s] = out
		}
		for _, k := range t.spikes[last][s] {
			t.fired[k]++
		}
		if label >= 0 && (s+1)%t.rule.Period == 0 {
			t.teach(s, label)
		}
	}
}

// teach notes the changes of a wanted spike at a step.
func (t *trial) teach(step, label int) {
	for l := range t.count {
		clear(t.count[l])
		for s := max(0, step-t.rule.Window); s <= step; s++ {
			for _, i := range t.spikes[l][s] {
				t.count[l][i]++
			}
		}
	}
	e, last := t.event(), len(t.layers)-1
	wrong := 0
	for k, n := range t.count[last+1] {
		switch {
		case k == label && n == 0:
			e.errors[last][k] = 1
			wrong++
		case k != label && n > 0:
			e.errors[last][k] = -1
			wrong++
		default:
			e.errors[last][k] = 0
		}
	}
	if wrong == 0 {
		return
	}
	t.wrong += wrong
	t.used++
	for l := last; l > 0; l-- {
		layer, above := t.layers[l], e.errors[l]
		for j, n := range t.count[l] {
			sum := tensor.Float(0)
			if n > 0 {
				for k, w := range layer.w[j*layer.out:][:layer.out] {
					sum += tensor.Float(above[k] * w)
				}
			}
			e.errors[l-1][j] = sum
		}
	}
	for l := range t.layers {
		e.units[l], e.counts[l] = kernel.Nonzeros(e.units[l][:0], e.counts[l][:0], t.count[l], 0)
	}
}

// event is the next that is free.
func (t *trial) event() event {
	if t.used == len(t.events) {
		e := event{units: make([][]int32, len(t.layers)), counts: make([][]tensor.Float, len(t.layers))}
		for _, l := range t.layers {
			e.errors = append(e.errors, make([]tensor.Float, l.out))
		}
		t.events = append(t.events, e)
	}
	return t.events[t.used]
}

// score writes what the answer is the largest of: spikes, and less than half a spike by the potential.
func (t *trial) score(scores []float64) {
	last := len(t.layers) - 1
	for k, n := range t.fired {
		u, theta := float64(t.u[last][k]), float64(t.layers[last].threshold)
		scores[k] = float64(n) + u/(2*(theta+max(u, -u)))
	}
}

// block is how many neurons learn together, on one thread.
const block = 128

// learn changes the weights of the neurons from lo to hi by the trials' events, in their order. Sums
// is for the thread's use.
func (l *layer) learn(at int, trials []*trial, lo, hi int, rate tensor.Float, sums []tensor.Float) {
	n := hi - lo
	sums = sums[:l.in*n]
	clear(sums)
	for _, t := range trials {
		for _, e := range t.events[:t.used] {
			errors := e.errors[at][lo:hi]
			if kernel.CountNonzero(errors) == 0 {
				continue
			}
			for k, i := range e.units[at] {
				kernel.AddScaled(sums[int(i)*n:][:n], errors, e.counts[at][k])
			}
		}
	}
	for i := range l.in {
		kernel.AddScaled(l.w[i*l.out+lo:][:n], sums[i*n:][:n], rate)
	}
}
