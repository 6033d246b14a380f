package convert_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/convert"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// branched has what graphs have: biases, a residual block with an identity and one with a
// projection, a join, poolings and groups.
func branched(t *testing.T) network.Graph {
	t.Helper()
	conv := func(out, groups int) layer.Layer {
		return layer.Conv2D{Out: out, Kernel: []int{3}, Padding: []int{1}, Groups: groups}
	}
	n, err := network.New(tensor.Shape{8, 8, 2}, 3,
		network.Node{Name: "stem", Layer: conv(4, 0)}, network.Node{Name: "x", Layer: layer.ReLU{}},
		network.Node{Name: "a", Layer: conv(4, 2)}, network.Node{Name: "m", Layer: layer.ReLU{}}, network.Node{Name: "b", Layer: conv(4, 0)},
		network.Node{Name: "sum", Layer: layer.Add{}, Inputs: []string{"b", "x"}}, network.Node{Name: "y", Layer: layer.ReLU{}},
		network.Node{Name: "p", Layer: layer.AvgPool{Size: 2}},
		network.Node{Name: "c", Layer: conv(6, 0)}, network.Node{Name: "short", Layer: layer.Conv2D{Out: 6, Kernel: []int{1}}, Inputs: []string{"p"}},
		network.Node{Name: "sum2", Layer: layer.Add{}, Inputs: []string{"c", "short"}}, network.Node{Name: "z", Layer: layer.ReLU{}},
		network.Node{Name: "both", Layer: layer.Concat{}, Inputs: []string{"z", "p"}},
		network.Node{Name: "flat", Layer: layer.Flatten{}}, network.Node{Name: "hidden", Layer: layer.Linear{Out: 7}}, network.Node{Name: "h", Layer: layer.ReLU{}},
		network.Node{Name: "scores", Layer: layer.Linear{Out: 3}})
	if err != nil {
		t.Fatal(err)
	}
	g := n.Graph()
	for i, nd := range g.Nodes {
		for k := range nd.Arrays["bias"].Data {
			g.Nodes[i].Arrays["bias"].Data[k] = tensor.Float((k*5+i)%7) / 32
		}
	}
	return g
}

