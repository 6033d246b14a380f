package nir_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/exchange/nir"
	"synfire/format/hdf5"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// single skips what holds for the engine's numbers in single precision: in double there is not
// always a parameter that gives the same bits.
func single(t *testing.T) {
	t.Helper()
	if snntest.DoublePrecision() {
		t.Skip("bits come back in single precision")
	}
}

// drawer makes random networks of all that NIR can carry.
type drawer struct {
	*rand.Rand
	reset      neuron.Reset
	strict     bool
	refractory int
	floor      float64
	coupling   neuron.Coupling
}

func newDrawer(seed uint64) *drawer {
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, 2))}
	d.reset, d.strict = neuron.Reset(d.IntN(3)), d.IntN(2) == 0
	if d.IntN(4) == 0 {
		d.floor = -0.5
	}
	d.refractory, d.coupling = d.IntN(2)*d.IntN(3), neuron.Coupling(d.IntN(3))
	return d
}

func (d *drawer) in(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }

// neuron is one with the options that a file is read with for all; one that does not fire has none.
func (d *drawer) neuron(fires bool) neuron.Variable {
	reset, strict, pause, floor := d.reset, d.strict, d.refractory, d.floor
	if !fires {
		reset, strict, pause, floor = neuron.None, false, 0, 0
	}
	leak, gain := 0.0, d.in(0.3, 2)
	if d.IntN(3) == 0 {
		leak = d.in(-0.3, 0.2)
	}
	value := 0.0
	if reset == neuron.Zero && d.IntN(2) == 0 {
		value = d.in(-0.4, 0.1)
	}
	switch kind := d.IntN(4); {
	case kind == 0:
		return neuron.IF{Floor: floor, Threshold: d.in(0.3, 1), Strict: strict, Reset: reset, ResetValue: value, Gain: gain, Refractory: pause}
	case kind == 1 && floor == 0:
		return neuron.CuBaLIF{Alpha: d.in(0.1, 0.9), Beta: d.in(0.1, 0.97), Coupling: d.coupling, Threshold: d.in(0.1, 0.6), Leak: leak, Strict: strict, Reset: reset, ResetValue: value, Gain: gain, Refractory: pause}
	}
	return neuron.LIF{Floor: floor, Beta: d.in(0, 1), Threshold: d.in(0.3, 1), Leak: leak, Strict: strict, Reset: reset, ResetValue: value, Gain: gain, DecayInput: d.IntN(2) == 0, Refractory: pause}
}

// varied lets some options of a neuron differ by channel or unit.
func (d *drawer) varied(n neuron.Variable, shape tensor.Shape) (layer.Varied, map[string]tensor.Tensor) {
	v, arrays := layer.Varied{}, map[string]tensor.Tensor{}
	for _, o := range n.Options() {
		if o.Name == "reset-value" || d.IntN(4) > 0 {
			continue
		}
		grain, of := layer.PerUnit, shape
		if d.IntN(2) == 0 {
			grain, of = layer.PerChannel, shape[len(shape)-1:]
		}
		a := tensor.New(of...)
		for i := range a.Data {
			a.Data[i] = tensor.Float(map[string]float64{"threshold": d.in(0.3, 0.9), "alpha": d.in(0, 0.95), "beta": d.in(0.05, 0.99), "leak": d.in(-0.2, 0.2), "gain": d.in(-0.5, 2)}[o.Name])
		}
		v[o.Name], arrays[o.Name] = grain, a
	}
	return v, arrays
}

