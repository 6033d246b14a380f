package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"synfire/compare/internal/numeric"
	"synfire/compare/predictivity"
	"synfire/internal/par"
	"synfire/internal/rng"
)

// Bootstrap says how models are compared with the RDMs of several subjects, and
// how far that generalises to other subjects and other stimuli (Schütt et al.
// 2023). RDMs are made once; a resample only lists subjects and stimuli.
type Bootstrap struct {
	Comparison
	Resamples int // 0: 1000
	Seed      uint64
	// HoldOut is what models are scored on and were not fitted to, within each resample: needed
	// as soon as one has freedom.
	HoldOut HoldOut
	Pool    *par.Pool
}

// HoldOut says what models are not fitted to and scored on, in folds.
type HoldOut int

// What is held out.
const (
	HoldNothing  HoldOut = iota // models without freedom
	HoldBoth                    // other stimuli of other subjects
	HoldSubjects                // other subjects, all stimuli
	HoldStimuli                 // other stimuli, all subjects
)

func (h HoldOut) subjects() bool { return h == HoldBoth || h == HoldSubjects }
func (h HoldOut) stimuli() bool  { return h == HoldBoth || h == HoldStimuli }

// Inference is the outcome for a list of models.
type Inference struct {
	Scores       []float64   // mean similarity of each model with the subjects, over folds
	Subjects     [][]float64 // of each model with each subject, mean over the folds that test it
	Undefined    []int       // similarities of each model that have no value, such as of a constant prediction, and count as 0
	Lower, Upper float64     // noise ceiling, of what the folds test; NaN for one subject
	DOF          int         // of the t-tests: the smaller of subjects and stimuli, less 1

	subjects, stimuli int
	held              bool                       // the scores are of held-out data
	samples           [resamplings][][][]float64 // [repetition][resample][model, or last the lower ceiling]
}

// What a resample draws anew.
const (
	drawBoth = iota
	drawSubjects
	drawStimuli
	resamplings
)

// repetitions of the cross-validation in a resample: the variance between them is
// that of the choice of folds, and is taken out.
const repetitions = 2

// Run resamples.
func (b Bootstrap) Run(models []Model, data []RDM) (*Inference, error) {
	const op = "Bootstrap"
	if err := sameStimuli(op, data); err != nil {
		return nil, err
	}
	switch {
	case len(models) == 0 || b.Similarity == nil:
		return nil, fmt.Errorf("compare.%s: %d models, similarity given: %v; want at least one model and a similarity", op, len(models), b.Similarity != nil)
	case b.Resamples < 0 || b.Resamples == 1:
		return nil, fmt.Errorf("compare.%s: %d resamples, want at least 2, or 0 for 1000", op, b.Resamples)
	case b.HoldOut < HoldNothing || b.HoldOut > HoldStimuli:
		return nil, fmt.Errorf("compare.%s: hold-out %d, want one of the constants", op, b.HoldOut)
	case b.HoldOut.stimuli() && data[0].N < minFolded:
		return nil, fmt.Errorf("compare.%s: %d stimuli, want at least %d to cross-validate", op, data[0].N, minFolded)
	case b.HoldOut == HoldSubjects && len(data) < 2:
		return nil, fmt.Errorf("compare.%s: one subject, want at least 2 to hold one out; hold out stimuli", op)
	}
	if b.Resamples == 0 {
		b.Resamples = 1000
	}
	n, m := len(data), data[0].N
	inf := &Inference{DOF: min(n, m) - 1, subjects: n, stimuli: m, held: b.HoldOut != HoldNothing}
	if n == 1 {
		inf.DOF = m - 1
	}
	first, err := b.score(models, data, within(n), within(m), rng.New(b.Seed, "folds").Source())
	if err != nil {
		return nil, err
	}
	inf.Scores, inf.Subjects, inf.Undefined = first.means[:len(models)], first.bySubject(n), first.undefined
	inf.Lower, inf.Upper = first.means[len(models)], first.upper
	for kind := range inf.samples {
		if inf.samples[kind], err = b.resample(kind, models, data); err != nil {
			return nil, err
		}
	}
	return inf, nil
}

