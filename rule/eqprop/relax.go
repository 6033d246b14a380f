package eqprop

import (
	"slices"
	"sync/atomic"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/linmap"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

// relaxer runs the phases of batches. Samples are independent of each other, so
// threads split them in blocks that stay in a core's cache through all steps of
// all phases. Lists of arrays have an entry a layer, the input's (0) unused.
type relaxer struct {
	c              Config
	factor         float64 // of the rates, at this step
	sizes          []int
	top            int // layers that relax; the others are a static readout
	net, predictor *coupling.Net
	shadow         *coupling.Net // of binary weights, or of those that regrow
	forwardShadow  *coupling.Net
	kept           []sparse.Matrix // what pruning left
	forwardKept    []sparse.Matrix // of the predictor
	dense, forward []*coupling.Dense
	convs          []*coupling.Conv // nil where layers are coupled densely
	limit          []limit.Layer    // of activity
	move           kernel.Relax

	// Of a batch, a row a sample: the states after each phase (in place of the
	// scores' layer: logits, then errors), and what the update needs.
	free, plus, minus   [][]tensor.Float
	diff, steps, scaled [][]tensor.Float // p − m, and α_l/(γB) times it and p
	guess, errors       [][]tensor.Float // s^f, and h′ before g
	particles, tested   [][]tensor.Float // kept free states, of training samples and of predicted ones

	// Of spiking networks: what depends on the step alone, and counts of the last run,
	// by layer.
	plan     unit.Plan
	spikes   []atomic.Int64
	synapses atomic.Int64

	blocks  []block
	loop    par.Loop[pass]
	updates par.Loop[update]
	lists   sparse.Loops
	signs   unit.Signs
}

// unsought is where a soft limit's search begins at first.
var unsought = [...]tensor.Float{limit.Unsought}

// pass is a run over a batch: the free phase, then one nudged phase for each β.
type pass struct {
	r     *relaxer
	b     *batch
	betas []tensor.Float
	gap   float64 // in β, between the states that are compared
}

// block is the working memory of a thread: some samples of the batch, the first
// count of which are still moving.
type block struct {
	lo, total, count int
	who              []int // sample of a slot
	s, base, z       [][]tensor.Float
	delta            []tensor.Float   // y − o of a readout
	change           []tensor.Float   // of a slot, in a step
	theta            [][]tensor.Float // of a soft limit, by layer and slot
	shift            [][]tensor.Float // θ of a budget of predictions, by layer and sample
	scratch          []tensor.Float   // a row
	places           [][]uint8        // of the largest elements in windows, of a layer
	images           linmap.Scratch
	lists            lists
	product          sparse.Product
	limiter          limit.Limiter
	population       *unit.Population // of spiking units
}

// rate is α_l of the current step.
func (r *relaxer) rate(l int) float64 { return r.c.LearningRates[l-1] * r.factor }

func newRelaxer(c Config) *relaxer {
	layers := len(c.Sizes) - 1
	r := &relaxer{c: c, factor: 1, sizes: c.Sizes, top: c.dynamic(), net: coupling.NewNet(c.Convolutional, c.Sizes, c.Weights, c.Seed, "")}
	r.convs = coupling.Convs(r.net)
	r.kept, r.forwardKept = make([]sparse.Matrix, layers), make([]sparse.Matrix, layers)
	r.dense = r.couple(r.net, r.kept)
	if c.Predictor != nil {
		r.predictor = coupling.NewNet(nil, c.Sizes, c.Weights, c.Seed, forwardPrefix)
		r.forward = r.couple(r.predictor, r.forwardKept)
	}
	for _, list := range []*[][]tensor.Float{&r.free, &r.plus, &r.minus, &r.diff, &r.steps, &r.scaled, &r.guess, &r.errors} {
		*list = make([][]tensor.Float, layers+1)
	}
	r.particles, r.tested = r.memory(c.Particles), r.memory(c.TestParticles)
	if c.Binary != nil || r.regrows() {
		r.shadow = newShadow(r.net)
	}
	if r.predictor != nil && r.regrows() {
		r.forwardShadow = newShadow(r.predictor)
	}
	if c.Spiking != nil {
		r.plan, r.spikes = unit.NewPlan(c.Spiking, c.Free+c.settling()+c.Nudged), make([]atomic.Int64, layers+1)
	}
	r.blocks = make([]block, c.Pool.Threads())
	r.move, r.limit = c.move(), make([]limit.Layer, len(c.Sizes))
	r.schedule(0)
	if c.TopK != nil && c.TopK.Variant == limit.Perturbed {
		for l := 1; l < layers; l++ {
			r.limit[l].Noise = limit.Noise(c.Seed, l, c.Sizes[l])
		}
	}
	r.pack()
	return r
}

// couple are the matrices of a network by the layer's number; nil for convolutions.
func (r *relaxer) couple(net *coupling.Net, kept []sparse.Matrix) []*coupling.Dense {
	all := make([]*coupling.Dense, len(net.Sizes))
	for l := 1; l < len(all); l++ {
		if len(net.W[l-1].Value.Shape) == 2 {
			all[l] = coupling.NewDense(net.W[l-1].Value, &kept[l-1])
		}
	}
	return all
}

// mask returns pruned weights to zero that someone else has written to. Shadows that
// regrow are whole.
func (r *relaxer) mask() {
	if r.regrows() {
		return
	}
	for _, t := range r.thinned() {
		for l := range t.kept {
			if m := &t.kept[l]; m.Listed() {
				r.lists.Mask(r.c.Pool, m, t.learned().W[l].Value.Data)
			}
		}
	}
}

// pack takes up the weights after they have changed.
func (r *relaxer) pack() {
	r.fromShadows(r.net, r.shadow, r.kept)
	if r.predictor != nil {
		r.fromShadows(r.predictor, r.forwardShadow, r.forwardKept)
	}
	for l := 1; l < len(r.sizes); l++ {
		if r.convs[l] != nil {
			r.convs[l].Pack(r.c.Pool)
			continue
		}
		r.packDense(l)
	}
}

// packDense takes up a matrix, and what is sure to be needed of it: the first is packed
// for inputs without many zeros alone, and pruned ones whose sums are over lists whatever
// the batch are not.
func (r *relaxer) packDense(l int) {
	d := r.dense[l]
	d.Renew()
	switch {
	case l == 1:
	case r.c.Spiking != nil:
		d.TurnedWeights()
	case !d.Kept.Always():
		d.PackUp(r.c.Pool)
		if l <= r.top || r.c.Output == CrossEntropy {
			d.PackDown(r.c.Pool)
		}
	}
	if r.predictor == nil {
		return
	}
	f := r.forward[l]
	f.Renew()
	if l > 1 && !f.Kept.Always() {
		f.PackUp(r.c.Pool)
	}
}

// fromShadows makes a network's weights of its shadows, if it has any; what lists have of
// them is old then.
func (r *relaxer) fromShadows(net, shadow *coupling.Net, kept []sparse.Matrix) {
	for l := range kept {
		m := &kept[l]
		m.Changed()
		if shadow == nil {
			continue
		}
		w := net.W[l]
		if r.c.Binary != nil && net == r.net {
			r.signs.Take(r.c.Pool, w, shadow.W[l])
		} else {
			copy(w.Value.Data, shadow.W[l].Value.Data)
		}
		if r.regrows() && m.Listed() {
			r.lists.Mask(r.c.Pool, m, w.Value.Data)
		}
	}
}

// chooseLists decides where products of a batch with a network's weights are sums over
// lists, and gives these the values.
func (r *relaxer) chooseLists(b *batch, net *coupling.Net, kept []sparse.Matrix) {
	for l := range kept {
		kept[l].Choose(b.n, r.c.Pool.Threads(), l == 0 && b.learning && !b.dense)
		r.lists.Take(r.c.Pool, &kept[l], net.W[l].Value.Data)
	}
}

// run relaxes a batch: freely, and once for each β.
func (r *relaxer) run(b *batch, betas []tensor.Float, gap float64) {
	for l := 1; l < len(r.sizes); l++ {
		n := b.n * r.sizes[l]
		r.free[l] = tensor.Resize(r.free[l], n)
		if r.predictor != nil {
			r.guess[l], r.errors[l] = tensor.Resize(r.guess[l], n), tensor.Resize(r.errors[l], n)
		}
		if len(betas) > 0 {
			for _, list := range [...][][]tensor.Float{r.plus, r.minus, r.diff} {
				list[l] = tensor.Resize(list[l], n)
			}
			for _, list := range [...][][]tensor.Float{r.steps, r.scaled} {
				list[l] = tensor.Resize(list[l], b.n*r.mapped(l))
			}
		}
	}
	r.chooseLists(b, r.net, r.kept)
	if r.predictor != nil {
		r.chooseLists(b, r.predictor, r.forwardKept)
	}
	run := runPhases
	if r.c.Spiking != nil {
		run = runSpikes
		r.synapses.Store(0)
		for l := range r.spikes {
			r.spikes[l].Store(0)
		}
	} else if b.dense && r.convs[1] == nil {
		if !r.kept[0].Sums {
			r.dense[1].PackUp(r.c.Pool)
		}
		if r.predictor != nil && !r.forwardKept[0].Sums {
			r.forward[1].PackUp(r.c.Pool)
		}
	}
	r.loop.For(r.c.Pool, b.n, r.blockSize(b.n), pass{r, b, betas, gap}, run)
}

// blockSize is a share of the samples, equal among threads, that fits a cache. Lists of
// kept weights take more samples in little more time. The states of images are large,
// and convolutions take them one by one.
func (r *relaxer) blockSize(n int) int {
	most := 28
	for l := range r.kept {
		if r.kept[l].Sums {
			most = 64
		}
	}
	if r.convs[1] != nil {
		most = 4
	}
	shares := r.c.Pool.Threads()
	shares *= (n + most*shares - 1) / (most * shares)
	return max(1, (n+shares-1)/shares)
}

func runPhases(p *pass, worker, lo, hi int) {
	r, w := p.r, &p.r.blocks[worker]
	w.begin(r, lo, hi)
	p.b.list(lo, hi)
	r.setBase(w, p.b)
	r.start(w, p.b)
	r.relax(w, p.b, r.c.Free, 0)
	r.choose(w, p.b)
	w.save(r, r.free)
	r.keepParticles(w, p.b)
	r.readScores(w, r.free)
	if len(p.betas) == 0 {
		return
	}
	if len(p.betas) == 1 {
		r.lift(w, p.b, r.steps)
	}
	for i, beta := range p.betas {
		w.restore(r, r.free)
		r.relax(w, p.b, r.c.Nudged, beta)
		w.save(r, [][][]tensor.Float{r.plus, r.minus}[i])
		r.lift(w, p.b, [][][]tensor.Float{r.scaled, r.steps}[i])
		r.readErrors(w, p.b, [][][]tensor.Float{r.plus, r.minus}[i], len(p.betas))
	}
	r.differences(w, p)
	if r.predictor != nil {
		r.predictorErrors(w, p.b.n)
	}
}

// begin sets a block up for samples [lo, hi).
func (w *block) begin(r *relaxer, lo, hi int) {
	if w.s == nil {
		w.s, w.base, w.z = make([][]tensor.Float, len(r.sizes)), make([][]tensor.Float, len(r.sizes)), make([][]tensor.Float, len(r.sizes))
		w.places, w.theta, w.shift = make([][]uint8, len(r.sizes)), make([][]tensor.Float, len(r.sizes)), make([][]tensor.Float, len(r.sizes))
	}
	w.lo, w.total, w.count = lo, hi-lo, hi-lo
	w.who = w.who[:0]
	for i := range w.total {
		w.who = append(w.who, lo+i)
	}
	for l := 1; l <= r.top; l++ {
		n := w.total * r.sizes[l]
		w.s[l], w.base[l], w.z[l] = tensor.Resize(w.s[l], n), tensor.Resize(w.base[l], n), tensor.Resize(w.z[l], n)
		w.theta[l], w.shift[l] = tensor.Resize(w.theta[l], w.total), tensor.Resize(w.shift[l], w.total)
		kernel.FillRows(w.theta[l], unsought[:])
		if g := r.convs[l]; g != nil {
			w.places[l] = slices.Grow(w.places[l][:0], w.total*g.Pool.Places())[:w.total*g.Pool.Places()]
		}
	}
	w.scratch = tensor.Resize(w.scratch, slices.Max(r.sizes))
	w.delta = tensor.Resize(w.delta, w.total*r.sizes[len(r.sizes)-1])
	w.change = tensor.Resize(w.change, w.total)
}

// setBase computes the part of the drives that stays: biases, the input's
// product, and the predictions' pull.
func (r *relaxer) setBase(w *block, b *batch) {
	for l := 1; l <= r.top; l++ {
		kernel.FillRows(w.base[l], r.net.B[l-1].Value.Data)
	}
	if r.convs[1] != nil {
		r.convolveInput(w, b)
		return
	}
	r.addInput(w, b, w.base[1], r.dense[1])
	if r.predictor == nil {
		return
	}
	r.predict(w, b)
	for l := 1; l <= r.top; l++ {
		kernel.AddScaled(w.base[l], r.guess[l][w.lo*r.sizes[l]:][:len(w.base[l])], tensor.Float(r.c.Predictor.Lambda))
	}
}

// addInput adds the product of the block's inputs with a matrix, by the listed
// elements that are not zero or as a whole: the bits are the same.
func (r *relaxer) addInput(w *block, b *batch, dst []tensor.Float, d *coupling.Dense) {
	if b.dense {
		d.Up(&w.product, w.total, b.x[w.lo*b.in:][:w.total*b.in], dst)
		return
	}
	d.UpListed(&w.product, w.total, func(i int) ([]int32, []tensor.Float) { return b.events(w.lo + i) }, dst)
}

// start sets the states before the free phase.
func (r *relaxer) start(w *block, b *batch) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		switch {
		case r.predictor != nil:
			copy(w.s[l], r.guess[l][w.lo*n:])
		case b.kept != nil:
			for i, sample := range w.who {
				copy(w.s[l][i*n:][:n], b.kept[l][b.index[sample]*n:])
			}
		default:
			clear(w.s[l])
		}
	}
}

