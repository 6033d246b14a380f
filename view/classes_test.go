package view

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"synfire/run"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// confused is n classes of which each was once taken for the next.
func confused(t *testing.T, n int) *task.Classes {
	t.Helper()
	f := sample.Field{Name: "class", Kind: sample.Class}
	c := task.Case{Target: &sample.Column{Field: &f}, Batch: &sample.Batch{Index: make([]int, n)}}
	c.Output.Shape, c.Output.Scores = tensor.Shape{n}, make([]tensor.Float, n*n)
	for i := range n {
		f.Classes = append(f.Classes, fmt.Sprintf("c%02d", i))
		c.Target.Class = append(c.Target.Class, i)
		c.Output.Scores[i*n+(i+1)%n] = 1
	}
	score := task.Classify{}.Score(f)
	if err := score.Add(c); err != nil {
		t.Fatal(err)
	}
	return score.(*task.Classes)
}

// The matrix is printed where it fits to the column, else the ten most frequent
// confusions.
func TestClassesUpToTheWidth(t *testing.T) {
	print := func(width int) string {
		var b strings.Builder
		if err := (Screen{Out: &b, Err: io.Discard, Width: width}).Classes(confused(t, 12)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const needed = len("TRUE CLASS, ANSWER .") + 2 + 12*5
	if got := print(needed); !strings.Contains(got, "TRUE CLASS") || strings.Contains(got, "most often") {
		t.Errorf("%d columns:\n%s", needed, got)
	}
	if got := print(needed - 1); strings.Contains(got, "TRUE CLASS") || strings.Count(got, " → c") != 10 {
		t.Errorf("%d columns:\n%s", needed-1, got)
	}
}

// The line of an epoch names the parts that were measured, and no others.
func TestEpochLine(t *testing.T) {
	some := &train.Evaluation{Scalars: []task.Scalar{{Name: "accuracy", Value: 98.5, Unit: "%"}}}
	for _, c := range []struct{ valid, test *train.Evaluation }{{nil, nil}, {some, nil}, {nil, some}, {some, some}} {
		var b strings.Builder
		NewProgress(Screen{Out: io.Discard, Err: &b, Width: 80}).EpochDone(run.Epoch{Epoch: 3}, c.valid, c.test)
		if got := b.String(); !strings.Contains(got, "epoch  3") || strings.Contains(got, "valid") != (c.valid != nil) || strings.Contains(got, "test") != (c.test != nil) {
			t.Errorf("valid %v, test %v: %q", c.valid != nil, c.test != nil, got)
		}
	}
}
