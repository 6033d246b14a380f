// Package modelfile is a stand-in.
package modelfile

import (
	"encoding/json"
	"fmt"
	"strings"

	"synfire/format/safetensors"
	"synfire/sample"
	"synfire/tensor"
)

type File struct {
	Rule          string
	Config        []byte
	Spec          *sample.Spec
	Normalization *sample.Normalization
	Arrays        map[string]safetensors.Array
	Learner       map[string]safetensors.Array
	Progress      json.RawMessage
	Finished      bool
	Format        int
}

const prefix = "learner:"

func Read(path string) (*File, error) {
	s, err := safetensors.ReadFile(path, safetensors.Limits{})
	if err != nil {
		return nil, err
	}
	f := &File{Format: 2, Rule: s.Meta["rule"], Config: []byte(s.Meta["config"]), Progress: json.RawMessage(s.Meta["progress"]), Finished: s.Meta["finished"] == "true", Arrays: map[string]safetensors.Array{}, Learner: map[string]safetensors.Array{}}
	if s.Meta["format"] == "synfire checkpoint 1" {
		f.Format, f.Rule, f.Arrays = 1, s.Meta["learner"], s.Tensors
		return f, nil
	}
	if s.Meta["format"] != "synfire model 2" {
		return nil, fmt.Errorf("read model %s: format %q", path, s.Meta["format"])
	}
	f.Spec = &sample.Spec{}
	if err := json.Unmarshal([]byte(s.Meta["spec"]), f.Spec); err != nil {
		return nil, err
	}
	if s.Meta["normalization"] != "null" {
		f.Normalization = &sample.Normalization{}
		if err := json.Unmarshal([]byte(s.Meta["normalization"]), f.Normalization); err != nil {
			return nil, err
		}
	}
	for name, a := range s.Tensors {
		if own, ok := strings.CutPrefix(name, prefix); ok {
			f.Learner[own] = a
		} else {
			f.Arrays[name] = a
		}
	}
	return f, nil
}

func Write(path string, f File) error {
	spec, err := json.Marshal(f.Spec)
	if err != nil {
		return err
	}
	norm, err := json.Marshal(f.Normalization)
	if err != nil {
		return err
	}
	s := safetensors.File{Meta: map[string]string{"format": "synfire model 2", "rule": f.Rule, "config": string(f.Config), "spec": string(spec), "normalization": string(norm), "progress": string(f.Progress), "finished": fmt.Sprint(f.Finished), safetensors.SumKey: ""}, Tensors: map[string]safetensors.Array{}}
	for n, a := range f.Arrays {
		s.Tensors[n] = a
	}
	for n, a := range f.Learner {
		s.Tensors[prefix+n] = a
	}
	return safetensors.WriteFileAtomic(path, s)
}

func (f File) Model() File { f.Learner, f.Progress = nil, nil; return f }

func Pack(t tensor.Tensor) safetensors.Array {
	switch v := any(t.Data).(type) {
	case []float32:
		return safetensors.F32(v, t.Shape...)
	case []float64:
		return safetensors.F64(v, t.Shape...)
	}
	panic("unknown element type")
}

func Unpack(s map[string]safetensors.Array, name string, shape tensor.Shape) ([]tensor.Float, error) {
	a, ok := s[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("the file has no array %q, which this configuration needs", name)
	case !shape.Equal(a.Shape):
		return nil, fmt.Errorf("array %q has shape %v in the file, %v in this configuration", name, tensor.Shape(a.Shape), shape)
	}
	out := make([]tensor.Float, shape.Size())
	v32, err := a.F32s()
	if err == nil {
		for i, v := range v32 {
			out[i] = tensor.Float(v)
		}
		return out, nil
	}
	v64, err := a.F64s()
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	for i, v := range v64 {
		out[i] = tensor.Float(v)
	}
	return out, nil
}
