package view

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/docs"
	"synfire/inspect"
	"synfire/run"
	"synfire/train"
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
	for _, file := range []string{"config.yaml", "checkpoints/step-000000003.safetensors"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte("seed: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := run.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if err := NewScreen(&out, &errOut).Run(r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"training loss        █▅▁\n", "validation accuracy  ▁▃▆█\n", "epochs               4", "continue it: synfire runs resume " + dir} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

// The reading list cites each paper, says what it claims and how to run it.
func TestReadingList(t *testing.T) {
	var out bytes.Buffer
	year := 2020
	p := docs.Paper{Key: "key-2020", Title: "A title", Authors: "A. Author", Year: &year, Claim: "It works."}
	l := docs.Listing{Status: docs.Partial, Recipes: []string{"one"}, Missing: "the larger network"}
	if err := NewScreen(&out, &out).ReadingList([]docs.Paper{p}, []docs.Listing{l}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"key-2020", "  A title\n", "  " + p.Citation() + "\n", "It works.", "> synfire run one\n", "missing: the larger network"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

// Numbers have four digits, and those that do not exist a dash.
func TestShort(t *testing.T) {
	for v, want := range map[float64]string{math.Pi: "3.142", 1.0 / 3: "0.3333", 123456: "1.235e+05", 2: "2", 16777217: "1.678e+07", math.NaN(): "–"} {
		if got := Short(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

// Values of arrays are read where they are asked for, and else said to be not.
func TestArraysWithValuesAndWithout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	header := "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00\x76\x00"), header...)
	for _, v := range []float64{-1.5, 4} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := inspect.Open(catalog.Default(), path)
	if err != nil {
		t.Fatal(err)
	}
	for values, want := range map[bool]string{true: "-1.5  1.25  4", false: "values are not read"} {
		var out bytes.Buffer
		if err := NewScreen(&out, &out).Arrays(t.Context(), f.Arrays, values); err != nil || !strings.Contains(out.String(), want) || strings.Contains(out.String(), "1.25") != values {
			t.Errorf("%v: %q, %v", values, out.String(), err)
		}
	}
}

// A loss that is defined over all steps only is said to be so, where fewer were made.
func TestEvaluationWithoutALoss(t *testing.T) {
	loss := 0.25
	for _, c := range []struct {
		loss  *float64
		steps float64
		want  bool
	}{{nil, 3, true}, {nil, 0, false}, {&loss, 3, false}} {
		var out bytes.Buffer
		if err := NewScreen(&out, &out).Evaluation(catalog.Evaluation{Data: "d", Loss: c.loss}, &train.Evaluation{Steps: c.steps}, nil, 5); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "defined over all steps only"); got != c.want {
			t.Errorf("%+v: %q", c, out.String())
		}
	}
}

// The figure of a run with several tasks was the first by the alphabet.
func TestFigureOfARunIsTheFirstTasks(t *testing.T) {
	a, b := 1.5, 97.25
	r := run.Row{Metrics: map[string]*float64{"test_a_psnr": &a, "test_digit_accuracy": &b, "test_loss": &a}, Figure: "test_digit_accuracy"}
	if got := shownMetric(r); got != "test_digit_accuracy 97.25" {
		t.Error(got)
	}
	r.Figure = ""
	for range 20 {
		if got := shownMetric(r); got != "test_a_psnr 1.5" {
			t.Fatal(got)
		}
	}
	r.Metrics["test_accuracy"], r.Figure = &b, "test_accuracy"
	if got := shownMetric(r); !strings.HasPrefix(got, "accuracy 97.25") {
		t.Error(got)
	}
}
