package convert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// LayerFigures are what became of a layer of rectified units, over samples. With a the
// activation, λ the scale and r the rate of a unit, and z the mean current that its neuron
// received, the error λr − a is the sum of
//
//	inherited  λ·max(0, z) − a, what comes of the layers before
//	clip       λ·(min(max(0, z), 1) − max(0, z)), what is above the scale
//	quantise   what even input in so many steps loses by whole spikes
//	uneven     what the order of the input changes: λr less that of even input
//
// Of units with a maximum max(0, z) is at most that over λ, as it is the units' own clipping, and
// of qcfs units what they give for z, quantised: of these quantise is how the steps' levels differ
// from their own. Rates are sums of graded spikes, those taken back against the others, but Rate
// counts magnitudes. Steps before the run (Fire.Residual) are left out.
type LayerFigures struct {
	Name        string  // in the spiking network
	Op          string  // kind of what gives the units their input
	Scale       float64 // λ, the largest of the channels
	Least       float64 // the least of the channels
	Threshold   float64 // λ over the scale of what feeds the layer: that of weights as they were
	Largest     float64 // activation
	Rate        float64 // spikes a unit and step
	Above       float64 // share of the activations that are above the scale
	Correlation float64 // of λr and a; NaN where one of them does not vary
	Transmitted float64 // Σλr/Σa
	Farthest    float64 // largest |λr − a|/λ of a unit
	Backlog     float64 // share of the neurons that hold a threshold or more in the end, and never of hard reset
	Error       Split
	Activities  []float64 // some of the activations, for a picture
	Rates       []float64 // λr of the same
}

// Split is an error in its parts, each the root of its mean square over that of the
// activations. Own is clip, quantise and uneven together, Total with inherited.
type Split struct{ Total, Inherited, Own, Clip, Quantise, Uneven float64 }

// How many pairs of rate and activation a layer keeps for its picture.
const (
	shownPairs    = 400
	shownOfSample = 40
)

// Layers compares the layers of a conversion with those of the ordinary network over
// samples: analog as that takes them, spikes the same samples over the steps.
func (c Conversion) Layers(ctx context.Context, analog, spikes network.Calibration) ([]LayerFigures, error) {
	list, err := c.compare(ctx, analog, spikes)
	if err != nil {
		return nil, fmt.Errorf("convert.Layers: %w", err)
	}
	var all []LayerFigures
	for _, l := range list {
		all = append(all, l.figures())
	}
	return all, nil
}

func (c Conversion) compare(ctx context.Context, analog, spikes network.Calibration) ([]*compared, error) {
	list, err := c.layers()
	if err != nil {
		return nil, err
	}
	ordinary, err := c.Ordinary.Build(0)
	if err != nil {
		return nil, err
	}
	packed := ordinary.Compile(nil, false)
	next, stop := iter.Pull2(iter.Seq2[*signal.Signal, error](analog))
	defer stop()
	outputs := map[string]*signal.Signal{}
	start := func(in *signal.Signal) error {
		clear(outputs)
		outputs[network.Input] = in
		same, err, ok := next()
		if err == nil && (!ok || same.B != in.B) {
			err = errors.New("the ordinary network gets other samples than the spiking one")
		}
		if err != nil {
			return err
		}
		return packed.Activity(same, func(nd network.Info, out *signal.Signal) error {
			for _, l := range list {
				if l.of == nd.Name {
					l.activities = values(out)
				}
			}
			return nil
		})
	}
	err = run(ctx, c.Graph, spikes, func(nd network.Info, out *signal.Signal) error {
		outputs[nd.Name] = out
		for _, l := range list {
			if l.Name == nd.Name {
				l.add(c.Fire, outputs[nd.Inputs[0]], out)
			}
		}
		return nil
	}, start)
	return list, err
}

// compared is a layer with its sums over units and samples.
type compared struct {
	LayerFigures
	of         string // its name in the ordinary network
	scales     []float64
	unit       unit
	activities []tensor.Float // of a batch

	n, above, spikes, slots int
	waiting                 int // neurons with a backlog
	a, d, aa, dd, ad        float64
	total, inherited, own   float64
	clip, quantise, uneven  float64
}

// layers are those of the conversion, with what does not depend on samples.
func (c Conversion) layers() (list []*compared, err error) {
	f, err := newFlow(c.Ordinary, c.Scales)
	if err != nil {
		return nil, err
	}
	f.demands()
	for _, nd := range f.old {
		if err := f.align(nd); err != nil {
			return nil, err
		}
		if !rectified(nd.Layer) {
			continue
		}
		l := &compared{of: nd.Name, scales: f.units[nd.Name]}
		l.unit, _ = unitOf(nd)
		l.Name, l.Op = renamed(nd.Name), opOf(f.info[f.info[nd.Name].Inputs[0]].Layer)
		l.Scale, l.Least = slices.Max(l.scales), slices.Min(l.scales)
		before := 1.0
		if feeds := f.feeding(nd.Name); len(feeds) > 0 {
			before = slices.Max(f.scale[f.info[feeds[0]].Inputs[0]])
		}
		l.Threshold = l.Scale / before
		list = append(list, l)
	}
	return list, nil
}

