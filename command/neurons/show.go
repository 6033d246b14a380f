package neurons

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"synfire/command/exchange"
	"synfire/internal/atomicfile"
	"synfire/neuron/dynamics"
	"synfire/report/figure"
	"synfire/view"
)

// rate is the JSON of a point of a curve.
type rate struct {
	Current float64 `json:"current"`
	Spikes  int     `json:"spikes"`
	First   float64 `json:"first"`
	Steady  float64 `json:"steady"`
}

// curve shows the rate over the current.
func (c *Neuron) curve(e Env, s *subject) error {
	currents, err := between(c.Curve)
	if err != nil {
		return exchange.Usage{Err: err}
	}
	if c.Duration == nil && s.model != nil {
		s.duration = 1000
	}
	if c.Steps == nil && s.model == nil {
		s.duration = 1000
	}
	rates, err := s.rates(e.Context, currents)
	if err != nil {
		return fmt.Errorf("neuron %s: %w", c.Name, err)
	}
	unit := "Hz"
	if s.model == nil {
		unit = "spikes/step"
	}
	if c.SVG != "" {
		first, steady := figure.Series{Name: "first interval"}, figure.Series{Name: "steady"}
		for _, r := range rates {
			first.X, first.Y = append(first.X, r.Current), append(first.Y, r.First)
			steady.X, steady.Y = append(steady.X, r.Current), append(steady.Y, r.Steady)
		}
		f, err := figure.Curves(s.title(), axis("current", s.Units.Current), figure.Panel{Name: axis("rate", unit), Series: []figure.Series{first, steady}})
		if err != nil {
			return err
		}
		if err := save(c.SVG, f); err != nil {
			return err
		}
	}
	if c.JSON {
		out := struct {
			Name    string         `json:"name"`
			Pattern string         `json:"pattern,omitempty"`
			Params  map[string]any `json:"params"`
			Unit    string         `json:"unit"`
			Curve   []rate         `json:"curve"`
		}{s.Name, s.Pattern, s.Params, unit, nil}
		for _, r := range rates {
			out.Curve = append(out.Curve, rate(r))
		}
		return json.NewEncoder(e.Out).Encode(out)
	}
	fmt.Fprintf(e.Out, "%s, %v %s at each current\n", s.options(), s.duration, s.timeUnit())
	table := [][]string{{axis("current", s.Units.Current), "spikes", axis("first interval", unit), axis("steady", unit)}}
	for _, r := range rates {
		table = append(table, []string{view.Short(r.Current), fmt.Sprint(r.Spikes), view.Short(r.First), view.Short(r.Steady)})
	}
	e.Grid(table)
	return nil
}

// between are N currents from A to B, of --curve A,B,N.
func between(text string) ([]float64, error) {
	var v [3]float64
	parts := strings.Split(text, ",")
	ok := len(parts) == 3
	for i := range min(len(parts), 3) {
		x, err := number(parts[i])
		v[i], ok = x, ok && err == nil
	}
	n := int(v[2])
	if !ok || float64(n) != v[2] || n < 2 || n > 1000 || !(v[0] < v[1]) {
		return nil, fmt.Errorf("--curve %q: want the first current, the last one and their number, 2 to 1,000, as in --curve 0,20,40", text)
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = v[0] + (v[1]-v[0])*float64(i)/float64(n-1)
	}
	return out, nil
}

// axis is a quantity with its unit.
func axis(name, unit string) string {
	if unit == "" {
		return name
	}
	return name + " (" + unit + ")"
}

func (s *subject) title() string {
	if s.Pattern == "" || s.Pattern == "default" {
		return s.Name
	}
	return s.Name + ", " + s.Pattern
}

func (s *subject) timeUnit() string {
	if s.model == nil {
		return "steps"
	}
	return "ms"
}

// options is the neuron with its options in a line.
func (s *subject) options() string {
	var b strings.Builder
	b.WriteString(s.title())
	for _, key := range slices.Sorted(maps.Keys(s.Params)) {
		fmt.Fprintf(&b, "  %s %v", key, s.Params[key])
	}
	return b.String()
}

