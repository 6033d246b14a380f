package conversion

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"synfire/convert"
	"synfire/convert/ttfs"
	"synfire/energy"
	"synfire/internal/atomicfile"
	"synfire/view"
)

// ttfsMethod is the way to convert that has windows of time in place of rates.
const ttfsMethod = "ttfs"

// checkTTFS returns an error for options that single spikes do without.
func (c *Convert) checkTTFS() error {
	if !slices.Contains(c.Method, ttfsMethod) {
		return nil
	}
	if len(c.Method) > 1 {
		return errors.New("--method: ttfs stands alone, as its steps are those of windows, not of rates; convert by the others in a run of their own")
	}
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"--reset", c.Reset != ""}, {"--start", c.Start != nil}, {"--neuron", c.Neuron != "if"}, {"--residual", c.Residual != 0}, {"--delay", c.Delay != "0"}, {"--max-pool", c.MaxPool != "gate"},
		{"--percentile", c.Percentile != 0}, {"--nonzero", c.Nonzero}, {"--factor", c.Factor != 0}, {"--rescale", c.Rescale}, {"--input", c.Input != "constant"}, {"--energy", c.Energy != energy.Default},
	} {
		if o.given {
			return fmt.Errorf("%s: ttfs does without; leave it out", o.name)
		}
	}
	return nil
}

// firstSpikes converts by single spikes.
func (c *Convert) firstSpikes(e Env, s convert.Study, ordinary float64) error {
	samples, err := s.Calibration(e.Context)
	if err != nil {
		return err
	}
	n, err := ttfs.New(e.Context, s.Graph, samples, ttfs.Options{})
	if err != nil {
		return err
	}
	dt := []float64{0}
	for _, steps := range s.Steps {
		v, err := n.StepFor(steps)
		if err != nil {
			return fmt.Errorf("--steps: %w", err)
		}
		dt = append(dt, v)
	}
	e.Status(ttfsMethod)
	points, err := n.Evaluate(e.Context, s.Graph, ttfs.Evaluation{Source: s.Test, Normalize: s.Normalize, DT: dt, Batch: 100})
	if err != nil {
		return err
	}
	e.Status("")
	r := view.FirstSpikes{Accuracy: ordinary, Network: n, Points: points}
	if c.JSON {
		err = json.NewEncoder(e.Out).Encode(singleOf(r, s))
	} else {
		err = e.FirstSpikes(r)
	}
	if err != nil || c.Out == "" {
		return err
	}
	page, err := r.Page("Conversion of " + filepath.Base(c.Model))
	if err != nil {
		return err
	}
	if err := page.Write(c.Out); err != nil {
		return err
	}
	err = atomicfile.Write(filepath.Join(c.Out, "result.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode([]single{singleOf(r, s)}) })
	if err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "\nreport: %s; a model of single spikes is the ordinary one\n", filepath.Join(c.Out, "report.html"))
	return err
}

// single is the JSON of conversions by single spikes: that of others, in which what has no
// meaning is null.
type single struct {
	Method      string        `json:"method"`
	AnnAccuracy float64       `json:"ann_accuracy"`
	Curve       []singlePoint `json:"curve"`  // the first in exact time
	Energy      *accounts     `json:"energy"` // null: not accounted for
	Outputs     []string      `json:"outputs"`
	Layers      []singleLayer `json:"layers"`
	Notes       []note        `json:"notes"`
	N           int           `json:"n"`
}

type singlePoint struct {
	Steps      *int     `json:"steps"` // of all windows; null in exact time
	DT         float64  `json:"dt"`    // 0 in exact time
	Accuracy   float64  `json:"accuracy"`
	Low        float64  `json:"accuracy_low"`
	High       float64  `json:"accuracy_high"`
	Spikes     float64  `json:"spikes_per_sample"`
	Synops     *float64 `json:"synops_per_sample"` // null: not counted
	Energy     *float64 `json:"energy_uj"`         // null: not accounted for
	Difference float64  `json:"largest_score_error"`
}

type singleLayer struct {
	Name    string  `json:"name"`
	Window  float64 `json:"window"`
	Largest float64 `json:"ann_activation_max"` // on the samples of the calibration
	Rate    float64 `json:"rate"`               // share of the neurons that fire
	Clipped int     `json:"clipped"`            // activations of all samples above the window
}

func singleOf(r view.FirstSpikes, s convert.Study) single {
	out := single{Method: ttfsMethod, AnnAccuracy: r.Accuracy, N: r.Points[0].N, Notes: []note{}, Outputs: []string{}}
	for _, p := range r.Points {
		lo, hi := convert.Band(p.Accuracy, p.N)
		row := singlePoint{DT: p.DT, Accuracy: p.Accuracy, Low: lo, High: hi, Spikes: p.Spikes, Difference: p.Difference}
		if p.DT > 0 {
			row.Steps = &p.Steps
		}
		out.Curve = append(out.Curve, row)
	}
	for k, l := range r.Network.Layers {
		out.Layers = append(out.Layers, singleLayer{l.Name, l.Window, l.Largest, r.Points[0].Rates[k], r.Points[0].Clipped[k]})
	}
	for _, o := range s.Graph.Outputs {
		out.Outputs = append(out.Outputs, o.Name)
	}
	for _, l := range r.Network.Report {
		out.Notes = append(out.Notes, note{l.Node, l.Effect.String(), l.Text})
	}
	return out
}
