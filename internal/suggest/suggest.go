// Package suggest finds the name that was meant by one that is not known.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// Names is a hint that lists the known names, the likely one first: what says
// what they are names of.
func Names(what, found string, known []string) string {
	if len(known) == 0 {
		return "there are no known " + what
	}
	best, bestDistance := "", max(1, len(found)/3)+1
	for _, k := range known {
		if slices.Contains(elsewhere[k], fold(found)) {
			best, bestDistance = k, 0
		}

		d := distance(fold(found), fold(k))
		if len(found) >= 3 && (strings.HasPrefix(k, found) || strings.HasSuffix(k, found)) {
			d = min(d, 1) // a part of the name, such as its first word
		}
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	list := "known " + what + ": " + strings.Join(known, ", ")
	if best == "" {
		return list
	}
	return fmt.Sprintf("did you mean %q? %s", best, list)
}

// elsewhere are the names that other libraries and papers have for ours.
var elsewhere = map[string][]string{
	"arctan":                 {"atan"},
	"fast-sigmoid":           {"superspike", "super-spike", "super"},
	"sigmoid":                {"sigmoid-derivative", "sigmoid-grad"},
	"triangle":               {"triangular", "piecewise-quadratic", "esser"},
	"rectangle":              {"boxcar", "box", "straight-through", "ste", "rect"},
	"lif":                    {"leaky", "lapicque", "lif-box"},
	"cuba-lif":               {"synaptic", "cuba", "cubalif"},
	"alif":                   {"lsnn", "adaptive", "adlif", "lif-adex"},
	"if":                     {"integrate-and-fire", "ifnode"},
	"linear":                 {"dense", "fc", "affine", "fully-connected"},
	"conv2d":                 {"conv", "convolution"},
	"max-pool":               {"maxpool", "maxpool2d", "sum-pool"},
	"avg-pool":               {"avgpool", "avgpool2d", "mean-pool"},
	"batch-norm":             {"batchnorm", "batchnorm2d", "bn"},
	"readout":                {"leaky-integrator", "li", "li-box"},
	"poisson":                {"rate", "bernoulli"},
	"constant":               {"direct"},
	"latency":                {"ttfs", "time-to-first-spike"},
	"count-cross-entropy":    {"cross-entropy", "ce", "ce-count-loss", "ce-rate-loss"},
	"membrane-cross-entropy": {"ce-max-membrane-loss"},
	"count-mse":              {"mse-count-loss"},
	"step-cross-entropy":     {"tet"},
}

// fold removes differences of style: learning_rate and Learning-Rate are one.
func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "_", "-")
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b (optimal string alignment).
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var rows [longest + 1][longest + 1]int
	for i := range len(a) + 1 {
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
