package spikes

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/report/figure"
	"synfire/sample"
	"synfire/spike"
	"synfire/spike/statistics"
)

// verb is a statistic by its name.
type verb struct {
	name, about string
	flags       []string // options that it takes
	needs       []string // those of them that have no default
	run         func(c *Spikes, in input) (result, error)
}

// verbs are all, in the order of the help.
func verbs() []verb {
	return []verb{
		{"summary", "spikes, rate and variability of each unit", nil, nil, (*Spikes).summary},
		{"rate", "rate over time, by a kernel", []string{"width", "kernel", "bandwidth", "uncorrected"}, nil, (*Spikes).rate},
		{"counts", "spikes in bins", []string{"width"}, nil, (*Spikes).counts},
		{"psth", "rate in bins over trials, with intervals", []string{"width", "level"}, nil, (*Spikes).psth},
		{"population", "rate of all units together", []string{"width"}, nil, (*Spikes).population},
		{"isi", "histogram of intervals", []string{"width", "longest"}, nil, (*Spikes).isi},
		{"cv", "coefficient of variation of the intervals", nil, nil, perUnit(statistics.CV, noInterval)},
		{"cv2", "the same of neighbouring intervals (Holt et al. 1996)", nil, nil, perUnit(statistics.CV2, noPair)},
		{"lv", "local variation (Shinomoto et al. 2003)", nil, nil, perUnit(statistics.LV, noPair)},
		{"lvr", "local variation less refractoriness (Shinomoto et al. 2009)", []string{"refractory"}, []string{"refractory"}, (*Spikes).lvr},
		{"fano", "Fano factor of counts in bins, over trials or the bins of one", []string{"width"}, nil, (*Spikes).fano},
		{"auto", "autocorrelogram", correlogramFlags, nil, (*Spikes).auto},
		{"cross", "cross-correlogram of each pair of units", correlogramFlags, nil, (*Spikes).cross},
		{"timescale", "timescale of the autocorrelation (Wieland et al. 2015)", []string{"width", "lag"}, nil, (*Spikes).timescale},
		{"covariance", "covariance of counts in bins", []string{"width"}, nil, (*Spikes).covariance},
		{"correlation", "correlation of counts in bins", []string{"width"}, nil, (*Spikes).correlation},
		{"sttc", "spike-time tiling coefficient (Cutts & Eglen 2014)", []string{"reach"}, []string{"reach"}, (*Spikes).sttc},
		{"contrast", "spike contrast over widths of bins (Ciba et al. 2018)", []string{"shortest"}, []string{"shortest"}, (*Spikes).contrast},
		{"complexity", "events by how many units take part", []string{"spread"}, []string{"spread"}, (*Spikes).complexity},
		{"synchrofacts", "events of several units, which may be artefacts", []string{"spread", "least"}, []string{"spread"}, (*Spikes).synchrofacts},
		{"bursts", "bursts, by intervals or by Poisson surprise", []string{"longest", "least", "surprise"}, nil, (*Spikes).bursts},
		{"trains", "the trains themselves: merged, cut, in epochs, shifted, and in other forms", []string{"merge", "keep", "slice", "onsets", "before", "after", "shift", "pool"}, nil, (*Spikes).edit},
		{"clean", "the trains without events of several units", []string{"spread", "least"}, []string{"spread"}, (*Spikes).clean},
		{"surrogate", "trains that share some statistics with these, and are random otherwise", surrogateFlags, nil, (*Spikes).surrogates},
		{"generate", "trains of a process with the rates of these", []string{"process", "rate", "cv", "correlation", "refractory"}, nil, (*Spikes).generate},
		{"test", "a statistic against surrogates, with corrected p", append([]string{"statistic", "surrogates", "tail", "correct"}, surrogateFlags...), []string{"statistic"}, (*Spikes).test},
	}
}

var correlogramFlags = []string{"width", "lag", "as", "smooth", "uncorrected"}

var surrogateFlags = []string{"surrogate", "move", "refractory", "smooth", "longest"}

// files are the endings of files that the values can be written to.
func (v verb) files() []string {
	if slices.Contains([]string{"trains", "clean", "surrogate", "generate"}, v.name) {
		return endings
	}
	return endings[:2]
}

// What is undefined.
const (
	noInterval = "undefined where no trial has two spikes at different times"
	noPair     = "undefined where no trial has three spikes"
	constant   = "undefined where the counts of a unit are the same in all bins, as of a silent unit"
)

// verbOf is a statistic by its name; one that is not known has no run.
func verbOf(name string) (v verb) {
	for _, known := range verbs() {
		if known.name == name {
			v = known
		}
	}
	return v
}

