//go:build !purego && !float64

package kernel

import "math"

// uniforms fills whole groups of blocks at the start of dst and returns how many numbers
// those are.
func (p Philox) uniforms(dst []float32, first uint64) int {
	level, blocks := Current(), 4
	if level == AVX512 {
		blocks = 8
	}
	groups := len(dst) / (4 * blocks)
	if level == Go || groups == 0 {
		return 0
	}
	// Lanes 0, 2, … of a vector hold the first half of a group's blocks, lanes 1, 3, … the second.
	var counters [8]uint64
	for i := range blocks {
		counters[i] = first + uint64(i/2+i%2*blocks/2)
	}
	var keys [20]uint32
	for i := range uint32(10) {
		keys[2*i], keys[2*i+1] = p.Key[0]+i*philoxW0, p.Key[1]+i*philoxW1
	}
	params := [5]uint32{philoxM0, philoxM1, uint32(blocks), math.MaxUint32, math.Float32bits(1.0 / (1 << 24))}
	if level == AVX512 {
		uniformsAVX512(&dst[0], groups, &counters, &p.Plane, &keys, &params)
	} else {
		uniformsAVX2(&dst[0], groups, &counters, &p.Plane, &keys, &params)
	}
	return groups * 4 * blocks
}
