package stdpcnn

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/tensor"
)

// A difference of Gaussians sums to 0, is symmetric, and has its largest value, 1, in the middle.
func TestFilters(t *testing.T) {
	for _, f := range filters() {
		sum := 0.0
		for i, v := range f.taps {
			sum += v
			if math.Abs(v-f.taps[len(f.taps)-1-i]) > 1e-12 {
				t.Error("not symmetric")
			}
		}
		if math.Abs(sum) > 1e-9 || math.Abs(slices.Max(f.taps)-1) > 1e-12 {
			t.Errorf("sum %v, largest %v", sum, slices.Max(f.taps))
		}
	}
	if on := filters()[2]; on.taps[24] != 1 {
		t.Errorf("the middle of an on-filter is %v", on.taps[24])
	}
	if off := filters()[3]; off.taps[24] >= 0 {
		t.Errorf("the middle of an off-filter is %v", off.taps[24])
	}
}

// A bright point: the filter's output is the filter, 50 of 255 and more of it; the brightest
// outputs come first, in bins of equal count. A black image is silent.
func TestCode(t *testing.T) {
	image := make([]tensor.Float, 21*21)
	image[10*21+10] = 1
	f := filters()[2]
	raw := f.apply(image, 21)
	if math.Abs(raw[10*21+10]-255) > 1e-9 || math.Abs(raw[10*21+11]-255*f.taps[25]) > 1e-9 && 255*f.taps[25] >= least {
		t.Errorf("%v in the middle", raw[10*21+10])
	}
	for i := range image {
		image[i] = tensor.Float(rng.New(1, "x").Int(uint64(i)).Source().Float64())
	}
	v := code(image, 21, filters())
	count := [bins]int{}
	for _, at := range v.when {
		if at != never {
			count[at]++
		}
	}
	for _, n := range count {
		if n == 0 || n != count[0] {
			t.Fatalf("bins of %v", count)
		}
	}
	for _, at := range code(make([]tensor.Float, 21*21), 21, filters()).when {
		if at != never {
			t.Fatal("a black image fires")
		}
	}
	// The mean of a window of one value v at a distance is v/289.
	alone := make([]float64, 21*21)
	alone[3] = 7
	if got := normalised(alone, 21)[3]; math.Abs(got-289) > 1e-9 {
		t.Errorf("a value alone becomes %v, want 289", got)
	}
}

// Two inputs and two maps, by hand: potentials, times, and who wins and learns what.
func TestLayer(t *testing.T) {
	l := newLayer(1, 2, 1, 0.9, 5, 0, rng.New(1, "x").Source())
	l.weight = []tensor.Float{0.95, 0.5}
	in := wave{1, 3, 1, []int8{4, 2, never}}
	var p pass
	l.run(in, &p)
	if want := []int8{4, never, 2, never, never, never}; !slices.Equal(p.out.when, want) {
		t.Errorf("fires at %v, want %v", p.out.when, want)
	}
	if won := l.compete(&p); len(won) != 1 || won[0].x != 1 || won[0].when != 2 {
		t.Errorf("winners %+v", won)
	}
	l.learn(in, &p)
	if want := 0.95 + 0.004*0.95*0.05; math.Abs(float64(l.weight[0])-want) > 1e-6 || l.weight[1] != 0.5 {
		t.Errorf("weights %v, want %v and 0.5", l.weight, want)
	}
	// The card's numbers: 0.8 grows to 0.80064 and shrinks to 0.79952.
	l = newLayer(1, 1, 3, 0.1, 1, 0, rng.New(1, "x").Source())
	for i := range l.weight {
		l.weight[i] = 0.8
	}
	l.learn(wave{1, 1, 1, []int8{0}}, &p)
	for i, w := range l.weight {
		want := 0.79952
		if i == 4 {
			want = 0.80064
		}
		if math.Abs(float64(w)-want) > 1e-6 {
			t.Errorf("tap %d: %v, want %v", i, w, want)
		}
	}
}

