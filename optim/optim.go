// Package optim updates parameters from gradients.
//
//	SGD   m ← μ·m + g + λ·w,  w ← w − η·m, or by Nesterov's momentum
//	Adam  m ← β1·m + (1−β1)·g,  v ← β2·v + (1−β2)·g²,
//	      w ← w − η·(m/(1−β1^t)) / (√(v/(1−β2^t)) + ε)      (Kingma and Ba, 2015)
//	AdamW w ← w − η·λ·w, then Adam                    (Loshchilov and Hutter, 2019)
//
// with the rate η of step t from a Schedule. An update is a function of the
// step and of buffers that Buffers exposes, so that a run can be resumed. An
// Average of the weights over the steps may stand in for them where they are used.
package optim

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// Optimizer describes an update rule. It holds options only.
type Optimizer interface {
	Validate() error
	// Buffers is the number of arrays like a parameter that the rule keeps.
	Buffers() int
	// Update applies step t (from 1) with rate eta to one parameter; buf
	// holds its buffers, zero before step 1.
	Update(w, g []tensor.Float, buf [][]tensor.Float, t int, eta float64)
	// Rate is the rate before scheduling.
	Rate() float64
}

// SGD is gradient descent with momentum. Decay is λ, the weight decay that
// joins the gradient.
//
//	d = g + λ·w,  m ← μ·m + d,  w ← w − η·m
//
// With Nesterov the step looks ahead along the momentum (Sutskever et al., "On the
// importance of initialization and momentum in deep learning", ICML 2013, in the form
// of PyTorch's SGD):
//
//	w ← w − η·(d + μ·m)
//
// Decoupled makes the options independent of each other, so that one can be changed
// without tuning the others anew: with η₀ = LR,
//
//	η ← (1 − μ)·η,  λ ← λ/η₀
//
// A constant gradient of 1 then moves a weight by LR a step, whatever the momentum, and
// Decay is the share of a weight that a step takes away, whatever LR. The schedule
// scales both.
type SGD struct {
	LR          float64 `yaml:"lr,required"`         // η, the learning rate before scheduling
	Momentum    float64 `yaml:"momentum"`            // μ, in [0, 1)
	Decay       float64 `yaml:"decay"`               // λ
	DecayBiases bool    `yaml:"decay-biases"`        // see Decaying
	Nesterov    bool    `yaml:"nesterov,omitempty"`  // the step looks ahead along the momentum
	Decoupled   bool    `yaml:"decoupled,omitempty"` // lr and decay are those of a step's effect, whatever the momentum
}

// Adam adapts the rate to each weight. Zero values of Beta1, Beta2 and Epsilon
// mean 0.9, 0.999 and 1e-8.
//
//	m ← β1·m + (1−β1)·g,  v ← β2·v + (1−β2)·g²
//	w ← w − η·(m/(1−β1^t)) / (√(v/(1−β2^t)) + ε)
type Adam struct {
	LR      float64 `yaml:"lr,required"` // η, the learning rate before scheduling
	Beta1   float64 `yaml:"beta1"`
	Beta2   float64 `yaml:"beta2"`
	Epsilon float64 `yaml:"epsilon"`
}

// Validate returns an error unless the rate is positive, 0 ≤ momentum < 1 and
// the weight decay is not negative.
func (o SGD) Validate() error {
	if err := checkWeightDecay("sgd", o.Decay); err != nil {
		return err
	}
	if o.Nesterov && o.Momentum == 0 {
		return fmt.Errorf("optimizer sgd: nesterov without momentum changes nothing; set momentum, such as 0.9, or leave nesterov out")
	}
	return check("sgd", o.LR, map[string]float64{"momentum": o.Momentum})
}

// Validate returns an error unless the rate is positive and the betas are in [0, 1).
func (o Adam) Validate() error { return o.validate("adam") }

func (o Adam) validate(kind string) error {
	if !(o.Epsilon >= 0) || math.IsInf(o.Epsilon, 0) {
		return fmt.Errorf("optimizer %s: epsilon is %v, want it positive and finite", kind, o.Epsilon)
	}
	return check(kind, o.LR, map[string]float64{"beta1": o.Beta1, "beta2": o.Beta2})
}

func check(kind string, lr float64, unit map[string]float64) error {
	if !(lr > 0) || math.IsInf(lr, 0) {
		return fmt.Errorf("optimizer %s: lr is %v, want a positive learning rate", kind, lr)
	}
	for _, name := range []string{"momentum", "beta1", "beta2"} {
		if v, ok := unit[name]; ok && !(v >= 0 && v < 1) {
			return fmt.Errorf("optimizer %s: %s is %v, want it in [0, 1)", kind, name, v)
		}
	}
	return nil
}

// Rate is LR.
func (o SGD) Rate() float64 { return o.LR }

// Rate is LR.
func (o Adam) Rate() float64 { return o.LR }

// Buffers is 1 with momentum, else 0.
func (o SGD) Buffers() int {
	if o.Momentum == 0 {
		return 0
	}
	return 1
}

