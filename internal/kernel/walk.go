package kernel

import "fmt"

// Walk is a path through a matrix of vectors: vector (i, k) begins at element
// At + i·Row + k·Step. Row and Step may be negative, or 0.
type Walk struct{ At, Row, Step int }

// MulWalks adds the products of the vectors on two walks of rows × steps to c,
// element by element: a pixel of a depthwise convolution, with a walk through
// the image and one through the weights.
//
//	for i := range rows {
//		for k := range steps {
//			for j := range c {
//				c[j] = fma(a[p.At+i*p.Row+k*p.Step+j], b[q.At+i*q.Row+k*q.Step+j], c[j])
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds.
func MulWalks(c, a []Float, p Walk, b []Float, q Walk, rows, steps int) {
	if rows <= 0 || steps <= 0 || len(c) == 0 {
		return
	}
	p.check("a", len(a), rows, steps, len(c))
	q.check("b", len(b), rows, steps, len(c))
	mulWalks(c, a, p, b, q, rows, steps)
}

// check panics unless the whole walk lies inside a matrix of size elements.
func (w Walk) check(name string, size, rows, steps, n int) {
	down, right := (rows-1)*w.Row, (steps-1)*w.Step
	first, last := w.At+min(down, 0)+min(right, 0), w.At+max(down, 0)+max(right, 0)
	if first < 0 || last+n > size {
		panic(fmt.Sprintf("kernel.MulWalks: %s: the walk reaches elements %d to %d of %d", name, first, last+n-1, size))
	}
}

func mulWalksGo(c, a []Float, p Walk, b []Float, q Walk, rows, steps int) {
	for i := range rows {
		for k := range steps {
			x, y := a[p.At+i*p.Row+k*p.Step:][:len(c)], b[q.At+i*q.Row+k*q.Step:][:len(c)]
			for j := range c {
				c[j] += Float(x[j] * y[j])
			}
		}
	}
}
