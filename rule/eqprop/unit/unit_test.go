package unit

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/rule/eqprop/sparse"
	"synfire/snntest"
	"synfire/tensor"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v within %v", what, got, want, tolerance)
	}
}

// tolerance is what rounding may leave of a figure near 1.
func tolerance() float64 {
	if snntest.DoublePrecision() {
		return 1e-9
	}
	return 2e-5
}

// times are the steps, from 1, at which a unit at s fires in n of them.
func times(q Quantiser, s tensor.Float, n int) (at []int) {
	m := NewPopulation(q, NewPlan(&Spiking{Epsilon: 1}, n), []int{1, 1})
	m.Layers[1].S[0] = s
	for t := range n {
		m.Encode(1)
		m.Advance()
		if len(m.sent[1]) > 0 {
			at = append(at, t+1)
		}
	}
	return at
}

// A drift is a share of a step, and stands alone.
func TestDriftOutOfRange(t *testing.T) {
	for _, s := range []Spiking{{Drift: -0.1}, {Drift: 1}, {Drift: 0.1, Epsilon: 0.5}} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "want a drift in (0, 1)") {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (&Spiking{Drift: 0.0346}).Validate(); err != nil {
		t.Error(err)
	}
}

// The modulator's spikes, in binary fractions: 5/16 fires five times in sixteen
// steps, ½ at each second step, 1 at each, 0 never.
func TestSigmaDelta(t *testing.T) {
	if got := times(SigmaDelta, 5.0/16, 16); !slices.Equal(got, []int{2, 5, 9, 12, 15}) {
		t.Errorf("5/16 fires at %v", got)
	}
	if got := times(SigmaDelta, 0.5, 6); !slices.Equal(got, []int{2, 4, 6}) {
		t.Errorf("1/2 fires at %v", got)
	}
	if a, b := len(times(SigmaDelta, 1, 50)), len(times(SigmaDelta, 0, 50)); a != 50 || b != 0 {
		t.Errorf("1 fires %d times, 0 %d times", a, b)
	}
	for _, p := range []float64{0.1, 0.3, 0.77} {
		for n := 1; n < 200; n += 7 {
			if d := float64(len(times(SigmaDelta, tensor.Float(p), n))) - p*float64(n); math.Abs(d) > 0.501 {
				t.Errorf("p = %v: %v spikes too many after %d steps", p, d, n)
			}
		}
	}
	if a, b := times(Threshold, 0.6, 3), times(Threshold, 0.5, 3); len(a) != 3 || len(b) != 0 {
		t.Errorf("thresholds: %v, %v", a, b)
	}
}

// Encoder and decoder undo each other, for a λ that changes with time.
func TestCodecIsLossless(t *testing.T) {
	m := NewPopulation(Identity, NewPlan(&Spiking{Epsilon: 1, Lambda: 0.7, LambdaDecay: 0.3}, 60), []int{1, 1})
	x, v := &m.Layers[1], []tensor.Float{0}
	for step := range 60 {
		lambda := m.plan.lambda[step]
		x.S[0] = tensor.Float(0.5 + 0.5*math.Sin(float64(step*step)))
		m.Encode(1)
		decode(v, m.news[1], lambda)
		near(t, "decoded", float64(v[0]), float64(x.S[0]), 10*tolerance())
		m.Advance()
	}
}

// adapted is the state after drives in turn, from rest: each moves it by a share a of
// the way, 1 − (noise + c)/(h + c), which the drive's bias and second moment decide.
func adapted(drift float64, drives []float64) float64 {
	var s, g, h, mean, spread float64
	nu := 1.0
	for k, d := range drives {
		nu /= 1 + nu - drift
		e := d - mean
		g, h = g+nu*(e-g), h+nu*(e*e-h)
		a := 1.0 // of the first
		if k > 0 {
			a = 1 - (max(h-g*g, 0)/(1+spread)+adaptationFloor)/(h+adaptationFloor)
		}
		spread = (1-a)*(1-a)*spread + a*a
		mean += a * (d - mean)
		s = min(max(s+a*(d-s), 0), 1)
	}
	return s
}

// The adaptation averages a noiseless drive that stands still, and opens again
// where it jumps; it never makes a number that is none.
func TestAdaptation(t *testing.T) {
	s := &Spiking{Drift: 0.05}
	m := NewPopulation(SigmaDelta, NewPlan(s, 400), []int{1, 1})
	x := &m.Layers[1]
	var drives []float64
	for range 300 {
		drives = append(drives, 0.4)
		m.Integrate(s, 1, []tensor.Float{0.4})
		m.Advance()
		near(t, "state", float64(x.S[0]), 0.4, tolerance())
	}
	for range 12 {
		drives = append(drives, 0.9)
		m.Integrate(s, 1, []tensor.Float{0.9})
		m.Advance()
		near(t, "after a jump", float64(x.S[0]), adapted(s.Drift, drives), tolerance())
	}
	if x.S[0] < 0.85 {
		t.Errorf("12 steps after a jump from 0.4 to 0.9 the state is at %v", x.S[0])
	}
	for _, v := range slices.Concat(x.g, x.h, x.mean, x.spread) {
		if v != v {
			t.Error("not a number")
		}
	}
}

// Each weight that is added counts: two rows of three, and those of the units above zero.
func TestSynapsesAreCounted(t *testing.T) {
	m := NewPopulation(Identity, NewPlan(&Spiking{Epsilon: 1}, 4), []int{4, 3})
	w := Matrix{W: []tensor.Float{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, LD: 3, Kept: &sparse.Entries{}}
	z := make([]tensor.Float, 3)
	m.Weigh(z, w, []int32{0, 2}, []tensor.Float{1, 10})
	if want := []tensor.Float{71, 82, 93}; m.Synapses != 6 || !slices.Equal(z, want) {
		t.Errorf("%d weights, sums %v, want 6 and %v", m.Synapses, z, want)
	}
	copy(m.Layers[1].S, []tensor.Float{0, 2, 0})
	if m.WeighStates(z, w, 1); m.Synapses != 9 || z[0] != 71+8 {
		t.Errorf("%d weights, sums %v", m.Synapses, z)
	}
}

// Scheduled steps stay within 0 and 1; and what was kept comes back, the spikes sent too.
func TestRecall(t *testing.T) {
	s := &Spiking{Epsilon: 1}
	m := NewPopulation(SigmaDelta, NewPlan(s, 8), []int{1, 3})
	m.Integrate(s, 1, []tensor.Float{1.75, 0.5, -1})
	if want := []tensor.Float{1, 0.5, 0}; !slices.Equal(m.Layers[1].S, want) {
		t.Errorf("states %v, want %v", m.Layers[1].S, want)
	}
	m.Encode(1)
	m.Advance()
	want := slices.Clone(m.sent[1])
	m.Keep()
	m.Integrate(s, 1, []tensor.Float{0.6, 1, 1})
	if next := []tensor.Float{0.6, 1, 1}; !slices.Equal(m.Layers[1].S, next) { // ε = 1 keeps nothing
		t.Errorf("states %v, want %v", m.Layers[1].S, next)
	}
	m.Encode(1)
	m.Advance()
	if slices.Equal(m.sent[1], want) {
		t.Fatalf("both steps send %v", want)
	}
	if m.Recall(); !slices.Equal(m.sent[1], want) || m.Layers[1].S[1] != 0.5 {
		t.Errorf("sent %v, states %v, want %v and those of the first step", m.sent[1], m.Layers[1].S, want)
	}
}
