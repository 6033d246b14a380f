package distance_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"synfire/distance"
	"synfire/spike"
)

// A metric by its name, with a parameter that the trains decide.
func ExampleMetric_Set() {
	trains := []spike.Train{train(1, 4, 8), train(1.25, 4)}
	metric, err := distance.Lookup("victor-purpura")
	if err != nil {
		fmt.Println(err)
		return
	}
	setting, err := metric.Set(distance.Params{Cost: "auto"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if setting, err = setting.Fit(trains); err != nil {
		fmt.Println(err)
		return
	}
	v, err := distance.Multi(setting.Measure(), trains, distance.Options{})
	fmt.Println(setting.Shown(false), v, err)
	// Output: map[cost:0.25] 1.0625 <nil>
}

// Each name gives the measure of its name, with the parameters that it takes alone.
func TestMetrics(t *testing.T) {
	two, half := 2.0, 0.5
	all := distance.Params{Cost: "3", Tau: "4", Squared: true, MRTS: "5", MaxTau: &two, Normalized: true, LabelCost: &half, Angle: "60deg"}
	for name, want := range map[string]distance.Measure{
		"isi": distance.ISI{}, "spike": distance.SPIKE{}, "ri-spike": distance.SPIKE{RateIndependent: true}, "sync": distance.Sync{MaxTau: 2},
		"a-isi": distance.ISI{MRTS: 5}, "a-spike": distance.SPIKE{MRTS: 5}, "a-ri-spike": distance.SPIKE{MRTS: 5, RateIndependent: true}, "a-sync": distance.Sync{MRTS: 5, MaxTau: 2},
		"order": distance.Order{MRTS: 5, MaxTau: 2}, "synfire": distance.Order{MRTS: 5, MaxTau: 2}, "directionality": distance.Directionality{MRTS: 5, MaxTau: 2, Normalized: true},
		"victor-purpura": distance.VictorPurpura{Cost: 3}, "van-rossum": distance.VanRossum{Tau: 4, Squared: true},
	} {
		m, err := distance.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		given := only(all, m.Params)
		s, err := m.Set(given)
		if err != nil || s.Measure() != want || len(s.Auto()) != 0 || m.Doc == "" {
			t.Errorf("%s: %+v, %v, want %+v", name, s.Measure(), err, want)
		}
		// One parameter of another metric is refused.
		for i := range reflect.TypeFor[distance.Params]().NumField() {
			field := reflect.TypeFor[distance.Params]().Field(i)
			more := given
			reflect.ValueOf(&more).Elem().Field(i).Set(reflect.ValueOf(all).Field(i))
			var p *distance.ParamError
			if _, err := m.Set(more); !reflect.DeepEqual(more, given) && !(errors.As(err, &p) && p.Name == field.Tag.Get("json") && errors.Is(err, distance.ErrParams)) {
				t.Errorf("%s with %s: %v", name, field.Name, err)
			}
		}
	}
	if len(distance.Names()) != 13 || len(distance.Metrics()) != 13 {
		t.Errorf("names %q", distance.Names())
	}
	if _, err := distance.Lookup("victor-purpora"); err == nil || !strings.Contains(err.Error(), `did you mean "victor-purpura"`) {
		t.Errorf("%v", err)
	}
}

// only is the parameters of some names.
func only(p distance.Params, names []string) (out distance.Params) {
	typ := reflect.TypeFor[distance.Params]()
	for i := range typ.NumField() {
		for _, name := range names {
			if typ.Field(i).Tag.Get("json") == name {
				reflect.ValueOf(&out).Elem().Field(i).Set(reflect.ValueOf(p).Field(i))
			}
		}
	}
	return out
}

// Of one train or several: the time observed for each spike, at most a window.
func TestMeanInterval(t *testing.T) {
	train := func(stop float64, times ...float64) spike.Train { return spike.Train{Times: times, Stop: stop} }
	for _, c := range []struct {
		trains []spike.Train
		want   float64
	}{
		{[]spike.Train{train(10, 1, 2, 3, 4)}, 2.5},
		{[]spike.Train{train(10, 1, 2, 3), train(10, 5)}, 5},
		{[]spike.Train{train(10, 1), train(10)}, 10},
		{[]spike.Train{train(10)}, 10},
	} {
		if got, err := distance.MeanInterval(c.trains); err != nil || got != c.want {
			t.Errorf("%v: %v, %v; want %v", c.trains, got, err, c.want)
		}
	}
}

// Cost and tau have no default that fits seconds and milliseconds; adaptive metrics
// take their threshold from the trains.
func TestDefaults(t *testing.T) {
	trains := []spike.Train{train(1, 4, 8), train(1.25, 4)}
	mrts, err := distance.AutoMRTS(trains)
	if err != nil {
		t.Fatal(err)
	}
	inf := math.Inf(1)
	for _, c := range []struct {
		name  string
		p     distance.Params
		want  distance.Measure
		shown map[string]any
		err   string
	}{
		{"victor-purpura", distance.Params{}, nil, nil, "cost is missing"},
		{"van-rossum", distance.Params{}, nil, nil, "tau is missing"},
		{"van-rossum", distance.Params{Tau: "auto"}, distance.VanRossum{Tau: 4}, map[string]any{"tau": 4.0, "squared": false}, ""},
		{"van-rossum", distance.Params{Tau: "inf"}, distance.VanRossum{Tau: inf}, map[string]any{"tau": "inf", "squared": false}, ""},
		{"victor-purpura", distance.Params{Cost: "0"}, distance.VictorPurpura{}, map[string]any{"cost": 0.0}, ""},
		{"a-isi", distance.Params{}, distance.ISI{MRTS: mrts}, map[string]any{"mrts": mrts}, ""},
		{"order", distance.Params{MRTS: "auto"}, distance.Order{MRTS: mrts}, map[string]any{"mrts": mrts}, ""},
		{"order", distance.Params{}, distance.Order{}, map[string]any{}, ""},
		{"directionality", distance.Params{}, distance.Directionality{}, map[string]any{"normalized": false}, ""},
		{"a-isi", distance.Params{MRTS: "inf"}, nil, nil, "finite"},
		{"a-isi", distance.Params{MRTS: "some"}, nil, nil, "or auto"},
		{"victor-purpura", distance.Params{Cost: "-1"}, nil, nil, "from 0 on"},
		{"van-rossum", distance.Params{Tau: "nan"}, nil, nil, "from 0 on"},
		{"van-rossum", distance.Params{Tau: "1", Angle: "60"}, nil, nil, "60deg"},
	} {
		m, err := distance.Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Set(c.p)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s%+v: %v, want %q", c.name, c.p, err, c.err)
			}
			continue
		}
		if s, err = s.Fit(trains); err != nil || s.Measure() != c.want || !reflect.DeepEqual(s.Shown(false), c.shown) {
			t.Errorf("%s%+v: %+v %v, %v; want %+v %v", c.name, c.p, s.Measure(), s.Shown(false), err, c.want, c.shown)
		}
	}
	m, _ := distance.Lookup("isi")
	s, _ := m.Set(distance.Params{})
	if _, err := s.Population(); err == nil {
		t.Error("isi of several neurons: no error")
	}
	m, _ = distance.Lookup("van-rossum")
	if s, err = m.Set(distance.Params{Tau: "2"}); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Population(); err != nil || p != (distance.LabelledVanRossum{Tau: 2}) || s.Shown(true)["angle"] != math.Pi/2 {
		t.Errorf("%+v, %v, %v", p, err, s.Shown(true))
	}
}

func TestResponses(t *testing.T) {
	for _, c := range []struct {
		neurons string
		trains  int
		want    [][]int
	}{
		{"2", 4, [][]int{{0, 1}, {2, 3}}}, {"a,b,b,a", 4, [][]int{{0, 1}, {3, 2}}}, {"3", 4, nil}, {"0", 4, nil}, {"4", 4, nil}, {"a,b", 4, nil}, {"a,a,a,b", 4, nil},
	} {
		got, err := distance.Responses(c.neurons, c.trains)
		if (err == nil) != (c.want != nil) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %d: %v, %v, want %v", c.neurons, c.trains, got, err, c.want)
		}
	}
}
