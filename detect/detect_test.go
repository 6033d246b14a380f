package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/loss"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/task"
	"synfire/tensor"
)

func near(a, b, most float64) bool { return math.Abs(a-b) <= most }

func square(x, y, side float64) sample.Box {
	return sample.Box{X0: x, Y0: y, X1: x + side, Y1: y + side}
}

// Areas by hand: squares of side 2 one apart share 1×1 of 7; half of one lies in the other.
func TestIoU(t *testing.T) {
	a := square(0, 0, 2)
	for _, c := range []struct {
		b    sample.Box
		want float64
	}{
		{square(1, 1, 2), 1.0 / 7}, {a, 1}, {square(2, 0, 2), 0}, {sample.Box{X1: 2, Y1: 1}, 0.5}, {square(1, 1, 0), 0},
		{sample.Box{X0: 2, X1: 0, Y1: 2}, 0}, {square(5, 5, 1), 0},
	} {
		if got := sample.IoU(a, c.b); got != c.want || sample.IoU(c.b, a) != got {
			t.Errorf("%v: %v, want %v both ways", c.b, got, c.want)
		}
	}
	if got := sample.IoU(square(1, 1, 0), square(1, 1, 0)); got != 0 {
		t.Errorf("two empty boxes: %v", got)
	}
}

// Scale and shift of both leave the IoU of two boxes as it is.
func TestIoUOfMovedBoxes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a := sample.Box{X0: r.Float64(), Y0: r.Float64(), X1: 1 + r.Float64(), Y1: 1 + r.Float64()}
		b := sample.Box{X0: r.Float64(), Y0: r.Float64(), X1: 1 + r.Float64(), Y1: 1 + r.Float64()}
		move := func(b sample.Box) sample.Box {
			return sample.Box{X0: 8*b.X0 - 3, Y0: 8*b.Y0 + 5, X1: 8*b.X1 - 3, Y1: 8*b.Y1 + 5}
		}
		if u, v := sample.IoU(a, b), sample.IoU(move(a), move(b)); !near(u, v, 1e-12) || u < 0 || u > 1 {
			t.Fatalf("%v and %v: %v, moved %v", a, b, u, v)
		}
	}
}

func TestSuppress(t *testing.T) {
	of := func(class int, x, score float64) Detection {
		b := square(x, 0, 10)
		b.Class = class
		return Detection{b, score}
	}
	// IoU of squares that are 1, 2, 3 and 4 apart: 9/11, 8/12, 7/13 and 6/14.
	found := []Detection{of(0, 0, 0.5), of(0, 1, 0.9), of(1, 0, 0.4), of(0, 5, 0.6), of(0, 3, 0.7)}
	want := []Detection{of(0, 1, 0.9), of(0, 5, 0.6), of(1, 0, 0.4)}
	for range 20 {
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		before := slices.Clone(found)
		if got := Suppress(found, 0.45); !slices.Equal(got, want) || !slices.Equal(found, before) {
			t.Fatalf("got %v, want %v; given %v, before %v", got, want, found, before)
		}
	}
	// An overlap that is exactly the threshold is none: 1/2.
	half := []Detection{{sample.Box{X1: 2, Y1: 1}, 0.9}, {sample.Box{X1: 1, Y1: 1}, 0.8}}
	if got := Suppress(half, 0.5); len(got) != 2 {
		t.Errorf("an IoU of the threshold: %v", got)
	}
	// Of equal scores the one further left is kept, in any order.
	equal := []Detection{of(0, 1, 0.5), of(0, 0, 0.5)}
	if got := Suppress(equal, 0.45); len(got) != 1 || got[0].X0 != 0 {
		t.Errorf("equal scores: %v", got)
	}
	// Boxes hide those of their own class, whichever it is, and of no other.
	second := []Detection{of(1, 0, 0.9), of(0, 0, 0.8), of(1, 1, 0.7), of(2, 0, 0.6), of(0, 1, 0.5)}
	if got := Suppress(second, 0.45); !slices.Equal(got, []Detection{of(1, 0, 0.9), of(0, 0, 0.8), of(2, 0, 0.6)}) {
		t.Errorf("three classes at one place: %v", got)
	}
	if got := Suppress(nil, 0.45); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}

