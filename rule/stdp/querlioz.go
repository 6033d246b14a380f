package stdp

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train"
)

// QuerliozKind names the rule of simplified plasticity in configurations and model files.
const QuerliozKind = "querlioz"

// Querlioz is a population of neurons that compete, learns by simplified plasticity, as
// memristive devices have it, and keeps all its neurons in use by their thresholds. A sample of
// values x in [0, 1] or of events is shown for T steps of 1 ms, T the run's steps. Values make
// input i fire with probability x_i·rate/1000 in a step, and for neuron j
//
//	u_j ← e^(−1/τ)·u_j + Σ_i w_ij·s_i(t−1)
//
// Of those with u_j ≥ θ_j one fires, drawn at random. Then all of them, it included, are held
// at 0 for inhibit ms, and the weights of the one that fired change,
//
//	w_ij ← w_ij + plus·e^(−beta-plus·w_ij)            of inputs that fired in the last window ms,
//	w_ij ← w_ij − minus·e^(−beta-minus·(1 − w_ij))    of all others, in [0, 1]
//
// no weight is scaled. After each sample θ_j ← θ_j + gamma·(n_j − target), n_j its spikes in it,
// not below a hundredth of threshold, at which all begin: on average a neuron sends target spikes
// a sample. Labels and answers are those of Rule.
//
// Querlioz et al., "Immunity to device variations in a spiking neural network with memristive
// nanodevices", IEEE Trans. Nanotechnology 12, 2013; the survey's table has its 93.5 % with 300
// neurons. Its rule of plasticity, reset and inhibition are these; its mean activity over a
// period is here that of each sample, and constants are ours where the paper's were not at hand.
type Querlioz struct {
	Neurons   int     `yaml:"neurons,required"` // that compete
	Rate      float64 `yaml:"rate"`             // Hz, of an input of value 1
	Plus      float64 `yaml:"plus"`             // largest growth of a weight
	BetaPlus  float64 `yaml:"beta-plus"`        // how fast growth falls with the weight
	Minus     float64 `yaml:"minus"`            // largest loss of a weight
	BetaMinus float64 `yaml:"beta-minus"`       // how fast loss falls below a weight of 1
	Window    int     `yaml:"window"`           // ms before a spike that its causes lie in
	TauMem    float64 `yaml:"tau-mem"`          // τ in ms
	Inhibit   int     `yaml:"inhibit"`          // ms that all are held for
	Threshold float64 `yaml:"threshold"`        // at which θ begins
	Gamma     float64 `yaml:"gamma"`            // of homeostasis
	Target    float64 `yaml:"target"`           // spikes a neuron and sample
	Labels    int     `yaml:"labels"`           // training samples that neurons get their labels by, at most; 0: all
}

// NewQuerlioz has the defaults of a configuration file.
func NewQuerlioz() Querlioz {
	return Querlioz{
		Rate: 80, Plus: 0.01, BetaPlus: 3, Minus: 0.005, BetaMinus: 3, Window: 15, TauMem: 100, Inhibit: 10,
		Threshold: 30, Gamma: 1, Target: 0.02, Labels: 10_000,
	}
}

// Ignores is the encoder: samples are encoded by the rule.
func (Querlioz) Ignores() []string { return []string{"encoder"} }

// Validate returns an error for options that make no sense.
func (r Querlioz) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("querlioz: "+format, args...) }
	if r.Neurons < 1 || r.Neurons > maxUnits {
		return fail("neurons is %d, want from 1 to %d; 50 to 300 are usual", r.Neurons, maxUnits)
	}
	if err := checkOptions([]option{
		{"rate", r.Rate, true, 80}, {"plus", r.Plus, false, 0.01}, {"beta-plus", r.BetaPlus, false, 3}, {"minus", r.Minus, false, 0.005},
		{"beta-minus", r.BetaMinus, false, 3}, {"tau-mem", r.TauMem, true, 100}, {"threshold", r.Threshold, true, 30},
		{"gamma", r.Gamma, false, 1}, {"target", r.Target, true, 0.02},
	}); err != nil {
		return fail("%w", err)
	}
	switch {
	case r.Rate > 1000:
		return fail("rate is %v Hz, want at most 1000, a spike in each step of 1 ms", r.Rate)
	case r.Window < 1 || r.Window > maxSteps || r.Inhibit < 1 || r.Inhibit > maxSteps:
		return fail("window is %d and inhibit %d ms, want from 1 to %d; 15 and 10 are usual", r.Window, r.Inhibit, maxSteps)
	case r.Labels < 0:
		return fail("labels is %d, want a number of samples, or 0 for all", r.Labels)
	}
	return nil
}

