package brunel

import (
	"context"
	"fmt"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/stdp/balanced"
)

// drawn is how many ms of each regime are drawn.
const drawn = 200

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	seeds, ok := map[report.Scale]uint64{report.Smoke: 1, report.Short: 3, report.Full: 10}[e.Scale]
	if !ok {
		return nil, recipe.NoScale("brunel", e.Scale)
	}
	of := span{200, 1000}
	if e.Scale == report.Smoke {
		of = span{20, 50}
	}
	once, err := reference(brianOnce)
	if err != nil {
		return nil, err
	}
	want, err := reference(brianSeeds)
	if err != nil {
		return nil, err
	}
	s := recipe.NewStudy(e, nil, nil)
	all, table := map[string][]measured{}, [][]string{}
	for k := range seeds {
		furthest := 0.0
		for _, r := range balanced.Regimes() {
			m, err := simulate(ctx, r, e.Seed+k, of, e.Now)
			if err != nil {
				return nil, err
			}
			furthest = max(furthest, m.off(once[r.Name]))
			all[r.Name] = append(all[r.Name], m)
			for name, v := range map[string]float64{"rate": m.Rate, "cv": m.CV, "synchrony": m.Synchrony, "seconds": m.Wall} {
				s.Metrics[fmt.Sprintf("%s_%s_s%d", r.Name, name, e.Seed+k)] = v
			}
		}
		s.Add("regimes", furthest, 0)
	}
	furthest, means := 0.0, map[string]measured{}
	for _, r := range balanced.Regimes() {
		m, ref := mean(all[r.Name]), want[r.Name]
		furthest, means[r.Name] = max(furthest, m.off(ref)), m
		table = append(table, []string{r.Name, fmt.Sprintf("%.2f", m.Rate), fmt.Sprintf("%.2f", ref.Rate), fmt.Sprintf("%.3f", m.CV), fmt.Sprintf("%.3f", ref.CV), fmt.Sprintf("%.0f", m.Synchrony), fmt.Sprintf("%.0f", ref.Synchrony)})
	}
	s.Add("regimes-mean", furthest, 0)
	section, err := pictures(all, min(drawn, of.ms))
	if err != nil {
		return nil, err
	}
	section.Tables = append(section.Tables, report.Table{Head: []string{"regime", "Hz", "Brian2", "CV", "Brian2", "synchrony", "Brian2"}, Rows: table})
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title:    "A balanced random network",
			Lead:     fmt.Sprintf("12,500 neurons fire at %.1f, %.1f, %.1f and %.2f Hz in four regimes; Brian2's at %.1f, %.1f, %.1f and %.2f.", means["SR"].Rate, means["SI-fast"].Rate, means["AI"].Rate, means["SI-slow"].Rate, want["SR"].Rate, want["SI-fast"].Rate, want["AI"].Rate, want["SI-slow"].Rate),
			Sections: []report.Section{section},
			Links:    []report.Link{{Text: "Brunel 2000", URL: "https://doi.org/10.1023/A:1008925309027"}},
		}
	})
}

// pictures draws the activity of each regime.
func pictures(all map[string][]measured, ms int) (report.Section, error) {
	var panels []figure.Panel
	for _, r := range balanced.Regimes() {
		l := figure.Series{Name: fmt.Sprintf("g %v, η %v", r.G, r.Eta)}
		for t, v := range all[r.Name][0].population[:ms] {
			l.X, l.Y = append(l.X, float64(t)), append(l.Y, v)
		}
		panels = append(panels, figure.Panel{Name: r.Name + ", " + r.About, Series: []figure.Series{l}})
	}
	f, err := figure.Curves("Spikes of all neurons in 1 ms", "time (ms)", panels...)
	return report.Section{Title: "Four regimes", Figures: []report.Figure{{
		SVG: f.SVG(), Alt: "Spikes of all neurons over time in four regimes", Caption: "The first seed. Synchrony is the variance of these counts over their mean: 1 for independent Poisson neurons.",
	}}}, err
}
