//go:build !amd64 || purego || float64

package kernel

func mulWalks(c, a []Float, p Walk, b []Float, q Walk, rows, steps int) {
	mulWalksGo(c, a, p, b, q, rows, steps)
}
