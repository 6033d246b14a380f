package stdp

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// Neurons is a kind of neurons: Poisson, Trains, LIF, Conductance or Softmax.
type Neurons interface {
	cells(p *Population) (cells, error)
}

// cells is the state of a population.
type cells interface {
	step(fired []int32, t int64) ([]int32, error) // appends the neurons that fire, ascending
	rest()
	fields(visit func(name string, at any))
}

func positive(v float64) bool { return v > 0 && v <= math.MaxFloat32 }

// factor is what is left after a step of something that decays with τ; 0 stands for never.
func factor(step, tau float64) float64 {
	if tau == 0 {
		return 1
	}
	return math.Exp(-step / tau)
}

// draws is a sequence of random numbers that knows its place.
type draws struct {
	key  rng.Key
	done uint64
}

// next is uniform in (0, 1].
func (d *draws) next() float64 {
	x := d.key.Uint32x4(d.done)
	d.done++
	return float64((uint64(x[0])|uint64(x[1])<<32)>>11+1) * (1.0 / (1 << 53))
}

// Poisson fires at random, independently in each step: with probability rate·Δ, which may
// not be above 1. Rates are 0 until Drive sets them.
type Poisson struct{}

type poisson struct {
	p      *Population
	draws  draws
	rate   []tensor.Float // Hz
	active []int32        // whose rate is not 0
	coming []int64        // step of the next spike of each
}

func (Poisson) cells(p *Population) (cells, error) {
	key := rng.New(p.network.options.Seed, "stdp").Str(p.name)
	return &poisson{p: p, draws: draws{key: key}, rate: make([]tensor.Float, p.size), coming: make([]int64, p.size)}, nil
}

// Drive sets the rates in Hz of a population of kind Poisson.
func (p *Population) Drive(rates []tensor.Float) error {
	c, ok := p.cells.(*poisson)
	if !ok {
		return fmt.Errorf("stdp: drive population %q: it is not of kind Poisson", p.name)
	}
	if len(rates) != p.size {
		return fmt.Errorf("stdp: drive population %q: %d rates for %d neurons", p.name, len(rates), p.size)
	}
	for i, r := range rates {
		if most := 1000 / p.network.options.Step; !(r >= 0 && float64(r) <= most) {
			return fmt.Errorf("stdp: drive population %q: rate %d is %v Hz, want from 0 to %v, one spike a step", p.name, i, r, most)
		}
	}
	copy(c.rate, rates)
	c.active = c.active[:0]
	for i, r := range rates {
		if r > 0 {
			c.active = append(c.active, int32(i))
			c.coming[i] = p.network.now + c.gap(i)
		}
	}
	return nil
}

// gap is the number of steps without a spike before the next: of independent steps it is
// geometric.
func (c *poisson) gap(i int) int64 {
	p := float64(c.rate[i]) * c.p.network.options.Step / 1000
	return geometric(c.draws.next(), p)
}

// geometric is how many failures come before the first success of probability p, from a
// uniform number in (0, 1].
func geometric(u, p float64) int64 {
	if p >= 1 {
		return 0
	}
	return int64(min(math.Log(u)/math.Log1p(-p), 1<<40))
}

func (c *poisson) step(fired []int32, t int64) ([]int32, error) {
	for _, i := range c.active {
		if c.coming[i] == t {
			fired = append(fired, i)
			c.coming[i] = t + 1 + c.gap(int(i))
		}
	}
	return fired, nil
}

func (c *poisson) rest() {}

func (c *poisson) fields(visit func(string, any)) {
	visit("draws", &c.draws.done)
	visit("rate", c.rate)
	visit("coming", c.coming)
}

// restored lists the active again.
func (c *poisson) restored() {
	c.active = c.active[:0]
	for i, r := range c.rate {
		if r > 0 {
			c.active = append(c.active, int32(i))
		}
	}
}

// Trains fires at given times, which Play sets; until then never.
type Trains struct{}

type player struct {
	p     *Population
	steps []int64 // ascending
	units []int32
	at    int
}

func (Trains) cells(p *Population) (cells, error) { return &player{p: p}, nil }