// resample scores all resamples of a kind.
func (b Bootstrap) resample(kind int, models []Model, data []RDM) ([][][]float64, error) {
	reps := 1
	if b.HoldOut != HoldNothing {
		reps = repetitions
	}
	out := make([][][]float64, reps)
	for r := range out {
		out[r] = make([][]float64, b.Resamples)
	}
	errs := make([]error, b.Resamples)
	b.Pool.For(b.Resamples, 1, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			key := rng.New(b.Seed, "bootstrap").Int(uint64(k))
			subjects, stimuli := b.draw(kind, len(data), data[0].N, key)
			for r := range reps {
				s, err := b.score(models, data, subjects, stimuli, key.Int(uint64(kind)).Int(uint64(r)).Source())
				if out[r][k], errs[k] = s.means, err; err != nil {
					break
				}
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// draw is the subjects and stimuli of a resample, the same ones whatever else is drawn: the dual
// variance is a difference, in which their chance then cancels. One of too few distinct stimuli
// to compare is drawn again.
func (b Bootstrap) draw(kind, n, m int, key rng.Key) (subjects, stimuli []int) {
	subjects, stimuli = within(n), within(m)
	s := key.Str("subjects").Source()
	if kind != drawStimuli {
		for i := range subjects {
			subjects[i] = s.IntN(n)
		}
	}
	least := numeric.MinStimuli
	if b.HoldOut.stimuli() {
		least = minFolded
	}
	s = key.Str("stimuli").Source()
	for kind != drawSubjects {
		for i := range stimuli {
			stimuli[i] = s.IntN(m)
		}
		if len(distinct(stimuli)) >= least {
			break
		}
	}
	return subjects, stimuli
}

// scored is what a resample gives.
type scored struct {
	means     []float64   // of each model over folds, and last the lower noise ceiling (NaN for one subject)
	upper     float64     // noise ceiling
	sums      [][]float64 // [model][subject] over folds
	folds     []float64   // that test a subject
	undefined []int       // [model]
}

// bySubject is the mean over folds; a subject has some.
func (s scored) bySubject(n int) [][]float64 {
	for _, row := range s.sums {
		for i := range n {
			row[i] /= s.folds[i]
		}
	}
	return s.sums
}

// score is the similarity of each model with the listed subjects over the listed stimuli, in folds.
func (b Bootstrap) score(models []Model, data []RDM, subjects, stimuli []int, s *rng.Source) (scored, error) {
	return b.scoreFolds(models, data, crossFolds(b.HoldOut, subjects, stimuli, s))
}

func (b Bootstrap) scoreFolds(models []Model, data []RDM, folds []fold) (scored, error) {
	out := scored{means: make([]float64, len(models)+1), folds: make([]float64, len(data)), undefined: make([]int, len(models))}
	for range models {
		out.sums = append(out.sums, make([]float64, len(data)))
	}
	free := slices.ContainsFunc(models, func(m Model) bool { _, fixed := m.(Fixed); return !fixed })
	for _, f := range folds {
		test := subset(data, f.testSubjects, f.testStimuli)
		var target RDM
		if free {
			target = pooled(b.Pooling, subset(data, f.trainSubjects, f.trainStimuli))
		}
		lower, upper, err := b.foldCeiling(f, data, test)
		if err != nil {
			return out, err
		}
		out.means[len(models)] += lower / float64(len(folds))
		out.upper += upper / float64(len(folds))
		for _, i := range f.testSubjects {
			out.folds[i]++
		}
		for k, m := range models {
			prediction, err := m.Fit(b.Comparison, target, f.trainStimuli)
			if err != nil {
				return out, fmt.Errorf("model %d: %w", k, err)
			}
			if prediction.N != data[0].N {
				return out, fmt.Errorf("compare.Bootstrap: model %d is of %d stimuli, the data of %d", k, prediction.N, data[0].N)
			}
			values, undefined, err := similarities(b.Comparison, prediction.Subset(f.testStimuli).keeping(), test)
			if err != nil {
				return out, fmt.Errorf("model %d: %w", k, err)
			}
			for i, v := range values {
				out.sums[k][f.testSubjects[i]] += v
			}
			out.undefined[k] += undefined
			out.means[k] += orderlessMean(values) / float64(len(folds))
		}
	}
	return out, nil
}

// foldCeiling bounds what a model can have on the test of a fold: by the pool of the subjects
// that it was fitted to, or of the others where no subject is held out, and by that of all. NaN
// where there is one subject alone.
func (b Bootstrap) foldCeiling(f fold, data, test []RDM) (lower, upper float64, err error) {
	switch {
	case len(distinct(slices.Concat(f.trainSubjects, f.testSubjects))) < 2:
		return math.NaN(), math.NaN(), nil
	case !b.HoldOut.subjects():
		return noiseCeiling(b.Comparison, test, f.testSubjects)
	}
	train := subset(data, f.trainSubjects, f.testStimuli)
	for _, side := range []struct {
		to   *float64
		pool []RDM
	}{{&lower, train}, {&upper, slices.Concat(train, test)}} {
		values, _, err := similarities(b.Comparison, pooled(b.Pooling, side.pool).keeping(), test)
		if err != nil {
			return 0, 0, err
		}
		*side.to = orderlessMean(values)
	}
	return lower, upper, nil
}

func subset(data []RDM, subjects, stimuli []int) []RDM {
	out := make([]RDM, len(subjects))
	for i, s := range subjects {
		out[i] = data[s].Subset(stimuli).keeping()
	}
	return out
}

// fold is what models are fitted to and tested on.
type fold struct{ trainSubjects, trainStimuli, testSubjects, testStimuli []int }

// minFolded stimuli make two folds that can be tested.
const minFolded = 2 * numeric.MinStimuli

// crossFolds divides subjects and stimuli at random, or what is held out of them; copies stay
// together. One subject alone is in training and test.
func crossFolds(h HoldOut, subjects, stimuli []int, s *rng.Source) []fold {
	bySubject, byStimulus := []predictivity.Split{{Train: subjects, Test: subjects}}, []predictivity.Split{{Train: stimuli, Test: stimuli}}
	if h.subjects() {
		bySubject = deal(subjects, foldCount(len(distinct(subjects)), 6, 12, 20), s)
	}
	if h.stimuli() {
		byStimulus = deal(stimuli, foldCount(len(distinct(stimuli)), 12, 24, 40), s)
	}
	var folds []fold
	for _, u := range bySubject {
		for _, v := range byStimulus {
			folds = append(folds, fold{u.Train, v.Train, u.Test, v.Test})
		}
	}
	return folds
}

// foldCount is 2, 3, 4 or 5 by the limits.
func foldCount(n, two, three, four int) int {
	switch {
	case n < two:
		return 2
	case n < three:
		return 3
	case n < four:
		return 4
	}
	return 5
}

// deal deals the distinct values into k hands.
func deal(v []int, k int, s *rng.Source) []predictivity.Split {
	d := distinct(v)
	if len(d) < 2 {
		return []predictivity.Split{{Train: v, Test: v}}
	}
	k = min(k, len(d))
	hand := map[int]int{}
	for i, o := range s.Perm(len(d)) {
		hand[d[o]] = i % k
	}
	splits := make([]predictivity.Split, k)
	for _, x := range v {
		for h := range splits {
			if hand[x] == h {
				splits[h].Test = append(splits[h].Test, x)
			} else {
				splits[h].Train = append(splits[h].Train, x)
			}
		}
	}
	return splits
}

// variance of the score that combine makes of a sample.
func (i *Inference) variance(combine func(sample []float64) float64) float64 {
	var v [resamplings]float64
	for kind, reps := range i.samples {
		v[kind] = resampled(reps, combine)
	}
	if i.subjects == 1 {
		return v[drawStimuli] * float64(i.stimuli) / float64(i.stimuli-1)
	}
	return DualVarianceSmall(v[drawBoth], v[drawSubjects], v[drawStimuli], i.subjects, i.stimuli)
}

// resampled is the variance over resamples. Of R repetitions with random folds it
// is (R·var(mean) − numeric.Mean(var))/(R − 1): the part due to the folds taken out.
func resampled(reps [][][]float64, combine func([]float64) float64) float64 {
	n := len(reps[0])
	means, within := make([]float64, n), 0.0
	for _, samples := range reps {
		v := make([]float64, n)
		for k, s := range samples {
			v[k] = combine(s)
			means[k] += v[k] / float64(len(reps))
		}
		within += definedVariance(v) / float64(len(reps))
	}
	if len(reps) == 1 {
		return within
	}
	r := float64(len(reps))
	return max((r*definedVariance(means)-within)/(r-1), 0)
}

// definedVariance is of the values that exist: a resample of one subject alone has no ceiling.
func definedVariance(v []float64) float64 {
	return stat.Variance(slices.DeleteFunc(slices.Clone(v), math.IsNaN), nil)
}

// DualVariance is the variance of a score over subjects and stimuli together, from
// the variances of bootstraps over both, over subjects and over stimuli:
// 2(σ²_r + σ²_c) − σ²_rc, within [max(σ²_r, σ²_c), σ²_rc]. Drawing both at once
// counts the noise of a single measurement three times; this counts it once.
func DualVariance(both, subjects, stimuli float64) float64 {
	return min(max(2*(subjects+stimuli)-both, subjects, stimuli), both)
}

// DualVarianceSmall is DualVariance corrected for n subjects and m stimuli,
//
//	σ² = n/(n−1)·σ²_r + m/(m−1)·σ²_c − nm/((n−1)(m−1))·(σ²_rc − σ²_r − σ²_c)
//
// within the corrected bounds below and σ²_rc.
func DualVarianceSmall(both, subjects, stimuli float64, n, m int) float64 {
	fn, fm := float64(n)/float64(n-1), float64(m)/float64(m-1)
	v := fn*subjects + fm*stimuli - fn*fm*(both-subjects-stimuli)
	return min(max(v, fn*subjects, fm*stimuli), both)
}

// SE is the standard error of model k's score.
func (i *Inference) SE(k int) float64 {
	return math.Sqrt(i.variance(func(s []float64) float64 { return s[k] }))
}

// DifferenceSE is the standard error of the difference of models j and k.
func (i *Inference) DifferenceSE(j, k int) float64 {
	return math.Sqrt(i.variance(func(s []float64) float64 { return s[j] - s[k] }))
}

// AboveZero is the p-value of model k's score against 0, one-sided; like the others NaN as tail says.
func (i *Inference) AboveZero(k int) float64 {
	return i.tail(i.Scores[k], func(s []float64) float64 { return s[k] })
}

// Differ is the p-value of the difference of models j and k, two-sided.
func (i *Inference) Differ(j, k int) float64 {
	return min(2*i.tail(math.Abs(i.Scores[j]-i.Scores[k]), func(s []float64) float64 { return s[j] - s[k] }), 1)
}

// BelowCeiling is the p-value of model k's score against the lower noise ceiling,
// one-sided; NaN for one subject, which has none, and for two, whose ceiling no resample varies.
func (i *Inference) BelowCeiling(k int) float64 {
	if i.subjects < 3 {
		return math.NaN()
	}
	return i.tail(i.Lower-i.Scores[k], func(s []float64) float64 { return s[len(s)-1] - s[k] })
}

// tail is the probability of at least the value t-distributed about 0; NaN where held-out scores have no
// variance: the chance of folds, which is taken out, is then all that the resamples show.
func (i *Inference) tail(value float64, combine func([]float64) float64) float64 {
	se := math.Sqrt(i.variance(combine))
	switch {
	case math.IsNaN(value), se == 0 && i.held:
		return math.NaN()
	case se == 0 && value > 0:
		return 0
	case se == 0:
		return 1
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(i.DOF)}.Survival(value / se)
}

// Bonferroni adjusts p-values of several tests: p·m, at most 1.
func Bonferroni(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = min(v*float64(len(p)), 1)
	}
	return out
}

// Holm adjusts p-values like Bonferroni, and less where some are small: the k-th
// smallest by m − k + 1 (Holm 1979).
func Holm(p []float64) []float64 {
	order, out, least := ascending(p), make([]float64, len(p)), 0.0
	for k, i := range order {
		least = max(least, min(p[i]*float64(len(p)-k), 1))
		out[i] = least
	}
	return out
}

// FDR adjusts p-values to false discovery rates: the k-th smallest by m/k
// (Benjamini and Hochberg 1995).
func FDR(p []float64) []float64 {
	order, out, most := ascending(p), make([]float64, len(p)), 1.0
	for k := len(order) - 1; k >= 0; k-- {
		most = min(most, p[order[k]]*float64(len(p))/float64(k+1))
		out[order[k]] = most
	}
	return out
}

func ascending(p []float64) []int {
	order := within(len(p))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}

// PermutationTest is the similarity of two RDMs and its p-value when stimuli bear
// no relation: rows and columns of s are permuted together, and
// p = (1 + #≥)/(1 + permutations), of which there are MaxPermutations at most.
func PermutationTest(similarity Similarity, r, s RDM, permutations int, seed uint64, pool *par.Pool) (value, p float64, err error) {
	if permutations < 1 || permutations > MaxPermutations {
		return 0, 0, fmt.Errorf("compare.PermutationTest: %d permutations, want at least 1 and at most %d; 1000 is usual", permutations, MaxPermutations)
	}
	if value, err = similarity(r, s); err != nil {
		return value, 1, err
	}
	reached, errs := make([]bool, permutations), make([]error, permutations)
	pool.For(permutations, 1, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			order := rng.New(seed, "permutation").Int(uint64(k)).Source().Perm(s.N)
			v, err := orZero(similarity(r, s.Subset(order)))
			reached[k], errs[k] = v >= value-numeric.Rounding, err
		}
	})
	count := 1
	for k, hit := range reached {
		if errs[k] != nil {
			return value, 1, errs[k]
		}
		if hit {
			count++
		}
	}
	return value, float64(count) / float64(permutations+1), nil
}
