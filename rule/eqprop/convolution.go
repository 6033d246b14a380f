package eqprop

import (
	"errors"
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// Convolutional makes the first layers of a network convolutions with pooling. With
// the correlation ⋆ and the pooling P, layer l takes the place of its product in the
// energy by
//
//	Φ_l = ⟨P(w_l ⋆ s_{l−1} + c_l), s_l⟩
//
// so that s_l is driven by P(w_l ⋆ s_{l−1} + c_l) from below, and s_{l−1} by
// w_l ⋆ᵀ P⁻¹(s_l) from above. P⁻¹ of max pooling puts a state where the largest
// element of its window stands now, anew in each step; of average pooling it spreads
// the state. The gradient of the weights is ∂Φ_l/∂w_l = s_{l−1} ⋆ P⁻¹(s_l), that of
// the biases Σ s_l over the pixels. States are those behind the pooling, channels
// last; weights are [kernel, kernel, channels below, channels].
//
// Ernoult et al., NeurIPS 2019.
type Convolutional struct {
	Image  tensor.Shape // of a sample: height, width, channels
	Layers []Convolution
}

// Convolution is one layer, of stride 1.
type Convolution struct {
	Out     int  // channels
	Kernel  int  // height and width
	Pad     int  // zeros around the image
	Pool    int  // height and width of a window, and their distance; 0 for none
	Average bool // of the pooling: the mean in place of the largest
}

// Sizes are n_0 … n_L of the layers followed by fully connected ones.
func (c *Convolutional) Sizes(dense ...int) []int {
	sizes := []int{c.Image.Size()}
	for _, g := range c.geometry() {
		sizes = append(sizes, g.units())
	}
	return append(sizes, dense...)
}

// validate checks the layers, and that they go with the rest.
func (c *Convolutional) validate(all Config) error {
	if len(c.Image) != 3 || len(c.Layers) == 0 {
		return fmt.Errorf("eqprop: convolutions: image %v and %d layers, want height, width and channels, and at least one layer", c.Image, len(c.Layers))
	}
	for i, l := range c.Layers {
		if l.Out < 1 || l.Kernel < 1 || l.Pad < 0 || l.Pad >= l.Kernel || l.Pool < 0 || l.Pool > kernel.MaxWindow {
			return fmt.Errorf("eqprop: convolution %d: %+v: want channels and a kernel, a padding below the kernel, and a pooling of at most %d", i+1, l, kernel.MaxWindow)
		}
	}
	for i, g := range c.geometry() {
		if g.ph < 1 || g.pw < 1 {
			return fmt.Errorf("eqprop: convolution %d: nothing is left of %d×%d pixels; take a smaller kernel or pooling, or more padding", i+1, g.h, g.w)
		}
	}
	dense := len(all.Sizes) - 1 - len(c.Layers)
	if dense < 1 {
		return fmt.Errorf("eqprop: sizes %v behind %d convolutions: want a fully connected layer of outputs at the end", all.Sizes, len(c.Layers))
	}
	want := c.Sizes(all.Sizes[1+len(c.Layers):]...)
	for l, n := range want {
		if all.Sizes[l] != n {
			return fmt.Errorf("eqprop: sizes %v, want %v by the convolutions; take Convolutional.Sizes", all.Sizes, want)
		}
	}
	switch {
	case all.Spiking != nil || all.Predictor != nil:
		return errors.New("eqprop: convolutions go with neither spikes nor a predictor; leave these out")
	case all.Pruning != nil || all.Binary != nil:
		return errors.New("eqprop: convolutions go with neither pruning nor binary weights, which are of fully connected matrices; leave these out")
	case all.TopK != nil && all.TopK.Variant == Hard:
		return errors.New("eqprop: convolutions do not go with hard top-k: a drive that moves with the places of a pooling cannot be held down; take the budget, or soft top-k")
	case all.Schedule == SweepForward:
		return errors.New("eqprop: convolutions are swept backwards or updated at once: a forward sweep would move a state before its places in the windows above are known; take another schedule")
	}
	return nil
}

// geometry is a convolution of an image of h×w pixels and c channels, to a map of
// oh×ow pixels that is pooled to ph×pw.
type geometry struct {
	Convolution
	h, w, c, oh, ow, ph, pw int
}

// geometry is that of each layer; of none where an image is missing.
func (c *Convolutional) geometry() (all []geometry) {
	if c == nil || len(c.Image) != 3 {
		return nil
	}
	h, w, channels := c.Image[0], c.Image[1], c.Image[2]
	for _, l := range c.Layers {
		l.Pool = max(1, l.Pool)
		g := geometry{Convolution: l, h: h, w: w, c: channels, oh: h + 2*l.Pad - l.Kernel + 1, ow: w + 2*l.Pad - l.Kernel + 1}
		g.ph, g.pw = g.oh/l.Pool, g.ow/l.Pool
		all = append(all, g)
		h, w, channels = g.ph, g.pw, l.Out
	}
	return all
}

func (g *geometry) units() int  { return g.ph * g.pw * g.Out }
func (g *geometry) mapped() int { return g.oh * g.ow * g.Out }
func (g *geometry) run() int    { return g.Kernel * g.c } // adjacent elements of a patch

// canvas is the size of the image with its border.
func (g *geometry) canvas() (h, w int) { return g.h + 2*g.Pad, g.w + 2*g.Pad }

// places is the bytes that say where the largest elements of all windows stand.
func (g *geometry) places() int { return g.ph * g.pw * kernel.ArgPitch(g.Out) }

func (g *geometry) windows() kernel.Windows {
	return kernel.Windows{Count: g.pw, Size: g.Pool, Stride: g.Pool, Width: g.ow, Channels: g.Out}
}

func (g *geometry) patches() kernel.Patches {
	return kernel.Patches{H: g.h, W: g.w, C: g.c, KH: g.Kernel, KW: g.Kernel, Stride: 1, PadH: g.Pad, PadW: g.Pad}
}

// convolution is a layer's weights in the arrangements of both directions.
type convolution struct {
	geometry
	weights, bias []tensor.Float
	packed        kernel.Packed
	turned        []tensor.Float // a row (kernel row, channel), columns (kernel column, channel below)
}

// imaging is the working memory of a thread: an image with its border, the map before
// pooling, and lists of what is not zero.
type imaging struct {
	canvas, mapped []tensor.Float
	at, first      []int32
	val            []tensor.Float
	taps           [][]int32 // of a pixel's windows, the channels by place
	values         [][]tensor.Float
}

// newConvolutions are the layers of a network by number; nil for the others.
func newConvolutions(c Config, net *Net) []*convolution {
	all := make([]*convolution, len(c.Sizes))
	for i, g := range c.Convolutional.geometry() {
		all[i+1] = &convolution{geometry: g, weights: net.W[i].Value.Data, bias: net.B[i].Value.Data}
	}
	return all
}

// pack takes up the weights after they have changed.
func (g *convolution) pack(pool *par.Pool) {
	g.packed.Pack(pool, g.weights, g.Out, g.Kernel*g.run(), g.Out, false)
	g.turned = tensor.Resize(g.turned, len(g.weights))
	for i := range g.Kernel {
		for q := range g.run() {
			for o, v := range g.weights[(i*g.run()+q)*g.Out:][:g.Out] {
				g.turned[(i*g.Out+o)*g.run()+q] = v
			}
		}
	}
}

// sparseStates is the share of states that are not zero below which the rows of
// their weights are added one by one. Both ways give the same bits.
const sparseStates = 0.3

// up writes P(w ⋆ below + c), and where the largest elements stand.
func (g *convolution) up(m *imaging, dst, below []tensor.Float, places []uint8) {
	m.mapped = tensor.Resize(m.mapped, g.mapped())
	kernel.FillRows(m.mapped, g.bias)
	if float64(kernel.CountNonzero(below)) < sparseStates*float64(len(below)) {
		g.addEvents(m, below)
	} else {
		g.multiply(m, below)
	}
	g.pool(dst, m.mapped, places)
}

// addEvents adds the product of the states that are not zero to the map.
func (g *convolution) addEvents(m *imaging, below []tensor.Float) {
	m.at, m.val = kernel.Nonzeros(m.at[:0], m.val[:0], below, 0)
	if cap(m.first) < g.h*g.w+1 {
		m.first = make([]int32, g.h*g.w+1)
	}
	m.first = m.first[:g.h*g.w+1]
	kernel.Starts(m.first, m.at, g.c)
	p, row := g.patches(), g.ow*g.Out
	for y := range g.oh {
		p.AddRow(m.mapped[y*row:][:row], g.Out, g.weights, g.Out, g.Out, y, 0, g.ow, m.at, m.val, m.first)
	}
}

// multiply adds the product of all patches to the map.
func (g *convolution) multiply(m *imaging, below []tensor.Float) {
	canvas := g.paint(m, below)
	_, width := g.canvas()
	row := g.ow * g.Out
	for y := range g.oh {
		for i := range g.Kernel {
			g.packed.MulDirect(g.ow, canvas[(y+i)*width*g.c:], g.c, i*g.run(), g.run(), 0, g.Out, m.mapped[y*row:][:row], g.Out)
		}
	}
}

// paint is the image with its border.
func (g *geometry) paint(m *imaging, img []tensor.Float) []tensor.Float {
	if g.Pad == 0 {
		return img
	}
	h, w := g.canvas()
	m.canvas = tensor.Resize(m.canvas, h*w*g.c)
	clear(m.canvas)
	for y := range g.h {
		copy(m.canvas[((y+g.Pad)*w+g.Pad)*g.c:], img[y*g.w*g.c:][:g.w*g.c])
	}
	return m.canvas
}

// pool is P.
func (g *geometry) pool(dst, mapped []tensor.Float, places []uint8) {
	row, windows := g.pw*g.Out, g.windows()
	for y := range g.ph {
		out, from := dst[y*row:][:row], mapped[y*g.Pool*g.ow*g.Out:]
		switch {
		case g.Pool == 1:
			copy(out, from)
		case g.Average:
			windows.Mean(out, from, g.share())
		default:
			windows.Max(out, from, places[y*g.pw*kernel.ArgPitch(g.Out):])
		}
	}
}

// share is what average pooling takes of each element.
func (g *geometry) share() tensor.Float { return 1 / tensor.Float(g.Pool*g.Pool) }

// lift writes P⁻¹(s) to a map.
func (g *geometry) lift(mapped, s []tensor.Float, places []uint8) {
	row, windows := g.pw*g.Out, g.windows()
	clear(mapped)
	for y := range g.ph {
		from, to := s[y*row:][:row], mapped[y*g.Pool*g.ow*g.Out:]
		switch {
		case g.Pool == 1:
			copy(to, from)
		case g.Average:
			windows.MeanBackward(to, from, g.share(), false)
		default:
			windows.MaxBackward(to, from, places[y*g.pw*kernel.ArgPitch(g.Out):], false)
		}
	}
}

// down adds w ⋆ᵀ P⁻¹(s) to the image dst, state by state that is not zero.
func (g *convolution) down(m *imaging, dst, s []tensor.Float, places []uint8) {
	canvas := dst
	h, w := g.canvas()
	if g.Pad > 0 {
		m.canvas = tensor.Resize(m.canvas, h*w*g.c)
		clear(m.canvas)
		canvas = m.canvas
	}
	for i := range g.ph * g.pw {
		m.list(g, s[i*g.Out:][:g.Out], places, i)
		for k, channels := range m.taps[:g.Pool*g.Pool] {
			from := ((i/g.pw*g.Pool+k/g.Pool)*w + i%g.pw*g.Pool + k%g.Pool) * g.c
			kernel.AddRowsMulti(g.Kernel, canvas[from:], w*g.c, g.turned, g.Out*g.run(), g.run(), g.run(), channels, m.values[k])
		}
	}
	if g.Pad > 0 {
		for y := range g.h {
			kernel.Add(dst[y*g.w*g.c:][:g.w*g.c], canvas[((y+g.Pad)*w+g.Pad)*g.c:][:g.w*g.c])
		}
	}
}

// list finds, for each place of a window, the channels of pooled pixel i that P⁻¹
// puts there.
func (m *imaging) list(g *convolution, s []tensor.Float, places []uint8, i int) {
	for len(m.taps) < g.Pool*g.Pool {
		m.taps, m.values = append(m.taps, nil), append(m.values, nil)
	}
	for k := range g.Pool * g.Pool {
		m.taps[k], m.values[k] = m.taps[k][:0], m.values[k][:0]
	}
	if g.Pool == 1 || g.Average {
		m.taps[0], m.values[0] = kernel.Nonzeros(m.taps[0], m.values[0], s, 0)
		kernel.Scale(m.values[0], g.share())
		for k := 1; k < g.Pool*g.Pool; k++ {
			m.taps[k], m.values[k] = append(m.taps[k], m.taps[0]...), append(m.values[k], m.values[0]...)
		}
		return
	}
	where := places[i*kernel.ArgPitch(g.Out):]
	for o, v := range s {
		if v != 0 {
			k := where[o]
			m.taps[k], m.values[k] = append(m.taps[k], int32(o)), append(m.values[k], v)
		}
	}
}

// convolve drives a block's states of layer l from below.
func (r *relaxer) convolve(w *block, l int) {
	g, n, k := r.convs[l], r.sizes[l], r.sizes[l-1]
	for i := range w.count {
		g.up(&w.images, w.z[l][i*n:][:n], w.s[l-1][i*k:][:k], w.places[l][i*g.places():][:g.places()])
	}
}

// convolveBack adds to the drives of a block's layer l what convolution l + 1 sends
// down: its drives were computed before, from the same states of layer l.
func (r *relaxer) convolveBack(w *block, l int) {
	g, n, k := r.convs[l+1], r.sizes[l+1], r.sizes[l]
	for i := range w.count {
		g.down(&w.images, w.z[l][i*k:][:k], w.s[l+1][i*n:][:n], w.places[l+1][i*g.places():][:g.places()])
	}
}

// convolveInput writes the drives of a block's first layer, which stay.
func (r *relaxer) convolveInput(w *block, b *batch) {
	g, n := r.convs[1], r.sizes[1]
	for i := range w.total {
		g.up(&w.images, w.base[1][i*n:][:n], b.x[(w.lo+i)*b.in:][:b.in], w.places[1][i*g.places():][:g.places()])
	}
}

// lift writes P⁻¹ of a block's states, with the places that belong to them, to rows
// of the batch. The drives are overwritten.
func (r *relaxer) lift(w *block, b *batch, mapped [][]tensor.Float) {
	for l, g := range r.convs {
		if g == nil {
			continue
		}
		n, k, size := r.sizes[l], r.sizes[l-1], g.mapped()
		for i, sample := range w.who {
			below := b.x[sample*b.in:][:b.in]
			if l > 1 {
				below = w.s[l-1][i*k:][:k]
			}
			places := w.places[l][i*g.places():][:g.places()]
			g.up(&w.images, w.z[l][i*n:][:n], below, places)
			g.lift(mapped[l][sample*size:][:size], w.s[l][i*n:][:n], places)
		}
	}
}

// mapped is the units of layer l before pooling.
func (r *relaxer) mapped(l int) int {
	if g := r.convs[l]; g != nil {
		return g.mapped()
	}
	return r.sizes[l]
}

// liftedDifferences is differences for a convolution, whose states were lifted to
// scaled, and those they are compared with to steps.
func (r *relaxer) liftedDifferences(w *block, l int, scale tensor.Float) {
	n := r.mapped(l)
	steps, scaled := r.steps[l][w.lo*n:(w.lo+w.total)*n], r.scaled[l][w.lo*n:(w.lo+w.total)*n]
	kernel.Scale(steps, -1)
	kernel.Add(steps, scaled)
	kernel.Scale(steps, scale)
	kernel.Scale(scaled, scale)
}

// convolution updates rows [lo, hi) of a convolution's weights: with u = P⁻¹(p) and
// v = P⁻¹(m), p ⋆ u − m ⋆ v as (p − m) ⋆ u + m ⋆ (u − v).
func (u *update) convolution(worker, l, lo, hi int, dst []tensor.Float) {
	r := u.r
	if l == 1 {
		u.correlate(worker, l, lo, hi, u.b.x, r.steps[l], dst)
		return
	}
	u.correlate(worker, l, lo, hi, r.diff[l-1], r.scaled[l], dst)
	u.correlate(worker, l, lo, hi, u.before[l-1], r.steps[l], dst)
}

// correlate adds the correlation of all samples' images with maps to rows [lo, hi) of
// a convolution's weights.
func (u *update) correlate(worker, l, lo, hi int, images, maps, dst []tensor.Float) {
	g, n := u.r.convs[l], u.r.sizes[l-1]
	_, width := g.canvas()
	for b := range u.b.n {
		canvas, mapped := g.paint(&u.r.blocks[worker].images, images[b*n:][:n]), maps[b*g.mapped():][:g.mapped()]
		for row := lo; row < hi; {
			i, q := row/g.run(), row%g.run()
			end := min(hi, (i+1)*g.run())
			for y := range g.oh {
				kernel.MulOuter(g.ow, end-row, g.Out, canvas[(y+i)*width*g.c+q:], g.c, mapped[y*g.ow*g.Out:], g.Out, dst[(row-lo)*g.Out:], g.Out)
			}
			row = end
		}
	}
}

// energy is ⟨P(w ⋆ below + c), s⟩ in float64.
func (g *geometry) energy(w, bias, below, s []tensor.Float) (sum float64) {
	for i, v := range s {
		o, p := i%g.Out, i/g.Out
		sum += float64(v) * g.pooled(w, bias, below, p/g.pw*g.Pool, p%g.pw*g.Pool, o)
	}
	return sum
}

// pooled is one element behind the pooling, of the window that begins at a pixel.
func (g *geometry) pooled(w, bias, below []tensor.Float, y, x, o int) (out float64) {
	for k := range g.Pool * g.Pool {
		v := g.element(w, below, y+k/g.Pool, x+k%g.Pool, o) + float64(bias[o])
		switch {
		case g.Average:
			out += v / float64(g.Pool*g.Pool)
		case k == 0 || v > out:
			out = v
		}
	}
	return out
}

// element is one of w ⋆ below.
func (g *geometry) element(w, below []tensor.Float, y, x, o int) (sum float64) {
	for i := range g.Kernel {
		for j := range g.Kernel {
			p, q := y+i-g.Pad, x+j-g.Pad
			if p < 0 || p >= g.h || q < 0 || q >= g.w {
				continue
			}
			for c, v := range below[(p*g.w+q)*g.c:][:g.c] {
				sum += float64(v) * float64(w[((i*g.Kernel+j)*g.c+c)*g.Out+o])
			}
		}
	}
	return sum
}