// Play lets a population of kind Trains fire at times, in ms from now: trains[i] are those of
// neuron i. Times fall into the step that holds them; two of a neuron in one step are an error.
// What was to be played before is forgotten.
func (p *Population) Play(trains [][]float64) error {
	c, ok := p.cells.(*player)
	if !ok {
		return fmt.Errorf("stdp: play to population %q: it is not of kind Trains", p.name)
	}
	if len(trains) != p.size {
		return fmt.Errorf("stdp: play to population %q: %d trains for %d neurons", p.name, len(trains), p.size)
	}
	type event struct {
		step int64
		unit int32
	}
	var all []event
	const slack = 1e-9 // of a step: 0.3 ms over 0.1 is step 3
	for i, train := range trains {
		seen := map[int64]bool{}
		for _, ms := range train {
			s := math.Floor(ms/p.network.options.Step + slack)
			if !(s >= 0 && s < 1<<40) {
				return fmt.Errorf("stdp: play to population %q: neuron %d fires at %v ms, want a time from 0 on", p.name, i, ms)
			}
			if seen[int64(s)] {
				return fmt.Errorf("stdp: play to population %q: neuron %d fires twice in the step of %v ms, want once; take a shorter step", p.name, i, ms)
			}
			seen[int64(s)] = true
			all = append(all, event{p.network.now + int64(s), int32(i)})
		}
	}
	sort.Slice(all, func(a, b int) bool {
		return all[a].step < all[b].step || all[a].step == all[b].step && all[a].unit < all[b].unit
	})
	c.steps, c.units, c.at = nil, nil, 0
	for _, e := range all {
		c.steps, c.units = append(c.steps, e.step), append(c.units, e.unit)
	}
	return nil
}

func (c *player) step(fired []int32, t int64) ([]int32, error) {
	for ; c.at < len(c.steps) && c.steps[c.at] <= t; c.at++ {
		fired = append(fired, c.units[c.at])
	}
	return fired, nil
}

func (c *player) rest() { c.steps, c.units, c.at = nil, nil, 0 }

func (c *player) fields(visit func(string, any)) { visit("coming", c) }

// LIF are leaky neurons that an input spike lifts by its weight in mV. With u the potential
// above rest and θ the neuron's own part of the threshold:
//
//	u ← e^(−Δ/τ)·u + I,   I left out in the refractory time, in which u stays where it Holds, up to the
//	last of its steps: there it leaks already, as in Brian2
//	a spike where u ≥ threshold + θ:  u ← reset,  θ ← θ + rise
//	θ ← e^(−Δ/τ_θ)·θ
//
// Of the neurons above their thresholds in one step at most Winners fire: with Drawn they are
// drawn at random, and the others are reset and adapted too but silent, as in BindsNET; else
// those fire that are farthest above, of equals the first, and the others are let be.
//
// Background is the rate of spikes from elsewhere, a Poisson process of each neuron, each of which
// adds BackgroundWeight to I: what many trains of neurons that are not simulated amount to.
type LIF struct {
	Tau        float64 // ms, of the membrane
	Threshold  float64 // mV above rest
	Reset      float64 // mV above rest
	Refractory float64 // ms
	Rise       float64 // mV that θ rises by at a spike (homeostasis)
	TauTheta   float64 // ms in which θ decays; 0: never
	Winners    int     // that fire in a step, at most (k-winner-take-all); 0: all
	Drawn      bool
	Holds      bool // the refractory potential stays but for the last step; else it leaks

	Background       float64 // Hz
	BackgroundWeight float64 // mV
}

// lifCells is the state of a LIF population.
type lifCells struct {
	LIF
	p       *Population
	draws   draws
	u       []tensor.Float
	theta   []tensor.Float
	waiting []int32 // steps of the refractory time that are left
	whole   int32   // steps of the refractory time
	leak    kernel.LIF
	decay   tensor.Float // of θ in a step
	bits    []uint64
	above   []int32
	noise   *background
	held    []int32 // neurons in their refractory time, where they hold
}

