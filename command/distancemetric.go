package command

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/distance"
	"synfire/spike"
)

// Defaults for times in seconds.
const (
	defaultCost = 100.0
	defaultTau  = 0.01
)

// uses says which metrics an option is for.
func (c *distanceCmd) uses() []struct {
	option string
	given  bool
	by     []string
} {
	coincidence := []string{"sync", "a-sync", "order", "directionality", "synfire"}
	return []struct {
		option string
		given  bool
		by     []string
	}{
		{"--cost", c.Cost != "", []string{"victor-purpura"}},
		{"--tau", c.Tau != "", []string{"van-rossum"}},
		{"--squared", c.Squared, []string{"van-rossum"}},
		{"--mrts", c.MRTS != "", []string{"a-isi", "a-spike", "a-ri-spike", "a-sync", "order", "directionality", "synfire"}},
		{"--max-tau", c.MaxTau != nil, coincidence},
		{"--normalized", c.Normalized, []string{"directionality"}},
		{"--labels", c.Labels != "", []string{"victor-purpura", "van-rossum"}},
		{"--label-cost", c.LabelCost != nil, []string{"victor-purpura"}},
		{"--angle", c.Angle != "", []string{"van-rossum"}},
		{"--profile", c.Profile, []string{"isi", "spike", "ri-spike", "sync", "a-isi", "a-spike", "a-ri-spike", "a-sync", "order", "synfire", "directionality"}},
	}
}

// check refuses options that would be ignored.
func (c *distanceCmd) check() error {
	for _, u := range c.uses() {
		if u.given && !slices.Contains(u.by, c.Metric) {
			return fmt.Errorf("%s is not for the metric %s; use it with %s", u.option, c.Metric, strings.Join(u.by, ", "))
		}
	}
	switch {
	case c.Labels == "" && (c.LabelCost != nil || c.Angle != ""):
		return errors.New("--label-cost and --angle are for several neurons; say by --labels which trains are whose")
	case c.Surrogates < 0 || c.Surrogates > maxSurrogates:
		return fmt.Errorf("--surrogates %d, want 1 to %d", c.Surrogates, maxSurrogates)
	case c.Width != nil && (c.Surrogates == 0 || c.Surrogate == "isi"):
		return errors.New("--width is for surrogates by dither or bins; add --surrogates 999")
	}
	return nil
}

const maxSurrogates = 1 << 20

// measurement is a metric with its parameters, ready to measure trains.
type measurement struct {
	options  *distance.Options
	params   map[string]any
	value    func([]spike.Train) (float64, error)
	matrix   func([]spike.Train) ([][]float64, error)
	profile  func([]spike.Train) (distance.Profile, error) // nil where there is none
	spikes   func([]spike.Train) ([][]float64, error)      // of directionality alone
	sorting  func([]spike.Train) (distance.Sorting, error) // of synfire alone
	tail     spike.Tail
	response string // what is compared: train or response
}

// measurement prepares the metric for a recording.
func (c *distanceCmd) measurement(trains []spike.Train, o distance.Options) (measurement, error) {
	m := measurement{options: &o, params: map[string]any{}, response: "train"}
	if len(trains) < 2 {
		return m, fmt.Errorf("there is %d train; want two or more to compare", len(trains))
	}
	if o.Intervals != nil {
		var list [][2]float64
		for _, i := range o.Intervals {
			list = append(list, [2]float64{i.From, i.To})
		}
		m.params["intervals"] = list
	}
	if c.Labels != "" {
		return c.population(m, trains)
	}
	measure, err := c.pairwise(&m, trains)
	if err != nil {
		return m, err
	}
	m.value = func(t []spike.Train) (float64, error) { return distance.Multi(measure, t, o) }
	m.matrix = func(t []spike.Train) ([][]float64, error) { return distance.Matrix(measure, t, o) }
	if p, ok := measure.(distance.Profiler); ok {
		m.profile = func(t []spike.Train) (distance.Profile, error) {
			return distance.MultiProfile(p, t, distance.Options{Threads: o.Threads}) // of the whole window
		}
	}
	switch k := measure.(type) {
	case distance.Sync, distance.Order:
		m.tail = spike.Large
	case distance.Directionality:
		m.tail = spike.Large
		m.spikes = k.Values
	}
	if order, ok := measure.(distance.Order); ok && c.Metric == "synfire" {
		m.sorting = func(t []spike.Train) (distance.Sorting, error) { return order.Sort(t, c.Seed) }
	}
	return m, nil
}

// pairwise is the metric of two trains.
func (c *distanceCmd) pairwise(m *measurement, trains []spike.Train) (distance.Measure, error) {
	mrts, err := c.threshold(m, trains)
	if err != nil {
		return nil, err
	}
	maxTau := 0.0
	if c.MaxTau != nil {
		if maxTau = *c.MaxTau; !(maxTau >= 0) {
			return nil, fmt.Errorf("--max-tau %v: want a time from 0 on", maxTau)
		}
		m.params["max_tau"] = maxTau
	}
	switch strings.TrimPrefix(c.Metric, "a-") {
	case "isi":
		return distance.ISI{MRTS: mrts}, nil
	case "spike":
		return distance.SPIKE{MRTS: mrts}, nil
	case "ri-spike":
		return distance.SPIKE{MRTS: mrts, RateIndependent: true}, nil
	case "sync":
		return distance.Sync{MRTS: mrts, MaxTau: maxTau}, nil
	case "order", "synfire":
		return distance.Order{MRTS: mrts, MaxTau: maxTau}, nil
	case "directionality":
		m.params["normalized"] = c.Normalized
		return distance.Directionality{MRTS: mrts, MaxTau: maxTau, Normalized: c.Normalized}, nil
	case "victor-purpura":
		cost, err := c.cost(m)
		return distance.VictorPurpura{Cost: cost}, err
	}
	tau, err := c.tau(m)
	return distance.VanRossum{Tau: tau, Squared: c.Squared}, err
}

