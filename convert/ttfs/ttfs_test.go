package ttfs_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/convert/ttfs"
	"synfire/data/mnist"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

func of(batches ...*signal.Signal) network.Calibration {
	return func(yield func(*signal.Signal, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func build(t testing.TB, in tensor.Shape, layers ...layer.Layer) network.Graph {
	t.Helper()
	n, err := network.Sequential(in, 3, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n.Graph()
}

func values(b int, shape tensor.Shape, seed uint64) *signal.Signal {
	src := rng.New(seed, "test").Source()
	s := &signal.Signal{Kind: signal.Constant, T: 1, B: b, Shape: shape}
	for range b * shape.Size() {
		s.Data = append(s.Data, tensor.Float(max(0, src.Float64()*1.5-0.5)))
	}
	return s
}

func scores(t testing.TB, g network.Graph, in *signal.Signal) []tensor.Float {
	t.Helper()
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	outs, err := n.Compile(nil, false).NewPass(network.Options{}).Forward(n.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	return outs[0].Data
}

// deep has what can be mapped.
func deep(t testing.TB) network.Graph {
	g := build(t, tensor.Shape{8, 8, 2},
		layer.MaxPool{Size: 2, Stride: 1},
		layer.Conv2D{Out: 5, Kernel: []int{3}, Padding: []int{1}, NoBias: true}, layer.BatchNorm{Epsilon: 1e-5, Momentum: 0.1, Scale: 1}, layer.ReLU{},
		layer.AvgPool{Size: 2}, layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}}, layer.ReLU{Max: 0.3},
		layer.MaxPool{Size: 2}, layer.Flatten{}, layer.Dropout{Rate: 0.5}, layer.Linear{Out: 20}, layer.ReLU{}, layer.Linear{Out: 4})
	return g
}

// Times of single spikes tell what the ordinary network computes: to the last digits, and with
// activations of the calibration nothing comes before its window.
func TestExact(t *testing.T) {
	g, in := deep(t), values(30, tensor.Shape{8, 8, 2}, 1)
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Run(in, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	want, limit, scale := scores(t, g, in), 1e-4, 0.0
	if snntest.DoublePrecision() {
		limit = 1e-9
	}
	for _, w := range want {
		scale = max(scale, math.Abs(float64(w)))
	}
	for i, w := range want {
		if d := math.Abs(float64(a.Scores.Data[i] - w)); d > limit*scale {
			t.Errorf("score %d is %v, the ordinary network's %v", i, a.Scores.Data[i], w)
		}
	}
	if !slices.Equal(a.Clipped, []int{0, 0, 0}) || a.Total() == 0 || len(a.Times) != 4 {
		t.Errorf("%v clipped, %d spikes, %d layers of times", a.Clipped, a.Total(), len(a.Times))
	}
	start := 1.0
	for k, l := range n.Layers {
		fired := 0
		for _, at := range a.Times[k+1] {
			if v := float64(at); !math.IsInf(v, 1) {
				if fired++; v < start-1e-5 || v >= start+l.Window {
					t.Fatalf("%s: a spike at %v, outside [%v, %v)", l.Name, v, start, start+l.Window)
				}
			}
		}
		if fired != a.Spikes[k+1] || fired > l.Units*30 {
			t.Errorf("%s: %d times of %d spikes and %d units", l.Name, fired, a.Spikes[k+1], l.Units)
		}
		start += l.Window
	}
}

// The mapping is what an integration in time gives: currents switched on by spikes until the
// window opens, then a slope of 1 up to the threshold X − b.
func TestDynamics(t *testing.T) {
	g, in := build(t, tensor.Shape{6}, layer.Linear{Out: 5}, layer.ReLU{}, layer.Linear{Out: 4}, layer.ReLU{}, layer.Linear{Out: 3}), values(4, tensor.Shape{6}, 2)
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Run(in, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-4
	for b := range in.B {
		start, end := 0.0, 1.0
		for k, l := range n.Layers {
			w, bias := g.Nodes[2*k].Arrays["weight"], g.Nodes[2*k].Arrays["bias"]
			wide, before := w.Shape[1], a.Times[k][b*w.Shape[0]:][:w.Shape[0]]
			for i := range wide {
				v, at := 0.0, start
				for ; at < end; at += h {
					for j, tj := range before {
						if float64(tj) <= at {
							v += h * float64(w.Data[j*wide+i])
						}
					}
				}
				at = end
				for theta := l.Window - float64(bias.Data[i]); v < theta && at < end+l.Window; at += h {
					v += h
				}
				got := float64(a.Times[k+1][b*wide+i])
				if at >= end+l.Window-2*h {
					at = math.Inf(1)
				}
				if got != at && !(math.Abs(got-at) < 30*h) {
					t.Errorf("sample %d, %s, unit %d fires at %v, by integration at %v", b, l.Name, i, got, at)
				}
			}
			start, end = end, end+l.Window
		}
	}
}

// One input, worked out by hand: V = 0.5, a spike 0.6 into the window; a lower bias gives none.
func TestByHand(t *testing.T) {
	for bias, want := range map[tensor.Float]float64{-0.1: 0.4, -0.6: 0} {
		g := build(t, tensor.Shape{1}, layer.Linear{Out: 1}, layer.ReLU{Max: 1}, layer.Linear{Out: 1, NoBias: true})
		g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[0].Arrays["bias"].Data[0], g.Nodes[2].Arrays["weight"].Data[0] = 2, bias, 1
		one := &signal.Signal{Kind: signal.Constant, T: 1, B: 2, Shape: tensor.Shape{1}, Data: []tensor.Float{0.25, 1}}
		n, err := ttfs.New(t.Context(), g, of(one), ttfs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := n.Run(one, 0, true)
		if err != nil {
			t.Fatal(err)
		}
		at := 2 - want
		if want == 0 {
			at = math.Inf(1)
		}
		if got := float64(a.Scores.Data[0]); math.Abs(got-want) > 1e-6 || math.Abs(float64(a.Times[1][0])-at) > 1e-6 && want > 0 || a.Times[0][0] != 0.75 {
			t.Errorf("bias %v: score %v, want %v; times %v", bias, got, want, a.Times)
		}
		// The second sample is above the units' maximum, which is no overflow.
		if a.Clipped[0] != 0 || a.Scores.Data[1] != 1 {
			t.Errorf("bias %v: %v clipped, score %v", bias, a.Clipped, a.Scores.Data[1])
		}
	}
}

// What is larger than on the samples of the calibration is clipped, and counted.
func TestOverflowIsCounted(t *testing.T) {
	g := build(t, tensor.Shape{1}, layer.Linear{Out: 1, NoBias: true}, layer.ReLU{}, layer.Linear{Out: 1, NoBias: true})
	g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[2].Arrays["weight"].Data[0] = 4, 1
	small, large := constant(0.25), constant(0.5)
	n, err := ttfs.New(t.Context(), g, of(small), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Run(large, 0, false)
	if err != nil || a.Clipped[0] != 1 || a.Scores.Data[0] != 1.5 {
		t.Errorf("%v clipped, score %v, %v; want 1 and 1.5", a.Clipped, a.Scores, err)
	}
}

func constant(x ...tensor.Float) *signal.Signal {
	return &signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: tensor.Shape{len(x)}, Data: x}
}

// On a grid activations are whole numbers of dt, rounded down; a finer one is nearer.
func TestGrid(t *testing.T) {
	g, in := deep(t), values(30, tensor.Shape{8, 8, 2}, 1)
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, last := scores(t, g, in), math.Inf(1)
	for _, dt := range []float64{0.1, 0.02, 0.004, 0.0008} {
		a, err := n.Run(in, dt, true)
		if err != nil {
			t.Fatal(err)
		}
		for k, times := range a.Times {
			for _, at := range times {
				if v := float64(at) / dt; !math.IsInf(v, 1) && math.Abs(v-math.Round(v)) > 1e-2 {
					t.Fatalf("dt %v, layer %d: a spike at %v", dt, k, at)
				}
			}
		}
		most := 0.0
		for i, w := range want {
			most = max(most, math.Abs(float64(a.Scores.Data[i]-w)))
		}
		if !(most < last/2) {
			t.Errorf("dt %v: scores off by %v, with a coarser one %v", dt, most, last)
		}
		last = most
		if steps := n.Steps(dt); steps < int(1/dt) {
			t.Errorf("dt %v: %d steps", dt, steps)
		}
	}
	for _, steps := range []int{4, 50, 1000} {
		dt, err := n.StepFor(steps)
		if err != nil || n.Steps(dt) > steps || n.Steps(dt) < steps*8/10 {
			t.Errorf("%d steps: dt %v of %d, %v", steps, dt, n.Steps(dt), err)
		}
	}
	if _, err := n.StepFor(3); err == nil || !strings.Contains(err.Error(), "want 4 at least") {
		t.Error(err)
	}
}

// On a grid coarser than its window a unit of a maximum gives no more than that, rounded down as all
// is: its window of two steps would hold more.
func TestGridKeepsTheMaximum(t *testing.T) {
	g := build(t, tensor.Shape{1}, layer.Linear{Out: 1, NoBias: true}, layer.ReLU{Max: 0.375}, layer.Linear{Out: 1, NoBias: true})
	g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[2].Arrays["weight"].Data[0] = 4, 1
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: 3, Shape: tensor.Shape{1}, Data: []tensor.Float{0, 0.25, 1}}
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Run(in, 0.25, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Scores.Data, []tensor.Float{0, 0.25, 0.25}; !slices.Equal(got, want) || a.Clipped[0] != 0 || a.Times[1][2] != 1.25 || n.Steps(0.25) != 6 {
		t.Errorf("scores %v, want %v; %d clipped, times %v, %d steps", got, want, a.Clipped[0], a.Times[1], n.Steps(0.25))
	}
}

// Factors between layers, which an ordinary network does not tell, cost no digits: neither behind long
// windows nor in short ones.
func TestExactAtAnyScale(t *testing.T) {
	g, in := build(t, tensor.Shape{6}, layer.Linear{Out: 5}, layer.ReLU{}, layer.Linear{Out: 4}, layer.ReLU{}, layer.Linear{Out: 3}), values(20, tensor.Shape{6}, 2)
	want := slices.Clone(scores(t, g, in))
	all := tensor.Float(1)
	for k, factor := range []tensor.Float{1 << 12, 1.0 / (1 << 24), 1 << 12} { // powers of two change no digit of the scores
		all *= factor
		for i := range g.Nodes[2*k].Arrays["weight"].Data {
			g.Nodes[2*k].Arrays["weight"].Data[i] *= factor
		}
		for i := range g.Nodes[2*k].Arrays["bias"].Data {
			g.Nodes[2*k].Arrays["bias"].Data[i] *= all
		}
	}
	if !slices.Equal(scores(t, g, in), want) {
		t.Fatal("the factors change the ordinary network")
	}
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Run(in, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if got := a.Scores.Data[i]; math.Abs(float64(got-w)) > 2e-6 {
			t.Errorf("windows of %.3g and %.3g: score %d is %v, the ordinary network's %v", n.Layers[0].Window, n.Layers[1].Window, i, got, w)
		}
	}
}

func TestRefuses(t *testing.T) {
	in := values(2, tensor.Shape{4, 4, 1}, 1)
	conv := layer.Conv2D{Out: 2, Kernel: []int{3}}
	for want, c := range map[string]struct {
		layers []layer.Layer
		c      network.Calibration
		o      ttfs.Options
	}{
		"max pooling of what has not fired": {[]layer.Layer{conv, layer.MaxPool{Size: 2}, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{}},
		"has no weights between":            {[]layer.Layer{conv, layer.ReLU{}, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{}},
		"it and the units or the input":     {[]layer.Layer{layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{}},
		"no samples to set windows":         {[]layer.Layer{conv, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, nil, ttfs.Options{}},
		"there are no samples":              {[]layer.Layer{conv, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, of(), ttfs.Options{}},
		"margin is 0.5":                     {[]layer.Layer{conv, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{Margin: 0.5}},
		"which has no counterpart":          {[]layer.Layer{conv, layer.ReLU{}, layer.Upsample{Factor: 2}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{}},
		"leaky":                             {[]layer.Layer{conv, layer.ReLU{Slope: 0.1}, layer.Flatten{}, layer.Linear{Out: 2}}, of(in), ttfs.Options{}},
	} {
		if _, err := ttfs.New(t.Context(), build(t, tensor.Shape{4, 4, 1}, c.layers...), c.c, c.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	g := build(t, tensor.Shape{1}, layer.Linear{Out: 1, NoBias: true}, layer.ReLU{}, layer.Linear{Out: 2})
	g.Nodes[0].Arrays["weight"].Data[0] = 1
	n, err := ttfs.New(t.Context(), g, of(constant(0.5)), ttfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, run := range map[string]func() (ttfs.Activity, error){
		"value 0 of the input is -0.5": func() (ttfs.Activity, error) { return n.Run(constant(-0.5), 0, false) },
		"value 0 of the input is 1.5":  func() (ttfs.Activity, error) { return n.Run(constant(1.5), 0, false) },
		"dt is -1":                     func() (ttfs.Activity, error) { return n.Run(constant(0.5), -1, false) },
		"a dense signal": func() (ttfs.Activity, error) {
			return n.Run(&signal.Signal{T: 1, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{1}}, 0, false)
		},
	} {
		if _, err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// An evaluation counts what single runs do, whatever the batches.
func TestEvaluate(t *testing.T) {
	_, test := mnist.Sample()
	g := build(t, tensor.Shape{28, 28, 1}, layer.Flatten{}, layer.Linear{Out: 30}, layer.ReLU{}, layer.Linear{Out: 10})
	n, err := ttfs.New(t.Context(), g, of(values(50, tensor.Shape{28, 28, 1}, 1)), ttfs.Options{Margin: 4})
	if err != nil {
		t.Fatal(err)
	}
	var all [2][]ttfs.Point
	for i, batch := range []int{500, 70} {
		if all[i], err = n.Evaluate(t.Context(), g, ttfs.Evaluation{Source: test, DT: []float64{0, 0.05}, Batch: batch}); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(all[0]) != fmt.Sprint(all[1]) {
		t.Errorf("%v, in other batches %v", all[0], all[1])
	}
	exact, coarse := all[0][0], all[0][1]
	if exact.N != test.Len() || exact.Difference > 1e-4 || coarse.Difference <= exact.Difference || exact.Spikes <= 0 || exact.Spikes > 30 || exact.Steps != 0 || coarse.Steps < 20 || math.Abs(exact.Rates[0]-exact.Spikes/30) > 1e-12 {
		t.Errorf("%+v and %+v", exact, coarse)
	}
}

// few is samples of given values and classes.
type few struct {
	x       *signal.Signal
	classes []int
}

func (f few) Spec() sample.Spec {
	return sample.Spec{Shape: f.x.Shape, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Fields("a b c")}}}
}
func (f few) Len() int            { return f.x.B }
func (f few) Index(i int) int     { return i }
func (f few) Origin(i int) string { return "few" }
func (f few) Read(_ context.Context, i int, x *sample.Sample) error {
	copy(x.X, f.x.Data[i*f.x.Units():])
	x.Targets = append(x.Targets, sample.Target{Class: f.classes[i]})
	return nil
}
func (f few) Target(i, k int) (sample.Target, error) { return sample.Target{Class: f.classes[i]}, nil }

// What an evaluation counts, counted by the ordinary network: units above 0 spike, at 0 they do not,
// and those above their window are clipped, in all batches.
func TestEvaluateCounts(t *testing.T) {
	in := values(11, tensor.Shape{6}, 2)
	g := build(t, tensor.Shape{6}, layer.Linear{Out: 8, NoBias: true}, layer.ReLU{}, layer.Linear{Out: 3})
	for i := range 6 {
		g.Nodes[0].Arrays["weight"].Data[i*8+1] = 0 // a unit that is never above 0, and never below
	}
	half := *in
	half.Data = make([]tensor.Float, len(in.Data))
	for i, v := range in.Data {
		half.Data[i] = v / 2
	}
	n, err := ttfs.New(t.Context(), g, of(&half), ttfs.Options{Margin: 1})
	if err != nil {
		t.Fatal(err)
	}
	want, src := ttfs.Point{N: 11, Rates: []float64{0}, Clipped: []int{0}}, few{in, make([]int, 11)}
	for _, v := range in.Data {
		if v > 0 {
			want.Input += 1.0 / 11
		}
	}
	for _, v := range scores(t, network.Graph{Input: g.Input, Nodes: g.Nodes[:1]}, in) {
		if v > 0 {
			want.Spikes += 1.0 / 11
		}
		if float64(v) > n.Layers[0].Window {
			want.Clipped[0]++
		}
	}
	a, err := n.Run(in, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in.B {
		row := a.Scores.Data[3*i:][:3]
		src.classes[i] = slices.Index(row, slices.Max(row))
	}
	src.classes[4] = (src.classes[4] + 1) % 3
	want.Accuracy, want.Rates[0] = 1000.0/11, want.Spikes/8
	points, err := n.Evaluate(t.Context(), g, ttfs.Evaluation{Source: src, DT: []float64{0}, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	got := points[0]
	for _, c := range [][2]float64{{got.Accuracy, want.Accuracy}, {got.Input, want.Input}, {got.Spikes, want.Spikes}, {got.Rates[0], want.Rates[0]}} {
		if math.Abs(c[0]-c[1]) > 1e-9 {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got.N != 11 || got.Clipped[0] != want.Clipped[0] || want.Clipped[0] < 2 || !(got.Difference > 0) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Windows are the margin over the largest activation of the ordinary network, whose units have no
// negative ones and keep their maximum.
func TestWindows(t *testing.T) {
	g, in := build(t, tensor.Shape{6}, layer.Linear{Out: 5}, layer.ReLU{Max: 0.125}, layer.Linear{Out: 4}, layer.ReLU{}, layer.Linear{Out: 4}, layer.ReLU{}, layer.Linear{Out: 3}), values(20, tensor.Shape{6}, 2)
	n, err := ttfs.New(t.Context(), g, of(in), ttfs.Options{Margin: 3})
	if err != nil {
		t.Fatal(err)
	}
	if w := n.Layers[0].Window; w != 0.125 || n.Layers[0].Largest != 0.125 {
		t.Errorf("a maximum of 0.125, reached: %+v", n.Layers[0])
	}
	for k := 1; k < 3; k++ {
		largest := float64(slices.Max(scores(t, network.Graph{Input: g.Input, Nodes: g.Nodes[:2*k+2]}, in)))
		if l := n.Layers[k]; math.Abs(l.Largest-largest) > 1e-6*largest || math.Abs(l.Window-3*largest) > 1e-5*largest {
			t.Errorf("%+v, the ordinary network's largest activation is %v", l, largest)
		}
	}
}

func Example() {
	net, err := network.Sequential(tensor.Shape{1}, 1, layer.Linear{Out: 1}, layer.ReLU{}, layer.Linear{Out: 1, NoBias: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := net.Graph()
	g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[0].Arrays["bias"].Data[0], g.Nodes[2].Arrays["weight"].Data[0] = 2, 0, 3
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{0.25}}
	n, err := ttfs.New(context.Background(), g, func(yield func(*signal.Signal, error) bool) { yield(in, nil) }, ttfs.Options{Margin: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := n.Run(in, 0, true)
	fmt.Println("window", n.Layers[0].Window, "spikes at", a.Times[0], a.Times[1], "score", a.Scores.Data, err)
	// Output: window 1 spikes at [0.75] [1.5] score [1.5] <nil>
}
