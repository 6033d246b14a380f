package eqprop

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// TopK limits the activity of hidden layers to K, so that few units are above zero.
// A predictor is limited with Predictor.TopK; else the first step limits its states. Of
// spiking units the drive d is limited, and the states move towards that. With End the
// limit falls from a layer's size to K on pruning's cubic, between two steps of training.
type TopK struct {
	K       float64 // units; at least the layer's size limits nothing
	Variant Variant
	// Temperature is τ of Soft, and the standard deviation σ of Perturbed's noise.
	Temperature float64
	Begin, End  int
	// Hot is τ of Soft at first, which falls to Temperature by the same factor in each
	// of Cooling steps of training; 0 leaves it as it is.
	Hot     float64
	Cooling int
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

func (t *TopK) validate(c Config) error {
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
	case c.Activation != Continuous:
		return fmt.Errorf("eqprop: top-k goes with continuous dynamics; leave activation out")
	}
	return nil
}

// limits says whether the states of a layer are limited in each step.
func (r *relaxer) limits(l int) bool {
	return r.c.TopK != nil && r.c.TopK.Variant != Hard && r.binds(l)
}

// binds says whether a layer is hidden and has more units than may be active.
func (r *relaxer) binds(l int) bool { return l < len(r.sizes)-1 && r.k[l] < tensor.Float(r.sizes[l]) }

// schedule sets the limits of the layers after a step of training.
func (r *relaxer) schedule(step int) {
	t := r.c.TopK
	if t == nil {
		return
	}
	r.temperature = tensor.Float(t.temperature(step))
	part := 1.0
	if t.End > 0 {
		part = cubic(step, t.Begin, t.End)
	}
	for l := range r.k {
		n := float64(r.sizes[l])
		r.k[l] = tensor.Float(t.K)
		if t.K < n && part < 1 {
			r.k[l] = tensor.Float(math.Round(n - (n-t.K)*part))
		}
	}
}

// temperature is τ after a step of training.
func (t *TopK) temperature(step int) float64 {
	if t.Hot == 0 || step >= t.Cooling {
		return t.Temperature
	}
	return t.Hot * math.Pow(t.Temperature/t.Hot, float64(step)/float64(t.Cooling))
}

// settleRow moves one sample's states of a limited layer, that of a slot, and returns
// the largest change.
func (r *relaxer) settleRow(w *block, l, slot int, s, z []tensor.Float) (change tensor.Float) {
	free := r.move
	if r.c.TopK.Variant != Budget {
		if lambda := r.c.lambda(); lambda > 0 {
			kernel.AddScaled(z, s, -tensor.Float(lambda))
		}
		r.limit(w, l, z, &w.theta[l][slot])
		free.Keep = 1 - free.Gain
		return free.Step(s, z)
	}
	old := w.scratch[:len(s)]
	copy(old, s)
	free.Hi = infinite
	free.Step(s, z)
	w.limiter.project(s, r.k[l])
	return kernel.Relax{Gain: 1, Lo: -infinite, Hi: infinite}.Step(old, s)
}

var infinite = tensor.Float(math.Inf(1))

// limit replaces drives of a layer by what a variant makes of them: the states that
// they would lead to by themselves. Theta is where Soft's search begins and ends.
func (r *relaxer) limit(w *block, l int, z []tensor.Float, theta *tensor.Float) {
	switch t := r.c.TopK; t.Variant {
	case Soft:
		*theta = w.limiter.soft(z, r.k[l], r.temperature, *theta)
	case Perturbed:
		w.limiter.perturbed(z, r.noise[l], int(r.k[l]), tensor.Float(t.Temperature))
	default:
		w.limiter.project(z, r.k[l])
	}
}

// choose ends a free phase under Hard: the units with the largest drives are kept,
// and the others held at zero from now on, by a drive of −∞.
func (r *relaxer) choose(w *block, b *batch) {
	if r.c.settling() == 0 {
		return
	}
	for l := 1; l <= r.top; l++ {
		if !r.binds(l) {
			continue
		}
		r.drive(w, b, l, 0)
		n := r.sizes[l]
		for i := range w.total {
			z, base := w.z[l][i*n:][:n], w.base[l][i*n:][:n]
			w.limiter.largest(z, int(r.k[l]))
			for j, chosen := range w.limiter.chosen[:n] {
				if !chosen {
					base[j] = -infinite
				}
			}
		}
	}
	r.relax(w, b, settlingSteps, 0)
}

// settlingSteps are free steps after a choice.
const settlingSteps = 2

