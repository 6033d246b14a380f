package qcfs

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/encode"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/recipe"
	"synfire/sample"
)

// The ordinary networks.
const (
	relu  = "relu"
	four  = "qcfs4"
	eight = "qcfs8"
)

// arm is a way to convert one of them.
type arm struct {
	key, text string
	of        string // network
	scales    convert.Normalize
	fire      convert.Fire
	bias      bool // biases are calibrated
	anew      bool // fitted to each number of steps, with the same of them
	last      int  // of the steps
	// cells are those of the table that this one is held against, by 1, 2, 4, … steps: its mean
	// of three seeds, 0 where it has none.
	cells []cell
}

// cell is an accuracy; loose ones have a deviation between seeds of more than 0.3 points.
type cell struct {
	accuracy float64
	loose    bool
}

func tight(v ...float64) (all []cell) {
	for _, v := range v {
		all = append(all, cell{accuracy: v})
	}
	return all
}

// loosen marks the first cells.
func loosen(n int, all []cell) []cell {
	for i := range n {
		all[i].loose = true
	}
	return all
}

// card is the accuracy of the ordinary networks in that table.
var card = map[string]float64{relu: 97.13, four: 96.72, eight: 96.93}

// The keys of arms that claims name.
const (
	maxZero, maxHalf         = "max-0", "max-half"
	percentZero, percentHalf = "p999-0", "p999-half"
	fitted                   = "mse"
	plain, plainZero         = "qcfs4-if", "qcfs4-0"
	silenced                 = "qcfs4-residual"
)

// pre is the steps before the run of neurons that are silenced.
const pre = 4

// arms are the rows of the table, in its order, and neurons that take spikes back.
func arms() []arm {
	half, zero := convert.Fire{Start: 0.5}, convert.Fire{}
	most, percentile := convert.Normalize{By: convert.Percentile, P: 100}, convert.Normalize{By: convert.Percentile, P: 99.9}
	mse, learned := convert.Normalize{By: convert.Fitted, Start: 0.5}, convert.Normalize{By: convert.Learned}
	code := func(c temporal.Code) convert.Fire { return convert.Fire{Start: 0.5, Code: c} }
	odd := func(cells []cell, at ...int) []cell {
		for _, i := range at {
			cells[i].loose = true
		}
		return cells
	}
	return []arm{
		{key: maxZero, text: "ReLU, max, from 0", of: relu, scales: most, fire: zero, last: 64, cells: odd(tight(9.5, 9.7, 50.3, 95.89, 97.00, 97.12, 97.13), 2)},
		{key: maxHalf, text: "ReLU, max, from ½", of: relu, scales: most, fire: half, last: 64, cells: odd(tight(13.6, 82.8, 96.31, 96.74, 97.06, 97.07, 97.12), 1)},
		{key: percentZero, text: "ReLU, 99.9 %, from 0", of: relu, scales: percentile, fire: zero, last: 64, cells: odd(tight(9.5, 19.0, 90.1, 96.86, 97.11, 97.12, 97.15), 2)},
		{key: percentHalf, text: "ReLU, 99.9 %, from ½", of: relu, scales: percentile, fire: half, last: 64, cells: loosen(1, tight(48.5, 95.09, 96.64, 96.97, 97.08, 97.11, 97.14))},
		{key: "p999-bias", text: "the same, biases calibrated", of: relu, scales: percentile, fire: half, bias: true, anew: true, last: 32, cells: loosen(1, tight(77.7, 95.52, 96.66, 97.02, 97.08, 97.11))},
		{key: fitted, text: "ReLU, fitted to T, from ½", of: relu, scales: mse, fire: half, anew: true, last: 32, cells: tight(95.17, 96.36, 96.83, 97.05, 97.14, 97.11)},
		{key: "mse-bias", text: "the same, biases calibrated", of: relu, scales: mse, fire: half, bias: true, anew: true, last: 32, cells: loosen(1, tight(94.21, 96.23, 96.82, 97.00, 97.13, 97.08))},
		{key: plain, text: "QCFS L = 4, from ½", of: four, scales: learned, fire: half, last: 64, cells: loosen(1, tight(74.4, 95.73, 96.69, 96.82, 96.87, 96.90, 96.88))},
		{key: plainZero, text: "QCFS L = 4, from 0", of: four, scales: learned, fire: zero, last: 64, cells: odd(tight(9.7, 49, 95.28, 96.78, 96.90, 96.92, 96.93), 1)},
		{key: "qcfs4-bias", text: "QCFS L = 4, biases calibrated", of: four, scales: learned, fire: half, bias: true, anew: true, last: 32, cells: loosen(1, tight(84.9, 95.89, 96.68, 96.83, 96.88, 96.90))},
		{key: silenced, text: "QCFS L = 4, residual (4 steps more)", of: four, scales: learned, fire: convert.Fire{Start: 0.5, Residual: pre}, last: 64, cells: loosen(1, tight(76.6, 96.21, 96.66, 96.80, 96.88, 96.90, 96.90))},
		{key: "qcfs8-if", text: "QCFS L = 8, from ½", of: eight, scales: learned, fire: half, last: 64, cells: tight(69.5, 95.63, 96.80, 96.97, 96.96, 97.01, 97.01)},
		{key: "qcfs4-snm", text: "QCFS L = 4, SNM", of: four, scales: learned, fire: code(temporal.SNM), last: 64},
		{key: "qcfs4-sd", text: "QCFS L = 4, sigma-delta", of: four, scales: learned, fire: code(temporal.SigmaDelta), last: 64},
		{key: "qcfs4-graded", text: "QCFS L = 4, graded", of: four, scales: learned, fire: code(temporal.Graded), last: 64},
	}
}

