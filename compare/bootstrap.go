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
	// CrossValidate fits models to some stimuli and subjects and scores them on
	// others, within each resample: needed as soon as one has freedom.
	CrossValidate bool
	Pool          *par.Pool
}

// Inference is the outcome for a list of models.
type Inference struct {
	Scores       []float64 // mean similarity of each model with the subjects
	Lower, Upper float64   // noise ceiling; NaN for one subject
	DOF          int       // of the t-tests: the smaller of subjects and stimuli, less 1

	subjects, stimuli int
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
	case b.CrossValidate && data[0].N < minFolded:
		return nil, fmt.Errorf("compare.%s: %d stimuli, want at least %d to cross-validate", op, data[0].N, minFolded)
	}
	if b.Resamples == 0 {
		b.Resamples = 1000
	}
	n, m := len(data), data[0].N
	inf := &Inference{Lower: math.NaN(), Upper: math.NaN(), DOF: min(n, m) - 1, subjects: n, stimuli: m}
	if n == 1 {
		inf.DOF = m - 1
	} else {
		var err error
		if inf.Lower, inf.Upper, err = NoiseCeiling(b.Comparison, data); err != nil {
			return nil, err
		}
	}
	var err error
	if inf.Scores, err = b.score(models, data, within(n), within(m), rng.New(b.Seed, "folds").Source()); err != nil {
		return nil, err
	}
	inf.Scores = inf.Scores[:len(models)]
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
	if b.CrossValidate {
		reps = repetitions
	}
	out := make([][][]float64, reps)
	for r := range out {
		out[r] = make([][]float64, b.Resamples)
	}
	errs := make([]error, b.Resamples)
	b.Pool.For(b.Resamples, 1, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			key := rng.New(b.Seed, "bootstrap").Int(uint64(kind)).Int(uint64(k))
			subjects, stimuli := b.draw(kind, len(data), data[0].N, key.Source())
			for r := range reps {
				out[r][k], errs[k] = b.score(models, data, subjects, stimuli, key.Int(uint64(r)).Source())
				if errs[k] != nil {
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

// draw is the subjects and stimuli of a resample. One of too few distinct stimuli
// to compare is drawn again.
func (b Bootstrap) draw(kind, n, m int, s *rng.Source) (subjects, stimuli []int) {
	subjects, stimuli = within(n), within(m)
	if kind != drawStimuli {
		for i := range subjects {
			subjects[i] = s.IntN(n)
		}
	}
	least := numeric.MinStimuli
	if b.CrossValidate {
		least = minFolded
	}
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

// score is the mean similarity of each model with the listed subjects over the
// listed stimuli, and last the lower noise ceiling (0 for one subject).
func (b Bootstrap) score(models []Model, data []RDM, subjects, stimuli []int, s *rng.Source) ([]float64, error) {
	scores := make([]float64, len(models)+1)
	if len(distinct(subjects)) > 1 {
		lower, _, err := noiseCeiling(b.Comparison, subset(data, subjects, stimuli), subjects)
		if err != nil {
			return nil, err
		}
		scores[len(models)] = lower
	}
	folds := []fold{{subjects, stimuli, subjects, stimuli}}
	if b.CrossValidate {
		folds = crossFolds(subjects, stimuli, s)
	}
	for _, f := range folds {
		target := pooled(b.Pooling, subset(data, f.trainSubjects, f.trainStimuli))
		test := subset(data, f.testSubjects, f.testStimuli)
		for k, m := range models {
			prediction, err := m.Fit(b.Comparison, target, f.trainStimuli)
			if err != nil {
				return nil, fmt.Errorf("model %d: %w", k, err)
			}
			if prediction.N != data[0].N {
				return nil, fmt.Errorf("compare.Bootstrap: model %d is of %d stimuli, the data of %d", k, prediction.N, data[0].N)
			}
			v, err := meanSimilarity(b.Comparison, prediction.Subset(f.testStimuli), test)
			if err != nil {
				return nil, fmt.Errorf("model %d: %w", k, err)
			}
			scores[k] += v / float64(len(folds))
		}
	}
	return scores, nil
}

func subset(data []RDM, subjects, stimuli []int) []RDM {
	out := make([]RDM, len(subjects))
	for i, s := range subjects {
		out[i] = data[s].Subset(stimuli)
	}
	return out
}

// fold is what models are fitted to and tested on.
type fold struct{ trainSubjects, trainStimuli, testSubjects, testStimuli []int }

// minFolded stimuli make two folds that can be tested.
const minFolded = 2 * numeric.MinStimuli

// crossFolds divides subjects and stimuli at random; copies stay together. One
// subject alone is in training and test.
func crossFolds(subjects, stimuli []int, s *rng.Source) []fold {
	bySubject := deal(subjects, foldCount(len(distinct(subjects)), 6, 12, 20), s)
	byStimulus := deal(stimuli, foldCount(len(distinct(stimuli)), 12, 24, 40), s)
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
		within += stat.Variance(v, nil) / float64(len(reps))
	}
	if len(reps) == 1 {
		return within
	}
	r := float64(len(reps))
	return max((r*stat.Variance(means, nil)-within)/(r-1), 0)
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

// AboveZero is the p-value of model k's score against 0, one-sided.
func (i *Inference) AboveZero(k int) float64 {
	return i.tail(i.Scores[k], func(s []float64) float64 { return s[k] })
}

// Differ is the p-value of the difference of models j and k, two-sided.
func (i *Inference) Differ(j, k int) float64 {
	return min(2*i.tail(math.Abs(i.Scores[j]-i.Scores[k]), func(s []float64) float64 { return s[j] - s[k] }), 1)
}

// BelowCeiling is the p-value of model k's score against the lower noise ceiling,
// one-sided; NaN for one subject, which has none.
func (i *Inference) BelowCeiling(k int) float64 {
	return i.tail(i.Lower-i.Scores[k], func(s []float64) float64 { return s[len(s)-1] - s[k] })
}

// tail is the probability of at least the value t-distributed about 0.
func (i *Inference) tail(value float64, combine func([]float64) float64) float64 {
	se := math.Sqrt(i.variance(combine))
	switch {
	case math.IsNaN(value):
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
