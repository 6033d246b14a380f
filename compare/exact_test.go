package compare_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"synfire/compare"
	"synfire/internal/rng"
)

// survival of Student's t with 1 or 2 degrees of freedom, in closed form.
func survival(t float64, dof int) float64 {
	if dof == 1 {
		return 0.5 - math.Atan(t)/math.Pi
	}
	return 0.5 * (1 - t/math.Sqrt(2+t*t))
}

// p-values and standard errors against closed forms: of one side or of two, from
// the variances of what was drawn.
func TestPValuesAgainstClosedForms(t *testing.T) {
	signal := gaussian(1, 9, 5)
	models := []compare.Model{
		compare.Fixed{RDM: rdm(t, compare.Euclidean, signal)}, compare.Fixed{RDM: rdm(t, compare.Euclidean, gaussian(50, 9, 5))}, compare.Fixed{RDM: rdm(t, compare.Euclidean, gaussian(52, 9, 5))},
	}
	for _, n := range []int{2, 3} {
		for _, cross := range []bool{false, true} {
			inf, err := compare.Bootstrap{Comparison: spearman, Resamples: 40, Seed: 3, HoldOut: holdBoth(cross)}.Run(models, subjects(t, signal, n, 2))
			if err != nil {
				t.Fatal(err)
			}
			dof := n - 1
			se := func(combine func(s []float64) float64) float64 {
				var v [3]float64
				for kind, reps := range compare.Samples(inf) {
					v[kind] = compare.Resampled(reps, combine)
				}
				return math.Sqrt(compare.DualVarianceSmall(v[0], v[1], v[2], n, 9))
			}
			tail := func(value, se float64) float64 { // TestPValuesWithoutVariance
				switch {
				case se == 0 && cross:
					return math.NaN()
				case se == 0 && value > 0:
					return 0
				case se == 0:
					return 1
				}
				return survival(value/se, dof)
			}
			pValue := func(what string, got, want float64) {
				t.Helper()
				if !math.IsNaN(want) {
					near(t, what, got, want, 1e-9)
				} else if !math.IsNaN(got) {
					t.Errorf("%s = %v, want none", what, got)
				}
			}
			for j := range models {
				own := se(func(s []float64) float64 { return s[j] })
				name := fmt.Sprintf("%d subjects, cross-validated %v, model %d", n, cross, j)
				near(t, name+": standard error", inf.SE(j), own, 1e-12)
				pValue(name+": above 0", inf.AboveZero(j), tail(inf.Scores[j], own))
				below := se(func(s []float64) float64 { return s[3] - s[j] })
				if p := inf.BelowCeiling(j); n > 2 {
					pValue(name+": below the ceiling", p, tail(inf.Lower-inf.Scores[j], below))
				} else if !math.IsNaN(p) {
					t.Errorf("%s: below the ceiling: %v", name, p)
				}
				for k := range models {
					if j == k {
						continue
					}
					d := se(func(s []float64) float64 { return s[j] - s[k] })
					two := min(2*tail(math.Abs(inf.Scores[j]-inf.Scores[k]), d), 1)
					pValue(fmt.Sprintf("%s: differs from %d", name, k), inf.Differ(j, k), two)
				}
			}
		}
	}
}

