package catalog_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/data/table"
	"synfire/format/npz"
	"synfire/model"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/tensor"
)

// halves is a source of a training and a test sample, whose classes differ at the path "odd".
type halves struct {
	Path string `yaml:"path"`
}

func (h halves) Validate() error   { return nil }
func (h *halves) Paths() []*string { return []*string{&h.Path} }
func (h halves) set(class string) *data.Set {
	return &data.Set{Name: "halves", Shape: tensor.Shape{2}, Classes: []string{"a", class}, Labels: []int{0, 1}, Values: []tensor.Float{1, 2, 3, 4}}
}

func (h halves) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	if strings.HasSuffix(h.Path, "odd") {
		return h.set("b"), h.set("c"), nil
	}
	return h.set("b"), h.set("b"), nil
}

// Parts whose classes differ are not measured as one set.
func TestPartsThatDoNotJoin(t *testing.T) {
	c := catalog.Default()
	c.Sources["halves"] = model.Kind{New: func() any { return &halves{} }, Example: halves{Path: "even"}}
	f := &modelfile.File{Format: 2, Config: []byte("data: {source: {kind: halves, path: even}}\nsteps: 1\nlayers: [{kind: linear, out: 2}]\nloss: membrane-cross-entropy\n")}
	if part, err := c.Measurable(t.Context(), f, "", catalog.SplitAll, data.Options{}); err != nil || part.Source.Len() != 4 {
		t.Errorf("alike: %+v, %v", part, err)
	}
	if _, err := c.Measurable(t.Context(), f, "source:odd", catalog.SplitAll, data.Options{}); err == nil || !strings.Contains(err.Error(), "want the same") {
		t.Errorf("parts of other classes: %v", err)
	}
}

// A path stands for all of a source's: what was there for the test does not belong to it.
func TestPathOfASourceOfTwoFiles(t *testing.T) {
	like := model.Data{Source: &table.CSV{Path: "train.csv", Test: "test.csv"}}
	d, err := catalog.Default().Named("source:new.csv", like)
	if err != nil || !reflect.DeepEqual(d.Source, &table.CSV{Path: "new.csv"}) {
		t.Errorf("%+v, %v", d.Source, err)
	}
}

// Predict takes samples as they are, and normalises them as training did.
func TestPredictNormalises(t *testing.T) {
	dir := save(t, map[string]npz.Array{"x": npz.F32([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2), "y": npz.I64([]int64{0, 1, 0, 1}, 4)})
	_, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.5}
steps: 1
layers: [flatten, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
batch: 2
epochs: 1
valid: 0
`, dir)
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Predict(t.Context(), &sample.Sample{X: []tensor.Float{-1, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	m.Normalization = &sample.Normalization{Mean: []float64{3}, Std: []float64{2}}
	x := []tensor.Float{1, 4}
	got, err := m.Predict(t.Context(), &sample.Sample{X: x})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; of what is normalised already %+v", got, err, want)
	}
	if x[0] != 1 || x[1] != 4 {
		t.Errorf("the caller's sample became %v", x)
	}
}
