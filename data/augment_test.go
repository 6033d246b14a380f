package data_test

import (
	"math"
	"slices"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// script answers with given numbers.
type script []int

func (s *script) IntN(n int) int {
	x := (*s)[0]
	*s = (*s)[1:]
	if x >= n {
		panic("the script's number is out of range")
	}
	return x
}

func (s *script) Float64() float64 { return 0 }

func TestShift(t *testing.T) {
	src := []tensor.Float{
		1, 2, 3,
		4, 5, 6,
	}
	for _, c := range []struct {
		max, dy, dx int
		want        []tensor.Float
	}{
		{1, 0, 0, []tensor.Float{1, 2, 3, 4, 5, 6}},
		{1, 1, 0, []tensor.Float{0, 0, 0, 1, 2, 3}},
		{1, -1, 0, []tensor.Float{4, 5, 6, 0, 0, 0}},
		{1, 0, 1, []tensor.Float{0, 1, 2, 0, 4, 5}},
		{1, 0, -1, []tensor.Float{2, 3, 0, 5, 6, 0}},
		{2, -1, 2, []tensor.Float{0, 0, 4, 0, 0, 0}},
		{5, 2, 0, []tensor.Float{0, 0, 0, 0, 0, 0}},
		{5, 0, -3, []tensor.Float{0, 0, 0, 0, 0, 0}},
		{5, -5, 5, []tensor.Float{0, 0, 0, 0, 0, 0}},
	} {
		dst := slices.Repeat([]tensor.Float{9}, 6)
		data.Shift{Max: c.max}.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{2, 3, 1}}, &script{c.dy + c.max, c.dx + c.max})
		if !slices.Equal(dst, c.want) {
			t.Errorf("shift by %d, %d: %v, want %v", c.dy, c.dx, dst, c.want)
		}
	}
}

func TestShiftMovesWholePixels(t *testing.T) {
	src := []tensor.Float{1, 2, 3, 4, 5, 6} // 1×3 of two channels
	dst := make([]tensor.Float, 6)
	data.Shift{Max: 1}.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{1, 3, 2}}, &script{1, 2})
	if want := []tensor.Float{0, 0, 1, 2, 3, 4}; !slices.Equal(dst, want) {
		t.Errorf("got %v, want %v", dst, want)
	}
}

func TestNoShiftDrawsNothing(t *testing.T) {
	dst := make([]tensor.Float, 2)
	data.Shift{}.Apply(dst, []tensor.Float{1, 2}, nil, &sample.Spec{Shape: tensor.Shape{1, 2, 1}}, &script{})
	if !slices.Equal(dst, []tensor.Float{1, 2}) {
		t.Errorf("got %v", dst)
	}
}

// All (2k+1)² displacements must occur, and each epoch must draw anew.
func TestShiftIsUniform(t *testing.T) {
	s := &data.Set{Name: "dots", Classes: []string{"a"}, Shape: tensor.Shape{3, 3, 1}}
	const n = 2000
	for range n {
		s.Images = append(s.Images, 0, 0, 0, 0, 255, 0, 0, 0, 0)
		s.Labels = append(s.Labels, 0)
	}
	c := cursor(t, s, data.CursorOptions{Batch: n, Seed: 5, Augment: []data.Augment{data.Shift{Max: 1}}})
	first, second := epoch(c)[0], epoch(c)[0]
	var seen [9]int
	for i, x := range first.X {
		if x == 1 {
			seen[i%9]++
		}
	}
	for place, count := range seen {
		if count < n/9*3/4 || count > n/9*5/4 {
			t.Errorf("the dot was %d times at place %d, expected about %d", count, place, n/9)
		}
	}
	if slices.Equal(first.X, second.X) {
		t.Error("two epochs are shifted alike")
	}
}

