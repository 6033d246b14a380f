// Package spikingdbn trains the spiking belief net of O'Connor et al. (2013) on MNIST: machines
// 784–500 and (500 + 10)–500 learn by contrastive divergence with Siegert's rates, and a network
// of leaky integrate-and-fire neurons answers by spikes (package rule/dbn has the equations).
package spikingdbn

import (
	"context"
	"errors"
	"fmt"

	"synfire/data/mnist"
	"synfire/model"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/dbn"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train/online"
)

const offlineClaim = "offline"

// Recipe is the study.
func Recipe() recipe.Recipe {
	published := 94.09
	offline := recipe.Bounded(offlineClaim, "MNIST test accuracy by spikes of a belief net that learned by Siegert's rates", "%", "O'Connor et al. 2013, reported",
		report.AtLeast, 92, report.Seeds{Short: 1, Full: 3}, report.Samples{Short: 10_000, Full: 10_000})
	offline.Published = &published
	offline.Note = "The rate of learning and the batch were chosen on training images held out. Persistent chains, fast weights and the push to sparse activities of the authors' program are left out."
	return recipe.Recipe{
		ID: "spiking-dbn", Paper: "survey-2018", Title: "A spiking belief net, learned by Siegert's rates",
		Minutes: map[report.Scale]float64{report.Smoke: 0.2, report.Short: 15, report.Full: 70},
		Claims:  []report.Claim{offline}, Run: reproduce,
	}
}

// size is what a scale learns.
type size struct {
	data                         string
	seeds, hidden, epochs, batch int
	shown                        int // test images that are asked for different durations, and by rates
}

var sizes = map[report.Scale]size{
	report.Smoke: {data: mnist.SampleName, seeds: 1, hidden: 100, epochs: 6, batch: 20, shown: 100},
	report.Short: {data: "mnist", seeds: 1, hidden: 500, epochs: 6, batch: 20, shown: 1000},
	report.Full:  {data: "mnist", seeds: 3, hidden: 500, epochs: 10, batch: 20, shown: 2000},
}

func (z size) config(seed uint64) model.Config {
	r := dbn.NewRule()
	r.Hidden, r.Schedule = []int{z.hidden, z.hidden}, optim.Cosine{}
	return model.Config{Seed: seed, Data: model.Data{Name: z.data}, Epochs: z.epochs, Batch: z.batch, Rule: r}
}

func reproduce(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, fmt.Errorf("spiking-dbn: no scale %q: use smoke, short or full", e.Scale)
	}
	trainSet, testSet, err := e.Catalog.Load(ctx, model.Data{Name: z.data}, e.Data)
	if err != nil {
		return nil, err
	}
	s := recipe.NewStudy(e, trainSet, testSet)
	table := report.Table{Caption: "Accuracy on the test images", Head: []string{"seed", "by spikes"}, Right: []bool{true, true}}
	for i := range z.seeds {
		t := s.Run(ctx, recipe.Job{Name: "dbn", Config: z.config(e.Seed + uint64(i))})
		if t == nil {
			return nil, s.Err()
		}
		accuracy := t.Result.Test.Value("accuracy")
		s.Add(offlineClaim, accuracy, testSet.Len())
		s.Metrics[fmt.Sprintf("spikes_s%d_accuracy", t.Config.Seed)] = accuracy
		table.Rows = append(table.Rows, []string{fmt.Sprint(t.Config.Seed), fmt.Sprintf("%.2f %%", accuracy)})
	}
	return outcome(ctx, s, z, table)
}

