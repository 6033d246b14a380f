package convert

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/detect"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
)

// Fire is the Transform that puts neurons without leak in the place of rectified units, of
// the threshold 1 and from the membrane v0 = Start: of a network that is aligned to its
// scales they fire at the rate that is the unit's activation,
//
//	soft reset, even input z:  ⌊T·z + v0⌋ spikes in T steps, at least 0 and at most T
//	hard reset, even input z:  one in ⌈1/z⌉ steps: rates 1, 1/2, 1/3 …
//
// Biases are currents, the same in each step. Scores are the mean over the steps, which is
// what the ordinary network gives. A node that is named after its kind (relu1) is named so
// again (spiking1).
//
// The membrane of a neuron is counted from its start: it fires at 1 − v0, loses 1 by soft
// reset, and is set to −v0 by hard reset. With Code neurons take spikes back, or with Residual
// are silenced (temporal.Counting); steps before the run count as steps, but not in the scores.
//
// Leaky units become signed neurons (temporal.Signed): of code if those of the imbalanced threshold,
// of code sigma-delta and graded those that follow the sum, h = 1 − Start.
type Fire struct {
	Reset    neuron.Reset  // Subtract (soft) or Zero (hard)
	Start    float64       // v0 in [0, 1): 0, or 1/2, which rounds where 0 cuts off
	Code     temporal.Code // what spikes can be; with soft reset alone
	Residual int           // steps before the run; of code if with soft reset

	Suppressed bool // leaky units get neurons of no negative spikes: to compare with, as what is below zero is lost
}

// Apply swaps; it needs no inputs.
func (f Fire) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if err := f.validate(); err != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", err)
	}
	var r network.Report
	e := network.Edit(g)
	for i, nd := range e.Graph().Nodes {
		if why := f.refused(nd); why != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", &network.NodeError{Index: i, Name: nd.Name, Err: why})
		}
		if !ordinary.Rectified(nd.Layer) {
			continue
		}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Name: renamed(nd.Name), Layer: f.layer(nd)}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", err)
		}
		r.Add(nd.Name, network.Changed, "became %s, neurons without leak, %s", renamed(nd.Name), f)
	}
	out := e.Graph()
	for i := range out.Outputs {
		o := &out.Outputs[i]
		if _, boxes := detect.AsBoxes(o.Read); !boxes {
			o.Read = nil // the mean over time
		}
		if f.Residual > 0 {
			after := network.Node{Name: fmt.Sprintf("%s_after%d", o.Node, i+1), Layer: temporal.After{Steps: f.Residual}, Inputs: []string{o.Node}}
			out.Nodes, o.Node = append(out.Nodes, network.GraphNode{Node: after}), after.Name
		}
	}
	return out, r, nil
}

// refused is why a node does not go with such neurons.
func (f Fire) refused(nd network.GraphNode) error {
	if u, ok := unitOf(nd); ok && u.limit > 0 && u.limit != 1 {
		return fmt.Errorf("has the limit %v, and a rate has 1; normalise the network before (convert.Normalize)", u.limit)
	}
	if u, ok := unitOf(nd); ok && u.slope > 0 && !f.Suppressed {
		switch {
		case f.Code == temporal.SNM || f.Reset != neuron.Subtract || f.Residual > 0:
			return errors.New("is a leaky relu, whose neurons have signed spikes and soft reset: use code if, sigma-delta or graded without residual")
		case f.Code == temporal.Plain && f.Start != 0:
			return fmt.Errorf("is a leaky relu, whose neurons of the imbalanced threshold start from 0, not %v; leave start out, or use code sigma-delta or graded", f.Start)
		}
	}
	switch l := nd.Layer.(type) {
	case temporal.MaxCount:
		if f.Residual > 0 || l.Leader && f.Code != temporal.Plain {
			return errors.New("is max pooling of spikes, which is for neurons that run once, and where it passes on spikes of the leader for such as take none back; leave residual out, or use means (--max-pool average)")
		}
	case layer.MaxPool:
		if f.counting() {
			return errors.New("is max pooling of any spike, which is for neurons that take none back and run once; use code if without residual, or means (--max-pool average)")
		}
	}
	return nil
}

// counting reports whether neurons are more than neuron.IF.
func (f Fire) counting() bool { return f.Code != temporal.Plain || f.Residual > 0 }

// layer is the neurons in the place of a node's units.
func (f Fire) layer(nd network.GraphNode) layer.Layer {
	if u, _ := unitOf(nd); u.slope > 0 && !f.Suppressed {
		code := map[temporal.Code]temporal.SignedCode{temporal.SigmaDelta: temporal.LeakyDelta, temporal.Graded: temporal.LeakyGraded}[f.Code]
		return temporal.Signed{Code: code, Slope: u.slope, Threshold: 1, Start: f.Start}
	}
	if f.counting() {
		return temporal.Counting{Code: f.Code, Threshold: 1, Start: f.Start, Residual: f.Residual}
	}
	return layer.Spiking{Neuron: f.neuron(), Surrogate: surrogate.FastSigmoid{Slope: 25}}
}

func (f Fire) validate() error {
	if f.Reset != neuron.Subtract && f.Reset != neuron.Zero {
		return fmt.Errorf("reset %v, want subtract (soft) or zero (hard)", f.Reset)
	}
	if !(f.Start >= 0 && f.Start < 1) {
		return fmt.Errorf("start is %v of the threshold, want a share in [0, 1), such as 0.5", f.Start)
	}
	switch {
	case f.Code > temporal.Graded:
		return fmt.Errorf("code %v, want if, snm, sigma-delta or graded", f.Code)
	case f.counting() && f.Reset != neuron.Subtract:
		return fmt.Errorf("reset %v with code %v and %d residual steps: neurons that take spikes back or are silenced have soft reset (subtract); set it, or use code if without residual", f.Reset, f.Code, f.Residual)
	case f.Residual < 0 || f.Residual > 0 && f.Code != temporal.Plain:
		return fmt.Errorf("%d residual steps with code %v, want a number of steps such as 4, with code if", f.Residual, f.Code)
	}
	return nil
}

// String says how neurons start and reset.
func (f Fire) String() string {
	text := fmt.Sprintf("reset %v, from %v of the threshold", f.Reset, f.Start)
	switch {
	case f.Code != temporal.Plain:
		text += fmt.Sprintf(", %v spikes", f.Code)
	case f.Residual > 0:
		text += fmt.Sprintf(", silenced by what is left after %d steps before the run", f.Residual)
	}
	return text
}

func (f Fire) neuron() neuron.IF {
	n := neuron.IF{Threshold: 1 - f.Start, Reset: f.Reset}
	switch {
	case f.Reset == neuron.Zero:
		n.ResetValue = -f.Start + 0 // never −0
	case f.Start > 0:
		n.Amount = 1
	}
	return n
}

// even is the rate of a unit's neuron that gets the input z in each of some steps.
func (f Fire) even(u unit, z float64, steps int) float64 {
	t := float64(steps)
	if u.slope > 0 && !f.Suppressed {
		n := math.Floor(t*math.Abs(u.of(z)) + f.Start)
		if f.Code != temporal.Graded {
			n = min(n, t)
		}
		return math.Copysign(n/t, z)
	}
	if z <= 0 {
		return 0
	}
	if f.Reset == neuron.Subtract {
		return min(math.Floor(t*z+f.Start), t) / t
	}
	first := math.Ceil((1 - f.Start) / z)
	if first > t {
		return 0
	}
	return (1 + math.Floor((t-first)/math.Ceil(1/z))) / t
}
