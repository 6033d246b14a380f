package layer

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// BatchNorm normalises each channel (the last axis) of an image or a vector,
// and scales and shifts it (Ioffe and Szegedy, "Batch normalization", ICML
// 2015):
//
//	x̂ = (x − μ)/√(σ² + ε),   y = Scale·γ·x̂ + β
//
// In training μ and σ² are the mean and the biased variance over all N rows of
// the channel: time, samples and pixels; a Constant has its samples and pixels
// alone. Thus it needs all steps in one window. Backwards,
//
//	∂β = Σ ∂y,   ∂γ = Scale·Σ ∂y·x̂
//	∂x = Scale·γ/√(σ² + ε) · (∂y − Σ∂y/N − x̂·Σ(∂y·x̂)/N)
//
// At inference μ and σ² are the running mean and variance, r ← r +
// Momentum·(batch − r) after each training step, with the unbiased variance of
// the batch as in PyTorch; then ∂x = Scale·γ/√(σ² + ε)·∂y.
//
// With Scale = α·θ it is the threshold-dependent normalisation of Zheng et al.,
// "Going deeper with directly-trained larger spiking neural networks", AAAI
// 2021, for neurons of threshold θ. Momentum, Epsilon and Scale of 0 mean 0.1,
// 1e-5 and 1.
type BatchNorm struct {
	Momentum float64 `yaml:"momentum"`
	Epsilon  float64 `yaml:"epsilon"`
	Scale    float64 `yaml:"scale"`
}

// withDefaults replaces zeros by what they mean.
func (l BatchNorm) withDefaults() BatchNorm {
	for _, o := range []struct {
		v    *float64
		zero float64
	}{{&l.Momentum, 0.1}, {&l.Epsilon, 1e-5}, {&l.Scale, 1}} {
		if *o.v == 0 {
			*o.v = o.zero
		}
	}
	return l
}

// Output is the input's shape.
func (l BatchNorm) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("batch-norm", in)
	d := l.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case len(s) == 0:
		return nil, fmt.Errorf("batch-norm: input is a scalar, want channels in the last axis; put it behind a linear or conv2d layer")
	case !(d.Momentum > 0 && d.Momentum <= 1):
		return nil, fmt.Errorf("batch-norm: momentum is %v, want the part of the new statistics in (0, 1] (0.1 is usual)", l.Momentum)
	case !(d.Epsilon > 0) || !(d.Scale > 0) || math.IsInf(d.Epsilon+d.Scale, 0):
		return nil, fmt.Errorf("batch-norm: epsilon is %v and scale %v, want both positive (1e-5 and 1 are usual)", l.Epsilon, l.Scale)
	}
	return s, nil
}

// NeedsWholeTime is true in training: its statistics span all steps.
func (l BatchNorm) NeedsWholeTime(train bool) bool { return train }

// ElementWise is true: all errors have been read before the first is written.
func (l BatchNorm) ElementWise() bool { return true }

func channels(s tensor.Shape) int { return s[len(s)-1] }

// Params are gamma, all 1 at the start, and beta, all 0, for each channel.
func (l BatchNorm) Params(in ...tensor.Shape) []ParamSpec {
	c := tensor.Shape{channels(in[0])}
	return []ParamSpec{{Role: "gamma", Shape: c, Value: 1}, {Role: "beta", Shape: c}}
}

// Compile prepares nothing.
func (l BatchNorm) Compile(any, *par.Pool, []tensor.Tensor, bool, ...tensor.Shape) any { return nil }

// Buffers are the running mean, all 0 at the start, and variance, all 1.
func (l BatchNorm) Buffers(in ...tensor.Shape) []ParamSpec {
	c := tensor.Shape{channels(in[0])}
	return []ParamSpec{{Role: "mean", Shape: c}, {Role: "variance", Shape: c, Value: 1}}
}

// UpdateBuffers moves the running statistics towards those of the batch.
func (l BatchNorm) UpdateBuffers(buffers []tensor.Tensor, stats [][]tensor.Float) {
	m := tensor.Float(l.withDefaults().Momentum)
	for k, b := range buffers {
		for i, v := range stats[k] {
			b.Data[i] += tensor.Float(m * (v - b.Data[i]))
		}
	}
}

// Affine is the layer at inference as y = scale·x + shift, for each channel.
func (l BatchNorm) Affine(params, buffers []tensor.Tensor) (scale, shift []tensor.Float) {
	d := l.withDefaults()
	for i, g := range params[0].Data {
		a := d.Scale * float64(g) / math.Sqrt(float64(buffers[1].Data[i])+d.Epsilon)
		scale = append(scale, tensor.Float(a))
		shift = append(shift, tensor.Float(float64(params[1].Data[i])-a*float64(buffers[0].Data[i])))
	}
	return scale, shift
}

