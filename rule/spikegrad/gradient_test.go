//go:build float64

package spikegrad

import (
	"math"
	"testing"

	"synfire/tensor"
)

// With truncation for the identity the gradient is that of the loss, by finite
// differences, whatever the thresholds and scales.
func TestGradient(t *testing.T) {
	for name, layers := range networks() {
		b, s := samples(3, tensor.Shape{6, 6, 1}, 4, 7)
		r := NewRule()
		r.Layers, r.Truncate, r.Theta, r.ThetaBP, r.Alpha, r.Kappa, r.BiasSpikes = layers, None, 0.75, 0.5, 30, 5, 3
		l := learner(t, r, s)
		if _, err := l.Gradient(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		loss := func() float64 {
			l.Refresh()
			p, err := l.Predict(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			v, _ := p.Metrics.Mean("loss")
			return v
		}
		largest := 0.0
		for k, p := range l.params {
			for i := 0; i < len(p.Value.Data); i += 1 + len(p.Value.Data)/20 {
				const h = 1e-6
				w, g := p.Value.Data[i], float64(l.grads[k][i])
				p.Value.Data[i] = w + h
				up := loss()
				p.Value.Data[i] = w - h
				down := loss()
				p.Value.Data[i] = w
				want := (up - down) / (2 * h)
				largest = max(largest, math.Abs(want))
				if math.Abs(g-want) > 1e-6*max(1, math.Abs(want)) {
					t.Errorf("%s: %s[%d]: gradient %v, difference %v", name, p.Name, i, g, want)
				}
			}
		}
		if largest < 1e-3 {
			t.Errorf("%s: no gradient is above %v: the check shows nothing", name, largest)
		}
	}
}
