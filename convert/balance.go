package convert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/par"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// Balance is the Transform that sets the thresholds of all STDB neurons, layer by layer,
// to the largest input that a unit receives in one step of the calibration, times Factor.
// While deeper layers are measured those before have the factor 1.
//
// With a Percentile it is that of all inputs instead, of all units, samples and steps. It
// is read off a histogram and too large by at most 1/4096 of the largest input.
//
// Inputs stream: what is held is one batch. A layer costs a run of all before it (with a
// Percentile two), and a last run gives the rates of the report. Results do not depend on
// how samples are parted into batches.
type Balance struct {
	Factor     float64   // s > 0; 1 loses nothing, less is faster
	Percentile float64   // of the inputs, in (0, 100]; 0: the largest
	Pool       *par.Pool // nil: one thread
}

// bins is how finely a percentile is told.
const bins = 4096

// saturated is the rate above which a layer is.
const saturated = 0.9

// Layer is what a layer of neurons does on samples.
type Layer struct {
	Name      string
	Threshold float64 // of its first channel; Balance gives all channels the same
	Rate      float64 // spikes a unit and step
}

// Remark says what is wrong with a layer; empty where nothing is.
func (l Layer) Remark() string {
	switch {
	case l.Rate == 0:
		return "dead: no unit fires, and nothing passes; use a smaller factor, or more steps"
	case l.Rate > saturated:
		return fmt.Sprintf("saturated: units fire in %.0f %% of the steps and tell little apart; use a larger factor", 100*l.Rate)
	}
	return ""
}

// Apply balances over the inputs of c, whose steps should be those that rates need to
// settle.
func (b Balance) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.Balance: %w", err)
	}
	switch {
	case !(b.Factor > 0) || math.IsInf(b.Factor, 0):
		return fail(fmt.Errorf("factor is %v, want a positive number such as 0.7", b.Factor))
	case !(b.Percentile >= 0 && b.Percentile <= 100):
		return fail(fmt.Errorf("percentile is %v, want one in (0, 100], or 0 for the largest", b.Percentile))
	case c == nil:
		return fail(errors.New("no samples to calibrate by; give some of the training samples"))
	}
	g = network.Edit(g).Graph()
	largest := map[string]float64{}
	for i, nd := range g.Nodes {
		if !balanced(nd) {
			continue
		}
		v, err := b.receives(ctx, g, c, nd)
		if err != nil {
			return fail(&network.NodeError{Index: i, Name: nd.Name, Err: err})
		}
		largest[nd.Name] = v
		g = withThreshold(g, i, v)
	}
	if len(largest) == 0 {
		return fail(errors.New("no node has neurons stdb whose threshold is an array; put convert.Swap before"))
	}
	for i, nd := range g.Nodes {
		if v, ok := largest[nd.Name]; ok {
			g = withThreshold(g, i, b.Factor*v)
		}
	}
	layers, err := Measure(ctx, g, c)
	if err != nil {
		return fail(err)
	}
	return g, b.report(layers, largest), nil
}

func (b Balance) report(layers []Layer, largest map[string]float64) (r network.Report) {
	of := "the largest input"
	if b.Percentile > 0 {
		of = fmt.Sprintf("the %v percentile of inputs", b.Percentile)
	}
	for _, l := range layers {
		r.Add(l.Name, network.Changed, "threshold %.4g, %v of %s %.4g; rate %.4f", l.Threshold, b.Factor, of, largest[l.Name], l.Rate)
		if why := l.Remark(); why != "" {
			r.Add(l.Name, network.Lost, "%s", why)
		}
	}
	return r
}

// balanced reports whether a node's thresholds are set here.
func balanced(nd network.GraphNode) bool {
	l, ok := nd.Layer.(layer.Spiking)
	if !ok || l.Varied["threshold"] != layer.PerChannel {
		return false
	}
	_, ok = l.Neuron.(neuron.STDB)
	return ok
}

// withThreshold is a graph in which all channels of node i have a threshold.
func withThreshold(g network.Graph, i int, v float64) network.Graph {
	g = network.Edit(g).Graph() // lists of its own; arrays are replaced, not written
	nd := &g.Nodes[i]
	l := nd.Layer.(layer.Spiking)
	n := l.Neuron.(neuron.STDB)
	n.Threshold = v
	l.Neuron = n
	nd.Layer, nd.Arrays = l, nil // the array starts at the neuron's threshold
	return g
}

