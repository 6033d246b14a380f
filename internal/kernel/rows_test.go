package kernel

import (
	"fmt"
	"slices"
	"testing"
)

func TestAddRows(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 300 {
			r := newSource(uint64(n), n%2 == 1)
			const k = 20
			gap := n % 4
			w := r.fill(make([]Float, (k-1)*(n+gap)+n))
			rows := make([]int32, r.IntN(12))
			for i := range rows {
				rows[i] = int32(r.IntN(k))
			}
			got, check := guarded(n)
			r.fill(got)
			want := append([]Float(nil), got...)
			for _, i := range rows {
				for j := range want {
					want[j] += w[int(i)*(n+gap)+j]
				}
			}
			AddRows(got, w, n+gap, rows)
			what := fmt.Sprintf("%v n=%d rows=%v", l, n, rows)
			compare(t, what, got, want)
			check(t, what)
		}
	})
}

func TestAddRowsChecksLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		w, c := make([]Float, 30), make([]Float, 10)
		AddRows(c, w, 10, []int32{0, 2})
		AddRows(c[:0], nil, 10, []int32{99})
		AddRows(c, nil, 10, nil)
		panics(t, "row beyond", func() { AddRows(c, w, 10, []int32{3, 0}) })
		panics(t, "negative row", func() { AddRows(c, w, 10, []int32{1, -1}) })
		panics(t, "short last row", func() { AddRows(c, w[:29], 10, []int32{2}) })
	})
}

func TestIndices(t *testing.T) {
	words := []uint64{1<<63 | 1, 0, 0b1011}
	for _, c := range []struct {
		lo, hi int
		base   int32
		want   []int32
	}{
		{0, 192, 0, []int32{0, 63, 128, 129, 131}},
		{0, 0, 0, nil},
		{1, 64, 0, []int32{62}},
		{63, 129, 10, []int32{10, 75}},
		{129, 131, 0, []int32{0}},
	} {
		if got := Indices(nil, words, c.lo, c.hi, c.base); !slices.Equal(got, c.want) {
			t.Errorf("Indices [%d, %d): %v, want %v", c.lo, c.hi, got, c.want)
		}
	}
}
