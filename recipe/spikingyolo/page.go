package spikingyolo

import (
	"context"
	"fmt"
	"slices"

	"synfire/convert/detector"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/boxes"
	"synfire/sample"
	"synfire/tensor"
)

// show adds the sections of the page.
func (s *study) show(ctx context.Context, f *found) error {
	curve, err := recipe.DetectorSection("mAP over the steps", f.named)
	if err != nil {
		return err
	}
	curve.Text = "All conversions are of one detector; the figures are of the first seed. One run of the most steps gives all."
	curve.Tables = append(curve.Tables, f.differences())
	s.Sections = append(s.Sections, curve)
	if err := s.emerge(ctx, f); err != nil {
		return err
	}
	for _, name := range []string{channel, layerwise} {
		section, err := recipe.DetectorLayers(f.arms[name])
		if err != nil {
			return err
		}
		section.Title = name + ", by layers"
		if name == channel {
			rates, err := recipe.ChannelRates([]recipe.NamedDetector{{Name: layerwise, Result: f.arms[layerwise]}, {Name: channel, Result: f.arms[channel]}})
			if err != nil {
				return err
			}
			section.Figures = append(section.Figures, rates)
		}
		s.Sections = append(s.Sections, section)
	}
	return nil
}

// differences are what the arms lose to the ordinary detector, with what holds 95 % of a paired
// bootstrap.
func (f *found) differences() report.Table {
	t := report.Table{Caption: "Points below the ordinary detector; in brackets what holds 95 % of a bootstrap that draws the same pictures for both", Head: []string{"steps"}, Right: []bool{true}}
	for _, n := range f.named {
		t.Head, t.Right = append(t.Head, n.Name), append(t.Right, true)
	}
	for i, p := range f.named[0].Result.Points {
		row := []string{fmt.Sprint(p.Steps)}
		for _, n := range f.named {
			d := f.ordinary.Less(n.Result.Points[i])
			row = append(row, fmt.Sprintf("%.1f (%.1f to %.1f)", d.Median, d.Low, d.High))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// shownSteps is how many steps a strip of pictures has.
const shownSteps = 5

// emerge draws pictures with the boxes after some steps, and those of the ordinary network.
func (s *study) emerge(ctx context.Context, f *found) error {
	r, test := f.arms[rounding], f.of.Test
	section := report.Section{Title: "Boxes as they emerge", Text: fmt.Sprintf("Neurons that round. Boxes with a score of %.2f or more, which is best on validation pictures; the first pictures of the test, which nobody chose.", f.cut)}
	points := r.Points
	if len(points) > shownSteps {
		points = slices.DeleteFunc(slices.Clone(points), func(p detector.Point) bool { return !slices.Contains(powers, p.Steps) })
	}
	points = points[:min(len(points), shownSteps)]
	shape := test.Spec().Shape
	for i := range min(s.size.pictures, test.Len()) {
		x := sample.Sample{X: make([]tensor.Float, shape.Size())}
		if err := test.Read(ctx, i, &x); err != nil {
			return err
		}
		pixels := boxes.Picture(x.X, shape)
		var strip []boxes.Panel
		for k, p := range append(slices.Clone(points), r.Ordinary) {
			var list []boxes.Box
			for _, d := range p.Pictures[i].Found {
				if d.Score >= f.cut {
					list = append(list, boxes.Box{Box: d.Box, Text: fmt.Sprintf("%s %.2f", r.Classes[d.Class], d.Score)})
				}
			}
			title := fmt.Sprintf("T = %d", p.Steps)
			if k == len(points) {
				title = "ordinary network"
			}
			strip = append(strip, boxes.Panel{Title: title, Image: boxes.Draw(pixels, list)})
		}
		content, err := boxes.Strip(strip, 3)
		if err != nil {
			return err
		}
		section.Figures = append(section.Figures, report.Figure{PNG: content, Alt: fmt.Sprintf("Picture %d of the test with the boxes that are found after more and more steps, and by the ordinary network", i)})
	}
	s.Sections = append(s.Sections, section)
	return nil
}
