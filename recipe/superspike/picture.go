package superspike

import (
	"fmt"
	"slices"

	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/superspike"
	"synfire/spike"
)

// drawing is the network of E. Rates were looked at on seed 101.
func drawing(f superspike.Feedback) superspike.Rule {
	r := superspike.NewRule()
	r.Hidden, r.Feedback, r.Rate, r.Rho, r.Decay, r.DecayEvery = []int{256}, f, 0.3, 1e-5, 0.5, 75
	return r
}

// picture is E, at full.
func (s *study) picture() error {
	if s.size.picture == 0 {
		return nil
	}
	p, err := picture(s.ctx, s.env)
	if err != nil {
		if s.ctx.Err() != nil {
			return err
		}
		why := "the pattern is not here: " + err.Error()
		s.measured["picture"], s.measured["picture-order"] = report.Measurement{Why: why}, report.Measurement{Why: why}
		return nil
	}
	arms := []string{"symmetric", "random", "uniform", "frozen"}
	var jobs []job
	for k, name := range arms {
		for i := range pictureSeeds {
			r := drawing(superspike.Symmetric)
			if k < len(feedbacks) {
				r = drawing(feedbacks[k])
			} else {
				r.Frozen = true
			}
			jobs = append(jobs, job{name: "E " + name, problem: p, rule: r, trials: s.size.picture, seed: s.env.Seed + uint64(i)})
		}
	}
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	return s.pictured(arms, done, pictureSeeds)
}

// pictured judges the arms of E, which have so many seeds each, and draws them.
func (s *study) pictured(arms []string, done []taught, seeds int) error {
	p := done[0].problem
	l, err := newLesson(p, quiet(), 1, nil)
	if err != nil {
		return err
	}
	_, none, err := l.answer(s.ctx)
	if err != nil {
		return err
	}
	left := func(t taught) float64 { return t.final / none }
	var medians []float64
	var lines []figure.Series
	var rows [][]string
	seconds := float64(p.steps-silence) * dt
	pictures := []figure.Picture{image(p.targets, seconds, "target")}
	for k, name := range arms {
		group := done[k*seeds:][:seeds]
		d := of(group, left)
		medians = append(medians, median(d))
		s.metrics["E "+name+" median D over silent"] = median(d)
		row := []string{name, report.Measured(median(d))}
		for _, v := range d {
			row = append(row, report.Measured(v))
		}
		rows = append(rows, append(row, report.Integer(int64(count(group[0].answers[len(group[0].answers)-1])))))
		lines = append(lines, band(name, group))
		pictures = append(pictures, image(group[0].answers[len(group[0].answers)-1], seconds, name))
	}
	s.measured["picture"] = report.Measurement{Values: of(done[:seeds], left), N: 1}
	s.measured["picture-order"] = report.Measurement{Arms: []string{"the lowest of the others", "symmetric"}, Values: []float64{slices.Min(medians[1:]), medians[0]}, N: 1, Seeds: seeds}
	before := image(done[0].answers[0], seconds, "before learning")
	pictures = slices.Insert(pictures, 1, before)
	drawn, err := figure.Pictures("The picture", 2, pictures)
	if err != nil {
		return err
	}
	curve, err := curves("The picture", lines...)
	if err != nil {
		return err
	}
	input, err := inputRaster(p)
	if err != nil {
		return err
	}
	head, right := []string{"feedback", "median"}, []bool{false, true}
	for i := range seeds {
		head, right = append(head, fmt.Sprintf("seed %d", s.env.Seed+uint64(i))), append(right, true)
	}
	table := report.Table{Caption: "D after learning over that of silent outputs", Head: append(head, "output spikes, first seed"), Right: append(right, true), Rows: rows}
	s.section("E. The picture", fmt.Sprintf("200 Poisson trains, 256 hidden units, and 200 outputs that are to draw a picture of %s spikes in 1.89 s; %d trials. Units upwards, time to the right, a pixel is 10 ms.", report.Integer(int64(count(p.targets))), s.size.picture), []report.Table{table},
		shown{drawn, "The target and the outputs after learning as pictures", "Of the first seed."}, shown{curve, "Distance over trials by kind of feedback, and with frozen hidden weights", ""}, shown{input, "Raster of the inputs", ""})
	return nil
}

// quiet is a network that never fires.
func quiet() superspike.Rule {
	r := superspike.NewRule()
	r.Init = 0
	return r
}

func count(trains []spike.Train) (n int) {
	for _, t := range trains {
		n += len(t.Times)
	}
	return n
}
