package spikegrad

import (
	"context"
	"fmt"
	"slices"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/tensor"
)

// Verification is what a comparison of both sides found.
type Verification struct {
	Samples   int
	Orders    int // of events, of each sample
	Different int // samples of which any order gave another spike count, potential or answer
	Inexact   int // samples whose sums may be inexact in the equivalent network
	Sent      int // spikes of the layers that were sent in random order, of all orders
	Counted   int // sums of them, without sign, over neurons
}

// Add adds what was found of other samples.
func (v *Verification) Add(o Verification) {
	v.Samples, v.Orders = v.Samples+o.Samples, o.Orders
	v.Different += o.Different
	v.Inexact += o.Inexact
	v.Sent += o.Sent
	v.Counted += o.Counted
}

// Verify runs the forward phase of a batch on both sides, with spikes layer by layer and
// in a number of random orders, and compares what all neurons end with.
func (l *Learner) Verify(ctx context.Context, b *sample.Batch, orders int) (Verification, error) {
	if l.r.Truncate != Both {
		return Verification{}, fmt.Errorf("spikegrad: verify: truncate is %v: what is not whole has no spikes; leave it out", l.r.Truncate)
	}
	if err := l.take(b, false); err != nil {
		return Verification{}, err
	}
	if err := l.run(false); err != nil {
		return Verification{}, err
	}
	p := l.p
	for i := range p.workers {
		p.spikingOf(&p.workers[i]).take()
	}
	found := make([]Verification, p.samples)
	errs := make([]error, p.samples)
	l.s.Pool.For(p.samples, 1, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			found[i], errs[i] = l.verifySample(ctx, p.workers[worker].sim, b, i, orders)
		}
	})
	total := Verification{Orders: orders}
	for i, v := range found {
		if errs[i] != nil {
			return total, errs[i]
		}
		total.Add(v)
	}
	return total, nil
}

func (l *Learner) verifySample(ctx context.Context, s *Spiking, b *sample.Batch, i, orders int) (Verification, error) {
	v := Verification{Samples: 1, Orders: orders, Inexact: int(l.p.each[i].inexact)}
	key := rng.New(l.s.Seed, rng.Eval).Int(0).Int(uint64(b.Index[i]))
	for k := range orders + 1 {
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		var src *rng.Source
		if k > 0 {
			src = key.Int(uint64(k)).Source()
		}
		if err := s.run(row(l.p.n[0], l.p.samples, i), src); err != nil {
			return v, fmt.Errorf("sample %d: %w", b.Index[i], err)
		}
		if !l.p.same(s, i) {
			v.Different = 1
		}
		for layer := 1; layer < len(l.p.stages) && k > 0; layer++ {
			for j, n := range s.forward[layer].n {
				v.Sent += int(s.forward[layer].sent[j])
				v.Counted += int(max(n, -n))
			}
		}
	}
	return v, nil
}

// same reports whether the neurons ended as those of the equivalent network did.
func (p *passes) same(s *Spiking, i int) bool {
	for l, st := range p.stages {
		c := s.forward[l+1]
		if !slices.EqualFunc(row(p.v[l+1], p.samples, i), c.v, equal) {
			return false
		}
		if !st.last && !slices.EqualFunc(row(p.n[l+1], p.samples, i), c.n, equal) {
			return false
		}
	}
	return true
}

func equal(a tensor.Float, b int64) bool { return float64(a) == float64(b) }
