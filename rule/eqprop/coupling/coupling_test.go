package coupling

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/rule/eqprop/sparse"
	"synfire/snntest"
	"synfire/tensor"
)

func TestConvolutionalSizes(t *testing.T) {
	c := &Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []Convolution{{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2}}}
	if got, want := c.Sizes(10), []int{784, 12 * 12 * 32, 4 * 4 * 64, 10}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	c.Layers[0].Pool, c.Layers[1].Pool = 0, 1 // neither pools
	if got, want := c.Sizes(), []int{784, 24 * 24 * 32, 20 * 20 * 64}; !slices.Equal(got, want) {
		t.Errorf("without pooling %v, want %v", got, want)
	}
}

func TestConvolutionalErrors(t *testing.T) {
	image, one := tensor.Shape{8, 6, 1}, Convolution{Out: 2, Kernel: 3}
	with := func(change func(l *Convolution)) []Convolution {
		l := one
		change(&l)
		return []Convolution{one, l}
	}
	for name, c := range map[string]struct {
		image  tensor.Shape
		layers []Convolution
		want   string
	}{
		"right":       {image, []Convolution{one, one}, ""},
		"padded":      {image, with(func(l *Convolution) { l.Pad = 2 }), ""},
		"no layers":   {image, nil, "0 layers, want"},
		"no channels": {tensor.Shape{8, 6}, []Convolution{one}, "want height, width and channels"},
		"no maps":     {image, with(func(l *Convolution) { l.Out = 0 }), "convolution 2"},
		"no kernel":   {image, with(func(l *Convolution) { l.Kernel = 0 }), "convolution 2"},
		"padding":     {image, with(func(l *Convolution) { l.Pad = 3 }), "a padding below the kernel"},
		"negative":    {image, with(func(l *Convolution) { l.Pool = -1 }), "convolution 2"},
		"too large":   {image, with(func(l *Convolution) { l.Kernel = 5 }), "convolution 2: nothing is left of 6×4 pixels"},
		"at once":     {tensor.Shape{2, 9, 1}, []Convolution{one}, "convolution 1: nothing is left of 2×9 pixels"},
	} {
		err := (&Convolutional{Image: c.image, Layers: c.layers}).Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func draw(n int, seed uint64) []tensor.Float {
	src := rng.New(seed, "test").Source()
	x := make([]tensor.Float, n)
	for i := range x {
		x[i] = tensor.Float(src.Float64())
	}
	return x
}

// A layer's coupling goes both ways: what it sends up and down are the derivatives of the
// product in the energy, and so is the update, for convolutions with both poolings and
// for matrices. The product is that of the energy's own loops.
func TestCouplings(t *testing.T) {
	limit := 1e-4
	if snntest.DoublePrecision() {
		limit = 1e-9
	}
	for _, average := range []bool{false, true} {
		for _, pad := range []int{0, 1} {
			c := &Convolutional{Image: tensor.Shape{6, 7, 2}, Layers: []Convolution{{Out: 3, Kernel: 3, Pad: pad, Pool: 2, Average: average}}}
			net := NewNet(c, c.Sizes(4), FanIn, 1, "")
			conv, below, above := Convs(net)[1], draw(net.Sizes[0], 2), draw(net.Sizes[1], 3)
			conv.Pack(nil)
			var s linmap.Scratch
			places := make([]uint8, conv.Pool.Places())
			up, down := make([]tensor.Float, len(above)), make([]tensor.Float, len(below))
			conv.Up(&s, up, below, places)
			conv.Down(&s, down, above, places)
			mapped, dw := make([]tensor.Float, conv.Mapped()), make([]tensor.Float, len(net.W[0].Value.Data))
			conv.Pool.Transpose(&s, mapped, above, places)
			conv.Correlate(&s, dw, below, mapped, 1, 0, conv.Patch())
			bias := 0.0
			for i, v := range mapped {
				bias += float64(v) * float64(net.B[0].Value.Data[i%3])
			}
			check(t, fmt.Sprintf("average %v, pad %d", average, pad), limit, net, below, above, up, down, dw, bias)
		}
	}
	net := NewNet(nil, []int{9, 5, 2}, FanIn, 1, "")
	d, below, above := NewDense(net.W[0].Value, &sparse.Matrix{}), draw(9, 2), draw(5, 3)
	d.Renew()
	up, down, dw := slices.Clone(net.B[0].Value.Data), make([]tensor.Float, 9), make([]tensor.Float, 45)
	d.Up(nil, 1, below, up)
	d.Down(nil, 1, above, down)
	d.Outer(dw[:2*5], 1, below, above, 0, 2)
	d.Outer(dw[2*5:], 1, below, above, 2, 9)
	check(t, "dense", limit, net, below, above, up, down, dw, dot(net.B[0].Value.Data, above))
}

// check compares ⟨up, above⟩, ⟨below, down⟩ and ⟨W, dW⟩, each with the bias's part, with
// the product in the energy.
func check(t *testing.T, name string, limit float64, net *Net, below, above, up, down, dw []tensor.Float, bias float64) {
	t.Helper()
	want := dot(above, above)/2 - net.Energy(below, [][]tensor.Float{above})
	for what, got := range map[string]float64{
		"up": dot(up, above), "down": dot(down, below) + bias, "update": dot(dw, net.W[0].Value.Data) + bias,
	} {
		if math.Abs(got-want) > limit*math.Max(1, math.Abs(want)) {
			t.Errorf("%s, %s: %v, the energy's product is %v", name, what, got, want)
		}
	}
}

func dot(a, b []tensor.Float) (sum float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// Listed inputs and whole rows drive a layer to the same bits, as do the kept weights of
// a pruned matrix.
func TestListedInputs(t *testing.T) {
	const k, n, count = 100, 80, 3
	w := tensor.New(k, n)
	copy(w.Data, draw(k*n, 1))
	sparse.Prune(w.Data, sparse.Magnitude.Of(w.Data, nil), 0.9)
	x := draw(count*k, 2)
	for i := range x {
		if i%3 > 0 {
			x[i] = 0
		}
	}
	of := func(i int) (at []int32, val []tensor.Float) {
		for j, v := range x[i*k:][:k] {
			if v != 0 {
				at, val = append(at, int32(j)), append(val, v)
			}
		}
		return at, val
	}
	var want []tensor.Float
	for _, lists := range []bool{false, true} {
		var kept sparse.Matrix
		if lists {
			kept.List(w.Data, k, n)
			kept.Choose(count, 1, false)
		}
		d := NewDense(w, &kept)
		d.Renew()
		var p sparse.Product
		rows, listed := make([]tensor.Float, count*n), make([]tensor.Float, count*n)
		d.Up(&p, count, x, rows)
		d.UpListed(&p, count, of, listed)
		if want == nil {
			want = rows
		}
		if kept.Sums != lists || !slices.Equal(rows, want) || !slices.Equal(listed, want) {
			t.Errorf("lists %v (sums %v): other bits", lists, kept.Sums)
		}
	}
}
