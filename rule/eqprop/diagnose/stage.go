package diagnose

import (
	"math"

	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/rule/eqprop/coupling"
	"synfire/tensor"
)

// stage couples a layer with the one below it, in float64 and plain loops.
type stage struct {
	*linmap.Pooled           // nil: fully connected
	weights        []float64 // [units below, units]; of a convolution [channels, elements of a patch]
	count          int       // units
}

// stagesOf are the stages of all layers.
func stagesOf(n *coupling.Net) []stage {
	all, convs := make([]stage, len(n.W)), n.Convolutional.Maps()
	for l := range all {
		s := stage{weights: make([]float64, len(n.W[l].Value.Data)), count: n.Sizes[l+1]}
		if l < len(convs) {
			s.Pooled = &convs[l]
		}
		for i := range s.weights {
			s.weights[i] = float64(n.W[l].Value.Data[s.index(i)])
		}
		all[l] = s
	}
	return all
}

// index is where a parameter's array holds weight i of the stage.
func (s *stage) index(i int) int {
	if s.Pooled == nil {
		return i
	}
	return i%s.Patch()*s.N + i/s.Patch()
}

// size is that of a window.
func (s *stage) size() int { return s.Pool.KH }

// places are where the largest elements of w ⋆ below stand in the windows of each
// pooled unit; nil where there is nothing to choose.
func (s *stage) places(below []float64) []int {
	if s.Pooled == nil || s.size() == 1 || s.Pool.Average {
		return nil
	}
	places := make([]int, s.count)
	for u := range places {
		largest := math.Inf(-1)
		for k := range s.size() * s.size() {
			sum := 0.0
			s.patch(u, k, func(image, weight, n int) { sum += dot(below[image:][:n], s.weights[weight:][:n]) })
			if sum > largest {
				largest, places[u] = sum, k
			}
		}
	}
	return places
}

// placesOf are those of all layers but the first, with the states as they are.
func placesOf(stages []stage, states [][]float64) [][]int {
	places := make([][]int, len(stages))
	for k := 1; k < len(states); k++ {
		places[k] = stages[k].places(states[k-1])
	}
	return places
}

// patch calls f for each row of the patch that is element k of a pooled unit's window:
// where it begins in the image and in the weights, and how long it is.
func (s *stage) patch(unit, k int, f func(image, weight, n int)) {
	o, p, size := unit%s.N, unit/s.N, s.size()
	y, x := p/s.Pool.OW*size+k/size-s.PadTop, p%s.Pool.OW*size+k%size-s.PadLeft
	from, to := max(0, -x), min(s.KW, s.W-x)
	for i := range s.KH {
		if row := y + i; row >= 0 && row < s.H && from < to {
			f((row*s.W+x+from)*s.C, ((o*s.KH+i)*s.KW+from)*s.C, (to-from)*s.C)
		}
	}
}

// each calls f for each row of the patches that a unit reads through the pooling, with
// the share that it takes of them.
func (s *stage) each(unit int, places []int, f func(share float64, image, weight, n int)) {
	if s.Pool.Average {
		share := 1 / float64(s.size()*s.size())
		for k := range s.size() * s.size() {
			s.patch(unit, k, func(image, weight, n int) { f(share, image, weight, n) })
		}
		return
	}
	k := 0
	if places != nil {
		k = places[unit]
	}
	s.patch(unit, k, func(image, weight, n int) { f(1, image, weight, n) })
}

// up adds Wᵀ below, or P(w ⋆ below).
func (s *stage) up(dst, below []float64, places []int) {
	if s.Pooled == nil {
		for i, v := range below {
			if v != 0 {
				addScaled(dst, s.weights[i*s.count:][:s.count], v)
			}
		}
		return
	}
	for u := range dst {
		s.each(u, places, func(share float64, image, weight, n int) {
			dst[u] += share * dot(below[image:][:n], s.weights[weight:][:n])
		})
	}
}

// down adds W above, or w ⋆ᵀ P⁻¹(above).
func (s *stage) down(dst, above []float64, places []int) {
	if s.Pooled == nil {
		for i := range dst {
			dst[i] += dot(above, s.weights[i*s.count:][:s.count])
		}
		return
	}
	for u, v := range above {
		if v != 0 {
			s.each(u, places, func(share float64, image, weight, n int) {
				addScaled(dst[image:][:n], s.weights[weight:][:n], share*v)
			})
		}
	}
}

// outer adds below aboveᵀ, or below ⋆ P⁻¹(above), to a gradient.
func (s *stage) outer(gradient, below, above []float64, places []int) {
	if s.Pooled == nil {
		for i, v := range below {
			if v != 0 {
				addScaled(gradient[i*s.count:][:s.count], above, v)
			}
		}
		return
	}
	for u, v := range above {
		if v != 0 {
			s.each(u, places, func(share float64, image, weight, n int) {
				addScaled(gradient[weight:][:n], below[image:][:n], share*v)
			})
		}
	}
}

// couple writes to v what states u of the first layers send each other: A·u, with the
// symmetric coupling A as the places make it.
func couple(stages []stage, places [][]int, v, u [][]float64) {
	for l := range v {
		clear(v[l])
	}
	for l := 1; l < len(u); l++ {
		stages[l].up(v[l], u[l-1], places[l])
		stages[l].down(v[l-1], u[l], places[l])
	}
}

func dot(a, b []float64) (sum float64) {
	b = b[:len(a)]
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// addScaled adds scale·a.
func addScaled(dst, a []float64, scale float64) {
	a = a[:len(dst)]
	for i, v := range a {
		dst[i] += scale * v
	}
}

// like is zeros of the same sizes.
func like(layers [][]float64) [][]float64 {
	out := make([][]float64, len(layers))
	for k, s := range layers {
		out[k] = make([]float64, len(s))
	}
	return out
}

func doubles(x []tensor.Float) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// Norm is the spectral norm ‖A‖₂ of the symmetric coupling among the first layers,
// without the input, by power iteration: a free relaxation lowers the energy in
// every step where ε ≤ 1/(1 + ‖A‖₂), and cannot be stable where
// ε(1 + ‖A‖₂) ≥ 2 and no unit is clipped. Max pooling couples as the states of the
// layers say, with the largest elements where they stand now; other states have a norm
// of their own, and the bounds hold while the places stay. Without pooling the states
// are not read; nil stands for zeros.
func Norm(n *coupling.Net, layers int, states [][]tensor.Float) float64 {
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
	stages := stagesOf(n)
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
