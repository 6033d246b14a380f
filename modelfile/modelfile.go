// Package modelfile reads and writes the one file that a model is kept in: what it
// was trained on, how, and the arrays that its predictions depend on. A checkpoint is
// a model plus what learning needs to go on.
//
// The file is a safetensors file. Its metadata are
//
//	format         "synfire model 2"
//	rule           the kind of the rule; not there where the body is a graph
//	config         YAML of the run, or of the graph
//	spec           JSON of the samples
//	normalization  JSON, where there is any
//	dtype          how arrays are stored: float32 (as they are), float16 or int8
//	finished       true or false
//	progress       JSON of a run that goes on: not there in a model
//	sha256         over header and data, without which no file is taken
//
// and its arrays are those of the model under their own names, those of the learner
// as learner:NAME, and the scales of the array NAME as scale:NAME.
//
// With float16 each value v is rounded to the nearest half, ties to even. With int8
// the array w, with output channels c along its last axis, is stored as
//
//	q[…, c] = round(w[…, c] / s[c]),  s[c] = ⌈max |w[…, c]| / 127⌉
//
// where ⌈⌉ rounds up to 16 significant bits, so that q·s is exact in float32, and
// |w − q·s| ≤ s/2. Arrays of fewer than two axes (biases, thresholds) stay float32.
//
// Files of format 1 ("synfire checkpoint 1") open too. They hold all arrays of a
// learner together, and nothing of the samples.
package modelfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	"synfire/format/safetensors"
	"synfire/sample"
)

// File is a model, or with Learner and Progress a checkpoint.
type File struct {
	Rule          string                       // kind of the rule whose model it is; "" where the body is a graph
	Config        []byte                       // YAML of the run, or of the graph
	Spec          *sample.Spec                 // of the samples; nil where it is unknown, as in format 1
	Normalization *sample.Normalization        // of the samples; nil: none
	Arrays        map[string]safetensors.Array // what predictions depend on
	Learner       map[string]safetensors.Array // what learning needs besides; empty in a model
	Progress      json.RawMessage              // of the run; nil in a model
	// Finished tells whether the model is complete: it is not where its rule has a
	// Finish that has not run.
	Finished bool
	// Stored is how Arrays are stored in the file: float32 or "", float16, int8. In
	// memory they are float32 in any case: see Convert.
	Stored string
	Format int // 1 or 2, as read; Write writes 2
}

// Keys of the metadata, and values of the first.
const (
	formatKey        = "format"
	ruleKey          = "rule"
	configKey        = "config"
	specKey          = "spec"
	normalizationKey = "normalization"
	storedKey        = "dtype"
	finishedKey      = "finished"
	progressKey      = "progress"
	oldRuleKey       = "learner" // of format 1

	format2 = "synfire model 2"
	format1 = "synfire checkpoint 1"
)

// Prefixes of arrays that are not the model's own.
const (
	learnerPrefix = "learner:"
	scalePrefix   = "scale:"
)

// Model is the file without what only learning needs.
func (f File) Model() File {
	f.Learner, f.Progress = nil, nil
	return f
}

