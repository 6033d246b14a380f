package convert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// By is what scales of activations are found by.
type By uint8

// Ways to find a scale, of the activations a of a layer over all samples and places; of leaky units
// |a|, as channels may be below zero nearly everywhere.
const (
	Bounds     By = iota // what a can be at most, by the weights
	Largest              // max(a, the layer's largest weight)
	Percentile           // a percentile of a
	Fitted               // the least error of a as its neurons give it after some steps
	Learned              // what the units have learnt (ordinary.QCFS)
)

// Normalize is the Transform that finds the scales of rectified units and aligns the
// network to them (Align): then few activations are above 1. With w the weights of the
// layers that feed the units,
//
//	Bounds      λ_l = max over units of Σ_i max(w_i·hi_i, w_i·lo_i) + b, where inputs are in
//	            [0, λ_{l−1}], and those of the network in [0, 1] or what the samples have
//	Largest     λ_l = max(max a, max w)
//	Percentile  λ_l = the P percentile of a
//	Fitted      λ_l = argmin over λ of mean (λ/T·clip(⌊a·T/λ + v0⌋, 0, T) − a)²,
//	            λ = max a·(1 − i/100), i = 0 … 94
//	Learned     λ_l = the scale of qcfs units; others are refused
//
// Bounds and Largest: Diehl et al., IJCNN 2015; Percentile: Rueckauer et al., Front.
// Neurosci. 11:682, 2017; Fitted: Li et al., ICML 2021; Learned: Bu et al., ICLR 2022. A unit
// with a limit (relu with max, qcfs) has that as its scale.
//
// Activations stream: what is held is a batch and counts. Percentiles and fits are read off
// a histogram; a percentile is too large by at most 1/4096 of the largest activation.
// Results do not depend on how samples are parted into batches.
type Normalize struct {
	By      By
	P       float64 // of Percentile, in (0, 100]
	Nonzero bool    // Percentile is of the activations that are not 0
	Channel bool    // each channel has a scale of its own; of Percentile and Fitted
	Steps   int     // T, of Fitted
	Start   float64 // v0, of Fitted
	Scales  Scales  // gets the scales that were found; nil: they are not told
}

// Apply normalises by the activations over the inputs of c.
func (n Normalize) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.Normalize: %w", err)
	}
	if err := n.validate(c); err != nil {
		return fail(err)
	}
	g = network.Edit(g).Graph()
	found, silent, err := n.scales(ctx, g, c)
	if err != nil {
		return fail(err)
	}
	for i, nd := range g.Nodes {
		if v := found[nd.Name]; v != nil && slices.ContainsFunc(v, func(v float64) bool { return !usable(v) }) {
			return fail(&network.NodeError{Index: i, Name: nd.Name, Err: fmt.Errorf("its scale would be %s, and none of its units ever fire; is the network trained, and are the samples those of training?", span(v))})
		}
	}
	if n.Channel {
		silent = append(silent, lifted(g, found)...)
	}
	out, r, err := aligned(ctx, g, found, n.Scales)
	return out, append(silent, r...), err
}

// leastScale is the least scale of a channel of leaky units, as a share of the layer's largest: of
// channels that are hardly ever above zero the weights would be blown up.
const leastScale = 1e-4

// lifted raises the scales of channels of leaky units to the least.
func lifted(g network.Graph, found Scales) (r network.Report) {
	for _, nd := range g.Nodes {
		u, ok := unitOf(nd)
		if !ok || u.slope == 0 {
			continue
		}
		v, low := found[nd.Name], 0
		least := leastScale * slices.Max(v)
		for i := range v {
			if v[i] < least {
				v[i], low = least, low+1
			}
		}
		if low > 0 {
			r.Add(nd.Name, network.Changed, "scales of %d channels raised to %v of the largest", low, leastScale)
		}
	}
	return r
}

