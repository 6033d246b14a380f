package bpstdp

import (
	"context"
	"fmt"
	"slices"

	"synfire/recipe"
	rule "synfire/rule/bpstdp"
	"synfire/tensor"
	"synfire/train/online"
)

// counts are the spikes of a network on the test images.
type counts struct {
	layers  []string // names
	labels  []int
	spikes  [][]int   // of each layer, for each image
	outputs [][][]int // of each output by the end of each step, for each image
}

// watch runs a trained network on its test images.
func watch(ctx context.Context, t *recipe.Trained) (*counts, error) {
	src := t.Sets.Test
	r, ok := t.Config.Rule.(rule.Rule)
	if !ok {
		return nil, fmt.Errorf("bp-stdp: a rule of type %T", t.Config.Rule)
	}
	n := r.NewNet(src.Spec().Size(), len(src.Spec().Targets[0].Classes), t.Config.Steps, t.Config.Seed)
	if _, err := online.NewPredictor(n, online.Options{Rule: rule.Kind}, nil, t.Learner.Model()); err != nil {
		return nil, err
	}
	out := &counts{layers: []string{"input"}}
	for l := range r.Hidden {
		out.layers = append(out.layers, fmt.Sprintf("hidden%d", l+1))
	}
	out.layers = append(out.layers, "output")
	return out, t.EachTest(ctx, func(x []tensor.Float, class int) error {
		layers, outputs, err := n.Spikes(x)
		if err != nil {
			return fmt.Errorf("bp-stdp: %w", err)
		}
		out.labels, out.spikes, out.outputs = append(out.labels, class), append(out.spikes, layers), append(out.outputs, outputs)
		return nil
	})
}

// mean is that of a layer's spikes for an image.
func (c *counts) mean(layer int) float64 {
	sum := 0
	for _, n := range c.spikes {
		sum += n[layer]
	}
	return float64(sum) / float64(len(c.spikes))
}

// share is how many images in percent have outputs as asked in the last step.
func (c *counts) share(is func(outputs []int) bool) float64 {
	n := 0
	for _, steps := range c.outputs {
		if is(steps[len(steps)-1]) {
			n++
		}
	}
	return 100 * float64(n) / float64(len(c.outputs))
}

// silent is the share of images without an output spike.
func (c *counts) silent() float64 {
	return c.share(func(outputs []int) bool { return slices.Max(outputs) == 0 })
}

// ties is the share of images of which several outputs have most spikes.
func (c *counts) ties() float64 { return c.share(func(outputs []int) bool { return !alone(outputs) }) }

// alone reports whether one output has most spikes.
func alone(outputs []int) bool {
	most, n := slices.Max(outputs), 0
	for _, v := range outputs {
		if v == most {
			n++
		}
	}
	return n == 1
}

// early is the share of images of which the label's output alone has most spikes by each step.
func (c *counts) early() (x, y []float64) {
	for s := range c.outputs[0] {
		right := 0
		for i, steps := range c.outputs {
			if alone(steps[s]) && steps[s][c.labels[i]] == slices.Max(steps[s]) {
				right++
			}
		}
		x, y = append(x, float64(s+1)), append(y, 100*float64(right)/float64(len(c.outputs)))
	}
	return x, y
}
