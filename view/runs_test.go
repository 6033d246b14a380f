package view

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"synfire/run"
)

// What a run's directory tells: its last epoch, and a line of each figure that was
// recorded more than once.
func TestRunShowsItsCurves(t *testing.T) {
	dir := t.TempDir()
	d, err := run.Open(dir, []byte("seed: 1\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	for i, loss := range []float64{3, 2, 1} {
		for _, line := range []any{
			run.Point{Kind: "step", Epoch: i + 1, Step: i + 1, Train: run.Figures{"loss": loss}},
			run.Epoch{Kind: "epoch", Epoch: i + 1, Valid: run.Figures{"accuracy": 90 + float64(i)}},
		} {
			if _, err := d.Append(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := d.Append(run.Epoch{Kind: "epoch", Epoch: 4, Valid: run.Figures{"accuracy": 93}, Test: run.Figures{"accuracy": 91}}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if err := os.WriteFile(dir+"/config.yaml", []byte("seed: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := run.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if err := NewScreen(&out, &errOut).Run(r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"training loss        █▅▁\n", "validation accuracy  ▁▃▆█\n", "epochs               4"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}
