package superspike

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// double is whether numbers are float64.
var double = tensor.Float(1)+1e-12 != 1

// near allows for rounding alone, in either precision.
func near(a, b float64) bool {
	tolerance := 2e-3
	if double {
		tolerance = 1e-9
	}
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// poisson is so many units that fire with a probability in each step.
func poisson(units, steps int, p float64, seed uint64) (s spikes) {
	src := rng.New(seed, "test").Source()
	s.reset()
	for range steps {
		for u := range units {
			if src.Float64() < p {
				s.units = append(s.units, int32(u))
			}
		}
		s.end()
	}
	return s
}

// script is spikes of one unit in some steps.
func script(steps int, when ...int) (s spikes) {
	s.reset()
	for t := range steps {
		if slices.Contains(when, t) {
			s.units = append(s.units, 0)
		}
		s.end()
	}
	return s
}

// trialOf is a trial of a rule in steps of 0.1 ms.
func trialOf(r Rule, inputs, outputs int, seed uint64) *trial {
	if err := r.Validate(); err != nil {
		panic(err)
	}
	return newTrial(must(r.clock(0.1)), newNet(r, inputs, outputs, seed), nil)
}

// variants are rules of all kinds of feedback and regulariser.
func variants() map[string]Rule {
	all := map[string]Rule{}
	for name, change := range map[string]func(r *Rule){
		"one layer":   func(*Rule) {},
		"symmetric":   func(r *Rule) { r.Hidden = []int{7} },
		"random":      func(r *Rule) { r.Hidden, r.Feedback = []int{7}, Random },
		"uniform":     func(r *Rule) { r.Hidden, r.Feedback = []int{7}, Uniform },
		"two hidden":  func(r *Rule) { r.Hidden = []int{70, 6} },
		"two random":  func(r *Rule) { r.Hidden, r.Feedback = []int{9, 6}, Random },
		"delay":       func(r *Rule) { r.Hidden, r.FeedbackDelay = []int{7, 5}, 0.8 },
		"regularised": func(r *Rule) { r.Hidden, r.Rho = []int{7}, 1e-4 },
		"ungated": func(r *Rule) {
			r.Hidden, r.Feedback, r.Rho, r.Ungated, r.FeedbackDelay = []int{7}, Random, 1e-6, true, 0.8
		},
	} {
		r := NewRule()
		r.Init = 120
		change(&r)
		all[name] = r
	}
	return all
}

// The sums that the backward filters give are those of the traces, and spikes and loss
// are the same.
func TestTrialIsTheStream(t *testing.T) {
	const inputs, outputs, steps = 40, 3, 2000
	for name, r := range variants() {
		t.Run(name, func(t *testing.T) {
			a := trialOf(r, inputs, outputs, 2)
			a.input, a.target = poisson(inputs, steps, 0.003, 5), poisson(outputs, steps, 0.002, 6)
			a.run(steps, true)
			loss := a.learn()
			s := newStream(a.clock, a.net)
			s.every = -1
			fired := 0
			for i := range steps {
				out, err := s.Step(a.input.step(i), a.target.step(i))
				if err != nil {
					t.Fatal(err)
				}
				if want := a.fired[len(a.fired)-1].step(i); !slices.Equal(out, want) {
					t.Fatalf("step %d: outputs %v fire, want %v", i, out, want)
				}
				fired += len(out)
			}
			if fired == 0 || len(a.fired[0].units) == 0 {
				t.Fatal("nothing fires: the test shows nothing")
			}
			if !near(loss, s.Loss()) {
				t.Errorf("loss %v, want %v", loss, s.Loss())
			}
			for l := range a.m {
				largest := 0.0
				for _, v := range s.m[l] {
					largest = max(largest, math.Abs(float64(v)))
				}
				for i, v := range a.m[l] {
					if want := float64(s.m[l][i]); math.Abs(float64(v)-want) > 1e-4*largest && !near(float64(v), want) || double && !near(float64(v), want) {
						t.Fatalf("layer %d: sum %d is %v, want %v (largest %v)", l+1, i, v, want, largest)
					}
				}
				if largest == 0 {
					t.Errorf("layer %d learns nothing", l+1)
				}
			}
		})
	}
}

// The same sums as one product over time of the inputs' traces and of the errors' filter
// run backwards, the form that needs no events.
func TestTrialIsAProductOverTime(t *testing.T) {
	const inputs, outputs, steps = 12, 3, 1500
	a := trialOf(NewRule(), inputs, outputs, 1)
	for i := range a.net.layers[0].w.Data {
		a.net.layers[0].w.Data[i] += 15
	}
	a.input, a.target = poisson(inputs, steps, 0.004, 7), poisson(outputs, steps, 0.002, 8)
	a.run(steps, true)
	a.learn()
	k, b := a.clock, a.layers[0][0]
	zt := make([]tensor.Float, steps*inputs)
	var z, now [inputs]tensor.Float
	for t := range steps {
		copy(zt[t*inputs:], now[:])
		for j := range z {
			z[j] *= k.syn
		}
		for _, j := range a.input.step(t) {
			z[j]++
		}
		for j := range now {
			now[j] += k.mem * (z[j] - now[j])
		}
	}
	g := make([]tensor.Float, steps*outputs)
	var lambda, el [outputs]tensor.Float
	for t := steps - 1; t >= 0; t-- {
		for i := range lambda {
			lambda[i] = b.e[t*outputs+i] + (1-k.decay)*lambda[i]
			el[i] = k.decay*lambda[i] + k.rise*el[i]
			g[t*outputs+i] = k.width * b.slope[t*outputs+i] * el[i]
		}
	}
	for j := range inputs {
		for i := range outputs {
			want := 0.0
			for t := range steps {
				want += float64(zt[t*inputs+j]) * float64(g[t*outputs+i])
			}
			if got := float64(a.m[0][j*outputs+i]); !near(got, want) && math.Abs(got-want) > 1e-6 {
				t.Errorf("synapse %d→%d: %v, want %v", j, i, got, want)
			}
		}
	}
}

// setting is events on so many inputs with target trains, and batches of them.
func setting(pool *par.Pool, inputs, outputs int) (train.Setting, []*sample.Batch) {
	const steps, duration = 400, 0.04
	spec := sample.Spec{Shape: tensor.Shape{inputs}, Events: true, Duration: duration, Targets: []sample.Field{
		{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}, {Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{outputs}},
	}}
	s := train.Setting{
		Spec: spec, Samples: 14, Encoder: encode.Events{}, Steps: steps, Epochs: 3, Batch: 5, Seed: 3, Pool: pool,
		Tasks: []task.Binding{{Task: task.MatchTrains{Tau: 0.01}, Target: "trains"}},
	}
	var batches []*sample.Batch
	src := rng.New(1, "batches").Source()
	for i := range 14 {
		if i%5 == 0 {
			b := &sample.Batch{}
			b.Reset(&spec, 0)
			batches = append(batches, b)
		}
		var x sample.Sample
		for t := range steps {
			for u := range inputs {
				if src.Float64() < 0.01 {
					x.Events = append(x.Events, sample.Event{Time: (float64(t) + 0.5) * duration / steps, Unit: int32(u)})
				}
			}
		}
		trains := make([]spike.Train, outputs)
		for k := range trains {
			trains[k] = spike.Train{Times: []float64{0.01 + 0.002*float64(k), 0.02 + 0.001*float64(i)}, Stop: duration}
		}
		x.Targets = []sample.Target{{Class: i % 2}, {Trains: trains}}
		if err := batches[len(batches)-1].Append(i, &x); err != nil {
			panic(err)
		}
	}
	return s, batches
}

// The rule passes the checks of learning rules.
func TestLearnerConformance(t *testing.T) {
	for name, r := range variants() {
		t.Run(name, func(t *testing.T) {
			r.DecayEvery = 2
			s, batches := setting(nil, 10, 3)
			snntest.Learner(t, r, s, batches...)
		})
	}
	pool := par.New(3)
	defer pool.Close()
	s, batches := setting(pool, 10, 3)
	r := variants()["two hidden"]
	snntest.Learner(t, r, s, batches...)
}

// Threads change no bit, neither over the samples of a batch nor over the units of one.
func TestThreads(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Init = []int{150}, 120
	var want map[string]train.Array
	for _, threads := range []int{1, 2, 5} {
		for _, size := range []int{5, 1} {
			pool := par.New(threads)
			s, batches := setting(pool, 10, 3)
			l := must(r.Learner(s))
			for _, b := range batches {
				if size == 1 {
					b = b.Slice(0, 1)
				}
				must(l.Step(t.Context(), b))
			}
			pool.Close()
			state := l.State()
			if threads == 1 {
				if size == 5 {
					want = map[string]train.Array{}
				}
				for k, v := range state {
					want[fmt.Sprint(size, k)] = v
				}
				continue
			}
			for k, v := range state {
				if !bytes.Equal(v.Data, want[fmt.Sprint(size, k)].Data) {
					t.Errorf("%d threads, batches of %d: %s is another", threads, size, k)
				}
			}
		}
	}
}
