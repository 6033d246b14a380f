package convert_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/convert"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

var (
	linear = surrogate.Triangle{Height: 0.3, Width: 1}
	stdb   = layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, Surrogate: linear}
)

func dense(out int) layer.Layer { return layer.Linear{Out: out, NoBias: true} }

func net(t *testing.T, in tensor.Shape, layers ...layer.Layer) *network.Network {
	t.Helper()
	n, err := network.Sequential(in, 7, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// of are batches as a calibration.
func of(batches ...*signal.Signal) network.Calibration {
	return func(yield func(*signal.Signal, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Check names each node that cannot be converted, all at once, and nothing has run.
func TestCheckRefusesByName(t *testing.T) {
	g := net(t, tensor.Shape{8, 8, 1},
		layer.Conv2D{Out: 3, Kernel: []int{3}}, layer.BatchNorm{Scale: 1}, layer.ReLU{Slope: 0.1}, layer.MaxPool{Size: 2},
		layer.Flatten{}, layer.Linear{Out: 5}, stdb, dense(4), layer.ReLU{}).Graph()
	never := func(func(*signal.Signal, error) bool) { t.Error("the calibration was asked for") }
	_, _, err := convert.Apply(t.Context(), g, never, convert.Check{}, convert.Swap{Spiking: stdb}, convert.Balance{Factor: 1})
	for _, want := range []string{
		`node "conv2d1": has a bias`, `node "batchnorm1": is a batch norm`, `node "relu1": is a leaky relu`, `node "maxpool1": takes maxima`,
		`node "linear1": has a bias`, `node "spiking1": is spiking already`, `node "relu2": is output "output"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var node *network.NodeError
	if !errors.As(err, &node) {
		t.Errorf("%T holds no NodeError", err)
	}
	joined, err := network.New(tensor.Shape{4}, 1, network.Node{Name: "a", Layer: dense(3)}, network.Node{Name: "b", Layer: layer.ReLU{}},
		network.Node{Name: "sum", Layer: layer.Add{}, Inputs: []string{"a", "b"}}, network.Node{Name: "c", Layer: layer.Readout{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = (convert.Check{}).Apply(t.Context(), joined.Graph(), nil); err == nil || !strings.Contains(err.Error(), `node "sum": joins`) || !strings.Contains(err.Error(), `node "c": is of kind readout`) {
		t.Errorf("branches: %v", err)
	}
	if _, _, err = (convert.Check{}).Apply(t.Context(), net(t, tensor.Shape{4}, dense(3)).Graph(), nil); err == nil || !strings.Contains(err.Error(), "no node is a relu") {
		t.Errorf("a linear network: %v", err)
	}
	good := net(t, tensor.Shape{8, 8, 1}, layer.Conv2D{Out: 3, Kernel: []int{3}, NoBias: true}, layer.ReLU{Max: 6}, layer.Dropout{Rate: 0.2}, layer.AvgPool{Size: 2}, layer.Flatten{}, dense(4))
	if _, _, err = (convert.Check{}).Apply(t.Context(), good.Graph(), nil); err != nil {
		t.Error(err)
	}
}

// Swap changes the units and nothing else, names those that were named by kind anew, and
// leaves the graph that it was given.
func TestSwap(t *testing.T) {
	n, err := network.New(tensor.Shape{4}, 1, network.Node{Layer: dense(3)}, network.Node{Layer: layer.ReLU{Max: 2}},
		network.Node{Layer: dense(3)}, network.Node{Name: "last", Layer: layer.ReLU{}}, network.Node{Layer: dense(2)})
	if err != nil {
		t.Fatal(err)
	}
	before := n.Graph()
	g, r, err := convert.Swap{Spiking: stdb}.Apply(t.Context(), before, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, n.Graph()) {
		t.Error("the graph that was given is another")
	}
	if g.Nodes[1].Name != "spiking1" || g.Nodes[3].Name != "last" || !reflect.DeepEqual(g.Nodes[0], before.Nodes[0]) {
		t.Errorf("nodes %+v", g.Nodes)
	}
	if text := r.String(); !strings.Contains(text, "relu1: lost: its limit of 2") || !strings.Contains(text, "last: changed") {
		t.Errorf("report\n%s", text)
	}
	lif := stdb
	lif.Neuron = neuron.IF{Threshold: 1}
	if _, _, err = (convert.Swap{Spiking: lif}).Apply(t.Context(), before, nil); err == nil || !strings.Contains(err.Error(), "want neuron.STDB") {
		t.Errorf("IF neurons: %v", err)
	}
}

// random is a network of two hidden layers and samples for it.
func random(t *testing.T, steps int) (network.Graph, []*signal.Signal) {
	t.Helper()
	n := net(t, tensor.Shape{20}, dense(30), layer.ReLU{}, dense(25), layer.ReLU{}, dense(6))
	var batches []*signal.Signal
	for i := range 3 {
		batches = append(batches, snntest.Random(signal.Spikes, steps, 4, tensor.Shape{20}, 0.4, uint64(i)))
	}
	return n.Graph(), batches
}

func balanced(t *testing.T, g network.Graph, b convert.Balance, batches ...*signal.Signal) network.Graph {
	t.Helper()
	g, _, err := convert.Apply(t.Context(), g, of(batches...), convert.Check{}, convert.Swap{Spiking: stdb}, b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// currents is the largest input of each layer of neurons over samples.
func currents(t *testing.T, g network.Graph, batches ...*signal.Signal) (most [2]float64) {
	t.Helper()
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		err := n.Compile(nil, false).Activity(b, func(nd network.Info, out *signal.Signal) error {
			if k := map[string]int{"linear1": 1, "linear2": 2}[nd.Name]; k > 0 {
				for _, v := range out.Data {
					most[k-1] = max(most[k-1], float64(v))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return most
}

func thresholds(g network.Graph) (v [2]float64) {
	for i, k := range []int{1, 3} {
		v[i] = g.Nodes[k].Layer.(layer.Spiking).Neuron.(neuron.STDB).Threshold
	}
	return v
}

// With the factor 1 the thresholds are the largest inputs seen, of deeper layers with
// those before set; any other factor scales these same figures at the end. Batches may be
// parted as one likes.
func TestBalanceByTheLargestInput(t *testing.T) {
	g, batches := random(t, 40)
	whole := balanced(t, g, convert.Balance{Factor: 1}, batches...)
	if got, want := thresholds(whole), currents(t, whole, batches...); got != want {
		t.Errorf("thresholds %v, the largest inputs are %v", got, want)
	}
	scaled := thresholds(balanced(t, g, convert.Balance{Factor: 0.5}, batches...))
	for k, v := range thresholds(whole) {
		if scaled[k] != 0.5*v {
			t.Errorf("layer %d: threshold %v at half of %v", k, scaled[k], v)
		}
	}
	if again := thresholds(balanced(t, g, convert.Balance{Factor: 1}, batches[2], batches[0], batches[1])); again != thresholds(whole) {
		t.Errorf("in another order %v, were %v", again, thresholds(whole))
	}
}

// Scaling the weights scales the thresholds and changes no spike.
func TestScaleOfTheWeights(t *testing.T) {
	g, batches := random(t, 40)
	one := balanced(t, g, convert.Balance{Factor: 0.7}, batches...)
	x, err := convert.Measure(t.Context(), one, of(batches...))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{0, 2} {
		w := g.Nodes[k].Arrays["weight"]
		for i := range w.Data {
			w.Data[i] *= 4
		}
	}
	four := balanced(t, g, convert.Balance{Factor: 0.7}, batches...)
	a, b := thresholds(one), thresholds(four)
	if b[0] != 4*a[0] || b[1] != 4*a[1] {
		t.Errorf("thresholds %v, of weights times 4 %v", a, b)
	}
	y, err := convert.Measure(t.Context(), four, of(batches...))
	if err != nil || x[0].Rate != y[0].Rate || x[1].Rate != y[1].Rate || x[0].Rate == 0 {
		t.Errorf("rates %+v and %+v: %v", x, y, err)
	}
}

// A percentile is at most 1/4096 of the largest input above the exact one.
func TestPercentileWithinItsError(t *testing.T) {
	g, batches := random(t, 40)
	most := thresholds(balanced(t, g, convert.Balance{Factor: 1}, batches...))[0]
	var all []float64
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := n.Compile(nil, false).Activity(b, func(nd network.Info, out *signal.Signal) error {
			if nd.Name == "linear1" {
				for _, v := range out.Data {
					all = append(all, float64(v))
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []float64{90, 99, 99.9, 100} {
		got := thresholds(balanced(t, g, convert.Balance{Factor: 1, Percentile: p}, batches...))[0]
		within := 0
		for _, v := range all {
			if v <= got-most/4096*1.001 {
				within++
			}
		}
		below := 0
		for _, v := range all {
			if v <= got*(1+1e-6) {
				below++
			}
		}
		if share := 100 * float64(below) / float64(len(all)); share < p || 100*float64(within)/float64(len(all)) >= p {
			t.Errorf("the %v percentile is %v: %v %% of inputs are not above it, %d of %d are not above it less its error", p, got, share, within, len(all))
		}
	}
}

// Rates of constant inputs are those of the rectified units, within θ/T a unit; the
// answer, in enough steps, is the network's.
func TestRatesOfAConvertedNetwork(t *testing.T) {
	n := net(t, tensor.Shape{12}, dense(20), layer.ReLU{}, dense(15), layer.ReLU{}, dense(5))
	const steps, samples = 800, 8
	in := snntest.Random(signal.Constant, steps, samples, tensor.Shape{12}, 0, 3)
	for i, v := range in.Data {
		in.Data[i] = max(v, -v)
	}
	g := balanced(t, n.Graph(), convert.Balance{Factor: 1}, in)
	theta := thresholds(g)
	relu, spikes := outputs(t, n, in), outputs(t, build(t, g), in)
	// r_1·θ_1 against max(0, W·x), by constant input of the first layer.
	for b := range samples {
		for i := range 20 {
			fired := 0.0
			for s := range steps {
				if spikes["spiking1"].Raster.At(s*samples+b, i) {
					fired++
				}
			}
			want := float64(relu["relu1"].Data[b*20+i])
			if got := fired / steps * theta[0]; math.Abs(got-want) > 2*theta[0]/steps*(1+1e-5) { // one step late
				t.Errorf("sample %d, unit %d: rate·θ is %v, the rectified unit has %v", b, i, got, want)
			}
		}
		var sums, scores [5]float64
		for k := range 5 {
			scores[k] = float64(relu["linear3"].Data[b*5+k])
			for s := range steps {
				sums[k] += float64(spikes["linear3"].Data[(s*samples+b)*5+k])
			}
			sums[k] *= theta[0] * theta[1] / steps
			if math.Abs(sums[k]-scores[k]) > 0.03 {
				t.Errorf("sample %d, score %d: %v in the mean over the steps, the network has %v", b, k, sums[k], scores[k])
			}
		}
	}
}

func build(t *testing.T, g network.Graph) *network.Network {
	t.Helper()
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func outputs(t *testing.T, n *network.Network, in *signal.Signal) map[string]*signal.Signal {
	t.Helper()
	all := map[string]*signal.Signal{}
	if err := n.Compile(nil, false).Activity(in, func(nd network.Info, out *signal.Signal) error {
		all[nd.Name] = out
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// What would be no threshold is an error that names the layer; a dead or saturated layer
// is in the report.
func TestDegenerateLayers(t *testing.T) {
	g, batches := random(t, 10)
	negative := g.Nodes[2].Arrays["weight"].Data
	kept := append([]tensor.Float(nil), negative...)
	for i, v := range negative {
		negative[i] = -max(v, -v)
	}
	fails := func(want string, b convert.Balance, c network.Calibration) {
		t.Helper()
		if _, _, err := convert.Apply(t.Context(), g, c, convert.Swap{Spiking: stdb}, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	fails(`node "spiking2": its largest input is`, convert.Balance{Factor: 1}, of(batches...))
	copy(negative, kept)
	for i := range negative {
		negative[i] = tensor.Float(math.NaN())
	}
	fails(`node "spiking2": input`, convert.Balance{Factor: 1}, of(batches...))
	copy(negative, kept)
	fails("factor is 0", convert.Balance{}, of(batches...))
	fails("percentile is 101", convert.Balance{Factor: 1, Percentile: 101}, of(batches...))
	fails("the 1 percentile of its inputs is not above 0", convert.Balance{Factor: 1, Percentile: 1}, of(batches...))
	fails("no samples", convert.Balance{Factor: 1}, nil)
	fails("there are no samples", convert.Balance{Factor: 1}, of())
	if _, _, err := (convert.Balance{Factor: 1}).Apply(t.Context(), g, of(batches...)); err == nil || !strings.Contains(err.Error(), "put convert.Swap before") {
		t.Errorf("rectified units: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := convert.Apply(stopped, g, of(batches...), convert.Swap{Spiking: stdb}, convert.Balance{Factor: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	report := func(factor float64) string {
		_, r, err := convert.Apply(t.Context(), g, of(batches...), convert.Swap{Spiking: stdb}, convert.Balance{Factor: factor})
		if err != nil {
			t.Fatal(err)
		}
		return r.String()
	}
	if text := report(1000); !strings.Contains(text, "spiking1: lost: dead") || !strings.Contains(text, "spiking2: lost: dead") {
		t.Errorf("factor 1000:\n%s", text)
	}
	for i := range g.Nodes[0].Arrays["weight"].Data {
		g.Nodes[0].Arrays["weight"].Data[i] = 1
	}
	if text := report(0.01); strings.Contains(text, "dead") || !strings.Contains(text, "threshold") {
		t.Errorf("factor 0.01:\n%s", text)
	}
	if why := (convert.Layer{Name: "a", Rate: 0.95}).Remark(); !strings.Contains(why, "saturated") {
		t.Errorf("rate 0.95: %q", why)
	}
	if why := (convert.Layer{Name: "a", Rate: 0.5}).Remark(); why != "" {
		t.Errorf("rate 0.5: %q", why)
	}
}

// Calibration samples are the same at each range and whatever the batch, and values that
// Poisson spikes would clip are an error.
func TestSamples(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{4}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}}}
	src := values{spec: spec, x: make([]tensor.Float, 4*20)}
	for i := range src.x {
		src.x[i] = tensor.Float(i%9) / 8
	}
	s := convert.Samples{Source: src, Encoder: encode.Poisson{Scale: 1}, Steps: 6, Count: 11, Batch: 4, Seed: 3}
	spikes := func(s convert.Samples) (rows []string, n int) {
		for in, err := range s.Calibration(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for b := range in.B {
				var row strings.Builder
				for step := range in.T {
					for k := range 4 {
						row.WriteByte(map[bool]byte{true: '1', false: '0'}[in.Raster.At(step*in.B+b, k)])
					}
				}
				rows = append(rows, row.String())
			}
			n += in.B
		}
		return rows, n
	}
	a, n := spikes(s)
	if n != 11 {
		t.Errorf("%d samples, want 11", n)
	}
	b, _ := spikes(s)
	s.Batch = 7
	c, _ := spikes(s)
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(a, c) {
		t.Error("another range or other batches give other spikes")
	}
	all := s
	all.Count, all.Encoder, all.Seed = 0, encode.Poisson{Scale: 0.5}, 3
	x, _ := spikes(all)
	all.Seed = 4
	y, _ := spikes(all)
	same := 0
	for _, row := range x {
		if slices.Contains(y, row) {
			same++
		}
	}
	if same > len(x)/2 {
		t.Errorf("%d of %d samples have spikes that another seed gives, too", same, len(x))
	}
	values := func(seed uint64) (list []tensor.Float) {
		for in, err := range (convert.Samples{Source: src, Encoder: encode.Constant{}, Steps: 1, Count: 5, Batch: 5, Seed: seed}).Calibration(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, in.Data...)
		}
		return list
	}
	if slices.Equal(values(1), values(2)) {
		t.Error("another seed chooses the same samples")
	}
	fails := func(want string, s convert.Samples) {
		t.Helper()
		for _, err := range s.Calibration(t.Context()) {
			if err == nil {
				continue
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			return
		}
		t.Errorf("nothing came, want %q", want)
	}
	src.x[7] = 1.5
	s.Count = 0
	fails("has the value 1.5, which is no probability", s)
	s.Steps = 0
	fails("0 steps", s)
}

// values is samples of given numbers.
type values struct {
	spec sample.Spec
	x    []tensor.Float
}

func (v values) Spec() sample.Spec   { return v.spec }
func (v values) Len() int            { return len(v.x) / v.spec.Size() }
func (v values) Index(i int) int     { return i }
func (v values) Origin(i int) string { return "values" }
func (v values) Read(_ context.Context, i int, x *sample.Sample) error {
	copy(x.X, v.x[i*v.spec.Size():])
	x.Targets = append(x.Targets, sample.Target{})
	return nil
}
func (v values) Target(i, k int) (sample.Target, error) { return sample.Target{}, nil }

// Before the first spike all scores are equal, which is told beside what it counts as.
func TestCurveTellsEqualScores(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{1}, 1, layer.Linear{Out: 1, NoBias: true},
		layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.ArcTan{Alpha: 2}}, layer.Linear{Out: 3, NoBias: true})
	if err != nil {
		t.Fatal(err)
	}
	copy(net.Params()[0].Value.Data, []tensor.Float{1})
	copy(net.Params()[1].Value.Data, []tensor.Float{0, 1, 0})
	src := values{spec: sample.Spec{Shape: tensor.Shape{1}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Fields("a b c")}}}, x: []tensor.Float{1, 0.5, 0.25, 0}}
	points, err := convert.Curve(t.Context(), net.Graph(), convert.CurveOptions{Source: src, Encoder: encode.Constant{}, Steps: []int{1, 3, 5}, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ equal, right float64 }{{75, 75}, {50, 50}, {25, 25}} {
		if p := points[i]; p.Equal != want.equal || p.Accuracy != want.right {
			t.Errorf("%d steps: %v %% equal and %v %% right, want %v", p.Steps, p.Equal, p.Accuracy, want)
		}
	}
}

// A curve is what evaluations of the single numbers of steps give, whatever the batches
// and threads.
func TestCurveIsThatOfEvaluations(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{20}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: strings.Fields("a b c d e f")}}}
	src := values{spec: spec, x: make([]tensor.Float, 20*37)}
	for i := range src.x {
		src.x[i] = tensor.Float((i*7919)%101) / 100
	}
	g, batches := random(t, 40)
	g = balanced(t, g, convert.Balance{Factor: 0.6}, batches...)
	o := convert.CurveOptions{Source: src, Encoder: encode.Poisson{Scale: 1}, Steps: []int{3, 4, 9, 9, 20}, Batch: 10, Seed: 5}
	got, err := convert.Curve(t.Context(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(3)
	defer pool.Close()
	o.Batch, o.Pool = 37, pool
	if again, err := convert.Curve(t.Context(), g, o); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("by three threads, all at once: %v, before %v: %v", again, got, err)
	}
	for _, p := range got {
		b, err := bptt.NewPredictor(build(t, g), train.Setting{Spec: spec, Encoder: o.Encoder, Steps: p.Steps, Seed: 5}, []bptt.Term{{Loss: loss.CountCrossEntropy{}}})
		if err != nil {
			t.Fatal(err)
		}
		ev, err := train.Evaluate(t.Context(), b, src, train.EvaluateOptions{Tasks: []task.Binding{{Task: task.Classify{}}}})
		if err != nil {
			t.Fatal(err)
		}
		spikes := 0
		for _, r := range ev.Metrics.Rates {
			spikes += r.Spikes
		}
		if ev.Value("accuracy") != p.Accuracy || float64(spikes)/37 != p.Spikes || p.Spikes == 0 {
			t.Errorf("%+v, an evaluation has %v and %v spikes", p, ev.Value("accuracy"), float64(spikes)/37)
		}
	}
	for _, c := range []struct {
		want   string
		change func(o *convert.CurveOptions)
	}{
		{"give steps 3 or more", func(o *convert.CurveOptions) { o.Steps = []int{2, 5} }},
		{"want steps that ascend", func(o *convert.CurveOptions) { o.Steps = []int{5, 4} }},
		{"want steps that ascend", func(o *convert.CurveOptions) { o.Steps = nil }},
	} {
		bad := o
		c.change(&bad)
		if _, err := convert.Curve(t.Context(), g, bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	// Values that Poisson spikes would clip: of the samples that are measured, too.
	for _, c := range []struct {
		v, scale float64
		want     string
	}{{1.5, 1, "sample 30 has the value 1.5, which is no probability"}, {-0.5, 0, "sample 30 has the value -0.5"}, {math.NaN(), 1, "NaN"}, {1.5, 0.5, ""}} {
		src.x[20*30+7], o.Encoder = tensor.Float(c.v), encode.Poisson{Scale: c.scale}
		if _, err := convert.Curve(t.Context(), g, o); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("a value of %v, scale %v: %v, want %q", c.v, c.scale, err, c.want)
		}
	}
}
