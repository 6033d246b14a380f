// Package limit holds limits of activity: maps from the drives of a layer to states of
// which few are above zero. For drives z and at most k units they are
//
//	budget     the nearest point of {0 ≤ s ≤ 1, Σ s ≤ k}:  s = clip(z − θ, 0, 1)
//	soft       s = 1/(1 + exp(−(z − θ)/τ)) with Σ s = k
//	hard       1 for the k largest, else 0
//	perturbed  the mean over noise ξ of the k largest of z + σξ
//
// with one θ for a layer, which Newton's steps find.
package limit

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/enum"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// TopK limits the activity of hidden layers to K, so that few units are above zero.
// A predictor is limited with its own TopK; else the first step limits its states. Of
// spiking units the drive d is limited, and the states move towards that. With End the
// limit falls from a layer's size to K on pruning's cubic, between two steps of training.
type TopK struct {
	K           float64 `yaml:"k"`           // units; at least the layer's size limits nothing
	Variant     Variant `yaml:"variant"`     // budget, soft, hard or perturbed
	Temperature float64 `yaml:"temperature"` // τ of soft, and the standard deviation σ of perturbed's noise
	Begin       int     `yaml:"begin"`       // step of training after which the limit falls
	End         int     `yaml:"end"`         // and that after which it is K; 0: from the start
	// Hot is τ of Soft at first, which falls to Temperature by the same factor in each
	// of Cooling steps of training; 0 leaves it as it is.
	Hot     float64 `yaml:"hot"`     // temperature at first, of soft; 0: none
	Cooling int     `yaml:"cooling"` // steps of training in which it falls to temperature
}

// Variant is a form of top-k.
type Variant uint8

// The variants. In Budget, Soft and Perturbed the map from drives to states is the
// gradient of a convex function, so that the estimates stay gradients.
const (
	// Budget projects onto {0 ≤ s ≤ 1, Σ s ≤ K}: clip(v − θ, 0, 1) with θ = 0 where the
	// sum is within K, else the θ that makes it K.
	Budget Variant = iota
	// Soft replaces ½‖s‖² by τ Σ [s ln s + (1 − s) ln(1 − s)] with Σ s = K. A step moves
	// towards 1/(1 + exp(−(z − θ)/τ)), with the θ that makes its sum K: the optimal
	// transport of Xie et al., "Differentiable Top-k with Optimal Transport", NeurIPS
	// 2020, at twice τ. A predictor's λ/2 ‖s − s^f‖² joins the drive: where
	// s = m(z + λ(s^f − s)), m the map from drives to states, the derivative of the
	// energy with it is a constant, θ, and so s is least among the states of that sum.
	Soft
	// Hard ends a free phase without limit by a choice, in each layer, of the K units
	// with the largest drives; the others are held at zero through two more free
	// steps and the nudged phases. The gradient of the choice itself is left out. Spiking
	// units are chosen by the drives of their free states, as the update takes states
	// and not spikes: drives from single spikes fluctuate.
	Hard
	// Perturbed moves towards the mean of the indicators of the K largest of z + σξ,
	// over 16 draws of normal ξ in pairs of opposite signs, the same at all times:
	// Berthet et al., "Learning with Differentiable Perturbed Optimizers", NeurIPS
	// 2020. A baseline. A predictor's λ joins the drive, as Soft's.
	Perturbed
)

var variantNames = []string{"budget", "soft", "hard", "perturbed"}

// String is the variant's name in configurations.
func (v Variant) String() string { return enum.Name(v, variantNames) }

// MarshalText is String.
func (v Variant) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is the inverse of String.
func (v *Variant) UnmarshalText(text []byte) error {
	return enum.Parse(v, text, "variant of top-k", variantNames)
}

