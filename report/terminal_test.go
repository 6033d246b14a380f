package report_test

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"synfire/report"
)

const at100 = `
claim                                         published      bound  measured  verdict
MNIST test accuracy, CNN                        99.42 %   ≥ 99.2 %   99.31 %  met
MNIST test accuracy, fully connected            98.89 %    ± 0.3 %   98.47 %  not met
  98.47 % is more than 0.3 % from 98.89 %
Temporal coding beats rate coding beats none          –  gap > 0 %   -0.10 %  not met
  rate − none is -0.10 %, not above 0 %
N-MNIST test accuracy                           98.78 %          –         –  not tested
  the short scale trains on still images only

run stbp-short-s1: 1 of 4 claims met, 2 not met, 1 not tested
`

const at64 = `
claim                 published      bound  measured  verdict
MNIST test accuracy,    99.42 %   ≥ 99.2 %   99.31 %  met
CNN
MNIST test accuracy,    98.89 %    ± 0.3 %   98.47 %  not met
fully connected
  98.47 % is more than 0.3 % from 98.89 %
Temporal coding               –  gap > 0 %   -0.10 %  not met
beats rate coding
beats none
  rate − none is -0.10 %, not above 0 %
N-MNIST test            98.78 %          –         –  not tested
accuracy
  the short scale trains on still images only

run stbp-short-s1: 1 of 4 claims met, 2 not met, 1 not tested
`

func terminal(t *testing.T, r report.Run, width int, color bool) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteTerminal(&b, width, color); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Columns stand below each other, figures to the right; names wrap on a narrow
// terminal, and colours change no character.
func TestTerminal(t *testing.T) {
	for width, want := range map[int]string{100: at100[1:], 64: at64[1:]} {
		if got := terminal(t, demoRun(), width, false); got != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", width, got, want)
		}
		painted := terminal(t, demoRun(), width, true)
		if got := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(painted, ""); got != want {
			t.Errorf("%d columns in colour:\n%q\nwant\n%q", width, got, want)
		}
		if strings.Count(painted, "\x1b[0m")*2 != strings.Count(painted, "\x1b[") {
			t.Errorf("a colour is not ended: %q", painted)
		}
	}
}

// The last line has the colour of the outcome; without colour there is no
// escape code.
func TestTerminalColours(t *testing.T) {
	for _, c := range []struct {
		verdict report.Verdict
		want    string
	}{
		{report.Met, "\x1b[32mrun r: 1 of 1 claim met\x1b[0m\n"},
		{report.NotMet, "\x1b[31mrun r: 0 of 1 claim met, 1 not met\x1b[0m\n"},
		{report.NotTested, "\nrun r: its claim is not tested at this scale\n"},
	} {
		r := report.Run{Run: "r", Claims: []report.Result{{Name: "n", Verdict: c.verdict}}}
		if got := terminal(t, r, 80, true); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want it to end in %q", c.verdict, got, c.want)
		}
		if got := terminal(t, r, 80, false); strings.Contains(got, "\x1b") {
			t.Errorf("%s: escape codes without colour: %q", c.verdict, got)
		}
	}
	if got := terminal(t, report.Run{Run: "r"}, 80, false); got != "run r: no claims\n" {
		t.Errorf("no claims: %q", got)
	}
	r := report.Run{Run: "r", Result: "epoch 3", Metrics: report.Metrics{"test_accuracy": 87.6, "epochs": 4}}
	if got, want := terminal(t, r, 80, false), "result         the model of epoch 3\nepochs         4\ntest_accuracy  87.6\n\nrun r: no claims\n"; got != want {
		t.Errorf("figures of a run without claims:\n%s\nwant\n%s", got, want)
	}
}

// hostile is a claim whose texts try to break out of their place.
func hostile() report.Result {
	c := claim(report.AtLeast, report.Median, 90)
	c.Name = "a | <b>\"bold\"</b> & `code` *star* _x_ \x1b[31m\nsecond line " + strings.Repeat("w", 90)
	return c.Judge(report.Short, report.Measurement{Why: "1 < 2 | \x07<script>alert(1)</script>" + strings.Repeat(" many words", 30)})
}

