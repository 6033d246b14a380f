package darknet_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/detect"
	"synfire/exchange/darknet"
	format "synfire/format/darknet"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// branching has a layer of each kind that a detector has, and boxes twice.
const branching = `[net]
width=12
height=8
channels=3
[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=8
size=3
stride=1
pad=1
groups=2
activation=relu
[maxpool]
size=2
stride=1
[shortcut]
from=-2
activation=leaky
[reorg]
stride=2
[convolutional]
filters=14
size=1
stride=1
pad=1
activation=linear
[region]
anchors=1,2, 3,4
classes=2
num=2
softmax=1
[route]
layers=4
[upsample]
stride=2
[route]
layers=-1,0
[convolutional]
filters=7
size=3
stride=2
pad=1
activation=linear
[yolo]
mask=1
anchors=2,2, 6,4
classes=2
num=2
`

func read(t testing.TB, text string) (*format.Config, []format.Layer) {
	t.Helper()
	c, err := format.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := c.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return c, layers
}

// drawn are arrays at random, variances above 0.
func drawn(layers []format.Layer) (all []format.Arrays) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(n int, least float64) (v []float32) {
		for range n {
			v = append(v, float32(least+r.Float64()-0.5))
		}
		return v
	}
	for _, l := range layers {
		all = append(all, format.Arrays{Bias: some(l.Bias, 0), Scales: some(l.Scales, 1), Mean: some(l.Scales, 0), Variance: some(l.Scales, 1), Weights: some(l.Weights, 0)})
	}
	return all
}

// plain runs a network as Darknet's loops do, channels first in float64, and gives what each
// layer gives.
func plain(layers []format.Layer, all []format.Arrays, x []float64) (outs [][]float64) {
	for i, l := range layers {
		in, out := l.In, l.Out
		y := make([]float64, out.Width*out.Height*out.Channels)
		switch l.Section.Name {
		case "convolutional":
			each(out, func(at, c, r, q int) {
				y[at] = convolved(l, all[i], x, c, r, q)
			})
		case "connected":
			for o := range y {
				y[o] = float64(all[i].Bias[o])
				for k, v := range x {
					y[o] += v * float64(all[i].Weights[o*len(x)+k])
				}
			}
		case "maxpool":
			each(out, func(at, c, r, q int) {
				y[at] = math.Inf(-1)
				for k := range l.Kernel * l.Kernel {
					py, px := r*l.Stride-l.Padding/2+k/l.Kernel, q*l.Stride-l.Padding/2+k%l.Kernel
					if py >= 0 && px >= 0 && py < in.Height && px < in.Width {
						y[at] = max(y[at], x[(c*in.Height+py)*in.Width+px])
					}
				}
			})
		case "upsample":
			each(out, func(at, c, r, q int) { y[at] = x[(c*in.Height+r/l.Stride)*in.Width+q/l.Stride] })
		case "route":
			y = nil
			for _, k := range l.From {
				y = append(y, outs[k]...)
			}
		case "shortcut":
			for k := range y {
				y[k] = x[k] + outs[l.From[0]][k]
			}
		case "reorg": // reorg_cpu, of Darknet's blas.c
			s, c := l.Stride, in.Channels/(l.Stride*l.Stride)
			for k := range in.Channels {
				for j := range in.Height {
					for q := range in.Width {
						c2, off := k%c, k/c
						w2, h2 := q*s+off%s, j*s+off/s
						y[q+in.Width*(j+in.Height*k)] = x[w2+in.Width*s*(h2+in.Height*s*c2)]
					}
				}
			}
		default:
			copy(y, x)
		}
		for k, v := range y {
			switch l.Section.Text("activation", "linear") {
			case "leaky":
				y[k] = max(v, 0.1*v)
			case "relu":
				y[k] = max(v, 0)
			}
		}
		outs, x = append(outs, y), y
	}
	return outs
}

func each(s format.Shape, f func(at, c, y, x int)) {
	for at := range s.Width * s.Height * s.Channels {
		f(at, at/s.Width/s.Height, at/s.Width%s.Height, at%s.Width)
	}
}

func convolved(l format.Layer, a format.Arrays, x []float64, c, r, q int) (sum float64) {
	per, k := l.In.Channels/l.Groups, l.Kernel
	group := c / (l.Out.Channels / l.Groups)
	for ch := range per {
		for at := range k * k {
			py, px := r*l.Stride-l.Padding+at/k, q*l.Stride-l.Padding+at%k
			if py >= 0 && px >= 0 && py < l.In.Height && px < l.In.Width {
				sum += float64(a.Weights[(c*per+ch)*k*k+at]) * x[((group*per+ch)*l.In.Height+py)*l.In.Width+px]
			}
		}
	}
	if l.Normalize {
		sum = (sum - float64(a.Mean[c])) / math.Sqrt(float64(a.Variance[c])+1e-5) * float64(a.Scales[c])
	}
	return sum + float64(a.Bias[c])
}

