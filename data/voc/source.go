package voc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"synfire/data"
	"synfire/format/picture"
	"synfire/sample"
	"synfire/tensor"
)

// Boxes describes images with boxes. It is a data.Opener. The target is named "boxes".
type Boxes struct {
	Path     string   `yaml:"path"`               // of the folder or zip file that holds the images
	Layout   Layout   `yaml:"layout,omitempty"`   // voc, coco or yolo
	Size     []int    `yaml:"size"`               // height, width of a sample
	Channels int      `yaml:"channels,omitempty"` // 1 (grey) or 3; 0: 3
	Train    string   `yaml:"train,omitempty"`    // training samples: of voc a list (empty: trainval), of coco a JSON file, of yolo a folder
	Valid    string   `yaml:"valid,omitempty"`    // validation samples likewise, in place of a share of the others; empty: none
	Test     string   `yaml:"test,omitempty"`     // test samples likewise; empty: none
	Images   string   `yaml:"images,omitempty"`   // of coco: the folder that names of images are below; empty: path itself
	Classes  []string `yaml:"classes,omitempty"`  // in the order of the outputs; empty: of voc all, sorted, else as the layout has them
}

// Validate returns an error for options that make no sense.
func (b Boxes) Validate() error {
	switch {
	case b.Path == "":
		return errors.New("data: voc: no path; give that of a folder or zip file")
	case len(b.Size) != 2 || b.Size[0] < 1 || b.Size[1] < 1 || max(b.Size[0], b.Size[1]) > picture.MaxSide:
		return fmt.Errorf("data: voc: size is %v, want height and width of 1 to %d pixels, as [416, 416]", b.Size, picture.MaxSide)
	case b.Layout > YOLO:
		return fmt.Errorf("data: voc: layout %v, want voc, coco or yolo", b.Layout)
	case b.Layout != VOC && b.Train == "":
		return fmt.Errorf("data: voc: layout %v and no train; give %s", b.Layout, map[Layout]string{COCO: "the JSON file of the training samples", YOLO: "the folder of the training images"}[b.Layout])
	case b.Images != "" && b.Layout != COCO:
		return fmt.Errorf("data: voc: images is of layout coco, and the layout is %v; remove it", b.Layout)
	case b.Channels != 0 && b.Channels != 1 && b.Channels != 3:
		return fmt.Errorf("data: voc: %d channels, want 1 (grey) or 3", b.Channels)
	}
	return nil
}

// Paths are the options that are paths.
func (b *Boxes) Paths() []*string { return []*string{&b.Path} }

// Open reads all annotations, and of images what they say of their size, so that one that is missing
// is told before hours of training rather than behind them. Validation samples come behind the other training
// samples, which they are told from as [data.Parted] says.
func (b Boxes) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := b.Validate(); err != nil {
		return nil, nil, err
	}
	tree, err := data.OpenTree(b.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: voc %s: %w", sample.Printable(b.Path), err)
	}
	if whole := data.Around(tree); b.Layout != VOC { // paths are told as they are seen from the folder itself
		if _, err := fs.Stat(whole, b.Train); err == nil {
			tree = whole
		}
	}
	fail := func(err error) (sample.Source, sample.Source, error) {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(b.Path), err)
	}
	classes := b.Classes
	var lists [3][]Image // of training, validation and test
	for i, name := range []string{b.Train, b.Valid, b.Test} {
		if i == 0 && name == "" {
			name = "trainval"
		}
		if name == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		var named []string
		if lists[i], named, err = b.split(tree, name); err != nil {
			return fail(err)
		}
		if len(lists[i]) == 0 {
			return fail(fmt.Errorf("the split %s is empty", sample.Printable(name)))
		}
		if classes == nil {
			classes = named
		}
	}
	if !slices.ContainsFunc(lists[0], func(m Image) bool { return len(m.Boxes) > 0 }) {
		return fail(fmt.Errorf("none of the %d training samples has a box: %s", len(lists[0]), b.expected(lists[0][0])))
	}
	if classes == nil {
		if classes, err = data.SortClasses(found(lists[:])); err != nil {
			return fail(err)
		}
	}
	if err := b.apart(lists); err != nil {
		return fail(err)
	}
	if b.Layout != YOLO { // whose images have been looked at for their size
		for _, list := range lists {
			if err := present(ctx, list); err != nil {
				return fail(err)
			}
		}
	}
	s, err := b.source(append(lists[0], lists[1]...), classes)
	if err != nil {
		return nil, nil, err
	}
	train = s
	if len(lists[1]) > 0 {
		train = choosing{s, len(lists[0])}
	}
	if b.Test == "" {
		return train, nil, nil
	}
	test, err = b.source(lists[2], classes)
	return train, test, err
}

// expected is where the boxes of an image should have been.
func (b Boxes) expected(m Image) string {
	switch b.Layout {
	case COCO:
		return "are these the annotations of the images?"
	case YOLO:
		return "of " + sample.Printable(m.name) + " they are expected in " + sample.Printable(labels(m.name))
	}
	return "of " + sample.Printable(m.name) + " they are expected in Annotations/" + sample.Printable(m.ID) + ".xml"
}

// apart returns an error for an image that is listed twice. Whoever names one split for training and
// for the test means it.
func (b Boxes) apart(lists [3][]Image) error {
	seen := map[string]string{}
	for i, split := range []string{"train", "valid", "test"} {
		if i == 2 && b.Test == b.Train {
			return nil
		}
		for _, m := range lists[i] {
			switch before, twice := seen[m.name]; {
			case twice && before == split:
				return fmt.Errorf("%s is among the samples of %s twice; list it once", sample.Printable(m.name), split)
			case twice:
				return fmt.Errorf("%s is among the samples of %s and of %s; list it once", sample.Printable(m.name), before, split)
			}
			seen[m.name] = split
		}
	}
	return nil
}

// mostTold is how many images that cannot be read are told by name.
const mostTold = 5

// present returns an error that names the images of a list whose files are missing, are no pictures,
// or of another size than their annotations say.
func present(ctx context.Context, list []Image) error {
	var errs []error
	bad := 0
	for _, m := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.begins(); err != nil {
			if bad++; bad <= mostTold {
				errs = append(errs, err)
			}
		}
	}
	if bad > mostTold {
		errs = append(errs, fmt.Errorf("and %d more of %d images", bad-mostTold, len(list)))
	}
	return errors.Join(errs...)
}

// found are the classes of the boxes, each once.
func found(lists [][]Image) (names []string) {
	for _, list := range lists {
		for _, m := range list {
			for _, box := range m.Boxes {
				names = append(names, box.Class)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// choosing is samples of which those from some index on are for validation.
type choosing struct {
	*source
	from int
}

// Chooses is data.Parted's.
func (s choosing) Chooses(index int) bool { return index >= s.from }

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
		Class: class, Difficult: b.Difficult, Crowd: b.Crowd,
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
