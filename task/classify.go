package task

import (
	"fmt"
	"slices"
	"strings"

	"synfire/loss"
	"synfire/sample"
	"synfire/tensor"
)

// Classify ranks classes by scores: the largest is the answer, the first of equals.
// With c[i][j] the number of samples of class i that were answered j,
//
//	accuracy    Σ_i c[i][i] / n                    in percent
//	top-k       the class is among the k largest   in percent
//	precision   c[j][j] / Σ_i c[i][j],   recall  c[i][i] / Σ_j c[i][j]
//	F1          2·precision·recall / (precision + recall)
//
// A precision of a class that was never answered, and a recall of one that has no
// samples, are undefined.
type Classify struct {
	Top []int `yaml:"top,omitempty,single"` // also count answers among the k largest scores
}

// Validate returns an error for a k below 2.
func (t Classify) Validate() error {
	for _, k := range t.Top {
		if k < 2 {
			return fmt.Errorf("task classify: top %d, want 2 or more: the accuracy is top 1", k)
		}
	}
	return nil
}

// Check wants a score for each class.
func (t Classify) Check(out tensor.Shape, _ int, target sample.Field) error {
	switch {
	case target.Kind != sample.Class:
		return fmt.Errorf("task classify: target %q is %v, want a class: choose another task or another target", target.Name, target.Kind)
	case out.Size() != len(target.Classes):
		return fmt.Errorf("task classify: the output has %d scores, and target %q %d classes: is it the data set that the network is for?", out.Size(), target.Name, len(target.Classes))
	}
	for _, k := range t.Top {
		if k >= len(target.Classes) {
			return fmt.Errorf("task classify: top %d of %d classes is always right; leave it out", k, len(target.Classes))
		}
	}
	return nil
}

// Score begins an evaluation. It is a *Classes.
func (t Classify) Score(target sample.Field) Score {
	k := len(target.Classes)
	s := &Classes{Names: target.Classes, top: t.Top, hits: make([]int, len(t.Top)), right: make([]int, k), of: make([]int, k), answered: make([]int, k)}
	if k <= mostConfusion {
		s.Confusion = make([][]int, k)
		for i := range s.Confusion {
			s.Confusion[i] = make([]int, k)
		}
	}
	return s
}

// mostConfusion is the most classes of which a confusion matrix is kept.
const mostConfusion = 1024

// Running is the accuracy.
func (Classify) Running(c Case) (Scalar, error) {
	s := Scalar{Name: "accuracy", Unit: "%", Better: Higher}
	for i, label := range c.Target.Class {
		if c.Output.Answer(i) == label {
			s.Value += 100
		}
	}
	return s, nil
}

// Answer is the class of the largest score of sample i, the first of equals.
func (o Output) Answer(i int) int { return loss.Best(o.Of(i)) }

// Of is the scores of sample i.
func (o Output) Of(i int) []tensor.Float {
	k := o.Shape.Size()
	return o.Scores[i*k:][:k]
}

// Classes is the score of Classify.
type Classes struct {
	Names     []string
	N         int
	Confusion [][]int // [true class][answer]; nil where there are too many classes
	Wrong     []Mistake

	top, hits           []int
	right, of, answered []int // by class
}

// Mistake is a sample that was answered wrong; Sample is its place in the source.
type Mistake struct{ Sample, Label, Predicted int }

// ClassFigures are the figures of one class; nil ones are undefined.
type ClassFigures struct {
	Class     string   `json:"class"`
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
	F1        *float64 `json:"f1"`
	N         int      `json:"n"`
}

// Add counts the answers.
func (s *Classes) Add(c Case) error {
	for i, label := range c.Target.Class {
		answer := c.Output.Answer(i)
		s.N++
		s.of[label]++
		s.answered[answer]++
		if s.Confusion != nil {
			s.Confusion[label][answer]++
		}
		if answer == label {
			s.right[label]++
		} else {
			s.Wrong = append(s.Wrong, Mistake{c.First + i, label, answer})
		}
		for j, k := range s.top {
			if rank(c.Output.Of(i), label) < k {
				s.hits[j]++
			}
		}
	}
	return nil
}

