package joint

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// kept is how much of a threshold stays at a measurement while the spiking branch learns.
const kept = 0.9

// measure sets thresholds by a batch where the phase asks for that, and the limits of the
// ordinary branch that follow from them.
func (l *Learner) measure(ctx context.Context, b *sample.Batch, ph phase) error {
	begins := ph.snn && (l.step == 0 || l.rule.mu(l.share(l.step-1)) == 0)
	due := l.rule.Balance && l.rule.Track > 0 && l.step%l.rule.Track == 0
	if !begins && !due {
		return nil
	}
	if l.rule.Balance {
		if err := l.encode(b, l.keysOf(b, rng.Encode, b.Epoch)); err != nil {
			return err
		}
		theta, err := l.balanced(ctx)
		if err != nil {
			return err
		}
		for i, v := range theta {
			if ph.snn && !begins {
				v = kept*l.theta[i] + (1-kept)*v
			}
			l.theta[i] = v
		}
	}
	if l.rule.Saturate && ph.snn {
		for i := range l.limits {
			l.limits[i] = l.level(i + 1)
		}
	}
	return l.build()
}

// balanced are thresholds of the populations by what they receive of the encoded batch.
func (l *Learner) balanced(ctx context.Context) (theta []float64, err error) {
	g := replaced(l.graph, func(_ int, units layer.Spiking) layer.Layer {
		units.Varied = layer.Varied{"threshold": layer.PerChannel} // as convert takes them
		return units
	})
	weights := map[string]tensor.Tensor{}
	for _, p := range l.params {
		weights[p.Name] = p.Value
	}
	for i, nd := range g.Nodes {
		if w, ok := weights[nd.Name+".weight"]; ok {
			g.Nodes[i].Arrays = map[string]tensor.Tensor{"weight": w}
		}
	}
	batch := func(yield func(*signal.Signal, error) bool) { yield(&l.snn.in, nil) }
	g, _, err = convert.Balance{Factor: l.rule.Scale, Percentile: l.rule.Percentile}.Apply(ctx, g, batch)
	if err != nil {
		return nil, fmt.Errorf("joint: step %d: %w", l.step, err)
	}
	for _, nd := range g.Nodes {
		if units, ok := nd.Layer.(layer.Spiking); ok {
			theta = append(theta, units.Neuron.(neuron.STDB).Threshold)
		}
	}
	return theta, nil
}
