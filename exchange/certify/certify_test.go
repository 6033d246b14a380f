package certify_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/neuron"
)

// shared is a file beside the project, where the goldens of the field's tools are kept.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("shared/%s is not on this machine", name)
	return ""
}

// traceOf is a trace of the goldens.
func traceOf(t *testing.T, name string) certify.Trace {
	t.Helper()
	f, err := os.Open(shared(t, "golden/nir/lif_"+name+".csv"))
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
	g, err := nir.Read(shared(t, "golden/nir/lif_norse.nir"))
	if err != nil {
		t.Fatal(err)
	}
	reset := neuron.Subtract
	return g, nir.Options{DT: 1e-4, Reset: &reset, Method: nir.Exact}
}

// [lif]: each platform's trace is explained by its cause.
func TestPlatformsAreClassified(t *testing.T) {
	g, o := golden(t)
	if dt := certify.Step(g); dt != 1e-4 {
		t.Errorf("a step of %v is suggested, want 0.0001", dt)
	}
	input := traceOf(t, "exact")
	for _, c := range []struct {
		name, cause string
	}{{"exact", ""}, {"norse", certify.Reset}, {"snntorch", certify.Scale}, {"spinnaker2", certify.Scale}, {"lava_cpu_float", certify.Delay}, {"sinabs", certify.Scale}} {
		tr := traceOf(t, c.name)
		for _, own := range []bool{false, true} {
			s := certify.Setting{Options: o, Traces: []certify.Trace{tr}}
			if !own {
				for _, row := range input.Rows {
					s.Input = append(s.Input, row[:1])
				}
			}
			cert, err := certify.Check(g, s)
			if err != nil {
				t.Fatal(err)
			}
			a := cert.Against[len(cert.Against)-1]
			t.Logf("%s own %v: spikes %v, error %.4f, scale %.4f, %s; %+v; agrees %v", c.name, own, a.SpikesEqual, a.MaxError, a.Scale, a.Why, a.First, cert.Agrees)
		}
	}
	cert, _ := certify.Check(g, certify.Setting{Options: o, Traces: []certify.Trace{input}})
	t.Logf("%+v %+v", cert.Against, cert.First)
}
