package spikeprop

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/snntest"
)

// drawn is a layer with inputs' trains for which its neurons fire several times.
func drawn(seed uint64, in, out, terminals int, threshold float64) (*Trains, [][]float64) {
	src := rng.New(seed, "trains").Source()
	l := NewTrains(NewLayer(in, out, terminals, 7, threshold))
	for k := range l.W {
		l.W[k] = 3 * (src.Float64() - 0.25)
	}
	trains := make([][]float64, in)
	for i := range trains {
		for t := 3 * src.Float64(); t < 25; t += 3 + 8*src.Float64() {
			trains[i] = append(trains[i], t)
		}
	}
	return l, trains
}

// Each spike is where the potential next reaches θ on a grid of 0.002 ms, θ having been taken off
// by hand at the spikes before; and there are no others.
func TestTrainsOnGrid(t *testing.T) {
	const dt = 0.002
	spikes := 0
	for seed := range uint64(4) {
		l, in := drawn(seed, 4, 1, 3, 6)
		got, next := l.Forward(in)[0], 0
		for step := 1; step < 25_000; step++ {
			at, x := float64(step)*dt, 0.0
			for i, train := range in {
				for _, f := range train {
					for k := range 3 {
						if s := at - f - float64(k+1); s > 0 {
							x += l.W[i*3+k] * s / 7 * math.Exp(1-s/7)
						}
					}
				}
			}
			for _, f := range got[:next] {
				x -= 6 * math.Exp((f-at)/7)
			}
			if x < 6 {
				continue
			}
			if next == len(got) || got[next] > at+1e-9 || got[next] < at-dt-1e-9 {
				t.Fatalf("seed %d: spike %d of %.4f, on a grid at %.4f", seed, next, got, at)
			}
			next++
		}
		if next != len(got) {
			t.Errorf("seed %d: %d spikes of %.4f are on a grid", seed, next, got)
		}
		spikes += next
	}
	if spikes < 20 {
		t.Errorf("%d spikes: the check shows little", spikes)
	}
}

// A neuron's first spike is that of one that fires once, and at each the potential is θ.
func TestFirstOfSeveral(t *testing.T) {
	l, in := drawn(3, 4, 3, 3, 6)
	trains := l.Forward(in)
	once := NewLayer(4, 3, 3, 7, 6)
	copy(once.W, l.W)
	ones := make([]float64, 4)
	for i := range in {
		in[i] = in[i][:1]
		ones[i] = in[i][0]
	}
	alone := once.Forward(ones)
	for j, train := range l.Forward(in) {
		if len(train) > 0 && train[0] != alone[j] || len(train) == 0 && alone[j] != silent {
			t.Errorf("neuron %d fires first at %v, one that fires once at %v", j, train, alone[j])
		}
	}
	l, in = drawn(3, 4, 3, 3, 6)
	for j, train := range l.Forward(in) {
		for _, at := range train {
			near(t, "the potential", l.Potential(j, at), 6, 1e-9)
		}
	}
	if len(trains) != 3 {
		t.Error("trains are missing")
	}
}