// perUnit is a number for each unit.
func perUnit(f func(trials []spike.Train) (float64, error), why string) func(c *Spikes, in input) (result, error) {
	return func(_ *Spikes, in input) (result, error) { return each(in, "1", why, f) }
}

func each(in input, unit, why string, f func(trials []spike.Train) (float64, error)) (result, error) {
	out := result{form: list, Unit: unit, why: why}
	for _, u := range in.units {
		v, err := f(u)
		if err != nil {
			return out, err
		}
		out.values = append(out.values, []float64{v})
	}
	return out, nil
}

func (c *Spikes) summary(in input) (result, error) {
	out := result{form: table, Unit: in.perTime(), columns: []string{"spikes", "rate", "cv", "cv2", "lv"}, why: "cv needs two spikes in a trial, cv2 and lv three", labels: in.names, rowName: "unit"}
	for _, u := range in.units {
		spikes := 0
		for _, t := range u {
			spikes += len(t.Times)
		}
		row := []float64{float64(spikes), float64(spikes) / in.duration() / float64(len(u))}
		for _, f := range []func([]spike.Train) (float64, error){statistics.CV, statistics.CV2, statistics.LV} {
			v, err := f(u)
			if err != nil {
				return out, err
			}
			row = append(row, v)
		}
		out.values = append(out.values, row)
	}
	out.picture = in.raster
	return out, nil
}

func (c *Spikes) lvr(in input) (result, error) {
	out, err := each(in, "1", noPair, func(u []spike.Train) (float64, error) { return statistics.LvR(u, *c.Refractory) })
	out.Params = map[string]any{"refractory": *c.Refractory}
	return out, err
}

// over is a histogram of each unit.
func over(in input, out result, f func(trials []spike.Train) (spike.Histogram, error)) (result, error) {
	out.form = series
	for i, u := range in.units {
		h, err := f(u)
		if err != nil {
			return out, fmt.Errorf("unit %q: %w", sample.Printable(in.names[i]), err)
		}
		out.axis(h)
		out.values = append(out.values, h.Values)
	}
	return out, nil
}

func (c *Spikes) rate(in input) (result, error) {
	kernel := statistics.Kernel{Shape: statistics.Shape(cmp.Or(c.Kernel, string(statistics.Gaussian)))}
	out := result{Unit: in.perTime(), x: "time", XUnit: in.ofTime(), Params: map[string]any{"kernel": string(kernel.Shape), "step": in.whole(c.bins(in))}}
	if c.Bandwidth == "adaptive" {
		out.Params["bandwidth"] = "adaptive"
		return over(in, out, func(u []spike.Train) (spike.Histogram, error) {
			rate, _, err := statistics.AdaptiveRate(u, c.bins(in))
			return rate, err
		})
	}
	out.Params["border_corrected"] = !c.Uncorrect
	out.why = "undefined where a unit has fewer than two spike times to find the bandwidth by, and where no part of the kernel lies in the window"
	var widths []number
	out, err := over(in, out, func(u []spike.Train) (spike.Histogram, error) {
		kernel := kernel
		var err error
		if kernel.Width, err = strconv.ParseFloat(c.Bandwidth, 64); err != nil { // auto
			if kernel.Width, err = statistics.Bandwidth(u); err != nil {
				return spike.Histogram{}, err
			}
		}
		widths = append(widths, number(kernel.Width))
		if math.IsNaN(kernel.Width) {
			return undefined(u[0], c.bins(in))
		}
		return statistics.KernelRate(u, kernel, c.bins(in), !c.Uncorrect)
	})
	out.Params["bandwidth"] = widths
	return out, err
}

// undefined is a histogram without values.
func undefined(t spike.Train, width float64) (spike.Histogram, error) {
	h, err := spike.Counts(t, width)
	for i := range h.Values {
		h.Values[i] = math.NaN()
	}
	return h, err
}

func (c *Spikes) counts(in input) (result, error) {
	out, err := over(in, result{Unit: "spikes", x: "time", XUnit: in.ofTime()}, func(u []spike.Train) (spike.Histogram, error) {
		sum, err := spike.PSTH(u, c.bins(in))
		for i := range sum.Values {
			sum.Values[i] = math.Round(sum.Values[i] * sum.Width * float64(len(u)))
		}
		return sum, err
	})
	out.Params = map[string]any{"width": out.width, "trials": in.trials}
	return out, err
}

func (c *Spikes) psth(in input) (result, error) {
	level := or(c.Level, 0.95)
	var low, high [][]float64
	out, err := over(in, result{Unit: in.perTime(), x: "time", XUnit: in.ofTime()}, func(u []spike.Train) (spike.Histogram, error) {
		p, err := statistics.PSTH(u, c.bins(in), level)
		low, high = append(low, p.Low), append(high, p.High)
		return p.Histogram, err
	})
	out.low, out.high = low, high
	out.Params = map[string]any{"width": out.width, "level": level, "trials": in.trials}
	return out, err
}

