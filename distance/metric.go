package distance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/internal/suggest"
	"synfire/spike"
)

// Metric is a measure by its name, as a row of the table of all.
type Metric struct {
	Name   string
	Doc    string   // what a value says
	Params []string // the parameters that it takes, as JSON spells them
	// Kind says how to read values.
	Kind Reading
	// Sorts says that the metric goes with the best order of the trains (Order.Sort).
	Sorts bool

	adaptive   bool // a threshold belongs to it
	measure    func(v arguments) Measure
	population func(v arguments) PopulationMeasure // nil where there is none of several neurons
}

// Reading is how to read the values of a metric.
type Reading int

// The readings.
const (
	Share      Reading = iota // a distance in [0, 1]
	Similarity                // in [0, 1], 1 for trains that are alike
	Far                       // a distance from 0 on
	Lead                      // who leads: the order of trains gives the sign
)

// Tail is which values of the metric speak against chance.
func (m Metric) Tail() spike.Tail {
	if m.Kind == Similarity || m.Kind == Lead {
		return spike.Large
	}
	return spike.Small
}

// Params are the parameters of all metrics as a person writes them, nothing meaning
// the default. The tags name and explain them for command lines.
type Params struct {
	Cost       string   `json:"cost" help:"Victor-Purpura: cost of moving a spike by one unit of time, 0 to inf, or auto: one over the mean interval between spikes." placeholder:"Q"`
	Tau        string   `json:"tau" help:"van Rossum: time constant, 0 to inf, or auto: the mean interval between spikes." placeholder:"TIME"`
	Squared    bool     `json:"squared" help:"van Rossum: D² in place of D."`
	MRTS       string   `json:"mrts" name:"mrts" help:"Adaptive metrics: minimum relevant time scale, a time or auto (default auto)." placeholder:"TIME"`
	MaxTau     *float64 `json:"max_tau" help:"Synchronisation and order: bound on the window of coincidence." placeholder:"TIME"`
	Normalized bool     `json:"normalized" help:"Directionality: divided by the first train's number of spikes."`
	LabelCost  *float64 `json:"label_cost" help:"Victor-Purpura with labels: cost of giving a spike to another neuron, 0 to 2 (default 1)." placeholder:"K"`
	Angle      string   `json:"angle" help:"van Rossum with labels: angle between neurons, 0 to pi/2 in radians, or as in 60deg (default 90deg)." placeholder:"ANGLE"`
}

// given is the names of the parameters that were written.
func (p Params) given() (names []string) {
	for _, g := range []struct {
		name  string
		given bool
	}{
		{"cost", p.Cost != ""}, {"tau", p.Tau != ""}, {"squared", p.Squared}, {"mrts", p.MRTS != ""}, {"max_tau", p.MaxTau != nil},
		{"normalized", p.Normalized}, {"label_cost", p.LabelCost != nil}, {"angle", p.Angle != ""},
	} {
		if g.given {
			names = append(names, g.name)
		}
	}
	return names
}

// arguments are parameters that were read; NaN is one that trains decide.
type arguments struct {
	cost, tau, mrts, maxTau, labelCost, angle float64
	squared, normalized                       bool
}

// metrics is the table.
var metrics = []Metric{
	{Name: "isi", Doc: "ratio of the current intervals between spikes, over time", measure: isiOf},
	{Name: "spike", Doc: "distance to the nearest spikes of the other train, over time", measure: spikeOf(false)},
	{Name: "ri-spike", Doc: "spike, of timing alone whatever the rates", measure: spikeOf(true)},
	{Name: "sync", Doc: "share of spikes that coincide", Params: []string{"max_tau"}, Kind: Similarity, measure: syncOf},
	{Name: "a-isi", Doc: "isi, in which differences below a time scale count less", Params: []string{"mrts"}, adaptive: true, measure: isiOf},
	{Name: "a-spike", Doc: "spike, in which differences below a time scale count less", Params: []string{"mrts"}, adaptive: true, measure: spikeOf(false)},
	{Name: "a-ri-spike", Doc: "ri-spike, in which differences below a time scale count less", Params: []string{"mrts"}, adaptive: true, measure: spikeOf(true)},
	{Name: "a-sync", Doc: "sync, in which spikes within a time scale coincide", Params: []string{"mrts", "max_tau"}, adaptive: true, Kind: Similarity, measure: syncOf},
	{Name: "order", Doc: "1 where earlier trains always lead, -1 where they follow", Params: []string{"mrts", "max_tau"}, Kind: Lead, measure: orderOf},
	{Name: "directionality", Doc: "coincidences in which the earlier train leads, less the others", Params: []string{"mrts", "max_tau", "normalized"}, Kind: Lead, measure: directionalityOf},
	{Name: "synfire", Doc: "1 for a perfect synfire chain in the order given, -1 reversed", Params: []string{"mrts", "max_tau"}, Kind: Lead, Sorts: true, measure: orderOf},
	{Name: "victor-purpura", Doc: "cost of the cheapest edit of one train into the other", Params: []string{"cost", "label_cost"}, Kind: Far,
		measure: func(v arguments) Measure { return VictorPurpura{Cost: v.cost} },
		population: func(v arguments) PopulationMeasure {
			return LabelledVictorPurpura{Cost: v.cost, LabelCost: v.labelCost}
		}},
	{Name: "van-rossum", Doc: "distance of the trains filtered with exponentials", Params: []string{"tau", "squared", "angle"}, Kind: Far,
		measure: func(v arguments) Measure { return VanRossum{Tau: v.tau, Squared: v.squared} },
		population: func(v arguments) PopulationMeasure {
			return LabelledVanRossum{Tau: v.tau, Cosine: cosine(v.angle), Squared: v.squared}
		}},
}

