// Package convert makes spiking networks of ordinary ones, in passes over a
// network.Graph, each a network.Transform that can be tested and used alone. It trains
// nothing: a conversion that goes on by training composes these passes with a learner.
//
// A rectified unit y = max(0, W·x + b) of the scale λ, the activation that a spike in each
// step stands for, becomes a neuron that adds up its input, fires at 1 and loses 1 by a
// spike. A Method is a list of passes:
//
//	Check      refuses by name, before anything runs, what the others cannot convert
//	Fold       makes batch normalisations part of weights and biases, drops dropout
//	Pools      makes max pooling count spikes, or means of it
//	Normalize  finds scales by weights or activations, of layers or channels, or takes learnt ones
//	SpikeNorm  finds them by currents of the spiking network, layer by layer
//	Align      writes them into weights, biases and shortcuts: W' = W·λ_in/λ_out
//	Calibrate  corrects biases by what the neurons give
//	Compensate multiplies weights against what is lost from layer to layer
//	Fire       puts neurons in the place of rectified units
//
// Until Fire the network stays an ordinary one that gives what it gave. Study converts by
// a method and measures; Conversion.Layers tells where the error arises. Quantize comes before
// all of them: it puts staircases of a learnt scale (ordinary.QCFS) in the place of rectified
// units, for a training that knows how many spikes there will be.
//
// The passes Swap and Balance make the neurons of hybrid training, of chains without biases:
// neurons integrate W·x, fire above θ and lose θ by a spike. Their rate over T steps is
//
//	r_l ≈ clip(W·r_{l−1}·θ_{l−1}/θ_l, 0, 1) …   a_l ≈ r_l·Π_{k ≤ l} θ_k
//
// so that the last layer's input, summed over the steps, is the ordinary network's output
// times T/Π θ: the largest score stays, their differences are scaled. Threshold balancing
// (Diehl et al., IJCNN 2015; Sengupta et al., Front. Neurosci. 13:95, 2019; Rathi et al.,
// ICLR 2020) takes
//
//	θ_l = s·max over samples, units and steps of W_l·(spikes of layer l − 1 in a step)
//
// in the order of the layers, those before with their thresholds of s = 1. With s = 1 no
// unit receives more than a threshold in a step; s < 1 trades saturation for speed, as
// rates fall with depth.
package convert

import (
	"context"
	"errors"
	"fmt"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
)

// Apply runs passes one after another and joins their reports.
func Apply(ctx context.Context, g network.Graph, c network.Calibration, passes ...network.Transform) (network.Graph, network.Report, error) {
	var all network.Report
	for _, p := range passes {
		var r network.Report
		var err error
		if g, r, err = p.Apply(ctx, g, c); err != nil {
			return network.Graph{}, nil, err
		}
		all = append(all, r...)
	}
	return g, all, nil
}

// Check is the Transform that changes nothing and refuses what the other passes cannot
// convert: its error names every such node, and what to do about it.
//
// Neurons whose thresholds Balance sets take chains without biases. With Aligned the check
// is for passes that align scales: biases, batch normalisations right behind a layer with
// weights, sums and joins pass.
type Check struct {
	Aligned bool
	Pooled  bool // max pooling is replaced (Pools)
	Leaky   bool // leaky units become neurons whose spikes have a sign
}

// Apply checks; it needs no inputs.
func (c Check) Apply(ctx context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if _, err := g.Outline(); err != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Check: %w", err)
	}
	g = network.Edit(g).Graph()
	var errs []error
	units := 0
	for i, nd := range g.Nodes {
		if why := c.refused(nd.Layer); why != "" {
			errs = append(errs, &network.NodeError{Index: i, Name: nd.Name, Err: errors.New(why)})
		}
		if !ordinary.Rectified(nd.Layer) {
			continue
		}
		units++
		for _, o := range g.Outputs {
			if o.Node == nd.Name {
				errs = append(errs, &network.NodeError{Index: i, Name: nd.Name, Err: fmt.Errorf("is output %q: scores are sums of a linear layer; end the network in one", o.Name)})
			}
		}
	}
	if c.Aligned {
		_, r, err := network.FoldBatchNorm{}.Apply(ctx, g, nil)
		if err != nil {
			errs = append(errs, err)
		}
		errs = append(errs, unfolded(g, r)...)
	}
	if units == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("no node is a relu or qcfs: there is nothing to convert"))
	}
	if len(errs) > 0 {
		return network.Graph{}, nil, fmt.Errorf("convert.Check: %w", errors.Join(errs...))
	}
	return g, nil, nil
}

