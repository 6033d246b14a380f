package onnx

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"synfire/internal/par"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// logitsOf is what a model's file gives of samples.
func logitsOf(t *testing.T, path string, in *signal.Signal, threads int) []tensor.Float {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	g, _, err := m.Lower(Options{})
	if err != nil {
		t.Fatal(err)
	}
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(threads)
	defer pool.Close()
	outs, err := net.Compile(pool, false).NewPass(network.Options{}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	return outs[0].Data
}

// A ResNet-20 that PyTorch exported gives the logits that it had there, to 1e-4; two imports and any
// number of threads give equal bits.
func TestResNet20(t *testing.T) {
	const batch, image, classes = 8, 3 * 32 * 32, 10
	raw, err := os.ReadFile("testdata/resnet20.bin")
	if err != nil || len(raw) != 4*batch*(image+classes) {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	var all []tensor.Float
	for ; len(raw) > 0; raw = raw[4:] {
		all = append(all, tensor.Float(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
	}
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: batch, Shape: tensor.Shape{32, 32, 3}}
	for b := range batch {
		for p := range 32 * 32 {
			for c := range 3 {
				in.Data = append(in.Data, all[b*image+c*32*32+p])
			}
		}
	}
	for _, path := range []string{"testdata/resnet20.onnx", "testdata/resnet20-folded.onnx"} {
		got, again := logitsOf(t, path, in, 1), logitsOf(t, path, in, 2)
		worst := 0.0
		for i, want := range all[batch*image:] {
			worst = max(worst, math.Abs(float64(got[i]-want)))
			if got[i] != again[i] {
				t.Fatalf("%s: logit %d is %v and then %v", path, i, got[i], again[i])
			}
		}
		if t.Logf("%s: %.2g at most", path, worst); !(worst <= 1e-4) {
			t.Errorf("%s: logits differ by up to %g", path, worst)
		}
	}
}
