package s4nn

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/optim"
	"synfire/sample"
	"synfire/snntest"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// valueOf is the value that fires at a time.
func valueOf(t, steps int) tensor.Float { return tensor.Float(1 - float64(t)/float64(steps)) }

// netOf is a network of given matrices, [in][out] each.
func netOf(threshold float64, steps int, layers ...[][]tensor.Float) *network {
	sizes := []int{len(layers[0])}
	for _, l := range layers {
		sizes = append(sizes, len(l[0]))
	}
	w := newWeights(sizes)
	for k, l := range layers {
		w.w[k] = slices.Concat(l...)
	}
	return newNetwork(w, threshold, steps)
}

// randomNet has weights of both signs.
func randomNet(src *rand.Rand, threshold float64, steps int, whole bool, sizes ...int) *network {
	w := newWeights(sizes)
	for _, m := range w.w {
		for i := range m {
			m[i] = tensor.Float(src.NormFloat64()*6 + 2)
			if whole {
				m[i] = tensor.Float(math.Round(float64(m[i])))
			}
		}
	}
	return newNetwork(w, threshold, steps)
}

// randomTimes are values that fire at random times, some never.
func randomTimes(src *rand.Rand, n, steps int) []tensor.Float {
	x := make([]tensor.Float, n)
	for i := range x {
		if src.IntN(5) > 0 {
			x[i] = valueOf(src.IntN(steps), steps)
		}
	}
	return x
}

// dense is the times of each layer by the equations, step by step over all units, with
// weights that are multiplied by scale one by one; those of the input first.
func dense(n *network, x []tensor.Float) (times [][]int32) {
	in := make([]int32, len(x))
	for i, v := range x {
		in[i] = int32(math.Floor((1-float64(v))*float64(n.steps) + 1e-6*float64(n.steps)))
	}
	times = append(times, in)
	for l, w := range n.w {
		size := n.sizes[l+1]
		v, out := make([]float64, size), make([]int32, size)
		for j := range out {
			out[j] = int32(n.steps)
		}
		for t := range int32(n.steps) {
			for j := range v {
				for i, at := range times[l] {
					if at == t {
						v[j] += float64(w[i*size+j]) * n.scale
					}
				}
				if v[j] > n.threshold && out[j] == int32(n.steps) {
					out[j] = min(t+1, int32(n.steps))
				}
			}
		}
		times = append(times, out)
	}
	return times
}

func mustRun(t *testing.T, n *network, x []tensor.Float, early bool) {
	t.Helper()
	if err := n.run(x, early); err != nil {
		t.Fatal(err)
	}
}

// A neuron fires a step after its potential is above the threshold, not at it.
func TestFiringByHand(t *testing.T) {
	for _, c := range []struct {
		w    []tensor.Float
		want int32
	}{{[]tensor.Float{60, 50, 10}, 6}, {[]tensor.Float{60, 40, 10}, 10}, {[]tensor.Float{30, 30, 30}, 256}} {
		n := netOf(100, 256, [][]tensor.Float{{c.w[0]}, {c.w[1]}, {c.w[2]}})
		mustRun(t, n, []tensor.Float{1, valueOf(5, 256), valueOf(9, 256)}, false)
		if got := n.output().times[0]; got != c.want {
			t.Errorf("weights %v: time %d, want %d", c.w, got, c.want)
		}
	}
	late := netOf(100, 256, [][]tensor.Float{{101}})
	mustRun(t, late, []tensor.Float{valueOf(255, 256)}, false)
	if p := late.output(); p.times[0] != 256 || p.fired != 0 {
		t.Errorf("crossing at the last step: time %d, want 256 and no spike", p.times[0])
	}
}