// run gives the outputs of a graph for an image, channels last.
func run(t *testing.T, g network.Graph, x []tensor.Float) []*signal.Signal {
	t.Helper()
	net, err := g.Build(1)
	if err != nil {
		t.Fatal(err)
	}
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: g.Input, Data: x}
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	if err != nil {
		t.Fatal(err)
	}
	return outs
}

func image(s format.Shape) (last []tensor.Float, first []float64) {
	r := rand.New(rand.NewPCG(3, 4))
	last, first = make([]tensor.Float, s.Width*s.Height*s.Channels), make([]float64, s.Width*s.Height*s.Channels)
	each(s, func(at, c, y, x int) {
		v := float32(r.Float64())
		first[at], last[(y*s.Width+x)*s.Channels+c] = float64(v), tensor.Float(v)
	})
	return last, first
}

// A network gives what Darknet's loops give, and goes back into the same files.
func TestForward(t *testing.T) {
	c, layers := read(t, branching)
	all := drawn(layers)
	g, classes, report, err := darknet.Lower(c, all)
	if err != nil || classes != 2 || len(report) != len(layers) {
		t.Fatalf("%d classes, %d lines, %v", classes, len(report), err)
	}
	last, first := image(layers[0].In)
	outs, want := run(t, g, last), plain(layers, all, first)
	for k, at := range []int{6, 11} {
		s, o := layers[at].Out, outs[k]
		each(s, func(i, c, y, x int) {
			if got := float64(o.Data[(y*s.Width+x)*s.Channels+c]); math.Abs(got-want[at][i]) > 1e-4*(1+math.Abs(want[at][i])) {
				t.Fatalf("output %d, channel %d at (%d, %d): %v, want %v", k, c, y, x, got, want[at][i])
			}
		})
	}
	// Anchors of yolo are pixels of the network's input: 6×4 of 12×8 are 3×2 of 6×4 cells.
	if d, _ := detect.AsBoxes(g.Outputs[1].Read); !d.Sigmoid || len(d.Anchors) != 1 || d.Anchors[0] != (detect.Anchor{3, 2}) {
		t.Errorf("%+v", d)
	}
	if d, _ := detect.AsBoxes(g.Outputs[0].Read); d.Sigmoid || !reflect.DeepEqual(d.Anchors, []detect.Anchor{{1, 2}, {3, 4}}) {
		t.Errorf("%+v", d)
	}
}

// weighted is a graph of one convolution with weights of 0.
func weighted(t *testing.T, g network.Graph) network.Graph {
	t.Helper()
	g.Nodes[0].Arrays = map[string]tensor.Tensor{"weight": tensor.New(3, 3, 1, 7), "bias": tensor.New(7)}
	return g
}