// However long its words, a table fits the width, down to what the figures take;
// and no text reaches the terminal as a command.
func TestTerminalFits(t *testing.T) {
	r := demoRun()
	r.Run, r.Claims = "r", append(r.Claims, hostile())
	for width := 60; width <= 120; width++ {
		got := terminal(t, r, width, false)
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns: a line of %d: %s", width, n, line)
			}
		}
		if strings.ContainsAny(got, "\x1b\x07\r\t") {
			t.Fatalf("%d columns: control characters in %q", width, got)
		}
	}
	if terminal(t, r, 0, false) != terminal(t, r, 60, false) {
		t.Error("an unknown width is not the narrowest table")
	}
}

// A measured figure is rounded to what helps, and never across its bound.
func TestMeasuredText(t *testing.T) {
	for _, c := range []struct {
		unit         string
		value, bound float64
		want         string
	}{
		{"%", 99.314, 99, "99.31 %"},
		{"%", 97.4999, 97.5, "97.4999 %"},
		{"%", 97.504, 97.5, "97.50 %"},
		{"%", 0.004, 0, "0.004 %"},
		{"spikes", 12345, 0, "12345 spikes"},
		{"spikes", 12345.67, 0, "12345.7 spikes"},
		{"", 12.3456, 0, "12.35"},
		{"", 1.23456, 0, "1.235"},
		{"", 0.123456, 0, "0.1235"},
		{"J", 0.000012345, 0, "1.23e-05 J"},
		{"", 1.5e12, 0, "1.5e+12"},
		{"", math.Pi, math.Nextafter(math.Pi, 4), "3.141592653589793"},
	} {
		k := claim(report.AtLeast, report.Median, c.bound)
		k.Unit = c.unit
		r := report.Run{Run: "r", Claims: []report.Result{k.Judge(report.Short, values(c.value))}}
		verdict := strings.ReplaceAll(string(r.Claims[0].Verdict), "_", " ")
		if got := terminal(t, r, 100, false); !strings.Contains(got, "  "+c.want+"  "+verdict+"\n") {
			t.Errorf("%v %s with bound %v:\n%s\nwant %s", c.value, c.unit, c.bound, got, c.want)
		}
	}
}

// The table that documentation quotes; text stays text inside its cells.
func TestMarkdown(t *testing.T) {
	r := demoRun()
	want := `| claim | published | bound | measured | verdict |
|---|--:|--:|--:|---|
| MNIST test accuracy, CNN | 99.42 % | ≥ 99.2 % | 99.31 % | met |
| MNIST test accuracy, fully connected | 98.89 % | ± 0.3 % | 98.47 % | not met |
| Temporal coding beats rate coding beats none | – | gap &gt; 0 % | -0.10 % | not met |
| N-MNIST test accuracy | 98.78 % | – | – | not tested |

- MNIST test accuracy, fully connected: not met, 98.47 % is more than 0.3 % from 98.89 %
- Temporal coding beats rate coding beats none: not met, rate − none is -0.10 %, not above 0 %
- N-MNIST test accuracy: not tested, the short scale trains on still images only
`
	if got := report.ClaimsMarkdown(r.Claims); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	got := report.ClaimsMarkdown([]report.Result{hostile()})
	for _, w := range []string{"| a \\| &lt;b&gt;\"bold\"&lt;/b&gt; &amp; \\`code\\` \\*star\\* \\_x\\_ \\[31m second line w", "not tested, 1 &lt; 2 \\| &lt;script&gt;alert(1)&lt;/script&gt; many words"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
	if strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 5 {
		t.Errorf("a claim is not one row and one reason:\n%s", got)
	}
	facts := report.FactsMarkdown([]report.Fact{{Label: "commit", Value: "a|b"}, {Label: "config", Value: "x\n|y"}})
	if want := "| | |\n|---|---|\n| commit | a\\|b |\n| config | x \\|y |\n"; facts != want {
		t.Errorf("facts %q, want %q", facts, want)
	}
}
