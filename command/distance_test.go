package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/format/npz"
	"synfire/internal/shared"
)

// goldenCase is a case of the file of reference values that stands beside the
// repository.
type goldenCase struct {
	Name     string                     `json:"name"`
	Start    float64                    `json:"t_start"`
	End      float64                    `json:"t_end"`
	Trains   [][]float64                `json:"trains"`
	Interval []float64                  `json:"interval"`
	Values   map[string]json.RawMessage `json:"values"`
	Params   struct {
		MRTS      float64         `json:"mrts"`
		Q         json.RawMessage `json:"q"`
		Tau       json.RawMessage `json:"tau"`
		Intervals [][]float64     `json:"intervals"`
		Windows   [][]float64     `json:"windows"`
		MaxTau    []float64       `json:"max_tau"`
		Units     int             `json:"units"`
		K         []float64       `json:"k"`
		CosTheta  []float64       `json:"cos_theta"`
	} `json:"params"`
	Note string `json:"note"`
}

func goldenCases(t *testing.T) []json.RawMessage {
	t.Helper()
	src, err := os.ReadFile(shared.File(t, "golden/spike_distances.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(src, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// check is one value to compare: arguments of the verb, and what its JSON must
// hold.
type check struct {
	what      string
	args      []string
	want      json.RawMessage
	tolerance float64
	squared   bool // compare squares
	got       func(m measured) any
}

func value(m measured) any { return *m.Value }

// checks are all values of a case that the verb can print.
func (c goldenCase) checks(t *testing.T) (list []check) {
	t.Helper()
	unit := 1e-12
	if c.Name == "interval_tiny" || c.Name == "near_edges_eps" {
		unit = 1e-9
	}
	spikes := 0
	for _, train := range c.Trains {
		spikes += len(train)
	}
	count := 1e-9 * float64(max(spikes, 1))
	var extra []string
	for _, i := range c.Params.Intervals {
		extra = append(extra, "--interval", fmt.Sprintf("%v,%v", i[0], i[1]))
	}
	add := func(key, metric string, tolerance float64, got func(measured) any, args ...string) {
		if want, ok := c.Values[key]; ok {
			list = append(list, check{what: key, args: append(append([]string{"--metric", metric}, extra...), args...), want: want, tolerance: tolerance, got: got})
		}
	}
	matrix := func(m measured) any { return m.Matrix }
	mrts := []string{"--mrts", fmt.Sprint(c.Params.MRTS)}
	for key, metric := range map[string]string{"isi": "isi", "spike": "spike", "ri_spike": "ri-spike", "spike_sync": "sync"} {
		add(key, metric, unit, value)
		add("a_"+key, "a-"+metric, unit, value, mrts...)
		add(key+"_matrix", metric, unit, matrix, "--matrix")
		add("a_"+key+"_matrix", "a-"+metric, unit, matrix, append(mrts, "--matrix")...)
		if c.Name == "profile_pair_mrts" { // its profiles are adaptive, too
			add(key+"_profile", "a-"+metric, unit, nil, append(mrts, "--profile")...)
		} else {
			add(key+"_profile", metric, unit, nil, "--profile")
		}
	}
	add("auto_mrts", "a-isi", 1e-12*max(1, c.End-c.Start), func(m measured) any { return m.Params["mrts"] })
	if len(c.Trains) == 2 {
		add("spike_train_order", "order", unit, value)
	} else {
		add("spike_train_order", "synfire", unit, value)
	}
	if c.Name == "profile_pair_mrts" {
		add("spike_train_order_profile", "order", unit, nil, append(mrts, "--profile")...)
	} else {
		add("spike_train_order_profile", "order", unit, nil, "--profile")
	}
	add("spike_directionality_sum", "directionality", 0, value)
	add("spike_directionality_sum_matrix", "directionality", 0, matrix, "--matrix")
	add("spike_directionality_values", "directionality", unit, func(m measured) any { return m.Spikes }, "--profile")
	add("synfire_unsorted", "synfire", unit, value)
	add("synfire_sorted", "synfire", unit, func(m measured) any { return m.Sorting.Indicator })
	add("sorted_directionality_sum", "synfire", 0, func(m measured) any { return m.Sorting.Sum })
	add("sorted_order", "synfire", 0, func(m measured) any { return m.Sorting.Order })
	add("victor_purpura_q0", "victor-purpura", count, value, "--cost", "0")
	add("victor_purpura_qinf", "victor-purpura", count, value, "--cost", "inf")
	add("van_rossum_tau0", "van-rossum", unit*10, value, "--tau", "0")
	add("van_rossum_tauinf", "van-rossum", unit*10, value, "--tau", "inf")
	list = append(list, c.parametric(t, count)...)
	return list
}

// parametric are the values that are listed along with a list of parameters.
func (c goldenCase) parametric(t *testing.T, count float64) (list []check) {
	t.Helper()
	each := func(key string, params []float64, squared bool, got func(measured) any, args func(p float64) []string) {
		raw, ok := c.Values[key]
		if !ok {
			return
		}
		values := []json.RawMessage{raw}
		if len(params) != 1 || !strings.HasSuffix(key, "_matrix") {
			values = nil
			if err := json.Unmarshal(raw, &values); err != nil {
				values = []json.RawMessage{raw}
			}
		}
		if len(values) != len(params) {
			t.Fatalf("%s: %d values of %s for %d parameters", c.Name, len(values), key, len(params))
		}
		for i, p := range params {
			list = append(list, check{what: fmt.Sprintf("%s (%v)", key, p), args: args(p), want: values[i], tolerance: count, squared: squared, got: got})
		}
	}
	text := func(v float64) string { return fmt.Sprint(v) }
	matrix := func(m measured) any { return m.Matrix }
	q, tau := numbers(t, c.Params.Q), numbers(t, c.Params.Tau)
	each("victor_purpura", q, false, value, func(p float64) []string {
		return []string{"--metric", "victor-purpura", "--cost", text(p)}
	})
	each("van_rossum", tau, true, value, func(p float64) []string { return []string{"--metric", "van-rossum", "--tau", text(p)} })
	each("victor_purpura_matrix", q, false, matrix, func(p float64) []string {
		return []string{"--metric", "victor-purpura", "--cost", text(p), "--matrix"}
	})
	each("van_rossum_matrix", tau, true, matrix, func(p float64) []string {
		return []string{"--metric", "van-rossum", "--tau", text(p), "--matrix"}
	})
	each("spike_sync_max_tau", c.Params.MaxTau, false, value, func(p float64) []string { return []string{"--metric", "sync", "--max-tau", text(p)} })
	each("victor_purpura_units", c.Params.K, false, value, func(p float64) []string {
		return []string{"--metric", "victor-purpura", "--labels", fmt.Sprint(c.Params.Units), "--cost", text(q[0]), "--label-cost", text(p)}
	})
	each("van_rossum_units", c.Params.CosTheta, true, value, func(p float64) []string {
		return []string{"--metric", "van-rossum", "--labels", fmt.Sprint(c.Params.Units), "--tau", text(tau[0]), "--angle", text(math.Acos(p))}
	})
	return list
}

// numbers reads one number or a list.
func numbers(t *testing.T, raw json.RawMessage) (list []float64) {
	t.Helper()
	var one float64
	switch {
	case raw == nil:
	case json.Unmarshal(raw, &one) == nil:
		list = []float64{one}
	default:
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// flat is all numbers of a JSON value in order.
func flat(v any) (out []float64) {
	switch v := v.(type) {
	case float64:
		out = append(out, v)
	case []any:
		for _, x := range v {
			out = append(out, flat(x)...)
		}
	}
	return out
}

func flatJSON(t *testing.T, v any) []float64 {
	t.Helper()
	raw, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	var decoded any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	return flat(decoded)
}

// Every value of every case, typed at the command.
func TestDistanceGolden(t *testing.T) {
	cases, total := goldenCases(t), 0
	dir := t.TempDir()
	for i, raw := range cases {
		var c goldenCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		list := c.checks(t)
		if len(list) == 0 {
			t.Errorf("%s: nothing to check among %v", c.Name, c.Values)
		}
		for _, k := range list {
			total++
			args := append([]string{"distance", path, "--json", "--threads", "1"}, k.args...)
			if c.Name == "unsorted_duplicates_outside" {
				args = append(args, "--sort", "--clip")
			}
			out, errOut, code := command(args...)
			if code != 0 {
				t.Errorf("%s, %s: exit code %d: %s", c.Name, k.what, code, errOut)
				continue
			}
			var m measured
			strict(t, out, &m)
			if m.NTrains != len(c.Trains) {
				t.Errorf("%s: n_trains %d of %d", c.Name, m.NTrains, len(c.Trains))
			}
			compareValue(t, c.Name+", "+k.what, k, m)
		}
	}
	if total < 1000 {
		t.Errorf("only %d values were checked", total)
	}
}

func compareValue(t *testing.T, what string, k check, m measured) {
	t.Helper()
	if k.got == nil {
		compareProfile(t, what, k, m)
		return
	}
	got, want := flatJSON(t, k.got(m)), flatJSON(t, k.want)
	close(t, what, got, want, k.tolerance, k.squared)
}

func close(t *testing.T, what string, got, want []float64, tolerance float64, squared bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		a, b := got[i], want[i]
		if squared {
			a, b = a*a, b*b
		}
		if !(math.Abs(a-b) <= tolerance) {
			t.Errorf("%s, number %d: %v, want %v ± %v", what, i, got[i], want[i], tolerance)
		}
	}
}

func compareProfile(t *testing.T, what string, k check, m measured) {
	t.Helper()
	var want struct{ X, Y, Y1, Y2, MP []float64 }
	if err := json.Unmarshal(k.want, &want); err != nil {
		t.Fatal(err)
	}
	p := m.Profile
	if p == nil {
		t.Errorf("%s: no profile", what)
		return
	}
	for i := range want.Y1 {
		want.Y = append(want.Y, want.Y1[i], want.Y2[i])
	}
	close(t, what+": x", p.X, want.X, k.tolerance, false)
	close(t, what+": y", p.Y, want.Y, k.tolerance, false)
	close(t, what+": multiplicity", p.Weight, want.MP, k.tolerance, false)
}

const twoCases = `[
 {"name":"near","t_start":0,"t_end":10,"trains":[[4],[4.5]]},
 {"name":"three","t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5],[]]}
]`

// The card's values by hand, for a person.
func TestDistanceView(t *testing.T) {
	file := write(t, "two.json", twoCases)
	var out strings.Builder
	for _, args := range [][]string{
		{"--metric", "isi", "--matrix", "--profile"},
		{"--metric", "spike", "--profile", "--interval", "0,5", "--interval", "6,10"},
		{"--metric", "sync", "--profile", "--surrogates", "19"},
		{"--metric", "synfire"},
		{"--metric", "directionality", "--profile"},
		{"--metric", "a-sync", "--mrts", "2"},
		{"--metric", "victor-purpura", "--cost", "1", "--matrix"},
		{"--metric", "van-rossum", "--tau", "1"},
	} {
		got, errOut, code := command(append([]string{"distance", file}, args...)...)
		if code != 0 {
			t.Errorf("%v: exit code %d: %s", args, code, errOut)
		}
		fmt.Fprintf(&out, "$ synfire distance two.json %s\n%s\n", strings.Join(args, " "), got)
	}
	golden(t, "distance", out.String())
}

// A list of recordings gives JSON lines in order, also from standard input, and
// a single one a single value.
func TestDistanceLines(t *testing.T) {
	file := write(t, "two.json", twoCases)
	out, errOut, code := command("distance", file, "--metric", "isi", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit code %d, %d lines: %s", code, len(lines), errOut)
	}
	var m measured
	strict(t, lines[0], &m)
	if m.Name != "near" || m.NTrains != 2 || math.Abs(*m.Value-0.10277777777777777) > 1e-15 || m.Matrix != nil || m.Profile != nil {
		t.Errorf("%s", lines[0])
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	if again, _, code := command("distance", "-", "--metric", "isi", "--json"); code != 0 || again != out {
		t.Errorf("from standard input: exit code %d, %s", code, again)
	}
}

// All forms of a file hold the same trains.
func TestDistanceForms(t *testing.T) {
	var arrays, units, names bytes.Buffer
	start, end := npz.F64([]float64{0}), npz.F64([]float64{10})
	for _, f := range []struct {
		to *bytes.Buffer
		of map[string]npz.Array
	}{
		{&arrays, map[string]npz.Array{"arr_0": npz.F64([]float64{1, 3, 6}, 3), "arr_10": npz.F64(nil, 0), "arr_2": npz.F64([]float64{2, 6.5}, 2), "t_start": start, "t_end": end}},
		{&units, map[string]npz.Array{"times": npz.F64([]float64{2, 1, 3, 6.5, 6}, 5), "units": npz.I64([]int64{11, 9, 9, 11, 9}, 5), "t_start": start, "t_end": end}},
		{&names, map[string]npz.Array{"times": npz.F64([]float64{2, 1, 3, 6.5, 6}, 5), "units": npz.Text([]string{"b", "a", "a", "b", "a"}, 5)}},
	} {
		if err := npz.Write(f.to, f.of); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, content, third, window string }{
		{"x.json", `{"t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5]]}`, "", ""},
		{"x", `{"t_start":0,"t_end":10,"trains":[[1,3,6],[2,6.5]]}`, "", ""},
		{"x.txt", "1 3 6\n2 6.5\n", "", "0,10"},
		{"x.dat2", "# trains\n1,3,6\n2,6.5\n", "", "0,10"},
		{"x.csv", "unit,time\na,1\nb,2\na,3\na,6\nb,6.5\n", "", "0,10"},
		{"y", "time;\n", "", ""},
		{"units.npz", units.String(), "", ""},
		{"names", names.String(), "", "0,10"},
		{"arrays.npz", arrays.String(), "with a silent one", ""},
	} {
		args := []string{"distance", write(t, c.name, c.content), "--metric", "isi", "--matrix", "--json"}
		if c.window != "" {
			args = append(args, "--window", c.window)
		}
		out, errOut, code := command(args...)
		if c.name == "y" {
			if code == 0 {
				t.Errorf("a file of no known form: %s", out)
			}
			continue
		}
		var m measured
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.name, code, errOut)
			continue
		}
		strict(t, out, &m)
		if want := 2.8 / 9; math.Abs(m.Matrix[0][1]-want) > 1e-12 || (c.third == "") != (m.NTrains == 2) {
			t.Errorf("%s: %v, want %v between the first two", c.name, m.Matrix, want)
		}
	}
}

// Surrogates tell trains that fire together from trains that do not, the same
// for each number of threads.
func TestDistanceSurrogates(t *testing.T) {
	file := write(t, "x.json", `{"t_start":0,"t_end":10,"trains":[[0.5,1.7,3.1,4.2,6.9,8,9.1],[0.52,1.71,3.08,4.21,6.88,8.02,9.13]]}`)
	for _, kind := range []string{"dither", "isi", "bins"} {
		for _, metric := range []string{"spike", "sync", "victor-purpura"} {
			args := []string{"distance", file, "--metric", metric, "--surrogates", "199", "--surrogate", kind, "--json"}
			if metric == "victor-purpura" {
				args = append(args, "--cost", "20")
			}
			out, errOut, code := command(append(args, "--threads", "1")...)
			var m measured
			if code != 0 {
				t.Fatalf("%s, %s: exit code %d: %s", metric, kind, code, errOut)
			}
			strict(t, out, &m)
			if s := m.Surrogates; s == nil || s.N != 199 || s.Kind != kind || !(s.P <= 0.05) || (s.Width == nil) != (kind == "isi") {
				t.Errorf("%s, %s: %+v", metric, kind, m.Surrogates)
			}
			if again, _, _ := command(append(args, "--threads", "2")...); again != out {
				t.Errorf("%s, %s: other figures on two threads", metric, kind)
			}
		}
	}
}

func TestDistanceFigures(t *testing.T) {
	file := write(t, "two.json", twoCases)
	for metric, want := range map[string]int{"isi": 3, "sync": 3, "spike": 3, "directionality": 2, "victor-purpura": 2} {
		dir := t.TempDir()
		args := []string{"distance", file, "--metric", metric, "--out", dir, "--json", "--unit", "ms"}
		if metric == "victor-purpura" {
			args = append(args, "--cost", "auto")
		}
		if _, errOut, code := command(args...); code != 0 {
			t.Fatalf("%s: exit code %d: %s", metric, code, errOut)
		}
		for _, ext := range []string{"svg", "png"} {
			if found, _ := filepath.Glob(filepath.Join(dir, "0001", "*."+ext)); len(found) != want {
				t.Errorf("%s: %v, want %d figures", metric, found, want)
			}
		}
		svg, err := os.ReadFile(filepath.Join(dir, "0001", "matrix.svg"))
		if err != nil || !bytes.Contains(svg, []byte(`role="img"><title>Heat map of `+metric+` between 3 trains</title>`)) {
			t.Errorf("%s: %v, %.300s", metric, err, svg)
		}
	}
}

// Each mistake is one message that says what to do.
func TestDistanceMistakes(t *testing.T) {
	two := write(t, "two.json", twoCases)
	text := write(t, "x.txt", "1 3 6\n2 2 6.5\n")
	endless := write(t, "endless.txt", strings.Repeat("1", 1<<25))
	empty := write(t, "empty.json", "")
	four := write(t, "four.json", `{"t_start":0,"t_end":10,"trains":[[1],[2],[3],[4]]}`)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"metric"}, []string{two}},
		{2, []string{"metric", "isi"}, []string{two, "--metric", "euclid"}},
		{1, []string{"no such file"}, []string{"absent.json", "--metric", "isi"}},
		{2, []string{"--tau", "van-rossum"}, []string{two, "--metric", "isi", "--tau", "1"}},
		{2, []string{"--mrts", "a-isi"}, []string{two, "--metric", "isi", "--mrts", "1"}},
		{2, []string{"--labels"}, []string{two, "--metric", "victor-purpura", "--label-cost", "1"}},
		{2, []string{"--width"}, []string{two, "--metric", "isi", "--width", "1"}},
		{2, []string{"--surrogates"}, []string{two, "--metric", "isi", "--surrogates", "-1"}},
		{1, []string{"--cost", "from 0 on"}, []string{two, "--metric", "victor-purpura", "--cost=-1"}},
		{1, []string{"--tau", "from 0 on"}, []string{two, "--metric", "van-rossum", "--tau", "nan"}},
		{1, []string{"--mrts"}, []string{two, "--metric", "a-isi", "--mrts", "some"}},
		{1, []string{"--max-tau"}, []string{two, "--metric", "sync", "--max-tau=-1"}},
		{1, []string{"--window", "0,10"}, []string{text, "--metric", "isi"}},
		{1, []string{"--window", "0,10"}, []string{text, "--metric", "isi", "--window", "10,0"}},
		{1, []string{"--interval"}, []string{two, "--metric", "isi", "--interval", "5"}},
		{1, []string{"train 1", "line 2", "both at 2"}, []string{text, "--metric", "isi", "--window", "0,10"}},
		{1, []string{"train 0", "outside"}, []string{text, "--metric", "isi", "--window", "0,5"}},
		{1, []string{"line 1 is longer"}, []string{endless, "--metric", "isi", "--window", "0,5"}},
		{1, []string{"no recording"}, []string{empty, "--metric", "isi"}},
		{1, []string{"--labels 3", "4 trains"}, []string{four, "--metric", "victor-purpura", "--cost", "1", "--labels", "3"}},
		{1, []string{"--labels", "4"}, []string{four, "--metric", "victor-purpura", "--cost", "1", "--labels", "a,b"}},
		{1, []string{`"b" has 1`}, []string{four, "--metric", "victor-purpura", "--cost", "1", "--labels", "a,a,a,b"}},
		{2, []string{"--cost is missing", "auto", "mean interval is 10 here"}, []string{four, "--metric", "victor-purpura"}},
		{2, []string{"--tau is missing", "auto"}, []string{four, "--metric", "van-rossum"}},
		{2, []string{"--tau", "is not for", "van-rossum"}, []string{four, "--metric", "victor-purpura", "--tau", "1"}},
		{2, []string{"--labels is not for"}, []string{four, "--metric", "isi", "--labels", "2"}},
		{2, []string{"--profile is not for"}, []string{four, "--metric", "van-rossum", "--tau", "1", "--profile"}},
		{2, []string{"--save", ".csv or .npz"}, []string{four, "--metric", "isi", "--save", "x.txt"}},
		{2, []string{"--save", "list of 2"}, []string{two, "--metric", "isi", "--save", "x.csv"}},
		{1, []string{"2 trials (1, 2)", "--trial 1"}, []string{write(t, "trials.csv", "unit,time,trial\na,1,1\nb,2,2\n"), "--metric", "isi", "--window", "0,9", "--sort"}},
		{1, []string{`"amplitude"`, "not known"}, []string{write(t, "other.csv", "unit,time,amplitude\na,1,1\nb,2,2\n"), "--metric", "isi", "--window", "0,9"}},
		{1, []string{"--window 0,10000"}, []string{write(t, "ms.txt", "1 9874\n5\n"), "--metric", "isi"}},
		{1, []string{"3 trains and 2 units"}, []string{write(t, "three.txt", "1\n2\n3\n"), "--metric", "isi", "--window", "0,9", "--units", "2"}},
		{1, []string{"--angle", "60deg"}, []string{four, "--metric", "van-rossum", "--labels", "2", "--angle", "60"}},
		{1, []string{"1 train", "two or more"}, []string{write(t, "one.json", `{"t_start":0,"t_end":1,"trains":[[]]}`), "--metric", "isi"}},
		{1, []string{"npz"}, []string{write(t, "x.npz", "PK\x03\x04 and no more"), "--metric", "isi"}},
	} {
		_, stderr, code := command(append([]string{"distance"}, c.args...)...)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: message without %q: %s", c.args, w, stderr)
			}
		}
		if strings.Contains(stderr, "internal error") || len(stderr) > 1000 {
			t.Errorf("%v: %s", c.args, stderr)
		}
	}
	if out, stderr, code := command("distance", four, "--metric", "van-rossum", "--labels", "a,b,a,b", "--angle", "60deg", "--tau", "1", "--json"); code != 0 || !strings.Contains(out, `"angle":1.047`) {
		t.Errorf("labels by name: exit code %d, %s%s", code, out, stderr)
	}
	if out, stderr, code := command("distance", text, "--metric", "isi", "--window", "0,5", "--sort", "--clip", "--json"); code != 0 || !strings.Contains(out, `"mended":{"unsorted_trains":0,"merged_spikes":1,"dropped_spikes":2}`) {
		t.Errorf("mended: exit code %d, %s%s", code, out, stderr)
	}
}
