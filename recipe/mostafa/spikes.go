package mostafa

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/recipe"
	rule "synfire/rule/mostafa"
	"synfire/tensor"
	"synfire/train/online"
)

// spikes are when the neurons of a network fired on the test images, in units of the synapse's
// constant; a neuron that did not is infinitely late.
type spikes struct {
	classes []string
	labels  []int
	hidden  [][]float64 // of all hidden layers, for each image
	output  [][]float64
}

// watch runs a trained network on its test images.
func watch(ctx context.Context, t *recipe.Trained) (*spikes, error) {
	src := t.Sets.Test
	out := &spikes{classes: src.Spec().Targets[0].Classes}
	r, ok := t.Config.Rule.(rule.Rule)
	if !ok {
		return nil, fmt.Errorf("mostafa: a rule of type %T", t.Config.Rule)
	}
	n := r.NewNet(src.Spec().Size(), len(out.classes), t.Config.Seed)
	if _, err := online.NewPredictor(n, online.Options{Rule: rule.Kind}, nil, t.Learner.Model()); err != nil {
		return nil, err
	}
	return out, t.EachTest(ctx, func(x []tensor.Float, class int) error {
		layers, err := n.Z(x)
		if err != nil {
			return fmt.Errorf("mostafa: %w", err)
		}
		last := len(layers) - 1
		out.labels, out.hidden, out.output = append(out.labels, class), append(out.hidden, times(layers[:last]...)), append(out.output, times(layers[last]))
		return nil
	})
}

// times are ln z.
func times(layers ...[]float64) (all []float64) {
	for _, z := range layers {
		for _, v := range z {
			all = append(all, math.Log(v))
		}
	}
	return all
}

// share is how many times in percent are as asked.
func share(images [][]float64, is func(i int, t float64) bool) float64 {
	n, all := 0, 0
	for i, list := range images {
		all += len(list)
		for _, t := range list {
			if is(i, t) {
				n++
			}
		}
	}
	return 100 * float64(n) / float64(max(1, all))
}

func silent(_ int, t float64) bool { return math.IsInf(t, 1) }

func (s *spikes) silentOutputs() float64 { return share(s.output, silent) }

func (s *spikes) silentHidden() float64 { return share(s.hidden, silent) }

// decisions are the times of the first outputs.
func (s *spikes) decisions() [][]float64 {
	all := make([][]float64, len(s.output))
	for i, list := range s.output {
		all[i] = []float64{slices.Min(list)}
	}
	return all
}

// undecided is the share of images without an output spike.
func (s *spikes) undecided() float64 { return share(s.decisions(), silent) }

// decision is the mean time of the first output, of images that have one.
func (s *spikes) decision() float64 {
	sum, n := 0.0, 0
	for _, d := range s.decisions() {
		if !silent(0, d[0]) {
			sum += d[0]
			n++
		}
	}
	return sum / float64(max(1, n))
}

// before is the share of hidden neurons that fire before the decision.
func (s *spikes) before() float64 {
	d := s.decisions()
	return share(s.hidden, func(i int, t float64) bool { return t < d[i][0] })
}
