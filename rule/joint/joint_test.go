package joint

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// population is neurons of a threshold, a step late, with the surrogate of spike times.
func population(theta float64) layer.Spiking {
	return layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: theta, Delay: true}, Surrogate: surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}}
}

// linear is neurons of a threshold, not late, with the linear surrogate.
func linear(theta float64) layer.Spiking {
	return layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: theta}, Surrogate: surrogate.Triangle{Height: 0.3, Width: 1}}
}

// chain is two populations between weights.
func chain(units layer.Layer) []network.Node {
	return []network.Node{
		{Name: "in", Layer: layer.Linear{Out: 12, NoBias: true}}, {Name: "first", Layer: units},
		{Name: "drop", Layer: layer.Dropout{Rate: 0.2}}, {Name: "middle", Layer: layer.Linear{Out: 9, NoBias: true}}, {Name: "second", Layer: units},
		{Name: "out", Layer: layer.Linear{Out: 3, NoBias: true}},
	}
}

// rule learns with all that a state may hold.
func rule(changes ...func(r *Rule)) Rule {
	r := NewRule()
	r.Layers, r.Track, r.Clip, r.Project = chain(population(0.5)), 2, 1, 0.5
	r.Optimizer, r.Schedule = optim.Adam{LR: 1e-2}, optim.Cosine{Warmup: 2}
	for _, change := range changes {
		change(&r)
	}
	return r
}

// alone leaves one branch, without what the other adds.
func alone(warmup, from float64) func(r *Rule) {
	return func(r *Rule) {
		r.Warmup, r.SpikingFrom, r.Distill, r.Match, r.Saturate, r.Balance = warmup, from, 0, 0, false, false
	}
}

