//go:build !purego && !float64

package kernel

import (
	"math"

	"golang.org/x/sys/cpu"

	"synfire/internal/par"
)

// supported asks the processor, and the operating system by way of the
// registers that it saves.
func supported() []Level {
	l := []Level{Go}
	x := cpu.X86
	if x.HasAVX2 && x.HasFMA {
		l = append(l, AVX2)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ {
			l = append(l, AVX512)
		}
	}
	return l
}

func (p *Packed) pack(pool *par.Pool, b []Float, ldb int, trans bool) {
	if p.level == Go {
		p.packGo(b, ldb, trans)
		return
	}
	p.packPanels(pool, b, ldb, trans)
}

func (p LIF) forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	level := Current()
	if level == Go {
		p.forwardGo(steps, x, xs, v, u, us, spikes, ss)
		return
	}
	var unread [128]Float // takes the membranes that the caller does not want
	at, stride := &unread[0], 0
	params := [4]Float{p.Beta, p.Gain, p.Fire, p.Amount}
	if p.Reset == ResetNone {
		params[3] = 0 // u − 0 is u
	}
	block := 64
	if level == AVX512 {
		block = 128
	}
	for i := 0; i < len(v); i += block {
		n := min(block, len(v)-i)
		if u != nil {
			at, stride = &u[i], us
		}
		switch {
		case level == AVX512 && p.Reset == ResetZero:
			lifForwardZeroAVX512(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &params)
		case level == AVX512:
			lifForwardSubtractAVX512(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &params)
		case p.Reset == ResetZero:
			lifForwardZeroAVX2(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &params)
		default:
			lifForwardSubtractAVX2(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &params)
		}
	}
}

func (p LIFs) forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	level, block := Current(), 64
	switch level {
	case Go:
		p.forwardGo(steps, x, xs, v, u, us, spikes, ss)
		return
	case AVX512:
		block = 128
	}
	var unread [128]Float // as in LIF.forward
	at, stride := &unread[0], 0
	for i := 0; i < len(v); i += block {
		n := min(block, len(v)-i)
		if u != nil {
			at, stride = &u[i], us
		}
		if level == AVX512 {
			lifForwardEachAVX512(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &p.Beta[i], &p.Gain[i], &p.Fire[i], &p.Amount[i])
		} else {
			lifForwardEachAVX2(steps, n, &x[i], xs, &v[i], at, stride, &spikes[i/64], ss, &p.Beta[i], &p.Gain[i], &p.Fire[i], &p.Amount[i])
		}
	}
}

func (p LIF) backward(steps int, s Surrogate, u []Float, us int, gs []Float, gss int, gv, gx []Float, gxs int) {
	level := Current()
	if level == Go {
		p.backwardGo(steps, s, u, us, gs, gss, gv, gx, gxs)
		return
	}
	block := 32
	if level == AVX512 {
		block = 64
	}
	fire := p.Fire
	if p.Reset != ResetZero {
		fire = Float(math.NaN()) // nothing is ≥ NaN: no gradient is cut
	}
	limit := s.Cut
	if limit == 0 {
		limit = Float(math.Inf(1)) // nothing is > Inf
	}
	params := [9]Float{p.Beta, p.Gain, fire, s.Theta, s.A, s.B, 1, math.Float32frombits(math.MaxInt32), limit}
	last := steps - 1
	u, gs, gx = u[last*us:], gs[last*gss:], gx[last*gxs:]
	for i := 0; i < len(gv); i += block {
		n := min(block, len(gv)-i)
		switch {
		case level == AVX512 && s.Shape == FastSigmoid:
			lifBackwardFastSigmoidAVX512(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case level == AVX512 && s.Shape == ArcTan:
			lifBackwardArcTanAVX512(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case level == AVX512 && s.Shape == Triangle:
			lifBackwardTriangleAVX512(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case level == AVX512:
			lifBackwardRectangleAVX512(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case s.Shape == FastSigmoid:
			lifBackwardFastSigmoidAVX2(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case s.Shape == ArcTan:
			lifBackwardArcTanAVX2(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		case s.Shape == Triangle:
			lifBackwardTriangleAVX2(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		default:
			lifBackwardRectangleAVX2(steps, n, &u[i], us, &gs[i], gss, &gv[i], &gx[i], gxs, &params)
		}
	}
}
