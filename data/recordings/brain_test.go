package recordings_test

import (
	"path/filepath"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/recordings"
	"synfire/internal/shared"
)

func TestBrains(t *testing.T) {
	b, err := recordings.LoadBrains(t.Context(), data.Options{DataDir: filepath.Dir(shared.File(t, "data/brain-92images.zip"))})
	if err != nil {
		t.Fatal(err)
	}
	d, v, err := b.Array("human_it_sessions")
	if err != nil || len(d.Shape) != 4 || len(v) != 4*2*92*92 {
		t.Errorf("%v, %d values, %v", d.Shape, len(v), err)
	}
	_, mean, err := b.Array("human_it_mean")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0 // the mean of all subjects and sessions, as the archive says
	for k := range 8 {
		sum += v[k*92*92+1]
	}
	if diff := sum/8 - mean[1]; diff > 1e-6 || diff < -1e-6 {
		t.Errorf("entry 0, 1 is %v, want %v", sum/8, mean[1])
	}
	m, _, err := b.Array("models")
	if err != nil || len(m.Names) != 8 || m.Names[4] != "HMAX" {
		t.Errorf("%v, %v", m.Names, err)
	}
	if _, _, err := b.Array("modells"); err == nil || !strings.Contains(err.Error(), "models") {
		t.Errorf("%v", err)
	}
	pictures, err := b.Images()
	if err != nil || len(pictures) != 92 || pictures[0][0] != 128 {
		t.Errorf("%d pictures, %v", len(pictures), err)
	}
}
