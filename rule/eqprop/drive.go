package eqprop

import (
	"math"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// step moves all layers once. The layers above come first where the order is free:
// a convolution's drives tell where its pooled states belong in the layer below.
func (r *relaxer) step(w *block, b *batch, beta tensor.Float) {
	clear(w.change[:w.count])
	switch r.c.Schedule {
	case Simultaneous:
		for l := r.top; l >= 1; l-- {
			r.drive(w, b, l, beta)
		}
		for l := 1; l <= r.top; l++ {
			r.settle(w, l)
		}
	case SweepForward:
		for l := 1; l <= r.top; l++ {
			r.drive(w, b, l, beta)
			r.settle(w, l)
		}
	case SweepBackward:
		for l := r.top; l >= 1; l-- {
			r.drive(w, b, l, beta)
			r.settle(w, l)
		}
	}
}

// drive computes z_l, with what nudges the layer.
func (r *relaxer) drive(w *block, b *batch, l int, beta tensor.Float) {
	n := r.sizes[l]
	z := w.z[l][:w.count*n]
	r.fromBelow(w, l, z)
	r.fromAbove(w, b, l, z, beta)
	r.c.Activation.Apply(z)
	if l == r.top && beta != 0 && r.c.Output == SquaredError {
		r.nudge(w, b, z, tensor.Float(2*r.c.CostScale)*beta)
	}
}

// fromBelow is what the layer below, or the input, adds to the biases.
func (r *relaxer) fromBelow(w *block, l int, z []tensor.Float) {
	switch {
	case l > 1 && r.convs[l] != nil:
		r.convolve(w, l)
	default:
		copy(z, w.base[l])
		if l > 1 {
			r.addUp(w, l, w.count, w.s[l-1], z)
		}
	}
}

// fromAbove adds what the layer above sends, or a readout that nudges.
func (r *relaxer) fromAbove(w *block, b *batch, l int, z []tensor.Float, beta tensor.Float) {
	switch {
	case l < r.top && r.convs[l+1] != nil:
		r.convolveBack(w, l)
	case l < r.top:
		r.addDown(w, l, w.s[l+1], z)
	case beta != 0 && r.c.Output == CrossEntropy:
		r.readout(w, b, w.s[l], w.delta[:w.count*r.sizes[l+1]])
		kernel.Scale(w.delta, beta)
		r.addDown(w, l, w.delta, z)
	}
}

// addUp adds W_lᵀ s of count rows of the states below layer l.
func (r *relaxer) addUp(w *block, l, count int, s, z []tensor.Float) {
	r.dense[l].Up(&w.product, count, s[:count*r.sizes[l-1]], z)
}

// addDown adds W_{l+1} s of the moving rows of what is above layer l.
func (r *relaxer) addDown(w *block, l int, s, z []tensor.Float) {
	r.dense[l+1].Down(&w.product, w.count, s[:w.count*r.sizes[l+1]], z)
}

// nudge adds strength·(y − s_L).
func (r *relaxer) nudge(w *block, b *batch, z []tensor.Float, strength tensor.Float) {
	n := r.sizes[r.top]
	for i := range w.count {
		row, s := z[i*n:][:n], w.s[r.top][i*n:][:n]
		for j, v := range s {
			row[j] -= strength * v
		}
		row[b.labels[w.who[i]]] += strength
	}
}

// settle moves a layer to where its drive pulls it.
func (r *relaxer) settle(w *block, l int) {
	n := r.sizes[l]
	if r.limits(l) {
		for i := range w.count {
			w.change[i] = max(w.change[i], r.settleRow(w, l, i, w.s[l][i*n:][:n], w.z[l][i*n:][:n]))
		}
		return
	}
	if r.c.Tolerance == 0 {
		r.move.Step(w.s[l][:w.count*n], w.z[l][:w.count*n])
		return
	}
	for i := range w.count {
		w.change[i] = max(w.change[i], r.move.Step(w.s[l][i*n:][:n], w.z[l][i*n:][:n]))
	}
}

// logits of the states below a readout.
func (r *relaxer) logits(w *block, count int, s, dst []tensor.Float) {
	l := len(r.sizes) - 1
	kernel.FillRows(dst, r.net.B[l-1].Value.Data)
	r.addUp(w, l, count, s, dst)
}

// readout writes y − o of the states below it.
func (r *relaxer) readout(w *block, b *batch, s, dst []tensor.Float) {
	n := r.sizes[len(r.sizes)-1]
	count := len(dst) / n
	r.logits(w, count, s, dst)
	for i := range count {
		row := dst[i*n:][:n]
		softmax(row)
		for j := range row {
			row[j] = -row[j]
		}
		row[b.labels[w.who[i]]]++
	}
}

// readScores writes a readout's logits of the free states.
func (r *relaxer) readScores(w *block, states [][]tensor.Float) {
	if r.c.Output == CrossEntropy {
		k, n := r.sizes[r.top], r.sizes[r.top+1]
		r.logits(w, w.total, states[r.top][w.lo*k:], states[r.top+1][w.lo*n:][:w.total*n])
	}
}

// readErrors writes a readout's scaled errors y − o, of nudged states.
func (r *relaxer) readErrors(w *block, b *batch, states [][]tensor.Float, phases int) {
	if r.c.Output != CrossEntropy {
		return
	}
	l, n := r.top+1, r.sizes[r.top+1]
	r.readout(w, b, w.s[r.top], w.delta)
	kernel.Scale(w.delta, tensor.Float(r.rate(l)/float64(b.n*phases)))
	for i, sample := range w.who {
		copy(states[l][sample*n:][:n], w.delta[i*n:])
	}
}

func softmax(x []tensor.Float) {
	top, sum := x[0], 0.0
	for _, v := range x {
		top = max(top, v)
	}
	for i, v := range x {
		e := math.Exp(float64(v - top))
		x[i] = tensor.Float(e)
		sum += e
	}
	for i := range x {
		x[i] = tensor.Float(float64(x[i]) / sum)
	}
}

// convolve drives a block's states of layer l from below.
func (r *relaxer) convolve(w *block, l int) {
	g, n, k := r.convs[l], r.sizes[l], r.sizes[l-1]
	for i := range w.count {
		g.Up(&w.images, w.z[l][i*n:][:n], w.s[l-1][i*k:][:k], w.places[l][i*g.Pool.Places():][:g.Pool.Places()])
	}
}

// convolveBack adds to the drives of a block's layer l what convolution l + 1 sends
// down: its drives were computed before, from the same states of layer l.
func (r *relaxer) convolveBack(w *block, l int) {
	g, n, k := r.convs[l+1], r.sizes[l+1], r.sizes[l]
	for i := range w.count {
		g.Down(&w.images, w.z[l][i*k:][:k], w.s[l+1][i*n:][:n], w.places[l+1][i*g.Pool.Places():][:g.Pool.Places()])
	}
}

// convolveInput writes the drives of a block's first layer, which stay.
func (r *relaxer) convolveInput(w *block, b *batch) {
	g, n := r.convs[1], r.sizes[1]
	for i := range w.total {
		g.Up(&w.images, w.base[1][i*n:][:n], b.x[(w.lo+i)*b.in:][:b.in], w.places[1][i*g.Pool.Places():][:g.Pool.Places()])
	}
}

// lift writes P⁻¹ of a block's states, with the places that belong to them, to rows
// of the batch. The drives are overwritten.
func (r *relaxer) lift(w *block, b *batch, mapped [][]tensor.Float) {
	for l, g := range r.convs {
		if g == nil {
			continue
		}
		n, k, size := r.sizes[l], r.sizes[l-1], g.Mapped()
		for i, sample := range w.who {
			below := b.x[sample*b.in:][:b.in]
			if l > 1 {
				below = w.s[l-1][i*k:][:k]
			}
			places := w.places[l][i*g.Pool.Places():][:g.Pool.Places()]
			g.Up(&w.images, w.z[l][i*n:][:n], below, places)
			g.Pool.Transpose(&w.images, mapped[l][sample*size:][:size], w.s[l][i*n:][:n], places)
		}
	}
}

// mapped is the units of layer l before pooling.
func (r *relaxer) mapped(l int) int {
	if g := r.convs[l]; g != nil {
		return g.Mapped()
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
