package eqprop

import (
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/tensor"
)

// Backprop is the gradient of a batch's mean cost by backpropagation through the
// last steps of the free phase, in float64 and plain loops: what the estimates are
// compared with in reports. A step depends on the one before it as its clip, its
// budget of activity, its activation and the places of its largest elements in windows
// stand; predictions are constants, where the relaxation starts included. It knows the
// squared error, without spikes or another top-k than the budget, and takes all steps
// whatever the tolerance.
func (l *Learner) Backprop(d *data.Batch, steps int) (*Net, error) {
	c := l.c
	if c.Spiking != nil || c.TopK != nil && c.TopK.Variant != Budget || c.Output != SquaredError {
		return nil, fmt.Errorf("eqprop: backprop: want the squared error, without spikes or another top-k than the budget; leave these out")
	}
	if steps < 1 || steps > c.Free {
		return nil, fmt.Errorf("eqprop: backprop through %d of %d free steps, want at least one and at most all", steps, c.Free)
	}
	if err := l.take(d, false); err != nil {
		return nil, err
	}
	if l.r.predictor != nil {
		l.r.run(&l.batch, nil, 0)
	}
	ref := newReference(l.r)
	for i := range d.Len() {
		var guess [][]float64
		for k := 1; k < len(c.Sizes) && l.r.predictor != nil; k++ {
			guess = append(guess, doubles(l.r.guess[k][i*c.Sizes[k]:][:c.Sizes[k]]))
		}
		ref.relax(doubles(d.X[i*c.Sizes[0]:][:c.Sizes[0]]), guess)
		ref.back(d.Labels[i], steps)
	}
	return ref.gradient(d.Len()), nil
}

// reference is the relaxation of one sample and the gradient through it. Lists have an
// entry a layer, from the first on.
type reference struct {
	c      Config
	net    *Net
	stages []stage
	order  []int     // in which a step updates the layers
	keep   float64   // of a state, in a step
	most   []float64 // of a layer's activity; infinite for none
	x      []float64
	base   [][]float64 // what stays of the drives
	pull   [][]float64 // s^f, or nil
	steps  []moment
	w, b   [][]float64 // the gradient, summed over samples
}

// moment is a step: the states before it, the places of the largest elements in
// windows, of each unit the derivatives of the clip and of the activation, and in which
// layers the budget binds.
type moment struct {
	states, clip, slope [][]float64
	places              [][]int
	binds               []bool
}

func newReference(of *relaxer) *reference {
	c, n := of.c, of.net
	r := &reference{c: c, net: n, stages: n.stages(), keep: 1 - c.Step*(1+c.lambda()), steps: make([]moment, c.Free+1)}
	for k, s := range r.stages {
		r.base, r.most = append(r.base, make([]float64, n.Sizes[k+1])), append(r.most, math.Inf(1))
		if of.limits(k + 1) {
			r.most[k] = float64(of.k[k+1])
		}
		r.order = append(r.order, k)
		r.w, r.b = append(r.w, make([]float64, len(s.weights))), append(r.b, make([]float64, n.columns(k+1)))
	}
	if c.Schedule == SweepBackward {
		slices.Reverse(r.order)
	}
	for t := range r.steps {
		r.steps[t] = moment{like(r.base), like(r.base), like(r.base), make([][]int, len(r.stages)), make([]bool, len(r.stages))}
	}
	return r
}

// relax takes all free steps, from rest or from a prediction.
func (r *reference) relax(x []float64, guess [][]float64) {
	r.x, r.pull = x, guess
	for k, base := range r.base {
		bias := r.net.B[k].Value.Data
		for j := range base {
			base[j] = float64(bias[j%len(bias)])
		}
		clear(r.steps[0].states[k])
		if guess != nil {
			copy(r.steps[0].states[k], guess[k])
		}
	}
	places := r.stages[0].places(x)
	r.stages[0].up(r.base[0], x, places)
	for t := range r.c.Free {
		m := &r.steps[t]
		m.places = placesOf(r.stages, m.states)
		m.places[0] = places
		r.step(r.steps[t+1].states, m)
	}
}

