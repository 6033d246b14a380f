package stdp

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// memory is what is learned.
type memory struct {
	inputs, neurons, classes int
	weight                   []tensor.Float // [inputs, neurons]: a spike adds a row
	theta                    []tensor.Float // mV
	response                 []tensor.Float // [classes, neurons]: mean spikes for a sample of the class
	labelled                 []int64        // samples of each class behind it; none until it is finished
}

func newMemory(inputs, neurons, classes int) *memory {
	return &memory{
		inputs: inputs, neurons: neurons, classes: classes,
		weight: make([]tensor.Float, inputs*neurons), theta: make([]tensor.Float, neurons),
		response: make([]tensor.Float, classes*neurons), labelled: make([]int64, classes),
	}
}

// finished reports whether there are labels.
func (m *memory) finished() bool {
	for _, n := range m.labelled {
		if n > 0 {
			return true
		}
	}
	return false
}

// forget drops the labels.
func (m *memory) forget() {
	clear(m.response)
	clear(m.labelled)
}

// floats are the arrays of numbers.
func (m *memory) floats() map[string]tensor.Tensor {
	return map[string]tensor.Tensor{
		"weight":   {Shape: tensor.Shape{m.inputs, m.neurons}, Data: m.weight},
		"theta":    {Shape: tensor.Shape{m.neurons}, Data: m.theta},
		"response": {Shape: tensor.Shape{m.classes, m.neurons}, Data: m.response},
	}
}

const labelledName = "labelled"

func (m *memory) arrays() map[string]train.Array {
	all := map[string]train.Array{labelledName: safetensors.I64(m.labelled, m.classes)}
	for name, x := range m.floats() {
		all[name] = modelfile.Pack(x)
	}
	return all
}

// take takes up what arrays hold. On an error nothing has changed.
func (m *memory) take(s map[string]train.Array) error {
	floats := m.floats()
	if want := len(floats) + 1; len(s) != want {
		return fmt.Errorf("stdp: there are %d arrays, of this network %d: was the file made with another configuration?", len(s), want)
	}
	labelled, err := s[labelledName].I64s()
	if err != nil || len(labelled) != m.classes || len(s[labelledName].Shape) != 1 {
		return fmt.Errorf("stdp: there are no numbers of labelled samples of %d classes: is it a model of another rule?", m.classes)
	}
	found := map[string][]tensor.Float{}
	for name, x := range floats {
		if found[name], err = modelfile.Unpack(s, name, x.Shape); err != nil {
			return fmt.Errorf("stdp: %w", err)
		}
		if at := kernel.Finite(found[name]); at >= 0 {
			return fmt.Errorf("stdp: element %d of %s is %v, want finite numbers: is the file whole?", at, name, found[name][at])
		}
	}
	for name, x := range floats {
		copy(x.Data, found[name])
	}
	copy(m.labelled, labelled)
	return nil
}

// competition runs one sample at a time on a memory, which several may share where none
// learns.
type competition struct {
	*memory
	rule  Rule
	steps int
	norm  tensor.Float
	trace []tensor.Float // e^(−d/τ_s) for d = 0, 1, … steps

	spikes   trains
	u        []tensor.Float
	current  []tensor.Float
	waiting  []int32        // refractory steps left, of those in resting
	resting  []int32        // neurons in their refractory time
	bits     []uint64       // that may be above their thresholds
	above    []int32        // that are
	count    []int32        // spikes of the sample
	lastIn   []int32        // step of the last spike of each input; −1: none
	lastOut  []int32        // of the neurons in recent
	recent   []int32        // neurons that have fired, in order of their first spike
	known    []bool         // that are in recent
	weaken   []tensor.Float // what a spike of an input takes off now, of recent
	sums     []tensor.Float // of recent
	learning bool
}

func newCompetition(r Rule, m *memory, steps int) *competition {
	c := &competition{
		memory: m, rule: r, steps: steps, norm: tensor.Float(r.norm(m.inputs)),
		u: make([]tensor.Float, m.neurons), current: make([]tensor.Float, m.neurons), waiting: make([]int32, m.neurons),
		bits: make([]uint64, (m.neurons+63)/64), count: make([]int32, m.neurons), lastIn: make([]int32, m.inputs), known: make([]bool, m.neurons),
	}
	c.trace = make([]tensor.Float, steps+1)
	for d := range c.trace {
		c.trace[d] = tensor.Float(math.Exp(-float64(d) / r.TauTrace))
	}
	return c
}

// trains are the spikes of the inputs of a sample, by steps.
type trains struct {
	active []int32 // inputs that are not 0, ascending
	value  []tensor.Float
	steps  []int32 // of the spikes, input after input
	units  []int32
	start  []int32 // of each step in sorted, and the end
	sorted []int32 // inputs, by steps, of one step ascending
}

