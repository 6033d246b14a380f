package data

import (
	"context"
	"fmt"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/tensor"
)

// CursorOptions say how a cursor walks its source.
type CursorOptions struct {
	Batch     int                   // samples a batch, at least 1
	Seed      uint64                // of the order and of Augment
	Shuffle   bool                  // a new permutation each epoch; else the source's order
	Augment   []Augment             // change each sample of each epoch, one after another
	Normalize *sample.Normalization // of each sample, after Augment; nil: none
	// Prefetch is how many batches are decoded ahead, each by a goroutine of its
	// own; 0 decodes when a batch is asked for. The batches are the same.
	Prefetch int
}

// State is a place in a cursor's walk. It counts samples that were delivered,
// whatever was decoded ahead.
type State struct {
	Epoch int `json:"epoch"` // epochs completed
	Next  int `json:"next"`  // samples delivered in this epoch
}

// Cursor walks a source in batches, epoch after epoch. It is not safe for use by
// several goroutines.
type Cursor struct {
	src     sample.Source
	spec    sample.Spec
	opts    CursorOptions
	state   State
	order   []int // of epoch ordered; nil without Shuffle
	ordered int
	ahead   []*decoding // the batches from state on
	idle    []*decoding
}

// decoding is a batch on its way, and the memory to make it in.
type decoding struct {
	batch     sample.Batch
	positions []int
	done      chan struct{} // nil: it is there
	err       error
	sample    sample.Sample
	scratch   []tensor.Float
}

