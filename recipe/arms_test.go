package recipe_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/convert"
	"synfire/data/mnist"
	"synfire/model"
	"synfire/network/named"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/train"
)

// notes keeps what a run tells.
type notes struct {
	train.None
	text []string
	done int // samples measured with
}

func (n *notes) Note(message string) { n.text = append(n.text, message) }

func (n *notes) Evaluating(_ string, done, _ int) { n.done = done }

// A run without a terminal tells each arm when it is measured.
func TestArmsAreTold(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("trains a network, which is the same in double precision")
	}
	var told notes
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: &told, Now: time.Now}
	s, err := recipe.NewConversionStudy(t.Context(), e, model.Data{Name: mnist.SampleName})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Conversions("net", 20)
	m := recipe.Ordinary(1, model.Data{Name: mnist.SampleName}, named.MLP{Hidden: []int{20}, Classes: 10}.Nodes(), 1, 25, optim.Adam{LR: 3e-3}, optim.Fixed{})
	trained := c.Train(t.Context(), m)
	told.done = 0
	f := c.Follow(t.Context(), trained, recipe.Arm{Name: "data", Text: "data", Method: "data", Steps: []int{2, 8}, Tested: 40})
	if f == nil {
		t.Fatal(s.Err())
	}
	want := fmt.Sprintf("net, data: %.2f %% after 8 steps", f.At(8).Accuracy)
	if len(told.text) != 1 || !strings.HasPrefix(told.text[0], want) || told.done != 40 {
		t.Errorf("told %q of %d samples, want %q of 40", told.text, told.done, want)
	}
}

// followed trains a perceptron and converts it by an arm, in a directory.
func followed(t *testing.T, dir string, resume bool, a recipe.Arm) (*recipe.ConversionStudy, *recipe.Conversions, *recipe.Followed) {
	t.Helper()
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: dir, Resume: resume, Observer: train.None{}, Now: time.Now}
	s, err := recipe.NewConversionStudy(t.Context(), e, model.Data{Name: mnist.SampleName})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Conversions("net", 20)
	m := recipe.Ordinary(1, model.Data{Name: mnist.SampleName}, named.MLP{Hidden: []int{20}, Classes: 10}.Nodes(), 2, 25, optim.Adam{LR: 3e-3}, optim.Fixed{})
	m.Valid = 0.1
	trained := c.Train(t.Context(), m)
	if _, err := c.Try(t.Context(), trained, recipe.Arm{Name: "no", Method: "data"}); err == nil || s.Err() != nil {
		t.Errorf("an arm without steps: %v, the study: %v", err, s.Err())
	}
	return s, c, c.Follow(t.Context(), trained, a)
}

// An arm is followed to the ordinary network's accuracy. Its figures are kept: a run that is
// resumed takes them, unless the arm has become another one or the file is broken.
func TestFollow(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("trains networks, which is the same in double precision")
	}
	dir := t.TempDir()
	arm := recipe.Arm{Name: "data", Text: "data", Method: "data", Steps: []int{2, 64}, Tested: 40}
	s, c, f := followed(t, dir, false, arm)
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	if f.N != 40 || len(f.Layers) != 1 || math.Abs(f.Loss(64)) > 5 || f.Ordinary < 60 || f.Reaches(5) > 64 || !math.IsNaN(f.Loss(3)) {
		t.Errorf("%d samples, %+v of %v %%", f.N, f.Points, f.Ordinary)
	}
	if v := s.Metrics["net_s1_data_t64_accuracy"]; v != f.At(64).Accuracy {
		t.Errorf("the metric is %v", v)
	}
	s.Show(c, "A network", "Text.")
	if s.Err() != nil || len(s.Sections) != 1 || len(s.Sections[0].Tables[0].Rows) != 1 || len(s.Sections[0].Figures) != 1 {
		t.Errorf("%v, sections %+v", s.Err(), s.Sections)
	}
	path := filepath.Join(dir, "net-s1", "arm-data.gob")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, again := followed(t, dir, true, arm); again == nil || !reflect.DeepEqual(again.Points, f.Points) {
		t.Errorf("resumed: %v, want %+v", again == nil, f.Points)
	}
	if now, err := os.Stat(path); err != nil || !now.ModTime().Equal(info.ModTime()) {
		t.Error("kept figures were measured anew")
	}
	other := arm
	other.Options.Pooling = convert.Means
	followed(t, dir, true, other)
	if now, err := os.Stat(path); err != nil || now.ModTime().Equal(info.ModTime()) {
		t.Error("figures of another arm were taken")
	}
	if err := os.WriteFile(path, []byte("broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, _, again := followed(t, dir, true, arm); s.Err() != nil || !reflect.DeepEqual(again.Points, f.Points) {
		t.Errorf("behind a broken file: %v", s.Err())
	}
}

