package report

import (
	"fmt"
	"math"
	"slices"
)

// Verdict is the outcome of a claim at one scale.
type Verdict string

// The verdicts.
const (
	Met       Verdict = "met"
	NotMet    Verdict = "not_met"
	NotTested Verdict = "not_tested"
)

// Measurement is what a recipe hands over to be judged.
type Measurement struct {
	Values []float64 // one figure a seed; for an order, one an arm
	Arms   []string  // for an order: the arms' names, the largest claimed figure first
	N      int       // samples behind each figure, e.g. test images
	Seeds  int       // seeds that ran; 0 means one a value, and 1 for an order
	Why    string    // why there are no values, where there are none
}

// Result is a claim with what a run measured, in the form in which
// `synfire run --json` prints it. Measured is nil where nothing finite was
// measured. Claim.Judge fills every field.
type Result struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Unit      string    `json:"unit"`
	Published *float64  `json:"published"`
	Source    string    `json:"source"`
	Direction Direction `json:"direction"`
	Bound     *float64  `json:"bound"`
	Measured  *float64  `json:"measured"`
	Values    Numbers   `json:"values"`
	Arms      []string  `json:"arms"`
	N         int       `json:"n"`
	Seeds     int       `json:"seeds"`
	Statistic Statistic `json:"statistic"`
	Verdict   Verdict   `json:"verdict"`
	Why       string    `json:"why"`
}

// Measurement is what the result was judged from.
func (r Result) Measurement() Measurement {
	return Measurement{Values: r.Values, Arms: r.Arms, N: r.N, Seeds: r.Seeds, Why: r.Why}
}

// Judge compares what was measured at a scale with the claim's bound there.
//
// It is not_tested, with the reason, where the scale has no bound, nothing was
// measured, fewer seeds ran or fewer samples were measured than the claim asks for, or
// within lacks a published figure. It is not_met where a value is not finite or does not fit the claim:
// a malformed measurement must not pass.
func (c Claim) Judge(scale Scale, m Measurement) Result {
	r := Result{
		ID: c.ID, Name: c.Name, Unit: c.Unit,
		Published: c.Published, Source: c.Source,
		Direction: c.Direction, Bound: c.Bounds.At(scale),
		Values: append(Numbers{}, m.Values...), Arms: append([]string{}, m.Arms...),
		N: m.N, Seeds: m.seeds(c.Direction), Statistic: c.Statistic,
	}
	measured, err := c.measure(m)
	if err == nil && !finite(measured) {
		err = fmt.Errorf("the values overflow to %v", measured)
	}
	if err == nil {
		r.Measured = &measured
	}
	want := c.Seeds.At(scale)
	switch {
	case len(m.Values) == 0:
		r.Verdict, r.Why = NotTested, orElse(m.Why, "nothing was measured")
	case r.Bound == nil:
		r.Verdict, r.Why = NotTested, orElse(m.Why, fmt.Sprintf("no bound at the %s scale", scale))
	case r.Seeds < want:
		r.Verdict, r.Why = NotTested, fmt.Sprintf("%d of %d seeds ran", r.Seeds, want)
	case m.N < c.N.At(scale):
		r.Verdict, r.Why = NotTested, fmt.Sprintf("measured on %d of %d samples", m.N, c.N.At(scale))
	case c.Direction == Within && c.Published == nil:
		r.Verdict, r.Why = NotTested, "there is no published figure to compare with"
	case err != nil:
		r.Verdict, r.Why = NotMet, err.Error()
	case c.holds(measured, *r.Bound):
		r.Verdict = Met
	default:
		r.Verdict, r.Why = NotMet, shortfall(r)
	}
	return r
}

func (m Measurement) seeds(d Direction) int {
	switch {
	case m.Seeds > 0 || len(m.Values) == 0:
		return m.Seeds
	case d == Order:
		return 1
	}
	return len(m.Values)
}

// holds is the comparison itself. It is false wherever an operand is NaN.
func (c Claim) holds(measured, bound float64) bool {
	switch c.Direction {
	case AtLeast:
		return measured >= bound
	case AtMost:
		return measured <= bound
	case Within:
		return c.Published != nil && math.Abs(measured-*c.Published) <= bound
	case Order:
		return measured > bound
	}
	return false
}

// measure reduces the values to the figure that is compared with the bound.
func (c Claim) measure(m Measurement) (float64, error) {
	if c.Direction != Order {
		return c.Statistic.Of(m.Values)
	}
	if len(m.Values) < 2 || len(m.Values) != len(m.Arms) {
		return 0, fmt.Errorf("an order needs two or more arms with a value each, found %d arms and %d values", len(m.Arms), len(m.Values))
	}
	if err := allFinite(m.Values); err != nil {
		return 0, err
	}
	gap := math.Inf(1)
	for i := range len(m.Values) - 1 {
		gap = min(gap, m.Values[i]-m.Values[i+1])
	}
	return gap, nil
}

// Of applies the statistic to values. It fails where there are none, where one
// is not finite, and where a fraction meets a value other than 0 and 1.
func (s Statistic) Of(values []float64) (float64, error) {
	if len(values) == 0 {
		return 0, fmt.Errorf("%s of no values", s)
	}
	if err := allFinite(values); err != nil {
		return 0, err
	}
	switch s {
	case Median:
		v := slices.Sorted(slices.Values(values))
		n := len(v)
		return v[(n-1)/2]/2 + v[n/2]/2, nil
	case Min:
		return slices.Min(values), nil
	case Max:
		return slices.Max(values), nil
	case Fraction:
		return share(values)
	case Mean:
		return mean(values), nil
	}
	return 0, fmt.Errorf("unknown statistic %q, want median, mean, min, max or fraction", s)
}

// mean sums deviations from the first value, so that the mean of equal values
// is that value and not its neighbour below a bound.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v - values[0]
	}
	return values[0] + sum/float64(len(values))
}

func share(values []float64) (float64, error) {
	yes := 0
	for i, v := range values {
		switch v {
		case 0:
		case 1:
			yes++
		default:
			return 0, fmt.Errorf("fraction: value %d is %v, want 0 or 1", i+1, v)
		}
	}
	return float64(yes) / float64(len(values)), nil
}

func allFinite(values []float64) error {
	for i, v := range values {
		if !finite(v) {
			return fmt.Errorf("value %d of %d is %v, not a finite number", i+1, len(values), v)
		}
	}
	return nil
}

// shortfall says in words by what a tested claim is missed.
func shortfall(r Result) string {
	got, want := r.measuredText(), figureText(*r.Bound, r.Unit)
	switch r.Direction {
	case AtLeast:
		return fmt.Sprintf("%s is below %s", got, want)
	case AtMost:
		return fmt.Sprintf("%s is above %s", got, want)
	case Within:
		return fmt.Sprintf("%s is more than %s from %s", got, want, figureText(*r.Published, r.Unit))
	case Order:
		i := smallestGap(r.Values)
		return fmt.Sprintf("%s − %s is %s, not above %s", r.Arms[i], r.Arms[i+1], got, want)
	}
	return fmt.Sprintf("unknown direction %q, want at_least, at_most, within or order", r.Direction)
}

// smallestGap is the index of the first of the two neighbours that lie closest
// to the wrong order.
func smallestGap(values []float64) int {
	at := 0
	for i := range len(values) - 1 {
		if values[i]-values[i+1] < values[at]-values[at+1] {
			at = i
		}
	}
	return at
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
