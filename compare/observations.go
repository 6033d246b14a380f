package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Observations are repeated measurements: row k of X is what the units did when
// the condition Condition[k] was shown in Fold[k], a run or session. Conditions
// are numbered from 0; Fold may be nil where nothing is cross-validated.
type Observations struct {
	X         *mat.Dense
	Condition []int
	Fold      []int
}

// Conditions is their number.
func (o Observations) Conditions() int { return slices.Max(o.Condition) + 1 }

func (o Observations) check(op string) error {
	if err := numeric.CheckResponses(op, o.X, 1); err != nil {
		return err
	}
	n := o.X.RawMatrix().Rows
	if len(o.Condition) != n || o.Fold != nil && len(o.Fold) != n {
		return fmt.Errorf("compare.%s: %d observations with %d conditions and %d folds, want one of each for each", op, n, len(o.Condition), len(o.Fold))
	}
	if slices.Min(o.Condition) < 0 {
		return fmt.Errorf("compare.%s: condition %d, want them numbered from 0", op, slices.Min(o.Condition))
	}
	return nil
}

// Means is the mean response to each condition.
func (o Observations) Means() (*mat.Dense, error) {
	if err := o.check("Means"); err != nil {
		return nil, err
	}
	return o.means("Means", func(int) bool { return true })
}

// means is over the observations that use admits.
func (o Observations) means(op string, use func(k int) bool) (*mat.Dense, error) {
	m := mat.NewDense(o.Conditions(), o.X.RawMatrix().Cols, nil)
	count := make([]float64, o.Conditions())
	for k, c := range o.Condition {
		if !use(k) {
			continue
		}
		count[c]++
		row := m.RawRowView(c)
		for j, v := range o.X.RawRowView(k) {
			row[j] += v
		}
	}
	for c, n := range count {
		if n == 0 {
			return nil, fmt.Errorf("compare.%s: condition %d has no observation, or none in some fold; each needs one in every fold", op, c)
		}
		row := m.RawRowView(c)
		for j := range row {
			row[j] /= n
		}
	}
	return m, nil
}

// Residuals are the observations less the mean of their condition.
func (o Observations) Residuals() (*mat.Dense, error) {
	m, err := o.Means()
	if err != nil {
		return nil, err
	}
	r := mat.DenseCopyOf(o.X)
	for k, c := range o.Condition {
		row := r.RawRowView(k)
		for j, v := range m.RawRowView(c) {
			row[j] -= v
		}
	}
	return r, nil
}

// folds are the distinct folds, ascending; cross-validation needs two.
func (o Observations) folds(op string) ([]int, error) {
	if err := o.check(op); err != nil {
		return nil, err
	}
	f := slices.Compact(slices.Sorted(slices.Values(o.Fold)))
	if len(f) < 2 {
		return nil, fmt.Errorf("compare.%s: %d folds, want at least 2: a cross-validated dissimilarity needs every condition measured in each", op, len(f))
	}
	if n := o.Conditions(); n < numeric.MinStimuli {
		return nil, fmt.Errorf("compare.%s: %d conditions, want at least %d", op, n, numeric.MinStimuli)
	}
	return f, nil
}

// Crossnobis is the cross-validated squared Mahalanobis distance, the mean over
// folds f of (x_i − x_j)ᵀΣ⁻¹(x_i − x_j)/p with the left difference from the
// other folds and the right one from f. Noise of different folds is independent,
// so the estimate is unbiased: 0 on average without a difference, hence also
// negative (Walther et al. 2016). A nil precision is the identity.
func Crossnobis(o Observations, precision *mat.SymDense) (RDM, error) {
	const op = "Crossnobis"
	folds, err := o.folds(op)
	if err != nil {
		return RDM{}, err
	}
	if precision != nil {
		if err := checkPrecision(op, o.X, precision); err != nil {
			return RDM{}, err
		}
	}
	o, e := o.rescaled()
	var parts []RDM
	for _, f := range folds {
		train, test, err := o.split(op, f)
		if err != nil {
			return RDM{}, err
		}
		if precision != nil {
			train = train.weighed(precision)
		}
		parts = append(parts, products(train, test))
	}
	return averaged(parts).times2(op, 2*e)
}

