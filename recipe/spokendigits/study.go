package spokendigits

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"synfire/data"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
)

// study is the jobs of a run and what they gave.
type study struct {
	*recipe.Study
	size     size
	path     string // of the recordings
	speakers []string
	sections []report.Section
	lead     string
}

// find is where the recordings are, and who speaks.
func (s *study) find(ctx context.Context) error {
	if s.size.made {
		s.path, s.speakers = filepath.Join(s.Env.Out, "sounds"), made
		return makeSounds(s.path)
	}
	set, err := s.Env.Catalog.Dataset("fsdd")
	if err != nil {
		return err
	}
	paths, err := data.Fetch(ctx, s.Env.Data, set.Files...)
	if err != nil {
		return err
	}
	s.path, s.speakers = paths[0], []string{"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}
	return nil
}

// confusion counts answers by class.
type confusion [][]int

func newConfusion() confusion {
	c := make(confusion, len(digits))
	for i := range c {
		c[i] = make([]int, len(digits))
	}
	return c
}

func (c confusion) add(other confusion) {
	for i, row := range other {
		for j, n := range row {
			c[i][j] += n
		}
	}
}

// accuracy is the share of right answers in percent.
func (c confusion) accuracy() float64 {
	right, all := 0, 0
	for i, row := range c {
		right += row[i]
		for _, n := range row {
			all += n
		}
	}
	return 100 * float64(right) / float64(max(all, 1))
}

// answers are what networks and ridge regression made of the recordings that were tested.
type answers struct {
	tested  int
	network []confusion // by seed
	plain   confusion   // ridge on recordings as they are
	level   confusion   // ridge on those of one level, as the network has them
}

// mean is the mean accuracy of the networks.
func (a answers) mean() float64 {
	sum := 0.0
	for _, c := range a.network {
		sum += c.accuracy() / float64(len(a.network))
	}
	return sum
}

// split learns from all recordings but those whose names match, and answers these.
func (s *study) split(ctx context.Context, name, test string) (a answers, err error) {
	if a.plain, err = s.linear(ctx, test, 0); err != nil {
		return a, err
	}
	if a.level, err = s.linear(ctx, test, level); err != nil {
		return a, err
	}
	for i := range s.size.seeds {
		c := s.config(s.Env.Seed+uint64(i), test)
		trainSet, testSet, err := s.Env.Catalog.Load(ctx, c.Data, s.Env.Data)
		if err != nil {
			return a, err
		}
		s.On(trainSet, testSet)
		t := s.Run(ctx, recipe.Job{Name: name, Config: c})
		if t == nil {
			return a, s.Err()
		}
		classes := t.Result.Test.Classes()
		if classes == nil {
			return a, errors.New("spoken-digits: an evaluation without classes")
		}
		a.tested, a.network = classes.N, append(a.network, classes.Confusion)
		s.Metrics[fmt.Sprintf("%s_s%d_accuracy", name, c.Seed)] = classes.Accuracy()
	}
	s.Metrics[name+"_ridge"], s.Metrics[name+"_ridge_level"] = a.plain.accuracy(), a.level.accuracy()
	return a, nil
}

// linear is what ridge regression answers.
func (s *study) linear(ctx context.Context, test string, level float64) (confusion, error) {
	trainSet, testSet, err := sounds(s.path, test, level).Open(ctx, s.Env.Data)
	if err != nil {
		return nil, err
	}
	answers, labels, err := ridge(ctx, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	c := newConfusion()
	for i, label := range labels {
		c[label][answers[i]]++
	}
	return c, nil
}

// unheard leaves each speaker out in turn.
func (s *study) unheard(ctx context.Context) error {
	var all []answers
	for _, name := range s.speakers {
		a, err := s.split(ctx, name, "_"+name+"_")
		if err != nil {
			return err
		}
		all = append(all, a)
	}
	network, plain, even := newConfusion(), newConfusion(), newConfusion()
	seeds, tested := make([]float64, s.size.seeds), 0 // mean accuracy by seed
	var plainMean, evenMean float64
	for _, a := range all {
		tested += a.tested
		plainMean += a.plain.accuracy() / float64(len(all))
		evenMean += a.level.accuracy() / float64(len(all))
		plain.add(a.plain)
		even.add(a.level)
		for i, c := range a.network {
			seeds[i] += c.accuracy() / float64(len(all))
			network.add(c)
		}
	}
	best := func(a answers) confusion { return a.plain }
	linear, linearMean := plain, plainMean
	if evenMean > plainMean {
		best = func(a answers) confusion { return a.level }
		linear, linearMean = even, evenMean
	}
	for _, v := range seeds {
		s.Add(beatsClaim, v-linearMean, tested)
	}
	table := report.Table{
		Caption: "Accuracy in percent",
		Head:    []string{"speaker left out", "network", "seeds", "ridge", "ridge, one level", "network − better ridge"},
		Right:   []bool{false, true, true, true, true, true},
	}
	gains := make([]float64, len(all))
	for i, a := range all {
		gains[i] = a.mean() - best(a).accuracy()
		table.Rows = append(table.Rows, row(s.speakers[i], a, gains[i]))
	}
	mean, half := interval(gains)
	networkMean := stat.Mean(seeds, nil)
	s.Metrics["unheard_accuracy"], s.Metrics["unheard_ridge"], s.Metrics["unheard_ridge_level"] = networkMean, plainMean, evenMean
	s.Metrics["unheard_gain"], s.Metrics["unheard_gain_half_interval"] = mean, half
	table.Rows = append(table.Rows, []string{"mean", percent(networkMean), "", percent(plainMean), percent(evenMean), fmt.Sprintf("%+.1f", mean)})
	s.lead = fmt.Sprintf("Of a speaker never heard the network understands %.1f %% of the digits, ridge regression %.1f %% (means of %d speakers).", networkMean, linearMean, len(all))
	return s.confused("Speakers never heard", fmt.Sprintf("Each speaker in turn is left out of training, and tested. The network gains %+.1f ± %.1f points on the better ridge regression (95 %%, Student's t over %d speakers, who are few).", mean, half, len(all)), table, network, linear)
}

// takes tests new recordings of speakers who are known.
func (s *study) takes(ctx context.Context) error {
	a, err := s.split(ctx, "takes", `_[0-4]\.wav$`)
	if err != nil {
		return err
	}
	network := newConfusion()
	for _, c := range a.network {
		network.add(c)
	}
	linear := a.plain
	if a.level.accuracy() > a.plain.accuracy() {
		linear = a.level
	}
	table := report.Table{
		Caption: "Accuracy in percent", Head: []string{"tested", "network", "seeds", "ridge", "ridge, one level", "network − better ridge"}, Right: []bool{false, true, true, true, true, true},
		Rows: [][]string{row("takes 0 to 4", a, a.mean()-linear.accuracy())},
	}
	s.lead += fmt.Sprintf(" New takes of known speakers: %.1f and %.1f %%.", a.mean(), linear.accuracy())
	return s.confused("New takes of known speakers", "The takes 0 to 4 of every digit and speaker are tested, by a network that learned from the others.", table, network, linear)
}

func percent(v float64) string { return fmt.Sprintf("%.1f", v) }

// row is a line of a table of accuracies.
func row(name string, a answers, gain float64) []string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range a.network {
		low, high = min(low, c.accuracy()), max(high, c.accuracy())
	}
	return []string{name, percent(a.mean()), percent(low) + "–" + percent(high), percent(a.plain.accuracy()), percent(a.level.accuracy()), fmt.Sprintf("%+.1f", gain)}
}

// interval is the mean of paired differences and half its 95 % interval.
func interval(d []float64) (mean, half float64) {
	mean, deviation := stat.MeanStdDev(d, nil)
	t := distuv.StudentsT{Sigma: 1, Nu: float64(len(d) - 1)}.Quantile(0.975)
	return mean, t * deviation / math.Sqrt(float64(len(d)))
}

// confused adds a section with the confusion of both.
func (s *study) confused(title, text string, table report.Table, network, linear confusion) error {
	out := report.Section{Title: title, Text: text, Tables: []report.Table{table}}
	for _, c := range []struct {
		name   string
		counts confusion
	}{{"Network, all seeds", network}, {"Ridge regression, the better one", linear}} {
		f, err := figure.Confusion(c.name, c.counts, digits)
		if err != nil {
			return fmt.Errorf("figure %q: %w", c.name, err)
		}
		out.Figures = append(out.Figures, report.Figure{SVG: f.SVG(), Alt: title + ": confusion of digits. " + c.name, Caption: "Rows are what was said, columns what was understood."})
	}
	s.sections = append(s.sections, out)
	return nil
}

var digits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// outcome is the result with its page; the last network is shown at work.
func (s *study) outcome(ctx context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	shown := s.Jobs[len(s.Jobs)-1]
	more, err := shown.Sections(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range more {
		m.Title = fmt.Sprintf("%s, seed %d: %s", shown.Name, shown.Config.Seed, m.Title)
		s.sections = append(s.sections, m)
	}
	whence := "Free Spoken Digit Dataset (Jackson and others), CC BY-SA 4.0."
	if s.size.made {
		whence = "Sounds are made of tones at this scale; their figures say nothing of speech."
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title: "Spoken digits", Lead: s.lead, Claims: r.Claims, Sections: s.sections, Notes: []string{whence}, Config: string(shown.YAML), Facts: r.Facts(),
			Links: []report.Link{{Text: "Bellec et al. 2018", URL: "https://arxiv.org/abs/1803.09574"}, {Text: "FSDD", URL: "https://github.com/Jakobovski/free-spoken-digit-dataset"}},
		}
	})
}
