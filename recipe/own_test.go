package recipe_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/internal/machine"
	"synfire/recipe"
	src "synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// A run that needs all memory fits; a byte more does not, and what to try depends
// on what takes it.
func TestFits(t *testing.T) {
	have := machine.Memory()
	if have == 0 {
		t.Skip("the machine's memory is not known")
	}
	for _, c := range []struct {
		plan train.Plan
		want string
	}{
		{train.Plan{Train: 1}, ""},
		{train.Plan{Train: have}, ""},
		{train.Plan{Train: have + 1}, "try a smaller batch than 7"},
		{train.Plan{Train: have + 1, Least: have}, "or memory: "},
		{train.Plan{Train: have + 1, Least: have + 1}, "try a smaller batch than 7"},
		{train.Plan{Train: 3 * have, Weights: have + 1}, "smaller layers"},
	} {
		err := recipe.Fits(c.plan, 7)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.plan, err, c.want)
		}
	}
}

// Weights that are more than the machine's memory are refused, and so is a run of many
// times that; a bound above it that may be loose gives a warning.
func TestAdmit(t *testing.T) {
	have := machine.Memory()
	if have == 0 {
		t.Skip("the machine's memory is not known")
	}
	for _, c := range []struct {
		plan          train.Plan
		warning, want string
	}{
		{train.Plan{Train: have, Weights: have}, "", ""},
		{train.Plan{Train: have + 1}, "a smaller batch than 7", ""},
		{train.Plan{Train: 8 * have, Weights: have}, "a smaller batch than 7", ""},
		{train.Plan{Train: 8*have + 8, Weights: 1}, "", "a smaller batch than 7"},
		{train.Plan{Train: have + 2, Weights: have + 1}, "", "smaller layers"},
	} {
		warning, err := recipe.Admit(c.plan, 7)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) || (c.warning == "") != (warning == "") || !strings.Contains(warning, c.warning) {
			t.Errorf("%+v: warning %q, error %v, want %q, %q", c.plan, warning, err, c.warning, c.want)
		}
	}
}

// Kernels that are not square keep their sides, and each its own weights.
func TestKernelsOfConvolutions(t *testing.T) {
	w := tensor.Tensor{Shape: tensor.Shape{2, 3, 1, 2}, Data: []tensor.Float{0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15}}
	h, width, kernels := recipe.KernelsOf(w)
	if h != 2 || width != 3 || !reflect.DeepEqual(kernels, [][]float64{{0, 1, 2, 3, 4, 5}, {10, 11, 12, 13, 14, 15}}) {
		t.Errorf("%d × %d: %v", h, width, kernels)
	}
	for _, shape := range []tensor.Shape{{2, 3, 2, 1}, {4, 3}, {12}} {
		if _, _, kernels := recipe.KernelsOf(tensor.Tensor{Shape: shape, Data: w.Data}); kernels != nil {
			t.Errorf("of weights %v: %v", shape, kernels)
		}
	}
}

// specOf is a source of one sample that is described so.
type specOf struct {
	src.Source
	spec src.Spec
}

func (s specOf) Spec() src.Spec { return s.spec }

// Events and series are no pictures, though they have a height, a width and a channel:
// the text stands alone. A picture of one channel or of three is drawn.
func TestPicturesOfExhibits(t *testing.T) {
	e := task.Exhibit{Title: "worst", Text: "Samples 3 and 4.", Samples: []task.Shown{{Image: make([]tensor.Float, 12)}}}
	for _, c := range []struct {
		spec    src.Spec
		figures int
	}{
		{src.Spec{Shape: tensor.Shape{4, 3, 1}}, 1}, {src.Spec{Shape: tensor.Shape{2, 2, 3}}, 1},
		{src.Spec{Shape: tensor.Shape{4, 3, 1}, Events: true}, 0}, {src.Spec{Shape: tensor.Shape{4, 3, 1}, Steps: 5}, 0},
		{src.Spec{Shape: tensor.Shape{3, 2, 2}}, 0}, {src.Spec{Shape: tensor.Shape{1, 12, 1}}, 0}, {src.Spec{Shape: tensor.Shape{12}}, 0},
	} {
		n, text, err := recipe.FiguresOf(t.Context(), e, specOf{spec: c.spec})
		if err != nil || n != c.figures || (n == 0) != (text == e.Text) {
			t.Errorf("%v: %d figures, text %q, %v", c.spec, n, text, err)
		}
	}
}

// Jobs of several seeds have one name.
func TestNamesOfJobs(t *testing.T) {
	s := &recipe.Study{Jobs: []*recipe.Trained{{Name: "b"}, {Name: "a"}, {Name: "b"}}}
	if got := s.Names(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("names %q", got)
	}
}
