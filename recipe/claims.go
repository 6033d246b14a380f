package recipe

import "synfire/report"

// Bounded is a claim with the same bound at short and full, of a scale's seeds and samples;
// a scale of no seeds does not test it.
func Bounded(id, name, unit, source string, d report.Direction, bound float64, seeds report.Seeds, n report.Samples) report.Claim {
	c := report.Claim{ID: id, Name: name, Unit: unit, Source: source, Direction: d, Statistic: report.Median, Seeds: seeds, N: n}
	if seeds.Short > 0 {
		c.Bounds.Short = &bound
	}
	if seeds.Full > 0 {
		c.Bounds.Full = &bound
	}
	c.Seeds.Short, c.Seeds.Full = max(1, seeds.Short), max(1, seeds.Full)
	return c
}
