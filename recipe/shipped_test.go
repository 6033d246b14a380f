package recipe_test

import (
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data/mnist"
	"synfire/network"
	"synfire/recipe"
	"synfire/rule/bptt"
	"synfire/snntest"
	"synfire/train"
	"synfire/zoo"
)

// A network that ships stands in the place of one that is trained, as good as it was measured;
// one that is another than the study's is refused.
func TestShipped(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("models that ship have arrays of single precision")
	}
	f, err := zoo.Read("mnist-cnn")
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Default().Decode("mnist-cnn.yaml", f.Config)
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Name = mnist.SampleName
	e := &recipe.Env{Catalog: catalog.Default(), Seed: c.Seed, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	trainSet, testSet, err := e.Catalog.Load(t.Context(), c.Data, e.Data)
	if err != nil {
		t.Fatal(err)
	}
	s := recipe.NewStudy(e, trainSet, testSet)
	got := s.Shipped(t.Context(), recipe.Job{Name: "cnn", Config: c}, "mnist-cnn")
	if got == nil || got.Result.Test.Value("accuracy") < 98 || len(s.Names()) != 1 || c.Valid > 0 && got.Sets.Valid == nil {
		t.Fatalf("%+v, %v", got, s.Err())
	}
	r := c.Rule.(bptt.Rule)
	r.Layers = append([]network.Node(nil), r.Layers[:len(r.Layers)-1]...)
	c.Rule = r
	if got := s.Shipped(t.Context(), recipe.Job{Name: "other", Config: c}, "mnist-cnn"); got != nil || s.Err() == nil || !strings.Contains(s.Err().Error(), "mnist-cnn, which ships") {
		t.Errorf("another network: %v, %v", got, s.Err())
	}
}
