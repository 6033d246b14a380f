package bptt

import (
	"fmt"
	"math"
	"unsafe"

	"synfire/encode"
	"synfire/tensor"
	"synfire/train"
)

// evalBatch is the batch of an evaluation, as package train takes it.
const evalBatch = 256

// Plan works out what a run of the rule will need.
//
// Training holds each parameter with its gradient, the optimiser's buffers, its average
// where one is kept, and two packed copies, and the larger of a batch's window of time and of what an
// evaluation takes. Inference holds the parameters, a packed copy, and a batch.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	g, err := r.Graph(s)
	if err != nil {
		return train.Plan{}, err
	}
	net, err := g.Outline()
	if err != nil {
		return train.Plan{}, err
	}
	if err := r.fits(net, s); err != nil {
		return train.Plan{}, err
	}
	b := Options{Net: net, Steps: s.Steps, Window: r.Window, Memory: int64(r.Memory), Batch: s.Batch, Truncate: r.Truncate}
	if err := b.chooseWindow(); err != nil {
		return train.Plan{}, fmt.Errorf("plan: %w", err)
	}
	const float = float64(unsafe.Sizeof(tensor.Float(0)))
	weights := float * float64(net.ParamCount())
	_, constant := s.Encoder.(encode.Constant)
	infer := net.InferenceMemory(s.Steps, evalBatch, constant)
	window := max(b.windowNeed(b.Window), infer)
	step, _ := net.Memory()
	copies := 4 + r.Optimizer.Buffers()
	if r.Average != nil {
		copies++
	}
	p := train.Plan{
		Parameters: net.ParamCount(), Window: b.Window,
		Train:   wholeBytes(weights*float64(copies) + window),
		Weights: wholeBytes(weights * float64(4+r.Optimizer.Buffers())),
		Infer:   wholeBytes(2*weights + infer),
	}
	p.Least = p.Train - int64(s.Batch)*step*int64(p.Window-1) // with one step at once
	for _, n := range net.Nodes() {
		l := train.PlannedLayer{Name: n.Name, Output: n.Out}
		for _, w := range n.Params {
			l.Parameters += int64(w.Value.Shape.Size())
		}
		p.Layers = append(p.Layers, l)
	}
	return p, nil
}

func wholeBytes(v float64) int64 {
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(v)
}
