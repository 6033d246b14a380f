package huge_test

import (
	"fmt"
	"runtime"
	"testing"

	"synfire/internal/huge"
)

func ExampleMake() {
	weights := huge.Make[float32](1000 * 1000)
	fmt.Println(len(weights), weights[999_999])
	// Output: 1000000 0
}

// Slices of all sizes around the borders are whole, zero and the caller's own.
func TestMake(t *testing.T) {
	var kept [][]float64
	for _, n := range []int{0, 1, 1000, 1 << 19, 1<<19 + 1, 1<<20 - 3, 3<<18 + 5} {
		s := huge.Make[float64](n)
		if len(s) != n {
			t.Fatalf("length %d, want %d", len(s), n)
		}
		for i := range s {
			if s[i] != 0 {
				t.Fatalf("element %d of %d is %v", i, n, s[i])
			}
			s[i] = float64(n)
		}
		kept = append(kept, s)
	}
	runtime.GC()
	for _, s := range kept {
		for i, v := range s {
			if v != float64(len(s)) {
				t.Fatalf("element %d of %d became %v", i, len(s), v)
			}
		}
	}
}
