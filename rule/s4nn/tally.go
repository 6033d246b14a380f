package s4nn

import (
	"synfire/task"
	"synfire/train"
)

// Names of the figures besides accuracy and loss. Ties are outputs that fire first at the
// same time.
const (
	WithTies   = "accuracy-with-ties" // right where the label's output is one of those that fire first
	Unique     = "accuracy-unique"    // right where it alone is the first
	Silent     = "silent"             // samples that no output fires for
	Ties       = "ties"               // samples of which several outputs fire first
	Hidden     = "hidden-spikes"      // a sample; of one that stops early until then
	Decision   = "decision-step"      // time of the first output spike, T where there is none
	Operations = "operations"         // weights that are added to potentials, a sample; likewise
)

// tally is what is counted of samples.
type tally struct {
	n, labelled                          int
	right, withTies, unique              int
	silent, ties                         int
	hidden, outputs, decision, operation int
	loss                                 float64
}

// count adds the sample that was run. A label below 0 is none, and a gap below 0 leaves the
// loss out, which a sample that stopped early does not have.
func (c *tally) count(n *network, label, gap int) {
	c.n++
	p, first := n.output(), n.first()
	c.decision += int(first)
	c.operation += n.operations()
	c.outputs += p.fired
	for _, h := range n.layer[:len(n.layer)-1] {
		c.hidden += h.fired
	}
	earliest := 0
	for k := 0; k < p.fired && p.out.time[k] == first; k++ {
		earliest++
	}
	switch earliest {
	case 0:
		c.silent++
	case 1:
	default:
		c.ties++
	}
	if label < 0 {
		return
	}
	c.labelled++
	right := n.winner() == label
	c.right += is(right)
	c.withTies += is(right || earliest > 0 && p.times[label] == first)
	c.unique += is(right && earliest < 2)
	if gap >= 0 {
		c.loss += targets(n.delta[len(n.delta)-1], p.times, label, gap, n.steps)
	}
}

func is(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *tally) add(o tally) {
	c.n += o.n
	c.labelled += o.labelled
	c.right += o.right
	c.withTies += o.withTies
	c.unique += o.unique
	c.silent += o.silent
	c.ties += o.ties
	c.hidden += o.hidden
	c.outputs += o.outputs
	c.decision += o.decision
	c.operation += o.operation
	c.loss += o.loss
}

// followed are the figures that are worth following while training, as sums over the
// samples; the loss is one of them where it was counted.
func (c *tally) followed(loss bool) (sums []train.Sum) {
	if c.labelled == c.n {
		if loss {
			sums = append(sums, train.LossSum(c.loss))
		}
		sums = append(sums, percent("accuracy", c.right, task.Higher), percent(WithTies, c.withTies, task.Higher))
	}
	return append(sums, mean(Hidden, "spikes", c.hidden), mean(Decision, "steps", c.decision))
}

// sums are all figures.
func (c *tally) sums(loss bool) []train.Sum {
	sums := c.followed(loss)
	if c.labelled == c.n {
		sums = append(sums, percent(Unique, c.unique, task.Higher))
	}
	return append(sums, percent(Silent, c.silent, task.Lower), percent(Ties, c.ties, task.Lower), mean(Operations, "additions", c.operation))
}

func percent(name string, count int, better task.Direction) train.Sum {
	return train.Sum{Name: name, Unit: "%", Better: better, Total: 100 * float64(count)}
}

func mean(name, unit string, count int) train.Sum {
	return train.Sum{Name: name, Unit: unit, Better: task.Lower, Total: float64(count)}
}