// show makes the trains of a sample.
func (s *trains) show(x shown, rate float64, steps int, key rng.Key) error {
	if x.duration > 0 {
		s.take(x.events, x.duration, steps)
		return nil
	}
	return s.draw(x.values, rate, steps, key)
}

// draw draws trains of a number of steps for values in [0, 1], rate in Hz.
func (s *trains) draw(x []tensor.Float, rate float64, steps int, key rng.Key) error {
	s.active, s.value = kernel.Nonzeros(s.active[:0], s.value[:0], x, 0)
	s.steps, s.units = s.steps[:0], s.units[:0]
	if len(s.start) != steps+1 {
		s.start = make([]int32, steps+1)
	}
	clear(s.start)
	src := key.Source()
	for k, v := range s.value {
		if !(v > 0 && v <= 1) {
			return fmt.Errorf("value %d is %v, and rates stand for values in [0, 1]; scale the data, and leave normalize out", s.active[k], v)
		}
		p := float64(v) * rate / 1000
		perLog := 1 / math.Log1p(-p) // −0 for a spike in each step
		for t := 0; ; t++ {
			gap := math.Log((float64(src.Uint32())+1)*(1.0/(1<<32))) * perLog
			if !(gap < float64(steps-t)) {
				break
			}
			t += int(gap)
			s.steps, s.units = append(s.steps, int32(t)), append(s.units, s.active[k])
			s.start[t]++
		}
	}
	s.sort()
	return nil
}

// take takes the trains from events: in the step that an event falls into its unit spikes,
// once for all its events there. Events outside [0, duration) are not shown.
func (s *trains) take(events []sample.Event, duration float64, steps int) {
	s.steps, s.units, s.active = s.steps[:0], s.units[:0], s.active[:0]
	if len(s.start) != steps+1 {
		s.start = make([]int32, steps+1)
	}
	clear(s.start)
	for _, e := range events {
		if t := encode.StepOf(e.Time, steps, duration); t >= 0 && t < steps {
			s.steps, s.units = append(s.steps, int32(t)), append(s.units, e.Unit)
			s.start[t]++
		}
	}
	s.sort()
	s.active = append(s.active, s.sorted...)
	slices.Sort(s.active)
	s.active = slices.Compact(s.active)
	kept := int32(0)
	for t := range steps {
		row := s.at(t)
		slices.Sort(row)
		row = slices.Compact(row)
		s.start[t] = kept
		kept += int32(copy(s.sorted[kept:], row))
	}
	s.start[steps], s.sorted = kept, s.sorted[:kept]
}

// sort puts the spikes into the order of steps, with start the number of each.
func (s *trains) sort() {
	steps, at := len(s.start)-1, int32(0)
	for t, n := range s.start {
		s.start[t], at = at, at+n
	}
	if cap(s.sorted) < len(s.units) {
		s.sorted = make([]int32, 2*len(s.units))
	}
	s.sorted = s.sorted[:len(s.units)]
	for k, t := range s.steps {
		s.sorted[s.start[t]] = s.units[k]
		s.start[t]++
	}
	copy(s.start[1:], s.start[:steps])
	s.start[0] = 0
}

// at are the inputs that fire in a step.
func (s *trains) at(t int) []int32 { return s.sorted[s.start[t]:s.start[t+1]] }

// run shows a sample, whose random numbers are those of a key.
func (c *competition) run(x shown, key rng.Key, learning bool) error {
	if err := c.spikes.show(x, c.rule.Rate, c.steps, key.Str("input")); err != nil {
		return err
	}
	c.show(draws{key: key.Str("winner")}, learning)
	return nil
}

func (c *competition) counts() []int32 { return c.count }

// show runs the trains that were drawn.
func (c *competition) show(draw draws, learning bool) {
	c.begin(learning)
	leak := kernel.LIF{Beta: tensor.Float(math.Exp(-1 / c.rule.TauMem)), Gain: 1, Fire: c.lowest(), Reset: kernel.ResetNone}
	inhibition := tensor.Float(c.rule.Inhibition)
	fired := int32(-1) // in the step before
	for t := range c.steps {
		if fired >= 0 {
			fill(c.current, -inhibition)
			c.current[fired] = 0
		} else {
			clear(c.current)
		}
		if t > 0 {
			kernel.AddRows(c.current, c.weight, c.neurons, c.spikes.at(t-1))
		}
		c.rest()
		leak.Forward(1, c.current, c.neurons, c.u, nil, 0, c.bits, len(c.bits))
		if fired = c.winner(&draw); fired >= 0 {
			c.count[fired]++
		}
		if learning {
			c.learn(int32(t), fired)
		}
	}
	if learning {
		c.end()
	}
}