func TestToFile(t *testing.T) {
	f := sample.Frame{ScaleX: 640.0 / 208, ScaleY: 480.0 / 156, Y: -26 * 480.0 / 156, Width: 640, Height: 480}
	got := ToFile(sample.Box{Class: 2, X0: 32.5, Y0: 58.5, X1: 65, Y1: 91}, f) // 640×480 in 208×208, by the method's card
	for i, v := range []float64{got.X0, got.Y0, got.X1, got.Y1} {
		if !near(v, []float64{100, 100, 200, 200}[i], 1e-9) {
			t.Errorf("%+v", got)
		}
	}
	if got := ToFile(square(-5, 0, 500), f); got != (sample.Box{X1: 640, Y1: 480}) {
		t.Errorf("a box beyond the picture: %+v", got)
	}
	if got := ToFile(square(195, 60, 13), f); !near(got.X0, 600, 1e-9) || got.X1 != 640 {
		t.Errorf("a box at the right: %+v", got)
	}
	uneven := sample.Frame{ScaleX: 2, ScaleY: 3, X: -4, Y: -9, Width: 100, Height: 100}
	if got := ToFile(sample.Box{X0: 5, Y0: 7, X1: 11, Y1: 13}, uneven); got != (sample.Box{X0: 6, Y0: 12, X1: 18, Y1: 30}) {
		t.Errorf("another scale each way: %+v", got)
	}
	if b := square(-5, 0, 500); ToFile(b, sample.Frame{}) != b {
		t.Error("no frame moves a box")
	}
}

// Three groups of shapes have their means as anchors, from any seed and in any order; the
// distance knows no unit.
func TestAnchors(t *testing.T) {
	var shapes []Anchor
	for _, c := range []Anchor{{2, 2}, {10, 30}, {40, 10}} {
		for _, d := range []float64{-0.5, 0, 0.5} {
			shapes = append(shapes, Anchor{c[0] + d, c[1] - d})
		}
	}
	shapes = append(shapes, Anchor{0, 5})
	var sum float64
	for _, s := range shapes[:9] {
		_, iou := nearest([]Anchor{{2, 2}, {10, 30}, {40, 10}}, s.shape())
		sum += iou / 9
	}
	for seed := range uint64(5) {
		rand.Shuffle(len(shapes), func(i, j int) { shapes[i], shapes[j] = shapes[j], shapes[i] })
		got, mean, err := Anchors(shapes, 3, seed)
		if err != nil || !near(mean, sum, 1e-12) {
			t.Fatalf("%v, %v, want %v: %v", got, mean, sum, err)
		}
		for _, want := range []Anchor{{2, 2}, {10, 30}, {40, 10}} {
			if !slices.ContainsFunc(got, func(a Anchor) bool { return near(a[0], want[0], 1e-9) && near(a[1], want[1], 1e-9) }) {
				t.Errorf("seed %d: %v lacks %v", seed, got, want)
			}
		}
		big := slices.Clone(shapes)
		for i := range big {
			big[i][0], big[i][1] = 4*big[i][0], 4*big[i][1]
		}
		if again, m, _ := Anchors(big, 3, seed); again[0][0] != 4*got[0][0] || m != mean {
			t.Errorf("four times as large: %v, %v", again, m)
		}
	}
	for _, k := range []int{0, 10} {
		if _, _, err := Anchors(shapes, k, 1); err == nil || !strings.Contains(err.Error(), "of 9 shapes") {
			t.Errorf("%d anchors: %v", k, err)
		}
	}
	// Seeds are drawn far apart: of many shapes that are alike and one that is not, both kinds.
	many := append(slices.Repeat([]Anchor{{1, 1}}, 50), Anchor{10, 1})
	for seed := range uint64(10) {
		if got := spread(many, 2, rng.New(seed, "test").Source()); got[0] == got[1] {
			t.Errorf("seed %d: %v, of which two are alike", seed, got)
		}
	}
	// One anchor is the mean.
	if got, _, err := Anchors([]Anchor{{1, 3}, {3, 1}}, 1, 1); err != nil || got[0] != (Anchor{2, 2}) {
		t.Errorf("one anchor: %v, %v", got, err)
	}
}

// hits is a curve of detections from the highest score down.
func hits(truths int, right ...int) Curve {
	var all []verdict
	for i, v := range right {
		all = append(all, verdict{score: 1 - float64(i)/10, right: v == 1})
	}
	return curve(truths, all)
}

