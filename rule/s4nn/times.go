package s4nn

import (
	"context"
	"fmt"

	"synfire/sample"
)

// Times are the firing times of each layer for the samples of a batch, [B, units] each, at
// the end of their time: T for a neuron that does not fire.
func (p *runner) Times(ctx context.Context, b *sample.Batch) ([][]int32, error) {
	if err := p.check(b); err != nil {
		return nil, err
	}
	n, in := p.workers[0], p.weights.sizes[0]
	all := make([][]int32, len(n.layer))
	for i := range b.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := n.run(b.X[i*in:][:in], false); err != nil {
			return nil, fmt.Errorf("s4nn: sample %d: %w", b.Index[i], err)
		}
		for l, layer := range n.layer {
			all[l] = append(all[l], layer.times...)
		}
	}
	return all, nil
}
