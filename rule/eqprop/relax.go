package eqprop

import (
	"slices"
	"sync/atomic"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// relaxer runs the phases of batches. Samples are independent of each other, so
// threads split them in blocks that stay in a core's cache through all steps of
// all phases. Lists of arrays have an entry a layer, the input's (0) unused.
type relaxer struct {
	c               Config
	factor          float64 // of the rates, at this step
	sizes           []int
	top             int // layers that relax; the others are a static readout
	net, predictor  *Net
	shadow          *Net // of binary weights, or of those that regrow
	forwardShadow   *Net
	up, down        []kernel.Packed // W_l and its transpose, for l ≥ 2
	input           kernel.Packed   // W_1, for inputs without many zeros
	predictorPacked []kernel.Packed
	kept            []kept         // what pruning left
	forwardKept     []kept         // of the predictor
	k               []tensor.Float // limits of activity
	temperature     tensor.Float   // of soft ones
	noise           [][]tensor.Float
	convs           []*convolution
	move            kernel.Relax

	// Of a batch, a row a sample: the states after each phase (in place of the
	// scores' layer: logits, then errors), and what the update needs.
	free, plus, minus   [][]tensor.Float
	diff, steps, scaled [][]tensor.Float // p − m, and α_l/(γB) times it and p
	guess, errors       [][]tensor.Float // s^f, and h′ before g
	particles           [][]tensor.Float

	// Of spiking networks: what depends on the step alone, transposed weights for
	// l ≥ 2, and counts of the last run, by layer.
	plan     plan
	turned   [][]tensor.Float
	spikes   []atomic.Int64
	synapses atomic.Int64

	blocks  []block
	loop    par.Loop[pass]
	updates par.Loop[update]
	lists   par.Loop[listing]
	signs   par.Loop[signing]
}

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
	moved            []tensor.Float   // of a layer, likewise
	theta            [][]tensor.Float // of a soft limit, by layer and slot
	shift            [][]tensor.Float // θ of a budget of predictions, by layer and sample
	scratch          []tensor.Float   // a row
	places           [][]uint8        // of the largest elements in windows, of a layer
	images           imaging
	lists            lists
	product          product
	limiter          limiter
	simulation       *simulation
}

// rate is α_l of the current step.
func (r *relaxer) rate(l int) float64 { return r.c.Rates[l-1] * r.factor }

func newRelaxer(c Config) *relaxer {
	layers := len(c.Sizes) - 1
	r := &relaxer{c: c, factor: 1, sizes: c.Sizes, top: c.dynamic(), net: newNet(c.Convolutional, c.Sizes, c.Weights, c.Seed, "")}
	r.convs = newConvolutions(c, r.net)
	r.up, r.down, r.predictorPacked = make([]kernel.Packed, layers+1), make([]kernel.Packed, layers+1), make([]kernel.Packed, layers+1)
	if c.Predictor != nil {
		r.predictor = NewNet(c.Sizes, c.Weights, c.Seed, forwardPrefix)
	}
	for _, list := range []*[][]tensor.Float{&r.free, &r.plus, &r.minus, &r.diff, &r.steps, &r.scaled, &r.guess, &r.errors} {
		*list = make([][]tensor.Float, layers+1)
	}
	if c.Particles > 0 {
		r.particles = make([][]tensor.Float, layers+1)
		for l := 1; l <= r.top; l++ {
			r.particles[l] = make([]tensor.Float, c.Particles*c.Sizes[l])
		}
	}
	r.kept, r.forwardKept = make([]kept, layers), make([]kept, layers)
	if c.Binary != nil || r.regrows() {
		r.shadow = newShadow(r.net)
	}
	if r.predictor != nil && r.regrows() {
		r.forwardShadow = newShadow(r.predictor)
	}
	if c.Spiking != nil {
		r.plan, r.turned, r.spikes = newPlan(c), make([][]tensor.Float, layers+1), make([]atomic.Int64, layers+1)
	}
	r.blocks = make([]block, c.Pool.Threads())
	r.move, r.k = c.move(), make([]tensor.Float, len(c.Sizes))
	r.schedule(0)
	if c.TopK != nil && c.TopK.Variant == Perturbed {
		r.drawNoise()
	}
	r.pack()
	return r
}

// lambda is the strength of a predictor's pull.
func (c Config) lambda() float64 {
	if c.Predictor == nil {
		return 0
	}
	return c.Predictor.Lambda
}

// move is the step of all layers. The leak of a prediction joins that of the
// states.
func (c Config) move() kernel.Relax {
	m := kernel.Relax{Keep: tensor.Float(1 - c.Step*(1+c.lambda())), Gain: tensor.Float(c.Step), Hi: 1}
	if c.Activation == Tanh {
		m.Lo = -1
	}
	return m
}

