package bench

import (
	"fmt"
	"strings"

	"synfire/distance"
	"synfire/internal/rng"
	"synfire/spike"
)

// metrics are those of W6, in time such that a train has one spike a second.
var metrics = []distance.Measure{
	distance.ISI{}, distance.SPIKE{}, distance.SPIKE{RateIndependent: true}, distance.Sync{}, distance.Order{},
	distance.VanRossum{Tau: 1}, distance.VictorPurpura{Cost: 1},
}

// longMetrics are those of W6b.
var longMetrics = []distance.Measure{distance.ISI{}, distance.SPIKE{}, distance.Sync{}, distance.VanRossum{Tau: 1}, distance.VictorPurpura{Cost: 1}}

// matrices are the cases of W6, and of W6b: an hour of 1,000 units at 5 Hz.
func matrices(s Selection) []Case {
	var cases []Case
	add := func(workload string, list []distance.Measure, n, spikes int) {
		for _, m := range list {
			cases = append(cases, Case{
				Workload: workload, Phase: Matrix, Shape: m.Name(), Threads: s.Threads,
				run: func(c Case, o Options) ([]Row, error) { return matrix(c, o, m, n, spikes) },
			})
		}
	}
	add("W6", metrics, pick(s.Small, 100, 6), pick(s.Small, 1000, 20))
	add(long, longMetrics, pick(s.Small, 1000, 20), pick(s.Small, 5*3600, 1500))
	return cases
}

// long is the workload that takes long, and is measured where it is asked for.
const long = "W6b"

// matrix times the distances of all pairs of n trains, in seconds.
func matrix(c Case, o Options, m distance.Measure, n, spikes int) ([]Row, error) {
	r := c.row()
	r.Unit = "s"
	trains := uniformTrains(n, spikes)
	var seconds []float64
	err := r.each(o, nil, func() error {
		_, err := distance.Matrix(m, trains, distance.Options{Threads: c.Threads})
		return err
	}, func(n int, s float64) { seconds = append(seconds, s/float64(n)) })
	r.statistics(seconds)
	r.NanosPerSpike = 1e9 * r.Median / (float64(n*(n-1)/2) * float64(2*spikes))
	return []Row{r}, err
}

// uniformTrains are n trains with spikes at uniform times, one in a unit of time.
func uniformTrains(n, spikes int) []spike.Train {
	src := rng.New(seed, "bench").Str("W6").Source()
	trains := make([]spike.Train, n)
	for i := range trains {
		t := spike.Train{Times: make([]float64, 0, spikes), Stop: float64(spikes)}
		for range spikes {
			t.Times = append(t.Times, t.Stop*src.Float64())
		}
		trains[i] = t.Sort()
	}
	return trains
}

// peerMetrics are the names that a script of peers has for the metrics of W6.
var peerMetrics = map[string]string{
	"isi": "isi", "spike": "spike", "ri-spike": "ri-spike", "sync": "sync", "van rossum": "van-rossum", "victor-purpura": "victor-purpura",
}

// few is how a script of peers marks that it measured 45 pairs instead of 4,950.
const few = " (10 trains only)"

// matrixReference is the measurement of a line that says what library and metric it
// timed, in seconds. A share of the pairs is scaled to all.
func (l line) matrixReference() (Reference, error) {
	lib, metric, _ := strings.Cut(l.What, " ")
	r := Reference{Key: l.Work, Phase: Matrix, Source: lib, Error: l.Error}
	if l.Error != "" {
		return r, nil
	}
	metric, part := strings.CutSuffix(metric, few)
	if part {
		r.Source += ", scaled from 45 pairs"
		l.Seconds *= 4950.0 / 45
	}
	shape, ok := peerMetrics[metric]
	if !ok || l.Trains != 100 || l.Spikes != 1000 {
		return r, fmt.Errorf("%q of %d trains of %d spikes, want a metric of W6 on 100 of 1000", l.What, l.Trains, l.Spikes)
	}
	r.Shape, r.Median, r.Min, r.Max = shape, l.Seconds, l.Seconds, l.Seconds
	return r, nil
}
