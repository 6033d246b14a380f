package convert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/internal/par"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
)

// SpikeNorm is the Transform that finds the scales of rectified units in the domain of
// spikes, in the order of the layers, and aligns the network to them (Align): with the
// units before as neurons of their final scales and the inputs of c over its steps,
//
//	λ_l⁰ = max over samples, units and steps of the current that a unit receives in a step,
//
// bias included, so that no neuron gets more than its threshold at once (Sengupta et al.,
// Front. Neurosci. 13:95, 2019). Thresholds are then multiplied by a factor α,
//
//	λ_l = λ_l⁰·α^d,   d the units on the longest way to l, itself included
//
// (Han et al., CVPR 2020: neurons of soft reset lose nothing by a lower one, and gain nothing by a
// higher one, which the report says; those of hard reset lose less by it). A layer costs a run of all
// before it.
type SpikeNorm struct {
	Fire   Fire    // what neurons are like, while they are measured too
	P      float64 // percentile of the currents, in (0, 100]; 0: the largest
	Factor float64 // α, positive, 1 or less as a rule; 0: (λ/λ⁰)^(1/d) of the deepest layer, λ the 99.9 percentile of its activations
	Analog network.Calibration
	// Unit lets all layers behind the first branch have the scale of the last one before
	// it: thresholds of 1 in residual blocks, whose shortcuts have no weights to scale, as in
	// the paper. Biases there are an error.
	Unit   bool
	Scales Scales    // gets the scales that were found; nil: they are not told
	Pool   *par.Pool // currents are measured on its threads, which change no bit; nil: one
}

// Apply measures over the inputs of c; with Factor 0 activations are those over Analog.
func (s SpikeNorm) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.SpikeNorm: %w", err)
	}
	switch {
	case !(s.P >= 0 && s.P <= 100):
		return fail(fmt.Errorf("percentile is %v, want one in (0, 100], or 0 for the largest", s.P))
	case !(s.Factor >= 0) || math.IsInf(s.Factor, 0):
		return fail(fmt.Errorf("factor is %v, want a positive number such as 0.7, or 0 to have it found", s.Factor))
	case c == nil || s.Factor == 0 && s.Analog == nil:
		return fail(errors.New("no samples to calibrate by; give some of the training samples"))
	}
	if err := s.Fire.validate(); err != nil {
		return fail(err)
	}
	g = network.Edit(g).Graph()
	found, err := s.measure(ctx, g, c)
	if err != nil {
		return fail(err)
	}
	alpha, err := s.scaled(ctx, g, found)
	if err != nil {
		return fail(err)
	}
	out, r, err := aligned(ctx, g, found, s.Scales)
	if err == nil && alpha != 1 {
		for i := range r {
			if strings.HasPrefix(r[i].Text, "scale ") {
				r[i].Text += fmt.Sprintf(", thresholds multiplied by %.4g", alpha)
			}
		}
	}
	if err == nil && alpha > 1 && s.Fire.Reset == neuron.Subtract {
		depth, deepest := depths(g)
		r.Add(deepest, network.Lost, "time: with soft reset thresholds above the largest current gain nothing, and by the factor %.4g in %d layers spikes come %.3g times later; use 1 or less", alpha, depth[deepest], math.Pow(alpha, float64(depth[deepest])))
	}
	return out, r, err
}

// measure is λ⁰ of each layer.
func (s SpikeNorm) measure(ctx context.Context, g network.Graph, c network.Calibration) (Scales, error) {
	found, front, err := anyScale(g), len(g.Nodes), error(nil)
	if s.Unit {
		if front, err = unbranched(g); err != nil {
			return nil, err
		}
	}
	last := ""
	for i, nd := range g.Nodes {
		u, ok := unitOf(nd)
		switch {
		case !ok:
			continue
		case u.limit > 0:
			found[nd.Name] = []float64{u.limit}
			continue
		case i > front:
			found[nd.Name] = found[last]
			continue
		}
		last = nd.Name
		v, err := s.receives(ctx, g, found, c, nd.Name)
		if err != nil {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: err}
		}
		found[nd.Name] = []float64{v}
	}
	return found, nil
}

// receives is the largest current of a unit, where units before have the scales found.
func (s SpikeNorm) receives(ctx context.Context, g network.Graph, found Scales, c network.Calibration, name string) (float64, error) {
	spiking, err := fired(ctx, g, found, s.Fire)
	if err != nil {
		return 0, err
	}
	for _, nd := range spiking.Nodes {
		if nd.Name == renamed(name) {
			return Balance{Percentile: s.P, Pool: s.Pool}.receives(ctx, spiking, c, nd)
		}
	}
	return 0, fmt.Errorf("the spiking network has no node %s", renamed(name))
}

// fired is a graph aligned to scales with neurons for units; limits of units are left out,
// as those behind may not have their scale yet.
func fired(ctx context.Context, g network.Graph, found Scales, f Fire) (network.Graph, error) {
	g = network.Edit(g).Graph()
	for i, nd := range g.Nodes {
		if ordinary.Rectified(nd.Layer) {
			g.Nodes[i].Layer, g.Nodes[i].Arrays = layer.ReLU{}, nil
		}
	}
	g, _, err := Align{Scales: found}.Apply(ctx, g, nil)
	if err == nil {
		g, _, err = f.Apply(ctx, g, nil)
	}
	return g, err
}