// rescaled has responses near 1: the given ones are 2^e times as large.
func (o Observations) rescaled() (Observations, int) {
	x, e := numeric.Rescaled(o.X)
	o.X = x
	return o, e
}

// CrossnobisByFold is Crossnobis with a noise covariance for each fold, in
// ascending order of folds: the mean over pairs of folds f < g with
// Σ = (Σ_f + Σ_g)/2.
func CrossnobisByFold(o Observations, covariances []*mat.SymDense) (RDM, error) {
	const op = "CrossnobisByFold"
	folds, err := o.folds(op)
	if err != nil {
		return RDM{}, err
	}
	if len(covariances) != len(folds) {
		return RDM{}, fmt.Errorf("compare.%s: %d covariances for %d folds, want one for each", op, len(covariances), len(folds))
	}
	o, e := o.rescaled()
	means := make([]features, len(folds))
	for i, f := range folds {
		if err := checkPrecision(op, o.X, covariances[i]); err != nil {
			return RDM{}, err
		}
		if means[i], err = o.features(op, func(k int) bool { return o.Fold[k] == f }); err != nil {
			return RDM{}, err
		}
	}
	var parts []RDM
	for i := range folds {
		for j := range i {
			var sigma mat.SymDense
			sigma.AddSym(covariances[i], covariances[j])
			sigma.ScaleSym(0.5, &sigma)
			precision, err := Precision(&sigma)
			if err != nil {
				return RDM{}, err
			}
			parts = append(parts, products(means[j].weighed(precision), means[i]))
		}
	}
	return averaged(parts).times2(op, 2*e)
}

// PoissonCV is Poisson with the difference of rates from the other folds and the
// difference of their logarithms from fold f, the mean over folds.
func PoissonCV(o Observations) (RDM, error) {
	const op = "PoissonCV"
	folds, err := o.folds(op)
	if err != nil {
		return RDM{}, err
	}
	e := numeric.Exponent(numeric.LargestOf(o.X))
	var parts []RDM
	for _, f := range folds {
		train, test, err := o.split(op, f)
		if err != nil {
			return RDM{}, err
		}
		rate, _, err := poissonRates(op, train)
		if err != nil {
			return RDM{}, err
		}
		_, log, err := poissonRates(op, test)
		if err != nil {
			return RDM{}, err
		}
		parts = append(parts, products(rate.times2(-e), log))
	}
	return averaged(parts).times2(op, e)
}

// features are the means over the observations that use admits, with the errors of
// the data and of the sums.
func (o Observations) features(op string, use func(k int) bool) (features, error) {
	m, err := o.means(op, use)
	if err != nil {
		return features{}, err
	}
	abs := Observations{X: &mat.Dense{}, Condition: o.Condition}
	abs.X.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, o.X)
	size, err := abs.means(op, use)
	if err != nil {
		return features{}, err
	}
	f := features{m, norms(size, false)}
	for i := range f.err {
		f.err[i] *= numeric.InputRoundoff(o.X, numeric.Roundoff) + float64(len(o.Condition)+2)*numeric.Roundoff
	}
	return f, nil
}

// split is the means over the folds other than f, each fold counting alike, and
// those of f.
func (o Observations) split(op string, f int) (train, test features, err error) {
	if test, err = o.features(op, func(k int) bool { return o.Fold[k] == f }); err != nil {
		return train, test, err
	}
	n, p := test.x.Dims()
	train = features{mat.NewDense(n, p, nil), make([]float64, n)}
	folds := slices.Compact(slices.Sorted(slices.Values(o.Fold)))
	weight := 1 / float64(len(folds)-1)
	for _, g := range folds {
		if g == f {
			continue
		}
		m, err := o.features(op, func(k int) bool { return o.Fold[k] == g })
		if err != nil {
			return train, test, err
		}
		train.x.Add(train.x, m.x)
		for i, e := range m.err {
			train.err[i] += weight*e + numeric.Roundoff*numeric.Norm(m.x.RawRowView(i))
		}
	}
	train.x.Scale(weight, train.x)
	return train, test, nil
}

// averaged is the mean of RDMs of the same stimuli.
func averaged(parts []RDM) RDM {
	return mixture(parts, slices.Repeat([]float64{1 / float64(len(parts))}, len(parts)))
}
