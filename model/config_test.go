package model_test

import (
	"strings"
	"testing"
)

// An unknown task of boxes was answered with a list of others, without a word.
func TestTaskOfBoxes(t *testing.T) {
	for _, task := range []string{"task: boxes", "task: [classify, {kind: boxes}]", "task: detect"} {
		_, err := kinds().Decode("f.yaml", []byte("data: {name: mnist}\nsteps: 2\nlayers: [flatten, {kind: linear, out: 10}, spiking]\n"+task+"\n"))
		if err == nil || !strings.Contains(err.Error(), "none of this program scores boxes") {
			t.Errorf("%s: %v", task, err)
		}
	}
}
