// Package folder is the kind of source that reads images of one's own: a folder or a
// zip file with a folder of PNG and JPEG files for each class,
//
//	train/CLASS/*.png|jpg    test/CLASS/*.png|jpg
//
// or CLASS/*.png|jpg alone, without test samples. train, test and val may be written in
// capitals; val or valid is the test where there is no test. A zip file may have one
// folder around it all. A sample is height × width × channels values in [0, 1], turned
// as its Exif orientation says, its target the class.
//
// Images are decoded when they are needed, so a set may be larger than memory. A small
// one is decoded once and held.
package folder

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/format/picture"
	"synfire/sample"
)

// Images describes class folders of images. It is a data.Opener.
type Images struct {
	Path     string      `yaml:"path"`               // of the folder or zip file
	Size     []int       `yaml:"size,omitempty"`     // height, width, to which images are stretched; empty: as they are
	Channels int         `yaml:"channels,omitempty"` // 1 (grey) or 3; 0: 1 where all are grey, else 3
	Classes  []string    `yaml:"classes,omitempty"`  // in the order of the outputs; empty: all, sorted
	Val      data.Valid  `yaml:"val,omitempty"`      // a folder val beside train and test: join, leave-out
	Memory   data.Memory `yaml:"memory,omitempty"`   // decode once and hold: true, false, auto (up to 1 GiB)
}

// Validate returns an error for options that make no sense.
func (m Images) Validate() error {
	switch {
	case m.Path == "":
		return fmt.Errorf("data: folder: no path; give that of a folder or zip file")
	case len(m.Size) != 0 && (len(m.Size) != 2 || m.Size[0] < 1 || m.Size[1] < 1 || max(m.Size[0], m.Size[1]) > picture.MaxSide):
		return fmt.Errorf("data: folder: size is %v, want height and width of 1 to %d pixels, as [32, 32]", m.Size, picture.MaxSide)
	case m.Channels != 0 && m.Channels != 1 && m.Channels != 3:
		return fmt.Errorf("data: folder: %d channels, want 1 (grey) or 3", m.Channels)
	}
	return nil
}

// Paths are the options that are paths.
func (m *Images) Paths() []*string { return []*string{&m.Path} }

// Open finds the images. It decodes them where they are to be held.
func (m Images) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := m.Validate(); err != nil {
		return nil, nil, err
	}
	tree, err := data.OpenTree(m.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: folder %s: %w", sample.Printable(m.Path), err)
	}
	o := data.FolderOptions{Channels: m.Channels, Classes: m.Classes, Valid: m.Val}
	if len(m.Size) == 2 {
		o.Height, o.Width = m.Size[0], m.Size[1]
	}
	a, b, err := data.OpenImages(ctx, tree, m.Path, o)
	if err != nil {
		return nil, nil, err
	}
	bytes := a.Bytes()
	if b != nil {
		bytes += b.Bytes()
	}
	hold := m.Memory.Hold(bytes)
	if train, err = open(ctx, a, hold); err == nil && b != nil {
		test, err = open(ctx, b, hold)
	}
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func open(ctx context.Context, m *data.Images, hold bool) (sample.Source, error) {
	if !hold {
		return m, nil
	}
	set, err := m.Hold(ctx)
	if err != nil {
		return nil, err
	}
	return set, nil
}
