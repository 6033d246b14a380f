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
		var v []float64
		if values {
			var err error
			if v, err = t.Values(); err != nil {
				return fmt.Errorf("inspect: %w", err)
			}
		}
		lo, mean, hi := Span(v)
		bar := ""
		if len(v) > 0 {
			counts := Histogram(v, lo, hi, 12)
			bar = Spark(counts, 0, slices.Max(counts))
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
func (s Screen) Array(t inspect.Array) error {
	const bins, bar = 16, 40
	values, err := t.Values()
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	lo, mean, hi := Span(values)
	fmt.Fprintf(s.Out, "%s  %s  %s\n", sample.Printable(t.Name), t.DType, Shape(t.Shape))
	if len(values) == 0 {
		_, err := fmt.Fprintln(s.Out, "no numbers")
		return err
	}
	other := 0
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			other++
		}
	}
	fmt.Fprintf(s.Out, "%s values from %s to %s, mean %s", report.Integer(int64(len(values))), Short(lo), Short(hi), Short(mean))
	if other > 0 {
		fmt.Fprintf(s.Out, ", %s NaN or infinite", report.Integer(int64(other)))
	}
	fmt.Fprint(s.Out, "\n\n")
	counts := Histogram(values, lo, hi, bins)
	for i, n := range counts {
		length := int(math.Ceil(n / max(1, slices.Max(counts)) * bar))
		fmt.Fprintf(s.Out, "%11s  %-*s %s\n", Short(lo+(hi-lo)*(float64(i)+0.5)/bins), bar, strings.Repeat("█", length), report.Integer(int64(n)))
	}
	return nil
}
