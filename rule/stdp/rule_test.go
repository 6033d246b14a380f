package stdp

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/data/mnist"
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

func setting(values, classes, steps int) train.Setting {
	f := sample.Field{Name: sample.Label, Kind: sample.Class}
	for i := range classes {
		f.Classes = append(f.Classes, string(rune('a'+i)))
	}
	return train.Setting{
		Spec:  sample.Spec{Shape: tensor.Shape{values}, Targets: []sample.Field{f}},
		Steps: steps, Samples: 60, Batch: 10, Epochs: 2, Seed: 1, Tasks: []task.Binding{{Task: task.Classify{}}},
	}
}

// halves has the one or the other half of twelve inputs bright, which says the class.
func halves(s train.Setting, n, epoch int, seed uint64) *sample.Batch {
	src := rand.New(rand.NewPCG(seed, 1))
	b := &sample.Batch{}
	b.Reset(&s.Spec, epoch)
	for i := range n {
		x := make([]tensor.Float, 12)
		for k := range x {
			if (k < 6) == (i%2 == 0) {
				x[k] = tensor.Float(0.5 + 0.5*src.Float64())
			}
		}
		if err := b.Append(100*int(seed)+i, &sample.Sample{X: x, Targets: []sample.Target{{Class: i % 2}}}); err != nil {
			panic(err)
		}
	}
	return b
}

// few is a rule for twelve inputs.
func few(changes ...func(r *Rule)) Rule {
	r := NewRule()
	r.Neurons, r.Norm, r.Rise, r.Threshold, r.Reset, r.Rate = 10, 5, 0.2, 5, 0, 200
	for _, change := range changes {
		change(&r)
	}
	return r
}

// simulated is the rule's network in the simulator, with the memory of a competition.
func simulated(c *competition, stepwise bool) (*Network, *Population, *Population, *Connection) {
	r := c.rule
	n := must(New(Options{Step: 1, Stepwise: stepwise}))
	in := must(n.Add("in", c.inputs, Trains{}))
	out := must(n.Add("out", c.neurons, LIF{Tau: r.TauMem, Threshold: r.Threshold, Reset: r.Reset, Refractory: float64(r.Refractory), Rise: r.Rise, Winners: 1, Drawn: true}))
	must(n.Connect("compete", out, out, Synapses{AllButOwn: -r.Inhibition, Delay: 1}))
	feed := must(n.Connect("feed", in, out, Synapses{
		Weights: slices.Clone(c.weight), Delay: 1, High: 1,
		Rule: Pair{Plus: r.Plus, Minus: r.Minus, TauPlus: r.TauTrace, TauMinus: r.TauTrace, Nearest: true, Together: true},
	}))
	copy(out.Thresholds(), c.theta)
	return n, in, out, feed
}

// The fast network gives the bits of the same network in the simulator, sample after sample;
// with traces multiplied in each step the same but for rounding.
func TestCompetitionIsSimulated(t *testing.T) {
	digits, _ := mnist.Sample()
	s := setting(784, 10, 200)
	r := NewRule()
	r.Neurons, r.TauTheta, r.Minus = 70, 0, 1e-3
	l := must(r.New(s))
	c := l.workers[0].(*competition)
	n, in, out, feed := simulated(c, false)
	dense, denseIn, _, denseFeed := simulated(c, true)
	m := n.Monitor(out)
	total := 0
	for i := range 12 {
		var x sample.Sample
		x.X = make([]tensor.Float, 784)
		if err := digits.Read(t.Context(), i, &x); err != nil {
			t.Fatal(err)
		}
		key := rng.New(1, "test").Int(uint64(i))
		if err := c.spikes.draw(x.X, r.Rate, s.Steps, key); err != nil {
			t.Fatal(err)
		}
		trains := make([][]float64, 784)
		for k := range s.Steps {
			for _, unit := range c.spikes.at(k) {
				trains[unit] = append(trains[unit], float64(k))
			}
		}
		draw := draws{key: key.Str("draw")}
		for _, one := range []struct {
			n  *Network
			in *Population
		}{{n, in}, {dense, denseIn}} {
			one.n.Rest()
			one.n.populations[1].cells.(*lifCells).draws = draw
			if err := errors.Join(one.in.Play(trains), one.n.Run(t.Context(), float64(s.Steps))); err != nil {
				t.Fatal(err)
			}
		}
		c.show(draw, true)
		for j, count := range c.count {
			if int(count) != m.Count[j] {
				t.Fatalf("sample %d: neuron %d fires %d times, in the simulator %d", i, j, count, m.Count[j])
			}
			total += m.Count[j]
		}
		m.Clear()
		fired := slices.Clone(c.recent)
		slices.Sort(fired)
		for _, one := range []*Connection{feed, denseFeed} {
			kept := slices.Clone(one.Weights())
			if err := one.Normalize(78.4); err != nil {
				t.Fatal(err)
			}
			for k := range kept { // scaled are those of neurons that fired
				if _, ok := slices.BinarySearch(fired, int32(k%70)); !ok {
					one.Weights()[k] = kept[k]
				}
			}
		}
		if at := differs(c.weight, feed.Weights()); at >= 0 {
			t.Fatalf("sample %d: weight %d is %v, in the simulator %v", i, at, c.weight[at], feed.Weights()[at])
		}
		if at := differs(c.theta, out.Thresholds()); at >= 0 {
			t.Fatalf("sample %d: threshold %d is %v, in the simulator %v", i, at, c.theta[at], out.Thresholds()[at])
		}
	}
	if total < 60 {
		t.Errorf("only %d spikes: the test shows little", total)
	}
	for k, w := range denseFeed.Weights() {
		if math.Abs(float64(w-c.weight[k])) > 2e-5 {
			t.Fatalf("weight %d is %v, with traces of each step %v", k, c.weight[k], w)
		}
	}
}

