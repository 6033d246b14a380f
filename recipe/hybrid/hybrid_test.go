package hybrid

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The ordinary network for photographs, and its spiking twin: neurons act in the same step.
func Example() {
	shape, z := tensor.Shape{32, 32, 3}, sizes[report.Full]
	ann, err := network.New(shape, 1, z.nodes...)
	if err != nil {
		fmt.Println(err)
		return
	}
	snn, err := network.New(shape, 1, neurons(z.nodes)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ann.ParamCount(), "weights and", snn.ParamCount()-ann.ParamCount(), "more,", len(snn.Buffers()), "layers with thresholds, late by", snn.Latencies()[0])
	// Output: 813408 weights and 0 more, 7 layers with thresholds, late by 0
}

// Claims are of at most 50 steps, of few for digits.
func TestSteps(t *testing.T) {
	for scale, z := range sizes {
		if z.claimed > 50 || scale != report.Full && z.claimed != 8 {
			t.Errorf("%s: claims are of %d steps", scale, z.claimed)
		}
	}
}

// Twins have the same arrays, by the same names, but for the thresholds.
func TestTwins(t *testing.T) {
	for scale, z := range sizes {
		shape := tensor.Shape{28, 28, 1}
		if z.photographs {
			shape = tensor.Shape{32, 32, 3}
		}
		ann, err := network.New(shape, 1, z.nodes...)
		if err != nil {
			t.Fatal(err)
		}
		snn, err := network.New(shape, 1, neurons(z.nodes)...)
		if err != nil {
			t.Fatal(err)
		}
		if len(ann.Params()) != len(snn.Params()) {
			t.Fatalf("%s: %d and %d parameters", scale, len(ann.Params()), len(snn.Params()))
		}
		for i, p := range ann.Params() {
			if q := snn.Params()[i]; p.Name != q.Name || !p.Value.Shape.Equal(q.Value.Shape) {
				t.Errorf("%s: %s %v and %s %v", scale, p.Name, p.Value.Shape, q.Name, q.Value.Shape)
			}
		}
		for _, nd := range ann.Nodes() {
			if layer.Fires(nd.Layer) {
				t.Errorf("%s: making the twin changed the ordinary network's node %s", scale, nd.Name)
			}
		}
	}
}

// Lowered thresholds are those that balancing with the factor gives.
func TestLowered(t *testing.T) {
	z := sizes[report.Smoke]
	few, _ := mnist.Sample()
	net, err := network.New(tensor.Shape{28, 28, 1}, 1, z.nodes...)
	if err != nil {
		t.Fatal(err)
	}
	ann := &recipe.Trained{}
	ann.Sets.Train, ann.Config.Seed = few, 1
	balanced := func(factor float64) network.Graph {
		g, _, err := ann.Balanced(t.Context(), net.Graph(), spiking, encode.Constant{}, model.Conversion{Factor: factor, Samples: 5, Steps: 20})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	whole, want := balanced(1), balanced(0.7)
	got, layers := lowered(whole, 0.7), 0
	for i, nd := range want.Nodes {
		l, ok := nd.Layer.(layer.Spiking)
		if !ok {
			continue
		}
		layers++
		if a, b := got.Nodes[i].Layer.(layer.Spiking), whole.Nodes[i].Layer.(layer.Spiking); a.Neuron != l.Neuron || b.Neuron == l.Neuron {
			t.Errorf("%s: %+v, by balancing %+v, whole %+v", nd.Name, a.Neuron, l.Neuron, b.Neuron)
		}
	}
	if layers != 3 {
		t.Errorf("%d layers of neurons", layers)
	}
}

// Figures of claims follow from points by hand.
func TestJudge(t *testing.T) {
	few, other := mnist.Sample()
	s := &study{ConversionStudy: &recipe.ConversionStudy{Study: recipe.NewStudy(&recipe.Env{}, few, other)}, size: size{claimed: 8}, left: map[string]bool{}}
	for _, p := range []point{
		{arm: ordinary, steps: 1, accuracy: 98}, {arm: converted, steps: 4, accuracy: 88}, {arm: converted, steps: 8, accuracy: 96}, {arm: converted, steps: 32, accuracy: 97.5}, {arm: converted, steps: 64, accuracy: 98},
		{arm: one, steps: 4, accuracy: 95}, {arm: hybrid, steps: 2, accuracy: 90}, {arm: hybrid, steps: 4, accuracy: 97}, {arm: hybrid, steps: 8, accuracy: 97.25}, {arm: scratch, steps: 8, accuracy: 96.5},
		{arm: converted, seed: 2, steps: 2, accuracy: 98}, // of another seed
	} {
		p.seed += 1
		s.points = append(s.points, p)
	}
	ann := &recipe.Trained{}
	ann.Config.Seed = 1
	s.judge(ann, 4)
	o, err := s.Outcome(nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]float64{gainClaim: 70, orderClaim: 0.75, mnistClaim: 0.75, tenfoldName: 8} {
		if v := o.Measured[id].Values; len(v) != 1 || math.Abs(v[0]-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", id, v, want)
		}
	}
	s.judge(ann, 0)
	s.judge(ann, 4)
	if o, _ := s.Outcome(nil); o.Measured[gainClaim].Why == "" || len(o.Measured[gainClaim].Values) > 0 || len(o.Measured[mnistClaim].Values) != 3 {
		t.Errorf("nothing is lost at any T by one of three seeds: %+v", o.Measured)
	}
}

// The smoke scale comes to its end: the converted network is better the more steps it has, its
// factors are smaller the fewer, hybrids take its thresholds up, and no claim is tested.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	dir, r, pool := t.TempDir(), Recipe(), par.New(2)
	defer pool.Close()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: pool, Out: dir, Observer: train.None{}, Now: time.Now, SaveEvery: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	m := o.Metrics
	if few, many := m["converted_t2_s1_test_accuracy"], m["converted_t32_s1_test_accuracy"]; !(few < many) || many < 60 || m["converted_t2_s1_factor"] > m["converted_t32_s1_factor"] {
		t.Errorf("the converted network has %v %% in 2 steps and %v in 32, by factors %v and %v", few, many, m["converted_t2_s1_factor"], m["converted_t32_s1_factor"])
	}
	if v := m["hybrid_t4_s1_test_accuracy"]; v < m["converted_t4_s1_test_accuracy"] {
		t.Errorf("the hybrid has %v %% in 4 steps, the converted network %v", v, m["converted_t4_s1_test_accuracy"])
	}
	for _, res := range r.Judge(report.Smoke, o) {
		if res.Verdict != report.NotTested {
			t.Errorf("%s is %s at the smoke scale", res.ID, res.Verdict)
		}
	}
	if html, err := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)}).HTML(); err != nil || len(html) > 900_000 {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
	opened, err := catalog.Default().Open(filepath.Join(dir, "hybrid-t8-s1", "model.safetensors"), catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := opened.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, nd := range g.Nodes {
		if v, ok := nd.Arrays["threshold"]; ok && (v.Data[0] == 0.5 || v.Data[0] <= 0) {
			t.Errorf("%s: threshold %v is that of no conversion", nd.Name, v.Data[0])
		}
	}
}
