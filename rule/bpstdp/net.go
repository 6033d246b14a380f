package bpstdp

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/tensor"
	"synfire/train/online"
)

// Net is layers of neurons behind the trains of the inputs. It implements online.Batcher.
type Net struct {
	rule    Rule
	seed    uint64
	inputs  int
	classes int
	steps   int
	phases  []float64
	layers  []*layer
	trials  []*trial         // of a batch; the first serves Run too
	sums    [][]tensor.Float // of each thread
	arrays  []online.Array   // the weights as doubles
	batches []float64        // how many were learned from: what spikes by chance depend on
}

// NewNet makes a network with weights drawn by the seed.
func (r Rule) NewNet(inputs, classes, steps int, seed uint64) *Net {
	n := &Net{rule: r, seed: seed, inputs: inputs, classes: classes, steps: steps, batches: make([]float64, 1)}
	src := rng.New(seed, rng.Init).Str("phases").Source()
	for range inputs {
		n.phases = append(n.phases, src.Float64())
	}
	sizes := append(append([]int{inputs}, r.Hidden...), classes)
	for k := 1; k < len(sizes); k++ {
		l := &layer{in: sizes[k-1], out: sizes[k], threshold: tensor.Float(r.Threshold), w: make([]tensor.Float, sizes[k-1]*sizes[k])}
		if k == len(sizes)-1 {
			l.threshold = tensor.Float(r.OutputThreshold * float64(l.in))
		}
		name := fmt.Sprintf("weight%d", k)
		src := rng.New(seed, rng.Init).Str(name).Source()
		for i := range l.w {
			l.w[i] = tensor.Float(r.Initial * src.Norm())
		}
		n.layers = append(n.layers, l)
		n.arrays = append(n.arrays, online.Array{Name: name, Shape: []int{l.in, l.out}, Data: make([]float64, len(l.w))})
	}
	return n
}

// Fork shares the weights.
func (n *Net) Fork() online.Network {
	f := *n
	f.trials, f.sums = nil, nil
	return &f
}

// trial is that of sample i of a batch.
func (n *Net) trial(i int) *trial {
	for len(n.trials) <= i {
		n.trials = append(n.trials, newTrial(&n.rule, n.layers, n.steps))
	}
	return n.trials[i]
}

// show runs a sample, and returns the wrong outputs at a wanted spike, in the mean.
func (n *Net) show(t *trial, x []tensor.Float, label int, scores []float64, key rng.Key) (loss float64, err error) {
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return 0, fmt.Errorf("value %d is %v, and rates stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
	}
	var chance *rng.Source
	if n.rule.Poisson {
		chance = key.Source()
	}
	t.encode(x, n.phases, chance)
	t.run(label)
	t.score(scores)
	return float64(t.wrong) / float64(n.steps/n.rule.Period), nil
}

// Run answers by the output with most spikes. The loss is how many outputs are wrong at a wanted
// spike, in the mean. By chance the same spikes are drawn for equal samples.
func (n *Net) Run(x []tensor.Float, label int, scores []float64) (float64, error) {
	return n.show(n.trial(0), x, label, scores, rng.New(n.seed, rng.Eval))
}

// Learn is LearnBatch with one sample.
func (n *Net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	return online.LearnOne(n, x, label, factor, scores)
}

// Batches is true.
func (n *Net) Batches() bool { return true }

// LearnBatch changes all weights by the mean of the samples' changes. Threads share first the samples,
// then the neurons, whose changes are added in the order of the samples.
func (n *Net) LearnBatch(b *online.Batch) error {
	size := len(b.Labels)
	n.trial(size - 1)
	key := rng.New(n.seed, rng.Encode).Int(uint64(n.batches[0]))
	err := b.Each(func(i int) (err error) {
		b.Loss[i], err = n.show(n.trials[i], b.Sample(i), b.Labels[i], b.ScoresOf(i), key.Int(uint64(i)))
		return err
	})
	if err != nil {
		return err
	}
	n.batches[0]++
	most := 0
	for _, l := range n.layers {
		most = max(most, l.in*min(block, l.out))
	}
	for len(n.sums) < max(1, b.Pool.Threads()) {
		n.sums = append(n.sums, make([]tensor.Float, most))
	}
	rate := tensor.Float(b.Factor * n.rule.LR / float64(size))
	for at, l := range n.layers {
		b.Pool.For((l.out+block-1)/block, 1, func(worker, first, end int) {
			for k := first; k < end; k++ {
				l.learn(at, n.trials[:size], k*block, min((k+1)*block, l.out), rate, n.sums[worker])
			}
		})
	}
	return nil
}

// Model is the weights of each layer, [in, out].
func (n *Net) Model() []online.Array {
	for l, layer := range n.layers {
		for i, v := range layer.w {
			n.arrays[l].Data[i] = float64(v)
		}
	}
	return n.arrays
}

// Refresh takes up the arrays of Model as weights.
func (n *Net) Refresh() {
	for l, layer := range n.layers {
		for i, v := range n.arrays[l].Data {
			layer.w[i] = tensor.Float(v)
		}
	}
}

// Memory is the number of batches.
func (n *Net) Memory() []online.Array {
	return []online.Array{{Name: "batches", Shape: []int{1}, Data: n.batches}}
}

// Spikes are the numbers of spikes of each layer for a sample, the inputs first, and those of each
// output by the end of each step, [steps, classes].
func (n *Net) Spikes(x []tensor.Float) (layers []int, outputs [][]int, err error) {
	t := n.trial(0)
	if _, err := n.show(t, x, -1, make([]float64, n.classes), rng.New(n.seed, rng.Eval)); err != nil {
		return nil, nil, err
	}
	layers = make([]int, len(t.spikes))
	for l, train := range t.spikes {
		for _, units := range train {
			layers[l] += len(units)
		}
	}
	sum := make([]int, n.classes)
	for _, units := range t.spikes[len(t.spikes)-1] {
		for _, k := range units {
			sum[k]++
		}
		outputs = append(outputs, append([]int(nil), sum...))
	}
	return layers, outputs, nil
}
