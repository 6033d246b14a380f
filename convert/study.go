package convert

import (
	"context"
	"fmt"
	"slices"

	"synfire/encode"
	"synfire/energy"
	"synfire/internal/par"
	"synfire/network"
	"synfire/sample"
)

// How many samples what is measured over time takes of those of the calibration, and the
// steps in which currents are measured unless a study says otherwise.
const (
	spikingSamples  = 200
	comparedSamples = 100
	spikingSteps    = 100
)

// MostSteps bounds the steps of a study: above it spikes are no longer counted exactly in 32 bits.
const MostSteps = 1 << 24

// held is how many bytes of signals a batch of the calibration may hold.
const held = 128 << 20

// Study is a network to be converted and followed over the steps.
type Study struct {
	Graph     network.Graph // the ordinary network
	Train     sample.Source // samples to calibrate by: of training, never of the test
	Test      sample.Source // samples to measure with
	Normalize *sample.Normalization
	Encoder   encode.Encoder   // of the spiking network: constant or Poisson
	Steps     []int            // after which accuracy is read off, ascending; fits are for the last
	Samples   int              // of the calibration; over time at most 200 of them, 100 to compare layers
	Seed      uint64           // of the choice of samples and of random encodings
	Constants energy.Constants // what operations cost; the zero value: energy.Horowitz
	Currents  int              // steps in which currents are measured (spike-norm, rmp); 0: 100
	Pool      *par.Pool
	Progress  func(done, total int) // samples measured with, in each run of them; nil: none
}

// Result is a conversion with its figures.
type Result struct {
	Conversion
	Accuracy float64 // of the ordinary network, in percent
	Points   []Point
	Layers   []LayerFigures // over the last of the steps of some training samples
	Exits    Exits          // early ones
	Energy   Energy
	N        int // samples that were measured with
	Outputs  []string
}

// Accuracy is that of the ordinary network, in percent.
func (s Study) Accuracy(ctx context.Context) (float64, error) {
	points, err := Curve(ctx, s.Graph, s.curve(encode.Constant{}, []int{1}))
	if err != nil {
		return 0, err
	}
	return points[0].Accuracy, nil
}

func (s Study) curve(e encode.Encoder, steps []int) CurveOptions {
	return CurveOptions{Source: s.Test, Normalize: s.Normalize, Encoder: e, Steps: steps, Batch: s.together(), Seed: s.Seed, Pool: s.Pool, Progress: s.Progress}
}

// together is how many samples are followed at once: so many that what the largest layer gives in
// a step stays in a second-level cache, and that weights are read for several of them.
func (s Study) together() int {
	const fewest, most, cached = 8, 100, 1 << 20
	net, err := s.Graph.Outline()
	if err != nil {
		return most // who builds it says so
	}
	return min(max(cached/(4*net.Largest()), fewest), most)
}

// Run converts by a method, and measures what came of it; ordinary is Accuracy.
func (s Study) Run(ctx context.Context, m Method, o Options, ordinary float64) (Result, error) {
	c, err := s.Convert(ctx, m, o)
	if err != nil {
		return Result{Conversion: c, Accuracy: ordinary}, err
	}
	return s.Measure(ctx, c, ordinary)
}

// Convert converts by a method.
func (s Study) Convert(ctx context.Context, m Method, o Options) (Conversion, error) {
	if err := s.validate(); err != nil {
		return Conversion{}, err
	}
	if s.Steps[0] <= o.Residual {
		return Conversion{}, fmt.Errorf("convert: steps %v of which %d come before the run: steps count all, want more than these", s.Steps, o.Residual)
	}
	o.Steps, o.Pool = s.last(), s.Pool
	units, err := s.units()
	if err != nil {
		return Conversion{}, err
	}
	o.Analog = s.analog(ctx, units)
	steps := s.Currents
	if steps == 0 {
		steps = spikingSteps
	}
	o.Spikes = s.samples(ctx, units, s.Encoder, steps, spikingSamples, window)
	o.Used = s.samples(ctx, units, s.Encoder, o.Steps, spikingSamples, o.Steps)
	c, err := m.Convert(ctx, s.Graph, o)
	if err == nil {
		err = s.delay(ctx, &c, o.Late, units)
	}
	return c, err
}

// Calibration is the samples to calibrate by, as the ordinary network takes them.
func (s Study) Calibration(ctx context.Context) (network.Calibration, error) {
	units, err := s.units()
	return s.analog(ctx, units), err
}

func (s Study) analog(ctx context.Context, units int) network.Calibration {
	return s.samples(ctx, units, encode.Constant{}, 1, s.Samples, 1)
}

// compared are the samples by which both networks are compared, in the same batches.
func (s Study) compared(ctx context.Context, units int) (analog, over network.Calibration) {
	return s.samples(ctx, units, encode.Constant{}, 1, comparedSamples, s.last()), s.samples(ctx, units, s.Encoder, s.last(), comparedSamples, s.last())
}

