package joint

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// kept is how much of a threshold stays at a measurement while the spiking branch learns.
const kept = 0.9

// measure sets thresholds by a batch where the phase asks for that, and the limits of the
// ordinary branch that follow from them.
func (l *Learner) measure(b *sample.Batch, ph phase) error {
	begins := ph.snn && (l.step == 0 || l.rule.mu(float64(l.step-1)/float64(max(1, l.total))) == 0)
	due := l.rule.Track > 0 && l.step%l.rule.Track == 0
	if !begins && !(l.rule.Balance && due) {
		return nil
	}
	if l.rule.Balance {
		l.encode(b, l.keysOf(b, rng.Encode, b.Epoch))
		theta, err := balanced(l.graph, l.params, l.theta, &l.snn.in, l.rule.Percentile)
		if err != nil {
			return err
		}
		for i, v := range theta {
			v *= l.rule.Scale
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

// errSeen ends a look at a network's activity.
var errSeen = errors.New("seen")

// balanced are thresholds of the populations by their inputs on a signal: a percentile over
// samples, units and steps of the weighted sums of spikes, those below already at theirs.
func balanced(g network.Graph, params []tensor.Param, theta []float64, in *signal.Signal, percentile float64) ([]float64, error) {
	theta = slices.Clone(theta)
	for i, name := range populations(g) {
		net, err := setThresholds(g, theta, STDB).Build(0)
		if err != nil {
			return nil, err
		}
		copy(net.Params(), params)
		before := in
		err = net.Compile(nil, false).Activity(in, func(nd network.Info, out *signal.Signal) error {
			if nd.Name == name {
				return errSeen
			}
			before = out
			return nil
		})
		if !errors.Is(err, errSeen) {
			return nil, fmt.Errorf("joint: balance: %w", err)
		}
		if before.Kind == signal.Spikes {
			return nil, fmt.Errorf("joint: balance: population %q sees spikes without weights; put a linear or conv2d layer between", name)
		}
		v := quantile(before.Data, percentile/100)
		if !(v > 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("joint: balance: the largest inputs of population %q are %v, want them positive for a threshold; lower the learning rate, or leave balance out", name, v)
		}
		theta[i] = v
	}
	return theta, nil
}

// quantile is the least element that a share of all do not exceed.
func quantile(x []tensor.Float, share float64) float64 {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return float64(sorted[min(max(at, 0), len(sorted)-1)])
}

// spikingOf is the population of a node that is one.
func spikingOf(nd network.GraphNode) layer.Spiking { return nd.Layer.(layer.Spiking) }
