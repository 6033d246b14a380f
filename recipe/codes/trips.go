package codes

import (
	"context"
	"math"
	"slices"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// still are the codes of single values, changing those of series.
var (
	still    = []string{"rate", "latency", "rank order", "phase", "burst", "population"}
	changing = []string{"delta", "step-forward"}
)

// loss is what a code loses.
type loss struct {
	rms, worst float64
	variance   float64 // mean x(1 − x) of the values
	spikes     float64 // a value
	n          int
}

func (l *loss) add(x, back float64) {
	d := math.Abs(x - back)
	l.rms, l.worst, l.variance = l.rms+d*d, max(l.worst, d), l.variance+x*(1-x)
	l.n++
}

func (l *loss) done() {
	l.rms, l.variance, l.spikes = math.Sqrt(l.rms/float64(l.n)), l.variance/float64(l.n), l.spikes/float64(l.n)
}

// population is the code of eight units a value.
func population(steps int) encode.Population { return encode.Population{Units: 8, Span: steps} }

// stills sends each test image through each code of single values, in each number of steps.
func stills(ctx context.Context, train, test sample.Source, seed uint64) (map[string][]loss, error) {
	out := map[string][]loss{}
	ranks, err := meanOfRanks(ctx, train)
	if err != nil {
		return nil, err
	}
	for _, name := range still {
		out[name] = make([]loss, len(lengths))
	}
	err = each(ctx, test, func(i int, spec *sample.Spec, x []tensor.Float) {
		b := sample.Batch{Spec: spec, X: x}
		keys := []rng.Key{rng.New(seed, "codes").Int(uint64(test.Index(i)))}
		for k, steps := range lengths {
			for _, name := range still {
				back := trip(name, &b, keys, steps, ranks)
				for p, v := range x {
					if v > 0 {
						out[name][k].add(float64(v), back[p])
					}
				}
			}
		}
	})
	for _, list := range out {
		for k := range list {
			list[k].done()
		}
	}
	return out, err
}

// each reads all samples.
func each(ctx context.Context, s sample.Source, f func(i int, spec *sample.Spec, x []tensor.Float)) error {
	spec := s.Spec()
	var b sample.Batch
	for i := range s.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.Reset(&spec, 0)
		one := sample.Sample{X: b.Slot()}
		if err := s.Read(ctx, i, &one); err != nil {
			return err
		}
		if err := b.Append(i, &one); err != nil {
			return err
		}
		f(i, &spec, b.X)
	}
	return nil
}

// meanOfRanks is the mean value of each rank, the largest first.
func meanOfRanks(ctx context.Context, train sample.Source) ([]float64, error) {
	var mean []float64
	err := each(ctx, train, func(_ int, _ *sample.Spec, x []tensor.Float) {
		sorted := slices.Clone(x)
		slices.Sort(sorted)
		slices.Reverse(sorted)
		if mean == nil {
			mean = make([]float64, len(x))
		}
		for r, v := range sorted {
			mean[r] += float64(v) / float64(train.Len())
		}
	})
	return mean, err
}

// trip encodes an image in so many steps and decodes it.
func trip(name string, b *sample.Batch, keys []rng.Key, steps int, ranks []float64) []float64 {
	encoder := map[string]encode.Encoder{
		"rate": encode.Poisson{Scale: 1}, "latency": encode.Latency{Span: steps}, "rank order": encode.RankOrder{Span: steps},
		"phase": encode.Phase{Bits: 8}, "burst": encode.Burst{}, "population": population(steps),
	}[name]
	var s signal.Signal
	encoder.Encode(&s, b, keys, encode.Window{T1: steps, Steps: steps})
	n := len(b.X)
	back := make([]float64, n)
	switch name {
	case "latency", "rank order":
		for p := range back {
			t := first(&s, p)
			switch {
			case t < 0:
			case name == "rank order":
				back[p] = meanOf(ranks, t, steps)
			case steps > 1:
				back[p] = 1 - float64(t)/float64(steps-1)
			default:
				back[p] = 0.5
			}
		}
	case "population":
		e := population(steps)
		when := make([]int, e.Units)
		for p := range back {
			for u := range when {
				when[u] = first(&s, p*e.Units+u)
			}
			back[p] = min(max(e.Value(when), 0), 1)
		}
	default:
		share := 1 / map[string]float64{"rate": float64(steps), "phase": max(1, float64(steps)/8), "burst": 1}[name]
		row := make([]tensor.Float, n)
		for t := range steps {
			s.ReadRow(row, t)
			for p, v := range row {
				back[p] += share * float64(v)
			}
		}
	}
	return back
}

// first is the step of a unit's first spike; −1: none.
func first(s *signal.Signal, unit int) int {
	for t := range s.T {
		if s.Raster.At(t, unit) {
			return t
		}
	}
	return -1
}

// meanOf is the mean value of the ranks that spike in a step.
func meanOf(ranks []float64, t, steps int) float64 {
	total, n := 0.0, 0
	for r, v := range ranks {
		if r*steps/len(ranks) == t {
			total, n = total+v, n+1
		}
	}
	return total / float64(max(n, 1))
}

// changes sends the lines of each test image through the codes of series.
func changes(ctx context.Context, test sample.Source) (map[string][]loss, error) {
	out := map[string][]loss{"delta": make([]loss, len(thresholds)), "step-forward": make([]loss, len(thresholds))}
	err := each(ctx, test, func(_ int, spec *sample.Spec, x []tensor.Float) {
		lines, steps := spec.Shape[0], spec.Shape[1]
		series := make([]tensor.Float, len(x)) // [step, line]
		for l := range lines {
			for t := range steps {
				series[t*lines+l] = x[l*steps+t]
			}
		}
		of := sample.Spec{Shape: tensor.Shape{lines}, Steps: steps}
		b := sample.Batch{Spec: &of, X: series}
		for k, th := range thresholds {
			for name, e := range map[string]encode.Encoder{"delta": encode.Delta{Threshold: th}, "step-forward": encode.StepForward{Threshold: th}} {
				var s signal.Signal
				e.Encode(&s, &b, nil, encode.Window{T1: steps, Steps: steps})
				out[name][k].follow(&s, series, lines, th)
			}
		}
	})
	for _, list := range out {
		for k := range list {
			list[k].done()
		}
	}
	return out, err
}

// follow decodes a code of changes: each spike is a step of the threshold from the first value.
func (l *loss) follow(s *signal.Signal, series []tensor.Float, lines int, threshold float64) {
	for line := range lines {
		at := float64(series[line])
		for t := range s.T {
			if s.Raster.At(t, 2*line) {
				at += threshold
				l.spikes++
			}
			if s.Raster.At(t, 2*line+1) {
				at -= threshold
				l.spikes++
			}
			l.add(float64(series[t*lines+line]), at)
		}
	}
}
