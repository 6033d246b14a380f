package convert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/encode"
	"synfire/energy"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Point is how good a converted network is after some steps of time.
type Point struct {
	Steps    int
	Accuracy float64 // percent of the samples
	Equal    float64 // percent whose scores are all equal, as where no spike has come yet; they count as the first class
	Spikes   float64 // of all neurons, a sample
	Synops   float64 // additions that spikes cause behind them, those of the input too, a sample
	Work     energy.Spiking
}

// Band is the interval of an accuracy of n samples, in percent, that holds 95 % of the
// probability (Wilson, J. Am. Stat. Assoc. 22:209, 1927).
func Band(accuracy float64, n int) (low, high float64) {
	const z = 1.959963984540054
	if n < 1 {
		return 0, 100
	}
	p, k := accuracy/100, float64(n)
	centre, half := p+z*z/(2*k), z*math.Sqrt(p*(1-p)/k+z*z/(4*k*k))
	return 100 * max(0, (centre-half)/(1+z*z/k)), 100 * min(1, (centre+half)/(1+z*z/k))
}

// CurveOptions say what a curve is of.
type CurveOptions struct {
	Source    sample.Source // samples with a class as their first target
	Normalize *sample.Normalization
	Encoder   encode.Encoder // one whose spikes do not depend on how long the run is; values that Poisson would clip are an error
	Steps     []int          // after which the answer is read off, ascending
	Batch     int            // samples at once
	Seed      uint64         // of random encodings, as of the model: the spikes are those of its evaluation
	Pool      *par.Pool
	Progress  func(done, total int) // samples; nil: none
}

// Curve is the accuracy of a network's first output over the steps, its scores summed over
// time, in one run of the most steps.
func Curve(ctx context.Context, g network.Graph, o CurveOptions) ([]Point, error) {
	r, err := follow(ctx, g, o, nil)
	if err != nil {
		return nil, err
	}
	return r.points(), nil
}

// follow runs all samples, which are answered early by each of some margins beside.
func follow(ctx context.Context, g network.Graph, o CurveOptions, margins []float64) (*curve, error) {
	r, err := newCurve(g, o, margins)
	if err != nil {
		return nil, fmt.Errorf("convert.Curve: %w", err)
	}
	cur, err := data.NewCursor(o.Source, data.CursorOptions{Batch: o.Batch, Normalize: o.Normalize})
	if err != nil {
		return nil, fmt.Errorf("convert.Curve: %w", err)
	}
	var b sample.Batch
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more, err := cur.Next(ctx, &b)
		if err == nil && more {
			err = r.batch(&b)
		}
		if err != nil {
			return nil, fmt.Errorf("convert.Curve: %w", err)
		}
		if !more {
			return r, nil
		}
		if o.Progress != nil {
			o.Progress(r.n, o.Source.Len())
		}
	}
}

// curve is a run of all samples: how many were right, and spikes, up to each of the steps.
type curve struct {
	o     CurveOptions
	net   *network.Network
	pass  *network.Pass
	state *network.State
	in    signal.Signal
	sums  []tensor.Float
	right []int
	equal []int // samples with equal scores
	count *energy.Counter
	done  []energy.Tally // by each of the steps, of all samples
	exits *exiting
	n     int
}

func newCurve(g network.Graph, o CurveOptions, margins []float64) (*curve, error) {
	if len(o.Steps) == 0 || !slices.IsSorted(o.Steps) || o.Batch < 1 || o.Encoder == nil || o.Source == nil {
		return nil, fmt.Errorf("steps %v, batches of %d, encoder %T: want steps that ascend, a sample at once or more, an encoder and a source", o.Steps, o.Batch, o.Encoder)
	}
	if f := o.Source.Spec().Targets; len(f) == 0 || f[0].Kind != sample.Class {
		return nil, errors.New("the samples' first target is no class, of which an accuracy could be")
	}
	net, err := g.Build(0)
	if err == nil {
		err = net.CheckSteps(o.Steps[0])
	}
	if err != nil {
		return nil, err
	}
	r := &curve{
		o: o, net: net, pass: net.Compile(o.Pool, false).NewPass(network.Options{Pool: o.Pool}), state: net.NewState(1),
		right: make([]int, len(o.Steps)), equal: make([]int, len(o.Steps)), done: make([]energy.Tally, len(o.Steps)), exits: newExiting(margins, net.Outputs()[0].Scale),
	}
	return r, nil
}

// batch runs the samples of a batch through all steps.
func (r *curve) batch(b *sample.Batch) error {
	if err := unclipped(r.o.Encoder, b); err != nil {
		return err
	}
	n, k := b.Len(), r.net.OutputShapes()[0].Size()
	base, keys := rng.New(r.o.Seed, rng.Eval).Int(0), make([]rng.Key, n)
	for i, index := range b.Index {
		keys[i] = base.Int(uint64(index))
	}
	r.state.Reset(r.net, n)
	r.sums = tensor.Resize(r.sums, n*k)
	clear(r.sums)
	r.n += n
	r.exits.begin(n)
	from := 0
	var done energy.Tally
	for j, to := range r.o.Steps {
		if to > from {
			r.o.Encoder.Encode(&r.in, b, keys, encode.Window{T0: from, T1: to, Steps: r.o.Steps[len(r.o.Steps)-1]})
			outs, err := r.forward()
			if err != nil {
				return err
			}
			r.add(outs[0], b.Targets[0].Class, from)
			done.Add(r.count.Tally)
			from = to
		}
		r.done[j].Add(done)
		for i, class := range b.Targets[0].Class {
			scores := r.sums[i*k:][:k]
			if largest(scores) == class {
				r.right[j]++
			}
			if k > 1 && slices.Max(scores) == slices.Min(scores) {
				r.equal[j]++
			}
		}
	}
	return nil
}

// add adds an output over its steps, which follow some others, to the sums, and looks at them.
func (r *curve) add(out *signal.Signal, classes []int, before int) {
	var d signal.Signal
	if out.Kind == signal.Spikes {
		out.Densify(&d)
		out = &d
	}
	for t := range out.T {
		for i, v := range out.Data[t*out.Stride():][:len(r.sums)] {
			r.sums[i] += v
		}
		step := before + t + 1
		r.exits.look(r.sums, classes, step, step == r.o.Steps[len(r.o.Steps)-1])
	}
}

// forward runs the input, and counts what spikes cause in this window alone.
func (r *curve) forward() ([]*signal.Signal, error) {
	if r.count == nil {
		r.count = energy.NewCounter(r.net, r.in.Kind)
		r.pass.Watch(r.count.Saw)
	}
	r.count.Tally = energy.Tally{}
	r.count.Input(&r.in)
	return r.pass.Forward(r.state, &r.in, false)
}

// largest is the first place of the largest score.
func largest(scores []tensor.Float) int {
	best := 0
	for i, v := range scores {
		if v > scores[best] {
			best = i
		}
	}
	return best
}

func (r *curve) points() (all []Point) {
	n := float64(max(1, r.n))
	for j, steps := range r.o.Steps {
		p := Point{Steps: steps, Accuracy: 100 * float64(r.right[j]) / n, Equal: 100 * float64(r.equal[j]) / n}
		if r.count != nil {
			p.Work = energy.Of(r.count.Plan, r.done[j], r.n, steps)
			p.Spikes, p.Synops = p.Work.Spikes, p.Work.Additions+p.Work.Sums
		}
		all = append(all, p)
	}
	return all
}