// Bytes become the times of the paper, white 0 and black never.
func TestEncoding(t *testing.T) {
	x := make([]tensor.Float, 256)
	for p := range x {
		x[p] = tensor.Float(p) / 255
	}
	e := encoder{steps: 256}
	got, err := e.encode(x)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.time) != 255 {
		t.Errorf("%d spikes, want one of each pixel but the black one", len(got.time))
	}
	for k, p := range got.unit {
		if want := (255 - p) * 256 / 255; got.time[k] != want {
			t.Errorf("pixel %d fires at %d, want %d", p, got.time[k], want)
		}
	}
	if !slices.IsSorted(got.time) {
		t.Error("times do not ascend")
	}
	// A decimal number fires where it is meant to, and equal times are in the units' order.
	tenth := encoder{steps: 10}
	if got, err := tenth.encode([]tensor.Float{0.3, 0.7, 0.3, 1e-9}); err != nil || !slices.Equal(got.time, []int32{3, 7, 7}) || !slices.Equal(got.unit, []int32{1, 0, 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []tensor.Float{-0.1, 1.001, tensor.Float(math.NaN()), tensor.Float(math.Inf(1))} {
		if _, err := e.encode([]tensor.Float{0.5, bad}); err == nil || !strings.Contains(err.Error(), "value 1 is") || !strings.Contains(err.Error(), "[0, 1]") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Driven by events the times are those of the dense loop, of whole weights exactly, in
// networks whose potentials cross the threshold and come back, and wider than a word.
func TestEventsAreDense(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		n := randomNet(src, 40, 50, i%2 == 0, 60, 70, 66, 5)
		if i%2 == 1 {
			n.scale = 0.7
		}
		x := randomTimes(src, 60, 50)
		mustRun(t, n, x, false)
		want := dense(n, x)
		for l, p := range n.layer {
			if !slices.Equal(p.times, want[l+1]) {
				t.Fatalf("network %d, layer %d: times %v, want %v", i, l+1, p.times, want[l+1])
			}
			checkSpikes(t, p, n.steps)
		}
	}
}

// checkSpikes wants one spike at most of each neuron, in order, none at T.
func checkSpikes(t *testing.T, p *population, steps int) {
	t.Helper()
	seen := map[int32]bool{}
	for k, j := range p.out.unit {
		at := p.out.time[k]
		if seen[j] || p.times[j] != at || at <= 0 || int(at) >= steps || k > 0 && at < p.out.time[k-1] {
			t.Fatalf("spikes %+v of times %v", p.out, p.times)
		}
		seen[j] = true
	}
	for j, at := range p.times {
		if seen[int32(j)] != (int(at) < steps) {
			t.Fatalf("neuron %d has time %d of %d, fired: %v", j, at, steps, seen[int32(j)])
		}
	}
}

// Scaling weights and threshold leaves times as they are, an output fires after its first
// input, and inputs that came too late have no part in them.
func TestInvariants(t *testing.T) {
	src := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		n := randomNet(src, 30, 40, true, 30, 20)
		x := randomTimes(src, 30, 40)
		mustRun(t, n, x, false)
		times := slices.Clone(n.output().times)
		first := n.input.time[0]
		double := newNetwork(newWeights(n.sizes), 60, 40)
		for i, v := range n.w[0] {
			double.w[0][i] = 2 * v
		}
		mustRun(t, double, x, false)
		if !slices.Equal(double.output().times, times) {
			t.Fatal("twice the weights and the threshold give other times")
		}
		for j, at := range times {
			if at <= first {
				t.Fatalf("output %d fires at %d, its first input at %d", j, at, first)
			}
			causal := slices.Clone(x)
			for i, in := range dense(n, x)[0] {
				if in >= at {
					causal[i] = 0
				}
			}
			mustRun(t, n, causal, false)
			if got := n.output().times[j]; got != at {
				t.Fatalf("without later inputs output %d fires at %d, want %d", j, got, at)
			}
		}
	}
}

// Permuted inputs and outputs give permuted times.
func TestPermutation(t *testing.T) {
	src := rand.New(rand.NewPCG(5, 6))
	n := randomNet(src, 30, 40, true, 25, 12)
	x := randomTimes(src, 25, 40)
	mustRun(t, n, x, false)
	in, out := src.Perm(25), src.Perm(12)
	other, y := newNetwork(newWeights(n.sizes), 30, 40), make([]tensor.Float, 25)
	for i, to := range in {
		y[to] = x[i]
		for j, at := range out {
			other.w[0][to*12+at] = n.w[0][i*12+j]
		}
	}
	mustRun(t, other, y, false)
	for j, at := range out {
		if got, want := other.output().times[at], n.output().times[j]; got != want {
			t.Errorf("output %d fires at %d, want %d", j, got, want)
		}
	}
}

// The table of targets.
func TestTargets(t *testing.T) {
	for _, c := range []struct {
		times []int32
		label int
		want  []int32
	}{
		{[]int32{10, 12, 20}, 0, []int32{10, 13, 20}},
		{[]int32{10, 12, 20}, 1, []int32{13, 10, 20}},
		{[]int32{10, 12, 20}, 2, []int32{13, 13, 10}},
		{[]int32{10, 13, 20}, 0, []int32{10, 13, 20}},
		{[]int32{10, 10, 20}, 0, []int32{10, 13, 20}},
		{[]int32{256, 256, 256}, 1, []int32{256, 253, 256}},
		{[]int32{255, 256, 256}, 1, []int32{256, 255, 256}},
	} {
		moves, wantLoss := make([]float64, 3), 0.0
		loss := targets(moves, c.times, c.label, 3, 256)
		for j, want := range c.want {
			d := float64(want - c.times[j])
			if moves[j] != d {
				t.Errorf("times %v of class %d: output %d is to move by %v, want %v", c.times, c.label, j, moves[j], d)
			}
			wantLoss += d * d / 256 / 256 / 2
		}
		if math.Abs(loss-wantLoss) > 1e-15 {
			t.Errorf("loss %v, want %v", loss, wantLoss)
		}
	}
}

// step is the update of a sample by the equations, pair by pair, in float64: the weights
// of each layer after it.
func step(n *network, times [][]int32, label, gap int, rate, decay float64, updated bool) [][]float64 {
	var all [][]float64
	for _, m := range n.w {
		w := make([]float64, len(m))
		for i, v := range m {
			w[i] = float64(v) * n.scale
		}
		all = append(all, w)
	}
	last := len(n.w)
	delta := make([]float64, n.sizes[last])
	targets(delta, times[last], label, gap, n.steps)
	if norm(delta) == 0 {
		return all
	}
	alive := true
	for l := last; l >= 1; l-- {
		w, old, size := all[l-1], slices.Clone(all[l-1]), n.sizes[l]
		length := norm(delta)
		alive = alive && length > 0
		back := make([]float64, n.sizes[l-1])
		for i, at := range times[l-1] {
			for j, out := range times[l] {
				if alive && at < out {
					w[i*size+j] -= rate * delta[j] / length
				}
				w[i*size+j] -= rate * decay * old[i*size+j]
			}
			for j, out := range times[l] {
				through := old[i*size+j]
				if updated {
					through = w[i*size+j]
				}
				if alive && at < out {
					back[i] += delta[j] * through
				}
			}
		}
		delta = back
	}
	return all
}

// Events and a common scale learn what the dense loop does, in each order of the update,
// over samples one after another.
func TestLearningIsDense(t *testing.T) {
	const steps, gap, rate, decay = 50, 3, 0.2, 1e-3
	src := rand.New(rand.NewPCG(7, 8))
	for _, updated := range []bool{false, true} {
		n := randomNet(src, 40, steps, false, 30, 70, 20, 5)
		changed := 0
		for i := range 300 {
			x, label := randomTimes(src, 30, steps), src.IntN(5)
			mustRun(t, n, x, false)
			var times [][]int32
			times = append(times, dense(n, x)[0])
			for _, p := range n.layer {
				times = append(times, slices.Clone(p.times))
			}
			want := step(n, times, label, gap, rate, decay, updated)
			decayed := n.scale * (1 - rate*decay)
			if n.learn(n.w, label, gap, rate/decayed, updated) {
				n.weights.decay(decayed)
				changed++
			}
			for l, m := range n.w {
				for k, v := range m {
					if have := float64(v) * n.scale; math.Abs(have-want[l][k]) > 40*precisionOfFloat()*(1+math.Abs(have)) {
						t.Fatalf("sample %d, updated %v, weight %d of layer %d: %v, want %v", i, updated, k, l+1, have, want[l][k])
					}
				}
			}
		}
		if changed < 100 || n.scale == 1 {
			t.Errorf("%d of 300 samples had an error, scale %v: the test shows nothing", changed, n.scale)
		}
	}
}

// precisionOfFloat is the distance of 1 to the next Float.
func precisionOfFloat() float64 { return float64(nextAbove(1) - 1) }

// A scale that has become small is multiplied into the weights, which stay the same.
func TestScaleIsFolded(t *testing.T) {
	w := newWeights([]int{2, 1})
	w.w[0][0], w.w[0][1] = 3, -5
	w.decay(0.6)
	if w.scale != 0.6 || w.w[0][0] != 3 {
		t.Errorf("scale %v, weights %v", w.scale, w.w)
	}
	w.decay(0.5)
	if w.scale != 1 || w.w[0][0] != 1.5 || w.w[0][1] != -2.5 {
		t.Errorf("scale %v, weights %v", w.scale, w.w)
	}
}

// After a step the label's drive at its time has not fallen, and that of a wrong winner
// has not risen.
func TestUpdateHelps(t *testing.T) {
	src := rand.New(rand.NewPCG(9, 10))
	wrong := 0
	for range 200 {
		n := randomNet(src, 40, 50, false, 30, 20, 5)
		x, label := randomTimes(src, 30, 50), src.IntN(5)
		mustRun(t, n, x, false)
		times, hidden := slices.Clone(n.output().times), slices.Clone(n.layer[0].times)
		winner := n.winner()
		drive := func(j int) (sum float64) {
			for i, at := range hidden {
				if at < times[j] {
					sum += float64(n.w[1][i*5+j])
				}
			}
			return sum
		}
		was, wasWinner := drive(label), drive(winner)
		if !n.learn(n.w, label, 3, 0.2, false) {
			continue
		}
		if drive(label) < was {
			t.Errorf("the drive of class %d fell from %v to %v", label, was, drive(label))
		}
		if winner != label && n.output().fired > 0 {
			wrong++
			if drive(winner) > wasWinner {
				t.Errorf("the drive of the wrong winner %d rose from %v to %v", winner, wasWinner, drive(winner))
			}
		}
	}
	if wrong < 50 {
		t.Errorf("only %d wrong winners", wrong)
	}
}

// The error that is passed back is the derivative of the relaxed model, whose synapses are
// ramps, V_j(t) = Σ w_ji max(0, t − t_i), and whose times fall by one where the potential
// rises by one: by finite differences.
func TestErrorsOfRelaxedModel(t *testing.T) {
	src := rand.New(rand.NewPCG(11, 12))
	n := randomNet(src, 40, 50, false, 30, 20, 5)
	mustRun(t, n, randomTimes(src, 30, 50), false)
	hidden, out, w := slices.Clone(n.layer[0].times), slices.Clone(n.output().times), slices.Clone(n.w[1])
	for j := range n.delta[1] {
		n.delta[1][j] = src.NormFloat64()
	}
	delta := slices.Clone(n.delta[1])
	relaxed := func(i int, at float64) (loss float64) { // −Σ_j δ_j V_j(t_j), of which t_i moves
		for j, d := range delta {
			for k, time := range hidden {
				when := float64(time)
				if k == i {
					when = at
				}
				loss -= d * float64(w[k*5+j]) * max(0, float64(out[j])-when)
			}
		}
		return loss
	}
	n.update(1, n.w[1], 1, n.delta[0], false)
	compared := 0
	for i, at := range hidden {
		if slices.Contains(out, at) {
			continue // a ramp begins there, and has two derivatives
		}
		const h = 0.25 // ramps are straight between whole steps
		want := (relaxed(i, float64(at)+h) - relaxed(i, float64(at)-h)) / (2 * h)
		if got := n.delta[0][i]; math.Abs(got-want) > max(1e-9, 50*precisionOfFloat())*(1+math.Abs(want)) {
			t.Errorf("error of hidden neuron %d is %v, want %v", i, got, want)
		}
		if want != 0 {
			compared++
		}
	}
	if compared < 5 {
		t.Errorf("only %d errors were compared", compared)
	}
}

// Degenerate samples: all black, all white, no error to pass on; nothing is NaN.
func TestDegenerate(t *testing.T) {
	src := rand.New(rand.NewPCG(13, 14))
	n := randomNet(src, 40, 50, false, 30, 20, 5)
	for _, m := range n.w {
		for i := range m {
			m[i] = tensor.Float(math.Abs(float64(m[i]))) + 1
		}
	}
	before := slices.Clone(n.w[0])
	mustRun(t, n, make([]tensor.Float, 30), false)
	if n.output().fired != 0 || n.winner() != 0 || n.first() != 50 {
		t.Errorf("black: %v", n.output().times)
	}
	if !n.learn(n.w, 2, 3, 0.2, false) || !slices.Equal(before, n.w[0]) {
		t.Error("black: there is an error, for T − γ is wanted, and no weight that it reaches")
	}
	white := make([]tensor.Float, 30)
	for i := range white {
		white[i] = 1
	}
	mustRun(t, n, white, false)
	for _, at := range n.layer[0].times {
		if at != 1 {
			t.Errorf("white: a hidden neuron fires at %d, want 1", at)
		}
	}
	for range 50 {
		mustRun(t, n, white, false)
		n.learn(n.w, 2, 3, 0.2, false)
	}
	for _, m := range n.w {
		if i, ok := tensor.Finite(m); !ok {
			t.Errorf("weight %d is %v", i, m[i])
		}
	}
	// Outputs whose weights are zero pass no error on: hidden weights stay.
	clear(n.w[1])
	before = slices.Clone(n.w[0])
	mustRun(t, n, white, false)
	n.learn(n.w, 2, 3, 0.2, false)
	if !slices.Equal(before, n.w[0]) {
		t.Error("hidden weights change without an error")
	}
}

// Stopped at the first output spike a sample has the same answer, time and ties, no spike
// behind them, and fewer operations.
func TestEarlyExit(t *testing.T) {
	src := rand.New(rand.NewPCG(15, 16))
	fewer, silent, ties := 0, 0, 0
	for i := range 300 {
		n := randomNet(src, 35, 47, i%2 == 0, 40, 30, 20, 5)
		x := randomTimes(src, 40, 47)
		mustRun(t, n, x, false)
		var whole, early tally
		whole.count(n, i%5, -1)
		winner, first, times := n.winner(), n.first(), slices.Clone(n.output().times)
		scores := make([]tensor.Float, 5)
		n.score(scores)
		mustRun(t, n, x, true)
		early.count(n, i%5, -1)
		if n.winner() != winner || n.first() != first || whole.right != early.right || whole.withTies != early.withTies || whole.unique != early.unique || whole.ties != early.ties || whole.silent != early.silent {
			t.Fatalf("early %+v, whole %+v", early, whole)
		}
		if (task.Output{Shape: tensor.Shape{5}, Scores: scores}).Answer(0) != winner {
			t.Fatalf("scores %v of winner %d", scores, winner)
		}
		for j, at := range n.output().times {
			want := times[j]
			if want > first {
				want = 47
			}
			if at != want {
				t.Fatalf("early times %v, whole %v", n.output().times, times)
			}
		}
		for l, p := range n.layer {
			checkSpikes(t, p, 47)
			if len(p.out.time) > 0 && p.out.time[len(p.out.time)-1] > first {
				t.Fatalf("layer %d has spikes at %v, the decision is at %d", l+1, p.out.time, first)
			}
		}
		if whole.decision != int(first) || early.decision != int(first) {
			t.Fatalf("decisions at %d and %d, want %d", whole.decision, early.decision, first)
		}
		if early.operation > whole.operation || early.hidden > whole.hidden {
			t.Fatalf("early %+v, whole %+v", early, whole)
		}
		fewer += is(early.operation < whole.operation)
		silent += early.silent
		ties += early.ties
	}
	if fewer < 100 || silent < 5 || ties < 5 {
		t.Errorf("%d of 300 were shorter, %d silent, %d with ties: the test shows little", fewer, silent, ties)
	}
}

// Of silent outputs the one of the largest potential at T − 3 is the answer, of equal ones
// the first; later spikes do not count.
func TestSilentOutputs(t *testing.T) {
	n := netOf(100, 50, [][]tensor.Float{{10, 20, 20}, {50, 0, 0}})
	x := []tensor.Float{valueOf(47, 50), valueOf(48, 50)}
	for _, early := range []bool{false, true} {
		mustRun(t, n, x, early)
		scores := make([]tensor.Float, 3)
		n.score(scores)
		if n.winner() != 1 || !slices.Equal(scores, []tensor.Float{-52, -50, -50}) {
			t.Errorf("early %v: answer %d, scores %v", early, n.winner(), scores)
		}
	}
}

// setting is one of values in two classes.
func setting(values, classes, steps int) train.Setting {
	f := sample.Field{Name: sample.Label, Kind: sample.Class}
	for i := range classes {
		f.Classes = append(f.Classes, string(rune('a'+i)))
	}
	return train.Setting{
		Spec:  sample.Spec{Shape: tensor.Shape{values}, Targets: []sample.Field{f}},
		Steps: steps, Samples: 60, Batch: 10, Epochs: 4, Seed: 1, Tasks: []task.Binding{{Task: task.Classify{}}},
	}
}

// early has half of its eight inputs early, which half says the class.
func early(s train.Setting, n, epoch int, seed uint64) *sample.Batch {
	src := rand.New(rand.NewPCG(seed, 1))
	b := &sample.Batch{}
	b.Reset(&s.Spec, epoch)
	for i := range n {
		class := i % 2
		x := make([]tensor.Float, 8)
		for k := range x {
			at := src.IntN(21)
			if (k < 4) != (class == 0) {
				at = 100 + src.IntN(21)
			}
			x[k] = valueOf(at, s.Steps)
		}
		if err := b.Append(i, &sample.Sample{X: x, Targets: []sample.Target{{Class: class}}}); err != nil {
			panic(err)
		}
	}
	return b
}

// rule is one for setting(8, 2, 256).
func rule(changes ...func(r *Rule)) Rule {
	r := NewRule()
	r.Hidden, r.Threshold, r.Weights = []int{4}, 10, []float64{5, 5}
	for _, c := range changes {
		c(&r)
	}
	return r
}

// The synthetic task of the method: two classes by which inputs come early.
func TestEarlyAndLate(t *testing.T) {
	s := setting(8, 2, 256)
	for _, average := range []bool{false, true} {
		l, err := rule(func(r *Rule) {
			if r.Average = average; average {
				r.LR = 1 // a step is the mean of ten
			}
		}).New(s)
		if err != nil {
			t.Fatal(err)
		}
		for epoch := range 40 {
			for i := range 6 {
				if _, err := l.Step(t.Context(), early(s, 10, epoch, uint64(i))); err != nil {
					t.Fatal(err)
				}
			}
		}
		p, err := l.Predict(t.Context(), early(s, 100, 0, 99))
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := p.Metrics.Mean("accuracy"); a != 100 {
			t.Errorf("average %v: accuracy %v %%, want 100", average, a)
		}
	}
}

// The rule passes the checks of learning rules, in each of its forms.
func TestLearnerConformance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for name, change := range map[string]func(r *Rule){
		"published": func(r *Rule) { r.UpdatedWeights = true },
		"whole":     func(r *Rule) { r.EarlyExit = false },
		"deep":      func(r *Rule) { r.Hidden, r.Weights = []int{9, 70}, []float64{5, 5, 5} },
		"average":   func(r *Rule) { r.Average, r.Decay = true, 0.5 },
		"schedule":  func(r *Rule) { r.Schedule = optim.Cosine{} },
		"dead":      func(r *Rule) { r.Dead = 0.99 },
	} {
		t.Run(name, func(t *testing.T) {
			s := setting(8, 2, 256)
			s.Pool = pool
			var batches []*sample.Batch
			for i := range 4 {
				batches = append(batches, early(s, 10, i/2, uint64(i)))
			}
			snntest.Learner(t, rule(change), s, batches...)
		})
	}
}