// memory holds the states of n samples, by layer; nil of none.
func (r *relaxer) memory(n int) [][]tensor.Float {
	if n == 0 {
		return nil
	}
	m := make([][]tensor.Float, len(r.sizes))
	for l := 1; l <= r.top; l++ {
		m[l] = make([]tensor.Float, n*r.sizes[l])
	}
	return m
}

// keepParticles stores the free states of a batch whose states are kept.
func (r *relaxer) keepParticles(w *block, b *batch) {
	if b.kept == nil {
		return
	}
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		for _, sample := range w.who {
			copy(b.kept[l][b.index[sample]*n:][:n], r.free[l][sample*n:])
		}
	}
}

// relax runs steps of a phase, of each sample until it has settled.
func (r *relaxer) relax(w *block, b *batch, steps int, beta tensor.Float) {
	w.count = w.total
	tolerance := tensor.Float(r.c.Tolerance)
	for t := 0; t < steps && w.count > 0; t++ {
		r.step(w, b, beta)
		if tolerance == 0 {
			continue
		}
		for i := w.count - 1; i >= 0; i-- {
			if w.change[i] <= tolerance {
				w.count--
				w.swap(r, i, w.count)
			}
		}
	}
	w.count = w.total
}

// differences writes what the update needs of the block's samples.
func (r *relaxer) differences(w *block, p *pass) {
	m := r.compared(p.betas)
	for l := 1; l <= r.top; l++ {
		lo, hi := w.lo*r.sizes[l], (w.lo+w.total)*r.sizes[l]
		scale := tensor.Float(r.rate(l) / (p.gap * float64(p.b.n)))
		diff := r.diff[l][lo:hi]
		copy(diff, r.plus[l][lo:hi])
		kernel.AddScaled(diff, m[l][lo:hi], -1)
		if r.convs[l] != nil {
			r.liftedDifferences(w, l, scale)
			continue
		}
		steps, scaled := r.steps[l][lo:hi], r.scaled[l][lo:hi]
		copy(steps, diff)
		kernel.Scale(steps, scale)
		if l > 1 {
			if r.c.Spiking != nil && r.c.Spiking.Bidirectional {
				copy(scaled, m[l][lo:hi])
			} else {
				copy(scaled, r.plus[l][lo:hi])
			}
			kernel.Scale(scaled, scale)
		}
	}
}

