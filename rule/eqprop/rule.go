package eqprop

import (
	"errors"
	"fmt"
	"slices"

	"synfire/sample"
	"synfire/train"
)

// Rule is equilibrium propagation as a configuration describes it: a Config whose sizes
// may follow from the data. Its models have the output "output" and, with a predictor,
// "forward".
type Rule struct {
	Config `yaml:",inline"`
	Hidden []int `yaml:"hidden,omitempty"` // units of the layers between input (or convolutions) and output, in place of sizes
}

// NewRule has the defaults of a configuration file: centred nudges of a network of real
// units.
func NewRule() Rule {
	return Rule{Config: Config{Free: 20, Nudged: 4, Beta: 0.3}}
}

// Ignores are the keys of time: the phases have steps of their own, and samples are
// held before the network as they are.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// Validate returns an error for a network that cannot learn.
func (r Rule) Validate() error {
	if len(r.Sizes) > 0 {
		if len(r.Hidden) > 0 {
			return errors.New("eqprop: sizes and hidden are both given; leave out sizes, which follow from the data then")
		}
		return r.Config.Validate()
	}
	if len(r.Hidden) == 0 {
		return errors.New("eqprop: no layers; give hidden, as [500], or all sizes")
	}
	return r.sized(1, 1).Validate()
}

// sized is the configuration for samples of n values and a number of classes.
func (r Rule) sized(n, classes int) Config {
	c := r.Config
	if len(c.Sizes) > 0 {
		return c
	}
	behind := append(slices.Clone(r.Hidden), classes)
	if c.Convolutional != nil {
		c.Sizes = c.Convolutional.Sizes(behind...)
	} else {
		c.Sizes = append([]int{n}, behind...)
	}
	return c
}

// config is the configuration in a setting.
func (r Rule) config(s train.Setting) (Config, error) {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return Config{}, fmt.Errorf("eqprop: %w", err)
	case f.Kind != sample.Class:
		return Config{}, fmt.Errorf("eqprop: target %q is %v; the outputs are drawn towards a class: choose data with classes", f.Name, f.Kind)
	case s.Spec.Events || s.Spec.Steps > 0:
		return Config{}, fmt.Errorf("eqprop: samples are %v, want values without time: series and events have rules that know time, such as bptt", s.Spec)
	}
	c := r.sized(s.Spec.Size(), len(f.Classes))
	if n, k := c.Sizes[0], c.Sizes[len(c.Sizes)-1]; n != s.Spec.Size() || k != len(f.Classes) {
		return Config{}, fmt.Errorf("eqprop: a network of %v for samples of %v (%d values) and %d classes; give hidden in place of sizes, or the data that it is for", c.Sizes, s.Spec, s.Spec.Size(), len(f.Classes))
	}
	c.Seed, c.Pool = s.Seed, s.Pool
	return c, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	c, err := r.config(s)
	if err != nil {
		return nil, err
	}
	l, err := New(c)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor makes the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	c, err := r.config(s)
	if err != nil {
		return nil, err
	}
	c.Particles, c.TestParticles = 0, 0 // those of a run; here samples start from zeros
	l, err := New(c)
	if err != nil {
		return nil, err
	}
	return l, l.SetState(model)
}

// Fork is a network with the same weights that relaxes by itself.
func (l *Learner) Fork() train.Predictor {
	c := l.c
	c.Particles, c.TestParticles = 0, 0
	other, err := New(c)
	if err == nil {
		err = other.SetState(l.Model())
	}
	if err != nil {
		panic(err) // it was made once
	}
	return other
}
