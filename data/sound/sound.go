// Package sound is the kind of source that reads WAV files of one's own: a folder or a
// zip file with a folder for each class,
//
//	train/CLASS/*.wav    test/CLASS/*.wav
//
// or CLASS/*.wav alone, without test samples; or one folder of files whose names tell
// the class, by the options pattern and test-pattern:
//
//	pattern: '^(\d)_'            the class is the first group: 7_jackson_32.wav is of 7
//	test-pattern: '_[0-4]\.wav$'  names that match are the test
//
// A sample is a series of frames, one every frame samples of sound. Without bands a
// frame is these samples themselves, in [−1, 1): a series of [frame] values, or of
// [frame, channels]. With bands it is the energies of a mel filter bank over a window of
// sound,
//
//	x[t, m] = ln(1 + E[t, m]/10⁻⁶)
//
// E as package internal/mel has it: m mean squares of triangles of frequencies evenly
// spaced in mel; silence is 0. The last frame is filled up with silence. With level each
// sound is first scaled to that root mean square, so that how loud it was recorded does not
// count. Sounds differ
// in duration: data.Length says what becomes of that. All have one rate and one number
// of channels. Files are read when they are needed.
package sound

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"synfire/data"
	"synfire/format/wav"
	"synfire/internal/limit"
	"synfire/internal/mel"
	"synfire/sample"
	"synfire/tensor"
)

// MaxFile is the largest file that is read, in bytes.
const MaxFile = 64 << 20

const maxFrame = 1 << 20

// WAV describes sounds. It is a data.Opener.
type WAV struct {
	Path        string     `yaml:"path"`                   // of the folder or zip file
	Frame       int        `yaml:"frame"`                  // samples of sound from one frame to the next
	Window      int        `yaml:"window,omitempty"`       // samples of sound that the bands of a frame hear; 0: two frames
	Bands       int        `yaml:"bands,omitempty"`        // of the filter bank; 0: the samples themselves
	Level       float64    `yaml:"level,omitempty"`        // root mean square that each sound is scaled to, such as 0.1; 0: as recorded
	Pattern     string     `yaml:"pattern,omitempty"`      // regular expression whose first group is the class; empty: class folders
	TestPattern string     `yaml:"test-pattern,omitempty"` // regular expression of the names of test samples
	Classes     []string   `yaml:"classes,omitempty"`      // in the order of the outputs; empty: all, sorted
	Val         data.Valid `yaml:"val,omitempty"`          // a folder val beside train and test: join, leave-out
}

// Validate returns an error for options that make no sense.
func (w WAV) Validate() error {
	switch {
	case w.Path == "":
		return errors.New("data: sound: no path; give that of a folder or zip file")
	case w.Frame < 1 || w.Frame > maxFrame || w.Window < 0 || w.Window > maxFrame || w.Bands < 0:
		return fmt.Errorf("data: sound: frame %d, window %d, bands %d; want a frame of at least 1 sample, and neither of the others negative", w.Frame, w.Window, w.Bands)
	case !(w.Level >= 0) || math.IsInf(w.Level, 1):
		return fmt.Errorf("data: sound: level %v, want the root mean square that sounds are scaled to, such as 0.1, or 0", w.Level)
	case w.Bands == 0 && w.Window != 0:
		return errors.New("data: sound: a window is what the bands hear; give bands, or remove it")
	case w.Pattern == "" && w.TestPattern != "":
		return errors.New("data: sound: test-pattern goes with pattern; in class folders, make the folders train and test")
	}
	class, err := regexp.Compile(w.Pattern)
	if err == nil {
		_, err = regexp.Compile(w.TestPattern)
	}
	if err != nil {
		return fmt.Errorf("data: sound: pattern: %w", err)
	}
	if w.Pattern != "" && class.NumSubexp() < 1 {
		return fmt.Errorf("data: sound: pattern %q has no group; put the part that is the class in parentheses", w.Pattern)
	}
	return nil
}

// Paths are the options that are paths.
func (w *WAV) Paths() []*string { return []*string{&w.Path} }

