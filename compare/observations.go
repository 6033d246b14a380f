package compare

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
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
	if err := check(op, o.X, 1); err != nil {
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
	if n := o.Conditions(); n < minStimuli {
		return nil, fmt.Errorf("compare.%s: %d conditions, want at least %d", op, n, minStimuli)
	}
	return f, nil
}

// Crossnobis is the cross-validated squared Mahalanobis distance, the mean over
// folds f of (x_i − x_j)ᵀΣ⁻¹(x_i − x_j)/p with the left difference from the
// other folds and the right one from f. Noise of different folds is independent,
// so the estimate is unbiased: 0 on average without a difference, hence also
// negative (Walther et al. 2016). A nil precision is the identity.
func Crossnobis(o Observations, precision *mat.SymDense) (RDM, error) {
	folds, err := o.folds("Crossnobis")
	if err != nil {
		return RDM{}, err
	}
	whiten := func(x *mat.Dense) *mat.Dense { return x }
	if precision != nil {
		if err := checkPrecision("Crossnobis", o.X, precision); err != nil {
			return RDM{}, err
		}
		whiten = func(x *mat.Dense) *mat.Dense {
			var w mat.Dense
			w.Mul(x, precision)
			return &w
		}
	}
	sum := NewRDM(o.Conditions())
	for _, f := range folds {
		train, test, err := o.split("Crossnobis", f)
		if err != nil {
			return RDM{}, err
		}
		sum.add(bilinear(whiten(train), test), 1/float64(len(folds)))
	}
	return sum, nil
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
	means := make([]*mat.Dense, len(folds))
	for i, f := range folds {
		if err := checkPrecision(op, o.X, covariances[i]); err != nil {
			return RDM{}, err
		}
		if means[i], err = o.means(op, func(k int) bool { return o.Fold[k] == f }); err != nil {
			return RDM{}, err
		}
	}
	sum, pairs := NewRDM(o.Conditions()), float64(len(folds)*(len(folds)-1)/2)
	for i := range folds {
		for j := range i {
			var sigma mat.SymDense
			sigma.AddSym(covariances[i], covariances[j])
			sigma.ScaleSym(0.5, &sigma)
			precision, err := Precision(&sigma)
			if err != nil {
				return RDM{}, err
			}
			var w mat.Dense
			w.Mul(means[j], precision)
			sum.add(bilinear(&w, means[i]), 1/pairs)
		}
	}
	return sum, nil
}

// PoissonCV is Poisson with the difference of rates from the other folds and the
// difference of their logarithms from fold f, the mean over folds.
func PoissonCV(o Observations) (RDM, error) {
	folds, err := o.folds("PoissonCV")
	if err != nil {
		return RDM{}, err
	}
	sum := NewRDM(o.Conditions())
	for _, f := range folds {
		train, test, err := o.split("PoissonCV", f)
		if err != nil {
			return RDM{}, err
		}
		rate, _, err := poissonRates("PoissonCV", train)
		if err != nil {
			return RDM{}, err
		}
		_, log, err := poissonRates("PoissonCV", test)
		if err != nil {
			return RDM{}, err
		}
		sum.add(bilinear(rate, log), 1/float64(len(folds)))
	}
	return sum, nil
}

// split is the means over the folds other than f, each fold counting alike, and
// those of f.
func (o Observations) split(op string, f int) (train, test *mat.Dense, err error) {
	if test, err = o.means(op, func(k int) bool { return o.Fold[k] == f }); err != nil {
		return nil, nil, err
	}
	var others []*mat.Dense
	for _, g := range slices.Compact(slices.Sorted(slices.Values(o.Fold))) {
		if g == f {
			continue
		}
		m, err := o.means(op, func(k int) bool { return o.Fold[k] == g })
		if err != nil {
			return nil, nil, err
		}
		others = append(others, m)
	}
	train = mat.NewDense(o.Conditions(), o.X.RawMatrix().Cols, nil)
	for _, m := range others {
		train.Add(train, m)
	}
	train.Scale(1/float64(len(others)), train)
	return train, test, nil
}

// add adds weight·f(i, j) to each entry.
func (r RDM) add(f func(i, j int) float64, weight float64) {
	s := NewRDM(r.N)
	s.fill(f)
	for i, v := range s.Values {
		r.Values[i] += weight * v
	}
}
