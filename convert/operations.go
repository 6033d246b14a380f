package convert

import (
	"synfire/internal/kernel"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/linmap"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// fanout is, for each element of a node's output, how many additions a spike of it costs
// behind it: the true number, borders, strides and poolings included.
type fanout map[string][]int

// fanouts are those of all nodes of a network that has one place for each output.
func fanouts(net *network.Network) fanout {
	f, nodes := fanout{}, net.Nodes()
	for i := len(nodes) - 1; i >= 0; i-- {
		nd := nodes[i]
		at := 0
		for k, in := range nd.Inputs {
			if f[in] == nil {
				f[in] = make([]int, nd.In[k].Size())
			}
			f.reach(nd, f[in], nd.In[k], at)
			at += width(nd.In[k])
		}
	}
	return f
}

// reach adds to the fan-out of an input, whose channels begin at one of a join's, what a
// node does with it.
func (f fanout) reach(nd network.Info, to []int, in tensor.Shape, at int) {
	behind := func(i int) int {
		if of := f[nd.Name]; of != nil {
			return of[i]
		}
		return 0
	}
	switch l := nd.Layer.(type) {
	case layer.Linear:
		for i := range to {
			to[i] += l.Out
		}
	case layer.Conv2D:
		w, err := linmap.NewWindow(in, linmap.Options{Kernel: l.Kernel, Stride: l.Stride, Dilation: l.Dilation, Padding: l.Padding})
		if err != nil {
			return // the network was built: it fits
		}
		each(w, func(place, _ int) {
			for c := range w.C {
				to[place*w.C+c] += l.Out / max(1, l.Groups)
			}
		})
	case layer.AvgPool:
		w, err := linmap.NewPool(in, l.Size, l.Stride, l.Padding)
		if err != nil {
			return
		}
		each(w.Window, func(place, out int) {
			for c := range w.C {
				to[place*w.C+c] += behind(out*w.C + c)
			}
		})
	case temporal.MaxCount: // a sum for each element; what passes is counted behind
		for i := range to {
			to[i]++
		}
	case layer.GlobalAvgPool:
		for i := range to {
			to[i] += behind(i % width(in))
		}
	case layer.Upsample:
		w, n, wide := in[1], in[2], in[1]*l.Factor
		for p := range in[0] * l.Factor * wide {
			for c := range n {
				to[(p/wide/l.Factor*w+p%wide/l.Factor)*n+c] += behind(p*n + c)
			}
		}
	case layer.Concat:
		n, all := width(in), width(nd.Out)
		for i := range to {
			to[i] += behind(i/n*all + at + i%n)
		}
	case layer.Flatten, layer.Dropout:
		for i := range to {
			to[i] += behind(i)
		}
	default: // a sum, or a neuron: it is added there
		for i := range to {
			to[i]++
		}
	}
}

// each calls f for each pair of a pixel and an output pixel whose window has it.
func each(w linmap.Window, f func(place, out int)) {
	for y := range w.OH {
		_, top, high := w.TapRows(y)
		for x := range w.OW {
			_, left, wide := w.TapColumns(x)
			for i := range high {
				for j := range wide {
					f((top+i*w.DilateH)*w.W+left+j*w.DilateW, y*w.OW+x)
				}
			}
		}
	}
}

// operations counts the additions that spikes cause, as a network.Firing.
type operations struct {
	of  [][]int // by node
	all int
	ids []int32
}

func newOperations(net *network.Network) *operations {
	f, o := fanouts(net), &operations{}
	for _, nd := range net.Nodes() {
		var of []int
		_, counts := nd.Layer.(temporal.MaxCount)
		if layer.Fires(nd.Layer) || counts { // others pass the same spikes on
			of = f[nd.Name]
		}
		o.of = append(o.of, of)
	}
	return o
}

// Fired counts.
func (o *operations) Fired(node int, spikes *signal.Signal) {
	of := o.of[node]
	if of == nil || spikes.Kind != signal.Spikes {
		return
	}
	for r := range spikes.Rows() {
		o.ids = kernel.Indices(o.ids[:0], spikes.Raster.Row(r), 0, len(of), 0)
		for _, i := range o.ids {
			o.all += of[i]
		}
	}
}

// Errors has none.
func (o *operations) Errors(int, *signal.Signal) {}