// Values by hand: of hits 1,0,1,0,1 precisions 1, 2/3, 3/5 at recalls 1/3, 2/3, 1.
func TestAveragePrecision(t *testing.T) {
	for _, c := range []struct {
		curve             Curve
		all, eleven, coco float64
	}{
		{hits(3, 1, 0, 1, 0, 1), (1 + 2.0/3 + 0.6) / 3, (4 + 3*2.0/3 + 4*0.6) / 11, (34 + 33*2.0/3 + 34*0.6) / 101},
		{hits(3, 1, 0, 1), (1 + 2.0/3) / 3, (4 + 3*2.0/3) / 11, (34 + 33*2.0/3) / 101},
		{hits(1, 0, 1), 0.5, 0.5, 0.5},
		{hits(1, 1, 0), 1, 1, 1},
		{hits(2), 0, 0, 0},
		{hits(2, 0, 0), 0, 0, 0},
	} {
		all, ok := c.curve.AllPoints()
		eleven, _ := c.curve.Interpolated(10)
		coco, _ := c.curve.Interpolated(100)
		if !ok || !near(all, c.all, 1e-12) || !near(eleven, c.eleven, 1e-12) || !near(coco, c.coco, 1e-12) {
			t.Errorf("%+v: %v %v %v, want %v %v %v", c.curve, all, eleven, coco, c.all, c.eleven, c.coco)
		}
	}
	none := hits(0, 0)
	if _, ok := none.AllPoints(); ok {
		t.Error("without truths the average precision is defined")
	}
	if _, ok := none.Interpolated(10); ok {
		t.Error("without truths the average precision of 11 points is defined")
	}
	if _, ok := Mean([]Curve{none}, Curve.AllPoints); ok {
		t.Error("the mean of nothing is defined")
	}
	if m, ok := Mean([]Curve{none, hits(1, 1)}, Curve.AllPoints); !ok || m != 1 {
		t.Errorf("a class without truths counts: %v", m)
	}
	// Recalls of k/n are met exactly: 7 of 10 truths have a recall of 0.7.
	if v, _ := hits(10, 1, 1, 1, 1, 1, 1, 1).Interpolated(10); v != 8.0/11 {
		t.Errorf("recall of 0.7: %v, want 8/11", v)
	}
}

// Where VOC and COCO differ: a box whose best truth is taken is wrong in the one, and may
// have its second choice in the other; what goes with a difficult truth does not count.
func TestMatching(t *testing.T) {
	a, b := square(0, 0, 10), square(2, 0, 10) // IoU 8/12
	hard := square(50, 50, 10)
	hard.Difficult = true
	p := Picture{
		Truths: []sample.Box{a, b, hard},
		Found:  []Detection{{a, 0.9}, {square(0.5, 0, 10), 0.8}, {hard, 0.7}, {hard, 0.6}, {square(100, 100, 5), 0.5}},
	}
	for _, c := range []struct {
		name string
		got  Curve
		want []Point
	}{
		{"VOC", VOC([]Picture{p}, 0, 0.5), []Point{{0.9, 1, 0}, {0.8, 1, 1}, {0.7, 1, 1}, {0.6, 1, 1}, {0.5, 1, 2}}},
		{"COCO", COCO([]Picture{p}, 0, 0.5), []Point{{0.9, 1, 0}, {0.8, 2, 0}, {0.7, 2, 0}, {0.6, 2, 1}, {0.5, 2, 2}}},
	} {
		if c.got.Truths != 2 || !slices.Equal(c.got.Points, c.want) {
			t.Errorf("%s: %+v, want 2 truths and %v", c.name, c.got, c.want)
		}
	}
	// An IoU of the threshold is enough; another class is never met.
	half := Picture{Truths: []sample.Box{{X1: 2, Y1: 1}}, Found: []Detection{{sample.Box{X1: 1, Y1: 1}, 0.5}}}
	if c := VOC([]Picture{half}, 0, 0.5); c.Points[0].Right != 1 {
		t.Errorf("IoU of the threshold: %+v", c)
	}
	if c := COCO([]Picture{half}, 0, 0.5); c.Points[0].Right != 1 {
		t.Errorf("COCO, IoU of the threshold: %+v", c)
	}
	if c := VOC([]Picture{half}, 1, 0.5); c.Truths != 0 || len(c.Points) != 0 {
		t.Errorf("another class: %+v", c)
	}
	// Of more than a hundred boxes COCO looks at the hundred best.
	many := Picture{Truths: []sample.Box{a}, Found: []Detection{{a, 0.1}}}
	for i := range 100 {
		many.Found = append(many.Found, Detection{square(100, 0, 1), 0.2 + float64(i)/1000})
	}
	if c := COCO([]Picture{many}, 0, 0.5); c.Points[len(c.Points)-1] != (Point{0.2, 0, 100}) {
		t.Errorf("101 boxes: %+v", c.Points[len(c.Points)-1])
	}
	if c := VOC([]Picture{many}, 0, 0.5); c.Points[len(c.Points)-1].Right != 1 {
		t.Error("VOC looks at all boxes")
	}
}

// scenes are pictures with truths and boxes near them, scores of a coarse grid so that
// many are equal.
func scenes(r *rand.Rand, n int) (out []Picture) {
	for range n {
		var p Picture
		for range r.IntN(6) {
			b := square(100*r.Float64(), 100*r.Float64(), 10+20*r.Float64())
			b.Class, b.Difficult = r.IntN(3), r.IntN(5) == 0
			p.Truths = append(p.Truths, b)
			for range r.IntN(3) {
				d := Detection{b, float64(1+r.IntN(8)) / 8}
				d.X0, d.Y1 = d.X0+8*r.Float64()-4, d.Y1+8*r.Float64()-4
				p.Found = append(p.Found, d)
			}
		}
		out = append(out, p)
	}
	return out
}

