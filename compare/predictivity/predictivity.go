package predictivity

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
	"synfire/internal/rng"
)

// Split is one division of the stimuli into those that a map is fitted to and
// those that it is tested on.
type Split struct{ Train, Test []int }

// Folds divides n stimuli into k runs of neighbours, each tested once; the first
// n mod k are one longer.
func Folds(n, k int) ([]Split, error) {
	if k < 2 || k > n {
		return nil, fmt.Errorf("predictivity.Folds: %d folds of %d stimuli, want 2 to as many as stimuli", k, n)
	}
	var splits []Split
	lo := 0
	for f := range k {
		hi := lo + n/k
		if f < n%k {
			hi++
		}
		var s Split
		for i := range n {
			if i >= lo && i < hi {
				s.Test = append(s.Test, i)
			} else {
				s.Train = append(s.Train, i)
			}
		}
		splits = append(splits, s)
		lo = hi
	}
	return splits, nil
}

// Shuffles is k random splits of n stimuli with a share of each in the test set,
// 0.1 for Brain-Score; with labels (else nil), of the stimuli of each label.
func Shuffles(n, k int, share float64, labels []int, seed uint64) ([]Split, error) {
	if k < 1 || !(share > 0 && share < 1) || labels != nil && len(labels) != n {
		return nil, fmt.Errorf("predictivity.Shuffles: %d splits of %d stimuli with %d labels and a test share of %v; want at least one, a label a stimulus or none, and a share in (0, 1)", k, n, len(labels), share)
	}
	if labels == nil {
		labels = make([]int, n)
	}
	groups := map[int][]int{}
	for i, l := range labels {
		groups[l] = append(groups[l], i)
	}
	splits := make([]Split, k)
	for s := range splits {
		for _, l := range slices.Sorted(maps.Keys(groups)) {
			members := groups[l]
			order := rng.New(seed, "split").Int(uint64(s)).Int(uint64(int64(l))).Source().Perm(len(members))
			tests := int(math.Round(share * float64(len(members))))
			for i, o := range order {
				if i < tests {
					splits[s].Test = append(splits[s].Test, members[o])
				} else {
					splits[s].Train = append(splits[s].Train, members[o])
				}
			}
		}
		slices.Sort(splits[s].Train)
		slices.Sort(splits[s].Test)
		if len(splits[s].Test) < 2 || len(splits[s].Train) < 2 {
			return nil, fmt.Errorf("predictivity.Shuffles: %v of %d stimuli leaves %d to train and %d to test, want at least 2 of each", share, n, len(splits[s].Train), len(splits[s].Test))
		}
	}
	return splits, nil
}

// Predictivity is how well held-out responses are predicted.
type Predictivity struct {
	Score float64   // mean over splits of the median over units of Pearson's r
	Error float64   // its standard error over the splits
	Units []float64 // mean over splits of each unit's r; NaN where a unit never varies
}

// Predict measures predictivity in the way of Brain-Score: in each split a map is
// fitted to the training stimuli, and r taken for each unit of y over the test
// stimuli. A unit that does not vary in a split does not count there; a
// prediction that does not vary has r = 0.
func Predict(x, y *mat.Dense, m Mapping, splits []Split) (Predictivity, error) {
	const op = "predictivity.Predict"
	if err := numeric.CheckPair(op, x, y, numeric.MinStimuli); err != nil {
		return Predictivity{}, err
	}
	if len(splits) == 0 {
		return Predictivity{}, fmt.Errorf("%s: no splits; make them with Folds or Shuffles", op)
	}
	_, q := y.Dims()
	sums, counts := make([]float64, q), make([]float64, q)
	var scores []float64
	for _, s := range splits {
		fit, err := m.Fit(numeric.Rows(x, s.Train), numeric.Rows(y, s.Train))
		if err != nil {
			return Predictivity{}, err
		}
		r := unitCorrelations(fit.deviations(numeric.Rows(x, s.Test)), numeric.Rows(y, s.Test))
		for j, v := range r {
			if !math.IsNaN(v) {
				sums[j], counts[j] = sums[j]+v, counts[j]+1
			}
		}
		score, err := medianOf(op, r)
		if err != nil {
			return Predictivity{}, err
		}
		scores = append(scores, score)
	}
	p := Predictivity{Score: numeric.Mean(scores), Error: standardError(scores), Units: sums}
	for j := range sums {
		p.Units[j] /= counts[j] // 0/0 of a unit that never varies
	}
	return p, nil
}

