// Package suggest finds the name that was meant by one that is not known.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// most is how many names are listed.
const most = 40

// Names is a hint that lists the known names, the likely one first: what says
// what they are names of. Of very many the first are listed, and the others counted.
func Names(what, found string, known []string) string {
	if len(known) == 0 {
		return "there are no known " + what
	}
	best, bestDistance := "", max(1, len(found)/3)+1
	for _, k := range known {
		if meant := squash(found); meant == squash(k) || slices.Contains(elsewhere[k], meant) {
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
	list := "known " + what + ": " + strings.Join(known[:min(most, len(known))], ", ")
	if more := len(known) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	if best == "" {
		return list
	}
	return fmt.Sprintf("did you mean %q? %s", best, list)
}

// elsewhere are the names that other libraries and papers have for ours, squashed.
var elsewhere = map[string][]string{
	"arctan":                 {"atan", "arctanspike"},
	"fast-sigmoid":           {"superspike", "super", "superspikegrad", "zenke"},
	"sigmoid":                {"sigmoidderivative", "sigmoidgrad", "sigmoidgradient", "sigmoidspike", "dsigmoid", "logistic"},
	"triangle":               {"triangular", "piecewisequadratic", "esser", "triangularspike", "tent"},
	"rectangle":              {"boxcar", "box", "straightthrough", "straightthroughestimator", "ste", "rect", "rectangular", "sfs"},
	"exponential":            {"exp", "expspike", "periodicexponential", "singleexponential", "slayer"},
	"lif":                    {"leaky", "lapicque", "lifbox", "expleak", "parametriclif", "plif", "leakyintegrateandfire", "rleaky"},
	"cuba-lif":               {"synaptic", "cuba", "cubalif", "alpha", "currentlif", "rsynaptic"},
	"alif":                   {"lsnn", "adaptive", "adlif", "lifadex", "adaptivelif"},
	"if":                     {"integrateandfire", "iaf", "nonleaky"},
	"linear":                 {"dense", "fc", "affine", "fullyconnected"},
	"conv2d":                 {"conv", "convolution"},
	"max-pool":               {"maxpool2d", "sumpool"},
	"avg-pool":               {"avgpool2d", "meanpool", "averagepool"},
	"batch-norm":             {"batchnorm2d", "bn", "tdbn"},
	"readout":                {"leakyintegrator", "li", "libox"},
	"poisson":                {"rate", "bernoulli"},
	"constant":               {"direct", "static"},
	"latency":                {"ttfs", "timetofirstspike"},
	"count-cross-entropy":    {"crossentropy", "ce", "cecount", "cerate"},
	"membrane-cross-entropy": {"cemaxmembrane"},
	"count-mse":              {"msecount", "mse"},
	"step-cross-entropy":     {"tet"},
	"vote":                   {"voting"},
	"bptt":                   {"backprop", "surrogategradient", "stbp", "slayer"},
	"eqprop":                 {"ep", "equilibriumpropagation"},

	"isi":            {"isiprofile", "interspikeinterval"},
	"spike":          {"spikeprofile"},
	"ri-spike":       {"rispike", "rateindependentspike"},
	"sync":           {"spikesync", "spikesynchronization", "spikesynchronisation", "synchrony"},
	"order":          {"spiketrainorder"},
	"directionality": {"spikedirectionality"},
	"victor-purpura": {"vp", "victor", "spiketime"},
	"van-rossum":     {"vr", "rossum"},
	"rsa-spearman":   {"spearman", "rsa", "rhoa"},
	"rsa-kendall":    {"kendall", "tau", "taua", "taub"},
	"rsa-cosine":     {"cosine", "corr", "correlation"},
	"rsa-whitened":   {"whitened", "cosinecov", "corrcov", "wuc"},
	"cka-linear":     {"cka", "lincka", "linearcka"},
	"cka-rbf":        {"kernelcka", "rbfcka"},
	"cka-unbiased":   {"debiasedcka", "unbiasedcka", "ckadebiased"},
	"pls":            {"plsregression", "brainscore"},
	"ridge":          {"ridgeregression", "linearregression", "regression"},
}

// fold removes differences of style: learning_rate and Learning-Rate are one.
func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "_", "-")
}

// squash leaves of a name what libraries agree on: LIFNode, lif_cell and LIF are one.
func squash(s string) string {
	s = strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(s))
	for _, end := range []string{"node", "cell", "neuron", "layer", "surrogate", "distance", "loss", "encoder", "optimizer"} {
		if short, ok := strings.CutSuffix(s, end); ok && short != "" {
			return short
		}
	}
	return s
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
