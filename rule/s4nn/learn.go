package s4nn

import (
	"synfire/internal/kernel"
	"synfire/tensor"
)

// targets writes e_j·T = T_j − t_j, the steps that outputs are to move by, and returns the
// loss.
func targets(moves []float64, times []int32, label, gap, steps int) (loss float64) {
	first := int32(steps)
	for _, t := range times {
		first = min(first, t)
	}
	for j, t := range times {
		want := t
		switch {
		case j == label && int(first) == steps: // none fired
			want = int32(steps - gap)
		case j == label:
			want = first
		case int(first) < steps && int(t-first) < gap:
			want = int32(min(int(first)+gap, steps))
		}
		moves[j] = float64(want - t)
		e := moves[j] / float64(steps)
		loss += e * e / 2
	}
	return loss
}

// normalize divides by the norm, and reports whether there is one.
func normalize(x []float64) bool {
	length := norm(x)
	if length == 0 {
		return false
	}
	for i := range x {
		x[i] /= length
	}
	return true
}

// learn changes to, which has the shapes of the weights or is them, by the update of the
// sample that was run, times rate: −rate·δ_j for each pair with t_i < t_j. Errors pass
// through the weights as they were before, or, updated, as they are by then. It reports
// whether the sample had an error; weights do not decay here.
func (n *network) learn(to [][]tensor.Float, label, gap int, rate float64, updated bool) bool {
	last := len(n.layer) - 1
	targets(n.delta[last], n.output().times, label, gap, n.steps)
	if !normalize(n.delta[last]) {
		return false
	}
	for l := last; l >= 0; l-- {
		var back []float64
		if l > 0 {
			back = n.delta[l-1]
		}
		n.update(l, to[l], rate, back, updated)
		if l > 0 && !normalize(back) {
			break // no error comes further
		}
	}
	return true
}

// update is the step of a layer: to −= rate·δ_j [t_i < t_j]. Where back is not nil it
// becomes d_i = Σ_j δ_j w_ji [t_i < t_j], but for a factor that is positive.
func (n *network) update(l int, to []tensor.Float, rate float64, back []float64, updated bool) {
	p, in, w := n.layer[l], n.below(l), n.w[l]
	size := len(p.v)
	mask := n.mask[:size]
	until := int32(0) // after which no error is left
	for j, d := range n.delta[l] {
		if mask[j] = tensor.Float(-rate * d); d != 0 {
			until = max(until, p.times[j])
		}
	}
	clear(back)
	cleared := 0
	for k, t := range in.time {
		if t >= until {
			break
		}
		for ; cleared < len(p.out.time) && p.out.time[cleared] <= t; cleared++ {
			mask[p.out.unit[cleared]] = 0
		}
		i := int(in.unit[k])
		if back != nil && !updated {
			back[i] = -dot(mask, w[i*size:][:size])
		}
		kernel.Add(to[i*size:][:size], mask)
		if back != nil && updated {
			back[i] = -dot(mask, w[i*size:][:size])
		}
	}
}

// dot is the inner product, in the order of the elements.
func dot(a, b []tensor.Float) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
