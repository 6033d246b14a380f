package snntest_test

import (
	"strings"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// Neurons with one mistake each.
type (
	// shifted ignores the stride of its membranes.
	shifted struct{ neuron.LIF }
	// amnesic drops the error of the window after.
	amnesic struct{ neuron.LIF }
	// littering sets bits beyond its units.
	littering struct{ neuron.LIF }
	// deaf computes spikes anew where they are given.
	deaf struct{ neuron.LIF }
	// needy changes its spikes where membranes are asked for.
	needy struct{ neuron.LIF }
	// greedy overwrites the sum of its errors.
	greedy struct{ neuron.LIF }
)

func (n shifted) Forward(w neuron.Window) {
	if w.Membrane.Data != nil {
		w.Membrane.Stride = w.Units
	}
	n.LIF.Forward(w)
}

func (n amnesic) Backward(e neuron.Errors) {
	clear(e.State)
	n.LIF.Backward(e)
}

func (n littering) Forward(w neuron.Window) {
	n.LIF.Forward(w)
	row := w.Spikes.Row(0, 0, w.Units)
	row[len(row)-1] |= 1 << 63
}

func (n deaf) Replay(w neuron.Window) {
	n.Threshold = 0.1
	n.LIF.Forward(w)
}

func (n needy) Forward(w neuron.Window) {
	if w.Membrane.Data == nil {
		n.Threshold *= 1.1
	}
	n.LIF.Forward(w)
}

func (n greedy) Backward(e neuron.Errors) {
	if e.Input.Stride == 0 {
		e.Steps = 1
	}
	n.LIF.Backward(e)
}

// A check that cannot fail proves nothing.
func TestNeuronCheckFails(t *testing.T) {
	lif := neuron.LIF{Beta: 0.9, Threshold: 0.8}
	for _, c := range []struct {
		n    neuron.Neuron
		want string
	}{
		{lif, ""},
		{shifted{lif}, "strides with gaps: membrane"},
		{amnesic{lif}, "cut of time: error at the input"},
		{littering{lif}, "bits beyond the last unit"},
		{deaf{lif}, "replay: other spikes"},
		{needy{lif}, "without membranes: other spikes"},
		{greedy{lif}, "summed over time"},
		{neuron.LIF{Beta: 0.9, Threshold: 100}, "no unit fires"},
		{neuron.LIF{Beta: 2, Threshold: 1}, "beta is 2"},
	} {
		r := record(t, func(tb testing.TB) { snntest.Neuron(tb, c.n) })
		if all := strings.Join(r.reports, "\n"); (all == "") != (c.want == "") || !strings.Contains(all, c.want) {
			t.Errorf("%T: reports\n%s\nwant %q", c.n, all, c.want)
		}
	}
}

// quadratic is the quadratic integrate-and-fire neuron with a trace of its input,
//
//	w[t] = ρ·w[t−1] + x[t],   u[t] = v[t−1] + a·v[t−1]² + w[t],   v[t] = u[t] − θ·s[t]
//
// whose Backward needs v[t−1]: it keeps v, and reads the state before the window.
// It keeps w too, though nothing asks for it, so that there are two values.
type quadratic struct{ a, rho, theta tensor.Float }

func (quadratic) Validate() error  { return nil }
func (quadratic) States() int      { return 2 }
func (quadratic) Keeps() int       { return 2 }
func (quadratic) KeepsStart() bool { return true }
func (n quadratic) Argument(u tensor.Float) (z, slope tensor.Float) {
	return u - n.theta, 1
}
func (n quadratic) Forward(w neuron.Window) { n.run(false, w) }
func (n quadratic) Replay(w neuron.Window)  { n.run(true, w) }

func (n quadratic) run(given bool, w neuron.Window) {
	v, trace := w.State[:w.Units], w.State[w.Units:]
	for t := range w.Steps {
		x, row := w.Input.Row(t, 0, w.Units), w.Spikes.Row(t, 0, w.Units)
		if !given {
			clear(row)
		}
		for i := range w.Units {
			trace[i] = n.rho*trace[i] + x[i]
			u := v[i] + n.a*v[i]*v[i] + trace[i]
			if !given && u >= n.theta {
				row[i/64] |= 1 << (i % 64)
			}
			v[i] = u
			if row[i/64]>>(i%64)&1 == 1 {
				v[i] -= n.theta
			}
			if w.Membrane.Data != nil {
				w.Membrane.Row(t, 0, w.Units)[i] = u
				kept := w.Kept.Row(t, 0, 2*w.Units)
				kept[i], kept[w.Units+i] = v[i], trace[i]
			}
		}
	}
}

func (n quadratic) Backward(e neuron.Errors) {
	gv, gw := e.State[:e.Units], e.State[e.Units:]
	for t := e.Steps - 1; t >= 0; t-- {
		before := e.Start
		if t > 0 {
			before = e.Kept.Row(t-1, 0, 2*e.Units)
		}
		u, gs, gx := e.Membrane.Row(t, 0, e.Units), e.Spikes.Row(t, 0, e.Units), e.Input.Row(t, 0, e.Units)
		for i := range u {
			du := gs[i]*e.Surrogate.Derivative(u[i]-n.theta) + gv[i]
			gv[i] = du * (1 + 2*n.a*before[i])
			dw := du + gw[i]
			gw[i] = n.rho * dw
			if e.Input.Stride == 0 {
				dw += gx[i]
			}
			gx[i] = dw
		}
	}
}

// A neuron that keeps two values a step and asks for the state before the window
// gets them, in spiking and recurrent layers, whatever the cut of time.
func TestKeeper(t *testing.T) {
	n := quadratic{a: 0.2, rho: 0.5, theta: 0.7}
	snntest.Neuron(t, n)
	s := surrogate.FastSigmoid{Slope: 3}
	spiking, recurrent := layer.Spiking{Neuron: n, Surrogate: s}, layer.Recurrent{Neuron: n, Surrogate: s}
	net, err := network.Sequential(tensor.Shape{6}, 1, layer.Linear{Out: 70}, spiking, layer.Linear{Out: 9}, recurrent, layer.Linear{Out: 4}, spiking)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []signal.Kind{signal.Constant, signal.Dense} {
		in := snntest.Random(kind, 5, 3, net.InputShape(), 0, 1)
		snntest.Paths(t, net, in)
		snntest.Splits(t, net, in)
		snntest.Threads(t, net, in)
		t.Run("gradient", func(t *testing.T) { snntest.Gradient(t, net, in, 20) })
	}
}
