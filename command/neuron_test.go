package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The trace of the contract, for every kind; an integrate-and-fire neuron of
// input 1/4 fires every fourth step.
func TestNeuron(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "a.svg")
	for _, kind := range []string{"if", "lif", "cuba-lif", "alif"} {
		stdout, stderr, code := command("neuron", kind, "--input", "0.25", "--steps", "12", "--set", "refractory=0", "--json", "--svg", svg)
		var tr struct {
			Name   string
			Params map[string]any
			T      []float64
			V      []*float64
			Spikes []int

			Current []float64
			Units   struct{ T, V, Current string }
		}
		strict(t, stdout, &tr)
		if code != 0 || tr.Name != kind || tr.Params["threshold"] != 1.0 || len(tr.T) != 12 || len(tr.V) != 12 || tr.Spikes == nil {
			t.Errorf("%s: exit code %d, %s, %s", kind, code, stdout, stderr)
		}
		if kind == "if" && !slices.Equal(tr.Spikes, []int{3, 7, 11}) {
			t.Errorf("if: spikes at %v", tr.Spikes)
		}
		if raw, err := os.ReadFile(svg); err != nil || !strings.Contains(string(raw), "<svg") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	stdout, _, _ := command("neuron", "if", "--input", "0.5", "--steps", "6", "--set", "refractory=2", "--svg", svg, "--json")
	if !strings.Contains(stdout, `"v":[0.5,1,0,0,0.5,1]`) { // held while refractory
		t.Errorf("refractory: %s", stdout)
	}
	stdout, _, _ = command("neuron", "lif", "--steps", "24")
	golden(t, "neuron", stdout)
}
