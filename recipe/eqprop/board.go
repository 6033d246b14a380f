package eqprop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"synfire/data/mnist"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/eqprop"
	"synfire/run"
	"synfire/task"
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

// of is the job as a study takes it, on one of the data sets. The test error is watched,
// and chooses nothing: the last epoch's network is the result.
func (j Job) of(name string, images int) recipe.Job {
	c := model.Config{
		Seed: j.Config.Seed, Data: model.Data{Name: name, Ordered: !j.Shuffle},
		Epochs: j.Epochs, Batch: j.Batch, WatchTest: true, Rule: rule.Rule{Config: j.Config},
	}
	if j.Images < images {
		c.Data.Train = j.Images
	}
	return recipe.Job{Name: j.Name, Config: c}
}

// done is a finished job. The learners of many jobs are not kept: only the first and
// the last one's are sure to be there.
type done struct {
	job     Job
	learner *rule.Learner
	*recipe.Trained
}

// wrong is the test error in percent.
func (d done) wrong() float64 { return 100 - d.Result.Test.Value("accuracy") }

// board is a study of jobs of equilibrium propagation.
type board struct {
	*recipe.Study
	name string // of the data set
	jobs []done
}

func newBoard(ctx context.Context, e *recipe.Env) (*board, error) {
	name := "mnist"
	switch e.Scale {
	case report.Smoke:
		name = mnist.SampleName
	case report.Short, report.Full:
	default:
		return nil, recipe.NoScale("eqprop", e.Scale)
	}
	jobs, err := recipe.Load(ctx, e, model.Data{Name: name})
	if err != nil {
		return nil, err
	}
	return &board{Study: jobs, name: name}, nil
}

// testError runs a job and returns its test error in percent.
func (b *board) testError(ctx context.Context, j Job) float64 {
	j.Config.Pool = b.Env.Pool
	t := b.Run(ctx, j.of(b.name, b.Train().Len()))
	if t == nil {
		return 0
	}
	d := done{j, t.Learner.(*rule.Learner), t}
	b.jobs = append(b.jobs, d)
	name := metric(j)
	b.Metrics[name+"_test_error"] = d.wrong()
	b.Metrics[name+"_seconds_per_epoch"] = d.EpochSeconds()
	for layer, rate := range d.Epochs[len(d.Epochs)-1].Rates {
		b.Metrics[name+"_rate_"+layer] = rate
	}
	return d.wrong()
}

// forget lets go of the last job's learner: of a hundred jobs, they would take gigabytes.
func (b *board) forget() {
	if n := len(b.jobs); n > 1 && b.Err() == nil {
		b.jobs[n-1].learner, b.jobs[n-1].Learner = nil, nil
	}
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
	b.add(claim, b.testError(ctx, j))
}

// add adds a figure of the test set to a claim.
func (b *board) add(claim string, value float64) { b.Add(claim, value, b.Test().Len()) }

// forward adds the test error of the last job's predictor to a claim.
func (b *board) forward(ctx context.Context, claim string) {
	if b.Err() != nil {
		return
	}
	b.add(claim, b.evaluate(ctx, b.jobs[len(b.jobs)-1].learner, rule.ForwardName))
}

// evaluate is the test error of an output of a learner, in percent.
func (b *board) evaluate(ctx context.Context, l *rule.Learner, output string) float64 {
	result, err := train.Evaluate(ctx, l, b.Test(), train.EvaluateOptions{Tasks: []task.Binding{{Task: task.Classify{}, Output: output}}})
	if err != nil {
		b.Fail(err)
		return 0
	}
	return 100 - result.Classes().Accuracy()
}

// outcome is the result, with a page that shows, after its own sections, each job's
// course, and of each kind of network how it relaxes and how good its estimates are.
func (b *board) outcome(page report.Page) (*recipe.Outcome, error) {
	if err := b.Err(); err != nil {
		return nil, err
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
		configs = append(configs, "# "+d.job.Name+"\n"+string(d.YAML))
	}
	return b.Outcome(func(r report.Run) report.Page {
		page.Claims, page.Sections, page.Config, page.Facts = r.Claims, sections, strings.Join(configs, "\n"), r.Facts()
		return page
	})
}

// learning draws the errors and lists the jobs.
func (b *board) learning() ([]report.Section, error) {
	s := report.Section{
		Title: "Learning",
		Text:  "Training errors are of the free phase, before a batch is learned from. Active is the share of units of the first layer above zero.",
	}
	table := report.Table{Head: []string{"run", "seed", "images", "epochs", "train error", "test error", "active", "an epoch"}, Right: []bool{false, true, true, true, true, true, true, true}}
	for _, d := range b.jobs {
		last := d.Epochs[len(d.Epochs)-1]
		table.Rows = append(table.Rows, []string{
			d.job.Name, fmt.Sprint(d.job.Config.Seed), report.Integer(int64(d.Sets.Train.Len())), fmt.Sprint(len(d.Epochs)),
			fmt.Sprintf("%.2f %%", 100-last.Train["accuracy"]), fmt.Sprintf("%.2f %%", d.wrong()),
			fmt.Sprintf("%.1f %%", 100*last.Rates["layer1"]), report.Seconds(d.EpochSeconds()),
		})
	}
	s.Tables = append(s.Tables, table)
	const most, figures = 6, 4 // lines that can be told apart, and pictures of them
	names := b.Names()
	for names := range slices.Chunk(names[:min(len(names), most*figures)], most) {
		var test, training []figure.Series
		for _, name := range names {
			test = append(test, b.Course(name, func(e run.Epoch) float64 { return 100 - e.Test["accuracy"] }))
			training = append(training, b.Course(name, func(e run.Epoch) float64 { return 100 - e.Train["accuracy"] }))
		}
		f, err := figure.Curves("Errors", "epoch", figure.Panel{Name: "test error (%)", Series: test}, figure.Panel{Name: "training error (%)", Series: training})
		if err != nil {
			return nil, err
		}
		s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: "Errors over epochs of " + strings.Join(names, ", "), Caption: "Of several seeds the mean, with their range as a band."})
	}
	return []report.Section{s}, nil
}