// samples are training samples as a network takes them over some steps.
func samples(ctx context.Context, t *recipe.Trained, count, steps int) network.Calibration {
	return convert.Samples{
		Source: t.Sets.Train, Normalize: t.Sets.Normalization, Encoder: encode.Constant{}, Steps: steps, Count: count, Batch: max(1, 100/steps), Seed: t.Config.Seed,
	}.Calibration(ctx)
}

// turned is a network made spiking.
type turned struct {
	convert.Conversion
}

// turn converts a trained network, for so many steps where it is fitted to them.
func (a arm) turn(ctx context.Context, t *recipe.Trained, count, steps int) (turned, error) {
	c := turned{convert.Conversion{Method: a.key, Fire: a.fire, Scales: convert.Scales{}}}
	fail := func(err error) (turned, error) { return c, fmt.Errorf("%s, seed %d: %w", a.key, t.Config.Seed, err) }
	analog := samples(ctx, t, count, 1)
	scales := a.scales
	scales.Scales = c.Scales
	if scales.By == convert.Fitted {
		scales.Steps = steps
	}
	var err error
	if c.Ordinary, c.Report, err = convert.Apply(ctx, t.Network().Graph(), analog, convert.Check{Aligned: true}, convert.Fold{}); err != nil {
		return fail(err)
	}
	g, r, err := convert.Apply(ctx, c.Ordinary, analog, scales)
	if err != nil {
		return fail(err)
	}
	c.Report = append(c.Report, r...)
	if a.bias {
		if g, r, err = convert.Apply(ctx, g, samples(ctx, t, count, steps), convert.Calibrate{Fire: a.fire, Analog: analog}); err != nil {
			return fail(err)
		}
		c.Report = append(c.Report, r...)
	}
	if c.Graph, r, err = convert.Apply(ctx, g, nil, a.fire); err != nil {
		return fail(err)
	}
	c.Report = append(c.Report, r...)
	return c, nil
}

// point is an accuracy in percent and the spikes an image that it takes.
type point struct{ accuracy, spikes float64 }

// curve is an arm's points by T, the steps that scores are of.
func (s *study) curve(ctx context.Context, a arm, t *recipe.Trained, test sample.Source, count int, steps []int) (map[int]point, error) {
	found := map[int]point{}
	run := func(c turned, steps ...int) error {
		all := make([]int, len(steps))
		for i, n := range steps {
			all[i] = n + a.fire.Residual
		}
		list, err := convert.Curve(ctx, c.Graph, convert.CurveOptions{
			Source: test, Normalize: t.Sets.Normalization, Encoder: encode.Constant{}, Steps: all, Batch: 100, Seed: t.Config.Seed, Pool: s.Env.Pool,
		})
		for i, p := range list {
			found[steps[i]] = point{p.Accuracy, p.Spikes}
		}
		return err
	}
	var list []int
	for _, n := range steps {
		if n <= a.last {
			list = append(list, n)
		}
	}
	if !a.anew {
		c, err := a.turn(ctx, t, count, list[len(list)-1])
		if err == nil {
			err = run(c, list...)
		}
		return found, err
	}
	for _, n := range list {
		c, err := a.turn(ctx, t, count, n)
		if err == nil {
			err = run(c, n)
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
