package task

import (
	"fmt"
	"slices"

	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Read says which part of an output is compared with values.
type Read uint8

// The ways to read an output.
const (
	ReadScores Read = iota // "scores": the scores, as the predictor's loss or its output's decoder reads them
	ReadMean               // "mean": the mean over the steps
	ReadSum                // "sum": the sum over the steps, as a spike count
	ReadLast               // "last": the last step that is no padding
	ReadEach               // "each": every step by itself
)

var readNames = [...]string{"scores", "mean", "sum", "last", "each"}

// String is the name in configuration files.
func (r Read) String() string {
	if int(r) < len(readNames) {
		return readNames[r]
	}
	return fmt.Sprintf("read(%d)", r)
}

// MarshalText is String.
func (r Read) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of String.
func (r *Read) UnmarshalText(text []byte) error {
	i := slices.Index(readNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("read %q: want scores, mean, sum, last or each", text)
	}
	*r = Read(i)
	return nil
}

// of is how an output is read against a target: at each step where that is a series.
func (r Read) of(target sample.Field) Read {
	if target.Steps > 0 {
		return ReadEach
	}
	return r
}

// check wants an output of as many values as a target of values.
func (r Read) check(out tensor.Shape, steps int, target sample.Field) error {
	switch {
	case target.Kind != sample.Values:
		return fmt.Errorf("target %q is %v, want values: choose another task or another target", target.Name, target.Kind)
	case out.Size() != target.Shape.Size():
		return fmt.Errorf("the output has %d values, and target %q %d: is it the data set that the network is for?", out.Size(), target.Name, target.Shape.Size())
	case target.Steps > 0 && target.Steps != steps:
		return fmt.Errorf("target %q is a series of %d steps, the run has %d", target.Name, target.Steps, steps)
	case target.Steps > 0 && r != ReadScores && r != ReadEach:
		return fmt.Errorf("target %q is a series, which is compared at each step, and read is %v: leave read out", target.Name, r)
	}
	return nil
}

// SampleError is an output that cannot be scored; Place is its sample's in the source.
type SampleError struct {
	Place int
	Err   error
}

// Error names the sample by its place.
func (e *SampleError) Error() string { return fmt.Sprintf("sample %d: %v", e.Place, e.Err) }

// Unwrap is the cause.
func (e *SampleError) Unwrap() error { return e.Err }

// check returns an error where the parts of a case do not belong together.
func (c Case) check(kind sample.Kind) error {
	n, o := c.Batch.Len(), c.Output
	switch {
	case c.Target.Field.Kind != kind || c.Target.Len() != n:
		return fmt.Errorf("%d targets of the kind %v for %d samples, want one for each, of the kind %v", c.Target.Len(), c.Target.Field.Kind, n, kind)
	case len(o.Scores) != n*o.Shape.Size():
		return fmt.Errorf("%d scores for %d samples of %v, want their product", len(o.Scores), n, o.Shape)
	case o.Signal != nil && (o.Signal.Kind != signal.Dense || o.Signal.B != n || o.Signal.Units() != o.Shape.Size()):
		return fmt.Errorf("a course over time of %d samples of %d units, want a dense one of %d samples of %v", o.Signal.B, o.Signal.Units(), n, o.Shape)
	case c.Valid != nil && len(c.Valid) != n:
		return fmt.Errorf("%d lengths for %d samples", len(c.Valid), n)
	}
	return nil
}

// finite returns an error where a value that an output has for sample b of the batch
// is no number.
func (c Case) finite(b int, values []tensor.Float) error {
	if i, ok := tensor.Finite(values); !ok {
		return &SampleError{c.First + b, fmt.Errorf("value %d of the output is %v, want a finite number: has training diverged? Lower its learning rate, or set clip", i, values[i])}
	}
	return nil
}

// steps are those of sample b that are no padding.
func (c Case) steps(b int) int {
	if c.Valid == nil {
		return c.Output.Signal.T
	}
	return c.Valid[b]
}

// at is what the output says of sample b in step t.
func (c Case) at(t, b int) []tensor.Float {
	k := c.Output.Shape.Size()
	return c.Output.Signal.Data[(t*c.Batch.Len()+b)*k:][:k]
}

// pairs hands out what the output says of each sample beside the values that it should
// say: once a sample, or once a step where each is read.
func (c Case) pairs(read Read, visit func(b int, have, want []tensor.Float)) error {
	if err := c.check(sample.Values); err != nil {
		return err
	}
	field := c.Target.Field
	read = read.of(*field)
	if read != ReadScores && c.Output.Signal == nil {
		return fmt.Errorf("read is %v, and the output has no course over time: leave read out, and take a target that is no series", read)
	}
	k := c.Output.Shape.Size()
	for b := range c.Batch.Len() {
		want, steps := c.Target.At(b).Values, 1
		if read == ReadEach {
			steps = c.steps(b)
		}
		for t := range steps {
			have, y := c.answer(t, b, read), want
			if field.Steps > 0 {
				y = want[t*k:][:k]
			}
			if len(y) != k {
				return fmt.Errorf("%d values of target %q for an output of %d", len(y), field.Name, k)
			}
			if err := c.finite(b, have); err != nil {
				return err
			}
			visit(b, have, y)
		}
	}
	return nil
}

// Reader is a Task that says which part of an output it compares.
type Reader interface {
	Reads(target sample.Field) Read
}

// Reads is the part that is compared with a target.
func (t Regress) Reads(target sample.Field) Read { return t.Read.of(target) }

// Reads is the part that is compared with a target.
func (t Reconstruct) Reads(target sample.Field) Read { return t.Read.of(target) }

// Answers is what an output says of sample b as it is read: one row, or of ReadEach one
// for each step that is no padding. Only Output, Batch and Valid of the case are looked at.
func (c Case) Answers(b int, read Read) (rows [][]tensor.Float, err error) {
	if read != ReadScores && c.Output.Signal == nil {
		return nil, fmt.Errorf("read is %v, and the output has no course over time", read)
	}
	steps := 1
	if read == ReadEach {
		steps = c.steps(b)
	}
	for t := range steps {
		rows = append(rows, c.answer(t, b, read))
	}
	return rows, nil
}

// answer is what an output says of sample b, where each step is read in step t.
func (c Case) answer(t, b int, read Read) []tensor.Float {
	switch read {
	case ReadScores:
		return c.Output.Of(b)
	case ReadLast:
		return c.at(c.steps(b)-1, b)
	case ReadEach:
		return c.at(t, b)
	}
	out := make([]tensor.Float, c.Output.Shape.Size())
	for t := range c.steps(b) {
		for i, v := range c.at(t, b) {
			out[i] += v
		}
	}
	if read == ReadMean {
		for i := range out {
			out[i] /= tensor.Float(c.steps(b))
		}
	}
	return out
}
