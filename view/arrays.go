package view

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/inspect"
	"synfire/report"
	"synfire/sample"
)

// Arrays prints a line for each array, with its values where they are few enough.
func (s Screen) Arrays(ctx context.Context, list []inspect.Array, values bool) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TENSOR\tTYPE\tSHAPE\tMIN\tMEAN\tMAX\tVALUES")
	for _, t := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var sum summary
		if values {
			var err error
			if sum, err = summarize(ctx, t, 12); err != nil {
				return fmt.Errorf("inspect: %w", err)
			}
		}
		lo, mean, hi := sum.span()
		bar := ""
		if sum.n > 0 {
			bar = Spark(sum.counts, 0, slices.Max(sum.counts))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", sample.Printable(t.Name), t.DType, Shape(t.Shape), Short(lo), Short(mean), Short(hi), bar)
	}
	if err := w.Flush(); err != nil || values {
		return err
	}
	_, err := fmt.Fprint(s.Out, "\nThese are many: values are not read. One with its values: --tensor NAME\n")
	return err
}

// Array shows an array's facts and its histogram, a line a bin.
func (s Screen) Array(ctx context.Context, t inspect.Array) error {
	const bins, bar = 16, 40
	sum, err := summarize(ctx, t, bins)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	lo, mean, hi := sum.span()
	fmt.Fprintf(s.Out, "%s  %s  %s\n", sample.Printable(t.Name), t.DType, Shape(t.Shape))
	if sum.n == 0 {
		_, err := fmt.Fprintln(s.Out, "no numbers")
		return err
	}
	fmt.Fprintf(s.Out, "%s values from %s to %s, mean %s", report.Integer(sum.n), Short(lo), Short(hi), Short(mean))
	if other := sum.n - sum.finite; other > 0 {
		fmt.Fprintf(s.Out, ", %s NaN or infinite", report.Integer(other))
	}
	fmt.Fprint(s.Out, "\n\n")
	for i, n := range sum.counts {
		length := int(math.Ceil(n / max(1, slices.Max(sum.counts)) * bar))
		fmt.Fprintf(s.Out, "%11s  %-*s %s\n", Short(lo+(hi-lo)*(float64(i)+0.5)/bins), bar, strings.Repeat("█", length), report.Integer(int64(n)))
	}
	return nil
}

// summary is what is shown of an array's elements.
type summary struct {
	n, finite   int64
	lo, hi, sum float64 // of finite ones
	counts      []float64
}

// summarize reads an array twice: for its span, and for the histogram.
func summarize(ctx context.Context, t inspect.Array, bins int) (summary, error) {
	s := summary{lo: math.Inf(1), hi: math.Inf(-1)}
	err := t.Each(func(piece []float64) error {
		for _, v := range piece {
			if s.n++; !math.IsNaN(v) && !math.IsInf(v, 0) {
				s.lo, s.hi, s.sum, s.finite = min(s.lo, v), max(s.hi, v), s.sum+v, s.finite+1
			}
		}
		return ctx.Err()
	})
	if err != nil || s.n == 0 {
		return s, err
	}
	lo, _, hi := s.span()
	s.counts = make([]float64, bins)
	err = t.Each(func(piece []float64) error {
		for i, n := range Histogram(piece, lo, hi, bins) {
			s.counts[i] += n
		}
		return ctx.Err()
	})
	return s, err
}

// span is the smallest, mean and largest of the finite elements, NaN without any.
func (s summary) span() (lo, mean, hi float64) {
	if s.finite == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return s.lo, s.sum / float64(s.finite), s.hi
}