// compared are the states that the first nudged ones are compared with.
func (r *relaxer) compared(betas []tensor.Float) [][]tensor.Float {
	if len(betas) == 2 {
		return r.minus
	}
	return r.free
}

// save writes the states to rows of the batch.
func (w *block) save(r *relaxer, states [][]tensor.Float) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		for i, sample := range w.who {
			copy(states[l][sample*n:][:n], w.s[l][i*n:])
		}
	}
}

// restore reads the states from rows of the batch.
func (w *block) restore(r *relaxer, states [][]tensor.Float) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		for i, sample := range w.who {
			copy(w.s[l][i*n:][:n], states[l][sample*n:])
		}
	}
}

// swap exchanges two slots.
func (w *block) swap(r *relaxer, i, j int) {
	if i == j {
		return
	}
	w.who[i], w.who[j] = w.who[j], w.who[i]
	w.change[i], w.change[j] = w.change[j], w.change[i]
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		w.theta[l][i], w.theta[l][j] = w.theta[l][j], w.theta[l][i]
		for _, rows := range [2][]tensor.Float{w.s[l], w.base[l]} {
			a, b := rows[i*n:][:n], rows[j*n:][:n]
			for u := range a {
				a[u], b[u] = b[u], a[u]
			}
		}
	}
}
