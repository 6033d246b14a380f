package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"synfire/catalog"
	"synfire/format/yaml"
	"synfire/internal/atomicfile"
	"synfire/neuron"
	"synfire/report"
	"synfire/report/figure"
	"synfire/view"
)

type neuronCmd struct {
	Name  string   `arg:"" help:"Kind of neuron, as in YAML files: if, lif, cuba-lif, alif, stdb."`
	Input float64  `help:"Input of every step." default:"0.3"`
	Steps int      `help:"Steps of time." default:"60"`
	Set   []string `help:"Options as in YAML files, such as --set beta=0.8 --set reset=zero." placeholder:"KEY=VALUE" sep:"none"`
	SVG   string   `help:"Draw the trace to FILE." placeholder:"FILE"`
	JSON  bool     `help:"Print JSON."`
}

// Help is the verb's longer help.
func (neuronCmd) Help() string {
	return `Runs one neuron on a constant input and shows its membrane, before the reset, and
its spikes.`
}

// trace is the JSON of neuron.
type trace struct {
	Name   string         `json:"name"`
	Params map[string]any `json:"params"`
	T      []int          `json:"t"`
	V      report.Numbers `json:"v"`
	Spikes []int          `json:"spikes"` // steps

	threshold float64
}

// maxSteps bounds what a person would look at, and the memory.
const maxSteps = 1_000_000

// Run runs the neuron.
func (c *neuronCmd) Run(a *app) error {
	if c.Steps < 1 || c.Steps > maxSteps || math.IsNaN(c.Input) || math.IsInf(c.Input, 0) {
		return usageError{fmt.Errorf("neuron: %d steps of input %v: want 1 to %s steps of a finite input", c.Steps, c.Input, report.Integer(maxSteps))}
	}
	n, err := c.neuron(a)
	if err != nil {
		return usageError{err}
	}
	v, spikes := neuron.Run(n, c.Input, c.Steps)
	tr := trace{Name: c.Name, Params: catalog.Options(n), T: make([]int, c.Steps), V: v, Spikes: spikes}
	for t := range tr.T {
		tr.T[t] = t
	}
	if threshold, ok := tr.Params["threshold"].(float64); ok {
		tr.threshold = threshold
	}
	if c.SVG != "" {
		if err := tr.draw(c.SVG); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(tr)
	}
	return tr.print(a, c.Input)
}

// neuron is the kind with its options.
func (c *neuronCmd) neuron(a *app) (neuron.Neuron, error) {
	if _, err := choose("neuron", "neuron", c.Name, slices.Sorted(maps.Keys(a.Catalog.Neurons))); err != nil {
		return nil, err
	}
	src := "neuron: {kind: " + c.Name
	for _, option := range c.Set {
		key, value, ok := strings.Cut(option, "=")
		if !ok || strings.ContainsAny(option, "{}[],#\n") {
			return nil, fmt.Errorf("neuron: --set %s: want an option and its value, such as --set beta=0.8", option)
		}
		src += fmt.Sprintf(", %s: %s", strings.TrimSpace(key), strings.TrimSpace(value))
	}
	var into struct {
		Neuron neuron.Neuron `yaml:"neuron"`
	}
	if err := yaml.Decode("neuron "+c.Name, []byte(src+"}\n"), &into, a.Catalog.Kinds()); err != nil {
		return nil, err
	}
	return into.Neuron, into.Neuron.Validate()
}

func (tr trace) draw(path string) error {
	fig, err := figure.Membrane(tr.Name, []figure.Trace{{Name: "membrane before reset", V: tr.V, Threshold: tr.threshold, Spikes: tr.Spikes}})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, writer(fig.SVG()))
}

// print shows the trace in lines of the terminal's width.
func (tr trace) print(a *app, input float64) error {
	lo, _, hi := view.Span(tr.V)
	fmt.Fprintf(a.out, "%s", tr.Name)
	for _, key := range slices.Sorted(maps.Keys(tr.Params)) {
		fmt.Fprintf(a.out, "  %s %v", key, tr.Params[key])
	}
	fmt.Fprintf(a.out, "\ninput %v in each of %d steps: %d spikes, membrane %s to %s\n", input, len(tr.T), len(tr.Spikes), view.Short(lo), view.Short(hi))
	width := max(20, a.width-10)
	for from := 0; from < len(tr.T); from += width {
		to := min(from+width, len(tr.T))
		fired := []byte(strings.Repeat(" ", to-from))
		for _, s := range tr.Spikes {
			if s >= from && s < to {
				fired[s-from] = '|'
			}
		}
		fmt.Fprintf(a.out, "\nspikes    %s\n", a.Style(view.Yellow, strings.TrimRight(string(fired), " ")))
		fmt.Fprintf(a.out, "membrane  %s\nstep      %d\n", view.Spark(tr.V[from:to], min(lo, 0), hi), from)
	}
	return nil
}
