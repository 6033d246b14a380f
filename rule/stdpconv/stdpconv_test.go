package stdpconv

import (
	"math"
	"slices"
	"testing"

	"synfire/internal/rng"
	"synfire/tensor"
)

// published is the front end of Mozafari et al.
func published() *Front { return NewFront([]int{3, 7, 13}, 50, 17, 15) }

// A difference of Gaussians sums to 0, is symmetric, and has its largest value, 1, in the middle.
func TestFilters(t *testing.T) {
	list := published().filters
	for _, f := range list {
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
	if list[2].taps[24] != 1 {
		t.Errorf("the middle of an on-filter is %v", list[2].taps[24])
	}
	if list[3].taps[24] >= 0 {
		t.Errorf("the middle of an off-filter is %v", list[3].taps[24])
	}
	if want := difference(13, 13./9, 26./9); !slices.Equal(list[4].taps, want.taps) {
		t.Error("widths are not a ninth and two ninths of the size")
	}
}

// A bright point: the filter's output is the filter, 50 of 255 and more of it; the brightest
// outputs come first, in bins of equal count. A black image is silent.
func TestCode(t *testing.T) {
	image := make([]tensor.Float, 21*21)
	image[10*21+10] = 1
	front := published()
	f := front.filters[2]
	raw := f.apply(image, 21, 21, 50)
	if math.Abs(raw[10*21+10]-255) > 1e-9 || math.Abs(raw[10*21+11]-255*f.taps[25]) > 1e-9 && 255*f.taps[25] >= 50 {
		t.Errorf("%v in the middle", raw[10*21+10])
	}
	for i := range image {
		image[i] = tensor.Float(rng.New(1, "x").Int(uint64(i)).Source().Float64())
	}
	v := front.Code(image, 21, 21, 1)
	count := [15]int{}
	for _, at := range v.When {
		if at != Never {
			count[at]++
		}
	}
	for _, n := range count {
		if n == 0 || n != count[0] {
			t.Fatalf("bins of %v", count)
		}
	}
	if front.Code(make([]tensor.Float, 21*21), 21, 21, 1).spikes() > 0 {
		t.Fatal("a black image fires")
	}
	// The mean of a window of one value v at a distance is v/289.
	alone := make([]float64, 21*21)
	alone[3] = 7
	if got := front.normalised(alone, 21, 21)[3]; math.Abs(got-289) > 1e-9 {
		t.Errorf("a value alone becomes %v, want 289", got)
	}
}

// An image that is not square, by loops over all taps and all of the window, with two channels whose
// filters stand side by side.
func TestCodeByLoops(t *testing.T) {
	const h, w, channels, steps = 6, 9, 2, 4
	src := rng.New(2, "x").Source()
	image := make([]tensor.Float, h*w*channels)
	for i := range image {
		image[i] = tensor.Float(src.Float64())
	}
	f := NewFront([]int{3}, 20, 5, steps)
	type unit struct {
		at    int
		value float64
	}
	var units []unit
	for c := range channels {
		for k, g := range f.filters {
			var raw [h][w]float64
			for y := range h {
				for x := range w {
					for dy := -1; dy <= 1; dy++ {
						for dx := -1; dx <= 1; dx++ {
							if y+dy >= 0 && y+dy < h && x+dx >= 0 && x+dx < w {
								raw[y][x] += 255 * float64(image[((y+dy)*w+x+dx)*channels+c]) * g.taps[(dy+1)*3+dx+1]
							}
						}
					}
					if raw[y][x] < 20 {
						raw[y][x] = 0
					}
				}
			}
			for y := range h {
				for x := range w {
					mean := 0.0
					for dy := -2; dy <= 2; dy++ {
						for dx := -2; dx <= 2; dx++ {
							if y+dy >= 0 && y+dy < h && x+dx >= 0 && x+dx < w {
								mean += raw[y+dy][x+dx] / 25
							}
						}
					}
					if raw[y][x] > 0 {
						units = append(units, unit{((y*w+x)*channels+c)*2 + k, raw[y][x] / mean})
					}
				}
			}
		}
	}
	slices.SortFunc(units, func(a, b unit) int {
		if a.value > b.value {
			return -1
		}
		return 1
	})
	want := slices.Repeat([]int8{Never}, h*w*channels*2)
	for i := range len(units) / steps * steps {
		want[units[i].at] = int8(i / (len(units) / steps))
	}
	if got := f.Code(image, h, w, channels); !slices.Equal(got.When, want) || got.Channels != 4 {
		t.Errorf("spikes at %v, want %v", got.When, want)
	}
}

// Two inputs and two maps, by hand: potentials, times, and who wins and learns what.
func TestLayer(t *testing.T) {
	l := NewLayer(1, Stage{Maps: 2, Kernel: 1, Threshold: 0.9, Winners: 5}, Published(), rng.New(1, "x").Source())
	l.Weight = []tensor.Float{0.95, 0.5}
	in := Wave{1, 3, 1, []int8{4, 2, Never}}
	var p Pass
	l.Run(in, &p)
	if want := []int8{4, Never, 2, Never, Never, Never}; !slices.Equal(p.Out.When, want) {
		t.Errorf("fires at %v, want %v", p.Out.When, want)
	}
	l.Threshold = 0.95
	if l.Run(in, &p); p.Out.spikes() > 0 {
		t.Error("a potential at the threshold fires")
	}
	l.Threshold = 0.9
	l.Run(in, &p)
	if won := l.compete(&p); len(won) != 1 || won[0].X != 1 || won[0].When != 2 {
		t.Errorf("winners %+v", won)
	}
	if n := l.Learn(in, &p); n != 1 {
		t.Errorf("%d have learned", n)
	}
	if want := 0.95 + 0.004*0.95*0.05; math.Abs(float64(l.Weight[0])-want) > 1e-6 || l.Weight[1] != 0.5 {
		t.Errorf("weights %v, want %v and 0.5", l.Weight, want)
	}
	// At a rate of 0.004, 0.8 grows to 0.80064 and shrinks to 0.79952.
	l = NewLayer(1, Stage{Maps: 1, Kernel: 3, Threshold: 0.1, Winners: 1}, Published(), rng.New(1, "x").Source())
	for i := range l.Weight {
		l.Weight[i] = 0.8
	}
	l.Learn(Wave{1, 1, 1, []int8{0}}, &p)
	for i, w := range l.Weight {
		want := 0.79952
		if i == 4 {
			want = 0.80064
		}
		if math.Abs(float64(w)-want) > 1e-6 {
			t.Errorf("tap %d: %v, want %v", i, w, want)
		}
	}
}

// A stage on waves of chance, by loops over places, maps and taps: potentials, first spikes,
// winners and the change of weights, bit for bit.
func TestLayerByLoops(t *testing.T) {
	const h, w, in, maps, side, steps = 5, 4, 3, 4, 3, 6
	src := rng.New(7, "wave").Source()
	l := NewLayer(in, Stage{Maps: maps, Kernel: side, Threshold: 5.5, Winners: 3, Reach: 1}, Published(), src)
	learned := 0
	for range 20 {
		v := NewWave(h, w, in)
		for i := range v.When {
			if src.Float64() < 0.6 {
				v.When[i] = int8(src.IntN(steps))
			}
		}
		at := func(y, x, c int) int8 {
			if y < 0 || y >= h || x < 0 || x >= w {
				return Never
			}
			return v.When[(y*w+x)*in+c]
		}
		var u, level [h][w][maps]tensor.Float
		var when [h][w][maps]int8
		for y := range h {
			for x := range w {
				for m := range maps {
					when[y][x][m] = Never
					for step := range int8(steps) {
						for ky := range side {
							for kx := range side {
								for c := range in {
									if at(y+ky-1, x+kx-1, c) == step {
										u[y][x][m] += l.Weight[((ky*side+kx)*in+c)*maps+m]
									}
								}
							}
						}
						if u[y][x][m] > 5.5 && when[y][x][m] == Never {
							when[y][x][m], level[y][x][m] = step, u[y][x][m]
						}
					}
				}
			}
		}
		want := slices.Clone(l.Weight)
		var barred [h][w][maps]bool // who may win no more
		for y := range h {          // of each place the first map alone may
			for x := range w {
				for m := range maps {
					for o := range maps {
						if when[y][x][o] < when[y][x][m] || when[y][x][o] == when[y][x][m] && level[y][x][o] > level[y][x][m] {
							barred[y][x][m] = true
						}
					}
				}
			}
		}
		won := 0
		for range 3 {
			best, by, bx, bm := Never, 0, 0, 0
			for y := range h {
				for x := range w {
					for m := range maps {
						if s := when[y][x][m]; !barred[y][x][m] && (s < best || s == best && best != Never && level[y][x][m] > level[by][bx][bm]) {
							best, by, bx, bm = s, y, x, m
						}
					}
				}
			}
			if best == Never {
				break
			}
			won++
			for y := range h {
				for x := range w {
					for m := range maps {
						if m == bm || y >= by-1 && y <= by+1 && x >= bx-1 && x <= bx+1 {
							barred[y][x][m] = true
						}
					}
				}
			}
			for ky := range side {
				for kx := range side {
					for c := range in {
						k := ((ky*side+kx)*in+c)*maps + bm
						a := l.plus
						if at(by+ky-1, bx+kx-1, c) > best {
							a = -0.75 * l.plus
						}
						want[k] = l.Weight[k] + a*l.Weight[k]*(1-l.Weight[k])
					}
				}
			}
		}
		var p Pass
		l.Run(v, &p)
		for i, s := range p.Out.When {
			y, x, m := i/maps/w, i/maps%w, i%maps
			if p.Potential[i] != u[y][x][m] || s != when[y][x][m] {
				t.Fatalf("neuron %d,%d of map %d: potential %v at the end, fires at %d; want %v, %d", y, x, m, p.Potential[i], s, u[y][x][m], when[y][x][m])
			}
		}
		if n := l.Learn(v, &p); n != won || !slices.Equal(l.Weight, want) {
			t.Fatalf("%d winners, want %d; weights as wanted: %v", n, won, slices.Equal(l.Weight, want))
		}
		learned += won
	}
	if learned < 40 {
		t.Errorf("only %d neurons have learned: the test shows little", learned)
	}
}

// The rate doubles every 500 samples: 0.128 after five doublings, 0.15 from the sixth on. A layer
// that is taken up after so many samples has the same.
func TestRate(t *testing.T) {
	l := NewLayer(1, Stage{Maps: 1, Kernel: 1, Threshold: 100, Winners: 1}, Published(), rng.New(1, "x").Source())
	var p Pass
	for n := 1; n <= 3000; n++ {
		l.Learn(Wave{1, 1, 1, []int8{Never}}, &p)
		if n == 2500 && math.Abs(float64(l.plus)-0.128) > 1e-6 || n == 3000 && math.Abs(float64(l.plus)-0.15) > 1e-6 {
			t.Errorf("after %d samples: %v", n, l.plus)
		}
		if got := tensor.Float(Published().rate(n)); got != l.plus {
			t.Fatalf("after %d samples the rate is %v, and worked out %v", n, l.plus, got)
		}
	}
}

// A winner keeps its map and all maps about it from winning.
func TestCompete(t *testing.T) {
	l := NewLayer(1, Stage{Maps: 2, Kernel: 1, Threshold: 0.1, Winners: 3, Reach: 1}, Published(), rng.New(1, "x").Source())
	p := Pass{Out: Wave{1, 6, 2, []int8{3, 9, 9, 2, Never, Never, 5, Never, Never, 4, 9, 8}}, level: make([]tensor.Float, 12)}
	var got [][2]int
	for _, w := range l.compete(&p) {
		got = append(got, [2]int{w.X, w.Map})
	}
	// Place 1 map 1 at 2; it takes out places 0 to 2 and map 1; then 3 map 0 at 5.
	if want := [][2]int{{1, 1}, {3, 0}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPool(t *testing.T) {
	got := Wave{3, 2, 1, []int8{5, Never, 3, 9, 1, 1}}.Pool(2)
	if got.Height != 1 || got.Width != 1 || got.When[0] != 3 {
		t.Errorf("%+v", got)
	}
}

// Units that fire, and maps that fire anywhere.
func TestActive(t *testing.T) {
	v := Wave{2, 1, 3, []int8{Never, 4, Never, 0, 2, Never}}
	if got := v.Active(false); !slices.Equal(got, []int32{1, 3, 4}) {
		t.Errorf("units %v", got)
	}
	if got := v.Active(true); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("maps %v", got)
	}
}

// A readout learns what is linear; of one example, in one pass from weights of 0, it learns lr·(1 − ½)
// for the class and −lr·½ for the other.
func TestReadout(t *testing.T) {
	one, err := Readout{Passes: 1, LR: 0.02}.Fit(t.Context(), []Example{{[]int32{1}, 0}}, 2, 2, rng.New(1, "x").Source())
	if err != nil || !slices.Equal(one.bias, []float64{0.01, -0.01}) || !slices.Equal(one.weight, []float64{0, 0, 0.01, -0.01}) {
		t.Errorf("%v: bias %v, weights %v", err, one.bias, one.weight)
	}
	var list []Example
	src := rng.New(1, "x").Source()
	for range 300 {
		c := src.IntN(3)
		list = append(list, Example{[]int32{int32(c), 3 + int32(src.IntN(4))}, c})
	}
	l, err := NewReadout().Fit(t.Context(), list, 7, 3, src)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if l.Say(x.Active) != x.Class {
			t.Fatalf("%v is said to be %d", x, l.Say(x.Active))
		}
	}
}