// Neither the order of pictures nor that of boxes changes a figure, equal scores or not;
// nor does the unit of length.
func TestPrecisionWithoutOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	figures := func(all []Picture) (out []Curve) {
		for c := range 3 {
			out = append(out, VOC(all, c, 0.5), COCO(all, c, 0.5), COCO(all, c, 0.75))
		}
		return out
	}
	for range 20 {
		all := scenes(r, 30)
		want := fmt.Sprint(figures(all))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, p := range all {
			r.Shuffle(len(p.Truths), func(i, j int) { p.Truths[i], p.Truths[j] = p.Truths[j], p.Truths[i] })
			r.Shuffle(len(p.Found), func(i, j int) { p.Found[i], p.Found[j] = p.Found[j], p.Found[i] })
		}
		if got := fmt.Sprint(figures(all)); got != want {
			t.Fatalf("another order: %s, want %s", got, want)
		}
		for _, p := range all {
			for i := range p.Truths {
				p.Truths[i] = scaled(p.Truths[i], 4)
			}
			for i := range p.Found {
				p.Found[i].Box = scaled(p.Found[i].Box, 4)
			}
		}
		if got := fmt.Sprint(figures(all)); got != want {
			t.Fatalf("another unit: %s, want %s", got, want)
		}
	}
}

func scaled(b sample.Box, by float64) sample.Box {
	b.X0, b.X1, b.Y0, b.Y1 = b.X0*by, b.X1*by, b.Y0*by, b.Y1*by
	return b
}

// What a bootstrap counts for pictures drawn several times, or not at all, is what those pictures give one by
// one, equal scores and difficult truths among them.
func TestDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 20 {
		all, times := scenes(r, 12), make([]int, 12)
		var list []Picture
		for i, p := range all {
			times[i] = r.IntN(4)
			list = append(list, slices.Repeat([]Picture{p}, times[i])...)
		}
		for c := range 3 {
			want, defined := VOC(list, c, 0.5).AllPoints()
			if got, ok := sortedOf(all, c).drawn(times).AllPoints(); ok != defined || !near(got, want, 1e-12) {
				t.Errorf("class %d: %v, %v; one by one %v, %v", c, got, ok, want, defined)
			}
		}
	}
}

// Copies of a perfect set change nothing where they come behind it, and cost where they
// come before another right one.
func TestDuplicates(t *testing.T) {
	a, b := square(0, 0, 10), square(50, 0, 10)
	truths := []sample.Box{a, b}
	for want, found := range map[float64][]Detection{
		1:               {{a, 0.9}, {b, 0.8}, {a, 0.7}, {b, 0.6}},
		(1 + 2.0/3) / 2: {{a, 0.9}, {a, 0.8}, {b, 0.7}},
		0.5:             {{a, 0.9}, {a, 0.8}},
	} {
		if got, _ := VOC([]Picture{{truths, found}}, 0, 0.5).AllPoints(); !near(got, want, 1e-12) {
			t.Errorf("%v: %v, want %v", found, got, want)
		}
	}
}

// The card's numbers: G = 13, cell (5, 7), anchor (2, 1.5), t = (0, 0, ln 1.5, 0).
func TestDecode(t *testing.T) {
	l := YOLO{Anchors: []Anchor{{2, 1.5}}}
	g, err := l.grid(tensor.Shape{13, 13, 7})
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]tensor.Float, 13*13*7)
	v := scores[g.at(7, 5, 0):][:7]
	v[2], v[4], v[6] = tensor.Float(math.Log(1.5)), tensor.Float(math.Log(3)), tensor.Float(math.Log(4))
	g.decode(scores)
	for i, want := range []float64{0.423077, 0.576923, 0.230769, 0.115385, 0.75, 0.2, 0.8} {
		if !near(float64(v[i]), want, 1e-6) {
			t.Errorf("value %d: %v, want %v", i, v[i], want)
		}
	}
	found, err := Read(scores, 2, tensor.Shape{130, 260}, 0.5)
	if err != nil || len(found) != 1 || found[0].Class != 1 || !near(found[0].Score, 0.6, 1e-6) {
		t.Fatalf("%v, %v", found, err)
	}
	// The score must be above the threshold: one that equals it is left out.
	if equal, err := Read(scores, 2, tensor.Shape{130, 260}, found[0].Score); err != nil || len(equal) != 0 {
		t.Errorf("of the score itself: %v, %v", equal, err)
	}
	for i, v := range []float64{found[0].X0, found[0].X1, found[0].Y0, found[0].Y1} {
		if want := []float64{80, 140, 67.5, 82.5}[i]; !near(v, want, 1e-3) {
			t.Errorf("box %+v", found[0])
		}
	}
	// Classes that do not exclude each other: σ(ln 4) = 0.8 and σ(0) = 0.5.
	v[0], v[1], v[2], v[3], v[4], v[5], v[6] = 0, 0, 0, 0, 0, 0, tensor.Float(math.Log(4))
	several := Boxes{Anchors: l.Anchors, Sigmoid: true}.grid(tensor.Shape{13, 13, 7})
	if several.decode(scores); !near(float64(v[5]), 0.5, 1e-6) || !near(float64(v[6]), 0.8, 1e-6) {
		t.Errorf("classes by σ: %v", v[5:])
	}
	// Wild values stay finite.
	wild := []tensor.Float{-3e4, 3e4, 3e4, 3e4, 3e4, 3e4, -3e4}
	one, _ := l.grid(tensor.Shape{1, 1, 7})
	one.decode(wild)
	if _, ok := tensor.Finite(wild); !ok {
		t.Errorf("wild values: %v", wild)
	}
}

