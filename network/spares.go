package network

import (
	"slices"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// spares is memory of signals that have been read, for the next that need some.
type spares [][]tensor.Float

// take gives s memory for n elements, where it has less: the tightest that is not more than
// twice as large. Where there is none, s gets memory anew, and the largest that would not have been
// too large but is too small is let go: of signals that grow, those of before are not held.
func (m *spares) take(s *signal.Signal, n int) {
	if cap(s.Data) >= n {
		return
	}
	fit, small := -1, -1
	for i, d := range *m {
		switch c := cap(d); {
		case c >= n && c < 2*n && (fit < 0 || c < cap((*m)[fit])):
			fit = i
		case c < n && 2*c > n && (small < 0 || c > cap((*m)[small])):
			small = i
		}
	}
	switch {
	case fit >= 0:
		s.Data = (*m)[fit]
		*m = slices.Delete(*m, fit, fit+1)
	case small >= 0:
		*m = slices.Delete(*m, small, small+1)
	}
}

// release takes back the memory of a signal that has been read.
func (m *spares) release(s *signal.Signal) {
	if cap(s.Data) > 0 {
		*m = append(*m, s.Data[:0])
	}
	s.Data = nil
}

// lastReaders gives each node the nodes whose outputs nobody reads after it, where a view reads
// for those that read the view. An output of the network is read by the caller.
func (p *Pass) lastReaders() {
	nodes := p.c.net.nodes
	last, caller := make([]int, len(nodes)), len(nodes)
	for i := len(nodes) - 1; i >= 0; i-- {
		last[i] = i
		if len(nodes[i].outputs) > 0 {
			last[i] = caller
		}
		for _, e := range nodes[i].consumers {
			reader := e.node
			if layer.IsView(nodes[reader].Layer) {
				reader = last[reader]
			}
			last[i] = max(last[i], reader)
		}
		if last[i] != caller && !layer.IsView(nodes[i].Layer) {
			m := &p.nodes[last[i]]
			m.read = append(m.read, i)
		}
	}
}

// lend gives the output of node i memory of outputs that have been read, for so many rows.
func (p *Pass) lend(i, rows int) {
	nd, out := &p.c.net.nodes[i], &p.nodes[i].chunks[0].out
	if out.Kind == signal.Dense && !layer.IsView(nd.Layer) {
		p.spare.take(out, rows*nd.out.Size())
	}
}

// settleOutputs takes back the memory of what nobody reads after node i, and of its own output
// where that is spikes, where nothing is kept.
func (p *Pass) settleOutputs(i int) {
	if p.kept {
		return
	}
	if out := &p.nodes[i].chunks[0].out; out.Kind == signal.Spikes {
		p.spare.release(out)
	}
	for _, j := range p.nodes[i].read {
		if out := &p.nodes[j].chunks[0].out; out.Kind == signal.Dense {
			p.spare.release(out)
		}
	}
}