// begin forgets the sample before.
func (c *competition) begin(learning bool) {
	c.learning = learning
	clear(c.u)
	clear(c.count)
	c.resting = c.resting[:0]
	for _, j := range c.recent {
		c.known[j] = false
	}
	c.recent, c.lastOut = c.recent[:0], c.lastOut[:0]
	for i := range c.lastIn {
		c.lastIn[i] = -1
	}
}

// lowest is the lowest threshold. Thresholds only rise within a sample.
func (c *competition) lowest() tensor.Float {
	low := c.theta[0]
	for _, v := range c.theta {
		low = min(low, v)
	}
	return tensor.Float(c.rule.Threshold) + low
}

func fill(x []tensor.Float, v tensor.Float) {
	for i := range x {
		x[i] = v
	}
}

// rest takes the input from neurons in their refractory time.
func (c *competition) rest() {
	still := c.resting[:0]
	for _, j := range c.resting {
		c.current[j] = 0
		if c.waiting[j]--; c.waiting[j] > 0 {
			still = append(still, j)
		}
	}
	c.resting = still
}

// winner resets and adapts all neurons above their thresholds, and is the one that fires; −1
// for none.
func (c *competition) winner(draw *draws) int32 {
	c.above = c.above[:0]
	threshold := tensor.Float(c.rule.Threshold)
	for i, word := range c.bits {
		for ; word != 0; word &= word - 1 {
			if j := 64*i + bits.TrailingZeros64(word); c.u[j] >= threshold+c.theta[j] {
				c.above = append(c.above, int32(j))
			}
		}
	}
	if len(c.above) == 0 {
		return -1
	}
	for _, j := range c.above {
		if c.u[j] = tensor.Float(c.rule.Reset); c.rule.Refractory > 0 {
			c.waiting[j], c.resting = int32(c.rule.Refractory), append(c.resting, j)
		}
		if c.learning {
			c.theta[j] += tensor.Float(c.rule.Rise)
		}
	}
	if len(c.above) == 1 {
		return c.above[0]
	}
	return c.above[pick(draw.next(), len(c.above))]
}

// learn changes the weights by the spikes of a step.
func (c *competition) learn(t, fired int32) {
	pre := c.spikes.at(int(t))
	for _, i := range pre {
		c.lastIn[i] = t
	}
	if fired >= 0 {
		c.remember(fired, t)
	}
	if len(c.recent) == 0 {
		return
	}
	if len(pre) > 0 {
		minus := tensor.Float(c.rule.Minus)
		c.weaken = c.weaken[:0]
		for _, last := range c.lastOut {
			c.weaken = append(c.weaken, minus*c.trace[t-last])
		}
		for _, i := range pre {
			row := c.weight[int(i)*c.neurons:][:c.neurons]
			for k, j := range c.recent {
				row[j] = unit(row[j] - c.weaken[k])
			}
		}
	}
	if fired < 0 {
		return
	}
	plus := tensor.Float(c.rule.Plus)
	for _, i := range c.spikes.active {
		if last := c.lastIn[i]; last >= 0 {
			w := &c.weight[int(i)*c.neurons+int(fired)]
			*w = unit(*w + tensor.Float(plus*c.trace[t-last]))
		}
	}
}

// unit keeps a weight in [0, 1].
func unit(w tensor.Float) tensor.Float {
	switch {
	case w < 0:
		return 0
	case w > 1:
		return 1
	}
	return w
}

// remember notes a spike of a neuron.
func (c *competition) remember(j, t int32) {
	if !c.known[j] {
		c.known[j] = true
		c.recent, c.lastOut = append(c.recent, j), append(c.lastOut, t)
		return
	}
	for k, other := range c.recent {
		if other == j {
			c.lastOut[k] = t
			return
		}
	}
}

// end lets thresholds fall, and scales the weights of the neurons that fired.
func (c *competition) end() {
	if c.rule.TauTheta > 0 {
		kernel.Scale(c.theta, tensor.Float(math.Exp(-float64(c.steps)/c.rule.TauTheta)))
	}
	c.scale(c.recent)
}

// scale scales the weights of neurons to their sum; those of a sum of 0 stay.
func (c *competition) scale(neurons []int32) {
	if cap(c.sums) < len(neurons) {
		c.sums = make([]tensor.Float, len(neurons))
	}
	c.sums = c.sums[:len(neurons)]
	clear(c.sums)
	for i := range c.inputs {
		row := c.weight[i*c.neurons:][:c.neurons]
		for k, j := range neurons {
			c.sums[k] += row[j]
		}
	}
	for k, s := range c.sums {
		if c.sums[k] = 1; s > 0 {
			c.sums[k] = c.norm / s
		}
	}
	for i := range c.inputs {
		row := c.weight[i*c.neurons:][:c.neurons]
		for k, j := range neurons {
			row[j] *= c.sums[k]
		}
	}
}