func save(path string, f figure.Figure) error {
	content := f.SVG()
	if strings.EqualFold(filepath.Ext(path), ".png") {
		var err error
		if content, err = f.PNG(144); err != nil {
			return err
		}
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// draw draws the trace.
func (s *subject) draw(path string) error {
	if s.model == nil {
		tr := figure.Trace{Name: "membrane before reset", V: s.V}
		tr.Threshold, _ = s.Params["threshold"].(float64)
		for _, t := range s.Spikes {
			tr.Spikes = append(tr.Spikes, int(t))
		}
		f, err := figure.Membrane(s.Name, []figure.Trace{tr})
		if err != nil {
			return err
		}
		return save(path, f)
	}
	x, v := s.outline()
	at, current := thin(s.T, s.Current)
	f, err := figure.Curves(s.title(), "time (ms)",
		figure.Panel{Name: "membrane (mV)", Series: []figure.Series{{Name: "membrane", X: x, Y: v}}},
		figure.Panel{Name: axis("current", s.Units.Current), Series: []figure.Series{{Name: "current", X: at, Y: current}}})
	if err != nil {
		return err
	}
	return save(path, f)
}

// spikeTop is what a spike is drawn up to, of models that do not have its shape, in mV.
const spikeTop = 20

// outline is the membrane as it is drawn: spikes of models that have no shape of them are lines up
// to spikeTop.
func (s *subject) outline() (x, v []float64) {
	high := slices.Clone(s.V)
	k := 0
	for i, t := range s.T {
		if k < len(s.Spikes) && t == s.Spikes[k] {
			high[i] = max(high[i], spikeTop)
			k++
		}
	}
	return thin(s.T, high)
}

// drawn is the most points of a line, two for each of its parts.
const drawn = 4000

// thin keeps the lowest and the highest of each part of a long line, in their order.
func thin(x, y []float64) (tx, ty []float64) {
	if len(x) <= drawn {
		return x, y
	}
	parts := drawn / 2
	for p := range parts {
		lo, hi := p*len(x)/parts, (p+1)*len(x)/parts
		least, most := lo, lo
		for i := lo; i < hi; i++ {
			if y[i] < y[least] {
				least = i
			}
			if y[i] > y[most] {
				most = i
			}
		}
		for _, i := range []int{min(least, most), max(least, most)} {
			tx, ty = append(tx, x[i]), append(ty, y[i])
		}
	}
	return tx, ty
}

// print shows the trace in lines of the terminal's width.
func (s *subject) print(e view.Screen) error {
	lo, _, hi := view.Span(s.V)
	fmt.Fprintln(e.Out, s.options())
	if s.model == nil {
		fmt.Fprintf(e.Out, "input %s in each of %d steps: %d spikes, membrane %s to %s\n", s.about, len(s.T), len(s.Spikes), view.Short(lo), view.Short(hi))
	} else {
		r := dynamics.RateOf(0, s.Spikes)
		fmt.Fprintf(e.Out, "current %s for %v ms in steps of %v ms: %d spikes, membrane %s to %s mV", s.about, s.duration, s.step, len(s.Spikes), view.Short(lo), view.Short(hi))
		if r.Spikes > 1 {
			fmt.Fprintf(e.Out, ", %s Hz at first and %s Hz at last", view.Short(r.First), view.Short(r.Steady))
		}
		fmt.Fprintln(e.Out)
	}
	width := max(20, e.Width-10)
	per, lines := 1, (len(s.T)+width-1)/width
	if s.model != nil {
		per, lines = (len(s.T)+4*width-1)/(4*width), 4
	}
	for line := range lines {
		from := line * width * per
		if from >= len(s.T) {
			break
		}
		s.line(e, from, min(from+width*per, len(s.T)), per, lo, hi)
	}
	return nil
}

// line shows some steps, so many a column.
func (s *subject) line(e view.Screen, from, to, per int, lo, hi float64) {
	columns := (to - from + per - 1) / per
	fired, v := []byte(strings.Repeat(" ", columns)), make([]float64, columns)
	for i := range v {
		part := s.V[from+i*per : min(from+(i+1)*per, to)]
		v[i] = slices.Max(part)
	}
	for _, t := range s.Spikes {
		i := int(t)
		if s.model != nil {
			i = int(math.Round(t/s.step)) - 1
		}
		if i >= from && i < to {
			fired[(i-from)/per] = '|'
		}
	}
	low, name, at := min(lo, 0), "step", fmt.Sprint(from)
	if s.model != nil {
		low, name, at = lo, "ms  ", view.Short(float64(from)*s.step)
	}
	fmt.Fprintf(e.Out, "\nspikes    %s\n", e.Style(view.Yellow, strings.TrimRight(string(fired), " ")))
	fmt.Fprintf(e.Out, "membrane  %s\n%s      %s\n", view.Spark(v, low, hi), name, at)
}
