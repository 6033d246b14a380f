package stdp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"synfire/tensor"
)

// Picture is a PNG of the weights as they are, a picture for each neuron (Mosaic); none where
// samples are no images.
func (l *Learner) Picture() ([]byte, error) {
	shape := l.setting.Spec.Shape
	if len(shape) != 2 && len(shape) != 3 {
		return nil, nil
	}
	return Mosaic(l.memory.weight, shape, l.memory.neurons)
}

// Mosaic is a PNG of the weights [height, width, channels, neurons] as a picture for each neuron,
// row by row, a pixel apart: paper where a weight is 0 or below, black at the neuron's largest.
// Weights of a pixel's channels are added.
func Mosaic(weights []tensor.Float, shape tensor.Shape, neurons int) ([]byte, error) {
	if len(shape) < 2 || len(shape) > 3 || neurons < 1 || len(weights) != shape.Size()*neurons {
		return nil, fmt.Errorf("stdp: a picture of %d weights of %d neurons from inputs of shape %v, want those of an image", len(weights), neurons, shape)
	}
	height, width := shape[0], shape[1]
	columns := int(math.Ceil(math.Sqrt(float64(neurons))))
	rows := (neurons + columns - 1) / columns
	img := image.NewGray(image.Rect(0, 0, columns*(width+1)+1, rows*(height+1)+1))
	for i := range img.Pix {
		img.Pix[i] = 0xB0
	}
	pixels := make([]float64, height*width)
	channels := shape.Size() / len(pixels)
	for j := range neurons {
		most := 0.0
		for i := range pixels {
			pixels[i] = 0
			for c := range channels {
				pixels[i] += float64(weights[(i*channels+c)*neurons+j])
			}
			most = max(most, pixels[i])
		}
		left, top := j%columns*(width+1)+1, j/columns*(height+1)+1
		for i, w := range pixels {
			share := 0.0
			if w > 0 {
				share = w / most
			}
			img.SetGray(left+i%width, top+i/width, color.Gray{Y: uint8(math.Round(255 * (1 - share)))})
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
