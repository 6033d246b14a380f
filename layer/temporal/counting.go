package temporal

import (
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// Code is what spikes of Counting neurons can be.
type Code uint8

// Codes of spikes.
const (
	Plain      Code = iota // "if": one or none in a step
	SNM                    // "snm": also one taken back where the membrane is at −θ_neg or below
	SigmaDelta             // "sigma-delta": also one taken back where the membrane is below 0
	Graded                 // "graded": as many as it takes, given or taken back
)

var codeNames = []string{"if", "snm", "sigma-delta", "graded"}

// String is the code's name in configuration files.
func (k Code) String() string { return enum.Name(k, codeNames) }

// MarshalText is String.
func (k Code) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name.
func (k *Code) UnmarshalText(text []byte) error { return enum.Parse(k, text, "code", codeNames) }

// Counting is a population of neurons without leak that remember how many spikes they have
// given, n, and may take spikes back, so that the number at the end depends less on the order
// of the input, or not at all. With S the sum of the input, v0 = Start·θ, and q the spikes of a
// step, of which each takes θ from the membrane,
//
//	v = v0 + S[t] − θ·n[t−1],   n[t] = n[t−1] + q[t],   y[t] = q[t]
//
//	if           q = 1 where v ≥ θ
//	snm          the same, and q = −1 where v ≤ −θ_neg and n > 0, θ_neg = Negative·θ
//	sigma-delta  the same, and q = −1 where v < 0 and n > 0
//	graded       n[t] = clip(n[t−1] + ⌊v/θ⌋, 0, t), t = 1 the first step
//
// In each of them v + θ·n = v0 + S: nothing is lost. Graded neurons have given
// clip(⌊(v0 + S)/θ⌋, 0, t) spikes, whatever came when. Spikes of code if are bits, of the others
// whole numbers: a signal of values. SNM: Wang et al., IJCAI 2022; graded spikes without those
// taken back: Li and Zeng, "burst spikes", IJCAI 2022.
//
// With Residual = τ (Hao et al., "Reducing ANN-SNN conversion error through residual membrane
// potential", AAAI 2023; of code if) the first τ steps are a run before the run: behind them a
// neuron starts anew, and gives nothing any more if its membrane was not above 0.001·θ by then.
// An After layer at the network's outputs leaves these steps out of the scores.
//
// Backwards the count is taken for (v0 + S)/θ where that is between 0 and t, straight through:
//
//	∂x[t] = Σ_{τ ≥ t} (∂y[τ] − ∂y[τ+1])/θ where 0 < v0 + S[τ] < θ·τ
//
// The state is S − θ·n and n of each unit, whether it is silenced, and the step.
type Counting struct {
	Code      Code    `yaml:"code"`               // if, snm, sigma-delta or graded
	Threshold float64 `yaml:"threshold"`          // θ
	Start     float64 `yaml:"start,omitempty"`    // membrane before the first step, as a share of θ, in [0, 1)
	Negative  float64 `yaml:"negative,omitempty"` // of snm: θ_neg as a share of θ; 0: 1
	Residual  int     `yaml:"residual,omitempty"` // of if: steps before the run, after which neurons are silenced
}

// A silenced neuron's membrane is at most this share of the threshold.
const residualShare = 1e-3

// Output is the input's shape.
func (l Counting) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("counting: %d inputs, want 1", len(in))
	case l.Code > Graded:
		return nil, fmt.Errorf("counting: code %v, want if, snm, sigma-delta or graded", l.Code)
	case !(l.Threshold > 0) || math.IsInf(l.Threshold, 0):
		return nil, fmt.Errorf("counting: threshold is %v, want a positive number", l.Threshold)
	case !(l.Start >= 0 && l.Start < 1):
		return nil, fmt.Errorf("counting: start is %v, want a share of the threshold in [0, 1), such as 0.5", l.Start)
	case !(l.Negative >= 0) || math.IsInf(l.Negative, 0) || l.Negative > 0 && l.Code != SNM:
		return nil, fmt.Errorf("counting: negative is %v with code %v, want a positive share of the threshold with code snm; leave it out for 1", l.Negative, l.Code)
	case l.Residual < 0 || l.Residual > 0 && l.Code != Plain:
		return nil, fmt.Errorf("counting: residual is %d with code %v, want a number of steps with code if; leave it out for none", l.Residual, l.Code)
	}
	return in[0], nil
}

