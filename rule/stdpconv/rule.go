package stdpconv

import (
	"fmt"
	"math"
	"unsafe"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "stdp-conv"

// Rule is convolutional layers whose maps compete and learn images without labels, by the order of
// spikes, and a linear readout that learns the classes. Images are [height, width] or [height,
// width, channels] of values in [0, 1]; each channel of a colour image has filters of its own, two
// of each size. Their outputs are ranked and cut into T parts of equal number, T the run's steps
// (15 are usual): the largest spike first. Then, stage by stage, a neuron adds up the weights of the
// spikes in its window, fires once, when they exceed the threshold, and passes its spike on if it
// is the earliest of its square of pool×pool. The first neurons of a sample to fire, winners at most,
// one of each map and none within reach of another, change the weights of their maps,
//
//	w ← w + a₊·w(1 − w)            of inputs that fired before the winner or with it
//	w ← w − minus·a₊·w(1 − w)      of all others
//
// with a₊ from plus on doubled after each so many samples of the stage, up to most.
//
// Stages learn in turn, each so many samples as they come, over as many epochs as that takes. Epochs
// too few for all stages are an error before anything is learned; those in which stages are still
// to learn are measured, and none of them is chosen. While it learns, stage tells which one does,
// from 1 on (one more than there are once all have learned), unsettled the mean of 4w(1 − w) of
// its weights, which goes to 0, winners how many neurons learn from a sample, and silent for how
// many samples none fires. Samples are learned from one after another: the size of a batch changes
// nothing. Kheradpisheh et al. 2018, Mozafari et al. 2019.
type Rule struct {
	Filters []int   `yaml:"filters"`         // sides of the differences of Gaussians in pixels, each bright on dark and dark on bright
	Least   float64 `yaml:"least"`           // of a filter's output, where pixels are 0 to 255; what is below is 0
	Window  int     `yaml:"window"`          // side in pixels of the square that outputs are divided by the mean of
	Stages  []Stage `yaml:"stages,required"` // layers, from the image on
	Plus    float64 `yaml:"plus"`            // a₊ at first
	Most    float64 `yaml:"most"`            // largest a₊
	Minus   float64 `yaml:"minus"`           // a₋ as a part of a₊
	Double  int     `yaml:"double"`          // samples of a stage after which a₊ doubles
	Readout Readout `yaml:"readout"`         // the linear layer that learns the classes
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	p := Published()
	return Rule{
		Filters: []int{3, 7, 13}, Least: 50, Window: 17, Plus: p.Plus, Most: p.Most, Minus: p.Minus, Double: p.Double,
		Readout: NewReadout(),
	}
}

// Ignores is the encoder: samples are encoded by the rule.
func (Rule) Ignores() []string { return []string{"encoder"} }

func (r Rule) plasticity() Plasticity {
	return Plasticity{Plus: r.Plus, Most: r.Most, Minus: r.Minus, Double: r.Double}
}

func fail(format string, args ...any) error { return fmt.Errorf(Kind+": "+format, args...) }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	if len(r.Filters) == 0 || len(r.Filters) > 64 {
		return fail("there are %d filters, want from 1 to 64; [3, 7, 13] is usual", len(r.Filters))
	}
	for _, n := range r.Filters {
		if n < 3 || n > 255 || n%2 == 0 {
			return fail("filters has %d, want odd numbers of pixels from 3 to 255; [3, 7, 13] is usual", n)
		}
	}
	switch {
	case !(r.Least >= 0 && r.Least <= math.MaxFloat32):
		return fail("least is %v, want a number from 0 on; 50 is usual, of pixels of 0 to 255", r.Least)
	case r.Window < 3 || r.Window > 4095 || r.Window%2 == 0:
		return fail("window is %d, want an odd number of pixels from 3 to 4095; 17 is usual", r.Window)
	case !(r.Plus >= 1e-9 && r.Plus <= r.Most && r.Most <= 1):
		return fail("plus is %v and most %v, want 1e-9 ≤ plus ≤ most ≤ 1, which keeps weights in [0, 1]; 0.004 and 0.15 are usual", r.Plus, r.Most)
	case !(r.Minus >= 0 && r.Minus*r.Most <= 1):
		return fail("minus is %v, want a part of plus from 0 to %v, which keeps weights in [0, 1]; 0.75 is usual", r.Minus, 1/r.Most)
	case r.Double < 1:
		return fail("double is %d samples, want at least 1; 500 is usual", r.Double)
	case len(r.Stages) == 0 || len(r.Stages) > 64:
		return fail("there are %d stages, want from 1 to 64, such as {maps: 30, kernel: 5, threshold: 15, winners: 5, reach: 3, pool: 2, samples: 4000}", len(r.Stages))
	}
	for k, s := range r.Stages {
		if err := s.validate(); err != nil {
			return fail("stage %d: %w", k+1, err)
		}
	}
	return r.Readout.validate()
}

