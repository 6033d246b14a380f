// Package spikeprop learns XOR, Fisher's irises and the tumours of Wisconsin by the exact times
// of spikes (Bohte, Kok and La Poutré 2002), with a linear readout of the same encoded times
// beside, and trains of several spikes (Booij and tat Nguyen 2005).
package spikeprop

import (
	"context"
	"math"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/spikeprop"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train/online"
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "spikeprop", Paper: "survey-2018", Title: "SpikeProp: XOR, irises and tumours by exact times of spikes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 0.5, report.Full: 1},
		Claims:  claims(), Run: reproduce,
	}
}

func bound(v float64) *float64 { return &v }

func claims() []report.Claim {
	published := func(id, name string, figure, least float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: "%", Published: bound(figure), Source: "Bohte, Kok and La Poutré 2002, table 1, as reported",
			Direction: report.AtLeast, Statistic: report.Mean, Bounds: report.Bounds{Short: bound(least), Full: bound(least)}, Seeds: report.Seeds{Short: 10, Full: 10},
			Note: "The network, its rates and its epochs were chosen on folds within the training halves of three of the ten splits, whose samples other splits test: the figure may be a little optimistic. A linear readout of the same encoded times stands beside.",
		}
	}
	return []report.Claim{
		{
			ID: "xor", Name: "seeds in which XOR is learned to E < 1 in under 250 cycles", Unit: "", Source: "the paper has 250 cycles, by another choice of weights and rate",
			Direction: report.AtLeast, Statistic: report.Fraction, Bounds: report.Bounds{Short: bound(0.9), Full: bound(0.9)}, Seeds: report.Seeds{Short: 10, Full: 10},
			Note: "First weights from inhibitory neurons of half the size, at a rate of 2, solved 8 of the claim's seeds; the weights of the same size as others and the rate of 1 were then chosen on 60 other seeds.",
		},
		{
			ID: "several", Name: "seeds in which a neuron that fires several times meets another one's train within 0.1 ms in under 1,000 trials", Unit: "", Source: "ours", Stated: "2026-11-30",
			Direction: report.AtLeast, Statistic: report.Fraction, Bounds: report.Bounds{Short: bound(0.9), Full: bound(0.9)}, Seeds: report.Seeds{Short: 10, Full: 10},
			Note: "The rate and the largest change in a trial were chosen on 30 other seeds, of which they solved 29; changes of at most 0.01 and 0.02 solved 19 and 20, and without that limit 1 or 2 of 8 came within 1 ms.",
		},
		published("iris", "test accuracy on irises, ten stratified half splits", 96.1, 94),
		published("wisconsin", "test accuracy on tumours, ten stratified half splits", 97.0, 95),
	}
}

// cycles is how long XOR is tried for.
const cycles = 1000

// course is a run of XOR: E of each cycle, until it is below 1.
type course struct {
	e          []float64
	net, first *spikeprop.Net
}

func (c course) solved(within int) bool { return len(c.e) < within && c.e[len(c.e)-1] < 1 }

// inputs of XOR, at 0 or 6 ms.
func inputs(k int) []tensor.Float {
	return []tensor.Float{tensor.Float(6 * (k / 2)), tensor.Float(6 * (k % 2))}
}

func wanted(k int) int { return (k/2 + k%2) % 2 }

// xor learns the four patterns in turn. Without the bias it cannot: (0, 0) and (6, 6) are one
// problem 6 ms apart, both wanted at 16 ms, so their losses are at least 9.
func xor(ctx context.Context, seed uint64, u spikeprop.Update, rate float64, bias bool) (c course, err error) {
	r := spikeprop.NewRule()
	r.Fields, r.Hidden, r.Single, r.NoBias, r.Update, r.LR = 0, []int{5}, true, !bias, u, rate
	c.net, c.first = r.NewNet(2, 2, seed), r.NewNet(2, 2, seed)
	scores := make([]float64, 2)
	for range cycles {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		if err := cycle(ctx, c.net, scores); err != nil {
			return c, err
		}
		e := 0.0 // of all patterns with the same weights
		for k := range 4 {
			loss, err := c.net.Run(inputs(k), wanted(k), scores)
			if err != nil {
				return c, err
			}
			e += loss
		}
		if c.e = append(c.e, e); e < 1 {
			break
		}
	}
	return c, nil
}

// cycle learns the four patterns in turn, or where the update wants it at once.
func cycle(ctx context.Context, n *spikeprop.Net, scores []float64) error {
	b := &online.Batch{Ctx: ctx, Factor: 1, Scores: make([]float64, 8), Loss: make([]float64, 4)}
	for k := range 4 {
		b.X, b.Labels = append(b.X, inputs(k)...), append(b.Labels, wanted(k))
	}
	if n.Batches() {
		return n.LearnBatch(b)
	}
	for k := range 4 {
		if _, err := n.Learn(inputs(k), wanted(k), 1, scores); err != nil {
			return err
		}
	}
	return nil
}

