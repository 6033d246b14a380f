package train_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"synfire/run"
	"synfire/train"
)

// pictured is a learner whose picture is the number of its steps.
type pictured struct {
	*fake
	found []string // what stood in the directory when a picture was asked for
	path  string
}

func (p *pictured) Picture() ([]byte, error) {
	if p.path == "" {
		return nil, nil // samples of which there is none
	}
	before, _ := os.ReadFile(p.path)
	p.found = append(p.found, string(before))
	return fmt.Appendf(nil, "%d", p.steps), nil
}

// The picture of a learner is kept up to date while it learns, and is that of the result at the end:
// of two epochs the first is the best.
func TestPicture(t *testing.T) {
	dir := t.TempDir()
	p := &pictured{fake: &fake{after: []outcome{{8, 1}, {5, 1}}, perEpoch: 3}, path: filepath.Join(dir, run.PictureFile)}
	l := loopOf(t, p, numbers(10), 4, 2)
	l.LogEvery = 2
	openDir(t, l, dir, false)
	finish(t, l)
	last, err := os.ReadFile(p.path)
	if err != nil || string(last) != "3" {
		t.Errorf("at the end %q, %v", last, err)
	}
	if want := []string{"", "2", "4", "6"}; fmt.Sprint(p.found) != fmt.Sprint(want) {
		t.Errorf("on the way %q, want %q", p.found, want)
	}
	none := t.TempDir()
	l = loopOf(t, &pictured{fake: &fake{after: []outcome{{8, 1}}, perEpoch: 3}}, numbers(10), 4, 1)
	l.LogEvery = 1
	openDir(t, l, none, false)
	finish(t, l)
	if _, err := os.Stat(filepath.Join(none, run.PictureFile)); err == nil {
		t.Error("a picture of samples that have none")
	}
	var _ train.Pictured = p
}
