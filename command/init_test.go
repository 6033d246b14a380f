package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run that started from a model of another seed chose its best epoch by samples that the
// model had learned from.
func TestInitLeaksTrainingSamplesIntoValidation(t *testing.T) {
	dir := t.TempDir()
	train := func(name, content string, args ...string) (stderr string, code int) {
		file := writeIn(t, dir, name+".yaml", content)
		_, stderr, code = command(append([]string{"train", file, "--out", filepath.Join(dir, name)}, args...)...)
		return stderr, code
	}
	must := func(name, content string, args ...string) string {
		t.Helper()
		stderr, code := train(name, content, args...)
		if code != 0 {
			t.Fatalf("%s: exit code %d, %s", name, code, stderr)
		}
		config, err := os.ReadFile(filepath.Join(dir, name, "config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(config)
	}
	must("first", tinyNet)
	if config := must("other", "init: first/model.safetensors\n"+tinyNet, "--seed", "5"); !strings.Contains(config, "valid-seed: 1") || !strings.Contains(config, "\nseed: 5") && !strings.HasPrefix(config, "seed: 5") {
		t.Errorf("another seed holds out others:\n%s", config)
	}
	if config := must("third", "init: other/model.safetensors\n"+tinyNet, "--seed", "5"); !strings.Contains(config, "valid-seed: 1") {
		t.Errorf("the split does not go on from model to model:\n%s", config)
	}
	if config := must("same", "init: first/model.safetensors\n"+tinyNet); strings.Contains(config, "valid-seed") {
		t.Errorf("the same seed:\n%s", config)
	}
	must("all", "valid: 0\n"+tinyNet)
	for name, c := range map[string]struct{ content, want string }{
		"more":     {"init: first/model.safetensors\nvalid: 0.2\n" + tinyNet, "valid: 0.1, and this run has 0.2"},
		"none":     {"init: all/model.safetensors\n" + tinyNet, "set valid: 0"},
		"by-seed":  {"init: first/model.safetensors\nvalid-seed: 7\n" + tinyNet, "valid-seed: 1, and this run has 7"},
		"fewer":    {"init: first/model.safetensors\n" + strings.Replace(tinyNet, "train: ", "train: 1", 1), "data.train"},
		"no-valid": {"init: all/model.safetensors\nvalid: 0\n" + tinyNet, ""},
	} {
		stderr, code := train(name, c.content)
		if c.want == "" && code != 0 || c.want != "" && (code != exitUsage || !strings.Contains(stderr, c.want)) {
			t.Errorf("%s: exit code %d, %s, want %q", name, code, stderr, c.want)
		}
	}
}