// graph is a random network: maps of an image, a residual, vectors with a recurrence, two outputs.
func (d *drawer) graph() network.Graph {
	g := network.Graph{Input: tensor.Shape{4 + d.IntN(3), 4 + d.IntN(3), 1 + d.IntN(3)}}
	shape, last := g.Input, network.Input
	add := func(l layer.Layer, arrays map[string]tensor.Tensor, from ...string) string {
		if from == nil {
			from = []string{last}
		}
		name := fmt.Sprintf("n%d", len(g.Nodes))
		g.Nodes = append(g.Nodes, network.GraphNode{Node: network.Node{Name: name, Layer: l, Inputs: from}, Arrays: arrays})
		in := []tensor.Shape{shape}
		for range from[1:] {
			in = append(in, shape)
		}
		out, err := l.Output(in...)
		if err != nil {
			panic(err)
		}
		shape, last = out, name
		return name
	}
	population := func(fires bool) string {
		n := d.neuron(fires)
		v, arrays := d.varied(n, shape)
		if fires {
			return add(layer.Spiking{Neuron: n, Surrogate: fast, Varied: v}, arrays)
		}
		return add(temporal.Integrator{Neuron: n, Varied: v}, arrays)
	}
	if d.IntN(3) > 0 {
		add(layer.Conv2D{Out: 2 + d.IntN(3), Kernel: []int{1 + d.IntN(3), 3}, Padding: []int{d.IntN(2), 1}, Stride: []int{1 + d.IntN(2)}, NoBias: d.IntN(2) == 0}, nil)
		a := population(true)
		if d.IntN(2) == 0 {
			b := add(layer.Conv2D{Out: shape[2], Kernel: []int{3}, Padding: []int{1}, Groups: []int{1, shape[2]}[d.IntN(2)]}, nil)
			add(layer.Add{}, nil, [][]string{{a, b}, {b, a}, {b, b, a}, {b, b}}[d.IntN(4)]...)
			if d.IntN(2) == 0 {
				add(layer.Add{}, nil, []string{a, last}[d.IntN(2)], last, b)
			}
			if d.IntN(2) == 0 {
				add(layer.Concat{}, nil, []string{a, last}[d.IntN(2)], last, a)
			}
			population(true)
		}
		if d.IntN(2) == 0 {
			add(layer.Dropout{Rate: 0.5}, nil)
		}
	}
	switch d.IntN(5) {
	case 0:
		if shape[0] > 1 && shape[1] > 1 {
			pad := d.IntN(2)
			add(layer.AvgPool{Size: 2, Padding: []int{pad}, CountPadding: pad > 0}, nil)
		}
	case 1:
		ones := tensor.New(1, 2, 1, shape[2])
		for i := range ones.Data {
			ones.Data[i] = 1
		}
		if shape[1] > 1 {
			add(layer.Conv2D{Out: shape[2], Kernel: []int{1, 2}, Groups: shape[2], NoBias: true}, map[string]tensor.Tensor{"weight": ones})
		}
	case 2:
		if shape[0] == shape[1] {
			add(layer.GlobalAvgPool{}, nil)
		}
	}
	add(layer.Flatten{}, nil)
	switch d.IntN(4) {
	case 0:
		population(true)
	case 1:
		n := d.neuron(true)
		v, arrays := d.varied(n, shape)
		add(layer.Recurrent{Neuron: n, Surrogate: fast, Varied: v}, arrays)
	case 2:
		steps := tensor.New(shape...)
		for i := range steps.Data {
			steps.Data[i] = tensor.Float(d.IntN(4))
		}
		add(temporal.Delay{Steps: 3, PerUnit: true}, map[string]tensor.Tensor{"steps": steps})
	case 3:
		population(false)
	}
	if d.IntN(3) == 0 { // elements of a flattened image beside others
		vector := last
		add(temporal.Delay{Steps: 1}, nil)
		add(layer.Concat{}, nil, last, vector)
	}
	add(layer.Linear{Out: 5, NoBias: d.IntN(2) == 0}, nil)
	if d.IntN(2) == 0 {
		n := d.neuron(true)
		v, arrays := d.varied(n, shape)
		add(layer.Recurrent{Neuron: n, Surrogate: fast, Varied: v}, arrays)
	} else {
		population(true)
	}
	first := last
	if d.IntN(2) == 0 {
		add(temporal.Delay{Steps: 2}, nil)
	}
	add(layer.Linear{Out: 3}, nil)
	g.Outputs = []network.Output{{Name: "second", Node: add(layer.Readout{Beta: d.in(0.1, 0.99)}, nil)}, {Name: first, Node: first}}
	return g
}

// through takes a graph through a file, and gives it back.
func through(t *testing.T, g *nir.Graph) *nir.Graph {
	t.Helper()
	var b bytes.Buffer
	if err := hdf5.Write(&b, g.Encode()); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), hdf5.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	back, err := nir.Decode(f.Root)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// outputs are those of a network by name, at each step of two samples.
func outputs(t *testing.T, n *network.Network, in *signal.Signal, threads int) map[string][]tensor.Float {
	t.Helper()
	pool := par.New(threads)
	defer pool.Close()
	return snntest.Outputs(t, n, in, pool)
}

// noise is an input of two samples, in part zero.
func noise(m *rand.Rand, shape tensor.Shape, steps int) *signal.Signal {
	var in signal.Signal
	in.Reset(signal.Dense, steps, 2, shape)
	for i := range in.Data {
		if m.Float64() < 0.5 {
			in.Data[i] = tensor.Float(3*m.Float64() - 0.5)
		}
	}
	return &in
}

