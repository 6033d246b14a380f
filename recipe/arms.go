package recipe

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/convert"
	"synfire/encode"
	"synfire/energy"
	"synfire/model"
	"synfire/report"
	"synfire/run"
	"synfire/sample"
	"synfire/train"
)

// Arm is a way to make an ordinary network spiking, which a study follows over the steps.
type Arm struct {
	Name    string // of metrics and files
	Text    string // for people
	Method  string // of convert.Methods
	Options convert.Options
	Poisson bool  // the input is spikes drawn anew in each step; else it is a current
	Steps   []int // after which the answer is read off, ascending
	Tested  int   // test samples that it is measured on, from the first; 0: all
	Held    bool  // measured on samples held out from training in their place, to choose by
	Unseen  bool  // left out of the figure, which holds six lines
	// Change makes something else of what the method gave; nil: nothing.
	Change func(ctx context.Context, c *convert.Conversion) error
}

// Followed are the figures of an arm for one seed.
type Followed struct {
	Ordinary float64 // accuracy of the ordinary network on the same samples, in percent
	N        int     // those samples
	Points   []convert.Point
	Layers   []convert.LayerFigures
	Settings string // what the figures depend on
}

// At is the point after some steps; one of NaN where the arm does not stop there.
func (f *Followed) At(steps int) convert.Point {
	for _, p := range f.Points {
		if p.Steps == steps {
			return p
		}
	}
	return convert.Point{Steps: steps, Accuracy: math.NaN(), Spikes: math.NaN(), Synops: math.NaN()}
}

// Loss is the ordinary network's accuracy less that after some steps, in points.
func (f *Followed) Loss(steps int) float64 { return f.Ordinary - f.At(steps).Accuracy }

// Reaches is the first of the steps whose accuracy is at most loss points below the ordinary
// network's; infinite where none is.
func (f *Followed) Reaches(loss float64) float64 {
	for _, p := range f.Points {
		if f.Ordinary-p.Accuracy <= loss {
			return float64(p.Steps)
		}
	}
	return math.Inf(1)
}

// Last is the figures of the deepest layer.
func (f *Followed) Last() convert.LayerFigures { return f.Layers[len(f.Layers)-1] }

// Conversions are the trained networks of one kind, a seed each, with what their arms gave.
type Conversions struct {
	Name     string // of jobs and metrics
	Samples  int    // training samples to calibrate by
	Currents int    // steps in which currents are measured; 0: 100. Deep layers need as many as their first spikes take

	study    *Study
	ordinary map[measuredOn]float64
	arms     []Arm
	found    map[string][]*Followed // by arm, seed after seed
}

// measuredOn is a network and the samples that its accuracy is of.
type measuredOn struct {
	t      *Trained
	held   bool
	tested int
}

// Conversions begins with no network.
func (s *Study) Conversions(name string, samples int) *Conversions {
	return &Conversions{Name: name, Samples: samples, study: s, found: map[string][]*Followed{}, ordinary: map[measuredOn]float64{}}
}

// Train trains the ordinary network of a seed; nil after an error.
func (c *Conversions) Train(ctx context.Context, m model.Config) *Trained {
	t := c.study.Run(ctx, Job{Name: c.Name, Config: m})
	if t == nil {
		return nil
	}
	c.study.Metrics[c.key(t)+"test_accuracy"] = t.Result.Test.Value("accuracy")
	c.study.Metrics[c.key(t)+"seconds_per_epoch"] = t.EpochSeconds()
	return t
}

// key begins the names of a network's metrics.
func (c *Conversions) key(t *Trained) string {
	return fmt.Sprintf("%s_s%d_", strings.ReplaceAll(c.Name, "-", "_"), t.Config.Seed)
}

// rehearsedSteps is how many steps an arm runs where a study is walked through. It is then
// converted by its activations: networks that have learnt nothing may have no currents.
const rehearsedSteps = 2

// Follow converts a network by an arm and measures it, or takes the figures that an
// interrupted run has kept; nil after an error, which ends the study.
func (c *Conversions) Follow(ctx context.Context, t *Trained, a Arm) *Followed {
	if c.study.err != nil {
		return nil
	}
	f, err := c.Try(ctx, t, a)
	if err != nil {
		c.study.Fail(err)
	}
	return f
}

// Try is Follow for an arm that a network may turn out not to allow: an error ends nothing.
func (c *Conversions) Try(ctx context.Context, t *Trained, a Arm) (*Followed, error) {
	f, err := c.follow(ctx, t, a)
	if err != nil {
		return nil, fmt.Errorf("%s, seed %d, %s: %w", c.Name, t.Config.Seed, a.Name, err)
	}
	if !a.Held && !slices.ContainsFunc(c.arms, func(b Arm) bool { return a.Name == b.Name }) {
		c.arms = append(c.arms, a)
	}
	c.found[a.Name] = append(c.found[a.Name], f)
	for _, p := range f.Points {
		key := fmt.Sprintf("%s%s_t%d_", c.key(t), strings.ReplaceAll(a.Name, "-", "_"), p.Steps)
		c.study.Metrics[key+"accuracy"], c.study.Metrics[key+"spikes_per_image"] = p.Accuracy, p.Spikes
	}
	return f, nil
}

