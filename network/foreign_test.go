package network_test

import (
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// bend is a layer as another module would write it, against what package layer
// exports alone. Each unit integrates its input, and its output is bent, with a gain g
// that is learnt:
//
//	a[t] = β·a[t−1] + x[t],   f(a) = a² where a > 0, else −a²/2,   y[t] = g·f(a[t])
//	∂a[t] = g·f'(a[t])·∂y[t] + β·∂a[t+1],   ∂x[t] = ∂a[t],   ∂g = Σ_t Σ f(a[t])·∂y[t]
//
// It keeps a and the side of zero on which it is in scratch.
type bend struct{ beta float64 }

func (bend) Output(in ...tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (bend) StateSize(in ...tensor.Shape) int                { return in[0].Size() }
func (bend) ForgetsInput() bool                              { return true }
func (bend) Params(...tensor.Shape) []layer.ParamSpec {
	return []layer.ParamSpec{{Role: "gain", Shape: tensor.Shape{1}, Value: 0.7}}
}
func (bend) Compile(any, *layer.Pool, []tensor.Tensor, bool, ...tensor.Shape) any { return nil }

// bending is what the loops of a call get.
type bending struct {
	c    *layer.Call
	a    []tensor.Float // [T, B, N], nil where nothing is kept
	side []uint8
	sums []float64 // of each step and sample
	beta tensor.Float
}

// kept is what Forward leaves to Backward.
func (l bend) kept(c *layer.Call, rows, n int) bending {
	return bending{c: c, beta: tensor.Float(l.beta), a: c.Scratch.Floats(0, rows*n), side: c.Scratch.Bytes(0, rows*n)}
}

func (l bend) Forward(c *layer.Call) {
	in := c.In[0]
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	b := bending{c: c, beta: tensor.Float(l.beta)}
	if c.Keep {
		b = l.kept(c, in.Rows(), in.Units())
	}
	layer.Each(c, in.B, 1, b, func(b *bending, worker, lo, hi int) {
		in, n, gain := b.c.In[0], b.c.In[0].Units(), b.c.Params[0].Data[0]
		bent := b.c.Workers[worker].Floats(0, n)
		for s := lo; s < hi; s++ {
			state := b.c.State[s*n:][:n]
			for t := range in.T {
				at := (t*in.B + s) * n
				for i := range state {
					state[i] = tensor.Float(b.beta*state[i]) + in.Data[at+i]
					bent[i] = state[i] * state[i]
					if state[i] <= 0 {
						bent[i] *= -0.5
					}
					if b.a != nil {
						b.a[at+i], b.side[at+i] = state[i], 0
						if state[i] > 0 {
							b.side[at+i] = 1
						}
					}
				}
				for i, f := range bent {
					b.c.Out.Data[at+i] = gain * f
				}
			}
		}
	})
}

func (l bend) Backward(c *layer.Call) {
	dout := c.DOut
	b := l.kept(c, dout.Rows(), dout.Units())
	b.sums = c.Temp.Doubles(0, dout.Rows())
	layer.Each(c, dout.B, 1, b, func(b *bending, _, lo, hi int) {
		dout, din, n, gain := b.c.DOut, b.c.DIn[0], b.c.DOut.Units(), b.c.Params[0].Data[0]
		for s := lo; s < hi; s++ {
			carry := b.c.DState[s*n:][:n]
			for t := dout.T - 1; t >= 0; t-- {
				row, at := t*dout.B+s, (t*dout.B+s)*n
				b.sums[row] = 0
				for i, g := range dout.Data[at:][:n] {
					a, slope := b.a[at+i], 2*b.a[at+i]
					f := a * a
					if b.side[at+i] == 0 {
						f, slope = -f/2, -slope/2
					}
					b.sums[row] += float64(f) * float64(g)
					da := tensor.Float(gain*slope*g) + carry[i]
					carry[i] = b.beta * da
					if din != nil {
						din.Data[at+i] = da
					}
				}
			}
		}
	})
	for t := dout.T - 1; t >= 0; t-- {
		var sum float64
		for _, v := range b.sums[t*dout.B:][:dout.B] {
			sum += v
		}
		c.DParams[0][0] += tensor.Float(sum)
	}
}

// A layer of another module can keep what its backward pass needs, chunk by chunk,
// in windows and on threads.
func TestForeignLayer(t *testing.T) {
	net, err := network.New(tensor.Shape{9}, 3,
		node("a", layer.Linear{Out: 70}), node("b", bend{0.7}), node("c", lif(0.9, neuron.Subtract, fast)),
		node("d", layer.Linear{Out: 6}), node("e", bend{0.5}), node("f", layer.Linear{Out: 3}), node("g", bend{0.3}))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		in := snntest.Random(kind, 6, 3, net.InputShape(), 0.3, 11)
		t.Run(kind.String(), func(t *testing.T) {
			snntest.Paths(t, net, in)
			snntest.Splits(t, net, in)
			snntest.Threads(t, net, in)
			t.Run("gradient", func(t *testing.T) { snntest.Gradient(t, net, in, 12) })
		})
	}
}

// Its loops and scratch allocate nothing once they are warm.
func TestForeignLayerAllocatesNothing(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{9}, 3, layer.Linear{Out: 70}, bend{0.7}, layer.Linear{Out: 6}, bend{0.5})
	if err != nil {
		t.Fatal(err)
	}
	pass, st := net.Compile(nil, true).NewPass(network.Options{Chunk: 2}), net.NewState(3)
	adj, grads := net.NewAdjoint(3), net.NewGrads()
	in := snntest.Random(signal.Dense, 6, 3, net.InputShape(), 0, 1)
	var douts []*signal.Signal
	batch := func() {
		st.Reset(net, 3)
		adj.Reset(net, 3)
		outs, err := pass.Forward(st, in, true)
		if err != nil {
			t.Fatal(err)
		}
		if douts == nil {
			douts = snntest.Projections(outs, 0)
		}
		if err := pass.Backward(adj, douts, grads); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		batch()
	}
	if n := testing.AllocsPerRun(20, batch); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
