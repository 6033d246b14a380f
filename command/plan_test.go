package command

import (
	"regexp"
	"strings"
	"testing"
)

// The plan of the contract, for a file and for a recipe.
func TestPlan(t *testing.T) {
	for _, args := range [][]string{{write(t, "net.yaml", tinyNet)}, {"quickstart", "--scale", "smoke"}} {
		stdout, stderr, code := command(append([]string{"plan", "--json"}, args...)...)
		if code != 0 {
			t.Fatalf("plan %v: exit code %d, %s", args, code, stderr)
		}
		var p struct {
			Parameters      int64
			TrainBytes      int64    `json:"train_bytes"`
			InferBytes      int64    `json:"infer_bytes"`
			SecondsPerEpoch *float64 `json:"seconds_per_epoch"`
			Layers          []struct {
				Name       string
				Output     []int
				Parameters int64
			}
		}
		strict(t, stdout, &p)
		sum := int64(0)
		for _, l := range p.Layers {
			sum += l.Parameters
		}
		if sum != p.Parameters || sum == 0 || p.TrainBytes <= p.Parameters*16 || p.InferBytes <= p.Parameters*4 || !(*p.SecondsPerEpoch > 0) {
			t.Errorf("plan %v: %s", args, stdout)
		}
	}
}

// People read of as many batches as the epoch has, the last one not full.
func TestPlanBatches(t *testing.T) {
	for batch, want := range map[string]string{"20": "9", "50": "4", "180": "1"} {
		out, errOut, code := command("plan", write(t, "net.yaml", strings.Replace(tinyNet, "batch: 20", "batch: "+batch, 1)))
		if code != 0 || !regexp.MustCompile(`an epoch +.*, `+want+` batches`).MatchString(out) {
			t.Errorf("batch %s: want %s batches\n%s%s", batch, want, out, errOut)
		}
	}
}