func differs(a, b []tensor.Float) int {
	for i, v := range a {
		if v != b[i] {
			return i
		}
	}
	return -1
}

// Every level of the kernels gives the same bits, but for plain Go, which does not fuse.
func TestLevels(t *testing.T) {
	var want []tensor.Float
	for _, level := range kernel.Levels() {
		if level.String() == "go" {
			continue
		}
		restore, err := kernel.SetLevel(level)
		if err != nil {
			t.Fatal(err)
		}
		l := must(few().New(setting(12, 2, 100)))
		_, err = l.Step(t.Context(), halves(l.setting, 20, 0, 1))
		restore()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = slices.Clone(l.memory.weight)
		} else if at := differs(want, l.memory.weight); at >= 0 {
			t.Errorf("%v: weight %d is %v, want %v", level, at, l.memory.weight[at], want[at])
		}
	}
}

// After each sample the weights of a neuron sum to norm; a blank sample changes nothing but
// thresholds, which fall; a neuron that never fires keeps its weights.
func TestSums(t *testing.T) {
	r := few()
	l := must(r.New(setting(12, 2, 100)))
	before := slices.Clone(l.memory.weight)
	b := halves(l.setting, 1, 0, 1)
	for i := range 30 {
		if _, err := l.Step(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for j := range r.Neurons {
			sum, same := 0.0, true
			for k := range 12 {
				sum += float64(l.memory.weight[k*r.Neurons+j])
				same = same && l.memory.weight[k*r.Neurons+j] == before[k*r.Neurons+j]
			}
			if math.Abs(sum-5) > 1e-4 {
				t.Fatalf("step %d: the weights of neuron %d sum to %v", i, j, sum)
			}
			if l.memory.theta[j] == 0 && !same {
				t.Fatalf("neuron %d has never fired and has learned", j)
			}
		}
	}
	weight, theta := slices.Clone(l.memory.weight), slices.Clone(l.memory.theta)
	clear(b.X)
	m, err := l.Step(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if silent, _ := m.Mean(Silent); silent != 100 || differs(weight, l.memory.weight) >= 0 {
		t.Errorf("a blank sample: %v %% silent", silent)
	}
	for j, v := range theta {
		near(t, "threshold", l.memory.theta[j], float64(v)*math.Exp(-100/1e7))
	}
}

// Neurons in another order learn the same, in that order, where no draw falls to them.
func TestOrderOfNeurons(t *testing.T) {
	r := few(func(r *Rule) { r.Neurons, r.Rise = 6, 5 })
	a, b := must(r.New(setting(12, 2, 100))), must(r.New(setting(12, 2, 100)))
	perm := []int{3, 0, 5, 1, 2, 4}
	permute := func(to, from *memory) {
		for j, p := range perm {
			to.theta[p] = from.theta[j]
			for i := range 12 {
				to.weight[i*6+p] = from.weight[i*6+j]
			}
		}
	}
	for j := range a.memory.theta { // far apart, so that no two cross in one step
		a.memory.theta[j] = 11 * tensor.Float(j)
	}
	permute(b.memory, a.memory)
	batch := halves(a.setting, 4, 0, 1)
	for i := range batch.Len() {
		for _, l := range []*Learner{a, b} {
			if err := l.workers[0].(*competition).spikes.draw(batch.X[12*i:][:12], r.Rate, 100, rng.New(1, "t").Int(uint64(i))); err != nil {
				t.Fatal(err)
			}
			draw := draws{key: rng.New(1, "d")}
			l.workers[0].(*competition).show(draw, true)
		}
	}
	want := newMemory(12, 6, 2)
	permute(want, a.memory)
	if slices.Min(a.memory.theta) < 5 {
		t.Errorf("thresholds %v: the test shows little", a.memory.theta)
	}
	if !slices.Equal(want.theta, b.memory.theta) || !slices.Equal(want.weight, b.memory.weight) {
		t.Errorf("in another order neurons learn thresholds %v, want %v", b.memory.theta, want.theta)
	}
}

// The rule passes the checks of learning rules.
func TestLearnerConformance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for name, change := range map[string]func(r *Rule){
		"default":    func(*Rule) {},
		"few labels": func(r *Rule) { r.Labels = 11 },
		"one neuron": func(r *Rule) { r.Neurons = 1 },
		"no rest":    func(r *Rule) { r.Refractory, r.Inhibition, r.TauTheta = 0, 0, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s := setting(12, 2, 60)
			s.Pool = pool
			var batches []*sample.Batch
			for i := range 4 {
				batches = append(batches, halves(s, 10, i/2, uint64(i)))
			}
			snntest.Learner(t, few(func(r *Rule) { change(r) }), s, batches...)
		})
	}
}

