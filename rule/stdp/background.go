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
	upTo   []uint32 // P(k spikes or fewer)·2³²; behind the last k there are no more
	guide  [256]int // the fewest spikes of a number from i·2²⁴ on
}

// maxBackground is the most spikes of a neuron and step on average.
const maxBackground = 50

func newBackground(l LIF, p *Population) (*background, error) {
	mean := l.Background * p.network.options.Step / 1000
	if !(mean > 0 && mean <= maxBackground) || !finite(l.BackgroundWeight) || l.BackgroundWeight == 0 {
		return nil, fmt.Errorf("background of %v Hz and %v mV: want a rate of up to %d spikes a step and a weight that is not 0, or neither", l.Background, l.BackgroundWeight, maxBackground)
	}
	b := &background{
		key:  rng.New(p.network.options.Seed, "stdp").Str("background").Str(p.name),
		upTo: cumulative(mean), weight: tensor.Float(l.BackgroundWeight),
	}
	for i := range b.guide {
		b.guide[i] = b.spikes(0, uint32(i)<<24)
	}
	return b, nil
}

// cumulative is P(k or fewer)·2³² of a Poisson number, as long as it is below 2³² and grows.
func cumulative(mean float64) (upTo []uint32) {
	part, sum := math.Exp(-mean), 0.0
	for k := 1; ; k++ {
		if sum += part; sum*(1<<32) >= 1<<32-1 {
			return upTo
		}
		upTo = append(upTo, uint32(sum*(1<<32)))
		if part *= mean / float64(k); float64(k) > mean && part*(1<<32) < 0.5 {
			return upTo
		}
	}
}

// spikes is how many spikes a random number means, from so few on.
func (b *background) spikes(k int, u uint32) int {
	for k < len(b.upTo) && u >= b.upTo[k] {
		k++
	}
	return k
}

// add adds the spikes of a step.
func (b *background) add(in []tensor.Float) {
	var row [256]uint32
	for len(in) > 0 {
		words := row[:min(len(row), len(in))]
		b.key.Words(words, b.done)
		b.done += uint64(len(words)+3) / 4
		for j, u := range words {
			in[j] += tensor.Float(tensor.Float(b.spikes(b.guide[u>>24], u)) * b.weight)
		}
		in = in[len(words):]
	}
}