// unbranched is the place of the first node that several others take, which has a unit
// before it or is one; behind it no layer has a bias.
func unbranched(g network.Graph) (front int, err error) {
	e := network.Edit(g)
	front = len(g.Nodes)
	units := 0
	for i, nd := range g.Nodes {
		if ordinary.Rectified(nd.Layer) {
			units++
		}
		nodes, _ := e.Consumers(nd.Name)
		if len(nodes) > 1 && front == len(g.Nodes) {
			if front = i; units == 0 {
				return 0, fmt.Errorf("node %q branches before the first rectified unit, whose scale its residual blocks would have; let shortcuts be rescaled (--rescale)", nd.Name)
			}
		}
		if _, ok := nd.Arrays["bias"]; ok && i > front {
			return 0, &network.NodeError{Index: i, Name: nd.Name, Err: errors.New("has a bias, which thresholds of 1 in residual blocks leave out of proportion; let shortcuts be rescaled (--rescale)")}
		}
	}
	return front, nil
}

// scaled multiplies the scales by the powers of the factor, and returns it.
func (s SpikeNorm) scaled(ctx context.Context, g network.Graph, found Scales) (float64, error) {
	depth, deepest := depths(g)
	alpha := s.Factor
	if alpha == 0 {
		acts, err := observe(ctx, g, s.Analog, false, true)
		if err != nil {
			return 0, err
		}
		most, err := acts[deepest][0].percentile(99.9, false)
		if err != nil {
			return 0, fmt.Errorf("node %q: %w", deepest, err)
		}
		alpha = min(1, math.Pow(most/found[deepest][0], 1/float64(depth[deepest])))
	}
	for _, nd := range g.Nodes {
		u, ok := unitOf(nd)
		if !ok || u.limit > 0 {
			continue
		}
		v := slices.Clone(found[nd.Name])
		for i := range v {
			v[i] *= math.Pow(alpha, float64(depth[nd.Name]))
		}
		found[nd.Name] = v
	}
	return alpha, nil
}

// depths are the units on the longest way from the input to each node, and the unit with
// the most, of several the last.
func depths(g network.Graph) (depth map[string]int, deepest string) {
	depth = map[string]int{}
	for _, nd := range g.Nodes {
		for _, in := range nd.Inputs {
			depth[nd.Name] = max(depth[nd.Name], depth[in])
		}
		if ordinary.Rectified(nd.Layer) {
			if depth[nd.Name]++; depth[nd.Name] >= depth[deepest] {
				deepest = nd.Name
			}
		}
	}
	return depth, deepest
}

// Calibrate is the Transform that corrects the biases of a network that is aligned to its
// scales, by what its units give as neurons: in the order of the layers, those before
// corrected,
//
//	b[c] += mean a[c] − mean r[c]
//
// over samples and places, a the activations, not clipped at their scale, r the rates over
// the steps of c (Li et al., ICML 2021). Means are of the channels; a bias is added where
// there is none. It is right for runs of as many steps.
type Calibrate struct {
	Fire   Fire
	Analog network.Calibration // the samples as the ordinary network takes them; nil: those of the rates
}

// Apply calibrates over the inputs of c.
func (k Calibrate) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.Calibrate: %w", err)
	}
	if c == nil {
		return fail(errors.New("no samples to calibrate by; give some of the training samples"))
	}
	g = network.Edit(g).Graph()
	analog := k.Analog
	if analog == nil {
		analog = c
	}
	want, err := means(ctx, g, analog)
	if err != nil {
		return fail(err)
	}
	f, err := newFlow(g, anyScale(g))
	if err != nil {
		return fail(err)
	}
	var r network.Report
	for _, nd := range g.Nodes {
		if !ordinary.Rectified(nd.Layer) {
			continue
		}
		feeds := f.feeding(nd.Name)
		if len(feeds) == 0 || width(f.shape(feeds[0])) != len(want[nd.Name]) {
			r.Add(nd.Name, network.Kept, "no layer has a bias for each of its channels")
			continue
		}
		spiking, _, err := k.Fire.Apply(ctx, g, nil)
		if err != nil {
			return fail(err)
		}
		got, err := means(ctx, spiking, c)
		if err != nil {
			return fail(err)
		}
		shift := make([]float64, len(want[nd.Name]))
		for i := range shift {
			shift[i] = want[nd.Name][i] - got[renamed(nd.Name)][i]
		}
		if err := correct(g, feeds[0], shift); err != nil {
			return fail(err)
		}
		r.Add(nd.Name, network.Changed, "bias of %s corrected by %s", feeds[0], span(shift))
	}
	return g, r, nil
}

// correct adds to a node's bias.
func correct(g network.Graph, name string, shift []float64) error {
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Name != name {
			continue
		}
		return addBias(nd, shift)
	}
	return fmt.Errorf("no node %q", name)
}

// means are those of the outputs of units or neurons by channel.
func means(ctx context.Context, g network.Graph, c network.Calibration) (map[string][]float64, error) {
	sums, n := map[string][]float64{}, map[string]int{}
	err := run(ctx, g, c, func(nd network.Info, out *signal.Signal) error {
		if _, ok := nd.Layer.(layer.Population); !ok && !ordinary.Rectified(nd.Layer) {
			return nil
		}
		if sums[nd.Name] == nil {
			sums[nd.Name] = make([]float64, width(nd.Out))
		}
		sum, x := sums[nd.Name], values(out)
		for i, v := range x {
			sum[i%len(sum)] += float64(v)
		}
		n[nd.Name] += len(x) / len(sum)
		return nil
	}, func(*signal.Signal) error { return nil })
	for name, sum := range sums {
		for i := range sum {
			sum[i] /= float64(n[name])
		}
	}
	return sums, err
}
