package stdp

import (
	"context"
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train"
)

// PublishedKind names the rule of the published network in configurations and model files.
const PublishedKind = "diehl-cook"

// Published is the network of Diehl and Cook (2015) with its two populations, by the constants
// of the program that the authors released: inputs excite neurons all to all, each neuron
// excites an inhibitory one of its own, and that inhibits all other neurons. Both are of kind
// Conductance. Weights learn by Triplet with nearest spikes,
//
//	pre: w −= minus·o₁      post: w += plus·r₁·o₂, o₂ as it was before      w in [0, 1]
//
// (τ₊ = τ₋ = 20, τ_y = 40 ms), so that the first spike of a neuron in a sample adds nothing. A
// sample of values x in [0, 1] is shown for T steps of 0.5 ms, T the run's steps, as Poisson
// trains of x·rate Hz, after each neuron's weights were scaled to a sum of norm. Where fewer
// than least spikes follow, it is shown again at rates that are higher by raise, up to a spike
// in each step. A pause without input follows each time.
//
// Thresholds have an adaptive part of 20 mV at the start, which rises by rise at a spike and
// falls with τ_θ, also that of neurons that never fire: after some ten thousand samples these
// fire by it. Labels and answers are those of Rule, of a network that stands still and of the
// last time that a sample is shown.
//
// Left out are the delays of the inputs of up to 10 ms; the decay of potentials and traces over
// the pause ends with it, so that each sample begins at rest; and θ decays after each sample, by
// its whole time.
type Published struct {
	Neurons  int     `yaml:"neurons,required"` // of each population
	Rate     float64 `yaml:"rate"`             // Hz, of an input of value 1
	Raise    float64 `yaml:"raise"`            // Hz, added to it each time that a sample is shown again
	Least    int     `yaml:"least"`            // spikes below which a sample is shown again; 0: never
	Pause    float64 `yaml:"pause"`            // ms after a sample
	Plus     float64 `yaml:"plus"`             // change of a weight at a spike of its neuron
	Minus    float64 `yaml:"minus"`            // and at one of its input
	Rise     float64 `yaml:"rise"`             // mV that a threshold rises by (homeostasis)
	TauTheta float64 `yaml:"tau-theta"`        // ms in which it falls; 0: never
	Norm     float64 `yaml:"norm,omitempty"`   // sum of a neuron's weights; 0: 78/784 of the inputs
	Excite   float64 `yaml:"excite"`           // weight to the inhibitory population
	Inhibit  float64 `yaml:"inhibit"`          // weight back from it
	Labels   int     `yaml:"labels"`           // training samples that neurons get their labels by, at most; 0: all
}

// NewPublished has the defaults of a configuration file.
func NewPublished() Published {
	return Published{
		Rate: 63.75, Raise: 31.875, Least: 5, Pause: 150, Plus: 0.01, Minus: 1e-4, Rise: 0.05, TauTheta: 1e7,
		Excite: 10.4, Inhibit: 17, Labels: 10_000,
	}
}

const (
	publishedStep  = 0.5 // ms
	publishedTheta = 20  // mV at the start
)

// Ignores is the encoder: samples are encoded by the rule.
func (Published) Ignores() []string { return []string{"encoder"} }

// Validate returns an error for options that make no sense.
func (r Published) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("diehl-cook: "+format, args...) }
	if r.Neurons < 1 || r.Neurons > maxUnits {
		return fail("neurons is %d, want from 1 to %d; 100 to 6,400 are usual", r.Neurons, maxUnits)
	}
	if err := checkOptions([]option{
		{"rate", r.Rate, true, 63.75}, {"raise", r.Raise, true, 31.875}, {"pause", r.Pause, false, 150}, {"plus", r.Plus, false, 0.01},
		{"minus", r.Minus, false, 1e-4}, {"rise", r.Rise, false, 0.05}, {"tau-theta", r.TauTheta, false, 1e7}, {"norm", r.Norm, false, 78},
		{"excite", r.Excite, true, 10.4}, {"inhibit", r.Inhibit, true, 17},
	}); err != nil {
		return fail("%w", err)
	}
	switch {
	case r.Rate > 1000/publishedStep:
		return fail("rate is %v Hz, want at most %v, a spike in each step of %v ms", r.Rate, 1000/publishedStep, publishedStep)
	case r.Pause > maxSteps:
		return fail("pause is %v ms, want at most %d; 150 is usual", r.Pause, maxSteps)
	case r.Least < 0 || r.Labels < 0:
		return fail("least is %d spikes, labels %d samples, want neither below 0", r.Least, r.Labels)
	}
	return nil
}

// norm is the sum that a neuron's weights are scaled to: 78 of 784 inputs.
func (r Published) norm(inputs int) float64 {
	if r.Norm > 0 {
		return r.Norm
	}
	return 78.0 / 784 * float64(inputs)
}

func (r Published) memory(s train.Setting) (*memory, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if s.Spec.Events {
		return nil, fmt.Errorf("diehl-cook: samples are %v, want values without time, which become rates; events take rule stdp", s.Spec)
	}
	inputs, classes, err := shape(r.Neurons, s)
	if err != nil {
		return nil, err
	}
	return newMemory(inputs, r.Neurons, classes), nil
}

