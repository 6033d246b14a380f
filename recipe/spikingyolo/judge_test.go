package spikingyolo

import (
	"math"
	"slices"
	"testing"

	"synfire/convert/detector"
	"synfire/energy"
	"synfire/recipe"
)

// near is a point whose samples of the bootstrap all lie half a point above its mAP.
func near(steps int, mAP, off float64) detector.Point {
	return detector.Point{Steps: steps, MAP: mAP, Error: off, Draws: slices.Repeat([]float64{mAP + 0.5}, 3)}
}

// invented is a detector of 2,000 products, 100 of them in its first layer, with arms at eight numbers of steps.
// Its spikes cause 50 additions in each step.
func invented() *found {
	steps := []int{8, 12, 16, 32, 64, 96, 128, 256}
	f := &found{key: "x", n: 7, ordinary: near(1, 80, 0), arms: map[string]detector.Result{}}
	for name, maps := range map[string][]float64{
		channel:    {30, 50, 70, 78.5, 79, 79.5, 79.75, 80},
		layerwise:  {20, 44, 66, 78.75, 78, 78.5, 79, 79},
		suppressed: {30, 50, 69, 76, 77, 76, 76, 75},
		counted:    {25, 50.5, 70, 79, 79, 80, 80, 80},
		rounding:   {70, 71, 79, 80, 80, 80, 80, 80},
	} {
		var r detector.Result
		for i, m := range maps {
			p := near(steps[i], m, 1/float64(steps[i]))
			if name == suppressed {
				p.Error = 0.1
			}
			p.Synops = 50 * float64(p.Steps)
			p.Papers = energy.Papers{First: 100 * 4.6e-6, Total: 100*4.6e-6 + 0.9e-6*p.Synops}
			r.Points = append(r.Points, p)
		}
		r.Energy[0].Constants, r.Energy[0].NeuroBench.Dense, r.Energy[0].Papers.Total = energy.Horowitz(), 2000, 2000*4.6e-6
		f.arms[name] = r
	}
	return f
}

func judged(t *testing.T, f *found) *recipe.Outcome {
	t.Helper()
	s := &study{ConversionStudy: &recipe.ConversionStudy{Study: recipe.NewStudy(&recipe.Env{}, nil, nil)}}
	s.judge(cells(), f)
	s.compare(f)
	s.energies(f)
	o, err := s.Outcome(nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// The figures of all claims by hand. 4,000 operations over 50 additions of a step are 80, with 400 over 56 for
// the chip 571; within a point after 64 steps there are 3,200 additions and 200 operations of the first layer.
func TestDetectorsAreJudged(t *testing.T) {
	o := judged(t, invented())
	for id, want := range map[string]float64{
		cellsClaim: 80, cells128Claim: 0.25, cells256Claim: 0, cellsRoundClaim: 1, cells32Claim: 0,
		channelClaim: 4, behindClaim: 0.25, signedClaim: 2, errorClaim: 10.0 / 64, readClaim: 5, laterClaim: 0.5, fasterClaim: 2,
		flopsClaim: 80, chipClaim: 80 * 400.0 / 56,
		allFlopsClaim: 4000.0 / 3400, countedClaim: 2000 * 4.6 / (100*4.6 + 0.9*3200),
	} {
		m := o.Measured[id]
		if len(m.Values) != 1 || math.Abs(m.Values[0]-want) > 1e-9 || m.N != 7 {
			t.Errorf("%s: %+v, want %v", id, m, want)
		}
	}
}

// A network that is never within a point fails claims rather than leaving them: all its steps count, of
// energy, and beside one that gets there. Where none gets there nothing can be compared.
func TestNeverWithinAPoint(t *testing.T) {
	f := invented()
	for i := range f.arms[channel].Points {
		f.arms[channel].Points[i].MAP = 70
	}
	o := judged(t, f)
	for id, want := range map[string]float64{fasterClaim: 128.0 / 256, allFlopsClaim: 4000.0 / (50*256 + 200), countedClaim: 2000 * 4.6 / (100*4.6 + 0.9*50*256)} {
		if m := o.Measured[id]; len(m.Values) != 1 || math.Abs(m.Values[0]-want) > 1e-9 {
			t.Errorf("%s: %+v, want %v", id, m, want)
		}
	}
	f.arms[layerwise] = f.arms[channel]
	if m := judged(t, f).Measured[fasterClaim]; len(m.Values) != 0 || m.Why == "" {
		t.Errorf("where none gets there: %+v", m)
	}
}
