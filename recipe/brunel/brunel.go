// Package brunel simulates the balanced random network of 12,500 leaky neurons (Brunel, J. Comput.
// Neurosci. 8:183, 2000): by the strength g of its inhibition and the rate η of what comes from
// elsewhere it fires in step or irregularly, in four regimes. Rates and variability are held
// against Brian2's of the same network.
package brunel

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
	"synfire/rule/stdp/balanced"
	"synfire/spike"
	"synfire/spike/statistics"
)

// span is how many ms go by before anything is measured, and how many are.
type span struct{ warm, ms int }

// measured is what is measured of a regime.
type measured struct {
	Rate       float64   `json:"rate"`      // Hz
	CV         float64   `json:"cv"`        // of intervals, mean over neurons of four spikes or more
	Synchrony  float64   `json:"synchrony"` // variance over mean of all neurons' spikes in 1 ms
	Wall       float64   `json:"wall_seconds"`
	population []float64 // spikes of all neurons in each ms
}

// brian are Brian2's figures, of testdata/brian.py: a seed after the other, by regime.
//
//go:embed testdata/brian.json
var brian []byte

// reference is the mean of Brian2's seeds.
func reference() (map[string]measured, error) {
	var seeds []map[string]measured
	if err := json.Unmarshal(brian, &seeds); err != nil {
		return nil, fmt.Errorf("brunel: figures of Brian2: %w", err)
	}
	out := map[string]measured{}
	for _, s := range seeds {
		for name, m := range s {
			n, sum := float64(len(seeds)), out[name]
			out[name] = measured{Rate: sum.Rate + m.Rate/n, CV: sum.CV + m.CV/n, Synchrony: sum.Synchrony + m.Synchrony/n, Wall: sum.Wall + m.Wall/n}
		}
	}
	return out, nil
}

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "brunel", Paper: "survey-2018", Title: "A balanced random network of 12,500 neurons in its four regimes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 3, report.Full: 10},
		Claims:  claims(), Run: reproduce,
	}
}

func claims() []report.Claim {
	c := recipe.Bounded("regimes", "largest deviation from Brian2 in any of four regimes, in units of 10 % of its rate and of 0.05 of its CV", "",
		"Brian2 2.5.1, testdata/brian.py: 312.4, 59.0, 37.3 and 5.30 Hz, CV 0.001, 0.857, 0.398 and 0.526", report.AtMost, 1, report.Seeds{Short: 3, Full: 10}, report.Samples{})
	c.Statistic = report.Max
	c.Note = "Of all neurons over 1 s after 0.2 s. Brian2 ran one seed. When a spike arrives and what a step adds were set anew after a first look at the differences from Brian2. A spike acts on firing 16 steps after it, in both."
	return []report.Claim{c}
}

// simulate runs the network in a regime and measures it.
func simulate(ctx context.Context, r balanced.Regime, seed uint64, of span, now func() time.Time) (measured, error) {
	n, err := balanced.New(r, balanced.Excitatory, seed)
	if err != nil {
		return measured{}, err
	}
	if err := n.Run(ctx, float64(of.warm)); err != nil {
		return measured{}, err
	}
	monitors := []*stdp.Monitor{n.Monitor(n.Excitatory), n.Monitor(n.Inhibitory)}
	start := now()
	if err := n.Run(ctx, float64(of.ms)); err != nil {
		return measured{}, err
	}
	wall := now().Sub(start).Seconds()
	m, err := measure(monitors, []int{balanced.Excitatory, balanced.Excitatory / 4}, of)
	m.Wall = wall
	return m, err
}

// measure measures the spikes that were recorded after the network had settled.
func measure(monitors []*stdp.Monitor, sizes []int, of span) (measured, error) {
	ms := of.ms
	m := measured{population: make([]float64, ms)}
	spikes, neurons, irregular := 0, 0, 0
	for k, monitor := range monitors {
		trains := make([][]float64, sizes[k])
		for s, j := range monitor.Units {
			t := monitor.Times[s] - float64(of.warm)
			trains[j] = append(trains[j], t)
			m.population[min(int(t+1e-6), ms-1)]++
		}
		for _, times := range trains {
			spikes, neurons = spikes+len(times), neurons+1
			if len(times) < 4 {
				continue
			}
			cv, err := statistics.CV([]spike.Train{{Stop: float64(ms), Times: times}})
			if err != nil {
				return m, err
			}
			m.CV, irregular = m.CV+cv, irregular+1
		}
	}
	m.Rate, m.CV = float64(spikes)/float64(neurons)/float64(ms)*1000, m.CV/math.Max(float64(irregular), 1)
	mean, squares := 0.0, 0.0
	for _, v := range m.population {
		mean, squares = mean+v/float64(ms), squares+v*v/float64(ms)
	}
	if mean > 0 {
		m.Synchrony = (squares - mean*mean) / mean
	}
	return m, nil
}
