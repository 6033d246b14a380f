package coupling

import (
	"slices"
	"testing"

	"synfire/tensor"
)

func TestConvolutionalSizes(t *testing.T) {
	c := &Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []Convolution{{Out: 32, Kernel: 5, Pool: 2}, {Out: 64, Kernel: 5, Pool: 2}}}
	if got, want := c.Sizes(10), []int{784, 12 * 12 * 32, 4 * 4 * 64, 10}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
