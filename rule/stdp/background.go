package stdp

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/tensor"
)

// background is the spikes from elsewhere of a population, a Poisson number of each neuron in each
// step.
type background struct {
	key    rng.Key
	done   uint64 // blocks of four numbers that were drawn
	weight tensor.Float
	upTo   []uint32 // P(k spikes or fewer)·2³²
}

// maxBackground is the most spikes of a neuron and step on average.
const maxBackground = 50

func newBackground(l LIF, p *Population) (*background, error) {
	mean := l.Background * p.network.options.Step / 1000
	if !(mean > 0 && mean <= maxBackground) || !finite(l.BackgroundWeight) || l.BackgroundWeight == 0 {
		return nil, fmt.Errorf("background of %v Hz and %v mV: want a rate of up to %d spikes a step and a weight that is not 0, or neither", l.Background, l.BackgroundWeight, maxBackground)
	}
	b := &background{key: rng.New(p.network.options.Seed, "stdp").Str("background").Str(p.name), weight: tensor.Float(l.BackgroundWeight)}
	part, sum := math.Exp(-mean), 0.0
	for k := 1; ; k++ {
		if sum += part; sum*(1<<32) >= 1<<32-1 {
			return b, nil
		}
		b.upTo = append(b.upTo, uint32(sum*(1<<32)))
		if part *= mean / float64(k); float64(k) > mean && part*(1<<32) < 0.5 {
			return b, nil
		}
	}
}

// add adds the spikes of a step.
func (b *background) add(in []tensor.Float) {
	for j := 0; j < len(in); j += 4 {
		x := b.key.Uint32x4(b.done)
		b.done++
		for i, u := range x[:min(4, len(in)-j)] {
			k := 0
			for k < len(b.upTo) && u >= b.upTo[k] {
				k++
			}
			in[j+i] += tensor.Float(tensor.Float(k) * b.weight)
		}
	}
}
