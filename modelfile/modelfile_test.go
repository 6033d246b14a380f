package modelfile

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/format/safetensors"
	"synfire/sample"
	"synfire/tensor"
)

// checkpoint is a small one with all that a file can hold.
func checkpoint() File {
	return File{
		Rule: "bptt", Config: []byte("seed: 1\n# ä\n"),
		Spec: &sample.Spec{Shape: tensor.Shape{2, 2, 1}, Targets: []sample.Field{
			{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}},
			{Name: "angle", Kind: sample.Values, Shape: tensor.Shape{1}, Unit: "rad"},
		}},
		Normalization: &sample.Normalization{Mean: []float64{0.1}, Std: []float64{0.3}},
		Arrays: map[string]safetensors.Array{
			"param.w": safetensors.F32([]float32{1, -0.3, 1e-8, 0.02, 127, float32(math.Copysign(0, -1))}, 2, 3),
			"param.b": safetensors.F32([]float32{0.1, 0.2, 0.3}, 3),
			"labels":  safetensors.I64([]int64{3, 1}, 2),
		},
		Learner: map[string]safetensors.Array{
			"optim.step": safetensors.U64([]uint64{7}, 1),
			"param.w":    safetensors.F64([]float64{math.Pi}, 1),
		},
		Progress: json.RawMessage(`{"step":7}`),
		Finished: true,
	}
}

func write(t testing.TB, f File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) File {
	t.Helper()
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return *f
}

// What was written is read, to the last bit, of a checkpoint and of its model, whose
// file has no trace of the learner.
func TestRoundTrip(t *testing.T) {
	want := checkpoint()
	got := read(t, write(t, want))
	want.Format, want.Stored = 2, Float32
	if !reflect.DeepEqual(got, want) {
		t.Errorf("checkpoint:\n%+v\nwant\n%+v", got, want)
	}
	path := write(t, checkpoint().Model())
	model := read(t, path)
	if len(model.Learner) != 0 || model.Progress != nil || !reflect.DeepEqual(model.Arrays, want.Arrays) || !reflect.DeepEqual(model.Spec, want.Spec) {
		t.Errorf("model: %+v", model)
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Contains(raw, []byte("optim.step")) || bytes.Contains(raw, []byte(progressKey)) {
		t.Errorf("the model's file holds state of the learner, %v", err)
	}
	if again, err := os.ReadFile(write(t, model)); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("written again, the file is another: %v", err)
	}
	graph := read(t, write(t, File{Config: []byte("nodes: []\n")}))
	if graph.Rule != "" || graph.Spec != nil || graph.Normalization != nil || graph.Finished {
		t.Errorf("graph: %+v", graph)
	}
}

// The header has all but the elements, of types as they are stored.
func TestReadHeader(t *testing.T) {
	f, err := checkpoint().Model().Convert(Int8)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHeader(write(t, f))
	if err != nil {
		t.Fatal(err)
	}
	w := h.Arrays["param.w"]
	if len(h.Arrays) != 3 || w.DType != "I8" || !slices.Equal(w.Shape, []int{2, 3}) || w.Data != nil || h.Stored != Int8 || !h.Spec.Equal(*f.Spec) {
		t.Errorf("%+v", h)
	}
}

