package stdpcnn

import (
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// layer is a convolution of neurons without leak that fire once, when their potential exceeds the
// threshold, and whose maps compete to learn.
type layer struct {
	in, maps, size int
	threshold      tensor.Float
	winners, reach int            // of a sample; what a winner keeps from winning about it
	weight         []tensor.Float // [size, size, in, maps]
	plus           tensor.Float   // rate of growth; that of shrinking is three quarters of it
	doubles        int            // samples after which the rate doubles
	seen           int
}

// The rate at the beginning and at the end.
const (
	firstRate = 0.004
	lastRate  = 0.15
)

func newLayer(in, maps, size int, threshold tensor.Float, winners, reach int, src *rng.Source) *layer {
	l := &layer{in: in, maps: maps, size: size, threshold: threshold, winners: winners, reach: reach, plus: firstRate, doubles: 500, weight: make([]tensor.Float, size*size*in*maps)}
	for i := range l.weight {
		l.weight[i] = min(max(tensor.Float(0.8+0.05*src.Norm()), 0), 1)
	}
	return l
}

// pass is the working memory of a goroutine for a layer.
type pass struct {
	potential []tensor.Float // [height, width, maps], of all that has come
	level     []tensor.Float // when it fired
	order     [bins][]int32  // inputs by step
	out       wave
}

// run fills p.out with the steps in which neurons fire. Inputs have borders of silence, so that
// there are as many positions as in the input.
func (l *layer) run(in wave, p *pass) {
	n := in.height * in.width * l.maps
	if len(p.potential) != n {
		p.potential, p.level, p.out = make([]tensor.Float, n), make([]tensor.Float, n), newWave(in.height, in.width, l.maps)
	}
	clear(p.potential)
	for i := range p.out.when {
		p.out.when[i] = never
	}
	for t := range p.order {
		p.order[t] = p.order[t][:0]
	}
	for i, t := range in.when {
		if t != never {
			p.order[t] = append(p.order[t], int32(i))
		}
	}
	for t, list := range p.order {
		for _, i := range list {
			l.spread(in, int(i), p.potential)
		}
		if len(list) == 0 {
			continue
		}
		for i, v := range p.potential {
			if v > l.threshold && p.out.when[i] == never {
				p.out.when[i], p.level[i] = int8(t), v
			}
		}
	}
}

// spread adds a spike of input i to the potentials that it reaches.
func (l *layer) spread(in wave, i int, potential []tensor.Float) {
	c, at := i%in.channels, i/in.channels
	y, x, half := at/in.width, at%in.width, l.size/2
	for ky := range l.size {
		oy := y + half - ky
		if oy < 0 || oy >= in.height {
			continue
		}
		for kx := range l.size {
			if ox := x + half - kx; ox >= 0 && ox < in.width {
				kernel.AddScaled(potential[(oy*in.width+ox)*l.maps:][:l.maps], l.weight[((ky*l.size+kx)*in.channels+c)*l.maps:][:l.maps], 1)
			}
		}
	}
}

// winner is a neuron that learns from a sample.
type winner struct {
	y, x, m int
	when    int8
	level   tensor.Float
}

// before tells whether a is to win over b: it fires earlier, or in the same step from a higher potential.
func (a winner) before(b winner) bool {
	return a.when < b.when || a.when == b.when && a.level > b.level
}

// compete are the winners of a sample that was run: of each position the first map alone may win;
// each winner keeps its map from winning elsewhere, and all maps within its reach.
func (l *layer) compete(p *pass) (won []winner) {
	var first []winner
	for at := range p.out.height * p.out.width {
		best := winner{when: never}
		for m := range l.maps {
			i := at*l.maps + m
			if w := (winner{at / p.out.width, at % p.out.width, m, p.out.when[i], p.level[i]}); w.when != never && w.before(best) {
				best = w
			}
		}
		if best.when != never {
			first = append(first, best)
		}
	}
	for len(won) < l.winners && len(first) > 0 {
		best := first[0]
		for _, w := range first[1:] {
			if w.before(best) {
				best = w
			}
		}
		won = append(won, best)
		first = slices.DeleteFunc(first, func(w winner) bool {
			return w.m == best.m || max(abs(w.y-best.y), abs(w.x-best.x)) <= l.reach
		})
	}
	return won
}

func abs(v int) int { return max(v, -v) }

// learn runs a sample and lets its winners learn by the order of spikes: w += a₊·w(1 − w) of inputs
// that fired before the winner or with it, w −= a₋·w(1 − w) of all others.
func (l *layer) learn(in wave, p *pass) {
	l.run(in, p)
	for _, w := range l.compete(p) {
		l.taps(in, w, func(k int, early bool) {
			a := l.plus
			if !early {
				a = -0.75 * l.plus
			}
			v := l.weight[k]
			l.weight[k] = v + a*v*(1-v)
		})
	}
	if l.seen++; l.seen%l.doubles == 0 {
		l.plus = min(2*l.plus, lastRate)
	}
}

// taps visits the weights of a winner, each with whether its input has fired by then.
func (l *layer) taps(in wave, w winner, visit func(k int, early bool)) {
	half := l.size / 2
	for ky := range l.size {
		for kx := range l.size {
			y, x := w.y+ky-half, w.x+kx-half
			inside := y >= 0 && y < in.height && x >= 0 && x < in.width
			for c := range l.in {
				early := inside && in.when[(y*in.width+x)*in.channels+c] <= w.when
				visit(((ky*l.size+kx)*l.in+c)*l.maps+w.m, early)
			}
		}
	}
}

// open is the mean of 4w(1 − w): 0 for weights that are 0 or 1.
func (l *layer) open() float64 {
	sum := 0.0
	for _, w := range l.weight {
		sum += float64(4 * w * (1 - w))
	}
	return sum / float64(len(l.weight))
}

// shuffled is the layer with the taps of each map in another order.
func (l *layer) shuffled(src *rng.Source) *layer {
	out := *l
	out.weight = make([]tensor.Float, len(l.weight))
	n := len(l.weight) / l.maps
	for m := range l.maps {
		for to, from := range src.Perm(n) {
			out.weight[to*l.maps+m] = l.weight[from*l.maps+m]
		}
	}
	return &out
}
