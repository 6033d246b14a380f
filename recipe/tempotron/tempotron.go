// Package tempotron asks how many random patterns of spikes a tempotron of 500 synapses learns to
// tell apart (Gütig and Sompolinsky 2006): by the number of patterns a synapse, the load.
package tempotron

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/tempotron"
)

const (
	synapses = 500
	window   = 500 // ms
	tau      = 15
	tauS     = tau / 4.0
	rate     = 1e-4
	momentum = 0.99
	plain    = 3e-3 // the rate without momentum
	initial  = 0.01
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "tempotron", Paper: "survey-2018", Title: "The tempotron: how many patterns of spikes a neuron tells apart",
		Minutes: map[report.Scale]float64{report.Smoke: 0.05, report.Short: 1, report.Full: 2.5},
		Claims:  claims(), Run: reproduce,
	}
}

func bound(v float64) *float64 { return &v }

func claims() []report.Claim {
	return []report.Claim{
		{
			ID: "load2", Name: "epochs until two patterns a synapse are told apart without an error, 500 synapses", Unit: "",
			Source: "Gütig and Sompolinsky 2006: a capacity of about three patterns a synapse", Direction: report.AtMost, Statistic: report.Max,
			Bounds: report.Bounds{Short: bound(300), Full: bound(300)}, Seeds: report.Seeds{Short: 5, Full: 10},
		},
		{
			ID: "load3", Name: "seeds in which three patterns a synapse are not told apart within 1,000 epochs", Unit: "",
			Source: "Gütig and Sompolinsky 2006: a capacity of about three patterns a synapse", Direction: report.AtLeast, Statistic: report.Fraction,
			Bounds: report.Bounds{Short: bound(1), Full: bound(1)}, Seeds: report.Seeds{Short: 2, Full: 5},
		},
	}
}

// task is random patterns to be told apart.
type task struct {
	load     float64
	momentum bool
	epochs   int // at most
	seed     uint64
}

// learned is what came of one: errors of each epoch, the last 0 where it was solved.
type learned struct {
	task
	errors []int
	err    error
}

func (l *learned) solved() bool { return l.errors[len(l.errors)-1] == 0 }

// learn draws patterns of one spike of each afferent, uniform in the window, half of them to be
// fired for, and learns them in an order drawn anew each epoch.
func learn(ctx context.Context, t task) *learned {
	l := &learned{task: t}
	src := rng.New(t.seed, "tempotron").Source()
	n := tempotron.NewNeuron(tempotron.NewKernel(tau, tauS), 1, synapses)
	for i := range n.W {
		n.W[i] = initial * src.Norm()
	}
	count := int(math.Round(t.load * synapses))
	patterns := make([]*tempotron.Pattern, count)
	for k := range patterns {
		spikes := make([]tempotron.Spike, synapses)
		for i := range spikes {
			spikes[i] = tempotron.Spike{At: window * src.Float64(), Unit: i}
		}
		patterns[k] = tempotron.NewPattern(n.Kernel, spikes, window+5*tau)
	}
	lambda, mu := plain, 0.0
	if t.momentum {
		lambda, mu = rate, momentum
	}
	for range t.epochs {
		if l.err = ctx.Err(); l.err != nil {
			return l
		}
		wrong := 0
		for _, k := range src.Perm(count) {
			if right, _ := n.Learn(patterns[k], k%2 == 0, lambda, mu); !right {
				wrong++
			}
		}
		if l.errors = append(l.errors, wrong); wrong == 0 { // no weight moved: all are right at once
			break
		}
	}
	return l
}

