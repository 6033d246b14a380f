package energy_test

import (
	"math"
	"strings"
	"testing"
	"unsafe"

	"synfire/energy"
	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

var fires = layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 25}}

func build(t *testing.T, in tensor.Shape, nodes ...network.Node) *network.Network {
	t.Helper()
	n, err := network.New(in, 3, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func of(batches ...*signal.Signal) network.Calibration {
	return func(yield func(*signal.Signal, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// The controls: Horowitz's SRAM of 32 KB, weights and activations of 8 bits, events scattered, no
// activation 0. In eight steps a rate of a tenth loses and one of 2 % wins; in one step the
// tenth wins. Neither changes with membranes of 8 to 32 bits.
func TestControls(t *testing.T) {
	for _, membrane := range []float64{8, 16, 32} {
		c := energy.Horowitz()
		c.Membrane = membrane
		eight, one := energy.Crossing(c, energy.Scatter, 1, 8, 8), energy.Crossing(c, energy.Scatter, 1, 8, 1)
		if !(0.02 < eight && eight < 0.1) || !(one > 0.1) {
			t.Errorf("membranes of %v bits: crossings at %v in 8 steps, %v in one", membrane, eight, one)
		}
	}
	c := energy.Horowitz()
	if got, want := energy.Crossing(c, energy.Scatter, 1, 8, 8), 5.3/(8*12.6); !near(got, want) {
		t.Errorf("scatter: %v, want %v", got, want)
	}
	if got, want := energy.Crossing(c, energy.Outputs, 0.5, 4, 8), 0.5*(2.5+0.3+1.25)/(8*2.6); !near(got, want) {
		t.Errorf("output stationary: %v, want %v", got, want)
	}
	for steps, want := range map[int]float64{1: 1.0 / 8, 3: 2.0 / 24, 7: 3.0 / 56, 8: 4.0 / 64} {
		if got := energy.Published(steps); got != want {
			t.Errorf("%d steps: %v, want %v", steps, got, want)
		}
	}
}

// meterOf walks a layer of in × out weights, event by event, and pays for each access.
type meterOf struct {
	c  energy.Constants
	pj float64
}

func (m *meterOf) bits(n float64) { m.pj += n * m.c.Access / m.c.AccessBits }

// The accounts are what a loop over single accesses pays; the formula of the crossing is their
// part that weights have. What it leaves out is asserted too: zeros that are read, membranes in
// each step, inputs that are asked for a bit.
func TestAccountsAreTheLoops(t *testing.T) {
	const in, out, steps = 7, 5, 6
	c := energy.Horowitz()
	spikes := snntest.Random(signal.Spikes, steps, 1, tensor.Shape{in}, 0.3, 4)
	activations := []float64{0, 3, 0, 1, 2, 7, 0}
	const b = 3

	ordinary := meterOf{c: c}
	effective, zeros := 0.0, 0.0
	for range out {
		for _, a := range activations {
			ordinary.bits(b) // to see whether it is 0
			if a == 0 {
				zeros++
				continue
			}
			effective++
			ordinary.bits(c.Weight)
			ordinary.pj += c.Multiply + c.Add
		}
		ordinary.bits(b) // the result
	}
	o := energy.Ordinary{Bits: b, Rest: energy.Products{Dense: in * out, Effective: effective}, Units: out}
	if got := o.Cost(c); !near(got.Total, ordinary.pj*1e-6) || !near(got.Scan, zeros*b*c.Access/c.AccessBits*1e-6) {
		t.Errorf("ordinary: %+v, the loop pays %v pJ", got, ordinary.pj)
	}

	net := build(t, tensor.Shape{in}, network.Node{Layer: layer.Linear{Out: out}}, network.Node{Layer: fires})
	m, err := energy.Measure(t.Context(), net, of(spikes))
	if err != nil {
		t.Fatal(err)
	}
	s := energy.Of(m.Plan, m.Events, 1, steps)
	scatter, stationary := meterOf{c: c}, meterOf{c: c}
	synapses := 0.0
	for step := range steps {
		for i := range in {
			for range out {
				stationary.bits(1) // whether it spiked
				if !spikes.Raster.At(step, i) {
					continue
				}
				synapses++
				scatter.bits(c.Weight)
				scatter.bits(2 * c.Membrane)
				stationary.bits(c.Weight)
				scatter.pj, stationary.pj = scatter.pj+c.Add, stationary.pj+c.Add
			}
		}
		for range out {
			for _, m := range []*meterOf{&scatter, &stationary} {
				m.bits(2 * c.Membrane) // read and written
				m.pj += c.Add          // the bias
				m.bits(1)              // whether it spikes
			}
		}
	}
	if s.Additions != synapses {
		t.Errorf("%v additions, the loop has %v", s.Additions, synapses)
	}
	for f, loop := range map[energy.DataFlow]float64{energy.Scatter: scatter.pj, energy.Outputs: stationary.pj} {
		got := s.Compare(c, f, o)
		if !near(got.Total, loop*1e-6) {
			t.Errorf("%v: %+v, the loop pays %v pJ", f, got.Cost, loop)
		}
		if *got.Rate != synapses/(steps*in*out) {
			t.Errorf("%v: rate %v", f, *got.Rate)
		}
		// At s* weights cost alike, at the other crossing all does.
		if v := got.Synapses * *got.Crossing / *got.Rate; !near(v, o.Cost(c).Synapses) {
			t.Errorf("%v: at s* weights cost %v and %v", f, v, o.Cost(c).Synapses)
		}
		fixed := got.Cost.Total - got.Cost.Synapses
		if fixed < o.Cost(c).Total {
			if v := got.Synapses**got.All / *got.Rate + fixed; !near(v, o.Cost(c).Total) {
				t.Errorf("%v: at the crossing of all %v and %v", f, v, o.Cost(c).Total)
			}
		} else if got.All != nil || !strings.Contains(got.Why, "without any spike") {
			t.Errorf("%v: %+v", f, got)
		}
	}
}

// A dense layer all of whose inputs spike in each step takes T times the products, a silent one
// nothing, and at 5.1 spikes a run the papers' account is even.
func TestPapers(t *testing.T) {
	net := build(t, tensor.Shape{4}, network.Node{Layer: layer.Linear{Out: 3}}, network.Node{Layer: fires}, network.Node{Layer: layer.Linear{Out: 2}})
	c := energy.Horowitz()
	for _, v := range []tensor.Float{1, 0} {
		g := net.Graph()
		for i := range g.Nodes {
			for _, a := range g.Nodes[i].Arrays {
				for k := range a.Data {
					a.Data[k] = 0
				}
			}
		}
		for k := range 3 {
			g.Nodes[0].Arrays["bias"].Data[k] = v // each step a spike, or none
		}
		n, err := g.Build(0)
		if err != nil {
			t.Fatal(err)
		}
		m, err := energy.Measure(t.Context(), n, of(&signal.Signal{Kind: signal.Constant, T: 5, B: 2, Shape: tensor.Shape{4}, Data: make([]tensor.Float, 8)}))
		if err != nil {
			t.Fatal(err)
		}
		s := energy.Of(m.Plan, m.Events, 2, 5)
		p := s.Papers(c)
		if s.Additions != 5*6*float64(v) || s.Spikes != 5*3*float64(v) || s.Sums != 0 || s.Products != 0 {
			t.Errorf("bias %v: %+v", v, s)
		}
		if !near(p.Total, 1e-6*(4.6*12+0.9*30*float64(v))) || !near(p.FirstEachStep, 5*p.First) || !near(p.Updates, 1e-6*0.9*5*(3+2)) {
			t.Errorf("bias %v: %+v", v, p)
		}
		o := energy.Ordinary{Bits: 3, Rest: energy.Products{Dense: 6, Effective: 3}, Units: 3}
		if got := s.Compare(c, energy.Scatter, o); v == 0 && (got.All != nil || got.Why != "there are no spikes" || *got.Rate != 0) {
			t.Errorf("silent: %+v", got)
		}
	}
	if even := c.MAC / c.AC; math.Abs(even-5.1) > 0.02 {
		t.Errorf("even at %v", even)
	}
	none := energy.Spiking{Steps: 3, Plan: &energy.Plan{}}.Compare(c, energy.Outputs, energy.Ordinary{Bits: 2})
	if none.Why != "no layer takes spikes" || none.Rate != nil || none.Crossing != nil {
		t.Errorf("without layers: %+v", none)
	}
}

// Additions without a weight cost in both accounts, numbers that change are multiplied in each step,
// what is held once, and a spike of −1 counts as one of 1.
func TestAccountsOfWhatIsNoWeight(t *testing.T) {
	c := energy.Horowitz()
	s := energy.Spiking{Steps: 2, Additions: 10, Sums: 5, Plan: &energy.Plan{Connections: 1}}
	if p := s.Papers(c); !near(p.Spikes, 1e-6*0.9*15) {
		t.Errorf("papers: %+v", p)
	}
	membrane := 2 * c.Membrane * c.Access / c.AccessBits
	if cost := s.Cost(c, energy.Scatter, energy.Ordinary{}); !near(cost.Synapses, 1e-6*(10*(c.Weight*c.Access/c.AccessBits+c.Add+membrane)+5*(c.Add+membrane))) {
		t.Errorf("memory: %+v", cost)
	}
	net := build(t, tensor.Shape{4}, network.Node{Layer: layer.Linear{Out: 3}}, network.Node{Layer: fires}, network.Node{Layer: layer.Linear{Out: 2}})
	if got := energy.Of(energy.NewPlan(net, signal.Dense), energy.Tally{Products: 4}, 2, 3).Products; got != 2+3*12 {
		t.Errorf("%v products, want those of three steps", got)
	}
	x := []tensor.Float{1, 0, 1, 1}
	first := func(steps int) float64 {
		m, err := energy.Measure(t.Context(), net, of(&signal.Signal{Kind: signal.Constant, T: steps, B: 1, Shape: tensor.Shape{4}, Data: x}))
		if err != nil {
			t.Fatal(err)
		}
		return m.Account(c).Memory[0].First
	}
	if a, b := first(1), first(3); a == 0 || a != b {
		t.Errorf("first layer: %v µJ in one step, %v in three", a, b)
	}
	signed := build(t, tensor.Shape{1}, network.Node{Layer: temporal.Signed{Slope: 1, Threshold: 1}}, network.Node{Layer: layer.Linear{Out: 2}})
	m, err := energy.Measure(t.Context(), signed, of(&signal.Signal{Kind: signal.Constant, T: 2, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{-1}}))
	if err != nil || m.Events.Spikes != 2 || m.Events.Additions != 4 {
		t.Errorf("spikes of −1: %+v, %v", m.Events, err)
	}
}

// What spikes cause is what a loop over the definition counts, whatever they go through.
func TestFanOut(t *testing.T) {
	node := func(l layer.Layer, from ...string) network.Node { return network.Node{Layer: l, Inputs: from} }
	shape := tensor.Shape{4, 4, 2}
	for name, c := range map[string]struct {
		nodes                     []network.Node
		weighted, plain, products int // of all inputs spiking once; of the network's input alone
	}{
		"padding":    {[]network.Node{node(layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}})}, 100 * 2 * 3, 0, 0},
		"stride":     {[]network.Node{node(layer.Conv2D{Out: 3, Kernel: []int{3}, Stride: []int{2}})}, 9 * 2 * 3, 0, 0},
		"groups":     {[]network.Node{node(layer.Conv2D{Out: 4, Kernel: []int{1}, Groups: 2})}, 16 * 2 * 2, 0, 0},
		"means":      {[]network.Node{node(layer.AvgPool{Size: 2}), node(layer.Flatten{}), node(layer.Linear{Out: 5})}, 32 * 5, 0, 0},
		"gather":     {[]network.Node{node(ordinary.Gather{Shape: []int{32}}), node(layer.Linear{Out: 5})}, 32 * 5, 0, 0},
		"voters":     {[]network.Node{node(layer.Flatten{}), node(neunorm.Vote{Voters: 4}), node(layer.Linear{Out: 5})}, 32 * 5, 0, 0},
		"delay":      {[]network.Node{node(temporal.Delay{Steps: 1}), node(layer.Flatten{}), node(layer.Linear{Out: 5})}, 32 * 5, 0, 0},
		"neuron":     {[]network.Node{node(fires), node(layer.Flatten{}), node(layer.Linear{Out: 5})}, 32 * 5, 32, 0},                 // which fires for each
		"largest":    {[]network.Node{node(layer.MaxPool{Size: 2}), node(layer.Flatten{}), node(layer.Linear{Out: 5})}, 8 * 5, 32, 0}, // what passes is counted behind
		"joined":     {[]network.Node{node(layer.Concat{}, network.Input, network.Input), node(layer.Conv2D{Out: 3, Kernel: []int{1}})}, 2 * 32 * 3, 0, 0},
		"sum":        {[]network.Node{node(layer.Add{}, network.Input, network.Input), node(layer.Conv2D{Out: 3, Kernel: []int{1}})}, 2 * 32 * 3, 64, 0}, // graded: 2 each
		"normalised": {[]network.Node{node(layer.BatchNorm{Scale: 1}), node(layer.Conv2D{Out: 3, Kernel: []int{1}})}, 0, 32, 96},
	} {
		net := build(t, shape, c.nodes...)
		in := signal.Signal{}
		in.Reset(signal.Spikes, 1, 1, shape)
		for i := range shape.Size() {
			in.Raster.Set(0, i)
		}
		m, err := energy.Measure(t.Context(), net, of(&in))
		if err != nil {
			t.Fatal(err)
		}
		if m.Events.Additions != c.weighted || m.Events.Sums != c.plain || m.Plan.Values != c.products {
			t.Errorf("%s: %+v and %d products, want %d, %d and %d", name, m.Events, m.Plan.Values, c.weighted, c.plain, c.products)
		}
	}
}

// The harness's own example: of weights with three zeros and the activations 0, 1.3 and −1 there
// are four effective operations of nine.
func TestNeuroBenchExample(t *testing.T) {
	net := build(t, tensor.Shape{3}, network.Node{Layer: layer.Linear{Out: 3, NoBias: true}}, network.Node{Layer: layer.ReLU{}})
	g := net.Graph()
	copy(g.Nodes[0].Arrays["weight"].Data, []tensor.Float{1.3, 0, -1.1, 0, 1.2, 2.7, -3.2, -5.1, 0}) // [in, out]
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	run := func(x ...tensor.Float) energy.Measured {
		m, err := energy.Measure(t.Context(), net, of(&signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: tensor.Shape{3}, Data: x}))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := run(0, 1.3, -1)
	if m.Dense != 9 || m.EffectiveMACs != 4 || m.EffectiveACs != 0 || *m.ConnectionSparsity != 3.0/9 || m.Footprint != 9*int(unsafe.Sizeof(tensor.Float(0))) {
		t.Errorf("%+v", m.NeuroBench)
	}
	if m := run(0, 1, -1); m.EffectiveMACs != 0 || m.EffectiveACs != 4 {
		t.Errorf("binary: %+v", m.NeuroBench)
	}
	// Of W·(0, 1.3, −1) = (3.2, 6.66, 3.51) no unit is 0, of (0, −1.3, 1) all are.
	if a, b := m.ActivationSparsity, run(0, -1.3, 1).ActivationSparsity; *a != 0 || *b != 1 {
		t.Errorf("sparsities %v and %v", *a, *b)
	}
	if m.MembraneUpdates != 0 || m.NeuronOps == nil || *m.NeuronOps != 0 {
		t.Errorf("neurons of an ordinary network: %+v", m.NeuroBench)
	}
}

// Staircases are rectified units as relu is: their zeros, what they write, and what stands behind
// them are counted alike. Of 0.2, 0.6 and 0.9 on two levels up to 1 none, one half and the whole is left.
func TestStaircasesAreRectifiedUnits(t *testing.T) {
	net := build(t, tensor.Shape{3}, network.Node{Layer: layer.Linear{Out: 3, NoBias: true}}, network.Node{Layer: ordinary.QCFS{Levels: 2, Init: 1}}, network.Node{Layer: layer.Linear{Out: 2, NoBias: true}})
	g := net.Graph()
	copy(g.Nodes[0].Arrays["weight"].Data, []tensor.Float{1, 0, 0, 0, 1, 0, 0, 0, 1})
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := energy.Measure(t.Context(), net, of(&signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: tensor.Shape{3}, Data: []tensor.Float{0.2, 0.6, 0.9}}))
	if err != nil {
		t.Fatal(err)
	}
	if s := m.ActivationSparsity; s == nil || !near(*s, 1.0/3) {
		t.Errorf("activation sparsity %v, want a third", s)
	}
	if m.Plan.IsFirst("linear2") || !m.Plan.IsFirst("linear1") {
		t.Error("the layer behind the staircases is one of the input")
	}
	c := energy.Horowitz()
	bit := c.Access / c.AccessBits
	product := 8*bit + c.Multiply + c.Add + 8*bit
	of := m.Account(c).Memory[0]
	if !near(of.First, 3e-6*product+6e-6*8*bit) || !near(of.Synapses, 4e-6*product) || !near(of.Scan, 2e-6*8*bit) || !near(of.Neurons, 3e-6*8*bit) {
		t.Errorf("%+v", of.Cost)
	}
}

// Operations of spiking and recurrent networks, by hand.
func TestNeuroBenchOverTime(t *testing.T) {
	unit := func(l layer.Layer) energy.Measured {
		net := build(t, tensor.Shape{2}, network.Node{Layer: l})
		g := net.Graph()
		if w, ok := g.Nodes[0].Arrays["weight"]; ok {
			copy(w.Data, []tensor.Float{0, 0.5, 0, 0}) // the first drives the second
		}
		net, err := g.Build(0)
		if err != nil {
			t.Fatal(err)
		}
		// The first fires in each step, the second gets nothing from outside.
		m, err := energy.Measure(t.Context(), net, of(&signal.Signal{Kind: signal.Constant, T: 3, B: 1, Shape: tensor.Shape{2}, Data: []tensor.Float{1, 0}}))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	// Membranes stay 0: the first step counts all, the others none.
	m := unit(fires)
	if m.MembraneUpdates != 2 || *m.NeuronOps != 8 || *m.NeuronOpsDense != 24 || *m.ActivationSparsity != 0.5 || m.Dense != 0 {
		t.Errorf("%+v", m.NeuroBench)
	}
	// The second is at ½ after step 1, and fires in step 2.
	m = unit(layer.Recurrent{Neuron: neuron.IF{Threshold: 1}, Surrogate: fires.Surrogate})
	if m.Dense != 3*4 || m.EffectiveACs != 2 || m.EffectiveMACs != 0 || m.MembraneUpdates != 4 || *m.ConnectionSparsity != 0.75 || m.Events.Spikes != 4 || m.Events.Additions != 8 {
		t.Errorf("recurrent: %+v, %+v", m.NeuroBench, m.Events)
	}
	m = unit(layer.Spiking{Neuron: neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1}, Surrogate: fires.Surrogate})
	if *m.NeuronOpsDense != 3*2*6 || *m.NeuronOps != 6*m.MembraneUpdates {
		t.Errorf("two states: %+v", m.NeuroBench)
	}
	m = unit(layer.Spiking{Neuron: neuron.ALIF{Beta: 0.9, Threshold: 1, Adaptation: 0.1, Rho: 0.9}, Surrogate: fires.Surrogate})
	if m.NeuronOps != nil || !strings.Contains(m.Why, "spiking1: NeuroBench has no number") {
		t.Errorf("a neuron that NeuroBench does not know: %+v", m.NeuroBench)
	}
}

// What is counted does not depend on batches, and no samples are an error.
func TestMeasureOfBatches(t *testing.T) {
	net := build(t, tensor.Shape{6, 6, 1}, network.Node{Layer: layer.Conv2D{Out: 3, Kernel: []int{3}}}, network.Node{Layer: fires},
		network.Node{Layer: layer.AvgPool{Size: 2}}, network.Node{Layer: layer.Flatten{}}, network.Node{Layer: layer.Linear{Out: 4}})
	whole := snntest.Random(signal.Constant, 5, 3, tensor.Shape{6, 6, 1}, 1, 4)
	part := func(lo, hi int) *signal.Signal {
		s := *whole
		s.B, s.Data = hi-lo, whole.Data[lo*36:hi*36]
		return &s
	}
	a, err := energy.Measure(t.Context(), net, of(whole))
	if err != nil {
		t.Fatal(err)
	}
	b, err := energy.Measure(t.Context(), net, of(part(0, 2), part(2, 3)))
	if err != nil || a.Events != b.Events || a.EffectiveACs != b.EffectiveACs || a.EffectiveMACs != b.EffectiveMACs || a.MembraneUpdates != b.MembraneUpdates || *a.ActivationSparsity != *b.ActivationSparsity {
		t.Errorf("%+v and %+v, %v", a, b, err)
	}
	if a.EffectiveMACs < 5*9*3 || a.Dense != 5*(16*9*3+12*4) || a.Plan.Held != 16*9*3 {
		t.Errorf("%+v, %+v", a.NeuroBench, a.Plan)
	}
	if _, err := energy.Measure(t.Context(), net, of()); err == nil || !strings.Contains(err.Error(), "no samples") {
		t.Error(err)
	}
}

func TestConstants(t *testing.T) {
	c, err := energy.Decode("chip.yaml", []byte("name: mine\nsource: data sheet\naccess: 5\n"))
	if want := energy.Horowitz(); err != nil || c.Access != 5 || c.MAC != want.MAC || c.Name != "mine" {
		t.Errorf("%+v, %v", c, err)
	}
	for want, text := range map[string]string{
		"name": "source: x\n", "source": "name: x\n", "acess": "name: x\nsource: y\nacess: 5\n", "mac is -1": "name: x\nsource: y\nmac: -1\n", "access-bits is 0": "name: x\nsource: y\naccess-bits: 0\n",
	} {
		if _, err := energy.Decode("chip.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if len(energy.Table()) < 8 {
		t.Error("a short table")
	}
}