func standardError(v []float64) float64 {
	if len(v) < 2 {
		return 0
	}
	d := numeric.Deviations(v)
	n := float64(len(v))
	return math.Sqrt(numeric.Dot(d, d) / (n - 1) / n)
}

// PredictPooled gathers the held-out predictions of all folds, which must test
// each stimulus once, and takes r of each unit over all stimuli; its score is the
// median over units.
func PredictPooled(x, y *mat.Dense, m Mapping, folds []Split) (Predictivity, error) {
	const op = "predictivity.PredictPooled"
	if err := numeric.CheckPair(op, x, y, numeric.MinStimuli); err != nil {
		return Predictivity{}, err
	}
	y, _ = numeric.Rescaled(y) // correlations do not see it, and predictions may exceed the data
	n, q := y.Dims()
	all, tested := mat.NewDense(n, q, nil), make([]int, n)
	for _, s := range folds {
		fit, err := m.Fit(numeric.Rows(x, s.Train), numeric.Rows(y, s.Train))
		if err != nil {
			return Predictivity{}, err
		}
		predicted := fit.predict(numeric.Rows(x, s.Test))
		for i, k := range s.Test {
			tested[k]++
			all.SetRow(k, predicted.RawRowView(i))
		}
	}
	if slices.ContainsFunc(tested, func(c int) bool { return c != 1 }) {
		return Predictivity{}, fmt.Errorf("%s: the folds do not test each of %d stimuli once; make them with Folds", op, n)
	}
	for j := range q { // a prediction of nothing but rounding errors does not vary
		column := mat.Col(nil, j, all)
		if slices.Max(column)-slices.Min(column) <= numeric.Rounding*numeric.Largest(mat.Col(nil, j, y)) {
			all.SetCol(j, make([]float64, n))
		}
	}
	units := unitCorrelations(all, y)
	score, err := medianOf(op, units)
	if err == nil && !slices.Contains(numeric.ConstantColumns(x), false) {
		// the means of the training folds would be held against the stimuli left out
		return Predictivity{}, numeric.Undefined(op, "the side to predict from responds to all stimuli alike")
	}
	return Predictivity{Score: score, Units: units}, err
}

// unitCorrelations is Pearson's r of each column: NaN where that of y is constant,
// 0 where only the prediction is.
func unitCorrelations(predicted, y *mat.Dense) []float64 {
	_, q := y.Dims()
	out := make([]float64, q)
	constant, flat := numeric.ConstantColumns(y), numeric.ConstantColumns(predicted)
	for j := range q {
		switch {
		case constant[j]:
			out[j] = math.NaN()
		case !flat[j]:
			a, _ := numeric.RescaledValues(mat.Col(nil, j, predicted))
			b, _ := numeric.RescaledValues(mat.Col(nil, j, y))
			out[j], _ = numeric.Correlation("", a, b) // undefined is 0
		}
	}
	return out
}

// medianOf leaves NaN out.
func medianOf(op string, v []float64) (float64, error) {
	sorted := slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	if len(sorted) == 0 {
		return 0, numeric.Undefined(op, "no unit to be predicted varies over the stimuli")
	}
	slices.Sort(sorted)
	return numeric.Quantile(sorted, 0.5), nil
}