func (l LIF) cells(p *Population) (cells, error) {
	switch {
	case !positive(l.Tau):
		return nil, fmt.Errorf("tau is %v ms, want a positive time; 100 is Diehl and Cook's", l.Tau)
	case !positive(l.Threshold) || !(l.Reset < l.Threshold):
		return nil, fmt.Errorf("threshold is %v mV and reset %v above rest, want a positive threshold above the reset; 13 and 5 are usual", l.Threshold, l.Reset)
	case !(l.Refractory >= 0) || !(l.Rise >= 0) || !(l.TauTheta >= 0) || l.Winners < 0:
		return nil, fmt.Errorf("refractory %v ms, rise %v mV, tau-theta %v ms, winners %d: want none below 0", l.Refractory, l.Rise, l.TauTheta, l.Winners)
	case l.Drawn && l.Winners == 0:
		return nil, errors.New("winners are drawn, but all fire; say how many of winners do")
	}
	step := p.network.options.Step
	whole, err := p.network.steps("refractory", l.Refractory)
	if err != nil {
		return nil, err
	}
	c := &lifCells{
		LIF: l, p: p, draws: draws{key: rng.New(p.network.options.Seed, "stdp").Str(p.name)},
		u: make([]tensor.Float, p.size), theta: make([]tensor.Float, p.size), waiting: make([]int32, p.size), whole: int32(whole),
		leak:  kernel.LIF{Beta: tensor.Float(factor(step, l.Tau)), Gain: 1, Fire: tensor.Float(math.Inf(1)), Reset: kernel.ResetNone},
		decay: tensor.Float(factor(step, l.TauTheta)), bits: make([]uint64, (p.size+63)/64),
	}
	if l.Background != 0 || l.BackgroundWeight != 0 {
		if c.noise, err = newBackground(l, p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *lifCells) step(fired []int32, _ int64) ([]int32, error) {
	in := c.p.in(excitatory)
	if c.noise != nil {
		c.noise.add(in)
	}
	c.held = c.held[:0]
	for j, w := range c.waiting {
		if w > 0 {
			in[j] = 0
			c.waiting[j] = w - 1
			if c.Holds && w > 1 {
				c.held = append(c.held, int32(j))
			}
		}
	}
	c.leak.Forward(1, in, len(in), c.u, nil, 0, c.bits, len(c.bits))
	for _, j := range c.held { // which came out of a reset
		c.u[j] = tensor.Float(c.Reset)
	}
	if c.TauTheta > 0 && !c.p.network.frozen {
		kernel.Scale(c.theta, c.decay)
	}
	c.above = c.above[:0]
	for j, u := range c.u {
		if u >= tensor.Float(c.Threshold)+c.theta[j] {
			c.above = append(c.above, int32(j))
		}
	}
	first := len(fired)
	fired = append(fired, c.chosen()...)
	if c.Drawn {
		c.reset(c.above)
	} else {
		c.reset(fired[first:])
	}
	return fired, nil
}

// chosen are the winners of those above their thresholds, ascending.
func (c *lifCells) chosen() []int32 {
	k := c.Winners
	if k == 0 || len(c.above) <= k {
		return c.above
	}
	all := slices.Clone(c.above)
	if c.Drawn {
		for i := range min(k, len(all)) {
			at := i + pick(c.draws.next(), len(all)-i)
			all[i], all[at] = all[at], all[i]
		}
	} else {
		excess := func(j int32) tensor.Float { return c.u[j] - c.theta[j] }
		sort.SliceStable(all, func(a, b int) bool { return excess(all[a]) > excess(all[b]) })
	}
	all = all[:min(k, len(all))]
	slices.Sort(all)
	return all
}

// pick is an index below n from a number in (0, 1].
func pick(u float64, n int) int { return min(int((1-u)*float64(n)), n-1) }

func (c *lifCells) reset(list []int32) {
	for _, j := range list {
		c.u[j], c.waiting[j] = tensor.Float(c.Reset), c.whole
		if !c.p.network.frozen {
			c.theta[j] += tensor.Float(c.Rise)
		}
	}
}

func (c *lifCells) rest() {
	clear(c.u)
	clear(c.waiting)
}

func (c *lifCells) fields(visit func(string, any)) {
	visit("draws", &c.draws.done)
	if c.noise != nil {
		visit("background", &c.noise.done)
	}
	visit("u", c.u)
	visit("theta", c.theta)
	visit("waiting", c.waiting)
}

// Conductance are leaky neurons whose input spikes open conductances, in units of the leak:
//
//	τ dv/dt = (rest − v) + g_e·(E_e − v) + g_i·(E_i − v),   τ_g dg/dt = −g,   g ← g + w at a spike
//	a spike where v ≥ threshold + θ:  v ← reset,  θ ← θ + rise
//
// A step is that of exponential Euler, which is exact for conductances that stand still and
// stable for any: with G = 1 + g_e + g_i and v∞ = (rest + g_e·E_e + g_i·E_i)/G,
//
//	v ← v∞ + (v − v∞)·e^(−Δ·G/τ),   then g ← e^(−Δ/τ_g)·g
//
// In the refractory time v stays at reset while conductances go on. Diehl and Cook 2015.
type Conductance struct {
	Tau, Rest, Reset, Threshold float64 // ms, mV, mV, mV
	Refractory                  float64 // ms
	Excitatory, Inhibitory      float64 // E_e and E_i in mV
	TauExcitatory               float64 // ms, of g_e
	TauInhibitory               float64 // ms, of g_i
	Rise, TauTheta              float64 // mV and ms, as of LIF
}

type conductanceCells struct {
	Conductance
	p       *Population
	v       []tensor.Float
	theta   []tensor.Float
	ge, gi  []tensor.Float
	waiting []int32
	whole   int32
	decay   tensor.Float
}

func (c Conductance) cells(p *Population) (cells, error) {
	switch {
	case !positive(c.Tau) || !positive(c.TauExcitatory) || !positive(c.TauInhibitory):
		return nil, fmt.Errorf("tau is %v, tau of conductances %v and %v ms, want positive times", c.Tau, c.TauExcitatory, c.TauInhibitory)
	case !finite(c.Rest, c.Reset, c.Threshold, c.Excitatory, c.Inhibitory):
		return nil, fmt.Errorf("rest %v, reset %v, threshold %v, excitatory %v, inhibitory %v mV, want finite numbers", c.Rest, c.Reset, c.Threshold, c.Excitatory, c.Inhibitory)
	case !(c.Refractory >= 0) || !(c.Rise >= 0) || !(c.TauTheta >= 0):
		return nil, fmt.Errorf("refractory %v ms, rise %v mV, tau-theta %v ms: want none below 0", c.Refractory, c.Rise, c.TauTheta)
	}
	whole, err := p.network.steps("refractory", c.Refractory)
	if err != nil {
		return nil, err
	}
	made := func() []tensor.Float { return make([]tensor.Float, p.size) }
	s := &conductanceCells{
		Conductance: c, p: p, v: made(), theta: made(), ge: made(), gi: made(), waiting: make([]int32, p.size), whole: int32(whole),
		decay: tensor.Float(factor(p.network.options.Step, c.TauTheta)),
	}
	s.rest()
	return s, nil
}

func (c *conductanceCells) step(fired []int32, _ int64) ([]int32, error) {
	step := c.p.network.options.Step
	rest, ee, ei, rate := tensor.Float(c.Rest), tensor.Float(c.Excitatory), tensor.Float(c.Inhibitory), tensor.Float(step/c.Tau)
	kernel.Add(c.ge, c.p.in(excitatory))
	kernel.Add(c.gi, c.p.in(inhibitory))
	for j, v := range c.v {
		if c.waiting[j] > 0 {
			c.waiting[j]--
			continue
		}
		ge, gi := c.ge[j], c.gi[j]
		total := 1 + ge + gi
		end := (rest + tensor.Float(ge*ee) + tensor.Float(gi*ei)) / total
		v = end + tensor.Float((v-end)*left(rate*total))
		if c.v[j] = v; v >= tensor.Float(c.Threshold)+c.theta[j] {
			fired = append(fired, int32(j))
			c.v[j], c.waiting[j] = tensor.Float(c.Reset), c.whole
			if !c.p.network.frozen {
				c.theta[j] += tensor.Float(c.Rise)
			}
		}
	}
	kernel.Scale(c.ge, tensor.Float(factor(step, c.TauExcitatory)))
	kernel.Scale(c.gi, tensor.Float(factor(step, c.TauInhibitory)))
	if c.TauTheta > 0 && !c.p.network.frozen {
		kernel.Scale(c.theta, c.decay)
	}
	return fired, nil
}

// left is e^(−x). The series is for the short steps that most neurons take; its error is
// below x⁵/120, 1e-7.
func left(x tensor.Float) tensor.Float {
	if x < 0.1 {
		return 1 - tensor.Float(x*(1-tensor.Float(x/2*(1-tensor.Float(x/3*(1-x/4))))))
	}
	return tensor.Float(math.Exp(-float64(x)))
}

func (c *conductanceCells) rest() {
	for j := range c.v {
		c.v[j] = tensor.Float(c.Rest)
	}
	clear(c.ge)
	clear(c.gi)
	clear(c.waiting)
}

func (c *conductanceCells) fields(visit func(string, any)) {
	visit("v", c.v)
	visit("theta", c.theta)
	visit("ge", c.ge)
	visit("gi", c.gi)
	visit("waiting", c.waiting)
}

// Thresholds are the adaptive parts θ in mV of a population of kind LIF or Conductance, to be
// read and set; nil for other kinds.
func (p *Population) Thresholds() []tensor.Float {
	switch c := p.cells.(type) {
	case *lifCells:
		return c.theta
	case *conductanceCells:
		return c.theta
	}
	return nil
}

// Softmax are neurons of which one fires at a time, as a Poisson process of rate R that
// chooses among them by their potentials (Nessler et al. 2013):
//
//	u_k = b_k + I_k,   P(a spike in a step) = R·Δ,   P(it is k's) = e^(u_k)/Σ e^u
//	at a spike of k:  b_k += η·(e^(−b_k) − 1),   b_m −= η for all others
//
// With Probabilistic on its inputs this is online expectation–maximisation of a mixture.
type Softmax struct {
	Rate     float64 // R in Hz
	BiasRate float64 // η; 0 keeps the biases at 0
}

type softmaxCells struct {
	Softmax
	p     *Population
	draws draws
	bias  []tensor.Float
	sum   []float64
}

func (s Softmax) cells(p *Population) (cells, error) {
	if most := 1000 / p.network.options.Step; !(s.Rate > 0 && s.Rate <= most) || !(s.BiasRate >= 0 && s.BiasRate < 1) {
		return nil, fmt.Errorf("rate %v Hz, bias rate %v; want a rate up to %v, one spike a step, and a bias rate in [0, 1)", s.Rate, s.BiasRate, most)
	}
	return &softmaxCells{Softmax: s, p: p, draws: draws{key: rng.New(p.network.options.Seed, "stdp").Str(p.name)}, bias: make([]tensor.Float, p.size), sum: make([]float64, p.size)}, nil
}

func (c *softmaxCells) step(fired []int32, _ int64) ([]int32, error) {
	if c.draws.next() > c.Rate*c.p.network.options.Step/1000 {
		return fired, nil
	}
	in := c.p.in(excitatory)
	most := math.Inf(-1)
	for k, b := range c.bias {
		most = max(most, float64(b)+float64(in[k]))
	}
	total := 0.0
	for k, b := range c.bias {
		total += math.Exp(float64(b) + float64(in[k]) - most)
		c.sum[k] = total
	}
	if math.IsNaN(total) {
		return fired, errors.New("potentials are no numbers; are the weights finite?")
	}
	at := c.draws.next() * total
	k := min(sort.Search(len(c.sum), func(k int) bool { return c.sum[k] >= at }), len(c.sum)-1)
	if rate := tensor.Float(c.BiasRate); rate > 0 && !c.p.network.frozen {
		grown := tensor.Float(math.Exp(-float64(c.bias[k])))
		for m := range c.bias {
			c.bias[m] -= rate
		}
		c.bias[k] += tensor.Float(rate * grown)
	}
	return append(fired, int32(k)), nil
}

func (c *softmaxCells) rest() {}

func (c *softmaxCells) fields(visit func(string, any)) {
	visit("draws", &c.draws.done)
	visit("bias", c.bias)
}