// NewCursor returns a cursor at the start of epoch 0.
func NewCursor(src sample.Source, opts CursorOptions) (*Cursor, error) {
	if v, ok := src.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	c := &Cursor{src: src, spec: src.Spec(), opts: opts, ordered: -1}
	if err := c.spec.Validate(); err != nil {
		return nil, fmt.Errorf("data: cursor: %w", err)
	}
	if src.Len() == 0 {
		return nil, fmt.Errorf("data: cursor: the source is empty")
	}
	if v, ok := src.(Varied); ok {
		for i := range src.Len() {
			if n := v.Length(i); n != v.Length(0) {
				return nil, fmt.Errorf("data: cursor: %s lasts %v, %s %v; make durations alike by Uniform", src.Origin(0), v.Length(0), src.Origin(i), n)
			}
		}
	}
	if opts.Batch < 1 || opts.Prefetch < 0 {
		return nil, fmt.Errorf("data: cursor: batch size %d, %d ahead; expected at least 1, and not below 0", opts.Batch, opts.Prefetch)
	}
	if c.spec.Events && (len(opts.Augment) > 0 || opts.Normalize != nil) {
		return nil, fmt.Errorf("data: cursor: samples are %v; augmentation and normalisation are of values: leave them out", c.spec)
	}
	if !c.spec.Events {
		if err := opts.Normalize.Validate(c.spec.Shape); err != nil {
			return nil, fmt.Errorf("data: cursor: %w", err)
		}
	}
	for _, a := range opts.Augment {
		if s, ok := a.(Shaped); ok {
			if err := s.Check(c.spec); err != nil {
				return nil, fmt.Errorf("data: cursor: %w", err)
			}
		} else if len(c.spec.Shape) != 3 {
			return nil, fmt.Errorf("data: cursor: augmentation of samples of shape %v, expected height, width, channels: leave it out", c.spec.Shape)
		}
		if v, ok := a.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// Source is what the cursor walks.
func (c *Cursor) Source() sample.Source { return c.src }

// Len is the number of batches an epoch, a smaller last one included.
func (c *Cursor) Len() int { return (c.src.Len() + c.opts.Batch - 1) / c.opts.Batch }

// Batch is the number of samples of a batch.
func (c *Cursor) Batch() int { return c.opts.Batch }

// Samples is the number of samples of an epoch.
func (c *Cursor) Samples() int { return c.src.Len() }

// State is the place of the next batch.
func (c *Cursor) State() State { return c.state }

// SetState moves the cursor to a place that State returned, of this cursor or
// of one with the same source and options: the batches that follow are the same.
func (c *Cursor) SetState(s State) error {
	if s.Epoch < 0 || s.Next < 0 || s.Next > c.src.Len() {
		return fmt.Errorf("data: cursor: state is epoch %d, sample %d; expected an epoch from 0 and a sample in [0, %d]: was it saved with another data set?",
			s.Epoch, s.Next, c.src.Len())
	}
	c.forget()
	c.state = s
	return nil
}

// forget drops what was decoded ahead.
func (c *Cursor) forget() {
	for _, d := range c.ahead {
		d.wait()
		c.idle = append(c.idle, d)
	}
	c.ahead = c.ahead[:0]
}

// Next fills b with the next batch of the epoch, reusing its memory, and
// reports whether there was one. At the end of an epoch it returns false once,
// leaves b alone and moves to the start of the next epoch. An error, which names
// the sample, leaves the cursor where it was.
func (c *Cursor) Next(ctx context.Context, b *sample.Batch) (bool, error) {
	if c.state.Next >= c.src.Len() {
		c.forget()
		c.state = State{Epoch: c.state.Epoch + 1}
		return false, nil
	}
	for at := c.state.Next + len(c.ahead)*c.opts.Batch; len(c.ahead) <= c.opts.Prefetch && at < c.src.Len(); at += c.opts.Batch {
		c.ahead = append(c.ahead, c.start(ctx, at, c.opts.Prefetch > 0))
	}
	d := c.ahead[0]
	d.wait()
	c.ahead = append(c.ahead[:0], c.ahead[1:]...)
	c.idle = append(c.idle, d)
	if d.err != nil {
		c.forget()
		return false, d.err
	}
	*b, d.batch = d.batch, *b
	c.state.Next += b.Len()
	return true, nil
}

// Spaced walks a new cursor to its end and shows each batch, with the positions in it of those that
// belong to want evenly spaced ones of all samples.
func (c *Cursor) Spaced(ctx context.Context, want int, see func(b *sample.Batch, at []int) error) error {
	total := c.Samples()
	var b sample.Batch
	for next := 0; ; {
		more, err := c.Next(ctx, &b)
		if err != nil || !more {
			return err
		}
		var at []int
		for i := range b.Len() {
			if next*want/total < (next+1)*want/total {
				at = append(at, i)
			}
			next++
		}
		if err := see(&b, at); err != nil {
			return err
		}
	}
}

// start decodes the batch that begins at a place of the epoch, at once or beside
// the caller.
func (c *Cursor) start(ctx context.Context, at int, beside bool) *decoding {
	d := &decoding{}
	if n := len(c.idle); n > 0 {
		d, c.idle = c.idle[n-1], c.idle[:n-1]
	}
	d.positions = d.positions[:0]
	for i := at; i < min(at+c.opts.Batch, c.src.Len()); i++ {
		d.positions = append(d.positions, c.at(i))
	}
	if !beside {
		d.done, d.err = nil, c.decode(ctx, d, c.state.Epoch)
		return d
	}
	d.done = make(chan struct{})
	go c.decodeBeside(ctx, d, c.state.Epoch)
	return d
}

func (c *Cursor) decodeBeside(ctx context.Context, d *decoding, epoch int) {
	defer close(d.done)
	defer func() {
		if v := recover(); v != nil { // a panic of a source must not end the program
			d.err = fmt.Errorf("data: a batch could not be decoded: %v", v)
		}
	}()
	d.err = c.decode(ctx, d, epoch)
}

// wait returns when the batch is there.
func (d *decoding) wait() {
	if d.done != nil {
		<-d.done
	}
}

// at is the position in the source of the i-th sample of the epoch.
func (c *Cursor) at(i int) int {
	if !c.opts.Shuffle {
		return i
	}
	if c.ordered != c.state.Epoch {
		key := rng.New(c.opts.Seed, rng.Shuffle).Int(uint64(c.state.Epoch))
		c.order, c.ordered = key.Source().Perm(c.src.Len()), c.state.Epoch
	}
	return c.order[i]
}

// decode makes a batch of the samples at its positions. It touches nothing of the
// cursor that changes.
func (c *Cursor) decode(ctx context.Context, d *decoding, epoch int) error {
	b := &d.batch
	b.Reset(&c.spec, epoch)
	for _, i := range d.positions {
		if err := c.read(ctx, d, epoch, i); err != nil {
			return err
		}
		if err := b.Append(c.src.Index(i), &d.sample); err != nil {
			return fmt.Errorf("data: %s: %w", c.src.Origin(i), err)
		}
	}
	return nil
}

// read makes the sample at position i as the epoch shows it.
func (c *Cursor) read(ctx context.Context, d *decoding, epoch, i int) error {
	x, s := d.batch.Slot(), &d.sample
	*s = sample.Sample{X: x, Targets: s.Targets[:0]}
	if len(c.opts.Augment)%2 == 1 { // the last one must write to x, so the sample starts where that leads
		d.scratch = tensor.Resize(d.scratch, len(x))
		s.X = d.scratch
	}
	if err := c.src.Read(ctx, i, s); err != nil {
		return err
	}
	if len(s.Targets) != len(c.spec.Targets) {
		return fmt.Errorf("data: %s: %d targets, expected %d", c.src.Origin(i), len(s.Targets), len(c.spec.Targets))
	}
	for f := range s.Targets {
		if err := c.spec.Targets[f].Check(s.Targets[f]); err != nil {
			return fmt.Errorf("data: %s: %w", c.src.Origin(i), err)
		}
	}
	if k, ok := tensor.Finite(s.X); !ok {
		return fmt.Errorf("data: %s: value %d is %v; remove the sample or fill the value in", c.src.Origin(i), k, s.X[k])
	}
	if len(c.opts.Augment) > 0 {
		c.augment(d, epoch, i)
	}
	s.X = x
	c.opts.Normalize.Apply(x)
	return nil
}

// augment changes a sample, all steps of a series alike.
func (c *Cursor) augment(d *decoding, epoch, i int) {
	s, x := &d.sample, d.batch.Slot()
	base, index := rng.New(c.opts.Seed, rng.Augment), uint64(c.src.Index(i))
	key := base.Int(uint64(epoch)).Int(index)
	d.scratch = tensor.Resize(d.scratch, len(x))
	other := d.scratch
	if len(c.opts.Augment)%2 == 1 {
		other = x
	}
	n := c.spec.Shape.Size()
	for lo := 0; lo < len(x); lo += n {
		from, to, random := s.X[lo:lo+n], other[lo:lo+n], key.Source()
		for _, a := range c.opts.Augment {
			var targets []sample.Target // moved once
			if lo == 0 {
				targets = s.Targets
			}
			if p, ok := a.(Planned); ok {
				a = p.Plan(epoch, base.Str("once").Int(index).Source())
			}
			a.Apply(to, from, targets, &c.spec, random)
			from, to = to, from
		}
	}
}
