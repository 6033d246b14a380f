package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"synfire/data"
	"synfire/encode"
	"synfire/format/yaml"
	"synfire/internal/par"
	"synfire/network"
	"synfire/sample"
	"synfire/task"
	"synfire/train"
)

// MaxConfig is the most bytes that the file of a training run has.
const MaxConfig = 1 << 20

// Config is a training run: what `synfire train FILE.yaml` reads and what a model
// file carries. Keys that are not its own belong to the rule.
type Config struct {
	Seed      uint64         `yaml:"seed"`                 // of all random numbers
	Data      Data           `yaml:"data,required"`        // what it learns from
	Encoder   encode.Encoder `yaml:"encoder,omitempty"`    // makes spikes or currents of samples; constant unless given
	Steps     int            `yaml:"steps,omitempty"`      // T, of time; of series those of the data
	Task      []task.Binding `yaml:"task,single"`          // what the model is for; unless given, what fits the first target
	Epochs    int            `yaml:"epochs"`               // passes through the training samples
	Batch     int            `yaml:"batch"`                // samples a step
	Valid     float64        `yaml:"valid"`                // share of the training samples that is held out to choose the best epoch; 0: nothing is chosen
	ValidSeed *uint64        `yaml:"valid-seed,omitempty"` // of which samples are held out; unless given, seed, or with init that of the model's run on the same data
	Patience  int            `yaml:"patience"`             // epochs without a better one after which training ends; 0: never
	WatchTest bool           `yaml:"watch-test"`           // measure the test samples after every epoch too; they choose nothing
	Finish    int            `yaml:"finish-every"`         // epochs after which a model that has to be finished is finished and validated; 0: every one
	Init      string         `yaml:"init,omitempty"`       // model file that weights start from, by name; what does not fit is listed
	Convert   *Conversion    `yaml:"convert,omitempty"`    // makes the ordinary network of init spiking first, its thresholds with it
	Rule      train.Rule     `yaml:",inline,kind=rule:bptt"`
}

// Conversion makes an ordinary network spiking before training goes on: neurons in the place
// of rectified units, whose thresholds are factor times the largest input that a unit
// receives in a step. The network of the file has neurons stdb with an array of thresholds,
// varied: {threshold: channel}.
type Conversion struct {
	Factor     float64 `yaml:"factor,required"`      // of the largest input; 1 loses nothing, less is faster, 0.7 is usual
	Percentile float64 `yaml:"percentile,omitempty"` // of the inputs, in place of the largest, such as 99.9; 0: the largest
	Samples    int     `yaml:"samples,omitempty"`    // training samples that thresholds are set by; 0: 200
	Steps      int     `yaml:"steps,omitempty"`      // of time that they are run for; 0: 100
}

// Validate returns an error for figures that make no sense, and fills none in.
func (c Conversion) Validate() error {
	switch {
	case !(c.Factor > 0) || math.IsInf(c.Factor, 0):
		return fmt.Errorf("convert: factor is %v, want a positive number such as 0.7", c.Factor)
	case !(c.Percentile >= 0 && c.Percentile <= 100):
		return fmt.Errorf("convert: percentile is %v, want one in (0, 100], or leave it out for the largest input", c.Percentile)
	case c.Samples < 0 || c.Steps < 0:
		return fmt.Errorf("convert: %d samples of %d steps, want neither negative; leave them out for 200 of 100", c.Samples, c.Steps)
	}
	return nil
}

// NewConfig has the defaults of a configuration file.
func NewConfig() Config {
	return Config{Seed: 1, Encoder: encode.Constant{}, Epochs: 1, Batch: 64, Valid: 0.1}
}

