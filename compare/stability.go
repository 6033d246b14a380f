package compare

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// ReStA is the representational stability of one model at two settings, of time
// steps, seed, noise or context: Pearson's correlation of its two RDMs of
// 1 − cosine; 1 is stable (Abnar et al., "Blackbox meets blackbox", 2019). A
// stimulus to which all units are silent at either setting has no angles and is
// left out.
func ReStA(x, y *mat.Dense) (float64, error) {
	v, _, err := reSta(Responses{X: x}, Responses{X: y})
	return v, err
}

// reSta also counts the dissimilarities that are left out.
func reSta(x, y Responses) (v float64, missing int, err error) {
	r, err := cosineDistance(x.X, x.Roundoff)
	if err != nil {
		return 0, 0, fmt.Errorf("compare.ReStA: first setting: %w", err)
	}
	s, err := cosineDistance(y.X, y.Roundoff)
	if err != nil {
		return 0, 0, fmt.Errorf("compare.ReStA: second setting: %w", err)
	}
	if r, s, err = Common(r, s); err != nil {
		return 0, 0, err
	}
	if missing = r.Missing(); len(r.Values)-missing < numeric.MinStimuli {
		return 0, missing, numeric.Undefined("ReStA", "%d of %d dissimilarities are left out: too many stimuli are answered by no unit", missing, len(r.Values))
	}
	v, err = Pearson(r, s)
	return v, missing, err
}

// ReStACurve is the stability of each of several settings with the reference, one
// of them.
func ReStACurve(settings []*mat.Dense, reference int) ([]float64, error) {
	if reference < 0 || reference >= len(settings) {
		return nil, fmt.Errorf("compare.ReStACurve: reference %d of %d settings", reference, len(settings))
	}
	out := make([]float64, len(settings))
	for k, x := range settings {
		var err error
		if out[k], err = ReStA(x, settings[reference]); err != nil {
			return nil, fmt.Errorf("setting %d: %w", k, err)
		}
	}
	return out, nil
}