// One sample after another learns the same whatever the batches.
func TestBatchesChangeNothing(t *testing.T) {
	s := setting(8, 2, 256)
	b := early(s, 12, 0, 1)
	var states []map[string]train.Array
	for _, parts := range [][]int{{12}, {1, 4, 7}} {
		l, err := rule().New(s)
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, n := range parts {
			if _, err := l.Step(t.Context(), b.Slice(at, at+n)); err != nil {
				t.Fatal(err)
			}
			at += n
		}
		states = append(states, l.Model())
	}
	for name, a := range states[0] {
		if !slices.Equal(a.Data, states[1][name].Data) {
			t.Errorf("array %s depends on the batches", name)
		}
	}
}

// An averaged update is the mean of those that each sample would make by itself.
func TestAverage(t *testing.T) {
	s := setting(8, 2, 256)
	b := early(s, 10, 0, 1)
	first, err := rule().New(s)
	if err != nil {
		t.Fatal(err)
	}
	start := slices.Clone(first.weights.w[0])
	want := make([]float64, len(start))
	for i := range 10 {
		l, err := rule().New(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Step(t.Context(), b.Slice(i, i+1)); err != nil {
			t.Fatal(err)
		}
		for k, v := range l.weights.w[0] {
			want[k] += float64(v) * l.weights.scale / 10
		}
	}
	l, err := rule(func(r *Rule) { r.Average = true }).New(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Step(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	changed := false
	for k, v := range l.weights.w[0] {
		changed = changed || v != start[k]
		if have := float64(v) * l.weights.scale; math.Abs(have-want[k]) > 1e-5 {
			t.Errorf("weight %d is %v, want %v", k, have, want[k])
		}
	}
	if !changed {
		t.Error("nothing was learned")
	}
}

// Neurons that fired for too few samples get new weights between epochs, not within one,
// and others keep theirs.
func TestDeadNeurons(t *testing.T) {
	s := setting(8, 2, 256)
	l, err := rule(func(r *Rule) { r.Dead = 0.5 }).New(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		l.weights.w[0][i*4+2] = -1 // neuron 2 never fires
	}
	column := func(j int) (w []tensor.Float) {
		for i := range 8 {
			w = append(w, l.weights.w[0][i*4+j])
		}
		return w
	}
	for i := range 3 {
		if _, err := l.Step(t.Context(), early(s, 10, 0, uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Max(column(2)) > 0 || l.active[2] != 0 || l.seen != 30 {
		t.Fatalf("within the epoch neuron 2 has weights %v and fired %d times in %d", column(2), l.active[2], l.seen)
	}
	alive := column(0)
	l.begin(1)
	if w := column(2); slices.Min(w) < 0 || slices.Max(w) > 5 || slices.Max(w) == 0 {
		t.Errorf("after the epoch neuron 2 has weights %v", w)
	}
	if !slices.Equal(alive, column(0)) || l.seen != 0 || slices.Max(l.active) != 0 {
		t.Error("neuron 0 was drawn anew, or the counts go on")
	}
}

// Configurations and data that cannot be are errors that say what would do.
func TestRefusals(t *testing.T) {
	for want, change := range map[string]func(r *Rule){
		"hidden is empty":               func(r *Rule) { r.Hidden = nil },
		"hidden [0]":                    func(r *Rule) { r.Hidden = []int{0} },
		"threshold is 0":                func(r *Rule) { r.Threshold = 0 },
		"weights [5]":                   func(r *Rule) { r.Weights = []float64{5} },
		"weights [5 -1]":                func(r *Rule) { r.Weights = []float64{5, -1} },
		"gap is 0":                      func(r *Rule) { r.Gap = 0 },
		"lr is NaN":                     func(r *Rule) { r.LR = math.NaN() },
		"decay is 5":                    func(r *Rule) { r.Decay = 5 },
		"dead is 1":                     func(r *Rule) { r.Dead = 1 },
		"no schedule":                   func(r *Rule) { r.Schedule = nil },
		"average adds the updates":      func(r *Rule) { r.Average, r.UpdatedWeights = true, true },
		"gap is 256 of 256 steps":       func(r *Rule) { r.Gap = 256 },
		"threshold is +Inf":             func(r *Rule) { r.Threshold = math.Inf(1) },
		"fewer than 2³¹ weights":        func(r *Rule) { r.Hidden, r.Weights = []int{1 << 20, 1 << 20}, nil },
		"want from 1 to 16777216":       func(r *Rule) { r.Hidden = []int{1 << 25} },
		"greatest initial weight for e": func(r *Rule) { r.Weights = []float64{1, 2, 3} },
	} {
		if _, err := rule(change).Learner(setting(8, 2, 256)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(s *train.Setting){
		"steps is 1":          func(s *train.Setting) { s.Steps = 1 },
		"steps is 0":          func(s *train.Setting) { s.Steps = 0 },
		"events":              func(s *train.Setting) { s.Spec.Events = true },
		"values without time": func(s *train.Setting) { s.Spec.Steps = 4 },
		"choose data with":    func(s *train.Setting) { s.Spec.Targets[0].Kind = sample.Values },
		"top 2 of 2":          func(s *train.Setting) { s.Tasks[0].Task = task.Classify{Top: []int{2}} },
	} {
		s := setting(8, 2, 256)
		change(&s)
		if _, err := rule().Learner(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := rule().Plan(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("plan: %v, want %q", err, want)
		}
	}
	s := setting(8, 2, 256)
	l, err := rule().New(s)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"s4nn.step": 2, "s4nn.active": 1} {
		state := l.State()
		state[name] = safetensors.U64(make([]uint64, n), n)
		if err := l.SetState(state); err == nil || !strings.Contains(err.Error(), "does not count the steps") {
			t.Errorf("%s of %d numbers: %v", name, n, err)
		}
	}
	b := early(s, 4, 0, 1)
	b.X[9] = 1.5
	if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), "sample 1: value 1 is 1.5") {
		t.Errorf("%v", err)
	}
	if _, err := l.Predict(t.Context(), b); err == nil || !strings.Contains(err.Error(), "sample 1: value 1 is 1.5") {
		t.Errorf("%v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Step(stopped, early(s, 4, 0, 1)); err == nil {
		t.Error("a stopped step is no error")
	}
	if _, err := l.Predict(stopped, early(s, 4, 0, 1)); err == nil {
		t.Error("a stopped prediction is no error")
	}
}

// One class alone is always right and has no error.
func TestOneClass(t *testing.T) {
	s := setting(8, 1, 256)
	l, err := rule().New(s)
	if err != nil {
		t.Fatal(err)
	}
	b := early(s, 4, 0, 1)
	clear(b.Targets[0].Class)
	before := slices.Clone(l.weights.w[0])
	m, err := l.Step(t.Context(), b)
	if a, _ := m.Mean("accuracy"); err != nil || a != 100 || !slices.Equal(before, l.weights.w[0]) {
		t.Errorf("%+v, %v", m, err)
	}
}

// Layers that cannot fire as they are drawn give a warning.
func TestWarnings(t *testing.T) {
	l, err := rule(func(r *Rule) { r.Threshold = 100 }).New(setting(8, 2, 256))
	if err != nil {
		t.Fatal(err)
	}
	if w := l.Warnings(); len(w) != 2 || !strings.Contains(w[0], "8 inputs of layer 1") {
		t.Errorf("%q", w)
	}
	if l, err = rule(func(r *Rule) { r.Threshold = 8 }).New(setting(8, 2, 256)); err != nil || len(l.Warnings()) != 0 {
		t.Errorf("%q, %v", l.Warnings(), err)
	}
}

// A plan counts the weights, and knows what averaging takes.
func TestPlan(t *testing.T) {
	s := setting(8, 2, 256)
	p, err := rule().Plan(s)
	if err != nil || p.Parameters != 8*4+4*2 || len(p.Layers) != 2 || p.Layers[1].Name != "layer2" {
		t.Errorf("%+v, %v", p, err)
	}
	q, err := rule(func(r *Rule) { r.Average = true }).Plan(s)
	if err != nil || q.Weights != 2*p.Weights || q.Train <= p.Train {
		t.Errorf("%+v, %v", q, err)
	}
}

// learnerOf is a learner of two classes, with two inputs.
func learnerOf(t *testing.T, batch int, hidden []int, change func(r *Rule)) (*Learner, *sample.Batch) {
	t.Helper()
	b := sample.Labelled([]int{0}, []tensor.Float{1, 0.5}, []int{0}, 2)
	r := NewRule()
	r.Hidden, r.Threshold = hidden, 1
	change(&r)
	l, err := r.New(train.Setting{Spec: *b.Spec, Steps: 20, Samples: 5, Epochs: 3, Batch: batch, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return l, b
}

// Weights decay by samples that have an error alone, of an averaged batch by their share; the
// schedule counts a smaller last batch.
func TestDecayIsOfErrors(t *testing.T) {
	l, b := learnerOf(t, 2, []int{1}, func(r *Rule) { r.LR, r.Decay = 0.5, 0.1 })
	copy(l.weights.w[0], []tensor.Float{2, 2})
	copy(l.weights.w[1], []tensor.Float{2, 0}) // the label fires, the other never
	if _, err := l.Step(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if l.weights.scale != 1 || l.weights.w[1][0] != 2 {
		t.Errorf("a sample without an error changes weights: scale %v, %v", l.weights.scale, l.weights.w)
	}
	l.update = newWeights(l.weights.sizes).w
	if l.apply(0.5, 0.5); math.Abs(l.weights.scale-0.975) > 1e-12 {
		t.Errorf("half of a batch has an error: scale %v, want 0.975", l.weights.scale)
	}
	if l.total != 9 {
		t.Errorf("%d steps in three epochs of five samples two by two, want 9", l.total)
	}
}

// A neuron is dead below the share, not at it; its new weights are drawn as at the start,
// whatever the scale has become.
func TestDeadBelowTheShare(t *testing.T) {
	l, _ := learnerOf(t, 1, []int{2}, func(r *Rule) { r.Dead = 0.5 })
	for i := range l.weights.w[0] {
		l.weights.w[0][i] = 100
	}
	l.weights.scale, l.seen = 0.75, 4
	copy(l.active, []uint64{2, 1})
	l.begin(1)
	w := l.weights.w[0]
	if w[0] != 100 || w[2] != 100 || w[1] == 100 || w[3] == 100 {
		t.Errorf("weights %v: the second neuron alone fired too seldom", w)
	}
	want := make([]tensor.Float, 2)
	draw(want, 5, rng.New(1, rng.Init).Str("weight1").Int(1).Int(1))
	for i, v := range want {
		if got := 0.75 * float64(w[2*i+1]); math.Abs(got-float64(v)) > 1e-5 {
			t.Errorf("new weight %d is %v, want %v", i, got, v)
		}
	}
}
