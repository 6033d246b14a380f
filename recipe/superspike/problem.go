package superspike

import (
	"context"
	"fmt"

	"synfire/data/trains"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/rule/superspike"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
	"synfire/train"
)

// dt is a step in seconds.
const dt = 1e-4

// silence is steps at the end of a trial without inputs or targets: in it the filters tell
// the synapses of what went wrong just before.
const silence = 500

// problem is one frozen pattern of input spikes, and the trains that outputs are to answer
// it with.
type problem struct {
	inputs, steps int
	events        []sample.Event
	targets       []spike.Train
}

// frozen draws inputs that fire with probability rate·Δt in each step of half a second; each
// of the outputs is to fire five times, at T·q/6, those of different outputs moved apart.
func frozen(inputs, outputs int, rate float64, seed uint64) problem {
	const steps, spikes = 5000, 5
	p := problem{inputs: inputs, steps: steps + silence}
	src := rng.New(seed, rng.Train).Str("superspike").Source()
	for t := range steps {
		for u := range inputs {
			if src.Float64() < rate*dt {
				p.events = append(p.events, sample.Event{Time: (float64(t) + 0.5) * dt, Unit: int32(u)})
			}
		}
	}
	const gap = steps * dt / (spikes + 1)
	for k := range outputs {
		t := spike.Train{Stop: float64(p.steps) * dt}
		move := gap * (float64(k)/float64(outputs) - 0.5*float64(outputs-1)/float64(outputs))
		for q := 1.0; q <= spikes; q++ {
			t.Times = append(t.Times, gap*q+move)
		}
		p.targets = append(p.targets, t)
	}
	return p
}

func (p problem) spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{p.inputs}, Events: true, Duration: float64(p.steps) * dt, Targets: []sample.Field{
		{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{len(p.targets)}},
	}}
}

// batch is the pattern once.
func (p problem) batch() (*sample.Batch, error) {
	spec, b := p.spec(), &sample.Batch{}
	b.Reset(&spec, 0)
	return b, b.Append(0, &sample.Sample{Events: p.events, Targets: []sample.Target{{Trains: p.targets}}})
}

// lesson is a network that is shown a problem again and again.
type lesson struct {
	given   problem
	batch   *sample.Batch
	learner *superspike.Learner
	D       []float64 // of each trial, before it was learned from
	hidden  []int     // spikes of hidden units in each trial
}

func newLesson(p problem, r superspike.Rule, seed uint64, pool *par.Pool) (*lesson, error) {
	b, err := p.batch()
	if err != nil {
		return nil, err
	}
	l, err := superspike.New(r, train.Setting{Spec: p.spec(), Samples: 1, Encoder: encode.Events{}, Steps: p.steps, Batch: 1, Seed: seed, Pool: pool})
	if err != nil {
		return nil, err
	}
	return &lesson{given: p, batch: b, learner: l}, nil
}

// teach is so many trials.
func (l *lesson) teach(ctx context.Context, trials int) error {
	for range trials {
		m, err := l.learner.Step(ctx, l.batch)
		if err != nil {
			return fmt.Errorf("trial %d: %w", len(l.D)+1, err)
		}
		l.note(m)
	}
	return nil
}

func (l *lesson) note(m train.Metrics) {
	d, _ := m.Mean(train.Loss)
	spikes := 0
	for _, r := range m.Rates[:len(m.Rates)-1] {
		spikes += r.Spikes
	}
	l.D, l.hidden = append(l.D, d), append(l.hidden, spikes)
}

// answer is the output trains without learning, and their D.
func (l *lesson) answer(ctx context.Context) ([]spike.Train, float64, error) {
	p, err := l.learner.Predict(ctx, l.batch)
	if err != nil {
		return nil, 0, err
	}
	out := make([]spike.Train, len(l.given.targets))
	course := p.Outputs[0].Signal
	for u := range out {
		out[u].Stop = float64(l.given.steps) * dt
		for t := range course.T {
			if course.Data[t*len(out)+u] != 0 {
				out[u].Times = append(out[u].Times, float64(t)*dt)
			}
		}
	}
	d, _ := p.Metrics.Mean(train.Loss)
	return out, d, nil
}

// picture is the pattern of the paper: 200 trains that are to draw a picture in 1.89 s.
func picture(ctx context.Context, e *recipe.Env) (problem, error) {
	src, _, err := trains.Oxford().Load(ctx, e.Data)
	if err != nil {
		return problem{}, err
	}
	var s sample.Sample
	if err := src.Read(ctx, 0, &s); err != nil {
		return problem{}, err
	}
	spec := src.Spec()
	p := problem{inputs: spec.Shape.Size(), steps: int(spec.Duration/dt+0.5) + silence, events: s.Events, targets: s.Targets[0].Trains}
	for i := range p.targets {
		p.targets[i].Stop = float64(p.steps) * dt
	}
	return p, nil
}
