package command

import (
	"strings"
	"testing"

	"synfire/catalog"
)

func TestSchema(t *testing.T) {
	out, _, code := command("schema")
	if code != 0 || out != string(catalog.Schema()) {
		t.Errorf("exit code %d, %d bytes", code, len(out))
	}
}

// A network that does not fit ends with the line of the node.
func TestTrainNamesTheLine(t *testing.T) {
	file := write(t, "net.yaml", "data: {name: mnist-sample}\nsteps: 2\nlayers:\n  - {kind: conv2d, out: 4, kernel: 30}\n  - flatten\n  - {kind: linear, out: 10}\n")
	_, stderr, code := command("train", file, "--out", t.TempDir())
	if want := file + ":4:5: layers[0]: node \"conv2d1\": "; code != exitUsage || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, want %d: %s, want %s", code, exitUsage, stderr, want)
	}
}
