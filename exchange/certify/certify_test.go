package certify_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/internal/shared"
	"synfire/neuron"
)

// traceOf is a trace of the goldens.
func traceOf(t *testing.T, name string) certify.Trace {
	t.Helper()
	f, err := os.Open(shared.File(t, "golden/nir/lif_"+name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tr := certify.Trace{Name: name}
	for _, record := range records {
		var row []float64
		for _, text := range record {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, v)
		}
		tr.Rows = append(tr.Rows, row)
	}
	return tr
}

func golden(t *testing.T) (*nir.Graph, nir.Options) {
	t.Helper()
	g, err := nir.Read(shared.File(t, "golden/nir/lif_norse.nir"))
	if err != nil {
		t.Fatal(err)
	}
	reset := neuron.Subtract
	return g, nir.Options{DT: 1e-4, Reset: &reset, Method: nir.Exact}
}

// inputs are the first columns of a trace of one input.
func inputs(tr certify.Trace) (rows [][]float64) {
	for _, row := range tr.Rows {
		rows = append(rows, row[:1])
	}
	return rows
}

// [lif]: the engine's voltages are those of the equations, its spikes within a step of the exact ones,
// and the exact solution is the one that is stored.
func TestLIFOfNorse(t *testing.T) {
	g, o := golden(t)
	if dt := certify.Step(g); dt != 1e-4 {
		t.Errorf("a step of %v is suggested, want 0.0001", dt)
	}
	stored := traceOf(t, "exact")
	c, err := certify.Check(g, certify.Setting{Options: o, Traces: []certify.Trace{stored}})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int]float64{0: 1e-6, 1: 1e-3, len(c.Against) - 1: 1e-6} { // steps, exact, the trace
		if a := c.Against[k]; !a.SpikesEqual || !(a.MaxError <= want) {
			t.Errorf("%s: spikes equal %v, voltages differ by %v, want %v at most", a.Trace, a.SpikesEqual, a.MaxError, want)
		}
	}
	if !c.Agrees || c.First != nil || c.Steps != 1000 {
		t.Errorf("%+v", c)
	}
}

