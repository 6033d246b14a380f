package suggest

import (
	"fmt"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ found, want string }{
		{"Learning_Rat", `did you mean "learning-rate"? known keys: seed, learning-rate`},
		{"momentum", "known keys: seed, learning-rate"},
	} {
		if got := Names("keys", c.found, []string{"seed", "learning-rate"}); got != c.want {
			t.Errorf("%s: %s, want %s", c.found, got, c.want)
		}
	}
	if got := Names("nodes", "a", nil); got != "there are no known nodes" {
		t.Error(got)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"kernal", "kernel", 1}, {"covn", "conv", 1}, {"abc", "cab", 2}, {"flaw", "lawn", 2}, {strings.Repeat("x", 100), "x", 64},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// Names that other libraries use are understood, where the name that is meant is known.
func TestNamesFromElsewhere(t *testing.T) {
	for found, want := range map[string]string{
		"atan": "arctan", "leaky": "lif", "Leaky": "lif", "LIFNode": "lif", "LIFCell": "lif", "ParametricLIFNode": "lif", "IFNode": "if", "sigmoid_derivative": "sigmoid",
		"spike_sync": "sync", "victor_purpura_distance": "victor-purpura", "isi_distance": "isi", "FastSigmoid": "fast-sigmoid",
	} {
		if got := Names("kinds", found, []string{"if", "lif", "sigmoid", "arctan", "fast-sigmoid", "isi", "sync", "victor-purpura"}); !strings.HasPrefix(got, `did you mean "`+want+`"?`) {
			t.Errorf("%s: %s", found, got)
		}
	}
}

// Of very many names some are listed, the rest counted, and the likely one is found among all.
func TestManyNames(t *testing.T) {
	var known []string
	for i := range 100 {
		known = append(known, fmt.Sprintf("train-%03d", i))
	}
	got := Names("trains", "train-09", known)
	if !strings.HasPrefix(got, `did you mean "train-0`) || !strings.HasSuffix(got, "train-039 and 60 more") {
		t.Error(got)
	}
	if got = Names("trains", "train-097", known[:40]); strings.Contains(got, "more") {
		t.Error(got)
	}
}
