// Package qcfs is the recipe of few steps: networks trained with the staircase of the spiking
// network that they become (Bu et al., "Optimal ANN-SNN conversion for high-accuracy and
// ultra-low-latency spiking neural networks", ICLR 2022), beside what conversion without training
// reaches, neurons that take spikes back or are silenced by their residual membrane (Hao et al.,
// AAAI 2023), and single spikes (Stanojevic et al., 2023).
//
// No paper's own figures are tested: the perceptron is that of a calibration in another program,
// whose table the arms are held against, cell by cell; the convolutional network of the full
// scale is that of the same calibration. Digits are MNIST, pictures CIFAR-10 as JPEG of quality
// 75. Settings are the calibration's, where it says them: see Chosen.
package qcfs

import (
	"context"
	"fmt"
	"math"
	"strings"

	"synfire/recipe"
	"synfire/report"
)

// The claims' ids.
const (
	lossClaim    = "mnist-loss"
	cellsClaim   = "mnist-cells"
	orderClaim   = "mnist-order"
	halfClaim    = "mnist-start"
	sameClaim    = "mnist-graded"
	scoresClaim  = "mnist-graded-scores"
	ttfsClaim    = "mnist-ttfs"
	annClaim     = "ann"
	gapClaim     = "ann-gap"
	t4Claim      = "t4"
	t4RightClaim = "t4-corrected"
	t8Claim      = "t8"
	t16Claim     = "t16"
	startClaim   = "start"
	leftClaim    = "residual-potential"
	gradedClaim  = "graded"
	sd2Claim     = "sigma-delta-t2"
	sd4Claim     = "sigma-delta-t4"
	eightClaim   = "eightfold"
)

// The recipe's parts; the second is of full.
const (
	digitsPart = "mnist"
	photosPart = "cifar10"
)

// testImages is of how many images a figure is, repeated the seeds of the perceptrons.
const (
	testImages = 10_000
	repeated   = 3
)

// Chosen is how the settings came about.
const Chosen = "Settings are those of a calibration in another program, where it says them. It does not say where the scales of its perceptrons' staircases start, only that they end at 3.2 and 3.5. A first run at short started them at the 99.9 percentile of trained rectified units; they ended at 3.4 and 6.0, and the network had 0.3 points less than the calibration's. They have started at 4 since, and end near the calibration's: that run's test images were seen before. Steps before the run count as steps."

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "qcfs", Title: "Staircases that know how many spikes there will be", Minutes: minutes, Claims: claims(), Run: runStudy,
		Parts: []recipe.Part{
			{Name: digitsPart, Claims: []string{lossClaim, cellsClaim, orderClaim, halfClaim, sameClaim, scoresClaim, ttfsClaim}},
			{Name: photosPart, Claims: []string{annClaim, gapClaim, t4Claim, t4RightClaim, t8Claim, t16Claim, startClaim, leftClaim, gradedClaim, sd2Claim, sd4Claim, eightClaim}},
		},
	}
}

func claims() []report.Claim {
	const table, deep = "no paper: a calibration in another program", "no paper: a calibration in another program, on 1,000 images"
	digits := func(id, name, unit, source string, d report.Direction, s report.Statistic, bound float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: s, Bounds: report.Bounds{Short: &bound, Full: &bound},
			Seeds: report.Seeds{Short: repeated, Full: repeated}, N: report.Samples{Short: testImages, Full: testImages}, Note: "Stated before any run.",
		}
	}
	pictures := func(id, name, unit, source string, d report.Direction, bound float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: report.Median, Bounds: report.Bounds{Full: &bound},
			Seeds: report.Seeds{Short: 1, Full: 1}, N: report.Samples{Full: testImages}, Note: "Stated before any run. CIFAR-10 as JPEG of quality 75. A conversion counts where the ordinary network has 84 %.",
		}
	}
	const loses = "accuracy of the quantised network less that "
	list := []report.Claim{
		digits(lossClaim, "largest difference from the calibration's table in what a cell loses against its ordinary network, over its cells of 96 % and above", "points", table, report.AtMost, report.Mean, 0.5),
		digits(cellsClaim, "largest difference from the calibration's table, over its cells from T = 2 on that vary by at most 0.3 points", "points", table, report.AtMost, report.Mean, 0.5),
		digits(orderClaim, "accuracy at T = 2 from half of the threshold: scales fitted to T above the 99.9 percentile above the maximum", "%", table+": 96.36, 95.09, 82.8", report.Order, report.Mean, 0),
		digits(halfClaim, "gain of a start from half of the threshold at T = 2, the least of three arms", "points", table+": 46.7", report.AtLeast, report.Min, 30),
		digits(sameClaim, "images that graded spikes answer otherwise than the quantised network at T = L, the larger of L = 4 and 8", "images", table+": 0", report.AtMost, report.Max, 0),
		digits(scoresClaim, "share of the images whose scores by graded spikes at T = L are those of the quantised network to 0.00001, the lower of L = 4 and 8", "%", table, report.AtLeast, report.Min, 99.9),
		digits(ttfsClaim, "largest difference between a score by single spikes in exact time and the ordinary network's", "", table+": 0.000009 in double precision", report.AtMost, report.Max, 1e-4),
		pictures(annClaim, "CIFAR-10 test accuracy of the ordinary network after 30 epochs", "%", table+": 82.64 after 10", report.AtLeast, 84),
		pictures(gapClaim, "accuracy of the ordinary network, trained on for as many epochs, less that of the quantised one", "points", table+": 0.0", report.AtMost, 2),
		pictures(t4Claim, loses+"of neurons if at T = 4", "points", deep+": 4.7", report.AtMost, 7),
		pictures(t4RightClaim, loses+"of sigma-delta neurons at T = 4, or of two steps behind two before the run, whichever is less", "points", deep+": −0.5", report.AtMost, 2),
		pictures(t8Claim, loses+"of neurons if at T = 8", "points", deep+": 0.5", report.AtMost, 1.5),
		pictures(t16Claim, loses+"of neurons if at T = 16", "points", deep+": −0.6", report.AtMost, 1),
		pictures(startClaim, "gain of a start from half of the threshold at T = 2", "points", deep+": 58.4", report.AtLeast, 30),
		pictures(leftClaim, loses+"of two steps behind four before the run, six in all", "points", deep+": 1.9", report.AtMost, 4),
		pictures(gradedClaim, "images that graded spikes answer otherwise than the quantised network at T = L = 4", "images", deep+": 0", report.AtMost, 0),
		pictures(sd2Claim, "accuracy of sigma-delta neurons less that of neurons if at T = 2", "points", deep+": 8.0", report.AtLeast, 5),
		pictures(sd4Claim, "accuracy of sigma-delta neurons less that of neurons if at T = 4", "points", deep+": 5.2", report.AtLeast, 3),
		pictures(eightClaim, "steps that ReLU by its 99.9 percentile from 0 needs to lose at most 1.5 points, over those of QCFS", "×", deep+": 16", report.AtLeast, 8),
	}
	return list
}

