package spike_test

import (
	"fmt"
	"testing"

	"synfire/spike"
)

func ExampleRaster() {
	r := spike.NewRaster(4, 70) // 4 steps of 70 units
	r.Set(1, 69)
	r.Set(3, 69)
	fmt.Println(r.Count(0, 4), r.At(1, 69), r.At(2, 69))
	fmt.Println(r.Train(69, 0, 1, 4, 0.5).Times)
	// Output:
	// 2 true false
	// [0.5 1.5]
}

func TestRasterReset(t *testing.T) {
	r := spike.NewRaster(3, 130)
	for u := range 130 {
		r.Set(2, u)
	}
	if got := r.Count(2, 3); got != 130 {
		t.Fatalf("Count = %d, want 130", got)
	}
	r.Reset(2, 65)
	if got := r.Count(0, 2); got != 0 {
		t.Fatalf("after Reset: Count = %d, want 0", got)
	}
}

func TestBits(t *testing.T) {
	words := []uint64{1<<63 | 0b1011, 0b101, 1 << 63}
	for _, c := range []struct {
		at, n int
		want  uint64
	}{
		{0, 64, words[0]}, {0, 3, 0b11}, {1, 3, 0b101}, {63, 1, 1}, {63, 4, 0b1011}, {62, 64, 0b10110},
		{64, 2, 1}, {128, 64, 1 << 63}, {191, 1, 1},
	} {
		if got := spike.Bits(words, c.at, c.n); got != c.want {
			t.Errorf("bits [%d, %d): %b, want %b", c.at, c.at+c.n, got, c.want)
		}
	}
}

func TestOr(t *testing.T) {
	for _, c := range []struct{ at, from, n int }{{0, 0, 1}, {3, 60, 70}, {64, 1, 64}, {10, 5, 130}, {63, 63, 2}, {0, 0, 128}} {
		src, dst := spike.NewRaster(1, 256), spike.NewRaster(1, 256)
		for u := 0; u < 256; u += 3 {
			src.Set(0, u)
		}
		spike.Or(dst.Bits, c.at, src.Bits, c.from, c.n)
		for u := range 256 {
			want := u >= c.at && u < c.at+c.n && src.At(0, u-c.at+c.from)
			if dst.At(0, u) != want {
				t.Fatalf("Or%+v: bit %d is %v", c, u, !want)
			}
		}
	}
}
