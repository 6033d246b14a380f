package recipe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/report"
	"synfire/report/figure"
	"synfire/run"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// drawn is a figure for a page, or the first error of making one.
type drawn struct {
	section report.Section
	err     error
}

func (d *drawn) add(f figure.Figure, err error, alt, caption string) {
	if err != nil {
		d.err = fmt.Errorf("figure %q: %w", alt, err)
		return
	}
	d.section.Figures = append(d.section.Figures, report.Figure{SVG: f.SVG(), Alt: alt, Caption: caption})
}

// Sections describe a training run: how it went, what it was measured to be, what its
// neurons do, what it is made of.
func (t *Trained) Sections(ctx context.Context) ([]report.Section, error) {
	var out []report.Section
	learning, err := t.learning()
	if err != nil {
		return nil, err
	}
	out = append(out, learning)
	if t.Converted != nil {
		out = append(out, report.Section{Title: "Conversion", Text: "What became of the ordinary network that training started from.", Tables: []report.Table{t.Conversion()}})
	}
	scores, err := t.exhibits(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, scores...)
	if t.Network() == nil {
		return out, nil
	}
	for _, build := range []func(ctx context.Context) (report.Section, error){t.activity, t.structure} {
		s, err := build(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// shownFigures is the most figures whose course a report draws.
const shownFigures = 4

// scalars are what is measured of the run: the result's, the tasks' first and then the
// loss; or what training followed where nothing was measured.
func (t *Trained) scalars() []task.Scalar {
	switch r := t.Result; {
	case r.Test != nil:
		return r.Test.Scalars
	case r.Valid != nil:
		return r.Valid.Scalars
	}
	var out []task.Scalar
	for _, name := range slices.Sorted(maps.Keys(t.Epochs[len(t.Epochs)-1].Train)) {
		out = append(out, task.Scalar{Name: name})
	}
	return out
}

func (t *Trained) learning() (report.Section, error) {
	d := drawn{section: report.Section{Title: "Learning", Text: "The result is the model of " + t.Result.What() + "."}}
	if t.Config.WatchTest && t.Result.Test != nil {
		d.section.Text += " The test samples were watched in every epoch; they chose nothing."
	}
	for _, text := range t.Doubts {
		d.section.Text += " Note: " + text + "."
	}
	scalars := t.scalars()
	shown := scalars[:min(len(scalars), shownFigures)]
	if i := slices.IndexFunc(scalars, func(s task.Scalar) bool { return s.Name == train.Loss }); i >= shownFigures {
		shown = append(slices.Clone(shown[:shownFigures-1]), scalars[i])
	}
	log := report.Table{Head: []string{"epoch"}, Right: []bool{true}}
	type column struct {
		scalar task.Scalar
		of     func(e run.Epoch) run.Figures
	}
	var columns []column
	for _, split := range []struct {
		name string
		of   func(e run.Epoch) run.Figures
	}{
		{"training", func(e run.Epoch) run.Figures { return e.Train }},
		{"validation", func(e run.Epoch) run.Figures { return e.Valid }},
		{"test", func(e run.Epoch) run.Figures { return e.Test }},
	} {
		for _, s := range shown {
			if slices.ContainsFunc(t.Epochs, func(e run.Epoch) bool { _, ok := split.of(e)[s.Name]; return ok }) {
				columns = append(columns, column{s, split.of})
				log.Head, log.Right = append(log.Head, split.name+" "+s.Name), append(log.Right, true)
			}
		}
	}
	log.Head, log.Right = append(log.Head, "time"), append(log.Right, true)
	for _, e := range t.Epochs {
		row := []string{fmt.Sprint(e.Epoch)}
		for _, c := range columns {
			v, ok := c.of(e)[c.scalar.Name]
			if !ok {
				row = append(row, "–")
				continue
			}
			s := c.scalar
			s.Value, s.Why = v, ""
			row = append(row, s.String())
		}
		log.Rows = append(log.Rows, append(row, report.Seconds(e.Seconds)))
	}
	d.curves(t, shown)
	d.filters(t)
	d.section.Tables = append(d.section.Tables, log)
	return d.section, d.err
}

// curves draws the course of figures: while training, and on validation and test
// samples after each epoch.
func (d *drawn) curves(t *Trained, scalars []task.Scalar) {
	perEpoch := float64(t.Epochs[len(t.Epochs)-1].Step) / float64(len(t.Epochs))
	var panels []figure.Panel
	for _, s := range scalars {
		var training, valid, test figure.Series
		training.Name, valid.Name, test.Name = "training", "validation", "test"
		add := func(to *figure.Series, step int, f run.Figures) {
			if y, ok := f[s.Name]; ok {
				to.X, to.Y = append(to.X, float64(step)/perEpoch), append(to.Y, y)
			}
		}
		for _, p := range t.Points {
			add(&training, p.Step, p.Train)
		}
		for _, e := range t.Epochs {
			add(&valid, e.Step, e.Valid)
			add(&test, e.Step, e.Test)
		}
		p := figure.Panel{Name: s.Name}
		if s.Unit != "" {
			p.Name += " (" + s.Unit + ")"
		}
		if len(training.X)+len(valid.X)+len(test.X) > 0 { // a panel without one keeps its colour
			p.Series = []figure.Series{training, valid, test}
			panels = append(panels, p)
		}
	}
	if len(panels) == 0 {
		return
	}
	f, err := figure.Curves("Training", "epoch", panels...)
	d.add(f, err, "The run's figures over epochs",
		"Training figures are of batches on the way, the others of all samples after an epoch. Where training samples are augmented the others may be the better ones.")
}

// filters draws the first layer's kernels where they are of one channel.
func (d *drawn) filters(t *Trained) {
	net := t.Network()
	if net == nil {
		return
	}
	params := net.Nodes()[0].Params
	if len(params) == 0 {
		return
	}
	kh, kw, kernels := kernelsOf(params[0].Value)
	if kernels == nil {
		return
	}
	f, err := figure.Filters("First-layer filters", kh, kw, kernels)
	d.add(f, err, "The kernels of the first convolution", "Orange weights excite, blue ones inhibit. Look for edges and strokes of different orientation.")
}

// kernelsOf are those of a convolution of one channel, row by row; nil of other weights.
func kernelsOf(w tensor.Tensor) (height, width int, kernels [][]float64) {
	if len(w.Shape) != 4 || w.Shape[2] != 1 {
		return 0, 0, nil
	}
	height, width = w.Shape[0], w.Shape[1]
	n := w.Shape[3]
	kernels = make([][]float64, n)
	for i := range kernels {
		for k := range height * width {
			kernels[i] = append(kernels[i], float64(w.Data[k*n+i]))
		}
	}
	return height, width, kernels
}

// exhibits are what the tasks have to show of the test samples, or of the validation
// samples without a test.
func (t *Trained) exhibits(ctx context.Context) ([]report.Section, error) {
	ev, src, of := t.Result.Test, t.Sets.Test, "test"
	if ev == nil {
		ev, src, of = t.Result.Valid, t.Sets.Valid, "validation"
	}
	if ev == nil {
		return nil, nil
	}
	var out []report.Section
	for i, score := range ev.Scores {
		d := drawn{section: report.Section{Title: "On the " + of + " samples"}}
		if len(ev.Scores) > 1 {
			d.section.Title += ": " + task.Names(t.Config.Task)[i]
		}
		for _, e := range score.Exhibits() {
			if err := d.exhibit(ctx, e, src); err != nil {
				return nil, err
			}
		}
		if d.err != nil {
			return nil, d.err
		}
		out = append(out, d.section)
	}
	return out, nil
}

// exhibit draws something of a score; pictures are those of a source.
func (d *drawn) exhibit(ctx context.Context, e task.Exhibit, src sample.Source) error {
	switch {
	case e.Matrix != nil:
		f, err := figure.Confusion(e.Title, e.Matrix.Values, e.Matrix.Names)
		d.add(f, err, e.Title, e.Text)
	case e.Table != nil:
		table := report.Table{Head: e.Table.Head, Rows: e.Table.Rows, Right: make([]bool, len(e.Table.Head))}
		for i := range table.Right {
			table.Right[i] = i > 0
		}
		d.section.Tables = append(d.section.Tables, table)
	case e.Points != nil:
		f, err := figure.Scatter(e.Title, figure.ScatterOptions{X: e.Points.XName, Y: e.Points.YName, Diagonal: true}, figure.Cloud{Name: e.Points.YName, X: e.Points.X, Y: e.Points.Y})
		d.add(f, err, e.Title, e.Text)
	case e.Trains != nil:
		d.trains(e)
	case len(e.Samples) > 0:
		return d.pictures(ctx, e, src)
	case e.Text != "":
		d.section.Text = strings.TrimSpace(d.section.Text + " " + e.Text)
	}
	return nil
}

// trains draws spike trains beside those that they should be.
func (d *drawn) trains(e task.Exhibit) {
	pairs := make([]figure.Pair, len(e.Trains.Target))
	for u := range pairs {
		pairs[u] = figure.Pair{Name: fmt.Sprintf("unit %d", u), Target: e.Trains.Target[u], Output: e.Trains.Have[u]}
	}
	f, err := figure.Matched(e.Title, "time ("+e.Trains.Unit+")", 0, e.Trains.Stop, pairs)
	d.add(f, err, e.Title, e.Text)
}

// pictures draws samples that are pictures of one channel or of three.
func (d *drawn) pictures(ctx context.Context, e task.Exhibit, src sample.Source) error {
	spec := src.Spec()
	if spec.Events || spec.Steps > 0 || len(spec.Shape) != 3 || (spec.Shape[2] != 1 && spec.Shape[2] != 3) || spec.Shape[0] == 1 {
		d.section.Text = strings.TrimSpace(d.section.Text + " " + e.Text)
		return nil
	}
	var list []figure.Picture
	for _, s := range e.Samples {
		x := sample.Sample{X: s.Image}
		if s.Image == nil {
			x.X = make([]tensor.Float, spec.Size())
			if err := src.Read(ctx, s.Place, &x); err != nil {
				return err
			}
		}
		p := figure.Picture{Height: spec.Shape[0], Width: spec.Shape[1], Channels: spec.Shape[2], Caption: s.Caption}
		for _, v := range x.X {
			p.Pixels = append(p.Pixels, float64(v))
		}
		list = append(list, p)
	}
	f, err := figure.Pictures(e.Title, e.Beside, list)
	d.add(f, err, e.Title, e.Text)
	return nil
}

// shownTraces is the most membranes that are drawn: two of each layer, or in a
// deep network one of each of the last layers.
const shownTraces = 12

// activity runs one test sample through the network node by node.
func (t *Trained) activity(ctx context.Context) (report.Section, error) {
	d := drawn{section: report.Section{
		Title: "Activity",
		Text:  fmt.Sprintf("What the network does with the first test sample in %d steps.", t.Config.Steps),
	}}
	layers, traces, err := t.trace(ctx)
	if err != nil {
		return d.section, err
	}
	if len(layers) == 0 {
		d.section.Text = "The network has no spiking layer."
		return d.section, nil
	}
	f, err := figure.Raster("Spikes by layer", layers)
	d.add(f, err, "Spike raster of one test sample, layer by layer", "Each mark is a spike of one unit. Rates are of this test sample alone; those below are means over training samples.")
	if err == nil {
		d.section.Figures[0].Raster = layers
	}
	if len(traces) > 0 {
		f, err = figure.Membrane("Membranes", traces)
		d.add(f, err, "Membrane potentials of the most active neurons of each layer", "The potential before reset. At the dashed threshold the neuron fires and the threshold is subtracted, or as its reset says.")
	}
	var rates []figure.Rate
	last := t.Epochs[len(t.Epochs)-1]
	for _, nd := range t.Network().Nodes() {
		if v, ok := last.Rates[nd.Name]; ok {
			rates = append(rates, figure.Rate{Layer: nd.Name, Value: v})
		}
	}
	f, err = figure.Rates("Firing rates on training samples", rates)
	d.add(f, err, "Mean firing rate of each layer", "Spikes per neuron and step, mean over the training samples of the last epoch. Sparse layers are what event-driven arithmetic gains from.")
	return d.section, d.err
}

// trace is the spikes of all spiking layers on the first test sample, and the
// membranes of the most active units.
func (t *Trained) trace(ctx context.Context) (layers []figure.Layer, traces []figure.Trace, err error) {
	net := t.Network()
	c, steps := net.Compile(nil, false), t.Config.Steps
	src := t.Sets.Test
	if src == nil {
		src = t.Sets.Train
	}
	cursor, err := data.NewCursor(src, data.CursorOptions{Batch: 1, Normalize: t.Sets.Normalization})
	if err != nil {
		return nil, nil, err
	}
	var b sample.Batch
	if _, err := cursor.Next(ctx, &b); err != nil {
		return nil, nil, err
	}
	in := &signal.Signal{}
	key := rng.New(t.Config.Seed, rng.Eval).Int(0).Int(uint64(b.Index[0]))
	t.Config.Encoder.Encode(in, &b, []rng.Key{key}, encode.Window{T1: steps, Steps: steps})
	units := max(1, min(2, shownTraces/max(1, len(t.Epochs[len(t.Epochs)-1].Rates))))
	st := net.NewState(1)
	outputs := map[string]*signal.Signal{network.Input: in}
	for _, nd := range net.Nodes() {
		state, err := st.Node(net, nd.Name)
		if err != nil {
			return nil, nil, err
		}
		var inputs []*signal.Signal
		for _, from := range nd.Inputs {
			inputs = append(inputs, outputs[from])
		}
		cur, err := c.Eval(nd.Name, inputs, state)
		if err != nil {
			return nil, nil, err
		}
		outputs[nd.Name] = cur
		if !layer.Fires(nd.Layer) {
			continue
		}
		var dense signal.Signal
		cur.Densify(&dense)
		l := figure.Layer{Name: nd.Name, Steps: steps, Units: cur.Units()}
		for _, v := range dense.Data {
			l.Values = append(l.Values, math.Abs(float64(v))) // spikes taken back are marks too
		}
		layers = append(layers, l)
		n, driven := nd.Layer.(layer.Population).Neurons()
		if !driven {
			continue
		}
		var values neuron.Values
		if v, ok := nd.Layer.(layer.Varying); ok {
			var buffers []tensor.Tensor
			for _, b := range nd.Buffers {
				buffers = append(buffers, b.Value)
			}
			values = v.Values(nd.Out, buffers)
		}
		traces = append(traces, membranes(nd.Name, n, values, inputs[0], l, units)...)
	}
	return layers, traces[max(0, len(traces)-shownTraces):], nil
}

// membranes runs the layer's neuron again, step by step, for its most active
// units.
func membranes(name string, of neuron.Neuron, values neuron.Values, current *signal.Signal, l figure.Layer, units int) (traces []figure.Trace) {
	n := l.Units
	u, bits, state := make([]tensor.Float, l.Steps*n), make([]uint64, (n+63)/64), make([]tensor.Float, n*of.States())
	if current.Kind == signal.Spikes {
		var d signal.Signal
		current.Densify(&d)
		current = &d
	}
	for t := range l.Steps {
		now := u[t*n:][:n]
		of.Forward(neuron.Window{
			Steps: 1, Units: n, Input: neuron.Strided{Data: current.Data[t*current.Stride():]}, State: state,
			Membrane: neuron.Strided{Data: now}, Spikes: neuron.Bits{Data: bits}, Values: values,
		})
		for i, v := range now {
			if math.IsInf(float64(v), -1) { // refractory: the membrane is the one held
				now[i] = state[i]
			}
		}
	}
	for _, unit := range mostActive(l, units) {
		z, slope := values.Unit(of, unit).Argument(0)
		tr := figure.Trace{Name: fmt.Sprintf("%s, neuron %d", name, unit), Threshold: float64(-z / slope)}
		for t := range l.Steps {
			tr.V = append(tr.V, float64(u[t*n+unit]))
			if l.Values[t*n+unit] != 0 {
				tr.Spikes = append(tr.Spikes, t)
			}
		}
		traces = append(traces, tr)
	}
	return traces
}

// mostActive is the k units that fire most. Those that fire in all steps, whose
// membranes show less, come after them, and silent ones last.
func mostActive(l figure.Layer, k int) (units []int) {
	rank := make([]int, l.Units)
	for i, v := range l.Values {
		if v != 0 {
			rank[i%l.Units] += 2
		}
	}
	for u, r := range rank {
		units = append(units, u)
		if r == 2*l.Steps {
			rank[u] = 1
		}
	}
	slices.SortStableFunc(units, func(a, b int) int { return rank[b] - rank[a] })
	return units[:min(k, len(units))]
}

func (t *Trained) structure(context.Context) (report.Section, error) {
	tab := report.Table{Head: []string{"node", "output", "parameters"}, Right: []bool{false, false, true}}
	total := 0
	for _, nd := range t.Network().Nodes() {
		n := 0
		for _, p := range nd.Params {
			n += len(p.Value.Data)
		}
		total += n
		tab.Rows = append(tab.Rows, []string{nd.Name, nd.Out.String(), report.Integer(int64(n))})
	}
	tab.Rows = append(tab.Rows, []string{"all", "", report.Integer(int64(total))})
	return report.Section{Title: "Network", Tables: []report.Table{tab}}, nil
}
