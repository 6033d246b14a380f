package recipe

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/report"
	"synfire/report/figure"
	"synfire/signal"
	"synfire/tensor"
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

// Sections describe a training run: how it went, what it gets wrong, what its
// neurons do, what it is made of.
func (t *Trained) Sections() ([]report.Section, error) {
	var out []report.Section
	for _, build := range []func() (report.Section, error){t.learning, t.mistakes, t.activity, t.structure} {
		s, err := build()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (t *Trained) learning() (report.Section, error) {
	d := drawn{section: report.Section{Title: "Learning"}}
	log := report.Table{Head: []string{"epoch", "train loss", "train accuracy", "test loss", "test accuracy", "time"}, Right: []bool{true, true, true, true, true, true}}
	for _, e := range t.Epochs {
		log.Rows = append(log.Rows, []string{
			fmt.Sprint(e.Epoch), fmt.Sprintf("%.4f", e.TrainLoss), fmt.Sprintf("%.2f %%", e.TrainAccuracy),
			fmt.Sprintf("%.4f", e.TestLoss), fmt.Sprintf("%.2f %%", e.TestAccuracy), report.Seconds(e.Seconds),
		})
	}
	d.curves(t)
	f, err := figure.Confusion("Test images by class", t.Result.Confusion, t.Test.Classes)
	d.add(f, err, "Confusion matrix of the test set", "Rows are true classes, columns what the network answered. Off the diagonal stand the mistakes.")
	d.filters(t)
	d.section.Tables = append(d.section.Tables, log)
	return d.section, d.err
}

// curves draws loss and accuracy: while training, and on the test set after each
// epoch.
func (d *drawn) curves(t *Trained) {
	perEpoch := float64(t.Epochs[len(t.Epochs)-1].Step) / float64(len(t.Epochs))
	var trainLoss, trainAcc, testLoss, testAcc figure.Series
	trainLoss.Name, trainAcc.Name, testLoss.Name, testAcc.Name = "training", "training", "test", "test"
	add := func(s *figure.Series, step int, y float64) {
		s.X, s.Y = append(s.X, float64(step)/perEpoch), append(s.Y, y)
	}
	for _, p := range t.Points {
		add(&trainLoss, p.Step, p.TrainLoss)
		add(&trainAcc, p.Step, p.TrainAccuracy)
	}
	for _, e := range t.Epochs {
		add(&testLoss, e.Step, e.TestLoss)
		add(&testAcc, e.Step, e.TestAccuracy)
	}
	f, err := figure.Curves("Training", "epoch",
		figure.Panel{Name: "loss", Series: []figure.Series{trainLoss, testLoss}},
		figure.Panel{Name: "accuracy (%)", Series: []figure.Series{trainAcc, testAcc}})
	d.add(f, err, "Loss and accuracy over epochs, on training and test images",
		"Training figures are of batches on the way, the test figure of all test images after an epoch. With shifted training images the test figure may be the better one.")
}

// filters draws the first layer's kernels where they are of one channel.
func (d *drawn) filters(t *Trained) {
	params := t.Net.Nodes()[0].Params
	if len(params) == 0 {
		return
	}
	w := params[0].Value
	if len(w.Shape) != 4 || w.Shape[2] != 1 {
		return
	}
	kh, kw, n := w.Shape[0], w.Shape[1], w.Shape[3]
	kernels := make([][]float64, n)
	for i := range kernels {
		for k := range kh * kw {
			kernels[i] = append(kernels[i], float64(w.Data[k*n+i]))
		}
	}
	f, err := figure.Filters("First-layer filters", kh, kw, kernels)
	d.add(f, err, "The kernels of the first convolution", "Orange weights excite, blue ones inhibit. Look for edges and strokes of different orientation.")
}

// shownMistakes is the number of misclassified images in a report.
const shownMistakes = 30

func (t *Trained) mistakes() (report.Section, error) {
	d := drawn{section: report.Section{Title: "Mistakes"}}
	wrong := t.Result.Wrong
	if len(wrong) == 0 {
		d.section.Text = "Every test image was classified correctly."
		return d.section, nil
	}
	d.section.Text = fmt.Sprintf("Test images that are misclassified: %s of %s.", report.Integer(int64(len(wrong))), report.Integer(int64(t.Test.Len())))
	shape := t.Test.Shape
	if t.Test.Images == nil || shape[2] != 1 {
		return d.section, nil
	}
	var digits []figure.Digit
	for _, m := range wrong[:min(len(wrong), shownMistakes)] {
		digits = append(digits, figure.Digit{
			Height: shape[0], Width: shape[1], Pixels: t.pixels(m.Sample),
			True: t.Test.Classes[m.Label], Predicted: t.Test.Classes[m.Predicted],
		})
	}
	f, err := figure.Digits("Misclassified", digits)
	d.add(f, err, "Misclassified test images with true and predicted class", "The first mistakes in the order of the test set, true class → answer.")
	return d.section, d.err
}

func (t *Trained) pixels(sample int) []float64 {
	x := make([]tensor.Float, t.Test.Shape.Size())
	t.Test.Sample(sample, x)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// shownTraces is the most membranes that are drawn: two of each layer, or in a
// deep network one of each of the last layers.
const shownTraces = 12

// activity runs one test image through the network node by node.
func (t *Trained) activity() (report.Section, error) {
	d := drawn{section: report.Section{
		Title: "Activity",
		Text:  fmt.Sprintf("What the network does with the first test image (a %s) in %d steps.", t.Test.Classes[t.Test.Labels[0]], t.Config.Steps),
	}}
	layers, traces, err := t.trace()
	if err != nil {
		return d.section, err
	}
	if len(layers) == 0 {
		d.section.Text = "The network has no spiking layer."
		return d.section, nil
	}
	f, err := figure.Raster("Spikes by layer", layers)
	d.add(f, err, "Spike raster of one test image, layer by layer", "Each mark is a spike. Neurons that see the background stay silent.")
	if err == nil {
		d.section.Figures[0].Raster = layers
	}
	if len(traces) > 0 {
		f, err = figure.Membrane("Membranes", traces)
		d.add(f, err, "Membrane potentials of the most active neurons of each layer", "The potential before reset. At the dashed threshold the neuron fires and the threshold is subtracted, or as its reset says.")
	}
	var rates []figure.Rate
	last := t.Epochs[len(t.Epochs)-1]
	for _, nd := range t.Net.Nodes() {
		if v, ok := last.Rates[nd.Name]; ok {
			rates = append(rates, figure.Rate{Layer: nd.Name, Value: v})
		}
	}
	f, err = figure.Rates("Firing rates", rates)
	d.add(f, err, "Mean firing rate of each layer", "Spikes per neuron and step, mean over the last epoch. Sparse layers are what event-driven arithmetic gains from.")
	return d.section, d.err
}

// trace is the spikes of all spiking layers on the first test image, and the
// membranes of the most active units.
func (t *Trained) trace() (layers []figure.Layer, traces []figure.Trace, err error) {
	c, steps := t.Net.Compile(nil, false), t.Config.Steps
	in, x := &signal.Signal{}, make([]tensor.Float, t.Test.Shape.Size())
	t.Test.Input(0, x)
	key := rng.New(t.Config.Seed, rng.Eval).Int(0).Int(uint64(t.Test.Origin(0)))
	t.Config.Encoder.Encode(in, x, t.Test.Shape, []rng.Key{key}, 0, steps)
	units := max(1, min(2, shownTraces/max(1, len(t.Epochs[len(t.Epochs)-1].Rates))))
	st := t.Net.NewState(1)
	outputs := map[string]*signal.Signal{network.Input: in}
	for _, nd := range t.Net.Nodes() {
		state, err := st.Node(t.Net, nd.Name)
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
			l.Values = append(l.Values, float64(v))
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
		z, _ := values.Unit(of, unit).Argument(0)
		tr := figure.Trace{Name: fmt.Sprintf("%s, neuron %d", name, unit), Threshold: float64(-z)}
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

func (t *Trained) structure() (report.Section, error) {
	tab := report.Table{Head: []string{"node", "output", "parameters"}, Right: []bool{false, false, true}}
	total := 0
	for _, nd := range t.Net.Nodes() {
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
