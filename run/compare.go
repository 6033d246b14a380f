package run

// Difference is in what two runs differ.
type Difference struct {
	Runs    [2]string         `json:"runs"`
	Config  []string          `json:"config"` // lines with "-" or "+" before them
	Metrics map[string][2]any `json:"metrics"`
	Claims  map[string][2]any `json:"claims"`
	Weights string            `json:"weights"` // same, differ or unknown
}

// Compare compares two runs.
func Compare(a, b Info) (Difference, error) {
	changed, err := DiffConfig(a, b)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Runs: [2]string{a.Name, b.Name}, Config: []string{}, Metrics: map[string][2]any{}, Claims: map[string][2]any{}, Weights: "unknown"}
	for _, l := range changed {
		d.Config = append(d.Config, string(l.Mark)+" "+l.Text)
	}
	for i, r := range []Info{a, b} {
		if r.Result == nil {
			continue
		}
		for name, v := range r.Result.Metrics {
			setFigure(d.Metrics, name, i, v)
		}
		for _, claim := range r.Result.Claims {
			setFigure(d.Claims, claim.ID, i, claim.Measured)
		}
	}
	if x, y := a.Result, b.Result; x != nil && y != nil && x.Weights != "" && y.Weights != "" {
		d.Weights = "differ"
		if x.Weights == y.Weights {
			d.Weights = "same"
		}
	}
	return d, nil
}

func setFigure(m map[string][2]any, name string, i int, v *float64) {
	pair := m[name]
	if v != nil {
		pair[i] = *v
	}
	m[name] = pair
}