// mask returns pruned weights to zero that someone else has written to. Shadows that
// regrow are whole.
func (r *relaxer) mask() {
	if r.regrows() {
		return
	}
	for _, t := range r.thinned() {
		for l := range t.kept {
			if m := &t.kept[l]; m.listed() {
				r.lists.For(r.c.Pool, r.sizes[l], 64, listing{m, t.learned().W[l].Value.Data}, runMask)
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
	for _, g := range r.convs {
		if g != nil {
			g.pack(r.c.Pool)
		}
	}
	for l := 2; l < len(r.sizes); l++ {
		if r.convs[l] != nil {
			continue
		}
		k, n := r.sizes[l-1], r.sizes[l]
		w := r.net.W[l-1].Value.Data
		switch {
		case r.c.Spiking != nil:
			r.turned[l] = tensor.Resize(r.turned[l], k*n)
			kernel.Transpose(r.turned[l], k, w, n, k, n)
		case !r.kept[l-1].below(fewShare): // else sums are over lists whatever the batch
			r.up[l].Pack(r.c.Pool, w, n, k, n, false)
			if l <= r.top || r.c.Output == CrossEntropy {
				r.down[l].Pack(r.c.Pool, w, n, n, k, true)
			}
		}
		if r.predictor != nil && !r.forwardKept[l-1].below(fewShare) {
			r.predictorPacked[l].Pack(r.c.Pool, r.predictor.W[l-1].Value.Data, n, k, n, false)
		}
	}
}

// fromShadows makes a network's weights of its shadows, if it has any; what lists have of
// them is old then.
func (r *relaxer) fromShadows(net, shadow *Net, kept []kept) {
	for l := range kept {
		m := &kept[l]
		m.stale = m.listed()
		if shadow == nil {
			continue
		}
		w := net.W[l]
		if r.c.Binary != nil && net == r.net {
			r.signs.For(r.c.Pool, r.sizes[l], 64, signing{shadow.W[l], w}, runSigns)
		} else {
			copy(w.Value.Data, shadow.W[l].Value.Data)
		}
		if r.regrows() && m.listed() {
			r.lists.For(r.c.Pool, r.sizes[l], 64, listing{m, w.Value.Data}, runMask)
		}
	}
}

// sparse says whether products of a batch with matrix l are to be sums over lists.
func (r *relaxer) sparse(m *kept, l int, b *batch) bool {
	share := sparseShare
	switch {
	case l == 0 && b.learning && !b.dense:
		share = learningShare
	case b.n <= few*r.c.Pool.Threads():
		share = fewShare
	}
	return m.below(share)
}

// chooseLists decides where products of a batch with a network's weights are sums over
// lists, and gives these the values.
func (r *relaxer) chooseLists(b *batch, net *Net, kept []kept) {
	for l := range kept {
		m := &kept[l]
		if m.sums = r.sparse(m, l, b); m.sums && m.stale {
			m.stale = false
			r.lists.For(r.c.Pool, r.sizes[l], 64, listing{m, net.W[l].Value.Data}, runRows)
			r.lists.For(r.c.Pool, r.sizes[l+1], 64, listing{m, nil}, runColumns)
		}
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
		n := r.sizes[1]
		if !r.kept[0].sums {
			r.input.Pack(r.c.Pool, r.net.W[0].Value.Data, n, b.in, n, false)
		}
		if r.predictor != nil && !r.forwardKept[0].sums {
			r.predictorPacked[1].Pack(r.c.Pool, r.predictor.W[0].Value.Data, n, b.in, n, false)
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
		if r.kept[l].sums {
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
			w.places[l] = slices.Grow(w.places[l][:0], w.total*g.places())[:w.total*g.places()]
		}
	}
	w.scratch = tensor.Resize(w.scratch, slices.Max(r.sizes))
	w.delta = tensor.Resize(w.delta, w.total*r.sizes[len(r.sizes)-1])
	w.change, w.moved = tensor.Resize(w.change, w.total), tensor.Resize(w.moved, r.top+1)
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
	r.addInput(w, b, w.base[1], r.net.W[0].Value.Data, &r.input, &r.kept[0])
	if r.predictor == nil {
		return
	}
	r.predict(w, b)
	for l := 1; l <= r.top; l++ {
		kernel.AddScaled(w.base[l], r.guess[l][w.lo*r.sizes[l]:][:len(w.base[l])], tensor.Float(r.c.Predictor.Lambda))
	}
}

// addInput adds the product of the block's inputs with a matrix, by the listed
// elements that are not zero or as a whole, and by the kept weights where these are
// few: the bits are the same.
func (r *relaxer) addInput(w *block, b *batch, dst, weights []tensor.Float, packed *kernel.Packed, m *kept) {
	n := r.sizes[1]
	switch {
	case m.sums && b.dense:
		w.product.add(&m.columns, w.total, b.x[w.lo*b.in:], b.in, dst, n)
		return
	case m.sums:
		w.product.addEvents(&m.columns, w, b, dst, n)
		return
	case b.dense:
		packed.MulDirect(w.total, b.x[w.lo*b.in:], b.in, 0, b.in, 0, n, dst, n)
		return
	}
	for i := range w.total {
		at, val := b.events(w.lo + i)
		kernel.AddRowsMulti(1, dst[i*n:][:n], n, weights, n, n, n, at, val)
	}
}

// start sets the states before the free phase.
func (r *relaxer) start(w *block, b *batch) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		switch {
		case r.predictor != nil:
			copy(w.s[l], r.guess[l][w.lo*n:])
		case r.particles != nil && b.learning:
			for i, sample := range w.who {
				copy(w.s[l][i*n:][:n], r.particles[l][b.index[sample]*n:])
			}
		default:
			clear(w.s[l])
		}
	}
}

// keepParticles stores the free states of a training batch.
func (r *relaxer) keepParticles(w *block, b *batch) {
	if r.particles == nil || !b.learning {
		return
	}
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		for _, sample := range w.who {
			copy(r.particles[l][b.index[sample]*n:][:n], r.free[l][sample*n:])
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
