// Package recorded asks questions of recorded neurons (data set recordings):
//
//	odours    which distance, and which time scale, tells odours apart by antennal-lobe
//	          trials, and whether timing takes part (Satuvuori and Kreuz's question, 2018,
//	          asked of data)
//	cultures  hippocampus or cortex, from the statistics of cultures
//	waves     how correlation falls with distance and age in retinal waves
//
// Nothing is trained. The smoke scale runs on made-up trains, so that it needs no data; it
// judges nothing. What is known of the recordings, and what confounds them, stands with each
// study.
package recorded

import (
	"context"
	"fmt"
	"math"

	"synfire/data/recordings"
	"synfire/format/spiketrain"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

// Recipes are the studies.
func Recipes() []recipe.Recipe { return []recipe.Recipe{odours(), cultures(), waves()} }

// whence is the source of the claims' bounds.
const whence = "no paper; bound and statistic were fixed before the run"

// judged is a claim with one bound at short and full.
func judged(id, name, unit string, d report.Direction, bound float64, n int) report.Claim {
	c := recipe.Bounded(id, name, unit, whence, d, bound, report.Seeds{Short: 1, Full: 1}, report.Samples{Short: n, Full: n})
	c.Statistic = report.Median
	return c
}

// findings are what a study hands over.
type findings struct {
	metrics  report.Metrics
	measured map[string]report.Measurement
	sections []report.Section
}

func newFindings() *findings {
	return &findings{metrics: report.Metrics{}, measured: map[string]report.Measurement{}}
}

func (f *findings) claim(id string, n int, value float64) {
	f.measured[id] = report.Measurement{Values: []float64{value}, N: n}
}

// drawing is a figure with what is said of it.
type drawing struct {
	figure       figure.Figure
	err          error
	alt, caption string
}

func draw(f figure.Figure, err error, alt, caption string) drawing {
	return drawing{f, err, alt, caption}
}

func (f *findings) section(title, text string, tables []report.Table, drawings ...drawing) error {
	s := report.Section{Title: title, Text: text, Tables: tables}
	for _, d := range drawings {
		if d.err != nil {
			return fmt.Errorf("figure %q: %w", d.alt, d.err)
		}
		s.Figures = append(s.Figures, report.Figure{SVG: d.figure.SVG(), Alt: d.alt, Caption: d.caption})
	}
	f.sections = append(f.sections, s)
	return nil
}

// outcome is a page of the findings, about data with the citation.
func (f *findings) outcome(scale report.Scale, title, lead string, notes []string, data string) *recipe.Outcome {
	if scale == report.Smoke {
		lead, data = "Made-up trains, which say nothing of neurons. "+lead, "made up"
	}
	return &recipe.Outcome{
		Measured: f.measured, Metrics: f.metrics,
		Page: func(r report.Run) report.Page {
			return report.Page{Title: title, Lead: lead, Claims: r.Claims, Sections: f.sections, Notes: notes, Facts: append(r.Facts(), report.Fact{Label: "data", Value: data})}
		},
	}
}

// whereFrom says how to get the data, in errors.
const whereFrom = "the data set recordings is not here: fetch or import it, see `synfire data import --help` and docs/recordings.md"

// open is the archive of recordings.
func open(ctx context.Context, e *recipe.Env) (*recordings.Archive, error) {
	a, err := recordings.Load(ctx, e.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", whereFrom, err)
	}
	return a, nil
}

// trainsOf is the trains of a recording without trials, one a unit. Spikes at one time are
// one, which one study of the waves has many of.
func trainsOf(a *recordings.Archive, info recordings.Info) ([]spike.Train, error) {
	rec, err := a.Recording(info)
	if err != nil {
		return nil, err
	}
	trains, _, err := rec.Build(spiketrain.Options{Sort: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", info.File, err)
	}
	return trains, nil
}

// mean of those that are numbers; NaN of none.
func mean(x []float64) float64 {
	sum, n := 0.0, 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / n
}

// percent is a share as people read it.
func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
