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
	r.c.Activation.apply(z)
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
	k, n := r.sizes[l-1], r.sizes[l]
	if r.kept[l-1].sums {
		w.product.add(&r.kept[l-1].columns, count, s, k, z, n)
		return
	}
	r.up[l].MulDirect(count, s, k, 0, k, 0, n, z, n)
}

// addDown adds W_{l+1} s of the moving rows of what is above layer l.
func (r *relaxer) addDown(w *block, l int, s, z []tensor.Float) {
	k, n := r.sizes[l+1], r.sizes[l]
	if r.kept[l].sums {
		w.product.add(&r.kept[l].rows, w.count, s, k, z, n)
		return
	}
	r.down[l+1].MulDirect(w.count, s, k, 0, k, 0, n, z, n)
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
		w.moved[l] = 0
		for i := range w.count {
			change := r.settleRow(w, l, i, w.s[l][i*n:][:n], w.z[l][i*n:][:n])
			w.moved[l], w.change[i] = max(w.moved[l], change), max(w.change[i], change)
		}
		return
	}
	if r.c.Tolerance == 0 {
		w.moved[l] = r.move.Step(w.s[l][:w.count*n], w.z[l][:w.count*n])
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

// apply is σ of each element, in place.
func (a Activation) apply(z []tensor.Float) {
	switch a {
	case HardSigmoid:
		kernel.Relax{Gain: 1, Hi: 1}.Step(z, z)
	case HalfSigmoid:
		kernel.Relax{Gain: 0.5, Hi: 1}.Step(z, z)
	case Logistic:
		kernel.Logistic{Threshold: 0.5, Slope: 4}.Of(z, z)
	case Tanh:
		for i, v := range z {
			z[i] = tensor.Float(math.Tanh(float64(v)))
		}
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
