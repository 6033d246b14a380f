//go:build !amd64 || purego || float64

package kernel

func (p Logistic) of(m, z []Float, sums *[2 * logisticLanes]Float) { p.ofGo(m, z, sums) }
