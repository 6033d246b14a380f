// Package input reads what a trained model is asked about: files that are no part of any
// data set, and lines of numbers, as samples of the model's [sample.Spec]:
//
//	.png .jpg .jpeg  one image, turned as its Exif orientation says: values in [0, 1]
//	.wav             one sound: a series of frames of samples in [−1, 1)
//	.bin             one recording of an event camera, in the format of N-MNIST
//	.npy .npz        an array (x): one sample, or along a first axis several; bytes are
//	                 scaled to [0, 1]
//	.csv             a sample a line, with or without a line of names before them
//	-                a line of numbers from a reader: a sample each
//
// A sample that does not fit the spec is an error that says what the model takes.
// Nothing is stretched, padded or cropped but as it was in training.
package input

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/data"
	"synfire/format/picture"
	"synfire/format/wav"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

// MaxFile is the largest file of one sample that is read, in bytes.
const MaxFile = 64 << 20

// Options say what samples are to be like.
type Options struct {
	Spec    sample.Spec
	Source  data.Opener // of the training samples, which reads sounds and recordings if it is a data.Single; nil: a named data set
	Scale   float64     // what arrays are divided by, as in training; 0: bytes by 255, others by 1
	Stretch bool        // images are stretched to the spec's size, as those of training were
	Length  data.Length // what becomes of samples that differ in duration, as in training
	Skip    []string    // columns of tables that are no values: labels and other targets
}

// Input is one sample, or the error of reading it.
type Input struct {
	Name   string // the file, and behind a colon the line of a table or the number in an array
	Sample *sample.Sample
	Err    error
}

// Files reads files one after another; a path "-" is the lines of stdin.
func Files(ctx context.Context, paths []string, stdin func() Lines, o Options) iter.Seq[Input] {
	return func(yield func(Input) bool) {
		for _, path := range paths {
			for in := range read(path, stdin, o) {
				if ctx.Err() != nil || !yield(in) {
					return
				}
			}
		}
	}
}

// read reads one file.
func read(path string, stdin func() Lines, o Options) iter.Seq[Input] {
	if path == "-" {
		return stdin().inputs("-", o)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return table(path, o)
	case ".npy", ".npz":
		return array(path, o)
	case ".png", ".jpg", ".jpeg":
		return one(path, o, o.image)
	case ".wav":
		return one(path, o, o.sound)
	case ".bin":
		return one(path, o, o.events)
	}
	return failed(path, fmt.Errorf("the ending tells no format that is known; known are .png, .jpg, .wav, .csv, .npz, .npy, .bin (N-MNIST), and - for lines of numbers"))
}

// failed is an input that could not be read.
func failed(name string, err error) iter.Seq[Input] {
	return func(yield func(Input) bool) { yield(Input{Name: name, Err: err}) }
}

// one is the sample of a file, by the function that decodes its content.
func one(path string, o Options, decode func(content []byte, s *sample.Sample) error) iter.Seq[Input] {
	f, err := os.Open(path)
	if err != nil {
		return failed(path, err)
	}
	defer f.Close()
	content, err := limit.ReadAll(f, MaxFile)
	if err != nil {
		return failed(path, err)
	}
	s := &sample.Sample{}
	if err := decode(content, s); err != nil {
		return failed(path, err)
	}
	if err := o.fit(s); err != nil {
		return failed(path, err)
	}
	return func(yield func(Input) bool) { yield(Input{Name: path, Sample: s}) }
}

// image decodes a picture.
func (o Options) image(content []byte, s *sample.Sample) error {
	shape := o.Spec.Shape
	if o.Spec.Events || o.Spec.Steps > 0 || len(shape) != 3 || shape[2] != 1 && shape[2] != 3 {
		return fmt.Errorf("it is an image, and the model takes %v", o.Spec)
	}
	info, err := picture.ReadInfo(bytes.NewReader(content))
	if err != nil {
		return err
	}
	if !o.Stretch && (info.Height != shape[0] || info.Width != shape[1]) {
		try := "scale or crop it"
		if slices.ContainsFunc(o.Spec.Targets, func(f sample.Field) bool { return f.Kind == sample.Boxes }) {
			try = "use detect, which fits pictures of any size in and tells boxes"
		}
		return fmt.Errorf("the image is %d×%d pixels (width×height), the model takes %d×%d, and its training images were not stretched: %s", info.Width, info.Height, shape[1], shape[0], try)
	}
	m, err := picture.Decode(content)
	if err != nil {
		return err
	}
	pixels := make([]uint8, shape.Size())
	picture.Pack(pixels, m, shape[0], shape[1], shape[2])
	s.X = make([]tensor.Float, len(pixels))
	for i, p := range pixels {
		s.X[i] = tensor.Float(p) / 255
	}
	return nil
}

