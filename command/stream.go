package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"synfire/catalog"
	"synfire/data/input"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/train"
)

type streamCmd struct {
	Model  string  `arg:"" help:"Model file, or checkpoint of a run, of an online rule: superspike."`
	Out    string  `help:"Where the model that has learned more is written; without it nothing is kept." placeholder:"FILE"`
	Update float64 `help:"Milliseconds between updates of the weights; 0 is the rule's own: 500 for superspike." default:"0"`
}

// Help is the verb's longer help.
func (streamCmd) Help() string {
	return `Reads events from standard input as they arrive and learns from them, in memory that
does not grow, and prints the spikes of the outputs. A line is an event, its time in
seconds, never less than that of the line before, its unit, and its kind: an input's, or
the target that an output should have. What the optimiser had gathered in training is not
part of a model, and begins anew. An interrupt keeps what was learned.

  recorder | synfire stream runs/net-s1/model.safetensors --out wiser.safetensors
  time,unit,kind
  0.0132,7,input
  0.0150,0,target`
}

// saves tells that a verb that is interrupted is to be waited for.
func (*streamCmd) saves() {}

// Run streams.
func (c *streamCmd) Run(a *app) error {
	pool := par.New(1)
	defer pool.Close()
	m, err := a.Catalog.Open(c.Model, catalog.OpenOptions{Pool: pool})
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	p, ok := m.Predictor().(train.Streaming)
	if !ok {
		return usageError{fmt.Errorf("stream: rule %s of %s does not learn from events as they come; superspike does", m.Rule, c.Model)}
	}
	if c.Out == "" {
		fmt.Fprintln(a.err, "warning: what is learned is not kept; give --out FILE to keep it")
	}
	err = p.Pipe(a.ctx, c.Update, input.Interruptible(a.ctx, os.Stdin), a.out)
	if c.Out == "" {
		return cmp.Or(a.ctx.Err(), err)
	}
	learned := m.File.Model()
	learned.Arrays, learned.Stored = p.Model(), ""
	if unkept := modelfile.Write(c.Out, learned); unkept != nil {
		return errors.Join(err, unkept)
	}
	if a.ctx.Err() != nil {
		return fmt.Errorf("stream: %w; what was learned is in %s", train.ErrInterrupted, c.Out)
	}
	return err
}
