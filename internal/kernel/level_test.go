package kernel

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	some := []Level{Go, AVX2}
	for _, c := range []struct {
		name      string
		want      Level
		complaint string
	}{
		{"", AVX2, ""},
		{"go", Go, ""},
		{"avx2", AVX2, ""},
		{"avx512", AVX2, "has only [go avx2]"},
		{"neon", AVX2, "unknown"},
	} {
		l, err := choose(c.name, some)
		if l != c.want || (err == nil) != (c.complaint == "") {
			t.Errorf("choose(%q) = %v, %v; want %v", c.name, l, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), c.complaint) {
			t.Errorf("choose(%q): %q does not say %q", c.name, err, c.complaint)
		}
	}
}

func TestSetLevel(t *testing.T) {
	before := Current()
	restore, err := SetLevel(Go)
	if err != nil || Current() != Go {
		t.Fatalf("SetLevel(Go): level %v, error %v", Current(), err)
	}
	restore()
	if Current() != before {
		t.Errorf("restore: level %v, want %v", Current(), before)
	}
	if _, err := SetLevel(Level(9)); err == nil || Current() != before {
		t.Errorf("SetLevel(9): level %v, error %v", Current(), err)
	}
}

func TestLevels(t *testing.T) {
	l := Levels()
	if l[0] != Go || !slices.IsSorted(l) {
		t.Errorf("Levels() = %v, want go first and the best last", l)
	}
	l[0] = AVX512
	if Levels()[0] != Go {
		t.Error("Levels gives away its own slice")
	}
}

func TestSelfTest(t *testing.T) {
	results := SelfTest()
	for _, l := range Levels() {
		if err, ok := results[l]; !ok || err != nil {
			t.Errorf("%v: run %v, error %v", l, ok, err)
		}
	}
	if len(results) != len(Levels()) {
		t.Errorf("%d results for %d levels", len(results), len(Levels()))
	}
	if firstDifference([]Float{1, 2}, []Float{1, 3}) == nil || firstDifference([]Float{1}, nil) == nil {
		t.Error("a difference goes unnoticed")
	}
}