// StateSize is three numbers a unit and the step.
func (l Counting) StateSize(in ...tensor.Shape) int { return 3*in[0].Size() + 1 }

// Neurons is the neuron that gives the same spikes, but for those taken back.
func (l Counting) Neurons() (n neuron.Neuron, driven bool) {
	return neuron.IF{Threshold: l.Threshold, Reset: neuron.Subtract}, false
}

// Accepts is true for all but spikes.
func (l Counting) Accepts(k signal.Kind) bool { return k != signal.Spikes }

// ForgetsInput is true: what counts of it is kept.
func (l Counting) ForgetsInput() bool { return true }

// counts are the numbers that a unit's rule needs.
type counts struct{ theta, start, below tensor.Float }

func (l Counting) counts() counts {
	c := counts{theta: tensor.Float(l.Threshold), start: tensor.Float(l.Start * l.Threshold)}
	if c.below = c.theta; l.Negative > 0 {
		c.below = tensor.Float(l.Negative * l.Threshold)
	}
	return c
}

// given is the spikes of a unit in step t, from 1.
func (l Counting) given(c counts, v, n tensor.Float, t int) tensor.Float {
	switch {
	case l.Code == Graded:
		return max(0, min(tensor.Float(t), n+tensor.Float(math.Floor(float64(v/c.theta))))) - n
	case v >= c.theta:
		return 1
	case n > 0 && (l.Code == SNM && v <= -c.below || l.Code == SigmaDelta && v < 0):
		return -1
	}
	return 0
}

// restarts ends the steps before the run: neurons whose membrane is left low are silenced.
func (l Counting) restarts(c counts, rest, n, silent []tensor.Float) {
	for i, u := range rest {
		silent[i] = 0
		if !(u+c.start > residualShare*c.theta) {
			silent[i] = 1
		}
		rest[i], n[i] = 0, 0
	}
}

// What Backward needs of a unit and step: whether its count follows its input, whether it is
// silenced, and whether it starts anew behind it.
const (
	follows = 1 << iota
	silenced
	border
)

// Forward runs the neurons; threads take samples.
func (l Counting) Forward(c *layer.Call) {
	in, n := c.In[0], c.In[0].Units()
	kind := signal.Dense
	if l.Code == Plain && c.Soft == layer.Hard {
		kind = signal.Spikes
	}
	c.Out.Reset(kind, in.T, in.B, in.Shape)
	var marks []uint8
	var rest []float64 // of a replay: what the count is above (v0 + S)/θ, or itself
	if c.Keep || c.Soft != layer.Hard {
		marks = c.Scratch.Bytes(0, in.T*in.B*n)
	}
	if c.Soft != layer.Hard {
		rest = c.Scratch.Doubles(0, in.T*in.B*n)
	}
	c.Pool.For(in.B, 1, func(_, b0, b1 int) {
		for b := b0; b < b1; b++ {
			state := c.State[b*(3*n+1):][:3*n+1]
			for t := range in.T {
				at := (t*in.B + b) * n
				x := in.Data[t*in.Stride()+b*n:][:n]
				switch {
				case c.Soft == layer.Replay:
					l.replay(c.Out.Data[at:][:n], x, state, marks[at:][:n], rest[at:][:n])
				case kind == signal.Spikes:
					l.step(x, state, part(marks, at, n), func(i int, q tensor.Float) {
						if q != 0 {
							c.Out.Raster.Set(t*in.B+b, i)
						}
					})
				default:
					y := c.Out.Data[at:][:n]
					l.step(x, state, part(marks, at, n), func(i int, q tensor.Float) { y[i] = q })
				}
				if c.Soft == layer.Record {
					l.remember(rest[at:][:n], state, marks[at:][:n])
				}
			}
		}
	})
}