func (c *Conversions) follow(ctx context.Context, t *Trained, a Arm) (*Followed, error) {
	s, err := c.measures(t, a)
	if err != nil {
		return nil, err
	}
	m, err := convert.MethodOf(a.Method)
	if err != nil {
		return nil, err
	}
	path := run.FiguresFile(filepath.Join(c.study.Env.Out, fmt.Sprintf("%s-s%d", t.Name, t.Config.Seed)), a.Name)
	settings := c.settings(t, a, s)
	if f, err := keptFigures(path, settings); f != nil && c.study.Env.Resume || err != nil {
		return f, err
	}
	ordinary, err := c.accuracy(ctx, measuredOn{t, a.Held, a.Tested}, s)
	if err != nil {
		return nil, err
	}
	if c.study.Env.Rehearse != nil {
		s.Steps = []int{rehearsedSteps}
		if m, err = convert.MethodOf("percentile"); err != nil {
			return nil, err
		}
		a.Options = convert.Options{Percentile: 100, Reset: a.Options.Reset, Start: a.Options.Start, Pooling: a.Options.Pooling}
	}
	begun := c.study.Env.Now()
	made, err := s.Convert(ctx, m, a.Options)
	if err == nil && a.Change != nil {
		err = a.Change(ctx, &made)
	}
	if err != nil {
		return nil, err
	}
	r, err := s.Follow(ctx, made, ordinary)
	if err != nil {
		return nil, err
	}
	if c.study.Env.Rehearse != nil {
		r.Points = rehearsed(r.Points[0], a.Steps)
	}
	for i := range r.Points { // a plan of the network is more than the figures that are kept
		r.Points[i].Work = energy.Spiking{}
	}
	last := r.Points[len(r.Points)-1]
	c.study.Env.Observer.Note(fmt.Sprintf("%s, %s: %.2f %% after %d steps, %.2f %% before conversion, of %s samples   %s",
		c.Name, a.Name, last.Accuracy, last.Steps, r.Accuracy, report.Integer(int64(r.N)), report.Seconds(c.study.Env.Now().Sub(begun).Seconds())))
	f := &Followed{Ordinary: r.Accuracy, N: r.N, Points: r.Points, Layers: r.Layers, Settings: settings}
	return f, keepFigures(path, f)
}

// accuracy is that of the ordinary network, worked out once.
func (c *Conversions) accuracy(ctx context.Context, on measuredOn, s convert.Study) (v float64, err error) {
	v, ok := c.ordinary[on]
	if !ok {
		v, err = s.Accuracy(ctx)
		c.ordinary[on] = v
	}
	return v, err
}

// rehearsed gives one point for all steps.
func rehearsed(p convert.Point, steps []int) (all []convert.Point) {
	for _, k := range steps {
		p.Steps = k
		all = append(all, p)
	}
	return all
}

// measures is the study of a network by an arm.
func (c *Conversions) measures(t *Trained, a Arm) (s convert.Study, err error) {
	s = convert.Study{
		Graph: t.Network().Graph(), Train: t.Sets.Train, Test: t.Sets.Test, Normalize: t.Sets.Normalization,
		Encoder: encode.Constant{}, Steps: a.Steps, Samples: c.Samples, Currents: c.Currents, Seed: t.Config.Seed, Pool: c.study.Env.Pool,
		Progress: func(done, total int) { c.study.Env.Observer.Evaluating(train.SplitTest, done, total) },
	}
	if a.Poisson {
		s.Encoder = encode.Poisson{Scale: 1}
	}
	switch {
	case a.Held && t.Sets.Valid == nil:
		return s, errors.New("no training samples are held out to choose by")
	case a.Held:
		s.Test = t.Sets.Valid
	case a.Tested > 0:
		s.Test, err = sample.First(s.Test, min(a.Tested, s.Test.Len()))
	}
	return s, err
}

// settings are what the figures of an arm depend on.
func (c *Conversions) settings(t *Trained, a Arm, s convert.Study) string {
	o := a.Options
	reset, start := "of the method", "of the method"
	if o.Reset != nil {
		reset = fmt.Sprint(*o.Reset)
	}
	if o.Start != nil {
		start = fmt.Sprint(*o.Start)
	}
	return fmt.Sprintln(t.WeightsSHA256(), a.Name, a.Method, reset, start, o.Pooling, o.Percentile, o.Nonzero, o.Factor, o.Rescale, o.Late, a.Poisson, a.Steps, a.Held, a.Change != nil, s.Samples, s.Currents, s.Test.Len(), s.Seed)
}

// keptFigures are those of a file; nil where there is none, or one of other settings.
func keptFigures(path, settings string) (*Followed, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var f Followed
	if err := gob.NewDecoder(file).Decode(&f); err != nil || f.Settings != settings {
		return nil, nil // written in part, or of another experiment: it is measured anew
	}
	return &f, nil
}

func keepFigures(path string, f *Followed) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { // a network that ships has no run
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(file).Encode(f), file.Close())
}