// receives is the largest input of a node's units, or their percentile.
func (b Balance) receives(ctx context.Context, g network.Graph, c network.Calibration, nd network.GraphNode) (float64, error) {
	most, n := math.Inf(-1), 0
	err := inputs(ctx, b.Pool, g, c, nd.Inputs[0], func(x []tensor.Float) error {
		for i, v := range x {
			if v := float64(v); v > most {
				most = v
			} else if math.IsNaN(v) {
				return fmt.Errorf("input %d of a batch is NaN; are the weights and the samples finite?", i)
			}
		}
		n += len(x)
		return nil
	})
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("there are no samples to calibrate by")
	case !(most > 0) || math.IsInf(most, 0):
		return 0, fmt.Errorf("its largest input is %.4g, which is no threshold: none of its units would ever fire; are the weights trained, and the samples those of training?", most)
	case b.Percentile == 0:
		return most, nil
	}
	a := activity{most: most, all: n, counts: make([]int, bins)}
	err = inputs(ctx, b.Pool, g, c, nd.Inputs[0], func(x []tensor.Float) error {
		for _, v := range x {
			if v > 0 {
				a.count(v)
				a.nonzero++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	v, ok := a.quantile(b.Percentile, false)
	if !ok {
		return 0, fmt.Errorf("the %v percentile of its inputs is not above 0: fewer units than that are ever driven; use a higher percentile", b.Percentile)
	}
	return v, nil
}

// inputs hands what a node gives, or the network's input, to visit, a window of a batch's time
// after another.
func inputs(ctx context.Context, pool *par.Pool, g network.Graph, c network.Calibration, name string, visit func(x []tensor.Float) error) error {
	if name == network.Input {
		for in, err := range c {
			if err == nil {
				err = visit(values(in))
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
		}
		return nil
	}
	net, err := upTo(g, name).Build(0)
	if err != nil {
		return err
	}
	pass := net.Compile(pool, false).NewPass(network.Options{Pool: pool})
	for in, err := range c {
		if err != nil {
			return err
		}
		state := net.NewState(in.B)
		err := eachWindow(ctx, in, func(w *signal.Signal) error {
			out, err := pass.Forward(state, w, false)
			if err != nil {
				return err
			}
			return visit(values(out[0]))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// upTo is the part of a graph that a node's output needs, which is its own.
func upTo(g network.Graph, name string) network.Graph {
	needed := map[string]bool{name: true}
	part := network.Graph{Input: g.Input, Outputs: []network.Output{{Name: network.DefaultOutput, Node: name}}}
	for _, nd := range slices.Backward(g.Nodes) {
		if !needed[nd.Name] {
			continue
		}
		part.Nodes = append(part.Nodes, nd)
		for _, in := range nd.Inputs {
			needed[in] = true
		}
	}
	slices.Reverse(part.Nodes)
	return part
}

// values are a signal's, of all steps or, where it is constant, of one.
func values(s *signal.Signal) []tensor.Float {
	if s.Kind != signal.Spikes {
		return s.Data
	}
	var d signal.Signal
	s.Densify(&d)
	return d.Data
}

// run hands the network's input and each node's output over the calibration to the two
// functions.
func run(ctx context.Context, g network.Graph, c network.Calibration, visit func(network.Info, *signal.Signal) error, start func(*signal.Signal) error) error {
	net, err := g.Build(0)
	if err != nil {
		return err
	}
	packed := net.Compile(nil, false)
	for in, err := range c {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = start(in)
		}
		if err == nil {
			err = packed.Activity(in, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Measure is what the layers of neurons of a graph do on samples.
func Measure(ctx context.Context, g network.Graph, c network.Calibration) (layers []Layer, err error) {
	spikes, slots, at := map[string]int{}, map[string]int{}, map[string]int{}
	err = run(ctx, g, c, func(nd network.Info, out *signal.Signal) error {
		if _, ok := nd.Layer.(layer.Population); !ok {
			return nil
		}
		if _, ok := at[nd.Name]; !ok {
			at[nd.Name] = len(layers)
			layers = append(layers, Layer{Name: nd.Name, Threshold: threshold(nd.Layer)})
		}
		for _, v := range values(out) {
			if v != 0 {
				spikes[nd.Name]++
			}
		}
		slots[nd.Name] += out.Rows() * out.Units()
		return nil
	}, func(*signal.Signal) error { return nil })
	for i, l := range layers {
		layers[i].Rate = float64(spikes[l.Name]) / float64(max(1, slots[l.Name]))
	}
	return layers, err
}

func threshold(l layer.Layer) float64 {
	of, ok := l.(layer.Spiking)
	if n, is := of.Neuron.(neuron.STDB); ok && is {
		return n.Threshold
	}
	return math.NaN()
}
