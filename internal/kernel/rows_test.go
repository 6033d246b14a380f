package kernel

import (
	"fmt"
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
