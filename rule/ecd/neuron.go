package ecd

import (
	"math"
	"sync"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// Constants of neurons, in steps of 1 ms: τ_r, τ_s and τ_m are the paper's, and the threshold in
// deviations of the potential is. Offset and gain make the chance of a state nearly logistic: they
// are the least squares of P(z = 1) at drives from −4 to 3, by the density of the potential.
const (
	refractory = 4.0
	synaptic   = 4.0
	membrane   = 1.0
	threshold  = 0.15
	offset     = -0.52
	gain       = 0.63
)

var (
	leak  = tensor.Float(math.Exp(-1 / membrane))
	shake = tensor.Float(math.Sqrt(1 - math.Exp(-2/membrane)))
	fade  = tensor.Float(math.Exp(-1 / synaptic))
	jump  = tensor.Float(refractory * (1 - math.Exp(-1/synaptic))) // so that a trace adds up to τ_r a spike
)

// quantiles are a normal distribution in 2¹⁶ steps of equal chance, made when a net first runs.
var quantiles = sync.OnceValue(func() []tensor.Float {
	q := make([]tensor.Float, 1<<16)
	for i := range q {
		q[i] = tensor.Float(math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(len(q))-1))
	}
	return q
})

// layer is neurons of one side while spikes run.
type layer struct {
	u, syn []tensor.Float // potentials, and input that fades, in weights
	silent []uint8        // steps until a unit can fire
	fired  []int32        // in the last step
}

func newLayer(n int) layer {
	return layer{u: make([]tensor.Float, n), syn: make([]tensor.Float, n), silent: make([]uint8, n)}
}

func (l *layer) rest() {
	clear(l.u)
	clear(l.syn)
	clear(l.silent)
	l.fired = l.fired[:0]
}

// receive lets synapses fade and adds rows of weights, those of the other layer's spikes.
func (l *layer) receive(w []tensor.Float, fired []int32) {
	kernel.Scale(l.syn, fade)
	kernel.AddRows(l.syn, w, len(l.syn), fired)
}

// step goes a millisecond on and lists who fires. Drives are in log-odds; units from free on get
// their synapses' input too. Noise is of the key and the counters from at on, of which it
// takes (n+7)/8.
func (l *layer) step(drive []tensor.Float, free int, noise rng.Key, at uint64) {
	l.fired = l.fired[:0]
	var bits [4]uint32
	normal := quantiles()
	for i := range l.u {
		if i%8 == 0 {
			bits = noise.Uint32x4(at + uint64(i/8))
		}
		if l.silent[i] > 0 {
			l.silent[i]--
			continue
		}
		x := drive[i]
		if i >= free {
			x += jump * l.syn[i]
		}
		u := leak*l.u[i] + (1-leak)*(offset+gain*x) + shake*normal[uint16(bits[i/2%4]>>(i%2*16))]
		if u >= threshold {
			u, l.silent[i] = 0, refractory-1
			l.fired = append(l.fired, int32(i))
		}
		l.u[i] = u
	}
}

// blocks are the counters of noise that n units take a step.
func blocks(n int) uint64 { return uint64(n+7) / 8 }