func (s Stage) validate() error {
	switch {
	case s.Maps < 1 || s.Maps > 1<<16:
		return fmt.Errorf("maps is %d, want from 1 to %d; 30 are usual", s.Maps, 1<<16)
	case s.Kernel < 1 || s.Kernel > 255:
		return fmt.Errorf("kernel is %d, want from 1 to 255; 5 is usual", s.Kernel)
	case !(s.Threshold > 0 && s.Threshold <= math.MaxFloat32):
		return fmt.Errorf("threshold is %v, want a positive number; 15 is usual of a kernel of 5", s.Threshold)
	case s.Winners < 1 || s.Winners > s.Maps:
		return fmt.Errorf("winners is %d of %d maps, want from 1 to as many, as a map wins once a sample; 5 are usual", s.Winners, s.Maps)
	case s.Reach < 0 || s.Reach > 1<<16:
		return fmt.Errorf("reach is %d, want from 0 to %d places; 3 is usual", s.Reach, 1<<16)
	case s.Pool < 0 || s.Pool > 255:
		return fmt.Errorf("pool is %d, want the side of a square, or 0 for none; 2 is usual", s.Pool)
	case s.Samples < 1 || s.Samples > 1<<40:
		return fmt.Errorf("samples is %d, want from 1 to 2⁴⁰ that the stage learns; 4000 are usual", s.Samples)
	}
	return nil
}

func (r Readout) validate() error {
	switch {
	case r.Labels < 0:
		return fail("readout: labels is %d, want a number of samples, or 0 for all", r.Labels)
	case r.Passes < 1 || r.Passes > 1<<20:
		return fail("readout: passes is %d, want from 1 to %d; 15 are usual", r.Passes, 1<<20)
	case !(r.LR > 0 && r.LR <= 1e6):
		return fail("readout: lr is %v, want a positive number up to 1e6; 0.02 is usual", r.LR)
	}
	return nil
}

// sizes are what a network has in a setting.
type sizes struct {
	height, width, channels int // of an image
	classes                 int
	waves                   []tensor.Shape // behind each stage, pooled, behind what the filters make
	units                   int            // that the readout sees
}

// sizes checks that a setting fits.
func (r Rule) sizes(s train.Setting) (z sizes, err error) {
	if err := r.Validate(); err != nil {
		return z, err
	}
	f, err := s.Spec.Target("")
	switch shape := s.Spec.Shape; {
	case err != nil:
		return z, fail("%w", err)
	case f.Kind != sample.Class:
		return z, fail("target %q is %v, and the readout learns classes: choose data with classes", f.Name, f.Kind)
	case s.Spec.Events || s.Spec.Steps > 0:
		return z, fail("samples are %v, want images without time; events take rule stdp, series rule bptt", s.Spec)
	case len(shape) != 2 && len(shape) != 3:
		return z, fail("samples have shape %v, want images [height, width] or [height, width, channels]; for others take rule stdp", shape)
	case s.Steps < 1 || s.Steps > MaxSteps:
		return z, fail("steps is %d, want from 1 to %d, into which the order of spikes is cut; 15 is usual", s.Steps, MaxSteps)
	default:
		z.height, z.width, z.channels = shape[0], shape[1], 1
		if len(shape) == 3 {
			z.channels = shape[2]
		}
	}
	z.classes = len(f.Classes)
	for i, t := range s.Tasks {
		target, err := s.Spec.Target(t.Target)
		if err != nil {
			return z, fail("task %d: %w", i+1, err)
		}
		if err := t.Task.Check(tensor.Shape{z.classes}, s.Steps, target); err != nil {
			return z, fail("%w", err)
		}
	}
	return z, r.shapes(&z)
}

// most is the most units of a layer, and weights.
const most = 1 << 28

