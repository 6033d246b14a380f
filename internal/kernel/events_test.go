package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// raster draws words with bits set at about the given rate.
func (r source) raster(words int, rate float64) []uint64 {
	s := make([]uint64, words)
	for i := range 64 * words {
		if r.Float64() < rate {
			s[i/64] |= 1 << (i % 64)
		}
	}
	return s
}

// sparse draws floats of which about rate are not zero; zeros have both signs.
func (r source) sparse(n int, rate float64) []Float {
	s := make([]Float, n)
	for i := range s {
		switch {
		case r.Float64() < rate:
			s[i] = r.value()
		case r.IntN(2) == 0:
			s[i] = special[6]
		}
	}
	return s
}

func bit(words []uint64, i int) uint64 { return words[i/64] >> (i % 64) & 1 }

var rasterRates = []float64{0, 0.01, 0.2, 0.9, 1}

func TestIndices(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for trial := range 600 {
			r := newSource(uint64(trial), false)
			raster := r.raster(1+r.IntN(12), rasterRates[trial%len(rasterRates)])
			lo := r.IntN(64 * len(raster))
			hi := lo + r.IntN(64*len(raster)-lo+1)
			base := int32(r.IntN(2000) - 1000)
			want := []int32{-7}
			for i := lo; i < hi; i++ {
				if bit(raster, i) == 1 {
					want = append(want, int32(i-lo)+base)
				}
			}
			// Room for nothing, for the result, for all that may come, without or with slack.
			room := []int{1, len(want), hi - lo + 1, hi - lo + 1 + Slack}[trial%4]
			all := make([]int32, room+4)
			for i := range all {
				all[i] = -7
			}
			got := Indices(all[:1:room], raster, lo, hi, base)
			if !slices.Equal(got, want) {
				t.Fatalf("%v: trial %d, bits [%d, %d): %v, want %v", l, trial, lo, hi, got, want)
			}
			for i, x := range all[room:] {
				if x != -7 {
					t.Fatalf("%v: trial %d wrote %d at %d beyond the capacity", l, trial, x, i)
				}
			}
		}
		panics(t, "beyond the words", func() { Indices(nil, make([]uint64, 2), 0, 129, 0) })
		panics(t, "negative", func() { Indices(nil, make([]uint64, 2), -1, 12, 0) })
	})
}

func TestNonzeros(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 300 {
			r := newSource(uint64(n), true)
			x := r.sparse(n, rasterRates[n%len(rasterRates)])
			wantAt, wantVal := []int32{-7}, []Float{guard}
			bitsWant := make([]uint64, words(n))
			for i, v := range x {
				if v != 0 {
					wantAt, wantVal = append(wantAt, int32(i+n)), append(wantVal, v)
					bitsWant[i/64] |= 1 << (i % 64)
				}
			}
			what := fmt.Sprintf("%v n=%d", l, n)
			room := []int{1, len(wantVal), n + 1, n + 1 + Slack}[n%4]
			buffer, check := guarded(room)
			at, val := Nonzeros([]int32{-7}, buffer[:1], x, int32(n))
			check(t, what)
			if !slices.Equal(at, wantAt) || len(val) != len(wantVal) {
				t.Fatalf("%s: places %v of %d values, want %v", what, at, len(val), wantAt)
			}
			compare(t, what, val, wantVal)
			if got := CountNonzero(x); got != len(wantAt)-1 {
				t.Fatalf("%s: counted %d, want %d", what, got, len(wantAt)-1)
			}
			got := append(r.raster(words(n), 0.5), 12345)
			NonzeroBits(got, x)
			if !slices.Equal(got, append(bitsWant, 12345)) {
				t.Fatalf("%s: bits %x, want %x", what, got, bitsWant)
			}
		}
		panics(t, "short bits", func() { NonzeroBits(make([]uint64, 1), make([]Float, 65)) })
	})
}

