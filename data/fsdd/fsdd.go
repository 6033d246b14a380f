// Package fsdd reads the Free Spoken Digit Dataset: 3,000 recordings of the digits 0 to
// 9, by six speakers, 50 takes of each, at 8 kHz (Jackson et al., 2018). The test set is
// the takes 0 to 4 of every digit and speaker: 300 recordings.
//
// As a data set, a recording is a series of frames of a mel filter bank, one each 10 ms:
// Bands energies x = ln(1 + E/10⁻⁶) of windows of 25 ms (package internal/mel has E).
// Recordings differ in duration: data.Length says what becomes of that. Load gives the
// sounds themselves.
package fsdd

import (
	"archive/zip"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"

	"synfire/data"
	"synfire/format/wav"
	"synfire/internal/mel"
	"synfire/sample"
	"synfire/tensor"
)

// Rate is the number of samples a second.
const Rate = 8000

// testTakes is how many takes of each digit and speaker are the test set.
const testTakes = 5

// maxFile is the largest recording that is read, in bytes: more than two minutes.
const maxFile = 2 << 20

// Recording is one spoken digit.
type Recording struct {
	Samples []float32 // in [−1, 1), Rate a second
	Digit   int       // 0 to 9
	Speaker string
	Take    int // 0 to 49
}

// archive is the zip file of recordings. No public source has these bytes.
var archive = data.File{
	Name:   "fsdd/fsdd.zip",
	SHA256: "72be567be32b90d4e72a82fcbdf4215aa4957770bd3e8a3849bf731bbef1cf25",
	Size:   16157653,
}

// The filter bank of the data set.
const (
	Bands  = 32
	hop    = Rate / 100
	window = Rate / 40
)

// Dataset describes the recordings.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "fsdd", Title: "Free Spoken Digit Dataset", License: "CC BY-SA 4.0 (Zohar Jackson and others)",
		Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		Splits:  []data.Split{{Name: "train", Len: 2700}, {Name: "test", Len: 300}},
		Files:   []data.File{archive},
		Load: func(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
			a, b, err := Load(ctx, o)
			if err != nil {
				return nil, nil, err
			}
			if train, err = Source(a); err == nil {
				test, err = Source(b)
			}
			return train, test, err
		},
	}
}

// Load reads the recordings from a folder of the user's, or the cache.
func Load(ctx context.Context, o data.Options) (train, test []Recording, err error) {
	paths, err := data.Fetch(ctx, o, archive)
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.OpenReader(paths[0])
	if err != nil {
		return nil, nil, fmt.Errorf("fsdd: %s: %w", paths[0], err)
	}
	defer z.Close()
	return Read(z, "recordings")
}

var namePattern = regexp.MustCompile(`^([0-9])_([a-z]+)_([0-9]{1,3})\.wav$`)

// Read reads a folder of recordings named DIGIT_SPEAKER_TAKE.wav, sorted by digit,
// speaker and take. Other files are passed over.
func Read(fsys fs.FS, dir string) (train, test []Recording, err error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("fsdd: %w", err)
	}
	for _, e := range entries {
		m := namePattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		r, err := read(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, nil, fmt.Errorf("fsdd: %s: %w", e.Name(), err)
		}
		r.Digit, r.Speaker = int(m[1][0]-'0'), m[2]
		r.Take, _ = strconv.Atoi(m[3]) // digits, says the pattern
		if r.Take < testTakes {
			test = append(test, r)
		} else {
			train = append(train, r)
		}
	}
	if len(train)+len(test) == 0 {
		return nil, nil, fmt.Errorf("fsdd: no recordings in %s; expected names as 7_jackson_32.wav", dir)
	}
	for _, set := range [][]Recording{train, test} {
		slices.SortFunc(set, func(a, b Recording) int {
			return cmp.Or(a.Digit-b.Digit, cmp.Compare(a.Speaker, b.Speaker), a.Take-b.Take)
		})
	}
	return train, test, nil
}

func read(fsys fs.FS, name string) (Recording, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	s, err := wav.Read(f, maxFile)
	if err != nil {
		return Recording{}, err
	}
	if s.Rate != Rate || s.Channels != 1 {
		return Recording{}, fmt.Errorf("%d channels at %d Hz, expected one at %d Hz", s.Channels, s.Rate, Rate)
	}
	return Recording{Samples: s.Samples}, nil
}

// Source is recordings as series of Bands energies. It is a data.Varied.
func Source(recordings []Recording) (sample.Source, error) {
	bank, err := mel.New(Rate, window, hop, Bands)
	if err != nil {
		return nil, fmt.Errorf("fsdd: %w", err)
	}
	s := &source{recordings: recordings, bank: bank}
	s.spec = sample.Spec{Shape: tensor.Shape{Bands}, Rate: Rate, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: Dataset().Classes}}}
	for i := range recordings {
		s.spec.Steps = max(s.spec.Steps, int(s.Length(i)))
	}
	return s, nil
}

// source works the frames out when they are read.
type source struct {
	recordings []Recording
	bank       *mel.Bank
	spec       sample.Spec
}

func (s *source) Spec() sample.Spec    { return s.spec }
func (s *source) Len() int             { return len(s.recordings) }
func (s *source) Index(i int) int      { return i }
func (s *source) Length(i int) float64 { return float64(s.bank.Frames(len(s.recordings[i].Samples))) }

func (s *source) Origin(i int) string {
	r := s.recordings[i]
	return fmt.Sprintf("fsdd: %d_%s_%d.wav", r.Digit, r.Speaker, r.Take)
}

func (s *source) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Class: s.recordings[i].Digit}, nil
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.Origin(i), err)
	}
	bands := make([]float64, Bands)
	steps := int(s.Length(i))
	for t := range steps {
		s.bank.Frame(bands, s.recordings[i].Samples, 1, t)
		for m, v := range bands {
			x.X[t*Bands+m] = tensor.Float(v)
		}
	}
	if clear(x.X[steps*Bands:]); steps < s.spec.Steps {
		x.Length = float64(steps)
	}
	x.Targets = append(x.Targets, sample.Target{Class: s.recordings[i].Digit})
	return nil
}
