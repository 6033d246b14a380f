package eqprop

import (
	"errors"
	"math"

	"synfire/tensor"
)

// Binary makes the weights of matrix l signs times a scale that stays as it is,
//
//	W_l = a_l·sign(V_l),   a_l = ½√(6/(n_{l−1} + n_l))
//
// the mean size of Glorot's weights. The shadow V_l learns, with the estimate for
// W_l, and is kept in [−2a_l, 2a_l]; a shadow of 0 is a pruned weight, and its sign 0.
// With Spiking what units send is binary too, a bit a step; a network that was trained
// without takes its predictions so through State and SetState.
type Binary struct{}

func (*Binary) validate(c Config) error {
	if c.Activation != Continuous || c.Output != SquaredError || c.Weights != Glorot || c.Particles > 0 {
		return errors.New("eqprop: binary networks have continuous dynamics, the squared error and Glorot's weights, without particles; leave these out")
	}
	return nil
}

// scale is a_l of a matrix.
func scale(w tensor.Param) tensor.Float {
	return tensor.Float(0.5 * math.Sqrt(6/float64(w.Value.Shape[0]+w.Value.Shape[1])))
}

// signing turns rows of a shadow, which it keeps in its range, into weights.
type signing struct{ shadow, w tensor.Param }

func runSigns(p *signing, _, lo, hi int) {
	n, a := p.w.Value.Shape[1], scale(p.w)
	w := p.w.Value.Data[lo*n : hi*n]
	for i, v := range p.shadow.Value.Data[lo*n : hi*n] {
		p.shadow.Value.Data[lo*n+i] = min(max(v, -2*a), 2*a)
		switch {
		case v > 0:
			w[i] = a
		case v < 0:
			w[i] = -a
		default:
			w[i] = 0
		}
	}
}

// learned is the network that learns: the shadows, where there are any, in place of
// weights.
func (r *relaxer) learned() *Net { return thinned{net: r.net, shadow: r.shadow}.learned() }

// learnedPredictor is the same of the predictor; nil where there is none.
func (r *relaxer) learnedPredictor() *Net {
	return thinned{net: r.predictor, shadow: r.forwardShadow}.learned()
}

// newShadow is a network that shares the biases of n, with its weights as shadows.
func newShadow(n *Net) *Net {
	out := &Net{Sizes: n.Sizes, B: n.B}
	for _, w := range n.W {
		v := tensor.Param{Name: "shadow." + w.Name, Value: tensor.New(w.Value.Shape...)}
		copy(v.Value.Data, w.Value.Data)
		out.W = append(out.W, v)
	}
	return out
}
