// Package events is the kind of source that reads recordings of event cameras in the
// format of N-MNIST (Orchard, Jayawant, Cohen and Thakor, "Converting static image
// datasets to spiking neuromorphic datasets using saccades", Front. Neurosci. 9:437,
// 2015): a folder or a zip file with a folder for each class,
//
//	Train/DIGIT/00001.bin    Test/DIGIT/00001.bin
//
// or DIGIT/00001.bin alone, without test samples. An event is five bytes,
//
//	8 bits x, 8 bits y, 1 bit p, 23 bits t in µs, big-endian
//
// p = 1 where the pixel grew brighter. A sample is events on height × width × 2 places,
// channel p, and lasts until just after its last event. Recordings differ in duration:
// data.Length says what becomes of that. Files are read when they are needed, so a set
// may be larger than memory.
package events

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"synfire/data"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

const (
	eventBytes = 5
	micro      = 1e6 // in a second
	side       = 34  // pixels of N-MNIST
	maxSide    = 256 // that a byte tells apart

	// MaxFile is the largest recording that is read, in bytes: 13 million events.
	MaxFile = 64 << 20
)

// NMNIST describes class folders of recordings. It is a data.Opener.
type NMNIST struct {
	Path    string     `yaml:"path"`              // of the folder or zip file
	Size    []int      `yaml:"size,omitempty"`    // height, width of the camera in pixels; empty: 34, 34
	Classes []string   `yaml:"classes,omitempty"` // in the order of the outputs; empty: all, sorted
	Val     data.Valid `yaml:"val,omitempty"`     // a folder val beside train and test: join, leave-out
}

// Validate returns an error for options that make no sense.
func (e NMNIST) Validate() error {
	if e.Path == "" {
		return errors.New("data: events: no path; give that of a folder or zip file")
	}
	if len(e.Size) != 0 && (len(e.Size) != 2 || min(e.Size[0], e.Size[1]) < 1 || max(e.Size[0], e.Size[1]) > maxSide) {
		return fmt.Errorf("data: events: size is %v, want height and width of 1 to %d pixels, as [34, 34]", e.Size, maxSide)
	}
	return nil
}

// Paths are the options that are paths.
func (e *NMNIST) Paths() []*string { return []*string{&e.Path} }

// Open finds the recordings, and reads of each how long it is.
func (e NMNIST) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := e.Validate(); err != nil {
		return nil, nil, err
	}
	tree, err := data.OpenTree(e.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: events %s: %w", sample.Printable(e.Path), err)
	}
	return e.open(ctx, tree)
}

func (e NMNIST) open(ctx context.Context, tree fs.FS) (train, test sample.Source, err error) {
	l, err := data.ClassFolders{
		FS: tree, Name: e.Path, What: ".bin file", Many: "recordings", Classes: e.Classes, Valid: e.Val,
		Accept: func(name string) bool { return strings.EqualFold(path.Ext(name), ".bin") },
	}.List()
	if err != nil {
		return nil, nil, err
	}
	shape := tensor.Shape{side, side, 2}
	if len(e.Size) == 2 {
		shape[0], shape[1] = e.Size[0], e.Size[1]
	}
	field := sample.Field{Name: sample.Label, Kind: sample.Class, Classes: l.Classes}
	part := func(list []data.Member) (sample.Source, error) {
		s := &source{Members: data.Members{FS: tree, Name: e.Path, List: list}, lengths: make([]float64, len(list))}
		s.spec = sample.Spec{Shape: shape, Events: true, Targets: []sample.Field{field}}
		err := data.Each(ctx, len(list), func(i int) (err error) {
			if s.lengths[i], err = duration(tree, list[i].Path); err != nil {
				err = fmt.Errorf("data: %s: %w", s.Origin(i), err)
			}
			return err
		})
		for _, d := range s.lengths {
			s.spec.Duration = max(s.spec.Duration, d)
		}
		return s, err
	}
	if train, err = part(l.Train); err == nil && l.Test != nil {
		test, err = part(l.Test)
	}
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// duration is the time just after the last event of a file.
func duration(fsys fs.FS, name string) (float64, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := checkSize(info.Size()); err != nil {
		return 0, err
	}
	last := make([]byte, eventBytes)
	if at, ok := f.(io.ReaderAt); ok {
		_, err = at.ReadAt(last, info.Size()-eventBytes)
	} else if _, err = io.CopyN(io.Discard, f, info.Size()-eventBytes); err == nil {
		_, err = io.ReadFull(f, last)
	}
	if err != nil && err != io.EOF {
		return 0, err
	}
	return float64(micros(last)+1) / micro, nil
}

func checkSize(n int64) error {
	switch {
	case n == 0:
		return errors.New("the recording is empty; remove it")
	case n%eventBytes != 0:
		return fmt.Errorf("%d bytes are no whole events of %d; the file is damaged, or of another format", n, eventBytes)
	case n > MaxFile:
		return fmt.Errorf("%d bytes, at most %d of a recording are read; cut it", n, MaxFile)
	}
	return nil
}

func micros(event []byte) uint32 { return binary.BigEndian.Uint32(event[1:]) & (1<<23 - 1) }

// Decode appends the events of a recording of a camera of shape height, width, 2. An
// event outside of the camera and a time that steps back are errors.
func Decode(events []sample.Event, b []byte, shape tensor.Shape) ([]sample.Event, error) {
	if err := checkSize(int64(len(b))); err != nil {
		return events, err
	}
	if free := cap(events) - len(events); free < len(b)/eventBytes {
		grown := make([]sample.Event, len(events), len(events)+len(b)/eventBytes)
		copy(grown, events)
		events = grown
	}
	h, w := shape[0], shape[1]
	before := uint32(0)
	for n := 0; len(b) > 0; n, b = n+1, b[eventBytes:] {
		x, y, p, t := int(b[0]), int(b[1]), int(b[2]>>7), micros(b)
		if x >= w || y >= h {
			return events, fmt.Errorf("event %d is at pixel (%d, %d) of a camera of %d×%d (width×height); set size: [HEIGHT, WIDTH]", n, x, y, w, h)
		}
		if t < before {
			return events, fmt.Errorf("event %d at %d µs comes after one at %d µs; the file is damaged, or its clock ran over: sort or cut it", n, t, before)
		}
		before = t
		events = append(events, sample.Event{Time: float64(t) / micro, Unit: int32((y*w+x)*2 + p)})
	}
	return events, nil
}

// source is the recordings of a split.
type source struct {
	data.Members
	spec    sample.Spec
	lengths []float64
}

func (s *source) Spec() sample.Spec    { return s.spec }
func (s *source) Length(i int) float64 { return s.lengths[i] }

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	err := ctx.Err()
	var b []byte
	if err == nil {
		b, err = limit.ReadFile(s.FS, s.List[i].Path, MaxFile)
	}
	if err == nil {
		x.Events, err = Decode(x.Events, b, s.spec.Shape)
	}
	if err == nil && x.Events[len(x.Events)-1].Time >= s.lengths[i] {
		err = errors.New("the file has changed since it was opened; start again")
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	if s.lengths[i] < s.spec.Duration {
		x.Length = s.lengths[i]
	}
	x.Targets = append(x.Targets, sample.Target{Class: s.List[i].Class})
	return nil
}
