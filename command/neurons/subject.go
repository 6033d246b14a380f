package neurons

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"synfire/catalog"
	"synfire/format/yaml"
	"synfire/neuron"
	"synfire/neuron/dynamics"
	"synfire/sample"
)

// subject is a neuron that is looked at: a kind in steps, or a model in ms.
type subject struct {
	shown
	kind     neuron.Neuron  // in steps; or
	model    dynamics.Model // in ms
	standard dynamics.Stimulus
	about    string // the current in words
	duration float64
	step     float64
}

// physical is a model in ms with its pattern and options.
func (c *Neuron) physical(e Env, k dynamics.Kind) (*subject, error) {
	if c.Input != nil || c.Steps != nil {
		return nil, fmt.Errorf("--input and --steps are for kinds in steps; %s takes --current and --duration, in ms", k.Name)
	}
	if c.Pattern == "list" {
		fmt.Fprintf(e.Out, "%s: %s\n\n", k.Name, k.About)
		for _, p := range k.Patterns {
			fmt.Fprintf(e.Out, "  %-25s %s\n", p.Name, p.About)
		}
		return nil, nil
	}
	p, err := pattern(k, c.Pattern)
	if err != nil {
		return nil, err
	}
	m, err := configured(p.Model, c.Set)
	if err != nil {
		return nil, err
	}
	s := &subject{model: m, standard: p.Current, about: p.About, duration: p.Duration, step: p.Step}
	for _, o := range []struct {
		name string
		from *float64
		to   *float64
	}{{"duration", c.Duration, &s.duration}, {"step", c.Step, &s.step}} {
		if o.from == nil {
			continue
		}
		if !(*o.from > 0) || math.IsInf(*o.from, 0) {
			return nil, fmt.Errorf("--%s %v: want a positive time in ms", o.name, *o.from)
		}
		*o.to = *o.from
	}
	s.shown = shown{Name: c.Name, Pattern: p.Name, Params: catalog.Options(m), Units: units{"ms", "mV", m.Unit()}}
	return s, nil
}

// pattern is one of a kind; without a name the first.
func pattern(k dynamics.Kind, name string) (dynamics.Pattern, error) {
	if name == "" {
		return k.Patterns[0], nil
	}
	var known []string
	for _, p := range k.Patterns {
		if strings.EqualFold(p.Name, name) {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return dynamics.Pattern{}, fmt.Errorf("%s has no pattern %q: want one of %s", k.Name, sample.Printable(name), strings.Join(known, ", "))
}

// options are those of --set as YAML.
func options(set []string) (src string, err error) {
	for _, option := range set {
		key, value, ok := strings.Cut(option, "=")
		if !ok || strings.ContainsAny(option, "{}[],#\n") {
			return "", fmt.Errorf("--set %s: want an option and its value, such as --set beta=0.8", sample.Printable(option))
		}
		src += fmt.Sprintf(", %s: %s", strings.TrimSpace(key), strings.TrimSpace(value))
	}
	return src, nil
}

// configured is a model with options of --set in place of its own.
func configured(m dynamics.Model, set []string) (dynamics.Model, error) {
	src, err := options(set)
	if err != nil || src == "" {
		return m, err
	}
	text := []byte("{" + src[2:] + "}\n")
	switch n := m.(type) {
	case dynamics.Izhikevich:
		err = yaml.Decode("neuron", text, &n, nil)
		return n, err
	case dynamics.AdEx:
		err = yaml.Decode("neuron", text, &n, nil)
		return n, err
	case dynamics.LIF:
		err = yaml.Decode("neuron", text, &n, nil)
		return n, err
	case dynamics.Conductance:
		err = yaml.Decode("neuron", text, &n, nil)
		return n, err
	case dynamics.SRM0:
		err = yaml.Decode("neuron", text, &n, nil)
		return n, err
	}
	return nil, fmt.Errorf("model %T takes no options", m)
}

// stepped is a kind of neuron in steps.
func (c *Neuron) stepped(e Env) (*subject, error) {
	if c.Pattern != "" || c.Duration != nil || c.Step != nil {
		return nil, fmt.Errorf("--pattern, --duration and --step are for models in ms, such as izhikevich; %s takes --steps", c.Name)
	}
	s := &subject{duration: 60, step: 1, standard: dynamics.Constant(0.3), about: "0.3"}
	if c.Steps != nil {
		s.duration = float64(*c.Steps)
	}
	if s.duration < 1 || s.duration > maxSteps {
		return nil, fmt.Errorf("--steps %v: want 1 to %d", s.duration, maxSteps)
	}
	if c.Input != nil && (math.IsNaN(*c.Input) || math.IsInf(*c.Input, 0)) {
		return nil, fmt.Errorf("--input %v: want a finite input", *c.Input)
	}
	set, err := options(c.Set)
	if err != nil {
		return nil, err
	}
	var into struct {
		Neuron neuron.Neuron `yaml:"neuron"`
	}
	if err := yaml.Decode("neuron "+c.Name, []byte("neuron: {kind: "+c.Name+set+"}\n"), &into, e.Catalog.Kinds()); err != nil {
		return nil, err
	}
	s.kind = into.Neuron
	s.shown = shown{Name: c.Name, Params: catalog.Options(s.kind), Units: units{T: "step"}}
	return s, s.kind.Validate()
}

// run runs the neuron under a current.
func (s *subject) run(ctx context.Context, current dynamics.Stimulus) error {
	if s.model != nil {
		tr, err := dynamics.Run(ctx, s.model, current, s.duration, s.step)
		s.T, s.V, s.Current, s.Spikes = tr.Times, tr.Membrane, tr.Current, append([]float64{}, tr.Spikes...)
		return err
	}
	n := int(math.Round(s.duration))
	if n > maxSteps {
		return fmt.Errorf("a recording of %d steps, want at most %d; give --steps", n, maxSteps)
	}
	s.T, s.Current = make([]float64, n), make([]float64, n)
	for t := range s.T {
		s.T[t], s.Current[t] = float64(t), current(float64(t))
	}
	v, fired := neuron.Run(s.kind, s.Current)
	s.V, s.Spikes = v, []float64{}
	for _, t := range fired {
		s.Spikes = append(s.Spikes, float64(t))
	}
	return ctx.Err()
}

// rates is the curve at some currents, in Hz, of kinds in steps in spikes a step.
func (s *subject) rates(ctx context.Context, currents []float64) ([]dynamics.Rate, error) {
	if s.model != nil {
		return dynamics.Curve(ctx, s.model, currents, s.duration, s.step)
	}
	var out []dynamics.Rate
	for _, x := range currents {
		if err := errors.Join(ctx.Err(), s.run(ctx, dynamics.Constant(x))); err != nil {
			return out, err
		}
		r := dynamics.RateOf(x, s.Spikes)
		r.First, r.Steady = r.First/1000, r.Steady/1000
		out = append(out, r)
	}
	return out, nil
}