// differ is where two runs differ; signs of zeros are the same to neurons.
func differ(a, b map[string][]tensor.Float) string {
	for name, x := range a {
		y, ok := b[name]
		if !ok || len(x) != len(y) {
			return fmt.Sprintf("output %s is missing or of another size", name)
		}
		for i := range x {
			if x[i] != y[i] && !(math.IsNaN(float64(x[i])) && math.IsNaN(float64(y[i]))) {
				return fmt.Sprintf("output %s, element %d: %v and %v", name, i, x[i], y[i])
			}
		}
	}
	return ""
}

// roundTrip takes a network through a file and compares what both give.
func roundTrip(t *testing.T, g network.Graph, o nir.Options, seed uint64) (fired bool) {
	t.Helper()
	file, o, _, err := nir.Raise(g, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Surrogate = fast
	original, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	in := noise(rand.New(rand.NewPCG(seed, 3)), g.Input, 12)
	want := outputs(t, original, in, 1)
	for _, threads := range []int{1, 3} { // and two imports
		back, _, err := through(t, file).Lower(o)
		if err != nil {
			t.Fatal(err)
		}
		n, err := back.Build(7)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(want, outputs(t, n, in, threads)); d != "" {
			t.Fatalf("with %d threads: %s", threads, d)
		}
		for i, out := range original.Outputs() {
			if n.Outputs()[i].Name != out.Name {
				t.Fatalf("output %d is %q, want %q", i, n.Outputs()[i].Name, out.Name)
			}
		}
	}
	for _, x := range want {
		fired = fired || slices.ContainsFunc(x, func(v tensor.Float) bool { return v != x[0] })
	}
	return fired
}

// Networks of all that NIR can carry give the same bits after they went through a file.
func TestRandomNetworksComeBackBitForBit(t *testing.T) {
	single(t)
	alive := 0
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := newDrawer(seed)
			g := d.graph()
			net, err := g.Build(seed)
			if err != nil {
				t.Fatal(err)
			}
			if roundTrip(t, net.Graph(), nir.Options{DT: []float64{1, 0.001, 1e-4}[d.IntN(3)], Method: []nir.Method{nir.Exact, nir.Euler}[d.IntN(2)]}, seed) {
				alive++
			}
		})
	}
	if alive < 90 {
		t.Errorf("only %d of 100 networks gave anything", alive)
	}
}

// net is a graph of layers in a row, of a vector or an image.
func net(input tensor.Shape, layers ...layer.Layer) network.Graph {
	g := network.Graph{Input: input}
	for i, l := range layers {
		g.Nodes = append(g.Nodes, network.GraphNode{Node: network.Node{Name: fmt.Sprintf("n%d", i), Layer: l}})
	}
	return g
}

func fires(n neuron.Neuron) layer.Layer { return layer.Spiking{Neuron: n, Surrogate: fast} }