// SpearmanBrown is the reliability 2r/(1 + r) of a measurement whose halves
// correlate by r. Of r = −1, halves that contradict each other, there is none: NaN.
func SpearmanBrown(r float64) float64 {
	if r <= -1+numeric.Rounding {
		return math.NaN()
	}
	return 2 * r / (1 + r)
}

// Ceiling is how well units could be predicted at best, given their noise.
type Ceiling struct {
	Score float64   // mean over splits of the median over units
	Units []float64 // mean over splits; NaN where a unit has no reliability in any
}

// SplitHalf estimates the ceiling from repetitions of the same stimuli: they are
// split at random into halves, whose means correlate by r over the stimuli for
// each unit, and the reliability is SpearmanBrown(r). r is 0 of a unit that varies
// in one half alone. A unit that varies in neither, or whose halves are opposites,
// has no reliability and does not count in that split; it is undefined where no
// unit has one in any split.
func SplitHalf(repetitions []*mat.Dense, splits int, seed uint64) (Ceiling, error) {
	return splitHalf("predictivity.SplitHalf", repetitions, splits, seed, func(a, b *mat.Dense, _ int) ([]float64, error) { return reliabilities(a, b), nil })
}

// splitHalf averages what of gives for the means of random halves, which are 2^e times as large.
func splitHalf(op string, repetitions []*mat.Dense, splits int, seed uint64, of func(a, b *mat.Dense, e int) ([]float64, error)) (Ceiling, error) {
	if len(repetitions) < 2 || splits < 1 {
		return Ceiling{}, fmt.Errorf("%s: %d repetitions and %d splits, want at least 2 and 1: one repetition does not tell signal from noise", op, len(repetitions), splits)
	}
	for _, x := range repetitions {
		if err := numeric.CheckPair(op, repetitions[0], x, numeric.MinStimuli); err != nil {
			return Ceiling{}, err
		}
		if a, b := repetitions[0].RawMatrix().Cols, x.RawMatrix().Cols; a != b {
			return Ceiling{}, fmt.Errorf("%s: repetitions of %d and %d units, want the same units in each", op, a, b)
		}
	}
	repetitions, e := allNear1(repetitions)
	_, p := repetitions[0].Dims()
	c := Ceiling{Units: make([]float64, p)}
	counts := make([]float64, p)
	var scores []float64
	for s := range splits {
		order := rng.New(seed, "halves").Int(uint64(s)).Source().Perm(len(repetitions))
		half := len(order) / 2
		units, err := of(meanOf(repetitions, order[:half]), meanOf(repetitions, order[half:]), e)
		if err != nil {
			return Ceiling{}, err
		}
		for j, v := range units {
			if !math.IsNaN(v) {
				c.Units[j], counts[j] = c.Units[j]+v, counts[j]+1
			}
		}
		if score, err := medianOf(op, units); err == nil {
			scores = append(scores, score)
		}
	}
	if len(scores) == 0 {
		return Ceiling{}, numeric.Undefined(op, "no unit varies over the stimuli with halves that are not opposites")
	}
	for j := range c.Units {
		c.Units[j] /= counts[j] // 0/0 of a unit without reliability
	}
	c.Score = numeric.Mean(scores)
	return c, nil
}

// SplitHalfMapped is the ceiling of a mapping: how well it predicts the responses from
// themselves. The mean of a random half of the repetitions predicts that of the other half over
// folds that test each stimulus once (PredictPooled), and the other way round; a unit's
// reliability is SpearmanBrown of the mean of both r. It is what the recorded population itself
// reaches by this mapping, fitted to as many stimuli, where SplitHalf asks what no map can be
// above. Undefined cases are those of SplitHalf.
func SplitHalfMapped(repetitions []*mat.Dense, m Mapping, folds []Split, splits int, seed uint64) (Ceiling, error) {
	const op = "predictivity.SplitHalfMapped"
	return splitHalf(op, repetitions, splits, seed, func(a, b *mat.Dense, e int) ([]float64, error) {
		a.Scale(math.Ldexp(1, e), a) // penalties are measured against the responses
		b.Scale(math.Ldexp(1, e), b)
		there, err := unitsOf(a, b, m, folds)
		if err != nil {
			return nil, err
		}
		back, err := unitsOf(b, a, m, folds)
		if err != nil {
			return nil, err
		}
		for j, r := range there {
			there[j] = SpearmanBrown(bothWays(r, back[j]))
		}
		return there, nil
	})
}