var field = sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: []string{"a", "b", "c"}, Shape: tensor.Shape{32, 48}}

// call is a call with outputs at random, over some steps.
func call(r *rand.Rand, l YOLO, steps int, truths [][]sample.Box) *loss.Call {
	shape := tensor.Shape{4, 6, len(l.Anchors) * 8}
	out, dout := &signal.Signal{}, &signal.Signal{}
	out.Reset(signal.Dense, steps, len(truths), shape)
	dout.Reset(signal.Dense, steps, len(truths), shape)
	for i := range out.Data {
		out.Data[i] = tensor.Float(r.NormFloat64())
	}
	f := field
	return &loss.Call{Out: out, DOut: dout, Target: &sample.Column{Field: &f, Boxes: truths}, Scores: make([]tensor.Float, len(truths)*shape.Size())}
}

func example() YOLO {
	l := NewYOLO()
	l.Anchors = []Anchor{{1, 1}, {2, 1.5}, {3, 4}}
	return l
}

var two = [][]sample.Box{
	{{Class: 1, X0: 3, Y0: 4, X1: 21, Y1: 15}, {Class: 2, X0: 20, Y0: 10, X1: 47, Y1: 31}, {Class: 0, X0: 40, Y0: 1, X1: 46, Y1: 9, Difficult: true}},
	{{Class: 0, X0: 30, Y0: 24, X1: 48, Y1: 32}},
}

// The gradient is that of the loss with its goals held fixed.
func TestGradient(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("differences need double precision: go test -tags float64")
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, rescore := range []bool{false, true} {
		l := example()
		l.Rescore, l.Ignore, l.Class, l.Coord = rescore, 0.3, 0.7, 2
		c := call(r, l, 3, two)
		if _, err := l.Eval(c); err != nil {
			t.Fatal(err)
		}
		g, _ := l.grid(c.Out.Shape)
		size := c.Out.Shape.Size()
		mean := func(b int) []tensor.Float {
			x := make([]tensor.Float, size)
			for i := range x {
				for s := range 3 {
					x[i] += c.Out.Data[(s*2+b)*size+i] / 3
				}
			}
			return x
		}
		for b := range 2 {
			goals := l.plan(g, mean(b), fractions(two[b], field.Shape))
			for i := range size {
				const h = 1e-5
				at := &c.Out.Data[(1*2+b)*size+i]
				was := *at
				*at = was + h
				up := l.eval(nil, mean(b), goals, 0.5)
				*at = was - h
				down := l.eval(nil, mean(b), goals, 0.5)
				*at = was
				want := (up - down) / (2 * h)
				if got := float64(c.DOut.Data[(1*2+b)*size+i]); !near(got, want, 1e-8) {
					t.Fatalf("rescore %v, sample %d, value %d: %v, differences give %v", rescore, b, i, got, want)
				}
			}
		}
	}
}

