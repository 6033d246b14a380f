package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is a vector instruction set: the kernels are written once and differ
// between sets in the width of a vector and in how lanes are masked.
type isa struct {
	name  string
	lanes int // of a float32 vector
}

var (
	avx2   = isa{"AVX2", 8}
	avx512 = isa{"AVX512", 16}
	sets   = []isa{avx2, avx512}
)

func (s isa) wide() bool { return s.lanes == 16 }

// size is a vector's in bytes.
func (s isa) size() int { return 4 * s.lanes }

func (s isa) vec() reg.VecVirtual {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

func (s isa) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = s.vec()
	}
	return v
}

// broadcast loads one float into all lanes of a new register.
func (s isa) broadcast(m Mem) reg.VecVirtual {
	v := s.vec()
	VBROADCASTSS(m, v)
	return v
}

// load moves memory to v. Lanes outside mask (nil: none) become zero and
// their memory is not touched.
func (s isa) load(m Mem, mask reg.Register, v reg.VecVirtual) {
	switch {
	case mask == nil:
		VMOVUPS(m, v)
	case s.wide():
		VMOVUPS_Z(m, mask, v)
	default:
		VMASKMOVPS(m, mask, v)
	}
}

// store moves the lanes of v inside mask (nil: all) to memory.
func (s isa) store(v reg.VecVirtual, mask reg.Register, m Mem) {
	switch {
	case mask == nil:
		VMOVUPS(v, m)
	case s.wide():
		VMOVUPS(v, mask, m)
	default:
		VMASKMOVPS(v, mask, m)
	}
}

// loadAll moves the vectors at base to v, the last one masked.
func (s isa) loadAll(base reg.Register, mask reg.Register, v []reg.VecVirtual) {
	for i := range v {
		s.load(s.at(base, i), maskOf(mask, i, len(v)), v[i])
	}
}

// storeAll moves v to the vectors at base, the last one masked.
func (s isa) storeAll(v []reg.VecVirtual, mask reg.Register, base reg.Register) {
	for i := range v {
		s.store(v[i], maskOf(mask, i, len(v)), s.at(base, i))
	}
}

// ones is 8 lanes of ones, then 8 of zeros: a load that starts r lanes before
// the zeros is the mask of the first r lanes.
var ones *Mem

func lanesTable() Mem {
	if ones == nil {
		m := GLOBL("lanes", 8|16) // RODATA, NOPTR
		for i := range 16 {
			DATA(4*i, U32(uint32(0xffffffff*uint64(1-i/8))))
		}
		ones = &m
	}
	return *ones
}

// tail is the mask of the lanes below n in the last of count vectors.
func (s isa) tail(n reg.GPVirtual, count int) reg.Register {
	missing := GP64()
	MOVQ(U32(uint32(count*s.lanes)), missing)
	SUBQ(n, missing)
	if s.wide() {
		bits, mask := GP32(), K()
		MOVL(U32(0xffff), bits)
		MOVQ(missing, reg.RCX)
		SHRL(reg.CL, bits)
		KMOVW(bits, mask)
		return mask
	}
	table, mask := GP64(), YMM()
	LEAQ(lanesTable(), table)
	VMOVUPS(Mem{Base: table, Index: missing, Scale: 4}, mask)
	return mask
}

// maskOf is mask for the last of count vectors and nil for the others.
func maskOf(mask reg.Register, i, count int) reg.Register {
	if i < count-1 {
		return nil
	}
	return mask
}

// declare starts a function that touches only what its arguments point at.
func declare(name, signature string, doc ...string) {
	TEXT(name, 4, signature) // NOSPLIT
	Doc(doc...)
	Pragma("noescape")
}

func load64(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

// stride loads a count of floats as bytes.
func stride(name string) reg.GPVirtual {
	r := load64(name)
	SHLQ(Imm(2), r)
	return r
}

func end() {
	VZEROUPPER()
	RET()
}

func label(format string, args ...any) string { return fmt.Sprintf(format, args...) }
