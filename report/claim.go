package report

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Scale is the size of a run: smoke takes seconds, short minutes, full is the
// paper's own protocol as far as it can be followed.
type Scale string

// The scales.
const (
	Smoke Scale = "smoke"
	Short Scale = "short"
	Full  Scale = "full"
)

// Direction says how a measured figure is compared with its bound.
type Direction string

// The directions; the package comment has their definitions.
const (
	AtLeast Direction = "at_least"
	AtMost  Direction = "at_most"
	Within  Direction = "within"
	Order   Direction = "order"
)

// Statistic reduces the values of several seeds to one figure.
type Statistic string

// The statistics. Fraction is the share of values that are 1, where each value
// says whether a seed satisfies the claim's condition (1) or not (0).
const (
	Median   Statistic = "median"
	Mean     Statistic = "mean"
	Min      Statistic = "min"
	Max      Statistic = "max"
	Fraction Statistic = "fraction"
)

// Bounds holds what a claim must reach at each scale, in the claim's unit; nil
// where the scale cannot test it.
type Bounds struct {
	Smoke *float64 `json:"smoke"`
	Short *float64 `json:"short"`
	Full  *float64 `json:"full"`
}

// At is the bound of a scale, nil for an unknown scale.
func (b Bounds) At(s Scale) *float64 {
	switch s {
	case Smoke:
		return b.Smoke
	case Short:
		return b.Short
	case Full:
		return b.Full
	}
	return nil
}

// Seeds holds over how many seeds a claim is measured at each scale.
type Seeds struct {
	Smoke int `json:"smoke,omitempty"`
	Short int `json:"short"`
	Full  int `json:"full"`
}

// At is the number of seeds of a scale, 1 where none is given.
func (s Seeds) At(scale Scale) int {
	n := 0
	switch scale {
	case Smoke:
		n = s.Smoke
	case Short:
		n = s.Short
	case Full:
		n = s.Full
	}
	return max(n, 1)
}

// Samples holds of how many samples, such as test images, each value of a claim is
// measured at a scale; 0 where the scale does not say.
type Samples struct {
	Short int `json:"short"`
	Full  int `json:"full"`
}

// At is the number of samples of a scale.
func (n Samples) At(scale Scale) int {
	switch scale {
	case Short:
		return n.Short
	case Full:
		return n.Full
	}
	return 0
}

// Claim is one figure that a recipe sets out to reproduce, in the form in which
// `synfire recipes --json` lists it. Published is nil where the paper has no
// figure or where it could not be checked.
//
// A claim that failed stays. One that is stated better stands Beside it, with the day
// on which it was Stated and a Note that says why, and what of it was known by then.
type Claim struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Unit      string    `json:"unit"`
	Published *float64  `json:"published"`
	Source    string    `json:"source"`
	Direction Direction `json:"direction"`
	Bounds    Bounds    `json:"bounds"`
	Seeds     Seeds     `json:"seeds"`
	Statistic Statistic `json:"statistic"`
	N         Samples   `json:"n,omitzero"`
	Stated    string    `json:"stated,omitempty"` // the day, as 2026-11-28; empty for those that came with the recipe
	Beside    string    `json:"beside,omitempty"` // the id of the claim that this states better
	Note      string    `json:"note,omitempty"`   // why it stands as it does, what was chosen on test error, what it costs
}

// Validate reports what keeps the claim from being judged as it stands: an empty
// id or name, an unknown direction or statistic, a published figure or bound that
// is not finite, a bound that is negative for within or outside [0, 1] for a
// fraction, within without a published figure, a day that is none, or a claim beside
// another without its day and its reason.
func (c Claim) Validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("claim %q: %w", c.ID, fmt.Errorf(format, args...))
	}
	if c.ID == "" || c.Name == "" {
		return fail("id %q and name %q must both be set", c.ID, c.Name)
	}
	switch c.Direction {
	case AtLeast, AtMost, Within, Order:
	default:
		return fail("unknown direction %q, want at_least, at_most, within or order", c.Direction)
	}
	switch c.Statistic {
	case Median, Mean, Min, Max, Fraction:
	default:
		return fail("unknown statistic %q, want median, mean, min, max or fraction", c.Statistic)
	}
	if c.Published != nil && !finite(*c.Published) {
		return fail("the published figure is %v; leave it nil where there is none", *c.Published)
	}
	if c.Direction == Within && c.Published == nil {
		return fail("within compares with a published figure, but there is none; set one or use at_least or at_most")
	}
	if _, err := time.Parse(time.DateOnly, c.Stated); c.Stated != "" && err != nil {
		return fail("stated %q, want a day such as 2026-11-28", c.Stated)
	}
	if c.Beside != "" && (c.Stated == "" || c.Note == "" || c.Beside == c.ID) {
		return fail("it stands beside %q; say on which day it was stated, and why", c.Beside)
	}
	if c.N.Short < 0 || c.N.Full < 0 {
		return fail("n %+v is negative", c.N)
	}
	for _, s := range []Scale{Smoke, Short, Full} {
		if err := c.validBound(c.Bounds.At(s)); err != nil {
			return fail("%s bound: %w", s, err)
		}
	}
	return nil
}

func (c Claim) validBound(bound *float64) error {
	if bound == nil {
		return nil
	}
	b := *bound
	switch {
	case !finite(b):
		return errors.New("must be finite")
	case c.Direction == Within && b < 0:
		return fmt.Errorf("%v is negative; within takes a distance", b)
	case c.Statistic == Fraction && c.Direction != Order && (b < 0 || b > 1):
		return fmt.Errorf("%v lies outside [0, 1]; a fraction is a share, not a percentage", b)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
