// Package detector converts detectors, ordinary networks whose output is read as boxes
// (detect.Boxes), and follows how good their boxes are over the steps: Spiking-YOLO (Kim et al.,
// "Spiking-YOLO: spiking neural network for energy-efficient object detection", AAAI 2020) and
// what came after. The conversion is package convert's; what is measured after T steps is
//
//	mAP     of the boxes that the mean of the output over T steps gives
//	error   √(Σ (o_T − o)²/Σ o²), the output o_T against that of the ordinary network
//	spikes  of all neurons, and the additions that they cause by true fan-out
package detector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/convert"
	"synfire/data"
	"synfire/detect"
	"synfire/encode"
	"synfire/energy"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
)

// Point is how good a spiking detector is after some steps.
type Point struct {
	Steps     int
	MAP       float64 // at an IoU of 0.5, all points, in percent
	Low, High float64 // what holds 95 % of the bootstrap over pictures
	Error     float64 // of the output, relative
	Spikes    float64 // of all neurons, a picture
	Synops    float64 // additions that they cause, a picture
	Papers    energy.Papers

	Pictures []detect.Picture // with the boxes after these steps, in pixels of the network's input
	Draws    []float64        // MAP of samples of the pictures that the bootstrap drew, the same for all points of a seed and source
}

// Difference is a difference of two points in mAP, by a bootstrap that draws the same pictures for
// both: its median, and what holds 95 %, in points.
type Difference struct{ Median, Low, High float64 }

// Less is p less o, of the same pictures.
func (p Point) Less(o Point) (d Difference) {
	off := make([]float64, min(len(p.Draws), len(o.Draws)))
	for i := range off {
		off[i] = p.Draws[i] - o.Draws[i]
	}
	d.Low, d.High = detect.Interval(off, 0.95)
	d.Median, _ = detect.Interval(off, 0)
	return d
}

// Study is a detector to be converted and followed. All outputs of Graph are read as boxes, together;
// targets of the samples are boxes. Of a study Steps, Samples, Seed, Pool, Train, Test, Normalize and
// Progress count; pictures come as constant values.
type Study struct {
	convert.Study
	Task  detect.Detect // its thresholds
	Batch int           // pictures at once; 0: up to 8, fewer of a large network
}

// Result is a converted detector with its figures.
type Result struct {
	convert.Conversion
	Ordinary Point // of the ordinary network, after one step
	Points   []Point
	Layers   []convert.LayerFigures // of training samples, after the last of the steps
	N        int                    // pictures that were measured with
	Classes  []string
	Energy   [2]energy.Account // of the ordinary and of the spiking network after the last of the steps, on some of the pictures
	Weights  [2][]energy.Layer // operations of their layers of weights, likewise
}

// How many samples of the bootstrap there are, pictures of the three accounts, pictures that are
// run at once, and bytes of a signal of all nodes that these may have.
const (
	resamples = 1000
	accounted = 4
	atOnce    = 8
	held      = 64 << 20
)

// Run converts by a method, and measures.
func (s Study) Run(ctx context.Context, m convert.Method, o convert.Options) (Result, error) {
	var r Result
	ordinary, err := s.Ordinary(ctx)
	if err != nil {
		return r, err
	}
	c, err := s.Convert(ctx, m, o)
	if err != nil {
		return r, err
	}
	return s.Measure(ctx, c, ordinary)
}

// Convert converts by a method. Outputs are boxes at the end, too.
func (s Study) Convert(ctx context.Context, m convert.Method, o convert.Options) (c convert.Conversion, err error) {
	if _, err := s.decoders(); err != nil {
		return c, err
	}
	if o.Late != 0 || o.Residual != 0 {
		return c, errors.New("convert: steps are left out of the scores of classes alone; leave delay and residual out")
	}
	s.Encoder = encode.Constant{}
	return s.Study.Convert(ctx, m, o)
}

