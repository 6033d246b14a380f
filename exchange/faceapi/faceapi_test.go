package faceapi_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"synfire/detect"
	"synfire/exchange/faceapi"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// part is an array of the file.
type part struct {
	Name         string         `json:"name"`
	Shape        []int          `json:"shape"`
	Dtype        string         `json:"dtype"`
	Quantization map[string]any `json:"quantization"`

	values []float64
}

// drawn is a detector of random weights, about as large as would keep the variance.
func drawn(r *rand.Rand) (parts []*part, fsys fstest.MapFS) {
	var bytes []byte
	add := func(name string, fan int, shape ...int) {
		p := &part{Name: name, Shape: shape, Dtype: "float32"}
		scale := 4 / (255 * math.Sqrt(float64(fan)))
		p.Quantization = map[string]any{"dtype": "uint8", "scale": scale, "min": -127 * scale}
		n := 1
		for _, d := range shape {
			n *= d
		}
		for range n {
			b := byte(r.UintN(256))
			bytes = append(bytes, b)
			p.values = append(p.values, float64(float32(scale*float64(b)-127*scale)))
		}
		parts = append(parts, p)
	}
	add("conv0/filters", 27, 3, 3, 3, 16)
	add("conv0/bias", 16, 16)
	in := 16
	for i, out := range []int{32, 64, 128, 256, 512} {
		add(fmt.Sprintf("conv%d/depthwise_filter", i+1), 9, 3, 3, in, 1)
		add(fmt.Sprintf("conv%d/pointwise_filter", i+1), in, 1, 1, in, out)
		add(fmt.Sprintf("conv%d/bias", i+1), 16, out)
		in = out
	}
	add("conv8/filters", 512, 1, 1, 512, 25)
	add("conv8/bias", 16, 25)
	return parts, files(parts, bytes)
}

func files(parts []*part, bytes []byte) fstest.MapFS {
	text, _ := json.Marshal([]map[string]any{{"paths": []string{"w.bin"}, "weights": parts}})
	return fstest.MapFS{"m.json": {Data: text}, "w.bin": {Data: bytes}}
}

// picture is [n][n][c].
type picture [][][]float64

// plain is the detector by its definition: the two products of a separable convolution one after
// the other, in double precision.
func plain(parts []*part, x picture) picture {
	of := map[string][]float64{}
	for _, p := range parts {
		of[p.Name] = p.values
	}
	x = pooled(leaky(whole(x, of["conv0/filters"], of["conv0/bias"], 3)), 2)
	for i := 1; i <= 5; i++ {
		name := fmt.Sprintf("conv%d/", i)
		stride := 2
		if i == 5 {
			stride = 1
		}
		x = pooled(leaky(whole(each(x, of[name+"depthwise_filter"]), of[name+"pointwise_filter"], of[name+"bias"], 1)), stride)
	}
	return whole(x, of["conv8/filters"], of["conv8/bias"], 1)
}

// whole is a convolution of all channels, each a 3×3 or 1×1 kernel within the picture.
func whole(x picture, w, bias []float64, k int) (y picture) {
	in, out := len(x[0][0]), len(bias)
	for i := range len(x) - k + 1 {
		var row [][]float64
		for j := range len(x) - k + 1 {
			v := append([]float64(nil), bias...)
			for a := range k {
				for b := range k {
					for c := range in {
						for o := range out {
							v[o] += x[i+a][j+b][c] * w[((a*k+b)*in+c)*out+o]
						}
					}
				}
			}
			row = append(row, v)
		}
		y = append(y, row)
	}
	return y
}

// each is a 3×3 convolution of each channel, zeros around the picture.
func each(x picture, w []float64) (y picture) {
	n, in := len(x), len(x[0][0])
	for i := range n {
		var row [][]float64
		for j := range n {
			v := make([]float64, in)
			for a := range 3 {
				for b := range 3 {
					if p, q := i+a-1, j+b-1; p >= 0 && p < n && q >= 0 && q < n {
						for c := range in {
							v[c] += x[p][q][c] * w[(a*3+b)*in+c]
						}
					}
				}
			}
			row = append(row, v)
		}
		y = append(y, row)
	}
	return y
}

func leaky(x picture) picture {
	for _, row := range x {
		for _, v := range row {
			for c := range v {
				v[c] = max(v[c], 0.1*v[c])
			}
		}
	}
	return x
}

