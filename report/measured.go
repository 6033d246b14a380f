package report

import (
	"math"
	"strconv"
)

// Measured writes a measured figure that is not negative with three digits, or
// whole from 100 on: "0.0427", "4.81", "93,333".
func Measured(v float64) string {
	if v >= 1000 {
		return Integer(int64(math.Round(v)))
	}
	digits := 0
	for x := v; x < 100 && digits < 4; x *= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
