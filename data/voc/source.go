package voc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"synfire/data"
	"synfire/format/picture"
	"synfire/sample"
	"synfire/tensor"
)

// Boxes describes images with boxes. It is a data.Opener. The target is named "boxes".
type Boxes struct {
	Path     string   `yaml:"path"`               // of the folder or zip file that holds JPEGImages
	Size     []int    `yaml:"size"`               // height, width of a sample
	Channels int      `yaml:"channels,omitempty"` // 1 (grey) or 3; 0: 3
	Train    string   `yaml:"train,omitempty"`    // list of the training samples; empty: trainval
	Test     string   `yaml:"test,omitempty"`     // list of the test samples; empty: none
	Classes  []string `yaml:"classes,omitempty"`  // in the order of the outputs; empty: all, sorted
}

// Validate returns an error for options that make no sense.
func (b Boxes) Validate() error {
	switch {
	case b.Path == "":
		return errors.New("data: voc: no path; give that of a folder or zip file")
	case len(b.Size) != 2 || b.Size[0] < 1 || b.Size[1] < 1 || max(b.Size[0], b.Size[1]) > picture.MaxSide:
		return fmt.Errorf("data: voc: size is %v, want height and width of 1 to %d pixels, as [416, 416]", b.Size, picture.MaxSide)
	case b.Channels != 0 && b.Channels != 1 && b.Channels != 3:
		return fmt.Errorf("data: voc: %d channels, want 1 (grey) or 3", b.Channels)
	}
	return nil
}

// Paths are the options that are paths.
func (b *Boxes) Paths() []*string { return []*string{&b.Path} }

// Open reads all annotations, and no image.
func (b Boxes) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := b.Validate(); err != nil {
		return nil, nil, err
	}
	tree, err := data.OpenTree(b.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: voc %s: %w", sample.Printable(b.Path), err)
	}
	lists := []string{b.Train}
	if b.Train == "" {
		lists[0] = "trainval"
	}
	if b.Test != "" {
		lists = append(lists, b.Test)
	}
	var images [][]Image
	var found []string
	for _, list := range lists {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		all, err := Read(tree, ".", list)
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(b.Path), err)
		}
		if len(all) == 0 {
			return nil, nil, fmt.Errorf("data: %s: the list %s.txt is empty", sample.Printable(b.Path), sample.Printable(list))
		}
		for _, m := range all {
			for _, box := range m.Boxes {
				found = append(found, box.Class)
			}
		}
		images = append(images, all)
	}
	slices.Sort(found)
	classes := b.Classes
	if classes == nil {
		if classes, err = data.SortClasses(slices.Compact(found)); err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(b.Path), err)
		}
	}
	var parts []sample.Source
	for _, all := range images {
		s, err := b.source(all, classes)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, s)
	}
	if len(parts) == 1 {
		return parts[0], nil, nil
	}
	return parts[0], parts[1], nil
}

// source is the images of a split, decoded when they are read.
type source struct {
	name   string
	images []Image
	spec   sample.Spec
	boxes  [][]sample.Box
}

func (b Boxes) source(images []Image, classes []string) (*source, error) {
	channels := b.Channels
	if channels == 0 {
		channels = 3
	}
	s := &source{name: b.Path, images: images, boxes: make([][]sample.Box, len(images))}
	s.spec = sample.Spec{Shape: tensor.Shape{b.Size[0], b.Size[1], channels}, Targets: []sample.Field{{Name: "boxes", Kind: sample.Boxes, Classes: classes, Shape: tensor.Shape{b.Size[0], b.Size[1]}}}}
	if err := s.spec.Validate(); err != nil {
		return nil, fmt.Errorf("data: %s: %w", sample.Printable(b.Path), err)
	}
	number := map[string]int{}
	for i, name := range classes {
		number[name] = i
	}
	for i, m := range images {
		frame := data.Fit(m.Width, m.Height, b.Size[1], b.Size[0]).Frame
		s.boxes[i] = []sample.Box{}
		for _, box := range m.Boxes {
			class, known := number[box.Class]
			if !known {
				return nil, fmt.Errorf("data: %s: class %q is none of the classes %s", s.Origin(i), box.Class, data.Names(classes))
			}
			s.boxes[i] = append(s.boxes[i], box.in(frame, class))
		}
	}
	return s, nil
}

// in is a box of the file in pixels of the sample that a frame maps to it.
func (b Box) in(f sample.Frame, class int) sample.Box {
	return sample.Box{
		Class: class, Difficult: b.Difficult,
		X0: (max(b.XMin-1, 0) - f.X) / f.ScaleX, X1: (b.XMax - f.X) / f.ScaleX,
		Y0: (max(b.YMin-1, 0) - f.Y) / f.ScaleY, Y1: (b.YMax - f.Y) / f.ScaleY,
	}
}

func (s *source) Spec() sample.Spec { return s.spec }
func (s *source) Len() int          { return len(s.images) }
func (s *source) Index(i int) int   { return i }

// Origin is the image's file.
func (s *source) Origin(i int) string {
	return sample.Printable(s.name + ": " + s.images[i].name)
}

func (s *source) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Boxes: s.boxes[i]}, nil
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	m := s.images[i]
	pixels, err := m.Decode()
	if err != nil {
		return fmt.Errorf("data: %s: %w", sample.Printable(s.name), err)
	}
	place := data.Fit(m.Width, m.Height, s.spec.Shape[1], s.spec.Shape[0])
	place.Paint(x.X, s.spec.Shape, pixels)
	x.Frame = place.Frame
	x.Targets = append(x.Targets, sample.Target{Boxes: s.boxes[i]})
	return nil
}