func isiOf(v arguments) Measure   { return ISI{MRTS: v.mrts} }
func syncOf(v arguments) Measure  { return Sync{MRTS: v.mrts, MaxTau: v.maxTau} }
func orderOf(v arguments) Measure { return Order{MRTS: v.mrts, MaxTau: v.maxTau} }

func directionalityOf(v arguments) Measure {
	return Directionality{MRTS: v.mrts, MaxTau: v.maxTau, Normalized: v.normalized}
}

func spikeOf(rateIndependent bool) func(v arguments) Measure {
	return func(v arguments) Measure { return SPIKE{MRTS: v.mrts, RateIndependent: rateIndependent} }
}

// cosine is exact at a right angle.
func cosine(angle float64) float64 {
	if angle == math.Pi/2 {
		return 0
	}
	return math.Cos(angle)
}

// Metrics is the table of all metrics.
func Metrics() []Metric { return slices.Clone(metrics) }

// Names is the metrics' names in the order of the table.
func Names() (names []string) {
	for _, m := range metrics {
		names = append(names, m.Name)
	}
	return names
}

// Lookup is the metric of a name. An error lists what there is.
func Lookup(name string) (Metric, error) {
	for _, m := range metrics {
		if m.Name == name {
			return m, nil
		}
	}
	return Metric{}, fmt.Errorf("distance: no metric %q: %s", name, suggest.Names("metrics", name, Names()))
}

// taking is the names of the metrics that take a parameter.
func taking(param string) (names []string) {
	for _, m := range metrics {
		if slices.Contains(m.Params, param) {
			names = append(names, m.Name)
		}
	}
	return names
}

// ErrParams is wrapped by errors about parameters that the metric does not take or
// that are missing, rather than badly written.
var ErrParams = errors.New("parameter")

// ParamError is an error about a parameter. Its message has no name, so that a command
// line can write the option's.
type ParamError struct {
	Name string // as JSON spells it
	err  error
}

func (e *ParamError) Error() string { return "distance: " + e.Name + " " + e.err.Error() }
func (e *ParamError) Unwrap() error { return e.err }

// Reason is the message without the name.
func (e *ParamError) Reason() string { return e.err.Error() }

// asked is a mistake of who chose the parameters.
type asked struct{ error }

func (asked) Is(target error) bool { return target == ErrParams }

func badParam(name, format string, args ...any) error {
	return &ParamError{name, fmt.Errorf(format, args...)}
}

// Setting is a metric with its parameters.
type Setting struct {
	Metric
	arguments
	names []string // of the parameters to show
}

// Set reads parameters. Those that the metric does not take are an error, and so are a
// missing cost and tau: there is no value that fits seconds and milliseconds alike
// ("auto" takes it from the trains, see Fit).
func (m Metric) Set(p Params) (Setting, error) {
	given := p.given()
	s := Setting{Metric: m, names: given}
	for _, name := range given {
		if !slices.Contains(m.Params, name) {
			return s, &ParamError{name, asked{fmt.Errorf("is not for the metric %s; use it with %s", m.Name, strings.Join(taking(name), ", "))}}
		}
	}
	s.squared, s.normalized = p.Squared, p.Normalized
	for _, name := range []string{"squared", "normalized"} {
		s.show(name)
	}
	if p.MaxTau != nil {
		if s.maxTau = *p.MaxTau; !(s.maxTau >= 0) {
			return s, badParam("max_tau", "%v: want a time from 0 on", s.maxTau)
		}
	}
	s.labelCost = 1
	if p.LabelCost != nil {
		if s.labelCost = *p.LabelCost; !(s.labelCost >= 0) {
			return s, badParam("label_cost", "%v: want a number from 0 on", s.labelCost)
		}
	}
	var err error
	if s.angle, err = parseAngle(p.Angle); err != nil {
		return s, err
	}
	if m.adaptive {
		p.MRTS = cmp.Or(p.MRTS, "auto")
		s.show("mrts")
	}
	if p.MRTS != "" {
		if s.mrts, err = numberOrAuto("mrts", p.MRTS); err == nil && math.IsInf(s.mrts, 1) {
			err = badParam("mrts", "inf: want a finite time, or auto")
		}
		if err != nil {
			return s, err
		}
	}
	for _, c := range []struct {
		name, text string
		to         *float64
	}{{"cost", p.Cost, &s.cost}, {"tau", p.Tau, &s.tau}} {
		switch {
		case !slices.Contains(m.Params, c.name):
			continue
		case c.text == "":
			return s, &ParamError{c.name, asked{fmt.Errorf("is missing: %s has no value of it that fits all units of time; give one, or auto", m.Name)}}
		}
		s.show(c.name)
		if *c.to, err = numberOrAuto(c.name, c.text); err != nil {
			return s, err
		}
	}
	return s, nil
}

