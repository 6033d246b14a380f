package dynamics

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/enum"
)

// Izhikevich is the neuron of two variables that fires in twenty ways (2003, 2004), in ms and mV
// with a current without unit:
//
//	v' = 0.04v² + m·v + n − u + I,   u' = a(bv − u)
//	v ≥ 30:  v ← c, u ← u + d
//
// with m = 5 and n = 140 in all but two patterns of 2004. Where Accommodates, u' = a·b(v + 65).
//
// What it computes depends on the scheme. Halves is that of 2003: two half-steps of v, one of u,
// and the reset at the beginning of the next step, so that what v has overshot goes into u; with
// steps of 1 ms it is the published one. Staggered is that of the figure of 2004, a step of v and
// then one of u by the new v; Euler is a step of both from where they stood.
type Izhikevich struct {
	A            float64 `yaml:"a"`                      // rate of u, 1/ms
	B            float64 `yaml:"b"`                      // how u follows v
	C            float64 `yaml:"c"`                      // mV, v after a spike
	D            float64 `yaml:"d"`                      // what a spike adds to u
	Slope        float64 `yaml:"slope"`                  // m
	Offset       float64 `yaml:"offset"`                 // n
	Start        float64 `yaml:"start"`                  // v at the start, mV
	StartU       float64 `yaml:"start-u"`                // u at the start
	Accommodates bool    `yaml:"accommodates,omitempty"` // u' = a·b(v + 65)
	Scheme       Scheme  `yaml:"scheme"`                 // halves, staggered or euler
}

// Scheme is how Izhikevich's equations are stepped.
type Scheme uint8

const (
	Halves    Scheme = iota // "halves"
	Staggered               // "staggered"
	Euler                   // "euler"
)

var schemes = []string{"halves", "staggered", "euler"}

// String is the scheme's name.
func (s Scheme) String() string { return enum.Name(s, schemes) }

// MarshalText is String.
func (s Scheme) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of String.
func (s *Scheme) UnmarshalText(text []byte) error { return enum.Parse(s, text, "scheme", schemes) }

// peak is where Izhikevich's neuron is reset, in mV.
const peak = 30

// Unit is empty: the current has none.
func (Izhikevich) Unit() string { return "" }

// Validate returns an error for constants that are no numbers, or a reset above the peak.
func (n Izhikevich) Validate() error {
	err := finite("izhikevich", named{"a", n.A}, named{"b", n.B}, named{"c", n.C}, named{"d", n.D}, named{"slope", n.Slope}, named{"offset", n.Offset}, named{"start", n.Start}, named{"start-u", n.StartU})
	if err == nil && n.C >= peak {
		err = fmt.Errorf("neuron izhikevich: c is %v mV, want less than the peak of %d, or it fires for ever", n.C, peak)
	}
	return err
}

// Rest is where the neuron stays under a current, the stable one of two points, NaN where there is
// none: 0.04v² + (m − b)v + n + I = 0.
func (n Izhikevich) Rest(current float64) (v, u float64) {
	p := n.Slope - n.B
	v = (-p - math.Sqrt(p*p-0.16*(n.Offset+current))) / 0.08
	return v, n.B * v
}

// Rheobase is the largest current with a point of rest, though the rest may turn unstable below
// it: (m − b)²/0.16 − n.
func (n Izhikevich) Rheobase() float64 {
	p := n.Slope - n.B
	return p*p/0.16 - n.Offset
}

// Cell is a neuron at Start.
func (n Izhikevich) Cell(step float64) (Cell, error) {
	if err := errors.Join(n.Validate(), checkStep("izhikevich", step)); err != nil {
		return nil, err
	}
	return &izhikevich{Izhikevich: n, step: step, v: n.Start, u: n.StartU}, nil
}

type izhikevich struct {
	Izhikevich
	step, v, u float64
}

func (c *izhikevich) Step(current float64) (float64, bool) {
	at := c.v
	switch c.Scheme {
	case Halves:
		c.v += c.step / 2 * c.slope(c.v, current)
		c.v += c.step / 2 * c.slope(c.v, current)
		at = c.v
	case Staggered:
		c.v += c.step * c.slope(c.v, current)
		at = c.v
	default:
		c.v += c.step * c.slope(c.v, current)
	}
	c.u += c.step * c.recovery(at)
	v := min(c.v, peak)
	if c.v < peak {
		return v, false
	}
	c.v, c.u = c.C, c.u+c.D
	return v, true
}

// slope is v'.
func (c *izhikevich) slope(v, current float64) float64 {
	return 0.04*v*v + c.Slope*v + c.Offset - c.u + current
}

// recovery is u'.
func (c *izhikevich) recovery(v float64) float64 {
	if c.Accommodates {
		return c.A * c.B * (v + 65)
	}
	return c.A * (c.B*v - c.u)
}
