// Package codes sends real signals through neural codes and back: how much of a value is left
// after so many steps of spikes, and of a series after a code of its changes.
package codes

import (
	"context"
	"fmt"
	"math"
	"strings"

	"synfire/data/mnist"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/sample"
)

// Recipe is the study.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "codes", Paper: "survey-2018", Title: "Neural codes: what is left of a value after spikes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.05, report.Short: 0.5, report.Full: 8},
		Claims:  claims(), Run: reproduce,
	}
}

// claims are about codes of single values, inked pixels of MNIST's test images.
func claims() []report.Claim {
	one := report.Seeds{Short: 1, Full: 1}
	n := report.Samples{Short: 500, Full: 10_000}
	const source = "no paper: the codes' definitions"
	return []report.Claim{
		recipe.Bounded("phase-exact", "largest error of the phase code in 8 steps, in units of 2⁻⁸", "", source, report.AtMost, 1, one, n),
		recipe.Bounded("burst-exact", "largest error of the burst code in 8 steps, in units of its first spike", "", source, report.AtMost, 1, one, n),
		recipe.Bounded("rate-slower", "rms error of the rate code in 256 steps over that of the phase code in 8", "", source, report.AtLeast, 1, one, n),
		recipe.Bounded("rate-theory", "largest difference of the rate code's rms error from √(mean x(1 − x)/T), in parts of that", "", source, report.AtMost, 0.05, one, n),
	}
}

// images are so many test images of a scale.
func images(ctx context.Context, e *recipe.Env) (train, test sample.Source, err error) {
	n, ok := map[report.Scale]int{report.Smoke: 50, report.Short: 500, report.Full: 10_000}[e.Scale]
	if !ok {
		return nil, nil, recipe.NoScale("codes", e.Scale)
	}
	var trainSet, testSet sample.Source
	if e.Scale == report.Smoke {
		trainSet, testSet = mnist.Sample()
	} else if trainSet, testSet, err = mnist.Load(ctx, e.Data); err != nil {
		return nil, nil, err
	}
	if train, err = sample.First(trainSet, min(n, 1000)); err == nil {
		test, err = sample.First(testSet, n)
	}
	return train, test, err
}

// lengths are the steps that values are given.
var lengths = []int{1, 2, 4, 8, 16, 32, 64, 128, 256}

// thresholds are those of the codes of series.
var thresholds = []float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.5}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	train, test, err := images(ctx, e)
	if err != nil {
		return nil, err
	}
	s := recipe.NewStudy(e, train, test)
	values, err := stills(ctx, train, test, e.Seed)
	if err != nil {
		return nil, err
	}
	series, err := changes(ctx, test)
	if err != nil {
		return nil, err
	}
	s.Add("phase-exact", values["phase"][3].worst*256, test.Len())
	s.Add("burst-exact", values["burst"][3].worst/0.125, test.Len())
	s.Add("rate-slower", values["rate"][8].rms/values["phase"][3].rms, test.Len())
	furthest := 0.0
	for i, t := range lengths {
		want := math.Sqrt(values["rate"][i].variance / float64(t))
		furthest = max(furthest, math.Abs(values["rate"][i].rms-want)/want)
	}
	s.Add("rate-theory", furthest, test.Len())
	for _, name := range still {
		for i, t := range lengths {
			s.Metrics[fmt.Sprintf("%s_t%d_rms", strings.ReplaceAll(name, " ", "-"), t)] = values[name][i].rms
		}
	}
	for _, name := range changing {
		for i, th := range thresholds {
			s.Metrics[fmt.Sprintf("%s_%g_rms", name, th)], s.Metrics[fmt.Sprintf("%s_%g_spikes", name, th)] = series[name][i].rms, series[name][i].spikes
		}
	}
	sections, err := sections(values, series)
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "Neural codes",
			Lead: fmt.Sprintf("In 8 steps a pixel comes back from the phase code with an rms error of %.4f, from bursts with %.3f, from latencies with %.3f, and from rates with %.3f; in 256 steps from rates with %.3f.",
				values["phase"][3].rms, values["burst"][3].rms, values["latency"][3].rms, values["rate"][3].rms, values["rate"][8].rms),
			Sections: sections,
		}
	})
}

// sections draws what was measured.
func sections(values, series map[string][]loss) ([]report.Section, error) {
	var steps, errs []figure.Series
	x := make([]float64, len(lengths))
	for i, t := range lengths {
		x[i] = float64(t)
	}
	for _, name := range still {
		l := figure.Series{Name: name, X: x}
		for _, v := range values[name] {
			l.Y = append(l.Y, v.rms)
		}
		steps = append(steps, l)
	}
	var spikes []figure.Series
	for _, name := range changing {
		l, m := figure.Series{Name: name, X: thresholds}, figure.Series{Name: name, X: thresholds}
		for _, v := range series[name] {
			l.Y, m.Y = append(l.Y, v.rms), append(m.Y, v.spikes)
		}
		errs, spikes = append(errs, l), append(spikes, m)
	}
	first, err := figure.Curves("Values and back", "steps", figure.Panel{Name: "rms error of inked pixels", Series: steps, LogX: true, LogY: true})
	if err != nil {
		return nil, err
	}
	second, err := figure.Curves("Series and back", "threshold", figure.Panel{Name: "rms error", Series: errs}, figure.Panel{Name: "spikes a value", Series: spikes})
	if err != nil {
		return nil, err
	}
	return []report.Section{
		{Title: "Values", Figures: []report.Figure{{SVG: first.SVG(), Alt: "RMS error of pixels over steps by code", Caption: "Pixels that are not 0, encoded in so many steps and decoded. Rank order comes back as the mean of a rank's values over training images; a population is of eight units a pixel."}}},
		{Title: "Series", Figures: []report.Figure{{SVG: second.SVG(), Alt: "RMS error and spikes of codes of changes over their threshold", Caption: "Lines of the images, a pixel a step, decoded by adding up the spikes. Delta compares with the value before, step-forward with what has been sent."}}},
	}, nil
}