// sound decodes a WAV file: as the training source did, or else as the frames of a mono
// sound, the last one filled up with silence.
func (o Options) sound(content []byte, s *sample.Sample) error {
	if o.Spec.Steps == 0 {
		return fmt.Errorf("it is a sound, and the model takes %v", o.Spec)
	}
	if o.Source != nil {
		return o.single(content, s)
	}
	w, err := wav.Read(bytes.NewReader(content), MaxFile)
	if err != nil {
		return err
	}
	if o.Spec.Rate > 0 && w.Rate != o.Spec.Rate {
		return fmt.Errorf("the sound is at %d Hz, those of training at %d Hz; convert it", w.Rate, o.Spec.Rate)
	}
	if w.Channels != 1 {
		return fmt.Errorf("the sound has %d channels, the model takes one; mix them", w.Channels)
	}
	frame := o.Spec.Shape.Size()
	s.X = make([]tensor.Float, (len(w.Samples)+frame-1)/frame*frame)
	for i, v := range w.Samples {
		s.X[i] = tensor.Float(v)
	}
	return nil
}

// events decodes a recording of a camera: events of five bytes, 8 bits x, 8 bits y, 1
// bit polarity, 23 bits of time in µs.
func (o Options) events(content []byte, s *sample.Sample) error {
	shape := o.Spec.Shape
	if !o.Spec.Events || len(shape) != 3 || shape[2] != 2 {
		return fmt.Errorf("it is a recording of events, and the model takes %v", o.Spec)
	}
	if o.Source != nil {
		return o.single(content, s)
	}
	if len(content)%5 != 0 {
		return fmt.Errorf("%d bytes are no whole events of 5; the file is damaged, or of another format", len(content))
	}
	for n := 0; 5*n < len(content); n++ {
		e := content[5*n:]
		x, y, p := int(e[0]), int(e[1]), int(e[2]>>7)
		if y >= shape[0] || x >= shape[1] {
			return fmt.Errorf("event %d is at pixel (%d, %d), outside of the model's %d×%d (width×height)", n, x, y, shape[1], shape[0])
		}
		t := float64(int(e[2]&0x7f)<<16|int(e[3])<<8|int(e[4])) / 1e6
		if n > 0 && t < s.Events[n-1].Time {
			return fmt.Errorf("event %d at %v s comes after one at %v s; the file is damaged", n, t, s.Events[n-1].Time)
		}
		s.Events = append(s.Events, sample.Event{Time: t, Unit: int32((y*shape[1]+x)*2 + p)})
	}
	return nil
}

// single reads a file as the training source did.
func (o Options) single(content []byte, s *sample.Sample) error {
	one, ok := o.Source.(data.Single)
	if !ok {
		return fmt.Errorf("the model was trained on %T, which does not say how a single file becomes a sample; give the samples as an array", o.Source)
	}
	return one.One(content, o.Spec, s)
}

// fit makes the duration of a sample that of the spec, where that was so in training,
// and returns an error for one that does not fit.
func (o Options) fit(s *sample.Sample) error {
	if o.Spec.Events {
		return o.fitEvents(s)
	}
	size, step := o.Spec.Size(), o.Spec.Shape.Size()
	n := len(s.X)
	switch {
	case n == size:
		return nil
	case o.Spec.Steps == 0 || n%step != 0:
		return fmt.Errorf("%d values, and the model takes %d: samples of %v", n, size, o.Spec)
	case n < size && o.Length.Pad > 0:
		s.X, s.Length = append(s.X, make([]tensor.Float, size-n)...), float64(n/step)
		return nil
	case n > size && o.Length.Crop > 0:
		s.X = s.X[:size]
		return nil
	}
	return fmt.Errorf("%d steps, and the model takes %d, which training neither padded nor cropped: cut the sample to that length", n/step, o.Spec.Steps)
}

func (o Options) fitEvents(s *sample.Sample) error {
	n := len(s.Events)
	for n > 0 && s.Events[n-1].Time >= o.Spec.Duration {
		n--
	}
	if n < len(s.Events) && o.Length.Crop == 0 {
		return fmt.Errorf("the last event is at %v s, and the longest sample of training ends at %v s: cut the recording", s.Events[len(s.Events)-1].Time, o.Spec.Duration)
	}
	s.Events = s.Events[:n]
	return nil
}