// ramp is an image of h×w pixels in c channels with values 1, 2, 3, … over 100.
func ramp(h, w, c int) []tensor.Float {
	x := make([]tensor.Float, h*w*c)
	for i := range x {
		x[i] = tensor.Float(i+1) / 100
	}
	return x
}

// draws answers with given numbers.
type draws struct {
	script
	floats []float64
}

func (d *draws) Float64() float64 {
	x := d.floats[0]
	d.floats = d.floats[1:]
	return x
}

func TestCrop(t *testing.T) {
	src := []tensor.Float{1, 2, 3, 4, 5, 6} // 2×3
	for _, c := range []struct {
		border data.Border
		dy, dx int
		want   []tensor.Float
	}{
		{data.Zero, 1, -1, []tensor.Float{0, 0, 0, 2, 3, 0}},
		{data.Edge, 1, -1, []tensor.Float{2, 3, 3, 2, 3, 3}},
		{data.Edge, 0, 2, []tensor.Float{1, 1, 1, 4, 4, 4}},
		{data.Reflect, 1, -1, []tensor.Float{5, 6, 5, 2, 3, 2}},
		{data.Reflect, 0, 2, []tensor.Float{3, 2, 1, 6, 5, 4}},
	} {
		dst := make([]tensor.Float, 6)
		data.Crop{Padding: 2, Border: c.border}.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{2, 3, 1}}, &script{c.dy + 2, c.dx + 2})
		if !slices.Equal(dst, c.want) {
			t.Errorf("%v by %d, %d: %v, want %v", c.border, c.dy, c.dx, dst, c.want)
		}
	}
}

// A border that the padding exceeds several times stays inside the image: walked pixel
// by pixel, back at its ends where it is mirrored.
func TestCropOfTinyImages(t *testing.T) {
	walk := func(border data.Border, i, n int) int { // -1: outside
		switch {
		case i >= 0 && i < n:
			return i
		case border == data.Zero:
			return -1
		case border == data.Edge || n == 1:
			return min(max(i, 0), n-1)
		}
		at, by := 0, 1
		if i < 0 {
			i = -i // mirrored about pixel 0
		}
		for range i {
			if at+by < 0 || at+by >= n {
				by = -by
			}
			at += by
		}
		return at
	}
	for _, border := range []data.Border{data.Zero, data.Edge, data.Reflect} {
		for _, shape := range []tensor.Shape{{1, 1, 3}, {2, 1, 1}, {1, 2, 1}, {3, 2, 1}} {
			h, w, c := shape[0], shape[1], shape[2]
			src := ramp(h, w, c)
			for at := range 15 {
				dst, dy, dx := make([]tensor.Float, len(src)), at-7, 7-at
				data.Crop{Padding: 7, Border: border}.Apply(dst, src, nil, &sample.Spec{Shape: shape}, &script{at, 14 - at})
				for i, got := range dst {
					y, x := walk(border, i/c/w-dy, h), walk(border, i/c%w-dx, w)
					want := tensor.Float(0)
					if y >= 0 && x >= 0 {
						want = src[(y*w+x)*c+i%c]
					}
					if got != want {
						t.Errorf("%v, shape %v, moved by %d, %d: value %d is %v, want %v", border, shape, dy, dx, i, got, want)
					}
				}
			}
		}
	}
}

func TestFlip(t *testing.T) {
	src, dst := ramp(2, 3, 2), make([]tensor.Float, 12)
	f := data.Flip{Probability: 0.5}
	f.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{2, 3, 2}}, &draws{floats: []float64{0.5}})
	if !slices.Equal(dst, src) {
		t.Errorf("not flipped: %v", dst)
	}
	f.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{2, 3, 2}}, &draws{floats: []float64{0.49}})
	if want := []tensor.Float{0.05, 0.06, 0.03, 0.04, 0.01, 0.02, 0.11, 0.12, 0.09, 0.10, 0.07, 0.08}; !slices.Equal(dst, want) {
		t.Errorf("flipped: %v, want %v", dst, want)
	}
}

