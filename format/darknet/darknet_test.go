package darknet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/format/darknet"
)

func small(t testing.TB) (*darknet.Config, []darknet.Layer) {
	t.Helper()
	b, err := os.ReadFile("testdata/small.cfg")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(b))
}

func parse(t testing.TB, text string) (*darknet.Config, []darknet.Layer) {
	t.Helper()
	c, err := darknet.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := c.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return c, layers
}

// Shapes and numbers by hand.
func TestLayers(t *testing.T) {
	c, layers := small(t)
	for i, want := range []struct {
		out     darknet.Shape
		numbers int
	}{
		{darknet.Shape{8, 4, 4}, 4*4 + 4*3*9}, {darknet.Shape{4, 2, 4}, 0}, {darknet.Shape{4, 2, 4}, 0}, {darknet.Shape{4, 2, 8}, 0},
		{darknet.Shape{4, 2, 8}, 8 + 8*4}, {darknet.Shape{4, 2, 8}, 0}, {darknet.Shape{8, 4, 8}, 0}, {darknet.Shape{2, 1, 128}, 0},
		{darknet.Shape{2, 1, 12}, 12 + 12*128}, {darknet.Shape{2, 1, 12}, 0}, {darknet.Shape{1, 1, 3}, 3*4 + 3*24},
	} {
		if l := layers[i]; l.Out != want.out || l.Numbers() != want.numbers {
			t.Errorf("layer %d [%s]: %v with %d numbers, want %v with %d", i, l.Section.Name, l.Out, l.Numbers(), want.out, want.numbers)
		}
	}
	if !slices.Equal(layers[3].From, []int{2, 1}) || !slices.Equal(layers[5].From, []int{3}) {
		t.Errorf("route of %v, shortcut of %v", layers[3].From, layers[5].From)
	}
	if a, err := layers[9].Section.Floats("anchors"); err != nil || !slices.Equal(a, []float64{1, 1, 2, 2.5}) {
		t.Errorf("anchors %v, %v", a, err)
	}
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, _ := parse(t, b.String())
	for i := range again.Sections {
		again.Sections[i].Line = c.Sections[i].Line
	}
	if !reflect.DeepEqual(again, c) {
		t.Errorf("written and read back: %+v, want %+v", again, c)
	}
}