// raw is a file with the metadata of a checkpoint, changed.
func raw(t testing.TB, change func(safetensors.File), write func(*bytes.Buffer, safetensors.File) error) string {
	t.Helper()
	f, err := checkpoint().encode()
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	var b bytes.Buffer
	if err := write(&b, f); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func summed(b *bytes.Buffer, f safetensors.File) error { return safetensors.EncodeSummed(b, f) }

// A checkpoint without a checksum is refused, in either format: damage to it would
// not be seen.
func TestNoChecksumIsRefused(t *testing.T) {
	for _, format := range []string{format1, format2} {
		path := raw(t, func(f safetensors.File) { f.Meta[formatKey] = format }, func(b *bytes.Buffer, f safetensors.File) error { return safetensors.Encode(b, f) })
		for _, read := range []func(string) (*File, error){Read, ReadHeader} {
			if _, err := read(path); err == nil || !strings.Contains(err.Error(), "no checksum") {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
}

// A changed bit anywhere, or a byte that is missing, is an error.
func TestDamageIsSeen(t *testing.T) {
	path := write(t, checkpoint())
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += 7 {
		damaged := slices.Clone(b)
		damaged[i] ^= 4
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Fatalf("byte %d of %d changed, and nobody noticed", i, len(b))
		}
		if err := os.WriteFile(path, b[:i], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Fatalf("%d of %d bytes, and nobody noticed", i, len(b))
		}
	}
}

// A wrong file is said to be what it is.
func TestWrongFiles(t *testing.T) {
	at := func(content string) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	meta := func(key, value string) string {
		return raw(t, func(f safetensors.File) { f.Meta[key] = value }, summed)
	}
	for name, c := range map[string]struct{ path, want string }{
		"yaml":          {at("seed: 1\nlayers: []\n"), "a text, such as YAML"},
		"npy":           {at("\x93NUMPY\x01\x00v\x00{'descr': '<f4'"), "NumPy array"},
		"npz":           {at("PK\x03\x04\x14\x00\x00\x00\x00\x00"), "zip archive"},
		"empty":         {at(""), "0 bytes"},
		"hostile size":  {at("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "the header claims 18446744073709551615 bytes"},
		"directory":     {t.TempDir(), "not a regular file"},
		"absent":        {filepath.Join(t.TempDir(), "none"), "check the path"},
		"other program": {raw(t, func(f safetensors.File) { delete(f.Meta, formatKey) }, summed), "of another program"},
		"newer":         {meta(formatKey, "synfire model 3"), `format is "synfire model 3"`},
		"dtype":         {meta(storedKey, "int4"), `stored as "int4"`},
		"finished":      {meta(finishedKey, ""), `finished is ""`},
		"progress":      {meta(progressKey, "{"), "progress is no JSON"},
		"spec":          {meta(specKey, `{"shape":[2],"colour":1}`), `unknown field "colour"`},
		"more spec":     {meta(specKey, `{"shape":[2]} {}`), "follows the JSON"},
		"shape":         {meta(specKey, `{"shape":[0]}`), "description of the samples"},
		"no shape":      {meta(specKey, `{}`), "are no samples"},
		"steps":         {meta(specKey, `{"shape":[4],"steps":9223372036854775807}`), "are no samples"},
		"normalisation": {meta(normalizationKey, `{"mean":[1,2],"std":[1]}`), "its normalisation"},
		"no samples":    {raw(t, func(f safetensors.File) { delete(f.Meta, specKey) }, summed), "not described"},
		"scale": {raw(t, func(f safetensors.File) {
			f.Tensors[scalePrefix+"param.w"] = safetensors.F32([]float32{1, 2}, 2)
		}, summed), "no scale of an array"},
		"scale alone": {raw(t, func(f safetensors.File) {
			f.Tensors[scalePrefix+"x"] = safetensors.F32([]float32{1, 2}, 2)
		}, summed), "no scale of an array"},
	} {
		f, err := Read(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || f != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What cannot be read back is not written.
func TestWriteErrors(t *testing.T) {
	for want, change := range map[string]func(*File){
		"format 1":              func(f *File) { f.Format = 1 },
		"the file's own":        func(f *File) { f.Arrays = map[string]safetensors.Array{"learner:x": {}} },
		"begin with learner: a": func(f *File) { f.Arrays = map[string]safetensors.Array{"scale:x": {}} },
		`stored as "int4"`:      func(f *File) { f.Stored = "int4" },
		"what Convert returns":  func(f *File) { f.Stored = Float16 },
		"that the type holds":   func(f *File) { f.Stored = Int8 },
		"not described":         func(f *File) { f.Spec = nil },
		"progress is no JSON":   func(f *File) { f.Progress = json.RawMessage("{") },
		"not valid UTF-8":       func(f *File) { f.Config = []byte{0xff} },
		"is unknown":            func(f *File) { f.Spec.Targets[0].Kind = 9 },
	} {
		f := checkpoint()
		change(&f)
		path := filepath.Join(t.TempDir(), "m")
		if err := Write(path, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was written", want)
		}
	}
}

// With int8 no value is farther off than half a scale of its channel, which is at most
// one part in 2^15 above the least possible; nothing changes if it is done again, and
// the file holds the very values.
func TestInt8(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows, channels := rapid.IntRange(1, 5).Draw(rt, "rows"), rapid.IntRange(1, 4).Draw(rt, "channels")
		w := make([]float32, rows*channels)
		for i := range w {
			w[i] = float32(rapid.Float64Range(-1, 1).Draw(rt, "w") * math.Ldexp(1, rapid.IntRange(-100, 100).Draw(rt, "e")))
		}
		for i := range channels {
			w[i] = max(w[i], 0x1p-120) // large enough
		}
		f := File{Arrays: map[string]safetensors.Array{"w": safetensors.F32(w, 1, rows, channels)}}
		c, err := f.Convert(Int8)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := c.Arrays["w"].F32s()
		if err != nil {
			rt.Fatal(err)
		}
		for i := range w {
			top := 0.0
			for r := range rows {
				top = max(top, math.Abs(float64(w[r*channels+i%channels])))
			}
			if d := math.Abs(float64(got[i]) - float64(w[i])); d > top/127/2*(1+0x1p-15) {
				rt.Errorf("value %v became %v, largest of the channel %v", w[i], got[i], top)
			}
		}
		again, err := c.Convert(Int8)
		if err != nil || !reflect.DeepEqual(again, c) {
			rt.Errorf("twice: %v, %v; once: %v", again.Arrays, err, c.Arrays)
		}
		raw, err := c.encode()
		if err != nil || raw.Tensors["w"].DType != "I8" {
			rt.Fatalf("%v, %+v", err, raw.Tensors)
		}
		back, err := decode(safetensors.File{Tensors: raw.Tensors, Meta: withSum(raw.Meta)})
		if err != nil || !reflect.DeepEqual(back.Arrays, c.Arrays) {
			rt.Errorf("read: %v, %v, want %v", back, err, c.Arrays)
		}
	})
}

func withSum(meta map[string]string) map[string]string {
	meta[safetensors.SumKey] = strings.Repeat("0", 64)
	return meta
}

// A converted model says what its file will: read back it is the same, smaller, and
// what is no weight stays.
func TestConvert(t *testing.T) {
	model := checkpoint().Model()
	sizes := map[string]int64{}
	for _, dtype := range []string{Float32, Float16, Int8} {
		c, err := model.Convert(dtype)
		if err != nil {
			t.Fatal(err)
		}
		path := write(t, c)
		got := read(t, path)
		if c.Format = 2; got.Stored != dtype || !reflect.DeepEqual(got.Arrays, c.Arrays) {
			t.Errorf("%s: read %+v\nwant %+v", dtype, got, c)
		}
		if !reflect.DeepEqual(got.Arrays["labels"], model.Arrays["labels"]) {
			t.Errorf("%s: labels %v", dtype, got.Arrays["labels"])
		}
		if dtype == Int8 && !reflect.DeepEqual(got.Arrays["param.b"], model.Arrays["param.b"]) {
			t.Error("int8: the bias is not what it was")
		}
		for name, a := range got.Arrays {
			if name != "labels" && a.DType != "F32" {
				t.Errorf("%s: array %s is %s in memory", dtype, name, a.DType)
			}
		}
		h, err := safetensors.ReadFileHeader(path, safetensors.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		sizes[h.Tensors["param.w"].DType]++
	}
	if !reflect.DeepEqual(sizes, map[string]int64{"F32": 1, "F16": 1, "I8": 1}) {
		t.Errorf("stored as %v", sizes)
	}
	if model.Stored != "" || !reflect.DeepEqual(model, checkpoint().Model()) {
		t.Error("Convert wrote to the model that it was called on")
	}
	wide := File{Arrays: map[string]safetensors.Array{"w": safetensors.F64([]float64{math.Pi}, 1, 1)}}
	if c, err := wide.Convert(Float32); err != nil || !reflect.DeepEqual(c.Arrays["w"], safetensors.F32([]float32{math.Pi}, 1, 1)) {
		t.Errorf("float64 to float32: %v, %v", c.Arrays, err)
	}
}

// What a type cannot hold is an error and never clipped.
func TestConvertErrors(t *testing.T) {
	one := func(v float64) File {
		return File{Arrays: map[string]safetensors.Array{"w": safetensors.F64([]float64{v, 0}, 2, 1)}}
	}
	for _, c := range []struct {
		f           File
		dtype, want string
	}{
		{checkpoint(), Int8, "checkpoint"},
		{one(1), "int4", `no type "int4"`},
		{File{Format: 1}, Float16, "format 1"},
		{one(65520), Float16, "65504"},
		{one(math.NaN()), Float16, "NaN"},
		{one(math.Inf(1)), Int8, "+Inf"},
		{one(1e-39), Int8, "1e-39"},
		{one(3e38), Int8, "3e+38"},
		{one(1e300), Float32, "beyond"},
		{one(1e300), Int8, "1e+300"},
	} {
		if _, err := c.f.Convert(c.dtype); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.dtype, err, c.want)
		}
	}
}

// A tensor comes back as it was; an array that does not fit is named.
func TestPack(t *testing.T) {
	x := tensor.Tensor{Shape: tensor.Shape{3, 1}, Data: []tensor.Float{1, -0.1, tensor.Float(math.Copysign(0, -1))}}
	arrays := map[string]safetensors.Array{
		"x": Pack(x), "f64": safetensors.F64([]float64{0.5}, 1), "f32": safetensors.F32([]float32{0.5}, 1), "nan": safetensors.F32([]float32{float32(math.NaN())}, 1),
		"whole": safetensors.I64([]int64{1}, 1), "cut": {DType: "F32", Shape: []int{1}},
	}
	got, err := Unpack(arrays, "x", x.Shape)
	if err != nil || !slices.Equal(got, x.Data) || !math.Signbit(float64(got[2])) {
		t.Errorf("%v, %v", got, err)
	}
	for _, name := range []string{"f32", "f64"} {
		if got, err := Unpack(arrays, name, tensor.Shape{1}); err != nil || got[0] != 0.5 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{"none": `no array "none"`, "x": "has shape 3×1", "nan": "holds NaN", "whole": "type I64", "cut": "0 elements"} {
		if _, err := Unpack(arrays, name, tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// No bytes make Read panic, and what it takes it writes and reads again. The fuzzer
// cannot find checksums, so they are made for it.
func FuzzRead(f *testing.F) {
	for _, dtype := range []string{Float32, Float16, Int8} {
		c, err := checkpoint().Model().Convert(dtype)
		if err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(write(f, c))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	b, err := os.ReadFile(write(f, checkpoint()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bytes.Replace(b, []byte(format2), []byte(format1+"\",\"x\":\""), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, err := safetensors.Decode(b, safetensors.Limits{})
		if err != nil {
			return
		}
		if raw.Meta == nil {
			raw.Meta = map[string]string{}
		}
		file, err := decode(safetensors.File{Tensors: raw.Tensors, Meta: withSum(raw.Meta)})
		if err != nil {
			return
		}
		file.Format, file.Stored = 2, "" // what others stored need not be what Convert makes
		out, err := file.encode()
		if err != nil {
			return // for a name of the file's own
		}
		var own bytes.Buffer
		if err := safetensors.EncodeSummed(&own, out); err != nil {
			t.Fatal(err)
		}
		if out, err = safetensors.Decode(own.Bytes(), safetensors.Limits{}); err != nil {
			t.Fatal(err)
		}
		again, err := decode(out)
		if err != nil {
			t.Fatalf("own file is refused: %v", err)
		}
		if file.Stored = Float32; len(file.Learner) == 0 {
			file.Learner = again.Learner
		}
		if !reflect.DeepEqual(again, file) {
			t.Errorf("%+v\nbecame\n%+v", file, again)
		}
	})
}

// Checkpoints of format 1, one of each learner there was, open for ever: their arrays
// all in one place, and nothing said of the samples.
func TestFormat1Opens(t *testing.T) {
	for name, arrays := range map[string]map[string]tensor.Shape{
		"bptt":                 {"param.conv2d1.weight": {5, 5, 1, 4}, "buffer.batchnorm1.mean": {4}, "optim.1.linear1.weight": {144, 10}, "optim.step": {1}},
		"eqprop-plain":         {"w1": {784, 8}, "b2": {10}, "particles2": {100, 10}, "eqprop.step": {1}},
		"eqprop-convolutional": {"w2": {5, 5, 4, 8}, "w3": {128, 10}},
		"eqprop-predictor":     {"w1": {784, 8}, "forward.w2": {8, 10}},
		"eqprop-spiking":       {"w1": {784, 8}},
		"eqprop-binary":        {"shadow.w1": {784, 8}},
		"eqprop-topk-pruned":   {"w1": {784, 16}},
		"eqprop-cross-entropy": {"w3": {8, 10}},
	} {
		path := filepath.Join("testdata", "format1", name+".safetensors")
		f, err := Read(path)
		if err != nil {
			t.Error(err)
			continue
		}
		rule, _, _ := strings.Cut(name, "-")
		if f.Format != 1 || f.Rule != rule || f.Spec != nil || f.Normalization != nil || len(f.Learner) != 0 || !f.Finished || f.Stored != "" {
			t.Errorf("%s: %+v", name, f)
		}
		if !json.Valid(f.Progress) || !bytes.Contains(f.Progress, []byte(`"step"`)) || !bytes.Contains(f.Config, []byte("seed: 1\n")) {
			t.Errorf("%s: progress %s, configuration\n%s", name, f.Progress, f.Config)
		}
		for array, shape := range arrays {
			a, ok := f.Arrays[array]
			if !ok || !shape.Equal(a.Shape) {
				t.Errorf("%s: array %s has shape %v, want %v", name, array, a.Shape, shape)
			}
			if _, err := Unpack(f.Arrays, array, shape); err != nil && a.DType != "U64" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if h, err := ReadHeader(path); err != nil || len(h.Arrays) != len(f.Arrays) || h.Rule != rule {
			t.Errorf("%s: header %+v, %v", name, h, err)
		}
		if err := Write(filepath.Join(t.TempDir(), "m"), f.Model()); err == nil || !strings.Contains(err.Error(), "format 1") {
			t.Errorf("%s: written as a model of format 2: %v", name, err)
		}
	}
}
