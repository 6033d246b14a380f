package temporal

import (
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/internal/kernel"
	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// SignedCode is how Signed neurons find their spikes.
type SignedCode uint8

// Codes of signed spikes.
const (
	Imbalanced  SignedCode = iota // "imbalanced": a threshold below zero that the leak scales
	LeakyDelta                    // "sigma-delta": a spike where what was given is off by h or more
	LeakyGraded                   // "graded": as many as it is off by
)

var signedNames = []string{"imbalanced", "sigma-delta", "graded"}

// String is the code's name in configuration files.
func (k SignedCode) String() string { return enum.Name(k, signedNames) }

// MarshalText is String.
func (k SignedCode) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name.
func (k *SignedCode) UnmarshalText(text []byte) error {
	return enum.Parse(k, text, "code", signedNames)
}

// Signed is a population of neurons without leak in time whose spikes are +1 or −1 and whose
// count n follows a leaky unit, φ(x) = x for x ≥ 0 and Slope·x below, of the sum of the input S:
// n ≈ φ(S)/θ. With V the membrane and q the spikes of a step,
//
//	imbalanced   V ← V + x;  q = +1, V ← V − θ where V ≥ θ;  q = −1, V ← V + θ/Slope where V ≤ −θ/Slope
//	sigma-delta  S ← S + x;  d = φ(S)/θ − n;  q = +1 where d ≥ h, −1 where d ≤ −h;  n ← n + q
//	graded       the same with q = sign(d)·⌊|d| + 1 − h⌋, any whole number
//
// h = 1 − Start: ½ rounds. Spikes of both signs are of size 1, the slope stands in the threshold
// alone. Imbalanced: Kim et al., "Spiking-YOLO: spiking neural network for energy-efficient object
// detection", AAAI 2020. What it gave too much it takes back at the rate of the slope: a transient
// of the wrong sign stays in n. The other codes depend on S alone, not on the order of the input,
// but for what one spike a step cannot catch up; as long as the input keeps its sign, sigma-delta
// with h = 1 and imbalanced give the same spikes. Slope 1 is a linear unit.
//
// Backwards the count is taken for φ(S)/θ where it is not further from it than a spike, straight
// through:
//
//	∂x[t] = Σ_{τ ≥ t} (∂y[τ] − ∂y[τ+1])·φ'(S[τ])/θ where |φ(S[τ])/θ − n[τ]| ≤ 1
//
// The state is S, n and V of each unit.
type Signed struct {
	Code      SignedCode `yaml:"code"`            // imbalanced, sigma-delta or graded
	Slope     float64    `yaml:"slope"`           // of what is below zero, in (0, 1]
	Threshold float64    `yaml:"threshold"`       // θ
	Start     float64    `yaml:"start,omitempty"` // of sigma-delta and graded: 1 − h, in [0, 1)
}

// Output is the input's shape.
func (l Signed) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("signed: %d inputs, want 1", len(in))
	case l.Code > LeakyGraded:
		return nil, fmt.Errorf("signed: code %v, want imbalanced, sigma-delta or graded", l.Code)
	case !(l.Slope > 0 && l.Slope <= 1):
		return nil, fmt.Errorf("signed: slope is %v, want that of the leaky units, in (0, 1], such as 0.1", l.Slope)
	case !(l.Threshold > 0) || math.IsInf(l.Threshold, 0):
		return nil, fmt.Errorf("signed: threshold is %v, want a positive number", l.Threshold)
	case !(l.Start >= 0 && l.Start < 1) || l.Start > 0 && l.Code == Imbalanced:
		return nil, fmt.Errorf("signed: start is %v with code %v, want a share of the threshold in [0, 1), such as 0.5, with code sigma-delta or graded; leave it out for 0", l.Start, l.Code)
	}
	return in[0], nil
}

// StateSize is three numbers a unit.
func (l Signed) StateSize(in ...tensor.Shape) int { return 3 * in[0].Size() }

// Neurons is the neuron that gives the spikes above zero.
func (l Signed) Neurons() (n neuron.Neuron, driven bool) {
	return neuron.IF{Threshold: l.Threshold, Reset: neuron.Subtract}, false
}

// Accepts is true for all but spikes.
func (l Signed) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true: what counts of it is kept.
func (l Signed) ForgetsInput() bool { return true }

// leaks marks a unit whose sum is below zero.
const leaks = border << 1

