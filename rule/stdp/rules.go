package stdp

import (
	"fmt"
	"math"

	"synfire/tensor"
)

// Plasticity is how the weights of a connection learn: Pair, Triplet, Order, Probabilistic or
// Inhibitory.
type Plasticity interface {
	learner(c *Connection) (learner, error)
}

// learner is a rule with its traces.
type learner interface {
	// step sees the spikes of a step on both sides, which is the only one of its time.
	step(pre, post []int32, t int64)
	rest()
	fields(visit func(name string, at any))
}

// Pair is the rule of pairs of spikes. For Δt = t_post − t_pre of one pair:
//
//	Δw = A₊·(w_max − w)^μ·e^(−Δt/τ₊) for Δt > 0,   −A₋·w^μ·e^(Δt/τ₋) for Δt < 0
//
// w_max is the connection's High, without which μ must be 0. Spikes of one step change
// nothing, unless they are Together: then traces rise first and both changes fall due, that
// of the input first, as in BindsNET.
type Pair struct {
	Plus, Minus       float64 // A₊ and A₋
	TauPlus, TauMinus float64 // ms, of the inputs' and the neurons' traces
	Mu                float64 // 0: additive, 1: multiplicative
	Nearest           bool    // only the nearest spikes pair; else all do
	Together          bool
}

type pair struct {
	Pair
	c *Connection
	traces
}

// traces are those of a connection's inputs, x, and of its neurons, y.
type traces struct{ x, y *trace }

func (tr traces) fire(pre, post []int32, t int64) {
	for _, i := range pre {
		tr.x.fire(i, t)
	}
	for _, j := range post {
		tr.y.fire(j, t)
	}
}

func (tr traces) rest() {
	tr.x.rest()
	tr.y.rest()
}

func (tr traces) fields(visit func(string, any)) {
	visit("x", tr.x)
	visit("y", tr.y)
}

