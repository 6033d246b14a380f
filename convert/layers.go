package convert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"

	"synfire/internal/par"
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
	Units       int     // of a sample
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
	Channels    []float64 // spikes a neuron and step of each channel
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
// samples: analog as that takes them, spikes the same samples over the steps. Threads of the pool (nil:
// one) change no bit.
func (c Conversion) Layers(ctx context.Context, pool *par.Pool, analog, spikes network.Calibration) ([]LayerFigures, error) {
	list, err := c.compare(ctx, pool, analog, spikes)
	if err != nil {
		return nil, fmt.Errorf("convert.Layers: %w", err)
	}
	var all []LayerFigures
	for _, l := range list {
		all = append(all, l.figures())
	}
	return all, nil
}

func (c Conversion) compare(ctx context.Context, pool *par.Pool, analog, spikes network.Calibration) ([]*compared, error) {
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
	start := func(in *signal.Signal) error {
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
					l.begin(values(out))
				}
			}
			return nil
		})
	}
	return list, c.watch(ctx, pool, list, spikes, start)
}

// window is how many steps of signals are held at once.
const window = 16

// eachWindow hands the windows of a signal's time to f, one after another.
func eachWindow(ctx context.Context, in *signal.Signal, f func(w *signal.Signal) error) error {
	for t := 0; t < in.T; t += window {
		if err := ctx.Err(); err != nil {
			return err
		}
		w := in.Window(t, min(t+window, in.T))
		if err := f(&w); err != nil {
			return err
		}
	}
	return nil
}

// watch runs samples through the spiking network, a window of time after another; start is called
// before each batch.
func (c Conversion) watch(ctx context.Context, pool *par.Pool, list []*compared, spikes network.Calibration, start func(in *signal.Signal) error) error {
	net, err := c.Graph.Build(0)
	if err != nil {
		return err
	}
	pass, nodes := net.Compile(pool, false).NewPass(network.Options{Pool: pool}), net.Nodes()
	for _, nd := range nodes {
		for _, l := range list {
			if l.Name == nd.Name {
				l.from, l.pool = nd.Inputs[0], pool
			}
		}
	}
	pass.Watch(func(node int, out *signal.Signal) {
		for _, l := range list {
			switch nodes[node].Name {
			case l.from:
				l.came(c.Fire, out)
			case l.Name:
				l.gave(c.Fire, out)
			}
		}
	})
	for in, err := range spikes {
		if err == nil {
			err = start(in)
		}
		if err != nil {
			return err
		}
		state := net.NewState(in.B)
		err := eachWindow(ctx, in, func(w *signal.Signal) error {
			for _, l := range list {
				if l.from == network.Input {
					l.came(c.Fire, w)
				}
			}
			_, err := pass.Forward(state, w, false)
			return err
		})
		if err != nil {
			return err
		}
		for _, l := range list {
			l.end(c.Fire, in.T-c.Fire.Residual)
		}
	}
	return nil
}

// compared is a layer with its sums over units and samples.
type compared struct {
	LayerFigures
	of, from string // its name in the ordinary network, and what gives it its input in the spiking one
	pool     *par.Pool
	scales   []float64
	unit     unit

	activities         []tensor.Float // of a batch
	held               []tensor.Float // a current that is the same in all steps
	rate, current      []float64      // sums over the steps of a batch
	seen, given, width int            // steps of currents and of spikes so far; units of a sample

	n, above, spikes, slots int
	fired                   []int // spikes by channel
	waiting                 int   // neurons with a backlog
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
		if !ordinary.Rectified(nd.Layer) {
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

// begin takes the activations of a batch.
func (l *compared) begin(activities []tensor.Float) {
	l.activities, l.held, l.seen, l.given = activities, nil, 0, 0
	l.rate, l.current = make([]float64, len(activities)), make([]float64, len(activities))
}

// came adds currents of the next steps.
func (l *compared) came(f Fire, in *signal.Signal) {
	x := values(in)
	if in.Kind == signal.Constant {
		l.held = slices.Clone(x) // it is not shown again
		return
	}
	for step := range in.T {
		if l.seen++; l.seen > f.Residual {
			l.draw(x[step*in.Stride():])
		}
	}
}

// drawnAtOnce is how many units' currents a thread adds before it looks for the next.
const drawnAtOnce = 1 << 14

// draw adds the currents of a step.
func (l *compared) draw(x []tensor.Float) {
	l.pool.For(len(l.current), drawnAtOnce, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			l.current[i] += float64(x[i])
		}
	})
}

// gave adds spikes of the next steps.
func (l *compared) gave(f Fire, out *signal.Signal) {
	l.width = out.Units()
	if l.fired == nil {
		l.fired = make([]int, width(out.Shape))
	}
	for step := range out.T {
		if l.given++; l.given <= f.Residual {
			continue
		}
		if out.Kind == signal.Spikes {
			l.spiked(out, step)
			continue
		}
		for i, q := range out.Data[step*out.Stride():][:len(l.rate)] {
			if q != 0 {
				l.add(i, float64(q))
			}
		}
	}
}

// spiked adds the spikes of a step, few of many units.
func (l *compared) spiked(out *signal.Signal, step int) {
	for b := range out.B {
		for k, word := range out.Raster.Row(step*out.B + b) {
			for ; word != 0; word &= word - 1 {
				l.add(b*l.width+64*k+bits.TrailingZeros64(word), 1)
			}
		}
	}
}

// add adds what a unit of a batch gave in a step.
func (l *compared) add(i int, q float64) {
	l.rate[i] += q
	l.spikes += int(math.Abs(q))
	l.fired[i%len(l.fired)] += int(math.Abs(q))
}

// end adds the batch, of some steps that count.
func (l *compared) end(f Fire, steps int) {
	for range steps {
		if l.held != nil {
			l.draw(l.held)
		}
	}
	stride, t := max(1, l.width/shownOfSample), float64(steps)
	for i, a := range l.activities {
		l.addUnit(f, l.scales[i%len(l.scales)], float64(a), l.rate[i]/t, l.current[i]/t, steps)
		if len(l.Rates) < shownPairs && i%l.width%stride == 0 {
			l.Activities = append(l.Activities, float64(a))
			l.Rates = append(l.Rates, l.scales[i%len(l.scales)]*l.rate[i]/t)
		}
	}
	l.slots += len(l.rate) * steps
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
	out.Units = l.width
	for _, k := range l.fired {
		out.Channels = append(out.Channels, float64(k*len(l.fired))/float64(max(1, l.slots)))
	}
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
