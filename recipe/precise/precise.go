// Package precise teaches one neuron the same spike trains by five rules: ReSuMe, SPAN, the
// chronotron, the gradient of the likelihood and SuperSpike.
package precise

import (
	"context"
	"fmt"
	"slices"

	"synfire/distance"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/optim"
	"synfire/rule/precise"
	"synfire/rule/superspike"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
	"synfire/train"
)

const (
	inputs   = 400
	rate     = 5.0  // Hz, of an input
	duration = 500  // ms
	dt       = 0.1  // ms, of SuperSpike's steps; wanted spikes stand in the middles of these
	spikes   = 5    // that are wanted
	gap      = 20.0 // ms between two at least
	trials   = 500
)

// problem is one frozen pattern of input spikes, and the train that is wanted.
type problem struct {
	trial *precise.Trial
	want  []float64
}

// draw makes a problem: Poisson inputs, and wanted spikes from 50 ms on.
func draw(seed uint64) problem {
	src := rng.New(seed, "precise timing").Source()
	p := problem{trial: &precise.Trial{Duration: duration}}
	for k := range int(duration / dt) {
		for i := range inputs {
			if src.Float64() < rate*dt/1000 {
				p.trial.Spikes = append(p.trial.Spikes, precise.Spike{At: (float64(k) + 0.5) * dt, Unit: i})
			}
		}
	}
	p.trial.Sort()
	for len(p.want) < spikes {
		at := (float64(500+src.IntN(4400)) + 0.5) * dt
		if !slices.ContainsFunc(p.want, func(w float64) bool { return w-at < gap && at-w < gap }) {
			p.want = append(p.want, at)
		}
	}
	slices.Sort(p.want)
	return p
}

// lesson is what came of a neuron: its trains before each trial and at last, and their
// distances from the wanted one.
type lesson struct {
	van, spike []float64
	answers    [][]float64
	ln         []float64 // likelihoods, of pfister's rule
}

// note measures a train.
func (l *lesson) note(p problem, own []float64) error {
	a, b := spike.Train{Times: own, Stop: duration}, spike.Train{Times: p.want, Stop: duration}
	d, err := distance.VanRossum{Tau: 10}.Distance(a, b)
	if err != nil {
		return err
	}
	s, err := distance.SPIKE{}.Distance(a, b)
	if err != nil {
		return err
	}
	l.van, l.spike, l.answers = append(l.van, d), append(l.spike, s), append(l.answers, own)
	return nil
}

// falls is D at last over D at first.
func (l *lesson) falls() float64 { return l.van[len(l.van)-1] / l.van[0] }

// rule is a rule with the options that were chosen for it on seeds from 1001 on.
func rule(m precise.Method) precise.Rule {
	r := precise.NewRule()
	r.Method = m
	r.Schedule = optim.Cosine{}
	switch m {
	case precise.Resume:
		r.LR, r.Add = 0.01, 0
	case precise.Span:
		r.LR = 0.005
	case precise.ChronotronE:
		r.LR = 0.01
	case precise.Pfister:
		r.LR, r.Rho, r.Width = 1e-4, 3, 0.03
	}
	return r
}

// learn teaches by one of the rules of spikes; frozen leaves the weights as they were drawn.
func learn(ctx context.Context, p problem, r precise.Rule, seed uint64, n int, frozen bool) (*lesson, error) {
	l, w, cell := &lesson{}, r.Draw(inputs, seed, 0), r.Cell()
	for k := range n + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		own, err := cell.Run(p.trial, w)
		if err != nil {
			return nil, fmt.Errorf("%v, seed %d, trial %d: %w", r.Method, seed, k, err)
		}
		if err := l.note(p, own); err != nil {
			return nil, err
		}
		if r.Method == precise.Pfister && k%25 == 0 {
			l.ln = append(l.ln, r.Likelihood(p.trial, w, p.want))
		}
		if k < n && !frozen {
			r.Change(w, p.trial, w, own, p.want, r.Schedule.Scale(k, n))
		}
	}
	return l, nil
}

// super teaches by SuperSpike, in steps of 0.1 ms and with its own neuron. Its rate falls to decay
// times what it was after each quarter of the trials.
func super(ctx context.Context, p problem, decay float64, seed uint64, n int) (*lesson, error) {
	const steps = duration / dt
	spec := sample.Spec{Shape: tensor.Shape{inputs}, Events: true, Duration: duration / 1000.0, Targets: []sample.Field{{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{1}}}}
	var x sample.Sample
	for _, s := range p.trial.Spikes {
		x.Events = append(x.Events, sample.Event{Time: s.At / 1000, Unit: int32(s.Unit)})
	}
	want := spike.Train{Stop: duration / 1000.0}
	for _, at := range p.want {
		want.Times = append(want.Times, at/1000)
	}
	x.Targets = []sample.Target{{Trains: []spike.Train{want}}}
	b := &sample.Batch{}
	b.Reset(&spec, 0)
	if err := b.Append(0, &x); err != nil {
		return nil, err
	}
	r := superspike.NewRule()
	r.Rate, r.DecayEvery, r.Decay = 1, n/4, decay
	teacher, err := superspike.New(r, train.Setting{Spec: spec, Samples: 1, Encoder: encode.Events{}, Steps: steps, Batch: 1, Seed: seed})
	if err != nil {
		return nil, err
	}
	l := &lesson{}
	for k := range n + 1 {
		answer, err := teacher.Predict(ctx, b)
		if err != nil {
			return nil, err
		}
		var own []float64
		for t, v := range answer.Outputs[0].Signal.Data {
			if v != 0 {
				own = append(own, (float64(t)+0.5)*dt)
			}
		}
		if err := l.note(p, own); err != nil {
			return nil, err
		}
		if k < n {
			if _, err := teacher.Step(ctx, b); err != nil {
				return nil, fmt.Errorf("superspike, seed %d, trial %d: %w", seed, k, err)
			}
		}
	}
	return l, nil
}