// usable reports whether a number can be a scale.
func usable(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

func (n Normalize) validate(c network.Calibration) error {
	switch {
	case n.By > Learned:
		return fmt.Errorf("by %d, want Bounds, Largest, Percentile, Fitted or Learned", n.By)
	case n.By == Percentile && !(n.P > 0 && n.P <= 100):
		return fmt.Errorf("percentile is %v, want one in (0, 100], such as 99.9", n.P)
	case n.By == Fitted && (n.Steps < 1 || !(n.Start >= 0 && n.Start < 1)):
		return fmt.Errorf("a fit for %d steps from %v, want at least 1 step and a start in [0, 1)", n.Steps, n.Start)
	case n.Channel && n.By != Percentile && n.By != Fitted:
		return errors.New("scales by channel are percentiles or fitted")
	case c == nil && n.By != Bounds && n.By != Learned:
		return errors.New("no samples to calibrate by; give some of the training samples")
	}
	return nil
}

// aligned is a graph at scales, which are told to a caller that asks, and a report of them.
func aligned(ctx context.Context, g network.Graph, found, tell Scales) (network.Graph, network.Report, error) {
	out, joints, err := Align{Scales: found}.Apply(ctx, g, nil)
	if err != nil {
		return network.Graph{}, nil, err
	}
	var r network.Report
	for _, nd := range g.Nodes {
		if v := found[nd.Name]; v != nil {
			r.Add(nd.Name, network.Changed, "scale %s", span(v))
			if tell != nil {
				tell[nd.Name] = v
			}
		}
	}
	return out, append(r, joints...), nil
}

// scales are those of the units, with a note on channels that have none of their own.
func (n Normalize) scales(ctx context.Context, g network.Graph, c network.Calibration) (found Scales, silent network.Report, err error) {
	switch n.By {
	case Bounds:
		found, err = bounds(ctx, g, c)
		return found, nil, err
	case Learned:
		found, err = learned(g)
		return found, nil, err
	}
	acts, err := observe(ctx, g, c, n.Channel, n.By >= Percentile)
	if err != nil {
		return nil, nil, err
	}
	f, err := newFlow(g, anyScale(g))
	if err != nil {
		return nil, nil, err
	}
	found = Scales{}
	for i, nd := range g.Nodes {
		u, ok := unitOf(nd)
		if !ok {
			continue
		}
		if u.limit > 0 {
			found[nd.Name] = []float64{u.limit}
			continue
		}
		for _, a := range acts[nd.Name] {
			v := a.most
			switch n.By {
			case Largest:
				v = max(v, f.heaviest(nd.Name))
			case Percentile:
				v, err = a.percentile(n.P, n.Nonzero)
			case Fitted:
				v = a.fitted(n.Steps, n.Start)
			}
			if err != nil && !n.Channel {
				return nil, nil, &network.NodeError{Index: i, Name: nd.Name, Err: err}
			}
			found[nd.Name] = append(found[nd.Name], v)
		}
		if k := fill(found[nd.Name]); k > 0 && n.Channel {
			silent.Add(nd.Name, network.Kept, "%d of %d channels are never or hardly ever active on the samples: they have the largest scale of the others", k, len(found[nd.Name]))
		}
	}
	return found, silent, nil
}

// learned are the scales that units have, which all must have learnt.
func learned(g network.Graph) (Scales, error) {
	found := Scales{}
	var errs []error
	for i, nd := range g.Nodes {
		u, ok := unitOf(nd)
		if ok && u.levels == 0 {
			errs = append(errs, &network.NodeError{Index: i, Name: nd.Name, Err: errors.New("is a relu, which has learnt no scale: put qcfs in its place and train the network again (in Go convert.Quantize does that with scales to start from), or convert by percentile or calibrate")})
		} else if ok {
			found[nd.Name] = []float64{u.limit}
		}
	}
	return found, errors.Join(errs...)
}

// fill gives channels that are silent on the samples the largest scale of the others, and tells how many.
func fill(v []float64) (silent int) {
	most := slices.Max(v)
	for i := range v {
		if v[i] == 0 {
			v[i], silent = most, silent+1
		}
	}
	return silent
}

// anyScale is the scale 1 for all units.
func anyScale(g network.Graph) Scales {
	s := Scales{}
	for _, nd := range g.Nodes {
		if ordinary.Rectified(nd.Layer) {
			s[nd.Name] = []float64{1}
		}
	}
	return s
}

// heaviest is the largest weight of the layers that feed a unit.
func (f *flow) heaviest(unit string) (most float64) {
	for _, name := range f.feeding(unit) {
		for _, nd := range f.old {
			if nd.Name == name {
				for _, w := range nd.Arrays["weight"].Data {
					most = max(most, float64(w))
				}
			}
		}
	}
	return most
}

// feeding are the affine layers that a unit's input comes from, through sums, joins and
// poolings alone, in the order of the unit's inputs.
func (f *flow) feeding(name string) (list []string) {
	for _, in := range f.info[name].Inputs {
		switch f.info[in].Layer.(type) {
		case nil, layer.ReLU, ordinary.QCFS:
		case layer.Linear, layer.Conv2D:
			list = append(list, in)
		default:
			list = append(list, f.feeding(in)...)
		}
	}
	return list
}

// activity is how large the activations of a layer, or of one of its channels, are.
type activity struct {
	most         float64
	all, nonzero int
	counts       []int // of those above 0, in bins up to the largest
}

// count puts a size above 0 into its bin.
func (a *activity) count(v tensor.Float) {
	a.counts[max(0, min(bins-1, int(math.Ceil(float64(v)/a.most*bins))-1))]++
}

// percentile is of all activations, or of those above 0.
func (a activity) percentile(p float64, nonzero bool) (float64, error) {
	v, ok := a.quantile(p, nonzero)
	if !ok {
		return 0, fmt.Errorf("the %v percentile of its activations is 0: fewer of them than that are ever above; use a higher one, or that of the activations that are not 0", p)
	}
	return v, nil
}

// quantile is what p percent of all, or of those above 0, are not above: the end of a bin; false where
// that is not above 0.
func (a activity) quantile(p float64, nonzero bool) (v float64, ok bool) {
	of, below := a.all, a.all-a.nonzero
	if nonzero {
		of, below = a.nonzero, 0
	}
	need := p / 100 * float64(of) * (1 - 1e-12) // 99.9 % of 1000 are 999
	if a.nonzero == 0 || float64(below) >= need {
		return 0, false
	}
	for k, n := range a.counts {
		if below += n; float64(below) >= need {
			return a.most * float64(k+1) / bins, true
		}
	}
	return a.most, true
}

// fitted is the scale of the least squared error after some steps.
func (a activity) fitted(steps int, start float64) (best float64) {
	least, t := math.Inf(1), float64(steps)
	for i := range 95 {
		scale, sum := a.most*(1-float64(i)/100), 0.0
		for k, n := range a.counts {
			if n > 0 {
				v := a.most * (float64(k) + 0.5) / bins
				e := scale/t*min(math.Floor(v*t/scale+start), t) - v
				sum += float64(n) * e * e
			}
		}
		if sum < least {
			least, best = sum, scale
		}
	}
	return best
}

// observe measures the activations of rectified units, of leaky ones their size, of a layer together or of each
// channel.
func observe(ctx context.Context, g network.Graph, c network.Calibration, channel, histogram bool) (map[string][]activity, error) {
	all := map[string][]activity{}
	each := func(f func(a []activity, x []tensor.Float)) error {
		return run(ctx, g, c, func(nd network.Info, out *signal.Signal) error {
			if !ordinary.Rectified(nd.Layer) {
				return nil
			}
			if all[nd.Name] == nil {
				n := 1
				if channel {
					n = width(nd.Out)
				}
				all[nd.Name] = make([]activity, n)
			}
			x := values(out)
			if i, ok := tensor.Finite(x); !ok {
				return fmt.Errorf("node %q: activation %d of a batch is %v; are the weights and the samples finite?", nd.Name, i, x[i])
			}
			f(all[nd.Name], x)
			return nil
		}, func(*signal.Signal) error { return nil })
	}
	err := each(func(a []activity, x []tensor.Float) {
		for i, v := range x {
			of := &a[i%len(a)]
			of.most = max(of.most, math.Abs(float64(v)))
			of.all++
			if v != 0 {
				of.nonzero++
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, errors.New("there are no samples to calibrate by, or no rectified units in the network")
	case !histogram:
		return all, nil
	}
	return all, each(func(a []activity, x []tensor.Float) {
		for i, v := range x {
			of := &a[i%len(a)]
			v = tensor.Float(math.Abs(float64(v)))
			if v == 0 {
				continue
			}
			if of.counts == nil {
				of.counts = make([]int, bins)
			}
			of.count(v)
		}
	})
}

// bounds are scales that no unit exceeds, whatever the sample.
func bounds(ctx context.Context, g network.Graph, c network.Calibration) (Scales, error) {
	lo, hi := 0.0, 1.0
	if c != nil {
		err := inputs(ctx, nil, g, c, network.Input, func(x []tensor.Float) error {
			for _, v := range x {
				lo, hi = min(lo, float64(v)), max(hi, float64(v))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	f, err := newFlow(g, anyScale(g))
	if err != nil {
		return nil, err
	}
	n := width(g.Input)
	at := map[string]interval{network.Input: {slices.Repeat([]float64{lo}, n), slices.Repeat([]float64{hi}, n)}}
	found := Scales{}
	for i, nd := range f.old {
		v, err := f.bound(nd, at)
		if err != nil {
			return nil, &network.NodeError{Index: i, Name: nd.Name, Err: err}
		}
		if u, ok := unitOf(nd); ok {
			most := slices.Max(v.hi)
			if u.limit > 0 {
				most = u.limit
			}
			found[nd.Name] = []float64{most}
			v = interval{make([]float64, len(v.hi)), slices.Repeat([]float64{most}, len(v.hi))}
		}
		at[nd.Name] = v
	}
	return found, nil
}

// interval is what a signal's channels lie in.
type interval struct{ lo, hi []float64 }

// bound is what a node's output lies in, by what its inputs do.
func (f *flow) bound(nd network.GraphNode, at map[string]interval) (out interval, err error) {
	in := at[nd.Inputs[0]]
	switch nd.Layer.(type) {
	case layer.Linear, layer.Conv2D:
		return affineBound(nd, in, width(f.shape(nd.Name)))
	case layer.Add:
		out = interval{slices.Clone(in.lo), slices.Clone(in.hi)}
		for _, name := range nd.Inputs[1:] {
			for i := range out.lo {
				out.lo[i] += at[name].lo[i]
				out.hi[i] += at[name].hi[i]
			}
		}
		return out, nil
	case layer.Concat:
		for _, name := range nd.Inputs {
			out.lo, out.hi = append(out.lo, at[name].lo...), append(out.hi, at[name].hi...)
		}
		return out, nil
	case layer.Flatten:
		for i := range width(f.shape(nd.Name)) {
			out.lo, out.hi = append(out.lo, in.lo[i%len(in.lo)]), append(out.hi, in.hi[i%len(in.hi)])
		}
		return out, nil
	}
	return in, nil
}

func affineBound(nd network.GraphNode, in interval, n int) (out interval, err error) {
	w, err := nd.Array("weight")
	if err != nil {
		return out, err
	}
	groups, padded := 1, false
	if l, ok := nd.Layer.(layer.Conv2D); ok {
		groups = max(1, l.Groups)
		padded = slices.ContainsFunc(l.Padding, func(p int) bool { return p > 0 })
	}
	out = interval{make([]float64, n), make([]float64, n)}
	if b, ok := nd.Arrays["bias"]; ok {
		for o, v := range b.Data {
			out.lo[o], out.hi[o] = float64(v), float64(v)
		}
	}
	deep := len(in.lo) / groups
	for i, v := range w.Data {
		o := i % n
		from := o/(n/groups)*deep + i/n%deep
		a, b := float64(v)*in.lo[from], float64(v)*in.hi[from]
		lo, hi := min(a, b), max(a, b)
		if padded { // a zero of the border may stand in its place
			lo, hi = min(lo, 0), max(hi, 0)
		}
		out.lo[o] += lo
		out.hi[o] += hi
	}
	return out, nil
}
