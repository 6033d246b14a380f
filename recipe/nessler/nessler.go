// Package nessler shows that plasticity of spike times in a winner-take-all network is
// expectation–maximisation done online (Nessler et al. 2013): neurons that win by the
// softmax of their potentials learn the logarithms of the probabilities by which hidden
// causes switch their inputs on.
package nessler

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/stdp"
	"synfire/tensor"
)

const (
	causes = 4
	inputs = 20
	likely = 0.9 // probability of an input that belongs to a cause; of others 1 − likely
	rate   = 0.002
	scale  = math.E // c
	steps  = 20_000
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "nessler", Paper: "survey-2018", Title: "Plasticity as expectation–maximisation: neurons learn hidden causes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.05, report.Short: 0.1, report.Full: 0.2},
		Claims:  claims(), Run: reproduce,
	}
}

func bound(v float64) *float64 { return &v }

func claims() []report.Claim {
	return []report.Claim{{
		ID: "nessler-toy", Name: "largest difference of e^w/c from the probabilities of four hidden causes of 20 inputs, after 20,000 steps, neurons matched to causes", Unit: "",
		Source: "no paper: the fixed point of the rule", Direction: report.AtMost, Statistic: report.Median,
		Bounds: report.Bounds{Short: bound(0.05), Full: bound(0.05)}, Seeds: report.Seeds{Short: 5, Full: 20},
		Note: "A seed whose neurons share a cause, a local optimum of the likelihood, is counted with its difference.",
	}}
}

// learned is one seed's network.
type learned struct {
	causes      [][]float64 // probabilities of the inputs
	neurons     [][]float64 // e^w/c
	match       []int       // the neuron of each cause
	furthest    float64
	each, first []float64 // largest difference over time, and the steps
}

// learn shows a network 20,000 draws of the causes.
func learn(ctx context.Context, seed uint64) (*learned, error) {
	src := rng.New(seed, "nessler").Source()
	l := &learned{}
	for range causes { // half of the inputs belong to each, so that no cause is brighter
		p := slices.Repeat([]float64{1 - likely}, inputs)
		for _, i := range src.Perm(inputs)[:inputs/2] {
			p[i] = likely
		}
		l.causes = append(l.causes, p)
	}
	n, err := stdp.New(stdp.Options{Step: 1, Seed: seed})
	if err != nil {
		return nil, err
	}
	in, err := n.Add("inputs", inputs, stdp.Trains{})
	if err != nil {
		return nil, err
	}
	out, err := n.Add("neurons", causes, stdp.Softmax{Rate: 1000})
	if err != nil {
		return nil, err
	}
	w := make([]tensor.Float, inputs*causes)
	for i := range w { // about the mean of all inputs
		w[i] = tensor.Float(math.Log(scale*0.5) + 0.1*src.Norm())
	}
	c, err := n.Connect("synapses", in, out, stdp.Synapses{Weights: w, Rule: stdp.Probabilistic{Plus: rate * scale, Minus: rate, Window: 1, Everywhere: true}})
	if err != nil {
		return nil, err
	}
	const part = steps / 20
	for at := 0; at < steps; at += part {
		trains := make([][]float64, inputs)
		for t := range part {
			cause := l.causes[src.IntN(causes)]
			for i, p := range cause {
				if src.Float64() < p {
					trains[i] = append(trains[i], float64(t))
				}
			}
		}
		if err := in.Play(trains); err != nil {
			return nil, err
		}
		if err := n.Run(ctx, part); err != nil {
			return nil, err
		}
		l.read(c.Weights())
		l.first, l.each = append(l.first, float64(at+part)), append(l.each, l.furthest)
	}
	return l, nil
}

// read matches neurons to causes in the best of all ways.
func (l *learned) read(w []tensor.Float) {
	l.neurons = nil
	for k := range causes {
		p := make([]float64, inputs)
		for i := range p {
			p[i] = math.Exp(float64(w[i*causes+k])) / scale
		}
		l.neurons = append(l.neurons, p)
	}
	l.furthest = math.Inf(1)
	for _, match := range permutations(causes) {
		furthest := 0.0
		for cause, k := range match {
			for i, p := range l.causes[cause] {
				furthest = max(furthest, math.Abs(p-l.neurons[k][i]))
			}
		}
		if furthest < l.furthest {
			l.furthest, l.match = furthest, match
		}
	}
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	seeds, ok := map[report.Scale]uint64{report.Smoke: 1, report.Short: 5, report.Full: 20}[e.Scale]
	if !ok {
		return nil, recipe.NoScale("nessler", e.Scale)
	}
	s := recipe.NewStudy(e, nil, nil)
	var first *learned
	alone := 0
	for i := range seeds {
		l, err := learn(ctx, e.Seed+i)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = l
		}
		if l.furthest <= 0.05 {
			alone++
		}
		s.Add("nessler-toy", l.furthest, 0)
		s.Metrics[fmt.Sprintf("difference_s%d", e.Seed+i)] = l.furthest
	}
	section, err := first.section()
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "Plasticity as expectation–maximisation",
			Lead:  fmt.Sprintf("In %d of %d runs four neurons find four hidden causes, each probability within 0.05.", alone, seeds), Sections: []report.Section{section},
			Links: []report.Link{{Text: "Nessler et al. 2013", URL: "https://doi.org/10.1371/journal.pcbi.1003037"}},
		}
	})
}

// section draws the first seed's network.
func (l *learned) section() (report.Section, error) {
	out := report.Section{Title: "The first seed"}
	var list []figure.Picture
	for cause, k := range l.match {
		list = append(list,
			figure.Picture{Height: 4, Width: 5, Channels: 1, Pixels: l.causes[cause], Caption: fmt.Sprintf("cause %d", cause+1)},
			figure.Picture{Height: 4, Width: 5, Channels: 1, Pixels: l.neurons[k], Caption: fmt.Sprintf("neuron %d", k+1)})
	}
	f, err := figure.Pictures("Probabilities", 2, list)
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Probabilities of the inputs by cause and as neurons have learned them", Caption: "Ink is probability; e^w/c of the neurons."})
	f, err = figure.Curves("Learning", "step", figure.Panel{Name: "largest difference", Series: []figure.Series{{Name: "of all probabilities", X: l.first, Y: l.each}}})
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Largest difference of a probability over the steps", Caption: "Of the best match of neurons to causes."})
	return out, err
}
