package stdpconv

import (
	"cmp"
	"math"
	"slices"

	"synfire/tensor"
)

// Front makes spikes of images.
type Front struct {
	Least   float64 // of a filter's output on pixels of 0 to 255; what is below is 0
	Window  int     // side of the square that outputs are divided by the mean of; odd
	Steps   int     // T
	filters []filter
}

// NewFront has two filters of each size, bright on dark and dark on bright: a Gaussian of a ninth
// of the size less one of two ninths, and the other way round.
func NewFront(sizes []int, least float64, window, steps int) *Front {
	f := &Front{Least: least, Window: window, Steps: steps}
	for _, n := range sizes {
		a, b := float64(n)/9, float64(2*n)/9
		f.filters = append(f.filters, difference(n, a, b), difference(n, b, a))
	}
	return f
}

// Maps is the number of filters, which each channel of an image goes through.
func (f *Front) Maps() int { return len(f.filters) }

// filter is a difference of Gaussians, square.
type filter struct {
	size int
	taps []float64
}

// difference is a Gaussian of width a less one of width b, less its mean, over its largest value.
func difference(size int, a, b float64) filter {
	f := filter{size, make([]float64, size*size)}
	mean := 0.0
	for i := range f.taps {
		y, x := float64(i/size-size/2), float64(i%size-size/2)
		r := y*y + x*x
		f.taps[i] = math.Exp(-r/(2*a*a))/(2*math.Pi*a*a) - math.Exp(-r/(2*b*b))/(2*math.Pi*b*b)
		mean += f.taps[i] / float64(len(f.taps))
	}
	for i := range f.taps {
		f.taps[i] -= mean
	}
	high := slices.Max(f.taps)
	for i := range f.taps {
		f.taps[i] /= high
	}
	return f
}

// Code is an image [height, width, channels] in [0, 1] as spikes of the filters of each channel.
// An image with fewer outputs above least than there are steps is silent.
func (f *Front) Code(image []tensor.Float, height, width, channels int) Wave {
	out := NewWave(height, width, channels*len(f.filters))
	type unit struct {
		at    int
		value float64
	}
	var units []unit
	plane := make([]tensor.Float, height*width)
	for c := range channels {
		for i := range plane {
			plane[i] = image[i*channels+c]
		}
		for k, g := range f.filters {
			for at, v := range f.normalised(g.apply(plane, height, width, f.Least), height, width) {
				if v > 0 {
					units = append(units, unit{at*out.Channels + c*len(f.filters) + k, v})
				}
			}
		}
	}
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(b.value, a.value) })
	size := len(units) / f.Steps
	for k, u := range units[:size*f.Steps] {
		out.When[u.at] = int8(k / size)
	}
	return out
}

// apply is the filter on an image with borders of 0, without what is below least.
func (f filter) apply(image []tensor.Float, height, width int, least float64) []float64 {
	out, half := make([]float64, height*width), f.size/2
	for at, v := range image {
		if v == 0 {
			continue
		}
		y, x := at/width, at%width
		for ty := max(0, y-half); ty <= min(height-1, y+half); ty++ { // filters are symmetric
			for tx := max(0, x-half); tx <= min(width-1, x+half); tx++ {
				out[ty*width+tx] += 255 * float64(v) * f.taps[(y-ty+half)*f.size+x-tx+half]
			}
		}
	}
	for i, v := range out {
		if v < least {
			out[i] = 0
		}
	}
	return out
}

// normalised divides values by the mean of the window about them, with borders of 0.
func (f *Front) normalised(v []float64, height, width int) []float64 {
	n, radius := width+1, f.Window/2
	sum := make([]float64, (height+1)*n) // of all above and left
	for y := range height {
		for x := range width {
			sum[(y+1)*n+x+1] = v[y*width+x] + sum[y*n+x+1] + sum[(y+1)*n+x] - sum[y*n+x]
		}
	}
	out := make([]float64, height*width)
	area := float64(f.Window * f.Window)
	for i, value := range v {
		if value == 0 {
			continue
		}
		top, bottom := max(0, i/width-radius), min(height, i/width+radius+1)
		left, right := max(0, i%width-radius), min(width, i%width+radius+1)
		total := sum[bottom*n+right] - sum[top*n+right] - sum[bottom*n+left] + sum[top*n+left]
		out[i] = value * area / total
	}
	return out
}
