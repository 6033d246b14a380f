package voc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/format/picture"
	"synfire/sample"
	"synfire/tensor"
)

// fill is the grey of the bars beside an image.
const fill = 128

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
		place := letterbox(m.Width, m.Height, b.Size[1], b.Size[0])
		s.boxes[i] = []sample.Box{}
		for _, box := range m.Boxes {
			class, known := number[box.Class]
			if !known {
				return nil, fmt.Errorf("data: %s: class %q is none of the classes %s", s.Origin(i), box.Class, data.Names(classes))
			}
			s.boxes[i] = append(s.boxes[i], place.box(class, box))
		}
	}
	return s, nil
}

// placed is where an image lies in a sample.
type placed struct {
	x, y, width, height int // in pixels of the sample
	frame               sample.Frame
}

// letterbox scales an image of w×h into intoW×intoH as large as it fits, in the middle.
func letterbox(w, h, intoW, intoH int) placed {
	scale := min(float64(intoW)/float64(w), float64(intoH)/float64(h))
	p := placed{
		width:  min(intoW, max(1, int(math.Round(float64(w)*scale)))),
		height: min(intoH, max(1, int(math.Round(float64(h)*scale)))),
	}
	p.x, p.y = (intoW-p.width)/2, (intoH-p.height)/2
	f := sample.Frame{ScaleX: float64(w) / float64(p.width), ScaleY: float64(h) / float64(p.height), Width: w, Height: h}
	f.X, f.Y = -float64(p.x)*f.ScaleX, -float64(p.y)*f.ScaleY
	p.frame = f
	return p
}

// box is a box of the file in pixels of the sample.
func (p placed) box(class int, b Box) sample.Box {
	f := p.frame
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
	picturePixels, err := m.Decode()
	if err != nil {
		return fmt.Errorf("data: %s: %w", sample.Printable(s.name), err)
	}
	h, w, c := s.spec.Shape[0], s.spec.Shape[1], s.spec.Shape[2]
	p := letterbox(m.Width, m.Height, w, h)
	pixels := make([]uint8, p.width*p.height*c)
	picture.Pack(pixels, picturePixels, p.height, p.width, c)
	for j := range x.X {
		x.X[j] = tensor.Float(fill) / 255
	}
	for y := range p.height {
		dst := x.X[((y+p.y)*w+p.x)*c:]
		for j, v := range pixels[y*p.width*c : (y+1)*p.width*c] {
			dst[j] = tensor.Float(v) / 255
		}
	}
	x.Frame = p.frame
	x.Targets = append(x.Targets, sample.Target{Boxes: s.boxes[i]})
	return nil
}