// signalsOf are the outputs of all nodes of a graph by name.
func signalsOf(t *testing.T, g network.Graph, in *signal.Signal) map[string]*signal.Signal {
	t.Helper()
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*signal.Signal{}
	if err := n.Compile(nil, false).Activity(in, func(nd network.Info, out *signal.Signal) error { all[nd.Name] = out; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func image(b int, shape tensor.Shape, seed uint64) *signal.Signal {
	return snntest.Random(signal.Constant, 1, b, shape, 1, seed)
}

// Aligned to scales, units give their activations over their scale and the outputs are what
// they were: bit for bit where scales are powers of two, which differ by channel here.
func TestAlign(t *testing.T) {
	g, in := branched(t), image(3, tensor.Shape{8, 8, 2}, 1)
	want := signalsOf(t, g, in)
	for _, c := range []struct {
		base float64
		most float64
	}{{2, 0}, {1.7, 2e-5}} {
		scales := convert.Scales{"h": {c.base * c.base}}
		for name, n := range map[string]int{"x": 4, "m": 4, "y": 4, "z": 6} {
			for k := range n {
				scales[name] = append(scales[name], math.Pow(c.base, float64((k+len(name)+int(name[0]))%5-2)))
			}
		}
		a, r, err := convert.Align{Scales: scales}.Apply(t.Context(), g, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.String(), "reaches sum multiplied by") {
			t.Errorf("report\n%s", r)
		}
		got := signalsOf(t, a, in)
		for name, v := range scales {
			for i, x := range got[name].Data {
				if w := float64(want[name].Data[i]); math.Abs(float64(x)*v[i%len(v)]-w) > c.most*max(1, math.Abs(w)) {
					t.Fatalf("base %v, %s: element %d is %v at scale %v, was %v", c.base, name, i, x, v[i%len(v)], w)
				}
			}
		}
		for i, x := range got["scores"].Data {
			if w := want["scores"].Data[i]; math.Abs(float64(x-w)) > c.most {
				t.Errorf("base %v: score %v, was %v", c.base, x, w)
			}
		}
	}
	// Scales of 1 change nothing, and what comes at its scale gets no layer between.
	same, r, err := convert.Align{Scales: convert.Scales{"x": {1}, "m": {1}, "y": {1}, "z": {1}, "h": {1}}}.Apply(t.Context(), g, nil)
	if err != nil || len(r) > 0 || !reflect.DeepEqual(same.Nodes, network.Edit(g).Graph().Nodes) {
		t.Errorf("scales of 1: %v, %v", r, err)
	}
	for _, bad := range []convert.Scales{{}, {"x": {0}, "m": {1}, "y": {1}, "z": {1}, "h": {1}}, {"x": {1, 2}, "m": {1}, "y": {1}, "z": {1}, "h": {1}}} {
		if _, _, err := (convert.Align{Scales: bad}).Apply(t.Context(), g, nil); err == nil || !strings.Contains(err.Error(), `node "x": has the scales`) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// chain is a network of given weights [in][out] and biases without limits, of vectors.
func chain(t *testing.T, in int, weights ...[]tensor.Float) network.Graph {
	t.Helper()
	var layers []layer.Layer
	n := in
	for k, w := range weights {
		out := len(w) / n
		if k > 0 {
			layers = append(layers, layer.ReLU{})
		}
		layers, n = append(layers, dense(out)), out
	}
	g := net(t, tensor.Shape{in}, layers...).Graph()
	for k, w := range weights {
		copy(g.Nodes[2*k].Arrays["weight"].Data, w)
	}
	return g
}

func constant(steps int, x ...tensor.Float) *signal.Signal {
	return &signal.Signal{Kind: signal.Constant, T: steps, B: 1, Shape: tensor.Shape{len(x)}, Data: x}
}

// decoded is the mean score after some steps.
func decoded(t *testing.T, g network.Graph, steps int, x ...tensor.Float) float64 {
	t.Helper()
	all := signalsOf(t, g, constant(steps, x...))
	out := all[g.Nodes[len(g.Nodes)-1].Name]
	sum := 0.0
	for step := range steps {
		sum += float64(out.Data[step*out.Stride()])
	}
	return sum / float64(steps)
}

func converted(t *testing.T, method string, g network.Graph, o convert.Options) convert.Conversion {
	t.Helper()
	m, err := convert.MethodOf(method)
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Convert(t.Context(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Networks that were worked out by hand.
func TestByHand(t *testing.T) {
	// a = (1, 0, 1), score 4; the largest activation is 1 and the largest weight 2.
	g := chain(t, 2, []tensor.Float{2, 0, 1, 0, -4, 2}, []tensor.Float{1, 1, 3})
	x := []tensor.Float{0.5, 0.25}
	o := convert.Options{Analog: of(constant(1, x...)), Spikes: of(constant(20, x...))}
	c := converted(t, "data", g, o)
	if s := c.Scales["relu1"]; s[0] != 2 {
		t.Errorf("scale %v, want 2", s)
	}
	if a, b := decoded(t, c.Graph, 4, x...), decoded(t, c.Graph, 3, x...); a != 4 || math.Abs(b-8.0/3) > 1e-6 {
		t.Errorf("scores %v after 4 steps and %v after 3, want 4 and 2.667", a, b)
	}
	c = converted(t, "spike-norm", g, o)
	if s := c.Scales["relu1"]; s[0] != 1 || decoded(t, c.Graph, 1, x...) != 4 {
		t.Errorf("spike-norm: scale %v, score %v, want 1 and 4", s, decoded(t, c.Graph, 1, x...))
	}
	// x = 5/8 by a weight of 2 at the scale 2: five spikes in eight steps, by hard reset four.
	g = chain(t, 1, []tensor.Float{2}, []tensor.Float{3})
	aligned, _, err := convert.Align{Scales: convert.Scales{"relu1": {2}}}.Apply(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	for reset, want := range map[neuron.Reset]float64{neuron.Subtract: 6 * 0.625, neuron.Zero: 6 * 0.5} {
		spiking, _, err := convert.Fire{Reset: reset}.Apply(t.Context(), aligned, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := decoded(t, spiking, 8, 0.625); got != want {
			t.Errorf("reset %v: score %v, want %v", reset, got, want)
		}
	}
	// A residual block: x = 3 at scale 4, m = 2 at 2, y = 7.5 at 8, from half of the threshold.
	n, err := network.New(tensor.Shape{1}, 1, network.Node{Name: "in", Layer: dense(1)}, network.Node{Name: "x", Layer: layer.ReLU{}},
		network.Node{Name: "a", Layer: layer.Linear{Out: 1}}, network.Node{Name: "m", Layer: layer.ReLU{}}, network.Node{Name: "b", Layer: layer.Linear{Out: 1}},
		network.Node{Name: "sum", Layer: layer.Add{}, Inputs: []string{"b", "x"}}, network.Node{Name: "y", Layer: layer.ReLU{}}, network.Node{Name: "out", Layer: dense(1)})
	if err != nil {
		t.Fatal(err)
	}
	g = n.Graph()
	for i, w := range map[int][]tensor.Float{0: {1}, 2: {1, -1}, 4: {2, 0.5}, 7: {1}} {
		g.Nodes[i].Arrays["weight"].Data[0] = w[0]
		if len(w) > 1 {
			g.Nodes[i].Arrays["bias"].Data[0] = w[1]
		}
	}
	block, _, err := convert.Apply(t.Context(), g, nil, convert.Align{Scales: convert.Scales{"x": {4}, "m": {2}, "y": {8}}}, convert.Fire{Start: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for steps, want := range map[int]float64{8: 7, 16: 7.5, 64: 7.5, 256: 7.5} {
		if got := decoded(t, block, steps, 3); got != want {
			t.Errorf("block, %d steps: %v, want %v", steps, got, want)
		}
	}
	for _, nd := range block.Nodes {
		if strings.HasPrefix(nd.Name, "x_scale") && nd.Arrays["weight"].Data[0] != 0.5 {
			t.Errorf("the shortcut's factor is %v, want 1/2", nd.Arrays["weight"].Data)
		}
	}
}

// A bias alone, below it any factor of the thresholds: what is decoded is the bias.
func TestBiasesFollowTheFactor(t *testing.T) {
	g := net(t, tensor.Shape{1}, layer.Linear{Out: 1}, layer.ReLU{}, layer.Linear{Out: 1}, layer.ReLU{}, dense(1)).Graph()
	for i, w := range map[int][2]tensor.Float{0: {1, 0}, 2: {0, 0.5}} {
		g.Nodes[i].Arrays["weight"].Data[0], g.Nodes[i].Arrays["bias"].Data[0] = w[0], w[1]
	}
	g.Nodes[4].Arrays["weight"].Data[0] = 1
	for _, factor := range []float64{1, 0.5} {
		g.Nodes[2].Arrays["bias"].Data[0] = 0.25 // below the lowered threshold
		o := convert.Options{Factor: factor, Analog: of(constant(1, 1)), Spikes: of(constant(10, 1))}
		c := converted(t, "rmp", g, o)
		if got := decoded(t, c.Graph, 64, 1); got > 0.25 || got < 0.25*63/64 && factor == 1 {
			t.Errorf("factor %v: %v, want 0.25", factor, got)
		}
	}
}

// Neurons give as many spikes as the law of even input says, and by hand.
func TestCountLaw(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	for _, c := range []struct {
		z                          tensor.Float
		soft, half, hard, hardHalf float64
	}{{0.3125, 3, 3, 2, 3}, {0.375, 3, 4, 3, 3}, {0.625, 6, 6, 5, 5}, {1, 10, 10, 10, 10}, {-0.5, 0, 0, 0, 0}, {2, 10, 10, 10, 10}} {
		for f, want := range map[convert.Fire]float64{{}: c.soft, {Start: 0.5}: c.half, {Reset: neuron.Zero}: c.hard, {Reset: neuron.Zero, Start: 0.5}: c.hardHalf} {
			s, _, err := f.Apply(t.Context(), g, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := 10 * decoded(t, s, 10, c.z); math.Abs(got-want) > 1e-5 {
				t.Errorf("%v of %v in 10 steps: %v spikes, want %v", f, c.z, got, want)
			}
		}
	}
	for _, f := range []convert.Fire{{Start: 1}, {Start: -0.1}, {Start: math.NaN()}, {Reset: neuron.None}} {
		if _, _, err := f.Apply(t.Context(), g, nil); err == nil {
			t.Errorf("%v: no error", f)
		}
	}
}

// More steps bring the scores to those of the ordinary network with activations clipped at
// the scales, by each method, like 1/T.
func TestScoresConverge(t *testing.T) {
	g := branched(t)
	in := image(4, tensor.Shape{8, 8, 2}, 9)
	many := *in
	many.T = 100
	for _, m := range convert.Methods() {
		g := trained(t, m.Name, g, of(in))
		ordinary := signalsOf(t, g, in)["scores"]
		o := convert.Options{Analog: of(in), Spikes: of(&many), Used: of(&many), Steps: 64}
		if m.Name == "spike-norm" {
			o.Rescale, o.Reset = true, new(neuron.Reset)
		}
		if m.Name == "percentile" || m.Name == "channel" || m.Name == "spiking-resnet" {
			o.Percentile = 100
		}
		if m.Name == "rmp" {
			o.Factor = 1
		}
		c, err := m.Convert(t.Context(), g, o)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		var errs []float64
		for _, steps := range []int{64, 512} {
			long := *in
			long.T = steps
			out := signalsOf(t, c.Graph, &long)["scores"]
			most := 0.0
			for i, w := range ordinary.Data {
				sum := 0.0
				for step := range steps {
					sum += float64(out.Data[step*out.Stride()+i])
				}
				most = max(most, math.Abs(sum/float64(steps)-float64(w)))
			}
			errs = append(errs, most)
		}
		t.Logf("%s: %v", m.Name, errs)
		if m.Name == "balance" || m.Name == "calibrate" || m.Name == "qcfs" {
			continue // they clip, or are of as many levels
		}
		if errs[1] > errs[0]/2 || errs[1] > 0.08 {
			t.Errorf("%s: largest errors of a score %v after 64 and 512 steps", m.Name, errs)
		}
	}
}

// Spike-norm by hard reset and RMP with the factor 1 and hard reset are the same network;
// the scales are above all currents of the calibration, and none is too large.
func TestSpikeNorm(t *testing.T) {
	g, batches := random(t, 40)
	hard := neuron.Zero
	o := convert.Options{Analog: of(image(4, tensor.Shape{20}, 1)), Spikes: of(batches...)}
	a := converted(t, "spike-norm", g, o)
	o.Reset, o.Factor = &hard, 1
	if b := converted(t, "rmp", g, o); !reflect.DeepEqual(a.Graph, b.Graph) {
		t.Error("rmp by hard reset with the factor 1 is another network")
	}
	for k, v := range currents(t, a.Graph, batches...) {
		if math.Abs(v-1) > 1e-6 {
			t.Errorf("layer %d: the largest current is %v of the threshold, want 1", k+1, v)
		}
	}
	o.Factor = 0.5
	half := converted(t, "rmp", g, o)
	for name, v := range a.Scales {
		want := map[string]float64{"relu1": 0.5, "relu2": 0.25}[name] * v[0]
		if got := half.Scales[name][0]; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: scale %v with the factor 1/2, want %v", name, got, want)
		}
	}
	o.Factor = 0
	if r := converted(t, "rmp", g, o).Report.String(); !strings.Contains(r, "thresholds multiplied by 0.") {
		t.Errorf("a factor that is found:\n%s", r)
	}
	for _, c := range []struct {
		factor float64
		reset  neuron.Reset
		told   bool
	}{{2, neuron.Subtract, true}, {1, neuron.Subtract, false}, {2, neuron.Zero, false}} {
		o.Factor, o.Reset = c.factor, &c.reset
		if r := converted(t, "rmp", g, o).Report.String(); strings.Contains(r, "relu2: lost: time: with soft reset") != c.told || c.told && !strings.Contains(r, "spikes come 4 times later") {
			t.Errorf("factor %v, reset %v:\n%s", c.factor, c.reset, r)
		}
	}
}

// Scales by hand: of x = (1/2, 1) the units below spike in every second and in each step, so that the
// one above receives 2 at most and is 3/2 active.
func TestFactorByHand(t *testing.T) {
	g := chain(t, 2, []tensor.Float{1, 0, 0, 1}, []tensor.Float{1, 1}, []tensor.Float{1})
	x := of(constant(20, 0.5, 1))
	thousand := &signal.Signal{Kind: signal.Constant, T: 1, B: 1000, Shape: tensor.Shape{2}, Data: make([]tensor.Float, 2000)}
	copy(thousand.Data[100:], []tensor.Float{0.5, 1, 0.25, 0.5})
	for _, c := range []struct {
		method        string
		o             convert.Options
		first, second float64
	}{
		{"rmp", convert.Options{Analog: of(constant(1, 0.5, 1)), Spikes: x}, math.Sqrt(0.75), 2 * 0.75},
		{"rmp", convert.Options{Analog: of(thousand), Spikes: x}, math.Sqrt(0.375), 2 * 0.375},                   // 0.75 is the 999th of a thousand
		{"rmp", convert.Options{Analog: of(constant(1, 1, 1)), Spikes: of(constant(20, 0.25, 0.25))}, 0.25, 0.5}, // never above 1
		{"spike-norm", convert.Options{Analog: x, Spikes: x, Percentile: 50}, 0.5, 1},
	} {
		s := converted(t, c.method, g, c.o).Scales
		if a, b := s["relu1"][0], s["relu2"][0]; math.Abs(a-c.first) > 1e-6 || math.Abs(b-c.second) > 1e-6 {
			t.Errorf("%s: scales %v and %v, want %v and %v", c.method, a, b, c.first, c.second)
		}
	}
}

// With the paper's way for residual blocks all layers behind the first branch have the scale
// before it, so that shortcuts need no factor; biases there are refused by name.
func TestSpikeNormUnitThresholds(t *testing.T) {
	g := branched(t)
	in := image(2, tensor.Shape{8, 8, 2}, 5)
	in.T = 10
	o := convert.Options{Analog: of(in), Spikes: of(in)}
	m, _ := convert.MethodOf("spike-norm")
	if _, err := m.Convert(t.Context(), g, o); err == nil || !strings.Contains(err.Error(), `node "a": has a bias`) {
		t.Errorf("biases: %v", err)
	}
	for i := range g.Nodes {
		switch l := g.Nodes[i].Layer.(type) {
		case layer.Conv2D:
			l.NoBias = true
			g.Nodes[i].Layer = l
		case layer.Linear:
			l.NoBias = true
			g.Nodes[i].Layer = l
		}
		delete(g.Nodes[i].Arrays, "bias")
	}
	c, err := m.Convert(t.Context(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range c.Scales {
		if v[0] != c.Scales["x"][0] {
			t.Errorf("%s: scale %v, want that of x, %v", name, v, c.Scales["x"])
		}
	}
	for _, nd := range c.Graph.Nodes {
		if strings.Contains(nd.Name, "_scale") {
			t.Errorf("%s was put between", nd.Name)
		}
	}
}

// Percentiles are those of sorting, too large by at most 1/4096 of the largest, and do not
// depend on how samples are parted into batches. Those of inputs are those of activations.
func TestPercentiles(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	var x []tensor.Float
	for i := range 1000 {
		x = append(x, tensor.Float(i-499)/100)
	}
	batches := func(n int) network.Calibration {
		return func(yield func(*signal.Signal, error) bool) {
			for i := 0; i < len(x); i += n {
				if !yield(&signal.Signal{Kind: signal.Constant, T: 1, B: n, Shape: tensor.Shape{1}, Data: x[i : i+n]}, nil) {
					return
				}
			}
		}
	}
	for _, c := range []struct {
		p       float64
		nonzero bool
		want    float64
	}{{99.9, false, 4.99}, {90, false, 4.00}, {90, true, 4.50}, {100, false, 5}, {75, false, 2.5}, {50, true, 2.5}} {
		scales := convert.Scales{}
		for _, n := range []int{1000, 125} {
			if _, _, err := (convert.Normalize{By: convert.Percentile, P: c.p, Nonzero: c.nonzero, Scales: scales}).Apply(t.Context(), g, batches(n)); err != nil {
				t.Fatal(err)
			}
			if got := scales["relu1"][0]; got < c.want-1e-6 || got > c.want+5.0/4096+1e-6 {
				t.Errorf("%v percentile, nonzero %v, batches of %d: %v, want %v", c.p, c.nonzero, n, got, c.want)
			}
			if c.nonzero {
				continue
			}
			b, _, err := convert.Apply(t.Context(), g, batches(n), convert.Swap{Spiking: stdb}, convert.Balance{Factor: 1, Percentile: c.p})
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Nodes[1].Layer.(layer.Spiking).Neuron.(neuron.STDB).Threshold; got != scales["relu1"][0] {
				t.Errorf("%v percentile of inputs, batches of %d: threshold %v, of the same activations %v", c.p, n, got, scales["relu1"])
			}
		}
	}
	if _, _, err := (convert.Normalize{By: convert.Percentile, P: 40}).Apply(t.Context(), g, batches(1000)); err == nil || !strings.Contains(err.Error(), `node "relu1": the 40 percentile of its activations is 0`) {
		t.Errorf("a percentile among zeros: %v", err)
	}
	inputs := func(p float64, x ...tensor.Float) (float64, error) {
		in := &signal.Signal{Kind: signal.Constant, T: 1, B: len(x), Shape: tensor.Shape{1}, Data: x}
		b, _, err := convert.Apply(t.Context(), g, of(in), convert.Swap{Spiking: stdb}, convert.Balance{Factor: 1, Percentile: p})
		if err != nil {
			return 0, err
		}
		return b.Nodes[1].Layer.(layer.Spiking).Neuron.(neuron.STDB).Threshold, nil
	}
	if v, err := inputs(50, 0, 1); err == nil || !strings.Contains(err.Error(), "the 50 percentile of its inputs is not above 0") {
		t.Errorf("an input that is 0: %v, %v", v, err)
	}
	if v, err := inputs(50, 1e-5, 1); err != nil || v != 1.0/4096 {
		t.Errorf("an input that is hardly above 0: %v, %v, want a bin", v, err)
	}
	// the least squared error after 2 steps of values in (0, 5]: worked out by trying all
	scales := convert.Scales{}
	if _, _, err := (convert.Normalize{By: convert.Fitted, Steps: 2, Start: 0.5, Scales: scales}).Apply(t.Context(), g, batches(1000)); err != nil {
		t.Fatal(err)
	}
	best, least := 0.0, math.Inf(1)
	for i := range 95 {
		s, sum := 5*(1-float64(i)/100), 0.0
		for k := 1; k <= 500; k++ {
			a := float64(k) / 100
			sum += math.Pow(s/2*min(2, math.Floor(a*2/s+0.5))-a, 2)
		}
		if sum < least {
			best, least = s, sum
		}
	}
	if got := scales["relu1"][0]; math.Abs(got-best) > 0.051 {
		t.Errorf("fitted %v, want %v", got, best)
	}
}

// Where nearly all activations are small the fit goes down to 0.06 of the largest, and no further.
func TestFittedGoesDownToSixHundredths(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	x := []tensor.Float{1}
	for range 10_000 {
		x = append(x, 0.05)
	}
	scales := convert.Scales{}
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: len(x), Shape: tensor.Shape{1}, Data: x}
	if _, _, err := (convert.Normalize{By: convert.Fitted, Steps: 1, Start: 0.5, Scales: scales}).Apply(t.Context(), g, of(in)); err != nil {
		t.Fatal(err)
	}
	if got := scales["relu1"][0]; math.Abs(got-0.06) > 1e-6 {
		t.Errorf("fitted %v, want 0.06", got)
	}
}

// A unit with a maximum clips by itself: what is above it was told as an error that was inherited, and
// once more as one of clipping, where the layer loses nothing.
func TestLayersOfUnitsWithMaximum(t *testing.T) {
	net, err := network.New(tensor.Shape{2}, 1, network.Chain(layer.Linear{Out: 2, NoBias: true}, layer.ReLU{Max: 1}, layer.Linear{Out: 1})...)
	if err != nil {
		t.Fatal(err)
	}
	g := net.Graph()
	copy(g.Nodes[0].Arrays["weight"].Data, []tensor.Float{1, 0, 0, 1})
	in := constant(1, 0.5, 3)
	c := converted(t, "percentile", g, convert.Options{Analog: of(in)})
	list, err := c.Layers(t.Context(), nil, of(in), of(constant(2, 0.5, 3)))
	if err != nil {
		t.Fatal(err)
	}
	if l := list[0]; l.Scale != 1 || l.Rate != 0.75 || l.Error != (convert.Split{}) {
		t.Errorf("scale %v, rate %v, error %+v, want 1, 0.75 and none", l.Scale, l.Rate, l.Error)
	}
}

// The parts of a layer's error are what they are for inputs worked out by hand, and a layer
// without loss has none.
func TestLayers(t *testing.T) {
	g := chain(t, 2, []tensor.Float{1, 0, 0, 1}, []tensor.Float{1, 1})
	in := constant(1, 0.75, 3)
	c := converted(t, "percentile", g, convert.Options{Percentile: 50, Nonzero: true, Analog: of(in)})
	c.Scales["relu1"] = []float64{1}
	aligned, _, err := convert.Align{Scales: c.Scales}.Apply(t.Context(), c.Ordinary, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Graph, _, err = c.Fire.Apply(t.Context(), aligned, nil); err != nil {
		t.Fatal(err)
	}
	list, err := c.Layers(t.Context(), nil, of(in), of(constant(2, 0.75, 3)))
	if err != nil {
		t.Fatal(err)
	}
	// rates 1/2 and 1 after two steps; a² = 0.5625 + 9
	l, rms := list[0], math.Sqrt(9.5625)
	for name, v := range map[string][2]float64{
		"rate": {l.Rate, 0.75}, "above": {l.Above, 0.5}, "largest": {l.Largest, 3}, "transmitted": {l.Transmitted, 1.5 / 3.75},
		"clip": {l.Error.Clip, 2 / rms}, "quantise": {l.Error.Quantise, 0.25 / rms}, "uneven": {l.Error.Uneven, 0}, "inherited": {l.Error.Inherited, 0},
		"total": {l.Error.Total, math.Sqrt(4.0625) / rms}, "own": {l.Error.Own, math.Sqrt(4.0625) / rms}, "correlation": {l.Correlation, 1},
		"farthest": {l.Farthest, 2}, "backlog": {l.Backlog, 0.5}, // the second neuron got 6 and gave 2
	} {
		if math.Abs(v[0]-v[1]) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, v[0], v[1])
		}
	}
	if l.Name != "spiking1" || l.Op != "linear" || l.Scale != 1 || l.Threshold != 1 {
		t.Errorf("%+v", l)
	}
	capped := c
	capped.Ordinary.Nodes = slices.Clone(c.Ordinary.Nodes)
	capped.Ordinary.Nodes[1].Layer = layer.ReLU{Max: 1}
	capped.Scales = convert.Scales{"relu1": {1, 2}}
	if _, err := capped.Layers(t.Context(), nil, of(in), of(constant(2, 0.75, 3))); err == nil || !strings.Contains(err.Error(), "scales that differ by channel") {
		t.Errorf("scales of channels of a unit with a maximum: %v", err)
	}
	if _, err := c.Layers(t.Context(), nil, of(), of(constant(2, 0.75, 3))); err == nil || !strings.Contains(err.Error(), "other samples") {
		t.Errorf("without samples for one of them: %v", err)
	}
}

// Spikes are counted where they are, in layers of more units than a word of bits has and in each
// sample of a batch: unit k fires in k mod 8 + 1 of eight steps for the second sample alone.
func TestLayersOfManyUnits(t *testing.T) {
	const units = 130
	w := make([]tensor.Float, units)
	for k := range w {
		w[k] = tensor.Float(k%8+1) / 8
	}
	g := chain(t, 1, w, make([]tensor.Float, units))
	batch := func(steps int) *signal.Signal {
		return &signal.Signal{Kind: signal.Constant, T: steps, B: 2, Shape: tensor.Shape{1}, Data: []tensor.Float{0, 1}}
	}
	c := converted(t, "percentile", g, convert.Options{Percentile: 100, Analog: of(batch(1))})
	list, err := c.Layers(t.Context(), nil, of(batch(1)), of(batch(8)))
	if err != nil {
		t.Fatal(err)
	}
	if len(list[0].Channels) != units || list[0].Error.Total > 1e-6 {
		t.Fatalf("%d channels, error %v", len(list[0].Channels), list[0].Error)
	}
	for k, rate := range list[0].Channels {
		if want := float64(k%8+1) / 16; math.Abs(rate-want) > 1e-12 {
			t.Errorf("unit %d fires at %v, want %v", k, rate, want)
		}
	}
}

// Backlog is what neurons really hold: those whose membrane is at the threshold or above after
// the last step, and with hard reset none.
func TestBacklog(t *testing.T) {
	g := chain(t, 3, []tensor.Float{1, 0, 0, 0, 1, 0, 0, 0, 1}, []tensor.Float{1, 1, 1})
	in := constant(1, 0.75, 1.25, 2)
	for _, reset := range []neuron.Reset{neuron.Subtract, neuron.Zero} {
		for _, steps := range []int{1, 3, 4, 8} {
			c := converted(t, "percentile", g, convert.Options{Percentile: 30, Reset: &reset, Analog: of(in)})
			scale := c.Scales["relu1"][0]
			list, err := c.Layers(t.Context(), nil, of(in), of(constant(steps, 0.75, 1.25, 2)))
			if err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for _, x := range []float64{0.75, 1.25, 2} {
				v := 0.0
				for range steps {
					v += x / scale
					if v >= 1 {
						if v--; reset == neuron.Zero {
							v = 0
						}
					}
				}
				if v >= 1 {
					want += 1.0 / 3
				}
			}
			if math.Abs(list[0].Backlog-want) > 1e-9 {
				t.Errorf("%v, %d steps, scale %v: backlog %v, want %v", reset, steps, scale, list[0].Backlog, want)
			}
		}
	}
}

// A percentile of the currents lowers the threshold that spike-norm finds.
func TestSpikeNormByPercentile(t *testing.T) {
	g := chain(t, 2, []tensor.Float{1, 0, 0, 1}, []tensor.Float{1, 1})
	in := constant(1, 0.5, 4)
	most := converted(t, "spike-norm", g, convert.Options{Analog: of(in), Spikes: of(constant(4, 0.5, 4))})
	half := converted(t, "spike-norm", g, convert.Options{Percentile: 50, Analog: of(in), Spikes: of(constant(4, 0.5, 4))})
	if a, b := most.Scales["relu1"][0], half.Scales["relu1"][0]; a != 4 || math.Abs(b-0.5) > 4.0/4096 {
		t.Errorf("thresholds %v and %v, want 4 and 0.5", a, b)
	}
}

// Folded batch normalisations, with biases, a negative factor and one that follows a stride,
// leave the outputs: within 1e-5, in float64 1e-12 of the largest.
func TestFold(t *testing.T) {
	g := net(t, tensor.Shape{9, 9, 2}, layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, Stride: []int{2}}, layer.BatchNorm{}, layer.ReLU{}, layer.Dropout{Rate: 0.5},
		layer.Conv2D{Out: 3, Kernel: []int{3}, NoBias: true}, layer.BatchNorm{}, layer.ReLU{}, layer.Flatten{}, layer.Linear{Out: 5}, layer.BatchNorm{}, layer.ReLU{}, layer.Linear{Out: 2}).Graph()
	for i, nd := range g.Nodes {
		for role, a := range nd.Arrays {
			for k := range a.Data {
				switch role {
				case "gamma":
					a.Data[k] = tensor.Float(k%3-1) * 1.5
				case "beta", "mean", "bias":
					a.Data[k] = tensor.Float((k+i)%5)/8 - 0.2
				case "variance":
					a.Data[k] = 0.3 + tensor.Float(k%4)/2
				}
			}
		}
	}
	in := image(5, tensor.Shape{9, 9, 2}, 3)
	folded, r, err := convert.Fold{}.Apply(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(folded.Nodes) != len(g.Nodes)-4 || !strings.Contains(r.String(), "dropout1: changed: is gone") {
		t.Errorf("%d nodes of %d\n%s", len(folded.Nodes), len(g.Nodes), r)
	}
	want, got := signalsOf(t, g, in), signalsOf(t, folded, in)
	bound := 1e-5
	if tensor.Float(1)+1e-12 > 1 {
		bound = 1e-12
	}
	for _, name := range []string{"relu1", "relu2", "relu3", "linear2"} {
		most, off := 0.0, 0.0
		for i, w := range want[name].Data {
			most, off = max(most, math.Abs(float64(w))), max(off, math.Abs(float64(w-got[name].Data[i])))
		}
		if off > bound*most || most == 0 {
			t.Errorf("%s: off by %v of %v", name, off, most)
		}
	}
}

// What cannot be converted is refused by name before a sample is asked for, with what to do.
func TestMethodsRefuse(t *testing.T) {
	never := func(func(*signal.Signal, error) bool) { t.Error("the calibration was asked for") }
	n, err := network.New(tensor.Shape{8, 8, 1}, 1,
		network.Node{Name: "c", Layer: layer.Conv2D{Out: 2, Kernel: []int{3}}}, network.Node{Name: "leaky", Layer: layer.ReLU{Slope: 0.1}},
		network.Node{Name: "norm", Layer: layer.BatchNorm{}}, network.Node{Name: "max", Layer: layer.MaxPool{Size: 2}}, network.Node{Name: "flat", Layer: layer.Flatten{}},
		network.Node{Name: "spikes", Layer: stdb}, network.Node{Name: "l", Layer: dense(3)}, network.Node{Name: "late", Layer: layer.Readout{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range convert.Methods() {
		_, err := m.Convert(t.Context(), n.Graph(), convert.Options{Analog: never, Spikes: never, Steps: 8, Pooling: convert.Refuse})
		for _, want := range []string{
			`node "leaky": is a leaky relu, and no spike is negative; train with slope 0`, `node "norm": is a batch normalisation that cannot be folded: it follows leaky`,
			`node "max": takes maxima`, `node "spikes": is spiking already`, `node "late": is of kind readout`,
		} {
			if m.Leaky && strings.Contains(want, `"leaky"`) {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", m.Name, err, want)
			}
		}
	}
	if _, err := convert.MethodOf("precentile"); err == nil || !strings.Contains(err.Error(), "percentile") {
		t.Errorf("%v", err)
	}
	g, batches := random(t, 5)
	for _, c := range []struct {
		method string
		o      convert.Options
		want   string
	}{
		{"model", convert.Options{Percentile: 99}, "does without percentile"},
		{"percentile", convert.Options{Factor: 0.5}, "does without factor"},
		{"rmp", convert.Options{Rescale: true}, "does without rescale"},
		{"percentile", convert.Options{Percentile: 101, Analog: of(batches...)}, "percentile is 101"},
		{"percentile", convert.Options{}, "no samples to calibrate by"},
		{"data", convert.Options{Analog: of()}, "there are no samples"},
		{"rmp", convert.Options{Factor: -1, Spikes: of(batches...), Analog: of(batches...)}, "factor is -1"},
		{"spike-norm", convert.Options{}, "no samples to calibrate by"},
		{"balance", convert.Options{Analog: of(batches...)}, "a fit for 0 steps"},
	} {
		m, err := convert.MethodOf(c.method)
		if err == nil {
			_, err = m.Convert(t.Context(), g, c.o)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.method, err, c.want)
		}
	}
	// a layer that nothing drives
	in := image(3, tensor.Shape{20}, 4)
	for i, v := range in.Data {
		in.Data[i] = max(v, -v)
	}
	for i := range g.Nodes[0].Arrays["weight"].Data {
		g.Nodes[0].Arrays["weight"].Data[i] = -1
	}
	for _, name := range []string{"data", "model", "percentile", "channel", "spike-norm", "rmp", "spiking-resnet", "balance", "calibrate"} {
		m, _ := convert.MethodOf(name)
		_, err := m.Convert(t.Context(), g, convert.Options{Analog: of(in), Spikes: of(in), Used: of(in), Steps: 4})
		if err == nil || !strings.Contains(err.Error(), `node "relu1"`) {
			t.Errorf("%s, a silent layer: %v", name, err)
		}
	}
}

// Max pooling before and after rectified units becomes a count, whose scores go to those of the
// ordinary network; means in its place are asked for, and said to be a loss.
func TestPools(t *testing.T) {
	g := net(t, tensor.Shape{8, 8, 1}, layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}, layer.ReLU{}, layer.MaxPool{Size: 2},
		layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}, layer.MaxPool{Size: 2}, layer.ReLU{}, layer.Flatten{}, dense(3)).Graph()
	in := image(3, tensor.Shape{8, 8, 1}, 4)
	c := converted(t, "spiking-resnet", g, convert.Options{Percentile: 100, Analog: of(in)})
	long := *in
	long.T = 512
	want, got := signalsOf(t, g, in)["linear1"], signalsOf(t, c.Graph, &long)["linear1"]
	for i, w := range want.Data {
		sum := 0.0
		for step := range long.T {
			sum += float64(got.Data[step*got.Stride()+i])
		}
		if v := sum / float64(long.T); math.Abs(v-float64(w)) > 0.01*max(1, math.Abs(float64(w))) {
			t.Errorf("score %d: %v after 512 steps, want %v", i, v, w)
		}
	}
	if list, err := c.Layers(t.Context(), nil, of(in), of(&long)); err != nil || len(list) != 2 || !(list[1].Correlation > 0.999) {
		t.Errorf("%+v, %v", list, err)
	}
	means := converted(t, "data", g, convert.Options{Pooling: convert.Means, Analog: of(in)})
	if !strings.Contains(means.Report.String(), "maxpool1: lost: its maxima") {
		t.Errorf("report\n%s", means.Report)
	}
}

// The gates of the leader and of any spike stand behind units, where exchanging them with the pooling
// changes nothing, and pass more spikes than the exact one; of currents they are refused.
func TestOtherGates(t *testing.T) {
	layers := []layer.Layer{layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}, layer.MaxPool{Size: 2}, layer.ReLU{},
		layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}, layer.ReLU{}, layer.MaxPool{Size: 2}, layer.Flatten{}, dense(3)}
	g := net(t, tensor.Shape{8, 8, 1}, layers...).Graph()
	in := image(3, tensor.Shape{8, 8, 1}, 4)
	long := *in
	long.T = 128
	passed := map[convert.Pooling]int{}
	for by, want := range map[convert.Pooling]string{convert.Gates: "", convert.Leads: "maxpool2: lost: its maxima", convert.Any: "maxpool1: changed: and relu1 changed places"} {
		c := converted(t, "percentile", g, convert.Options{Pooling: by, Analog: of(in)})
		if !strings.Contains(c.Report.String(), want) {
			t.Errorf("%v: report\n%s", by, c.Report)
		}
		whole, ordinary := signalsOf(t, g, in)["linear1"], signalsOf(t, c.Ordinary, in)["linear1"]
		if by == convert.Leads || by == convert.Any {
			for i, v := range ordinary.Data {
				if v != whole.Data[i] {
					t.Fatalf("%v: ordinary scores %v, before %v", by, ordinary.Data, whole.Data)
				}
			}
		}
		out := signalsOf(t, c.Graph, &long)["maxpool2"]
		if out.Kind != signal.Spikes {
			t.Fatalf("%v: gives %v", by, out.Kind)
		}
		passed[by] = out.Raster.Count(0, out.Rows())
	}
	if !(passed[convert.Any] > passed[convert.Leads] && passed[convert.Leads] >= passed[convert.Gates]) {
		t.Errorf("spikes %v", passed)
	}
	currents := net(t, tensor.Shape{8, 8, 1}, layer.Conv2D{Out: 3, Kernel: []int{3}}, layer.ReLU{}, layer.AvgPool{Size: 2}, layer.MaxPool{Size: 3}, layer.Flatten{}, dense(3)).Graph()
	for _, by := range []convert.Pooling{convert.Leads, convert.Any} {
		if _, _, err := (convert.Pools{By: by}).Apply(t.Context(), currents, nil); err == nil || !strings.Contains(err.Error(), `node "maxpool1": takes maxima of what are no spikes`) {
			t.Errorf("%v: %v", by, err)
		}
	}
}

// The factor of spiking-resnet is of weights behind spikes alone, and never below 1.
func TestCompensate(t *testing.T) {
	g := branched(t)
	out, _, err := convert.Compensate{Factor: 2}.Apply(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, nd := range g.Nodes {
		for role, a := range nd.Arrays {
			factor := tensor.Float(2)
			if nd.Name == "stem" || role == "bias" {
				factor = 1
			}
			if b := out.Nodes[i].Arrays[role]; b.Data[0] != factor*a.Data[0] {
				t.Errorf("%s of %s: %v of %v", role, nd.Name, b.Data[0], a.Data[0])
			}
		}
	}
	if _, _, err := (convert.Compensate{Factor: 0.9}).Apply(t.Context(), g, nil); err == nil || !strings.Contains(err.Error(), "factor is 0.9") {
		t.Error(err)
	}
}

// A conversion and the figures of its layers are the same, bit for bit, whatever the batches of the
// calibration and the threads; a curve whatever the threads is tested beside it.
func TestConversionDoesNotDependOnBatches(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	g, in := branched(t), image(6, tensor.Shape{8, 8, 2}, 2)
	parted := func(n, steps int) network.Calibration {
		return func(yield func(*signal.Signal, error) bool) {
			for b := 0; b < 6; b += n {
				one := *in
				one.B, one.T, one.Data = n, steps, in.Data[b*128:][:n*128]
				if !yield(&one, nil) {
					return
				}
			}
		}
	}
	for _, m := range convert.Methods() {
		g := trained(t, m.Name, g, of(in))
		o := convert.Options{Analog: parted(6, 1), Spikes: parted(6, 16), Used: parted(6, 16), Steps: 16, Rescale: m.Name == "spike-norm"}
		a := converted(t, m.Name, g, o)
		o.Analog, o.Spikes, o.Used, o.Pool = parted(2, 1), parted(2, 16), parted(2, 16), pool
		b := converted(t, m.Name, g, o)
		if !reflect.DeepEqual(a.Graph, b.Graph) || !reflect.DeepEqual(a.Scales, b.Scales) {
			t.Errorf("%s: other batches and threads give another network", m.Name)
		}
		x, err := a.Layers(t.Context(), nil, parted(6, 1), parted(6, 16))
		if err != nil {
			t.Fatal(err)
		}
		y, err := a.Layers(t.Context(), pool, parted(3, 1), parted(3, 16))
		if err != nil || fmt.Sprint(x) != fmt.Sprint(y) { // NaN where nothing fires
			t.Errorf("%s: other batches and threads give other figures of layers: %v", m.Name, err)
		}
	}
}

// Operations are spikes by their true fan-out, that of borders, strides, groups, poolings
// and joins: here all units of the first layer fire in each step and no others.
func TestOperations(t *testing.T) {
	all := layer.Conv2D{Out: 2, Kernel: []int{1}}
	for _, c := range []struct {
		want   float64 // a step
		behind []layer.Layer
	}{
		{49 * 2 * 3, []layer.Layer{layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}}},
		{16 * 2 * 3, []layer.Layer{layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}, Stride: []int{2}}}},
		{49 * 2 * 2, []layer.Layer{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, Groups: 2}}},
		{18 * 5, []layer.Layer{layer.Flatten{}, layer.Linear{Out: 5}}},
		{16 * 2 * 5, []layer.Layer{layer.AvgPool{Size: 2, Stride: 1}, layer.Flatten{}, layer.Linear{Out: 5}}},
		{18 * 5, []layer.Layer{layer.GlobalAvgPool{}, layer.Linear{Out: 5}}},
		{18 * 4 * 5, []layer.Layer{layer.Upsample{Factor: 2}, layer.Flatten{}, layer.Linear{Out: 5}}},
	} {
		layers := append([]layer.Layer{all, layer.ReLU{}}, c.behind...)
		layers = append(layers, layer.ReLU{}, layer.Flatten{}, dense(3))
		if _, ok := c.behind[len(c.behind)-1].(layer.Linear); ok {
			layers = append(layers[:len(layers)-2], dense(3))
		}
		g := net(t, tensor.Shape{3, 3, 1}, layers...).Graph()
		for i, nd := range g.Nodes {
			for k := range nd.Arrays["weight"].Data {
				nd.Arrays["weight"].Data[k] = -1
			}
			for k := range nd.Arrays["bias"].Data {
				nd.Arrays["bias"].Data[k] = map[bool]tensor.Float{true: 1}[i == 0]
			}
		}
		spiking, _, err := convert.Fire{}.Apply(t.Context(), g, nil)
		if err != nil {
			t.Fatal(err)
		}
		src := values{spec: sample.Spec{Shape: tensor.Shape{3, 3, 1}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Fields("a b c")}}}, x: make([]tensor.Float, 2*9)}
		points, err := convert.Curve(t.Context(), spiking, convert.CurveOptions{Source: src, Encoder: encode.Constant{}, Steps: []int{1, 4}, Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		if points[0].Synops != c.want || points[1].Synops != 4*c.want || points[1].Spikes != 4*18 {
			t.Errorf("%+v: %+v, want %v operations a step", c.behind, points, c.want)
		}
	}
}

// Bands are Wilson's: of 97 % in 10,000 about a third of a point to each side, and never
// beyond 0 and 100.
func TestBand(t *testing.T) {
	lo, hi := convert.Band(97, 10000)
	if math.Abs(lo-96.647) > 0.01 || math.Abs(hi-97.317) > 0.01 {
		t.Errorf("97 %% of 10,000: %v to %v", lo, hi)
	}
	if lo, hi = convert.Band(100, 50); lo < 90 || lo > 95 || hi != 100 {
		t.Errorf("100 %% of 50: %v to %v", lo, hi)
	}
	if lo, hi = convert.Band(0, 0); lo != 0 || hi != 100 {
		t.Errorf("of none: %v to %v", lo, hi)
	}
}

// Of leaky units |a| is what counts: a channel that is always below zero has a scale of its own, one that
// hardly leaves zero gets the least, which is told. Weights go from the scale of where they come from to
// that of where they lead.
func TestScalesOfLeakyUnits(t *testing.T) {
	g := net(t, tensor.Shape{3}, dense(3), layer.ReLU{Slope: 0.1}, dense(1)).Graph()
	copy(g.Nodes[0].Arrays["weight"].Data, []tensor.Float{1, 0, 0, 0, 1, 0, 0, 0, 1})
	copy(g.Nodes[2].Arrays["weight"].Data, []tensor.Float{1, 1, 1})
	scales := convert.Scales{}
	out, r, err := convert.Normalize{By: convert.Percentile, P: 100, Channel: true, Scales: scales}.
		Apply(t.Context(), g, of(constant(1, 2, -5, 1e-6), constant(1, 1, -30, 1e-7)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2, 3, 3e-4} { // −30 is −3 behind the slope
		if got := scales["relu1"][i]; math.Abs(got/want-1) > 1.0/4096 {
			t.Errorf("channel %d: %v, want %v", i, got, want)
		}
		w, v := out.Nodes[0].Arrays["weight"].Data[i*4], out.Nodes[2].Arrays["weight"].Data[i]
		if math.Abs(float64(w)*want-1) > 1e-3 || math.Abs(float64(v)/want-1) > 1e-3 {
			t.Errorf("channel %d: weights %v and %v, want %v and %v", i, w, v, 1/want, want)
		}
	}
	if !strings.Contains(r.String(), "scales of 1 channels raised to 0.0001 of the largest") {
		t.Errorf("report\n%s", r)
	}
}

// Outputs that are never above zero are read off negative spikes of the size of |o|.
func TestCountsOfNegativeOutputs(t *testing.T) {
	g := chain(t, 1, []tensor.Float{-5})
	out, _, err := convert.Counts{Ordinary: g}.Apply(t.Context(), g, of(constant(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range map[tensor.Float]float64{1: -5, 0.5: -2.5, 2: -5} { // one spike a step at most
		if got := decoded(t, out, 8, x); math.Abs(got-want) > 1e-5 {
			t.Errorf("input %v: %v, want %v", x, got, want)
		}
	}
}

// Parts of errors at scales that are not 1, by hand. Of 0.75 at the scale 2 four steps tell 0.5; the
// layer behind inherits what is lacking. In eight steps of hard reset from ½ a neuron fires after 2, 5 and 8.
func TestLayersAtScales(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1}, []tensor.Float{1})
	figures := func(f convert.Fire, x tensor.Float, scale float64, steps int) []convert.LayerFigures {
		c := convert.Conversion{Fire: f, Ordinary: g, Scales: convert.Scales{"relu1": {scale}, "relu2": {scale}}}
		var err error
		if c.Graph, _, err = convert.Apply(t.Context(), g, nil, convert.Align{Scales: c.Scales}, f); err != nil {
			t.Fatal(err)
		}
		list, err := c.Layers(t.Context(), nil, of(constant(1, x)), of(constant(steps, x)))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	third := 1.0 / 3
	list := figures(convert.Fire{}, 0.75, 2, 4)
	if e := list[0].Error; e != (convert.Split{Total: third, Own: third, Quantise: third}) {
		t.Errorf("first layer: %+v", e)
	}
	if e := list[1].Error; e != (convert.Split{Total: third, Inherited: third}) {
		t.Errorf("second layer: %+v", e)
	}
	if l := figures(convert.Fire{Reset: neuron.Zero, Start: 0.5}, 0.75, 2, 8)[0]; l.Error != (convert.Split{}) || l.Rate != 0.375 {
		t.Errorf("hard reset: rate %v, error %+v", l.Rate, l.Error)
	}
	// From ½ two inputs of 1.25 leave 1 behind two spikes; steps before the run are no part of a rate.
	if l := figures(convert.Fire{Start: 0.5}, 1.25, 1, 2)[0]; l.Backlog != 1 {
		t.Errorf("backlog %v, want 1", l.Backlog)
	}
	if l := figures(convert.Fire{Start: 0.5, Residual: 2}, 1, 1, 4)[0]; l.Rate != 1 || l.Error != (convert.Split{}) {
		t.Errorf("steps before the run: rate %v, error %+v", l.Rate, l.Error)
	}
}

// Biases move towards the activation: 0.75 fires in one of two steps, and with 0.25 more in both.
func TestCalibrateAddsWhatIsLacking(t *testing.T) {
	g, _, err := convert.Calibrate{Analog: of(constant(1, 0.75))}.Apply(t.Context(), chain(t, 1, []tensor.Float{1}, []tensor.Float{1}), of(constant(2, 0.75)))
	if err != nil {
		t.Fatal(err)
	}
	if b := g.Nodes[0].Arrays["bias"].Data; len(b) != 1 || b[0] != 0.25 {
		t.Errorf("bias %v, want 0.25", b)
	}
}

// The factor that rmp finds: units of 1 and 0.25 fire together in every fourth step, which drives the
// one behind by 2, and its activation is 1.25: α = √(1.25/2). It raises no threshold.
func TestFactorIsFound(t *testing.T) {
	g := chain(t, 2, []tensor.Float{1, 0, 0, 1}, []tensor.Float{1, 1}, []tensor.Float{1})
	c := converted(t, "rmp", g, convert.Options{Analog: of(constant(1, 1, 0.25)), Spikes: of(constant(8, 1, 0.25))})
	alpha := math.Sqrt(1.25 / 2)
	if a, b := c.Scales["relu1"][0], c.Scales["relu2"][0]; math.Abs(a-alpha) > 1e-6 || math.Abs(b-1.25) > 1e-6 {
		t.Errorf("scales %v and %v, want %v and 1.25", a, b, alpha)
	}
	one := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	both := func(steps int) network.Calibration { return of(constant(steps, 0.25), constant(steps, 1)) }
	c = converted(t, "rmp", one, convert.Options{Percentile: 50, Analog: both(1), Spikes: both(4)})
	if v := c.Scales["relu1"][0]; v != 0.25 {
		t.Errorf("scale %v, want the 0.25 that was measured", v)
	}
}

// What a join is wanted at its branches take each in their own channels, without a layer between.
func TestAlignJoins(t *testing.T) {
	n, err := network.New(tensor.Shape{2}, 1, network.Node{Name: "a", Layer: dense(2)}, network.Node{Name: "b", Layer: dense(2), Inputs: []string{network.Input}},
		network.Node{Name: "both", Layer: layer.Concat{}, Inputs: []string{"a", "b"}}, network.Node{Name: "x", Layer: layer.ReLU{}}, network.Node{Layer: dense(1)})
	if err != nil {
		t.Fatal(err)
	}
	g := n.Graph()
	out, r, err := convert.Align{Scales: convert.Scales{"x": {1, 2, 4, 8}}}.Apply(t.Context(), g, nil)
	if err != nil || len(r) > 0 || len(out.Nodes) != len(g.Nodes) {
		t.Fatalf("%d nodes, %v, %v", len(out.Nodes), r, err)
	}
	for i, v := range g.Nodes[1].Arrays["weight"].Data {
		if w := out.Nodes[1].Arrays["weight"].Data[i]; w != v/[]tensor.Float{4, 8}[i%2] {
			t.Errorf("weight %d is %v of %v", i, w, v)
		}
	}
}

// More steps than are counted exactly ended in a division by zero.
func TestStudyBoundsSteps(t *testing.T) {
	g, _ := random(t, 1)
	m, _ := convert.MethodOf("data")
	_, set := mnist.Sample()
	s := convert.Study{Graph: g, Train: set, Test: set, Encoder: encode.Constant{}, Steps: []int{8, 1 << 62}, Samples: 1}
	if _, err := s.Convert(t.Context(), m, convert.Options{}); err == nil || !strings.Contains(err.Error(), "at most 16777216") {
		t.Error(err)
	}
}

// A channel that is silent on the samples gets the scale of another, which was told nowhere.
func TestSilentChannelsAreTold(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1, -1}, []tensor.Float{1, 1})
	c := converted(t, "channel", g, convert.Options{Analog: of(constant(1, 0.5))})
	if v := c.Scales["relu1"]; v[0] != 0.5 || v[1] != 0.5 || !strings.Contains(c.Report.String(), "1 of 2 channels are never or hardly ever active") {
		t.Errorf("scales %v, report\n%s", v, c.Report)
	}
}

// How neurons of each method reset and start unless told otherwise.
func TestDefaultsOfMethods(t *testing.T) {
	half := convert.Fire{Start: 0.5}
	own := map[string]convert.Fire{"spike-norm": {Reset: neuron.Zero}, "spiking-resnet": half, "balance": half, "calibrate": half}
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	for _, m := range convert.Methods() {
		if m.Name == "qcfs" {
			continue // of staircases
		}
		c := converted(t, m.Name, g, convert.Options{Steps: 4, Analog: of(constant(1, 1)), Spikes: of(constant(4, 1)), Used: of(constant(4, 1))})
		if c.Fire != own[m.Name] {
			t.Errorf("%s: %v, want %v", m.Name, c.Fire, own[m.Name])
		}
	}
}
