package evaluation_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/compare"
	"synfire/compare/evaluation"
)

// Six stimuli, two parts and two subjects.
var (
	partP = compare.RDM{N: 6, Values: []float64{3, 1, 4, 1.5, 5, 9, 2, 6, 5.5, 3.5, 8, 8.5, 9.5, 7, 4.5}}
	partQ = compare.RDM{N: 6, Values: []float64{2, 7, 1, 8, 2.5, 8.5, 1.5, 9, 3, 10, 4, 5, 9.5, 0.5, 6}}
	two   = []compare.RDM{
		{N: 6, Values: []float64{5, 2, 6, 1, 6, 9, 4, 3, 7, 2.5, 8, 9.5, 8.5, 7.5, 10}},
		{N: 6, Values: []float64{1, 2, 5, 3, 4, 6, 3.5, 9, 4.5, 5.5, 2.5, 8, 7, 9.5, 6.5}},
	}
	pearson = compare.Comparison{Similarity: compare.Pearson, Pooling: compare.PoolCorrelation}
)

func ranked(t *testing.T, b compare.Bootstrap, models []evaluation.Model, subjects []compare.RDM) evaluation.Table {
	t.Helper()
	b.Resamples, b.Seed = 10, 1
	table, err := evaluation.Rank(b, models, subjects, "none")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func row(t *testing.T, table evaluation.Table, name string) evaluation.Row {
	t.Helper()
	i := slices.IndexFunc(table.Rows, func(r evaluation.Row) bool { return r.Model == name })
	if i < 0 {
		t.Fatalf("no row %s", name)
	}
	return table.Rows[i]
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func freedom() []evaluation.Model {
	parts := []compare.RDM{partP, partQ}
	var models []evaluation.Model
	for _, k := range []evaluation.Kind{evaluation.Linear, evaluation.Weighted, evaluation.Select, evaluation.Interpolate} {
		models = append(models, evaluation.Model{Name: string(k), Kind: k, Parts: parts, Names: []string{"P", "Q"}})
	}
	return append(models, evaluation.Model{Name: "P", RDM: partP})
}

// Subjects held out: each model is fitted to one of two subjects and scored on the other. Values of
// a script of its own in Python: normal equations of the two demeaned parts against the standardised
// subject,
//
//	a, b, c = p·p, p·q, q·q; u, v = p·y, q·y; w = (c·u − b·v, a·v − b·u)/(a·c − b²)
//
// where a negative weight is replaced by 0 and the other by its own regression; then Pearson's r.
// Interpolation takes the best w on a grid of 100,000: 0.86232 by subject 2, 1 by subject 1.
func TestHoldOutSubjects(t *testing.T) {
	table := ranked(t, compare.Bootstrap{Comparison: pearson, HoldOut: compare.HoldSubjects}, freedom(), two)
	for name, want := range map[string][2]float64{
		"linear":   {0.7034841317665422, 0.5051010525905496},
		"weighted": {0.7034841317665422, 0.5908472743708733},
		"select":   {0.7743948334339945, 0.5908472743708734}, // P by either subject
		"P":        {0.7743948334339945, 0.5908472743708734},
	} {
		r := row(t, table, name)
		near(t, name+", subject 1", r.Subjects[0], want[0], 1e-12)
		near(t, name+", subject 2", r.Subjects[1], want[1], 1e-12)
		near(t, name, r.Mean, (want[0]+want[1])/2, 1e-12)
	}
	near(t, "lower ceiling", *table.Lower, 0.39655081492613115, 1e-12) // the two subjects' correlation
	near(t, "upper ceiling", *table.Upper, 0.8356287497825009, 1e-12)
	between := row(t, table, "interpolate")
	near(t, "interpolate, subject 1", between.Subjects[0], 0.7034851668137794, 1e-4)
	near(t, "interpolate, subject 2", between.Subjects[1], 0.5908472743708734, 1e-12)
	linear := row(t, table, "linear")
	near(t, "weight of P, all data", linear.Weights[0], 0.992317916202522, 1e-12)
	near(t, "weight of Q, all data", linear.Weights[1], -0.12371399752446989, 1e-12)
	if w := row(t, table, "weighted").Weights; w[0] != 1 || w[1] != 0 {
		t.Errorf("weights without signs: %v", w)
	}
	if r := row(t, table, "select"); r.Weights[0] != 1 || r.Parts[0] != "P" || r.Kind != evaluation.Select || r.Undefined != 0 {
		t.Errorf("%+v", r)
	}
	if r := row(t, table, "P"); r.Kind != evaluation.Fixed || r.Weights != nil {
		t.Errorf("%+v", r)
	}
}

// Stimuli held out: of six, two folds of three, in one of ten ways, whose values are those of the
// same script; the lower ceiling of the same folds is the correlation of the subjects within three
// stimuli.
func TestHoldOutStimuli(t *testing.T) {
	ways := [][2]float64{
		{-0.5921858403905772, -0.039354531468328346}, {-0.5562677491900087, 0.6220667279425405}, {0.75419699383492, 0.27450540652300653},
		{0.7360545999596297, 0.40488279235331204}, {-0.6186800361610929, -0.06808756865687632}, {0.5481921822636548, 0.2968777431534928},
		{0.8471007973701951, 0.4793296448908238}, {0.9703890515589579, 0.9483939551565197}, {0.2682313336440381, 0.11813589446624795}, {0.811638119504237, 0.712668437375141},
	}
	seen := map[int]bool{}
	for seed := range uint64(8) {
		b := compare.Bootstrap{Comparison: pearson, HoldOut: compare.HoldStimuli, Resamples: 2, Seed: seed}
		table, err := evaluation.Rank(b, freedom()[:1], two, "none")
		if err != nil {
			t.Fatal(err)
		}
		k := slices.IndexFunc(ways, func(w [2]float64) bool {
			return math.Abs(w[0]-table.Rows[0].Mean) < 1e-9 && math.Abs(w[1]-*table.Lower) < 1e-9
		})
		if k < 0 {
			t.Errorf("seed %d: %v before a ceiling of %v is none of the ten divisions", seed, table.Rows[0].Mean, *table.Lower)
		}
		seen[k] = true
	}
	if len(seen) < 3 {
		t.Errorf("eight seeds divide in %d ways", len(seen))
	}
}

// Neither the scale of a part nor the order of stimuli, parts or subjects changes what is held out
// by subjects.
func TestFittedInvariances(t *testing.T) {
	b := compare.Bootstrap{Comparison: pearson, HoldOut: compare.HoldSubjects}
	before := ranked(t, b, freedom(), two)
	scaled := compare.RDM{N: 6}
	for _, v := range partQ.Values {
		scaled.Values = append(scaled.Values, 1e9*v)
	}
	order := []int{3, 0, 5, 1, 2, 4}
	other := []evaluation.Model{
		{Name: "linear", Kind: evaluation.Linear, Parts: []compare.RDM{scaled.Subset(order), partP.Subset(order)}},
		{Name: "weighted", Kind: evaluation.Weighted, Parts: []compare.RDM{scaled.Subset(order), partP.Subset(order)}},
		{Name: "select", Kind: evaluation.Select, Parts: []compare.RDM{scaled.Subset(order), partP.Subset(order)}},
		{Name: "interpolate", Kind: evaluation.Interpolate, Parts: []compare.RDM{partQ.Subset(order), partP.Subset(order)}},
	}
	after := ranked(t, b, other, []compare.RDM{two[1].Subset(order), two[0].Subset(order)})
	for _, m := range other {
		near(t, m.Name, row(t, after, m.Name).Mean, row(t, before, m.Name).Mean, 1e-6)
	}
	near(t, "lower ceiling", *after.Lower, *before.Lower, 1e-12)
}

// A part that would have to be subtracted gets no weight; a prediction that is then constant has no
// similarity, which is counted and said.
func TestUndefinedPrediction(t *testing.T) {
	opposite := compare.RDM{N: 6}
	for _, v := range two[0].Values {
		opposite.Values = append(opposite.Values, 20-v)
	}
	table := ranked(t, compare.Bootstrap{Comparison: pearson, HoldOut: compare.HoldSubjects},
		[]evaluation.Model{{Name: "opposite", Kind: evaluation.Weighted, Parts: []compare.RDM{opposite}}}, []compare.RDM{two[0], two[0]})
	if r := table.Rows[0]; r.Mean != 0 || r.Undefined != 2 || r.Weights[0] != 0 || r.Low != nil || r.P != nil || r.PT == nil {
		t.Errorf("%+v", r)
	}
}

func TestFittedErrors(t *testing.T) {
	for want, c := range map[string]struct {
		b        compare.Bootstrap
		m        evaluation.Model
		subjects []compare.RDM
	}{
		"hold out subjects":      {compare.Bootstrap{}, freedom()[0], two},
		"no kind \"ridge\"":      {compare.Bootstrap{HoldOut: compare.HoldBoth}, evaluation.Model{Kind: "ridge", Parts: []compare.RDM{partP}}, two},
		"0 parts":                {compare.Bootstrap{HoldOut: compare.HoldBoth}, evaluation.Model{Kind: evaluation.Select}, two},
		"at least 2 to interp":   {compare.Bootstrap{HoldOut: compare.HoldSubjects}, evaluation.Model{Kind: evaluation.Interpolate, Parts: []compare.RDM{partP}}, two},
		"at least 2 to hold one": {compare.Bootstrap{HoldOut: compare.HoldSubjects}, freedom()[0], two[:1]},
		"want one of the const":  {compare.Bootstrap{HoldOut: 7}, freedom()[4], two},
	} {
		c.b.Comparison, c.b.Resamples = pearson, 2
		if _, err := evaluation.Rank(c.b, []evaluation.Model{c.m}, c.subjects, "none"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
}