// Open finds the sounds, and reads of each how long it is.
func (w WAV) Open(ctx context.Context, _ data.Options) (train, test sample.Source, err error) {
	if err := w.Validate(); err != nil {
		return nil, nil, err
	}
	tree, err := data.OpenTree(w.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("data: sound %s: %w", sample.Printable(w.Path), err)
	}
	return w.open(ctx, tree)
}

func (w WAV) open(ctx context.Context, tree fs.FS) (train, test sample.Source, err error) {
	var l data.Listing
	if w.Pattern == "" {
		l, err = data.ClassFolders{FS: tree, Name: w.Path, Accept: isWAV, What: "WAV file", Many: "sounds", Classes: w.Classes, Valid: w.Val}.List()
	} else if l, err = w.byName(tree); err != nil {
		err = fmt.Errorf("data: %s: %w", sample.Printable(w.Path), err)
	}
	if err != nil {
		return nil, nil, err
	}
	all := data.Members{FS: tree, Name: w.Path, List: slices.Concat(l.Train, l.Test)}
	infos := make([]wav.Info, all.Len())
	err = data.Each(ctx, all.Len(), func(i int) (err error) {
		if infos[i], err = readInfo(tree, all.List[i].Path); err != nil {
			err = fmt.Errorf("data: %s: %w", all.Origin(i), err)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for i, info := range infos {
		if first := infos[0]; info.Rate != first.Rate || info.Channels != first.Channels {
			return nil, nil, fmt.Errorf("data: %s has %d channels at %d Hz, %s %d at %d Hz; convert them to the same", all.Origin(0), first.Channels, first.Rate, all.Origin(i), info.Channels, info.Rate)
		}
	}
	cut, err := w.cutter(infos[0])
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", sample.Printable(w.Path), err)
	}
	rate := infos[0].Rate
	part := func(list []data.Member, infos []wav.Info) sample.Source {
		s := &source{Members: data.Members{FS: tree, Name: w.Path, List: list}, cutter: cut, infos: infos}
		s.spec = sample.Spec{Shape: cut.shape(), Rate: rate, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: l.Classes}}}
		for _, info := range infos {
			s.spec.Steps = max(s.spec.Steps, cut.steps(int(info.Frames)))
		}
		return s
	}
	n := len(l.Train)
	if train = part(l.Train, infos[:n]); l.Test != nil {
		test = part(l.Test, infos[n:])
	}
	return train, test, nil
}

func isWAV(name string) bool { return strings.EqualFold(path.Ext(name), ".wav") }

// byName lists the files of a folder whose names tell the class.
func (w WAV) byName(tree fs.FS) (data.Listing, error) {
	var l data.Listing
	if err := data.Beside(tree, isWAV); err != nil {
		return l, err
	}
	class, test := regexp.MustCompile(w.Pattern), regexp.MustCompile(w.TestPattern)
	type named struct{ path, class string }
	var files []named
	var found []string
	err := fs.WalkDir(tree, ".", func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && at != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "__MACOSX"):
			return fs.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") || !isWAV(at):
			return nil
		}
		m := class.FindStringSubmatch(d.Name())
		if m == nil {
			return fmt.Errorf("the name of %s does not match the pattern %s; move the file away, or correct the pattern", sample.Printable(at), w.Pattern)
		}
		if err := sample.CheckName(m[1]); err != nil {
			return fmt.Errorf("%s: class: %w", sample.Printable(at), err)
		}
		files, found = append(files, named{at, m[1]}), append(found, m[1])
		return nil
	})
	if err != nil {
		return l, err
	}
	slices.Sort(found)
	if l.Classes = w.Classes; l.Classes == nil {
		if l.Classes, err = data.SortClasses(slices.Compact(found)); err != nil {
			return l, err
		}
	}
	if len(l.Classes) < 2 {
		return l, fmt.Errorf("%d classes among %d WAV files, expected at least 2", len(l.Classes), len(files))
	}
	for _, f := range files {
		n := slices.Index(l.Classes, f.class)
		if n < 0 {
			return l, fmt.Errorf("class %q of %s is none of the classes %s", f.class, sample.Printable(f.path), data.Names(l.Classes))
		}
		if w.TestPattern != "" && test.MatchString(path.Base(f.path)) {
			l.Test = append(l.Test, data.Member{Path: f.path, Class: n})
		} else {
			l.Train = append(l.Train, data.Member{Path: f.path, Class: n})
		}
	}
	if len(l.Train) == 0 || w.TestPattern != "" && len(l.Test) == 0 {
		return l, fmt.Errorf("%d training and %d test sounds; is the test-pattern %s right?", len(l.Train), len(l.Test), w.TestPattern)
	}
	return l, nil
}