// pooled is the maximum of 2×2 pixels, of what there is of them at the right and below.
func pooled(x picture, stride int) (y picture) {
	for i := 0; i < len(x); i += stride {
		var row [][]float64
		for j := 0; j < len(x); j += stride {
			v := append([]float64(nil), x[i][j]...)
			for p := i; p < min(i+2, len(x)); p++ {
				for q := j; q < min(j+2, len(x)); q++ {
					for c := range v {
						v[c] = max(v[c], x[p][q][c])
					}
				}
			}
			row = append(row, v)
		}
		y = append(y, row)
	}
	return y
}

// The graph gives what the definition gives, on grids of 1×1 and of 2×2 cells, whose pools meet odd
// sizes; of each anchor a class of value 0 beside.
func TestRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts, fsys := drawn(r)
	for _, side := range []int{32, 64} {
		g, report, err := faceapi.Read(fsys, "m.json", side)
		if err != nil {
			t.Fatal(err)
		}
		if len(report) != 7 || report[5].Kind != "separable convolution" || report[6].To != "conv8, read as boxes" {
			t.Errorf("%+v", report)
		}
		in := signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: g.Input}
		x := make(picture, side)
		for i := range x {
			x[i] = make([][]float64, side)
			for j := range x[i] {
				for range 3 {
					v := tensor.Float(r.NormFloat64())
					in.Data, x[i][j] = append(in.Data, v), append(x[i][j], float64(v))
				}
			}
		}
		want := plain(parts, x)
		got, err := outputs(g, &in)
		if err != nil {
			t.Fatal(err)
		}
		cells := side / faceapi.Grid
		if len(got) != cells*cells*30 || len(want) != cells {
			t.Fatalf("%d values, want %d", len(got), cells*cells*30)
		}
		for i := range cells {
			for j := range cells {
				for k := range 30 {
					expected := 0.
					if k%6 < 5 {
						expected = want[i][j][k/6*5+k%6]
					}
					if v := float64(got[(i*cells+j)*30+k]); math.Abs(v-expected) > 1e-4*max(1, math.Abs(expected)) {
						t.Errorf("side %d, cell %d, %d, value %d: %v, want %v", side, i, j, k, v, expected)
					}
				}
			}
		}
	}
}

func outputs(g network.Graph, in *signal.Signal) ([]tensor.Float, error) {
	net, err := g.Build(0)
	if err != nil {
		return nil, err
	}
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	if err != nil {
		return nil, err
	}
	return outs[0].Data, nil
}

func TestRefuses(t *testing.T) {
	parts, fsys := drawn(rand.New(rand.NewPCG(1, 2)))
	content := fsys["w.bin"].Data
	for want, change := range map[string]func(p *part){
		`no array "conv0/bias"`:              func(p *part) { p.Name = strings.Replace(p.Name, "conv0/bias", "conv0/b", 1) },
		`want [1 1 16 32]`:                   func(p *part) { p.Shape = map[bool][]int{true: {1, 1, 32, 16}}[p.Name == "conv1/pointwise_filter"] },
		`no array "conv5/pointwise_filter";`: func(p *part) { p.Name = strings.Replace(p.Name, "conv5/p", "conv6/p", 1) },
	} {
		var other []*part
		for _, p := range parts {
			q := *p
			if change(&q); q.Shape == nil {
				q.Shape = p.Shape
			}
			other = append(other, &q)
		}
		if _, _, err := faceapi.Read(files(other, content), "m.json", 32); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	extra := append(parts[:len(parts):len(parts)], &part{Name: "conv9/bias", Shape: []int{1}, Dtype: "float32", Quantization: parts[0].Quantization})
	if _, _, err := faceapi.Read(files(extra, append(content[:len(content):len(content)], 1)), "m.json", 32); err == nil || !strings.Contains(err.Error(), `"conv9/bias" is of no layer`) {
		t.Errorf("%v", err)
	}
	for _, side := range []int{0, -32, 100} {
		if _, _, err := faceapi.Read(fsys, "m.json", side); err == nil || !strings.Contains(err.Error(), "a multiple of 32") {
			t.Errorf("side %d: %v", side, err)
		}
	}
}

func ExampleTask() {
	var t detect.Detect = faceapi.Task()
	fmt.Println(t.Overlap, faceapi.Normalization().Std)
	// Output: 0.4 [1 1 1]
}
