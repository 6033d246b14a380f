package data

import (
	"fmt"

	"synfire/internal/rng"
	"synfire/tensor"
)

// Batch is what a learner's step consumes: B samples of one epoch.
type Batch struct {
	Epoch  int
	Index  []int          // B places in the data set's file
	X      []tensor.Float // B×H·W·C, row-major; of images in [0, 1] before they are normalised
	Shape  tensor.Shape   // of one sample: H, W, C
	Labels []int          // B
}

// Len is the number of samples B.
func (b *Batch) Len() int { return len(b.Index) }

// CursorOptions say how a cursor walks its set.
type CursorOptions struct {
	Batch   int       // samples a batch, at least 1
	Seed    uint64    // of the order and of Augment
	Shuffle bool      // a new permutation each epoch; else the set's order
	Augment []Augment // change each sample of each epoch, one after another
}

// State is a place in a cursor's walk.
type State struct {
	Epoch int `json:"epoch"` // epochs completed
	Next  int `json:"next"`  // samples delivered in this epoch
}

// Cursor walks a set in batches, epoch after epoch. It is not safe for use by
// several goroutines.
type Cursor struct {
	set     *Set
	opts    CursorOptions
	state   State
	order   []int // of epoch ordered; nil without Shuffle
	ordered int
	scratch []tensor.Float
}

// NewCursor returns a cursor at the start of epoch 0.
func NewCursor(set *Set, opts CursorOptions) (*Cursor, error) {
	if err := set.Validate(); err != nil {
		return nil, err
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("data: cursor: %s is empty", set.title())
	}
	if opts.Batch < 1 {
		return nil, fmt.Errorf("data: cursor: batch size %d, expected at least 1", opts.Batch)
	}
	for _, a := range opts.Augment {
		if v, ok := a.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				return nil, err
			}
		}
	}
	return &Cursor{set: set, opts: opts, ordered: -1, scratch: make([]tensor.Float, set.Shape.Size())}, nil
}

// Len is the number of batches an epoch, a smaller last one included.
func (c *Cursor) Len() int { return (c.set.Len() + c.opts.Batch - 1) / c.opts.Batch }

// Samples is the number of samples of an epoch.
func (c *Cursor) Samples() int { return c.set.Len() }

// State is the place of the next batch.
func (c *Cursor) State() State { return c.state }

// SetState moves the cursor to a place that State returned, of this cursor or
// of one with the same set and options: the batches that follow are the same.
func (c *Cursor) SetState(s State) error {
	if s.Epoch < 0 || s.Next < 0 || s.Next > c.set.Len() {
		return fmt.Errorf("data: cursor: state is epoch %d, sample %d; expected an epoch from 0 and a sample in [0, %d]: was it saved with another data set?",
			s.Epoch, s.Next, c.set.Len())
	}
	c.state = s
	return nil
}

// Next fills b with the next batch of the epoch, reusing its memory, and
// reports whether there was one. At the end of an epoch it returns false once,
// leaves b alone and moves to the start of the next epoch.
func (c *Cursor) Next(b *Batch) bool {
	lo := c.state.Next
	if lo >= c.set.Len() {
		c.state = State{Epoch: c.state.Epoch + 1}
		return false
	}
	hi := min(lo+c.opts.Batch, c.set.Len())
	b.Epoch, b.Shape = c.state.Epoch, c.set.Shape
	size := c.set.Shape.Size()
	b.Index, b.Labels, b.X = b.Index[:0], b.Labels[:0], tensor.Resize(b.X, (hi-lo)*size)
	for i := lo; i < hi; i++ {
		s := c.at(i)
		b.Index = append(b.Index, c.set.Origin(s))
		b.Labels = append(b.Labels, int(c.set.Labels[s]))
		c.fill(b.X[(i-lo)*size:][:size], s)
	}
	c.state.Next = hi
	return true
}

// at is the position in the set of the i-th sample of the epoch.
func (c *Cursor) at(i int) int {
	if !c.opts.Shuffle {
		return i
	}
	if c.ordered != c.state.Epoch {
		key := rng.New(c.opts.Seed, rng.Shuffle).Int(uint64(c.state.Epoch))
		c.order, c.ordered = key.Source().Perm(c.set.Len()), c.state.Epoch
	}
	return c.order[i]
}

// fill writes sample s as this epoch shows it.
func (c *Cursor) fill(x []tensor.Float, s int) {
	if len(c.opts.Augment) == 0 {
		c.set.Input(s, x)
		return
	}
	key := rng.New(c.opts.Seed, rng.Augment).Int(uint64(c.state.Epoch)).Int(uint64(c.set.Origin(s)))
	random := key.Source()
	// The last one must write to x, so the sample starts where that leads.
	from, to := c.scratch, x
	if len(c.opts.Augment)%2 == 0 {
		from, to = to, from
	}
	c.set.Sample(s, from)
	for _, a := range c.opts.Augment {
		a.Apply(to, from, c.set.Shape, random)
		from, to = to, from
	}
	c.set.Normalization.Apply(x)
}
