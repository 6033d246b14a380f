package compare

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// ReStA is the representational stability of one model at two settings, of time
// steps, seed, noise or context: Pearson's correlation of its two RDMs of
// 1 − cosine; 1 is stable (Abnar et al., "Blackbox meets blackbox", 2019).
func ReStA(x, y *mat.Dense) (float64, error) {
	r, err := Cosine(x)
	if err != nil {
		return 0, fmt.Errorf("compare.ReStA: first setting: %w", err)
	}
	s, err := Cosine(y)
	if err != nil {
		return 0, fmt.Errorf("compare.ReStA: second setting: %w", err)
	}
	return Pearson(r, s)
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
