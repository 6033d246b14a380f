package detector_test

import (
	"context"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/detect"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
)

// pictures is a source of square pictures with one box each.
type pictures struct{ n, side int }

func (p pictures) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{p.side, p.side, 1}, Targets: []sample.Field{{Name: "boxes", Kind: sample.Boxes, Classes: []string{"a"}, Shape: tensor.Shape{p.side, p.side}}}}
}
func (p pictures) Len() int            { return p.n }
func (p pictures) Index(i int) int     { return i }
func (p pictures) Origin(i int) string { return "invented" }
func (p pictures) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Boxes: []sample.Box{{X0: float64(i % 4), Y0: 1, X1: float64(i%4) + 4, Y1: 5}}}, nil
}
func (p pictures) Read(_ context.Context, i int, x *sample.Sample) error {
	for k := range x.X {
		x.X[k] = tensor.Float((k*7+i*5)%11) / 11
	}
	t, err := p.Target(i, 0)
	x.Targets = append(x.Targets, t)
	return err
}

// study is a detector of random weights with leaky units, pooled, of pictures of 8×8 pixels.
func study(t *testing.T, steps ...int) detector.Study {
	t.Helper()
	return studyOf(t, 8, steps...)
}

func studyOf(t *testing.T, side int, steps ...int) detector.Study {
	t.Helper()
	node := func(l layer.Layer) network.Node { return network.Node{Layer: l} }
	n, err := network.New(tensor.Shape{side, side, 1}, 3,
		node(layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}}), node(layer.ReLU{Slope: 0.1}), node(layer.MaxPool{Size: 2}),
		node(layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}}), node(layer.ReLU{Slope: 0.1}), node(layer.Conv2D{Out: 12, Kernel: []int{1}}))
	if err != nil {
		t.Fatal(err)
	}
	g := n.Graph()
	g.Outputs[0].Read = detect.Boxes{Anchors: []detect.Anchor{{1, 1}, {2, 2}}}
	return detector.Study{Study: convert.Study{Graph: g, Train: pictures{6, side}, Test: pictures{5, side}, Steps: steps, Samples: 6, Seed: 1}, Task: detect.NewDetect()}
}

// A difference is the first less the second, by what was drawn for both: 3, 1 and 2 points.
func TestLess(t *testing.T) {
	a, b := detector.Point{MAP: 9, Draws: []float64{8, 6, 7}}, detector.Point{MAP: 9, Draws: []float64{5, 5, 5}}
	if d := a.Less(b); d != (detector.Difference{Median: 2, Low: 1, High: 3}) {
		t.Errorf("%+v", d)
	}
	if d := b.Less(a); d != (detector.Difference{Median: -2, Low: -3, High: -1}) {
		t.Errorf("the other way round: %+v", d)
	}
}

