package command

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/modelfile"
)

// piped is what a verb prints, and its exit code, with a standard input.
func piped(t *testing.T, in string, args ...string) (out, errs string, code int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(w, in)
		w.Close()
	}()
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin; r.Close() }()
	var o, e bytes.Buffer
	code = testProgram().Execute(args, &o, &e)
	return o.String(), e.String(), code
}

// A model goes on learning from a pipe; what it learned is another model, after a wrong
// line too, and rules that are not online are refused.
func TestStream(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "net.yaml")
	text := `data: {source: {kind: patterns, train: 4, test: 2, classes: 2, units: 8, rate: 20, duration: 0.1, targets: 1}}
valid: 0
rule: superspike
encoder: events
steps: 1000
task: {kind: match-trains, tau: 0.01, target: trains}
epochs: 1
batch: 1
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := piped(t, "", "train", file, "--out", filepath.Join(dir, "run")); code != 0 {
		t.Fatal(errs)
	}
	model, wiser := filepath.Join(dir, "run", "model.safetensors"), filepath.Join(dir, "wiser.safetensors")
	events := "time,unit,kind\n0.01,3,input\n0.02,0,target\n0.9,1,input\n"
	out, errs, code := piped(t, events, "stream", model, "--out", wiser, "--update", "100")
	if code != 0 || !strings.HasPrefix(out, "time,unit\n") || errs != "" {
		t.Fatalf("code %d, %q, %s", code, out, errs)
	}
	before, err := modelfile.Read(model)
	if err != nil {
		t.Fatal(err)
	}
	after, err := modelfile.Read(wiser)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before.Arrays["layer1.weight"].Data, after.Arrays["layer1.weight"].Data) {
		t.Error("nothing was learned")
	}
	if _, errs, code := piped(t, "", "eval", wiser); code != 0 {
		t.Errorf("eval: %s", errs)
	}
	os.Remove(wiser)
	if _, errs, code := piped(t, events+"x,1,input\n", "stream", model, "--out", wiser, "--update", "100"); code != exitFailed || !strings.Contains(errs, "line 5") {
		t.Errorf("code %d: %s", code, errs)
	}
	if _, err := modelfile.Read(wiser); err != nil {
		t.Errorf("what was learned before the wrong line is lost: %v", err)
	}
	if _, errs, _ := piped(t, events, "stream", model); !strings.Contains(errs, "not kept") {
		t.Errorf("no word of what is lost: %s", errs)
	}
}