// settling is the number of free steps after the free phase.
func (c Config) settling() int {
	if c.TopK == nil || c.TopK.Variant != Hard {
		return 0
	}
	return settlingSteps
}

// chooseSpiking is choose for a spiking sample. The others are held at zero by hand:
// no estimate of a drive stands −∞.
func (r *relaxer) chooseSpiking(w *block, b *batch, sample int) {
	if r.c.settling() == 0 {
		return
	}
	m := w.simulation
	for l := 1; l <= r.top; l++ {
		if !r.binds(l) {
			continue
		}
		n := r.sizes[l]
		z := m.u[:n]
		copy(z, r.net.B[l-1].Value.Data)
		if l == 1 {
			at, val := b.events(sample)
			m.weigh(z, r.net.W[0].Value.Data, &r.kept[0].rows, at, val)
		} else {
			m.weighStates(w, z, r.net.W[l-1].Value.Data, &r.kept[l-1].rows, l-1)
		}
		if l < r.top {
			m.weighStates(w, z, r.turned[l+1], &r.kept[l].columns, l+1)
		}
		if lambda := r.c.lambda(); lambda > 0 {
			kernel.AddScaled(z, r.guess[l][sample*n:][:n], tensor.Float(lambda))
		}
		w.limiter.largest(z, int(r.k[l]))
		m.chosen[l] = append(m.chosen[l][:0], w.limiter.chosen[:n]...)
	}
	r.simulate(w, b, sample, settlingSteps, 0)
}

// weighStates adds the rows of the units above zero, times their states.
func (m *simulation) weighStates(w *block, z, weights []tensor.Float, kept *entries, from int) {
	s := m.layers[from].s
	w.limiter.fit(len(s))
	at, val := kernel.Nonzeros(w.limiter.at[:0], w.limiter.val[:0], s, 0)
	m.weigh(z, weights, kept, at, val)
}

// weigh adds listed rows, and counts their weights.
func (m *simulation) weigh(z, weights []tensor.Float, kept *entries, at []int32, val []tensor.Float) {
	m.synapses += kept.count(at, len(z))
	kernel.AddRowsMulti(1, z, len(z), weights, len(z), len(z), len(z), at, val)
}

// limiter is a thread's working memory.
type limiter struct {
	at     []int32
	val    []tensor.Float
	sorted []tensor.Float
	shares []tensor.Float
	sum    []tensor.Float
	chosen []bool
}

// project replaces v by the nearest point of {0 ≤ s ≤ 1, Σ s ≤ k}, and returns θ.
func (m *limiter) project(v []tensor.Float, k tensor.Float) tensor.Float {
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
func (m *limiter) shift(v []tensor.Float, k tensor.Float) (at []int32, theta tensor.Float) {
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
func (m *limiter) fit(n int) {
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

// largest chooses the k largest elements; of equal ones those that come first.
func (m *limiter) largest(z []tensor.Float, k int) {
	m.chosen = slices.Grow(m.chosen[:0], len(z))[:len(z)]
	clear(m.chosen)
	if k < 1 {
		return
	}
	m.sorted = append(m.sorted[:0], z...)
	limit := smallest(m.sorted, len(z)-k)
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
}

// perturbed replaces scores by the share of noise vectors, of either sign, with which
// they are among the k largest.
func (m *limiter) perturbed(z []tensor.Float, noise []tensor.Float, k int, sigma tensor.Float) {
	n := len(z)
	m.sum = tensor.Resize(m.sum, 2*n)
	shaken, sum := m.sum[:n], m.sum[n:]
	clear(sum)
	share := tensor.Float(n) / tensor.Float(2*len(noise))
	for at := 0; at < len(noise); at += n {
		for _, sign := range [2]tensor.Float{sigma, -sigma} {
			copy(shaken, z)
			kernel.AddScaled(shaken, noise[at:][:n], sign)
			m.largest(shaken, k)
			for i, chosen := range m.chosen {
				if chosen {
					sum[i] += share
				}
			}
		}
	}
	copy(z, sum)
}

// drawNoise draws the noise vectors of the hidden layers.
func (r *relaxer) drawNoise() {
	r.noise = make([][]tensor.Float, len(r.sizes))
	for l := 1; l < len(r.sizes)-1; l++ {
		src := rng.New(r.c.Seed, "top-k").Int(uint64(l)).Source()
		r.noise[l] = make([]tensor.Float, perturbations/2*r.sizes[l])
		for i := range r.noise[l] {
			r.noise[l][i] = tensor.Float(src.Norm())
		}
	}
}

const perturbations = 16