// Pixels of an anchor become cells by the size of each axis, of which a stride need not be a divisor: 4 cells
// of 7 pixels, 6 of 12. A region without softmax has classes that do not exclude each other.
func TestDecoders(t *testing.T) {
	const net = "[net]\nwidth=12\nheight=7\nchannels=1\n[convolutional]\nfilters=7\nsize=3\nstride=2\npad=1\nactivation=linear\n"
	for text, want := range map[string]detect.Boxes{
		"[yolo]\nanchors=6,7\nclasses=2\n":              {Anchors: []detect.Anchor{{3, 4}}, Sigmoid: true},
		"[region]\nanchors=6,7\nclasses=2\n":            {Anchors: []detect.Anchor{{6, 7}}, Sigmoid: true},
		"[region]\nanchors=6,7\nclasses=2\nsoftmax=1\n": {Anchors: []detect.Anchor{{6, 7}}},
	} {
		c, _ := read(t, net+text)
		g, _, _, err := darknet.Lower(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := detect.AsBoxes(g.Outputs[0].Read); !reflect.DeepEqual(d, want) {
			t.Errorf("%q: %+v, want %+v", text, d, want)
		}
		back, _, _, err := darknet.Raise(weighted(t, g), 2)
		if err != nil {
			t.Fatal(err)
		}
		written := "6,7"
		if want.Sigmoid && want.Anchors[0][0] == 6 { // a section yolo stands for it, in pixels: 2 and 1.75 a cell
			written = "12,12.25"
		}
		if got := back.Sections[len(back.Sections)-1].Text("anchors", ""); got != written {
			t.Errorf("%q: anchors %s back, want %s", text, got, written)
		}
	}
}

// Written and read back, arrays and boxes are the same, bit for bit.
func TestRoundTrip(t *testing.T) {
	text := strings.Replace(branching, "[reorg]\nstride=2\n", "[maxpool]\nstride=2\n", 1)
	c, layers := read(t, text)
	g, classes, _, err := darknet.Lower(c, drawn(layers))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg, weights := filepath.Join(dir, "a.cfg"), filepath.Join(dir, "a.weights")
	report, err := darknet.Write(cfg, weights, g, classes)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range report {
		if len(l.Lost) > 0 {
			t.Errorf("%+v", l)
		}
	}
	again, n, _, err := darknet.Read(cfg, weights)
	if err != nil || n != classes {
		t.Fatal(n, err)
	}
	last, _ := image(layers[0].In)
	a, b := run(t, g, last), run(t, again, last)
	for k := range a {
		one, other := make([]tensor.Float, len(a[k].Data)), make([]tensor.Float, len(a[k].Data))
		g.Outputs[k].Read.Decode(one, a[k])
		again.Outputs[k].Read.Decode(other, b[k])
		if !reflect.DeepEqual(one, other) {
			t.Errorf("boxes of output %d differ", k)
		}
	}
	// A file that is cut off, or of another network, says how many numbers are missing.
	content, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{content[:len(content)-4], append(content, 0, 0, 0, 0)} {
		if err := os.WriteFile(weights, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := darknet.Read(cfg, weights); err == nil || !strings.Contains(err.Error(), "numbers of the network") {
			t.Errorf("%v", err)
		}
	}
}

// Dense layers read images channels first.
func TestConnected(t *testing.T) {
	c, layers := read(t, "[net]\nwidth=3\nheight=2\nchannels=4\n[convolutional]\nfilters=5\nactivation=leaky\n[connected]\noutput=7\nactivation=linear\n")
	all := drawn(layers)
	g, _, _, err := darknet.Lower(c, all)
	if err != nil {
		t.Fatal(err)
	}
	last, first := image(layers[0].In)
	want := plain(layers, all, first)[1]
	for i, v := range run(t, g, last)[0].Data {
		if math.Abs(float64(v)-want[i]) > 1e-5 {
			t.Errorf("%d: %v, want %v", i, v, want[i])
		}
	}
	_, back, _, err := darknet.Raise(g, 0)
	if err != nil || !reflect.DeepEqual(back[1].Weights, all[1].Weights) {
		t.Errorf("weights differ, %v", err)
	}
}

// A bias before a normalisation becomes part of its mean, which is told.
func TestBiasBeforeNorm(t *testing.T) {
	c, _ := read(t, "[net]\nwidth=2\nheight=2\nchannels=1\n[convolutional]\nbatch_normalize=1\nfilters=2\nactivation=linear\n")
	g, _, _, err := darknet.Lower(c, []format.Arrays{{Bias: []float32{1, 2}, Scales: []float32{1, 1}, Mean: []float32{3, 4}, Variance: []float32{1, 1}, Weights: []float32{1, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	op := g.Nodes[0].Layer.(layer.Conv2D)
	op.NoBias = false
	g.Nodes[0].Layer = op
	g.Nodes[0].Arrays["bias"] = tensor.Tensor{Shape: tensor.Shape{2}, Data: []tensor.Float{0.5, -1}}
	_, all, report, err := darknet.Raise(g, 0)
	if err != nil || !reflect.DeepEqual(all[0].Mean, []float32{2.5, 5}) || fmt.Sprint(report[0].Lost) != "[bias: part of the mean]" {
		t.Errorf("%v, %+v, %v", all, report, err)
	}
	// What epsilon is above Darknet's goes into the variance.
	g.Nodes[1].Layer = layer.BatchNorm{Epsilon: 1e-3}
	if _, all, _, err = darknet.Raise(g, 0); err != nil || math.Abs(float64(all[0].Variance[0])-1.00099) > 1e-6 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestErrors(t *testing.T) {
	const net = "[net]\nwidth=4\nheight=4\nchannels=3\n"
	for want, text := range map[string]string{
		"activation \"mish\"":        net + "[convolutional]\nactivation=mish\n",
		"want 7: 1 anchors × (5 + 2": net + "[convolutional]\nfilters=8\nactivation=linear\n[region]\nanchors=1,1\nclasses=2\n",
		"mask names anchor 3":        net + "[convolutional]\nfilters=7\nactivation=linear\n[yolo]\nmask=3\nanchors=1,1\nclasses=2\n",
		"0 classes":                  net + "[yolo]\nclasses=0\n",
		"coords is \"5\"":            net + "[region]\ncoords=5\n",
		"no counterpart here":        net + "[detection]\n",
		"3 channels with stride 2":   net + "[reorg]\nstride=2\n",
		"groups of channels":         net + "[dropout]\n[route]\ngroups=2\nlayers=0\n",
		"adds a layer to itself":     net + "[dropout]\n[shortcut]\nfrom=-1\n",
		"no layers behind":           net,
		"no anchors":                 net + "[region]\n",
		"anchors are 3 numbers, want pairs of width and height\n": net + "[region]\nanchors=1,2,3\n",
		"anchors has \"nan\", want numbers\n":                     net + "[region]\nanchors=1,nan\n",
		"anchors × (5 + 20 classes)":                              net + "[region]\nanchors=1,1\n",
		"num is 3, and there are 1 anchors":                       net + "[convolutional]\nfilters=7\nactivation=linear\n[region]\nanchors=1,1\nclasses=2\nnum=3\n",
		"line 5: activation \"swish\"":                            net + "[connected]\nactivation=swish\n",
	} {
		c, err := format.Parse(strings.NewReader(text))
		if err == nil {
			_, _, _, err = darknet.Lower(c, nil)
		}
		if err == nil || !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	c, _ := read(t, net+"[convolutional]\nactivation=linear\n")
	if _, _, _, err := darknet.Lower(c, []format.Arrays{{Bias: []float32{1}, Weights: []float32{1}}}); err == nil || !strings.Contains(err.Error(), "1 weights and 1 biases, want 3 and 1") {
		t.Error(err)
	}
}

// The detectors of Debian's package darknet: shapes of the outputs and numbers of weights as
// published, by the sizes of the files of weights.
func TestPublished(t *testing.T) {
	const dir = "/usr/share/darknet/cfg"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("Debian's package darknet is not installed")
	}
	for name, want := range map[string]struct {
		numbers, classes int
		outs             []tensor.Shape
	}{
		"yolov2-tiny-voc": {15867885, 20, []tensor.Shape{{13, 13, 125}}},
		"yolov2-tiny":     {11237145, 80, []tensor.Shape{{13, 13, 425}}},
		"yolov3-tiny":     {8858734, 80, []tensor.Shape{{13, 13, 255}, {26, 26, 255}}},
		"yolov2":          {50983561, 80, []tensor.Shape{{19, 19, 425}}},
		"yolov3":          {62001757, 80, []tensor.Shape{{19, 19, 255}, {38, 38, 255}, {76, 76, 255}}},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name+".cfg"))
		if err != nil {
			t.Fatal(err)
		}
		c, _ := read(t, string(text))
		g, classes, _, err := darknet.Lower(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		net, err := g.Outline()
		if err != nil {
			t.Fatal(err)
		}
		numbers := 0
		for _, p := range append(net.Params(), net.Buffers()...) {
			if !strings.HasSuffix(p.Name, ".index") {
				numbers += p.Value.Shape.Size()
			}
		}
		if outs := net.OutputShapes(); numbers != want.numbers || classes != want.classes || !reflect.DeepEqual(outs, want.outs) {
			t.Errorf("%s: %d numbers, %d classes, %v; want %+v", name, numbers, classes, outs, want)
		}
	}
}

// FuzzLower: whatever a configuration says is an error or a network, never a panic.
func FuzzLower(f *testing.F) {
	f.Add([]byte(branching))
	f.Add([]byte("[net]\nwidth=1\nheight=1\nchannels=4\n[reorg]\n[avgpool]\n[connected]\noutput=2\n[softmax]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := format.Parse(bytes.NewReader(text))
		if err != nil {
			return
		}
		layers, err := c.Layers()
		size := 0
		for _, l := range layers {
			size += l.Out.Width * l.Out.Height * l.Out.Channels
		}
		if err != nil || size > 1<<20 {
			return
		}
		g, _, _, err := darknet.Lower(c, nil)
		if err != nil {
			return
		}
		if _, err := g.Outline(); err != nil {
			t.Fatal(err)
		}
	})
}

func Example() {
	c, _ := format.Parse(strings.NewReader("[net]\nwidth=416\nheight=416\nchannels=3\n[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\npad=1\nactivation=leaky\n[maxpool]\nsize=2\nstride=2\n"))
	g, _, _, err := darknet.Lower(c, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := g.Outline()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, nd := range net.Nodes() {
		fmt.Println(nd.Name, nd.Out)
	}
	// Output:
	// conv0 416×416×16
	// norm0 416×416×16
	// leaky0 416×416×16
	// pool1 208×208×16
}