// Validate returns an error for limits that mean nothing.
func (t *TopK) Validate() error {
	switch {
	case !(t.K > 0) || math.IsInf(t.K, 0):
		return fmt.Errorf("eqprop: top-k of %v units, want a positive number", t.K)
	case t.Variant > Perturbed:
		return fmt.Errorf("eqprop: no variant %d of top-k", t.Variant)
	case (t.Variant == Soft || t.Variant == Perturbed) && !(t.Temperature > 0):
		return fmt.Errorf("eqprop: %v top-k with temperature %v, want a positive one, as 0.1", t.Variant, t.Temperature)
	case (t.Variant == Hard || t.Variant == Perturbed) && t.K != math.Trunc(t.K):
		return fmt.Errorf("eqprop: %v top-k of %v units, want a whole number", t.Variant, t.K)
	case t.Begin < 0 || t.End != 0 && t.End <= t.Begin:
		return fmt.Errorf("eqprop: top-k falls from step %d to %d, want a beginning before the end, or no end", t.Begin, t.End)
	case t.Hot != 0 && (t.Variant != Soft || !(t.Hot >= t.Temperature) || math.IsInf(t.Hot, 0) || t.Cooling < 1):
		return fmt.Errorf("eqprop: %v top-k cools from %v to %v in %d steps: want soft top-k that is at first no colder than at last, and at least one step; 0.5 and 0.05 are common", t.Variant, t.Hot, t.Temperature, t.Cooling)
	}
	return nil
}

// At is the limit of a layer of n units after a step of training.
func (t *TopK) At(step, units int) tensor.Float {
	n, part := float64(units), 1.0
	if t.End > 0 {
		part = sparse.Cubic(step, t.Begin, t.End)
	}
	if t.K < n && part < 1 {
		return tensor.Float(math.Round(n - (n-t.K)*part))
	}
	return tensor.Float(t.K)
}

// TemperatureAt is τ after a step of training.
func (t *TopK) TemperatureAt(step int) float64 {
	if t.Hot == 0 || step >= t.Cooling {
		return t.Temperature
	}
	return t.Hot * math.Pow(t.Temperature/t.Hot, float64(step)/float64(t.Cooling))
}

var infinite = tensor.Float(math.Inf(1))

// Layer is what the limit of a layer depends on besides the drives.
type Layer struct {
	K           tensor.Float
	Temperature tensor.Float   // of Soft, at this step
	Noise       []tensor.Float // of Perturbed
}

// Limit replaces the drives of a layer by what a variant makes of them: the states that
// they would lead to by themselves. Theta is where Soft's search begins and ends.
func (m *Limiter) Limit(t *TopK, l Layer, z []tensor.Float, theta *tensor.Float) {
	switch t.Variant {
	case Soft:
		*theta = m.Soft(z, l.K, l.Temperature, *theta)
	case Perturbed:
		m.Perturbed(z, l.Noise, int(l.K), tensor.Float(t.Temperature))
	default:
		m.Project(z, l.K)
	}
}

// Limiter is a thread's working memory. The zero value is ready.
type Limiter struct {
	at     []int32
	val    []tensor.Float
	sorted []tensor.Float
	shares []tensor.Float
	sum    []tensor.Float
	chosen []bool
}

// Project replaces v by the nearest point of {0 ≤ s ≤ 1, Σ s ≤ k}, and returns θ.
func (m *Limiter) Project(v []tensor.Float, k tensor.Float) tensor.Float {
	kernel.Relax{Keep: 1, Hi: infinite}.Step(v, v)
	at, theta := m.shift(v, k)
	for _, j := range at {
		v[j] = min(max(v[j]-theta, 0), 1)
	}
	return theta
}

// shift lists the elements above zero and finds θ. From θ = max v − 1 on no element
// is clipped at 1, and Newton steps from the left, for which the list is cut to what
// is above θ, end where it is no longer cut.
func (m *Limiter) shift(v []tensor.Float, k tensor.Float) (at []int32, theta tensor.Float) {
	m.fit(len(v))
	at, val := kernel.Nonzeros(m.at[:0], m.val[:0], v, 0)
	top := tensor.Float(0)
	for _, x := range val {
		top = max(top, x)
	}
	start := max(0, top-1)
	val = above(val, start)
	for theta = start; ; {
		next := (total(val) - k) / tensor.Float(max(1, len(val)))
		if !(next > theta) {
			break
		}
		theta = next
		rest := above(val, theta)
		if len(rest) == len(val) || len(rest) == 0 {
			break
		}
		val = rest
	}
	if theta > 0 && theta == start {
		at, val = kernel.Nonzeros(m.at[:0], m.val[:0], v, 0)
		theta = bracket(val, k, start)
	}
	return at, theta
}

