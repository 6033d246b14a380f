package command

import "math"

// spark draws values as a line of blocks, from lo (empty) to hi (full).
func spark(values []float64, lo, hi float64) string {
	const blocks = " ▁▂▃▄▅▆▇█"
	levels := []rune(blocks)
	out := make([]rune, len(values))
	for i, v := range values {
		level := 0
		if hi > lo && !math.IsNaN(v) {
			level = int(math.Ceil((v - lo) / (hi - lo) * float64(len(levels)-1)))
		}
		out[i] = levels[min(max(level, 0), len(levels)-1)]
	}
	return string(out)
}

// resample is values as at most n means of neighbours.
func resample(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	out := make([]float64, n)
	for i := range out {
		part := values[i*len(values)/n : (i+1)*len(values)/n]
		for _, v := range part {
			out[i] += v / float64(len(part))
		}
	}
	return out
}

// histogram counts values in n equal bins of [lo, hi]; those that are not finite
// are left out.
func histogram(values []float64, lo, hi float64, n int) []float64 {
	counts := make([]float64, n)
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		bin := 0
		if hi > lo {
			bin = int((v - lo) / (hi - lo) * float64(n))
		}
		counts[min(max(bin, 0), n-1)]++
	}
	return counts
}
