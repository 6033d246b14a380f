//go:build !purego && !float64

package kernel

import "math"

// philoxStart is what the kernels are given beside the plane.
type philoxStart struct {
	counters [8]uint64
	keys     [20]uint32
	params   [5]uint32
}

// start is for so many blocks at once. Lanes 0, 2, … of a vector hold the first half of
// them, lanes 1, 3, … the second.
func (p Philox) start(first uint64, blocks int) (s philoxStart) {
	for i := range blocks {
		s.counters[i] = first + uint64(i/2+i%2*blocks/2)
	}
	for i := range uint32(10) {
		s.keys[2*i], s.keys[2*i+1] = p.Key[0]+i*philoxW0, p.Key[1]+i*philoxW1
	}
	s.params = [5]uint32{philoxM0, philoxM1, uint32(blocks), math.MaxUint32, math.Float32bits(1.0 / (1 << 24))}
	return s
}

// philoxGroups is how many blocks a kernel makes at once, and how often it can of n words.
func philoxGroups(n int) (blocks, groups int) {
	switch Current() {
	case AVX512:
		return 8, n / 32
	case AVX2:
		return 4, n / 16
	}
	return 0, 0
}

// uniforms fills whole groups of blocks at the start of dst and returns how many numbers
// those are.
func (p Philox) uniforms(dst []float32, first uint64) int {
	blocks, groups := philoxGroups(len(dst))
	if groups == 0 {
		return 0
	}
	s := p.start(first, blocks)
	if blocks == 8 {
		uniformsAVX512(&dst[0], groups, &s.counters, &p.Plane, &s.keys, &s.params)
	} else {
		uniformsAVX2(&dst[0], groups, &s.counters, &p.Plane, &s.keys, &s.params)
	}
	return groups * 4 * blocks
}

// words does so with words.
func (p Philox) words(dst []uint32, first uint64) int {
	blocks, groups := philoxGroups(len(dst))
	if groups == 0 {
		return 0
	}
	s := p.start(first, blocks)
	if blocks == 8 {
		wordsAVX512(&dst[0], groups, &s.counters, &p.Plane, &s.keys, &s.params)
	} else {
		wordsAVX2(&dst[0], groups, &s.counters, &p.Plane, &s.keys, &s.params)
	}
	return groups * 4 * blocks
}
