package diehlcook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/stdp"
	"synfire/run"
	"synfire/tensor"
)

// metric begins the names of a job's metrics.
func metric(t *recipe.Trained) string {
	return fmt.Sprintf("%s_s%d_", strings.ReplaceAll(t.Name, "-", "_"), t.Config.Seed)
}

// outcome is the result with its page. The weights of each network's first seed become a
// picture in the run's directory too.
func (s *study) outcome(context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	learning, err := s.learning()
	if err != nil {
		return nil, err
	}
	sections := []report.Section{learning}
	for _, name := range s.Names() {
		at := slices.IndexFunc(s.Jobs, func(t *recipe.Trained) bool { return t.Name == name })
		one, err := s.neurons(s.Jobs[at])
		if err != nil {
			return nil, err
		}
		sections = append(sections, one)
	}
	first := s.Jobs[0]
	lead := fmt.Sprintf("Of the test images %.2f %% are named rightly by %d neurons that learned without labels.",
		first.Result.Test.Value("accuracy"), len(first.Learner.(*stdp.Learner).Labels()))
	notes := append([]string{"Neurons get their labels by training images, with weights and thresholds that stand still."}, s.about.notes...)
	return s.Outcome(func(report.Run) report.Page {
		return report.Page{
			Title: s.about.title, Lead: lead, Sections: sections, Config: s.Configs(),
			Links: []report.Link{s.about.link}, Notes: notes,
		}
	})
}

// learning draws the courses and lists the jobs.
func (s *study) learning() (report.Section, error) {
	out := report.Section{
		Title: "Learning",
		Text:  "On the validation images after each epoch, of which the best is the result. Thresholds are the mean while training. Of several seeds the lines are the mean and the bands the range.",
	}
	valid := func(e run.Epoch) run.Figures { return e.Valid }
	training := func(e run.Epoch) run.Figures { return e.Train }
	panels := []figure.Panel{{Name: "accuracy (%)"}, {Name: "spikes an image"}, {Name: s.about.thresholds}}
	for _, name := range s.Names() {
		for i, value := range []func(run.Epoch) float64{course(valid, "accuracy"), course(valid, stdp.Spikes), course(training, stdp.Average)} {
			line := s.Course(name, value)
			line.Name = name
			panels[i].Series = append(panels[i].Series, line)
		}
	}
	f, err := figure.Curves("Learning", "epoch", panels...)
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Accuracy, spikes an image and thresholds over epochs", Caption: "Thresholds rise until all neurons fire about as often; spikes an image fall."})
	table := report.Table{Head: []string{"network", "seed", "epochs", "test", "validation", "spikes an image", "silent images", "neurons without label", "an epoch"}, Right: []bool{false, true, true, true, true, true, true, true, true}}
	for _, t := range s.Jobs {
		figures := t.Result.Test.Figures()
		table.Rows = append(table.Rows, []string{
			t.Name, fmt.Sprint(t.Config.Seed), fmt.Sprint(len(t.Epochs)),
			fmt.Sprintf("%.2f %%", figures["accuracy"]), fmt.Sprintf("%.2f %%", t.Result.Valid.Value("accuracy")),
			fmt.Sprintf("%.1f", figures[stdp.Spikes]), fmt.Sprintf("%.2f %%", figures[stdp.Silent]), fmt.Sprint(unlabelled(t)), report.Seconds(t.EpochSeconds()),
		})
	}
	out.Tables = append(out.Tables, table)
	return out, nil
}

// neurons shows what a network has learned.
func (s *study) neurons(t *recipe.Trained) (report.Section, error) {
	out := report.Section{Title: t.Name, Text: fmt.Sprintf("The network %s of seed %d.", t.Name, t.Config.Seed)}
	l := t.Learner.(*stdp.Learner)
	picture, err := l.Picture()
	if err != nil {
		return out, err
	}
	if err := os.WriteFile(filepath.Join(s.Env.Out, "weights-"+t.Name+".png"), picture, 0o644); err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{PNG: picture, Alt: "The weights of each neuron as a picture", Caption: "A picture for each neuron: its weights from the pixels, black at its largest."})
	thresholds := histogram(l.Thresholds())
	f, err := figure.Curves("Thresholds", s.about.thresholds, figure.Panel{Name: "neurons", Series: []figure.Series{thresholds}})
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "How many neurons have which threshold", Caption: "In twenty bins. Homeostasis works where they lie together."})
	if k := t.Result.Test.Classes(); k != nil {
		f, err := figure.Confusion("Test images", k.Confusion, k.Names)
		if err != nil {
			return out, err
		}
		out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: "Confusion matrix of the test images", Caption: "Pairs that are mixed up look alike to neurons that know no labels: 4 and 9, 3, 5 and 8."})
	}
	return out, nil
}

// histogram counts values in twenty bins.
func histogram(values []tensor.Float) figure.Series {
	const bins = 20
	low, high := float64(slices.Min(values)), float64(slices.Max(values))
	width := max((high-low)/bins, 1e-9)
	s := figure.Series{Name: "neurons", Y: make([]float64, bins)}
	for k := range bins {
		s.X = append(s.X, low+(float64(k)+0.5)*width)
	}
	for _, v := range values {
		s.Y[min(int((float64(v)-low)/width), bins-1)]++
	}
	return s
}
