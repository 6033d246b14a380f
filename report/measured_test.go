package report

import "testing"

func TestMeasured(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0000", 0.00004: "0.0000", 0.0427: "0.0427", 0.31: "0.310", 4.807: "4.81", 10: "10.0", 99.96: "100.0", 335.4: "335", 1000: "1,000", 93333.4: "93,333",
	} {
		if got := Measured(v); got != want {
			t.Errorf("Measured(%v) = %q, want %q", v, got, want)
		}
	}
}
