package precise

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/distance"
	"synfire/format/safetensors"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Output names the output of predictions.
const Output = "output"

// Predictor answers with trains. It is safe for one goroutine; see Fork.
type Predictor struct{ runner }

// runner is a layer of neurons.
type runner struct {
	rule    Rule
	cell    Cell
	setting train.Setting
	field   int
	inputs  int
	w       []float64 // [outputs, inputs]
	out     signal.Signal
	scores  []tensor.Float
}

func (r *runner) outputs() int           { return len(r.w) / r.inputs }
func (r *runner) neuron(j int) []float64 { return r.w[j*r.inputs:][:r.inputs] }

// Fork is another predictor of the same weights.
func (p *Predictor) Fork() train.Predictor {
	f := *p
	f.out, f.scores = signal.Signal{}, nil
	return &f
}

// trial is a sample's events in ms.
func (r *runner) trial(b *sample.Batch, i int) (*Trial, error) {
	if i >= len(b.Events) {
		return nil, errors.New("precise: the samples are no events; use the data that the model is for")
	}
	t := &Trial{Duration: 1000 * r.setting.Spec.Duration}
	for _, e := range b.Events[i] {
		if e.Unit < 0 || int(e.Unit) >= r.inputs || !(e.Time >= 0 && 1000*e.Time <= t.Duration) {
			return nil, fmt.Errorf("precise: sample %d has an event of unit %d at %v s, want units below %d and times within %v s", b.Index[i], e.Unit, e.Time, r.inputs, r.setting.Spec.Duration)
		}
		t.Spikes = append(t.Spikes, Spike{1000 * e.Time, int(e.Unit)})
	}
	t.Sort()
	return t, nil
}

// want is a neuron's target in a sample in ms.
func (r *runner) want(b *sample.Batch, i, j int) (times []float64) {
	for _, t := range b.Targets[r.field].Trains[i][j].Times {
		times = append(times, 1000*t)
	}
	return times
}

// targets tells whether a batch has the trains to emit.
func (r *runner) targets(b *sample.Batch) bool {
	return len(b.Targets) > r.field && len(b.Targets[r.field].Trains) == b.Len()
}

// van is the loss of a train: van Rossum's distance for 10 ms, whose root is taken.
func van(own, want []float64, duration float64) (float64, error) {
	return distance.VanRossum{Tau: 10}.Distance(spike.Train{Times: own, Stop: duration}, spike.Train{Times: want, Stop: duration})
}

// Predict runs a batch. Scores are counts of spikes.
func (r *runner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	n, k := b.Len(), r.outputs()
	r.out.Reset(signal.Dense, r.setting.Steps, n, tensor.Shape{k})
	clear(r.out.Data)
	r.scores = tensor.Resize(r.scores, n*k)
	loss, told := 0.0, r.targets(b)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return train.Prediction{}, err
		}
		t, err := r.trial(b, i)
		if err != nil {
			return train.Prediction{}, err
		}
		for j := range k {
			own, err := r.cell.Run(t, r.neuron(j))
			if err != nil {
				return train.Prediction{}, fmt.Errorf("precise: sample %d: %w", b.Index[i], err)
			}
			r.scores[i*k+j] = tensor.Float(len(own))
			for _, at := range own {
				s := min(r.setting.Steps-1, int(math.Floor(at/t.Duration*float64(r.setting.Steps))))
				r.out.Data[(s*n+i)*k+j] = 1
			}
			if told {
				d, err := van(own, r.want(b, i, j), t.Duration)
				if err != nil {
					return train.Prediction{}, fmt.Errorf("precise: sample %d: %w", b.Index[i], err)
				}
				loss += d
			}
		}
	}
	m := train.Metrics{N: n}
	if told {
		m.Sums = []train.Sum{train.LossSum(loss)}
	}
	return train.Prediction{Metrics: m, Outputs: []task.Output{{Name: Output, Shape: tensor.Shape{k}, Scores: r.scores, Signal: &r.out}}}, nil
}

// Learner learns from trials in turn. It implements train.Learner.
type Learner struct {
	runner
	step, total int
}

// Step learns from the samples of a batch, in turn. Its loss is that of each before it is
// learned from.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if !l.targets(b) {
		return train.Metrics{}, errors.New("precise: the samples have no trains to emit; choose data with targets that are trains")
	}
	factor, loss := l.rule.Schedule.Scale(l.step, l.total), 0.0
	dw := make([]float64, l.inputs)
	for i := range b.Len() {
		if err := ctx.Err(); err != nil {
			return train.Metrics{}, err
		}
		t, err := l.trial(b, i)
		if err != nil {
			return train.Metrics{}, err
		}
		for j := range l.outputs() {
			w, want := l.neuron(j), l.want(b, i, j)
			own, err := l.cell.Run(t, w)
			var d float64
			if err == nil {
				d, err = van(own, want, t.Duration)
			}
			if err != nil {
				return train.Metrics{}, fmt.Errorf("precise: sample %d: %w", b.Index[i], err)
			}
			loss += d
			clear(dw)
			l.rule.Change(dw, t, w, own, want, factor)
			for k, v := range dw {
				w[k] += v
			}
		}
	}
	l.step++
	return train.Metrics{N: b.Len(), Sums: []train.Sum{train.LossSum(loss)}}, nil
}

// Model is the weights.
func (l *Learner) Model() map[string]train.Array {
	return map[string]train.Array{"weight": safetensors.F64(l.w, l.outputs(), l.inputs)}
}

// State is the weights and the steps done.
func (l *Learner) State() map[string]train.Array {
	s := l.Model()
	s["step"] = safetensors.U64([]uint64{uint64(l.step)}, 1)
	return s
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s["step"].U64s()
	if err != nil || len(step) != 1 || len(s["step"].Shape) != 1 || len(s) != 2 || step[0] > math.MaxInt32 {
		return errors.New("precise: the checkpoint does not hold weights and steps: was it made by another rule?")
	}
	if err := l.take(s); err != nil {
		return err
	}
	l.step = int(step[0])
	return nil
}

// take copies the weights of a file. On an error nothing has changed.
func (r *runner) take(s map[string]train.Array) error {
	a := s["weight"]
	w, err := a.F64s()
	if short, err32 := a.F32s(); err != nil && err32 == nil { // a model that was rounded
		w, err = make([]float64, len(short)), nil
		for i, v := range short {
			w[i] = float64(v)
		}
	}
	if err != nil || len(w) != len(r.w) || len(a.Shape) != 2 || a.Shape[0] != r.outputs() || !finite(w) {
		return fmt.Errorf("precise: the file has no array weight of %d×%d finite numbers: was it made with another configuration?", r.outputs(), r.inputs)
	}
	copy(r.w, w)
	return nil
}
