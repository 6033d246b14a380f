package distance_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"synfire/distance"
	"synfire/spike"
)

// choices are what each parameter is tried with, for times in a unit; auto is what the
// trains say.
var choices = map[string]func(p *distance.Params, choice int, unit float64){
	"cost": func(p *distance.Params, k int, unit float64) {
		p.Cost = written([]float64{0, 0.3, 2, math.NaN()}[k], 1/unit)
	},
	"tau": func(p *distance.Params, k int, unit float64) {
		p.Tau = written([]float64{0, 3, math.Inf(1), math.NaN()}[k], unit)
	},
	"squared": func(p *distance.Params, k int, _ float64) { p.Squared = k%2 == 1 },
	"mrts": func(p *distance.Params, k int, unit float64) {
		p.MRTS = written([]float64{0, 7, 30, math.NaN()}[k], unit)
	},
	"max_tau":    func(p *distance.Params, k int, unit float64) { p.MaxTau = optional([]float64{0, 2, 9, 0}[k] * unit) },
	"normalized": func(p *distance.Params, k int, _ float64) { p.Normalized = k%2 == 1 },
	"label_cost": func(p *distance.Params, k int, _ float64) { p.LabelCost = optional([]float64{0.4, 1, 2, 1.3}[k]) },
	"angle":      func(p *distance.Params, k int, _ float64) { p.Angle = []string{"", "0", "30deg", "1"}[k] },
}

// written is a parameter as a person writes it.
func written(v, unit float64) string {
	if math.IsNaN(v) {
		return "auto"
	}
	return strconv.FormatFloat(v*unit, 'g', -1, 64)
}

// optional leaves zero out.
func optional(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

// setting is the metric with one choice of its parameters, for times in a unit, fitted to
// trains.
func setting(t *rapid.T, m distance.Metric, choice map[string]int, unit float64, trains []spike.Train) distance.Setting {
	var p distance.Params
	for _, name := range m.Params {
		set, known := choices[name]
		if !known {
			t.Fatalf("metric %s: parameter %q has no choices in this test: add them", m.Name, name)
		}
		set(&p, choice[name], unit)
	}
	s, err := m.Set(p)
	if err == nil {
		s, err = s.Fit(trains)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every metric of the table, with all its parameters: the unit and the origin of time,
// the order of trains and that of neurons do not matter, and values are what the
// metric's reading says. A metric that is added is tested without a line here.
func TestEveryMetric(t *testing.T) {
	for _, name := range distance.Names() {
		m, err := distance.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k := [][]int{ticks(t, "a"), ticks(t, "b"), ticks(t, "c"), ticks(t, "d")}
				unit, offset := rapid.SampledFrom(units).Draw(t, "unit"), rapid.IntRange(-100, 100).Draw(t, "offset")
				choice := map[string]int{}
				for _, name := range m.Params {
					choice[name] = rapid.IntRange(0, 3).Draw(t, name)
				}
				var plain, other []spike.Train
				for _, k := range k {
					plain, other = append(plain, in(k, 1, 0)), append(other, in(k, unit, offset))
				}
				s, elsewhere := setting(t, m, choice, 1, plain), setting(t, m, choice, unit, other)
				want := matrix(t, s.Measure(), plain)
				if got := matrix(t, elsewhere.Measure(), other); !alike(got, want) {
					t.Errorf("%s%v: %v, in units of %v from %d on %v", name, choice, want, unit, offset, got)
				}
				order := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "order")
				checkOrder(t, m, s.Measure(), plain, want, order)
				for i, row := range want {
					for j, d := range row {
						checkReading(t, m, d, want[j][i], plain[i], plain[j], i == j, choice["normalized"]%2 == 1)
					}
				}
				checkPopulation(t, s, elsewhere, plain, other)
			})
		})
	}
}

func matrix(t *rapid.T, m distance.Measure, trains []spike.Train) [][]float64 {
	v, err := distance.Matrix(m, trains, distance.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func alike(a, b [][]float64) bool {
	return slices.EqualFunc(a, b, func(x, y []float64) bool { return slices.EqualFunc(x, y, close) })
}

// checkOrder gives trains in another order.
func checkOrder(t *rapid.T, m distance.Metric, measure distance.Measure, trains []spike.Train, want [][]float64, order []int) {
	var shuffled []spike.Train
	for _, k := range order {
		shuffled = append(shuffled, trains[k])
	}
	for i, row := range matrix(t, measure, shuffled) {
		for j, d := range row {
			if w := want[order[i]][order[j]]; !close(d, w) {
				t.Errorf("%+v: %v between trains %d and %d, in another order %v", measure, w, order[i], order[j], d)
			}
		}
	}
	if m.Kind == distance.Lead { // the order is what it is about
		return
	}
	x, err := distance.Multi(measure, trains, distance.Options{})
	y, err2 := distance.Multi(measure, shuffled, distance.Options{})
	if err != nil || err2 != nil || !close(x, y) {
		t.Errorf("%+v of many trains: %v, %v, in the order %v %v, %v", measure, x, err, order, y, err2)
	}
}

// checkReading looks at a value d of a and b, and that of b and a.
func checkReading(t *rapid.T, m distance.Metric, d, back float64, a, b spike.Train, self, normalized bool) {
	n, k := float64(len(a.Times)), float64(len(b.Times))
	what := fmt.Sprintf("%s of %v and %v is %v, the other way round %v", m.Name, a.Times, b.Times, d, back)
	same := 0.0
	switch m.Kind {
	case distance.Share, distance.Similarity:
		if m.Kind == distance.Similarity {
			same = 1
		}
		if !(d >= 0 && d <= 1) {
			t.Errorf("%s: not a share", what)
		}
	case distance.Far:
		if !(d >= 0 && d <= (n+k)*(n+k)) {
			t.Errorf("%s: not a distance of so many spikes", what)
		}
	case distance.Lead:
		if !(math.Abs(d) <= max(1, n+k)) {
			t.Errorf("%s: beyond the number of spikes", what)
		}
		if n+k == 0 {
			return // nobody leads and nobody follows: by definition
		}
		if back = -back; normalized {
			back *= max(k, 1) / max(n, 1)
		}
	default:
		t.Fatalf("metric %s: reading %d has no properties in this test: add them", m.Name, m.Kind)
	}
	if !close(d, back) {
		t.Error(what)
	}
	if self && d != same {
		t.Errorf("%s: a train and itself, want %v", what, same)
	}
}

// checkPopulation takes two trains each as responses of two neurons.
func checkPopulation(t *rapid.T, s, elsewhere distance.Setting, plain, other []spike.Train) {
	p, err := s.Population()
	if err != nil {
		return // single neurons alone
	}
	q, err := elsewhere.Population()
	if err != nil {
		t.Fatal(err)
	}
	of := func(m distance.PopulationMeasure, a, b []spike.Train) float64 {
		v, err := m.Distance(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a, b := plain[:2], plain[2:]
	want := of(p, a, b)
	for what, got := range map[string]float64{
		"in another unit":          of(q, other[:2], other[2:]),
		"the other way round":      of(p, b, a),
		"neurons in another order": of(p, []spike.Train{a[1], a[0]}, []spike.Train{b[1], b[0]}),
	} {
		if !close(got, want) || want < 0 {
			t.Errorf("%+v of two neurons: %v, %s %v", p, want, what, got)
		}
	}
	if d := of(p, a, a); d != 0 {
		t.Errorf("%+v of two neurons: a response and itself: %v", p, d)
	}
}