// refused is why a layer cannot be converted; empty where it can.
func (c Check) refused(l layer.Layer) string {
	const bias = "has a bias, which no spike carries; train with no-bias: true"
	switch l := l.(type) {
	case layer.ReLU:
		if l.Slope != 0 && !(c.Aligned && c.Leaky) {
			return "is a leaky relu, and no spike is negative; train with slope 0, or convert by data, percentile or channel, which make signed spikes"
		}
		if l.Slope != 0 && l.Max > 0 {
			return "is a leaky relu with a maximum, for which no conversion is known; train without one of the two"
		}
	case ordinary.QCFS:
		if !c.Aligned {
			return "is a qcfs unit, whose scale neurons that Balance sets do not have; train with relu"
		}
	case layer.Linear:
		if !l.NoBias && !c.Aligned {
			return bias
		}
	case layer.Conv2D:
		if !l.NoBias && !c.Aligned {
			return bias
		}
	case layer.AvgPool, layer.GlobalAvgPool, layer.Flatten, layer.Upsample, layer.Dropout:
	case layer.BatchNorm:
		if !c.Aligned {
			return "is a batch normalisation, whose shift no spike carries; train without it, with dropout instead"
		}
	case temporal.MaxCount:
		if !c.Aligned {
			return "is max pooling by counts, which neurons that Balance sets do not have; train with avg-pool"
		}
	case layer.MaxPool:
		if !c.Pooled {
			return "takes maxima, of spikes only whether one came; train with avg-pool"
		}
	case layer.Add, layer.Concat:
		if !c.Aligned {
			return "joins branches, whose scales would have to be made alike; only chains are converted so far"
		}
	default:
		if layer.Fires(l) {
			return "is spiking already; convert the ordinary network that it was made of"
		}
		return fmt.Sprintf("is of kind %s, for which no conversion is known; use relu, qcfs, linear, conv2d, avg-pool, add and concat", network.Kind(l))
	}
	return ""
}

// Swap is the Transform that puts the neuron STDB in the place of each ReLU: without
// leak, of threshold 1, which Balance then sets, an array by channel that model files
// hold. A node that is named after its kind (relu1) is named so again (spiking1).
type Swap struct {
	Spiking layer.Spiking // the neuron, of kind STDB, and its surrogate
}

// Apply swaps; it needs no inputs.
func (s Swap) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if _, ok := s.Spiking.Neuron.(neuron.STDB); !ok || s.Spiking.Surrogate == nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Swap: a neuron %T with surrogate %T, want neuron.STDB and a surrogate", s.Spiking.Neuron, s.Spiking.Surrogate)
	}
	var r network.Report
	e := network.Edit(g)
	for _, nd := range e.Graph().Nodes {
		unit, ok := nd.Layer.(layer.ReLU)
		if !ok {
			continue
		}
		l := s.Spiking
		l.Varied = layer.Varied{"threshold": layer.PerChannel}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Name: renamed(nd.Name), Layer: l}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Swap: %w", err)
		}
		r.Add(nd.Name, network.Changed, "became %s, neurons without leak", renamed(nd.Name))
		if unit.Max > 0 {
			r.Add(nd.Name, network.Lost, "its limit of %v: a unit's rate has one of its own, a spike in each step", unit.Max)
		}
	}
	return e.Graph(), r, nil
}

// renamed is a name after the kind of a layer, after the new kind.
func renamed(name string) string {
	var k int
	for _, kind := range []string{"relu", "qcfs"} {
		if _, err := fmt.Sscanf(name, kind+"%d", &k); err == nil && name == fmt.Sprintf("%s%d", kind, k) {
			return fmt.Sprintf("spiking%d", k)
		}
	}
	return name
}
