package trains_test

import (
	"os"
	"path/filepath"
	"testing"

	"synfire/data"
	"synfire/data/trains"
	"synfire/sample"
)

// The pattern has the spikes that its description counts.
func TestOxfordDataset(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "superspike-targets.zip")); err != nil {
		t.Skip("the pattern is not on this machine")
	}
	train, test, err := trains.Oxford().Load(t.Context(), data.Options{DataDir: dir})
	if err != nil || test != nil || train.Len() != 1 {
		t.Fatal(err)
	}
	var s sample.Sample
	if err := train.Read(t.Context(), 0, &s); err != nil {
		t.Fatal(err)
	}
	spikes := 0
	for _, u := range s.Targets[0].Trains {
		spikes += len(u.Times)
	}
	if len(s.Events) != 1889 || spikes != 10367 || len(s.Targets[0].Trains) != 200 {
		t.Errorf("%d inputs, %d targets of %d units; want 1,889, 10,367 and 200", len(s.Events), spikes, len(s.Targets[0].Trains))
	}
}
