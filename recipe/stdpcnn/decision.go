package stdpcnn

import (
	"context"

	"synfire/internal/rng"
	"synfire/rule/stdpconv"
	"synfire/tensor"
)

// decision is the layer that learns by reward (Mozafari et al. 2019): so many maps of each class
// without a threshold, the largest potential at the last step wins, and its class is the decision.
// Only the winner's kernel changes, within [0.2, 0.8]: right, inputs that fired grow and the others
// shrink; wrong, and where punishment is on, the other way round.
type decision struct {
	*stdpconv.Layer
	classes int
	punish  bool
	hits    float64 // share of the last epoch
}

// Rates, of inputs that fired and that did not.
const (
	rewardEarly, rewardLate = 0.004, -0.003
	punishEarly, punishLate = -0.004, 0.0005
	lowest, highest         = 0.2, 0.8
	mapsOfClass             = 20
)

func newDecision(in, size, classes int, punish bool, src *rng.Source) *decision {
	l := stdpconv.NewLayer(in, stdpconv.Stage{Maps: classes * mapsOfClass, Kernel: size, Winners: 1}, stdpconv.Published(), src)
	for i := range l.Weight {
		l.Weight[i] = min(l.Weight[i], highest)
	}
	return &decision{Layer: l, classes: classes, punish: punish, hits: 1 / float64(classes)}
}

// decide is the winner of a sample, and its class; −1 where nothing fired.
func (d *decision) decide(in stdpconv.Wave, p *stdpconv.Pass) (stdpconv.Winner, int) {
	n := in.Height * in.Width * d.Maps
	if len(p.Potential) != n {
		p.Potential = make([]tensor.Float, n)
	}
	clear(p.Potential)
	for i, t := range in.When {
		if t != stdpconv.Never {
			d.Spread(in, i, p.Potential)
		}
	}
	best, high := -1, tensor.Float(0)
	for i, v := range p.Potential {
		if v > high {
			best, high = i, v
		}
	}
	if best < 0 {
		return stdpconv.Winner{}, -1
	}
	at, m := best/d.Maps, best%d.Maps
	return stdpconv.Winner{Y: at / in.Width, X: at % in.Width, Map: m, When: stdpconv.Never - 1}, m / mapsOfClass
}

// epoch shows the samples in an order of the seed; rates follow the share of hits in the epoch before.
func (d *decision) epoch(ctx context.Context, list []stdpconv.Wave, class []int, p *stdpconv.Pass, src *rng.Source) error {
	hits := 0
	for _, i := range src.Perm(len(list)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, said := d.decide(list[i], p)
		early, late := rewardEarly*(1-d.hits), rewardLate*(1-d.hits)
		if said == class[i] {
			hits++
		} else {
			early, late = punishEarly*d.hits, punishLate*d.hits
		}
		if said < 0 || said != class[i] && !d.punish {
			continue
		}
		d.Taps(list[i], w, func(k int, fired bool) {
			by := late
			if fired {
				by = early
			}
			d.Weight[k] = min(max(d.Weight[k]+tensor.Float(by), lowest), highest)
		})
	}
	d.hits = float64(hits) / float64(len(list))
	return nil
}

// accuracy is the share of right decisions in %.
func (d *decision) accuracy(list []stdpconv.Wave, class []int, p *stdpconv.Pass) float64 {
	right := make([]bool, len(list))
	for i, v := range list {
		_, said := d.decide(v, p)
		right[i] = said == class[i]
	}
	return percent(right)
}
