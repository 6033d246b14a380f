// Package evaluation compares models with the RDMs of several subjects, as toolboxes of
// representational similarity analysis do (Nili et al. 2014, Schütt et al. 2023).
//
// A fixed model is one RDM. One of several parts P_k has freedom that is fitted to the data,
//
//	weighted     Σ_k w_k·P_k, w_k ≥ 0    that minimise the squared error to the pooled subjects
//	linear       Σ_k w_k·P_k             the same with weights of any sign
//	select       P_k                     the one that agrees best
//	interpolate  w·P_k + (1 − w)·P_k+1   the best between neighbours, 0 ≤ w ≤ 1
//
// and is scored on stimuli, subjects or both that it was not fitted to (compare.HoldOut): fitted
// and scored on the same data, freedom alone looks like agreement.
//
// Run has for each model its similarity with every subject; OneSample and SignedRank test
// whether such values, or differences of two models' values, are above 0 or differ from it.
// These tests generalise to other subjects alone. To other stimuli as well generalises
// compare.Bootstrap, whose dual bootstrap a Table holds beside them. Adjust corrects p-values
// for the number of models.
package evaluation

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"synfire/compare"
)

// Kind is what freedom a model has.
type Kind string

// The kinds of models.
const (
	Fixed       Kind = "fixed"
	Weighted    Kind = "weighted"
	Linear      Kind = "linear"
	Select      Kind = "select"
	Interpolate Kind = "interpolate"
)

// Model is a named RDM, or several parts with freedom.
type Model struct {
	Name  string
	RDM   compare.RDM
	Kind  Kind          // what is made of Parts; empty: Fixed, which has none
	Parts []compare.RDM // in place of RDM
	Names []string      // of Parts; nil for none
}

// fixed reports whether the model has no freedom.
func (m Model) fixed() bool { return m.Kind == "" || m.Kind == Fixed }

// model is what the bootstrap takes.
func (m Model) model() (compare.Model, error) {
	if !m.fixed() && (len(m.Parts) == 0 || m.Names != nil && len(m.Names) != len(m.Parts)) {
		return nil, fmt.Errorf("evaluation: model %s of kind %s with %d parts and %d names, want one part or more, and a name for each or none", m.Name, m.Kind, len(m.Parts), len(m.Names))
	}
	switch m.Kind {
	case "", Fixed:
		return compare.Fixed{RDM: m.RDM}, nil
	case Weighted, Linear:
		return compare.Weighted{RDMs: m.Parts, Signed: m.Kind == Linear}, nil
	case Select:
		return compare.Select{RDMs: m.Parts}, nil
	case Interpolate:
		return compare.Interpolate{RDMs: m.Parts}, nil
	}
	return nil, fmt.Errorf("evaluation: model %s: no kind %q; use fixed, weighted, linear, select or interpolate", m.Name, m.Kind)
}

// Scores is similarities, a model a row, a subject a column.
type Scores struct {
	Models       []string
	Values       [][]float64
	Lower, Upper float64 // noise ceiling; NaN for one subject
}

