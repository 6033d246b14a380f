package stdp

import (
	"math"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

// By hand, two neurons and three inputs, τ = 10 ms. Input 0 fires at 0 and 1: neuron 0, with a
// weight of 0.6, has 0.6 at step 1 and 0.6·e^−0.1 + 0.6 at step 2, where it fires; all are held at
// 0 for the next two steps, so that input 1, which fires at 2, is lost, and what it sends at 4 arrives.
func TestQuerliozByHand(t *testing.T) {
	r := NewQuerlioz()
	r.Neurons, r.TauMem, r.Window, r.Inhibit, r.Threshold, r.Gamma, r.Target = 2, 10, 2, 2, 1, 0.5, 0.25
	s := setting(3, 2, 6)
	s.Spec.Events, s.Spec.Duration = true, 0.006
	l := must(r.Learner(s)).(*Learner)
	copy(l.Weights(), []tensor.Float{0.6, 0.1, 0.2, 0.5, 0.3, 0.4})
	var events []sample.Event
	for _, e := range [][2]int{{0, 0}, {1, 0}, {2, 1}, {4, 1}} {
		events = append(events, sample.Event{Time: (float64(e[0]) + 0.5) / 1000, Unit: int32(e[1])})
	}
	c := l.workers[0].(*contest)
	if err := c.run(shown{events: events, duration: 0.006}, rng.New(1, "t"), true); err != nil {
		t.Fatal(err)
	}
	if n := c.counts(); n[0] != 1 || n[1] != 0 {
		t.Fatalf("spikes %v, want one of the first neuron", n)
	}
	grown := func(w float64) float64 { return w + 0.01*math.Exp(-3*w) }
	shrunk := func(w float64) float64 { return w - 0.005*math.Exp(-3*(1-w)) }
	for i, want := range []float64{grown(0.6), 0.1, grown(0.2), 0.5, shrunk(0.3), 0.4} { // input 1 fires in the step of the spike
		near(t, "weight", l.Weights()[i], want)
	}
	near(t, "what arrived after all were held", c.u[1], 0.5)
	near(t, "threshold of the one that fired", l.Thresholds()[0], 1+0.5*(1-0.25))
	near(t, "threshold of the other", l.Thresholds()[1], 1-0.5*0.25)
	for range 20 { // without input thresholds fall, to a hundredth
		if err := c.run(shown{duration: 0.006}, rng.New(1, "t"), true); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "lowest threshold", l.Thresholds()[1], 0.01)
}

// The rule passes the checks of learning rules, and says what it cannot take.
func TestQuerliozConformance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := NewQuerlioz()
	r.Neurons, r.Rate, r.Threshold, r.Target, r.Labels = 6, 300, 3, 0.5, 25
	s := setting(12, 2, 60)
	s.Pool = pool
	var batches []*sample.Batch
	for i := range 4 {
		batches = append(batches, halves(s, 10, i/2, uint64(i)))
	}
	snntest.Learner(t, r, s, batches...)
	for want, change := range map[string]func(r *Querlioz){
		"neurons is 0":  func(r *Querlioz) { r.Neurons = 0 },
		"rate is 2000":  func(r *Querlioz) { r.Rate = 2000 },
		"window is 0":   func(r *Querlioz) { r.Window = 0 },
		"target is 0":   func(r *Querlioz) { r.Target = 0 },
		"gamma is NaN":  func(r *Querlioz) { r.Gamma = math.NaN() },
		"labels is -1":  func(r *Querlioz) { r.Labels = -1 },
		"tau-mem is -1": func(r *Querlioz) { r.TauMem = -1 },
	} {
		p := r
		if change(&p); p.Validate() == nil || !strings.Contains(p.Validate().Error(), want) {
			t.Errorf("%v, want %q", p.Validate(), want)
		}
	}
}
