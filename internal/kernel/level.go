package kernel

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
)

// Level is a set of implementations.
type Level uint8

const (
	Go     Level = iota // the reference loops
	AVX2                // 256-bit vectors: AVX2 and FMA
	AVX512              // 512-bit vectors: AVX-512 F, BW, VL and DQ
)

var names = [...]string{Go: "go", AVX2: "avx2", AVX512: "avx512"}

// String is the level's name in output and in SYNFIRE_KERNEL.
func (l Level) String() string {
	if int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// The level is chosen once, at start; only SetLevel changes it.
var (
	levels  = supported()
	current atomic.Uint32
	problem error
)

func init() {
	var l Level
	l, problem = choose(os.Getenv("SYNFIRE_KERNEL"), levels)
	current.Store(uint32(l))
}

// choose is the level called name, or the best with an empty name. An unknown
// or unsupported name gives the best level and an error that says so.
func choose(name string, levels []Level) (Level, error) {
	best := levels[len(levels)-1]
	if name == "" {
		return best, nil
	}
	for _, l := range levels {
		if l.String() == name {
			return l, nil
		}
	}
	if slices.Contains(names[:], name) {
		return best, fmt.Errorf("kernel: SYNFIRE_KERNEL=%s: this processor or build has only %v, using %v; unset the variable", name, levels, best)
	}
	return best, fmt.Errorf("kernel: SYNFIRE_KERNEL=%s: unknown level, using %v; set one of %v or unset the variable", name, best, levels)
}

// Current is the level in use.
func Current() Level { return Level(current.Load()) }

// Levels lists the levels that this processor and build support, the plain Go
// level first and the best last.
func Levels() []Level { return slices.Clone(levels) }

// Problem is what was wrong with SYNFIRE_KERNEL when the program started, or
// nil. The best supported level is in use then.
func Problem() error { return problem }

// SetLevel makes l the level in use until restore is called. It is meant for
// tests and measurements: loops that run meanwhile may use either level. What
// was packed keeps the level it was packed for.
func SetLevel(l Level) (restore func(), err error) {
	if !slices.Contains(levels, l) {
		return nil, fmt.Errorf("kernel.SetLevel: %v is not supported here; choose one of %v", l, levels)
	}
	before := current.Swap(uint32(l))
	return func() { current.Store(before) }, nil
}

// Use makes the level of a name the one in use; an empty name changes nothing.
func Use(name string) error {
	if name == "" {
		return nil
	}
	for _, l := range levels {
		if l.String() == name {
			_, err := SetLevel(l)
			return err
		}
	}
	return fmt.Errorf("no kernel level %q here; there are: %v", name, levels)
}
