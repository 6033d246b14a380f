package command

import (
	"strings"
	"testing"
)

// Every kind of the catalogue is listed with what it is, its keys and their defaults.
func TestKinds(t *testing.T) {
	stdout, stderr, code := command("kinds", "--json")
	var list []struct {
		Kind, Of, Doc, Source *string
		Keys                  []struct {
			Name, Type, Doc *string
			Default         any
			Required        bool
		}
	}
	strict(t, stdout, &list)
	if code != 0 {
		t.Fatal(stderr)
	}
	kinds := testProgram().Catalog
	want := len(kinds.Rules) + len(kinds.Tasks) + len(kinds.Sources) + len(kinds.Augments) + len(kinds.Encoders) + len(kinds.Decoders) + len(kinds.Layers) +
		len(kinds.Neurons) + len(kinds.Surrogates) + len(kinds.Losses) + len(kinds.Regularizers) + len(kinds.Optimizers) + len(kinds.Schedules) + len(kinds.Averages) + len(kinds.Networks)
	if len(list) != want {
		t.Errorf("%d kinds, want %d", len(list), want)
	}
	for _, k := range list {
		if *k.Doc == "" || !strings.HasPrefix(*k.Source, "synfire/") || k.Keys == nil {
			t.Errorf("%s %s has no text, Go type or keys: %+v", *k.Of, *k.Kind, k)
		}
		for _, key := range k.Keys {
			if *key.Type == "" || *key.Doc == "" {
				t.Errorf("%s %s: key %s has no type or text", *k.Of, *k.Kind, *key.Name)
			}
		}
	}
	stdout, _, code = command("kinds", "lif")
	if code != 0 || !strings.Contains(stdout, "leaky integrate-and-fire") || !strings.Contains(stdout, "decay-input") || !strings.Contains(stdout, "0.9") {
		t.Errorf("kinds lif: exit code %d,\n%s", code, stdout)
	}
	if stdout, _, code = command("kinds", "neuron"); code != 0 || !strings.Contains(stdout, "cuba-lif") || strings.Contains(stdout, "conv2d") {
		t.Errorf("kinds neuron: exit code %d,\n%s", code, stdout)
	}
}
