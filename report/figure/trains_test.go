package figure

import (
	"strings"
	"testing"
)

// One mark a spike, up to a number that an SVG holds with ease.
func TestTrains(t *testing.T) {
	few, err := Trains("x", "time", 0, 4, []Train{{"a", []float64{0, 1, 4}}, {"b", []float64{2}}})
	if err != nil {
		t.Fatal(err)
	}
	svg := string(few.SVG())
	if strings.Contains(svg, "<image") || !strings.Contains(svg, ">a<") || !strings.Contains(svg, "4 spikes") {
		t.Errorf("a picture of few spikes, or no names: %.400s", svg)
	}
	for name, c := range map[string]struct {
		start, stop float64
		trains      []Train
	}{
		"no trains": {0, 1, nil}, "empty window": {1, 1, []Train{{}}}, "outside": {0, 1, []Train{{"a", []float64{2}}}},
		"not a number": {0, 1, []Train{{"a", []float64{nan}}}}, "too many": {0, 1, make([]Train, maxCells+1)},
	} {
		if _, err := Trains("x", "time", c.start, c.stop, c.trains); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
