package recipe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"synfire/model"
	"synfire/report"
)

// ConversionStudy is a study whose page is of Conversions.
type ConversionStudy struct {
	*Study
	Sections []report.Section
}

// NewConversionStudy begins with a data set.
func NewConversionStudy(ctx context.Context, e *Env, d model.Data) (*ConversionStudy, error) {
	jobs, err := Load(ctx, e, d)
	if err != nil {
		return nil, err
	}
	return &ConversionStudy{Study: jobs}, nil
}

// Converting is a study of conversions at one scale: the data that it begins with, what it does for
// its parts, and its page but for what was found.
type Converting[S interface{ Err() error }] struct {
	Data  string
	Begin func(*ConversionStudy) S
	Steps []StudyStep[S]
	Page  report.Page
}

// Run is the outcome.
func (c Converting[S]) Run(ctx context.Context, e *Env) (*Outcome, error) {
	s, err := NewConversionStudy(ctx, e, model.Data{Name: c.Data})
	if err != nil {
		return nil, err
	}
	if err := e.Do(ctx, StepsOf(c.Begin(s), c.Steps)...); err != nil {
		return nil, err
	}
	return s.Finish(c.Page)
}

// Turn lets the coming jobs learn from another data set. Without it, claims are left with the
// reason, and false is returned.
func (s *ConversionStudy) Turn(ctx context.Context, d model.Data, claims ...string) bool {
	if s.Err() != nil {
		return false
	}
	trainSet, testSet, err := s.Env.Catalog.Load(ctx, d, s.Env.Data)
	switch {
	case ctx.Err() != nil:
		s.Fail(ctx.Err())
	case err != nil:
		s.Missing(d.Name, err, claims...)
	default:
		s.On(trainSet, testSet)
		return true
	}
	return false
}

// Reached reports whether an ordinary network is as good as claims want it, in percent of all
// test samples; else they are left with the reason.
func (s *ConversionStudy) Reached(t *Trained, floor float64, claims ...string) bool {
	if t == nil {
		return false
	}
	v := t.Result.Test.Value("accuracy")
	if v >= floor || s.Env.Rehearse != nil {
		return true
	}
	for _, id := range claims {
		s.Leave(id, fmt.Sprintf("the ordinary network has %.2f %%, and the claim is of one that has at least %v", v, floor))
	}
	return false
}

// Claim adds a figure to a claim; one that is undefined leaves it, with that for a reason.
func (s *ConversionStudy) Claim(id string, v float64, n int) {
	if s.Err() == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		s.Leave(id, fmt.Sprintf("the figure is %v: what it is made of was not reached", v))
		return
	}
	s.Add(id, v, n)
}

// Show adds the section of networks that were converted.
func (s *ConversionStudy) Show(c *Conversions, title, text string) {
	if s.Err() != nil {
		return
	}
	section, err := c.Section(title, text)
	if err != nil {
		s.Fail(err)
		return
	}
	s.Sections = append(s.Sections, section)
}

// Finish is the outcome; page has a title, a lead and the paper's link.
func (s *ConversionStudy) Finish(page report.Page) (*Outcome, error) {
	var configs []string
	for _, t := range s.Jobs {
		if t.Config.Seed == s.Env.Seed {
			configs = append(configs, "# "+t.Name+"\n"+string(t.YAML))
		}
	}
	return s.Outcome(func(r report.Run) report.Page {
		page.Claims, page.Sections, page.Config, page.Facts = r.Claims, s.Sections, strings.Join(configs, "\n"), r.Facts()
		return page
	})
}

// Spearman is the correlation of ranks, equal values having their mean rank; NaN where one of both
// does not vary.
func Spearman(x, y []float64) float64 { return stat.Correlation(ranks(x), ranks(y), nil) }

func ranks(x []float64) []float64 {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	out := make([]float64, len(x))
	for i, v := range x {
		lo, _ := slices.BinarySearch(sorted, v)
		hi := lo
		for hi < len(sorted) && sorted[hi] == v {
			hi++
		}
		out[i] = float64(lo+hi+1) / 2
	}
	return out
}
