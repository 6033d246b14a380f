package report_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"synfire/report"
)

func TestSparkline(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		width  int
		want   string
	}{
		{nil, 9, ""},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 9, "▁▂▃▄▅▆▇█"},
		{[]float64{7, 0}, 9, "█▁"},
		{[]float64{0, 0, 7, 7}, 2, "▁█"},
		{[]float64{0, nan, 7, math.Inf(1)}, 2, "▁█"},
		{[]float64{0, nan, 7}, 3, "▁ █"},
		{[]float64{3, 3}, 9, "▅▅"},
		{[]float64{1, 5}, 0, "▅"},
		{[]float64{nan}, 5, " "},
	} {
		if got := report.Sparkline(c.values, c.width); got != c.want {
			t.Errorf("%v in %d columns: %q, want %q", c.values, c.width, got, c.want)
		}
	}
}

func TestTrends(t *testing.T) {
	var falling []float64
	for level := range 8 {
		falling = append(falling, slices.Repeat([]float64{2.3 - 0.3*float64(level)}, 10)...)
	}
	trends := []report.Trend{{Name: "training loss", Values: falling}, {Name: "test accuracy", Unit: "%", Values: []float64{75.2, math.NaN(), 88.6}}, {Name: "nothing"}}
	write := func(width int, color bool) string {
		var b strings.Builder
		if err := report.WriteTrends(&b, trends, width, color); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := "training loss  █████▇▇▇▇▇▆▆▆▆▆▅▅▅▅▅▄▄▄▄▄▃▃▃▃▃▂▂▂▂▂▁▁▁▁▁  2.300 → 0.2000\ntest accuracy  ▁ █  75.20 → 88.60 %\n"
	if got := write(80, false); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for width := 40; width < 80; width++ {
		for line := range strings.Lines(write(width, false)) {
			if n := utf8.RuneCountInString(line) - 1; n > width {
				t.Errorf("%d columns: a line of %d", width, n)
			}
		}
	}
	if got := write(80, true); strings.Count(got, "\x1b[0m") != 4 {
		t.Errorf("colours: %q", got)
	}
}
