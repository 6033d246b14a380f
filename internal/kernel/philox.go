package kernel

import "math/bits"

// Philox is a stream of Philox-4x32 with ten rounds (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011): its key, and the upper two words of its counters.
type Philox struct{ Key, Plane [2]uint32 }

// What the rounds multiply by, and what the key grows by.
const (
	philoxM0, philoxM1 = 0xD2511F53, 0xCD9E8D57
	philoxW0, philoxW1 = 0x9E3779B9, 0xBB67AE85
)

// Block is the four words at a counter, its lower two words.
func (p Philox) Block(ctr uint64) [4]uint32 {
	c := [4]uint32{uint32(ctr), uint32(ctr >> 32), p.Plane[0], p.Plane[1]}
	k0, k1 := p.Key[0], p.Key[1]
	for range 10 {
		h0, l0 := bits.Mul32(philoxM0, c[0])
		h1, l1 := bits.Mul32(philoxM1, c[2])
		c = [4]uint32{h1 ^ c[1] ^ k0, l1, h0 ^ c[3] ^ k1, l0}
		k0 += philoxW0
		k1 += philoxW1
	}
	return c
}

// Uniforms fills dst with the numbers in [0, 1) of the blocks first, first+1, …, the upper
// 24 bits of each word over 2^24; the last block's may be left over:
//
//	dst[4*i+j] = float32(p.Block(first+i)[j]>>8) / (1 << 24)
func (p Philox) Uniforms(dst []float32, first uint64) {
	filled := p.uniforms(dst, first)
	for i := filled; i < len(dst); i += 4 {
		for j, x := range p.Block(first + uint64(i/4)) {
			if i+j < len(dst) {
				dst[i+j] = float32(x>>8) * (1.0 / (1 << 24))
			}
		}
	}
}

// Words fills dst with the words of the blocks first, first+1, …; the last block's may be
// left over:
//
//	dst[4*i+j] = p.Block(first+i)[j]
func (p Philox) Words(dst []uint32, first uint64) {
	for i := p.words(dst, first); i < len(dst); i += 4 {
		block := p.Block(first + uint64(i/4))
		copy(dst[i:], block[:])
	}
}
