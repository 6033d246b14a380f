package command

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"synfire/format/yaml"
	"synfire/internal/atomicfile"
	"synfire/model"
	"synfire/neuron"
	"synfire/report"
	"synfire/report/figure"
	"synfire/tensor"
)

type neuronCmd struct {
	Name  string   `arg:"" help:"Kind of neuron, as in YAML files: if, lif, cuba-lif, alif."`
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
	n, err := c.neuron()
	if err != nil {
		return usageError{err}
	}
	tr := run(n, c.Input, c.Steps)
	tr.Name, tr.Params = c.Name, params(n)
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
func (c *neuronCmd) neuron() (neuron.Neuron, error) {
	table := model.Default()
	if _, err := choose("neuron", "neuron", c.Name, slices.Sorted(maps.Keys(table.Neurons))); err != nil {
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
	if err := yaml.Decode("neuron "+c.Name, []byte(src+"}\n"), &into, table.Kinds()); err != nil {
		return nil, err
	}
	return into.Neuron, into.Neuron.Validate()
}

// run is one unit on a constant input, from rest, step by step. While refractory
// its membrane is the one that it holds, its first state variable.
func run(n neuron.Neuron, input float64, steps int) trace {
	x, u, state, spikes := []tensor.Float{tensor.Float(input)}, make([]tensor.Float, 1), make([]tensor.Float, n.States()), make([]uint64, 1)
	tr := trace{T: make([]int, steps), V: make(report.Numbers, steps), Spikes: []int{}}
	step := neuron.Window{
		Steps: 1, Units: 1, Input: neuron.Strided{Data: x}, State: state,
		Membrane: neuron.Strided{Data: u}, Spikes: neuron.Bits{Data: spikes},
	}
	for t := range steps {
		n.Forward(step)
		tr.T[t], tr.V[t] = t, float64(u[0])
		if math.IsInf(tr.V[t], -1) {
			tr.V[t] = float64(state[0])
		}
		if spikes[0]&1 != 0 {
			tr.Spikes = append(tr.Spikes, t)
		}
	}
	return tr
}

// params are the options of a neuron under the names that files use, without
// those that files leave out too.
func params(n neuron.Neuron) map[string]any {
	m := map[string]any{}
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		key, form, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if form == "omitempty" && v.Field(i).IsZero() {
			continue
		}
		value := v.Field(i).Interface()
		if text, ok := value.(encoding.TextMarshaler); ok {
			raw, err := text.MarshalText()
			if err != nil {
				continue // not a value that a file could hold
			}
			value = string(raw)
		}
		m[key] = value
	}
	return m
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
	lo, _, hi := span(tr.V)
	fmt.Fprintf(a.out, "%s", tr.Name)
	for _, key := range slices.Sorted(maps.Keys(tr.Params)) {
		fmt.Fprintf(a.out, "  %s %v", key, tr.Params[key])
	}
	fmt.Fprintf(a.out, "\ninput %v in each of %d steps: %d spikes, membrane %s to %s\n", input, len(tr.T), len(tr.Spikes), short(lo), short(hi))
	width := max(20, a.width-10)
	for from := 0; from < len(tr.T); from += width {
		to := min(from+width, len(tr.T))
		fired := []byte(strings.Repeat(" ", to-from))
		for _, s := range tr.Spikes {
			if s >= from && s < to {
				fired[s-from] = '|'
			}
		}
		fmt.Fprintf(a.out, "\nspikes    %s\n", a.style(yellow, strings.TrimRight(string(fired), " ")))
		fmt.Fprintf(a.out, "membrane  %s\nstep      %d\n", spark(tr.V[from:to], min(lo, 0), hi), from)
	}
	return nil
}