// Run compares each fixed model with each subject. An undefined similarity, such as of a constant
// RDM, is an error.
func Run(c compare.Comparison, models []Model, subjects []compare.RDM) (Scores, error) {
	s := Scores{Lower: math.NaN(), Upper: math.NaN()}
	if len(models) == 0 || len(subjects) == 0 {
		return s, fmt.Errorf("evaluation: %d models and %d subjects, want one or more of both", len(models), len(subjects))
	}
	for _, m := range models {
		if !m.fixed() {
			return s, fmt.Errorf("evaluation: model %s is of kind %s: it must be fitted to data that it is not scored on; hold out subjects, stimuli or both", m.Name, m.Kind)
		}
		row := make([]float64, len(subjects))
		for i, r := range subjects {
			v, err := c.Similarity(m.RDM, r)
			if err != nil {
				return s, fmt.Errorf("model %s, subject %d: %w", m.Name, i+1, err)
			}
			row[i] = v
		}
		s.Models, s.Values = append(s.Models, m.Name), append(s.Values, row)
	}
	if len(subjects) > 1 {
		var err error
		if s.Lower, s.Upper, err = compare.NoiseCeiling(c, subjects); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Mean is a model's mean over subjects.
func (s Scores) Mean(k int) float64 { return stat.Mean(s.Values[k], nil) }

// Difference is a model's values less those of another.
func (s Scores) Difference(j, k int) []float64 {
	out := make([]float64, len(s.Values[j]))
	for i, v := range s.Values[j] {
		out[i] = v - s.Values[k][i]
	}
	return out
}

// OneSample is the t-test of values against a mean of 0: the two-sided p-value, of n−1 degrees
// of freedom, and half the interval about the mean that holds the true one in 95 % of cases.
// Both are NaN for one value. Of equal values p is 0, or 1 where all are 0.
func OneSample(x []float64) (p, half float64) {
	n := float64(len(x))
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	m, sd := stat.MeanStdDev(x, nil)
	if sd == 0 {
		if m == 0 {
			return 1, 0
		}
		return 0, 0
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}
	se := sd / math.Sqrt(n)
	return 2 * t.Survival(math.Abs(m)/se), se * t.Quantile(0.975)
}

// exactRanks is up to how many values the distribution of ranks is counted.
const exactRanks = 30

// SignedRank is Wilcoxon's signed-rank test of values about 0, two-sided. Values of 0 are left
// out, equal magnitudes have their mean rank; p is exact, over all choices of signs, for up
// to 30 values and by the normal approximation above. With no value other than 0 it is 1.
// Of four values it is 0.125 at best: no four subjects can reach 0.05.
func SignedRank(x []float64) float64 {
	var magnitude []float64
	for _, v := range x {
		if v != 0 {
			magnitude = append(magnitude, math.Abs(v))
		}
	}
	slices.Sort(magnitude)
	// twice the ranks, whole numbers even where ranks are means
	twice := func(v float64) int {
		lo, _ := slices.BinarySearch(magnitude, v)
		hi := lo
		for hi < len(magnitude) && magnitude[hi] == v {
			hi++
		}
		return lo + hi + 1
	}
	positive, total := 0, 0
	var ranks []int
	for _, v := range x {
		if v == 0 {
			continue
		}
		r := twice(math.Abs(v))
		ranks, total = append(ranks, r), total+r
		if v > 0 {
			positive += r
		}
	}
	least := min(positive, total-positive)
	if len(ranks) <= exactRanks {
		return exact(ranks, total, least)
	}
	square := 0.0
	for _, r := range ranks {
		square += float64(r) * float64(r)
	}
	z := (float64(least) - float64(total)/2) / (math.Sqrt(square) / 2)
	return min(1, 2*distuv.UnitNormal.CDF(z))
}

// exact counts the choices of signs whose smaller sum is at most least.
func exact(ranks []int, total, least int) float64 {
	ways := make([]float64, total+1)
	ways[0] = 1
	for _, r := range ranks {
		for s := total; s >= r; s-- {
			ways[s] += ways[s-r]
		}
	}
	below := 0.0
	for s := range least + 1 {
		below += ways[s]
	}
	return min(1, 2*below/math.Exp2(float64(len(ranks))))
}

// Corrections are the names that Adjust takes.
var Corrections = []string{"holm", "bonferroni", "fdr", "none"}

// Adjust corrects p-values for their number: the family-wise error by Holm or Bonferroni, or
// the false discovery rate.
func Adjust(correction string, p []float64) ([]float64, error) {
	switch correction {
	case "holm":
		return compare.Holm(p), nil
	case "bonferroni":
		return compare.Bonferroni(p), nil
	case "fdr":
		return compare.FDR(p), nil
	case "none":
		return slices.Clone(p), nil
	}
	return nil, fmt.Errorf("evaluation: no correction %q: use holm, bonferroni, fdr or none", correction)
}

// Row is what is known of a model.
type Row struct {
	Model     string    `json:"model"`
	Kind      Kind      `json:"kind"`
	Weights   []float64 `json:"weights,omitempty"`   // of the parts, fitted to all data, squared sum 1
	Parts     []string  `json:"parts,omitempty"`     // their names
	Undefined int       `json:"undefined,omitempty"` // similarities of held-out data without a value, as of a constant prediction; they count as 0
	Mean      float64   `json:"mean"`
	Subjects  []float64 `json:"subjects"` // its similarity with each
	SE        float64   `json:"se"`       // dual bootstrap, over subjects and stimuli
	Low       *float64  `json:"low"`      // 95 % by it; null where the chance of folds explains all variance of held-out scores
	High      *float64  `json:"high"`
	P         *float64  `json:"p"`         // above 0, dual bootstrap, adjusted over models; null as the interval
	PT        *float64  `json:"p_t"`       // t-test over subjects, two-sided, adjusted; null for one subject
	PRank     *float64  `json:"p_rank"`    // signed ranks, the same
	PCeiling  *float64  `json:"p_ceiling"` // below the lower ceiling, dual bootstrap, adjusted; null as p, and for one or two subjects
}

// Pair is the difference of two models, the better one first.
type Pair struct {
	A          string   `json:"a"`
	B          string   `json:"b"`
	Difference float64  `json:"difference"`
	Low        *float64 `json:"low"` // 95 %, dual bootstrap; null as that of a model
	High       *float64 `json:"high"`
	P          *float64 `json:"p"`      // dual bootstrap, two-sided, adjusted over pairs
	PT         *float64 `json:"p_t"`    // t-test over subjects, adjusted
	HalfT      *float64 `json:"half_t"` // half its 95 % interval
	PRank      *float64 `json:"p_rank"`
}

// Table is a ranking of models by their mean similarity, the best first.
type Table struct {
	Lower *float64 `json:"ceiling_lower"` // null for one subject
	Upper *float64 `json:"ceiling_upper"`
	DOF   int      `json:"dof"` // of the dual bootstrap's tests
	Rows  []Row    `json:"models"`
	Pairs []Pair   `json:"pairs"`
}

// Rank evaluates models by all tests. With b.HoldOut every model, fixed ones too, is scored on the
// same held-out data, whose noise ceiling the table has; a subject's value is the mean over the folds
// that test it. These are not independent, as their models are fitted to overlapping data: the tests
// over subjects are then approximate.
func Rank(b compare.Bootstrap, models []Model, subjects []compare.RDM, correction string) (Table, error) {
	var t Table
	list := make([]compare.Model, len(models))
	for i, m := range models {
		var err error
		if list[i], err = m.model(); err != nil {
			return t, err
		}
	}
	var scores Scores
	var err error
	if b.HoldOut == compare.HoldNothing {
		if scores, err = Run(b.Comparison, models, subjects); err != nil {
			return t, err
		}
	}
	inf, err := b.Run(list, subjects)
	if err != nil {
		return t, err
	}
	if b.HoldOut != compare.HoldNothing {
		scores = Scores{Values: inf.Subjects, Lower: inf.Lower, Upper: inf.Upper}
		for _, m := range models {
			scores.Models = append(scores.Models, m.Name)
		}
	}
	t.Lower, t.Upper, t.DOF = number(scores.Lower), number(scores.Upper), inf.DOF
	if err := t.rows(scores, inf, correction, b); err != nil {
		return t, err
	}
	for i, m := range models {
		r := &t.Rows[slices.IndexFunc(t.Rows, func(r Row) bool { return r.Model == m.Name })]
		r.Kind, r.Undefined = Fixed, inf.Undefined[i]
		if m.fixed() {
			continue
		}
		r.Kind, r.Parts = m.Kind, m.Names
		if r.Weights, err = compare.Weights(list[i], b.Comparison, subjects); err != nil {
			return t, err
		}
	}
	return t, t.pairs(scores, inf, correction, b.HoldOut != compare.HoldNothing)
}

// number is nil for NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// column adjusts p-values, none where the test does not exist.
func column(correction string, p []float64) ([]*float64, error) {
	out := make([]*float64, len(p))
	adjusted, err := Adjust(correction, slices.DeleteFunc(slices.Clone(p), math.IsNaN))
	if err != nil {
		return nil, err
	}
	for i, v := range p {
		if !math.IsNaN(v) {
			out[i], adjusted = &adjusted[0], adjusted[1:]
		}
	}
	return out, nil
}

// interval is the mean and so many standard errors about it, nil where held-out scores have none: the
// chance of folds, which is taken out, is then all that the resamples show.
func interval(mean, se, quantile float64, held bool) (low, high *float64) {
	if held && se == 0 {
		return nil, nil
	}
	return number(mean - quantile*se), number(mean + quantile*se)
}

func (t *Table) rows(s Scores, inf *compare.Inference, correction string, b compare.Bootstrap) error {
	n, held := len(s.Models), b.HoldOut != compare.HoldNothing
	p := make([][]float64, 4)
	for k := range n {
		pt, _ := OneSample(s.Values[k])
		rank := SignedRank(s.Values[k])
		if len(s.Values[k]) < 2 {
			rank = math.NaN()
		}
		above := inf.AboveZero(k)
		if b.NoZero {
			above, pt, rank = math.NaN(), math.NaN(), math.NaN()
		}
		for i, v := range []float64{above, pt, rank, inf.BelowCeiling(k)} {
			p[i] = append(p[i], v)
		}
	}
	var adjusted [4][]*float64
	for i := range p {
		var err error
		if adjusted[i], err = column(correction, p[i]); err != nil {
			return err
		}
	}
	quantile := distuv.StudentsT{Sigma: 1, Nu: float64(inf.DOF)}.Quantile(0.975)
	for k, name := range s.Models {
		r := Row{Model: name, Mean: s.Mean(k), Subjects: s.Values[k], SE: inf.SE(k), PT: adjusted[1][k], PRank: adjusted[2][k], PCeiling: adjusted[3][k]}
		r.P = adjusted[0][k]
		r.Low, r.High = interval(r.Mean, r.SE, quantile, held)
		t.Rows = append(t.Rows, r)
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		switch {
		case a.Mean > b.Mean:
			return -1
		case a.Mean < b.Mean:
			return 1
		}
		return 0
	})
	return nil
}

func (t *Table) pairs(s Scores, inf *compare.Inference, correction string, held bool) error {
	var p [3][]float64
	quantile := distuv.StudentsT{Sigma: 1, Nu: float64(inf.DOF)}.Quantile(0.975)
	for i, row := range t.Rows {
		for _, other := range t.Rows[i+1:] {
			j, k := slices.Index(s.Models, row.Model), slices.Index(s.Models, other.Model)
			d := s.Difference(j, k)
			pt, half := OneSample(d)
			rank := SignedRank(d)
			if len(d) < 2 {
				rank = math.NaN()
			}
			se := inf.DifferenceSE(j, k)
			mean := row.Mean - other.Mean
			pair := Pair{A: row.Model, B: other.Model, Difference: mean, HalfT: number(half)}
			pair.Low, pair.High = interval(mean, se, quantile, held)
			t.Pairs = append(t.Pairs, pair)
			for i, v := range []float64{inf.Differ(j, k), pt, rank} {
				p[i] = append(p[i], v)
			}
		}
	}
	for i := range p {
		adjusted, err := column(correction, p[i])
		if err != nil {
			return err
		}
		for k, v := range adjusted {
			switch i {
			case 0:
				t.Pairs[k].P = v
			case 1:
				t.Pairs[k].PT = v
			case 2:
				t.Pairs[k].PRank = v
			}
		}
	}
	return nil
}