// Measure follows a conversion, of a method or made otherwise, over the steps, with early exits
// and accounts of energy; ordinary is Accuracy.
func (s Study) Measure(ctx context.Context, c Conversion, ordinary float64) (Result, error) {
	if err := s.validate(); err != nil {
		return Result{Conversion: c, Accuracy: ordinary}, err
	}
	exits, margins, err := s.margins(ctx, c.Graph)
	if err != nil {
		return Result{Conversion: c, Accuracy: ordinary}, err
	}
	r, run, err := s.follow(ctx, c, ordinary, margins)
	if err != nil {
		return r, err
	}
	r.Exits = exits
	r.Exits.List = run.exits.means(run.n)
	r.Energy, err = s.account(ctx, r)
	return r, err
}

// Follow is Measure without early exits and energy, which take about half of its time.
func (s Study) Follow(ctx context.Context, c Conversion, ordinary float64) (Result, error) {
	if err := s.validate(); err != nil {
		return Result{Conversion: c, Accuracy: ordinary}, err
	}
	r, _, err := s.follow(ctx, c, ordinary, nil)
	return r, err
}

// follow has the accuracy over the steps, answers early by each of some margins beside, and looks
// at the layers.
func (s Study) follow(ctx context.Context, c Conversion, ordinary float64, margins []float64) (r Result, run *curve, err error) {
	r = Result{Conversion: c, Accuracy: ordinary, N: s.Test.Len()}
	units, err := s.units()
	if err != nil {
		return r, nil, err
	}
	for _, out := range r.Graph.Outputs {
		r.Outputs = append(r.Outputs, out.Name)
	}
	if run, err = follow(ctx, r.Graph, s.curve(s.Encoder, s.Steps), margins); err != nil {
		return r, nil, err
	}
	r.Points = run.points()
	analog, over := s.compared(ctx, units)
	r.Layers, err = r.Conversion.Layers(ctx, s.Pool, analog, over)
	return r, run, err
}

// delay leaves steps out of the scores, fewer than the first of those after which answers are read off.
func (s Study) delay(ctx context.Context, c *Conversion, late, units int) (err error) {
	switch {
	case late < FindLate || late >= s.Steps[0]:
		return fmt.Errorf("convert: %d steps left out of the scores and answers read off after %d: want fewer than these, or %d to have them found", late, s.Steps[0], FindLate)
	case late == FindLate:
		analog, over := s.compared(ctx, units)
		if late, err = c.LateStart(ctx, analog, over, s.Steps[0]); err != nil {
			return err
		}
	}
	if c.Late = late; late == 0 {
		return nil
	}
	var report network.Report
	c.Graph, report, err = Late{late}.Apply(ctx, c.Graph, nil)
	c.Report = append(c.Report, report...)
	return err
}

func (s Study) validate() error {
	if s.Currents < 0 {
		return fmt.Errorf("convert: currents are measured in %d steps, want some, or 0 for %d", s.Currents, spikingSteps)
	}
	if s.Currents > MostSteps || len(s.Steps) > 0 && s.last() > MostSteps {
		return fmt.Errorf("convert: steps %v, and currents over %d, want at most %d: above it spikes are not counted exactly; 1024 tell what there is to tell", s.Steps, s.Currents, MostSteps)
	}
	if len(s.Steps) == 0 || s.Steps[0] < 1 || !slices.IsSorted(s.Steps) || s.Samples < 1 || s.Train == nil || s.Test == nil {
		return fmt.Errorf("convert: steps %v and %d samples to calibrate by, want steps that ascend from 1 or more, and samples to calibrate by and to measure with", s.Steps, s.Samples)
	}
	return nil
}

func (s Study) last() int { return s.Steps[len(s.Steps)-1] }

// units are all elements of all nodes' outputs.
func (s Study) units() (int, error) {
	net, err := s.Graph.Outline()
	if err != nil {
		return 0, fmt.Errorf("convert: %w", err)
	}
	units := 1
	for _, nd := range net.Nodes() {
		units += nd.Out.Size()
	}
	return units, nil
}

// samples are some of the calibration's, in batches that fit where each is held for the
// longest of the runs that go together.
func (s Study) samples(ctx context.Context, units int, e encode.Encoder, steps, count, longest int) network.Calibration {
	return Samples{
		Source: s.Train, Normalize: s.Normalize, Encoder: e, Steps: steps, Count: min(count, s.Samples),
		Batch: max(1, min(100, held/(4*longest*units))), Seed: s.Seed,
	}.Calibration(ctx)
}

// Lossiest is the layer that adds most of the error to what it gets, −1 where none does.
func Lossiest(layers []LayerFigures) int {
	at := -1
	for i, l := range layers {
		if l.Error.Own > 0 && (at < 0 || l.Error.Own > layers[at].Error.Own) {
			at = i
		}
	}
	return at
}
