package superspike

import (
	"fmt"
	"os"
	"testing"

	"synfire/rule/superspike"
)

func first(d []float64, below float64) int {
	for i, v := range d {
		if v < below {
			return i + 1
		}
	}
	return -1
}

func TestTryAB(t *testing.T) {
	if os.Getenv("TRY") == "" {
		t.Skip()
	}
	for _, s := range []struct {
		decay float64
		every int
	}{{0.1, 400}, {0.6, 100}} {
		for seed := uint64(101); seed <= 110; seed++ {
			r := superspike.NewRule()
			r.Decay, r.DecayEvery = s.decay, s.every
			l, _ := newLesson(frozen(100, 1, 10, seed), r, seed, nil)
			l.teach(t.Context(), 1000)
			out, d, _ := l.answer(t.Context())
			fmt.Println("A", s, seed, l.D[0], first(l.D, 0.5), d, out[0].Times)
		}
	}
	for _, f := range []superspike.Feedback{superspike.Random, superspike.Symmetric, superspike.Uniform} {
		for _, rate := range []float64{1, 0.5} {
			for _, rho := range []float64{0, 1e-5} {
				for _, n := range []int{4, 8} {
					ok := 0
					var ds []float64
					for seed := uint64(101); seed <= 104; seed++ {
						r := superspike.NewRule()
						r.Hidden, r.Feedback, r.Rate, r.Rho, r.Decay, r.DecayEvery = []int{n}, f, rate, rho, 0.6, 60
						l, _ := newLesson(frozen(100, 1, 10, seed), r, seed, nil)
						l.teach(t.Context(), 600)
						_, d, _ := l.answer(t.Context())
						ds = append(ds, d)
						if d < 0.2 {
							ok++
						}
					}
					fmt.Printf("B %v rate %v rho %v n %d: %d ok %.3f\n", f, rate, rho, n, ok, ds)
				}
			}
		}
	}
}

func TestTryC(t *testing.T) {
	if os.Getenv("TRY") == "" {
		t.Skip()
	}
	for _, f := range []superspike.Feedback{superspike.Symmetric, superspike.Random, superspike.Uniform} {
		for _, rate := range []float64{1, 0.5, 0.2} {
			for _, rho := range []float64{0, 1e-5, 1e-4} {
				var ds []float64
				for seed := uint64(101); seed <= 102; seed++ {
					r := superspike.NewRule()
					r.Hidden, r.Feedback, r.Rate, r.Rho, r.DecayEvery = []int{32}, f, rate, rho, 200
					l, _ := newLesson(frozen(100, 8, 10, seed), r, seed, nil)
					l.teach(t.Context(), 300)
					_, d, _ := l.answer(t.Context())
					ds = append(ds, d)
				}
				fmt.Printf("C %v rate %v rho %v: %.2f\n", f, rate, rho, ds)
			}
		}
	}
}
