package command

import (
	"fmt"

	"synfire/distance"
	"synfire/spike"
)

// measurement is a metric with its parameters, ready to measure trains.
type measurement struct {
	options  *distance.Options
	params   map[string]any
	value    func([]spike.Train) (float64, error)
	matrix   func([]spike.Train) ([][]float64, float64, error) // and the value
	profile  func([]spike.Train) (distance.Profile, error)     // nil where there is none
	spikes   func([]spike.Train) ([][]float64, error)          // of directionality alone
	sorting  func([]spike.Train) (distance.Sorting, error)     // of synfire alone
	tail     spike.Tail
	response string // what is compared: train or response
}

// measurement prepares the metric for a recording.
func (c *distanceCmd) measurement(s distance.Setting, in distanceInput) (measurement, error) {
	o := distance.Options{Threads: c.Threads, Intervals: in.intervals}
	m := measurement{options: &o, params: s.Shown(c.Labels != ""), response: "train", tail: s.Tail()}
	if o.Intervals != nil {
		var list [][2]float64
		for _, i := range o.Intervals {
			list = append(list, [2]float64{i.From, i.To})
		}
		m.params["intervals"] = list
	}
	if c.Labels != "" {
		return c.population(m, s, len(in.trains))
	}
	measure := s.Measure()
	m.value = func(t []spike.Train) (float64, error) { return distance.Multi(measure, t, o) }
	m.matrix = func(t []spike.Train) ([][]float64, float64, error) { return distance.MatrixMulti(measure, t, o) }
	if p, ok := measure.(distance.Profiler); ok {
		m.profile = func(t []spike.Train) (distance.Profile, error) {
			return distance.MultiProfile(p, t, distance.Options{Threads: o.Threads}) // of the whole window
		}
	}
	if d, ok := measure.(distance.Directionality); ok {
		m.spikes = d.Values
	}
	if order, ok := measure.(distance.Order); ok && s.Sorts {
		m.sorting = func(t []spike.Train) (distance.Sorting, error) { return order.Sort(t, c.Seed) }
	}
	return m, nil
}

// population is the metric of responses of several neurons.
func (c *distanceCmd) population(m measurement, s distance.Setting, trains int) (measurement, error) {
	group, err := distance.Responses(c.Labels, trains)
	if err != nil {
		return m, fmt.Errorf("--labels %s: %w", c.Labels, err)
	}
	measure, err := s.Population()
	if err != nil {
		return m, err
	}
	m.response = "response"
	m.params["neurons"] = len(group[0])
	responses := func(t []spike.Train) [][]spike.Train {
		list := make([][]spike.Train, len(group))
		for i, members := range group {
			for _, j := range members {
				list[i] = append(list[i], t[j])
			}
		}
		return list
	}
	m.matrix = func(t []spike.Train) ([][]float64, float64, error) {
		return distance.PopulationMatrixMulti(measure, responses(t), *m.options)
	}
	m.value = func(t []spike.Train) (float64, error) {
		return distance.PopulationMulti(measure, responses(t), *m.options)
	}
	return m, nil
}
