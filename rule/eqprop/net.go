package eqprop

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/tensor"
)

// Net is the parameters of a layered network, each weight used in both
// directions. Index l − 1 belongs to layer l.
type Net struct {
	Sizes         []int
	Convolutional *Convolutional // of the first layers; nil: none
	W             []tensor.Param // W_l [n_{l−1}, n_l]; of a convolution [kernel, kernel, channels below, channels]
	B             []tensor.Param // b_l [n_l]; of a convolution [channels]
}

// NewNet draws the weights of a fully connected network; each depends on the seed and
// its parameter's name alone, and prefix begins the names.
func NewNet(sizes []int, weights Weights, seed uint64, prefix string) *Net {
	return newNet(nil, sizes, weights, seed, prefix)
}

// newNet is NewNet with convolutions, or none, as the first layers.
func newNet(c *Convolutional, sizes []int, weights Weights, seed uint64, prefix string) *Net {
	n, convs := &Net{Sizes: sizes, Convolutional: c}, c.geometry()
	for l := 1; l < len(sizes); l++ {
		in, out := sizes[l-1], sizes[l]
		shape, units := tensor.Shape{in, out}, out
		if l <= len(convs) {
			g := convs[l-1]
			shape, units = tensor.Shape{g.Kernel, g.Kernel, g.c, g.Out}, g.Out
			in, out = g.Kernel*g.run(), g.Kernel*g.Kernel*g.Out
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

// columns is the columns of W_l: units, or a convolution's channels. rows is its rows:
// units below, or the elements of a patch.
func (n *Net) columns(l int) int { return len(n.B[l-1].Value.Data) }
func (n *Net) rows(l int) int    { return len(n.W[l-1].Value.Data) / n.columns(l) }

// Energy is E of one sample with the input x and the states s_1 … s_l of the
// first layers, in float64. States are taken to lie in [0, 1].
func (n *Net) Energy(x []tensor.Float, states [][]tensor.Float) float64 {
	below, sum, convs := x, 0.0, n.Convolutional.geometry()
	for l, s := range states {
		if l < len(convs) {
			sum += 0.5*squares(s) - convs[l].energy(n.W[l].Value.Data, n.B[l].Value.Data, below, s)
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

func squares(s []tensor.Float) (sum float64) {
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return sum
}

// Norm is the spectral norm ‖A‖₂ of the symmetric coupling among the first layers,
// without the input, by power iteration: a free relaxation lowers the energy in
// every step where ε ≤ 1/(1 + ‖A‖₂), and cannot be stable where
// ε(1 + ‖A‖₂) ≥ 2 and no unit is clipped. Max pooling couples as the states of the
// layers say, with the largest elements where they stand now; other states have a norm
// of their own, and the bounds hold while the places stay. Without pooling the states
// are not read; nil stands for zeros.
func (n *Net) Norm(layers int, states [][]tensor.Float) float64 {
	u, now := make([][]float64, layers), make([][]float64, layers)
	src := rng.New(0, "norm").Source()
	for l := range u {
		u[l], now[l] = make([]float64, n.Sizes[l+1]), make([]float64, n.Sizes[l+1])
		for i := range u[l] {
			u[l][i] = src.Norm()
		}
		if states != nil {
			now[l] = doubles(states[l])
		}
	}
	stages := n.stages()
	places, v, norm := placesOf(stages, now), like(u), 0.0
	const rounds = 60 // of A², so that eigenvalues of both signs count
	for range 2 * rounds {
		norm = scaleToUnit(u)
		couple(stages, places, v, u)
		u, v = v, u
	}
	return norm
}

// scaleToUnit divides by the length and returns it.
func scaleToUnit(u [][]float64) float64 {
	sum := 0.0
	for _, layer := range u {
		for _, x := range layer {
			sum += x * x
		}
	}
	norm := math.Sqrt(sum)
	if norm > 0 {
		for _, layer := range u {
			for i := range layer {
				layer[i] /= norm
			}
		}
	}
	return norm
}
