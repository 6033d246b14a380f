// Package recipe defines what a reproduction is: configurations for each scale, a
// study that runs them, and claims that it is judged by. Each recipe is a package of
// its own under recipe/; recipe/all lists them.
//
// A Study runs jobs, training runs of one configuration each, and collects what is
// measured of them: figures of claims, metrics, curves. The directory of a run holds
// that of a single job itself, and of several jobs one directory for each.
package recipe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
	"synfire/model"
	"synfire/report"
	"synfire/train"
)

// Recipe is one reproduction.
type Recipe struct {
	ID      string // as typed
	Paper   string // key of the reading list; empty for none
	Title   string
	Minutes map[report.Scale]float64 // measured on 2 cores, to tell users beforehand
	Claims  []report.Claim
	// Former are claims that kept results were judged by and that no run is judged by any
	// more, each with the day on which that ended (Stated) and the reason (Note). A claim
	// that failed is not one of them: it stays among Claims.
	Former []report.Claim
	// Parts are what can be run by itself (--part); none: the recipe is run as a whole.
	Parts []Part
	// Config is what a scale trains, for those who plan a run; nil for a recipe
	// that no single configuration describes.
	Config func(scale report.Scale, seed uint64) (model.Config, error)
	Run    func(ctx context.Context, e *Env) (*Outcome, error)
}

// Part is a part of a recipe, and the claims that it tests. A claim of several parts needs all
// of them.
type Part struct {
	Name   string
	Claims []string
}

// Scales are the scales that a recipe may be run at, the smallest first.
var Scales = []report.Scale{report.Smoke, report.Short, report.Full}

// NoScale is the error of a recipe that is asked for another scale.
func NoScale(id string, s report.Scale) error {
	return fmt.Errorf("%s: no scale %q: use smoke, short or full", id, s)
}

// Env is what the command gives a recipe to run in.
type Env struct {
	Catalog   catalog.Catalog
	Scale     report.Scale
	Seed      uint64
	Parts     []string // of the recipe's those that are run; none: all
	Pool      *par.Pool
	Out       string // run directory
	Resume    bool
	SaveEvery int      // steps between checkpoints within an epoch
	Logs      []string // kinds of logs, of train.LogKinds
	Data      data.Options
	Observer  train.Observer
	Now       func() time.Time
	// Rehearse sees each job of a study before it runs and may shorten it, so that hours
	// of jobs are walked through in seconds. What such a run measures says nothing.
	Rehearse func(j *Job)
}

// Wants reports whether a part is run.
func (e *Env) Wants(part string) bool { return len(e.Parts) == 0 || slices.Contains(e.Parts, part) }

// Step is what runs a part, or several, among which it chooses itself.
type Step struct {
	Part string // empty: of several
	Run  func(ctx context.Context) error
}

// Do takes the steps of the parts that are run, in their order, up to the first error. That
// there is none is an error.
func (e *Env) Do(ctx context.Context, steps ...Step) error {
	var parts []string // that have steps
	taken := false
	for _, s := range steps {
		if s.Part != "" && !slices.Contains(parts, s.Part) {
			parts = append(parts, s.Part)
		}
		if s.Part != "" && !e.Wants(s.Part) {
			continue
		}
		taken = true
		if err := s.Run(ctx); err != nil {
			return err
		}
	}
	if !taken {
		return fmt.Errorf("scale %s has nothing of part %s; it has %s", e.Scale, strings.Join(e.Parts, ", "), strings.Join(parts, ", "))
	}
	return nil
}

// StudyStep is what a study of type S does for a part.
type StudyStep[S interface{ Err() error }] struct {
	Part string
	Run  func(S, context.Context)
}

// StepsOf are the steps of a study, which keeps its first error.
func StepsOf[S interface{ Err() error }](s S, list []StudyStep[S]) (steps []Step) {
	for _, one := range list {
		steps = append(steps, Step{Part: one.Part, Run: func(ctx context.Context) error {
			one.Run(s, ctx)
			return s.Err()
		}})
	}
	return steps
}

// Outcome is what a run found. Files are for the run directory, besides what
// training keeps there.
type Outcome struct {
	Measured      map[string]report.Measurement // by claim id
	Metrics       report.Metrics
	WeightsSHA256 string
	Result        string                           // of a single training run: what it is, as train.Result.What says
	Figure        string                           // of its metrics, the first task's first
	Page          func(run report.Run) report.Page // the report of a finished run; report.Page.Of adds what is the run's
}

// Judge is the results of all claims at a scale, of a run of some parts, or of all where none
// is named. Claims of other parts are not tested.
func (r Recipe) Judge(scale report.Scale, o *Outcome, parts ...string) []report.Result {
	var out []report.Result
	for _, c := range r.Claims {
		m := o.Measured[c.ID]
		for _, p := range r.Parts {
			if len(parts) > 0 && !slices.Contains(parts, p.Name) && slices.Contains(p.Claims, c.ID) {
				m = report.Measurement{Why: fmt.Sprintf("part %s was not run", p.Name)}
			}
		}
		out = append(out, c.Judge(scale, m))
	}
	return out
}

// Choose is the parts of these names, in the recipe's order and each once. A name that it does
// not have is an error.
func (r Recipe) Choose(names []string) (parts []string, err error) {
	var known []string
	for _, p := range r.Parts {
		known = append(known, p.Name)
		if slices.Contains(names, p.Name) {
			parts = append(parts, p.Name)
		}
	}
	for _, name := range names {
		switch {
		case len(known) == 0:
			return nil, fmt.Errorf("recipe %s has no parts; leave --part out", r.ID)
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("recipe %s has no part %.80q; it has %s", r.ID, name, strings.Join(known, ", "))
		}
	}
	return parts, nil
}

// Listing is a recipe as `synfire recipes --json` lists it.
type Listing struct {
	ID     string         `json:"id"`
	Paper  string         `json:"paper"`
	Title  string         `json:"title"`
	Scales []ListedScale  `json:"scales"`
	Parts  []string       `json:"parts,omitempty"`
	Claims []report.Claim `json:"claims"`
}

// ListedScale tells how long a scale takes.
type ListedScale struct {
	Name    report.Scale `json:"name"`
	Minutes float64      `json:"minutes"`
}

// Listing is the recipe's row in the list.
func (r Recipe) Listing() Listing {
	l := Listing{ID: r.ID, Paper: r.Paper, Title: r.Title, Claims: r.Claims}
	for _, p := range r.Parts {
		l.Parts = append(l.Parts, p.Name)
	}
	for _, s := range Scales {
		if m, ok := r.Minutes[s]; ok {
			l.Scales = append(l.Scales, ListedScale{s, m})
		}
	}
	return l
}