// step writes the states after a step, and its derivatives.
func (r *reference) step(next [][]float64, m *moment) {
	for _, k := range r.order {
		z := next[k]
		copy(z, r.base[k])
		if k > 0 {
			r.stages[k].up(z, r.read(k, k-1, m.states, next)[k-1], m.places[k])
		}
		if k+1 < len(next) {
			r.stages[k+1].down(z, r.read(k, k+1, m.states, next)[k+1], m.places[k+1])
		}
		r.settle(k, z, m)
	}
}

// read is which states of a neighbour layer k reads: those before the step, or where a
// sweep has passed the neighbour, those after it.
func (r *reference) read(k, neighbour int, before, after [][]float64) [][]float64 {
	if r.c.Schedule == SweepForward && neighbour < k || r.c.Schedule == SweepBackward && neighbour > k {
		return after
	}
	return before
}

// settle turns the drives of a layer into its states.
func (r *reference) settle(k int, z []float64, m *moment) {
	for j := range z {
		z[j], m.slope[k][j] = r.c.Activation.at(z[j])
		if r.pull != nil {
			z[j] += r.c.lambda() * r.pull[k][j]
		}
		z[j] = r.keep*m.states[k][j] + r.c.Step*z[j]
	}
	move, theta := r.c.move(), shiftTo(z, r.most[k])
	lo, hi := float64(move.Lo), float64(move.Hi)
	m.binds[k] = theta > 0
	for j, v := range z {
		v -= theta
		z[j], m.clip[k][j] = min(max(v, lo), hi), 1
		if v < lo || v > hi {
			m.clip[k][j] = 0
		}
	}
}