// Validate returns an error for counts that make no sense.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"steps", c.Steps, 0},
		{"epochs", c.Epochs, 1},
		{"batch", c.Batch, 1},
		{"patience", c.Patience, 0},
		{"finish-every", c.Finish, 0},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s is %d, want at least %d", f.name, f.value, f.least)
		}
	}
	switch {
	case !(c.Valid >= 0 && c.Valid < 1):
		return fmt.Errorf("valid is %v, want a share in [0, 1), as 0.1, or 0 to choose nothing", c.Valid)
	case c.Patience > 0 && c.Valid == 0:
		return fmt.Errorf("patience is %d without validation samples to wait for; set valid, as 0.1", c.Patience)
	case c.Rule == nil:
		return errors.New("no rule is given, such as bptt")
	}
	if c.Convert != nil {
		if c.Init == "" {
			return errors.New("convert is given without init, the model of an ordinary network; name one")
		}
		if err := c.Convert.Validate(); err != nil {
			return err
		}
	}
	if err := c.Data.Validate(); err != nil {
		return err
	}
	for i, t := range c.Task {
		if err := t.Validate(); err != nil {
			return err
		}
		if t.Name != "" && slices.ContainsFunc(c.Task[:i], func(o task.Binding) bool { return o.Name == t.Name }) {
			return fmt.Errorf("two tasks are called %q; names must differ, their figures go by them", t.Name)
		}
	}
	return c.Rule.Validate()
}

// HeldOutBy is the seed of which samples are held out.
func (c Config) HeldOutBy() uint64 {
	if c.ValidSeed != nil {
		return *c.ValidSeed
	}
	return c.Seed
}

// ignored are the common keys that the rule does without.
func (c Config) ignored() []string {
	if s, ok := c.Rule.(train.Selective); ok {
		return s.Ignores()
	}
	return nil
}

// Decode reads a configuration file; name stands in errors.
func (t Table) Decode(name string, src []byte) (Config, error) {
	c := NewConfig()
	if err := yaml.Decode(name, src, &c, t.Kinds()); err != nil {
		return Config{}, err
	}
	if missing, path := unset(reflect.ValueOf(c)); missing {
		line, column, _ := yaml.Locate(src, path...)
		return Config{}, &yaml.Error{File: name, Line: line, Column: column, Path: pathText(path), Msg: "no value, where a kind is needed", Hint: "write one, or remove the key to keep its default"}
	}
	if e, ok := c.Rule.(train.Expander); ok {
		c.Rule = e.Expand()
	}
	for _, key := range c.ignored() {
		if line, column, ok := yaml.Locate(src, key); ok {
			return Config{}, &yaml.Error{File: name, Line: line, Column: column, Path: key, Msg: "the rule does without this key; remove it"}
		}
		switch key {
		case "encoder":
			c.Encoder = nil
		case "steps":
			c.Steps = 0
		}
	}
	return c, nil
}

// unset is where null has taken a kind away, if it has. Kinds that may be left out are
// those that are not written where they are.
func unset(v reflect.Value) (missing bool, path []any) {
	below := func(step any, v reflect.Value) bool {
		if missing, path = unset(v); missing && step != "" {
			path = append([]any{step}, path...)
		}
		return missing
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v.Kind() == reflect.Interface, nil
		}
		return unset(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if below(i, v.Index(i)) {
				return missing, path
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field, f := v.Type().Field(i), v.Field(i)
			tag, ok := field.Tag.Lookup("yaml")
			name, options, _ := strings.Cut(tag, ",")
			optional := f.Kind() == reflect.Interface && strings.Contains(options, "omitempty") && f.IsNil()
			if !field.IsExported() || !ok && !field.Anonymous || name == "-" || optional {
				continue
			}
			if below(name, f) {
				return missing, path
			}
		}
	}
	return false, nil
}

// pathText is a path as errors write it.
func pathText(path []any) string {
	var b strings.Builder
	for _, step := range path {
		if i, ok := step.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, ".%s", step)
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}

// Encode writes the configuration with all its defaults filled in.
func (t Table) Encode(c Config) ([]byte, error) {
	if e, ok := c.Rule.(train.Expander); ok {
		c.Rule = e.Expand()
	}
	return yaml.Encode(c, t.Kinds())
}

// Sets are the samples of a run.
type Sets struct {
	Spec          sample.Spec
	Train         sample.Source // to learn from
	Valid         sample.Source // to choose by; nil where nothing is held out
	Test          sample.Source // to measure with
	Normalization *sample.Normalization
}