func (c *Spikes) population(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	h, err := statistics.Population(units, c.bins(in))
	out := result{form: series, Unit: in.perTime(), x: "time", XUnit: in.ofTime(), Units: []string{"all"}, values: [][]float64{h.Values}}
	out.axis(h)
	out.Params = map[string]any{"width": out.width, "units": len(units)}
	return out, err
}

func (c *Spikes) isi(in input) (result, error) {
	width, err := c.fine(in)
	if err != nil {
		return result{}, err
	}
	longest := or(c.Longest, 50*width)
	var above []int
	out, err := over(in, result{Unit: "intervals", x: "interval", XUnit: in.ofTime()}, func(u []spike.Train) (spike.Histogram, error) {
		h, err := statistics.Intervals(u, width, longest)
		above = append(above, h.Above)
		return h.Histogram, err
	})
	out.Params = map[string]any{"width": width, "longest": longest, "beyond": above}
	return out, err
}

func (c *Spikes) fano(in input) (result, error) {
	width := c.bins(in)
	why := "undefined without a spike"
	if in.trials > 1 {
		out, err := over(in, result{Unit: "1", x: "time", XUnit: in.ofTime(), why: why + " in a bin"}, func(u []spike.Train) (spike.Histogram, error) { return statistics.FanoOverTrials(u, width) })
		var whole []number
		for _, u := range in.units {
			v, err := spike.Fano(u)
			if err != nil {
				return out, err
			}
			whole = append(whole, number(v))
		}
		out.Params = map[string]any{"width": out.width, "over": "trials", "trials": in.trials, "whole": whole}
		return out, err
	}
	out, err := each(in, "1", why, func(u []spike.Train) (float64, error) { return statistics.FanoOverTime(u, width) })
	out.Params = map[string]any{"width": in.whole(width), "over": "bins of one trial"}
	return out, err
}

// lags are width and longest lag.
func (c *Spikes) lags(in input) (width, longest float64, err error) {
	if width, err = c.fine(in); err != nil {
		return 0, 0, err
	}
	longest = or(c.Lag, min(50*width, 0.9*in.duration()))
	return width, longest, nil
}