// What stands before in a list is no room: behind a long one nothing is written beyond the
// capacity of places or of values.
func TestNonzerosBehindALongList(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		const before, room, n = 100, 4, 64
		x := make([]Float, n)
		for i := range x {
			x[i] = Float(i + 1)
		}
		for _, free := range [][2]int{{room, n + Slack}, {n + Slack, room}} { // of places, of values
			places, values := make([]int32, before+n+2*Slack), make([]Float, before+n+2*Slack)
			for i := range places {
				places[i], values[i] = -7, -7
			}
			at, val := Nonzeros(places[:before:before+free[0]], values[:before:before+free[1]], x, 5)
			for i, v := range x {
				if len(at) != before+n || len(val) != before+n || at[before+i] != int32(i+5) || val[before+i] != v {
					t.Fatalf("%v, room for %v: element %d is not there", l, free, i)
				}
			}
			for i := before + free[0]; i < len(places); i++ {
				if places[i] != -7 {
					t.Fatalf("%v, room for %v: place %d is written", l, free, i)
				}
			}
			for i := before + free[1]; i < len(values); i++ {
				if values[i] != -7 {
					t.Fatalf("%v, room for %v: value %d is written", l, free, i)
				}
			}
		}
	})
}

func TestExpand(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for trial := range 400 {
			r := newSource(uint64(trial), false)
			raster := r.raster(1+r.IntN(6), 0.4)
			lo := r.IntN(64 * len(raster))
			n := r.IntN(64*len(raster) - lo + 1)
			if trial%4 == 0 {
				n = 64*len(raster) - lo
			}
			got, check := guarded(n)
			Expand(got, raster, lo)
			what := fmt.Sprintf("%v: %d bits from %d", l, n, lo)
			check(t, what)
			for i, x := range got {
				if x != Float(bit(raster, lo+i)) {
					t.Fatalf("%s: %g at %d", what, x, i)
				}
			}
		}
		panics(t, "beyond the words", func() { Expand(make([]Float, 65), make([]uint64, 2), 64) })
		panics(t, "negative", func() { Expand(make([]Float, 5), make([]uint64, 2), -1) })
	})
}

func TestStarts(t *testing.T) {
	for trial := range 300 {
		r := newSource(uint64(trial), false)
		c, pieces := 1+r.IntN(70), r.IntN(40)
		var at []int32
		for i := range c*pieces + r.IntN(20) {
			if r.Float64() < rasterRates[trial%len(rasterRates)] {
				at = append(at, int32(i))
			}
		}
		first := make([]int32, pieces+1)
		for i := range first {
			first[i] = 99
		}
		Starts(first, at, c)
		for p, got := range first {
			want, _ := slices.BinarySearch(at, int32(p*c))
			if got != int32(want) {
				t.Fatalf("pieces of %d: %d entries before piece %d, want %d", c, got, p, want)
			}
		}
	}
	big := []int32{1<<31 - 4, 1<<31 - 2, 1<<31 - 1}
	first := make([]int32, 4)
	Starts(first, big, 1<<31-2)
	if !slices.Equal(first, []int32{0, 1, 3, 3}) {
		t.Errorf("large entries: %v", first)
	}
	Starts(nil, big, 1)
	panics(t, "no piece", func() { Starts(first, big, 0) })
}

func TestTransposeBits(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for trial := range 400 {
			r := newSource(uint64(trial), false)
			rows, cols := r.IntN(200), r.IntN(200)
			if trial%5 == 0 {
				rows, cols = 64*(1+trial%3), 64*(1+trial%4)
			}
			ld := cols + []int{0, 0, 5, -cols / 2, 64 - cols%64}[r.IntN(5)]
			src := r.raster(words(max(0, (rows-1)*ld+cols)), 0.4)
			dstWords := words(rows) + r.IntN(2)
			dst := r.raster(cols*dstWords+1, 0.5)
			last := dst[cols*dstWords]
			TransposeBits(dst, dstWords, src, ld, rows, cols)
			if dst[cols*dstWords] != last {
				t.Fatalf("%v: %d×%d: wrote outside", l, rows, cols)
			}
			for ch := range cols {
				for p := range 64 * dstWords {
					want := uint64(0)
					if p < rows {
						want = bit(src, p*ld+ch)
					}
					if bit(dst[ch*dstWords:], p) != want {
						t.Fatalf("%v: %d×%d, %d bits a row: bit (%d, %d) is not %d", l, rows, cols, ld, p, ch, want)
					}
				}
			}
		}
		two := make([]uint64, 2)
		panics(t, "short source", func() { TransposeBits(make([]uint64, 9), 1, two, 43, 3, 43) })
		panics(t, "short row", func() { TransposeBits(make([]uint64, 9), 1, make([]uint64, 65), 1, 65, 9) })
		panics(t, "short result", func() { TransposeBits(two, 1, make([]uint64, 9), 3, 3, 3) })
	})
}
