// Package tensor holds arrays of numbers and the parameters made of them.
//
// A Tensor is row-major: the last index runs fastest, so element (i, j) of an
// m×n tensor is Data[i*n+j]. Images are channels-last, [height, width,
// channels]. Weights are input-major, [in, out] and [kh, kw, cin, cout], so
// that one spike adds one contiguous row.
package tensor

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"synfire/internal/huge"
	"synfire/internal/kernel"
	"synfire/internal/par"
)

// Float is the element type: float32, or float64 under the build tag float64.
type Float = kernel.Float

// Shape is a list of dimensions, the slowest first.
type Shape []int

// Size is the number of elements: the product of the dimensions, 1 for none.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Equal reports whether both shapes have the same dimensions.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

// String is the shape as in 28×28×1.
func (s Shape) String() string {
	if len(s) == 0 {
		return "scalar"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return strings.Join(parts, "×")
}

// Validate returns an error unless each dimension is positive and the size
// fits an int.
func (s Shape) Validate() error {
	n := 1
	for _, d := range s {
		if d <= 0 {
			return fmt.Errorf("shape %v: each dimension must be at least 1", s)
		}
		if n > math.MaxInt/d {
			return fmt.Errorf("shape %v: the number of elements overflows", s)
		}
		n *= d
	}
	return nil
}

// Tensor is a row-major array; len(Data) is Shape.Size().
type Tensor struct {
	Shape Shape
	Data  []Float
}

// New is a tensor of zeros.
func New(dims ...int) Tensor {
	s := Shape(dims)
	return Tensor{Shape: s, Data: huge.Make[Float](s.Size())}
}

// Clone is a deep copy.
func (t Tensor) Clone() Tensor {
	return Tensor{
		Shape: append(Shape(nil), t.Shape...),
		Data:  append([]Float(nil), t.Data...),
	}
}

// Param is a named array that a learner adjusts. The name is "node.role".
type Param struct {
	Name  string
	Value Tensor
}

// MatMul is A·B for A [m, k] and B [k, n], on the threads of pool (nil: one).
// It returns an error when the shapes do not fit. Each element is one chain of
// multiply-adds in ascending k, whatever the number of threads.
func MatMul(pool *par.Pool, a, b Tensor) (Tensor, error) {
	if len(a.Shape) != 2 || len(b.Shape) != 2 || a.Shape[1] != b.Shape[0] {
		return Tensor{}, fmt.Errorf("tensor.MatMul: shapes %v and %v: want m×k and k×n with the same k", a.Shape, b.Shape)
	}
	m, k, n := a.Shape[0], a.Shape[1], b.Shape[1]
	c := New(m, n)
	kernel.Gemm(pool, m, n, k, a.Data, k, false, b.Data, n, false, c.Data, n)
	return c, nil
}

// Resize returns s with length n, reusing its memory where it suffices. The
// elements are unspecified.
func Resize(s []Float, n int) []Float {
	if cap(s) < n {
		return huge.Make[Float](n)
	}
	return s[:n]
}

// SumChunk is the length of the chunks of a reduction: partial sums in float64
// over fixed chunks, added in order, so that no reduction depends on threads.
const SumChunk = 4096

// Sum adds f(x[i]) over x in float64, chunk by chunk.
func Sum(x []Float, f func(Float) float64) float64 {
	var total float64
	for lo := 0; lo < len(x); lo += SumChunk {
		var part float64
		for _, v := range x[lo:min(lo+SumChunk, len(x))] {
			part += f(v)
		}
		total += part
	}
	return total
}

// Misfit is what keeps a number from being an element, as "is not finite" behind the
// number; empty where nothing does.
func Misfit(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "is not finite"
	case math.IsInf(float64(Float(v)), 0):
		return fmt.Sprintf("does not fit the program's numbers of 32 bits, which end at %.2g", math.MaxFloat32)
	}
	return ""
}

// Finite reports whether no element is NaN or infinite, and the index of the
// first that is.
func Finite(x []Float) (int, bool) {
	i := kernel.Finite(x)
	return max(i, 0), i < 0
}
