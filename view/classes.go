package view

import (
	"fmt"
	"strings"

	"synfire/report"
	"synfire/task"
)

// shownConfused is how many confusions are printed where the matrix is too wide.
const shownConfused = 10

// Classes prints the figures of each class and the confusion matrix, or where it is too
// wide the most frequent confusions.
func (s Screen) Classes(k *task.Classes) error {
	figures := [][]string{{"CLASS", "PRECISION", "RECALL", "F1", "SAMPLES"}}
	for _, f := range k.PerClass() {
		figures = append(figures, []string{f.Class, share(f.Precision), share(f.Recall), share(f.F1), report.Integer(int64(f.N))})
	}
	s.Grid(figures)
	matrix := [][]string{append([]string{"TRUE CLASS, ANSWER →"}, k.Names...)}
	for i, row := range k.Confusion {
		matrix = append(matrix, append([]string{k.Names[i]}, integers(row)...))
	}
	width := 0
	for _, w := range widths(matrix) {
		width += w + 2
	}
	if k.Confusion != nil && width <= s.Width {
		s.Grid(matrix)
		return nil
	}
	if confused := k.Confused(shownConfused); len(confused) > 0 {
		_, err := fmt.Fprintf(s.Out, "\nmost often taken for another, true class → answer:\n  %s\n", strings.Join(confused, "\n  "))
		return err
	}
	return nil
}

func integers(row []int) (text []string) {
	for _, n := range row {
		text = append(text, report.Integer(int64(n)))
	}
	return text
}

func share(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}