// The loss of one truth by hand, on a grid of one cell with one anchor.
func TestLossByHand(t *testing.T) {
	l := NewYOLO()
	l.Anchors, l.Rescore, l.Ignore = []Anchor{{0.5, 0.5}}, false, 1
	f := field
	c := &loss.Call{Out: &signal.Signal{}, DOut: &signal.Signal{}, Target: &sample.Column{Field: &f, Boxes: [][]sample.Box{{{Class: 1, X0: 12, Y0: 8, X1: 36, Y1: 24}}}}, Scores: make([]tensor.Float, 8)}
	c.Out.Reset(signal.Dense, 1, 1, tensor.Shape{1, 1, 8})
	c.DOut.Reset(signal.Dense, 1, 1, tensor.Shape{1, 1, 8})
	// The truth is the anchor in the middle: place and size have no error, the object
	// ½·5·(½ − 1)², the class ln 3.
	got, err := l.Eval(c)
	if err != nil || !near(got, 0.625+math.Log(3), 1e-6) {
		t.Errorf("%v, %v", got, err)
	}
	for i, want := range []float64{0, 0, 0, 0, 5 * -0.5 * 0.25, 1.0 / 3, 1.0/3 - 1, 1.0 / 3} {
		if !near(float64(c.DOut.Data[i]), want, 1e-6) {
			t.Errorf("error %d: %v, want %v", i, c.DOut.Data[i], want)
		}
	}
	// One pixel of 48 to the right: ½·(2 − ¼)·(1/48)² more.
	b := &c.Target.Boxes[0][0]
	b.X0, b.X1 = b.X0+1, b.X1+1
	if moved, _ := l.Eval(c); !near(moved-got, 0.875/48/48, 1e-6) {
		t.Errorf("moved by a pixel: %v more, want %v", moved-got, 0.875/48/48)
	}
	// Its errors: (2 − ¼)·(½ − (½ + 1/48))·¼ by x, none by y.
	for i, want := range []float64{-1.75 / 48 / 4, 0, 0, 0} {
		if !near(float64(c.DOut.Data[i]), want, 1e-7) {
			t.Errorf("moved by a pixel, error %d: %v, want %v", i, c.DOut.Data[i], want)
		}
	}
	// Half as wide and twice as high: ½·(2 − ¼)·2·(ln 2)² more, and errors of ln 2 and −ln 2.
	c.Target.Boxes[0][0] = sample.Box{Class: 1, X0: 18, Y0: 0, X1: 30, Y1: 32}
	if other, _ := l.Eval(c); !near(other-got, 1.75*math.Ln2*math.Ln2, 1e-6) || !near(float64(c.DOut.Data[2]), 1.75*math.Ln2, 1e-6) || !near(float64(c.DOut.Data[3]), -1.75*math.Ln2, 1e-6) {
		t.Errorf("another shape: %v more, errors %v", other-got, c.DOut.Data[:5])
	}
	// No truth: no object alone, ½·(½)².
	c.Target.Boxes[0] = nil
	if none, _ := l.Eval(c); !near(none, 0.125, 1e-6) {
		t.Errorf("no truth: %v, want 0.125", none)
	}
	// A truth that is difficult is neither learnt nor, where it is met, punished.
	l.Ignore = 0.6
	c.Target.Boxes[0] = []sample.Box{{X0: 12, Y0: 8, X1: 36, Y1: 24, Difficult: true}}
	if hard, _ := l.Eval(c); hard != 0 {
		t.Errorf("a difficult truth: %v", hard)
	}
}

// Of two truths at one place the one that fits its anchor better is learnt, whichever comes first. What a
// score learns is the IoU of the prediction in that cell with the truth: half of a cell.
func TestPlan(t *testing.T) {
	l := NewYOLO()
	l.Anchors = []Anchor{{1, 1}}
	g, err := l.grid(tensor.Shape{2, 3, 7})
	if err != nil {
		t.Fatal(err)
	}
	in := func(class int, w, h float64) sample.Box { // in the middle of the cell (2, 1), its size in cells
		b := around(2.5/3, 1.5/2, w/3, h/2)
		b.Class = class
		return b
	}
	for better, truths := range [][]sample.Box{{in(0, 1, 0.5), in(1, 0.5, 0.25)}, {in(0, 0.5, 0.25), in(1, 1, 0.5)}} {
		goals := l.plan(g, make([]tensor.Float, 2*3*7), truths)
		if want := goals[g.at(1, 2, 0)/7]; want.class != better || !near(want.score, 0.5, 1e-12) || !near(want.x, 0.5, 1e-12) || !near(want.h, math.Log(0.5), 1e-12) {
			t.Errorf("%+v, want class %d with a score of 0.5", want, better)
		}
	}
}

// On a grid that is wider than high a truth of one cell has the anchor of one cell, not that of
// 1×1½; and what is not punished is the prediction that overlaps it, in its own cell alone.
func TestPlanOnWideGrid(t *testing.T) {
	l := NewYOLO()
	l.Anchors = []Anchor{{1, 1}, {1, 1.5}}
	g, err := l.grid(tensor.Shape{2, 3, 14})
	if err != nil {
		t.Fatal(err)
	}
	truth := around(2.5/3, 1.5/2, 1.0/3, 1.0/2)
	at := g.at(1, 2, 0) / 7
	if goals := l.plan(g, make([]tensor.Float, 2*3*14), []sample.Box{truth}); goals[at].class != 0 || goals[at+1].class != -1 {
		t.Errorf("%+v and %+v, want the first anchor", goals[at], goals[at+1])
	}
	truth.Difficult = true
	for i, goal := range l.plan(g, make([]tensor.Float, 2*3*14), []sample.Box{truth}) {
		if want := i/2 != at/2; (goal.weight == l.NoObject) != want { // an IoU of 1 and of 2/3, both above 0.6
			t.Errorf("prediction %d has the weight %v", i, goal.weight)
		}
	}
}