// Read reads a model or a checkpoint, and verifies its checksum. Arrays that were
// stored as float16 or int8 are float32 again, and Stored says so.
func Read(path string) (*File, error) {
	raw, err := safetensors.ReadFile(path, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	f, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	return f, nil
}

// Decode is Read of a file in memory.
func Decode(b []byte) (*File, error) {
	if err := safetensors.Verify(b, safetensors.Limits{}); err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	raw, err := safetensors.Decode(b, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	f, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return f, nil
}

// decode is parse with the arrays restored.
func decode(raw safetensors.File) (*File, error) {
	f, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return f, f.restore()
}

// ReadHeader is Read without the elements: arrays have the type that they are stored
// in, a shape and no Data, and the checksum is not verified.
func ReadHeader(path string) (*File, error) {
	raw, err := safetensors.ReadFileHeader(path, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	maps.DeleteFunc(f.Arrays, func(name string, _ safetensors.Array) bool { return strings.HasPrefix(name, scalePrefix) })
	return f, nil
}

// Write writes the file in one step: a reader sees the old one or the new one.
func Write(path string, f File) error {
	raw, err := f.encode()
	if err != nil {
		return fmt.Errorf("write model %s: %w", path, err)
	}
	return safetensors.WriteFileAtomic(path, raw)
}

// parse takes a file apart, its arrays as they are stored.
func parse(raw safetensors.File) (*File, error) {
	format, ok := raw.Meta[formatKey]
	switch {
	case !ok:
		return nil, errors.New("it is a safetensors file of another program: there is no format in its metadata; give a model or checkpoint of synfire")
	case format != format1 && format != format2:
		return nil, fmt.Errorf("its format is %.40q, and this program knows %q and %q; use a newer program, or another file", format, format1, format2)
	case raw.Meta[safetensors.SumKey] == "":
		return nil, errors.New("it has no checksum, so damage would not be seen; use another checkpoint of the run")
	}
	f := &File{Format: 2, Rule: raw.Meta[ruleKey], Config: []byte(raw.Meta[configKey])}
	if p, ok := raw.Meta[progressKey]; ok {
		if f.Progress = json.RawMessage(p); !json.Valid(f.Progress) {
			return nil, errors.New("its progress is no JSON; the file was edited: use another checkpoint of the run")
		}
	}
	if format == format1 {
		f.Format, f.Rule, f.Arrays, f.Finished = 1, raw.Meta[oldRuleKey], raw.Tensors, true
		return f, nil
	}
	f.Arrays, f.Learner = map[string]safetensors.Array{}, map[string]safetensors.Array{}
	for name, a := range raw.Tensors {
		if own, ok := strings.CutPrefix(name, learnerPrefix); ok {
			f.Learner[own] = a
		} else {
			f.Arrays[name] = a
		}
	}
	return f, f.parseMeta(raw.Meta)
}

// parseMeta reads what format 2 has besides format 1.
func (f *File) parseMeta(meta map[string]string) error {
	switch meta[finishedKey] {
	case "true":
		f.Finished = true
	case "false":
	default:
		return fmt.Errorf("finished is %.40q, want true or false; write the file again", meta[finishedKey])
	}
	f.Stored = meta[storedKey]
	if _, ok := stores[f.Stored]; !ok {
		return fmt.Errorf("its arrays are stored as %.40q, and this program knows %s; use a newer program", f.Stored, dtypes)
	}
	if s, ok := meta[specKey]; ok {
		if err := strict(s, &f.Spec); err != nil {
			return fmt.Errorf("its description of the samples: %w", err)
		}
	}
	if s, ok := meta[normalizationKey]; ok {
		if err := strict(s, &f.Normalization); err != nil {
			return fmt.Errorf("its normalisation: %w", err)
		}
	}
	return f.validate()
}

// strict decodes JSON that has only keys that are known: one more would be a fact
// that this program ignores.
func strict(s string, into any) error {
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows the JSON")
	}
	return nil
}

// validate returns an error where the samples are described by what they cannot be.
func (f *File) validate() error {
	s := f.Spec
	switch {
	case s == nil && f.Normalization != nil:
		return errors.New("there is a normalisation of samples that are not described; set Spec too")
	case s == nil:
		return nil
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("its description of the samples: %w", err)
	}
	if len(s.Shape) == 0 || s.Steps > math.MaxInt/s.Shape.Size() {
		return fmt.Errorf("its description of the samples: %d steps of shape %v are no samples", s.Steps, s.Shape)
	}
	if err := f.Normalization.Validate(s.Shape); err != nil {
		return fmt.Errorf("its normalisation: %w", err)
	}
	return nil
}

// encode makes the safetensors file.
func (f File) encode() (safetensors.File, error) {
	raw := safetensors.File{Tensors: map[string]safetensors.Array{}}
	if f.Format == 1 {
		return raw, errors.New("a file of format 1 does not tell what is the model's from what is the learner's; open it with its rule and write that")
	}
	if err := f.validate(); err != nil {
		return raw, err
	}
	store, ok := stores[f.Stored]
	if !ok {
		return raw, fmt.Errorf("arrays cannot be stored as %q; use %s", f.Stored, dtypes)
	}
	for name, a := range f.Arrays {
		if strings.HasPrefix(name, learnerPrefix) || strings.HasPrefix(name, scalePrefix) {
			return raw, fmt.Errorf("array %q: names that begin with %s and %s are the file's own; choose another", name, learnerPrefix, scalePrefix)
		}
		if err := store(raw.Tensors, name, a); err != nil {
			return raw, fmt.Errorf("array %q: %w", name, err)
		}
	}
	for name, a := range f.Learner {
		raw.Tensors[learnerPrefix+name] = a
	}
	var err error
	raw.Meta, err = f.meta()
	return raw, err
}

func (f File) meta() (map[string]string, error) {
	m := map[string]string{
		formatKey: format2, configKey: string(f.Config), finishedKey: fmt.Sprint(f.Finished), storedKey: f.Stored,
	}
	if f.Stored == "" {
		m[storedKey] = Float32
	}
	if f.Rule != "" {
		m[ruleKey] = f.Rule
	}
	if f.Progress != nil {
		if !json.Valid(f.Progress) {
			return nil, errors.New("the progress is no JSON")
		}
		m[progressKey] = string(f.Progress)
	}
	if err := setJSON(m, specKey, f.Spec); err != nil {
		return nil, err
	}
	return m, setJSON(m, normalizationKey, f.Normalization)
}

// setJSON sets a key to the JSON of v, unless that is nil.
func setJSON[T any](m map[string]string, key string, v *T) error {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	m[key] = string(b)
	return err
}