// A score that never varies is above 0 for sure, or not at all.
func TestPValuesWithoutVariance(t *testing.T) {
	same := compare.RDM{N: 4, Values: []float64{1, 2, 3, 4, 5, 6}}
	always := func(v float64) compare.Comparison {
		return compare.Comparison{Similarity: func(compare.RDM, compare.RDM) (float64, error) { return v, nil }, Pooling: compare.PoolRanks}
	}
	for _, c := range []struct{ similarity, want float64 }{{0.5, 0}, {0, 1}, {-0.5, 1}} {
		inf, err := compare.Bootstrap{Comparison: always(c.similarity), Resamples: 3}.Run([]compare.Model{compare.Fixed{RDM: same}}, []compare.RDM{same, same})
		if err != nil {
			t.Fatal(err)
		}
		if p := inf.AboveZero(0); p != c.want {
			t.Errorf("similarity %v: p = %v, want %v", c.similarity, p, c.want)
		}
	}
	// Of held-out scores it may be the chance of folds that leaves no variance: nothing is known.
	same = rdm(t, compare.Euclidean, gaussian(1, 6, 2))
	held, err := compare.Bootstrap{Comparison: always(0.5), Resamples: 3, HoldOut: compare.HoldBoth}.Run([]compare.Model{compare.Fixed{RDM: same}, compare.Fixed{RDM: same}}, []compare.RDM{same, same, same})
	if err != nil {
		t.Fatal(err)
	}
	for what, p := range map[string]float64{"above 0": held.AboveZero(0), "below the ceiling": held.BelowCeiling(0), "different": held.Differ(0, 1)} {
		if !math.IsNaN(p) {
			t.Errorf("held out, no variance, %s: p = %v", what, p)
		}
	}
}

// The seed decides resamples and folds; the same one gives the same.
func TestBootstrapFollowsItsSeed(t *testing.T) {
	signal := gaussian(1, 12, 5)
	data := subjects(t, signal, 4, 1)
	models := []compare.Model{compare.Fixed{RDM: rdm(t, compare.Euclidean, signal)}}
	run := func(seed uint64, cross bool) *compare.Inference {
		inf, err := compare.Bootstrap{Comparison: spearman, Resamples: 12, Seed: seed, HoldOut: holdBoth(cross)}.Run(models, data)
		if err != nil {
			t.Fatal(err)
		}
		return inf
	}
	for _, cross := range []bool{false, true} {
		a, b, other := run(1, cross), run(1, cross), run(2, cross)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("cross-validated %v: the same seed gives two results", cross)
		}
		for kind, reps := range compare.Samples(a) {
			for r := range reps {
				if reflect.DeepEqual(reps[r], compare.Samples(other)[kind][r]) {
					t.Errorf("cross-validated %v: resamples of kind %d, repetition %d do not follow the seed", cross, kind, r)
				}
				for q := range r {
					if reflect.DeepEqual(reps[r], reps[q]) {
						t.Errorf("two repetitions have the same folds")
					}
				}
			}
		}
		if cross == (a.Scores[0] == other.Scores[0]) {
			t.Errorf("cross-validated %v: scores %v and %v of two seeds", cross, a.Scores, other.Scores)
		}
	}
}

// The variances by hand: inside their bounds, and at each of them.
func TestDualVariancesByHand(t *testing.T) {
	for _, c := range []struct {
		both, subjects, stimuli float64
		n, m                    int
		want                    float64
	}{
		{2.2, 1, 1, 10, 20, 330. / 171}, // 10/9 + 20/19 − 200/171·0.2
		{3, 1, 0.5, 3, 4, 1.5},          // −0.83 is below 3/2·1
		{2.4, 0.5, 1.2, 3, 4, 1.6},      // 0.95 is below 4/3·1.2
		{1.6, 1, 0.5, 3, 4, 1.6},        // 1.97 is above both
	} {
		near(t, fmt.Sprintf("small %+v", c), compare.DualVarianceSmall(c.both, c.subjects, c.stimuli, c.n, c.m), c.want, 1e-12)
	}
	for _, c := range []struct{ both, subjects, stimuli, want float64 }{{2.5, 1, 1, 1.5}, {5, 2, 1, 2}, {5, 1, 2, 2}, {2, 1, 0.9, 1.8}, {1.5, 1, 1, 1.5}} {
		near(t, fmt.Sprintf("large %+v", c), compare.DualVariance(c.both, c.subjects, c.stimuli), c.want, 1e-12)
	}
	two := [][][]float64{{{1}, {3}, {2}}, {{2}, {6}, {1}}} // means 1.5, 4.5, 1.5: 3; variances 1 and 7: 4
	first := func(s []float64) float64 { return s[0] }
	near(t, "variance without that of the folds", compare.Resampled(two, first), (2*3-4)/1., 1e-12)
	near(t, "variance of one repetition", compare.Resampled(two[1:], first), 7, 1e-12)
	three := [][][]float64{{{1}, {3}}, {{2}, {2}}, {{3}, {4}}} // means 2 and 3: ½; variances 2, 0 and ½: 5/6
	near(t, "variance of three repetitions", compare.Resampled(three, first), (3*0.5-5./6)/2, 1e-12)
	none := [][][]float64{{{1}, {3}}, {{3}, {1}}}
	near(t, "variance of folds alone", compare.Resampled(none, first), 0, 1e-12)
}

