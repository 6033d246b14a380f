package convert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/par"
	"synfire/internal/suggest"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
)

// Method is a way to convert, a list of passes.
type Method struct {
	Name   string
	Doc    string   // in a line
	Source string   // the paper
	Leaky  bool     // takes leaky units, too
	Takes  []string // options beyond reset, start, code and pool, by their names in Options
	fire   Fire
	passes func(o Options, f Fire, s Scales) []network.Transform
}

// Options are what a conversion can be told. The zero value of each is the method's own.
type Options struct {
	Reset      *neuron.Reset // subtract or zero
	Start      *float64      // membrane before the first step, as a share of the threshold, in [0, 1)
	Pooling    Pooling       // what becomes of max pooling
	Percentile float64       // of activations; 0: 99.9. Of currents with spike-norm and rmp; 0: the largest
	Nonzero    bool          // the percentile is of the activations that are not 0
	Factor     float64       // of thresholds, with spiking-resnet of weights; 0: 1, with rmp found
	Rescale    bool          // shortcuts are rescaled, in place of thresholds of 1 behind the first branch
	Late       int           // steps that scores leave out (Study); FindLate: found by samples
	Code       temporal.Code // what spikes can be
	Suppressed bool          // leaky units become neurons without negative spikes, to compare with
	Counts     bool          // outputs are read off spikes, in place of the membrane (Counts)
	Residual   int           // steps before the run, after which neurons are silenced; they are among Steps
	Steps      int           // of time that the result is for, which fits are made for
	Pool       *par.Pool     // threads that currents are measured on, which change no bit; nil: one

	Analog network.Calibration // training samples as the ordinary network takes them
	Spikes network.Calibration // the same as the spiking network takes them, over the steps in which currents are measured
	Used   network.Calibration // the same over Steps
}

// FindLate has the steps that scores leave out found (Conversion.LateStart).
const FindLate = -1

// over is a pass over other samples than the rest.
type over struct {
	network.Transform
	c network.Calibration
}

func (o over) Apply(ctx context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	return o.Transform.Apply(ctx, g, o.c)
}

func (o Options) p() float64 {
	if o.Percentile == 0 {
		return 99.9
	}
	return o.Percentile
}

// Methods are all ways to convert.
func Methods() []Method {
	soft, hard, half := Fire{}, Fire{Reset: neuron.Zero}, Fire{Start: 0.5}
	by := func(n func(o Options, f Fire) Normalize) func(Options, Fire, Scales) []network.Transform {
		return func(o Options, f Fire, s Scales) []network.Transform {
			pass := n(o, f)
			pass.Scales = s
			return []network.Transform{pass}
		}
	}
	return []Method{
		{"model", "scales that the weights do not exceed, whatever the sample", "Diehl et al. 2015", false, []string{"residual"}, soft,
			by(func(Options, Fire) Normalize { return Normalize{By: Bounds} })},
		{"data", "scales by the largest activation or weight of a layer", "Diehl et al. 2015", true, []string{"residual"}, soft,
			by(func(Options, Fire) Normalize { return Normalize{By: Largest} })},
		{"percentile", "scales by a percentile of a layer's activations", "Rueckauer et al. 2017", true, []string{"percentile", "nonzero", "residual"}, soft,
			by(func(o Options, _ Fire) Normalize { return Normalize{By: Percentile, P: o.p(), Nonzero: o.Nonzero} })},
		{"channel", "scales by a percentile of each channel's activations", "Kim et al. 2020", true, []string{"percentile", "nonzero", "residual"}, soft,
			by(func(o Options, _ Fire) Normalize {
				return Normalize{By: Percentile, P: o.p(), Nonzero: o.Nonzero, Channel: true}
			})},
		{"spike-norm", "thresholds by the largest current in a step of the spiking network, layer by layer", "Sengupta et al. 2019", false, []string{"percentile", "factor", "rescale"}, hard,
			func(o Options, f Fire, s Scales) []network.Transform {
				if o.Factor == 0 {
					o.Factor = 1
				}
				return []network.Transform{over{SpikeNorm{Fire: f, P: o.Percentile, Factor: o.Factor, Unit: !o.Rescale, Scales: s, Pool: o.Pool}, o.Spikes}}
			}},
		{"rmp", "the same with soft reset, and thresholds lowered by a factor", "Han et al. 2020", false, []string{"percentile", "factor"}, soft,
			func(o Options, f Fire, s Scales) []network.Transform {
				return []network.Transform{over{SpikeNorm{Fire: f, P: o.Percentile, Factor: o.Factor, Analog: o.Analog, Scales: s, Pool: o.Pool}, o.Spikes}}
			}},
		{"spiking-resnet", "the same percentile from half of the threshold, weights multiplied by a factor", "Hu et al. 2018", false, []string{"percentile", "nonzero", "factor", "residual"}, half,
			func(o Options, f Fire, s Scales) []network.Transform {
				if o.Factor == 0 {
					o.Factor = 1
				}
				return []network.Transform{Normalize{By: Percentile, P: o.p(), Nonzero: o.Nonzero, Scales: s}, Compensate{o.Factor}}
			}},
		{"qcfs", "the scales that qcfs units have learnt, from half of the threshold", "Bu et al. 2022", false, []string{"residual"}, half,
			by(func(Options, Fire) Normalize { return Normalize{By: Learned} })},
		{"balance", "scales of each channel fitted to the steps, from half of the threshold", "Bu et al. 2025", false, []string{"residual"}, half,
			by(func(o Options, f Fire) Normalize {
				return Normalize{By: Fitted, Steps: o.Steps - o.Residual, Start: f.Start, Channel: true}
			})},
		{"calibrate", "scales of each layer fitted to the steps, then biases corrected by what neurons give", "Li et al. 2021", false, nil, half,
			func(o Options, f Fire, s Scales) []network.Transform {
				return []network.Transform{Normalize{By: Fitted, Steps: o.Steps, Start: f.Start, Scales: s}, over{Calibrate{Fire: f, Analog: o.Analog}, o.Used}}
			}},
	}
}

