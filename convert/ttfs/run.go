package ttfs

import (
	"fmt"
	"math"

	"synfire/signal"
	"synfire/tensor"
)

// Activity is what a batch did.
type Activity struct {
	Scores  *signal.Signal // [B, …], valid until the next run
	Spikes  []int          // of the input, then of each layer
	Clipped []int          // spikes of each layer that came before its window
	Times   [][]float64    // of spikes, of the input and of each layer, [B, units]
}

// Total is the spikes of the layers, without those of the input.
func (a Activity) Total() (all int) {
	for _, n := range a.Spikes[1:] {
		all += n
	}
	return all
}

// Steps is how many steps of dt the windows of the input and of all layers take, after which the
// scores are read.
func (n *Network) Steps(dt float64) int {
	all := grid(1, dt)
	for _, l := range n.Layers {
		all += grid(l.Window, dt)
	}
	return all
}

// StepFor is the smallest dt of at most so many steps in all, by halving: an error where each
// window has less than one.
func (n *Network) StepFor(steps int) (dt float64, err error) {
	if least := len(n.Layers) + 1; steps < least {
		return 0, fmt.Errorf("%d steps for %d windows, of the input and of each layer, want %d at least", steps, least, least)
	}
	lo, hi := 0.0, 1.0
	for _, l := range n.Layers {
		hi = max(hi, l.Window)
	}
	for range 60 {
		if mid := (lo + hi) / 2; n.Steps(mid) <= steps {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, nil
}

// grid is the steps of a window: what is over a whole number by rounding is none.
func grid(window, dt float64) int { return int(math.Ceil(window/dt - 1e-9)) }

// Run lets a batch of values in [0, 1] through; with dt 0 time is no grid. With times those of
// all spikes are kept, +Inf where there is none.
func (n *Network) Run(in *signal.Signal, dt float64, times bool) (Activity, error) {
	if !(dt >= 0) || math.IsInf(dt, 0) {
		return Activity{}, fmt.Errorf("ttfs: dt is %v, want a positive step, or 0 for none", dt)
	}
	if in.Kind != signal.Constant {
		return Activity{}, fmt.Errorf("ttfs: a %v signal, want the values themselves, constant", in.Kind)
	}
	for i, x := range in.Data {
		if !(x >= 0 && x <= 1) {
			return Activity{}, fmt.Errorf("ttfs: value %d of the input is %v, and spikes tell values in [0, 1]; leave them so in training (normalize: false)", i, x)
		}
	}
	var out Activity
	window, v := clockwork{window: 1}, in
	for k := 0; ; k++ {
		window.dt = dt
		if dt > 0 {
			window.steps = grid(window.window, dt)
			window.window = float64(window.steps) * dt
		}
		a, t, spikes, over := window.fire(v, times)
		out.Spikes = append(out.Spikes, spikes)
		if k > 0 {
			out.Clipped = append(out.Clipped, over)
		}
		if times {
			out.Times = append(out.Times, t)
		}
		var err error
		if v, err = n.stages[k].receive(a); err != nil {
			return Activity{}, fmt.Errorf("ttfs: %w", err)
		}
		if i, ok := tensor.Finite(v.Data); !ok {
			return Activity{}, fmt.Errorf("ttfs: a membrane is %v; are the weights finite?", v.Data[i])
		}
		if k == len(n.Layers) {
			out.Scores = v
			return out, nil
		}
		l := n.Layers[k]
		window = clockwork{start: window.start + window.window, window: l.Window}
		if l.bounded {
			window.most = l.Window
		}
	}
}

// clockwork is a layer's window of time, on a grid where dt is not 0.
type clockwork struct {
	start, window, dt float64
	steps             int
	most              float64 // the units' maximum, which a grid's window may exceed; 0: none
}

// fire is when units fire whose membranes stand at V + b, seen from the threshold X, and the
// activations that their spikes tell: for the time of a spike is all that goes on. It is told from the
// window's own start: since that of the first one digits would be lost behind long windows.
func (c clockwork) fire(v *signal.Signal, times bool) (a *signal.Signal, t []float64, spikes, clipped int) {
	a = &signal.Signal{Kind: signal.Constant, T: 1, B: v.B, Shape: v.Shape, Data: make([]tensor.Float, len(v.Data))}
	if times {
		t = make([]float64, len(v.Data))
	}
	last := tensor.Float(c.window)
	for i, u := range v.Data {
		at := tensor.Float(c.wait(float64(u)))
		if at < 0 {
			at = 0
			clipped++
		}
		if !(at < last) {
			at = tensor.Float(math.Inf(1))
		} else {
			a.Data[i] = last - at
			spikes++
		}
		if times {
			t[i] = c.start + float64(at)
		}
	}
	return a, t, spikes, clipped
}

// wait is how long after its window's start a unit reaches the threshold from V + b; units with a
// maximum wait for it.
func (c clockwork) wait(u float64) float64 {
	if c.most > 0 {
		u = min(u, c.most)
	}
	if c.dt == 0 {
		return c.window - u
	}
	k := math.Ceil((c.window-u)/c.dt - 1e-6)
	if k >= float64(c.steps) {
		return math.Inf(1)
	}
	return k * c.dt
}
