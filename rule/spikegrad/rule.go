package spikegrad

import (
	"fmt"
	"unsafe"

	"synfire/tensor"
	"synfire/train"
)

// Learner makes the learner. It is a *Learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := New(r, s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor makes the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	l, err := New(r, s)
	if err != nil {
		return nil, err
	}
	if err := unpack(l.params, model, 0); err != nil {
		return nil, err
	}
	l.Refresh()
	return l, nil
}

// Fork is a network with the same weights that predicts by itself.
func (l *Learner) Fork() train.Predictor {
	other, err := l.r.Predictor(l.s, l.Model())
	if err != nil {
		panic(err) // it was made once
	}
	return other
}

// evalBatch is the batch of an evaluation, as package train takes it.
const evalBatch = 256

// Plan works out what a run of the rule will need: each weight as it is learnt and as it
// is used, in three arrangements, its gradient and the optimiser's buffers; each neuron
// spikes, potential and error for each sample, and the rows of the widest layer again.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	if err := r.Validate(); err != nil {
		return train.Plan{}, err
	}
	stages, err := r.network(s)
	if err != nil {
		return train.Plan{}, err
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	var p train.Plan
	neurons, widest := int64(stages[0].in.Size()), int64(0)
	for i, st := range stages {
		l := train.PlannedLayer{Name: fmt.Sprintf("layer%d", i+1), Output: st.out}
		if st.size == 0 {
			l.Parameters = int64(st.m.Patch()+1) * int64(st.m.N)
		}
		p.Parameters += l.Parameters
		p.Layers = append(p.Layers, l)
		neurons += 3 * int64(st.units())
		widest = max(widest, int64(st.in.Size()+st.units()))
	}
	p.Weights = float * p.Parameters * int64(6+r.Optimizer.Buffers())
	batch := int64(max(s.Batch, evalBatch))
	p.Train = p.Weights + float*(batch*neurons+int64(s.Batch)*widest)
	p.Infer = float * (5*p.Parameters + evalBatch*neurons)
	return p, nil
}