// [lif]: each platform's trace is explained by its cause, with the figures of the goldens' page.
func TestPlatformsAreClassified(t *testing.T) {
	g, o := golden(t)
	for _, c := range []struct {
		name, cause     string
		equal           bool
		step            int
		error, scale    float64
		expected, found float64
	}{
		{"norse", certify.Reset, true, 460, 0.0062, 0.997, 0.0062, 0},
		{"snntorch", certify.Scale, true, 60, 0.0062, 24.93, 0.0392, 1},
		{"spinnaker2", certify.Scale, true, 60, 0.0062, 24.93, 0.0392, 0.9998},
		{"lava_cpu_float", certify.Delay, false, 460, 0.065, 0.971, 1, 0},
		{"sinabs", certify.Scale, false, 60, 0.098, 0.948, 0.0392, 0.04},
	} {
		cert, err := certify.Check(g, certify.Setting{Options: o, Input: inputs(traceOf(t, "exact")), Traces: []certify.Trace{traceOf(t, c.name)}})
		if err != nil {
			t.Fatal(err)
		}
		a := cert.Against[len(cert.Against)-1]
		near := func(a, b float64) bool { return math.Abs(a-b) <= 0.01*math.Abs(b)+1e-4 }
		if d := cert.First; d == nil || d.Cause != c.cause || d.Step != c.step || !near(d.Expected, c.expected) || !near(d.Found, c.found) || cert.Agrees != c.equal {
			t.Errorf("%s: agrees %v, %+v", c.name, cert.Agrees, d)
		}
		if a.SpikesEqual != c.equal || !near(a.MaxError, c.error) || !near(a.Scale, c.scale) {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	// Its own input is Δ/τ a spike, where the file's would be 1.
	cert, err := certify.Check(g, certify.Setting{Options: o, Traces: []certify.Trace{traceOf(t, "sinabs")}})
	if err != nil || cert.First == nil || cert.First.Cause != certify.Scale {
		t.Errorf("%v, %+v", err, cert.First)
	}
}

// A trace that no reading gives again is said to be one.
func TestNothingExplainsNoise(t *testing.T) {
	g, o := golden(t)
	tr := traceOf(t, "exact")
	for i, row := range tr.Rows {
		row[1], row[2] = 0.05+0.05*math.Sin(float64(i)), float64(i%7/6)
	}
	c, err := certify.Check(g, certify.Setting{Options: o, Traces: []certify.Trace{tr}})
	if err != nil || c.Agrees || c.First == nil || c.First.Cause != certify.Unknown || c.First.Step != 6 {
		t.Errorf("%v, %+v", err, c.First)
	}
}

// random is a parameter between lo and hi.
func random(m *rand.Rand, lo, hi float64, shape ...int) nir.Param {
	p := nir.Param{Shape: shape}
	n := 1
	for _, d := range shape {
		n *= d
	}
	for range n {
		p.Data = append(p.Data, float64(float32(lo+(hi-lo)*m.Float64())))
	}
	return p
}

// recurrent is a graph of one population of a kind, between linear maps, that sees itself where it fires.
func recurrent(m *rand.Rand, kind string) *nir.Graph {
	params := map[string]nir.Param{"r": random(m, 0.5, 2, 6)}
	if kind != "IF" && kind != "I" {
		params["v_leak"] = random(m, -0.1, 0.1, 6)
		params["tau"], params["tau_mem"], params["tau_syn"] = random(m, 3, 9, 6), random(m, 3, 9, 6), random(m, 2, 4, 6)
	}
	fires := kind[len(kind)-1] == 'F'
	if fires {
		params["v_threshold"] = random(m, 0.3, 0.9, 6)
	}
	g := &nir.Graph{
		Nodes: []nir.Node{
			{Name: "input", Kind: "Input", Params: map[string]nir.Param{"shape": {Shape: []int{1}, Data: []float64{4}}}},
			{Name: "in", Kind: "Affine", Params: map[string]nir.Param{"weight": random(m, -0.5, 1, 6, 4), "bias": random(m, 0, 0.2, 6)}},
			{Name: "n", Kind: kind, Params: params},
			{Name: "late", Kind: "Delay", Params: map[string]nir.Param{"delay": {Shape: []int{6}, Data: []float64{0, 1, 2, 0, 0.5, 3}}}},
			{Name: "output", Kind: "Output"},
		},
		Edges: []nir.Edge{{From: "input", To: "in"}, {From: "in", To: "n"}, {From: "n", To: "late"}, {From: "late", To: "output"}},
	}
	if fires {
		g.Nodes = append(g.Nodes, nir.Node{Name: "w", Kind: "Linear", Params: map[string]nir.Param{"weight": random(m, -0.6, 0.6, 6, 6)}})
		g.Edges = append(g.Edges, nir.Edge{From: "n", To: "w"}, nir.Edge{From: "w", To: "n"})
	}
	return g
}

// Each kind of population, recurrent ones among them, runs by the engine as its equations say, under
// each reading; and another reading is told from it.
func TestEachPopulationAgrees(t *testing.T) {
	m := rand.New(rand.NewPCG(3, 4))
	for _, kind := range certify.Populations {
		for _, reset := range []neuron.Reset{neuron.Subtract, neuron.Zero, neuron.None} {
			for _, coupling := range []neuron.Coupling{neuron.Euler, neuron.Unit, neuron.Exact} {
				for _, method := range []nir.Method{nir.Exact, nir.Euler} {
					for _, pause := range []int{0, 2} {
						o := nir.Options{DT: 0.5, Reset: &reset, Coupling: &coupling, Method: method, Refractory: pause}
						if kind != "CubaLIF" && coupling == neuron.Exact {
							o.Floor = -0.125
						}
						c, err := certify.Check(recurrent(m, kind), certify.Setting{Options: o})
						if err != nil {
							t.Fatal(err)
						}
						if a := c.Against[0]; !c.Agrees || a.Trace != "steps" || a.MaxError > 1e-3 || !a.SpikesEqual && c.First.Cause != certify.Rounding {
							t.Errorf("%s, reset %v, coupling %v, method %s, refractory %d: %+v, %+v", kind, reset, coupling, method, pause, a, c.First)
						}
						told := 0
						for _, a := range c.Against[1:] {
							if !a.SpikesEqual {
								told++
							}
						}
						if kind[len(kind)-1] == 'F' && told < 2 {
							t.Errorf("%s, reset %v: %d other readings have other spikes", kind, reset, told)
						}
					}
				}
			}
		}
	}
}

// What fires in the first step acts on the second.
func TestSpikesOfTheFirstStepReturn(t *testing.T) {
	for _, kind := range []string{"LIF", "IF", "CubaLIF"} {
		reset := neuron.Subtract
		o := nir.Options{DT: 0.5, Reset: &reset, Method: nir.Exact}
		strong := slices.Repeat([]float64{8}, 4)
		c, err := certify.Check(recurrent(rand.New(rand.NewPCG(7, 8)), kind), certify.Setting{Options: o, Input: [][]float64{strong, strong, make([]float64, 4)}})
		if err != nil || !c.Agrees || c.Against[0].MaxError > 1e-3 {
			t.Errorf("%s: %v, %+v, %+v", kind, err, c.First, c.Against)
		}
	}
}

// The exact solution of a synapse is the limit of ever smaller steps.
func TestExactIsTheLimitOfSteps(t *testing.T) {
	for _, kind := range []string{"LIF", "IF", "CubaLIF"} {
		g := recurrent(rand.New(rand.NewPCG(5, 6)), kind)
		g.Edges = slices.DeleteFunc(g.Edges, func(e nir.Edge) bool { return e.From == "w" || e.To == "w" })
		g.Nodes = slices.DeleteFunc(g.Nodes, func(n nir.Node) bool { return n.Name == "w" })
		input := certify.Generated(4, 40)
		for i := range g.Nodes[2].Params["r"].Data {
			g.Nodes[2].Params["r"].Data[i] *= 4
		}
		exact, err := certify.Solve(g, certify.Reading{DT: 0.5, Reset: "zero", Method: "exact", Within: true}, input)
		if err != nil {
			t.Fatal(err)
		}
		fine, err := certify.Solve(g, certify.Reading{DT: 0.5, Reset: "zero", Method: "exact", Coupling: "euler", Parts: 300}, input)
		if err != nil {
			t.Fatal(err)
		}
		all, other := 0.0, 0.0
		for t, row := range exact.Spikes["n"] {
			for i, s := range row {
				all += s
				other += math.Abs(s - fine.Spikes["n"][t][i])
			}
		}
		if all < 20 || other > 0.06*all {
			t.Errorf("%s: %v spikes, %v of them differ", kind, all, other)
		}
	}
}
