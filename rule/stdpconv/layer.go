package stdpconv

import (
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// Stage is a layer as a configuration describes it.
type Stage struct {
	Maps      int     `yaml:"maps,required"`      // features
	Kernel    int     `yaml:"kernel,required"`    // side of a neuron's window
	Threshold float64 `yaml:"threshold,required"` // θ; a weight begins at about 0.8
	Winners   int     `yaml:"winners,required"`   // of a sample that learn, at most
	Reach     int     `yaml:"reach,omitempty"`    // places about a winner at which no other map wins
	Pool      int     `yaml:"pool,omitempty"`     // side of the squares whose earliest spike passes on; 0: none are pooled
	Samples   int     `yaml:"samples,required"`   // that it learns, epoch after epoch
}

// Plasticity is how weights change.
type Plasticity struct {
	Plus   float64 // a₊ at first
	Most   float64 // largest a₊
	Minus  float64 // a₋ as a part of a₊
	Double int     // samples after which a₊ doubles
}

// Published are the constants of Mozafari et al.
func Published() Plasticity { return Plasticity{Plus: 0.004, Most: 0.15, Minus: 0.75, Double: 500} }

// Layer is a convolution of neurons without leak that fire once, when their potential exceeds the
// threshold, and whose maps compete to learn.
type Layer struct {
	In, Maps, Kernel     int
	Threshold            tensor.Float
	Winners, Reach, Pool int
	Weight               []tensor.Float // [kernel, kernel, in, maps]

	plasticity Plasticity
	plus       tensor.Float // rate of growth
	seen       int
}

// NewLayer draws the weights from a normal distribution of mean 0.8 and deviation 0.05, within [0, 1].
func NewLayer(in int, s Stage, p Plasticity, src *rng.Source) *Layer {
	l := &Layer{
		In: in, Maps: s.Maps, Kernel: s.Kernel, Threshold: tensor.Float(s.Threshold), Winners: s.Winners, Reach: s.Reach, Pool: max(s.Pool, 1),
		Weight: make([]tensor.Float, s.Kernel*s.Kernel*in*s.Maps), plasticity: p, plus: tensor.Float(p.Plus),
	}
	for i := range l.Weight {
		l.Weight[i] = min(max(tensor.Float(0.8+0.05*src.Norm()), 0), 1)
	}
	return l
}

// Pass is the working memory of a goroutine for a layer.
type Pass struct {
	Potential []tensor.Float // [height, width, maps], of all that has come
	Out       Wave
	level     []tensor.Float // when it fired
	order     [][]int32      // inputs by step
}

// Run fills p.Out with the steps in which neurons fire. Inputs have borders of silence, so that
// there are as many places as in the input.
func (l *Layer) Run(in Wave, p *Pass) {
	p.prepare(in, l.Maps)
	for t, list := range p.order {
		for _, i := range list {
			l.Spread(in, int(i), p.Potential)
		}
		if len(list) == 0 {
			continue
		}
		for i, v := range p.Potential {
			if v > l.Threshold && p.Out.When[i] == Never {
				p.Out.When[i], p.level[i] = int8(t), v
			}
		}
	}
}

// prepare puts everything to rest, and the inputs in order.
func (p *Pass) prepare(in Wave, maps int) {
	if o := p.Out; o.Height != in.Height || o.Width != in.Width || o.Channels != maps {
		n := in.Height * in.Width * maps
		p.Potential, p.level, p.Out = make([]tensor.Float, n), make([]tensor.Float, n), NewWave(in.Height, in.Width, maps)
	}
	clear(p.Potential)
	for i := range p.Out.When {
		p.Out.When[i] = Never
	}
	for t := range p.order {
		p.order[t] = p.order[t][:0]
	}
	for i, t := range in.When {
		if t == Never {
			continue
		}
		for len(p.order) <= int(t) {
			p.order = append(p.order, nil)
		}
		p.order[t] = append(p.order[t], int32(i))
	}
}

// Spread adds a spike of input i to the potentials that it reaches.
func (l *Layer) Spread(in Wave, i int, potential []tensor.Float) {
	c, at := i%in.Channels, i/in.Channels
	y, x, half := at/in.Width, at%in.Width, l.Kernel/2
	for ky := range l.Kernel {
		oy := y + half - ky
		if oy < 0 || oy >= in.Height {
			continue
		}
		for kx := range l.Kernel {
			if ox := x + half - kx; ox >= 0 && ox < in.Width {
				kernel.AddScaled(potential[(oy*in.Width+ox)*l.Maps:][:l.Maps], l.Weight[((ky*l.Kernel+kx)*in.Channels+c)*l.Maps:][:l.Maps], 1)
			}
		}
	}
}

// Winner is a neuron that learns from a sample: its place, its map and when it fired.
type Winner struct {
	Y, X, Map int
	When      int8
	level     tensor.Float
}

// before tells whether a is to win over b: it fires earlier, or in the same step from a higher potential.
func (a Winner) before(b Winner) bool {
	return a.When < b.When || a.When == b.When && a.level > b.level
}

// compete are the winners of a sample that was run: of each place the first map alone may win;
// each winner keeps its map from winning elsewhere, and all maps within its reach.
func (l *Layer) compete(p *Pass) (won []Winner) {
	var first []Winner
	for at := range p.Out.Height * p.Out.Width {
		best := Winner{When: Never}
		for m := range l.Maps {
			i := at*l.Maps + m
			if w := (Winner{at / p.Out.Width, at % p.Out.Width, m, p.Out.When[i], p.level[i]}); w.When != Never && w.before(best) {
				best = w
			}
		}
		if best.When != Never {
			first = append(first, best)
		}
	}
	for len(won) < l.Winners && len(first) > 0 {
		best := first[0]
		for _, w := range first[1:] {
			if w.before(best) {
				best = w
			}
		}
		won = append(won, best)
		first = slices.DeleteFunc(first, func(w Winner) bool {
			return w.Map == best.Map || max(abs(w.Y-best.Y), abs(w.X-best.X)) <= l.Reach
		})
	}
	return won
}

func abs(v int) int { return max(v, -v) }

// Learn runs a sample and lets its winners learn by the order of spikes. It returns their number.
func (l *Layer) Learn(in Wave, p *Pass) int {
	l.Run(in, p)
	won := l.compete(p)
	minus := tensor.Float(l.plasticity.Minus)
	for _, w := range won {
		l.Taps(in, w, func(k int, early bool) {
			a := l.plus
			if !early {
				a = -minus * l.plus
			}
			v := l.Weight[k]
			l.Weight[k] = v + a*v*(1-v)
		})
	}
	if l.seen++; l.seen%l.plasticity.Double == 0 {
		l.plus = min(2*l.plus, tensor.Float(l.plasticity.Most))
	}
	return len(won)
}

// resume makes the layer one that has learned so many samples.
func (l *Layer) resume(seen int) {
	l.seen, l.plus = seen, tensor.Float(l.plasticity.rate(seen))
}

// rate is a₊ behind so many samples.
func (p Plasticity) rate(samples int) float64 {
	plus, most := tensor.Float(p.Plus), tensor.Float(p.Most)
	for k := samples / p.Double; k > 0 && plus < most; k-- {
		plus = min(2*plus, most)
	}
	return float64(plus)
}

// Taps visits the weights of a winner, each with whether its input has fired by then.
func (l *Layer) Taps(in Wave, w Winner, visit func(k int, early bool)) {
	half := l.Kernel / 2
	for ky := range l.Kernel {
		for kx := range l.Kernel {
			y, x := w.Y+ky-half, w.X+kx-half
			inside := y >= 0 && y < in.Height && x >= 0 && x < in.Width
			for c := range l.In {
				early := inside && in.When[(y*in.Width+x)*in.Channels+c] <= w.When
				visit(((ky*l.Kernel+kx)*l.In+c)*l.Maps+w.Map, early)
			}
		}
	}
}

// Unsettled is the mean of 4w(1 − w): 0 for weights that are 0 or 1.
func (l *Layer) Unsettled() float64 {
	sum := 0.0
	for _, w := range l.Weight {
		sum += float64(4 * w * (1 - w))
	}
	return sum / float64(len(l.Weight))
}

// Net is layers, each on the pooled spikes of the one before.
type Net []*Layer

// Run is the pooled spikes of the last layer. It needs a pass for each.
func (n Net) Run(in Wave, passes []Pass) Wave {
	for k, l := range n {
		l.Run(in, &passes[k])
		in = passes[k].Out.Pool(l.Pool)
	}
	return in
}