func runStudy(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("qcfs", e.Scale)
	}
	s, err := newStudy(ctx, e, z)
	if err != nil {
		return nil, err
	}
	steps := []recipe.Step{{Part: digitsPart, Run: s.digits}, {Part: digitsPart, Run: s.judgeDigits}, {Part: digitsPart, Run: s.showDigits}}
	if z.deep != nil {
		steps = append(steps, recipe.Step{Part: photosPart, Run: s.pictures})
	}
	if err := e.Do(ctx, steps...); err != nil {
		return nil, err
	}
	return s.outcome()
}

// judgeDigits adds the figures of the perceptrons to their claims. Those of steps that a scale
// does not run have none.
func (s *study) judgeDigits(context.Context) error {
	n := s.Test().Len()
	apart, loss := s.table()
	for claim, v := range map[string]float64{cellsClaim: apart, lossClaim: loss} {
		s.Add(claim, v, n)
		s.Seeds(claim, s.size.seeds)
	}
	order := report.Measurement{N: n, Seeds: s.size.seeds}
	for _, key := range []string{fitted, percentHalf, maxHalf} {
		m, _ := s.mean(key, 2)
		order.Arms, order.Values = append(order.Arms, key), append(order.Values, m.accuracy)
	}
	s.orders[orderClaim] = order
	for i := range s.size.seeds {
		gain := math.Inf(1)
		for _, pair := range [][2]string{{maxZero, maxHalf}, {percentZero, percentHalf}, {plainZero, plain}} {
			gain = min(gain, s.found[pair[1]][2][i].accuracy-s.found[pair[0]][2][i].accuracy)
		}
		s.Add(halfClaim, gain, n)
		a, b := s.stairs[four+" graded"][i], s.stairs[eight+" graded"][i]
		s.Add(sameClaim, float64(max(a.otherLabels, b.otherLabels)), n)
		s.Add(scoresClaim, 100*(1-float64(max(a.otherScores, b.otherScores))/float64(n)), n)
		s.Add(ttfsClaim, s.first[0][i].Difference, n)
	}
	return nil
}

// table is how far the means are from the cells of the table that the claims name: in accuracy,
// and in what is lost against the ordinary network.
func (s *study) table() (apart, loss float64) {
	for _, a := range arms() {
		for k, c := range a.cells {
			m, ok := s.mean(a.key, 1<<k)
			if !ok {
				continue
			}
			if k > 0 && !c.loose {
				apart = max(apart, math.Abs(m.accuracy-c.accuracy))
			}
			if c.accuracy >= 96 {
				loss = max(loss, math.Abs((mean(s.ordinary[a.of])-m.accuracy)-(card[a.of]-c.accuracy)))
			}
		}
	}
	return apart, loss
}

func (s *study) outcome() (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	var configs []string
	for _, t := range s.Jobs {
		if t.Config.Seed == s.Env.Seed {
			configs = append(configs, "# "+t.Name+"\n"+string(t.YAML))
		}
	}
	o, err := s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title:    "Staircases that know how many spikes there will be",
			Lead:     s.lead(),
			Links:    []report.Link{{Text: "Bu et al. 2022", URL: "https://arxiv.org/abs/2303.04347"}},
			Claims:   r.Claims,
			Sections: s.sections,
			Notes:    []string{Chosen},
			Config:   strings.Join(configs, "\n"),
			Facts:    r.Facts(),
		}
	})
	if err != nil {
		return nil, err
	}
	for id, m := range s.orders {
		o.Measured[id] = m
	}
	return o, nil
}

// lead says what came of the first part that was run.
func (s *study) lead() string {
	if s.Env.Wants(digitsPart) {
		return fmt.Sprintf("A perceptron of staircases with four levels has %.2f %% of the digits right, and as spiking network in four steps %.2f %%; one of rectified units, whose scales are fitted to the steps without training, %.2f %%.", mean(s.ordinary[four]), s.at(plain, 4), s.at(fitted, 4))
	}
	return fmt.Sprintf("A convolutional network of staircases with four levels has %.2f %% of the pictures right.", mean(s.ordinary[deepQCFS]))
}

// at is an arm's mean accuracy at T.
func (s *study) at(key string, steps int) float64 {
	m, _ := s.mean(key, steps)
	return m.accuracy
}
