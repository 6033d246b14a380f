package stdpcnn

import (
	"context"
	"fmt"

	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/stdpconv"
)

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := scales[e.Scale]
	if !ok {
		return nil, recipe.NoScale("stdp-cnn", e.Scale)
	}
	train, test, err := open(ctx, e, z)
	if err != nil {
		return nil, err
	}
	s := recipe.NewStudy(e, nil, nil)
	n, err := learned(ctx, train, z, e.Seed)
	if err != nil {
		return nil, err
	}
	s.Metrics["open_first"], s.Metrics["open_second"] = n.Net[0].Unsettled(), n.Net[1].Unsettled()
	best, err := readouts(ctx, s, n, train, test, z)
	if err != nil {
		return nil, err
	}
	if err := rewarded(ctx, s, n, train, test, z); err != nil {
		return nil, err
	}
	section, err := pictures(n)
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title:    "Convolutional features by the order of spikes",
			Lead:     fmt.Sprintf("A linear readout of features that were learned without labels is right on %.2f %% of the test images; with the taps of the features in another order on %.2f %% at the best.", s.Metrics["readout"], best),
			Sections: []report.Section{section},
			Links:    []report.Link{{Text: "Kheradpisheh et al. 2018", URL: "https://doi.org/10.1016/j.neunet.2017.12.005"}, {Text: "Mozafari et al. 2019", URL: "https://doi.org/10.1016/j.patcog.2019.05.015"}},
		}
	})
}

// measure is the accuracy of a readout of a network, and of which test images it is right.
func measure(ctx context.Context, s *recipe.Study, n *network, train, test images, global bool) (float64, []bool, error) {
	list, units, err := n.features(ctx, train, global, s.Env.Pool)
	if err != nil {
		return 0, nil, err
	}
	l, err := stdpconv.NewReadout().Fit(ctx, list, units, 10, rng.New(s.Env.Seed, "stdp-cnn").Str("readout").Source())
	if err != nil {
		return 0, nil, err
	}
	tested, _, err := n.features(ctx, test, global, s.Env.Pool)
	right := rightOf(l, tested)
	return percent(right), right, err
}

// readouts holds the learned features against shuffled ones; best is the best of these.
func readouts(ctx context.Context, s *recipe.Study, n *network, train, test images, z sizes) (best float64, err error) {
	labelled := train.first(z.labelled)
	accuracy, right, err := measure(ctx, s, n, labelled, test, false)
	if err != nil {
		return 0, err
	}
	s.Add("readout", accuracy, len(test.codes))
	s.Metrics["readout"] = accuracy
	for name, arm := range map[string]struct {
		list   images
		global bool
	}{"readout_global": {labelled, true}, "readout_1000_labels": {labelled.first(1000), false}} {
		if s.Metrics[name], _, err = measure(ctx, s, n, arm.list, test, arm.global); err != nil {
			return 0, err
		}
	}
	var bestRight []bool
	for k := range z.shuffles {
		other := n.shuffled(train.first(30), s.Env.Seed+uint64(k))
		a, r, err := measure(ctx, s, other, labelled, test, false)
		if err != nil {
			return 0, err
		}
		if s.Metrics[fmt.Sprintf("shuffled_%d", k+1)] = a; a > best {
			best, bestRight = a, r
		}
	}
	if bestRight == nil {
		bestRight = make([]bool, len(right))
	}
	s.Add("beats-shuffled", accuracy-best, len(test.codes))
	s.Add("beats-shuffled-p", mcNemar(right, bestRight), len(test.codes))
	return best, nil
}

// rewarded lets the last layer learn two digits, and ten, by reward.
func rewarded(ctx context.Context, s *recipe.Study, n *network, train, test images, z sizes) error {
	for _, task := range []struct {
		name    string
		digits  []int
		claimed bool
	}{{"two", []int{3, 8}, true}, {"ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, false}} {
		list, class := n.of(train.first(z.second), task.digits)
		tested, wanted := n.of(test, task.digits)
		seeds := z.seeds
		if !task.claimed {
			seeds = 1
		}
		for k := range seeds {
			var with, without float64
			for _, punish := range []bool{true, false} {
				src := rng.New(s.Env.Seed+uint64(k), "stdp-cnn").Str("reward").Source()
				d := newDecision(n.Net[1].Maps, 5, len(task.digits), punish, src)
				var p stdpconv.Pass
				for range z.epochs {
					if err := d.epoch(ctx, list, class, &p, src); err != nil {
						return err
					}
				}
				if a := d.accuracy(tested, wanted, &p); punish {
					with = a
				} else {
					without = a
				}
			}
			at := fmt.Sprintf("%s_s%d", task.name, s.Env.Seed+uint64(k))
			s.Metrics["reward_"+at], s.Metrics["reward_without_punishment_"+at] = with, without
			if task.claimed {
				s.Add("r-stdp", with, 0)
				s.Add("punishment", with-without, 0)
			}
		}
	}
	return nil
}

// of are the features of images of some digits, and their places among them.
func (n *network) of(v images, digits []int) (list []stdpconv.Wave, class []int) {
	p := make([]stdpconv.Pass, 2)
	for i, in := range v.codes {
		for k, digit := range digits {
			if v.class[i] == digit {
				list, class = append(list, n.Run(in, p)), append(class, k)
			}
		}
	}
	return list, class
}

// pictures draws what the first layer has learned: what each map answers to, as weights of on less
// those of off of each size of filter.
func pictures(n *network) (report.Section, error) {
	out := report.Section{Title: "The first layer"}
	l := n.Net[0]
	for k, name := range []string{"3×3", "7×7", "13×13"} {
		var list [][]float64
		for m := range l.Maps {
			kernel := make([]float64, l.Kernel*l.Kernel)
			for i := range kernel {
				at := (i*l.In + 2*k) * l.Maps
				kernel[i] = float64(l.Weight[at+m] - l.Weight[at+l.Maps+m])
			}
			list = append(list, kernel)
		}
		f, err := figure.Filters("Kernels on filters of "+name, l.Kernel, l.Kernel, list)
		if err != nil {
			return out, err
		}
		out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Kernels of the first layer", Caption: "Weights of bright centres less those of dark ones, of filters of " + name + " pixels, a square a map."})
	}
	return out, nil
}
