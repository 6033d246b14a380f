package network

import (
	"fmt"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// InferenceOptions say how an Inference runs. Steps and Encoder are required.
type InferenceOptions struct {
	Options
	Steps   int // T
	Encoder encode.Encoder
	Output  string // the output whose sums are the scores; empty: the first
	// A sample is decided when its largest score leads by Margin (0: never
	// before T), or with Certain by more than the spikes that any output can
	// still fire, so that no decision changes.
	Margin  float64
	Certain bool
	Window  int // steps between looks at the scores; 0: one
}

// Inference runs a compiled network on batches, step by step, until each sample
// is decided. It keeps its memory: after the first batch of a size it allocates
// nothing. One goroutine may use it at a time.
type Inference struct {
	o      InferenceOptions
	output int
	pass   *Pass
	state  *State
	in     signal.Signal
	out    signal.Signal
	sums   []tensor.Float
	scores []tensor.Float
	steps  []int
	fired  [][2]int // spikes and slots of each node
}

// NewInference checks the options.
func (c *Compiled) NewInference(o InferenceOptions) (*Inference, error) {
	output, err := c.net.output(o.Output)
	if err != nil {
		return nil, fmt.Errorf("network.NewInference: %w", err)
	}
	shape := c.net.OutputShapes()[output]
	switch {
	case o.Steps < 1 || o.Window < 0 || !(o.Margin >= 0):
		return nil, fmt.Errorf("network.NewInference: %d steps, window %d, margin %v: want at least one step, and neither of the others negative", o.Steps, o.Window, o.Margin)
	case o.Encoder == nil:
		return nil, fmt.Errorf("network.NewInference: no encoder; encode.Constant presents values as they are")
	case o.Margin > 0 && o.Certain:
		return nil, fmt.Errorf("network.NewInference: a margin of %v and certain: give one of them", o.Margin)
	case len(shape) != 1:
		return nil, fmt.Errorf("network.NewInference: output %q has shape %v, want a vector of classes", c.net.outputs[output].Name, shape)
	}
	switch read := c.net.outputs[output].Read.(type) {
	case nil, encode.Count:
	default:
		return nil, fmt.Errorf("network.NewInference: output %q is read by %T, and decisions on the way by the sum over time alone; run all steps with a Pass", c.net.outputs[output].Name, read)
	}
	if o.Window == 0 {
		o.Window = 1
	}
	if o.Margin == 0 && !o.Certain {
		o.Window = o.Steps
	}
	return &Inference{o: o, output: output, pass: c.NewPass(o.Options), state: c.net.NewState(1), fired: make([][2]int, len(c.net.nodes))}, nil
}

// Run runs the samples of a batch with a random stream each. It returns
// the scores [B, K], the sums of the output until the sample was decided times
// the output's Scale, and the steps that this took. Both are valid until the next call.
func (r *Inference) Run(in *sample.Batch, keys []rng.Key) (scores []tensor.Float, steps []int, err error) {
	net := r.pass.c.net
	b, k := len(keys), net.nodes[net.outNodes[r.output]].out[0]
	if b == 0 || in.Len() != b || len(in.X) != b*in.Spec.Size() {
		return nil, nil, fmt.Errorf("network.Inference: a batch of %d samples with %d values and %d keys, want at least one sample, all its values, and a key for each", in.Len(), len(in.X), b)
	}
	r.state.Reset(net, b)
	r.sums, r.scores = tensor.Resize(r.sums, b*k), tensor.Resize(r.scores, b*k)
	clear(r.sums)
	clear(r.fired)
	r.steps = append(r.steps[:0], make([]int, b)...)
	for left := b; left > 0; {
		t0 := r.state.Step
		t1 := min(t0+r.o.Window, r.o.Steps)
		r.o.Encoder.Encode(&r.in, in, keys, encode.Window{T0: t0, T1: t1, Steps: r.o.Steps})
		outs, err := r.pass.Forward(r.state, &r.in, false)
		if err != nil {
			return nil, nil, err
		}
		out := outs[r.output]
		if r.o.Certain && out.Kind != signal.Spikes {
			return nil, nil, fmt.Errorf("network.Inference: certain needs outputs that are spikes, these are %v; give a margin", out.Kind)
		}
		r.add(out)
		for i := range r.fired {
			spikes, slots := r.pass.Spikes(i)
			r.fired[i][0] += spikes
			r.fired[i][1] += slots
		}
		for i, s := range r.steps {
			if sum := r.sums[i*k:][:k]; s == 0 && (t1 == r.o.Steps || r.decided(sum, r.o.Steps-t1)) {
				for j, v := range sum {
					r.scores[i*k+j] = r.scale() * v
				}
				r.steps[i] = t1
				left--
			}
		}
	}
	return r.scores, r.steps, nil
}

// Spikes is how often the units of a node fired in the last Run, and how often
// they could have, as Pass.Spikes.
func (r *Inference) Spikes(node int) (spikes, slots int) { return r.fired[node][0], r.fired[node][1] }

// add adds the steps of out, in order, to the sums.
func (r *Inference) add(out *signal.Signal) {
	out.Densify(&r.out)
	for t := range out.T {
		for i, v := range r.out.Data[t*r.out.Stride():][:len(r.sums)] {
			r.sums[i] += v
		}
	}
}

// decided applies the rule to the sums of one sample.
func (r *Inference) decided(sums []tensor.Float, left int) bool {
	if len(sums) < 2 || r.o.Margin == 0 && !r.o.Certain {
		return false
	}
	best, second := max(sums[0], sums[1]), min(sums[0], sums[1])
	for _, s := range sums[2:] {
		if s > best {
			best, second = s, best
		} else if s > second {
			second = s
		}
	}
	if r.o.Certain {
		return best-second > tensor.Float(left)
	}
	return r.scale()*(best-second) >= tensor.Float(r.o.Margin)
}

// scale is the factor of the output's scores.
func (r *Inference) scale() tensor.Float { return tensor.Float(r.pass.c.net.outputs[r.output].scale()) }
