package energy

import (
	"fmt"

	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/linmap"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// flow is what a node gives over time.
type flow uint8

const (
	values flow = iota // numbers that change from step to step
	held               // numbers that are the same in each step
	events             // spikes, or whole numbers of them
)

// Plan is what a network does in a step of time whatever the sample: how far a spike of
// each neuron reaches, and what is multiplied.
type Plan struct {
	// Held and Values are multiply-accumulates of a step, true at borders and strides: of
	// what is the same in each step (an image, and what follows from it alone), and of other
	// numbers that are no spikes. Connections are those that take spikes.
	Held, Values, Connections int
	// Neurons have a membrane that each step updates; Biases are added in each step, those
	// of held numbers left out.
	Neurons, Biases int

	nodes []network.Info
	input flow
	flows []flow           // by node
	links []*connections   // by node, nil where there are no weights
	fans  map[string]*fans // by the node whose spikes these are, and the network's input
}

// fans is, for each element of what a node gives, how many additions a spike of it costs
// behind it: the true number, borders, strides and poolings included.
type fans struct {
	weighted []int32 // of weights
	plain    []int32 // of the spike itself: to a sum, a gate or a neuron
	// What most elements cost, and a bit for each that costs otherwise: most are inside of an
	// image, so that spikes are counted by words, and looked at one by one at the borders.
	usualWeighted, usualPlain int
	unusual                   []uint64
}

// findUsual fills in what most elements cost, when the fans are complete.
func (f *fans) findUsual() {
	type cost struct{ weighted, plain int32 }
	count := map[cost]int{}
	var usual cost
	for i, w := range f.weighted {
		c := cost{w, f.plain[i]}
		if count[c]++; count[c] > count[usual] {
			usual = c
		}
	}
	f.usualWeighted, f.usualPlain = int(usual.weighted), int(usual.plain)
	f.unusual = make([]uint64, (len(f.weighted)+63)/64)
	for i, w := range f.weighted {
		if (cost{w, f.plain[i]}) != usual {
			f.unusual[i/64] |= 1 << (i % 64)
		}
	}
}

// NewPlan is the plan of a network whose input is of a kind: an image held before it
// (Constant), Spikes, or numbers that change (Dense), which are multiplied in each step.
func NewPlan(net *network.Network, input signal.Kind) *Plan {
	p := &Plan{nodes: net.Nodes(), input: map[signal.Kind]flow{signal.Constant: held, signal.Spikes: events}[input], fans: map[string]*fans{}}
	p.flows, p.links = make([]flow, len(p.nodes)), make([]*connections, len(p.nodes))
	at := map[string]int{}
	for i, nd := range p.nodes {
		at[nd.Name] = i
		p.flows[i], p.links[i] = p.classify(nd, at), connectionsOf(nd)
		p.add(nd, p.links[i], p.from(nd.Inputs[0], at))
	}
	for i := len(p.nodes) - 1; i >= 0; i-- {
		p.trace(i, at)
	}
	for _, f := range p.fans {
		f.findUsual()
	}
	return p
}

// from is what a node of a name gives, or the network's input.
func (p *Plan) from(name string, at map[string]int) flow {
	if i, ok := at[name]; ok {
		return p.flows[i]
	}
	return p.input
}

// classify is what a node gives by what it gets.
func (p *Plan) classify(nd network.Info, at map[string]int) flow {
	if layer.Fires(nd.Layer) {
		return events
	}
	all := p.from(nd.Inputs[0], at)
	for _, in := range nd.Inputs {
		if p.from(in, at) != all {
			all = values
		}
	}
	_, stateful := nd.Layer.(layer.Stateful)
	switch {
	case all == held && !stateful:
		return held
	case all == events && (passes(nd.Layer) || gathers(nd.Layer)):
		return events
	}
	return values
}

// passes reports whether a layer hands on what it gets, in other places or means: a spike
// goes through to what is behind it.
func passes(l layer.Layer) bool {
	switch l.(type) {
	case layer.Flatten, layer.Dropout, layer.AvgPool, layer.GlobalAvgPool, layer.Upsample, layer.Concat, ordinary.Gather, temporal.Delay, neunorm.Vote:
		return true
	}
	return false
}

// gathers reports whether a layer makes spikes of spikes, by an addition or a comparison each.
func gathers(l layer.Layer) bool {
	switch l.(type) {
	case layer.MaxPool, temporal.MaxCount, layer.Add:
		return true
	}
	return false
}

// add counts what a node does in a step.
func (p *Plan) add(nd network.Info, c *connections, in flow) {
	if c != nil {
		switch in {
		case held:
			p.Held += c.dense
		case values:
			p.Values += c.dense
		default:
			p.Connections += c.dense
		}
		if c.bias && in != held {
			p.Biases += nd.Out.Size()
		}
	}
	if _, ok := nd.Layer.(layer.Recurrent); ok {
		p.Connections += nd.Out.Size() * nd.Out.Size()
	}
	if membranes(nd.Layer) {
		p.Neurons += nd.Out.Size()
	}
}

// IsFirst reports whether a layer of weights has no unit before it and its input is the same in
// each step: it is multiplied once.
func (p *Plan) IsFirst(name string) bool {
	at, behind := map[string]int{}, map[string]bool{} // a unit
	for i, nd := range p.nodes {
		for _, in := range nd.Inputs {
			behind[nd.Name] = behind[nd.Name] || behind[in]
		}
		if nd.Name == name {
			return p.links[i] != nil && p.from(nd.Inputs[0], at) == held && !behind[name]
		}
		behind[nd.Name] = behind[nd.Name] || ordinary.Rectified(nd.Layer)
		at[nd.Name] = i
	}
	return false
}

// rectified is how many units of ordinary networks there are.
func (p *Plan) rectified() (n int) {
	for _, nd := range p.nodes {
		if ordinary.Rectified(nd.Layer) {
			n += nd.Out.Size()
		}
	}
	return n
}

// membranes reports whether a layer's units have a membrane.
func membranes(l layer.Layer) bool {
	switch l.(type) {
	case layer.Readout, temporal.Integrator:
		return true
	}
	return layer.Fires(l)
}

// trace adds to the fans of a node's inputs what it does with their spikes.
func (p *Plan) trace(i int, at map[string]int) {
	nd := p.nodes[i]
	first := 0 // of an input's channels among those of a join
	for k, in := range nd.Inputs {
		if p.from(in, at) == events {
			p.reach(i, p.fan(in, nd.In[k].Size()), nd.In[k], first)
		}
		first += width(nd.In[k])
	}
	if _, ok := nd.Layer.(layer.Recurrent); ok {
		f := p.fan(nd.Name, nd.Out.Size())
		for i := range f.weighted {
			f.weighted[i] += int32(nd.Out.Size())
		}
	}
}

// fan is that of a node of a name, whose output has some elements.
func (p *Plan) fan(name string, size int) *fans {
	f := p.fans[name]
	if f == nil {
		f = &fans{weighted: make([]int32, size), plain: make([]int32, size)}
		p.fans[name] = f
	}
	return f
}

// reach adds what a node does with the spikes of an input.
func (p *Plan) reach(at int, to *fans, in tensor.Shape, first int) {
	nd := p.nodes[at]
	if c := p.links[at]; c != nil {
		for i, n := range c.all {
			to.weighted[i] += n
		}
		return
	}
	if !passes(nd.Layer) {
		for i := range to.plain {
			to.plain[i]++
		}
		return
	}
	behind := p.fans[nd.Name]
	if behind == nil {
		return // nothing takes it
	}
	pairs(nd, in, first, func(i, o int) {
		to.weighted[i] += behind.weighted[o]
		to.plain[i] += behind.plain[o]
	})
}

// pairs calls f for each pair of an element that a passing layer gets and one that it gives
// of it.
func pairs(nd network.Info, in tensor.Shape, first int, f func(i, o int)) {
	size, n := in.Size(), width(in)
	switch l := nd.Layer.(type) {
	case layer.AvgPool:
		w, err := linmap.NewPool(in, l.Size, l.Stride, l.Padding)
		if err != nil {
			panic(fmt.Sprintf("energy: %s: %v", nd.Name, err)) // the network was built: it fits
		}
		taps(w.Window, func(place, out, _ int) {
			for c := range n {
				f(place*n+c, out*n+c)
			}
		})
	case layer.GlobalAvgPool:
		for i := range size {
			f(i, i%n)
		}
	case layer.Upsample:
		high, wide := in[0]*l.Factor, in[1]*l.Factor
		for o := range high * wide * n {
			f((o/n/wide/l.Factor*in[1]+o/n%wide/l.Factor)*n+o%n, o)
		}
	case layer.Concat:
		for i := range size {
			f(i, i/n*width(nd.Out)+first+i%n)
		}
	case neunorm.Vote:
		for i := range size {
			f(i, i/l.Voters)
		}
	case ordinary.Gather:
		for o := range nd.Out.Size() {
			if i := o; !l.Indexed {
				f(i, o)
			} else if i = int(nd.Buffers[0].Value.Data[o]); i >= 0 && i < size {
				f(i, o)
			}
		}
	default:
		for i := range size {
			f(i, i)
		}
	}
}

// width is the number of a shape's channels.
func width(s tensor.Shape) int {
	if len(s) == 0 {
		return 1
	}
	return s[len(s)-1]
}

// taps calls f for each pair of a pixel and an output pixel whose window has it, with the
// tap that joins them.
func taps(w linmap.Window, f func(place, out, tap int)) {
	for y := range w.OH {
		i0, top, high := w.TapRows(y)
		for x := range w.OW {
			j0, left, wide := w.TapColumns(x)
			for i := range high {
				for j := range wide {
					f((top+i*w.DilateH)*w.W+left+j*w.DilateW, y*w.OW+x, (i0+i)*w.KW+j0+j)
				}
			}
		}
	}
}

// connections are those of a layer of weights, by the element that it gets.
type connections struct {
	all    []int32 // to how many outputs an element goes
	linked []int32 // of them those whose weight is not 0; nil where the network has no values
	dense  int     // Σ all
	bias   bool
}

// connectionsOf is nil for layers that are no weighted connections.
func connectionsOf(nd network.Info) *connections {
	c := &connections{}
	switch l := nd.Layer.(type) {
	case layer.Linear:
		c.bias = !l.NoBias
		c.fill(nd, linmap.Window{H: 1, W: 1, C: nd.In[0][0], OH: 1, OW: 1, KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilateH: 1, DilateW: 1, SpreadH: 1, SpreadW: 1}, 1, l.Out)
	case layer.Conv2D:
		w, err := linmap.NewWindow(nd.In[0], linmap.Options{Kernel: l.Kernel, Stride: l.Stride, Dilation: l.Dilation, Padding: l.Padding})
		if err != nil {
			panic(fmt.Sprintf("energy: %s: %v", nd.Name, err)) // the network was built: it fits
		}
		c.bias = !l.NoBias
		c.fill(nd, w, max(1, l.Groups), l.Out)
	default:
		return nil
	}
	for _, n := range c.all {
		c.dense += int(n)
	}
	return c
}

// fill counts the connections of a window of weights [taps, channels of a group, out].
func (c *connections) fill(nd network.Info, w linmap.Window, groups, out int) {
	deep, each := w.C/groups, out/groups
	weights := nd.Params[0].Value.Data
	nonzero := make([]int32, w.KH*w.KW*w.C) // by tap and channel
	for i, v := range weights {
		if o := i % out; v != 0 {
			nonzero[i/out/deep*w.C+o/each*deep+i/out%deep]++
		}
	}
	c.all, c.linked = make([]int32, nd.In[0].Size()), make([]int32, nd.In[0].Size())
	taps(w, func(place, _, tap int) {
		for ch := range w.C {
			c.all[place*w.C+ch] += int32(each)
			c.linked[place*w.C+ch] += nonzero[tap*w.C+ch]
		}
	})
}
