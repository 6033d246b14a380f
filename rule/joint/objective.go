package joint

import (
	"math"

	"synfire/signal"
	"synfire/tensor"
)

// distil is τ²·KL(softmax(teacher/τ) ‖ softmax(scores/τ)), in the mean over the batch. It
// adds the errors, times weight, to those of l.
func distil(l *logits, teacher []tensor.Float, tau, weight float64) (value float64) {
	k := l.out.Units()
	batch, steps := l.out.B, l.out.T
	p, q := make([]float64, k), make([]float64, k)
	for b := range batch {
		logP, logQ := softmax(p, teacher[b*k:][:k], tau), softmax(q, l.scores[b*k:][:k], tau)
		for i := range k {
			value += tau * tau * p[i] * ((float64(teacher[b*k+i])/tau - logP) - (float64(l.scores[b*k+i])/tau - logQ)) / float64(batch)
			g := tensor.Float(weight * tau * (q[i] - p[i]) / float64(batch*steps))
			for t := range steps {
				l.dout.Data[(t*batch+b)*k+i] += g
			}
		}
	}
	return value
}

// softmax writes that of x/τ to p, and returns the logarithm of its denominator.
func softmax(p []float64, x []tensor.Float, tau float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v)/tau)
	}
	for i, v := range x {
		p[i] = math.Exp(float64(v)/tau - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return top + math.Log(sum)
}

// matchRates is (1/L) Σ_l mean over units of (r − a/Λ)², in the mean over the batch, with its
// errors at the spikes.
func (l *Learner) matchRates() (value float64) {
	for i, rates := range l.rates {
		a, steps := l.ann.outs[i], l.setting.Steps
		level, e := l.level(i+1), &l.atRates[i]
		e.Reset(signal.Dense, steps, a.B, a.Shape)
		share := 1 / (float64(len(l.rates)) * float64(len(rates)))
		spread := l.rule.Match * 2 * share / float64(steps-l.late[i])
		for k, r := range rates {
			d := float64(r) - float64(a.Data[k])/level
			value += d * d * share
			e.Data[k] = tensor.Float(d * spread)
		}
		for t := 1; t < steps; t++ {
			copy(e.Data[t*len(rates):], e.Data[:len(rates)])
		}
		l.snn.errors[i] = e
	}
	return value
}

// dots are the products of two gradients.
func dots(g, h []tensor.Float) (gh, gg, hh float64) {
	for i, a := range g {
		x, y := float64(a), float64(h[i])
		gh, gg, hh = gh+x*y, gg+x*x, hh+y*y
	}
	return gh, gg, hh
}

// pearson is the correlation of two rows, 0 where one of them is constant.
func pearson(x, y []tensor.Float) float64 {
	var sx, sy float64
	for i, v := range x {
		sx, sy = sx+float64(v), sy+float64(y[i])
	}
	n := float64(len(x))
	var xx, yy, xy float64
	for i, v := range x {
		a, b := float64(v)-sx/n, float64(y[i])-sy/n
		xx, yy, xy = xx+a*a, yy+b*b, xy+a*b
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}