func (r Querlioz) memory(s train.Setting) (*memory, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	inputs, classes, err := shape(r.Neurons, s)
	if err != nil {
		return nil, err
	}
	return newMemory(inputs, r.Neurons, classes), nil
}

func (r Querlioz) runner(s train.Setting, m *memory) *runner {
	return newRunner(s, m, func() worker { return newContest(r, m, s.Steps) })
}

// Learner makes the learner, its weights drawn from [0, 1). It is a *Learner.
func (r Querlioz) Learner(s train.Setting) (train.Learner, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	m.draw(s.Seed, 1)
	fill(m.theta, tensor.Float(r.Threshold))
	return &Learner{r.runner(s, m), r.Labels}, nil
}

// Predictor is the network of a model's arrays, with its labels.
func (r Querlioz) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	if err := m.take(model); err != nil {
		return nil, err
	}
	return &Predictor{r.runner(s, m)}, nil
}

// contest runs one sample at a time on a memory, which several may share where none learns.
type contest struct {
	*memory
	rule   Querlioz
	steps  int
	leak   tensor.Float
	spikes trains
	u      []tensor.Float
	above  []int32 // neurons at their thresholds
	count  []int32 // spikes of the sample
	lastIn []int32 // step of the last spike of each input; −window − 1 or before: none
}

func newContest(r Querlioz, m *memory, steps int) *contest {
	return &contest{
		memory: m, rule: r, steps: steps, leak: tensor.Float(math.Exp(-1 / r.TauMem)),
		u: make([]tensor.Float, m.neurons), count: make([]int32, m.neurons), lastIn: make([]int32, m.inputs),
	}
}

func (c *contest) counts() []int32 { return c.count }

func (c *contest) run(x shown, key rng.Key, learning bool) error {
	if err := c.spikes.show(x, c.rule.Rate, c.steps, key.Str("input")); err != nil {
		return err
	}
	draw := draws{key: key.Str("winner")}
	clear(c.u)
	clear(c.count)
	for i := range c.lastIn {
		c.lastIn[i] = int32(-c.rule.Window - 1)
	}
	held := 0 // steps left
	for t := range c.steps {
		if learning {
			for _, i := range c.spikes.at(t) {
				c.lastIn[i] = int32(t)
			}
		}
		if held > 0 {
			held--
			continue
		}
		kernel.Scale(c.u, c.leak)
		if t > 0 {
			kernel.AddRows(c.u, c.weight, c.neurons, c.spikes.at(t-1))
		}
		if j := c.winner(&draw); j >= 0 {
			c.count[j]++
			clear(c.u)
			held = c.rule.Inhibit
			if learning {
				c.learn(int(j), int32(t))
			}
		}
	}
	if learning {
		c.adapt()
	}
	return nil
}

// winner is one of the neurons at their thresholds; −1 for none.
func (c *contest) winner(draw *draws) int32 {
	c.above = c.above[:0]
	for j, u := range c.u {
		if u >= c.theta[j] {
			c.above = append(c.above, int32(j))
		}
	}
	switch len(c.above) {
	case 0:
		return -1
	case 1:
		return c.above[0]
	}
	return c.above[pick(draw.next(), len(c.above))]
}

// learn changes the weights of a neuron that fires in step t.
func (c *contest) learn(j int, t int32) {
	r := c.rule
	for i, last := range c.lastIn {
		w := &c.weight[i*c.neurons+j]
		if v := float64(*w); t-last <= int32(r.Window) {
			*w = unit(tensor.Float(v + r.Plus*math.Exp(-r.BetaPlus*v)))
		} else {
			*w = unit(tensor.Float(v - r.Minus*math.Exp(-r.BetaMinus*(1-v))))
		}
	}
}

// adapt moves thresholds so that neurons send target spikes a sample.
func (c *contest) adapt() {
	least := tensor.Float(c.rule.Threshold / 100)
	for j, n := range c.count {
		c.theta[j] = max(least, c.theta[j]+tensor.Float(c.rule.Gamma*(float64(n)-c.rule.Target)))
	}
}
