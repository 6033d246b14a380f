package recipe_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/recipe"
	"synfire/train"
)

// warned keeps warnings.
type warned struct {
	train.None
	text []string
}

func (w *warned) Warn(message string) { w.text = append(w.text, message) }

// trainedFile trains what a file says, the digits of the examples, in a directory.
func trainedFile(t *testing.T, file, dir string) (*recipe.Trained, *warned, error) {
	t.Helper()
	c, err := catalog.Default().Decode("x.yaml", []byte(file))
	if err != nil {
		return nil, nil, err
	}
	a, b, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &warned{}
	r, err := recipe.Train(t.Context(), &recipe.Env{Catalog: catalog.Default(), Observer: w, Now: time.Now}, dir, c, a, b)
	return r, w, err
}

const ordinary = `
data: {npz: ../examples/testdata/digits.npz}
steps: 1
epochs: 3
batch: 20
layers:
  - flatten
  - {kind: linear, out: 30, no-bias: true}
  - relu
  - {kind: linear, out: 10, no-bias: true}
`

// The file of a hybrid: init names the ordinary network, convert makes it spiking.
func hybrid(init string) string {
	return strings.NewReplacer("steps: 1", "steps: 8", "epochs: 3", "epochs: 1", "- relu",
		"- {kind: spiking, neuron: stdb, surrogate: spike-time, varied: {threshold: channel}}").Replace(ordinary) +
		"optimizer: {kind: adam, lr: 1e-4}\ninit: " + init + "\nconvert: {factor: 0.7, samples: 50, steps: 40}\n"
}

// A network starts from an ordinary one's weights and the thresholds of a conversion, which
// the report shows, and answers as well before it has learnt much.
func TestConvertInAFile(t *testing.T) {
	dir := t.TempDir()
	ann, _, err := trainedFile(t, ordinary, filepath.Join(dir, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	init := filepath.Join(dir, "ann", "model.safetensors")
	snn, w, err := trainedFile(t, hybrid(init), filepath.Join(dir, "snn"))
	if err != nil {
		t.Fatal(err)
	}
	if len(snn.Left) > 0 || len(w.text) > 0 {
		t.Errorf("left %q, warnings %q", snn.Left, w.text)
	}
	if v := snn.Network().Buffers()[0].Value.Data[0]; v == 1 || !(v > 0) {
		t.Errorf("threshold %v is that of no conversion", v)
	}
	table := snn.Conversion()
	if slices.Contains(table.Right, true) { // words alone
		t.Errorf("columns %v are set to the right", table.Right)
	}
	if len(table.Rows) != 2 || !strings.Contains(table.Rows[1][2], "0.7 of the largest input") {
		t.Errorf("table %v", table.Rows)
	}
	a, b := ann.Result.Test.Value("accuracy"), snn.Result.Test.Value("accuracy")
	if b < a-5 {
		t.Errorf("the ordinary network is right on %v %%, the spiking one on %v %%", a, b)
	}
	if sections, err := snn.Sections(t.Context()); err != nil || sections[1].Title != "Conversion" {
		t.Errorf("no section tells of the conversion: %v", err)
	}
}

// What cannot be converted is an error before training, and a mistake in the file.
func TestConvertErrors(t *testing.T) {
	dir := t.TempDir()
	biased := filepath.Join(dir, "biased")
	if _, _, err := trainedFile(t, strings.Replace(ordinary, ", no-bias: true", "", 1), biased); err != nil {
		t.Fatal(err)
	}
	init := filepath.Join(biased, "model.safetensors")
	for name, c := range map[string]struct{ file, want string }{
		"bias":       {hybrid(init), `node "linear1": has a bias`},
		"thresholds": {strings.Replace(hybrid(init), ", varied: {threshold: channel}", "", 1), "varied: {threshold: channel}"},
		"neurons":    {strings.Replace(hybrid(init), "neuron: stdb, surrogate: spike-time", "neuron: if", 1), "neuron: {kind: stdb}"},
		"no init":    {strings.Replace(hybrid(init), "init: ", "# ", 1), "convert is given without init"},
		"factor":     {strings.Replace(hybrid(init), "factor: 0.7", "factor: 0", 1), "factor is 0"},
		"percentile": {strings.Replace(hybrid(init), "factor: 0.7", "factor: 0.7, percentile: 200", 1), "percentile is 200"},
		"samples":    {strings.Replace(hybrid(init), "samples: 50", "samples: -1", 1), "-1 samples"},
	} {
		if _, _, err := trainedFile(t, c.file, filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
