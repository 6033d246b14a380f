package stdpcnn

import (
	"math"

	"synfire/rule/stdpconv"
)

// rightOf tells of each example whether the readout names its class.
func rightOf(l *stdpconv.Linear, list []stdpconv.Example) []bool {
	out := make([]bool, len(list))
	for i, x := range list {
		out[i] = l.Say(x.Active) == x.Class
	}
	return out
}

// percent is the share that is true.
func percent(list []bool) float64 {
	n := 0
	for _, ok := range list {
		if ok {
			n++
		}
	}
	return 100 * float64(n) / float64(max(len(list), 1))
}

// mcNemar is the two-sided exact p of two classifiers of the same examples: that of b or more of
// b + c tosses of a coin, b and c the examples that one alone has right.
func mcNemar(first, second []bool) float64 {
	b, c := 0, 0
	for i := range first {
		if first[i] && !second[i] {
			b++
		}
		if !first[i] && second[i] {
			c++
		}
	}
	n, tail := b+c, 0.0
	half := float64(n) * math.Ln2
	all, _ := math.Lgamma(float64(n + 1))
	for k := max(b, c); k <= n; k++ {
		x, _ := math.Lgamma(float64(k + 1))
		y, _ := math.Lgamma(float64(n - k + 1))
		tail += math.Exp(all - x - y - half)
	}
	return min(1, 2*tail)
}
