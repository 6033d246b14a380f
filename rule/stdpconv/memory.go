package stdpconv

import (
	"slices"

	"synfire/format/safetensors"
	"synfire/modelfile"
	"synfire/tensor"
	"synfire/train"
)

// memory is what is learned.
type memory struct {
	sizes
	stages   []Stage
	front    *Front
	net      Net
	readout  *Linear
	labelled int // samples that the readout has learned; 0 until it is finished
}

// stage is the one that learns; behind the last once all have learned.
func (m *memory) stage() int {
	for k, s := range m.stages {
		if m.net[k].seen < s.Samples {
			return k
		}
	}
	return len(m.stages)
}

func (m *memory) finished() bool { return m.labelled > 0 }

// forget drops the readout.
func (m *memory) forget() {
	clear(m.readout.weight)
	clear(m.readout.bias)
	m.labelled = 0
}

// know takes up a readout of so many samples, in the precision of files. On an error nothing has
// changed.
func (m *memory) know(r *Linear, samples int) error {
	weight, bias := rounded(r.weight), rounded(r.bias)
	for _, v := range [][]tensor.Float{weight, bias} {
		if i, ok := tensor.Finite(v); !ok {
			return fail("the readout came to a weight of %v; lower readout.lr", v[i])
		}
	}
	m.setReadout(weight, bias)
	m.labelled = samples
	return nil
}

func (m *memory) setReadout(weight, bias []tensor.Float) {
	for i, v := range weight {
		m.readout.weight[i] = float64(v)
	}
	for i, v := range bias {
		m.readout.bias[i] = float64(v)
	}
}

func rounded(v []float64) []tensor.Float {
	out := make([]tensor.Float, len(v))
	for i, x := range v {
		out[i] = tensor.Float(x)
	}
	return out
}

// The names of arrays.
const (
	readoutWeight = "readout.weight"
	readoutBias   = "readout.bias"
	labelledName  = "labelled"
	seenName      = "seen"
)

func weightName(k int) string { return layerName(k) + ".weight" }

// floats are the arrays of numbers; those of the readout are copies.
func (m *memory) floats() map[string]tensor.Tensor {
	out := map[string]tensor.Tensor{
		readoutWeight: {Shape: tensor.Shape{m.units, m.classes}, Data: rounded(m.readout.weight)},
		readoutBias:   {Shape: tensor.Shape{m.classes}, Data: rounded(m.readout.bias)},
	}
	for k, l := range m.net {
		out[weightName(k)] = tensor.Tensor{Shape: tensor.Shape{l.Kernel, l.Kernel, l.In, l.Maps}, Data: l.Weight}
	}
	return out
}

// arrays are the model, and with progress the samples that each stage has seen.
func (m *memory) arrays(progress bool) map[string]train.Array {
	out := map[string]train.Array{labelledName: safetensors.I64([]int64{int64(m.labelled)}, 1)}
	for name, x := range m.floats() {
		out[name] = modelfile.Pack(x)
	}
	if progress {
		var seen []int64
		for _, l := range m.net {
			seen = append(seen, int64(l.seen))
		}
		out[seenName] = safetensors.I64(seen, len(seen))
	}
	return out
}

// take takes up what arrays returned. On an error nothing has changed.
func (m *memory) take(s map[string]train.Array, progress bool) error {
	floats := m.floats()
	want := len(floats) + 1
	if progress {
		want++
	}
	if len(s) != want {
		return fail("there are %d arrays, of this network %d: was the file made with another configuration?", len(s), want)
	}
	found := map[string][]tensor.Float{}
	for name, x := range floats {
		var err error
		if found[name], err = modelfile.Unpack(s, name, x.Shape); err != nil {
			return fail("%w", err)
		}
	}
	labelled, err := counts(s, labelledName, 1)
	if err != nil {
		return err
	}
	seen := make([]int64, len(m.net))
	if progress {
		if seen, err = counts(s, seenName, len(m.net)); err != nil {
			return err
		}
	}
	for k, l := range m.net {
		copy(l.Weight, found[weightName(k)])
		l.resume(int(seen[k]))
	}
	m.setReadout(found[readoutWeight], found[readoutBias])
	m.labelled = int(labelled[0])
	return nil
}

// counts are n numbers of samples.
func counts(s map[string]train.Array, name string, n int) ([]int64, error) {
	list, err := s[name].I64s()
	if err != nil || len(list) != n || len(s[name].Shape) != 1 || slices.Min(list) < 0 {
		return nil, fail("there are no %d numbers of samples %q: is it a model of another rule?", n, name)
	}
	return list, nil
}