// Buffers is 2: the moments.
func (o Adam) Buffers() int { return 2 }

// Update takes one step.
func (o SGD) Update(w, g []tensor.Float, buf [][]tensor.Float, _ int, eta float64) {
	var m []tensor.Float
	if len(buf) > 0 {
		m = buf[0]
	}
	decay := o.Decay
	if o.Decoupled {
		eta, decay = eta*(1-o.Momentum), decay/o.LR
	}
	kernel.SGD{Rate: tensor.Float(eta), Momentum: tensor.Float(o.Momentum), Decay: tensor.Float(decay), Nesterov: o.Nesterov}.Update(w, g, m)
}

// Update takes one step.
func (o Adam) Update(w, g []tensor.Float, buf [][]tensor.Float, t int, eta float64) {
	o.kernel(t, eta).Update(w, g, buf[0], buf[1])
}

// kernel is step t with rate eta.
func (o Adam) kernel(t int, eta float64) kernel.Adam {
	b1, b2, eps := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999), orDefault(o.Epsilon, 1e-8)
	// The corrections of both moments go into the rate and into epsilon.
	c2 := math.Sqrt(1 - math.Pow(b2, float64(t)))
	return kernel.Adam{
		Beta1: tensor.Float(b1), Gain1: tensor.Float(1 - b1),
		Beta2: tensor.Float(b2), Gain2: tensor.Float(1 - b2),
		Rate:    tensor.Float(eta * c2 / (1 - math.Pow(b1, float64(t)))),
		Epsilon: tensor.Float(eps * c2),
		Keep:    1,
	}
}

func orDefault(v, d float64) float64 {
	if v == 0 {
		return d
	}
	return v
}

// Schedule scales the rate at step t of total steps, both counted from 0.
type Schedule interface {
	Scale(t, total int) float64
}

// Fixed keeps the rate.
type Fixed struct{}

// Cosine lowers the rate along half a cosine from 1 to Floor, after a linear
// rise over the first Warmup steps.
type Cosine struct {
	Floor  float64 `yaml:"floor"`
	Warmup int     `yaml:"warmup"`
}

// Validate returns an error unless the floor is a share and the rise a number
// of steps.
func (c Cosine) Validate() error {
	if !(c.Floor >= 0 && c.Floor <= 1) || c.Warmup < 0 {
		return fmt.Errorf("schedule cosine: floor is %v and warmup %d, want a floor in [0, 1] and no negative warmup", c.Floor, c.Warmup)
	}
	return nil
}

// Scale is 1.
func (Fixed) Scale(_, _ int) float64 { return 1 }

// Scale is the cosine's value.
func (c Cosine) Scale(t, total int) float64 {
	if t < c.Warmup {
		return float64(t+1) / float64(c.Warmup)
	}
	x := float64(t-c.Warmup) / float64(max(1, total-c.Warmup))
	return c.Floor + (1-c.Floor)*(1+math.Cos(math.Pi*min(1, x)))/2
}

// Norm is the Euclidean norm of all gradients, in float64 over fixed chunks.
func Norm(grads [][]tensor.Float) float64 {
	var total float64
	for _, g := range grads {
		total += kernel.SumSquares(g)
	}
	return math.Sqrt(total)
}

// Clip scales all gradients so that their norm is at most limit (0: no limit),
// and returns the norm they had.
func Clip(grads [][]tensor.Float, limit float64) float64 {
	norm := Norm(grads)
	if limit > 0 && norm > limit {
		scale := tensor.Float(limit / norm)
		for _, g := range grads {
			kernel.Scale(g, scale)
		}
	}
	return norm
}

// updateChunk is the work of one task of Apply.
const updateChunk = 1 << 14

// Apply runs the update of step t on all parameters, on the pool's threads.
// bufs[p][k] is buffer k of parameter p, and factors[p] what its rate is multiplied by:
// 0 leaves it as it is. Nil factors are all 1.
func Apply(pool *par.Pool, o Optimizer, params []tensor.Param, grads [][]tensor.Float, bufs [][][]tensor.Float, t int, eta float64, factors []float64) {
	for i, p := range params {
		w, g, o, eta := p.Value.Data, grads[i], forParam(o, p), eta
		if factors != nil {
			if factors[i] == 0 {
				continue
			}
			eta *= factors[i]
		}
		pool.For(len(w), updateChunk, func(_, lo, hi int) {
			var space [4][]tensor.Float
			parts := space[:0]
			for _, b := range bufs[i] {
				parts = append(parts, b[lo:hi])
			}
			o.Update(w[lo:hi], g[lo:hi], parts, t, eta)
		})
	}
}

// NewBuffers are the zero buffers of an optimiser for parameters.
func NewBuffers(o Optimizer, params []tensor.Param) [][][]tensor.Float {
	bufs := make([][][]tensor.Float, len(params))
	for i, p := range params {
		for range o.Buffers() {
			bufs[i] = append(bufs[i], tensor.Resize(nil, len(p.Value.Data)))
		}
	}
	return bufs
}
