package stdp_test

import (
	"bytes"
	"image/png"
	"testing"

	"synfire/rule/stdp"
	"synfire/tensor"
)

// Each neuron's weights are in their place, on its own scale.
func TestMosaic(t *testing.T) {
	w := make([]tensor.Float, 2*3*5)
	w[4*5+3] = 0.5            // row 1, column 1 of neuron 3, the first of the second row
	w[0], w[1*5+0] = 0.2, 0.1 // neuron 0
	b, err := stdp.Mosaic(w, tensor.Shape{2, 3}, 5)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if r := img.Bounds(); r.Dx() != 13 || r.Dy() != 7 {
		t.Errorf("a picture of %v", r)
	}
	for _, p := range []struct {
		x, y int
		want uint32
	}{{1, 1, 0}, {2, 1, 128}, {3, 1, 255}, {0, 0, 0xB0}, {2, 5, 0}, {1, 4, 255}} {
		if v, _, _, _ := img.At(p.x, p.y).RGBA(); v>>8 != p.want {
			t.Errorf("pixel %d, %d is %d, want %d", p.x, p.y, v>>8, p.want)
		}
	}
	if _, err := stdp.Mosaic(w, tensor.Shape{2, 3}, 4); err == nil {
		t.Error("weights of other neurons are taken")
	}
	// Channels are added: the same picture comes of weights in halves.
	halves := make([]tensor.Float, 2*len(w))
	for i := range 6 {
		for j := range 5 {
			halves[(2*i)*5+j], halves[(2*i+1)*5+j] = w[i*5+j]/4, w[i*5+j]*3/4
		}
	}
	if other, err := stdp.Mosaic(halves, tensor.Shape{2, 3, 2}, 5); err != nil || !bytes.Equal(b, other) {
		t.Errorf("channels are not added: %v", err)
	}
}
