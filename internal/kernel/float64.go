//go:build float64

package kernel

import "math"

// Float is the element type of the whole engine: float32, or float64 under
// the build tag float64 (gradient checks), which also drops the assembly.
type Float = float64

// exp is e to the power of x.
func exp(x Float) Float { return math.Exp(x) }
