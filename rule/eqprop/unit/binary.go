package unit

import (
	"math"

	"synfire/internal/par"
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

// Scale is a_l of a matrix.
func Scale(w tensor.Param) tensor.Float {
	return tensor.Float(0.5 * math.Sqrt(6/float64(w.Value.Shape[0]+w.Value.Shape[1])))
}

// Signs turns shadows into weights on many threads, without garbage.
type Signs struct{ loop par.Loop[signing] }

// Take writes the weights of a shadow, which it keeps in its range.
func (s *Signs) Take(pool *par.Pool, w, shadow tensor.Param) {
	s.loop.For(pool, w.Value.Shape[0], 64, signing{shadow, w}, runSigns)
}

// signing turns rows of a shadow, which it keeps in its range, into weights.
type signing struct{ shadow, w tensor.Param }

func runSigns(p *signing, _, lo, hi int) {
	n, a := p.w.Value.Shape[1], Scale(p.w)
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
