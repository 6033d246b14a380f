package wav_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/format/wav"
)

// file is a WAV file of given chunks.
func file(chunks ...string) string {
	body := "WAVE" + strings.Join(chunks, "")
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
}

func chunk(name, content string) string {
	if len(content)%2 == 1 {
		return name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) + content + "\x00"
	}
	return name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) + content
}

func format(coding, channels, rate, bits int) string {
	b := binary.LittleEndian.AppendUint16(nil, uint16(coding))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	return chunk("fmt ", string(binary.LittleEndian.AppendUint16(b, uint16(bits))))
}

func TestRead(t *testing.T) {
	half := string(binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5)))
	for name, c := range map[string]struct {
		in       string
		channels int
		want     []float32
	}{
		"16 bits":      {file(format(1, 1, 8000, 16), chunk("data", "\x00\x00\x00\x40\x00\x80")), 1, []float32{0, 0.5, -1}},
		"8 bits":       {file(format(1, 1, 8000, 8), chunk("data", "\x80\xff\x00")), 1, []float32{0, 127. / 128, -1}},
		"24 bits":      {file(format(1, 1, 8000, 24), chunk("data", "\x00\x00\x40\x00\x00\x80")), 1, []float32{0.5, -1}},
		"32 bits":      {file(format(1, 1, 8000, 32), chunk("data", "\x00\x00\x00\xc0")), 1, []float32{-0.5}},
		"float":        {file(format(3, 1, 8000, 32), chunk("data", half)), 1, []float32{0.5}},
		"stereo":       {file(format(1, 2, 8000, 16), chunk("LIST", "odd"), chunk("data", "\x00\x40\x00\xc0")), 2, []float32{0.5, -0.5}},
		"no samples":   {file(format(1, 1, 8000, 16), chunk("data", "")), 1, nil},
		"more follows": {file(format(1, 1, 8000, 8), chunk("data", "\xc0"), chunk("LIST", "x")), 1, []float32{0.5}},
	} {
		s, err := wav.Read(strings.NewReader(c.in), 1000)
		if err != nil || s.Rate != 8000 || s.Channels != c.channels || !slices.Equal(s.Samples, c.want) {
			t.Errorf("%s: %+v, %v; want %v", name, s, err, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	good := format(1, 1, 8000, 16)
	for name, c := range map[string]struct{ in, want string }{
		"empty":        {"", "not a WAV file"},
		"MP3":          {"ID3\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", "not a WAV file"},
		"no data":      {file(good), "no samples"},
		"data first":   {file(chunk("data", "ab"), good), "before their format"},
		"truncated":    {file(good, "data\xff\xff\xff\x7fab"), "declares 2147483647 bytes, found 2"},
		"half a frame": {file(good, chunk("data", "abc")), "3 bytes of samples"},
		"mu-law":       {file(format(7, 1, 8000, 8), chunk("data", "ab")), "coding 7"},
		"no channels":  {file(format(1, 0, 8000, 16), chunk("data", "ab")), "0 channels"},
		"short format": {file(chunk("fmt ", "abcd"), chunk("data", "ab")), "format of 4 bytes"},
		"too long":     {file(good, chunk("data", strings.Repeat("ab", 1000))), "permitted 1000 bytes"},
	} {
		if _, err := wav.Read(strings.NewReader(c.in), 1000); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(file(format(1, 2, 8000, 16), chunk("data", "abcd"))))
	f.Add([]byte(file(format(3, 1, 1, 32))))
	f.Fuzz(func(t *testing.T, in []byte) {
		if s, err := wav.Read(bytes.NewReader(in), 1<<12); err == nil && len(s.Samples)%s.Channels != 0 {
			t.Fatalf("%d samples of %d channels", len(s.Samples), s.Channels)
		}
	})
}

func ExampleRead() {
	in := file(format(1, 1, 8000, 16), chunk("data", "\x00\x40\x00\xe0"))
	s, err := wav.Read(strings.NewReader(in), 1<<20)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Rate, s.Samples)
	// Output: 8000 [0.5 -0.25]
}

// What is written is read again: 16-bit values as they are, others rounded and cut off.
func TestEncode(t *testing.T) {
	in := &wav.Sound{Rate: 8000, Channels: 2, Samples: []float32{0.5, -1, 3, 1.4 / (1 << 15)}}
	b := wav.Encode(in)
	if want := file(format(1, 2, 8000, 16), chunk("data", "\x00\x40\x00\x80\xff\x7f\x01\x00")); string(b) != want {
		t.Errorf("%q, want %q", b, want)
	}
	out, err := wav.Decode(b)
	if err != nil || out.Rate != 8000 || out.Channels != 2 || !slices.Equal(out.Samples, []float32{0.5, -1, 1 - 1.0/(1<<15), 1.0 / (1 << 15)}) {
		t.Errorf("%+v, %v", out, err)
	}
}