func (r Published) runner(s train.Setting, m *memory) (*runner, error) {
	if _, err := newColumn(r, m, s.Steps); err != nil {
		return nil, err
	}
	return newRunner(s, m, func() worker {
		c, err := newColumn(r, m, s.Steps)
		if err != nil {
			panic(err) // the same was made above
		}
		return c
	}), nil
}

// Learner makes the learner. It is a *Learner.
func (r Published) Learner(s train.Setting) (train.Learner, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	m.draw(s.Seed, 0.3)
	for i, w := range m.weight {
		m.weight[i] = w + 0.003 // so that no weight begins at 0, as in the released program
	}
	for j := range m.theta {
		m.theta[j] = publishedTheta
	}
	run, err := r.runner(s, m)
	if err != nil {
		return nil, err
	}
	return &Learner{run, r.Labels}, nil
}

// Predictor is the network of a model's arrays, with its labels.
func (r Published) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	if err := m.take(model); err != nil {
		return nil, err
	}
	run, err := r.runner(s, m)
	if err != nil {
		return nil, err
	}
	return &Predictor{run}, nil
}

// column is the published network in the simulator, on a memory.
type column struct {
	*memory
	rule    Published
	network *Network
	input   *Population
	feed    *Connection
	watch   *Monitor
	shown   float64 // ms
	rates   []tensor.Float
	count   []int32
}

func newColumn(r Published, m *memory, steps int) (*column, error) {
	n, err := New(Options{Step: publishedStep})
	if err != nil {
		return nil, err
	}
	c := &column{memory: m, rule: r, network: n, shown: float64(steps) * publishedStep, rates: make([]tensor.Float, m.inputs), count: make([]int32, m.neurons)}
	if c.input, err = n.Add("input", m.inputs, Poisson{}); err != nil {
		return nil, err
	}
	excitatory, err := n.Add("excitatory", m.neurons, Conductance{
		Tau: 100, Rest: -65, Reset: -65, Threshold: -52 - publishedTheta, Refractory: 5, Excitatory: 0, Inhibitory: -100,
		TauExcitatory: 1, TauInhibitory: 2, Rise: r.Rise,
	})
	if err != nil {
		return nil, err
	}
	inhibitory, err := n.Add("inhibitory", m.neurons, Conductance{
		Tau: 10, Rest: -60, Reset: -45, Threshold: -40, Refractory: 2, Excitatory: 0, Inhibitory: -85, TauExcitatory: 1, TauInhibitory: 2,
	})
	if err != nil {
		return nil, err
	}
	excitatory.cells.(*conductanceCells).theta = m.theta // which is learned
	c.feed, err = n.Connect("feed", c.input, excitatory, Synapses{Weights: m.weight, High: 1, Rule: Triplet{
		Plus3: r.Plus, Minus2: r.Minus, TauPlus: 20, TauMinus: 20, TauX: 20, TauY: 40, Nearest: true,
	}})
	if err != nil {
		return nil, err
	}
	if _, err = n.Connect("excite", excitatory, inhibitory, Synapses{OneToOne: r.Excite, Delay: publishedStep}); err != nil {
		return nil, err
	}
	if m.neurons > 1 {
		_, err = n.Connect("inhibit", inhibitory, excitatory, Synapses{AllButOwn: r.Inhibit, Inhibitory: true, Delay: publishedStep})
	}
	c.watch = n.Monitor(excitatory)
	return c, err
}

func (c *column) counts() []int32 { return c.count }

func (c *column) run(sample shown, key rng.Key, learning bool) error {
	x := sample.values
	blank, most := true, tensor.Float(0)
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("value %d is %v, and rates stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
		blank, most = blank && v == 0, max(most, v)
	}
	n := c.network
	n.Freeze(!learning)
	n.Rest()
	c.input.cells.(*poisson).draws = draws{key: key}
	time := 0.0
	for rate := c.rule.Rate; ; rate += c.rule.Raise {
		if err := c.show(x, rate, learning); err != nil {
			return err
		}
		time += c.shown + c.rule.Pause
		spikes := 0
		for _, k := range c.count {
			spikes += int(k)
		}
		if spikes >= c.rule.Least || blank || float64(most)*(rate+c.rule.Raise) > 1000/publishedStep {
			break
		}
		if err := c.pause(); err != nil {
			return err
		}
	}
	if !learning {
		return nil // what a pause would bring is forgotten
	}
	if err := c.pause(); err != nil {
		return err
	}
	if c.rule.TauTheta > 0 {
		for j := range c.theta {
			c.theta[j] *= tensor.Float(math.Exp(-time / c.rule.TauTheta))
		}
	}
	return nil
}

// show shows a sample once.
func (c *column) show(x []tensor.Float, rate float64, learning bool) error {
	if learning {
		if err := c.feed.Normalize(c.rule.norm(c.inputs)); err != nil {
			return err
		}
	}
	for i, v := range x {
		c.rates[i] = v * tensor.Float(rate)
	}
	if err := c.input.Drive(c.rates); err != nil {
		return err
	}
	c.watch.Clear()
	if err := c.network.Run(context.Background(), c.shown); err != nil {
		return err
	}
	for j, k := range c.watch.Count {
		c.count[j] = int32(k)
	}
	return nil
}

// pause lets time go by without input.
func (c *column) pause() error {
	clear(c.rates)
	if err := c.input.Drive(c.rates); err != nil {
		return err
	}
	return c.network.Run(context.Background(), c.rule.Pause)
}