// So does that of the published network.
func TestPublishedConformance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := NewPublished()
	r.Neurons, r.Rise, r.Rate, r.Raise, r.Labels, r.Pause, r.Least = 6, 0.1, 1500, 400, 25, 5, 1
	s := setting(12, 2, 100)
	s.Pool = pool
	var batches []*sample.Batch
	for i := range 4 {
		batches = append(batches, halves(s, 4, i/2, uint64(i)))
	}
	snntest.Learner(t, r, s, batches...)
}

// The published network shows a sample again, at higher rates, while few neurons fire, and a
// blank one once; weights are limited by their rule, thresholds fall with all of the time.
func TestPublished(t *testing.T) {
	r := NewPublished()
	r.Neurons, r.Least, r.Raise, r.Rise, r.Norm = 5, 3, 200, 0.25, 6
	s := setting(12, 2, 100) // 50 ms
	l := must(r.Learner(s)).(*Learner)
	c := l.workers[0].(*column)
	x := make([]tensor.Float, 12)
	if err := c.run(shown{values: x}, rng.New(1, "t"), true); err != nil {
		t.Fatal(err)
	}
	if now := c.network.Now(); now != 50+150 {
		t.Errorf("a blank sample took %v ms, want 200", now)
	}
	for _, v := range l.Thresholds() {
		near(t, "threshold", v, 20*math.Exp(-200/1e7))
	}
	for i := range x {
		x[i] = tensor.Float(i) / 12
	}
	if err := c.run(shown{values: x}, rng.New(1, "t"), true); err != nil {
		t.Fatal(err)
	}
	took, spikes, risen := c.network.Now()-200, 0, 0.0
	for j, k := range c.counts() {
		spikes += int(k)
		risen += float64(l.Thresholds()[j]) - 20
	}
	if times := took / 200; times < 2 || times != math.Trunc(times) || spikes < 3 || risen < 3*0.25-1e-2 {
		t.Errorf("after %v ms %d spikes and thresholds that rose by %v in all", took, spikes, risen)
	}
	for j := range 5 {
		sum := 0.0
		for i := range 12 {
			sum += float64(l.Weights()[i*5+j])
		}
		if math.Abs(sum-6) > 0.5 {
			t.Errorf("the weights of neuron %d sum to %v", j, sum)
		}
	}
	before := slices.Clone(l.Weights())
	theta := slices.Clone(l.Thresholds())
	if err := c.run(shown{values: x}, rng.New(2, "t"), false); err != nil {
		t.Fatal(err)
	}
	if differs(before, l.Weights()) >= 0 || differs(theta, l.Thresholds()) >= 0 {
		t.Error("the network learns while it stands still")
	}
	x[3] = 2
	if err := c.run(shown{values: x}, rng.New(2, "t"), false); err == nil {
		t.Error("a value of 2 is taken")
	}
	for want, change := range map[string]func(r *Published){
		"neurons is 0":  func(r *Published) { r.Neurons = 0 },
		"raise is 0":    func(r *Published) { r.Raise = 0 },
		"rate is 5000":  func(r *Published) { r.Rate = 5000 },
		"pause is -1":   func(r *Published) { r.Pause = -1 },
		"least is -1":   func(r *Published) { r.Least = -1 },
		"excite is NaN": func(r *Published) { r.Excite = math.NaN() },
	} {
		p := r
		if change(&p); p.Validate() == nil || !strings.Contains(p.Validate().Error(), want) {
			t.Errorf("want an error with %q, got %v", want, p.Validate())
		}
	}
}