// show adds a parameter of the metric to those shown.
func (s *Setting) show(name string) {
	if slices.Contains(s.Params, name) && !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
}

// numberOrAuto is a number from 0 on, NaN for auto.
func numberOrAuto(name, text string) (float64, error) {
	if text = strings.TrimSpace(text); text == "auto" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0) {
		return 0, badParam(name, "%q: want a number from 0 on, or auto", text)
	}
	return v, nil
}

// parseAngle is in radians.
func parseAngle(text string) (float64, error) {
	if text == "" {
		return math.Pi / 2, nil
	}
	degrees, inDegrees := strings.CutSuffix(text, "deg")
	v, err := strconv.ParseFloat(strings.TrimSpace(degrees), 64)
	if inDegrees {
		v = v / 180 * math.Pi
	}
	if err != nil || !(v >= 0 && v <= math.Pi/2+1e-9) {
		return 0, badParam("angle", "%q: want 0 to pi/2 in radians, or degrees as in 60deg", text)
	}
	return min(v, math.Pi/2), nil
}

// Auto is the names of the parameters that Fit has to take from trains.
func (s Setting) Auto() (names []string) {
	for name, v := range map[string]float64{"cost": s.cost, "tau": s.tau, "mrts": s.mrts} {
		if math.IsNaN(v) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Fit takes the parameters that are auto from trains: tau is their mean interval, cost
// one over it (MeanInterval), and mrts what AutoMRTS says. names restricts it to some.
func (s Setting) Fit(trains []spike.Train, names ...string) (Setting, error) {
	for _, name := range s.Auto() {
		if names != nil && !slices.Contains(names, name) {
			continue
		}
		if name == "mrts" {
			var err error
			if s.mrts, err = AutoMRTS(trains); err != nil {
				return s, err
			}
			continue
		}
		interval, err := MeanInterval(trains)
		if err != nil {
			return s, err
		}
		if name == "tau" {
			s.tau = interval
		} else {
			s.cost = 1 / interval
		}
	}
	return s, nil
}

// Measure is the metric of two trains. What is auto was fitted.
func (s Setting) Measure() Measure { return s.measure(s.arguments) }

// Population is the metric of responses of several neurons. An error says for which
// metrics there is one.
func (s Setting) Population() (PopulationMeasure, error) {
	if s.population == nil {
		return nil, fmt.Errorf("distance: %s compares single neurons; of several neurons there are victor-purpura and van-rossum", s.Name)
	}
	return s.population(s.arguments), nil
}

// Shown is the parameters for JSON: those given, and those that matter anyway, with
// what the metric of several neurons adds.
func (s Setting) Shown(population bool) map[string]any {
	all := map[string]any{
		"cost": finite(s.cost), "tau": finite(s.tau), "mrts": finite(s.mrts), "max_tau": finite(s.maxTau),
		"label_cost": finite(s.labelCost), "angle": s.angle, "squared": s.squared, "normalized": s.normalized,
	}
	out := map[string]any{}
	for _, name := range s.Params {
		extra := name == "label_cost" || name == "angle"
		if extra && population || !extra && slices.Contains(s.names, name) {
			out[name] = all[name]
		}
	}
	return out
}

// finite is a number as JSON has it.
func finite(v float64) any {
	switch {
	case math.IsNaN(v):
		return "auto"
	case math.IsInf(v, 1):
		return "inf"
	}
	return v
}

// MeanInterval is the time observed for each spike of trains, at most the first one's
// window: a time scale of the data where none is known.
func MeanInterval(trains []spike.Train) (float64, error) {
	if len(trains) == 0 {
		return 0, errors.New("distance.MeanInterval: no trains; want one at least")
	}
	total, n := 0.0, 0
	for i, t := range trains {
		if err := t.Validate(); err != nil {
			return 0, fmt.Errorf("distance.MeanInterval: train %d: %w", i, err)
		}
		total += t.Duration()
		n += len(t.Times)
	}
	return min(total/float64(max(n, 1)), trains[0].Duration()), nil
}
