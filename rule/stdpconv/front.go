package stdpcnn

import (
	"cmp"
	"math"
	"slices"

	"synfire/tensor"
)

// never is the time of a unit that does not fire; bins the number of times.
const (
	bins  = 15
	never = int8(127)
)

// wave is a layer of units [height, width, channels] that fire at most once: the step of each.
type wave struct {
	height, width, channels int
	when                    []int8
}

func newWave(height, width, channels int) wave {
	return wave{height, width, channels, slices.Repeat([]int8{never}, height*width*channels)}
}

// pool is the earliest of each square of so many units; what is left at the edges is dropped.
func (v wave) pool(size int) wave {
	out := newWave(v.height/size, v.width/size, v.channels)
	for y := range out.height * size {
		for x := range out.width * size {
			to := out.when[((y/size)*out.width+x/size)*v.channels:][:v.channels]
			for c, t := range v.when[(y*v.width+x)*v.channels:][:v.channels] {
				to[c] = min(to[c], t)
			}
		}
	}
	return out
}

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

// filters are those of Mozafari et al. (2019): three sizes, each on and off.
func filters() (list []filter) {
	for _, f := range []struct {
		size int
		a, b float64
	}{{3, 1. / 3, 2. / 3}, {7, 7. / 9, 14. / 9}, {13, 13. / 9, 26. / 9}} {
		list = append(list, difference(f.size, f.a, f.b), difference(f.size, f.b, f.a))
	}
	return list
}

const (
	least  = 50 // of a filter's output on pixels of 0 to 255
	radius = 8  // of the window that outputs are normalised in
)

// code is an image [n, n] in [0, 1] as spikes of the filters: outputs below 50 of 255 are left out,
// the others divided by the mean of the 17×17 about them, ranked, and cut into 15 bins of equal
// count, the largest first; the remainder that fills no bin is dropped.
func code(image []tensor.Float, n int, list []filter) wave {
	out := newWave(n, n, len(list))
	type unit struct {
		at    int
		value float64
	}
	var units []unit
	for c, f := range list {
		raw := f.apply(image, n)
		for at, v := range normalised(raw, n) {
			if v > 0 {
				units = append(units, unit{at*len(list) + c, v})
			}
		}
	}
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(b.value, a.value) })
	size := len(units) / bins
	for k, u := range units[:size*bins] {
		out.when[u.at] = int8(k / size)
	}
	return out
}

// apply is the filter on an image with borders of 0, without what is below least.
func (f filter) apply(image []tensor.Float, n int) []float64 {
	out, half := make([]float64, n*n), f.size/2
	for at, v := range image {
		if v == 0 {
			continue
		}
		y, x := at/n, at%n
		for ty := max(0, y-half); ty <= min(n-1, y+half); ty++ { // filters are symmetric
			for tx := max(0, x-half); tx <= min(n-1, x+half); tx++ {
				out[ty*n+tx] += 255 * float64(v) * f.taps[(y-ty+half)*f.size+x-tx+half]
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
func normalised(v []float64, n int) []float64 {
	sum := make([]float64, (n+1)*(n+1)) // of all above and left
	for y := range n {
		for x := range n {
			sum[(y+1)*(n+1)+x+1] = v[y*n+x] + sum[y*(n+1)+x+1] + sum[(y+1)*(n+1)+x] - sum[y*(n+1)+x]
		}
	}
	out := make([]float64, n*n)
	const area = (2*radius + 1) * (2*radius + 1)
	for i, value := range v {
		if value == 0 {
			continue
		}
		top, bottom := max(0, i/n-radius), min(n, i/n+radius+1)
		left, right := max(0, i%n-radius), min(n, i%n+radius+1)
		total := sum[bottom*(n+1)+right] - sum[top*(n+1)+right] - sum[bottom*(n+1)+left] + sum[top*(n+1)+left]
		out[i] = value * area / total
	}
	return out
}
