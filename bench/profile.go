package bench

import (
	"slices"
	"time"
	"unsafe"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
)

// Profile says where the time of a row went, in its last repeat, beside what the
// machine can do at most. Times and amounts are those of one batch.
type Profile struct {
	GEMM         float64 `json:"gemm_gflops"`  // of a product of 1024×1024 matrices
	Copy         float64 `json:"copy_gbs"`     // 10⁹ bytes a second, read and written, of a copy that no cache holds
	Milliseconds float64 `json:"milliseconds"` // of a batch
	Outside      float64 `json:"outside"`      // of these, not in layers: encoding, loss, optimiser, packing of weights
	Spans        []Span  `json:"spans"`
}

// Span is the time of one kernel of a node, or, where Kernel is "", what the
// node's turn took besides its kernels.
type Span struct {
	Node         string  `json:"node"`
	Turn         string  `json:"turn"` // forward or backward
	Kernel       string  `json:"kernel"`
	Path         string  `json:"path"` // events, dense, both, or "" where there is no product
	Milliseconds float64 `json:"milliseconds"`
	MACs         float64 `json:"macs"`       // multiply-adds done
	DenseMACs    float64 `json:"dense_macs"` // those of the dense product
	Bytes        float64 `json:"bytes"`      // of operands and results, each counted once
}

// GFLOPS is the rate of the multiply-adds that were done, two operations each.
func (s Span) GFLOPS() float64 { return perSecond(2*s.MACs, s) }

// DenseGFLOPS is the rate at which the dense product would have had to run.
func (s Span) DenseGFLOPS() float64 { return perSecond(2*s.DenseMACs, s) }

// GBs is the rate of bytes, 10⁹ a second.
func (s Span) GBs() float64 { return perSecond(s.Bytes, s) }

func perSecond(amount float64, s Span) float64 {
	if s.Milliseconds == 0 {
		return 0
	}
	return 1e-6 * amount / s.Milliseconds
}

// profiler is a network.Meter. The nil profiler measures nothing.
type profiler struct {
	now          func() time.Time
	spans        []span
	turn, kernel string // what has started and not stopped
	turnStart    time.Time
	kernelStart  time.Time
	kernels      time.Duration // of the open turn
	started      time.Time
	batches      int
}

// span sums up the runs of one kernel, or what turns took besides.
type span struct {
	node         int
	turn, kernel string
	took         time.Duration
	events, runs int
	work         layer.Work
}

func newProfiler(o Options) *profiler {
	if !o.Profile {
		return nil
	}
	return &profiler{now: o.Now}
}

// meter is p as a Meter, which is nil where p is.
func (p *profiler) meter() network.Meter {
	if p == nil {
		return nil
	}
	return p
}

// restart forgets what was measured.
func (p *profiler) restart() {
	if p != nil {
		p.spans, p.batches, p.started = p.spans[:0], 0, p.now()
	}
}

// batch counts a batch.
func (p *profiler) batch() {
	if p != nil {
		p.batches++
	}
}

// Start implements network.Meter: a node's turn starts, or a kernel in it.
func (p *profiler) Start(_ int, name string) {
	if p.turn == "" {
		p.turn, p.kernels, p.turnStart = name, 0, p.now()
		return
	}
	p.kernel, p.kernelStart = name, p.now()
}

// Stop implements network.Meter: the kernel stops, or without one the turn.
func (p *profiler) Stop(node int, w layer.Work) {
	if p.kernel != "" {
		took := p.now().Sub(p.kernelStart)
		p.add(node, took, w)
		p.kernels += took
		p.kernel = ""
		return
	}
	p.add(node, p.now().Sub(p.turnStart)-p.kernels, w)
	p.turn = ""
}

// add adds a run to the span of the open kernel, or turn.
func (p *profiler) add(node int, took time.Duration, w layer.Work) {
	i := slices.IndexFunc(p.spans, func(s span) bool { return s.node == node && s.turn == p.turn && s.kernel == p.kernel })
	if i < 0 {
		i = len(p.spans)
		p.spans = append(p.spans, span{node: node, turn: p.turn, kernel: p.kernel})
	}
	s := &p.spans[i]
	s.runs++
	if w.Events {
		s.events++
	}
	s.took += took
	s.work.MACs += w.MACs
	s.work.Dense += w.Dense
	s.work.Bytes += w.Bytes
}

// path is how the products of a span were done.
func (s span) path() string {
	switch {
	case s.work.Dense == 0:
		return ""
	case s.events == 0:
		return "dense"
	case s.events == s.runs:
		return "events"
	}
	return "both"
}

// profile is what was measured since the last restart; nil for a nil profiler.
func (p *profiler) profile(net *network.Network) *Profile {
	if p == nil || p.batches == 0 {
		return nil
	}
	n := float64(p.batches)
	out := &Profile{Milliseconds: 1e3 * p.now().Sub(p.started).Seconds() / n}
	out.Outside = out.Milliseconds
	for _, s := range p.spans {
		ms := 1e3 * s.took.Seconds() / n
		out.Outside -= ms
		out.Spans = append(out.Spans, Span{
			Node: net.Nodes()[s.node].Name, Turn: s.turn, Kernel: s.kernel, Path: s.path(), Milliseconds: ms,
			MACs: float64(s.work.MACs) / n, DenseMACs: float64(s.work.Dense) / n, Bytes: float64(s.work.Bytes) / n,
		})
	}
	return out
}

// Ceilings fills in what the machine can do at most, on the threads of the rows:
// the best of several products and copies. Measure it where it does not count
// towards the memory of a row.
func Ceilings(o Options, threads int, rows []Row) {
	const n, size, repeats = 1024, 1 << 25, 8
	pool := par.New(threads)
	defer pool.Close()
	src := rng.New(seed, "bench").Str("ceilings").Source()
	var packed kernel.Packed
	packed.Pack(pool, noise(src, n*n), n, n, n, false)
	a, c := noise(src, n*n), make([]kernel.Float, n*n)
	from, to := make([]kernel.Float, size), make([]kernel.Float, size)
	for i := range from {
		from[i] = 1 // memory that was never written is read from one page
	}
	var gflops, gbs float64
	for range repeats {
		start := o.Now()
		kernel.MatMul(pool, n, a, n, false, &packed, c, n)
		gflops = max(gflops, 2e-9*n*n*n/o.Now().Sub(start).Seconds())

		start = o.Now()
		pool.For(size, size/64, func(_, lo, hi int) { copy(to[lo:hi], from[lo:hi]) })
		gbs = max(gbs, 1e-9*float64(2*size*floatBytes)/o.Now().Sub(start).Seconds())
	}
	for _, r := range rows {
		if r.Profile != nil && r.Threads == threads {
			r.Profile.GEMM, r.Profile.Copy = gflops, gbs
		}
	}
}

const floatBytes = int(unsafe.Sizeof(kernel.Float(0)))