// Forward normalises.
func (l BatchNorm) Forward(c *Call) {
	l = l.withDefaults()
	in, out := c.In[0], c.Out
	out.Reset(rowKind(in), in.T, in.B, in.Shape)
	n := channels(in.Shape)
	mean, inv := l.statistics(c)
	if c.Train {
		l.measure(c, mean, inv)
	} else {
		for j := range n {
			mean[j], inv[j] = float64(c.Buffers[0].Data[j]), float64(c.Buffers[1].Data[j])
		}
	}
	for j, variance := range inv {
		inv[j] = 1 / math.Sqrt(variance+l.Epsilon)
	}
	mu, slope := l.lines(c, mean, inv)
	beta := c.Params[1].Data
	c.eachRows(n, func(lo, hi int) { kernel.Normalize(out.Data[lo:hi], in.Data[lo:hi], mu, slope, beta) })
}

// statistics is where each channel's mean and 1/√(σ² + ε) are kept for Backward.
func (l BatchNorm) statistics(c *Call) (mean, inv []float64) {
	n := channels(c.In[0].Shape)
	d := c.Scratch.Doubles(0, 2*n)
	return d[:n], d[n:]
}

// lines are the mean and the slope of each channel's output.
func (l BatchNorm) lines(c *Call, mean, inv []float64) (mu, slope []tensor.Float) {
	n := len(mean)
	t := c.Temp.Floats(0, 2*n)
	mu, slope = t[:n], t[n:]
	for j, gamma := range c.Params[0].Data {
		mu[j], slope[j] = tensor.Float(mean[j]), tensor.Float(l.Scale*float64(gamma)*inv[j])
	}
	return mu, slope
}

// eachRows calls f for the elements [lo, hi) of whole rows of n of the input, on all threads.
func (c *Call) eachRows(n int, f func(lo, hi int)) {
	c.Pool.For(len(c.In[0].Data)/n, max(tileElems/n, 1), func(_, r0, r1 int) { f(r0*n, r1*n) })
}

// measure computes mean and biased variance of the batch, and leaves the
// statistics for the buffers.
func (l BatchNorm) measure(c *Call, mean, variance []float64) {
	x, n := c.In[0].Data, len(mean)
	rows := len(x) / n
	clear(mean)
	clear(variance)
	channelSums(c, mean, 0, rows, func(part []float64, r0, r1 int) { kernel.ValueSums(part, x[r0*n:r1*n]) })
	for j := range mean {
		mean[j] /= float64(rows)
	}
	channelSums(c, variance, 0, rows, func(part []float64, r0, r1 int) { kernel.SquareSums(part, x[r0*n:r1*n], mean) })
	for j, squares := range variance {
		variance[j] = squares / float64(rows)
		c.Stats[0][j] = tensor.Float(mean[j])
		c.Stats[1][j] = tensor.Float(squares / float64(max(rows-1, 1)))
	}
}

// Backward propagates through the statistics where they are the batch's.
func (l BatchNorm) Backward(c *Call) {
	l = l.withDefaults()
	in, dy := c.In[0], c.DOut.Data
	n := channels(in.Shape)
	mean, inv := l.statistics(c)
	total := c.Temp.Doubles(1, 4*n)
	sum := total[2*n:]
	total = total[:2*n] // Σ∂y and Σ∂y·x̂
	clear(total)
	steps, rows := in.Rows()/in.B, len(in.Data)/n
	stepRows := rows / steps
	for t := steps - 1; t >= 0; t-- {
		clear(sum)
		channelSums(c, sum, t*stepRows, (t+1)*stepRows, func(part []float64, r0, r1 int) {
			kernel.ErrorSums(part[:n], part[n:], dy[r0*n:r1*n], in.Data[r0*n:r1*n], mean, inv)
		})
		for j := range n {
			c.DParams[1][j] += tensor.Float(sum[j])
			c.DParams[0][j] += tensor.Float(l.Scale * sum[n+j])
			total[j] += sum[j]
			total[n+j] += sum[n+j]
		}
	}
	if c.DIn[0] == nil {
		return
	}
	mu, slope := l.lines(c, mean, inv)
	through := c.Temp.Floats(1, 2*n) // by way of the mean and the variance
	clear(through)
	if c.Train {
		for j := range n {
			through[j] = tensor.Float(total[j] / float64(rows))
			through[n+j] = tensor.Float(inv[j] * total[n+j] / float64(rows))
		}
	}
	byMean, byVariance := through[:n], through[n:]
	dx := c.DIn[0].Data
	c.eachRows(n, func(lo, hi int) {
		kernel.NormalizeBackward(dx[lo:hi], dy[lo:hi], in.Data[lo:hi], mu, slope, byMean, byVariance)
	})
}

// sumRows is the number of rows of a chunk of channelSums.
const sumRows = 256

// channelSums adds to sum what add adds up for the rows in [r0, r1): in
// float64, over fixed chunks of rows that are then added in order, so that
// threads change nothing.
func channelSums(c *Call, sum []float64, r0, r1 int, add func(part []float64, r0, r1 int)) {
	n := len(sum)
	chunks := (r1 - r0 + sumRows - 1) / sumRows
	parts := c.Temp.Doubles(0, chunks*n)
	c.Pool.For(chunks, 1, func(_, i0, i1 int) {
		for i := i0; i < i1; i++ {
			part := parts[i*n:][:n]
			clear(part)
			add(part, r0+i*sumRows, min(r0+(i+1)*sumRows, r1))
		}
	})
	for i := range chunks {
		for j, v := range parts[i*n:][:n] {
			sum[j] += v
		}
	}
}