// decoders are what reads the boxes of each output.
func (s Study) decoders() (all []detect.Boxes, err error) {
	for _, o := range s.Graph.Outputs {
		d, ok := detect.AsBoxes(o.Read)
		if !ok {
			return nil, fmt.Errorf("convert: output %q of the network is not read as boxes, as all should be", o.Name)
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		return nil, errors.New("convert: the network has no output, want some that are read as boxes")
	}
	return all, nil
}

// Ordinary measures the ordinary network.
func (s Study) Ordinary(ctx context.Context) (Point, error) {
	points, err := s.follow(ctx, s.Graph, []int{1}, network.Graph{})
	if err != nil {
		return Point{}, err
	}
	return points[0], nil
}

// Points follows a conversion over the steps: one run of the most steps, read at all of them.
func (s Study) Points(ctx context.Context, c convert.Conversion) ([]Point, error) {
	return s.follow(ctx, c.Graph, s.Steps, s.Graph)
}

// Measure follows a conversion over the steps, and looks at its layers and at what it needs.
func (s Study) Measure(ctx context.Context, c convert.Conversion, ordinary Point) (r Result, err error) {
	r = Result{Conversion: c, Ordinary: ordinary, N: s.Test.Len(), Classes: s.Test.Spec().Targets[0].Classes}
	if r.Points, err = s.Points(ctx, c); err != nil {
		return r, err
	}
	few, err := sample.Spaced(s.Train, min(accounted, s.Train.Len()))
	if err != nil {
		return r, err
	}
	over := func(src sample.Source, steps int) network.Calibration {
		return convert.Samples{Source: src, Normalize: s.Normalize, Encoder: encode.Constant{}, Steps: steps, Batch: 1, Seed: s.Seed}.Calibration(ctx)
	}
	last := s.Steps[len(s.Steps)-1]
	if r.Layers, err = c.Layers(ctx, s.Pool, over(few, 1), over(few, last)); err != nil {
		return r, err
	}
	return r, s.accounts(ctx, &r, over)
}

// accounts are the three of energy, of both networks.
func (s Study) accounts(ctx context.Context, r *Result, over func(sample.Source, int) network.Calibration) error {
	few, err := sample.Spaced(s.Test, min(accounted, s.Test.Len()))
	if err != nil {
		return err
	}
	for i, one := range []struct {
		g     network.Graph
		steps int
	}{{r.Conversion.Ordinary, 1}, {r.Graph, s.Steps[len(s.Steps)-1]}} {
		net, err := one.g.Build(0)
		if err != nil {
			return err
		}
		m, err := energy.Measure(ctx, net, over(few, one.steps))
		if err != nil {
			return err
		}
		r.Energy[i], r.Weights[i] = m.Account(s.constants()), m.Layers
	}
	return nil
}

func (s Study) constants() energy.Constants {
	if s.Constants == (energy.Constants{}) {
		return energy.Horowitz()
	}
	return s.Constants
}

// following is a run of all pictures.
type following struct {
	s        Study
	decoders []detect.Boxes // of the outputs
	field    sample.Field
	steps    []int
	net      *network.Network
	pass     *network.Pass
	count    *energy.Counter
	points   []Point
	done     []energy.Tally
	wanted   []tensor.Float // the ordinary network's outputs, of all pictures; nil where nobody compares
	off, all []float64      // squares of what the output is off by, and of the ordinary one's
}

// most is how many steps of an output are held at once.
const most = 16

// follow runs all pictures through a network, and compares outputs with those of an ordinary one
// unless that is empty. That one runs before: two networks at once would need the memory of both.
func (s Study) follow(ctx context.Context, g network.Graph, steps []int, ordinary network.Graph) ([]Point, error) {
	f, err := s.begin(ctx, g, steps, ordinary)
	if err == nil {
		err = s.each(ctx, f.net, f.batch)
	}
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	return f.finish(), nil
}

// each shows all pictures in batches.
func (s Study) each(ctx context.Context, net *network.Network, see func(context.Context, *sample.Batch) error) error {
	batch := s.Batch
	if batch == 0 {
		batch = fitting(net)
	}
	cur, err := data.NewCursor(s.Test, data.CursorOptions{Batch: batch, Normalize: s.Normalize})
	if err != nil {
		return err
	}
	var b sample.Batch
	for {
		more, err := cur.Next(ctx, &b)
		if err == nil && more {
			err = see(ctx, &b)
		}
		if err != nil || !more {
			return err
		}
	}
}

// outputs are what an ordinary network gives for all pictures, one after another.
func (s Study) outputs(ctx context.Context, g network.Graph) (all []tensor.Float, err error) {
	net, err := g.Build(0)
	if err != nil {
		return nil, err
	}
	pass := net.Compile(s.Pool, false).NewPass(network.Options{Pool: s.Pool})
	err = s.each(ctx, net, func(_ context.Context, b *sample.Batch) error {
		var in signal.Signal
		encode.Constant{}.Encode(&in, b, nil, encode.Window{T1: 1, Steps: 1})
		outs, err := pass.Forward(net.NewState(b.Len()), &in, false)
		if err == nil {
			for _, o := range outs {
				all = append(all, o.Data[:b.Len()*o.Units()]...)
			}
		}
		return err
	})
	return all, err
}

func (s Study) begin(ctx context.Context, g network.Graph, steps []int, ordinary network.Graph) (*following, error) {
	all, err := s.decoders()
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 || steps[0] < 1 || !slices.IsSorted(steps) {
		return nil, fmt.Errorf("steps %v, want some that ascend from 1 or more", steps)
	}
	targets := s.Test.Spec().Targets
	if len(targets) == 0 || targets[0].Kind != sample.Boxes {
		return nil, errors.New("the samples' first target is no boxes")
	}
	f := &following{s: s, decoders: all, field: targets[0], steps: steps, points: make([]Point, len(steps)), done: make([]energy.Tally, len(steps)), off: make([]float64, len(steps)), all: make([]float64, len(steps))}
	if len(ordinary.Nodes) > 0 {
		if f.wanted, err = s.outputs(ctx, ordinary); err != nil {
			return nil, err
		}
	}
	if f.net, err = g.Build(0); err != nil {
		return nil, err
	}
	f.pass = f.net.Compile(s.Pool, false).NewPass(network.Options{Pool: s.Pool})
	f.count = energy.NewCounter(f.net, signal.Constant)
	f.pass.Watch(f.count.Saw)
	return f, nil
}

// fitting is how many pictures are run at once.
func fitting(net *network.Network) int {
	units := 1
	for _, nd := range net.Nodes() {
		units += nd.Out.Size()
	}
	return max(1, min(atOnce, held/(4*units)))
}

// batch runs pictures through all steps.
func (f *following) batch(ctx context.Context, b *sample.Batch) error {
	n, shapes := b.Len(), f.net.OutputShapes()
	sums, size := make([][]float64, len(shapes)), 0
	for k, shape := range shapes {
		sums[k] = make([]float64, n*shape.Size())
		size += len(sums[k])
	}
	var in signal.Signal
	want := f.wanted[:min(len(f.wanted), size)]
	f.wanted = f.wanted[len(want):]
	state := f.net.NewState(n)
	at, before := 0, f.count.Tally
	for j, to := range f.steps {
		for at < to {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := min(most, to-at)
			encode.Constant{}.Encode(&in, b, nil, encode.Window{T0: at, T1: at + k, Steps: f.steps[len(f.steps)-1]})
			outs, err := f.pass.Forward(state, &in, false)
			if err != nil {
				return err
			}
			for i, o := range outs {
				add(sums[i], o, k)
			}
			at += k
		}
		outputs := make([]task.Output, len(shapes))
		left := want
		for k, shape := range shapes {
			mean := &signal.Signal{Kind: signal.Dense, T: 1, B: n, Shape: shape, Data: make([]tensor.Float, len(sums[k]))}
			for i, v := range sums[k] {
				mean.Data[i] = tensor.Float(v / float64(to))
			}
			f.compare(j, mean.Data, left[:min(len(left), len(mean.Data))])
			left = left[min(len(left), len(mean.Data)):]
			outputs[k] = task.Output{Shape: shape, Scores: make([]tensor.Float, len(mean.Data))}
			f.decoders[k].Decode(outputs[k].Scores, mean)
		}
		if err := f.read(&f.points[j], outputs, b.Targets[0].Boxes); err != nil {
			return err
		}
		now := f.count.Tally
		f.done[j].Add(energy.Tally{Spikes: now.Spikes - before.Spikes, Additions: now.Additions - before.Additions, Sums: now.Sums - before.Sums, Products: now.Products - before.Products})
	}
	if f.s.Progress != nil {
		f.s.Progress(len(f.points[0].Pictures), f.s.Test.Len())
	}
	return nil
}

// add adds an output's steps, of which a constant has one.
func add(sums []float64, out *signal.Signal, steps int) {
	if out.Kind == signal.Constant {
		for i, v := range out.Data[:len(sums)] {
			sums[i] += float64(steps) * float64(v)
		}
		return
	}
	for t := range out.T {
		for i, v := range out.Data[t*len(sums):][:len(sums)] {
			sums[i] += float64(v)
		}
	}
}

// compare adds what an output is off by after the steps of point j, where anybody compares.
func (f *following) compare(j int, have, want []tensor.Float) {
	for i, v := range want {
		f.off[j] += (float64(have[i]) - float64(v)) * (float64(have[i]) - float64(v))
		f.all[j] += float64(v) * float64(v)
	}
}

// read adds the boxes of pictures.
func (f *following) read(p *Point, outputs []task.Output, truths [][]sample.Box) error {
	for i, t := range truths {
		found, err := f.s.Task.Find(outputs, i, f.field, f.s.Task.Threshold)
		if err != nil {
			return err
		}
		p.Pictures = append(p.Pictures, detect.Picture{Truths: slices.Clone(t), Found: found})
	}
	return nil
}

func (f *following) finish() []Point {
	classes := len(f.field.Classes)
	for j := range f.points {
		p := &f.points[j]
		p.Steps = f.steps[j]
		v, _ := detect.MAP(p.Pictures, classes)
		p.Draws = detect.Resampled(p.Pictures, classes, resamples, f.s.Seed)
		for i := range p.Draws {
			p.Draws[i] *= 100
		}
		p.MAP = 100 * v
		p.Low, p.High = detect.Interval(p.Draws, 0.95)
		if f.all[j] > 0 {
			p.Error = math.Sqrt(f.off[j] / f.all[j])
		}
		work := energy.Of(f.count.Plan, f.done[j], len(p.Pictures), p.Steps)
		p.Spikes, p.Synops, p.Papers = work.Spikes, work.Additions+work.Sums, work.Papers(f.s.constants())
	}
	return f.points
}
