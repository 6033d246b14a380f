package ordinary

import (
	"fmt"
	"math"

	"synfire/internal/par"
	"synfire/layer"
	"synfire/tensor"
)

// QCFS is the activation by quantisation, clip, floor and shift of Bu et al., "Optimal ANN-SNN
// conversion for high-accuracy and ultra-low-latency spiking neural networks", ICLR 2022: what
// a neuron without leak, of the threshold λ and from the membrane λ/2, gives in L steps of even
// input. Its scale λ is a parameter, one for the layer:
//
//	q = ⌊L·clip(x/λ, 0, 1) + ½⌋/L,   y = λ·q
//
// Backwards the floor is taken for the identity, straight through:
//
//	∂x = ∂y where 0 < x < λ, else 0
//	∂λ = Σ ∂y·(1 where x ≥ λ, 0 where x ≤ 0, q − x/λ between)
//
// over units and samples in float64, step by step from the last to the first. The authors'
// first release passes errors up to ½/L beyond both borders; this is the form of their second.
// Init is λ before training. Training is of one step, in an ordinary network; package convert
// makes it a spiking one. λ has one dimension: weight decay leaves it out unless decay-biases
// says otherwise.
type QCFS struct {
	Levels int     `yaml:"levels"` // L, the steps between 0 and λ
	Init   float64 `yaml:"init"`   // λ before training
}

// Rectified reports whether a layer is of rectified units: layer.ReLU, leaky ones too, or QCFS.
func Rectified(l layer.Layer) bool {
	switch l.(type) {
	case layer.ReLU, QCFS:
		return true
	}
	return false
}

// leastScale is what λ must be above: below it nothing is told apart.
const leastScale = 1e-3

// Output is the input's shape.
func (l QCFS) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("qcfs", in)
	switch {
	case err != nil:
		return nil, err
	case l.Levels < 1 || l.Levels > maxLevels:
		return nil, fmt.Errorf("qcfs: levels is %d, want 1 to %d steps between 0 and the scale, such as 4", l.Levels, maxLevels)
	case !(l.Init > leastScale) || math.IsInf(l.Init, 0):
		return nil, fmt.Errorf("qcfs: init is %v, want a positive scale above %v, such as 8 or a high percentile of the activations", l.Init, leastScale)
	}
	return s, nil
}

// maxLevels bounds L: so many levels are exact as tensor.Float.
const maxLevels = 1 << 20

// Params is the scale λ.
func (l QCFS) Params(...tensor.Shape) []layer.ParamSpec {
	return []layer.ParamSpec{{Role: "scale", Shape: tensor.Shape{1}, Value: l.Init}}
}

// Compile prepares nothing.
func (QCFS) Compile(any, *par.Pool, []tensor.Tensor, bool, ...tensor.Shape) any { return nil }

// CheckParams returns an error for a scale that is not above 0.001.
func (QCFS) CheckParams(params []tensor.Tensor) error {
	if v := float64(params[0].Data[0]); !(v > leastScale) || math.IsInf(v, 0) {
		return fmt.Errorf("its scale has become %v, want one above %v; start higher (init), lower the learning rate, or leave the scale out of weight decay (decay-biases: false)", v, leastScale)
	}
	return nil
}

// ElementWise is true.
func (QCFS) ElementWise() bool { return true }

// Level is q for x/λ: a multiple of 1/L in [0, 1].
func (l QCFS) Level(share float64) float64 {
	n := float64(l.Levels)
	switch {
	case share <= 0:
		return 0
	case share >= 1:
		return 1
	}
	return math.Floor(n*share+0.5) / n
}

// Forward quantises. With soft spikes it keeps what the floor takes away, and adds that in a
// replay: the function that straight-through gradients are of.
func (l QCFS) Forward(c *layer.Call) {
	in, out, scale := c.In[0], c.Out, float64(c.Params[0].Data[0])
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	var rest []float64
	if c.Soft != layer.Hard {
		rest = c.Scratch.Doubles(0, len(in.Data))
	}
	c.Pool.For(len(out.Data), tileElems, func(_, lo, hi int) {
		y := out.Data[lo:hi]
		for i, x := range in.Data[lo:hi] {
			share := float64(x) / scale
			q := l.Level(share)
			if rest != nil {
				clipped := min(max(share, 0), 1)
				if c.Soft == layer.Record {
					rest[lo+i] = q - clipped
				}
				q = clipped + rest[lo+i]
			}
			y[i] = tensor.Float(scale * q)
		}
	})
}

// Backward passes errors straight through the floor.
func (l QCFS) Backward(c *layer.Call) {
	in, din, dout, scale := c.In[0], c.DIn[0], c.DOut, float64(c.Params[0].Data[0])
	n := dout.Units()
	rows := len(dout.Data) / n
	sums := c.Temp.Doubles(0, rows)
	c.Pool.For(rows, max(tileElems/n, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			sum, dy := 0.0, part(dout.Data, r, n)
			for i, x := range part(in.Data, r, n) {
				g, share := dy[i], float64(x)/scale
				switch {
				case share <= 0:
					g = 0
				case share >= 1:
					sum += float64(g)
					g = 0
				default:
					sum += float64(g) * (l.Level(share) - share)
				}
				if din != nil {
					din.Data[r*n+i] = g
				}
			}
			sums[r] = sum
		}
	})
	for t := rows/dout.B - 1; t >= 0; t-- {
		step := 0.0
		for _, v := range sums[t*dout.B:][:dout.B] {
			step += v
		}
		c.DParams[0][0] += tensor.Float(step)
	}
}
