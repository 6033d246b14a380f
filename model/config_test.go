package model_test

import (
	"strings"
	"testing"
)

// A task that is unknown is answered with a list of those that are, detect among them.
func TestTaskOfBoxes(t *testing.T) {
	const head = "data: {name: mnist}\nsteps: 2\nlayers: [flatten, {kind: linear, out: 10}, spiking]\n"
	for _, task := range []string{"task: boxes", "task: [classify, {kind: boxes}]"} {
		if _, err := kinds().Decode("f.yaml", []byte(head+task+"\n")); err == nil || !strings.Contains(err.Error(), "detect") {
			t.Errorf("%s: %v", task, err)
		}
	}
	if _, err := kinds().Decode("f.yaml", []byte(head+"task: detect\n")); err != nil {
		t.Errorf("task: detect: %v", err)
	}
	if _, err := kinds().Decode("f.yaml", []byte(head+"task: {kind: detect, threshold: 2}\n")); err == nil || !strings.Contains(err.Error(), "threshold 2") {
		t.Errorf("a threshold of 2: %v", err)
	}
}
