package kernel

import (
	"fmt"
	"testing"
)

// Each level gives the words of single blocks, whatever the number asked for, also where
// the lower word of the counter overflows.
func TestUniforms(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 300 {
			for _, first := range []uint64{0, 5, 1<<32 - 3, 1<<62 - 20} {
				p := Philox{Key: [2]uint32{uint32(n), 0xdeadbeef}, Plane: [2]uint32{7, 1 << 31}}
				got := make([]float32, n+1)
				got[n] = -1
				p.Uniforms(got[:n], first)
				for i, v := range got[:n] {
					want := float32(float64(p.Block(first + uint64(i/4))[i%4]>>8) / (1 << 24))
					if v != want {
						t.Fatalf("%v: number %d of %d from block %d: %v, want %v", l, i, n, first, v, want)
					}
				}
				words := make([]uint32, n+1)
				words[n] = 0xfefe
				p.Words(words[:n], first)
				for i, v := range words[:n] {
					if want := p.Block(first + uint64(i/4))[i%4]; v != want {
						t.Fatalf("%v: word %d of %d from block %d: %v, want %v", l, i, n, first, v, want)
					}
				}
				if got[n] != -1 || words[n] != 0xfefe {
					t.Fatalf("%v: wrote behind %d numbers", l, n)
				}
			}
		}
	})
}

func BenchmarkUniforms(b *testing.B) {
	for _, n := range []int{64, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dst := make([]float32, n)
			b.SetBytes(int64(4 * n))
			for b.Loop() {
				Philox{}.Uniforms(dst, 0)
			}
		})
	}
}
