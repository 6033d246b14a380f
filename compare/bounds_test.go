package compare_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/spike"
)

// counted is a squared distance of trains, (n − m)², that is off by a known bound.
type counted struct{}

func (counted) Distance(a, b spike.Train) (float64, error) {
	d := float64(len(a.Times) - len(b.Times))
	return d * d, nil
}

func (counted) Rounding(_, _ spike.Train) float64 { return 1e-6 }

// The bound of a cross-validated distance is half of that of each of its four
// terms.
func TestBoundOfCrossValidatedSpikes(t *testing.T) {
	trial := func(n int) []spike.Train { return []spike.Train{{Times: make([]float64, n), Stop: 1}} }
	r, err := compare.SpikeRDMCV([]compare.Trials{{trial(1), trial(2)}, {trial(4), trial(3)}, {trial(0), trial(0)}}, counted{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "(1 − 4)·(2 − 3)", r.Values[0], 3, 1e-12)
	near(t, "bound", r.Rounding[0], 4*1e-6/2, 1e-9)
}

// The more observations are added up, the further rounding may move their
// distance; but it stays rounding.
func TestBoundOfManyObservations(t *testing.T) {
	bound := func(repeats int) float64 {
		o := compare.Observations{X: mat.NewDense(6*repeats, 3, nil)}
		for k := range 6 * repeats {
			o.Condition, o.Fold = append(o.Condition, k%3), append(o.Fold, k/3%2)
			for j := range 3 {
				o.X.Set(k, j, float64(k%6+j*(k%3))+0.1)
			}
		}
		r, err := compare.PoissonCV(o)
		if err != nil || !(r.Rounding[0] > 0) || r.Rounding[0] > 1e-10*r.Values[0] {
			t.Fatalf("%d repeats: %v with bounds %v, %v", repeats, r.Values, r.Rounding, err)
		}
		return r.Rounding[0]
	}
	if few, many := bound(1), bound(100); many < 20*few {
		t.Errorf("of 6 observations %v, of 600 %v", few, many)
	}
}

// Points on a line, spread c times as far: the distance of the geometries is
// |c − 1|·√tr G, on any scale.
func TestBuresDistanceOfALine(t *testing.T) {
	line := func(c float64) compare.RDM {
		at := []float64{0, 1, 3, 7}
		r := compare.NewRDM(len(at))
		k := 0
		for i := range at {
			for _, y := range at[i+1:] {
				r.Values[k] = c * c * (at[i] - y) * (at[i] - y)
				k++
			}
		}
		return r
	}
	trace := 0.0
	for _, x := range []float64{0, 1, 3, 7} {
		trace += (x - 2.75) * (x - 2.75)
	}
	for _, c := range []struct{ a, b float64 }{{1, 3}, {3, 1}, {1, 1}, {1e-40, 5e-40}, {1e60, 4e60}, {1, 1e50}} {
		got, err := compare.BuresDistance(line(c.a), line(c.b))
		want := math.Abs(c.a-c.b) * math.Sqrt(trace)
		if err != nil || math.Abs(got-want) > 1e-6*want {
			t.Errorf("spread %v and %v: %v, %v; want %v", c.a, c.b, got, err, want)
		}
	}
}

// A similarity that divides by the size of an RDM of zeros says so, whichever of
// the two it is.
func TestCosineOfZeros(t *testing.T) {
	zero, r := compare.NewRDM(4), compare.NewRDM(4)
	for k := range r.Values {
		r.Values[k] = float64(k)
	}
	for _, pair := range [][]compare.RDM{{zero, r}, {r, zero}} {
		if _, err := compare.CosineSimilarity(pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "all dissimilarities of one RDM are 0") {
			t.Errorf("error %v", err)
		}
	}
}

// Mean counts in single precision: the bound holds what rounding of the logarithms may do, and
// not the rates alone. Of counts a and b that are off by u of themselves against each
// other, Σ (λa − λb)(ln λa − ln λb) moves by u·((λa + λb)·Δln λ + 2Δλ), as much by one as
// by the other.
func TestBoundOfPoissonHoldsLogarithms(t *testing.T) {
	const u = 0x1p-24
	of := func(a, b, roundoff float64) compare.RDM {
		p := compare.DefaultParams()
		p.Dissimilarity = "poisson"
		r, err := p.RDM(compare.Responses{X: dense(3, a, b, 2000), Roundoff: roundoff}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	exact, rounded := of(1000.3, 900.7, u), of(1000.3*(1+u), 900.7*(1-u), 0)
	if moved := math.Abs(rounded.Values[0] - exact.Values[0]); exact.Rounding[0] < moved || exact.Rounding[0] > 10*moved {
		t.Errorf("the bound is %v, counts in single precision move the value by %v", exact.Rounding[0], moved)
	}
}