// What is held out is there to choose by; an arm that cannot be is an error with its name.
func TestFollowHeldOut(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("trains networks, which is the same in double precision")
	}
	s, c, f := followed(t, t.TempDir(), false, recipe.Arm{Name: "held", Text: "held", Method: "data", Steps: []int{8}, Held: true})
	if s.Err() != nil || f.N == 0 || f.N >= s.Train().Len()/5 {
		t.Fatalf("%v, measured on %+v", s.Err(), f)
	}
	if s.Show(c, "T", ""); len(s.Sections[0].Tables[0].Rows) != 0 {
		t.Error("an arm that chooses stands in the table")
	}
	for want, a := range map[string]recipe.Arm{
		`no method "none"`:         {Name: "x", Method: "none", Steps: []int{8}},
		"does without percentile":  {Name: "x", Method: "data", Options: convert.Options{Percentile: 99}, Steps: []int{8}},
		"steps []":                 {Name: "x", Method: "data"},
		"net, seed 1, x: no good":  {Name: "x", Method: "data", Steps: []int{8}, Change: func(context.Context, *convert.Conversion) error { return fmt.Errorf("no good") }},
		"want steps that ascend f": {Name: "x", Method: "data", Steps: []int{8, 4}},
	} {
		s, _, f := followed(t, t.TempDir(), false, a)
		if f != nil || s.Err() == nil || !strings.Contains(s.Err().Error(), want) {
			t.Errorf("%q: %v", want, s.Err())
		}
	}
}

// Claims are left with their reason, and an undefined figure is one.
func TestLeft(t *testing.T) {
	e := &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}}
	s, err := recipe.NewConversionStudy(t.Context(), e, model.Data{Name: mnist.SampleName})
	if err != nil {
		t.Fatal(err)
	}
	if s.Turn(t.Context(), model.Data{Name: "nowhere"}, "a", "b") {
		t.Error("data that are not there were taken")
	}
	s.Claim("c", math.Inf(1), 5)
	s.Claim("d", 1, 5)
	o, err := s.Finish(report.Page{Title: "T", Lead: "L", Links: []report.Link{{}}})
	if err != nil {
		t.Fatal(err)
	}
	if o.Measured["a"].Why == "" || o.Measured["b"].Why == "" || o.Measured["c"].Why == "" || len(o.Measured["c"].Values) != 0 || o.Measured["d"].Values[0] != 1 {
		t.Errorf("%+v", o.Measured)
	}
}

// With ties, by hand: x 1 2 2 4 has ranks 1, 2.5, 2.5, 4; with 4 3 2 1 that is −4.5/√(4.5·5).
func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{0, 1, 2}, []float64{9, 4, 1}, -1}, {[]float64{0, 1, 2}, []float64{1, 2, 7}, 1}, {[]float64{0, 1, 2}, []float64{1, 3, 2}, 0.5},
		{[]float64{0, 1, 2}, []float64{1, 1, 2}, math.Sqrt(3) / 2}, {[]float64{1, 2, 2, 4}, []float64{4, 3, 2, 1}, -4.5 / math.Sqrt(4.5*5)},
	} {
		if got := recipe.Spearman(c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
	if !math.IsNaN(recipe.Spearman([]float64{0, 1}, []float64{2, 2})) {
		t.Error("figures that do not vary have a rank correlation")
	}
}