// setting is samples of five values and three classes, and batches of two epochs.
func setting(t *testing.T, pool *par.Pool) (train.Setting, []*sample.Batch) {
	t.Helper()
	spec := sample.Spec{Shape: tensor.Shape{5}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
	var batches []*sample.Batch
	for range 2 {
		for _, c := range snntest.Cases(t, spec, "", tensor.Shape{3}, 4, 26) { // the last batch is smaller
			for i, x := range c.Batch.X { // probabilities of spikes
				c.Batch.X[i] = x - tensor.Float(math.Floor(float64(x)))
			}
			batches = append(batches, c.Batch)
		}
	}
	return train.Setting{
		Spec: spec, Samples: 26, Encoder: encode.Poisson{Scale: 1}, Steps: 6, Epochs: 2, Batch: 7, Seed: 3, Pool: pool,
		Tasks: []task.Binding{{Task: task.Classify{}}},
	}, batches
}

// learned is the learner after batches.
func learned(t *testing.T, r Rule, s train.Setting, batches []*sample.Batch) *Learner {
	t.Helper()
	l, err := New(r, s)
	if err != nil {
		t.Fatal(err)
	}
	learn(t, l, batches)
	return l
}

func learn(t *testing.T, l train.Learner, batches []*sample.Batch) {
	t.Helper()
	for _, b := range batches {
		if _, err := l.Step(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// A run may be cut, forked and refused as any; in all phases of the schedule.
func TestLearner(t *testing.T) {
	for name, change := range map[string]func(r *Rule){
		"stdb":     func(*Rule) {},
		"tandem":   func(r *Rule) { r.Backward = Tandem },
		"in turn":  alone(0.5, 0.5),
		"measured": func(r *Rule) { r.Warmup, r.SpikingFrom, r.Track = 0.25, 0.25, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s, batches := setting(t, nil)
			snntest.Learner(t, rule(change), s, batches...)
		})
	}
}

func TestThreads(t *testing.T) {
	s, batches := setting(t, nil)
	want := learned(t, rule(), s, batches).State()
	for _, threads := range []int{2, 5} {
		pool := par.New(threads)
		s, batches := setting(t, pool)
		if !reflect.DeepEqual(learned(t, rule(), s, batches).State(), want) {
			t.Errorf("%d threads: other weights than one thread", threads)
		}
		pool.Close()
	}
}

// The ordinary branch alone is the training of an ordinary network, bit for bit.
func TestOrdinaryAlone(t *testing.T) {
	s, batches := setting(t, nil)
	s.Encoder = encode.Constant{}
	got := learned(t, rule(alone(1, 1)), s, batches)
	r := bptt.NewRule()
	r.Layers, r.Loss = chain(layer.ReLU{}), []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
	r.Optimizer, r.Schedule, r.Clip = optim.Adam{LR: 1e-2}, optim.Cosine{Warmup: 2}, 1
	s.Steps = 1
	sameWeights(t, got, r, s, batches)
}

// The spiking branch alone is backpropagation through time, bit for bit.
func TestSpikingAlone(t *testing.T) {
	s, batches := setting(t, nil)
	for name, c := range map[string]struct {
		units layer.Spiking
		loss  loss.Loss
	}{
		"as it is": {linear(1), loss.MembraneCrossEntropy{}},
		"levelled": {linear(0.5), levelled{by: 0.25}},
		"late":     {population(0.25), levelled{by: 0.0625 * 6 / 4.}}, // two of six steps late
	} {
		t.Run(name, func(t *testing.T) {
			got := learned(t, rule(alone(0, 0), func(r *Rule) { r.Layers = chain(c.units) }), s, batches)
			r := bptt.NewRule()
			r.Layers, r.Loss = chain(c.units), []bptt.Term{{Loss: c.loss}}
			r.Optimizer, r.Schedule, r.Clip = optim.Adam{LR: 1e-2}, optim.Cosine{Warmup: 2}, 1
			sameWeights(t, got, r, s, batches)
		})
	}
}

// levelled is the cross-entropy of mean outputs times Λ.
type levelled struct {
	loss.MembraneCrossEntropy
	by tensor.Float
}

// Eval scales the output and the errors at it.
func (l levelled) Eval(c *loss.Call) (float64, error) {
	scaled, of := *c.Out, *c
	scaled.Data = slices.Clone(c.Out.Data)
	for i := range scaled.Data {
		scaled.Data[i] *= l.by
	}
	of.Out = &scaled
	v, err := l.MembraneCrossEntropy.Eval(&of)
	for i := range c.DOut.Data {
		c.DOut.Data[i] *= l.by
	}
	return v, err
}

func sameWeights(t *testing.T, got *Learner, r bptt.Rule, s train.Setting, batches []*sample.Batch) {
	t.Helper()
	l, err := r.Learner(s)
	if err != nil {
		t.Fatal(err)
	}
	learn(t, l, batches)
	before, err := New(got.rule, got.setting)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range l.(*bptt.Learner).Network().Params() {
		if q := got.params[i]; q.Name != p.Name || !slices.Equal(q.Value.Data, p.Value.Data) {
			t.Errorf("%s differs from %s", q.Name, p.Name)
		}
		if slices.Equal(before.params[i].Value.Data, p.Value.Data) {
			t.Errorf("%s has not changed: the check shows nothing", p.Name)
		}
	}
}

// With a constant input and more and more steps the spiking branch's scores approach the
// ordinary branch's, and the rates its activations, both like 1/T.
func TestRatesApproachActivations(t *testing.T) {
	s, batches := setting(t, nil)
	s.Encoder = encode.Constant{}
	scores, rates := map[int]float64{}, map[int]float64{}
	for _, steps := range []int{100, 1000, 10000} {
		s.Steps = steps
		r := rule(func(r *Rule) { r.Percentile, r.Scale, r.Backward, r.Warmup = 100, 1, STDB, 0 })
		r.Layers = chain(population(1))
		l, err := New(r, s)
		if err != nil {
			t.Fatal(err)
		}
		b := batches[0]
		if err := l.measure(t.Context(), b, phase{snn: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Predict(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for i, v := range l.logits[0].scores {
			scores[steps] = max(scores[steps], math.Abs(float64(v-l.logits[1].scores[i])))
		}
		rates[steps] = math.Sqrt(l.matchRates())
	}
	for _, of := range []map[int]float64{scores, rates} {
		if of[100] == 0 || of[1000] > 0.2*of[100] || of[10000] > 0.2*of[1000] {
			t.Errorf("differences %v do not fall like 1/T", of)
		}
	}
	if scores[10000] > 1e-3 {
		t.Errorf("after 10,000 steps scores differ by %v", scores[10000])
	}
}

// What the ordinary branch teaches moves it not: its gradient is that of its own loss alone,
// and with the spiking loss alone nothing goes back through it.
func TestTeacherIsConstant(t *testing.T) {
	s, batches := setting(t, nil)
	grads := func(distill, match float64) (ann, snn [][]tensor.Float) {
		l, err := New(rule(func(r *Rule) {
			r.Warmup, r.SpikingFrom, r.Mix, r.Distill, r.Match, r.Track = 0, 1, 0.5, distill, match, 0
			r.Equalize, r.Project, r.Clip = false, 1, 0
		}), s)
		if err != nil {
			t.Fatal(err)
		}
		learn(t, l, batches[:1]) // μ is 0 in the first step
		if err := l.measure(t.Context(), batches[1], l.phase()); err != nil {
			t.Fatal(err)
		}
		gradients(t, l, batches[1])
		for i := range l.params {
			ann, snn = append(ann, slices.Clone(l.ann.grads[i])), append(snn, slices.Clone(l.snn.grads[i]))
		}
		return ann, snn
	}
	ann, snn := grads(0, 0)
	ann2, snn2 := grads(0.5, 0.3)
	if !reflect.DeepEqual(ann, ann2) {
		t.Error("distillation and matching change the ordinary branch's gradient")
	}
	if reflect.DeepEqual(snn, snn2) {
		t.Error("distillation and matching change nothing: the check shows nothing")
	}
}

// gradients runs both branches on a batch without an update.
func gradients(t *testing.T, l *Learner, b *sample.Batch) float64 {
	t.Helper()
	ph := l.phase()
	masks := l.keysOf(b, "dropout", b.Epoch)
	l.snn.pass.SetTraining(masks)
	l.ann.pass.SetTraining(masks)
	y, err := b.Target("")
	if err == nil {
		err = l.encode(b, l.keysOf(b, "encode", b.Epoch))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := l.forward(ph); err != nil {
		t.Fatal(err)
	}
	value, err := l.objective(ph, y)
	if err == nil {
		err = l.backward(ph)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Where nothing trains the ordinary branch any more it does not teach either.
func TestNoTeacherThatDoesNotLearn(t *testing.T) {
	s, batches := setting(t, nil)
	alone := func(distill, match float64) map[string]train.Array {
		r := rule(func(r *Rule) { r.Warmup, r.SpikingFrom, r.Distill, r.Match = 0, 0, distill, match })
		return learned(t, r, s, batches).State()
	}
	if !reflect.DeepEqual(alone(0.5, 0.1), alone(0, 0)) {
		t.Error("with μ = 1 distillation or matching changes the weights")
	}
}

// Which branch goes first changes no bit.
func TestOrderOfBranches(t *testing.T) {
	for _, back := range []Backward{STDB, Tandem} {
		s, batches := setting(t, nil)
		r := rule(func(r *Rule) { r.Backward = back })
		want := learned(t, r, s, batches).State()
		l, err := New(r, s)
		if err != nil {
			t.Fatal(err)
		}
		l.swapped = true
		learn(t, l, batches)
		if !reflect.DeepEqual(l.State(), want) {
			t.Errorf("%v: with the branches swapped the state is another", back)
		}
	}
}

// The objective's gradients are those of differences, where spikes are soft: through the
// surrogate's slope or primitive, with resets that are recorded. Each branch is moved alone.
func TestGradient(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("finite differences: run with -tags float64")
	}
	s, batches := setting(t, nil)
	for name, change := range map[string]func(r *Rule){
		"ordinary": func(r *Rule) { r.Distill, r.Match = 0, 0 }, // as a teacher it counts as constant
		"spiking":  func(r *Rule) { r.Distill, r.Match = 0, 0 },
		"distil":   func(r *Rule) { r.Distill, r.Match = 3, 0 },
		"match":    func(r *Rule) { r.Distill, r.Match = 0, 20 },
	} {
		for _, units := range []layer.Spiking{population(0.3), linear(0.5)} {
			r := rule(change, func(r *Rule) { r.Warmup, r.SpikingFrom, r.Mix = 0, 1, 0.6 })
			r.Saturate, r.Layers = false, chain(units)
			l := learned(t, r, s, nil)
			l.step = l.total / 2 // μ is 0.3
			l.snn.pass.SetSoft(layer.Record)
			gradients(t, l, batches[0])
			l.snn.pass.SetSoft(layer.Replay)
			gradients(t, l, batches[0])
			of, g, weight := &l.ann, l.snn.grads, 0.3
			if name == "ordinary" {
				of, g, weight = &l.snn, l.ann.grads, 0.7
			}
			of.apart(t, l)
			checkDifferences(t, fmt.Sprintf("%s, %T", name, units.Surrogate), l, batches[0], g, weight)
		}
	}
}

// apart gives a branch weights of its own.
func (b *branch) apart(t *testing.T, l *Learner) {
	t.Helper()
	var own []tensor.Param
	for _, p := range l.params {
		own = append(own, tensor.Param{Name: p.Name, Value: p.Value.Clone()})
	}
	g := rectified(l.graph, l.limits)
	if b == &l.snn {
		g = setThresholds(l.graph, l.theta, STDB)
	}
	if err := b.compile(g, own, nil, true); err != nil {
		t.Fatal(err)
	}
}

func checkDifferences(t *testing.T, name string, l *Learner, b *sample.Batch, grads network.Grads, weight float64) {
	t.Helper()
	want := make([][]tensor.Float, len(grads))
	for i := range grads {
		want[i] = slices.Clone(grads[i])
	}
	const h = 1e-6
	for i, p := range l.params {
		w := p.Value.Data
		for k := 0; k < len(w); k += 7 {
			at := w[k]
			var value [2]float64
			for side, d := range []tensor.Float{h, -h} {
				w[k] = at + d
				l.refresh()
				value[side] = gradients(t, l, b)
			}
			w[k] = at
			if d := (value[0] - value[1]) / (2 * h); math.Abs(d-weight*float64(want[i][k])) > 1e-6*(1+math.Abs(d)) {
				t.Errorf("%s: ∂J/∂%s[%d] is %v, differences say %v", name, p.Name, k, weight*float64(want[i][k]), d)
			}
		}
	}
}

// The tandem's way back is a rectified unit's: with spikes that count the input exactly, its
// gradient is that of the ordinary network.
func TestTandemIsTheOrdinaryGradient(t *testing.T) {
	s, batches := setting(t, nil)
	s.Encoder, s.Steps = encode.Constant{}, 4000
	l, err := New(rule(alone(0, 0), func(r *Rule) {
		r.Backward, r.Percentile, r.Scale, r.Balance = Tandem, 100, 1.1, true
		r.Layers = slices.DeleteFunc(chain(population(1)), func(n network.Node) bool { return n.Name == "drop" })
	}), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.measure(t.Context(), batches[0], l.phase()); err != nil {
		t.Fatal(err)
	}
	gradients(t, l, batches[0])
	spiking := l.snn.grads
	l.rule.Warmup = 1
	gradients(t, l, batches[0])
	for i, p := range l.params {
		for k, g := range l.ann.grads[i] {
			if d := math.Abs(float64(g - spiking[i][k])); d > 2e-3 {
				t.Fatalf("gradient of %s[%d] is %v by tandem, %v of the ordinary network", p.Name, k, spiking[i][k], g)
			}
		}
	}
}

// Hand figures: conflicts, ratios and the weight of a gradient.
func TestCombine(t *testing.T) {
	l := &Learner{pair: &pair{rule: Rule{Equalize: true, Project: 0.5}}, rho: make([]float64, 1), cosine: make([]float64, 1)}
	grads := func(g, h []tensor.Float) { l.ann.grads, l.snn.grads = network.Grads{g}, network.Grads{h} }
	both := func(at, mu float64) phase { return phase{at: at, mu: mu, ann: true, snn: true} }
	near := func(got []tensor.Float, want ...float64) bool {
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > 1e-6 {
				return false
			}
		}
		return true
	}
	grads([]tensor.Float{3, 4}, []tensor.Float{0, 1}) // ρ = 5, cosine 0.8
	if g := l.combine(both(0, 0.5))[0]; !near(g, 1.5, 4.5) || math.Abs(l.rho[0]-5) > 1e-9 || math.Abs(l.cosine[0]-0.8) > 1e-12 {
		t.Errorf("gradient %v, ρ %v, cosine %v", g, l.rho, l.cosine)
	}
	grads([]tensor.Float{100, -1}, []tensor.Float{0, 1}) // a ratio of 100 counts as 10, a hundredth of it
	g := l.combine(both(0.9, 0.5))[0]
	rho := 5 + 0.01*(10-5)
	if !near(g, 50, 0.5*rho) || math.Abs(l.rho[0]-rho) > 1e-9 {
		t.Errorf("with the conflict taken out: %v, ρ %v, want %v", g, l.rho, rho)
	}
	grads([]tensor.Float{1, 1}, []tensor.Float{2, 0})
	if g := l.combine(phase{at: 1, mu: 1, snn: true})[0]; !near(g, 2*rho, 0) {
		t.Errorf("alone, the spiking gradient is %v", g)
	}
}

// The schedule's corners.
func TestMu(t *testing.T) {
	r := NewRule()
	for _, c := range []struct{ warmup, from, at, want float64 }{
		{0.2, 0.7, 0, 0}, {0.2, 0.7, 0.2, 0}, {0.2, 0.7, 0.45, 0.45}, {0.2, 0.7, 0.7, 1}, {0.2, 0.7, 0.99, 1},
		{1, 1, 0.99, 0}, {1, 1, 1, 0}, {0, 0, 0, 1}, {0.5, 0.5, 0.49, 0}, {0.5, 0.5, 0.5, 1},
	} {
		r.Warmup, r.SpikingFrom = c.warmup, c.from
		if got := r.mu(c.at); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("warmup %v, spiking-from %v: μ(%v) = %v, want %v", c.warmup, c.from, c.at, got, c.want)
		}
	}
}

// Thresholds are a factor of the largest input of a population, each measured where those
// before have the factor 1; a population that nothing drives is an error with its name.
func TestBalance(t *testing.T) {
	s, batches := setting(t, nil)
	l := learned(t, rule(func(r *Rule) { r.Percentile, r.Scale = 100, 1 }), s, nil)
	b := batches[0]
	if err := l.encode(b, l.keysOf(b, "encode", 0)); err != nil {
		t.Fatal(err)
	}
	theta, err := l.balanced(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	net, err := setThresholds(l.graph, theta, STDB).Build(0)
	if err != nil {
		t.Fatal(err)
	}
	copy(net.Params(), l.params)
	i, before := 0, (*signal.Signal)(nil)
	err = net.Compile(nil, false).Activity(&l.snn.in, func(nd network.Info, out *signal.Signal) error {
		if _, ok := nd.Layer.(layer.Spiking); ok {
			if most := float64(slices.Max(before.Data)); math.Abs(most-theta[i]) > 1e-3*most {
				t.Errorf("population %d: threshold %v, largest sum %v", i+1, theta[i], most)
			}
			i++
		}
		before = out
		return nil
	})
	if err != nil || i != 2 {
		t.Fatal(i, err)
	}
	l.rule.Scale = 0.5
	halves, err := l.balanced(t.Context())
	if err != nil || math.Abs(halves[0]-theta[0]/2) > 1e-9 || math.Abs(halves[1]-theta[1]/2) > 1e-9 {
		t.Errorf("thresholds of factor 0.5 are %v, of 1 %v: %v", halves, theta, err)
	}
	clear(b.X)
	if err := l.measure(t.Context(), b, l.phase()); err == nil || !strings.Contains(err.Error(), `"first"`) {
		t.Errorf("a population without input: %v", err)
	}
}

// What cannot be both networks is refused, by the layer's name.
func TestErrors(t *testing.T) {
	s, _ := setting(t, nil)
	for want, change := range map[string]func(r *Rule, s *train.Setting){
		"no-bias: true":        func(r *Rule, _ *train.Setting) { r.Layers[0].Layer = layer.Linear{Out: 12} },
		"no-bias: true ":       func(r *Rule, _ *train.Setting) { r.Layers[5].Layer = layer.Linear{Out: 3} },
		"batch-norm would mix": func(r *Rule, _ *train.Setting) { r.Layers[2].Layer = layer.BatchNorm{Scale: 1} },
		"want a linear layer":  func(r *Rule, _ *train.Setting) { r.Layers = r.Layers[:5] },
		"give steps 3 or more": func(_ *Rule, s *train.Setting) { s.Steps = 2 },
		"no layer spikes":      func(r *Rule, _ *train.Setting) { r.Layers = r.Layers[5:] },
		"want a chain":         func(r *Rule, _ *train.Setting) { r.Layers[3].Inputs = []string{"in"} },
		"give it out: 3":       func(r *Rule, _ *train.Setting) { r.Layers[5].Layer = layer.Linear{Out: 4, NoBias: true} },
		"poisson":              func(_ *Rule, s *train.Setting) { s.Encoder = encode.Phase{} },
		"share in [0, 1]":      func(r *Rule, _ *train.Setting) { r.Mix = 2 },
		"at least warmup":      func(r *Rule, _ *train.Setting) { r.Warmup, r.SpikingFrom = 0.5, 0.4 },
		"use stdb": func(r *Rule, _ *train.Setting) {
			r.Layers[1].Layer = layer.Spiking{Neuron: neuron.LIF{Beta: 1, Threshold: 1}, Surrogate: surrogate.Triangle{Height: 1, Width: 1}}
		},
		"percentile is 0":  func(r *Rule, _ *train.Setting) { r.Percentile = 0 },
		"temperature is 0": func(r *Rule, _ *train.Setting) { r.Temperature = 0 },
		"track is -1":      func(r *Rule, _ *train.Setting) { r.Track = -1 },
		"distill is -1":    func(r *Rule, _ *train.Setting) { r.Distill = -1 },
		"layers is empty":  func(r *Rule, _ *train.Setting) { r.Layers = nil },
		"leave varied out": func(r *Rule, _ *train.Setting) {
			r.Layers[1].Layer = layer.Spiking{Neuron: neuron.STDB{Beta: 1, Threshold: 1}, Surrogate: surrogate.Triangle{Height: 1, Width: 1}, Varied: layer.Varied{"threshold": layer.PerUnit}}
		},
		"choose data with clas": func(_ *Rule, s *train.Setting) {
			s.Spec.Targets = []sample.Field{{Name: "y", Kind: sample.Values, Shape: tensor.Shape{3}}}
		},
	} {
		r, s := rule(), s
		change(&r, &s)
		if _, err := New(r, s); err == nil || !strings.Contains(err.Error()+" ", strings.TrimSpace(want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// What a batch does not name is an error of the step, and nothing is learned of it.
func TestStepWithoutClasses(t *testing.T) {
	s, batches := setting(t, nil)
	l := learned(t, rule(), s, batches[:1])
	bare := *batches[1]
	bare.Spec.Targets, bare.Targets = nil, nil
	before := l.State()
	if _, err := l.Step(t.Context(), &bare); err == nil || !strings.Contains(err.Error(), "joint: ") {
		t.Errorf("%v", err)
	}
	if !reflect.DeepEqual(l.State(), before) {
		t.Error("a step without classes changes the learner")
	}
}

// Gradients are clipped to any norm, below 1 too; 0 leaves them as they are.
func TestClip(t *testing.T) {
	s, batches := setting(t, nil)
	for _, clip := range []float64{0, 0.1, 1e-3} {
		r := rule(alone(1, 1), func(r *Rule) { r.Clip, r.Project, r.Optimizer, r.Schedule = clip, 0, optim.SGD{LR: 1}, optim.Fixed{} })
		l, err := New(r, s)
		if err != nil {
			t.Fatal(err)
		}
		var before []tensor.Float
		for _, p := range l.params {
			before = append(before, p.Value.Data...)
		}
		if _, err := l.Step(t.Context(), batches[0]); err != nil {
			t.Fatal(err)
		}
		norm, i := 0.0, 0
		for _, p := range l.params {
			for _, v := range p.Value.Data {
				norm, i = math.Hypot(norm, float64(v-before[i])), i+1
			}
		}
		if clip == 0 && !(norm > 0.15) || clip > 0 && math.Abs(norm-clip) > 1e-3*clip+1e-6 {
			t.Errorf("a step of SGD moves the weights by %v, clipped to %v", norm, clip)
		}
	}
}

// A value that no spike can be drawn by is an error, with its sample, and not clipped.
func TestPoissonRefuses(t *testing.T) {
	s, batches := setting(t, nil)
	l := learned(t, rule(), s, nil)
	b := batches[0]
	b.X[7] = 1.5 // of the second sample
	_, err := l.Step(t.Context(), b)
	if want := fmt.Sprintf("sample %d has the value 1.5", b.Index[1]); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if _, err := l.Predict(t.Context(), b); err == nil {
		t.Error("predicting takes it")
	}
	if l.step != 0 {
		t.Error("the refused batch counts as a step")
	}
}

// A model that does not fit is an error.
func TestPredictorRefuses(t *testing.T) {
	s, _ := setting(t, nil)
	l := learned(t, rule(), s, nil)
	for name := range l.Model() {
		m := maps.Clone(l.Model())
		delete(m, name)
		if _, err := l.rule.Predictor(s, m); err == nil {
			t.Errorf("a model without %s is taken", name)
		}
	}
	if p, err := l.rule.Plan(s); err != nil || p.Parameters != 5*12+12*9+9*3 || len(p.Layers) != 6 || p.Train <= p.Infer/2 {
		t.Errorf("plan %+v, %v", p, err)
	}
}

// Predictions say how good the ordinary branch is and how rates follow activations.
func TestFigures(t *testing.T) {
	s, batches := setting(t, nil)
	l := learned(t, rule(), s, batches)
	p, err := l.Predict(t.Context(), batches[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Outputs) != 2 || p.Outputs[0].Name != Output || p.Outputs[1].Name != OrdinaryOutput {
		t.Fatalf("outputs %v", p.Outputs)
	}
	right := 0.0
	for i, label := range batches[0].Classes() {
		if p.Outputs[1].Answer(i) == label {
			right += 100 / float64(batches[0].Len())
		}
	}
	if v, ok := p.Metrics.Mean("ann-accuracy"); !ok || math.Abs(v-right) > 1e-9 {
		t.Errorf("the ordinary branch's accuracy is given as %v, %v", v, right)
	}
	if v, ok := p.Metrics.Mean("rate-correlation"); !ok || !(v > 0.3 && v <= 1) {
		t.Errorf("correlation %v", v)
	}
	if got := fmt.Sprint(pearson([]tensor.Float{1, 2, 3}, []tensor.Float{2, 4, 6}), pearson([]tensor.Float{1, 1}, []tensor.Float{0, 1})); got != "1 0" {
		t.Errorf("correlations %s", got)
	}
}

// The parts of the objective by hand: distillation, with its errors at each step, and rates,
// counted in the steps in which a population can fire.
func TestPartsByHand(t *testing.T) {
	l := &logits{scores: []tensor.Float{1, 0}}
	l.out.Reset(signal.Dense, 2, 1, tensor.Shape{2})
	l.dout.Reset(signal.Dense, 2, 1, tensor.Shape{2})
	clear(l.dout.Data)
	p, q := 1/(1+math.Exp(-1)), 1/(1+math.Exp(0.5)) // of the second class, at τ = 2
	want := 4 * (p*math.Log(p/q) + (1-p)*math.Log((1-p)/(1-q)))
	if got := distil(l, []tensor.Float{0, 2}, 2, 3); math.Abs(got-want) > 1e-6 {
		t.Errorf("distillation is %v, want %v", got, want)
	}
	for i, g := range l.dout.Data { // weight 3, τ 2, two steps
		if want := 3 * (q - p) * []float64{-1, 1}[i%2]; math.Abs(float64(g)-want) > 1e-6 {
			t.Errorf("error %d of distillation is %v, want %v", i, g, want)
		}
	}
	r := &Learner{pair: &pair{rule: Rule{Match: 3}, setting: train.Setting{Steps: 4}, theta: []float64{0.5}, late: []int{1, 1}, rates: make([][]tensor.Float, 1)}, atRates: make([]signal.Signal, 1)}
	spikes, a := &signal.Signal{}, &signal.Signal{}
	spikes.Reset(signal.Dense, 4, 1, tensor.Shape{2})
	copy(spikes.Data, []tensor.Float{0, 0, 1, 1, 0, 1, 0, 1})
	a.Reset(signal.Constant, 1, 1, tensor.Shape{2})
	copy(a.Data, []tensor.Float{0.5 / 3, 0.1})
	r.snn.outs, r.ann.outs, r.snn.errors = []*signal.Signal{spikes}, []*signal.Signal{a}, make([]*signal.Signal, 2)
	r.countRates(0) // 1/3 and 1
	if got := r.matchRates(); math.Abs(got-0.32) > 1e-6 {
		t.Errorf("rates %v differ by %v, want 0.32", r.rates, got)
	}
	for i, g := range r.snn.errors[0].Data {
		if want := []float64{0, 0.8}[i%2]; math.Abs(float64(g)-want) > 1e-6 {
			t.Errorf("error %d of rates is %v, want %v", i, g, want)
		}
	}
}

// J weighs the branches' losses by 1 − μ and μ, and the ordinary branch sees what spikes are
// drawn by, with the encoder's scale.
func TestObjectiveIsTheWeightedSum(t *testing.T) {
	s, batches := setting(t, nil)
	s.Encoder = encode.Poisson{Scale: 0.5}
	l := learned(t, rule(func(r *Rule) { r.Warmup, r.SpikingFrom, r.Mix, r.Distill, r.Match = 0, 1, 0.6, 0, 0 }), s, nil)
	l.step = l.total / 2
	b := batches[0]
	value := gradients(t, l, b)
	for i, x := range b.X {
		if got := l.ann.in.Data[i]; got != x/2 {
			t.Fatalf("value %d: the ordinary branch sees %v of %v, want half", i, got, x)
		}
	}
	y, err := b.Target("")
	if err != nil {
		t.Fatal(err)
	}
	var parts [2]float64
	for i := range parts {
		if parts[i], err = l.logits[i].crossEntropy(y); err != nil {
			t.Fatal(err)
		}
	}
	mu := l.phase().mu
	if want := (1-mu)*parts[1] + mu*parts[0]; math.Abs(mu-0.3) > 0.05 || math.Abs(value-want) > 1e-6 {
		t.Errorf("J is %v with μ %v, want %v", value, mu, want)
	}
}

// Conflicts are taken out from the very share on, and thresholds move by a tenth of the way.
func TestFromTheShareOn(t *testing.T) {
	l := &Learner{pair: &pair{rule: Rule{Project: 0.5}}, rho: make([]float64, 1), cosine: make([]float64, 1)}
	l.ann.grads, l.snn.grads = network.Grads{{1, -1}}, network.Grads{{0, 1}}
	if g := l.combine(phase{at: 0.5, mu: 0, ann: true, snn: true})[0]; g[0] != 1 || g[1] != 0 {
		t.Errorf("gradient %v, want 1 and 0 without the conflict", g)
	}
	s, batches := setting(t, nil)
	m := learned(t, rule(func(r *Rule) { r.Warmup, r.SpikingFrom, r.Track = 0, 0, 1 }), s, nil)
	m.step = 1
	if err := m.encode(batches[0], m.keysOf(batches[0], "encode", batches[0].Epoch)); err != nil {
		t.Fatal(err)
	}
	before, measured := m.Thresholds(), []float64(nil)
	measured, err := m.balanced(t.Context())
	if err == nil {
		err = m.measure(t.Context(), batches[0], m.phase())
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.theta {
		if want := 0.9*before[i] + 0.1*measured[i]; math.Abs(v-want) > 1e-6 || math.Abs(measured[i]-before[i]) < 1e-3 {
			t.Errorf("threshold %d moves from %v to %v, measured %v, want %v", i, before[i], v, measured[i], want)
		}
	}
}

// A tandem passes errors where 0 < Σ x < T·θ, at neither end.
func TestTandemEnds(t *testing.T) {
	c := &layer.Call{Chunk: layer.Chunk{DOut: &signal.Signal{}, DIn: []*signal.Signal{{}}}, Memory: layer.NewMemory(nil)}
	c.DOut.Reset(signal.Dense, 4, 1, tensor.Shape{4})
	c.DIn[0].Reset(signal.Dense, 4, 1, tensor.Shape{4})
	for i := range c.DOut.Data {
		c.DOut.Data[i] = 1
	}
	copy(c.Scratch.Floats(0, 4), []tensor.Float{0, 0.5, 2, 1.5})
	tandem{Theta: 0.5}.Backward(c)
	for i, g := range c.DIn[0].Data {
		if want := []tensor.Float{0, 2, 0, 2}[i%4]; g != want {
			t.Errorf("error %d is %v, want %v", i, g, want)
		}
	}
}