// One subject's score varies with the stimuli alone, corrected by m/(m − 1).
func TestOneSubject(t *testing.T) {
	signal := gaussian(1, 8, 5)
	inf, err := compare.Bootstrap{Comparison: spearman, Resamples: 30, Seed: 1}.Run([]compare.Model{compare.Fixed{RDM: rdm(t, compare.Euclidean, signal)}}, subjects(t, signal, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	v := compare.Resampled(compare.Samples(inf)[compare.DrawStimuli], func(s []float64) float64 { return s[0] })
	near(t, "standard error", inf.SE(0), math.Sqrt(v*8/7), 1e-12)
}

// Copies of a resampled subject are not among the others that predict it.
func TestLowerCeilingLeavesCopiesOut(t *testing.T) {
	r := []compare.RDM{{N: 4, Values: []float64{1, 2, 3, 4, 5, 6}}, {N: 4, Values: []float64{2, 1, 3, 6, 5, 4}}, {N: 4, Values: []float64{1, 6, 2, 5, 3, 4}}}
	pool := func(r ...compare.RDM) compare.RDM {
		sum := compare.NewRDM(4)
		for _, x := range r {
			for i, v := range x.Rank().Values {
				sum.Values[i] += v
			}
		}
		return sum
	}
	of := func(r, s compare.RDM) float64 {
		v, err := compare.Spearman(r, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	data := []compare.RDM{r[0], r[0], r[1], r[2]}
	lower, upper, err := compare.CeilingOfCopies(spearman, data, []int{0, 0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	others := pool(r[1], r[2])
	near(t, "lower", lower, (2*of(others, r[0])+of(pool(r[0], r[0], r[2]), r[1])+of(pool(r[0], r[0], r[1]), r[2]))/4, 1e-12)
	all := pool(data...)
	near(t, "upper", upper, (2*of(all, r[0])+of(all, r[1])+of(all, r[2]))/4, 1e-12)
	with, _, err := compare.NoiseCeiling(spearman, data)
	if err != nil || math.Abs(with-lower) < 1e-3 {
		t.Errorf("the test does not tell copies from subjects: %v and %v, %v", with, lower, err)
	}
	// in a resample too: the last figure is that ceiling
	inf, err := compare.Bootstrap{Comparison: spearman, Resamples: 25, Seed: 5}.Run([]compare.Model{compare.Fixed{RDM: r[0]}}, r)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for k, sample := range compare.Samples(inf)[compare.DrawSubjects][0] {
		drawn, _ := compare.Draw(compare.Bootstrap{}, compare.DrawSubjects, 3, 4, rng.New(5, "bootstrap").Int(uint64(k)))
		var data []compare.RDM
		for _, s := range drawn {
			data = append(data, r[s])
		}
		if slices.Max(drawn) == slices.Min(drawn) {
			if !math.IsNaN(sample[1]) {
				t.Errorf("resample %v has the ceiling %v, want none", drawn, sample[1])
			}
			continue
		}
		want, _, err := compare.CeilingOfCopies(spearman, data, drawn)
		if err != nil || sample[1] != want {
			t.Errorf("resample %v: lower ceiling %v, want %v, %v", drawn, sample[1], want, err)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("%d resamples of several subjects", checked)
	}
}

// A resample of one subject has no ceiling: it leaves the variance of the others as it is.
func TestVarianceOfWhatExists(t *testing.T) {
	nan := math.NaN()
	first := func(s []float64) float64 { return s[0] }
	near(t, "variance", compare.Resampled([][][]float64{{{1}, {nan}, {3}, {2}}}, first), 1, 1e-12)
	near(t, "variance of two repetitions", compare.Resampled([][][]float64{{{1}, {nan}, {3}, {2}}, {{2}, {nan}, {6}, {1}}}, first), 2, 1e-12)
}

// A resample draws what it says, the same subjects and stimuli alone as both, and enough
// different stimuli to compare.
func TestDraw(t *testing.T) {
	for seed := range uint64(50) {
		bothSubjects, bothStimuli := compare.Draw(compare.Bootstrap{}, compare.DrawBoth, 5, 7, rng.New(seed, "draw"))
		for kind := range 3 {
			for _, cross := range []bool{false, true} {
				b := compare.Bootstrap{HoldOut: holdBoth(cross)}
				subjects, stimuli := compare.Draw(b, kind, 5, 7, rng.New(seed, "draw"))
				allSubjects, allStimuli := reflect.DeepEqual(subjects, []int{0, 1, 2, 3, 4}), reflect.DeepEqual(stimuli, []int{0, 1, 2, 3, 4, 5, 6})
				if kind == compare.DrawStimuli && !allSubjects || kind == compare.DrawSubjects && !allStimuli || len(subjects) != 5 || len(stimuli) != 7 {
					t.Errorf("kind %d draws %v and %v", kind, subjects, stimuli)
				}
				if kind == compare.DrawSubjects && !slices.Equal(subjects, bothSubjects) || kind == compare.DrawStimuli && !cross && !slices.Equal(stimuli, bothStimuli) {
					t.Errorf("kind %d draws others than both: %v and %v, not %v and %v", kind, subjects, stimuli, bothSubjects, bothStimuli)
				}
				different := len(slices.Compact(slices.Sorted(slices.Values(stimuli))))
				if different < 3 || cross && different < 6 {
					t.Errorf("%d different stimuli, cross-validated %v", different, cross)
				}
			}
		}
	}
}

// Folds: their number, copies together, tested once and not trained on.
func TestCrossFolds(t *testing.T) {
	for _, c := range []struct{ n, subjects, stimuli int }{{5, 2, 2}, {6, 3, 2}, {11, 3, 2}, {12, 4, 3}, {19, 4, 3}, {20, 5, 3}, {23, 5, 3}, {24, 5, 4}, {39, 5, 4}, {40, 5, 5}} {
		if a, b := compare.FoldCount(c.n, 6, 12, 20), compare.FoldCount(c.n, 12, 24, 40); a != c.subjects || b != c.stimuli {
			t.Errorf("%d subjects in %d folds, %d stimuli in %d; want %d and %d", c.n, a, c.n, b, c.subjects, c.stimuli)
		}
	}
	subjects, stimuli := []int{0, 0, 3, 4}, []int{1, 1, 2, 5, 6, 7, 8, 8, 8}
	folds := compare.CrossFolds(subjects, stimuli, 1)
	if len(folds) != 4 {
		t.Fatalf("%d folds, want 2 × 2", len(folds))
	}
	tested := map[[2]int]int{}
	for _, f := range folds {
		for side := 0; side < 4; side += 2 {
			train, test, all := f[side], f[side+1], [][]int{subjects, nil, stimuli}[side]
			if slices.ContainsFunc(train, func(v int) bool { return slices.Contains(test, v) }) || !slices.Equal(slices.Sorted(slices.Values(slices.Concat(train, test))), all) {
				t.Errorf("trained on %v, tested on %v of %v", train, test, all)
			}
		}
		for _, s := range f[1] {
			for _, v := range f[3] {
				tested[[2]int{s, v}]++
			}
		}
	}
	if tested[[2]int{0, 8}] != 6 || tested[[2]int{3, 2}] != 1 || len(tested) != 18 {
		t.Errorf("pairs of a subject and a stimulus tested: %v", tested)
	}
	if alone := compare.CrossFolds([]int{2}, stimuli, 1); len(alone) != 2 || !reflect.DeepEqual(alone[0][0], alone[0][1]) {
		t.Errorf("one subject: %v", alone)
	}
}

// The p-value of a permutation test counts what reaches the value, and itself.
func TestPermutationPValue(t *testing.T) {
	r := rdm(t, compare.Euclidean, gaussian(1, 6, 4))
	for _, c := range []struct {
		name   string
		others float64
		p      float64
	}{{"lower", 0.4, 1. / 51}, {"equal but for rounding", 0.5 - 1e-14, 1}, {"higher", 0.6, 1}} {
		first := true
		v, p, err := compare.PermutationTest(func(compare.RDM, compare.RDM) (float64, error) {
			if first {
				first = false
				return 0.5, nil
			}
			return c.others, nil
		}, r, r, 50, 1, nil)
		if v != 0.5 || p != c.p || err != nil {
			t.Errorf("%s: value %v, p = %v, %v; want p = %v", c.name, v, p, err, c.p)
		}
	}
	// of three stimuli with different entries, one of six orders keeps the RDM
	three := compare.RDM{N: 3, Values: []float64{1, 2, 4}}
	_, p, err := compare.PermutationTest(compare.Pearson, three, three, 6000, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p of three stimuli", p, 1./6, 4*math.Sqrt(5./36/6000))
	_, other, err := compare.PermutationTest(compare.Pearson, three, three, 6000, 2, nil)
	if err != nil || other == p {
		t.Errorf("another seed gives the same orders: %v, %v", other, err)
	}
	near(t, "with another seed", other, 1./6, 4*math.Sqrt(5./36/6000))
}

// heldModel says which subject it was fitted to, and to which stimuli.
type heldModel struct {
	rdm compare.RDM
	fit func(target compare.RDM, stimuli []int)
}

func (m heldModel) Fit(_ compare.Comparison, target compare.RDM, stimuli []int) (compare.RDM, error) {
	m.fit(target, stimuli)
	return m.rdm, nil
}

// Models are fitted to some subjects and stimuli and scored on the others, in each
// fold of each resample.
func TestHeldOutIsHeldOut(t *testing.T) {
	const n = 8
	// subject 0 has the same entry everywhere, subject 1 the numbers of the stimuli
	flat, numbered := compare.NewRDM(n), compare.NewRDM(n)
	k := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			flat.Values[k], numbered.Values[k] = 1, float64(100+10*i+j)
			k++
		}
	}
	subject, trained, scored := 0, []int(nil), 0
	model := heldModel{rdm: numbered, fit: func(target compare.RDM, stimuli []int) {
		var v []float64
		for _, x := range target.Values {
			if !math.IsNaN(x) {
				v = append(v, x)
			}
		}
		subject, trained = 1, stimuli
		if slices.Max(v)-slices.Min(v) < 1e-9 {
			subject = 0
		}
	}}
	c := compare.Comparison{Pooling: compare.PoolCosine, Similarity: func(prediction, data compare.RDM) (float64, error) {
		if trained == nil || slices.ContainsFunc(prediction.Values, func(v float64) bool { return v > 0 && v < 90 }) {
			return 0, nil // of a ceiling
		}
		scored++
		const whole = 4 // folds of the data themselves; a resample may have one subject alone
		if flatData := !slices.ContainsFunc(data.Values, func(v float64) bool { return v > 90 }); scored <= whole && flatData == (subject == 0) {
			t.Errorf("fitted to subject %d and scored on it", subject)
		}
		for _, v := range prediction.Values {
			if i, j := int(v-100)/10, int(v)%10; !math.IsNaN(v) && (slices.Contains(trained, i) || slices.Contains(trained, j)) {
				t.Errorf("fitted to stimuli %v and scored on %d and %d", trained, i, j)
			}
		}
		return 1, nil
	}}
	inf, err := compare.Bootstrap{Comparison: c, Resamples: 2, HoldOut: compare.HoldBoth}.Run([]compare.Model{model}, []compare.RDM{flat, numbered})
	if err != nil || inf.Scores[0] != 1 {
		t.Errorf("%v, %v", inf, err)
	}
	if scored < 20 {
		t.Errorf("only %d scores", scored)
	}
}

// Of models that agree equally well but for rounding, the first is taken.
func TestSelectTakesTheFirstOfEquals(t *testing.T) {
	a, b := compare.RDM{N: 3, Values: []float64{1, 2, 3}}, compare.RDM{N: 3, Values: []float64{4, 5, 6}}
	c := compare.Comparison{Similarity: func(r, _ compare.RDM) (float64, error) { return 0.5 + 1e-15*r.Values[0], nil }}
	got, err := compare.Select{RDMs: []compare.RDM{a, b}}.Fit(c, a, []int{0, 1, 2})
	if err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("%v, %v; want the first", got, err)
	}
}

// The 95 % intervals of scores of two seeds: what draws, folds or weighs otherwise gives
// others.
func TestPinnedIntervals(t *testing.T) {
	signal := gaussian(1, 12, 5)
	data := subjects(t, signal, 4, 1)
	models := []compare.Model{
		compare.Fixed{RDM: rdm(t, compare.Euclidean, signal)}, compare.Fixed{RDM: rdm(t, compare.Euclidean, gaussian(50, 12, 5))},
	}
	const t975 = 3.182446305284263 // of three degrees of freedom
	for _, c := range []struct {
		seed  uint64
		cross bool
		want  [2][2]float64 // of each model, from and to
	}{
		{1, false, [2][2]float64{{0.053714719491, 0.841870292512}, {-0.584155421836, 0.361151560026}}},
		{2, false, [2][2]float64{{0.053157832873, 0.842427179130}, {-0.576566951895, 0.353563090086}}},
		{1, true, [2][2]float64{{0.139816647360, 0.603040495497}, {-0.371428571429, -0.371428571429}}}, // whose variance is that of the folds
		{2, true, [2][2]float64{{0.262152573768, 0.823561711946}, {-0.518401007537, -0.100646611511}}},
	} {
		inf, err := compare.Bootstrap{Comparison: spearman, Resamples: 30, Seed: c.seed, HoldOut: holdBoth(c.cross)}.Run(models, data)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range c.want {
			from, to := inf.Scores[k]-t975*inf.SE(k), inf.Scores[k]+t975*inf.SE(k)
			if !(math.Abs(from-want[0]) < 1e-9 && math.Abs(to-want[1]) < 1e-9) {
				t.Errorf("seed %d, cross-validated %v, model %d: {%.12f, %.12f}, want %v", c.seed, c.cross, k, from, to, want)
			}
		}
	}
}

// Ranks that are kept are those that are found, of ties, errors and missing entries too, whatever
// asks for them first.
func TestKeptRanks(t *testing.T) {
	a := rdm(t, compare.Euclidean, gaussian(1, 9, 4)).Subset([]int{0, 3, 3, 4, 8, 2, 1})
	b := rdm(t, compare.Euclidean, gaussian(2, 9, 4)).Subset([]int{0, 3, 3, 4, 8, 2, 1})
	b.Values[0], b.Rounding[5] = b.Values[7], 0.5
	for name, similarity := range map[string]compare.Similarity{
		"spearman": compare.Spearman, "rho-a": compare.RhoA, "tau-a": compare.TauA, "tau-b": compare.TauB, "pearson": compare.Pearson,
	} {
		want, err := similarity(a, b)
		if err != nil {
			t.Fatal(err)
		}
		x, y := compare.Keeping(a), compare.Keeping(b)
		for range 2 {
			if got, err := similarity(x, y); err != nil || got != want {
				t.Errorf("%s: %v, want %v; %v", name, got, want, err)
			}
			if r := y.Rank(); !slices.EqualFunc(r.Values, b.Rank().Values, func(u, v float64) bool { return u == v || u != u && v != v }) {
				t.Errorf("%s: ranks %v, want %v", name, r.Values, b.Rank().Values)
			}
		}
	}
}
