package bptt

import (
	"fmt"

	"synfire/layer"
	"synfire/optim"
	"synfire/tensor"
)

// averaging keeps two sets of a network's arrays, parameters and buffers alike: those that
// learn, and their average, which predicts and is the model. One of them is in the
// network, the other beside it. A nil one does nothing: there is one set.
type averaging struct {
	kind   optim.Average
	arrays []tensor.Param // the network's
	other  [][]tensor.Float
	shown  bool // the average is in the network, what learns is beside it
}

func (l *Learner) newAveraging() {
	if l.c.Average == nil {
		return
	}
	a := &averaging{kind: l.c.Average, arrays: append(append([]tensor.Param(nil), l.net.Params()...), l.net.Buffers()...)}
	for _, p := range a.arrays {
		a.other = append(a.other, make([]tensor.Float, len(p.Value.Data)))
	}
	l.average = a
	a.restart()
}

// restart makes both sets what the network has.
func (a *averaging) restart() {
	if a == nil {
		return
	}
	for i, p := range a.arrays {
		copy(a.other[i], p.Value.Data)
	}
}

// show puts the average, or what learns, into the network.
func (l *Learner) show(average bool) {
	a := l.average
	if a == nil || a.shown == average {
		return
	}
	for i, p := range a.arrays {
		for k, v := range p.Value.Data {
			p.Value.Data[k], a.other[i][k] = a.other[i][k], v
		}
	}
	a.shown = average
	l.packed.Refresh(l.c.Pool)
}

// follow moves the average after a step.
func (l *Learner) follow() {
	a := l.average
	if a == nil {
		return
	}
	share, back := a.kind.At(l.step, l.c.Total)
	if share == 0 {
		return
	}
	for i, p := range a.arrays {
		optim.Follow(l.c.Pool, a.other[i], p.Value.Data, share, back)
	}
}

// fastPrefix begins the names of the arrays that learn, in a state whose model is their
// average.
const fastPrefix = "average.fast."

// learning are the arrays that learn while the average is shown, by their names in a state.
func (a *averaging) learning() (named []tensor.Param) {
	if a == nil {
		return nil
	}
	for i, p := range a.arrays {
		named = append(named, tensor.Param{Name: fastPrefix + p.Name, Value: tensor.Tensor{Shape: p.Value.Shape, Data: a.other[i]}})
	}
	return named
}

// rates are the factors of the parameters' learning rates; nil where all are 1.
func (c Options) rates() ([]float64, error) {
	if c.ShiftRate == 0 && len(c.Frozen) == 0 && c.Whiten == nil {
		return nil, nil
	}
	frozen := map[string]bool{}
	for _, name := range c.Frozen {
		frozen[name] = true
	}
	var factors []float64
	whitened := ""
	if c.Whiten != nil {
		nd, _, err := c.Whiten.whitened(c.Net)
		if err != nil {
			return nil, err
		}
		whitened = nd.Name
	}
	for _, nd := range c.Net.Nodes() {
		for i := range nd.Params {
			f := 1.0
			if _, norm := nd.Layer.(layer.BatchNorm); norm && i == 1 && c.ShiftRate != 0 {
				f = c.ShiftRate // gamma is before beta
			}
			if frozen[nd.Name] || nd.Name == whitened && i == 0 {
				f = 0
			}
			factors = append(factors, f)
		}
		delete(frozen, nd.Name)
	}
	for _, name := range c.Frozen {
		if frozen[name] {
			return nil, fmt.Errorf("frozen: the network has no node %q", name)
		}
	}
	return factors, nil
}
