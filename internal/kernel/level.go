package kernel

// Level is a set of implementations.
type Level uint8

const (
	Go Level = iota // the reference loops
	AVX2
	AVX512
)

// String is the level's name in output and in SYNFIRE_KERNEL.
func (l Level) String() string { return [...]string{"go", "avx2", "avx512"}[l] }

var current = Go

// Current is the level in use.
func Current() Level { return current }