// The gradient of E = ½ Σ (t − T)² over all spikes of the outputs, through the spikes of two layers
// and what each takes off the potential behind it, is the difference of exact losses; so is that of
// the inputs' times.
func TestGradientOfSeveral(t *testing.T) {
	first, in := drawn(11, 4, 5, 3, 5)
	second, _ := drawn(12, 5, 2, 3, 6)
	loss := func() (e float64, counts []int) {
		for j, train := range second.Forward(first.Forward(in)) {
			counts = append(counts, len(train))
			for f, at := range train {
				e += math.Pow(at-5*float64(f)-float64(3*j), 2) / 2
			}
		}
		for _, train := range first.Spikes {
			counts = append(counts, len(train))
		}
		return e, counts
	}
	_, counts := loss()
	if slices.Max(counts[:2]) < 2 || slices.Max(counts[2:]) < 2 {
		t.Fatalf("spikes %v: the check shows nothing", counts)
	}
	errors := make([][]float64, 2)
	for j, train := range second.Spikes {
		for f, at := range train {
			errors[j] = append(errors[j], at-5*float64(f)-float64(3*j))
		}
	}
	middle, back := make([][]float64, 5), make([][]float64, 4)
	for i, train := range first.Spikes {
		middle[i] = make([]float64, len(train))
	}
	for i, train := range in {
		back[i] = make([]float64, len(train))
	}
	second.Backward(errors, middle)
	first.Backward(middle, back)
	for _, l := range []*Trains{first, second} {
		for _, slopes := range l.slopes {
			if slices.Contains(slopes, Slope) {
				t.Fatal("a slope is at its floor, where there is no gradient")
			}
		}
	}
	worst, checked, skipped := 0.0, 0, 0
	check := func(p *float64, exact float64) {
		const h = 1e-5
		value := *p
		*p = value + h
		up, a := loss()
		*p = value - h
		down, b := loss()
		*p = value
		if !slices.Equal(a, counts) || !slices.Equal(b, counts) {
			skipped++ // a spike appears or vanishes
			return
		}
		checked++
		worst = max(worst, math.Abs((up-down)/(2*h)-exact)/max(1, math.Abs(exact)))
	}
	grads := make([][]float64, 2)
	for l, layer := range []*Trains{first, second} {
		grads[l] = make([]float64, len(layer.W))
		layer.Gradient(func(k int, g float64) { grads[l][k] += g })
	}
	for l, layer := range []*Trains{first, second} {
		for k := range layer.W {
			check(&layer.W[k], grads[l][k])
		}
	}
	for i, train := range in {
		for f := range train {
			check(&train[f], back[i][f])
		}
	}
	if worst > 1e-6 || checked < 90 || skipped > 5 {
		t.Errorf("the largest difference is %v, of %d parameters, %d left out", worst, checked, skipped)
	}
}

// A neuron learns the train of another one, from weights of its own.
func TestFollow(t *testing.T) {
	teacher, in := drawn(5, 6, 1, 4, 20)
	wanted := [][]float64{slices.Clone(teacher.Forward(in)[0])}
	if len(wanted[0]) < 3 {
		t.Fatalf("spikes %v: the check shows nothing", wanted)
	}
	l, _ := drawn(8, 6, 1, 4, 20)
	e, first := 0.0, slices.Clone(l.Forward(in)[0])
	for range 2000 {
		if e = l.Follow(in, wanted, 0.1, 0.01); e < 0.01 {
			break
		}
	}
	if t.Logf("from %.2f to %.2f, wanted %.2f", first, l.Forward(in)[0], wanted[0]); e >= 0.01 || slices.Equal(first, wanted[0]) {
		t.Errorf("E is %v, spikes %v", e, l.Forward(in)[0])
	}
}

// XOR is learned by neurons that fire several times.
func TestXOROfSeveral(t *testing.T) {
	n, net := xor(2003, func(r *Rule) { r.Update, r.LR, r.Several = Momentum, 0.3, true })
	if n > 250 {
		t.Errorf("XOR takes %d cycles", n)
	}
	spikes := 0
	for k := range 4 {
		net.Times(pattern(k))
		for _, train := range net.Trains()[0].Spikes {
			spikes += len(train)
		}
	}
	if spikes < 2*5*4 {
		t.Errorf("%d spikes of five neurons in four patterns", spikes)
	}
}

// Neurons that would fire without end are an error.
func TestRunaway(t *testing.T) {
	r := NewRule()
	r.Fields, r.Hidden, r.Several = 0, []int{2}, true
	n := r.NewNet(2, 2, 1)
	for k := range n.layers[0].W {
		n.layers[0].W[k] = 1e9
	}
	scores := make([]float64, 2)
	if _, err := n.Run(pattern(1), 0, scores); err == nil {
		t.Error("a neuron fires without end")
	}
	if _, err := n.Learn(pattern(1), 0, 1, scores); err == nil {
		t.Error("a neuron that fires without end learns")
	}
}

func TestLearnerOfSeveral(t *testing.T) {
	s, batches := setting()
	for _, u := range []Update{Plain, RProp} {
		r := NewRule()
		r.Fields, r.Hidden, r.Update, r.Several, r.Initial = 4, []int{4}, u, true, []float64{3, 10}
		snntest.Learner(t, r, s, batches...)
	}
}

// A neuron with one input fires once for a weak spike, and several times for a strong one.
func ExampleTrains() {
	for _, w := range []float64{1.1, 2} {
		l := NewTrains(NewLayer(1, 1, 1, 7, 1))
		l.W[0] = w
		fmt.Printf("%.2f\n", l.Forward([][]float64{{0}})[0])
	}
	// Output:
	// [5.37]
	// [2.62 4.86 8.76]
}
