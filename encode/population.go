package encode

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Population gives each value to several units with Gaussian receptive fields that overlap, of
// which those fire early that the value is near to (Bohte et al., "Error-backpropagation in
// temporally encoded networks of spiking neurons", 2002): for m units, i = 1 … m, over [Low, High],
//
//	μ_i = Low + (2i − 3)/2·(High − Low)/(m − 2),   σ = (High − Low)/(Width·(m − 2))
//	a_i = exp(−(x − μ_i)²/2σ²)
//	t_i = round((1 − a_i)·(Span − 1)),   none for a_i < Threshold
//
// Span is usually the number of steps of the run; spikes behind its end are lost. Values
// beyond [Low, High] are not moved into it: the outer units, half a spacing (High − Low)/(m − 2)
// outside, fire for them up to a distance of σ√(2 ln 1/Threshold), 1.43 spacings by default, and none
// for those farther out.
//
// A sample [height, width, channels] gives signals of shape [height, width, m·channels], others
// get a last axis of m. Width 0 means 1.5, Threshold 0 means 0.1; High 0 with Low 0 means 1.
type Population struct {
	Units     int     `yaml:"units,required"` // m of each value
	Span      int     `yaml:"span,required"`  // steps from the first spikes to the last
	Low       float64 `yaml:"low"`            // of the values
	High      float64 `yaml:"high"`           // of the values
	Width     float64 `yaml:"width"`          // of the fields, the larger the narrower
	Threshold float64 `yaml:"threshold"`      // activations below it never spike
}

func (e Population) withDefaults() Population {
	if e.Low == 0 && e.High == 0 {
		e.High = 1
	}
	if e.Width == 0 {
		e.Width = 1.5
	}
	if e.Threshold == 0 {
		e.Threshold = 0.1
	}
	return e
}

// maxPopulation is the most units of a value.
const maxPopulation = 1024

// Validate returns an error for fewer than three units or no span, a range that is empty, or a
// width or threshold that makes no sense.
func (e Population) Validate() error {
	e = e.withDefaults()
	switch {
	case e.Units < 3 || e.Units > maxPopulation || e.Span < 1:
		return fmt.Errorf("encoder population: units is %d and span %d, want 3 to %d units and at least one step, such as 8 and 10", e.Units, e.Span, maxPopulation)
	case !(e.Low < e.High) || math.IsInf(e.High-e.Low, 0):
		return fmt.Errorf("encoder population: low is %v and high %v, want the range of the values, such as 0 and 1", e.Low, e.High)
	case !(e.Width > 0) || math.IsInf(e.Width, 0) || !(e.Threshold > 0 && e.Threshold < 1):
		return fmt.Errorf("encoder population: width is %v and threshold %v, want a positive width and a threshold in (0, 1), such as 1.5 and 0.1", e.Width, e.Threshold)
	}
	return nil
}

// Plan takes samples without time.
func (e Population) Plan(spec sample.Spec) (tensor.Shape, int, error) {
	shape, steps, err := still("population", spec)
	return e.shape(shape), steps, err
}

func (e Population) shape(of tensor.Shape) tensor.Shape {
	out := append(tensor.Shape(nil), of...)
	if len(out) == 3 {
		out[2] *= e.Units
		return out
	}
	return append(out, e.Units)
}

// field is the centre of unit i, from 0 on, and the width of all.
func (e Population) field(i int) (center, sigma float64) {
	part := (e.High - e.Low) / float64(e.Units-2)
	return e.Low + float64(2*i-1)/2*part, part / e.Width
}

// time is when unit i spikes for a value, before it is rounded to steps; infinite for never.
func (e Population) time(i int, x float64) float64 {
	center, sigma := e.field(i)
	z := (x - center) / sigma
	if a := math.Exp(-z * z / 2); a >= e.Threshold {
		return (1 - a) * float64(e.Span-1)
	}
	return math.Inf(1)
}

// Encode sets the spikes that fall into the window.
func (e Population) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at Window) {
	e = e.withDefaults()
	n := in.Spec.Shape.Size()
	b := len(in.X) / n
	dst.Reset(signal.Spikes, at.T1-at.T0, b, e.shape(in.Spec.Shape))
	for k, x := range in.X {
		for i := range e.Units {
			if t := math.Round(e.time(i, float64(x))); t >= float64(at.T0) && t < float64(at.T1) {
				dst.Raster.Set((int(t)-at.T0)*b+k/n, k%n*e.Units+i)
			}
		}
	}
}

// Value is the inverse: the value that m units stand for by the steps of their spikes, below 0 for
// none. Of each unit that spiked the distance to its centre is known by its activation, on one
// side or the other; the value is the least-squares point of ln a, which is a parabola about it:
//
//	ln a_i − ln a_j = ((x − μ_j)² − (x − μ_i)²)/2σ²,   linear in x
//
// over all pairs. With one spike alone it is that unit's centre; without any it is NaN.
func (e Population) Value(steps []int) float64 {
	e = e.withDefaults()
	var centers, logs []float64
	sigma := 0.0
	for i, t := range steps {
		if t < 0 {
			continue
		}
		center, s := e.field(i)
		a := 1.0
		if e.Span > 1 { // no later than the last step that fires
			a = max(1-float64(t)/float64(e.Span-1), e.Threshold)
		}
		centers, logs, sigma = append(centers, center), append(logs, math.Log(a)), s
	}
	if len(centers) == 0 {
		return math.NaN()
	}
	top, below := 0.0, 0.0
	for i := range centers {
		for j := range i {
			d := centers[i] - centers[j]
			// ln a_i − ln a_j = (x − (μ_i + μ_j)/2)·d/σ²; weighted by how near both are.
			weight := math.Exp(logs[i]+logs[j]) * d * d
			x := (logs[i]-logs[j])*sigma*sigma/d + (centers[i]+centers[j])/2
			top, below = top+weight*x, below+weight
		}
	}
	if below == 0 {
		return centers[0]
	}
	return top / below
}