// Prepare parts loaded samples as the configuration says: test samples are held out
// where there are none, and validation samples out of training; durations are made
// alike; the normalisation is worked out. It returns the configuration with what was
// found out filled in: classes, steps, task, mean and deviation.
func (c Config) Prepare(ctx context.Context, trainSet, testSet sample.Source) (Config, Sets, error) {
	if err := c.Validate(); err != nil {
		return c, Sets{}, err
	}
	var s Sets
	var err error
	if c.Data, s.Train, s.Test, err = c.Data.resolve(trainSet, testSet); err != nil {
		return c, s, err
	}
	s.Spec = s.Train.Spec()
	if c.Valid > 0 {
		if s.Train, s.Valid, err = data.Validation(s.Train, c.Valid, c.HeldOutBy()); err != nil {
			return c, s, err
		}
	}
	if c.Data, s.Normalization, err = c.Data.normalization(ctx, s.Train); err != nil {
		return c, s, err
	}
	c, err = c.For(s.Spec)
	return c, s, err
}

// For fills in what follows from the samples: the task, and the steps of time.
func (c Config) For(spec sample.Spec) (Config, error) {
	if len(c.Task) == 0 {
		if len(spec.Targets) == 0 {
			return c, errors.New("the data have no target to learn")
		}
		t, err := task.Default(spec.Targets[0])
		if err != nil {
			return c, err
		}
		c.Task = []task.Binding{{Task: t}}
	}
	if err := c.checkViews(spec); err != nil || c.Encoder == nil {
		return c, err
	}
	_, steps, err := c.Encoder.Plan(spec)
	switch {
	case err != nil:
		return c, err
	case steps > 0 && c.Steps > 0 && steps != c.Steps:
		return c, fmt.Errorf("steps is %d, and the samples are series of %d steps: leave steps out, or set data.length to pad or crop them", c.Steps, steps)
	case steps > 0:
		c.Steps = steps
	case c.Steps == 0:
		return c, errors.New("steps is missing: how many steps of time does a sample take?")
	}
	return c, nil
}

// checkViews returns an error where scores of several views cannot be averaged.
func (c Config) checkViews(spec sample.Spec) error {
	if err := c.Data.Views.Check(spec); err != nil || !c.Data.Views.On() {
		return err
	}
	for _, t := range c.Task {
		if f, err := spec.Target(t.Target); err == nil && f.Kind != sample.Class {
			return fmt.Errorf("data: views are averaged in the scores of classes, and target %q is %v: leave views out", f.Name, f.Kind)
		}
	}
	return nil
}

// Setting is what the rule of a prepared configuration learns in.
func (c Config) Setting(s Sets, pool *par.Pool) train.Setting {
	set := train.Setting{
		Spec: s.Spec, Encoder: c.Encoder, Steps: c.Steps, Tasks: c.Task,
		Epochs: c.Epochs, Batch: c.Batch, Seed: c.Seed, Pool: pool,
	}
	if s.Train != nil {
		set.Samples = s.Train.Len()
	}
	return set
}

// Loop is the loop of a prepared configuration.
func (c Config) Loop(s Sets, pool *par.Pool) (*train.Loop, error) {
	learner, err := c.Rule.Learner(c.Setting(s, pool))
	if err != nil {
		return nil, err
	}
	ahead := 0
	if data.Lazy(s.Train) {
		ahead = prefetch
	}
	cursor, err := data.NewCursor(s.Train, data.CursorOptions{Batch: c.Batch, Seed: c.Seed, Shuffle: !c.Data.Ordered, Augment: c.Data.Augment, Normalize: s.Normalization, Prefetch: ahead})
	if err != nil {
		return nil, err
	}
	return &train.Loop{
		Learner: learner, Train: cursor, Valid: s.Valid, Test: s.Test, Tasks: c.Task,
		Eval:   train.EvaluateOptions{Normalize: s.Normalization, Prefetch: ahead, Views: c.Data.Views},
		Epochs: c.Epochs, Patience: c.Patience, WatchTest: c.WatchTest, FinishEvery: c.Finish,
	}, nil
}

// prefetch is the number of batches that are decoded ahead where samples come from
// files.
const prefetch = 2

// Locate gives an error of a rule about a node of the configuration file src the
// node's line; other errors stay as they are.
func Locate(name string, src []byte, err error) error {
	var node *network.NodeError
	if !errors.As(err, &node) {
		return err
	}
	path := fmt.Sprintf("layers[%d]", node.Index)
	line, column, ok := yaml.Locate(src, "layers", node.Index)
	if !ok {
		path = "network" // by its name
		line, column, ok = yaml.Locate(src, path)
	}
	if !ok {
		return err
	}
	return &yaml.Error{File: name, Line: line, Column: column, Path: path, Msg: node.Error(), Err: err}
}
