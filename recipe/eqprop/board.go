package eqprop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"synfire/data"
	"synfire/format/yaml"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/eqprop"
	"synfire/train"
)

// Job is one training run of a recipe.
type Job struct {
	Name    string
	Config  rule.Config
	Images  int // the first of the training set; 0: all
	Epochs  int
	Batch   int
	Shuffle bool
}

// YAML is the job as its run directory keeps it.
func (j Job) YAML() ([]byte, error) {
	return yaml.Encode(struct {
		Learner     string `yaml:"learner"`
		Images      int    `yaml:"images"`
		Epochs      int    `yaml:"epochs"`
		Batch       int    `yaml:"batch"`
		Shuffle     bool   `yaml:"shuffle"`
		rule.Config `yaml:",inline"`
	}{rule.Kind, j.Images, j.Epochs, j.Batch, j.Shuffle, j.Config}, nil)
}

// done is a finished job. The learners of many jobs are not kept: only the first and
// the last one's are sure to be there.
type done struct {
	job     Job
	config  []byte // the job's YAML
	learner *rule.Learner
	result  *train.Evaluation
	epochs  []train.Epoch
}

// epochSeconds is the mean time of an epoch.
func (d *done) epochSeconds() float64 {
	seconds := 0.0
	for _, e := range d.epochs {
		seconds += e.Seconds
	}
	return seconds / float64(len(d.epochs))
}

// board collects the jobs of a run. After an error it does nothing more.
type board struct {
	env      *recipe.Env
	train    *data.Set
	test     *data.Set
	measured map[string]report.Measurement
	metrics  report.Metrics
	jobs     []done
	states   hash.Hash // of all learners, in order
	err      error
}

func newBoard(ctx context.Context, e *recipe.Env) (*board, error) {
	trainSet, testSet, err := sets(ctx, e)
	if err != nil {
		return nil, err
	}
	return &board{env: e, train: trainSet, test: testSet, measured: map[string]report.Measurement{}, metrics: report.Metrics{}, states: sha256.New()}, nil
}

// run trains a job in a directory of its own.
func (b *board) run(ctx context.Context, j Job) (*done, error) {
	set := b.train
	if j.Images > 0 && j.Images < set.Len() {
		first := make([]int, j.Images)
		for i := range first {
			first[i] = i
		}
		var err error
		if set, err = set.Subset(first); err != nil {
			return nil, err
		}
	}
	j.Config.Pool = b.env.Pool
	learner, err := rule.New(j.Config)
	if err != nil {
		return nil, err
	}
	for _, w := range j.Config.Warnings() {
		b.env.Observer.Warn(j.Name + ": " + w)
	}
	cursor, err := data.NewCursor(set, data.CursorOptions{Batch: j.Batch, Seed: j.Config.Seed, Shuffle: j.Shuffle})
	if err != nil {
		return nil, err
	}
	config, err := j.YAML()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(b.env.Out, fmt.Sprintf("%s-s%d", j.Name, j.Config.Seed))
	dir, err := train.OpenRunDir(path, rule.Kind, config, b.env.Resume)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	loop := train.Loop{
		Learner: learner, Train: cursor, Test: b.test, Epochs: j.Epochs, Dir: dir,
		SaveEvery: b.env.SaveEvery, Observer: b.env.Observer, Now: b.env.Now,
	}
	result, err := loop.Run(ctx)
	if err != nil {
		return nil, err
	}
	_, epochs, err := dir.History()
	if err != nil {
		return nil, err
	}
	return &done{j, config, learner, result, epochs}, nil
}

// testError runs a job and returns its test error in percent.
func (b *board) testError(ctx context.Context, j Job) float64 {
	if b.err != nil {
		return 0
	}
	d, err := b.run(ctx, j)
	if err != nil {
		b.err = fmt.Errorf("%s, seed %d: %w", j.Name, j.Config.Seed, err)
		return 0
	}
	b.jobs = append(b.jobs, *d)
	b.hash(d.learner.State())
	wrong := 100 - d.result.Metrics.Accuracy()
	name := metric(j)
	b.metrics[name+"_test_error"] = wrong
	b.metrics[name+"_seconds_per_epoch"] = d.epochSeconds()
	for layer, rate := range d.epochs[len(d.epochs)-1].Rates {
		b.metrics[name+"_rate_"+layer] = rate
	}
	return wrong
}

// metric begins the names of a job's figures.
func metric(j Job) string {
	return fmt.Sprintf("%s_s%d", strings.ReplaceAll(j.Name, "-", "_"), j.Config.Seed)
}

// last is the job that ran last, or none after an error.
func (b *board) last() Job {
	if len(b.jobs) == 0 {
		return Job{}
	}
	return b.jobs[len(b.jobs)-1].job
}

// measure runs a job and adds its test error to a claim.
func (b *board) measure(ctx context.Context, claim string, j Job) {
	if wrong := b.testError(ctx, j); claim != "" {
		b.add(claim, wrong)
	}
}

