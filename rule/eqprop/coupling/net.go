// Package coupling is what couples the layers of a network that relaxes: weights that are
// used in both directions, as linear maps.
//
// With the input s_0 = x, states s_l in [0, 1], and for a layer the map A_l of its
// weights, dense or convolutional, and the pooling P_l (or none),
//
//	E(s) = Σ_l ½‖s_l‖² − ⟨P_l(A_l s_{l−1} + b_l), s_l⟩
//
// so that layer l is driven by P_l(A_l s_{l−1} + b_l) from below and by
// A_{l+1}ᵀ P_{l+1}⁻¹ s_{l+1} from above, and the gradient of −E with the weights is the
// outer product of s_{l−1} and P_l⁻¹ s_l.
package coupling

import (
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/tensor"
)

// Weights is the distribution that initial weights are drawn from.
type Weights uint8

// The distributions.
const (
	Glorot Weights = iota // U(±√(6/(n_{l−1}+n_l))), biases 0
	FanIn                 // U(±1/√n_{l−1}), biases too
)

var weightsNames = []string{"glorot", "fan-in"}

// String is the distribution's name in configurations.
func (w Weights) String() string { return enum.Name(w, weightsNames) }

// MarshalText is String.
func (w Weights) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText is the inverse of String.
func (w *Weights) UnmarshalText(text []byte) error {
	return enum.Parse(w, text, "distribution of weights", weightsNames)
}

// Net is the parameters of a layered network, each weight used in both
// directions. Index l − 1 belongs to layer l.
type Net struct {
	Sizes         []int
	Convolutional *Convolutional // of the first layers; nil: none
	W             []tensor.Param // W_l [n_{l−1}, n_l]; of a convolution [kernel, kernel, channels below, channels]
	B             []tensor.Param // b_l [n_l]; of a convolution [channels]
}

// NewNet draws the weights of a network, with convolutions as its first layers or none
// (nil); each depends on the seed and its parameter's name alone, and prefix begins the
// names.
func NewNet(c *Convolutional, sizes []int, weights Weights, seed uint64, prefix string) *Net {
	n, convs := &Net{Sizes: sizes, Convolutional: c}, c.Maps()
	for l := 1; l < len(sizes); l++ {
		in, out := sizes[l-1], sizes[l]
		shape, units := tensor.Shape{in, out}, out
		if l <= len(convs) {
			g := convs[l-1]
			shape, units = g.Kernel(), g.N
			in, out = g.Patch(), g.KH*g.KW*g.N
		}
		w := tensor.Param{Name: fmt.Sprintf("%sw%d", prefix, l), Value: tensor.New(shape...)}
		b := tensor.Param{Name: fmt.Sprintf("%sb%d", prefix, l), Value: tensor.New(units)}
		if weights == FanIn {
			fillUniform(w, seed, 1/math.Sqrt(float64(in)))
			fillUniform(b, seed, 1/math.Sqrt(float64(in)))
		} else {
			fillUniform(w, seed, math.Sqrt(6/float64(in+out)))
		}
		n.W, n.B = append(n.W, w), append(n.B, b)
	}
	return n
}

func fillUniform(p tensor.Param, seed uint64, bound float64) {
	src := rng.New(seed, rng.Init).Str(p.Name).Source()
	for i := range p.Value.Data {
		p.Value.Data[i] = tensor.Float(bound * (2*src.Float64() - 1))
	}
}

// Params are all parameters in order.
func (n *Net) Params() []tensor.Param {
	var all []tensor.Param
	for l := range n.W {
		all = append(all, n.W[l], n.B[l])
	}
	return all
}

// Zeros is a network of the same sizes without weights.
func (n *Net) Zeros() *Net {
	out := &Net{Sizes: n.Sizes, Convolutional: n.Convolutional}
	for l := range n.W {
		out.W = append(out.W, tensor.Param{Name: n.W[l].Name, Value: tensor.New(n.W[l].Value.Shape...)})
		out.B = append(out.B, tensor.Param{Name: n.B[l].Name, Value: tensor.New(n.B[l].Value.Shape...)})
	}
	return out
}

// Columns is the columns of W_l: units, or a convolution's channels. Rows is its rows:
// units below, or the elements of a patch.
func (n *Net) Columns(l int) int { return len(n.B[l-1].Value.Data) }
func (n *Net) Rows(l int) int    { return len(n.W[l-1].Value.Data) / n.Columns(l) }

// Energy is E of one sample with the input x and the states s_1 … s_l of the
// first layers, in float64. States are taken to lie in [0, 1].
func (n *Net) Energy(x []tensor.Float, states [][]tensor.Float) float64 {
	below, sum, convs := x, 0.0, n.Convolutional.Maps()
	for l, s := range states {
		if l < len(convs) {
			sum -= product(convs[l], n.W[l].Value.Data, n.B[l].Value.Data, below, s)
			for _, v := range s {
				sum += 0.5 * float64(v) * float64(v)
			}
			below = s
			continue
		}
		for j, v := range s {
			sum += 0.5*float64(v)*float64(v) - float64(n.B[l].Value.Data[j])*float64(v)
		}
		w := n.W[l].Value.Data
		for i, u := range below {
			if u == 0 {
				continue
			}
			dot := 0.0
			for j, v := range s {
				dot += float64(w[i*len(s)+j]) * float64(v)
			}
			sum -= float64(u) * dot
		}
		below = s
	}
	return sum
}

// product is ⟨P(w ⋆ below + c), s⟩ in float64.
func product(g linmap.Pooled, w, bias, below, s []tensor.Float) (sum float64) {
	for i, v := range s {
		o, p := i%g.N, i/g.N
		sum += float64(v) * pooled(g, w, bias, below, p/g.Pool.OW, p%g.Pool.OW, o)
	}
	return sum
}

// pooled is one element behind the pooling, of window (y, x).
func pooled(g linmap.Pooled, w, bias, below []tensor.Float, y, x, o int) (out float64) {
	size := g.Pool.KH
	for k := range size * size {
		v := element(g.Map, w, below, y*size+k/size, x*size+k%size, o) + float64(bias[o])
		switch {
		case g.Pool.Average:
			out += v / float64(size*size)
		case k == 0 || v > out:
			out = v
		}
	}
	return out
}

// element is one of w ⋆ below.
func element(g linmap.Map, w, below []tensor.Float, y, x, o int) (sum float64) {
	for i := range g.KH {
		for j := range g.KW {
			p, q := y+i-g.PadTop, x+j-g.PadLeft
			if p < 0 || p >= g.H || q < 0 || q >= g.W {
				continue
			}
			for c, v := range below[(p*g.W+q)*g.C:][:g.C] {
				sum += float64(v) * float64(w[((i*g.KW+j)*g.C+c)*g.N+o])
			}
		}
	}
	return sum
}