func (c *Spikes) auto(in input) (result, error) {
	return c.correlograms(in, func(f func(a, b int) error) error {
		for i := range in.units {
			if err := f(i, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// mostPairs bounds the correlograms of one call.
const mostPairs = 1 << 16

func (c *Spikes) cross(in input) (result, error) {
	if n := len(in.units); n < 2 || n*(n-1)/2 > mostPairs {
		return result{}, fmt.Errorf("there are %d units; want 2 or more, and at most %d pairs: choose some by --only", n, mostPairs)
	}
	return c.correlograms(in, func(f func(a, b int) error) error {
		for i := range in.units {
			for j := i + 1; j < len(in.units); j++ {
				if err := f(i, j); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// correlograms is those of the pairs that walk names, of a unit with itself autocorrelograms.
func (c *Spikes) correlograms(in input, walk func(f func(a, b int) error) error) (result, error) {
	width, longest, err := c.lags(in)
	if err != nil {
		return result{}, err
	}
	what := cmp.Or(c.As, "counts")
	out := result{form: series, x: "lag", XUnit: in.ofTime(), why: "undefined for a unit without spikes"}
	out.Unit = map[string]string{"counts": "pairs of spikes", "rate": in.perTime(), "coefficient": "1"}[what]
	if what == "coefficient" {
		out.why = constant
	}
	of := statistics.Correlogram{Width: width, Longest: longest, Border: !c.Uncorrect, Rate: what == "rate", Smooth: or(c.Smooth, 0)}
	err = walk(func(a, b int) error {
		var h spike.Histogram
		var err error
		if what == "coefficient" {
			h, err = statistics.Coefficient(in.units[a], in.units[b], width, longest, !c.Uncorrect)
		} else {
			h, err = of.Of(in.units[a], in.units[b], a == b)
		}
		if err != nil {
			return err
		}
		name := in.names[a]
		if a != b {
			name += " → " + in.names[b]
		}
		out.Units, out.values = append(out.Units, name), append(out.values, h.Values)
		out.axis(h)
		return nil
	})
	out.Params = map[string]any{"width": out.width, "lag": longest, "as": what, "border_corrected": !c.Uncorrect, "smooth": or(c.Smooth, 0)}
	return out, err
}

func (c *Spikes) timescale(in input) (result, error) {
	width, longest, err := c.lags(in)
	if err != nil {
		return result{}, err
	}
	out, err := each(in, in.ofTime(), constant, func(u []spike.Train) (float64, error) { return statistics.Timescale(u, width, longest) })
	out.Params = map[string]any{"width": in.whole(width), "lag": longest}
	return out, err
}

func (c *Spikes) covariance(in input) (result, error) {
	m, err := statistics.Covariance(in.units, c.bins(in))
	return result{form: matrix, Unit: "spikes²", values: m, Params: map[string]any{"width": in.whole(c.bins(in))}}, err
}

func (c *Spikes) correlation(in input) (result, error) {
	m, err := statistics.Correlation(in.units, c.bins(in))
	return result{form: matrix, Unit: "1", values: m, why: constant, bound: 1, Params: map[string]any{"width": in.whole(c.bins(in))}}, err
}

func (c *Spikes) sttc(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	m, err := statistics.STTC(units, *c.Reach)
	return result{form: matrix, Unit: "1", values: m, why: "undefined with a silent unit", bound: 1, Params: map[string]any{"reach": *c.Reach}}, err
}

func (c *Spikes) contrast(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	s, err := statistics.Contrast(units, *c.Shortest)
	out := result{form: series, Unit: "1", x: "width of bins", XUnit: in.ofTime(), Units: []string{"synchrony", "changes", "active together"}, values: [][]float64{s.Values, s.Changes, s.Active}, why: "undefined without a spike", logX: true}
	out.X = slices.Clone(s.Widths)
	slices.Reverse(out.X)
	for _, v := range out.values {
		slices.Reverse(v)
	}
	out.Params = map[string]any{"shortest": *c.Shortest, "contrast": number(s.Value), "at": number(s.At)}
	return out, err
}

func (c *Spikes) complexity(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	values, err := statistics.Complexity(units, *c.Spread)
	out := result{form: series, Unit: "events", x: "units that take part", XUnit: "units", Units: []string{"events"}, values: [][]float64{values}, Params: map[string]any{"spread": *c.Spread}}
	for i := range values {
		out.X = append(out.X, float64(i+1))
	}
	return out, err
}

func (c *Spikes) synchrofacts(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	least := or(c.Least, 2)
	list, err := statistics.Synchrofacts(units, *c.Spread, least)
	out := result{form: table, Unit: in.ofTime(), columns: []string{"start", "stop", "spikes", "complexity"}, rowName: "units", Params: map[string]any{"spread": *c.Spread, "least": least}}
	var at []float64
	for _, v := range list {
		var names []string
		for _, u := range v.Units {
			names = append(names, in.names[u])
		}
		out.labels = append(out.labels, strings.Join(names, " + "))
		out.values = append(out.values, []float64{v.Start, v.Stop, float64(v.Spikes), float64(len(v.Units))})
		at = append(at, v.Start)
	}
	out.picture = func() (figure.Figure, error) { return in.marked("Events", "events", at) }
	return out, err
}

func (c *Spikes) bursts(in input) (result, error) {
	if in.trials > 1 {
		return result{}, errors.New("bursts are of one trial; choose it by --trial")
	}
	out := result{form: table, Unit: in.ofTime(), columns: []string{"start", "stop", "spikes", "surprise"}, rowName: "unit", why: "the surprise is infinite where all spikes of a burst are at one time"}
	find := func(t spike.Train) ([]statistics.Burst, error) {
		return statistics.SurpriseBursts(t, or(c.Surprise, 10))
	}
	out.Params = map[string]any{"surprise": or(c.Surprise, 10)}
	if c.Longest != nil {
		out.columns = out.columns[:3]
		out.Params = map[string]any{"longest": *c.Longest, "least": or(c.Least, 3)}
		find = func(t spike.Train) ([]statistics.Burst, error) {
			return statistics.Bursts(t, *c.Longest, or(c.Least, 3))
		}
	}
	rows := []figure.Train{}
	for i, u := range in.units {
		list, err := find(u[0])
		if err != nil {
			return out, err
		}
		name := sample.Printable(in.names[i])
		within := figure.Train{Name: name + ", in bursts"}
		for _, b := range list {
			row := []float64{b.Start, b.Stop, float64(b.N), b.Surprise}
			out.labels, out.values = append(out.labels, in.names[i]), append(out.values, row[:len(out.columns)])
			within.Times = append(within.Times, u[0].Times[b.First:][:b.N]...)
		}
		rows = append(rows, figure.Train{Name: name, Times: u[0].Times}, within)
	}
	out.picture = func() (figure.Figure, error) { return in.drawn("Spikes, and those in bursts", rows) }
	return out, nil
}