// MethodOf finds a method by its name.
func MethodOf(name string) (Method, error) {
	var names []string
	for _, m := range Methods() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Method{}, fmt.Errorf("no method %q: %s", name, suggest.Names("methods", name, names))
}

// Conversion is a network that was converted.
type Conversion struct {
	Method   string
	Fire     Fire
	Ordinary network.Graph // what was converted, normalisations folded
	Graph    network.Graph // of neurons
	Scales   Scales        // by the nodes of Ordinary
	Late     int           // steps that scores leave out
	Report   network.Report
}

// Convert converts an ordinary network: it checks, folds, finds scales by the method and
// puts neurons in the place of rectified units.
func (m Method) Convert(ctx context.Context, g network.Graph, o Options) (Conversion, error) {
	c := Conversion{Method: m.Name, Fire: m.neurons(o), Scales: Scales{}}
	err := m.Check(o)
	if err != nil {
		return c, err
	}
	passes := []network.Transform{Check{Aligned: true, Pooled: o.Pooling != Refuse, Leaky: m.Leaky}, Fold{}, Pools{o.Pooling}}
	if c.Ordinary, c.Report, err = Apply(ctx, g, o.Analog, passes...); err != nil {
		return c, err
	}
	var r network.Report
	c.Graph, r, err = Apply(ctx, c.Ordinary, o.Analog, append(m.passes(o, c.Fire, c.Scales), c.Fire)...)
	c.Report = append(c.Report, r...)
	if err == nil && o.Counts {
		c.Graph, r, err = Counts{Ordinary: c.Ordinary}.Apply(ctx, c.Graph, o.Analog)
		c.Report = append(c.Report, r...)
	}
	return c, err
}

// neurons are the method's, as far as the options do not say otherwise.
func (m Method) neurons(o Options) Fire {
	f := m.fire
	if o.Reset != nil {
		f.Reset = *o.Reset
	}
	if o.Start != nil {
		f.Start = *o.Start
	}
	f.Code, f.Residual, f.Suppressed = o.Code, o.Residual, o.Suppressed
	return f
}

// Check returns an error for options that the method does without, that are out of range or do
// not go together: what Convert would refuse of any network.
func (m Method) Check(o Options) error {
	errs := []error{m.refuses(o), m.neurons(o).validate()}
	if !(o.Percentile >= 0 && o.Percentile <= 100) {
		errs = append(errs, fmt.Errorf("percentile is %v, want one in (0, 100], such as 99.9, or 0 for the method's own", o.Percentile))
	}
	if !(o.Factor >= 0) || math.IsInf(o.Factor, 0) {
		errs = append(errs, fmt.Errorf("factor is %v, want a positive number such as 0.7, or 0 for the method's own", o.Factor))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("convert by %s: %w", m.Name, err)
	}
	return nil
}

// refuses returns an error for options that the method would ignore.
func (m Method) refuses(o Options) (err error) {
	for _, option := range []struct {
		name  string
		given bool
	}{{"percentile", o.Percentile != 0}, {"nonzero", o.Nonzero}, {"factor", o.Factor != 0}, {"rescale", o.Rescale}, {"residual", o.Residual != 0}} {
		if option.given && !slices.Contains(m.Takes, option.name) {
			err = errors.Join(err, fmt.Errorf("the method does without %s; leave it out", option.name))
		}
	}
	return err
}
