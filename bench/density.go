package bench

import (
	"fmt"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// densities are the cases of the first layer of W3 alone.
func densities(s Selection) []Case {
	percents := []int{1, 2, 5, 10, 15, 20, 25, 30, 40, 50}
	if s.Small {
		percents = []int{5, 50}
	}
	var cases []Case
	for _, p := range percents {
		w := w3(s.Small, float64(p)/100)
		first := w.layers[0].(layer.Linear)
		w.name, w.layers, w.rate = "density", w.layers[:1], 0
		w.shape = fmt.Sprintf("%d-%d@%.2f", w.input[0], first.Out, w.density)
		for _, phase := range []string{Forward, Weights} {
			cases = append(cases, Case{Workload: w.name, Phase: phase, Shape: w.shape, Threads: s.Threads, work: w, run: bothPaths})
		}
	}
	return cases
}

// bothPaths times one phase of a layer with its spikes added by event and
// multiplied densely, in milliseconds a batch.
func bothPaths(c Case, o Options) ([]Row, error) {
	var rows []Row
	for _, path := range []layer.Path{layer.Events, layer.Dense} {
		r, err := onePath(c, o, path)
		rows = append(rows, r)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func onePath(c Case, o Options, path layer.Path) (Row, error) {
	r := c.row()
	r.Unit, r.Path = "ms", map[layer.Path]string{layer.Events: "events", layer.Dense: "dense"}[path]
	net, err := c.work.network(nil)
	if err != nil {
		return r, err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	pass := net.Compile(pool, true).NewPass(network.Options{Pool: pool, Path: path})
	in, state := c.work.signal(c.work.batch), net.NewState(c.work.batch)
	forward := func() error {
		state.Reset(net, in.B)
		_, err := pass.Forward(state, in, c.Phase == Weights)
		return err
	}
	run := forward
	if c.Phase == Weights {
		if err := forward(); err != nil {
			return r, err
		}
		errors, adjoint, grads := []*signal.Signal{errorsLike(in, net.OutputShape())}, net.NewAdjoint(in.B), net.NewGrads()
		run = func() error {
			adjoint.Reset(net, in.B)
			return pass.Backward(adjoint, errors, grads)
		}
	}
	var times []float64
	err = r.each(o, nil, run, func(n int, seconds float64) { times = append(times, 1e3*seconds/float64(n)) })
	r.statistics(times)
	return r, err
}

// errorsLike is a random error at the output of a layer that was fed in.
func errorsLike(in *signal.Signal, shape tensor.Shape) *signal.Signal {
	d := &signal.Signal{Kind: signal.Dense, T: in.T, B: in.B, Shape: shape}
	d.Data = noise(rng.New(seed, "bench").Str("errors").Source(), in.Rows()*shape.Size())
	return d
}
