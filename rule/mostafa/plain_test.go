package mostafa

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
)

// plain is the equations one by one: for each neuron its prefixes of the sorted inputs, and the
// derivatives of a causal set.
func plain(l *Layer, in, errors []float64) (z, grad, back []float64) {
	var order []int
	for i, v := range in {
		if !math.IsInf(v, 1) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(in[a], in[b]) })
	z, grad, back = make([]float64, l.Out), make([]float64, len(l.W)), make([]float64, l.In)
	for j := range z {
		z[j] = Silent
		s, p := 0.0, 0.0
		for k, i := range order {
			w := l.W[i*l.Out+j]
			s, p = s+w, p+w*in[i]
			next := math.Inf(1)
			if k+1 < len(order) {
				next = in[order[k+1]]
			}
			if s <= 1 || p/(s-1) > next || next == in[i] {
				continue
			}
			z[j] = p / (s - 1)
			for _, c := range order[:k+1] {
				grad[c*l.Out+j] = errors[j] * (in[c] - z[j]) / (s - 1)
				back[c] += errors[j] * l.W[c*l.Out+j] / (s - 1)
			}
			break
		}
	}
	return z, grad, back
}

// The loops over groups and blocks are the plain ones: with inputs of two times of which most are
// late, also with some silent, of many times, of some times each for some inputs, and silent ones; and
// of more neurons than a block.
func TestPlain(t *testing.T) {
	src := rng.New(5, "plain").Source()
	for name, draw := range map[string]func() float64{
		"two times": func() float64 {
			if src.Float64() < 0.2 {
				return 1
			}
			return 6
		},
		"late or silent": func() float64 {
			switch v := src.Float64(); {
			case v < 0.2:
				return 1
			case v < 0.9:
				return 6
			}
			return Silent
		},
		"all times":  func() float64 { return math.Exp(2 * src.Float64()) },
		"some times": func() float64 { return math.Exp(float64(src.IntN(10)) / 5) },
		"silent": func() float64 {
			if src.Float64() < 0.3 {
				return Silent
			}
			return math.Exp(float64(src.IntN(30)) / 15)
		},
	} {
		l := NewLayer(60, 70)
		for k := range l.W {
			l.W[k] = 0.3*src.Norm() + 0.03
		}
		l.Refresh()
		p, fired, r := l.NewPass(), 0, new(room)
		for range 20 {
			in, errors, back := make([]float64, 60), make([]float64, 70), make([]float64, 60)
			for i := range in {
				in[i] = draw()
			}
			for j := range errors {
				errors[j] = src.Norm()
			}
			z, grad, want := plain(l, in, errors)
			for j, v := range p.Forward(in) {
				if math.IsInf(v, 1) && math.IsInf(z[j], 1) {
					continue
				}
				fired++
				near(t, name+": z", v, z[j], 1e-9*z[j])
			}
			clip := math.Inf(1)
			norm := 0.0
			for _, g := range grad {
				norm += g * g
			}
			if norm = math.Sqrt(norm); src.IntN(2) == 0 {
				clip = norm / 3
			}
			p.Backward(errors, clip, back)
			for i := range back {
				near(t, name+": back", back[i], want[i], 1e-8*(1+math.Abs(want[i])))
			}
			scale := min(1, clip/norm)
			near(t, name+": scale", p.scale, scale, 1e-8)
			for lo := 0; lo < l.Out; lo += block {
				hi := min(lo+block, l.Out)
				r.begin(l.In * (hi - lo))
				p.gradient(lo, hi, r)
				for i := range l.In {
					for j := lo; j < hi; j++ {
						near(t, name+": gradient", r.grad[i*(hi-lo)+j-lo]+r.all[j-lo], scale*grad[i*l.Out+j], 1e-9*norm)
					}
				}
			}
		}
		if fired < 300 {
			t.Errorf("%s: %d of 1,400 fired", name, fired)
		}
	}
}