// opOf is the kind of a layer that gives units their input.
func opOf(l layer.Layer) string {
	switch l.(type) {
	case layer.Linear:
		return "linear"
	case layer.Conv2D:
		return "conv2d"
	case layer.Add:
		return "add"
	case layer.Concat:
		return "concat"
	case layer.AvgPool, layer.GlobalAvgPool:
		return "avg-pool"
	case temporal.MaxCount:
		return "max-count"
	case nil:
		return "input"
	}
	return "other"
}

// add adds a batch: the currents that neurons got, and their spikes.
func (l *compared) add(f Fire, currents, spikes *signal.Signal) {
	size, steps := spikes.Units(), spikes.T-f.Residual
	t, rows, x := float64(steps), spikes.B*size, values(currents)
	rate, z := make([]float64, rows), make([]float64, rows)
	for step := f.Residual; step < spikes.T; step++ {
		for i := range rows {
			q := given(spikes, step, i)
			rate[i] += q
			l.spikes += int(math.Abs(q))
		}
		for i, v := range x[step*currents.Stride():][:rows] {
			z[i] += float64(v)
		}
	}
	stride := max(1, size/shownOfSample)
	for i, a := range l.activities[:rows] {
		l.addUnit(f, l.scales[i%len(l.scales)], float64(a), rate[i]/t, z[i]/t, steps)
		if len(l.Rates) < shownPairs && i%size%stride == 0 {
			l.Activities = append(l.Activities, float64(a))
			l.Rates = append(l.Rates, l.scales[i%len(l.scales)]*rate[i]/t)
		}
	}
	l.slots += rows * steps
}

// given is the spikes of a unit of a batch in a step.
func given(s *signal.Signal, step, i int) float64 {
	if s.Kind != signal.Spikes {
		return float64(s.Data[step*s.Stride()+i])
	}
	if n := s.Units(); s.Raster.At(step*s.B+i/n, i%n) {
		return 1
	}
	return 0
}

// addUnit adds a unit of a sample: its activation, rate and mean current.
func (l *compared) addUnit(f Fire, scale, a, rate, z float64, steps int) {
	ideal := l.unit.of(z)
	if l.unit.limit > 0 {
		ideal = min(ideal, l.unit.limit/scale)
	}
	even := f.even(l.unit, min(z, ideal), steps)
	if l.unit.levels > 0 {
		ideal = ordinary.QCFS{Levels: l.unit.levels}.Level(ideal)
	}
	clipped := max(-1, min(ideal, 1))
	d := scale * rate
	l.n++
	if math.Abs(a) > scale {
		l.above++
	}
	if f.Reset == neuron.Subtract && f.Start+float64(steps)*l.owed(z, rate) >= 1 { // what came in less what went out
		l.waiting++
	}
	l.Largest, l.Farthest = max(l.Largest, math.Abs(a)), max(l.Farthest, math.Abs(d-a)/scale)
	l.a, l.d, l.aa, l.dd, l.ad = l.a+a, l.d+d, l.aa+a*a, l.dd+d*d, l.ad+a*d
	for _, e := range []struct {
		to *float64
		v  float64
	}{
		{&l.total, d - a}, {&l.inherited, scale*ideal - a}, {&l.own, d - scale*ideal}, {&l.clip, scale * (clipped - ideal)},
		{&l.quantise, scale * (even - clipped)}, {&l.uneven, d - scale*even},
	} {
		*e.to += e.v * e.v
	}
}

// owed is what came in a step less what went out.
func (l *compared) owed(z, rate float64) float64 {
	if l.unit.slope > 0 {
		return math.Abs(l.unit.of(z) - rate)
	}
	return z - rate
}

// figures are what the sums say.
func (l *compared) figures() LayerFigures {
	n, out := float64(max(1, l.n)), l.LayerFigures
	out.Rate, out.Above = float64(l.spikes)/float64(max(1, l.slots)), float64(l.above)/n
	out.Backlog = float64(l.waiting) / n
	out.Correlation, out.Transmitted = math.NaN(), math.NaN()
	if va, vd := l.aa-l.a*l.a/n, l.dd-l.d*l.d/n; va > 0 && vd > 0 {
		out.Correlation = (l.ad - l.a*l.d/n) / math.Sqrt(va*vd)
	}
	if l.a > 0 {
		out.Transmitted = l.d / l.a
	}
	of := func(sum float64) float64 {
		if l.aa == 0 {
			return 0
		}
		return math.Sqrt(sum / l.aa)
	}
	out.Error = Split{of(l.total), of(l.inherited), of(l.own), of(l.clip), of(l.quantise), of(l.uneven)}
	return out
}
