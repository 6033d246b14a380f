package joint

import (
	"slices"

	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/report"
	rule "synfire/rule/joint"
	"synfire/surrogate"
)

// size is what a scale trains.
type size struct {
	data     string
	images   int
	held     int // samples besides them, which choose
	hidden   int
	epochs   int
	batch    int
	steps    []int // of the ablation
	seeds    int   // of the arms that are not compared
	rates    []float64
	scales   []float64
	quickest bool // two seeds of the comparison
}

var sizes = map[report.Scale]size{
	report.Smoke: {data: "mnist-sample", images: 200, held: 100, hidden: 50, epochs: 8, batch: 20, steps: []int{4, 6}, seeds: 1, rates: []float64{4e-3}, scales: []float64{0.4}, quickest: true},
	report.Short: {data: "mnist", images: 5000, held: 2500, hidden: 200, epochs: 8, batch: 64, steps: []int{4, 6, 8, 16}, seeds: 1, rates: []float64{4e-3, 2e-3}, scales: []float64{0.25, 0.4}},
	report.Full:  {data: "mnist", images: 10_000, held: 5000, hidden: 200, epochs: 16, batch: 64, steps: []int{4, 6, 8, 16}, seeds: 2, rates: []float64{4e-3, 2e-3}, scales: []float64{0.25, 0.4}},
}

// primary is the T at which joint and sequential training are compared.
const primary = 6

// arm is a way to train.
type arm string

const (
	conversion  arm = "conversion"
	sequential  arm = "sequential"
	scratch     arm = "scratch"
	byTandem    arm = "tandem"
	plain       arm = "joint-plain"
	joint       arm = "joint"
	jointTandem arm = "joint-tandem"
)

var arms = []arm{conversion, sequential, scratch, byTandem, plain, joint, jointTandem}

// ordinaryRate is the learning rate of the first phase of sequential training, and among the
// choices of conversion.
const ordinaryRate = 1e-3

// choice is what is chosen for an arm.
type choice struct {
	rate  float64 // of the arm; of sequential training in its second phase
	scale float64 // s, of measured thresholds
	share float64 // of the run: of the first phase, or for joint training from which the spiking branch learns alone
}

// shares are what an arm chooses from.
func (a arm) shares() []float64 {
	switch a {
	case sequential:
		return []float64{0.125, 0.25, 0.5}
	case conversion:
		return []float64{1}
	}
	return []float64{0.4, 0.7, 1}
}

// chain is 784–hidden–hidden–10 of STDB's neurons with their linear surrogate.
func chain(hidden int) []network.Node {
	units := layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, Surrogate: surrogate.Triangle{Height: 0.3, Width: 1}}
	return network.Chain(
		layer.Flatten{}, layer.Linear{Out: hidden, NoBias: true}, units, layer.Linear{Out: hidden, NoBias: true}, units, layer.Linear{Out: 10, NoBias: true})
}

// ruleOf is the rule of an arm; of sequential training that of its second phase.
func (z size) ruleOf(a arm, c choice) rule.Rule {
	r := rule.NewRule()
	r.Layers, r.Schedule, r.Optimizer = chain(z.hidden), optim.Cosine{}, optim.Adam{LR: c.rate}
	r.Scale, r.SpikingFrom = c.scale, c.share
	switch a {
	case conversion:
		r.Warmup, r.SpikingFrom = 1, 1
	case sequential:
		r.Warmup, r.SpikingFrom, r.Track = 0, 0, 0
	case scratch:
		r.Warmup, r.SpikingFrom, r.Balance = 0, 0, false
	case byTandem:
		r.Warmup, r.SpikingFrom, r.Backward = 0, 0, rule.Tandem
	case jointTandem:
		r.Backward = rule.Tandem
	}
	if a != joint && a != jointTandem {
		r.Distill, r.Match = 0, 0
	}
	return r
}

// ordinary is the rule of a network that is ordinary, without thresholds.
func (z size) ordinary() rule.Rule {
	r := z.ruleOf(conversion, choice{rate: ordinaryRate, scale: 1})
	r.Balance = false
	return r
}

// config is a run of a rule; while choices are made, samples besides those of the training
// are held out.
func (z size) config(r rule.Rule, seed uint64, steps, epochs int, choosing bool) model.Config {
	c := model.Config{
		Seed: seed, Data: model.Data{Name: z.data, Train: z.images}, Encoder: encode.Poisson{Scale: 1},
		Steps: steps, Epochs: epochs, Batch: z.batch, Rule: r,
	}
	if choosing {
		c.Data.Train += z.held
		c.Valid, c.Data.Test = float64(z.held)/float64(c.Data.Train), 1
	}
	return c
}

// grid is all choices of an arm; as many for sequential and for joint training.
func (z size) grid(a arm) (all []choice) {
	rates := z.rates
	if a == conversion {
		rates = append(slices.Clone(rates), ordinaryRate)
	}
	for _, rate := range rates {
		for _, scale := range z.scales {
			for _, share := range a.shares() {
				all = append(all, choice{rate, scale, share})
			}
		}
	}
	return all
}