func TestCutout(t *testing.T) {
	src, dst := ramp(3, 3, 1), make([]tensor.Float, 9)
	for _, c := range []struct {
		y, x int
		want []tensor.Float
	}{
		{0, 0, []tensor.Float{0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09}},
		{2, 1, []tensor.Float{0.01, 0.02, 0.03, 0, 0, 0.06, 0, 0, 0.09}},
	} {
		data.Cutout{Size: 2}.Apply(dst, src, nil, &sample.Spec{Shape: tensor.Shape{3, 3, 1}}, &script{c.y, c.x})
		if !slices.Equal(dst, c.want) {
			t.Errorf("around %d, %d: %v, want %v", c.y, c.x, dst, c.want)
		}
	}
}

func TestColorJitter(t *testing.T) {
	near := func(name string, got []tensor.Float, want ...float64) {
		t.Helper()
		for i := range want {
			if d := float64(got[i]) - want[i]; d > 1e-6 || d < -1e-6 {
				t.Errorf("%s: %v, want %v", name, got, want)
				return
			}
		}
	}
	grey := []tensor.Float{0.2, 0.6}
	dst := make([]tensor.Float, 2)
	data.ColorJitter{Brightness: 0.5, Saturation: 1}.Apply(dst, grey, nil, &sample.Spec{Shape: tensor.Shape{1, 2, 1}}, &draws{floats: []float64{0}})
	near("darker", dst, 0.1, 0.3)
	data.ColorJitter{Brightness: 1}.Apply(dst, grey, nil, &sample.Spec{Shape: tensor.Shape{1, 2, 1}}, &draws{floats: []float64{1}})
	near("brighter, cut off", dst, 0.4, 1)
	data.ColorJitter{Contrast: 0.5}.Apply(dst, grey, nil, &sample.Spec{Shape: tensor.Shape{1, 2, 1}}, &draws{floats: []float64{0}})
	near("less contrast", dst, 0.3, 0.5)
	pixel := []tensor.Float{1, 0, 0}
	dst = make([]tensor.Float, 3)
	data.ColorJitter{Saturation: 1}.Apply(dst, pixel, nil, &sample.Spec{Shape: tensor.Shape{1, 1, 3}}, &draws{floats: []float64{0}})
	near("no colour", dst, 0.299, 0.299, 0.299)
}

