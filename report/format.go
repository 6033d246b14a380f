package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// missing stands where there is no figure.
const missing = "–"

// exactly writes a figure with the digits its author gave it.
func exactly(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e9) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// rounded writes a measured figure: four digits or so, whole numbers whole, and
// percentages with two decimals.
func rounded(v float64, unit string) string {
	a := math.Abs(v)
	switch {
	case unit == "%" && a >= 0.01 && a < 1000:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v == math.Trunc(v) && a < 1e9:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 1000 && a < 1e9:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 10 && a < 1000:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a >= 1 && a < 10:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case a >= 0.1 && a < 1:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func withUnit(number, unit string) string {
	if unit == "" || number == missing {
		return number
	}
	return number + " " + unit
}

func figureText(v float64, unit string) string { return withUnit(exactly(v), unit) }

func (r Result) publishedText() string {
	if r.Published == nil {
		return missing
	}
	return figureText(*r.Published, r.Unit)
}

func (r Result) boundText() string {
	if r.Bound == nil {
		return missing
	}
	b := figureText(*r.Bound, r.Unit)
	switch r.Direction {
	case AtLeast:
		return "≥ " + b
	case AtMost:
		return "≤ " + b
	case Within:
		return "± " + b
	case Order:
		return "gap > " + b
	}
	return b
}

// measuredText rounds the measured figure, but never so far that the rounded
// figure would stand on the other side of the bound.
func (r Result) measuredText() string {
	if r.Measured == nil {
		return missing
	}
	text := rounded(*r.Measured, r.Unit)
	if r.Bound != nil {
		c := Claim{Direction: r.Direction, Published: r.Published}
		shown, err := strconv.ParseFloat(text, 64)
		if err != nil || c.holds(shown, *r.Bound) != c.holds(*r.Measured, *r.Bound) {
			text = exactly(*r.Measured)
		}
	}
	return withUnit(text, r.Unit)
}

func (v Verdict) text() string { return strings.ReplaceAll(string(v), "_", " ") }

// Integer writes n with a comma between groups of three digits.
func Integer(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(s, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return s[:len(s)-len(strings.TrimPrefix(s, "-"))] + digits
}

// Bytes writes a size in powers of 1,024, e.g. "412.5 MiB".
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		v /= 1024
		if v < 1023.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// Seconds writes a duration in the units a person would use: "0.42 s",
// "41.3 s", "6 min 52 s", "2 h 05 min".
func Seconds(s float64) string {
	switch {
	case !finite(s) || s < 0:
		return missing
	case s < 1:
		return fmt.Sprintf("%.2f s", s)
	case s < 59.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 3599.5:
		n := int(math.Round(s))
		return fmt.Sprintf("%d min %02d s", n/60, n%60)
	}
	n := int(math.Round(s / 60))
	return fmt.Sprintf("%d h %02d min", n/60, n%60)
}
