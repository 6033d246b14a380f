//go:build !amd64 || purego || float64

package kernel

func (p Relax) step(s, z []Float) Float { return p.stepGo(s, z) }

func (p Adapt) step(s, d, g, h, spread, mean []Float) { p.stepGo(s, d, g, h, spread, mean) }
