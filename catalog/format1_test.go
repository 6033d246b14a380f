package catalog_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/sample"
	"synfire/tensor"
)

// Files of format 1 open for ever, of each learner that wrote them, and say what they
// said: the fixtures hold the scores of the program of that time.
func TestFormat1Opens(t *testing.T) {
	files, err := filepath.Glob("../modelfile/testdata/format1/*.safetensors")
	if err != nil || len(files) != 8 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	_, test := mnist.Sample()
	spec := test.Spec()
	for _, path := range files {
		name := filepath.Base(path)
		if _, err := catalog.Default().Open(path, catalog.OpenOptions{}); !errors.Is(err, catalog.ErrFacts) {
			t.Errorf("%s without facts: %v", name, err)
		}
		m, err := catalog.Default().Open(path, catalog.OpenOptions{Spec: &spec})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		raw, err := os.ReadFile(strings.TrimSuffix(path, ".safetensors") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Scores  [][]float64 `json:"scores"`
			Forward [][]float64 `json:"forward"`
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		// As the evaluation of that time took them: together, in order.
		cursor, err := data.NewCursor(test, data.CursorOptions{Batch: len(want.Scores), Normalize: m.Normalization})
		if err != nil {
			t.Fatal(err)
		}
		var b sample.Batch
		if _, err := cursor.Next(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		p, err := m.Predictor().Predict(t.Context(), &b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		near := func(output string, want [][]float64) {
			o, ok := p.Output(output)
			for i := range want {
				for k, v := range want[i] {
					if !ok || math.Abs(float64(o.Of(i)[k])-v) > 1e-4*(1+math.Abs(v)) {
						t.Errorf("%s: %s of sample %d is %v, want %v", name, output, i, o.Of(i), want[i])
						return
					}
				}
			}
		}
		near("output", want.Scores)
		near("forward", want.Forward)
		a, err := m.Predict(t.Context(), &sample.Sample{X: make([]tensor.Float, 784)})
		if err != nil || a[0].Class == "" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}
