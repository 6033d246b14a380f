package model_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/optim"
)

// Options that are embedded, and lists, survive a file.
func TestOptimizerFile(t *testing.T) {
	src := strings.NewReplacer(
		"kind: adam, lr: 0.002", "kind: adamw, lr: 0.002, decay: 0.05, decay-biases: true",
		"schedule: cosine", "schedule: {kind: milestones, at: [0.5, 0.75]}",
	).Replace(example)
	table := kinds()
	c, err := table.Decode("x.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	o := optim.AdamW{Adam: optim.Adam{LR: 0.002, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Decay: 0.05, DecayBiases: true}
	if rule(t, c).Optimizer != optim.Optimizer(o) {
		t.Errorf("optimizer decoded as %+v, want %+v", rule(t, c).Optimizer, o)
	}
	if want := (optim.Milestones{At: []float64{0.5, 0.75}, Factor: 0.1}); !reflect.DeepEqual(rule(t, c).Schedule, optim.Schedule(want)) {
		t.Errorf("schedule decoded as %+v", rule(t, c).Schedule)
	}
	out, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := table.Decode("y.yaml", out); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("encoded and decoded: %+v, %v", again, err)
	}
}