// tasks are those of a scale.
func tasks(scale report.Scale, seed uint64) (list []task) {
	add := func(load float64, momentum bool, epochs, seeds int) {
		for k := range seeds {
			list = append(list, task{load, momentum, epochs, seed + uint64(k)})
		}
	}
	switch scale {
	case report.Smoke:
		add(0.5, true, 50, 2)
	case report.Short, report.Full:
		few, many := 2, 5
		if scale == report.Full {
			few, many = 5, 10
		}
		add(0.5, true, 300, few)
		add(1, true, 300, few)
		add(1.5, true, 300, few)
		add(2, true, 300, many)
		add(2.5, true, 1000, few)
		add(3, true, 1000, few)
		add(1, false, 300, few)
		add(2, false, 300, few)
	}
	return list
}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	list := tasks(e.Scale, e.Seed)
	if list == nil {
		return nil, recipe.NoScale("tempotron", e.Scale)
	}
	s := recipe.NewStudy(e, nil, nil)
	done := make([]*learned, len(list))
	var failed []error
	e.Pool.For(len(list), 1, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			done[k] = learn(ctx, list[k])
		}
	})
	for _, l := range done {
		failed = append(failed, l.err)
		if l.err != nil {
			continue
		}
		switch {
		case l.momentum && l.load == 2 && l.solved():
			s.Add("load2", float64(len(l.errors)), 0)
		case l.momentum && l.load == 2: // above the bound, whatever it would have come to
			s.Add("load2", float64(l.epochs+1), 0)
		case l.momentum && l.load == 3 && l.solved():
			s.Add("load3", 0, 0)
		case l.momentum && l.load == 3:
			s.Add("load3", 1, 0)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	section, lead, err := results(s, done)
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "The tempotron", Lead: lead, Sections: []report.Section{section},
			Links: []report.Link{{Text: "Gütig and Sompolinsky 2006", URL: "https://doi.org/10.1038/nn1643"}},
		}
	})
}

// results are a row for each load, and the curves.
func results(s *recipe.Study, done []*learned) (out report.Section, lead string, err error) {
	out = report.Section{Title: "Load", Text: fmt.Sprintf("%d afferents with one spike each, uniform in %d ms; half of the patterns are to be fired for. λ = %g and μ = %v, without momentum λ = %g.", synapses, window, rate, momentum, plain)}
	var rows [][]string
	var curve figure.Series
	curve.Name = "slowest seed"
	var courses []figure.Series
	for at := 0; at < len(done); {
		end := at
		for end < len(done) && done[end].load == done[at].load && done[end].momentum == done[at].momentum {
			end++
		}
		group := done[at:end]
		var epochs, left []float64
		solved := 0
		for _, l := range group {
			if l.solved() {
				solved++
				epochs = append(epochs, float64(len(l.errors)))
			}
			left = append(left, 100*float64(l.errors[len(l.errors)-1])/(l.load*synapses))
		}
		first := group[0]
		name := fmt.Sprintf("%v", first.load)
		if !first.momentum {
			name += ", without momentum"
		}
		took := fmt.Sprintf("not in %d", first.epochs)
		if len(epochs) > 0 {
			took = fmt.Sprintf("%v to %v", slices.Min(epochs), slices.Max(epochs))
		}
		if first.momentum {
			if solved == len(group) {
				curve.X, curve.Y = append(curve.X, first.load), append(curve.Y, slices.Max(epochs))
				lead = fmt.Sprintf("%v patterns a synapse are told apart without an error in all seeds, after at most %v epochs.", first.load, slices.Max(epochs))
			}
			line := figure.Series{Name: "load " + name}
			for k, n := range first.errors {
				line.X, line.Y = append(line.X, float64(k+1)), append(line.Y, 100*float64(n)/(first.load*synapses))
			}
			courses = append(courses, line)
		}
		s.Metrics[fmt.Sprintf("solved at load %s", name)] = float64(solved) / float64(len(group))
		rows = append(rows, []string{name, fmt.Sprintf("%d of %d", solved, len(group)), took, report.Measured(slices.Max(left))})
		at = end
	}
	out.Tables = []report.Table{{Caption: "Seeds solved", Head: []string{"patterns a synapse", "solved", "epochs", "errors left, at most (%)"}, Right: []bool{false, true, true, true}, Rows: rows}}
	if len(curve.X) == 0 {
		lead, curve.X, curve.Y = "No load was solved in all seeds.", []float64{0}, []float64{0}
	}
	loads, err := figure.Curves("Load against epochs", "patterns a synapse", figure.Panel{Name: "epochs", Series: []figure.Series{curve}})
	if err != nil {
		return out, lead, err
	}
	course, err := figure.Curves("Errors over epochs, first seed", "epoch", figure.Panel{Name: "errors in an epoch (%)", Series: courses})
	out.Figures = []report.Figure{
		{SVG: loads.SVG(), Alt: "Epochs that a load takes", Caption: "Loads that all seeds solve; learning slows down towards the capacity."},
		{SVG: course.SVG(), Alt: "Errors over epochs by load", Caption: "An epoch without an error ends a run."},
	}
	return out, lead, err
}