func TestAugmentOptions(t *testing.T) {
	for want, a := range map[string]data.Augment{
		"padding of -1":    data.Crop{Padding: -1},
		"border 7":         data.Crop{Border: 7},
		"probability 1.5":  data.Flip{Probability: 1.5},
		"square of -2":     data.Cutout{Size: -2},
		"contrast 2":       data.ColorJitter{Contrast: 2},
		"at most -1 pixel": data.Shift{Max: -1},
	} {
		_, err := data.NewCursor(numbered(2), data.CursorOptions{Batch: 1, Augment: []data.Augment{a}})
		checkError(t, want, err, want)
	}
	var b data.Border
	for _, name := range []string{"zero", "edge", "reflect"} {
		if err := b.UnmarshalText([]byte(name)); err != nil || b.String() != name {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	checkError(t, "border", b.UnmarshalText([]byte("wrap")), "want zero, edge or reflect")
}

// Augmentations run one after another on one stream: two flips that always happen give
// the image back, a flip after a shift is not a shift after a flip, and what a sample
// becomes does not depend on the batch it comes in.
func TestAugmentsInTurn(t *testing.T) {
	s := &data.Set{Name: "one", Classes: []string{"a"}, Shape: tensor.Shape{1, 3, 1}}
	for i := range 8 {
		s.Images, s.Labels = append(s.Images, byte(10*i), 100, 255), append(s.Labels, 0)
	}
	flip, move := data.Flip{Probability: 1}, data.Shift{Max: 1}
	x := func(batch int, a ...data.Augment) (all []tensor.Float) {
		for _, b := range epoch(cursor(t, s, data.CursorOptions{Batch: batch, Seed: 2, Augment: a})) {
			all = append(all, b.X...)
		}
		return all
	}
	if !slices.Equal(x(8, flip, flip), x(8)) || slices.Equal(x(8, flip), x(8)) {
		t.Error("two flips do not give the image back")
	}
	if !slices.Equal(x(8, flip, move, flip), x(3, flip, move, flip)) {
		t.Error("an augmented sample depends on the batch")
	}
	if slices.Equal(x(8, flip, move), x(8, flip)) {
		t.Error("the second augmentation does nothing")
	}
}

// drawnAt are random numbers that are given.
type drawnAt []float64

func (d *drawnAt) Float64() float64 { v := (*d)[0]; *d = (*d)[1:]; return v }
func (d *drawnAt) IntN(int) int     { panic("no whole numbers are drawn") }

// A factor of 2 shows a quarter of an image, one of ½ the whole of it, and boxes go with it.
func TestScaleImage(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{8, 8, 1}}
	src := make([]tensor.Float, 64)
	for y := 2; y < 4; y++ {
		for x := 4; x < 6; x++ {
			src[y*8+x] = 1
		}
	}
	for name, c := range map[string]struct {
		drawn drawnAt // of the factor, and the place
		box   sample.Box
		sum   float64
	}{
		"larger, right above":  {drawnAt{1, 0, 1}, sample.Box{X0: 0, X1: 4, Y0: 4, Y1: 8}, 16 - 2 - 1.75},
		"smaller, at the left": {drawnAt{0, 1, 0}, sample.Box{X0: 2, X1: 3, Y0: 5, Y1: 6}, 1},
		"same":                 {drawnAt{0.5, 0.3, 0.3}, sample.Box{X0: 4, X1: 6, Y0: 2, Y1: 4}, 4},
	} {
		targets := []sample.Target{{Boxes: []sample.Box{{X0: 4, X1: 6, Y0: 2, Y1: 4}}}}
		dst := make([]tensor.Float, 64)
		data.Scale{By: 1}.Apply(dst, src, targets, &spec, &c.drawn)
		got := targets[0].Boxes[0]
		for _, d := range []float64{got.X0 - c.box.X0, got.X1 - c.box.X1, got.Y0 - c.box.Y0, got.Y1 - c.box.Y1} {
			if math.Abs(d) > 1e-12 {
				t.Errorf("%s: box %+v, want %+v", name, got, c.box)
				break
			}
		}
		var sum, x, y float64
		for i, v := range dst {
			sum, x, y = sum+float64(v), x+float64(v)*(float64(i%8)+0.5), y+float64(v)*(float64(i/8)+0.5)
		}
		if name == "larger, right above" { // cut off at two edges: the middle of what is seen moves inwards
			continue
		}
		if math.Abs(sum-c.sum) > 1e-5 || math.Abs(x/sum-(got.X0+got.X1)/2) > 1e-5 || math.Abs(y/sum-(got.Y0+got.Y1)/2) > 1e-5 {
			t.Errorf("%s: a weight of %v around (%v, %v), want %v within %+v", name, sum, x/sum, y/sum, c.sum, got)
		}
	}
	// An even image stays even where nothing comes in from outside.
	for i := range src {
		src[i] = 0.5
	}
	dst := make([]tensor.Float, 64)
	data.Scale{By: 1, Border: data.Edge}.Apply(dst, src, nil, &spec, &drawnAt{0.1, 0.4, 0.7})
	for _, v := range dst {
		if math.Abs(float64(v)-0.5) > 1e-6 {
			t.Fatalf("%v", dst)
		}
	}
	for _, s := range []data.Scale{{By: -1}, {By: math.NaN()}, {By: 0.1, Border: 9}} {
		if s.Validate() == nil {
			t.Errorf("%+v", s)
		}
	}
}
