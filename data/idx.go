package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"

	"synfire/format/idx"
	"synfire/tensor"
)

// FromIDX makes a set of the bytes of two IDX files, each plain or
// gzip-compressed: images N×H×W (one channel) and labels N.
func FromIDX(name, split string, classes []string, images, labels []byte) (*Set, error) {
	x, err := readIDX(images, 3)
	if err != nil {
		return nil, fmt.Errorf("data: %s %s images: %w", name, split, err)
	}
	y, err := readIDX(labels, 1)
	if err != nil {
		return nil, fmt.Errorf("data: %s %s labels: %w", name, split, err)
	}
	s := &Set{
		Name: name, Split: split, Classes: classes,
		Shape:  tensor.Shape{x.Dims[1], x.Dims[2], 1},
		Images: x.Data, Labels: make([]int, len(y.Data)),
	}
	for i, label := range y.Data {
		s.Labels[i] = int(label)
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// ReadIDX makes a set of two IDX files, which open reads.
func ReadIDX(open func(string) ([]byte, error), name, split string, classes []string, images, labels string) (*Set, error) {
	x, err := open(images)
	if err != nil {
		return nil, err
	}
	y, err := open(labels)
	if err != nil {
		return nil, err
	}
	return FromIDX(name, split, classes, x, y)
}

// LoadIDX obtains four IDX files where they are not yet on this machine, training
// images and labels and then those of the test, and makes sets of them.
func LoadIDX(ctx context.Context, o Options, name string, classes []string, files []File) (train, test *Set, err error) {
	paths, err := Fetch(ctx, o, files...)
	if err != nil {
		return nil, nil, err
	}
	if train, err = ReadIDX(os.ReadFile, name, "train", classes, paths[0], paths[1]); err != nil {
		return nil, nil, err
	}
	test, err = ReadIDX(os.ReadFile, name, "test", classes, paths[2], paths[3])
	return train, test, err
}

func readIDX(b []byte, dims int) (*idx.Array, error) {
	var r io.Reader = bytes.NewReader(b)
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	}
	a, err := idx.Read(r, 0)
	if err != nil {
		return nil, err
	}
	if len(a.Dims) != dims {
		return nil, fmt.Errorf("dimensions %v, expected %d of them: are images and labels swapped?", a.Dims, dims)
	}
	return a, nil
}
