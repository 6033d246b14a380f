package kernel

import (
	"fmt"
	"math/bits"
	"slices"
)

// Slack is how far beyond its result a level may write when it appends whole
// vectors.
const Slack = 16

// Indices appends to dst the positions of the bits set in words among bits
// [lo, hi), ascending, each less lo and plus base:
//
//	for i := lo; i < hi; i++ {
//		if words[i/64]>>(i%64)&1 == 1 {
//			dst = append(dst, int32(i-lo)+base)
//		}
//	}
//
// What dst has of capacity beyond the result is working space.
func Indices(dst []int32, words []uint64, lo, hi int, base int32) []int32 {
	if lo < 0 || hi > 64*len(words) {
		panic(fmt.Sprintf("kernel.Indices: %d words hold no bits [%d, %d)", len(words), lo, hi))
	}
	if lo >= hi {
		return dst
	}
	if cap(dst)-len(dst) < hi-lo+Slack {
		dst = slices.Grow(dst, countBits(words, lo, hi)+Slack)
	}
	return indices(dst, words, lo, hi, base)
}

// Nonzeros appends to at the position, plus base, of each element of x that is
// not zero, and to val the element. NaN is not zero, −0 is:
//
//	for i, v := range x {
//		if v != 0 {
//			at, val = append(at, int32(i)+base), append(val, v)
//		}
//	}
//
// What at and val have of capacity beyond the result is working space.
func Nonzeros(at []int32, val []Float, x []Float, base int32) ([]int32, []Float) {
	if room := min(cap(at)-len(at), cap(val)-len(val)); room < len(x)+Slack {
		n := CountNonzero(x) + Slack
		at, val = slices.Grow(at, n), slices.Grow(val, n)
	}
	return nonzeros(at, val, x, base)
}

// CountNonzero is the number of elements of x that Nonzeros lists.
func CountNonzero(x []Float) int { return countNonzero(x) }

// NonzeroBits sets bit i of dst where x[i] is not zero, in the sense of
// Nonzeros, and clears the others of the (len(x)+63)/64 words:
//
//	for i, v := range x {
//		if v != 0 {
//			dst[i/64] |= 1 << (i % 64)
//		}
//	}
func NonzeroBits(dst []uint64, x []Float) {
	if len(dst) < words(len(x)) {
		panic(fmt.Sprintf("kernel.NonzeroBits: dst: %d words hold no %d bits", len(dst), len(x)))
	}
	nonzeroBits(dst[:words(len(x))], x)
}

// Expand turns the len(dst) bits from lo into zeros and ones:
//
//	for i := range dst {
//		dst[i] = Float(words[(lo+i)/64] >> ((lo + i) % 64) & 1)
//	}
func Expand(dst []Float, words []uint64, lo int) {
	if lo < 0 || lo+len(dst) > 64*len(words) {
		panic(fmt.Sprintf("kernel.Expand: %d words hold no bits [%d, %d)", len(words), lo, lo+len(dst)))
	}
	if len(dst) > 0 {
		expand(dst, words, lo)
	}
}

// Starts cuts the ascending list at into pieces of the range c: first[p] is
// the number of entries below p·c, so that those of [p·c, (p+1)·c) are
// at[first[p]:first[p+1]]. Entries must not be negative.
//
//	for p := range first {
//		first[p] = number of entries with at < p*c
//	}
func Starts(first, at []int32, c int) {
	if c < 1 {
		panic(fmt.Sprintf("kernel.Starts: pieces of %d, want at least 1", c))
	}
	// Each entry leaves its number in the piece behind its own, where the last
	// one stays; a running maximum fills the pieces without entries.
	clear(first)
	reciprocal := ^uint64(0)/uint64(c) + 1 // 2⁶⁴/c rounded up: exact for 32-bit dividends
	for e, a := range at {
		p := uint64(a)
		if c > 1 {
			p, _ = bits.Mul64(uint64(a), reciprocal)
		}
		if p+1 >= uint64(len(first)) {
			break
		}
		first[p+1] = int32(e + 1)
	}
	most := int32(0)
	for p, n := range first {
		most = max(most, n)
		first[p] = most
	}
}

// TransposeBits turns a matrix of bits whose row p starts at bit p·ld of src
// so that column ch becomes the dstWords words at dst[ch·dstWords]. Bits there
// beyond rows are cleared.
//
//	for ch := range cols {
//		for p := range rows {
//			dst[ch*dstWords+p/64] |= src[(p*ld+ch)/64] >> ((p*ld + ch) % 64) & 1 << (p % 64)
//		}
//	}
func TransposeBits(dst []uint64, dstWords int, src []uint64, ld, rows, cols int) {
	if rows < 0 || cols < 0 || ld < 0 || rows > 0 && cols > 0 && (rows-1)*ld+cols > 64*len(src) {
		panic(fmt.Sprintf("kernel.TransposeBits: src: %d words, %d bits a row, hold no %d×%d bits", len(src), ld, rows, cols))
	}
	if dstWords < words(rows) || cols*dstWords > len(dst) {
		panic(fmt.Sprintf("kernel.TransposeBits: dst: %d words, %d a row, hold no %d×%d bits", len(dst), dstWords, cols, rows))
	}
	if rows > 0 && cols > 0 {
		transposeBits(dst, dstWords, src, ld, rows, cols)
	}
	if used := words(rows); used < dstWords {
		for ch := range cols {
			clear(dst[ch*dstWords:][used:dstWords])
		}
	}
}

// transposeBits works in blocks of 64×64 bits.
func transposeBits(dst []uint64, dstWords int, src []uint64, ld, rows, cols int) {
	var block [64]uint64
	for p := 0; p < rows; p += 64 {
		n := min(64, rows-p)
		for ch := 0; ch < cols; ch += 64 {
			gatherWords(block[:n], src, p*ld+ch, ld)
			clear(block[n:])
			transpose64(&block)
			for i, word := range block[:min(64, cols-ch)] {
				dst[(ch+i)*dstWords+p/64] = word
			}
		}
	}
}

// gatherWords sets dst[k] to the 64 bits of src from bit i + k·ld on.
func gatherWords(dst, src []uint64, i, ld int) {
	if i&63 == 0 && ld&63 == 0 {
		for k, w := 0, i>>6; k < len(dst); k, w = k+1, w+ld>>6 {
			dst[k] = src[w]
		}
		return
	}
	for k := range dst {
		dst[k] = wordAt(src, i+k*ld)
	}
}

// words is the number of words that hold n bits.
func words(n int) int { return (n + 63) / 64 }

// countBits is the number of bits set among bits [lo, hi).
func countBits(words []uint64, lo, hi int) int {
	n := 0
	for w := lo >> 6; w<<6 < hi; w++ {
		n += bits.OnesCount64(within(words[w], w<<6, lo, hi))
	}
	return n
}

// within is the word x of the bits from first on, without those outside
// [lo, hi).
func within(x uint64, first, lo, hi int) uint64 {
	if d := lo - first; d > 0 {
		x &= ^uint64(0) << d
	}
	if d := hi - first; d < 64 {
		x &= 1<<d - 1
	}
	return x
}

// wordAt is the 64 bits from bit i on, zeros beyond the end.
func wordAt(words []uint64, i int) uint64 {
	w, s := i>>6, i&63
	x := words[w] >> s
	if s > 0 && w+1 < len(words) {
		x |= words[w+1] << (64 - s)
	}
	return x
}
