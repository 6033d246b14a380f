package mostafa

import (
	"fmt"
	"math"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/run"
)

// outcome is the result with its page.
func (s *study) outcome() (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	learning, err := s.learning()
	if err != nil {
		return nil, err
	}
	when, err := s.times()
	if err != nil {
		return nil, err
	}
	first := s.Jobs[0]
	lead := fmt.Sprintf("%.2f %% of the test images are right by the first output to fire, after a mean time of %.2f synaptic constants (seed %d).", first.Result.Test.Value("accuracy"), s.spikes[0].decision(), first.Config.Seed)
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: "Exact times of spikes", Lead: lead, Sections: []report.Section{learning, when}, Config: s.Configs(),
			Links: []report.Link{{Text: "Mostafa 2018", URL: "https://arxiv.org/abs/1606.08165"}},
		}
	})
}

// learning draws the courses and lists the jobs.
func (s *study) learning() (report.Section, error) {
	out := report.Section{Title: "Learning", Text: "On the test images after each epoch; they choose nothing, and the last epoch counts. Of several seeds the lines are the mean and the bands the range. The deep network has two hidden layers of half the size."}
	var right, loss []figure.Series
	for _, name := range s.Names() {
		right = append(right, s.Course(name, func(e run.Epoch) float64 { return e.Test["accuracy"] }))
		loss = append(loss, s.Course(name, func(e run.Epoch) float64 { return e.Train["loss"] }))
	}
	f, err := figure.Curves("Over the epochs", "epoch", figure.Panel{Name: "test accuracy (%)", Series: right}, figure.Panel{Name: "training loss", Series: loss, LogY: true})
	if err != nil {
		return out, err
	}
	out.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Accuracy on the test images and training loss over the epochs", Caption: "The loss is the cross-entropy of e^(−z) over the outputs."}}
	table := report.Table{Head: []string{"network", "seed", "accuracy", "outputs silent", "images undecided", "hidden silent", "decision", "hidden spikes before it", "an epoch"}, Right: []bool{false, true, true, true, true, true, true, true, true}}
	for i, t := range s.Jobs {
		at := s.spikes[i]
		table.Rows = append(table.Rows, []string{
			t.Name, fmt.Sprint(t.Config.Seed), fmt.Sprintf("%.2f %%", t.Result.Test.Value("accuracy")), fmt.Sprintf("%.2f %%", at.silentOutputs()), fmt.Sprintf("%.2f %%", at.undecided()),
			fmt.Sprintf("%.2f %%", at.silentHidden()), fmt.Sprintf("%.2f", at.decision()), fmt.Sprintf("%.1f %%", at.before()), report.Seconds(t.EpochSeconds()),
		})
	}
	out.Tables = []report.Table{table}
	return out, nil
}

// The histograms' range and bars, in units of the synapse's constant.
const (
	end = 5.0
	bar = 0.1
)

// histogram is the share of times in each bar, in percent.
func histogram(name string, images [][]float64) figure.Series {
	line, n := figure.Series{Name: name}, 0
	for k := range int(end / bar) {
		line.X, line.Y = append(line.X, (float64(k)+0.5)*bar), append(line.Y, 0)
	}
	for _, list := range images {
		n += len(list)
		for _, t := range list {
			if t < end {
				line.Y[int(t/bar)]++
			}
		}
	}
	for k := range line.Y {
		line.Y[k] *= 100 / float64(max(1, n))
	}
	return line
}

// times draws when the neurons of the first job fire.
func (s *study) times() (report.Section, error) {
	t, at := s.Jobs[0], s.spikes[0]
	out := report.Section{Title: "Times", Text: fmt.Sprintf("Of the network %s, seed %d, after its last epoch, on the test images, in units of the synapse's constant. Dark pixels fire at ln 6 = %.2f, bright ones at 0.", t.Name, t.Config.Seed, math.Log(6))}
	f, err := figure.Curves("When neurons fire", "time",
		figure.Panel{Name: "hidden (%)", Series: []figure.Series{histogram("hidden neurons", at.hidden)}},
		figure.Panel{Name: "outputs (%)", Series: []figure.Series{histogram("all outputs", at.output), histogram("first output: the decision", at.decisions())}})
	if err != nil {
		return out, err
	}
	forced, err := figure.Curves("Answers by a given time", "time", figure.Panel{Name: "test images (%)", Series: at.answers()})
	if err != nil {
		return out, err
	}
	quiet, err := figure.Curves("Still silent at a given time", "time", figure.Panel{Name: "neurons (%)", Series: []figure.Series{waiting("hidden", at.hidden), waiting("outputs", at.output)}})
	if err != nil {
		return out, err
	}
	out.Figures = []report.Figure{
		{SVG: f.SVG(), Alt: "Histograms of the times of hidden neurons, of outputs and of decisions", Caption: fmt.Sprintf("Shares in bars of %v; neurons that stay silent or fire after %v are left out.", bar, end)},
		{SVG: forced.SVG(), Alt: "Share of test images answered, and answered right, by each time", Caption: "An image is answered when the first output fires. Those that are never answered are not guessed here."},
		{SVG: quiet.SVG(), Alt: "Share of hidden neurons and of outputs that have not fired by each time", Caption: fmt.Sprintf("In the mean over images. In the end %.2f %% of the hidden neurons and %.2f %% of the outputs do not fire: they have no causal set.", at.silentHidden(), at.silentOutputs())},
	}
	return out, nil
}

// answers are the shares of images answered, and answered right, by each time.
func (s *spikes) answers() []figure.Series {
	right, answered := figure.Series{Name: "right"}, figure.Series{Name: "answered"}
	decisions := s.decisions()
	for k := range int(end/bar) + 1 {
		t, r, a := float64(k)*bar, 0, 0
		for i, d := range decisions {
			if d[0] <= t {
				a++
				if s.output[i][s.labels[i]] == d[0] {
					r++
				}
			}
		}
		n := 100 / float64(len(decisions))
		right.X, right.Y = append(right.X, t), append(right.Y, n*float64(r))
		answered.X, answered.Y = append(answered.X, t), append(answered.Y, n*float64(a))
	}
	return []figure.Series{right, answered}
}

// waiting is the share of neurons that have not fired by each time.
func waiting(name string, images [][]float64) figure.Series {
	line := figure.Series{Name: name}
	for k := range int(end/bar) + 1 {
		at := float64(k) * bar
		line.X, line.Y = append(line.X, at), append(line.Y, share(images, func(_ int, t float64) bool { return t > at }))
	}
	return line
}
