package convert

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"synfire/layer/temporal"
	"synfire/network"
	"synfire/signal"
)

// Late is the Transform that leaves the first steps out of the scores, which spikes of the input have
// not yet reached in full: a delayed read-out (after Bu et al., CVPR 2025). Behind it scores are sums
// over the steps that are left.
type Late struct{ Steps int }

// Apply puts a layer before each output; it needs no inputs.
func (l Late) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	var r network.Report
	if l.Steps < 1 {
		return network.Graph{}, nil, fmt.Errorf("convert.Late: %d steps, want 1 or more to leave out", l.Steps)
	}
	g = network.Edit(g).Graph()
	for i := range g.Outputs {
		o := &g.Outputs[i]
		nd := network.GraphNode{Node: network.Node{Name: fmt.Sprintf("%s_late%d", o.Node, i+1), Layer: temporal.After{Steps: l.Steps}, Inputs: []string{o.Node}}}
		r.Add(o.Node, network.Changed, "output %q leaves the first %d steps out", o.Name, l.Steps)
		g.Nodes, o.Node = append(g.Nodes, nd), nd.Name
	}
	return g, r, nil
}

// LateStart is how many of the first steps to leave out, fewer than most: those without which the
// mean scores of the first output are the nearest to the ordinary network's, by the sum of the
// squares of what they differ by, over samples without their classes: analog as the ordinary
// network takes them, spikes the same over all steps. Of equal ones it is the fewest.
func (c Conversion) LateStart(ctx context.Context, analog, spikes network.Calibration, most int) (int, error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("convert.LateStart: %w", err) }
	ordinary, err := c.Ordinary.Build(0)
	if err != nil {
		return fail(err)
	}
	packed := ordinary.Compile(nil, false)
	next, stop := iter.Pull2(iter.Seq2[*signal.Signal, error](analog))
	defer stop()
	var want []float64
	errs := make([]float64, max(1, most))
	start := func(in *signal.Signal) error {
		same, err, ok := next()
		if err == nil && (!ok || same.B != in.B) {
			err = errors.New("the ordinary network gets other samples than the spiking one")
		}
		if err != nil {
			return err
		}
		return packed.Activity(same, func(nd network.Info, out *signal.Signal) error {
			if nd.Name == c.Ordinary.Outputs[0].Node {
				want = want[:0]
				for _, v := range values(out) {
					want = append(want, float64(v))
				}
			}
			return nil
		})
	}
	err = run(ctx, c.Graph, spikes, func(nd network.Info, out *signal.Signal) error {
		if nd.Name == c.Graph.Outputs[0].Node {
			late(errs, want, out)
		}
		return nil
	}, start)
	if err != nil {
		return fail(err)
	}
	best := 0
	for n, e := range errs {
		if e < errs[best] {
			best = n
		}
	}
	return best, nil
}

// late adds to the errors, by the steps that are left out, those of mean scores.
func late(errs, want []float64, out *signal.Signal) {
	x := values(out)
	sums := make([]float64, len(want)) // of the last steps
	for t := out.T - 1; t >= 0; t-- {
		for i := range sums {
			sums[i] += float64(x[t*out.Stride()+i])
		}
		if t >= len(errs) {
			continue
		}
		for i, sum := range sums {
			d := sum/float64(out.T-t) - want[i]
			errs[t] += d * d
		}
	}
}
