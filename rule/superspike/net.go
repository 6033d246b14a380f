package superspike

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/tensor"
)

// plastic is the synapses of a layer.
type plastic struct {
	in, out int
	w       tensor.Tensor // [in, out], mV
	scale   tensor.Tensor // [in, out], √v
	learns  bool
	// feedback [from, out]: row k is what mismatch k of the next layer, or with straight
	// feedback of the outputs, adds to the errors of this one. nil at the output.
	feedback []tensor.Float
	straight bool
}

// net is layers from the input to the output.
type net struct {
	rule    Rule
	layers  []plastic
	updates uint64
}

// newNet draws the weights: those of layer l are normal, by (seed, name).
func newNet(r Rule, inputs, outputs int, seed uint64) *net {
	n := &net{rule: r}
	sizes := append(append([]int{inputs}, r.Hidden...), outputs)
	for l := range len(sizes) - 1 {
		in, out := sizes[l], sizes[l+1]
		p := plastic{in: in, out: out, w: tensor.New(in, out), scale: tensor.New(in, out), learns: true}
		src, deviation := rng.New(seed, rng.Init).Str(weightName(l)).Source(), r.Init/math.Sqrt(float64(in))
		for i := range p.w.Data {
			p.w.Data[i] = tensor.Float(min(max(deviation*src.Norm(), -r.Bound), r.Bound))
		}
		if hidden := l < len(r.Hidden); hidden {
			p.learns = !r.Frozen
			p.straight = r.Feedback != Symmetric
			p.feedback = make([]tensor.Float, out*sizes[l+2])
			if p.straight {
				p.feedback = make([]tensor.Float, out*outputs)
			}
			src := rng.New(seed, rng.Init).Str(fmt.Sprintf("layer%d.feedback", l+1)).Source()
			for i := range p.feedback {
				switch r.Feedback {
				case Random:
					p.feedback[i] = tensor.Float(src.Norm())
				case Uniform:
					p.feedback[i] = 1
				}
			}
		}
		n.layers = append(n.layers, p)
	}
	n.transpose()
	return n
}

func weightName(l int) string { return fmt.Sprintf("layer%d.weight", l+1) }
func scaleName(l int) string  { return fmt.Sprintf("layer%d.scale", l+1) }

// top is the layer of outputs.
func (n *net) top() *plastic { return &n.layers[len(n.layers)-1] }

// transpose takes the current weights as symmetric feedback.
func (n *net) transpose() {
	for l := range len(n.layers) - 1 {
		p, next := &n.layers[l], &n.layers[l+1]
		if p.straight {
			continue
		}
		for j := range next.in {
			for k, v := range next.w.Data[j*next.out:][:next.out] {
				p.feedback[k*next.in+j] = v
			}
		}
	}
}

// mismatch is a spike of an output that has no target in its step (−1), or a target
// without a spike (+1).
type mismatch struct {
	unit int32
	err  tensor.Float
}

// mismatches appends those of a step, of spikes and targets in ascending order.
func mismatches(dst []mismatch, fired, target []int32) []mismatch {
	for len(fired) > 0 || len(target) > 0 {
		switch {
		case len(target) == 0 || len(fired) > 0 && fired[0] < target[0]:
			dst, fired = append(dst, mismatch{fired[0], -1}), fired[1:]
		case len(fired) == 0 || target[0] < fired[0]:
			dst, target = append(dst, mismatch{target[0], 1}), target[1:]
		default:
			fired, target = fired[1:], target[1:]
		}
	}
	return dst
}

// errors writes the error of each layer, err[l] [units], in a step with mismatches.
func (n *net) errors(err [][]tensor.Float, m []mismatch) {
	top := len(n.layers) - 1
	clear(err[top])
	for _, k := range m {
		err[top][k.unit] = k.err
	}
	for l := top - 1; l >= 0; l-- {
		p := &n.layers[l]
		clear(err[l])
		if p.straight || l == top-1 {
			for _, k := range m {
				addScaled(err[l], p.feedback[int(k.unit)*p.out:], k.err)
			}
			continue
		}
		for k, v := range err[l+1] {
			if v != 0 {
				addScaled(err[l], p.feedback[k*p.out:], v)
			}
		}
	}
}

func addScaled(dst, src []tensor.Float, by tensor.Float) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] += tensor.Float(by * v)
	}
}

// rate is r₀ after the updates so far.
func (n *net) rate() float64 {
	if n.rule.DecayEvery == 0 {
		return n.rule.Rate
	}
	return n.rule.Rate * math.Pow(n.rule.Decay, float64(n.updates/uint64(n.rule.DecayEvery)))
}

// finite returns an error for a weight that is no number: its neuron would fall silent.
func (n *net) finite() error {
	for l, p := range n.layers {
		if i, ok := tensor.Finite(p.w.Data); !ok {
			return fmt.Errorf("superspike: update %d: element %d of %s is %v; lower rho or rate", n.updates, i, weightName(l), p.w.Data[i])
		}
	}
	return nil
}

// update changes the weights by the sums m [in, out] of each layer over some steps that
// last so many milliseconds. The square root of v is kept in place of v: √v ← max(|g|, √γ·√v).
func (n *net) update(m [][]tensor.Float, steps int, ms float64) {
	rate, epsilon, bound := tensor.Float(n.rate()), tensor.Float(n.rule.Epsilon), tensor.Float(n.rule.Bound)
	gamma, per := tensor.Float(math.Exp(-ms/n.rule.TauRMS/2)), 1/tensor.Float(steps)
	for l := range n.layers {
		p := &n.layers[l]
		if !p.learns {
			continue
		}
		w, scale := p.w.Data, p.scale.Data
		for i, v := range m[l] {
			v *= per
			m[l][i], scale[i] = v, max(v, -v, tensor.Float(gamma*scale[i]))
		}
		largest := tensor.Float(0)
		if n.rule.LayerMax {
			largest = slices.Max(scale)
		}
		for i, g := range m[l] {
			if s := max(scale[i], largest); g != 0 {
				w[i] = min(max(w[i]+rate*(g/(s+epsilon)), -bound), bound)
			}
		}
	}
	n.updates++
	n.transpose()
}
