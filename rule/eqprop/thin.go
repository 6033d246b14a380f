package eqprop

import (
	"slices"

	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// thinned is a network that pruning thins out: its own shadow, or none, what is kept of
// it, and how it was drawn.
type thinned struct {
	net, shadow *coupling.Net
	kept        []sparse.Matrix
	prefix      string
}

// learned is the network that learns: the shadow, if there is one.
func (t thinned) learned() *coupling.Net {
	if t.shadow != nil {
		return t.shadow
	}
	return t.net
}

// thinned are the network and the predictor.
func (r *relaxer) thinned() []thinned {
	all := []thinned{{r.net, r.shadow, r.kept, ""}}
	if r.predictor != nil {
		all = append(all, thinned{r.predictor, r.forwardShadow, r.forwardKept, forwardPrefix})
	}
	return all
}

func (r *relaxer) regrows() bool { return r.c.Pruning != nil && r.c.Pruning.Regrow }

// prune follows the schedule after a step. Between its changes the update keeps at
// zero what was pruned.
func (r *relaxer) prune(step int) {
	p := r.c.Pruning
	if p == nil || !p.Due(step) {
		return
	}
	for i, t := range r.thinned() {
		var first *coupling.Net
		if p.Saliency == sparse.Movement {
			first = coupling.NewNet(r.net.Convolutional, r.sizes, r.c.Weights, r.c.Seed, t.prefix)
		}
		for l, param := range t.learned().W {
			w := param.Value.Data
			if p.Regrow {
				w = slices.Clone(w)
			}
			if i > 0 && p.SharedMask {
				r.kept[l].Mask(w, 0, r.sizes[l])
			} else {
				r.thin(w, l, step, first)
			}
			t.kept[l].List(w, r.sizes[l], r.sizes[l+1])
		}
	}
}

// thin prunes a matrix as far as the schedule says.
func (r *relaxer) thin(w []tensor.Float, l, step int, first *coupling.Net) {
	p, final := r.c.Pruning, r.c.Pruning.Sparsity
	if l == len(r.sizes)-2 {
		final = p.Last
	}
	var drawn []tensor.Float
	if first != nil {
		drawn = first.W[l].Value.Data
	}
	sparse.Prune(w, p.Saliency.Of(w, drawn), p.At(step, final))
}

// listKept takes up which weights are not pruned.
func (r *relaxer) listKept() {
	for _, t := range r.thinned() {
		net := t.learned()
		if r.regrows() {
			net = t.net
		}
		for l, w := range net.W {
			t.kept[l].List(w.Value.Data, r.sizes[l], r.sizes[l+1])
		}
	}
}

// learned is the network that learns: the shadows, where there are any, in place of
// weights.
func (r *relaxer) learned() *coupling.Net { return thinned{net: r.net, shadow: r.shadow}.learned() }

// learnedPredictor is the same of the predictor; nil where there is none.
func (r *relaxer) learnedPredictor() *coupling.Net {
	return thinned{net: r.predictor, shadow: r.forwardShadow}.learned()
}

// newShadow is a network that shares the biases of n, with its weights as shadows.
func newShadow(n *coupling.Net) *coupling.Net {
	out := &coupling.Net{Sizes: n.Sizes, B: n.B}
	for _, w := range n.W {
		v := tensor.Param{Name: "shadow." + w.Name, Value: tensor.New(w.Value.Shape...)}
		copy(v.Value.Data, w.Value.Data)
		out.W = append(out.W, v)
	}
	return out
}
