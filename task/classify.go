package task

import (
	"cmp"
	"fmt"
	"slices"

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
// A class is among the k largest where fewer than k scores stand before its own: larger
// ones, and equal ones of earlier classes. A precision of a class that was never
// answered, a recall of one that has no samples, and an F1 of one that has neither are
// undefined.
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
	if err := c.check(sample.Class); err != nil {
		return s, fmt.Errorf("task classify: %w", err)
	}
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
	Confusion [][]int // [true class][answer]; nil where there are more than 1,024 classes
	Wrong     []Mistake

	top, hits           []int
	right, of, answered []int // by class
}

// Mistake is a sample that was answered wrong; Sample is its place in the source.
type Mistake struct{ Sample, Label, Predicted int }

// ClassFigures are the figures of one class, in [0, 1]; nil ones are undefined.
type ClassFigures struct {
	Class     string   `json:"class"`
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
	F1        *float64 `json:"f1"`
	N         int      `json:"n"`
}

// Add counts the answers.
func (s *Classes) Add(c Case) error {
	if err := s.check(c); err != nil {
		return fmt.Errorf("task classify: %w", err)
	}
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

// check looks at all samples before any is counted.
func (s *Classes) check(c Case) error {
	if err := c.check(sample.Class); err != nil {
		return err
	}
	if k := c.Output.Shape.Size(); k != len(s.Names) {
		return fmt.Errorf("%d scores for %d classes", k, len(s.Names))
	}
	for i, label := range c.Target.Class {
		if label < 0 || label >= len(s.Names) {
			return &SampleError{c.First + i, fmt.Errorf("class %d is outside the %d of the target", label, len(s.Names))}
		}
		if err := c.finite(i, c.Output.Of(i)); err != nil {
			return err
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

// Scalars are the accuracy and the top-k accuracies.
func (s *Classes) Scalars() []Scalar {
	why := ""
	if s.N == 0 {
		why = noSamples
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

// ratio is n/of, nil where it is undefined.
func ratio(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	v := float64(n) / float64(of)
	return &v
}

// The most that a report shows.
const (
	shownMistakes = 30
	shownMatrix   = 256 // classes of a confusion matrix
	shownClasses  = 100 // rows of figures of classes
	shownPairs    = 20  // of classes that are taken for each other
)

// Exhibits are the confusion matrix, the figures of each class and the first mistakes.
// Of many classes the matrix gives way to the pairs that are confused most often, and
// the figures are of those with the lowest F1.
func (s *Classes) Exhibits() []Exhibit {
	if s.N == 0 {
		return nil
	}
	if len(s.Names) > shownMatrix && len(s.Wrong) == 0 {
		return []Exhibit{s.table(), s.mistakes()}
	}
	return []Exhibit{s.matrix(), s.table(), s.mistakes()}
}

func (s *Classes) matrix() Exhibit {
	if len(s.Names) <= shownMatrix {
		return Exhibit{
			Title: "Answers by class", Text: "Rows are true classes, columns the answers. Off the diagonal stand the mistakes.",
			Matrix: &Matrix{Rows: "true class", Columns: "answer", Names: s.Names, Values: s.Confusion},
		}
	}
	table := &Table{Head: []string{"true class → answer", "samples"}}
	for _, p := range s.pairs(shownPairs) {
		table.Rows = append(table.Rows, []string{s.arrow(p.label, p.answer), fmt.Sprint(p.n)})
	}
	return Exhibit{Title: "Classes that are confused most often", Table: table}
}

func (s *Classes) table() Exhibit {
	e := Exhibit{Title: "Classes", Table: &Table{Head: []string{"class", "precision", "recall", "F1", "samples"}}}
	figures := s.PerClass()
	if n := len(figures); n > shownClasses {
		lowest := func(f ClassFigures) float64 {
			if f.F1 == nil {
				return 2
			}
			return *f.F1
		}
		slices.SortStableFunc(figures, func(a, b ClassFigures) int { return cmp.Compare(lowest(a), lowest(b)) })
		figures = figures[:shownClasses]
		e.Title = fmt.Sprintf("The %d of %d classes with the lowest F1", shownClasses, n)
	}
	for _, f := range figures {
		e.Table.Rows = append(e.Table.Rows, []string{f.Class, share(f.Precision), share(f.Recall), share(f.F1), fmt.Sprint(f.N)})
	}
	return e
}

func (s *Classes) mistakes() Exhibit {
	if len(s.Wrong) == 0 {
		return Exhibit{Title: "Mistakes", Text: "Every sample was classified correctly."}
	}
	wrong := slices.SortedFunc(slices.Values(s.Wrong), func(a, b Mistake) int { return a.Sample - b.Sample })
	e := Exhibit{Title: "Mistakes", Text: fmt.Sprintf("Samples that are misclassified: %d of %d. The first of them in the order of the set, true class → answer.", len(s.Wrong), s.N)}
	for _, m := range wrong[:min(len(wrong), shownMistakes)] {
		e.Samples = append(e.Samples, Shown{Place: m.Sample, Caption: s.arrow(m.Label, m.Predicted)})
	}
	return e
}

func (s *Classes) arrow(label, answer int) string { return s.Names[label] + " → " + s.Names[answer] }

func share(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100**v)
}

// confused is how often a class was answered with another.
type confused struct{ label, answer, n int }

// pairs are the most frequent confusions, at most the given number.
func (s *Classes) pairs(most int) []confused {
	counts := map[[2]int]int{}
	for _, m := range s.Wrong {
		counts[[2]int{m.Label, m.Predicted}]++
	}
	var out []confused
	for p, n := range counts {
		out = append(out, confused{p[0], p[1], n})
	}
	slices.SortFunc(out, func(a, b confused) int {
		return cmp.Or(b.n-a.n, a.label-b.label, a.answer-b.answer)
	})
	return out[:min(len(out), most)]
}

// Confused are the pairs of classes that are taken for each other most often, as
// "a → b: n", at most the given number.
func (s *Classes) Confused(most int) (out []string) {
	for _, p := range s.pairs(most) {
		out = append(out, fmt.Sprintf("%s: %d", s.arrow(p.label, p.answer), p.n))
	}
	return out
}