// The rate doubles every 500 samples: 0.128 after five doublings, 0.15 from the sixth on.
func TestRate(t *testing.T) {
	l := newLayer(1, 1, 1, 100, 1, 0, rng.New(1, "x").Source())
	var p pass
	for n := 1; n <= 3000; n++ {
		l.learn(wave{1, 1, 1, []int8{never}}, &p)
		if n == 2500 && math.Abs(float64(l.plus)-0.128) > 1e-6 || n == 3000 && math.Abs(float64(l.plus)-0.15) > 1e-6 {
			t.Errorf("after %d samples: %v", n, l.plus)
		}
	}
}

// A winner keeps its map and all maps about it from winning.
func TestCompete(t *testing.T) {
	l := newLayer(1, 2, 1, 0.1, 3, 1, rng.New(1, "x").Source())
	p := pass{out: wave{1, 6, 2, []int8{3, 9, 9, 2, never, never, 5, never, never, 4, 9, 8}}, level: make([]tensor.Float, 12)}
	var got [][2]int
	for _, w := range l.compete(&p) {
		got = append(got, [2]int{w.x, w.m})
	}
	// Position 1 map 1 at 2; it takes out positions 0 to 2 and map 1; then 3 map 0 at 5.
	if want := [][2]int{{1, 1}, {3, 0}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPool(t *testing.T) {
	got := wave{3, 2, 1, []int8{5, never, 3, 9, 1, 1}}.pool(2)
	if got.height != 1 || got.width != 1 || got.when[0] != 3 {
		t.Errorf("%+v", got)
	}
}

// A readout learns what is linear; McNemar's p of 8 against 1 is 2·(9 + 1)/2⁹.
func TestReadout(t *testing.T) {
	var list []example
	src := rng.New(1, "x").Source()
	for range 300 {
		c := src.IntN(3)
		list = append(list, example{[]int32{int32(c), 3 + int32(src.IntN(4))}, c})
	}
	l, err := fit(t.Context(), list, 7, 3, src)
	if err != nil || percent(l.right(list)) != 100 {
		t.Errorf("%v, %v %%", err, percent(l.right(list)))
	}
	first, second := slices.Repeat([]bool{true}, 20), slices.Repeat([]bool{true}, 20)
	for i := range 8 {
		second[i] = false
	}
	first[10] = false
	if p := mcNemar(first, second); math.Abs(p-20.0/512) > 1e-9 {
		t.Errorf("p %v, want %v", p, 20.0/512)
	}
	if p := mcNemar(first, first); p != 1 {
		t.Errorf("the same: p %v", p)
	}
}

// Two classes that fire at different inputs are told apart by reward; weights stay in bounds.
func TestDecision(t *testing.T) {
	src := rng.New(1, "x").Source()
	var list []wave
	var class []int
	for range 200 {
		v, c := newWave(2, 2, 8), src.IntN(2)
		for i := range v.when {
			if p := src.Float64(); i%8/4 == c && p < 0.8 || p < 0.1 {
				v.when[i] = int8(src.IntN(bins))
			}
		}
		list, class = append(list, v), append(class, c)
	}
	d := newDecision(8, 3, 2, true, src)
	var p pass
	for range 20 {
		if err := d.epoch(t.Context(), list, class, &p, src); err != nil {
			t.Fatal(err)
		}
	}
	if a := d.accuracy(list, class, &p); a < 90 {
		t.Errorf("%v %% are right", a)
	}
	if slices.Min(d.weight) < lowest || slices.Max(d.weight) > highest {
		t.Errorf("weights from %v to %v", slices.Min(d.weight), slices.Max(d.weight))
	}
	if _, said := d.decide(newWave(2, 2, 8), &p); said != -1 {
		t.Errorf("silence is decided as %d", said)
	}
}

// Taps in another order are the same taps of each map.
func TestShuffled(t *testing.T) {
	l := newLayer(3, 2, 3, 1, 1, 1, rng.New(1, "x").Source())
	s := l.shuffled(rng.New(2, "x").Source())
	for m := range 2 {
		var a, b []tensor.Float
		for k := m; k < len(l.weight); k += 2 {
			a, b = append(a, l.weight[k]), append(b, s.weight[k])
		}
		if slices.Equal(a, b) {
			t.Error("the order is the same")
		}
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Error("the taps are others")
		}
	}
}
