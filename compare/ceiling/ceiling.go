// Package ceiling holds how well a model predicts a recording against what the recording's
// noise allows.
//
// The mean responses to two random halves of the repetitions correlate by r over the stimuli for
// each unit; all repetitions together are as reliable as Spearman and Brown's correction of it says,
//
//	reliability = 2r/(1 + r),   ceiling = mean over halves of its median over units
//
// Units is that of the units themselves, Mapped that of one half's population predicting the other
// half by the metric (ridge or pls) on stimuli held out. With r of the model,
//
//	explained variance = r²/Units,   share of mapped = r/Mapped
//
// since a reliability bounds r², and what the population predicts of itself is an r.
package ceiling

import (
	"errors"
	"fmt"

	"synfire/compare"
	"synfire/compare/predictivity"
)

// Noise is the ceilings of a recording. One that does not exist is nil, and Why says why.
type Noise struct {
	Halves int      `json:"halves"` // random halves
	Units  *float64 `json:"units"`
	Mapped *float64 `json:"mapped"`
	Why    string   `json:"why,omitempty"`
}

// Ceiling is a score before the ceilings; a share does not exist below a ceiling that is not
// above 0.
type Ceiling struct {
	Noise
	ExplainedVariance *float64 `json:"explained_variance"`
	ShareOfMapped     *float64 `json:"share_of_mapped"`
}

// mapping is that of a metric by name.
func mapping(metric string, p compare.Params) (predictivity.Mapping, error) {
	switch metric {
	case "ridge":
		return predictivity.Ridge{Penalty: p.Penalty}, nil
	case "pls":
		return predictivity.PLS{Components: p.Components}, nil
	}
	return nil, fmt.Errorf("ceiling: metric %s, want ridge or pls, which predict units", metric)
}

// Of estimates the ceilings of a recording's repetitions (b.Repeated) for the metric ridge or pls
// with its folds, over a number of random halves that p.Seed draws.
func Of(metric string, b compare.Responses, p compare.Params, halves int) (Noise, error) {
	n := Noise{Halves: halves}
	m, err := mapping(metric, p)
	if err != nil {
		return n, err
	}
	if len(b.Repeated) < 2 {
		return n, fmt.Errorf("ceiling: %s has no repetitions; give spikes with trials, or an array repetitions of repetitions × stimuli × units", b.Name)
	}
	folds, err := predictivity.Folds(b.Stimuli(), p.Folds)
	if err != nil {
		return n, err
	}
	units, err := predictivity.SplitHalf(b.Repeated, halves, p.Seed)
	if n.Units, err = n.note(units, err); err != nil {
		return n, err
	}
	mapped, err := predictivity.SplitHalfMapped(b.Repeated, m, folds, halves, p.Seed)
	n.Mapped, err = n.note(mapped, err)
	return n, err
}

// note is a ceiling, nil with the reason where it is undefined.
func (n *Noise) note(c predictivity.Ceiling, err error) (*float64, error) {
	if errors.Is(err, compare.ErrUndefined) {
		n.Why = err.Error()
		return nil, nil
	}
	return &c.Score, err
}

// Before holds a score, Pearson's r, against the ceilings.
func (n Noise) Before(r float64) Ceiling {
	c := Ceiling{Noise: n}
	if n.Units != nil && *n.Units > 0 {
		v := predictivity.ExplainedVariance(r, *n.Units)
		c.ExplainedVariance = &v
	}
	if n.Mapped != nil && *n.Mapped > 0 {
		v := predictivity.CeiledCorrelation(r, *n.Mapped)
		c.ShareOfMapped = &v
	}
	return c
}