// Forward runs the neurons; threads take samples, and parts of them.
func (l Signed) Forward(c *layer.Call) {
	in, n := c.In[0], c.In[0].Units()
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	var marks []uint8
	var above []float64 // of a replay: what the count is above φ(S)/θ, or itself
	if c.Keep || c.Soft != layer.Hard {
		marks = c.Scratch.Bytes(0, in.T*in.B*n)
	}
	if c.Soft != layer.Hard {
		above = c.Scratch.Doubles(0, in.T*in.B*n)
	}
	parts := (n + partUnits - 1) / partUnits
	c.Pool.For(in.B*parts, 1, func(_, i0, i1 int) {
		for i := i0; i < i1; i++ {
			b, lo := i/parts, i%parts*partUnits
			k := min(partUnits, n-lo)
			state := unitsOf(c.State[b*3*n:][:3*n], lo, k)
			for t := range in.T {
				at := (t*in.B+b)*n + lo
				x, y := in.Data[t*in.Stride()+b*n+lo:][:k], c.Out.Data[at:][:k]
				if c.Soft == layer.Replay {
					l.replay(y, x, state, marks[at:][:k], above[at:][:k])
					continue
				}
				l.step(y, x, state)
				if marks != nil {
					l.mark(marks[at:][:k], state)
				}
				if c.Soft == layer.Record {
					l.remember(above[at:][:k], state, marks[at:][:k])
				}
			}
		}
	})
}

// partUnits is how many units of a sample a thread takes at once: their state and what they get
// and give fit into a first-level cache.
const partUnits = 1 << 10

// signedState is the state of some units of a sample.
type signedState struct{ sums, count, v []tensor.Float }

// unitsOf is the state of n units from lo on, of a sample's.
func unitsOf(sample []tensor.Float, lo, n int) signedState {
	all := len(sample) / 3
	return signedState{sample[lo:][:n], sample[all+lo:][:n], sample[2*all+lo:][:n]}
}

// step advances units of a sample by a step.
func (l Signed) step(y, x []tensor.Float, state signedState) {
	theta, slope, h := tensor.Float(l.Threshold), tensor.Float(l.Slope), tensor.Float(1-l.Start)
	switch l.Code {
	case Imbalanced:
		kernel.Imbalanced{Above: theta, Below: tensor.Float(l.Threshold / l.Slope)}.Step(y, x, state.sums, state.count, state.v)
	case LeakyDelta:
		kernel.Delta{Theta: theta, Slope: slope, Half: h}.Step(y, x, state.sums, state.count)
	default:
		for i, in := range x {
			s := state.sums[i] + in
			state.sums[i] = s
			if s < 0 {
				s = tensor.Float(s * slope)
			}
			d := s/theta - state.count[i]
			y[i] = graded(d, h)
			state.count[i] += y[i]
		}
	}
}

// graded is sign(d)·⌊|d| + 1 − h⌋ where |d| is h or more, and else 0, of what is no number too.
func graded(d, h tensor.Float) tensor.Float {
	if !(d >= h || d <= -h) {
		return 0
	}
	return tensor.Float(math.Copysign(math.Floor(math.Abs(float64(d))+1-float64(h)), float64(d)))
}

// follow is φ(S)/θ.
func (l Signed) follow(sum tensor.Float) float64 {
	if sum < 0 {
		return l.Slope * float64(sum) / l.Threshold
	}
	return float64(sum) / l.Threshold
}

// mark notes what Backward needs of each unit.
func (l Signed) mark(marks []uint8, state signedState) {
	for i := range marks {
		marks[i] = 0
		if math.Abs(l.follow(state.sums[i])-float64(state.count[i])) <= 1 {
			marks[i] = follows
		}
		if state.sums[i] < 0 {
			marks[i] |= leaks
		}
	}
}

// remember keeps what the count is above the function that it is taken for.
func (l Signed) remember(above []float64, state signedState, marks []uint8) {
	for i, mark := range marks {
		above[i] = float64(state.count[i])
		if mark&follows != 0 {
			above[i] -= l.follow(state.sums[i])
		}
	}
}

// replay is a step of the function that gradients are of.
func (l Signed) replay(y, x []tensor.Float, state signedState, marks []uint8, above []float64) {
	sums, count := state.sums, state.count
	for i, v := range x {
		sums[i] += v
		now := above[i]
		if marks[i]&follows != 0 {
			now += l.factor(marks[i]) * float64(sums[i])
		}
		y[i] = tensor.Float(now - float64(count[i]))
		count[i] = tensor.Float(now)
	}
}

// factor is φ'(S)/θ.
func (l Signed) factor(mark uint8) float64 {
	if mark&leaks != 0 {
		return l.Slope / l.Threshold
	}
	return 1 / l.Threshold
}

// Backward sums the errors of the counts from the last step to the first. The state's error is
// that sum and the error of the step behind.
func (l Signed) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	n := dout.Units()
	marks := c.Scratch.Bytes(0, dout.T*dout.B*n)
	c.Pool.For(dout.B, 1, func(_, b0, b1 int) {
		for b := b0; b < b1; b++ {
			sum, behind := c.DState[b*3*n:][:n], c.DState[b*3*n+n:][:n]
			for t := dout.T - 1; t >= 0; t-- {
				at := (t*dout.B + b) * n
				dx := din.Data[t*din.Stride()+b*n:][:n]
				for i, g := range dout.Data[at:][:n] {
					if mark := marks[at+i]; mark&follows != 0 {
						sum[i] += tensor.Float(float64(g-behind[i]) * l.factor(mark))
					}
					behind[i] = g
					if din.Kind == signal.Constant {
						dx[i] += sum[i]
					} else {
						dx[i] = sum[i]
					}
				}
			}
		}
	})
}
