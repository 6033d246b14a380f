// Package neurons holds the verb that looks at one neuron under a current.
package neurons

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/catalog"
	"synfire/command/exchange"
	"synfire/internal/suggest"
	"synfire/neuron/dynamics"
	"synfire/report"
	"synfire/view"
)

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
	Catalog catalog.Catalog
}

// Neuron is the verb neuron.
type Neuron struct {
	Name     string   `arg:"" help:"Kind of neuron, as in YAML files: if, lif, cuba-lif, alif, stdb; or in ms and mV: izhikevich, adex, current-lif, conductance-lif, srm0."`
	Pattern  string   `help:"Firing pattern of izhikevich or adex, with its constants and current; list tells them." placeholder:"NAME"`
	Current  string   `help:"Current: a number, step:BASE,CURRENT,ON[,OFF], ramp:FROM,TO[,START,END], or a recording: a file .csv, .txt, .npy or .npz." placeholder:"CURRENT"`
	Input    *float64 `help:"Constant input of every step (default 0.3); --current says others." placeholder:"X"`
	Curve    string   `help:"Rate over the current instead, at N currents from A to B." placeholder:"A,B,N"`
	Steps    *int     `help:"Steps of time, of kinds in steps (default 60)." placeholder:"N"`
	Duration *float64 `help:"Time in ms, of models in ms (default that of the pattern or recording)." placeholder:"MS"`
	Step     *float64 `help:"Length of a step in ms, of models in ms (default that of the pattern)." placeholder:"MS"`
	Set      []string `help:"Options as in YAML files, such as --set beta=0.8 --set reset=zero." placeholder:"KEY=VALUE" sep:"none"`
	SVG      string   `help:"Draw the trace or the curve to FILE, .svg or .png." placeholder:"FILE"`
	JSON     bool     `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Neuron) Help() string {
	return `Runs one neuron under a current and shows its membrane, before the reset, and its
spikes; with --curve its rate over the current. A recording has a value a line, or a time
and a value; an .npz the array current, and perhaps time.

  synfire neuron lif --input 0.28 --set beta=0.9
  synfire neuron izhikevich --pattern CH --current 12 --duration 500 --svg ch.svg
  synfire neuron adex --pattern adapting --current step:0,600,50,450
  synfire neuron current-lif --curve 300,1000,40 --svg fi.svg`
}

// maxSteps bounds what a person would look at, and the memory.
const maxSteps = 1_000_000

// Validate returns an error for options that do not go together.
func (c *Neuron) Validate() error {
	switch ending := strings.ToLower(filepath.Ext(c.SVG)); {
	case c.SVG != "" && ending != ".svg" && ending != ".png":
		return fmt.Errorf("--svg %q: want a file that ends in .svg or .png", c.SVG)
	case c.Input != nil && (c.Current != "" || c.Curve != ""), c.Curve != "" && c.Current != "":
		return errors.New("--input, --current and --curve each say the current; give one of them")
	}
	return nil
}

// Run runs the neuron.
func (c *Neuron) Run(e Env) error {
	m, err := c.model(e)
	if err != nil {
		return exchange.Usage{Err: fmt.Errorf("neuron: %w", err)}
	}
	if m == nil {
		return nil // patterns were listed
	}
	if c.Curve != "" {
		return c.curve(e, m)
	}
	if err := c.look(e.Context, m); err != nil {
		return fmt.Errorf("neuron %s: %w", c.Name, err)
	}
	if c.SVG != "" {
		if err := m.draw(c.SVG); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(m.shown)
	}
	return m.print(e.Screen)
}

// shown is the JSON of a trace.
type shown struct {
	Name    string         `json:"name"`
	Pattern string         `json:"pattern,omitempty"`
	Params  map[string]any `json:"params"`
	T       []float64      `json:"t"` // steps, or the steps' ends in ms
	V       report.Numbers `json:"v"`
	Spikes  []float64      `json:"spikes"`
	Current []float64      `json:"current"`
	Units   units          `json:"units"`
}

type units struct {
	T       string `json:"t"`
	V       string `json:"v"`
	Current string `json:"current"`
}

// model is the kind that was named, with its options; none where patterns were listed.
func (c *Neuron) model(e Env) (*subject, error) {
	kinds := dynamics.Kinds()
	if i := slices.IndexFunc(kinds, func(k dynamics.Kind) bool { return k.Name == c.Name }); i >= 0 {
		return c.physical(e, kinds[i])
	}
	known := slices.Sorted(maps.Keys(e.Catalog.Neurons))
	if !slices.Contains(known, c.Name) {
		for _, k := range kinds {
			known = append(known, k.Name)
		}
		return nil, fmt.Errorf("no neuron %q: %s", c.Name, suggest.Names("neurons", c.Name, known))
	}
	return c.stepped(e)
}

// look runs the neuron under the current that was asked for.
func (c *Neuron) look(ctx context.Context, m *subject) error {
	s, about, length, err := m.standard, m.about, 0.0, error(nil)
	switch {
	case c.Input != nil:
		s, about = dynamics.Constant(*c.Input), strconv.FormatFloat(*c.Input, 'g', -1, 64)
	case c.Current != "":
		if s, length, err = current(c.Current, m.step, m.duration); err != nil {
			return exchange.Usage{Err: err}
		}
		about = c.Current
	}
	if length > 0 && c.Duration == nil && c.Steps == nil {
		m.duration = length
	}
	m.about = about
	return m.run(ctx, s)
}

// number is a finite number.
func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is no finite number", text)
	}
	return v, nil
}