// threshold is the MRTS; adaptive metrics have one even where none is given.
func (c *distanceCmd) threshold(m *measurement, trains []spike.Train) (mrts float64, err error) {
	switch {
	case c.MRTS == "auto" || c.MRTS == "" && strings.HasPrefix(c.Metric, "a-"):
		mrts, err = distance.AutoMRTS(trains)
	case c.MRTS == "":
		return 0, nil
	default:
		if mrts, err = numberFrom("--mrts", c.MRTS, 0); math.IsInf(mrts, 1) {
			err = errors.New("--mrts inf: want a finite time, or auto")
		}
	}
	m.params["mrts"] = mrts
	return mrts, err
}

func (c *distanceCmd) cost(m *measurement) (float64, error) {
	return orDefault(m, "cost", c.Cost, defaultCost)
}

func (c *distanceCmd) tau(m *measurement) (float64, error) {
	m.params["squared"] = c.Squared
	return orDefault(m, "tau", c.Tau, defaultTau)
}

func orDefault(m *measurement, name, text string, value float64) (float64, error) {
	var err error
	if text != "" {
		value, err = numberFrom("--"+name, text, 0)
	}
	m.params[name] = value
	if math.IsInf(value, 1) {
		m.params[name] = "inf" // JSON has no such number
	}
	return value, err
}

// numberFrom reads a number that is not below least; infinity has to be written out.
func numberFrom(flag, text string, least float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(v >= least) {
		return 0, fmt.Errorf("%s %q: want a number from %v on", flag, text, least)
	}
	return v, nil
}

// population is the metric of responses of several neurons.
func (c *distanceCmd) population(m measurement, trains []spike.Train) (measurement, error) {
	group, err := c.grouping(len(trains))
	if err != nil {
		return m, err
	}
	m.response = "response"
	m.params["neurons"] = len(group[0])
	measure, err := c.labelled(&m)
	if err != nil {
		return m, err
	}
	m.matrix = func(t []spike.Train) ([][]float64, error) {
		responses := make([][]spike.Train, len(group))
		for i, members := range group {
			for _, j := range members {
				responses[i] = append(responses[i], t[j])
			}
		}
		return distance.PopulationMatrix(measure, responses, *m.options)
	}
	matrix := m.matrix
	m.value = func(t []spike.Train) (float64, error) {
		d, err := matrix(t)
		sum, pairs := 0.0, 0
		for i, row := range d {
			for _, v := range row[:i] {
				sum += v
				pairs++
			}
		}
		return sum / float64(pairs), err
	}
	return m, nil
}

func (c *distanceCmd) labelled(m *measurement) (distance.PopulationMeasure, error) {
	if c.Metric == "victor-purpura" {
		labelCost := 1.0
		if c.LabelCost != nil {
			if labelCost = *c.LabelCost; !(labelCost >= 0) {
				return nil, fmt.Errorf("--label-cost %v: want a number from 0 on", labelCost)
			}
		}
		m.params["label_cost"] = labelCost
		cost, err := c.cost(m)
		return distance.LabelledVictorPurpura{Cost: cost, LabelCost: labelCost}, err
	}
	angle, err := parseAngle(c.Angle)
	if err != nil {
		return nil, err
	}
	m.params["angle"] = angle
	tau, err := c.tau(m)
	return distance.LabelledVanRossum{Tau: tau, Cosine: cosine(angle), Squared: c.Squared}, err
}

// cosine is exact at a right angle.
func cosine(angle float64) float64 {
	if angle == math.Pi/2 {
		return 0
	}
	return math.Cos(angle)
}

// parseAngle is in radians.
func parseAngle(text string) (float64, error) {
	if text == "" {
		return math.Pi / 2, nil
	}
	degrees, inDegrees := strings.CutSuffix(text, "deg")
	v, err := numberFrom("--angle", degrees, 0)
	if inDegrees {
		v = v / 180 * math.Pi
	}
	if err != nil || v > math.Pi/2+1e-9 {
		return 0, fmt.Errorf("--angle %q: want 0 to pi/2 in radians, or degrees as in 60deg", text)
	}
	return min(v, math.Pi/2), nil
}

// grouping is, for each response, the indices of its trains, neuron by neuron.
func (c *distanceCmd) grouping(trains int) ([][]int, error) {
	labels := strings.Split(c.Labels, ",")
	if n, err := strconv.Atoi(c.Labels); err == nil {
		if n < 1 || trains%n != 0 || trains/n < 2 {
			return nil, fmt.Errorf("--labels %d: there are %d trains; want two or more responses of %d trains each", n, trains, n)
		}
		labels = nil
		for i := range trains {
			labels = append(labels, strconv.Itoa(i%n))
		}
	}
	if len(labels) != trains {
		return nil, fmt.Errorf("--labels names %d trains; want a neuron for each of %d", len(labels), trains)
	}
	var neurons []string
	seen := map[string][]int{}
	for i, l := range labels {
		if seen[l] == nil {
			neurons = append(neurons, l)
		}
		seen[l] = append(seen[l], i)
	}
	group := make([][]int, len(seen[neurons[0]]))
	for _, l := range neurons {
		if len(seen[l]) != len(group) || len(group) < 2 {
			return nil, fmt.Errorf("--labels: neuron %q has %d trains, %q has %d; want one for each of two or more responses", l, len(seen[l]), neurons[0], len(group))
		}
		for i, at := range seen[l] {
			group[i] = append(group[i], at)
		}
	}
	return group, nil
}