func readInfo(fsys fs.FS, name string) (wav.Info, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return wav.Info{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return wav.Info{}, err
	}
	info, err := wav.ReadInfo(limit.Reader(f, MaxFile))
	switch {
	case err != nil:
		return info, err
	case stat.Size() > MaxFile:
		return info, fmt.Errorf("%d bytes, at most %d of a sound are read; cut it", stat.Size(), MaxFile)
	case info.Frames == 0:
		return info, errors.New("the sound has no samples; remove it")
	case info.End > stat.Size():
		return info, fmt.Errorf("truncated: %d frames are declared, which end at byte %d of %d", info.Frames, info.End, stat.Size())
	}
	return info, nil
}

// cutter makes frames of sounds.
type cutter struct {
	frame, channels int
	level           float64   // 0: as recorded
	bank            *mel.Bank // nil: the samples themselves
}

func (w WAV) cutter(info wav.Info) (c cutter, err error) {
	c = cutter{frame: w.Frame, channels: info.Channels, level: w.Level}
	if w.Bands == 0 {
		return c, nil
	}
	window := w.Window
	if window == 0 {
		window = 2 * w.Frame
	}
	c.bank, err = mel.New(info.Rate, window, w.Frame, w.Bands)
	return c, err
}

// shape is that of a frame.
func (c cutter) shape() tensor.Shape {
	n := c.frame
	if c.bank != nil {
		n = c.bank.Bands()
	}
	if c.channels == 1 {
		return tensor.Shape{n}
	}
	return tensor.Shape{n, c.channels}
}

func (c cutter) steps(samples int) int { return (samples + c.frame - 1) / c.frame }

// cut scales the samples, fills dst, which is at least as long as all frames, and clears the
// rest.
func (c cutter) cut(dst []tensor.Float, samples []float32) {
	mel.Level(samples, c.level)
	if c.bank == nil {
		for i, v := range samples {
			dst[i] = tensor.Float(v)
		}
		clear(dst[len(samples):])
		return
	}
	bands := make([]float64, c.bank.Bands())
	size := len(bands) * c.channels
	steps := c.steps(len(samples) / c.channels)
	for t := range steps {
		for ch := range c.channels {
			c.bank.Frame(bands, samples[ch:], c.channels, t)
			for m, v := range bands {
				dst[t*size+m*c.channels+ch] = tensor.Float(v)
			}
		}
	}
	clear(dst[steps*size:])
}

// source is the sounds of a split.
type source struct {
	data.Members
	cutter cutter
	spec   sample.Spec
	infos  []wav.Info
}

func (s *source) Spec() sample.Spec { return s.spec }

// Length is the number of frames.
func (s *source) Length(i int) float64 { return float64(s.cutter.steps(int(s.infos[i].Frames))) }

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	err := ctx.Err()
	var f fs.File
	if err == nil {
		f, err = s.FS.Open(s.List[i].Path)
	}
	var sound *wav.Sound
	if err == nil {
		sound, err = wav.Read(f, MaxFile)
		f.Close()
	}
	if want := s.infos[i]; err == nil && (sound.Rate != want.Rate || sound.Channels != want.Channels || int64(len(sound.Samples)) != want.Frames*int64(want.Channels)) {
		err = errors.New("the file has changed since it was opened; start again")
	}
	if err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	s.cutter.cut(x.X, sound.Samples)
	if n := s.Length(i); n < float64(s.spec.Steps) {
		x.Length = n
	}
	x.Targets = append(x.Targets, sample.Target{Class: s.List[i].Class})
	return nil
}
