package areas

import (
	"errors"
	"fmt"
	"slices"

	"synfire/compare"
	"synfire/compare/internal/numeric"
	"synfire/compare/predictivity"
	"synfire/internal/par"
)

// By is the score of a metric between responses of layers and of areas to the same stimuli:
// of dissimilarities (rsa-…), or ridge and pls, which predict the units of the area by those of the
// layer on stimuli held out. RDMs are made once.
func By(m compare.Metric, layers, areas []compare.Responses, p compare.Params, pool *par.Pool) (Score, error) {
	for _, r := range slices.Concat(layers, areas) {
		if r.Stimuli() != layers[0].Stimuli() {
			return nil, fmt.Errorf("areas: %s has %d stimuli, %s has %d; give all the same in the same order", layers[0].Name, layers[0].Stimuli(), r.Name, r.Stimuli())
		}
	}
	switch {
	case m.OfDissimilarities():
		return dissimilarities(m, layers, areas, p, pool)
	case m.Name == "ridge":
		return predicted(layers, areas, predictivity.Ridge{Penalty: p.Penalty}, p.Folds)
	case m.Name == "pls":
		return predicted(layers, areas, predictivity.PLS{Components: p.Components}, p.Folds)
	}
	return nil, fmt.Errorf("areas: no mapping by metric %s; use rsa-spearman, rsa-kendall, rsa-cosine, rsa-whitened, ridge or pls", m.Name)
}

func dissimilarities(m compare.Metric, layers, areas []compare.Responses, p compare.Params, pool *par.Pool) (Score, error) {
	p, err := p.Fit(slices.Concat(layers, areas)...)
	if err != nil {
		return nil, err
	}
	rdms := func(list []compare.Responses) (out []compare.RDM, err error) {
		for _, r := range list {
			d, err := p.RDM(r, pool)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
			out = append(out, d)
		}
		return out, nil
	}
	a, err := rdms(layers)
	if err != nil {
		return nil, err
	}
	b, err := rdms(areas)
	if err != nil {
		return nil, err
	}
	similarity := m.Similarity(p)
	return func(layer, area int, stimuli []int) (float64, error) {
		x, y, err := compare.Common(a[layer].Subset(stimuli), b[area].Subset(stimuli))
		if err != nil {
			return 0, err
		}
		if len(x.Values)-x.Missing() < 3 {
			return 0, fmt.Errorf("areas: %d dissimilarities: %w", len(x.Values)-x.Missing(), compare.ErrUndefined)
		}
		return similarity(x, y)
	}, nil
}

func predicted(layers, areas []compare.Responses, m predictivity.Mapping, folds int) (Score, error) {
	if folds < 2 {
		return nil, fmt.Errorf("areas: %d folds, want at least 2", folds)
	}
	return func(layer, area int, stimuli []int) (float64, error) {
		splits, err := foldsOf(stimuli, folds)
		if err != nil {
			return 0, err
		}
		r, err := predictivity.PredictPooled(numeric.Rows(layers[layer].X, stimuli), numeric.Rows(areas[area].X, stimuli), m, splits)
		if err != nil && !errors.Is(err, compare.ErrUndefined) {
			err = fmt.Errorf("%s, %s: %w", layers[layer].Name, areas[area].Name, err)
		}
		return r.Score, err
	}, nil
}

// foldsOf are folds of the places in a list of stimuli; copies are in one. Of fewer different
// stimuli than folds, or than leave two to fit to, each is one.
func foldsOf(stimuli []int, folds int) ([]predictivity.Split, error) {
	distinct := slices.Compact(slices.Sorted(slices.Values(stimuli)))
	if folds = min(folds, len(distinct)); len(distinct) < 4 {
		folds = len(distinct)
	}
	by, err := predictivity.Folds(len(distinct), folds)
	if err != nil {
		return nil, err
	}
	out := make([]predictivity.Split, len(by))
	for f, s := range by {
		for k, i := range stimuli {
			at, _ := slices.BinarySearch(distinct, i)
			if slices.Contains(s.Test, at) {
				out[f].Test = append(out[f].Test, k)
			} else {
				out[f].Train = append(out[f].Train, k)
			}
		}
	}
	return out, nil
}