// part is n marks, or none where nobody asks.
func part(marks []uint8, at, n int) []uint8 {
	if marks == nil {
		return nil
	}
	return marks[at:][:n]
}

// step advances the units of a sample by a step and gives the spikes.
func (l Counting) step(x, state []tensor.Float, marks []uint8, give func(i int, q tensor.Float)) {
	n, k := len(x), l.counts()
	rest, count, silent, clock := state[:n], state[n:2*n], state[2*n:3*n], &state[3*n]
	if l.Residual > 0 && int(*clock) == l.Residual {
		l.restarts(k, rest, count, silent)
	}
	*clock++
	t := int(*clock)
	ends := t == l.Residual
	if t > l.Residual {
		t -= l.Residual
	}
	for i, v := range x {
		u := rest[i] + v
		q := l.given(k, u+k.start, count[i], t)
		rest[i] = u - tensor.Float(q*k.theta)
		count[i] += q
		if marks != nil {
			marks[i] = 0
			if sum := rest[i] + k.start + tensor.Float(count[i]*k.theta); sum > 0 && sum < tensor.Float(t)*k.theta {
				marks[i] = follows
			}
			if silent[i] != 0 {
				marks[i] |= silenced
			}
			if ends {
				marks[i] |= border
			}
		}
		give(i, q*(1-silent[i]))
	}
}

// remember keeps what the count is above the function that it is taken for.
func (l Counting) remember(above []float64, state []tensor.Float, marks []uint8) {
	n := len(marks)
	for i, mark := range marks {
		above[i] = float64(state[n+i])
		if mark&follows != 0 { // n − (v0 + S)/θ
			above[i] = -(float64(state[i])/l.Threshold + l.Start)
		}
	}
}

// replay is a step of the function that gradients are of: counts follow the sums of the input,
// which the first state then is.
func (l Counting) replay(y, x, state []tensor.Float, marks []uint8, above []float64) {
	n := len(x)
	sums, count, clock := state[:n], state[n:2*n], &state[3*n]
	if l.Residual > 0 && int(*clock) == l.Residual {
		clear(sums)
		clear(count)
	}
	*clock++
	for i, v := range x {
		sums[i] += v
		now := above[i]
		if marks[i]&follows != 0 {
			now += float64(sums[i])/l.Threshold + l.Start
		}
		y[i] = tensor.Float(now - float64(count[i]))
		if marks[i]&silenced != 0 {
			y[i] = 0
		}
		count[i] = tensor.Float(now)
	}
}

// Backward sums the errors of the counts from the last step to the first. The state's error is
// that sum and the error of the step behind.
func (l Counting) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	n := dout.Units()
	marks := c.Scratch.Bytes(0, dout.T*dout.B*n)
	c.Pool.For(dout.B, 1, func(_, b0, b1 int) {
		for b := b0; b < b1; b++ {
			carried := c.DState[b*(3*n+1):][:2*n]
			for t := dout.T - 1; t >= 0; t-- {
				at := (t*dout.B + b) * n
				dx := din.Data[t*din.Stride()+b*n:][:n]
				l.errors(carried, dout.Data[at:][:n], marks[at:][:n], func(i int, g tensor.Float) {
					if din.Kind == signal.Constant {
						dx[i] += g
					} else {
						dx[i] = g
					}
				})
			}
		}
	})
}

// errors takes a step back: the sums of the errors of counts, and the errors of spikes behind.
func (l Counting) errors(carried, dy []tensor.Float, marks []uint8, give func(i int, g tensor.Float)) {
	n, slope := len(dy), tensor.Float(1/l.Threshold)
	sum, behind := carried[:n], carried[n:]
	for i, g := range dy {
		if marks[i]&border != 0 {
			sum[i], behind[i] = 0, 0
		}
		if marks[i]&silenced != 0 {
			g = 0
		}
		if marks[i]&follows != 0 {
			sum[i] += tensor.Float((g - behind[i]) * slope)
		}
		behind[i] = g
		give(i, sum[i])
	}
}
