package superspike

import (
	"fmt"
	"math"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/rule/superspike"
	"synfire/surrogate"
	"synfire/tensor"
)

// backpropRates are Adam's, in mV an update.
var backpropRates = []float64{1, 0.3}

// backpropSeeds is how many seeds backpropagation gets.
const backpropSeeds = 2

// backprop compares the rule with backpropagation through time: the same surrogate, neuron,
// problem and first weights, four hidden units, and Adam in place of RMaxProp.
func (s *study) backprop() error {
	n := min(backpropSeeds, s.size.hidden)
	trials := s.trials(throughTrials)
	var jobs []job
	for i := range n {
		seed := s.env.Seed + uint64(i)
		jobs = append(jobs, job{name: "online", problem: frozen(100, 1, 10, seed), rule: through(4, superspike.Symmetric), trials: trials, seed: seed})
	}
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	head, right := []string{"seed", "SuperSpike"}, []bool{true, true}
	rows := make([][]string, n)
	for i, t := range done {
		rows[i] = []string{fmt.Sprint(t.seed), report.Measured(t.final)}
	}
	for _, lr := range backpropRates {
		head, right = append(head, fmt.Sprintf("through time, Adam %v mV", lr)), append(right, true)
		for i, j := range jobs {
			d, err := s.throughTime(j, lr)
			if err != nil {
				return fmt.Errorf("backpropagation through time, seed %d: %w", j.seed, err)
			}
			s.metrics[fmt.Sprintf("BPTT rate %v seed %d D", lr, j.seed)] = d
			rows[i] = append(rows[i], report.Measured(d))
		}
	}
	s.section("The same surrogate through time", fmt.Sprintf("Backpropagation through all steps of problem B with four hidden units, from the same weights, by the same surrogate, %d trials. Its loss is van Rossum's of 10 ms; rates were not tuned.", trials),
		[]report.Table{{Caption: "D after learning", Head: head, Right: right, Rows: rows}})
	return nil
}

// throughTime is D after backpropagation through time.
func (s *study) throughTime(j job, lr float64) (float64, error) {
	r, ms := j.rule, 1000*dt
	unit := layer.Spiking{
		Neuron: neuron.CuBaLIF{
			Alpha: math.Exp(-ms / r.TauSyn), Beta: 1 - ms/r.TauMem, Coupling: neuron.Euler, Delay: true,
			Threshold: r.Threshold - r.Rest, Strict: true, Reset: neuron.Zero, Refractory: int(math.Round(r.Refractory / ms)),
		},
		Surrogate: surrogate.FastSigmoid{Slope: r.Beta},
	}
	spec := j.problem.spec()
	net, err := network.Sequential(spec.Shape, j.seed, layer.Linear{Out: r.Hidden[0], NoBias: true}, unit, layer.Linear{Out: len(j.problem.targets), NoBias: true}, unit)
	if err != nil {
		return 0, err
	}
	start, err := stream(j, nil)
	if err != nil {
		return 0, err
	}
	for l, p := range net.Params() {
		copy(p.Value.Data, start.Weights(l).Data)
	}
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: j.problem.steps, Encoder: encode.Events{}, Losses: []bptt.Term{{Loss: loss.VanRossum{Tau: r.TauDecay / ms}}},
		Optimizer: optim.Adam{LR: lr, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-12}, Schedule: optim.Cosine{}, Total: j.trials, Seed: j.seed, Pool: s.env.Pool,
	})
	if err != nil {
		return 0, err
	}
	b, err := j.problem.batch()
	if err != nil {
		return 0, err
	}
	for range j.trials {
		if _, err := learner.Step(s.ctx, b); err != nil {
			return 0, err
		}
	}
	p, err := learner.Predict(s.ctx, b)
	if err != nil {
		return 0, err
	}
	_, targets, err := j.problem.bySteps()
	if err != nil {
		return 0, err
	}
	return vanRossum(r, targets, p.Outputs[0].Signal.Data), nil
}

// vanRossum is ∫(α∗(Ŝ − S))² over that of one spike, of one output.
func vanRossum(r superspike.Rule, targets [][]int32, output []tensor.Float) float64 {
	rise, decay := math.Exp(-1000*dt/r.TauRise), 1000*dt/r.TauDecay
	energy := func(steps int, err func(t int) float64) (sum float64) {
		q, e := 0.0, 0.0
		for t := range steps + 5000 { // half a second, in which the filters fall silent
			if q *= rise; t < steps {
				q += err(t)
			}
			e += decay * (q - e)
			sum += e * e
		}
		return sum
	}
	one := energy(1, func(int) float64 { return 1 })
	return energy(len(targets), func(t int) (v float64) {
		if len(targets[t]) > 0 {
			v++
		}
		return v - float64(output[t])
	}) / one
}
