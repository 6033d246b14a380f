package command

import (
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/zoo"
)

// The list, and names in the place of model files.
func TestModels(t *testing.T) {
	stdout, stderr, code := command("models", "--json")
	var list []zoo.Model
	strict(t, stdout, &list)
	if code != 0 || len(list) == 0 || list[0] != zoo.List()[0] {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	stdout, _, code = command("models")
	for _, want := range []string{"mnist-cnn", "of 10,000", "float16", "ACCURACY"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, stdout)
		}
	}
	var e catalog.Evaluation
	stdout, stderr, code = command("eval", "mnist-cnn", "--data", "mnist-sample", "--json")
	if strict(t, stdout, &e); code != 0 || e.N != 500 || *e.Accuracy < 97 {
		t.Errorf("exit code %d, %+v: %s", code, e, stderr)
	}
	if stdout, stderr, code = command("inspect", "mnist-cnn"); code != 0 || !strings.Contains(stdout, "5×5×16×48") || !strings.Contains(stdout, "stored as") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code = command("export", "mnist-cnn", "-o", t.TempDir()+"/net.onnx"); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	stdout, stderr, code = command("convert", "mnist-cnn", "--method", "rmp", "--data", "mnist-sample", "--samples", "50", "--steps", "4,8", "--json")
	if code != 0 || !strings.Contains(stdout, `"method":"rmp"`) {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code = command("eval", "mnist-cmn"); code != 1 || !strings.Contains(stderr, `did you mean "mnist-cnn"?`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
