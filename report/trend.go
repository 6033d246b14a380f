package report

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Trend is a figure that was followed through a run, e.g. the loss.
type Trend struct {
	Name   string
	Unit   string
	Values []float64 // NaN where there is none
}

// sparks are the heights of a sparkline.
const sparks = "▁▂▃▄▅▆▇█"

// sparkWidth is the most columns that a sparkline takes.
const sparkWidth = 40

// Sparkline draws values as one line of at most width block characters, from the
// least to the largest. Neighbours share a character where there are more values
// than that; values that are not finite count for nothing, and leave a gap where
// they stand alone.
func Sparkline(values []float64, width int) string {
	n := min(len(values), max(width, 1))
	means, lo, hi := make([]float64, n), math.Inf(1), math.Inf(-1)
	for i := range means {
		means[i] = finiteMean(values[i*len(values)/n : (i+1)*len(values)/n])
		if finite(means[i]) {
			lo, hi = min(lo, means[i]), max(hi, means[i])
		}
	}
	var b strings.Builder
	levels := []rune(sparks)
	for _, v := range means {
		switch {
		case !finite(v):
			b.WriteByte(' ')
		case lo == hi:
			b.WriteRune(levels[len(levels)/2])
		default:
			b.WriteRune(levels[int(math.Round((v-lo)/(hi-lo)*float64(len(levels)-1)))])
		}
	}
	return b.String()
}

func finiteMean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if finite(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// WriteTrends writes a line for each trend that has finite values: its name, its
// course as a sparkline, and its first and last value. No line is wider than width
// columns, down to the names and figures.
func WriteTrends(w io.Writer, trends []Trend, width int, color bool) error {
	var b strings.Builder
	p := printer{&b, color}
	names := 0
	for _, t := range trends {
		names = max(names, columns(oneLine(t.Name)))
	}
	for _, t := range trends {
		ends := t.ends()
		if ends == "" {
			continue
		}
		name := oneLine(t.Name)
		p.styled(bold, name)
		p.WriteString(strings.Repeat(" ", names-columns(name)+columnGap))
		p.WriteString(Sparkline(t.Values, min(sparkWidth, width-names-2*columnGap-columns(ends))))
		p.WriteString(strings.Repeat(" ", columnGap))
		p.styled(dim, ends)
		p.WriteByte('\n')
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write trends: %w", err)
	}
	return nil
}

// ends is the first and the last finite value, empty where there is none.
func (t Trend) ends() string {
	first, last := math.NaN(), math.NaN()
	for _, v := range t.Values {
		if !finite(v) {
			continue
		}
		if last = v; !finite(first) {
			first = v
		}
	}
	if !finite(first) {
		return ""
	}
	return withUnit(rounded(first, t.Unit)+" → "+rounded(last, t.Unit), t.Unit)
}
