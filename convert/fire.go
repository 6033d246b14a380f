package convert

import (
	"context"
	"fmt"
	"math"

	"synfire/layer"
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
// reset, and is set to −v0 by hard reset.
type Fire struct {
	Reset neuron.Reset // Subtract (soft) or Zero (hard)
	Start float64      // v0 in [0, 1): 0, or 1/2, which rounds where 0 cuts off
}

// Apply swaps; it needs no inputs.
func (f Fire) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if err := f.validate(); err != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", err)
	}
	var r network.Report
	e := network.Edit(g)
	for i, nd := range e.Graph().Nodes {
		unit, ok := nd.Layer.(layer.ReLU)
		if !ok {
			continue
		}
		if unit.Max > 0 && unit.Max != 1 {
			return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", &network.NodeError{Index: i, Name: nd.Name, Err: fmt.Errorf("has the limit %v, and a rate has 1; normalise the network before (convert.Normalize)", unit.Max)})
		}
		l := layer.Spiking{Neuron: f.neuron(), Surrogate: surrogate.FastSigmoid{Slope: 25}}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Name: renamed(nd.Name), Layer: l}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Fire: %w", err)
		}
		r.Add(nd.Name, network.Changed, "became %s, neurons without leak, %s", renamed(nd.Name), f)
	}
	out := e.Graph()
	for i := range out.Outputs {
		out.Outputs[i].Read = nil // the mean over time
	}
	return out, r, nil
}

func (f Fire) validate() error {
	if f.Reset != neuron.Subtract && f.Reset != neuron.Zero {
		return fmt.Errorf("reset %v, want subtract (soft) or zero (hard)", f.Reset)
	}
	if !(f.Start >= 0 && f.Start < 1) {
		return fmt.Errorf("start is %v of the threshold, want a share in [0, 1), such as 0.5", f.Start)
	}
	return nil
}

// String says how neurons start and reset.
func (f Fire) String() string {
	return fmt.Sprintf("reset %v, from %v of the threshold", f.Reset, f.Start)
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

// even is the rate of a neuron that gets the input z in each of some steps.
func (f Fire) even(z float64, steps int) float64 {
	t := float64(steps)
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
