package distance_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"synfire/distance"
	"synfire/internal/shared"
	"synfire/spike"
)

// golden is a case of testdata/golden.json.
type golden struct {
	Name   string                     `json:"name"`
	Start  float64                    `json:"t_start"`
	Stop   float64                    `json:"t_end"`
	Trains [][]float64                `json:"trains"`
	Within []float64                  `json:"interval"`
	Values map[string]json.RawMessage `json:"values"`
	Params struct {
		MRTS      float64      `json:"mrts"`
		Q         floats       `json:"q"`
		Tau       floats       `json:"tau"`
		Intervals [][2]float64 `json:"intervals"`
		Windows   [][2]float64 `json:"windows"`
		MaxTau    floats       `json:"max_tau"`
		Units     int          `json:"units"`
		K         floats       `json:"k"`
		Cosine    floats       `json:"cos_theta"`
	} `json:"params"`
}

// floats is a number or a list of them.
type floats []float64

func (f *floats) UnmarshalJSON(src []byte) error {
	if src[0] == '[' {
		return json.Unmarshal(src, (*[]float64)(f))
	}
	*f = make(floats, 1)
	return json.Unmarshal(src, &(*f)[0])
}

// The values of PySpike and elephant that the project keeps, and all of them where
// the full file is at hand.
func TestGolden(t *testing.T) {
	t.Run("kept", func(t *testing.T) { checkGolden(t, "testdata/golden.json", 20) })
	t.Run("all", func(t *testing.T) { checkGolden(t, shared.File(t, "golden/spike_distances.json"), 87) })
}

func checkGolden(t *testing.T, path string, want int) {
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(src, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < want {
		t.Errorf("%d cases, want %d at least", len(file.Cases), want)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, c.check)
	}
}

// trains is the case's, mended.
func (c golden) trains() []spike.Train {
	var trains []spike.Train
	for i, times := range c.Trains {
		tr := spike.Train{Times: times, Start: c.Start, Stop: c.Stop}
		if w := c.Params.Windows; w != nil {
			tr.Start, tr.Stop = w[i][0], w[i][1]
		}
		tr, _ = tr.Sort().Clip(tr.Start, tr.Stop)
		trains = append(trains, tr)
	}
	return spike.Unite(trains)
}

func (c golden) check(t *testing.T) {
	trains, spikes := c.trains(), 0.0
	for _, tr := range trains {
		spikes += float64(len(tr.Times))
	}
	tolerance := 1e-12
	if c.Name == "interval_tiny" || c.Name == "near_edges_eps" {
		tolerance = 1e-9
	}
	o := distance.Options{Threads: 2}
	if c.Within != nil {
		o.Intervals = append(o.Intervals, distance.Interval{From: c.Within[0], To: c.Within[1]})
	}
	for _, v := range c.Params.Intervals {
		o.Intervals = append(o.Intervals, distance.Interval{From: v[0], To: v[1]})
	}
	for key, raw := range c.Values {
		got, tol, err := c.value(key, trains, o)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if tol == 0 {
			tol = tolerance
		} else {
			tol *= max(spikes, 1)
		}
		var want any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		same(t, key, flatten(got), flatten(want), tol, tol > 1e-9 && len(key) > 3 && key[:3] == "van")
	}
}

// same compares two lists, of roots by their squares.
func same(t *testing.T, key string, got, want []float64, tolerance float64, squares bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d: %v, want %v", key, len(got), len(want), got, want)
		return
	}
	for i, g := range got {
		w := want[i]
		if squares {
			g, w = g*g, w*w
		}
		if !(math.Abs(g-w) <= tolerance) {
			t.Errorf("%s[%d] = %v, want %v (off by %g)", key, i, got[i], want[i], g-w)
		}
	}
}

// flatten is the numbers within a value in order, of maps by key.
func flatten(v any) []float64 {
	var out []float64
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []float64:
		return v
	case []int:
		for _, x := range v {
			out = append(out, float64(x))
		}
	case [][]float64:
		for _, x := range v {
			out = append(out, x...)
		}
	case []any:
		for _, x := range v {
			out = append(out, flatten(x)...)
		}
	case map[string]any:
		for _, key := range []string{"x", "y", "y1", "y2", "mp"} {
			if x, ok := v[key]; ok {
				out = append(out, flatten(x)...)
			}
		}
	default:
		panic(fmt.Sprintf("%T", v))
	}
	return out
}

