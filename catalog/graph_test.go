package catalog_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"synfire/catalog"
	"synfire/format/npz"
	"synfire/modelfile"
	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
)

// A network that was edited is a model like any other: without its batch norm it says
// the same but for rounding.
func TestModelOfAnEditedGraph(t *testing.T) {
	x, y := moving(40)
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, 40, 6, 8, 8, 2), "y": npz.I64(y, 40)})
	_, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.25, normalize: true}
encoder: frames
layers: [{kind: conv2d, out: 3, kernel: 3}, batch-norm, {kind: spiking, neuron: lif, surrogate: fast-sigmoid}, flatten, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
batch: 10
`, dir)
	c := catalog.Default()
	m, err := c.Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Graph()
	if err != nil {
		t.Fatal(err)
	}
	folded, report, err := network.FoldBatchNorm{}.Apply(t.Context(), g, nil)
	if err != nil || len(folded.Nodes) != len(g.Nodes)-1 {
		t.Fatalf("%d nodes of %d: %v, %v", len(folded.Nodes), len(g.Nodes), report, err)
	}
	f, err := c.WithGraph(m, folded)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(t.TempDir(), "folded.safetensors")
	if err := modelfile.Write(at, f); err != nil {
		t.Fatal(err)
	}
	again, err := c.Open(at, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i := range 40 {
		s := &sample.Sample{X: make([]tensor.Float, m.Spec.Size())}
		for k := range s.X {
			s.X[k] = tensor.Float(x[i*len(s.X)+k])
		}
		want, err := m.Predict(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Predict(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Class != want[0].Class || !reflect.DeepEqual(got[0].Outputs[0].Shape, want[0].Outputs[0].Shape) {
			differ++ // a spike at the threshold may fall either way
		}
	}
	if differ > 1 {
		t.Errorf("%d of 40 answers differ", differ)
	}
}