// unitsOf is r of each unit by PredictPooled, NaN where that of y is constant; of a constant x
// it is 0.
func unitsOf(x, y *mat.Dense, m Mapping, folds []Split) ([]float64, error) {
	p, err := PredictPooled(x, y, m, folds)
	if err != nil && !errors.Is(err, numeric.ErrUndefined) {
		return nil, err
	}
	if p.Units == nil {
		n, q := y.Dims()
		return unitCorrelations(mat.NewDense(n, q, nil), y), nil
	}
	return p.Units, nil
}

// bothWays is the mean of two correlations; NaN, of a unit that is constant where it is
// predicted, counts as 0 beside one that is not.
func bothWays(r, s float64) float64 {
	switch {
	case math.IsNaN(r):
		return s / 2
	case math.IsNaN(s):
		return r / 2
	}
	return (r + s) / 2
}

// allNear1 are responses on one scale, on which sums of them do not overflow: the given ones
// are 2^e times as large.
func allNear1(x []*mat.Dense) (out []*mat.Dense, e int) {
	most := 0.0
	for _, v := range x {
		most = max(most, numeric.LargestOf(v))
	}
	e = numeric.Exponent(most)
	out = make([]*mat.Dense, len(x))
	for i, v := range x {
		out[i] = &mat.Dense{}
		out[i].Scale(math.Ldexp(1, -e), v)
	}
	return out, e
}

// reliabilities of units by the means of two halves, which count alike.
func reliabilities(a, b *mat.Dense) []float64 {
	units, back := unitCorrelations(a, b), unitCorrelations(b, a)
	for j, r := range units {
		if math.IsNaN(r) && !math.IsNaN(back[j]) {
			r = 0 // constant in one half alone
		}
		units[j] = SpearmanBrown(r)
	}
	return units
}

func meanOf(x []*mat.Dense, index []int) *mat.Dense {
	sum := mat.DenseCopyOf(x[index[0]])
	for _, i := range index[1:] {
		sum.Add(sum, x[i])
	}
	sum.Scale(1/float64(len(index)), sum)
	return sum
}

// ExplainedVariance is r²/ceiling: the ceiling is a reliability and bounds r², not
// r.
func ExplainedVariance(r, ceiling float64) float64 { return r * r / ceiling }

// CeiledCorrelation is r/ceiling, as older publications have it.
func CeiledCorrelation(r, ceiling float64) float64 { return r / ceiling }

// minCeiling is the reliability from which a unit counts in UnitExplainedVariance.
const minCeiling = 0.1

// UnitExplainedVariance is the mean of r_u²/c_u over the units u whose ceiling c_u
// is above 0.1.
func UnitExplainedVariance(p Predictivity, c Ceiling) (float64, error) {
	const op = "predictivity.UnitExplainedVariance"
	if len(p.Units) != len(c.Units) {
		return 0, fmt.Errorf("%s: predictions of %d units and ceilings of %d, want the same units", op, len(p.Units), len(c.Units))
	}
	var v []float64
	for u, r := range p.Units {
		if c.Units[u] > minCeiling && !math.IsNaN(r) {
			v = append(v, ExplainedVariance(r, c.Units[u]))
		}
	}
	if len(v) == 0 {
		return 0, numeric.Undefined(op, "no unit has a ceiling above %v", minCeiling)
	}
	return numeric.Mean(v), nil
}