// Defaults: a convolution has one filter of 1×1 and no padding; pad overrides padding;
// maxpool takes its stride as size.
func TestDefaults(t *testing.T) {
	_, l := parse(t, "[net]\nwidth=7\nheight=7\nchannels=2\n[convolutional]\n[convolutional]\nsize=3\npadding=5\npad=1\n[convolutional]\nsize=3\npadding=2\n[maxpool]\nstride=2\n[convolutional]\nsize=2\npad=1\n")
	for i, want := range []darknet.Shape{{7, 7, 1}, {7, 7, 1}, {9, 9, 1}, {5, 5, 1}, {6, 6, 1}} { // pad is size/2, of even sizes too
		if l[i].Out != want {
			t.Errorf("layer %d: %v, want %v", i, l[i].Out, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	const net = "[net]\nwidth=8\nheight=8\nchannels=3\n"
	for want, text := range map[string]string{
		"first section is not [net]":     "[convolutional]\n",
		"KEY=VALUE below a [section]":    "a=1\n",
		"line 2: \"xyz\"":                "[net]\nx y z\n",
		"want [NAME]":                    "[net\n",
		"of line 1: its output":          "[net]\nwidth=8\nheight=8\n",
		"of line 5: a layer":             net + "[local]\n",
		"filters is \"many\"":            net + "[convolutional]\nfilters=many\n",
		"filters is \"\", want a whole":  net + "[convolutional]\nfilters=\n",
		"layers has \"\", want numbers":  net + "[dropout]\n[route]\nlayers=\n",
		"filters is 0, want at least 1":  net + "[convolutional]\nfilters=0\n",
		"filters is \"99999999\"":        net + "[convolutional]\nfilters=99999999\n",
		"want a divisor of both":         net + "[convolutional]\nfilters=4\ngroups=2\n",
		"a kernel of 9":                  net + "[convolutional]\nsize=9\n",
		"names layer 0":                  net + "[route]\nlayers=0\n",
		"names layer -1":                 net + "[route]\nlayers=-1\n",
		"want whole numbers":             net + "[dropout]\n[route]\nlayers=0.5\n",
		"names no layer":                 net + "[dropout]\n[route]\n",
		"layer 0 is 4×4, and layer 1 8×": net + "[maxpool]\nstride=2\n[upsample]\n[route]\nlayers=0,1\n",
		"stride 3 of an input":           net + "[reorg]\nstride=3\n",
		"numbers":                        net + strings.Repeat("[upsample]\nstride=100\n", 4),
		"outputs of 1048576000 inputs":   "[net]\nwidth=1048576\nheight=1\nchannels=1000\n[connected]\noutput=1000000\n",
		"filters of 1048576":             "[net]\nwidth=2\nheight=2\nchannels=512\n[convolutional]\nfilters=1048576\nsize=1048576\npadding=1048576\n",
	} {
		c, err := darknet.Parse(strings.NewReader(text))
		if err == nil {
			_, err = c.Layers()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// file is a file of weights of the small network, whose numbers count from 0.
func file(layers []darknet.Layer, header ...any) []byte {
	var b bytes.Buffer
	for _, v := range header {
		binary.Write(&b, binary.LittleEndian, v)
	}
	n := 0
	for _, l := range layers {
		for range l.Numbers() {
			binary.Write(&b, binary.LittleEndian, float32(n))
			n++
		}
	}
	return b.Bytes()
}

// The order of arrays: of a convolution bias, scale, mean, variance, weights; of a dense
// layer the weights come second. seen has 64 bits from version 0.2 on.
func TestWeights(t *testing.T) {
	_, layers := small(t)
	for name, in := range map[string][]byte{
		"0.1": file(layers, int32(0), int32(1), int32(7), uint32(12800)),
		"0.2": file(layers, int32(0), int32(2), int32(7), uint64(12800)),
		"1.0": file(layers, int32(1), int32(0), int32(7), uint64(12800)),
	} {
		h, all, err := darknet.ReadWeights(bytes.NewReader(in), layers)
		if err != nil || h.Seen != 12800 || h.Revision != 7 {
			t.Fatalf("version %s: %+v, %v", name, h, err)
		}
		conv, dense := all[0], all[10]
		first := 124 + 40 + 12 + 1536
		for what, v := range map[string][2]float32{
			"bias": {conv.Bias[0], 0}, "scale": {conv.Scales[0], 4}, "mean": {conv.Mean[0], 8}, "variance": {conv.Variance[3], 15},
			"weights": {conv.Weights[0], 16}, "dense bias": {dense.Bias[0], float32(first)}, "dense weights": {dense.Weights[0], float32(first + 3)},
			"dense scale": {dense.Scales[0], float32(first + 3 + 72)}, "dense variance": {dense.Variance[2], float32(first + 3 + 72 + 8)},
		} {
			if v[0] != v[1] {
				t.Errorf("version %s: %s begins with %v, want %v", name, what, v[0], v[1])
			}
		}
		var b bytes.Buffer
		if err := darknet.WriteWeights(&b, h, layers, all); err != nil || !bytes.Equal(b.Bytes(), in) {
			t.Errorf("version %s: written again the file differs: %v", name, err)
		}
		for want, bad := range map[string][]byte{
			"ends after":                       in[:len(in)-1],
			"ends in its header":               in[:13],
			"has 1797 numbers, want the 1796 ": append(slices.Clone(in), 0, 0, 0, 0),
			"has 1796 and a part of one":       append(slices.Clone(in), 0),
			"version 1000.0":                   file(nil, int32(1000), int32(0), int32(0), uint64(0)),
			"version -1":                       file(nil, int32(-1), int32(0), int32(0), uint64(0)),
			"number 0 is NaN":                  append(file(nil, int32(0), int32(2), int32(0), uint64(0), math.Float32frombits(0x7fc00000)), in[24:]...),
			"after 3 of the 1796 ":             file(nil, int32(0), int32(2), int32(0), uint64(0), [3]float32{}),
		} {
			if _, _, err := darknet.ReadWeights(bytes.NewReader(bad), layers); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("version %s: got %v, want %q", name, err, want)
			}
		}
		all[0].Mean = all[0].Mean[1:]
		if err := darknet.WriteWeights(&b, h, layers, all); err == nil || !strings.Contains(err.Error(), "3 numbers, want 4") {
			t.Errorf("an array too short: %v", err)
		}
	}
	if err := darknet.WriteWeights(&bytes.Buffer{}, darknet.Header{Seen: 1 << 40}, nil, nil); err == nil {
		t.Error("more pictures seen than 32 bits hold, in a file of version 0.0")
	}
}

// The configurations of Debian's package darknet: outputs and numbers as published, by the
// sizes of the files of weights at pjreddie.com (20 bytes of header, of YOLOv2 16).
func TestPublished(t *testing.T) {
	const dir = "/usr/share/darknet/cfg"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("Debian's package darknet is not installed")
	}
	for name, want := range map[string]struct {
		last  int
		out   darknet.Shape
		bytes int
	}{
		"yolov2-tiny-voc": {0, darknet.Shape{13, 13, 125}, 63471556 - 16},
		"yolov2-tiny":     {0, darknet.Shape{13, 13, 425}, 44948596 - 16},
		"yolov2":          {0, darknet.Shape{19, 19, 425}, 203934260 - 16},
		"yolov3":          {0, darknet.Shape{76, 76, 255}, 248007048 - 20},
		"yolov3-tiny":     {0, darknet.Shape{26, 26, 255}, 35434956 - 20},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name+".cfg"))
		if err != nil {
			t.Fatal(err)
		}
		_, layers := parse(t, string(text))
		n := 0
		for _, l := range layers {
			n += l.Numbers()
		}
		if out := layers[len(layers)-1].Out; out != want.out || 4*n != want.bytes {
			t.Errorf("%s: %v, %d bytes of weights; published %v, %d", name, out, 4*n, want.out, want.bytes)
		}
	}
	// All others parse; what has layers that are not known says so.
	files, err := filepath.Glob(filepath.Join(dir, "*.cfg"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := darknet.Parse(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		unknown := slices.ContainsFunc(c.Sections, func(s darknet.Section) bool {
			return slices.Contains([]string{"rnn", "gru", "crop", "local"}, s.Name)
		})
		if _, err := c.Layers(); (err != nil) != unknown {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/small.cfg")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("[net]\nwidth=1\nheight=1\nchannels=1\n[route]\nlayers=-1,-9\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := darknet.Parse(bytes.NewReader(in))
		if err != nil {
			return
		}
		layers, err := c.Layers()
		if err != nil {
			return
		}
		for _, l := range layers {
			if l.Numbers() < 0 || min(l.Out.Width, l.Out.Height, l.Out.Channels) < 1 {
				t.Fatalf("%+v", l)
			}
		}
	})
}

func FuzzReadWeights(f *testing.F) {
	_, layers := small(f)
	f.Add(file(layers, int32(0), int32(1), int32(7), uint32(12800)))
	f.Add(file(layers, int32(0), int32(2), int32(7), uint64(12800))[:100])
	f.Fuzz(func(t *testing.T, in []byte) {
		h, all, err := darknet.ReadWeights(bytes.NewReader(in), layers)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := darknet.WriteWeights(&b, h, layers, all); err != nil || !bytes.Equal(b.Bytes(), in) {
			t.Fatalf("written again the file differs: %v", err)
		}
	})
}

func Example() {
	c, err := darknet.Parse(strings.NewReader("[net]\nwidth=416\nheight=416\nchannels=3\n\n[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=1\npad=1\n\n[maxpool]\nsize=2\nstride=2\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	layers, err := c.Layers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range layers {
		fmt.Println(l.Section.Name, l.Out, l.Numbers())
	}
	// Output:
	// convolutional {416 416 16} 496
	// maxpool {208 208 16} 0
}