// finish walks a batch once.
func finish(t *testing.T, l *Learner, b *sample.Batch) {
	t.Helper()
	if err := l.Finish(t.Context(), cursorOf(t, b)); err != nil {
		t.Fatal(err)
	}
}

// Two classes become groups of neurons, that answer for them; each neuron's weights are those
// of its half.
func TestHalves(t *testing.T) {
	r := few(func(r *Rule) { r.Rise = 0.02 })
	l := must(r.New(setting(12, 2, 100)))
	for epoch := range 6 {
		if _, err := l.Step(t.Context(), halves(l.setting, 40, epoch, 1)); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, l, halves(l.setting, 40, 0, 1))
	test := halves(l.setting, 40, 0, 9)
	p, err := l.Predict(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	for o, output := range p.Outputs {
		for i, class := range test.Classes() {
			if got := output.Answer(i); got != class {
				t.Errorf("output %d: sample %d of class %d is answered by %d, scores %v", o, i, class, got, output.Of(i))
			}
		}
	}
	for j, label := range l.Labels() {
		first, second := 0.0, 0.0
		for i := range 12 {
			if w := float64(l.memory.weight[i*r.Neurons+j]); i < 6 {
				first += w
			} else {
				second += w
			}
		}
		if label >= 0 && (label == 0) != (first > second) {
			t.Errorf("neuron %d of class %d has weights of sum %v and %v", j, label, first, second)
		}
	}
}

// Labels by hand: the class of the largest mean, of equals the first; none for a neuron that
// is silent; scores are means over the neurons of a class, 0 where there are none.
func TestLabels(t *testing.T) {
	l := must(few(func(r *Rule) { r.Neurons = 5 }).New(setting(12, 3, 10)))
	copy(l.memory.response, []tensor.Float{
		2, 0, 1, 0, 3, // class a
		1, 0, 1, 4, 1, // b
		1, 0, 0, 4, 0, // c
	})
	l.relabel()
	if want := []int32{0, -1, 0, 1, 0}; !slices.Equal(l.Labels(), want) {
		t.Fatalf("labels %v, want %v", l.Labels(), want)
	}
	output, proportion := make([]tensor.Float, 3), make([]tensor.Float, 3)
	l.score([]int32{3, 7, 0, 2, 4}, output, proportion)
	for k, want := range []float64{7.0 / 3, 2, 0} {
		near(t, fmt.Sprintf("score %d", k), output[k], want)
	}
	for k, want := range []float64{(3*0.5 + 4*0.75) / 3, 2 * 0.5, 0} {
		near(t, fmt.Sprintf("proportion %d", k), proportion[k], want)
	}
}

// Trains have the rates of their values, and no input fires twice in a step.
func TestTrains(t *testing.T) {
	x := []tensor.Float{0, 1, 0.25, 0.5}
	var s trains
	for _, rate := range []float64{100, 1000} {
		counts := make([]int, 4)
		const steps = 40_000
		if err := s.draw(x, rate, steps, rng.New(1, "t")); err != nil {
			t.Fatal(err)
		}
		for k := range steps {
			at := s.at(k)
			for q, unit := range at {
				counts[unit]++
				if q > 0 && unit <= at[q-1] {
					t.Fatalf("step %d: inputs %v, want them ascending and each once", k, at)
				}
			}
		}
		for i, v := range x {
			p := float64(v) * rate / 1000
			if d := float64(counts[i]) - steps*p; math.Abs(d) > 4*math.Sqrt(steps*p*(1-p))+1e-9 {
				t.Errorf("value %v at %v Hz: %d spikes in %d steps, want %v", v, rate, counts[i], steps, steps*p)
			}
		}
	}
}

func TestRuleRefusals(t *testing.T) {
	for want, change := range map[string]func(r *Rule){
		"neurons is 0":     func(r *Rule) { r.Neurons = 0 },
		"rate is 2000 Hz":  func(r *Rule) { r.Rate = 2000 },
		"tau-trace is 0":   func(r *Rule) { r.TauTrace = 0 },
		"plus is NaN":      func(r *Rule) { r.Plus = math.NaN() },
		"minus is -1":      func(r *Rule) { r.Minus = -1 },
		"reset is 20":      func(r *Rule) { r.Reset = 20 },
		"refractory is -1": func(r *Rule) { r.Refractory = -1 },
		"labels is -1":     func(r *Rule) { r.Labels = -1 },
		"initial is 2":     func(r *Rule) { r.Initial = 2 },
	} {
		if err := few(change).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	s := setting(12, 2, 0)
	if _, err := few().Learner(s); err == nil || !strings.Contains(err.Error(), "steps is 0,") {
		t.Errorf("without steps: %v", err)
	}
	s = setting(12, 2, 10)
	s.Spec.Targets[0].Kind = sample.Values
	if _, err := few().Learner(s); err == nil || !strings.Contains(err.Error(), "classes") {
		t.Errorf("without classes: %v", err)
	}
	l := must(few().New(setting(12, 2, 10)))
	for _, v := range []tensor.Float{-0.5, 1.5, tensor.Float(math.NaN())} {
		b := halves(l.setting, 2, 0, 1)
		b.X[13] = v
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "sample 101: value 1 is") {
			t.Errorf("a value of %v: %v", v, err)
		}
	}
	b := halves(l.setting, 2, 0, 1)
	b.X = b.X[:20]
	if _, err := l.Step(t.Context(), b); err == nil {
		t.Error("a batch of other samples is taken")
	}
}

// A plan does not fall short of the parameters.
func TestPlan(t *testing.T) {
	s := setting(784, 10, 250)
	r := NewRule()
	r.Neurons = 400
	p, err := r.Plan(s)
	if err != nil || p.Parameters != 785*400 || p.Train < 4*p.Parameters {
		t.Errorf("%+v, %v", p, err)
	}
}

// BenchmarkW5 learns digits with 400 neurons in 350 steps.
func BenchmarkW5(b *testing.B) {
	digits, _ := mnist.Sample()
	s := setting(784, 10, 350)
	r := NewRule()
	r.Neurons = 400
	l := must(r.New(s))
	c := cursorOver(b, digits, 100)
	var batch sample.Batch
	for b.Loop() {
		if more, err := c.Next(b.Context(), &batch); err != nil || !more {
			if _, err = c.Next(b.Context(), &batch); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := l.Step(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "images/s")
}

// A recording of events makes the same spikes as the values that its trains were drawn for,
// several events of a unit in a step one spike, and teaches the same to the last bit.
func TestEventsEqualTheirTrains(t *testing.T) {
	const steps, duration = 200, 0.34
	values := setting(12, 2, steps)
	recorded := values
	recorded.Spec.Events, recorded.Spec.Duration = true, duration
	r := few()
	a, b := must(r.New(values)), must(r.New(recorded))
	x, x2 := halves(values, 8, 0, 1), &sample.Batch{}
	x2.Reset(&recorded.Spec, 0)
	for i := range x.Len() {
		var s trains
		if err := s.draw(x.X[12*i:][:12], r.Rate, steps, rng.New(1, rng.Encode).Int(0).Int(uint64(x.Index[i])).Str("input")); err != nil {
			t.Fatal(err)
		}
		var events []sample.Event
		for step := range steps {
			for _, u := range s.at(step) {
				for range 1 + int(u)%2 {
					events = append(events, sample.Event{Time: (float64(step) + 0.25) * duration / steps, Unit: u})
				}
			}
		}
		if err := x2.Append(x.Index[i], &sample.Sample{Events: events, Targets: []sample.Target{{Class: i % 2}}}); err != nil {
			t.Fatal(err)
		}
	}
	before := slices.Clone(a.Weights())
	ma, mb := must(a.Step(t.Context(), x)), must(b.Step(t.Context(), x2))
	if differs(before, a.Weights()) < 0 {
		t.Error("nothing was learned")
	}
	if at := differs(a.Weights(), b.Weights()); at >= 0 || differs(a.Thresholds(), b.Thresholds()) >= 0 {
		t.Errorf("weight %d is %v by values and %v by their events", at, a.Weights()[at], b.Weights()[at])
	}
	if sa, _ := ma.Mean(Spikes); sa == 0 {
		t.Error("no neuron fires")
	} else if sb, _ := mb.Mean(Spikes); sa != sb {
		t.Errorf("%v spikes a sample by values and %v by events", sa, sb)
	}
	if _, err := b.Step(t.Context(), x); err == nil || !strings.Contains(err.Error(), "learns from") {
		t.Errorf("values for a network of events: %v", err)
	}
	p := NewPublished()
	p.Neurons = 10
	if _, err := p.Learner(recorded); err == nil || !strings.Contains(err.Error(), "events take rule stdp") {
		t.Errorf("events for the published network: %v", err)
	}
}
