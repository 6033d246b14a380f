package view

import (
	"strings"
	"testing"

	"synfire/run"
)

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
