package boxes_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"synfire/report/boxes"
	"synfire/sample"
	"synfire/tensor"
)

// A small picture is enlarged by a whole factor, and its boxes with it.
func TestDraw(t *testing.T) {
	m := boxes.Draw(image.NewGray(image.Rect(0, 0, 160, 80)), []boxes.Box{{Box: sample.Box{X0: 20, Y0: 20, X1: 60, Y1: 60, Class: 1}, Text: "b"}})
	if m.Bounds().Dx() != 640 || m.At(81, 160) != boxes.Colours[1] || m.At(160, 160) != (color.RGBA{A: 255}) {
		t.Errorf("%v, edge %v, inside %v", m.Bounds(), m.At(81, 160), m.At(160, 160))
	}
}

func TestStrip(t *testing.T) {
	p := boxes.Picture([]tensor.Float{0, 1, 2, -1}, tensor.Shape{2, 2, 1})
	if p.At(1, 0) != (color.RGBA{255, 255, 255, 255}) || p.At(0, 1) != (color.RGBA{255, 255, 255, 255}) || p.At(1, 1) != (color.RGBA{A: 255}) {
		t.Errorf("%v", p)
	}
	content, err := boxes.Strip([]boxes.Panel{{"a", p}, {"b", p}, {"c", p}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(content))
	if err != nil || m.Bounds() != image.Rect(0, 0, 10, 40) {
		t.Errorf("%v, %v", m.Bounds(), err)
	}
	if _, err := boxes.Strip(nil, 2); err == nil {
		t.Error("a strip of nothing")
	}
}
