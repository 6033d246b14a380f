package loss

import (
	"fmt"
	"math"

	"synfire/encode"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Read says which part of an output's course in time is its answer.
type Read uint8

// The ways to read.
const (
	ReadMean Read = iota // "mean": the mean over the steps
	ReadSum              // "sum": the sum over the steps, as a spike count
	ReadLast             // "last": the last step that is no padding
	ReadEach             // "each": every step by itself
)

var readNames = [...]string{"mean", "sum", "last", "each"}

// String is the name in configuration files.
func (r Read) String() string {
	if int(r) < len(readNames) {
		return readNames[r]
	}
	return fmt.Sprintf("read(%d)", r)
}

// MarshalText is String.
func (r Read) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of String.
func (r *Read) UnmarshalText(text []byte) error {
	for i, name := range readNames {
		if name == string(text) {
			*r = Read(i)
			return nil
		}
	}
	return fmt.Errorf("read %q: want mean, sum, last or each", text)
}

// MSE is the squared error of an output against values y, averaged over the K
// values and the batch:
//
//	mean, sum, last:  mean_k (a_k − y_k)²,           ∂o follows from a, the mean, sum or last of o
//	each:             mean_t mean_k (o_k[t] − y_k[t])²,  ∂o_k[t] = 2·(o_k[t] − y_k[t])/(K·T·B)
//
// With each, y is a series of as many steps, or the same at all of them; T counts
// the steps that are no padding. Scores are a, with each the last step.
type MSE struct {
	Read Read `yaml:"read"` // mean, sum, last or each
}

// Check wants as many outputs as values, and as many steps where both are series.
func (l MSE) Check(out tensor.Shape, steps int, target sample.Field) error {
	switch {
	case target.Kind != sample.Values:
		return fmt.Errorf("loss mse: target %q is %v, want values: choose another loss or another target", target.Name, target.Kind)
	case out.Size() != target.Shape.Size():
		return fmt.Errorf("loss mse: the output has %d units, and target %q %d values: is it the data set that the network is for?", out.Size(), target.Name, target.Shape.Size())
	case target.Steps > 0 && l.Read != ReadEach:
		return fmt.Errorf("loss mse: target %q is a series of %d steps; set read: each", target.Name, target.Steps)
	case target.Steps > 0 && target.Steps != steps:
		return fmt.Errorf("loss mse: target %q is a series of %d steps, the run has %d", target.Name, target.Steps, steps)
	}
	return nil
}

// Score reads the mean, the sum or the last step.
func (l MSE) Score(c *Call) error {
	if l.Read == ReadMean || l.Read == ReadSum {
		return c.score(l.decoder())
	}
	if err := c.checkSizes(); err != nil {
		return err
	}
	k := c.Out.Units()
	for b := range c.Out.B {
		copy(c.Scores[b*k:][:k], c.Out.Data[(c.last(b)*c.Out.B+b)*k:])
	}
	return nil
}

func (l MSE) decoder() encode.Decoder {
	if l.Read == ReadSum {
		return encode.Count{}
	}
	return encode.Membrane{}
}

// Eval computes the loss.
func (l MSE) Eval(c *Call) (float64, error) {
	if err := l.Score(c); err != nil {
		return 0, err
	}
	if c.Target == nil || len(c.Target.Values) != c.Out.B*c.Target.Field.Size() {
		return 0, fmt.Errorf("loss mse: the target does not have the values of %d samples", c.Out.B)
	}
	if l.Read == ReadEach {
		return c.eachStep(), nil
	}
	grad := errorsFor(c.DOut, c.Scores)
	value := c.squares(grad)
	switch {
	case c.DOut == nil:
	case l.Read == ReadLast:
		c.spreadLast(grad)
	default:
		c.Spread(l.decoder(), grad)
	}
	return value, nil
}

// squares is the mean squared error of the scores; grad, unless nil, its gradient.
func (c *Call) squares(grad []tensor.Float) float64 {
	var total float64
	n := float64(len(c.Scores))
	for i, s := range c.Scores {
		d := float64(s) - float64(c.Target.Values[i])
		total += d * d
		if grad != nil {
			grad[i] = tensor.Float(2 * d / n)
		}
	}
	return total / n
}

// last is the last step of sample b that is no padding.
func (c *Call) last(b int) int {
	if c.Valid == nil {
		return c.Out.T - 1
	}
	return c.Valid[b] - 1
}

// spreadLast puts the errors at the scores at the last steps.
func (c *Call) spreadLast(grad []tensor.Float) {
	k := c.Out.Units()
	c.DOut.Reset(signal.Dense, c.Out.T, c.Out.B, c.Out.Shape)
	clear(c.DOut.Data)
	for b := range c.Out.B {
		copy(c.DOut.Data[(c.last(b)*c.Out.B+b)*k:][:k], grad[b*k:])
	}
}

func (c *Call) eachStep() float64 {
	k, batch := c.Out.Units(), c.Out.B
	if c.DOut != nil {
		c.DOut.Reset(signal.Dense, c.Out.T, batch, c.Out.Shape)
		clear(c.DOut.Data)
	}
	var total float64
	for b := range batch {
		end := c.last(b)
		weight := 1 / (float64(k) * float64(end+1) * float64(batch))
		for t := range end + 1 {
			y := c.Target.Values[b*c.Target.Field.Size():]
			if c.Target.Field.Steps > 0 {
				y = y[t*k:]
			}
			at := (t*batch + b) * k
			for i, o := range c.Out.Data[at : at+k] {
				d := float64(o) - float64(y[i])
				total += weight * d * d
				if c.DOut != nil {
					c.DOut.Data[at+i] = tensor.Float(2 * weight * d)
				}
			}
		}
	}
	return total
}

// VanRossum is the squared distance between the spikes of the outputs and target
// trains y after van Rossum ("A novel spike distance", 2001), in steps of time: with
// the spikes' difference filtered by an exponential,
//
//	e_k[t] = γ·e_k[t−1] + (o_k[t] − y_k[t]),   γ = exp(−1/τ)
//	L      = mean over samples, units and steps of ½·e_k[t]²
//	∂o_k[t] = g_k[t]/(K·T·B),   g_k[t] = e_k[t] + γ·g_k[t+1]
//
// y_k[t] counts the target's spikes in step t, of the T steps that span the
// duration of the data. Scores are spike counts.
type VanRossum struct {
	Tau float64 `yaml:"tau"` // τ, in steps
}

// Validate returns an error unless Tau is positive.
func (l VanRossum) Validate() error {
	if l.Tau > 0 && !math.IsInf(l.Tau, 0) {
		return nil
	}
	return fmt.Errorf("loss van-rossum: tau is %v, want a positive number of steps, such as 5", l.Tau)
}

// Check wants an output for each train.
func (VanRossum) Check(out tensor.Shape, _ int, target sample.Field) error {
	switch {
	case target.Kind != sample.Trains:
		return fmt.Errorf("loss van-rossum: target %q is %v, want spike trains: choose another loss or another target", target.Name, target.Kind)
	case out.Size() != target.Shape.Size():
		return fmt.Errorf("loss van-rossum: the output has %d units, and target %q %d trains: is it the data set that the network is for?", out.Size(), target.Name, target.Shape.Size())
	}
	return nil
}

// Score reads spike counts.
func (VanRossum) Score(c *Call) error { return c.score(encode.Count{}) }

// Eval computes the loss.
func (l VanRossum) Eval(c *Call) (float64, error) {
	if err := l.Score(c); err != nil {
		return 0, err
	}
	if c.Target == nil || len(c.Target.Trains) != c.Out.B || !(c.Duration > 0) {
		return 0, fmt.Errorf("loss van-rossum: the target does not have the trains of %d samples, or the duration of %v is not positive", c.Out.B, c.Duration)
	}
	k, batch := c.Out.Units(), c.Out.B
	if c.DOut != nil {
		c.DOut.Reset(signal.Dense, c.Out.T, batch, c.Out.Shape)
		clear(c.DOut.Data)
	}
	gamma := math.Exp(-1 / l.Tau)
	e := make([]float64, c.Out.T)
	var total float64
	for b := range batch {
		steps := c.last(b) + 1
		weight := 1 / (float64(k) * float64(steps) * float64(batch))
		for u := range k {
			clear(e)
			for _, at := range c.Target.Trains[b][u].Times {
				if t := encode.StepOf(at, c.Out.T, c.Duration); t >= 0 && t < steps {
					e[t]--
				}
			}
			filtered := 0.0
			for t := range steps {
				filtered = gamma*filtered + e[t] + float64(c.Out.Data[(t*batch+b)*k+u])
				e[t] = filtered
				total += weight * filtered * filtered / 2
			}
			if c.DOut == nil {
				continue
			}
			back := 0.0
			for t := steps - 1; t >= 0; t-- {
				back = gamma*back + e[t]
				c.DOut.Data[(t*batch+b)*k+u] = tensor.Float(weight * back)
			}
		}
	}
	return total, nil
}
