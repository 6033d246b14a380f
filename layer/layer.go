// Package layer holds the operators that a network is made of: linear maps,
// convolution, pooling, and the layers of neurons.
//
// A Layer is a value that holds options only. Its weights belong to the
// network, its state and its errors to the caller: the same Layer may run in
// many networks and many goroutines at once. Forward works on a whole window
// of time, [T, B, …]; layers that treat each step alike (all but the stateful
// ones) treat each row alike, so a Constant stays Constant and is computed
// once. Backward is explicit; each layer's doc comment has its equations.
package layer

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/signal"
	"synfire/tensor"
)

// Layer is one operator. Forward reads c.In and writes c.Out, choosing its
// kind. Backward reads c.DOut and writes c.DIn (nil entries are not needed),
// and adds to c.DParams.
type Layer interface {
	// Output checks the options against the inputs' shapes (of one sample)
	// and returns the output's shape.
	Output(in ...tensor.Shape) (tensor.Shape, error)
	Forward(c *Call)
	Backward(c *Call)
}

// Weighted is a Layer with parameters.
type Weighted interface {
	Layer
	// Params describes the parameters for inputs that Output accepts.
	Params(in ...tensor.Shape) []ParamSpec
	// Compile prepares weights for Forward (and Backward, if train), which
	// get the result as Call.Weights. It may reuse old, its last result.
	Compile(old any, pool *par.Pool, params []tensor.Tensor, train bool, in ...tensor.Shape) any
}

// Stateful is a Layer that carries state from step to step.
type Stateful interface {
	Layer
	// StateSize is the number of state variables of one sample; all are zero
	// at the start.
	StateSize(in ...tensor.Shape) int
}

// Accepter is a Layer that takes other kinds of signal than Dense as they
// are. Without it, Spikes are densified, and Constant is repeated for
// stateful layers.
type Accepter interface {
	Accepts(k signal.Kind) bool
}

// Accepts reports whether a layer takes signals of a kind unconverted.
func Accepts(l Layer, k signal.Kind) bool {
	if a, ok := l.(Accepter); ok {
		return a.Accepts(k)
	}
	_, stateful := l.(Stateful)
	return k == signal.Dense || k == signal.Constant && !stateful
}

// ParamSpec describes a parameter: its role (the part of its name behind the
// node's), its shape, and the number of inputs that one output sums over.
type ParamSpec struct {
	Role  string
	Shape tensor.Shape
	FanIn int
}

// Init fills v with the initial weights: uniform in ±1/√FanIn, as PyTorch's
// linear and convolutional layers do, for weights and biases alike.
func (p ParamSpec) Init(v []tensor.Float, src *rng.Source) {
	bound := 1 / math.Sqrt(float64(p.FanIn))
	for i := range v {
		v[i] = tensor.Float((2*src.Float64() - 1) * bound)
	}
}

// Path chooses between adding spikes by event and multiplying densely. Both
// give the same bits.
type Path uint8

const (
	Auto   Path = iota // by counted spikes
	Dense              // always multiply
	Events             // always add by event
)

// Soft replaces spikes by the surrogate's primitive, to check gradients.
type Soft uint8

const (
	Hard   Soft = iota // real spikes
	Record             // soft spikes; the hard ones reset and are remembered
	Replay             // soft spikes; the remembered ones reset
)

// Call is what a Layer gets to do its work for one node and one window. The
// signals and slices are the caller's; a layer keeps none of them.
type Call struct {
	Pool    *par.Pool
	Workers []Worker // scratch for each worker of Pool
	Path    Path
	Keep    bool // Backward follows, on the same Scratch
	Soft    Soft
	Weights any
	Params  []tensor.Tensor
	State   []tensor.Float // [B × StateSize], advanced by Forward
	Scratch *Scratch

	In  []*signal.Signal
	Out *signal.Signal

	// DOut is the error at Out: Dense, or for a Constant output its sum over
	// time (as Constant). DIn likewise; stateful layers add to a Constant DIn,
	// which spans windows, last step first, and overwrite all else.
	DOut    *signal.Signal
	DIn     []*signal.Signal
	DParams [][]tensor.Float // accumulated
	DState  []tensor.Float   // carried from the window's end to its start
}

// Scratch is a node's memory between Forward and Backward of one window.
type Scratch struct {
	floats [4][]tensor.Float
	bits   []uint64
	bytes  []uint8
	first  []int32
	places []place
	packed kernel.Packed
}

func (s *Scratch) slot(i, n int) []tensor.Float {
	s.floats[i] = tensor.Resize(s.floats[i], n)
	return s.floats[i]
}

// record gives the bytes a length.
func (s *Scratch) record(n int) []uint8 {
	if cap(s.bytes) < n {
		s.bytes = make([]uint8, n)
	}
	s.bytes = s.bytes[:n]
	return s.bytes
}

// Worker is the scratch of one goroutine; nothing in it outlives a loop body.
type Worker struct {
	floats [3][]tensor.Float
	ints   []int32
	words  []uint64
}

func (w *Worker) slot(i, n int) []tensor.Float {
	w.floats[i] = tensor.Resize(w.floats[i], n)
	return w.floats[i]
}

// one returns the only input's shape.
func one(kind string, in []tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("%s: %d inputs, want 1", kind, len(in))
	}
	return in[0], nil
}

// image returns the only input's shape, which must be [height, width, channels].
func image(kind string, in []tensor.Shape) (tensor.Shape, error) {
	s, err := one(kind, in)
	if err == nil && len(s) != 3 {
		err = fmt.Errorf("%s: input of shape %v, want an image height×width×channels; put it before any flatten", kind, s)
	}
	return s, err
}

// rowKind is the kind of a dense result with one row for each of in's rows.
func rowKind(in *signal.Signal) signal.Kind {
	if in.Kind == signal.Constant {
		return signal.Constant
	}
	return signal.Dense
}
