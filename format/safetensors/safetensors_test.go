package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	peer "github.com/nlpodyssey/safetensors"
)

func sample() File {
	return File{
		Meta: map[string]string{"learner": "stbp", "note": "a < b & \"c\" \u00e9\u2028\n"},
		Tensors: map[string]Array{
			"w":      F32([]float32{0, float32(math.Copysign(0, -1)), 1.5, float32(math.Inf(1)), 1e-45, 6}, 2, 3),
			"a/mean": F64([]float64{math.Pi, -1, math.MaxFloat64}, 3),
			"step":   I64([]int64{math.MinInt64}),
			"seed":   U64([]uint64{math.MaxUint64}, 1, 1),
			"mask":   U8([]uint8{0, 1, 255}, 3),
			"none":   F32(nil, 0, 7),
			"half":   {DType: "BF16", Shape: []int{2}, Data: []byte{1, 2, 3, 4}},
			"é ü":    {DType: "F4", Shape: []int{4}, Data: []byte{0x12, 0x34}},
		},
	}
}

func encode(t testing.TB, f File, enc func(io.Writer, File) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := enc(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// raw builds a file from a header that no encoder would write.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestRoundTrip(t *testing.T) {
	b := encode(t, sample(), Encode)
	got, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Tensors["step"] = Array{"I64", []int{}, want.Tensors["step"].Data}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	streamed, err := DecodeReaderAt(bytes.NewReader(b), int64(len(b)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, streamed); d != "" {
		t.Error(d)
	}
	if !bytes.Equal(b, encode(t, got, Encode)) {
		t.Error("encoding again gives other bytes")
	}
}

func TestAccessors(t *testing.T) {
	f := sample()
	f32, err1 := f.Tensors["w"].F32s()
	f64, err2 := f.Tensors["a/mean"].F64s()
	i64, err3 := f.Tensors["step"].I64s()
	u64, err4 := f.Tensors["seed"].U64s()
	u8, err5 := f.Tensors["mask"].U8s()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if f32[3] != float32(math.Inf(1)) || !math.Signbit(float64(f32[1])) || f32[4] != 1e-45 {
		t.Errorf("F32s %v", f32)
	}
	if f64[0] != math.Pi || i64[0] != math.MinInt64 || u64[0] != math.MaxUint64 || u8[2] != 255 {
		t.Errorf("got %v %v %v %v", f64, i64, u64, u8)
	}
	if _, err := f.Tensors["w"].F64s(); err == nil || !strings.Contains(err.Error(), "read F64 elements: the array holds F32") {
		t.Errorf("F64s of F32: error %v", err)
	}
	if _, err := (Array{DType: "F32", Data: make([]byte, 5)}).F32s(); err == nil {
		t.Error("5 bytes read as F32")
	}
}

func TestGoldenBytes(t *testing.T) {
	b := encode(t, File{
		Meta:    map[string]string{"k": "<v>"},
		Tensors: map[string]Array{"b": F32([]float32{1}), "a": U8([]uint8{7, 8}, 2, 1)},
	}, Encode)
	header := `{"__metadata__":{"k":"<v>"},"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[],"data_offsets":[2,6]}}`
	for (len(header))%8 != 0 {
		header += " "
	}
	want := append(raw(header, 0), 7, 8, 0, 0, 0x80, 0x3f)
	if !bytes.Equal(b, want) {
		t.Errorf("got  %q\nwant %q", b, want)
	}
}

func TestEncodeErrors(t *testing.T) {
	one := func(name string, a Array) File { return File{Tensors: map[string]Array{name: a}} }
	tests := []struct {
		f    File
		want string
	}{
		{one("w", F32([]float32{1, 2}, 3)), `tensor "w": shape [3] of F32 takes 12 bytes, Data has 8`},
		{one("w", Array{DType: "F128"}), `unknown dtype "F128"; known are BF16, BOOL`},
		{one("w", F32(nil, -1)), "negative dimension"},
		{one("w", F32(nil, math.MaxInt, 2)), "overflows"},
		{one("w", Array{"F4", []int{3}, []byte{1, 2}}), "12 bits, not whole bytes"},
		{one("__metadata__", U8(nil, 0)), "reserved"},
		{one("\xff", U8(nil, 0)), "not valid UTF-8"},
		{File{Meta: map[string]string{"k": "\xff"}}, `metadata "k": not valid UTF-8`},
	}
	for _, tt := range tests {
		if err := Encode(io.Discard, tt.f); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "0 bytes, a file has at least 8"},
		{"no header", raw("", 0), "does not start with {"},
		{"no object", raw("[]", 0), "does not start with {"},
		{"leading space", raw(" {}", 0), "does not start with {"},
		{"not JSON", raw(`{"a":}`, 0), "not valid JSON"},
		{"trailing comma", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}`, 0), "not valid JSON"},
		{"text after the object", raw(`{} {}`, 0), "not valid JSON"},
		{"not UTF-8", raw("{\"\xff\":1}", 0), "not valid UTF-8"},
		{"same tensor twice", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), `key "a" comes twice in the header`},
		{"same field twice", raw(`{"a":{"dtype":"U8","dtype":"U8","data_offsets":[0,0]}}`, 0), `key "dtype" comes twice in tensor "a"`},
		{"same metadata twice", raw(`{"__metadata__":{"k":"1","k":"2"}}`, 0), `key "k" comes twice in __metadata__`},
		{"metadata number", raw(`{"__metadata__":{"k":1}}`, 0), `__metadata__ key "k" must be a string, found 1`},
		{"metadata null", raw(`{"__metadata__":null}`, 0), "__metadata__ must be an object"},
		{"unknown field", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"Shape":[]}}`, 0), `unknown key "Shape"`},
		{"missing field", raw(`{"a":{"dtype":"U8","shape":[0]}}`, 0), "has 2 of the keys"},
		{"tensor is a list", raw(`{"a":[]}`, 0), `tensor "a" must be an object`},
		{"dtype number", raw(`{"a":{"dtype":8,"shape":[0],"data_offsets":[0,0]}}`, 0), "dtype must be a string"},
		{"unknown dtype", raw(`{"a":{"dtype":"f32","shape":[0],"data_offsets":[0,0]}}`, 0), `unknown dtype "f32"; known are`},
		{"negative dimension", raw(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}`, 0), "holds -1"},
		{"fraction", raw(`{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, 1), "holds 1.0"},
		{"nested shape", raw(`{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}`, 1), "shape holds ["},
		{"shape string", raw(`{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}`, 1), "shape holds 1"},
		{"huge dimension", raw(`{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}`, 0), "not an integer from 0 to 2^63-1"},
		{"overflow of the product", raw(`{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "overflows"},
		{"one offset", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1]}}`, 1), "data_offsets has 1 numbers"},
		{"backwards", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "run backwards"},
		{"length", raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "takes 8 bytes, data_offsets [0,4] span 4"},
		{"overlap", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), `tensor "b": data_offsets [1,3] overlap`},
		{"same place", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), "overlap"},
		{"hole", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), "hole of 1 bytes"},
		{"hole at the start", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "hole of 1 bytes"},
		{"past the end", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 3), "end past the 3 bytes"},
		{"data left over", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 3), "cover 1 bytes, the file has 3"},
		{"deep nesting", raw(`{"a":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`, 0), "not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.b, Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "safetensors: ") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	b := encode(t, sample(), Encode)
	if _, err := Decode(b, Limits{HeaderBytes: 64}); err == nil || !strings.Contains(err.Error(), "the limit is 64") {
		t.Errorf("header limit: %v", err)
	}
	if _, err := Decode(b, Limits{DataBytes: 10}); err == nil || !strings.Contains(err.Error(), "the limit is 10") {
		t.Errorf("data limit: %v", err)
	}
	huge := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	if _, err := Decode(append(huge, '{', '}'), Limits{HeaderBytes: math.MaxInt64}); err == nil || !strings.Contains(err.Error(), "claims 18446744073709551615") {
		t.Errorf("length of 2^64-1: %v", err)
	}
	if _, err := DecodeReaderAt(bytes.NewReader(b), int64(len(b))+1, Limits{}); err == nil {
		t.Error("a size beyond the reader's end was accepted")
	}
}

