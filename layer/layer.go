// Package layer holds the operators that a network is made of: linear maps,
// convolution, pooling, and the layers of neurons.
//
// A Layer is a value that holds options only. Its weights belong to the
// network, its state and its errors to the caller: the same Layer may run in
// many networks and many goroutines at once. Forward works on a whole window
// of time, [T, B, …]; layers that treat each step alike (all but the stateful
// ones) treat each row alike, so a Constant stays Constant and is computed
// once. Backward is explicit; each layer's doc comment has its equations.
//
// A layer of another module is written against the same Call: what Backward needs
// of Forward stands in Call.Scratch, room for one call in Call.Temp, that of a loop's
// body in Call.Workers, and Each is a loop that allocates nothing.
package layer

import (
	"fmt"
	"math"
	"unsafe"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/linmap"
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

// View is a Layer whose output is its input in the same memory.
type View interface{ IsView() bool }

// Cheap is a Layer without state whose Forward costs less than to keep its
// output of spikes: where Backward reads it, it is computed again.
type Cheap interface{ IsCheap() bool }

// ElementWise is a Layer whose error at an element of its input follows from
// those at the same element of its output: Backward may write DIn over DOut, of
// several inputs the last one's.
type ElementWise interface{ ElementWise() bool }

// Forgetful is a Layer whose Backward does not read its inputs' elements, so
// that they need not be kept for it, unless they are spikes.
type Forgetful interface{ ForgetsInput() bool }

// Buffered is a Layer with buffers: arrays that belong to the network and its
// checkpoints like parameters, but that no optimiser moves, such as running
// statistics.
type Buffered interface {
	Layer
	// Buffers describes the buffers for inputs that Output accepts.
	Buffers(in ...tensor.Shape) []ParamSpec
	// UpdateBuffers takes what Forward in training left in Call.Stats into the
	// buffers. A learner asks for it once a step, through its Pass.
	UpdateBuffers(buffers []tensor.Tensor, stats [][]tensor.Float)
}

// WholeTime is a Layer that may need all steps of a run in one window, so that
// splits of time do change its results.
type WholeTime interface {
	Layer
	// NeedsWholeTime reports whether it does, in training or at inference.
	NeedsWholeTime(train bool) bool
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

// IsView reports whether a layer's output stands in its input's memory.
func IsView(l Layer) bool {
	v, ok := l.(View)
	return ok && v.IsView()
}

// IsCheap reports whether a layer's output of spikes is computed again for
// Backward rather than kept.
func IsCheap(l Layer) bool {
	c, ok := l.(Cheap)
	return ok && c.IsCheap()
}

// Forgets reports whether a layer's Backward does without its inputs.
func Forgets(l Layer) bool {
	f, ok := l.(Forgetful)
	return ok && f.ForgetsInput()
}

// IsElementWise reports whether a layer's error may be written over that of
// its output.
func IsElementWise(l Layer) bool {
	e, ok := l.(ElementWise)
	return ok && e.ElementWise()
}

// ParamSpec describes a parameter: its role (the part of its name behind the
// node's), its shape, and either the number of inputs that one output sums over
// or, where FanIn is 0, the value at which all its elements start.
type ParamSpec struct {
	Role  string
	Shape tensor.Shape
	FanIn int
	Gain  float64 // of the initial weights; 0: 1
	Value float64
}

// Init fills v with the initial weights: uniform in ±Gain/√FanIn, with a gain of 1
// as PyTorch's linear and convolutional layers do, for weights and biases alike; all
// Value where FanIn is 0.
func (p ParamSpec) Init(v []tensor.Float, src *rng.Source) {
	if p.FanIn == 0 {
		for i := range v {
			v[i] = tensor.Float(p.Value)
		}
		return
	}
	bound := 1 / math.Sqrt(float64(p.FanIn))
	if p.Gain != 0 {
		bound *= p.Gain
	}
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

// Call is what a Layer gets to do its work for one node and one chunk of time: in
// parts by how long they live. The signals and slices are the caller's; a layer
// keeps none of them, and what Backward needs of Forward stands in Scratch.
type Call struct {
	Fixed
	Mode
	Chunk
	Memory
}

// Fixed is what belongs to a node for the life of a network.Pass.
type Fixed struct {
	Node    string       // the node's name, which its random streams are named after
	Shape   tensor.Shape // of the output, what Layer.Output returned
	Pool    *par.Pool
	Params  []tensor.Tensor
	Buffers []tensor.Tensor // of a Buffered layer, only read
	Weights any             // what Compile made of Params
	Meter   Meter           // nil: nobody asks
}

// Mode is how a window of time is run, alike for all nodes and chunks.
type Mode struct {
	Path  Path
	Soft  Soft
	Keep  bool      // Backward follows, with the same Scratch
	Train bool      // the window is part of a training step
	Keys  []rng.Key // of each sample's random numbers while training
}

// Chunk is what one call works on: some steps of the window.
type Chunk struct {
	In     []*signal.Signal
	TakeIn bool // In[0] is Dense and nobody else's: its memory may be exchanged
	Out    *signal.Signal
	State  []tensor.Float // [B × StateSize], advanced by Forward
	Before int            // steps of the window before this chunk of it
	Chunks int            // that the window is cut into

	// DOut is the error at Out: Dense, or for a Constant output its sum over
	// time (as Constant). DIn likewise; layers whose output is not Constant add
	// to a Constant DIn, which spans windows, last step first, and all else is
	// overwritten. The last DIn of an ElementWise layer may share DOut's memory,
	// where both are Constant or neither.
	DOut    *signal.Signal
	DIn     []*signal.Signal
	DParams [][]tensor.Float // accumulated
	DState  []tensor.Float   // carried from the chunk's end to its start
}

// Memory is room to work in, by how long its contents last.
type Memory struct {
	Scratch *Scratch         // from Forward to Backward of the same chunk
	First   *Scratch         // that of the window's first chunk
	Temp    *Temp            // for one call
	Workers []Worker         // for one body of a loop, of each worker of Pool
	Stats   [][]tensor.Float // one for each buffer; Forward writes them while training
}

// Work is what a part of a layer's work amounted to.
type Work struct {
	Events bool  // zeros were left out
	MACs   int64 // multiply-adds that were done
	Dense  int64 // those of the dense product
	Bytes  int64 // of operands and results, each counted once
}

// Meter is told what a layer does, to profile it: each Start is followed by
// the Stop of the same kernel.
type Meter interface {
	Start(kernel string)
	Stop(Work)
}

func (c *Call) start(kernel string) {
	if c.Meter != nil {
		c.Meter.Start(kernel)
	}
}

func (c *Call) stop(w Work) {
	if c.Meter != nil {
		c.Meter.Stop(w)
	}
}

// bytes is the size of a signal's elements.
func bytes(s *signal.Signal) int64 {
	if s.Kind == signal.Spikes {
		return int64(8 * len(s.Raster.Bits))
	}
	return floatBytes * int64(len(s.Data))
}

const floatBytes = int64(unsafe.Sizeof(tensor.Float(0)))

// Scratch is what a node remembers of a chunk between Forward and Backward: the
// same slot with the same length then has the same contents. Where Call.Keep is
// false no Backward follows, and all chunks share one.
type Scratch struct {
	Slots
	floats []tensor.Float
	kept   []tensor.Float // of neurons, besides their membranes
	start  []tensor.Float // their state before the chunk
	bits   []uint64
	bytes  []uint8
}

// Temp is working memory that the nodes of a Pass share: nothing in it outlives
// a call of Forward or Backward.
type Temp struct {
	Slots
	events  events
	group   groupSignals
	blocks  []block
	columns []columns
	bits    []uint64
	turned  []uint64 // rows of words for each channel
	words   int
	places  []int32
	spread  []tensor.Float // options of neurons by channel, for each unit

	loops      []any // of Each, one for each type of arguments
	population par.Loop[population]
	eachUnits  func(p *population, id, b, lo, hi int)
}

func (t *Temp) slot(i, n int) []tensor.Float { return t.Floats(i, n) }
func (t *Temp) double(i, n int) []float64    { return t.Doubles(i, n) }

// job is what the bodies of loops over images work with; each uses some.
type job struct {
	a      affine
	pool   pooling
	record []uint8
	g      linmap.Window // of canvases
	c      *Call
	s      *signal.Signal
	e      *events
	x, y   []tensor.Float
	packed *kernel.Packed
	blocks []block
	block  block
	f      func(j *job, r, y0, y1 int, canvas []tensor.Float)
	image  func(j *job, w *Worker, r int)

	step, part, parts, band, size int
}

// each runs f over [0, n) on the call's threads. f must not capture anything,
// so that it costs no allocation.
func (c *Call) each(n, grain int, j job, f func(j *job, id, lo, hi int)) {
	j.c = c
	Each(c, n, grain, j, f)
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
	Slots
	values []tensor.Float
	ints   []int32
	ends   []int32
	maps   linmap.Scratch
	words  []uint64
}

func (w *Worker) slot(i, n int) []tensor.Float { return w.Floats(i, n) }

// Maps is the working memory of maps.
func (w *Worker) Maps() *linmap.Scratch { return &w.maps }

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