// Neither the order of truths nor that of samples counts; steps of time are averaged.
func TestLossWithoutOrder(t *testing.T) {
	l := example()
	crowd := [][]sample.Box{{{Class: 1, X0: 8, Y0: 8, X1: 16, Y1: 16}, {Class: 2, X0: 8.5, Y0: 8, X1: 16.5, Y1: 16}, {X0: 9, Y0: 8, X1: 15, Y1: 15.5}}}
	c := call(rand.New(rand.NewPCG(7, 8)), l, 1, crowd)
	want, err := l.Eval(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		rand.Shuffle(3, func(i, j int) { crowd[0][i], crowd[0][j] = crowd[0][j], crowd[0][i] })
		if got, _ := l.Eval(c); got != want {
			t.Errorf("truths in another order: %v, want %v", got, want)
		}
	}
	// The centre of a box at the very edge belongs to the last cell.
	c.Target.Boxes = [][]sample.Box{{{X0: 47, Y0: 31, X1: 49, Y1: 33}}}
	if v, err := l.Eval(c); err != nil || math.IsNaN(v) {
		t.Errorf("a centre on the edge: %v, %v", v, err)
	}
}

func TestLossRefuses(t *testing.T) {
	for want, change := range map[string]func(*YOLO){
		"no anchors":       func(l *YOLO) { l.Anchors = nil },
		"anchor 1 is [0 1": func(l *YOLO) { l.Anchors[1] = Anchor{0, 1} },
		"weight object":    func(l *YOLO) { l.Object = math.NaN() },
		"ignore is 2":      func(l *YOLO) { l.Ignore = 2 },
	} {
		l := example()
		change(&l)
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	l, bare := example(), field
	bare.Shape = nil
	for want, err := range map[string]error{
		"give the last convolution out: 24": l.Check(tensor.Shape{4, 6, 23}, 1, field),
		"is class, want boxes":              l.Check(tensor.Shape{4, 6, 24}, 1, sample.Field{Name: "y"}),
		"height and width":                  l.Check(tensor.Shape{4, 6, 24}, 1, bare),
		"a multiple of 8":                   NewDetect().Check(tensor.Shape{4, 6, 25}, 1, field),
		"threshold 2":                       Detect{Threshold: 2}.Validate(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	c := call(rand.New(rand.NewPCG(1, 1)), l, 1, two)
	c.Target = nil
	if _, err := l.Eval(c); err == nil {
		t.Error("a loss without targets")
	}
}

func TestTask(t *testing.T) {
	f := field
	f.Shape = tensor.Shape{1, 1} // boxes of these cases are about a pixel large
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 1}, Targets: []sample.Field{f}}
	cases := snntest.Cases(t, spec, "", tensor.Shape{2, 3, 16}, 1, 20)
	for _, c := range cases { // boxes of some area, some of which meet a truth
		for i := range c.Output.Scores {
			c.Output.Scores[i] = tensor.Float(math.Abs(float64(c.Output.Scores[i])) + 0.3)
		}
	}
	snntest.Task(t, NewDetect(), cases...)
}

// Of two truths one is found, with an IoU of 0.72: half of the area; 6 of 11 points; 51 of 101 points at five
// of the ten IoUs 0.5, 0.55, …, 0.95.
func TestScalars(t *testing.T) {
	f := sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: []string{"a"}, Shape: tensor.Shape{200, 200}}
	s := &Pictures{task: NewDetect(), field: f, all: []Picture{{
		Truths: []sample.Box{{X1: 100, Y1: 100}, square(150, 150, 20)},
		Found:  []Detection{{sample.Box{X1: 72, Y1: 100}, 0.9}},
	}}}
	want := map[string]float64{"map50": 50, "map50_11": 600.0 / 11, "map50_95": 50 * 51.0 / 101}
	for _, v := range s.Scalars() {
		if !near(v.Value, want[v.Name], 1e-9) {
			t.Errorf("%s: %v, want %v", v.Name, v.Value, want[v.Name])
		}
	}
}