func TestEveryTruncationIsDetected(t *testing.T) {
	b := encode(t, sample(), EncodeSummed)
	for n := range b {
		if _, err := Decode(b[:n], Limits{}); err == nil {
			t.Fatalf("%d of %d bytes decode without error", n, len(b))
		}
		if _, err := DecodeReaderAt(bytes.NewReader(b[:n]), int64(len(b)), Limits{}); err == nil {
			t.Fatalf("a reader that ends after %d of %d bytes decodes without error", n, len(b))
		}
	}
}

func TestPeerReadsOurs(t *testing.T) {
	f := sample()
	delete(f.Tensors, "é ü") // the peer does not know four-bit types
	st, err := peer.Deserialize(encode(t, f, EncodeSummed))
	if err != nil {
		t.Fatal(err)
	}
	if st.Len() != len(f.Tensors) {
		t.Errorf("peer sees %d tensors, want %d", st.Len(), len(f.Tensors))
	}
	for name, a := range f.Tensors {
		v, ok := st.Tensor(name)
		if !ok || v.DType().String() != a.DType || len(v.Shape()) != len(a.Shape) || !bytes.Equal(v.Data(), a.Data) {
			t.Errorf("tensor %q: peer sees %v %v %v, want %v", name, v.DType(), v.Shape(), v.Data(), a)
			continue
		}
		for i, d := range a.Shape {
			if v.Shape()[i] != uint64(d) {
				t.Errorf("tensor %q: peer sees shape %v, want %v", name, v.Shape(), a.Shape)
			}
		}
	}
}

