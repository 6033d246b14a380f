//go:build !amd64 || purego || float64

package kernel

func (p Imbalanced) step(y, x, sums, count, v []Float) { p.stepGo(y, x, sums, count, v) }
func (p Delta) step(y, x, sums, count []Float)         { p.stepGo(y, x, sums, count) }