// rank is how many scores stand before that of a class: larger ones, and equal ones
// of earlier classes.
func rank(scores []tensor.Float, class int) (before int) {
	for i, v := range scores {
		if v > scores[class] || v == scores[class] && i < class {
			before++
		}
	}
	return before
}

// Right is the number of right answers.
func (s *Classes) Right() (n int) {
	for _, r := range s.right {
		n += r
	}
	return n
}

// Accuracy is the share of right answers in percent.
func (s *Classes) Accuracy() float64 { return percent(s.Right(), s.N) }

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(1, of)) }

// Scalars are the accuracy, the top-k accuracies and the mean F1 over the classes
// that have samples.
func (s *Classes) Scalars() []Scalar {
	why := ""
	if s.N == 0 {
		why = "no samples"
	}
	out := []Scalar{{Name: "accuracy", Value: s.Accuracy(), Unit: "%", Better: Higher, Why: why}}
	for j, k := range s.top {
		out = append(out, Scalar{Name: fmt.Sprintf("top%d", k), Value: percent(s.hits[j], s.N), Unit: "%", Better: Higher, Why: why})
	}
	return out
}

// PerClass is the figures of each class.
func (s *Classes) PerClass() []ClassFigures {
	out := make([]ClassFigures, len(s.Names))
	for i, name := range s.Names {
		f := ClassFigures{Class: name, N: s.of[i], Precision: ratio(s.right[i], s.answered[i]), Recall: ratio(s.right[i], s.of[i])}
		if s.of[i]+s.answered[i] > 0 {
			f1 := 2 * float64(s.right[i]) / float64(s.of[i]+s.answered[i])
			f.F1 = &f1
		}
		out[i] = f
	}
	return out
}

// ratio is n/of in percent, nil where it is undefined.
func ratio(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	v := float64(n) / float64(of)
	return &v
}

// shownMistakes is the number of mistakes in a report.
const shownMistakes = 30

// Exhibits are the confusion matrix, the figures of each class and the first
// mistakes.
func (s *Classes) Exhibits() []Exhibit {
	var out []Exhibit
	if s.Confusion != nil {
		out = append(out, Exhibit{
			Title: "Answers by class", Text: "Rows are true classes, columns the answers. Off the diagonal stand the mistakes.",
			Matrix: &Matrix{Rows: "true class", Columns: "answer", Names: s.Names, Values: s.Confusion},
		})
	}
	table := &Table{Head: []string{"class", "precision", "recall", "F1", "samples"}}
	for _, f := range s.PerClass() {
		table.Rows = append(table.Rows, []string{f.Class, share(f.Precision), share(f.Recall), share(f.F1), fmt.Sprint(f.N)})
	}
	out = append(out, Exhibit{Title: "Classes", Table: table})
	var shown []Shown
	for _, m := range s.Wrong[:min(len(s.Wrong), shownMistakes)] {
		shown = append(shown, Shown{Place: m.Sample, Caption: s.Names[m.Label] + " → " + s.Names[m.Predicted]})
	}
	text := "Every sample was classified correctly."
	if len(s.Wrong) > 0 {
		text = fmt.Sprintf("Samples that are misclassified: %d of %d. The first of them in the order of the set, true class → answer.", len(s.Wrong), s.N)
	}
	return append(out, Exhibit{Title: "Mistakes", Text: text, Samples: shown})
}

func share(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100**v)
}

// Confused are the pairs of classes that are taken for each other most often, as
// "a → b: n", at most the given number.
func (s *Classes) Confused(most int) (out []string) {
	type pair struct{ label, answer, n int }
	var pairs []pair
	for i, row := range s.Confusion {
		for j, n := range row {
			if i != j && n > 0 {
				pairs = append(pairs, pair{i, j, n})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return b.n - a.n })
	for _, p := range pairs[:min(len(pairs), most)] {
		out = append(out, fmt.Sprintf("%s: %d", strings.Join([]string{s.Names[p.label], s.Names[p.answer]}, " → "), p.n))
	}
	return out
}