// outcome is the result with its page; the first net is looked into.
func outcome(ctx context.Context, s *recipe.Study, z size, table report.Table) (*recipe.Outcome, error) {
	first := s.Jobs[0]
	learner, ok := first.Learner.(interface{ Net() online.Network })
	if !ok {
		return nil, errors.New("spiking-dbn: the learner shows no net")
	}
	net := learner.Net().(*dbn.Net)
	images, err := sample.First(s.Test(), min(z.shown, s.Test().Len()))
	if err != nil {
		return nil, err
	}
	course, err := durations(ctx, s, net, images)
	if err != nil {
		return nil, err
	}
	course.Tables = append([]report.Table{table}, course.Tables...)
	features, err := figure.Filters("First-layer weights", 28, 28, net.Features()[:min(64, z.hidden)])
	if err != nil {
		return nil, err
	}
	course.Figures = append(course.Figures, report.Figure{SVG: features.SVG(), Alt: "Weights of units of the first hidden layer", Caption: "Orange weights excite, blue ones inhibit: strokes of digits."})
	more, err := first.Sections(ctx)
	if err != nil {
		return nil, err
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title: "Spiking belief net", Lead: fmt.Sprintf("By spikes %.2f %% of the test images are right (first seed).", first.Result.Test.Value("accuracy")),
			Claims: r.Claims, Sections: append([]report.Section{course}, more...), Config: string(first.YAML), Facts: r.Facts(),
			Links: []report.Link{{Text: "O'Connor et al. 2013", URL: "https://doi.org/10.3389/fnins.2013.00178"}, {Text: "Siegert 1951", URL: "https://doi.org/10.1103/PhysRev.81.617"}},
		}
	})
}

// seconds are durations of an answer.
var seconds = []float64{0.01, 0.02, 0.05, 0.1, 0.2}

// durations asks for answers after more and more time, and by rates.
func durations(ctx context.Context, s *recipe.Study, net *dbn.Net, images sample.Source) (out report.Section, err error) {
	out = report.Section{
		Title: "Spikes and rates",
		Text:  fmt.Sprintf("Of the first %d test images. Siegert's rates are what the spikes' would be after a long time, were all inputs independent Poisson processes.", images.Len()),
	}
	spec := images.Spec()
	x, labels := make([]tensor.Float, images.Len()*spec.Size()), make([]int, images.Len())
	for i := range labels {
		one := sample.Sample{X: x[i*spec.Size():][:spec.Size()]}
		if err := images.Read(ctx, i, &one); err != nil {
			return out, err
		}
		labels[i] = one.Targets[0].Class
	}
	k := len(spec.Targets[0].Classes)
	scores := make([]float64, len(labels)*k)
	right := func() (percent float64) {
		for i, label := range labels {
			if online.Best(scores[i*k:][:k]) == label {
				percent += 100 / float64(len(labels))
			}
		}
		return percent
	}
	net.Rates(s.Env.Pool, x, scores)
	byRates := right()
	s.Metrics["rates_accuracy"] = byRates
	line := figure.Series{Name: "spikes"}
	table := report.Table{Head: []string{"time (ms)", "accuracy", "spikes of inputs", "of hidden layers", "of labels"}, Right: []bool{true, true, true, true, true}}
	for _, d := range seconds {
		brief := net.During(d)
		var fired [3]float64
		for i := range labels {
			if err := ctx.Err(); err != nil {
				return out, err
			}
			if _, err := brief.Run(x[i*spec.Size():][:spec.Size()], -1, scores[i*k:][:k]); err != nil {
				return out, err
			}
			for l, n := range brief.Fired {
				place := min(l, 1)
				if l == len(brief.Fired)-1 {
					place = 2
				}
				fired[place] += float64(n) / float64(len(labels))
			}
		}
		accuracy := right()
		s.Metrics[fmt.Sprintf("spikes_%.0fms_accuracy", 1000*d)] = accuracy
		line.X, line.Y = append(line.X, 1000*d), append(line.Y, accuracy)
		table.Rows = append(table.Rows, []string{fmt.Sprintf("%.0f", 1000*d), fmt.Sprintf("%.1f %%", accuracy), fmt.Sprintf("%.0f", fired[0]), fmt.Sprintf("%.0f", fired[1]), fmt.Sprintf("%.1f", fired[2])})
	}
	table.Rows = append(table.Rows, []string{"rates", fmt.Sprintf("%.1f %%", byRates), "–", "–", "–"})
	rates := figure.Series{Name: "Siegert's rates", X: []float64{line.X[0], line.X[len(line.X)-1]}, Y: []float64{byRates, byRates}, Reference: true}
	f, err := figure.Curves("Accuracy over the time of an answer", "time (ms)", figure.Panel{Name: "accuracy (%)", Series: []figure.Series{line, rates}})
	out.Tables = []report.Table{table}
	out.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Accuracy over the time of an answer", Caption: "Each time has spikes of its own. The dashed line is by rates."}}
	return out, err
}
