//go:build !amd64 || purego || float64

package kernel

import "synfire/internal/par"

func supported() []Level { return []Level{Go} }

func (p *Packed) pack(_ *par.Pool, b []Float, ldb int, trans bool) { p.packGo(b, ldb, trans) }

func panel(Level) int { return goPanel }

func (p *Packed) product(k0, j0 int) product { return p.productGo(k0, j0) }

func (g *product) run(pool *par.Pool, _ Level) { g.runGo(pool) }

func addRows(c, w []Float, ldw int, rows []int32) { addRowsGo(c, w, ldw, rows) }

func (p LIF) forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	p.forwardGo(steps, x, xs, v, u, us, spikes, ss)
}

func (p LIFs) forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	p.forwardGo(steps, x, xs, v, u, us, spikes, ss)
}

func (p LIF) backward(steps int, s Surrogate, u []Float, us int, gs []Float, gss int, gv, gx []Float, gxs int) {
	p.backwardGo(steps, s, u, us, gs, gss, gv, gx, gxs)
}
