package main

import (
	"context"
	"fmt"
	"maps"

	"synfire/modelfile"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Perceptron is a learning rule: Rosenblatt's, for several classes. A sample x of class
// y that is answered k ≠ y changes the weights w of both,
//
//	w_y += rate·x,   w_k −= rate·x,   and the biases likewise with x = 1.
//
// Its scores are w·x + b.
type Perceptron struct {
	Rate float64 `yaml:"rate"` // of learning
}

// Validate returns an error unless Rate is positive.
func (p Perceptron) Validate() error {
	if p.Rate > 0 {
		return nil
	}
	return fmt.Errorf("perceptron: rate is %v, want a positive number", p.Rate)
}

// Ignores are the keys of time: a perceptron has none.
func (Perceptron) Ignores() []string { return []string{"encoder", "steps"} }

// Learner starts from zeros.
func (p Perceptron) Learner(s train.Setting) (train.Learner, error) { return p.start(s) }

// Predictor takes up what a learner learnt.
func (p Perceptron) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	l, err := p.start(s)
	if err != nil {
		return nil, err
	}
	return l, l.SetState(model)
}

func (p Perceptron) start(s train.Setting) (*perceptron, error) {
	f, err := s.Spec.Target("")
	if err != nil {
		return nil, fmt.Errorf("perceptron: %w", err)
	}
	if f.Kind != sample.Class || s.Spec.Events {
		return nil, fmt.Errorf("perceptron: samples of %v and target %q, which is %v; want values and a class", s.Spec, f.Name, f.Kind)
	}
	return &perceptron{
		rate: tensor.Float(p.Rate), n: s.Spec.Size(), tasks: s.Tasks,
		w: tensor.New(len(f.Classes), s.Spec.Size()), b: tensor.New(len(f.Classes)),
	}, nil
}

type perceptron struct {
	rate   tensor.Float
	n      int
	w, b   tensor.Tensor // [classes, n], [classes]
	tasks  []task.Binding
	scores []tensor.Float
}

// Predict scores a batch.
func (p *perceptron) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	k := len(p.b.Data)
	p.scores = tensor.Resize(p.scores, b.Len()*k)
	for i := range b.Len() {
		p.score(p.scores[i*k:][:k], b.X[i*p.n:][:p.n])
	}
	out := task.Output{Name: "output", Shape: tensor.Shape{k}, Scores: p.scores}
	return train.Prediction{Outputs: []task.Output{out}, Metrics: train.Metrics{N: b.Len()}}, nil
}

func (p *perceptron) score(scores, x []tensor.Float) {
	for c := range scores {
		scores[c] = p.b.Data[c]
		for i, v := range x {
			scores[c] += p.w.Data[c*p.n+i] * v
		}
	}
}

// Step learns from each sample in turn. It has no loss.
func (p *perceptron) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	before, err := p.Predict(ctx, b)
	if err != nil {
		return train.Metrics{}, err
	}
	sums, err := train.Running(p.tasks, before.Outputs, b)
	if err != nil {
		return train.Metrics{}, err
	}
	y, err := b.Target("")
	if err != nil {
		return train.Metrics{}, err
	}
	one := task.Output{Shape: p.b.Shape, Scores: make([]tensor.Float, len(p.b.Data))}
	for i, label := range y.Class {
		x := b.X[i*p.n:][:p.n]
		p.score(one.Scores, x)
		if answer := one.Answer(0); answer != label {
			p.move(label, x, p.rate)
			p.move(answer, x, -p.rate)
		}
	}
	return train.Metrics{N: b.Len(), Sums: sums}, nil
}

func (p *perceptron) move(class int, x []tensor.Float, by tensor.Float) {
	p.b.Data[class] += by
	for i, v := range x {
		p.w.Data[class*p.n+i] += by * v
	}
}

// Model is the weights and the biases.
func (p *perceptron) Model() map[string]train.Array {
	return map[string]train.Array{"weight": modelfile.Pack(p.w), "bias": modelfile.Pack(p.b)}
}

// State is the model: Step depends on nothing else.
func (p *perceptron) State() map[string]train.Array { return maps.Clone(p.Model()) }

// SetState takes up what State returned.
func (p *perceptron) SetState(s map[string]train.Array) error {
	if len(s) != 2 {
		return fmt.Errorf("perceptron: %d arrays, want weight and bias", len(s))
	}
	w, err := modelfile.Unpack(s, "weight", p.w.Shape)
	if err != nil {
		return fmt.Errorf("perceptron: %w", err)
	}
	b, err := modelfile.Unpack(s, "bias", p.b.Shape)
	if err != nil {
		return fmt.Errorf("perceptron: %w", err)
	}
	copy(p.w.Data, w)
	copy(p.b.Data, b)
	return nil
}