// What a conversion gives approaches the ordinary network's output with the steps; rounding is
// nearer, suppression of negative spikes never arrives; outputs are boxes at the end. Twice gives
// the same, whatever the batch.
func TestApproaches(t *testing.T) {
	half := 0.5
	channel, err := convert.MethodOf("channel")
	if err != nil {
		t.Fatal(err)
	}
	s := study(t, 8, 64, 512)
	errors := func(s detector.Study, o convert.Options) (list []float64, r detector.Result) {
		o.Percentile = 100
		r, err := s.Run(t.Context(), channel, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Points {
			list = append(list, p.Error)
		}
		return list, r
	}
	signed, r := errors(s, convert.Options{})
	rounded, _ := errors(s, convert.Options{Code: temporal.SigmaDelta, Start: &half})
	counted, _ := errors(s, convert.Options{Counts: true})
	suppressed, _ := errors(s, convert.Options{Suppressed: true})
	if !(signed[2] < signed[1] && signed[1] < signed[0] && signed[2] < 0.05 && rounded[0] < signed[0] && rounded[2] < 0.05 && counted[2] < 0.05 && suppressed[2] > 3*signed[2]) {
		t.Errorf("signed %v, rounded %v, counted %v, suppressed %v", signed, rounded, counted, suppressed)
	}
	if _, ok := detect.AsBoxes(r.Graph.Outputs[0].Read); !ok {
		t.Error("the output is read as boxes no more")
	}
	s.Batch = 2
	again, other := errors(s, convert.Options{})
	if math.Abs(again[1]-signed[1]) > 1e-12 || !reflect.DeepEqual(other.Points[2].Pictures, r.Points[2].Pictures) || other.Points[1].Spikes != r.Points[1].Spikes {
		t.Error("another batch gives other boxes or spikes")
	}
	if r.Energy[0].Papers.Total <= 0 || r.Energy[1].Papers.Total <= 0 || len(r.Layers) != 2 {
		t.Errorf("%+v", r.Energy)
	}
}

// Outputs of two grids are read together: what they find is what each of them finds alone.
func TestTwoOutputs(t *testing.T) {
	both := study(t, 16, 64)
	first := both.Graph.Outputs[0]
	nodes := both.Graph.Nodes
	second := network.Output{Name: "fine", Node: "fine", Read: detect.Boxes{Anchors: []detect.Anchor{{1, 2}}}}
	w := tensor.New(1, 1, 6, 6)
	for i := range w.Data {
		w.Data[i] = tensor.Float(i%5) - 2
	}
	both.Graph.Nodes = append(slices.Clone(nodes), network.GraphNode{
		Node:   network.Node{Name: "fine", Inputs: []string{nodes[1].Name}, Layer: layer.Conv2D{Out: 6, Kernel: []int{1}, NoBias: true}},
		Arrays: map[string]tensor.Tensor{"weight": w},
	})
	both.Graph.Outputs = []network.Output{first, second}
	both.Task.Overlap, both.Task.Threshold = 1, 0 // nothing is hidden
	channel, err := convert.MethodOf("channel")
	if err != nil {
		t.Fatal(err)
	}
	c, err := both.Convert(t.Context(), channel, convert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	points := func(of ...int) (at [2]detector.Point) {
		s, alone := both, c
		s.Graph.Outputs, alone.Graph.Outputs = nil, nil
		for _, k := range of {
			s.Graph.Outputs = append(s.Graph.Outputs, both.Graph.Outputs[k])
			alone.Graph.Outputs = append(alone.Graph.Outputs, c.Graph.Outputs[k])
		}
		s.Graph.Nodes, alone.Graph.Nodes = needed(s.Graph), needed(alone.Graph)
		ordinary, err := s.Ordinary(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		spiking, err := s.Points(t.Context(), alone)
		if err != nil {
			t.Fatal(err)
		}
		return [2]detector.Point{ordinary, spiking[1]}
	}
	all, coarse, fine := points(0, 1), points(0), points(1)
	for k, what := range []string{"ordinary", "spiking"} {
		for i, p := range all[k].Pictures {
			alone := detect.Suppress(append(slices.Clone(coarse[k].Pictures[i].Found), fine[k].Pictures[i].Found...), 1)
			if len(coarse[k].Pictures[i].Found) == 0 || len(fine[k].Pictures[i].Found) == 0 || !reflect.DeepEqual(p.Found, alone) {
				t.Errorf("%s, picture %d: both find %v, each alone %v", what, i, p.Found, alone)
			}
		}
	}
	if e := all[1].Error; !(e > min(coarse[1].Error, fine[1].Error) && e < max(coarse[1].Error, fine[1].Error)) {
		t.Errorf("both are off by %v, one by %v, the other by %v", e, coarse[1].Error, fine[1].Error)
	}
	both.Graph.Outputs[1].Read = nil
	if _, err := both.Ordinary(t.Context()); err == nil || !strings.Contains(err.Error(), `"fine"`) {
		t.Errorf("an output that is no boxes: %v", err)
	}
}

// needed are the nodes that the outputs of a graph depend on.
func needed(g network.Graph) (nodes []network.GraphNode) {
	wanted := map[string]bool{}
	for _, o := range g.Outputs {
		wanted[o.Node] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		nd := g.Nodes[i]
		if !wanted[nd.Name] {
			continue
		}
		nodes = append(nodes, nd)
		for _, name := range nd.Inputs {
			wanted[name] = true
		}
		if len(nd.Inputs) == 0 && i > 0 {
			wanted[g.Nodes[i-1].Name] = true
		}
	}
	slices.Reverse(nodes)
	return nodes
}

// watching is a context that looks at the memory in use now and then when somebody asks whether to
// go on.
type watching struct {
	context.Context
	asked int
	most  uint64
}

func (w *watching) Err() error {
	if w.asked++; w.asked > 300 && w.asked%20 != 0 {
		return nil
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	w.most = max(w.most, m.HeapAlloc)
	return nil
}

// The memory of a simulation does not grow with the steps: that of 3,500 is within 2 % of that of 35,
// figures of layers and operations included.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("runs thousands of steps")
	}
	peak := func(steps int) uint64 {
		s := studyOf(t, 32, steps)
		s.Train, s.Test = pictures{2, 32}, pictures{2, 32}
		channel, err := convert.MethodOf("channel")
		if err != nil {
			t.Fatal(err)
		}
		ordinary, err := s.Ordinary(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Convert(t.Context(), channel, convert.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := &watching{Context: t.Context()}
		if _, err := s.Measure(w, c, ordinary); err != nil {
			t.Fatal(err)
		}
		return w.most
	}
	few, many := peak(35), peak(3500)
	t.Logf("%d bytes after 35 steps, %d after 3,500", few, many)
	if float64(many) > 1.02*float64(few) {
		t.Errorf("%d bytes after 35 steps, %d after 3,500", few, many)
	}
}

func TestErrors(t *testing.T) {
	channel, _ := convert.MethodOf("channel")
	s := study(t, 8)
	s.Graph.Outputs[0].Read = nil
	if _, err := s.Convert(t.Context(), channel, convert.Options{}); err == nil {
		t.Error("an output that is no boxes")
	}
	s = study(t, 8)
	if _, err := s.Convert(t.Context(), channel, convert.Options{Late: 1}); err == nil {
		t.Error("steps that are left out")
	}
}