// A task reads what the loss wrote: perfect outputs give 100 %.
func TestPerfectOutputs(t *testing.T) {
	l, d := example(), NewDetect()
	c := call(rand.New(rand.NewPCG(9, 9)), l, 1, two)
	g, _ := l.grid(c.Out.Shape)
	size := c.Out.Shape.Size()
	for b, truths := range two {
		x := c.Out.Data[b*size:][:size]
		for i := range x {
			x[i] = -20
		}
		for i, want := range l.plan(g, x, fractions(truths, field.Shape)) {
			if want.class < 0 {
				continue
			}
			v := x[i*8:][:8]
			logit := func(p float64) tensor.Float { return tensor.Float(math.Log(p / (1 - p))) }
			v[0], v[1], v[2], v[3], v[4], v[box+want.class] = logit(want.x), logit(want.y), tensor.Float(want.w), tensor.Float(want.h), 20, 20
		}
	}
	l.Rescore = false
	value, err := l.Eval(c)
	if err != nil || value > 1e-4 {
		t.Errorf("loss %v, %v", value, err)
	}
	s := d.Score(field)
	batch := &sample.Batch{Index: []int{0, 1}}
	if err := s.Add(task.Case{Output: task.Output{Shape: c.Out.Shape, Scores: c.Scores}, Target: c.Target, Batch: batch}); err != nil {
		t.Fatal(err)
	}
	for _, v := range s.Scalars() {
		if !near(v.Value, 100, 1e-9) {
			t.Errorf("%+v, want 100 %%", v)
		}
	}
	if ap, defined := s.(*Pictures).AP(); !slices.Equal(ap, []float64{1, 1, 1}) || slices.Contains(defined, false) {
		t.Errorf("%v, %v", ap, defined)
	}
	if e := s.Exhibits(); len(e) != 1 || len(e[0].Table.Rows) != 3 {
		t.Errorf("%+v", e)
	}
	// Without boxes the figures are undefined, not 0.
	none := d.Score(field)
	c.Target.Boxes = [][]sample.Box{nil, nil}
	if err := none.Add(task.Case{Output: task.Output{Shape: c.Out.Shape, Scores: c.Scores}, Target: c.Target, Batch: batch}); err != nil {
		t.Fatal(err)
	}
	for _, v := range none.Scalars() {
		if v.Defined() || v.Why != "no boxes are to be found" {
			t.Errorf("%+v, want it undefined", v)
		}
	}
}

// Two truths; the better box is right, the worse one a copy, the third misses.
func ExampleVOC() {
	truth := func(x float64) sample.Box { return sample.Box{X0: x, Y0: 0, X1: x + 10, Y1: 10} }
	found := []Detection{{truth(1), 0.9}, {truth(-1), 0.7}, {truth(80), 0.4}}
	kept := Suppress(found, 0.45)
	ap, defined := VOC([]Picture{{[]sample.Box{truth(0), truth(40)}, kept}}, 0, 0.5).AllPoints()
	fmt.Println(len(kept), ap, defined)
	// Output: 2 0.5 true
}

// What lies in a crowd is ignored by the share that does, as often as it comes; a truth beside it goes
// first. By hand: below the ignored ones are one wrong and one right.
func TestCrowd(t *testing.T) {
	crowd := sample.Box{X1: 100, Y1: 100, Difficult: true, Crowd: true}
	p := Picture{
		Truths: []sample.Box{crowd, square(200, 200, 20), square(40, 40, 20)},
		Found: []Detection{
			{square(10, 10, 10), 0.9}, {square(300, 300, 20), 0.8}, {square(12, 60, 10), 0.7}, {square(200, 200, 20), 0.6},
			{square(41, 40, 20), 0.5}, {sample.Box{X0: 90, X1: 110, Y1: 20}, 0.4},
		},
	}
	for threshold, want := range map[float64][]Point{
		// the last one lies half within the crowd
		0.5: {{0.8, 0, 1}, {0.7, 0, 1}, {0.6, 1, 1}, {0.5, 2, 1}, {0.4, 2, 1}},
		0.6: {{0.8, 0, 1}, {0.7, 0, 1}, {0.6, 1, 1}, {0.5, 2, 1}, {0.4, 2, 2}},
	} {
		if c := COCO([]Picture{p}, 0, threshold); c.Truths != 2 || !slices.Equal(c.Points, want) {
			t.Errorf("from %v on: %+v, want 2 truths and %v", threshold, c, want)
		}
	}
}

// Outputs are read once each.
func TestOthersAreOthers(t *testing.T) {
	for _, others := range [][]string{{""}, {"a"}, {"b", "b"}} {
		if err := (task.Binding{Task: NewDetect(), Output: "a", Others: others}).Validate(); err == nil || !strings.Contains(err.Error(), "does not read yet") {
			t.Errorf("others %q beside a: %v", others, err)
		}
	}
	if err := (task.Binding{Task: NewDetect(), Output: "a", Others: []string{"b", "c"}}).Validate(); err != nil {
		t.Error(err)
	}
}
