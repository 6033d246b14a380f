// Package stdpconv learns features of images without labels by convolutional layers of spiking
// neurons whose maps compete and learn by the order of spikes, and names images by a linear readout
// of them.
//
// Each channel of an image goes through differences of Gaussians of several sizes, each bright on
// dark and dark on bright. What they give is 0 below least (of pixels of 0 to 255), divided by its
// mean over a square window, and ranked over all filters and places: the first of T equal parts
// spikes at step 0, the next at step 1, and so on; fewer than T that are left over are dropped. Each
// input spikes once at most, and only the order counts (Front, Wave).
//
// A neuron of map m at place p adds up the weights of the spikes in its window, does not leak, and
// fires once, in the first step in which its potential exceeds the threshold (Layer.Run):
//
//	u_mp(t) = Σ_{i: t_i ≤ t} w_mi·[i in the window about p]      t_mp = the first t with u_mp(t) > θ
//
// Of the neurons at a place the first alone may win: it fires earliest, or of those that fire in the
// same step has the largest potential. The first of all places wins, and keeps its map and all maps
// within reach from winning; then the next wins, until there are as many winners as there may be. A
// winner changes the weights of its map (Layer.Learn):
//
//	w ← w + a₊·w(1 − w)    of inputs that fired before it or with it
//	w ← w − a₋·w(1 − w)    of all others, those that never fire among them
//
// so that weights go to 0 or 1 and stay within. a₊ doubles after so many samples up to a largest
// value, and a₋ is a part of it. Stages learn one after another: when one has had its samples, it
// stands still, its spikes are pooled, the earliest of a square passing on, and the next one learns from
// these. The readout is a softmax of the sums of weights of units that fire at all behind the last
// pooling.
//
// Kheradpisheh et al., "STDP-based spiking deep convolutional neural networks for object
// recognition", Neural Networks 99:56, 2018, has the network. Constants, the three sizes of filters
// and the order of competition are those of Mozafari et al., "Bio-inspired digit recognition using
// reward-modulated STDP in deep convolutional networks", Pattern Recognition 94:87, 2019, whose last
// layer learns by reward instead; recipe stdp-cnn has both. The linear readout stands in the place
// of a support vector machine.
package stdpconv

import "slices"

// Never is the time of a unit that does not fire.
const Never = int8(127)

// MaxSteps is the most steps of a wave.
const MaxSteps = int(Never) - 1

// Wave is a layer of units [height, width, channels] that fire at most once: the step of each.
type Wave struct {
	Height, Width, Channels int
	When                    []int8
}

// NewWave is a layer in which nothing fires.
func NewWave(height, width, channels int) Wave {
	return Wave{height, width, channels, slices.Repeat([]int8{Never}, height*width*channels)}
}

// Pool is the earliest of each square of so many units; what is left at the edges is dropped.
func (v Wave) Pool(size int) Wave {
	out := NewWave(v.Height/size, v.Width/size, v.Channels)
	for y := range out.Height * size {
		for x := range out.Width * size {
			to := out.When[((y/size)*out.Width+x/size)*v.Channels:][:v.Channels]
			for c, t := range v.When[(y*v.Width+x)*v.Channels:][:v.Channels] {
				to[c] = min(to[c], t)
			}
		}
	}
	return out
}

// Active are the units that fire, ascending; where global, the channels that fire anywhere.
func (v Wave) Active(global bool) (list []int32) {
	for i, t := range v.When {
		switch {
		case t == Never:
		case !global:
			list = append(list, int32(i))
		default:
			list = append(list, int32(i%v.Channels))
		}
	}
	if global {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

// spikes are the units that fire.
func (v Wave) spikes() (n int) {
	for _, t := range v.When {
		if t != Never {
			n++
		}
	}
	return n
}
