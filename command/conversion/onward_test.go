package conversion

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/train"
)

// An interruption was said to have kept nothing where a training was saved.
func TestInterruptionTellsOfTraining(t *testing.T) {
	dir, other := t.TempDir(), errors.New("another error")
	c := Convert{Method: []string{"hybrid", "rmp"}, Out: dir}
	if err := c.kept(context.Canceled); err != context.Canceled {
		t.Errorf("before any training: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "hybrid"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hybrid", "config.yaml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.kept(context.Canceled); !errors.Is(err, train.ErrInterrupted) || !strings.Contains(err.Error(), "training of hybrid is saved") {
		t.Error(err)
	}
	if err := c.kept(other); err != other {
		t.Error(err)
	}
	c.Out = ""
	if err := c.kept(train.ErrInterrupted); err != train.ErrInterrupted {
		t.Errorf("in a folder that is removed: %v", err)
	}
}
