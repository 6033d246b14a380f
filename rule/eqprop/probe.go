package eqprop

import (
	"errors"
	"math"
	"slices"

	"synfire/sample"
	"synfire/tensor"
)

// Config is the learner's configuration, with what was left out filled in.
func (l *Learner) Config() Config { return l.c }

// Free and Guess are the free states of the last batch, and a predictor's predictions of
// them (nil without one): by layer from the first on, a row a sample. They are valid until
// the next batch.
func (l *Learner) Free() [][]tensor.Float { return l.r.free[1 : l.r.top+1] }

// Guess is the predictions: see Free.
func (l *Learner) Guess() [][]tensor.Float {
	if l.r.predictor == nil {
		return nil
	}
	return l.r.guess[1 : l.r.top+1]
}

// Limit is the activity that a layer, from 1, is limited to in each step; infinite for
// none.
func (l *Learner) Limit(layer int) float64 {
	if !l.r.limits(layer) {
		return math.Inf(1)
	}
	return float64(l.r.limit[layer].K)
}

// Chooses reports whether a layer, from 1, is one that hard top-k chooses units of.
func (l *Learner) Chooses(layer int) bool { return l.c.settling() > 0 && l.r.binds(layer) }

// States are a batch's states after the free phase, and how a nudged phase at +β
// changes them: by layer from the first on, a row a sample.
func (l *Learner) States(d *sample.Batch) (free, changes [][]tensor.Float, err error) {
	if err := l.take(d, false); err != nil {
		return nil, nil, err
	}
	beta := tensor.Float(l.c.Beta)
	l.r.run(&l.batch, []tensor.Float{beta}, l.c.Beta)
	return copies(l.r.free[1 : l.r.top+1]), copies(l.r.diff[1 : l.r.top+1]), nil
}

func copies(layers [][]tensor.Float) [][]tensor.Float {
	out := make([][]tensor.Float, len(layers))
	for k, s := range layers {
		out[k] = slices.Clone(s)
	}
	return out
}

// Relaxation is a relaxation whose steps the caller takes, to look at the states between
// them. It ends with the next batch of its learner.
type Relaxation struct {
	l *Learner
	w *block
}

// Relaxation begins to relax a batch, of one sample where units spike. Free and Guess are
// those of the batch.
func (l *Learner) Relaxation(d *sample.Batch) (*Relaxation, error) {
	if d.Len() == 0 || d.Len() > 1 && l.c.Spiking != nil {
		return nil, errors.New("eqprop: relaxation: want samples, and one alone where units spike")
	}
	if err := l.take(d, false); err != nil {
		return nil, err
	}
	r := l.r
	r.run(&l.batch, nil, 0) // what is needed beforehand, as packed inputs, is made
	x := &Relaxation{l, &r.blocks[0]}
	if l.c.Spiking != nil {
		r.awake(x.w.spiking(r), &l.batch, 0)
		return x, nil
	}
	x.w.begin(r, 0, d.Len())
	r.setBase(x.w, &l.batch)
	r.start(x.w, &l.batch)
	return x, nil
}

// States are the states as they are, by layer from the first on, a row a sample: the
// learner's own memory.
func (x *Relaxation) States() (states [][]tensor.Float) {
	for k := 1; k <= x.l.r.top; k++ {
		if x.l.c.Spiking != nil {
			states = append(states, x.w.population.Layers[k].S)
		} else {
			states = append(states, x.w.s[k])
		}
	}
	return states
}

// Step takes a step, nudged by beta; 0 for a free one.
func (x *Relaxation) Step(beta float64) {
	r := x.l.r
	if x.l.c.Spiking != nil {
		r.simulate(x.w, &x.l.batch, 0, 1, tensor.Float(beta))
		return
	}
	r.step(x.w, &x.l.batch, tensor.Float(beta))
}

// Choose ends a free phase as hard top-k does, with the free steps after its choice.
func (x *Relaxation) Choose() {
	if x.l.c.Spiking != nil {
		x.l.r.chooseSpiking(x.w, &x.l.batch, 0)
		return
	}
	x.l.r.choose(x.w, &x.l.batch)
}
