package convert

import (
	"context"
	"math"

	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
)

// Exit is what answering early does: a sample is answered after the first step in which its
// largest score, summed over the steps so far, leads by Margin, at the latest after all; as
// network.Inference does with that margin.
type Exit struct {
	Margin   float64
	Steps    float64 // mean of the samples
	Accuracy float64 // percent
}

// Exits are several margins on the samples that were measured, from the largest down. Margins are
// set and one is chosen by training samples: the largest one is the greatest lead of theirs after all
// steps, each other one the √2nd part of that before it, and the chosen one that of the fewest
// steps among those that are as accurate there as all steps.
type Exits struct {
	List    []Exit
	Chosen  int // −1: none is
	Samples int // of training
}

// tried is how many margins are.
const tried = 16

// exiting is a run that looks at the scores after each step.
type exiting struct {
	margins []tensor.Float
	scale   tensor.Float
	steps   []int        // by margin, of all samples
	right   []int        // by margin
	done    []bool       // by margin and sample of a batch
	most    tensor.Float // lead after the last step
}

func newExiting(list []float64, scale float64) *exiting {
	e := &exiting{scale: 1, steps: make([]int, len(list)), right: make([]int, len(list))}
	if scale != 0 {
		e.scale = tensor.Float(scale)
	}
	for _, m := range list {
		e.margins = append(e.margins, tensor.Float(m))
	}
	return e
}

// begin starts a batch.
func (e *exiting) begin(samples int) {
	e.done = append(e.done[:0], make([]bool, len(e.margins)*samples)...)
}

// look answers what is decided by the sums of a batch after some steps.
func (e *exiting) look(sums []tensor.Float, classes []int, step int, last bool) {
	k := len(sums) / len(classes)
	for i, class := range classes {
		sum := sums[i*k:][:k]
		best := largest(sum)
		lead := tensor.Float(math.Inf(1)) // of one class alone
		for j, v := range sum {
			if j != best {
				lead = min(lead, sum[best]-v)
			}
		}
		lead *= e.scale
		if last && k > 1 {
			e.most = max(e.most, lead)
		}
		for m, margin := range e.margins {
			at := m*len(classes) + i
			if e.done[at] || !last && !(k > 1 && lead >= margin) {
				continue
			}
			e.done[at] = true
			e.steps[m] += step
			if best == class {
				e.right[m]++
			}
		}
	}
}

// means are those of n samples.
func (e *exiting) means(n int) (list []Exit) {
	of := float64(max(1, n))
	for m, margin := range e.margins {
		list = append(list, Exit{float64(margin), float64(e.steps[m]) / of, 100 * float64(e.right[m]) / of})
	}
	return list
}

// margins sets margins by the greatest lead after all steps of training samples, follows these
// once more, and chooses.
func (s Study) margins(ctx context.Context, g network.Graph) (x Exits, list []float64, err error) {
	train, err := sample.Spaced(s.Train, s.Samples)
	if err != nil {
		return x, nil, err
	}
	o := s.curve(s.Encoder, s.Steps[len(s.Steps)-1:])
	o.Source = train
	x.Samples, x.Chosen = train.Len(), -1
	all, err := follow(ctx, g, o, nil)
	if err != nil {
		return x, nil, err
	}
	whole := all.points()[0].Accuracy
	for k := range tried {
		if m := float64(all.exits.most) * math.Pow(2, -float64(k)/2); m > 0 {
			list = append(list, m)
		}
	}
	if all, err = follow(ctx, g, o, list); err != nil {
		return x, nil, err
	}
	fewest := math.Inf(1)
	for i, e := range all.exits.means(all.n) {
		if e.Accuracy >= whole && e.Steps < fewest {
			fewest, x.Chosen = e.Steps, i
		}
	}
	return x, list, nil
}