func (r Pair) learner(c *Connection) (learner, error) {
	switch {
	case !finite(r.Plus, r.Minus):
		return nil, fmt.Errorf("pair: plus %v, minus %v, want finite numbers", r.Plus, r.Minus)
	case !positive(r.TauPlus) || !positive(r.TauMinus):
		return nil, fmt.Errorf("pair: tau-plus %v, tau-minus %v ms, want positive times; 20 is usual", r.TauPlus, r.TauMinus)
	case !(r.Mu >= 0 && r.Mu <= 1):
		return nil, fmt.Errorf("pair: mu is %v, want from 0, additive, to 1, multiplicative", r.Mu)
	case r.Mu > 0 && c.high == 0:
		return nil, fmt.Errorf("pair: mu is %v without a largest weight; give high", r.Mu)
	}
	return &pair{r, c, traces{newTrace(c.network, c.from.size, r.TauPlus, r.Nearest), newTrace(c.network, c.to.size, r.TauMinus, r.Nearest)}}, nil
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// power is x^μ; weights above their limit have no way to go.
func power(x tensor.Float, mu float64) tensor.Float {
	switch {
	case mu == 0:
		return 1
	case mu == 1:
		return max(x, 0)
	}
	return tensor.Float(math.Pow(float64(max(x, 0)), mu))
}

func (r *pair) step(pre, post []int32, t int64) {
	r.x.begin()
	r.y.begin()
	if r.Together {
		r.fire(pre, post, t)
	}
	c, n := r.c, r.c.to.size
	for _, i := range pre {
		for _, j := range r.y.units() {
			k := int(i)*n + int(j)
			if y := r.y.at(j, t); y != 0 {
				c.change(k, -tensor.Float(tensor.Float(tensor.Float(r.Minus)*power(c.weights[k], r.Mu))*y), t)
			}
		}
	}
	for _, j := range post {
		for _, i := range r.x.units() {
			k := int(i)*n + int(j)
			if x := r.x.at(i, t); x != 0 {
				c.change(k, tensor.Float(tensor.Float(tensor.Float(r.Plus)*power(c.high-c.weights[k], r.Mu))*x), t)
			}
		}
	}
	if !r.Together {
		r.fire(pre, post, t)
	}
}

// Triplet is the rule of Pfister and Gerstner (2006) with traces r₁ (τ₊) and r₂ (τ_x) of the
// inputs, o₁ (τ₋) and o₂ (τ_y) of the neurons, all read as they were before the step:
//
//	pre:   w −= o₁·(A₂⁻ + A₃⁻·r₂)
//	post:  w += r₁·(A₂⁺ + A₃⁺·o₂)
//
// Independent Poisson trains of rates ρ_x and ρ_y, all to all, move a weight in continuous
// time by dw/dt = ρ_xρ_y(A₂⁺τ₊ − A₂⁻τ₋) + A₃⁺τ₊τ_y·ρ_xρ_y² − A₃⁻τ₋τ_x·ρ_x²ρ_y.
type Triplet struct {
	Plus2, Plus3, Minus2, Minus3  float64 // A₂⁺, A₃⁺, A₂⁻, A₃⁻
	TauPlus, TauMinus, TauX, TauY float64 // ms
	Nearest                       bool
}

// VisualCortex is the full model with all-to-all pairing that was fitted to slices of the
// visual cortex. The constants are those of programs that cite the paper's table 4; the table
// itself was not at hand.
func VisualCortex() Triplet {
	return Triplet{Plus2: 5e-10, Plus3: 6.2e-3, Minus2: 7e-3, Minus3: 2.3e-4, TauPlus: 16.8, TauMinus: 33.7, TauX: 101, TauY: 125}
}

type triplet struct {
	Triplet
	c              *Connection
	r1, r2, o1, o2 *trace
}

func (r Triplet) learner(c *Connection) (learner, error) {
	if !finite(r.Plus2, r.Plus3, r.Minus2, r.Minus3) {
		return nil, fmt.Errorf("triplet: amplitudes %v, %v, %v, %v, want finite numbers", r.Plus2, r.Plus3, r.Minus2, r.Minus3)
	}
	if !positive(r.TauPlus) || !positive(r.TauMinus) || !positive(r.TauX) || !positive(r.TauY) {
		return nil, fmt.Errorf("triplet: tau-plus %v, tau-minus %v, tau-x %v, tau-y %v ms, want positive times", r.TauPlus, r.TauMinus, r.TauX, r.TauY)
	}
	made := func(p *Population, tau float64) *trace { return newTrace(c.network, p.size, tau, r.Nearest) }
	return &triplet{r, c, made(c.from, r.TauPlus), made(c.from, r.TauX), made(c.to, r.TauMinus), made(c.to, r.TauY)}, nil
}

func (r *triplet) traces() []*trace { return []*trace{r.r1, r.r2, r.o1, r.o2} }

func (r *triplet) step(pre, post []int32, t int64) {
	for _, tr := range r.traces() {
		tr.begin()
	}
	n := r.c.to.size
	for _, i := range pre {
		a := tensor.Float(r.Minus2) + tensor.Float(tensor.Float(r.Minus3)*r.r2.at(i, t))
		for _, j := range r.o1.units() {
			r.c.change(int(i)*n+int(j), -tensor.Float(r.o1.at(j, t)*a), t)
		}
	}
	for _, j := range post {
		a := tensor.Float(r.Plus2) + tensor.Float(tensor.Float(r.Plus3)*r.o2.at(j, t))
		for _, i := range r.r1.units() {
			r.c.change(int(i)*n+int(j), tensor.Float(r.r1.at(i, t)*a), t)
		}
	}
	for _, i := range pre {
		r.r1.fire(i, t)
		r.r2.fire(i, t)
	}
	for _, j := range post {
		r.o1.fire(j, t)
		r.o2.fire(j, t)
	}
}

func (r *triplet) rest() {
	for _, tr := range r.traces() {
		tr.rest()
	}
}

func (r *triplet) fields(visit func(string, any)) {
	for i, tr := range r.traces() {
		visit([]string{"r1", "r2", "o1", "o2"}[i], tr)
	}
}

// Order is simplified STDP, which asks for the order of spikes alone: at a spike of j
//
//	w += a₊·w·(1 − w) where input i has fired up to now, else w −= a₋·w·(1 − w)
//
// since the start or Rest. Weights in (0, 1) stay there; 0 and 1 never move. Kheradpisheh et
// al. 2018.
type Order struct{ Plus, Minus float64 }

type order struct {
	Order
	c    *Connection
	last []int64 // spike of each input; −1: none
}

func (r Order) learner(c *Connection) (learner, error) {
	if !(r.Plus >= 0 && r.Plus <= 1 && r.Minus >= 0 && r.Minus <= 1) {
		return nil, fmt.Errorf("order: plus %v, minus %v, want both in [0, 1]; 0.004 and 0.003 are usual", r.Plus, r.Minus)
	}
	return &order{r, c, never(c.from.size)}, nil
}

// never is n times −1.
func never(n int) []int64 {
	last := make([]int64, n)
	for i := range last {
		last[i] = -1
	}
	return last
}

func (r *order) step(pre, post []int32, t int64) {
	for _, i := range pre {
		r.last[i] = t
	}
	n := r.c.to.size
	for _, j := range post {
		for i, last := range r.last {
			k, a := i*n+int(j), tensor.Float(r.Plus)
			if last < 0 {
				a = -tensor.Float(r.Minus)
			}
			w := r.c.weights[k]
			r.c.change(k, tensor.Float(tensor.Float(a*w)*(1-w)), t)
		}
	}
}

func (r *order) rest() { copy(r.last, never(len(r.last))) }

func (r *order) fields(visit func(string, any)) { visit("last", r.last) }

// Probabilistic lets weights become logarithms of probabilities: at a spike of j
//
//	w += a₊·e^(−w) where input i fired within the last Window ms, this step included
//	w −= a₋        where it did not, or, Everywhere, for all inputs
//
// Where p is the probability that i is active when j fires, the expected change is 0 at
// w = ln(a₊/a₋·p/(1 − p)); Everywhere, at e^w = a₊/a₋·p, which is the rule of Nessler et al.
// (2013) with c = a₊/a₋.
type Probabilistic struct {
	Plus, Minus float64
	Window      float64 // ms
	Everywhere  bool
}

type probabilistic struct {
	Probabilistic
	c      *Connection
	window int64
	last   []int64
}

func (r Probabilistic) learner(c *Connection) (learner, error) {
	if !(r.Plus >= 0) || !(r.Minus >= 0) || !finite(r.Plus, r.Minus) {
		return nil, fmt.Errorf("probabilistic: plus %v, minus %v, want neither below 0", r.Plus, r.Minus)
	}
	window, err := c.network.steps("window", r.Window)
	if err != nil || window < 1 {
		return nil, fmt.Errorf("probabilistic: window is %v ms, want a step or more", r.Window)
	}
	return &probabilistic{r, c, int64(window), never(c.from.size)}, nil
}

func (r *probabilistic) step(pre, post []int32, t int64) {
	for _, i := range pre {
		r.last[i] = t
	}
	n := r.c.to.size
	for _, j := range post {
		for i, last := range r.last {
			k, by := i*n+int(j), tensor.Float(0)
			active := last >= 0 && t-last < r.window
			if active {
				by = tensor.Float(r.Plus * math.Exp(-float64(r.c.weights[k])))
			}
			if !active || r.Everywhere {
				by -= tensor.Float(r.Minus)
			}
			r.c.change(k, by, t)
		}
	}
}

func (r *probabilistic) rest() { copy(r.last, never(len(r.last))) }

func (r *probabilistic) fields(visit func(string, any)) { visit("last", r.last) }

// Inhibitory holds neurons at a rate ρ by their inhibition (Vogels et al. 2011): with traces
// of one τ on both sides, read before the step,
//
//	pre: w += η·(y_j − 2ρτ)      post: w += η·x_i
//
// for weights of inhibitory synapses, which are positive numbers here: Synapses.Inhibitory, or
// a population whose weights the program takes with the other sign.
type Inhibitory struct {
	Rate   float64 // η
	Tau    float64 // ms
	Target float64 // ρ in Hz
}

type inhibitoryLearner struct {
	Inhibitory
	c *Connection
	traces
}

func (r Inhibitory) learner(c *Connection) (learner, error) {
	if !finite(r.Rate) || !positive(r.Tau) || !(r.Target >= 0) || !finite(r.Target) {
		return nil, fmt.Errorf("inhibitory: rate %v, tau %v ms, target %v Hz; want a positive tau and no negative target", r.Rate, r.Tau, r.Target)
	}
	return &inhibitoryLearner{r, c, traces{newTrace(c.network, c.from.size, r.Tau, false), newTrace(c.network, c.to.size, r.Tau, false)}}, nil
}

func (r *inhibitoryLearner) step(pre, post []int32, t int64) {
	r.x.begin()
	r.y.begin()
	n, rate, alpha := r.c.to.size, tensor.Float(r.Rate), tensor.Float(2*r.Target*r.Tau/1000)
	for _, i := range pre {
		for j := range n {
			r.c.change(int(i)*n+j, tensor.Float(rate*(r.y.at(int32(j), t)-alpha)), t)
		}
	}
	for _, j := range post {
		for _, i := range r.x.units() {
			r.c.change(int(i)*n+int(j), tensor.Float(rate*r.x.at(i, t)), t)
		}
	}
	r.fire(pre, post, t)
}