func TestWeReadPeer(t *testing.T) {
	want := sample()
	delete(want.Tensors, "é ü")
	want.Tensors["step"] = I64([]int64{-7}, 1) // the peer cannot build a scalar
	views := map[string]peer.TensorView{}
	for name, a := range want.Tensors {
		dt, err := peer.ParseDType(a.DType)
		if err != nil {
			t.Fatal(err)
		}
		shape := make([]uint64, len(a.Shape))
		for i, d := range a.Shape {
			shape[i] = uint64(d)
		}
		if views[name], err = peer.NewTensorView(dt, shape, a.Data); err != nil {
			t.Fatal(err)
		}
	}
	b, err := peer.Serialize(views, want.Meta)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample(), Encode))
	f.Add(encode(f, sample(), EncodeSummed))
	f.Add(raw(`{"__metadata__":{"sha256":"\u0030"}}`, 0))
	f.Add(raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = Verify(b, Limits{})
		first, err := Decode(b, Limits{})
		if err != nil {
			return
		}
		again, err := Decode(encode(t, first, Encode), Limits{})
		if err != nil {
			t.Fatalf("own output is refused: %v", err)
		}
		if d := cmp.Diff(first, again); d != "" {
			t.Error(d)
		}
		summed := encode(t, first, EncodeSummed)
		if err := Verify(summed, Limits{}); err != nil {
			t.Errorf("own sum is refused: %v", err)
		}
	})
}

// A file of another format is said to be that, in place of a header of as many bytes
// as its first letters are worth.
func TestForeignFiles(t *testing.T) {
	for content, want := range map[string]string{
		"learner: bptt\nseed: 1\n":      "a text, such as YAML",
		"seed":                          "a text, such as YAML",
		strings.Repeat("ä", 300):        "a text, such as YAML",
		"\x93NUMPY\x01\x00v\x00{'descr": "a NumPy array",
		"PK\x03\x04\x14\x00\x00\x00":    "a zip archive",
		`{"recipe": "x"}`:               "JSON",
		"\x80\x02}q\x00(X\x06\x00\x00":  "a Python pickle",
		"":                              "0 bytes",
		"\x00\x01\x02":                  "3 bytes",
	} {
		if _, err := Decode([]byte(content), Limits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

// The header alone names all arrays with their types and shapes, and reads none: a
// file whose data is damaged has the same.
func TestReadFileHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := WriteFileAtomic(path, sample()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFileHeader(path, Limits{})
	if err != nil || len(f.Tensors) != len(sample().Tensors) || len(f.Meta[SumKey]) != 64 {
		t.Fatalf("%+v, %v", f, err)
	}
	for name, a := range sample().Tensors {
		if got := f.Tensors[name]; got.DType != a.DType || !slices.Equal(got.Shape, a.Shape) || got.Data != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := ReadFile(path, Limits{}); err == nil {
		t.Error("damaged data were read")
	}
	if err := os.Truncate(path, int64(len(b)-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFileHeader(path, Limits{}); err == nil || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("truncated: %v", err)
	}
}
