package kernel

import (
	"fmt"
	"slices"
	"testing"
)

func TestLists(t *testing.T) {
	forLevels(t, func(t *testing.T, level Level) {
		fma := mulAdd(level)
		for trial := range 600 {
			r := newSource(uint64(trial), trial%2 == 1)
			const rows = 20
			n, count, most := 1+trial%140, 1+r.IntN(13), r.IntN(12)
			l := Lists{First: []int32{0}}
			var order []int32
			for j := range count {
				for range r.IntN(most + 1) {
					l.At = append(l.At, int32(r.IntN(rows)))
				}
				l.First = append(l.First, int32(len(l.At)))
				if r.IntN(6) > 0 {
					order = slices.Insert(order, r.IntN(len(order)+1), int32(j))
				}
			}
			l.Val = r.fill(make([]Float, len(l.At)))
			ldc, ldw := n+r.IntN(3), n+r.IntN(3)
			w := r.fill(make([]Float, (rows-1)*ldw+n))
			got, check := guarded((count-1)*ldc + n)
			r.fill(got)
			want := slices.Clone(got)
			for _, j := range order {
				for e := l.First[j]; e < l.First[j+1]; e++ {
					for i := range n {
						c := &want[int(j)*ldc+i]
						*c = fma(l.Val[e], w[int(l.At[e])*ldw+i], *c)
					}
				}
			}
			l.Add(got, ldc, w, ldw, n, order)
			what := fmt.Sprintf("%v n=%d ldc=%d ldw=%d first=%v at=%v order=%v", level, n, ldc, ldw, l.First, l.At, order)
			compare(t, what, got, want)
			check(t, what)
		}
	})
}

func TestListsCheckLengths(t *testing.T) {
	c, w, ones := make([]Float, 20), make([]Float, 30), make([]Float, 3)
	good, order := Lists{First: []int32{0, 2, 3}, At: []int32{2, 0, 1}, Val: ones}, []int32{1, 0}
	good.Add(c, 10, w, 10, 10, order)
	good.Add(nil, 10, nil, 10, 10, nil)
	Lists{First: []int32{0, 0, 0}}.Add(c, 10, nil, 10, 10, order)
	for what, l := range map[string]Lists{
		"descending": {[]int32{0, 3, 2}, good.At, ones}, "rows beyond": {[]int32{0, 2, 4}, good.At, make([]Float, 4)},
		"short values": {good.First, good.At, ones[:2]}, "negative start": {[]int32{-1, 2, 3}, good.At, ones},
		"no such row": {good.First, []int32{2, 0, 3}, ones}, "negative row": {good.First, []int32{2, -1, 1}, ones},
		"no such list": {good.First[:2], good.At, ones},
	} {
		panics(t, what, func() { l.Add(c, 10, w, 10, 10, order) })
	}
	panics(t, "short c", func() { good.Add(c[:19], 10, w, 10, 10, order) })
	panics(t, "short w", func() { good.Add(c, 10, w[:29], 10, 10, order) })
	panics(t, "rows of c overlap", func() { good.Add(c, 9, w, 10, 10, order) })
	panics(t, "negative list", func() { good.Add(c, 10, w, 10, 10, []int32{-1}) })
}

func TestKeepBits(t *testing.T) {
	forLevels(t, func(t *testing.T, level Level) {
		for n := range 300 {
			r := newSource(uint64(n), n%2 == 1)
			got, check := guarded(n)
			r.fill(got)
			want, words := slices.Clone(got), make([]uint64, (n+63)/64)
			for i := range want {
				if r.IntN(2) == 0 {
					want[i] = 0
				} else {
					words[i/64] |= 1 << (i % 64)
				}
			}
			KeepBits(got, words)
			what := fmt.Sprintf("%v n=%d", level, n)
			compare(t, what, got, want)
			check(t, what)
		}
		panics(t, "words", func() { KeepBits(make([]Float, 64), make([]uint64, 2)) })
	})
}