// fit makes room for lists of n elements.
func (m *Limiter) fit(n int) {
	if len(m.at) < n+kernel.Slack {
		m.at, m.val = make([]int32, n+kernel.Slack), make([]tensor.Float, n+kernel.Slack)
	}
}

// bracket finds θ in [0, hi] where elements are clipped at 1 too, by Newton steps that
// stay inside a shrinking bracket.
func bracket(v []tensor.Float, k, hi tensor.Float) tensor.Float {
	lo, theta := tensor.Float(0), tensor.Float(0)
	for range 100 {
		sum, inside := clippedSum(v, theta)
		if sum > k {
			lo = theta
		} else if theta == 0 {
			return 0
		} else {
			hi = theta
		}
		next := (lo + hi) / 2
		if inside > 0 {
			if newton := theta + (sum-k)/tensor.Float(inside); newton >= lo && newton <= hi {
				next = newton
			}
		}
		if next == theta || next == lo && sum <= k || next == hi && sum > k {
			return next
		}
		theta = next
	}
	return theta
}

// total is a sum in four chains, which take turns.
func total(v []tensor.Float) tensor.Float {
	var a, b, c, d tensor.Float
	for ; len(v) >= 4; v = v[4:] {
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
	}
	for _, x := range v {
		a += x
	}
	return a + b + (c + d)
}

// clippedSum is Σ clip(v − θ, 0, 1), and how many terms lie inside.
func clippedSum(v []tensor.Float, theta tensor.Float) (sum tensor.Float, inside int) {
	for _, x := range v {
		switch d := x - theta; {
		case d >= 1:
			sum++
		case d > 0:
			sum += d
			inside++
		}
	}
	return sum, inside
}

// above keeps the elements beyond theta, in place. Which they are is hard to foresee,
// and so there is no branch.
func above(v []tensor.Float, theta tensor.Float) []tensor.Float {
	n := 0
	for _, x := range v {
		v[n] = x
		in := 0
		if x > theta {
			in = 1
		}
		n += in
	}
	return v[:n]
}

// Largest chooses the k largest elements; of equal ones those that come first. What it
// returns is valid until the next choice.
func (m *Limiter) Largest(z []tensor.Float, k int) []bool {
	m.chosen = slices.Grow(m.chosen[:0], len(z))[:len(z)]
	clear(m.chosen)
	if k < 1 {
		return m.chosen
	}
	m.sorted = append(m.sorted[:0], z...)
	limit := sparse.Smallest(m.sorted, len(z)-k)
	for i, x := range z {
		if x > limit {
			m.chosen[i] = true
			k--
		}
	}
	for i := 0; k > 0; i++ {
		if z[i] == limit {
			m.chosen[i] = true
			k--
		}
	}
	return m.chosen
}

// Perturbed replaces scores by the share of noise vectors, of either sign, with which
// they are among the k largest.
func (m *Limiter) Perturbed(z []tensor.Float, noise []tensor.Float, k int, sigma tensor.Float) {
	n := len(z)
	m.sum = tensor.Resize(m.sum, 2*n)
	shaken, sum := m.sum[:n], m.sum[n:]
	clear(sum)
	share := tensor.Float(n) / tensor.Float(2*len(noise))
	for at := 0; at < len(noise); at += n {
		for _, sign := range [2]tensor.Float{sigma, -sigma} {
			copy(shaken, z)
			kernel.AddScaled(shaken, noise[at:][:n], sign)
			m.Largest(shaken, k)
			for i, chosen := range m.chosen {
				if chosen {
					sum[i] += share
				}
			}
		}
	}
	copy(z, sum)
}

// Noise draws the noise vectors of a layer of n units.
func Noise(seed uint64, layer, n int) []tensor.Float {
	src := rng.New(seed, "top-k").Int(uint64(layer)).Source()
	noise := make([]tensor.Float, perturbations/2*n)
	for i := range noise {
		noise[i] = tensor.Float(src.Norm())
	}
	return noise
}

const perturbations = 16