// shiftTo is the θ ≥ 0 with which the sum of clip(v − θ, 0, 1) is at most a limit, by
// bisection.
func shiftTo(v []float64, most float64) float64 {
	sum := func(theta float64) (sum float64) {
		for _, x := range v {
			sum += min(max(x-theta, 0), 1)
		}
		return sum
	}
	if math.IsInf(most, 1) || sum(0) <= most {
		return 0
	}
	lo, hi := 0.0, slices.Max(v)
	for range 60 {
		if mid := (lo + hi) / 2; sum(mid) > most {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// project is the derivative of clip and budget, backwards: where the budget binds, the
// units inside share what the others gain.
func (m *moment) project(k int, e []float64) {
	inside := 0.0
	for j, c := range m.clip[k] {
		e[j] *= c
		inside += c
	}
	if !m.binds[k] || inside == 0 {
		return
	}
	mean := 0.0
	for _, v := range e {
		mean += v / inside
	}
	for j, c := range m.clip[k] {
		e[j] -= c * mean
	}
}

// back adds the gradient of the sample's cost through the last steps.
func (r *reference) back(label, steps int) {
	last := len(r.steps) - 1
	errs, before := like(r.base), like(r.base) // at the states after a step, and before
	top := len(errs) - 1
	for j, v := range r.steps[last].states[top] {
		if j == label {
			v--
		}
		errs[top][j] = 2 * r.c.CostScale * v
	}
	first := make([]float64, len(errs[0]))
	for t := last - 1; t >= last-steps; t-- {
		for k := range before {
			clear(before[k])
		}
		for _, k := range slices.Backward(r.order) {
			drives := r.backLayer(k, t, errs, before)
			if k == 0 {
				addScaled(first, drives, 1)
			}
		}
		errs, before = before, errs
	}
	r.stages[0].outer(r.w[0], r.x, first, r.steps[0].places[0])
}

// backLayer sends the errors of layer k at its states after step t to what it was made
// of, and returns those at its drives.
func (r *reference) backLayer(k, t int, errs, before [][]float64) []float64 {
	m, next := &r.steps[t], r.steps[t+1].states
	m.project(k, errs[k])
	addScaled(before[k], errs[k], r.keep)
	drives := make([]float64, len(errs[k]))
	for j, e := range errs[k] {
		drives[j] = r.c.Step * m.slope[k][j] * e
		r.b[k][j%len(r.b[k])] += drives[j]
	}
	if k > 0 {
		r.stages[k].outer(r.w[k], r.read(k, k-1, m.states, next)[k-1], drives, m.places[k])
		r.stages[k].down(r.read(k, k-1, before, errs)[k-1], drives, m.places[k])
	}
	if k+1 < len(errs) {
		r.stages[k+1].outer(r.w[k+1], drives, r.read(k, k+1, m.states, next)[k+1], m.places[k+1])
		r.stages[k+1].up(r.read(k, k+1, before, errs)[k+1], drives, m.places[k+1])
	}
	return drives
}

// gradient is the mean over samples as a network.
func (r *reference) gradient(samples int) *Net {
	g := zeros(r.net)
	for k, s := range r.stages {
		for i, v := range r.w[k] {
			g.W[k].Value.Data[s.index(i)] = tensor.Float(v / float64(samples))
		}
		for j, v := range r.b[k] {
			g.B[k].Value.Data[j] = tensor.Float(v / float64(samples))
		}
	}
	return g
}

// at is σ(z) and its derivative.
func (a Activation) at(z float64) (value, slope float64) {
	clipped := func(z, slope float64) (float64, float64) {
		if z < 0 || z > 1 {
			return min(max(z, 0), 1), 0
		}
		return z, slope
	}
	switch a {
	case HardSigmoid:
		return clipped(z, 1)
	case HalfSigmoid:
		return clipped(z/2, 0.5)
	case Logistic:
		y := 1 / (1 + math.Exp(-4*(z-0.5)))
		return y, 4 * y * (1 - y)
	case Tanh:
		y := math.Tanh(z)
		return y, 1 - y*y
	}
	return z, 1
}

// potential is ∫σ⁻¹(s) ds, whose least sum with −Φ is where s = σ(z).
func (a Activation) potential(s float64) float64 {
	entropy := func(p float64) float64 {
		if p <= 0 {
			return 0
		}
		return p * math.Log(p)
	}
	switch a {
	case HalfSigmoid:
		return s * s
	case Logistic:
		return s/2 + (entropy(s)+entropy(1-s))/4
	case Tanh:
		return (entropy(1+s) + entropy(1-s)) / 2
	}
	return s * s / 2
}

// stage couples a layer with the one below it, in float64 and plain loops.
type stage struct {
	*geometry           // nil: fully connected
	weights   []float64 // [units below, units]; of a convolution [channels, elements of a patch]
	count     int       // units
}

// stages are those of all layers.
func (n *Net) stages() []stage {
	all, convs := make([]stage, len(n.W)), n.Convolutional.geometry()
	for l := range all {
		s := stage{weights: make([]float64, len(n.W[l].Value.Data)), count: n.Sizes[l+1]}
		if l < len(convs) {
			s.geometry = &convs[l]
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
	if s.geometry == nil {
		return i
	}
	patch := s.Kernel * s.run()
	return i%patch*s.Out + i/patch
}

// places are where the largest elements of w ⋆ below stand in the windows of each
// pooled unit; nil where there is nothing to choose.
func (s *stage) places(below []float64) []int {
	if s.geometry == nil || s.Pool == 1 || s.Average {
		return nil
	}
	places := make([]int, s.count)
	for u := range places {
		largest := math.Inf(-1)
		for k := range s.Pool * s.Pool {
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
	o, p := unit%s.Out, unit/s.Out
	y, x := p/s.pw*s.Pool+k/s.Pool-s.Pad, p%s.pw*s.Pool+k%s.Pool-s.Pad
	from, to := max(0, -x), min(s.Kernel, s.w-x)
	for i := range s.Kernel {
		if row := y + i; row >= 0 && row < s.h && from < to {
			f((row*s.w+x+from)*s.c, ((o*s.Kernel+i)*s.Kernel+from)*s.c, (to-from)*s.c)
		}
	}
}

// each calls f for each row of the patches that a unit reads through the pooling, with
// the share that it takes of them.
func (s *stage) each(unit int, places []int, f func(share float64, image, weight, n int)) {
	if s.Average {
		share := 1 / float64(s.Pool*s.Pool)
		for k := range s.Pool * s.Pool {
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
	if s.geometry == nil {
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
	if s.geometry == nil {
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
	if s.geometry == nil {
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

// Alignment compares, for each layer of the predictor but the last, the gradient of its
// own loss L_l = ½‖s^f_l − s⁰_l‖² with what the losses of the layers above would send
// it by backpropagation: the cosine between ∂L_l/∂ω_l and ∂(Σ_{m>l} L_m)/∂ω_l, over a
// batch, in float64. Where it is positive the local losses do not work against the
// global one.
func (l *Learner) Alignment(d *data.Batch) ([]float64, error) {
	if l.r.predictor == nil || l.c.Predictor.TopK {
		return nil, fmt.Errorf("eqprop: alignment: want a forward network without top-k; set a predictor, and leave its top-k out")
	}
	if err := l.take(d, false); err != nil {
		return nil, err
	}
	l.r.run(&l.batch, nil, 0)
	stages := l.r.predictor.stages()
	own, above := make([][]float64, len(stages)), make([][]float64, len(stages))
	for k, s := range stages {
		own[k], above[k] = make([]float64, len(s.weights)), make([]float64, len(s.weights))
	}
	for i := range d.Len() {
		below, errs, slopes := l.forwardErrors(d, stages, i)
		sent := make([]float64, len(errs[len(errs)-1])) // to the layer, by those above
		for k := len(stages) - 1; k >= 0; k-- {
			both := make([]float64, len(sent))
			for j := range sent {
				sent[j] *= slopes[k][j]
				errs[k][j] *= slopes[k][j]
				both[j] = sent[j] + errs[k][j]
			}
			stages[k].outer(own[k], below[k], errs[k], nil)
			stages[k].outer(above[k], below[k], sent, nil)
			sent = make([]float64, len(below[k]))
			stages[k].down(sent, both, nil)
		}
	}
	cosines := make([]float64, len(stages)-1)
	for k := range cosines {
		cosines[k] = cosine(own[k], above[k])
	}
	return cosines, nil
}

// forwardErrors is the forward pass of a sample: what each layer reads, s^f − s⁰ and h′.
func (l *Learner) forwardErrors(d *data.Batch, stages []stage, sample int) (below, errs, slopes [][]float64) {
	below = [][]float64{doubles(d.X[sample*l.c.Sizes[0]:][:l.c.Sizes[0]])}
	for k := range stages {
		n := l.c.Sizes[k+1]
		a, slope := doubles(l.r.predictor.B[k].Value.Data), make([]float64, n)
		stages[k].up(a, below[k], nil)
		errs = append(errs, make([]float64, n))
		leak := l.c.Predictor.leak()
		for j, v := range a {
			slope[j] = leak
			if v >= 0 && v <= 1 {
				slope[j]++
			}
			a[j] = min(max(v, 0), 1) + leak*v
			errs[k][j] = a[j] - float64(l.r.free[k+1][sample*n+j])
		}
		below, slopes = append(below, a), append(slopes, slope)
	}
	return below, errs, slopes
}

// Cosine is the cosine of the angle between two arrays, gradients of weights or
// changes of states, or 0 where one of them is zero.
func Cosine(a, b []tensor.Float) float64 { return cosine(doubles(a), doubles(b)) }

func cosine(u, v []float64) float64 {
	if dot(u, u) == 0 || dot(v, v) == 0 {
		return 0
	}
	return dot(u, v) / math.Sqrt(dot(u, u)*dot(v, v))
}
