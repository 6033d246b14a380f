package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"synfire/format/picture"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

// MaxImageFile is the largest file of an image that is read, in bytes.
const MaxImageFile = 64 << 20

// maxImageBytes is the most that a whole split may take, decoded.
const maxImageBytes = 4 << 30

// FolderOptions say how the images of a folder become samples.
type FolderOptions struct {
	Height, Width int      // to which images are stretched; 0: as they are, and all must be alike
	Channels      int      // 1 (grey) or 3 (red, green, blue); 0: 1 where all images are grey, else 3
	Classes       []string // names of the class folders in the order of the labels; nil: all, sorted
	Valid         Valid    // what becomes of a folder val beside train and test
}

// Images is a source of image files, each decoded when it is read: values in [0, 1]
// of the shape height, width, channels.
type Images struct {
	Members
	Split   string // "train", "test" or "all"
	Shape   tensor.Shape
	Classes []string
}

// OpenImages finds the images of class folders (see ClassFolders) of PNG and JPEG
// files and fixes the shape of a sample. Where the options leave a size or the
// channels open, the beginning of every file is read. Where there is no test folder,
// test is nil.
func OpenImages(ctx context.Context, fsys fs.FS, name string, o FolderOptions) (train, test *Images, err error) {
	l, err := ClassFolders{FS: fsys, Name: name, Accept: isImage, What: "PNG or JPEG file", Many: "images", Classes: o.Classes, Valid: o.Valid}.List()
	if err != nil {
		return nil, nil, err
	}
	all := Members{fsys, name, slices.Concat(l.Train, l.Test)}
	shape, err := measure(ctx, all, o)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(name), err)
	}
	train = &Images{Members{fsys, name, l.Train}, "train", shape, l.Classes}
	if l.Whole {
		train.Split = "all"
	}
	if l.Test == nil {
		return train, nil, nil
	}
	return train, &Images{Members{fsys, name, l.Test}, "test", shape, l.Classes}, nil
}

func isImage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// measure fixes the shape of a sample.
func measure(ctx context.Context, files Members, o FolderOptions) (tensor.Shape, error) {
	h, w, channels := o.Height, o.Width, o.Channels
	if h == 0 && w == 0 || channels == 0 {
		infos := make([]picture.Info, files.Len())
		err := Each(ctx, files.Len(), func(i int) (err error) {
			infos[i], err = imageInfo(files.FS, files.List[i].Path)
			return err
		})
		if err != nil {
			return nil, err
		}
		if h == 0 && w == 0 {
			h, w = infos[0].Height, infos[0].Width
		}
		grey := true
		for i, c := range infos {
			grey = grey && c.Grey
			if o.Height == 0 && o.Width == 0 && (c.Height != h || c.Width != w) {
				return nil, fmt.Errorf("images differ in size: %s has %d×%d pixels, %s %d×%d (width×height); set size: [HEIGHT, WIDTH] to stretch them all",
					sample.Printable(files.List[0].Path), w, h, sample.Printable(files.List[i].Path), c.Width, c.Height)
			}
		}
		if channels == 0 && grey {
			channels = 1
		} else if channels == 0 {
			channels = 3
		}
	}
	if h < 1 || w < 1 || h > picture.MaxSide || w > picture.MaxSide || channels != 1 && channels != 3 {
		return nil, fmt.Errorf("samples of %d×%d pixels and %d channels; expected a size of at least 1×1, and 1 (grey) or 3 channels", h, w, channels)
	}
	return tensor.Shape{h, w, channels}, nil
}

func imageInfo(fsys fs.FS, at string) (picture.Info, error) {
	f, err := fsys.Open(at)
	if err != nil {
		return picture.Info{}, err
	}
	defer f.Close()
	info, err := picture.ReadInfo(limit.Reader(f, MaxImageFile))
	if err != nil {
		return info, fmt.Errorf("%s: %w", sample.Printable(at), err)
	}
	return info, nil
}

// Spec describes the samples.
func (m *Images) Spec() sample.Spec {
	return sample.Spec{Shape: m.Shape, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: m.Classes}}}
}

// Read decodes an image.
func (m *Images) Read(ctx context.Context, i int, s *sample.Sample) error {
	pixels := make([]uint8, m.Shape.Size())
	if err := m.Pixels(ctx, i, pixels); err != nil {
		return err
	}
	for j, p := range pixels {
		s.X[j] = unit[p]
	}
	s.Targets = append(s.Targets, sample.Target{Class: m.List[i].Class})
	return nil
}

// Pixels decodes an image to bytes of the shape.
func (m *Images) Pixels(ctx context.Context, i int, dst []uint8) error {
	err := ctx.Err()
	if err == nil {
		var b []byte
		if b, err = limit.ReadFile(m.FS, m.List[i].Path, MaxImageFile); err == nil {
			err = decodeImage(dst, b, m.Shape)
		}
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", m.Origin(i), err)
	}
	return nil
}

func decodeImage(dst []uint8, b []byte, shape tensor.Shape) error {
	p, err := picture.Decode(b)
	if err != nil {
		return err
	}
	picture.Pack(dst, p, shape[0], shape[1], shape[2])
	return nil
}

// Bytes is the memory that all samples take, decoded.
func (m *Images) Bytes() int64 { return int64(m.Len()) * int64(m.Shape.Size()) }

// Hold decodes all images into memory.
func (m *Images) Hold(ctx context.Context) (*Set, error) {
	if m.Bytes() > maxImageBytes {
		return nil, fmt.Errorf("data: %s: %d images of %v take more than the permitted %d bytes; set a smaller size, or memory: false to decode them as they are needed",
			sample.Printable(m.Name), m.Len(), m.Shape, int64(maxImageBytes))
	}
	s := &Set{
		Name: m.Name, Split: m.Split, Classes: m.Classes, Shape: m.Shape,
		Images: make([]uint8, m.Bytes()), Labels: make([]int, m.Len()), Origins: make([]string, m.Len()),
	}
	return s, Each(ctx, m.Len(), func(i int) error {
		s.Labels[i], s.Origins[i] = m.List[i].Class, m.Origin(i)
		return m.Pixels(ctx, i, s.Image(i))
	})
}

// FromFolder decodes class folders of images into memory; see OpenImages.
func FromFolder(ctx context.Context, fsys fs.FS, name string, o FolderOptions) (train, test *Set, err error) {
	lazyTrain, lazyTest, err := OpenImages(ctx, fsys, name, o)
	if err != nil {
		return nil, nil, err
	}
	if train, err = lazyTrain.Hold(ctx); err == nil && lazyTest != nil {
		test, err = lazyTest.Hold(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// Memory says whether the samples of files are decoded once and held, or each time
// they are needed.
type Memory int

// The choices of Memory.
const (
	MemoryAuto Memory = iota // held where all together take at most AutoMemory
	MemoryYes
	MemoryNo
)

// AutoMemory is the most bytes of samples that are held unless told otherwise: 1 GiB.
const AutoMemory = 1 << 30

var memoryNames = []string{"auto", "true", "false"}

// String is the choice's name in files.
func (m Memory) String() string { return memoryNames[m] }

// MarshalText is String.
func (m Memory) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is the inverse of String.
func (m *Memory) UnmarshalText(text []byte) error {
	i := slices.Index(memoryNames, string(text))
	if i < 0 {
		return errors.New("memory: want true, false or auto")
	}
	*m = Memory(i)
	return nil
}

// Hold reports whether samples that take so many bytes are held.
func (m Memory) Hold(bytes int64) bool {
	return m == MemoryYes || m == MemoryAuto && bytes <= AutoMemory
}