// shapes works out the shapes behind the stages.
func (r Rule) shapes(z *sizes) error {
	h, w, c := z.height, z.width, z.channels*2*len(r.Filters)
	if h < 1 || w < 1 || c < 1 || h > most/w || h*w > most/c {
		return fail("images of %d×%d pixels, %d maps of filters on them, want up to 2²⁸ inputs; take smaller images", h, w, c)
	}
	z.waves = append(z.waves, tensor.Shape{h, w, c})
	for k, s := range r.Stages {
		if h*w > most/s.Maps || s.Kernel*s.Kernel > most/c || s.Kernel*s.Kernel*c > most/s.Maps {
			return fail("stage %d has %d maps of %d×%d neurons with %d×%d weights on %d maps, want up to 2²⁸ neurons and weights; take fewer maps", k+1, s.Maps, h, w, s.Kernel, s.Kernel, c)
		}
		pool := max(s.Pool, 1)
		if pool > h || pool > w {
			return fail("stage %d: pool is %d, and there are %d×%d neurons of each map, so that none is left; pool less here or before", k+1, pool, h, w)
		}
		h, w, c = h/pool, w/pool, s.Maps
		z.waves = append(z.waves, tensor.Shape{h, w, c})
	}
	if z.units = h * w * c; r.Readout.Global {
		z.units = c
	}
	if z.units > most/max(z.classes, 1) {
		return fail("the readout has %d classes of %d units, want up to 2²⁸ weights; pool more, or set readout.global", z.classes, z.units)
	}
	return nil
}

// samples are those that all stages learn.
func (r Rule) samples() (n int) {
	for _, s := range r.Stages {
		n += s.Samples
	}
	return n
}

// memory is an untrained network, of a setting that fits.
func (r Rule) memory(s train.Setting) (*memory, error) {
	z, err := r.sizes(s)
	if err != nil {
		return nil, err
	}
	m := &memory{sizes: z, stages: r.Stages, front: NewFront(r.Filters, r.Least, r.Window, s.Steps), readout: newLinear(z.units, z.classes)}
	src := rng.New(s.Seed, rng.Init).Str("weight").Source()
	for k, stage := range r.Stages {
		m.net = append(m.net, NewLayer(z.waves[k][2], stage, r.plasticity(), src))
	}
	return m, nil
}

// Learner makes the learner. It is a *Learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	if have, want := s.Epochs*s.Samples, r.samples(); have > 0 && have < want {
		return nil, fail("the %d stages learn %d samples together, and %d epochs of %d are %d: raise epochs to %d, or lower the stages' samples",
			len(r.Stages), want, s.Epochs, s.Samples, have, (want+s.Samples-1)/s.Samples)
	}
	return &Learner{newRunner(r, s, m)}, nil
}

// Predictor is the network of a model's arrays, with its readout.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	if err := m.take(model, false); err != nil {
		return nil, err
	}
	return &Predictor{newRunner(r, s, m)}, nil
}

// Plan tells what a run will need: weights, what each thread holds of a sample, and the units that
// fire for the samples of the readout, a fifth of them at most.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	z, err := r.sizes(s)
	if err != nil {
		return train.Plan{}, err
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	var p train.Plan
	var neurons int64
	for k, stage := range r.Stages {
		n := int64(stage.Kernel * stage.Kernel * z.waves[k][2] * stage.Maps)
		p.Layers = append(p.Layers, train.PlannedLayer{Name: layerName(k), Output: z.waves[k+1], Parameters: n})
		p.Parameters += n
		neurons += int64(z.waves[k][0] * z.waves[k][1] * stage.Maps)
	}
	readout := int64(z.units+1) * int64(z.classes)
	p.Layers = append(p.Layers, train.PlannedLayer{Name: "readout", Output: tensor.Shape{z.classes}, Parameters: readout})
	p.Weights = float*p.Parameters + 8*readout
	p.Parameters += readout
	inputs, batch := int64(z.waves[0].Size()), int64(max(s.Batch, 256))
	p.Infer = p.Weights + int64(s.Pool.Threads())*((2*float+2)*neurons+56*inputs) + batch*(8*int64(z.classes)+inputs)
	p.Train = p.Infer + int64(r.labels(s.Samples))*(4*int64(z.units)/5+32)
	return p, nil
}

// labels is how many of so many samples the readout learns.
func (r Rule) labels(samples int) int {
	if r.Readout.Labels == 0 {
		return samples
	}
	return min(samples, r.Readout.Labels)
}