// What would change spikes in silence is refused, by the name of the node and with one thing to try.
func TestRaiseRefuses(t *testing.T) {
	vector, picture := tensor.Shape{4}, tensor.Shape{4, 4, 2}
	lif := neuron.LIF{Beta: 0.9, Threshold: 1}
	zero, strict, pause, late := lif, lif, lif, lif
	zero.Reset, strict.Strict, pause.Refractory, late.Delayed = neuron.Zero, true, 2, true
	for want, g := range map[string]network.Graph{
		`node "n1": reset zero, strict false, refractory 0, floor 0, where node "n0" has reset subtract`: net(vector, fires(lif), fires(zero)),
		`node "n1": reset subtract, strict true`:                                                         net(vector, fires(lif), fires(strict)),
		`refractory 2, floor 0, where node "n0" has`:                                                     net(vector, fires(lif), fires(pause)),
		"take delayed out":            net(vector, fires(late)),
		"none with --start 0":         net(vector, fires(neuron.IF{Threshold: 0.5, Amount: 1})),
		"a delay of 1 step before it": net(vector, fires(neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, Delay: true})),
		"coupling exact, where node":  net(vector, fires(neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1}), fires(neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, Coupling: neuron.Exact})),
		"alif has no counterpart":     net(vector, fires(neuron.ALIF{Beta: 0.9, Rho: 0.9, Threshold: 1})),
		"max-pool has no counterpart": net(picture, layer.MaxPool{Size: 2}),
		"--fold":                      net(picture, layer.BatchNorm{}),
		"padding [1 0 0 0]":           net(picture, layer.Conv2D{Out: 2, Kernel: []int{2}, Padding: []int{1, 0, 0, 0}}),
		"give count-padding":          net(picture, layer.AvgPool{Size: 2, Padding: []int{1}}),
		"put a linear behind":         net(picture, layer.Flatten{}),
		"it is not square":            net(tensor.Shape{2, 4, 2}, layer.GlobalAvgPool{}),
		"make it a readout":           net(vector, temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}}),
		"want a vector or an image":   net(tensor.Shape{4, 3}, layer.Dropout{Rate: 0.1}),
	} {
		_, _, _, err := nir.Raise(g, nir.Options{DT: 0.001})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, o := range map[string]nir.Options{"DT is 0": {}, "DT is -1": {DT: -1}, "want exact or euler": {DT: 1, Method: "middle"}} {
		if _, _, _, err := nir.Raise(net(vector, fires(lif)), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Extremes of options come back too: no leak, no memory, no gain, a decay next to 1.
func TestExtremesComeBack(t *testing.T) {
	single(t)
	vector := tensor.Shape{4}
	threshold := neuron.LIF{Threshold: 0.5, Reset: neuron.None, Strict: true}
	for name, l := range map[string]layer.Layer{
		"no leak":         fires(neuron.LIF{Beta: 1, Threshold: 1}),
		"no memory":       fires(neuron.LIF{Beta: 0, Threshold: 0.2}),
		"threshold":       fires(threshold),
		"next to 1":       fires(neuron.LIF{Beta: 1 - 1.0/(1<<24), Threshold: 1, Reset: neuron.Zero, ResetValue: -0.25}),
		"small":           fires(neuron.LIF{Beta: 1e-30, Threshold: 0.2, DecayInput: true}),
		"negative gain":   fires(neuron.LIF{Beta: 0.3, Threshold: 0.1, Gain: -0.7, Leak: 0.05}),
		"readout":         layer.Readout{Beta: 0.9},
		"readout of all":  layer.Readout{Beta: 1},
		"readout of none": layer.Readout{Beta: 0},
		"factor":          temporal.Integrator{Neuron: neuron.LIF{Threshold: 1, Reset: neuron.None, Gain: -3}},
	} {
		t.Run(name, func(t *testing.T) {
			if !roundTrip(t, net(vector, layer.Linear{Out: 4}, l), nir.Options{DT: 0.001}, 1) {
				t.Error("it gives nothing")
			}
		})
	}
	g, _, _, err := nir.Raise(net(vector, fires(threshold)), nir.Options{DT: 1})
	if err != nil || g.Nodes[1].Kind != "Threshold" {
		t.Errorf("%v, %v, want a Threshold", g, err)
	}
}

// h5py and h5dump read what is written, in the layout that the NIR package has.
func TestOthersReadTheFile(t *testing.T) {
	g, _, _, err := nir.Raise(net(tensor.Shape{4, 4, 2}, layer.Conv2D{Out: 3, Kernel: []int{3}}, fires(neuron.LIF{Beta: 0.9, Threshold: 1}), layer.Flatten{}, layer.Linear{Out: 2}), nir.Options{DT: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.nir")
	if err := nir.Write(path, g); err != nil {
		t.Fatal(err)
	}
	if dump, err := exec.LookPath("h5dump"); err == nil {
		if out, err := exec.Command(dump, "-d", "/node/nodes/n1/tau", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "( 3, 2, 2 )") {
			t.Errorf("h5dump: %v: %s", err, out)
		}
	}
	const python = "/usr/bin/python3" // the system's own, which has the system's h5py
	if err := exec.Command(python, "-c", "import h5py").Run(); err != nil {
		t.Skip("needs h5py (Debian: python3-h5py)")
	}
	out, err := exec.Command(python, "-c", `
import sys, h5py
f = h5py.File(sys.argv[1], "r")
n = f["node"]["nodes"]
print(f["version"][()].decode(), n["n0"]["weight"].shape, n["n0"]["stride"].dtype, n["n0"]["input_shape"][()].tolist(), n["n1"]["type"][()].decode(), n["n1"]["v_threshold"].dtype, [[x.decode() for x in e] for e in f["node"]["edges"][()]][0])
`, path).CombinedOutput()
	if want := "0.2.0 (3, 2, 3, 3) int64 [4, 4] LIF float32 ['input', 'n0']\n"; err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}