// forward adds the test error of the last job's predictor to a claim.
func (b *board) forward(ctx context.Context, claim string) {
	if b.err != nil {
		return
	}
	f, err := b.jobs[len(b.jobs)-1].learner.Forward()
	if err == nil {
		var result *train.Evaluation
		if result, err = train.Evaluate(ctx, f, b.test, testBatch, nil); err == nil {
			b.add(claim, 100-result.Metrics.Accuracy())
		}
	}
	b.err = err
}

const testBatch = 256

// add adds a figure to a claim.
func (b *board) add(claim string, value float64) {
	if b.err == nil {
		m := b.measured[claim]
		m.Values, m.N = append(m.Values, value), b.test.Len()
		b.measured[claim] = m
	}
}

// seeds is the number of seeds of a claim with several figures of each.
func (b *board) seeds(claim string, n int) {
	m := b.measured[claim]
	m.Seeds = n
	b.measured[claim] = m
}

// outcome is the result, with a page that shows, after its own sections, each job's
// course, and of each kind of network how it relaxes and how good its estimates are.
func (b *board) outcome(page report.Page) (*recipe.Outcome, error) {
	if b.err != nil {
		return nil, b.err
	}
	sections := page.Sections
	for _, build := range []func() ([]report.Section, error){b.learning, b.relaxations, b.gradients, b.alignments, b.fidelities} {
		more, err := build()
		if err != nil {
			return nil, err
		}
		sections = append(sections, more...)
	}
	var configs []string
	for _, d := range b.jobs {
		configs = append(configs, "# "+d.job.Name+"\n"+string(d.config))
	}
	return &recipe.Outcome{
		Measured: b.measured, Metrics: b.metrics, WeightsSHA256: hex.EncodeToString(b.states.Sum(nil)),
		Page: func(r report.Run) report.Page {
			page.Claims, page.Sections, page.Config, page.Facts = r.Claims, sections, strings.Join(configs, "\n"), r.Facts()
			return page
		},
	}, nil
}

// hash takes a learner's state into the sum over all of them.
func (b *board) hash(state map[string]train.Array) {
	for _, name := range slices.Sorted(maps.Keys(state)) {
		fmt.Fprintf(b.states, "%s %v\n", name, state[name].Shape)
		b.states.Write(state[name].Data)
	}
}

// learning draws the errors and lists the jobs.
func (b *board) learning() ([]report.Section, error) {
	s := report.Section{
		Title: "Learning",
		Text:  "Training errors are of the free phase, before a batch is learned from. Active is the share of units of the first layer above zero.",
	}
	table := report.Table{Head: []string{"run", "seed", "images", "epochs", "train error", "test error", "active", "an epoch"}, Right: []bool{false, true, true, true, true, true, true, true}}
	for _, d := range b.jobs {
		last := d.epochs[len(d.epochs)-1]
		images := d.job.Images
		if images == 0 {
			images = b.train.Len()
		}
		table.Rows = append(table.Rows, []string{
			d.job.Name, fmt.Sprint(d.job.Config.Seed), report.Integer(int64(images)), fmt.Sprint(len(d.epochs)),
			fmt.Sprintf("%.2f %%", 100-last.TrainAccuracy), fmt.Sprintf("%.2f %%", 100-d.result.Metrics.Accuracy()),
			fmt.Sprintf("%.1f %%", 100*last.Rates["layer1"]), report.Seconds(d.epochSeconds()),
		})
	}
	s.Tables = append(s.Tables, table)
	const most, figures = 6, 4 // lines that can be told apart, and pictures of them
	names := b.names()
	for names := range slices.Chunk(names[:min(len(names), most*figures)], most) {
		var test, training []figure.Series
		for _, name := range names {
			test = append(test, b.course(name, func(e train.Epoch) float64 { return 100 - e.TestAccuracy }))
			training = append(training, b.course(name, func(e train.Epoch) float64 { return 100 - e.TrainAccuracy }))
		}
		f, err := figure.Curves("Errors", "epoch", figure.Panel{Name: "test error (%)", Series: test}, figure.Panel{Name: "training error (%)", Series: training})
		if err != nil {
			return nil, err
		}
		s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: "Errors over epochs of " + strings.Join(names, ", "), Caption: "Of several seeds the mean, with their range as a band."})
	}
	return []report.Section{s}, nil
}

// names are those of the jobs, each once.
func (b *board) names() (names []string) {
	for _, d := range b.jobs {
		if !slices.Contains(names, d.job.Name) {
			names = append(names, d.job.Name)
		}
	}
	return names
}

// course is the mean over the seeds of a job, with their range.
func (b *board) course(name string, value func(train.Epoch) float64) figure.Series {
	line, seeds := figure.Series{Name: name}, 0.0
	for _, d := range b.jobs {
		if d.job.Name != name {
			continue
		}
		seeds++
		for i, e := range d.epochs {
			v := value(e)
			if i == len(line.Y) {
				line.Y, line.Low, line.High = append(line.Y, v), append(line.Low, v), append(line.High, v)
				continue
			}
			line.Y[i] += (v - line.Y[i]) / seeds
			line.Low[i], line.High[i] = min(line.Low[i], v), max(line.High[i], v)
		}
	}
	if seeds == 1 {
		line.Low, line.High = nil, nil
	}
	return line
}