// table is a data set and how it is learned.
type table struct {
	claim, title string
	dataset      string
	rule         func() spikeprop.Rule
	epochs       int
}

func tables() []table {
	return []table{
		{"iris", "Irises", "iris", func() spikeprop.Rule {
			r := spikeprop.NewRule()
			r.Hidden, r.Fields, r.Initial = []int{10}, 12, []float64{2, 8}
			return r
		}, 60},
		{"wisconsin", "Tumours", "wisconsin", func() spikeprop.Rule {
			r := spikeprop.NewRule()
			r.Hidden, r.Fields, r.Initial = []int{15}, 7, []float64{1.3, 5.5}
			return r
		}, 10},
	}
}

// halves parts the samples of each class in two, by seed.
func halves(labels []int, classes int, seed uint64) (train, test []int) {
	src := rng.New(seed, "half splits").Source()
	for class := range classes {
		var own []int
		for i, l := range labels {
			if l == class {
				own = append(own, i)
			}
		}
		for k, at := range src.Perm(len(own)) {
			if k < (len(own)+class%2)/2 {
				train = append(train, own[at])
			} else {
				test = append(test, own[at])
			}
		}
	}
	return train, test
}

// learned is what came of a split.
type learned struct {
	train, test, linear float64 // percent right
	curve               []float64
	silent              float64 // share of test samples for which no output fires
}

// learn trains a network on a half of a set and measures both.
func (t table) learn(ctx context.Context, set *data.Set, seed uint64, epochs int) (*learned, error) {
	trainPart, testPart := halves(set.Labels, len(set.Classes), seed)
	return t.split(ctx, set, trainPart, testPart, seed, epochs)
}

func (t table) split(ctx context.Context, set *data.Set, trainPart, testPart []int, seed uint64, epochs int) (*learned, error) {
	d, k := set.Shape.Size(), len(set.Classes)
	at := func(i int) []tensor.Float { return set.Values[i*d:][:d] }
	net := t.rule().NewNet(d, k, seed)
	for _, i := range trainPart {
		net.Look(at(i))
	}
	l, scores := &learned{}, make([]float64, k)
	src := rng.New(seed, "order").Source()
	for epoch := range epochs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sum := 0.0
		factor := 1 - float64(epoch)/float64(epochs) // the rate falls to 0
		for _, p := range src.Perm(len(trainPart)) {
			i := trainPart[p]
			loss, err := net.Learn(at(i), set.Labels[i], factor, scores)
			if err != nil {
				return nil, err
			}
			sum += loss
		}
		l.curve = append(l.curve, sum/float64(len(trainPart)))
	}
	right := func(part []int) (share float64, err error) {
		for _, i := range part {
			if _, err = net.Run(at(i), -1, scores); err != nil {
				return 0, err
			}
			if online.Best(scores) == set.Labels[i] {
				share += 100 / float64(len(part))
			}
		}
		return share, nil
	}
	var err error
	if l.train, err = right(trainPart); err != nil {
		return nil, err
	}
	if l.test, err = right(testPart); err != nil {
		return nil, err
	}
	for _, i := range testPart {
		times := net.Times(at(i))
		if allSilent(times[len(times)-1]) {
			l.silent += 1 / float64(len(testPart))
		}
	}
	encode := func(i int) []float64 {
		row := append([]float64(nil), net.Encode(at(i))...)
		for j, v := range row { // a silent unit counts as one at 10 ms
			row[j] = 1 - math.Min(v, 10)/10
		}
		return row
	}
	l.linear, err = linear(encode, set.Labels, k, trainPart, testPart)
	return l, err
}

func allSilent(times []float64) bool {
	for _, t := range times {
		if !math.IsInf(t, 1) {
			return false
		}
	}
	return true
}

// absent is why data could not be had.
type absent struct{ error }

// whole is a named set in memory.
func whole(ctx context.Context, e *recipe.Env, name string) (*data.Set, error) {
	d, err := e.Catalog.Loadable(name)
	if err != nil {
		return nil, err
	}
	src, _, err := d.Load(ctx, e.Data)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, absent{err}
	}
	set := &data.Set{Name: name, Shape: src.Spec().Shape, Classes: src.Spec().Targets[0].Classes}
	for i := range src.Len() {
		x := sample.Sample{X: make([]tensor.Float, set.Shape.Size())}
		if err := src.Read(ctx, i, &x); err != nil {
			return nil, err
		}
		set.Values, set.Labels = append(set.Values, x.X...), append(set.Labels, x.Targets[0].Class)
	}
	return set, nil
}
