package bench

import (
	"context"
	"fmt"

	"synfire/rule/stdp"
	"synfire/rule/stdp/balanced"
)

// How long the network of W11 runs before the time is taken, and in a repeat at least, in ms.
const w11Warm, w11Run = 200, 100

// w11 are Brunel's network where it fires irregularly, neurons against each other and hardly.
func w11(s Selection) (cases []Case) {
	excitatory := pick(s.Small, balanced.Excitatory, 400)
	for _, r := range balanced.Regimes() {
		if r.Name != "AI" && r.Name != "SI-slow" {
			continue
		}
		cases = append(cases, Case{
			Workload: "W11", Phase: Simulate, Shape: fmt.Sprintf("%d-%d@%s", excitatory, excitatory/4, r.Name), Threads: 1,
			run: func(one Case, o Options) ([]Row, error) { return simulate(one, o, r, excitatory) },
		})
	}
	return cases
}

// simulate times a network in milliseconds of its own a second, spikes recorded. Each repeat goes
// on where the last one ended.
func simulate(one Case, o Options, regime balanced.Regime, excitatory int) ([]Row, error) {
	r := one.row()
	r.Unit, r.Steps, r.Batch = "ms/s", 10*w11Run, 1
	n, err := balanced.New(regime, excitatory, seed)
	if err != nil {
		return nil, err
	}
	monitors := []*stdp.Monitor{n.Monitor(n.Excitatory), n.Monitor(n.Inhibitory)}
	run := func(ms float64) (rates []float64, err error) {
		for _, m := range monitors {
			m.Clear()
		}
		err = n.Run(context.Background(), ms)
		for _, m := range monitors {
			rates = append(rates, float64(len(m.Units))/float64(len(m.Count))/(10*ms))
		}
		return rates, err
	}
	if r.FiringRate, err = run(w11Warm); err != nil {
		return nil, err
	}
	err = r.rate(o, w11Run, nil, func() error {
		r.RateEnd, err = run(w11Run)
		return err
	})
	r.Layers, r.Calibration = []string{n.Excitatory.Name(), n.Inhibitory.Name()}, []float64{1, 1}
	return []Row{r}, err
}
