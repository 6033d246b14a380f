package ttfs

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Point is how good a network is in steps of some dt.
type Point struct {
	DT         float64   // 0: exact times
	Steps      int       // of all windows; 0 for exact times
	Accuracy   float64   // percent of the samples
	Spikes     float64   // of the layers, a sample
	Input      float64   // spikes of the input, a sample
	Difference float64   // the largest between a score and the ordinary network's
	Rates      []float64 // share of the neurons that fire, by layer
	Clipped    []int     // spikes that came before their window, by layer
	N          int
}

// Evaluation says what is measured: samples with a class as their first target.
type Evaluation struct {
	Source    sample.Source
	Normalize *sample.Normalization
	DT        []float64 // steps of time, 0 for none
	Batch     int       // samples at once
}

// Evaluate measures a network for each dt, beside the ordinary one that it was made of.
func (n *Network) Evaluate(ctx context.Context, ordinary network.Graph, e Evaluation) ([]Point, error) {
	points, err := n.evaluate(ctx, ordinary, e)
	if err != nil {
		return nil, fmt.Errorf("ttfs.Evaluate: %w", err)
	}
	return points, nil
}

func (n *Network) evaluate(ctx context.Context, ordinary network.Graph, e Evaluation) ([]Point, error) {
	if e.Source == nil || e.Batch < 1 || len(e.DT) == 0 {
		return nil, fmt.Errorf("batches of %d, steps %v: want a source, a sample at once or more, and at least one dt", e.Batch, e.DT)
	}
	if f := e.Source.Spec().Targets; len(f) == 0 || f[0].Kind != sample.Class {
		return nil, errors.New("the samples' first target is no class, of which an accuracy could be")
	}
	net, err := ordinary.Build(0)
	if err != nil {
		return nil, err
	}
	pass := net.Compile(nil, false).NewPass(network.Options{})
	cur, err := data.NewCursor(e.Source, data.CursorOptions{Batch: e.Batch, Normalize: e.Normalize})
	if err != nil {
		return nil, err
	}
	points := make([]Point, len(e.DT))
	for j, dt := range e.DT {
		points[j] = Point{DT: dt, Rates: make([]float64, len(n.Layers)), Clipped: make([]int, len(n.Layers))}
		if dt > 0 {
			points[j].Steps = n.Steps(dt)
		}
	}
	var b sample.Batch
	var in signal.Signal
	for {
		more, err := cur.Next(ctx, &b)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		encode.Constant{}.Encode(&in, &b, make([]rng.Key, b.Len()), encode.Window{T1: 1, Steps: 1})
		want, err := pass.Forward(net.NewState(b.Len()), &in, false)
		if err != nil {
			return nil, err
		}
		for j := range points {
			if err := n.measure(&points[j], &in, want[0].Data, b.Targets[0].Class); err != nil {
				return nil, err
			}
		}
	}
	for j := range points {
		n.settle(&points[j])
	}
	return points, nil
}

// measure adds a batch to the sums of a point.
func (n *Network) measure(p *Point, in *signal.Signal, want []tensor.Float, classes []int) error {
	a, err := n.Run(in, p.DT, false)
	if err != nil {
		return err
	}
	k := a.Scores.Units()
	for i, class := range classes {
		scores := a.Scores.Data[i*k:][:k]
		best := 0
		for j, v := range scores {
			p.Difference = max(p.Difference, math.Abs(float64(v-want[i*k+j])))
			if v > scores[best] {
				best = j
			}
		}
		if best == class {
			p.Accuracy++
		}
	}
	p.N += len(classes)
	p.Input, p.Spikes = p.Input+float64(a.Spikes[0]), p.Spikes+float64(a.Total())
	for l := range n.Layers {
		p.Rates[l] += float64(a.Spikes[l+1])
		p.Clipped[l] += a.Clipped[l]
	}
	return nil
}

// settle makes means of the sums.
func (n *Network) settle(p *Point) {
	all := float64(max(1, p.N))
	p.Accuracy, p.Input, p.Spikes = 100*p.Accuracy/all, p.Input/all, p.Spikes/all
	for l := range p.Rates {
		p.Rates[l] /= all * float64(n.Layers[l].Units)
	}
}
