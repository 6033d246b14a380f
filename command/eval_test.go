package command

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
)

// The parts of the data are those of training: together all samples, and without --data
// those that the file names.
func TestEvalSplits(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	file := write(t, "net.yaml", tinyNet)
	if _, stderr, code := command("train", file, "--out", out); code != 0 {
		t.Fatal(stderr)
	}
	best := filepath.Join(out, "model.safetensors")
	for _, c := range []struct {
		data, split string
		n           int
	}{
		{"", "train", 180}, {"", "valid", 20}, {"", "test", 100}, {"", "all", 1500},
		{"mnist-sample", "train", 180}, {"mnist-sample", "valid", 20}, {"mnist-sample", "test", 500},
	} {
		args := []string{"eval", best, "--split", c.split, "--json"}
		if c.data != "" {
			args = append(args, "--data", c.data)
		}
		stdout, stderr, code := command(args...)
		var e catalog.Evaluation
		strict(t, stdout, &e)
		if code != 0 || e.N != c.n || e.Split != c.split || e.Data != "mnist-sample" || e.Task != "classify" {
			t.Errorf("%q %s: %d samples of %s %s, want %d; %s", c.data, c.split, e.N, e.Data, e.Split, c.n, stderr)
		}
		sum, of := 0, 0
		for i, row := range e.Confusion {
			for _, n := range row {
				sum += n
			}
			of += e.PerClass[i].N
		}
		if sum != c.n || of != c.n || len(e.Classes) != 10 || len(e.Scalars) < 2 || e.Scalars[0].Name != "accuracy" || *e.Scalars[0].Value != *e.Accuracy {
			t.Errorf("%q %s: %+v", c.data, c.split, e)
		}
	}
	stdout, _, code := command("eval", best)
	for _, want := range []string{"PRECISION", "RECALL", "F1", "TRUE CLASS", "accuracy", "spikes a sample"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, stdout)
		}
	}
	if _, stderr, code := command("eval", best, "--data", "mist"); code != 1 || !strings.Contains(stderr, `did you mean "mnist"`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Data that the model was not trained on have the parts that they come with.
func TestEvalForeignData(t *testing.T) {
	examples := filepath.Join("..", "examples")
	out := filepath.Join(t.TempDir(), "run")
	if _, stderr, code := command("train", filepath.Join(examples, "own-table.yaml"), "--out", out); code != 0 {
		t.Fatal(stderr)
	}
	other := filepath.Join(t.TempDir(), "other.npz")
	if _, stderr, code := command("data", "convert", filepath.Join(examples, "testdata", "clouds.csv"), other, "--label", "kind"); code != 0 {
		t.Fatal(stderr)
	}
	stdout, stderr, code := command("eval", filepath.Join(out, "model.safetensors"), "--data", "npz:"+other, "--json")
	var e catalog.Evaluation
	strict(t, stdout, &e)
	if code != 0 || e.N != 60 || e.Split != "all" {
		t.Errorf("%d samples of %s: %s", e.N, e.Split, stderr)
	}
	if _, stderr, code = command("eval", filepath.Join(out, "model.safetensors"), "--data", "npz:"+other, "--split", "valid"); code != 1 || !strings.Contains(stderr, "not what the model was trained on") {
		t.Errorf("valid: exit code %d, %s", code, stderr)
	}
	// What a file says beside the path was left aside in silence.
	for text, want := range map[string]string{"holdout: 0.2\ntest: 5\n": "test 5", "train: 20\n": "all 20"} {
		var e catalog.Evaluation
		stdout, stderr, _ := command("eval", filepath.Join(out, "model.safetensors"), "--data", "yaml:"+write(t, "other.yaml", "npz: "+other+"\n"+text), "--json")
		strict(t, stdout, &e)
		if got := fmt.Sprint(e.Split, " ", e.N); got != want {
			t.Errorf("%q: %s samples, want %s; %s", text, got, want, stderr)
		}
	}
}

// A model of two tasks and of a rule that knows no steps: each matrix has its task's name,
// and nothing is said of steps.
func TestEvalOfTwoTasksAndNoSteps(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	if _, stderr, code := command("train", filepath.Join("..", "examples", "own-eqprop-predictor.yaml"), "--out", out, "--json"); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	stdout, stderr, code := command("eval", filepath.Join(out, "model.safetensors"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"relaxed/accuracy", "\nrelaxed\n", "forward/accuracy", "\nforward\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "steps a sample") {
		t.Errorf("steps of a rule that knows none:\n%s", stdout)
	}
}

// A model stops as early as its file says, unless the flag says otherwise.
func TestEvalStopsAsTheFileSays(t *testing.T) {
	steps := func(file string, flags ...string) float64 {
		dir := filepath.Join(t.TempDir(), "run")
		if _, stderr, code := command("train", write(t, "net.yaml", file), "--out", dir); code != 0 {
			t.Fatal(stderr)
		}
		stdout, stderr, code := command(append([]string{"eval", filepath.Join(dir, "model.safetensors"), "--json"}, flags...)...)
		if code != 0 {
			t.Fatal(stderr)
		}
		var e catalog.Evaluation
		strict(t, stdout, &e)
		return e.StepsPerSample
	}
	const lead = "early-exit: 0.001\n"
	if v := steps(tinyNet); v != 3 {
		t.Errorf("without a rule: %v steps a sample, want 3", v)
	}
	if flag, own := steps(tinyNet, "--early-exit", "0.001"), steps(tinyNet+lead); !(own < 3) || own != flag {
		t.Errorf("a small lead: by the file %v steps a sample, by the flag %v", own, flag)
	}
	if v := steps(tinyNet+lead, "--early-exit", "off"); v != 3 {
		t.Errorf("off: %v steps a sample, want 3", v)
	}
}