func TestAddKept(t *testing.T) {
	forLevels(t, func(t *testing.T, level Level) {
		fma := mulAdd(level)
		for trial := range 400 {
			r := newSource(uint64(trial), trial%2 == 1)
			const rows = 20
			n, count := 1+trial%200, 1+r.IntN(6)
			l := Lists{First: []int32{0}}
			for range count {
				for range r.IntN(5) {
					l.At = append(l.At, int32(r.IntN(rows)))
				}
				l.First = append(l.First, int32(len(l.At)))
			}
			l.Val = r.fill(make([]Float, len(l.At)))
			ldw, words := n+r.IntN(3), (n+63)/64
			w, bits := r.fill(make([]Float, (rows-1)*ldw+n)), make([]uint64, count*words)
			got, check := guarded(count * n)
			r.fill(got)
			want := slices.Clone(got)
			for j := range count {
				for i := range n {
					kept, c := r.IntN(2) == 0, &want[j*n+i]
					if kept {
						bits[j*words+i/64] |= 1 << (i % 64)
					}
					for e := l.First[j]; e < l.First[j+1]; e++ {
						*c = fma(l.Val[e], w[int(l.At[e])*ldw+i], *c)
					}
					if !kept && l.First[j] < l.First[j+1] {
						*c = 0
					}
				}
			}
			l.AddKept(got, w, ldw, n, bits)
			what := fmt.Sprintf("%v n=%d ldw=%d first=%v at=%v", level, n, ldw, l.First, l.At)
			compare(t, what, got, want)
			check(t, what)
		}
		l := Lists{First: []int32{0, 1}, At: []int32{1}, Val: make([]Float, 1)}
		panics(t, "short c", func() { l.AddKept(make([]Float, 9), make([]Float, 20), 10, 10, []uint64{0}) })
		panics(t, "short w", func() { l.AddKept(make([]Float, 10), make([]Float, 19), 10, 10, []uint64{0}) })
		panics(t, "bits", func() { l.AddKept(make([]Float, 10), make([]Float, 20), 10, 10, nil) })
	})
}

// BenchmarkAddKept is the update of weights 784×500 by 20 images.
func BenchmarkAddKept(b *testing.B) {
	const in, out, samples = 784, 500, 20
	r := newSource(1, false)
	l := Lists{First: []int32{0}}
	for range in {
		for j := range samples {
			if r.IntN(5) == 0 {
				l.At = append(l.At, int32(j))
			}
		}
		l.First = append(l.First, int32(len(l.At)))
	}
	l.Val = r.fill(make([]Float, len(l.At)))
	c, w, bits := make([]Float, in*out), r.fill(make([]Float, samples*out)), make([]uint64, in*8)
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			for j := range in {
				AddRowsMulti(1, c[j*out:], 0, w, 0, out, out, l.At[l.First[j]:l.First[j+1]], l.Val[l.First[j]:l.First[j+1]])
			}
		}
	})
	b.Run("kept", func(b *testing.B) {
		for b.Loop() {
			l.AddKept(c, w, out, out, bits)
		}
	})
}

// BenchmarkLists is the product of a block of states with a tenth of 500×500 weights.
func BenchmarkLists(b *testing.B) {
	const size, kept = 500, 50
	r := newSource(1, false)
	l := Lists{First: []int32{0}}
	var order []int32
	for j := range size {
		for e := range kept {
			l.At = append(l.At, int32(10*e+r.IntN(10)))
		}
		l.First, order = append(l.First, int32(len(l.At))), append(order, int32(j))
	}
	l.Val = r.fill(make([]Float, len(l.At)))
	for _, n := range []int{10, 16, 20, 32, 64} {
		ld := (n + 15) &^ 15
		c, w := make([]Float, size*ld), r.fill(make([]Float, size*ld))
		b.Run(fmt.Sprintf("samples=%d/one", n), func(b *testing.B) {
			for b.Loop() {
				for j := range size {
					AddRowsMulti(1, c[j*ld:], 0, w, 0, ld, n, l.At[l.First[j]:l.First[j+1]], l.Val[l.First[j]:l.First[j+1]])
				}
			}
		})
		b.Run(fmt.Sprintf("samples=%d/all", n), func(b *testing.B) {
			for b.Loop() {
				l.Add(c, ld, w, ld, n, order)
			}
		})
	}
}
