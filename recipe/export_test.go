package recipe

import (
	"context"
	"errors"

	"synfire/sample"
	"synfire/task"
)

// What figures show, for tests of it before it is drawn.
var (
	MostActive = mostActive
	Trace      = (*Trained).trace
	KernelsOf  = kernelsOf
	Admit      = admit
)

// FiguresOf is how many figures the pictures of an exhibit make, and what is said.
func FiguresOf(ctx context.Context, e task.Exhibit, src sample.Source) (figures int, text string, err error) {
	var d drawn
	err = d.pictures(ctx, e, src)
	return len(d.section.Figures), d.section.Text, errors.Join(err, d.err)
}
