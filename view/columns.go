package view

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"synfire/tensor"
)

// Spark draws values as a line of blocks, from lo (empty) to hi (full).
func Spark(values []float64, lo, hi float64) string {
	const blocks = " ▁▂▃▄▅▆▇█"
	levels := []rune(blocks)
	out := make([]rune, len(values))
	for i, v := range values {
		level := 0
		if hi > lo && !math.IsNaN(v) {
			level = int(math.Ceil((v - lo) / (hi - lo) * float64(len(levels)-1)))
		}
		out[i] = levels[min(max(level, 0), len(levels)-1)]
	}
	return string(out)
}

// Histogram counts values in n equal bins of [lo, hi]; those that are not finite
// are left out.
func Histogram(values []float64, lo, hi float64, n int) []float64 {
	counts := make([]float64, n)
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		bin := 0
		if hi > lo {
			bin = int((v - lo) / (hi - lo) * float64(n))
		}
		counts[min(max(bin, 0), n-1)]++
	}
	return counts
}

// Span is the smallest, mean and largest of the finite values, NaN without any.
func Span(values []float64) (lo, mean, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	n := 0
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		lo, hi, mean, n = min(lo, v), max(hi, v), mean+v, n+1
	}
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return lo, mean / float64(n), hi
}

// Short is a number with four digits.
func Short(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Shape is the sizes of an array.
func Shape(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	return tensor.Shape(shape).String()
}

// Shorten is text in one line of at most width runes.
func Shorten(text string, width int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return string(r)
}

// Grid prints a table whose first column is text and whose others are numbers.
func (s Screen) Grid(table [][]string) {
	wide := widths(table)
	numbers := make([]int, len(wide))
	for i := range numbers {
		numbers[i] = i + 1
	}
	fmt.Fprintln(s.Out)
	for _, row := range table {
		fmt.Fprintln(s.Out, align(row, wide, numbers...))
	}
}

func widths(table [][]string) []int {
	var wide []int
	for _, row := range table {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	return wide
}

// align joins cells to a line, two columns apart, those of numbers to the right.
func align(cells []string, wide []int, numbers ...int) string {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell))
		if slices.Contains(numbers, i) {
			cell = pad + cell
		} else {
			cell += pad
		}
		b.WriteString(cell + "  ")
	}
	return strings.TrimRight(b.String(), " ")
}
