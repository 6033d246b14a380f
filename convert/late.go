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
// scores y of the first output are most like those of the ordinary network, a, by (Σ y·a)²/(Σ y² Σ a²)
// over samples and scores: a factor common to all changes no answer. No classes are looked at:
// analog are samples as the ordinary network takes them, spikes the same over all steps. Of equal
// ones it is the fewest.
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
	alike := make([]products, max(1, most))
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
			late(alike, want, out)
		}
		return nil
	}, start)
	if err != nil {
		return fail(err)
	}
	best := 0
	for n, p := range alike {
		if p.likeness() > alike[best].likeness() {
			best = n
		}
	}
	return best, nil
}

// products are Σ y·a, Σ y² and Σ a².
type products struct{ ya, yy, aa float64 }

func (p products) likeness() float64 {
	if p.yy == 0 || p.aa == 0 || p.ya < 0 {
		return 0
	}
	return p.ya * p.ya / (p.yy * p.aa)
}

// late adds a batch, by the steps that are left out.
func late(alike []products, want []float64, out *signal.Signal) {
	x := values(out)
	sums := make([]float64, len(want)) // of the last steps
	for t := out.T - 1; t >= 0; t-- {
		for i := range sums {
			sums[i] += float64(x[t*out.Stride()+i])
		}
		if t >= len(alike) {
			continue
		}
		p := &alike[t]
		for i, sum := range sums {
			y := sum / float64(out.T-t)
			p.ya += y * want[i]
			p.yy += y * y
			p.aa += want[i] * want[i]
		}
	}
}
