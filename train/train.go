// Package train runs learning: it feeds batches to a Learner, measures it on
// samples that it does not learn from, tells observers what happens, and keeps
// checkpoints from which a killed run continues to the same bits.
//
//	Loop → Cursor.Next → Learner.Step → … → Learner.Predict → task.Score → Observer
//	                  ↘ run.Dir: metrics.jsonl, checkpoints/*.safetensors
//
// A Rule is a way of learning as a configuration describes it. In a Setting, the
// samples, tasks and steps of a run, it makes a Learner, or of arrays that a learner
// left behind a Predictor.
package train

import (
	"context"
	"io"

	"synfire/data"
	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// Array is a named array of a learner's state.
type Array = safetensors.Array

// Predictor says what it takes samples for. It is not safe for use by several
// goroutines; see Forker.
type Predictor interface {
	// Predict runs a batch without learning. The batch's targets may be missing:
	// then there is no loss. The result is valid until the next call.
	Predict(ctx context.Context, b *sample.Batch) (Prediction, error)
}

// Forker is a Predictor that makes others with the same weights, one for each
// goroutine that predicts.
type Forker interface{ Fork() Predictor }

// Learner is a Predictor that learns.
type Learner interface {
	Predictor
	// Step learns from a batch. Its figures are those before learning from it; a
	// loss is one of them where the rule has one.
	Step(ctx context.Context, b *sample.Batch) (Metrics, error)
	// Model is what predictions depend on: with it, Rule.Predictor makes the
	// predictor. Arrays may share the learner's memory until the next Step.
	Model() map[string]Array
	// State is what Step depends on besides its batch, Model included.
	State() map[string]Array
	SetState(map[string]Array) error
}

// Finisher is a Learner whose model is not complete when learning ends: neurons
// want labels, a readout its weights.
type Finisher interface {
	Learner
	// Finish completes the model from the training samples, which the cursor walks
	// once, in order and not augmented. Nothing else of the learner changes, and
	// called again it gives the same. Until then Predict is an error. Interrupted,
	// it returns ctx's error and leaves the model as it was.
	Finish(ctx context.Context, c *data.Cursor) error
	// Finished reports whether the model is complete.
	Finished() bool
}

// Starter is a Learner that looks at the training samples before it learns from them.
type Starter interface {
	Learner
	// Start is called once, before the first step of a run that continues no other. The
	// cursor walks the training samples in order and not augmented. Interrupted, it returns
	// ctx's error.
	Start(ctx context.Context, c *data.Cursor) error
}

// Staged is a Learner that learns its parts one after another. Epochs before all have learned are
// measured, but none of them is chosen, nor waited for by patience.
type Staged interface {
	Learner
	// Ready reports whether all parts have learned what they will.
	Ready() bool
}

// Warner is a Learner that says before it learns what is doubtful about its options.
type Warner interface {
	Learner
	Warnings() []string
}

// Pictured is a Learner with a picture, a PNG, of what it has learned so far, which a run keeps
// up to date in its directory; nil where there is none of such samples.
type Pictured interface {
	Learner
	Picture() ([]byte, error)
}

// Streaming is a Predictor whose rule is online, so that it goes on learning from events
// as they come.
type Streaming interface {
	Predictor
	// Pipe learns from the events of r until it ends or ctx does, updating weights each
	// so many milliseconds (0: as the rule has it), and writes to w what the outputs
	// answer. Memory does not grow with the number of events. What was learned up to an
	// error stays.
	Pipe(ctx context.Context, update float64, r io.Reader, w io.Writer) error
	Model() map[string]Array
}

// Setting is what a rule learns in.
type Setting struct {
	Spec    sample.Spec    // of the samples
	Samples int            // to learn from, of an epoch
	Encoder encode.Encoder // makes signals of samples
	Steps   int            // of time in a run
	Tasks   []task.Binding // what the model is for
	Epochs  int
	Batch   int
	Seed    uint64
	Pool    *par.Pool
}

// Rule is a way of learning, as a configuration describes it.
type Rule interface {
	Validate() error
	Learner(s Setting) (Learner, error)
	// Predictor is the model of arrays that Learner.Model returned. Of the setting
	// it needs the spec, the encoder, the steps, the seed and the pool.
	Predictor(s Setting, model map[string]Array) (Predictor, error)
}

// Selective is a Rule that does without some of a configuration's common keys. One
// that is given all the same is an error.
type Selective interface {
	// Ignores are the keys, of encoder and steps.
	Ignores() []string
}

// Expander is a Rule whose configuration may be written short, such as by the name of a
// network. Configurations are written out when they are read.
type Expander interface {
	Rule
	Expand() Rule
}

// Planner is a Rule that can tell what a run will need.
type Planner interface {
	Plan(s Setting) (Plan, error)
}

// Plan is what a run will need, told without its memory being taken. Bytes are upper
// bounds of what grows with the model and the batch; a program and its data come on
// top.
type Plan struct {
	Parameters int64
	Train      int64 // bytes
	Least      int64 // bytes of Train where as little as possible is held at once; 0: unknown
	Weights    int64 // bytes of Train that are parameters and what goes with them
	Infer      int64 // bytes, for batches of 256 samples
	Window     int   // steps of time held at once; 0 where the rule holds none
	Layers     []PlannedLayer
}

// PlannedLayer is a part of a model.
type PlannedLayer struct {
	Name       string
	Output     tensor.Shape // of one sample
	Parameters int64
}

// Prediction is what a predictor says of a batch.
type Prediction struct {
	Outputs []task.Output // named; the first is the one that is meant where nobody names one
	// Metrics have the loss where the batch has the targets and the rule a loss.
	Metrics Metrics
	Steps   []int // of time that each sample took; nil: all of the run's
}

// Output finds an output by name; the empty name is the first.
func (p Prediction) Output(name string) (task.Output, bool) {
	for _, o := range p.Outputs {
		if name == "" || o.Name == name {
			return o, true
		}
	}
	return task.Output{}, false
}
