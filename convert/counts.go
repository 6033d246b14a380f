package convert

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/layer/temporal"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Counts is the Transform that reads outputs off spikes, where they else are sums of what comes
// in, the membrane of neurons that never fire: a linear signed neuron (temporal.Signed of slope 1)
// of the threshold λ stands behind each output, and its spikes count λ each, with λ the largest
// |o| of the ordinary network's output o, channel by channel.
type Counts struct{ Ordinary network.Graph }

// Apply puts neurons at the outputs of the spiking network, by the ordinary one's over the inputs
// of c.
func (k Counts) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.Counts: %w", err)
	}
	if c == nil {
		return fail(errors.New("no samples to calibrate by; give some of the training samples"))
	}
	net, err := k.Ordinary.Outline()
	if err != nil {
		return fail(err)
	}
	outs := net.Outputs()
	most := make([][]float64, len(outs))
	err = run(ctx, k.Ordinary, c, func(nd network.Info, out *signal.Signal) error {
		for i, o := range outs {
			if o.Node != nd.Name {
				continue
			}
			if most[i] == nil {
				most[i] = make([]float64, width(nd.Out))
			}
			for j, v := range values(out) {
				most[i][j%len(most[i])] = max(most[i][j%len(most[i])], math.Abs(float64(v)))
			}
		}
		return nil
	}, func(*signal.Signal) error { return nil })
	if err != nil {
		return fail(err)
	}
	g = network.Edit(g).Graph()
	if len(g.Outputs) != len(outs) {
		return fail(fmt.Errorf("the spiking network has %d outputs, the ordinary one %d", len(g.Outputs), len(outs)))
	}
	var r network.Report
	for i := range g.Outputs {
		o, scale := &g.Outputs[i], most[i]
		fill(scale)
		for _, v := range scale {
			if !usable(v) {
				return fail(fmt.Errorf("output %q is always 0 or not finite on the samples; is the network trained?", o.Name))
			}
		}
		shape := net.OutputShapes()[i]
		if err := counted(&g, o, shape, scale); err != nil {
			return fail(err)
		}
		r.Add(o.Node, network.Changed, "output %q is read off spikes of %s each", o.Name, span(scale))
	}
	return g, r, nil
}

// counted puts neurons behind an output, of a scale by channel.
func counted(g *network.Graph, o *network.Output, shape tensor.Shape, scale []float64) error {
	inverse := make([]float64, len(scale))
	for j, v := range scale {
		inverse[j] = 1 / v
	}
	from := o.Node
	for _, part := range []struct {
		name   string
		factor []float64
	}{{from + "_units", inverse}, {from + "_spikes", nil}, {from + "_counts", scale}} {
		nd := network.GraphNode{Node: network.Node{Layer: temporal.Signed{Slope: 1, Threshold: 1}}}
		if part.factor != nil {
			var err error
			if nd, err = multiplier(shape, part.factor); err != nil {
				return err
			}
		}
		nd.Name, nd.Inputs = part.name, []string{o.Node}
		g.Nodes, o.Node = append(g.Nodes, nd), part.name
	}
	return nil
}
