// Package nmnist is what recipes on real recordings of N-MNIST share: folds of all recordings,
// each tested once; the same events with their times scrambled, or counted, beside them; and
// the comparison of what was answered, recording by recording.
package nmnist

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
)

// Parts is the number of folds that all recordings are cut into, each tested once.
const Parts = 5

// Data are the recordings, padded to the longest.
var Data = model.Data{Name: "nmnist-1100", Length: data.Length{Pad: 0.34}}

// Right says of each recording whether it was answered right.
type Right []bool

// Share is the part of recordings from the first on that were answered right, in percent.
func (r Right) Share(first int) float64 {
	n := 0
	for _, ok := range r[first:] {
		if ok {
			n++
		}
	}
	return 100 * float64(n) / float64(len(r)-first)
}

// Way is one that recordings are classified in. One without a rule in its configuration is
// kernel ridge regression on counts.
type Way struct {
	Name, What string
	Key        string                            // of its metrics
	Of         func(sample.Source) sample.Source // the samples it gets; nil: the recordings
	Config     model.Config
}

// Fold classifies the test part of a fold, the k-th from 0, by a job of a study. The job is nil
// where nothing was trained; of many jobs learners take memory, and are to be dropped.
func (w Way) Fold(ctx context.Context, s *recipe.Study, k int, all sample.Source, f Fold, out Right) (*recipe.Trained, error) {
	train, err := sample.Subset(all, f.Train)
	if err != nil {
		return nil, err
	}
	test, err := sample.Subset(all, f.Test)
	if err != nil {
		return nil, err
	}
	if w.Config.Rule == nil {
		return nil, ridge(ctx, train, test, f, out)
	}
	if w.Of != nil {
		train, test = w.Of(train), w.Of(test)
	}
	s.On(train, test)
	t := s.Run(ctx, recipe.Job{Name: fmt.Sprintf("%s-%d", w.Name, k+1), Config: w.Config})
	if t == nil {
		return nil, s.Err()
	}
	bad, err := wrong(t)
	if err != nil {
		return nil, err
	}
	for i, place := range f.Test {
		out[place] = !bad[i]
	}
	return t, nil
}

// ridge answers by kernel ridge regression on counts.
func ridge(ctx context.Context, train, test sample.Source, f Fold, out Right) error {
	answers, err := KernelRidge(ctx, counted{train}, counted{test})
	if err != nil {
		return err
	}
	for i, answer := range answers {
		target, err := test.Target(i, 0)
		if err != nil {
			return err
		}
		out[f.Test[i]] = answer == target.Class
	}
	return nil
}

// errNoScores is a defect of an evaluation.
var errNoScores = errors.New("nmnist: an evaluation without classes")

// wrong are the places of the test samples that a job answers wrong.
func wrong(t *recipe.Trained) (map[int]bool, error) {
	classes := t.Result.Test.Classes()
	if classes == nil {
		return nil, errNoScores
	}
	out := map[int]bool{}
	for _, m := range classes.Wrong {
		out[m.Sample] = true
	}
	return out, nil
}

// Compared is a table of ways, of which the first is held against the others recording by
// recording, and their figures by name. Recordings from the place firstTest on are the public
// test recordings; network says what the first way is.
func Compared(ways []Way, outcome []Right, firstTest int, network string) (report.Table, map[string]float64) {
	table := report.Table{
		Head:  []string{"way", "accuracy", "95 % interval", "on the 100 test recordings", "better than the " + network + " in", "worse in", "p (McNemar)"},
		Right: []bool{false, true, true, true, true, true, true},
	}
	metrics := map[string]float64{}
	for i, w := range ways {
		row := Row(w.What, outcome[i], firstTest)
		key := w.Key
		metrics[key+"_accuracy"], metrics[key+"_test100_accuracy"] = outcome[i].Share(0), outcome[i].Share(firstTest)
		if i > 0 {
			better, worse := Discordant(outcome[i], outcome[0])
			p := McNemar(better, worse)
			row[4], row[5], row[6] = fmt.Sprint(better), fmt.Sprint(worse), fmt.Sprintf("%.3g", p)
			metrics[key+"_better"], metrics[key+"_worse"], metrics[key+"_p"] = float64(better), float64(worse), p
		}
		table.Rows = append(table.Rows, row)
	}
	return table, metrics
}

// Row is a row of Compared, of recordings that are compared with none.
func Row(what string, r Right, firstTest int) []string {
	low, high := Wilson(r.Share(0)/100, len(r))
	return []string{what, fmt.Sprintf("%.2f %%", r.Share(0)), fmt.Sprintf("%.1f–%.1f", 100*low, 100*high), fmt.Sprintf("%.0f %%", r.Share(firstTest)), "–", "–", "–"}
}

// Fold is one of several parts of samples: the places that are learnt from and those
// that are tested.
type Fold struct{ Train, Test []int }

// Folds cuts n samples into k parts by a fixed permutation; places are in order.
func Folds(n, k int) []Fold {
	out := make([]Fold, k)
	for i, place := range rng.New(0, "stbp.folds").Source().Perm(n) {
		for j := range out {
			if i%k == j {
				out[j].Test = append(out[j].Test, place)
			} else {
				out[j].Train = append(out[j].Train, place)
			}
		}
	}
	for _, f := range out {
		slices.Sort(f.Train)
		slices.Sort(f.Test)
	}
	return out
}

// Discordant counts where a is right and b is not, and the other way round.
func Discordant(a, b Right) (onlyA, onlyB int) {
	for i := range a {
		switch {
		case a[i] && !b[i]:
			onlyA++
		case b[i] && !a[i]:
			onlyB++
		}
	}
	return onlyA, onlyB
}

// McNemar is the two-sided exact p of two classifiers that disagree on a + b samples,
// one right on a of them and the other on b: twice the lower tail of a binomial
// distribution of a half, at most 1.
func McNemar(a, b int) float64 {
	n, tail := float64(a+b), 0.0
	for k := range min(a, b) + 1 {
		all, _ := math.Lgamma(n + 1)
		in, _ := math.Lgamma(float64(k) + 1)
		out, _ := math.Lgamma(n - float64(k) + 1)
		tail += math.Exp(all - in - out - n*math.Ln2)
	}
	return min(1, 2*tail)
}

// Wilson is the 95 % interval of a share p of n.
func Wilson(p float64, n int) (low, high float64) {
	const z = 1.959964
	m := float64(n)
	centre, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return (centre - half) / (1 + z*z/m), (centre + half) / (1 + z*z/m)
}
