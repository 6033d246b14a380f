package spikingyolo

import (
	"math"
	"slices"
	"testing"

	"synfire/convert/detector"
	"synfire/data"
	"synfire/detect"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
	"synfire/tensor"
)

// Errors of arms at 8, 64 and 128 steps; ratios are over all of them, but those of spikes up to 64.
func TestFacesAreJudged(t *testing.T) {
	f := &found{n: 6, arms: map[string]detector.Result{}}
	for name, errors := range map[string][]float64{
		channel: {0.4, 0.2, 0.1}, layerwise: {0.8, 0.25, 0.2}, suppressed: {0.5, 0.5, 0.5}, counted: {0.5, 0.4, 0.05}, rounding: {0.2, 0.1, 0.09}, whole: {0.4, 0.4, 0.1}, graded: {0.1, 0.02, 0.01},
	} {
		var r detector.Result
		for i, steps := range []int{8, 64, 128} {
			r.Points = append(r.Points, detector.Point{Steps: steps, Error: errors[i]})
		}
		f.arms[name] = r
	}
	s := &study{ConversionStudy: &recipe.ConversionStudy{Study: recipe.NewStudy(&recipe.Env{}, nil, nil)}}
	s.judgeFaces(f)
	o, err := s.Outcome(nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]float64{facesLayerClaim: 0.8, facesSuppressedClaim: 0.8, facesCountClaim: 0.8, facesHalfClaim: 0.9, facesClaim: 0.2, facesGradedClaim: 0.02} {
		m := o.Measured[id]
		if len(m.Values) != 1 || math.Abs(m.Values[0]-want) > 1e-12 || m.N != 6 {
			t.Errorf("%s: %+v, want %v", id, m, want)
		}
	}
	if m, there := o.Measured[facesRoundClaim]; there {
		t.Errorf("%s of steps that were not run: %+v", facesRoundClaim, m)
	}
}

// Boxes of a score or more are what the others are measured by.
func TestFacesAreMarked(t *testing.T) {
	box := func(x float64) sample.Box { return sample.Box{X0: x, X1: x + 1, Y1: 1} }
	found := []detect.Picture{{Found: []detect.Detection{{Box: box(0), Score: 0.9}, {Box: box(5), Score: 0.5}, {Box: box(9), Score: 0.49}}}, {}}
	boxes := certain(found, 0.5)
	if len(boxes) != 2 || !slices.Equal(boxes[0], []sample.Box{box(0), box(5)}) || len(boxes[1]) != 0 {
		t.Fatalf("%v", boxes)
	}
	field := sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: []string{"face"}, Shape: tensor.Shape{1, 1}}
	src := marked{&data.Set{Shape: tensor.Shape{1, 1, 1}, Values: []tensor.Float{3, 4}, Targets: []sample.Column{{Field: &field, Boxes: make([][]sample.Box, 2)}}}, boxes}
	var x sample.Sample
	x.X = make([]tensor.Float, 1)
	for i := range 2 {
		target, err := src.Target(i, 0)
		if err == nil {
			err = src.Read(t.Context(), i, &x)
		}
		if err != nil || x.X[0] != tensor.Float(3+i) || !slices.Equal(target.Boxes, boxes[i]) || len(x.Targets) != 1 || !slices.Equal(x.Targets[0].Boxes, boxes[i]) {
			t.Errorf("sample %d: %+v, target %+v, %v", i, x, target, err)
		}
	}
}

// A part that is not run leaves its claims, and runs no job.
func TestParts(t *testing.T) {
	r := Recipe()
	o := &recipe.Outcome{Measured: map[string]report.Measurement{facesClaim: {Values: []float64{0.1}, N: photos}}}
	for _, c := range r.Judge(report.Short, o, facesPart) {
		if want := c.ID == facesClaim; (c.Verdict == report.Met) != want {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
	}
}
