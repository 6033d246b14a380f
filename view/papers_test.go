package view

import (
	"io"
	"strings"
	"testing"

	"synfire/docs"
)

// What is missing of a paper, and what can't be tested here and why, is printed
// with it.
func TestPaperSaysWhatIsUntested(t *testing.T) {
	var b strings.Builder
	l := docs.Listing{Status: docs.Partial, Missing: "the larger network", Untested: []docs.Untested{{What: "ImageNet", Why: "two cores"}}}
	if err := (Screen{Out: &b, Err: io.Discard, Width: 80}).Paper(docs.Paper{Key: "k", Title: "A title"}, l, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A title", "Missing: the larger network", "Can't be tested here: ImageNet: two cores"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
