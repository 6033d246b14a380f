// Package rng gives counter-based random numbers: a value is a pure function
// of a key and a counter, so it does not depend on the order in which values
// are drawn, on the number of threads, or on where a run was interrupted.
//
// The generator is Philox-4x32 with ten rounds (Salmon et al., "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011). A key is folded from
// whatever names a stream: the run's seed, a purpose, the epoch, the index of
// the sample in its data set, the name of a node.
package rng

import (
	"math"
	"math/bits"

	"synfire/internal/kernel"
)

// Key names one stream.
type Key struct{ k0, k1 uint32 }

// Purposes keep streams apart that share all other parts of a key.
const (
	Init    = "init"    // initial weights: (seed, parameter name)
	Shuffle = "shuffle" // order of the samples: (seed, epoch)
	Augment = "augment" // (seed, epoch, sample)
	Holdout = "holdout" // which samples are the test: (0, number of samples)
	Valid   = "valid"   // which training samples choose: (seed, class)
	Encode  = "encode"  // spike generation while training: (seed, epoch, sample)
	Eval    = "eval"    // spike generation while evaluating; the epoch is 0
	Dropout = "dropout" // masks while training: (seed, epoch, sample, node)
	Train   = "train"   // generated spike trains and surrogates of them: (seed, path)
)

// New is the key of a run's seed and a purpose.
func New(seed uint64, purpose string) Key {
	return Key{uint32(seed), uint32(seed >> 32)}.Str(purpose)
}

// Int folds an integer (an epoch, a sample's index) into the key.
func (k Key) Int(i uint64) Key {
	x := philox(k, [4]uint32{uint32(i), uint32(i >> 32), 0x496e74, 1})
	return Key{x[0], x[1]}
}

// Str folds a name into the key, eight bytes at a time and its length last.
func (k Key) Str(s string) Key {
	n := len(s)
	for len(s) > 0 {
		var w uint64
		for i := 0; i < 8 && i < len(s); i++ {
			w |= uint64(s[i]) << (8 * i)
		}
		x := philox(k, [4]uint32{uint32(w), uint32(w >> 32), 0x537472, 2})
		k = Key{x[0], x[1]}
		s = s[min(8, len(s)):]
	}
	return k.Int(uint64(n))
}

// Uint32x4 is the block of four numbers at a counter.
func (k Key) Uint32x4(ctr uint64) [4]uint32 {
	return philox(k, [4]uint32{uint32(ctr), uint32(ctr >> 32), 0, 0})
}

// Words fills dst with the numbers of the blocks at counters ctr, ctr+1, …, as Uint32x4
// gives them one by one.
func (k Key) Words(dst []uint32, ctr uint64) {
	kernel.Philox{Key: [2]uint32{k.k0, k.k1}}.Words(dst, ctr)
}

// Uniforms fills dst with numbers in [0, 1), those of counters first,
// first+1, … in the plane t: each depends on (key, t, its counter) alone. They
// are multiples of 2^-24, so float32 holds them exactly.
func (k Key) Uniforms(dst []float32, t, first uint64) {
	p := kernel.Philox{Key: [2]uint32{k.k0, k.k1}, Plane: [2]uint32{uint32(t), uint32(t>>32) | 1<<31}}
	// A first that is within a block: the rest of the block.
	if skip := int(first & 3); skip > 0 {
		var block [4]float32
		p.Uniforms(block[:], first>>2)
		dst = dst[copy(dst, block[skip:]):]
		first += 3
	}
	p.Uniforms(dst, first>>2)
}

// Source draws one number after another from a key. Who draws many gets them faster: from
// the second block on they are made 64 at a time.
type Source struct {
	key  Key
	ctr  uint64
	buf  [64]uint32
	n, m int // the next of buf, and how many there are
}

// Source starts a sequence at the key's first counter.
func (k Key) Source() *Source { return &Source{key: k} }

// Uint32 is the next number of the sequence.
func (s *Source) Uint32() uint32 {
	if s.n == s.m {
		s.refill()
	}
	s.n++
	return s.buf[s.n-1]
}

func (s *Source) refill() {
	s.n, s.m = 0, len(s.buf)
	if s.ctr == 0 {
		s.m = 4
	}
	s.key.Words(s.buf[:s.m], s.ctr)
	s.ctr += uint64(s.m / 4)
}

// Uint64 is the next pair of numbers; it makes *Source a math/rand/v2 source.
func (s *Source) Uint64() uint64 { return uint64(s.Uint32()) | uint64(s.Uint32())<<32 }

// Float64 is uniform in [0, 1), with 53 random bits.
func (s *Source) Float64() float64 { return float64(s.Uint64()>>11) * (1.0 / (1 << 53)) }

// IntN is uniform in [0, n); n must be positive.
func (s *Source) IntN(n int) int {
	hi, lo := bits.Mul64(s.Uint64(), uint64(n))
	for threshold := -uint64(n) % uint64(n); lo < threshold; {
		hi, lo = bits.Mul64(s.Uint64(), uint64(n))
	}
	return int(hi)
}

// Norm is standard normal (Box and Muller's transform, one of its two values).
func (s *Source) Norm() float64 {
	r := math.Sqrt(-2 * math.Log(1-s.Float64()))
	return r * math.Cos(2*math.Pi*s.Float64())
}

// Perm is a uniform permutation of [0, n) (Fisher and Yates).
func (s *Source) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}

// philox is a block of the key's stream.
func philox(k Key, c [4]uint32) [4]uint32 {
	return kernel.Philox{Key: [2]uint32{k.k0, k.k1}, Plane: [2]uint32{c[2], c[3]}}.Block(uint64(c[0]) | uint64(c[1])<<32)
}