// measures are those of the keys; "a_" stands for the adaptive forms.
func (c golden) measure(name string) distance.Measure {
	mrts := 0.0
	if len(name) > 2 && name[:2] == "a_" {
		name, mrts = name[2:], c.Params.MRTS
	}
	switch name {
	case "isi":
		return distance.ISI{MRTS: mrts}
	case "spike":
		return distance.SPIKE{MRTS: mrts}
	case "ri_spike":
		return distance.SPIKE{MRTS: mrts, RateIndependent: true}
	case "spike_sync":
		return distance.Sync{MRTS: mrts}
	case "spike_train_order", "synfire_unsorted":
		return distance.Order{MRTS: mrts}
	case "spike_directionality_sum":
		return distance.Directionality{MRTS: mrts}
	case "victor_purpura":
		return distance.VictorPurpura{Cost: c.Params.Q[0]}
	case "van_rossum":
		return distance.VanRossum{Tau: c.Params.Tau[0]}
	case "victor_purpura_q0":
		return distance.VictorPurpura{Cost: 0}
	case "victor_purpura_qinf":
		return distance.VictorPurpura{Cost: math.Inf(1)}
	case "van_rossum_tau0":
		return distance.VanRossum{Tau: 0}
	case "van_rossum_tauinf":
		return distance.VanRossum{Tau: math.Inf(1)}
	}
	panic(name)
}

const perSpike = 1e-9 // tolerance of the spike-resolved measures

// value is what the package says of a key, and the tolerance for a spike where it is
// not the usual one.
func (c golden) value(key string, trains []spike.Train, o distance.Options) (any, float64, error) {
	q, tau := c.Params.Q, c.Params.Tau
	switch key {
	case "auto_mrts":
		v, err := distance.AutoMRTS(trains)
		return v, 0, err
	case "victor_purpura":
		v, err := distance.VictorPurpuraCosts(trains[0], trains[1], q)
		return v, perSpike, err
	case "van_rossum":
		var out []float64
		for _, tau := range tau {
			v, err := distance.VanRossum{Tau: tau}.Distance(trains[0], trains[1])
			if err != nil {
				return nil, 0, err
			}
			out = append(out, v)
		}
		return out, perSpike, nil
	case "spike_sync_max_tau":
		var out []float64
		for _, tau := range c.Params.MaxTau {
			v, err := distance.Sync{MaxTau: tau}.Distance(trains[0], trains[1])
			if err != nil {
				return nil, 0, err
			}
			out = append(out, v)
		}
		return out, 0, nil
	case "victor_purpura_units", "van_rossum_units":
		return c.units(key, trains)
	case "spike_directionality_values":
		v, err := distance.Directionality{}.Values(trains)
		return v, 0, err
	case "sorted_directionality_sum", "synfire_sorted", "sorted_order":
		s, err := distance.Order{}.Sort(trains, 1)
		return map[string]any{"sorted_directionality_sum": s.Sum, "synfire_sorted": s.Indicator, "sorted_order": s.Order}[key], 0, err
	}
	if name, ok := cut(key, "_profile"); ok {
		p, err := distance.MultiProfile(c.measure(c.adapted(name)).(distance.Profiler), trains, o)
		return numbers(p), 0, err
	}
	tolerance := 0.0
	if key[:3] == "vic" || key[:3] == "van" {
		tolerance = perSpike
	}
	if name, ok := cut(key, "_matrix"); ok {
		v, err := distance.Matrix(c.measure(name), trains, o)
		return v, tolerance, err
	}
	v, err := distance.Multi(c.measure(key), trains, o)
	return v, tolerance, err
}

// adapted is the name of the measure of a profile: there the threshold is the
// case's.
func (c golden) adapted(name string) string {
	if c.Params.MRTS > 0 {
		return "a_" + name
	}
	return name
}

func cut(key, suffix string) (string, bool) {
	if n := len(key) - len(suffix); n > 0 && key[n:] == suffix {
		return key[:n], true
	}
	return key, false
}

// numbers is a profile in the order of flatten's keys.
func numbers(p distance.Profile) []float64 {
	out := append([]float64(nil), p.X...)
	if p.Kind != distance.Linear {
		return append(append(out, p.Y...), p.Weight...)
	}
	for side := range 2 {
		for i := side; i < len(p.Y); i += 2 {
			out = append(out, p.Y[i])
		}
	}
	return out
}

func (c golden) units(key string, trains []spike.Train) (any, float64, error) {
	a, b := trains[:c.Params.Units], trains[c.Params.Units:]
	var measures []distance.PopulationMeasure
	if key == "van_rossum_units" {
		for _, cosine := range c.Params.Cosine {
			measures = append(measures, distance.LabelledVanRossum{Tau: c.Params.Tau[0], Cosine: cosine})
		}
	} else {
		for _, k := range c.Params.K {
			measures = append(measures, distance.LabelledVictorPurpura{Cost: c.Params.Q[0], LabelCost: k})
		}
	}
	var out []float64
	for _, m := range measures {
		v, err := m.Distance(a, b)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, v)
	}
	return out, perSpike, nil
}
