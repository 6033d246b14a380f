package conversion

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"synfire/catalog"
	"synfire/convert"
	"synfire/convert/detector"
	"synfire/detect"
	"synfire/energy"
	"synfire/internal/atomicfile"
	"synfire/modelfile"
	"synfire/report"
	"synfire/view"
)

// detection is the JSON of a detector that was converted.
type detection struct {
	Method  string            `json:"method"`
	Neuron  string            `json:"neuron"`
	Readout string            `json:"readout"`
	AnnMAP  float64           `json:"ann_map50"`
	AnnLow  float64           `json:"ann_map50_low"` // of the band of 95 %, by a bootstrap over the pictures
	AnnHigh float64           `json:"ann_map50_high"`
	Curve   []detectionPoint  `json:"curve"`
	Energy  [2]energy.Account `json:"energy"` // of the ordinary and of the spiking network after the last of the steps
	Layers  []layerRow        `json:"layers"`
	Notes   []note            `json:"notes"`
	N       int               `json:"n"`
}

type detectionPoint struct {
	Steps  int           `json:"steps"`
	MAP    float64       `json:"map50"`
	Low    float64       `json:"map50_low"`
	High   float64       `json:"map50_high"`
	Error  float64       `json:"output_error"` // relative to the ordinary network's output
	Spikes float64       `json:"spikes_per_sample"`
	Synops float64       `json:"synops_per_sample"`
	Papers energy.Papers `json:"papers"`
}

func (c *Convert) detectionOf(r detector.Result) detection {
	d := detection{Method: r.Method, Neuron: c.Neuron, Readout: c.Readout, AnnMAP: r.Ordinary.MAP, AnnLow: r.Ordinary.Low, AnnHigh: r.Ordinary.High, Energy: r.Energy, N: r.N, Layers: layersOf(r.Layers), Notes: notesOf(r.Report)}
	for _, p := range r.Points {
		d.Curve = append(d.Curve, detectionPoint{p.Steps, p.MAP, p.Low, p.High, p.Error, p.Spikes, p.Synops, p.Papers})
	}
	return d
}

// detectors converts a model that finds boxes, by each method.
func (c *Convert) detectors(e Env, m *catalog.Model, s convert.Study, task detect.Detect) error {
	switch {
	case c.Method[0] == ttfsMethod || slices.Contains(c.Method, hybridMethod) || c.Input != "constant":
		return errors.New("a detector is converted into neurons that fire at rates, with constant input: leave ttfs, hybrid and poisson out")
	case c.Delay != "0" || c.Residual != 0:
		return errors.New("--delay and --residual leave steps out of the scores of classes; leave them out for a detector")
	}
	study := detector.Study{Study: s, Task: task}
	e.Status("measuring the ordinary detector")
	ordinary, err := study.Ordinary(e.Context)
	if err != nil {
		return err
	}
	var results []detector.Result
	for _, name := range c.Method {
		e.Status("%s", name)
		study.Progress = e.Share(name)
		method, err := convert.MethodOf(name)
		if err != nil {
			return err
		}
		conversion, err := study.Convert(e.Context, method, c.options())
		if err != nil {
			return err
		}
		r, err := study.Measure(e.Context, conversion, ordinary)
		if err != nil {
			return err
		}
		e.Status("")
		if c.JSON {
			err = json.NewEncoder(e.Out).Encode(c.detectionOf(r))
		} else {
			err = e.Detector(r)
		}
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	return c.keepDetectors(e, m, results)
}

// keepDetectors writes the models and the report.
func (c *Convert) keepDetectors(e Env, m *catalog.Model, results []detector.Result) error {
	if c.Out == "" {
		return nil
	}
	var all []detection
	for _, r := range results {
		f, err := e.Catalog.WithGraph(m, r.Graph)
		if err == nil {
			err = modelfile.Write(filepath.Join(c.Out, r.Method+".safetensors"), f)
		}
		if err != nil {
			return err
		}
		all = append(all, c.detectionOf(r))
	}
	page, err := view.DetectorPage("Conversion of "+filepath.Base(c.Model), results)
	if err != nil {
		return err
	}
	page.Facts = append(page.Facts, report.Fact{Label: "model", Value: c.Model}, report.Fact{Label: "samples of the calibration", Value: fmt.Sprint(c.Samples)})
	if err := page.Write(c.Out); err != nil {
		return err
	}
	err = atomicfile.Write(filepath.Join(c.Out, "result.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode(all) })
	if err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "\nmodels and report: %s\n", filepath.Join(c.Out, "report.html"))
	return err
}
