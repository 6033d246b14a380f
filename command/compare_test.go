package command

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/command/comparing"
	"synfire/compare/areas"
	"synfire/format/npz"
	"synfire/format/safetensors"
)

// recordingFile writes arrays to an NPZ file.
func recordingFile(t *testing.T, name string, arrays map[string]npz.Array) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := npz.Write(f, arrays); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// waves are two related recordings of 60 stimuli: 8 and 6 units.
func waves() (a, b []float64) {
	for i := range 60 {
		x := float64(i)
		row := make([]float64, 8)
		for j := range row {
			row[j] = math.Sin(1 + 3*x + 7*float64(j) + x*float64(j))
		}
		a = append(a, row...)
		for j := range 6 {
			c := math.Cos(2 + 5*x + 3*float64(j) + x*x*float64(1+j)*.37)
			b = append(b, row[j]*float64(j+1)+.8*row[j+2]+1.5*c)
		}
	}
	return a, b
}

// The JSON of the contract, with values that NumPy gives for the formulas.
func TestCompare(t *testing.T) {
	small := map[string]string{
		"x": recordingFile(t, "x.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1}, 4, 3)}),
		"y": recordingFile(t, "y.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 2, 2, 0, 0, 1, 3, 3}, 4, 2)}),
	}
	a, b := waves()
	large := map[string]string{
		"x": recordingFile(t, "a.npz", map[string]npz.Array{"x": npz.F64(a, 60, 8)}),
		"y": recordingFile(t, "b.npz", map[string]npz.Array{"x": npz.F64(b, 60, 6)}),
	}
	for _, c := range []struct {
		metric string
		files  map[string]string
		want   float64
	}{
		{"rsa-spearman", small, -.273230}, {"rsa-kendall", small, -.133333}, {"rsa-cosine", small, .659930}, {"rsa-whitened", small, .398144},
		{"cka-linear", small, .398144}, {"cka-unbiased", small, -.960769},
		{"cka-rbf", large, .6480902367}, {"cca", large, .8721413094}, {"svcca", large, .8721413094}, {"pwcca", large, .8746489603},
		{"ridge", large, .9135716866}, {"pls", large, .9137416851},
	} {
		stdout, stderr, code := command("compare", "--metric", c.metric, "--json", c.files["x"], c.files["y"])
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.metric, code, stderr)
			continue
		}
		var r struct {
			Metric   string         `json:"metric"`
			Params   map[string]any `json:"params"`
			Value    float64        `json:"value"`
			NStimuli int            `json:"n_stimuli"`
		}
		strict(t, stdout, &r)
		if r.Metric != c.metric || math.Abs(r.Value-c.want) > 1e-6 || r.NStimuli != map[bool]int{true: 4, false: 60}[c.files["x"] == small["x"]] {
			t.Errorf("%s: %s, want %v", c.metric, stdout, c.want)
		}
	}
	stdout, _, code := command("compare", "--metric", "restab", "--json", large["x"], large["x"])
	if code != 0 || !strings.Contains(stdout, `"value":1,`) {
		t.Errorf("restab with itself: %s", stdout)
	}
	tensors := filepath.Join(t.TempDir(), "x.safetensors")
	var raw bytes.Buffer
	if err := safetensors.Encode(&raw, safetensors.File{Tensors: map[string]safetensors.Array{"x": safetensors.F64([]float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1}, 4, 3)}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tensors, raw.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := command("compare", "--json", tensors, small["y"]); code != 0 || !strings.Contains(stdout, `"value":0.39814`) {
		t.Errorf("safetensors: %d, %s%s", code, stdout, stderr)
	}
}

// Spike trains: of the same times they are alike, of others not; options count.
func TestCompareSpikes(t *testing.T) {
	spikes := map[string]npz.Array{
		"times":    npz.F64([]float64{10, 30, 50, 12, 33, 70, 5, 90}, 8),
		"stimulus": npz.I64([]int64{0, 0, 0, 1, 1, 1, 2, 3}, 8),
		"unit":     npz.I64([]int64{0, 0, 0, 0, 0, 0, 0, 1}, 8),
		"t_end":    npz.F64([]float64{100}),
	}
	file := recordingFile(t, "s.npz", spikes)
	for _, args := range [][]string{{"--tau", "10", "--distance", "van-rossum"}, {"--distance", "victor-purpura", "--cost", "0.05"}, {"--distance", "isi"}, {"--distance", "spike"}} {
		args = append([]string{"compare", "--metric", "rsa-spearman", "--dissimilarity", "spikes", "--json", file, file}, args...)
		if stdout, stderr, code := command(args...); code != 0 || !strings.Contains(stdout, `"value":1,"n_stimuli":4`) || !strings.Contains(stdout, args[len(args)-1]) {
			t.Errorf("%v: %d, %s%s", args, code, stdout, stderr)
		}
	}
	stdout, stderr, code := command("compare", "--metric", "rsa-spearman", "--permutations", "20", "--json", file, file)
	if code != 0 || !strings.Contains(stdout, `"p":`) {
		t.Errorf("permutations: %d, %s%s", code, stdout, stderr)
	}
	spikes["t_end"] = npz.F64([]float64{60})
	if _, stderr, code := command("compare", recordingFile(t, "late.npz", spikes), file); code != 1 || !strings.Contains(stderr, "set t_start and t_end") {
		t.Errorf("a spike outside the window: %d, %s", code, stderr)
	}
}

// Layers of a trained network, with a report.
func TestCompareNetworks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	if _, stderr, code := command("train", write(t, "net.yaml", tinyNet), "--out", out, "--json"); code != 0 {
		t.Fatalf("train: %s", stderr)
	}
	best := filepath.Join(out, "checkpoints", "best.safetensors")
	dir := filepath.Join(t.TempDir(), "report")
	stdout, stderr, code := command("compare", best, best, "--data", "mnist-sample", "--n", "40", "--out", dir, "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r comparing.Result
	strict(t, stdout, &r)
	if r.NStimuli != 40 || r.Value == nil || math.Abs(*r.Value-1) > 1e-9 || len(r.Layers) != 4 || r.Layers[0].A != "spiking1" || *r.Layers[1].Value >= 1 {
		t.Errorf("%+v", r)
	}
	if html, err := os.ReadFile(filepath.Join(dir, "report.html")); err != nil || !strings.Contains(string(html), "RDM of spiking1") || !strings.Contains(string(html), "Map of stimuli") {
		t.Errorf("report: %v", err)
	}
	stdout, stderr, code = command("compare", best, best, "--layer", "conv2d1", "--layer-b", "spiking1", "--data", "mnist-sample", "--n", "40", "--metric", "rsa-spearman", "--dissimilarity", "correlation")
	if code != 0 || !strings.Contains(stdout, "rsa-spearman") || strings.Contains(stdout, " – ") {
		t.Errorf("one layer each: %d, %s%s", code, stdout, stderr)
	}
	stdout, stderr, code = command("compare", best, best, "--layer", "spiking1", "--data", "mnist-sample", "--n", "20", "--metric", "rsa-kendall", "--dissimilarity", "spikes", "--tau", "2")
	if code != 0 || !strings.Contains(stdout, "tau") {
		t.Errorf("spike trains of a layer: %d, %s%s", code, stdout, stderr)
	}
	x := recordingFile(t, "x.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1}, 4, 3)})
	bad := recordingFile(t, "bad.npz", map[string]npz.Array{"x": npz.F64([]float64{1, math.NaN(), 0, 0, 2, 0, 0, 0, 3, 1, 1, 1}, 4, 3)})
	none := recordingFile(t, "none.npz", map[string]npz.Array{"rates": npz.F64([]float64{1}, 1)})
	flat := recordingFile(t, "flat.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 1, 1, 1}, 4, 1)})
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "--data", []string{best, best}},
		{2, "has no layer \"spiking9\"; it has conv2d1", []string{best, best, "--data", "mnist-sample", "--layer", "spiking9"}},
		{2, "give both the same", []string{best, x, "--data", "mnist-sample"}},
		{2, "holds no spike trains", []string{x, x, "--metric", "rsa-cosine", "--dissimilarity", "spikes"}},
		{2, "9 folds of 4", []string{x, x, "--metric", "ridge", "--folds", "9"}},
		{2, "--metric", []string{x, x, "--metric", "rsa"}},
		{1, "is NaN", []string{bad, x}},
		{1, "neither an array x", []string{none, x}},
		{1, "no such file", []string{"absent.npz", x}},
		{0, "undefined", []string{flat, x}},
	} {
		_, stderr, code := command(append([]string{"compare"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %s; want %d, %q", c.args, code, stderr, c.code, c.want)
		}
	}
}

// Ties, silent stimuli, what is undefined and huge numbers, as the command says them.
// Distances of spike trains with a scale of time ask for it, or take it from the trains of
// both sides: seconds and milliseconds give one value.
func TestCompareTimeScale(t *testing.T) {
	file := func(name string, unit float64, late float64) string {
		times := []float64{10, 30, 50, 12, 33, 70 + late, 5, 90}
		for i := range times {
			times[i] *= unit
		}
		return recordingFile(t, name, map[string]npz.Array{
			"times": npz.F64(times, 8), "stimulus": npz.I64([]int64{0, 0, 0, 1, 1, 1, 2, 3}, 8),
			"unit": npz.I64([]int64{0, 0, 0, 0, 0, 0, 0, 1}, 8), "t_end": npz.F64([]float64{128 * unit}),
		})
	}
	for distance, param := range map[string]string{"van-rossum": "tau", "victor-purpura": "cost"} {
		var values []float64
		for _, unit := range []float64{1, 1. / 1024} {
			args := []string{"compare", "--metric", "rsa-cosine", "--dissimilarity", "spikes", "--distance", distance, "--json", file("a.npz", unit, 0), file("b.npz", unit, 20)}
			if _, stderr, code := command(args...); code != exitUsage || !strings.Contains(stderr, param+" is missing") || !strings.Contains(stderr, "mean interval") {
				t.Errorf("%s without %s: %d, %s", distance, param, code, stderr)
			}
			stdout, stderr, code := command(append(args, "--"+param, "auto")...)
			if code != 0 {
				t.Fatal(stderr)
			}
			var r comparing.Result
			strict(t, stdout, &r)
			want := 128 * unit // 8 trains of 4 stimuli and 2 units hold one spike each in the mean
			if param == "cost" {
				want = 1 / want
			}
			if r.Params[param] != want {
				t.Errorf("%s: params %v, want %s %v", distance, r.Params, param, want)
			}
			values = append(values, *r.Value)
		}
		if math.Abs(values[0]-values[1]) > 1e-12 {
			t.Errorf("%s: %v in two units", distance, values)
		}
	}
}

// A file's name with escapes costs no report, and is printed raw nowhere.
func TestCompareEscapesInNames(t *testing.T) {
	v := []float64{0, 0, 1, 2, 2, 1, 3, 1}
	path := recordingFile(t, "a\x1b[31m\u202eb.npz", map[string]npz.Array{"x": npz.F64(v, 4, 2)})
	dir := filepath.Join(t.TempDir(), "report")
	stdout, stderr, code := command("compare", "--metric", "rsa-cosine", "--dissimilarity", "cosine", "--out", dir, path, path)
	if code != 0 || !strings.Contains(stderr, "warning: ") || strings.ContainsAny(stdout+stderr, "\x1b\u202e") {
		t.Errorf("exit code %d: %q, %q", code, stdout, stderr)
	}
}

func TestCompareFaults(t *testing.T) {
	file := func(name string, n int, v ...float64) string {
		return recordingFile(t, name, map[string]npz.Array{"x": npz.F64(v, n, len(v)/n)})
	}
	one := make([]float64, 100)
	three := make([]float64, 100)
	for i := range 10 {
		one[11*i], three[11*i] = 1, 3
	}
	var (
		x      = file("ties-x.npz", 5, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1)
		plus   = file("ties-x-plus.npz", 5, 0.1, 0.1, 0.1, 1.1, 0.1, 1.1, 1.1, 1.1, 0.1, 1.1)
		line   = file("ties-line.npz", 5, 0, 1, 2, 3, 4)
		i10    = file("identity10.npz", 10, one...)
		i10x3  = file("identity10x3.npz", 10, three...)
		silent = file("silent-a.npz", 4, 0, 0, 1, 2, 2, 1, 3, 1)
		loud   = file("silent-b.npz", 4, 1, 1, 1, 2, 2, 1, 3, 1)
		huge   = file("huge308.npz", 5, 1e308, -1e308, 1e308, 3, 4, 5, -1e308, 7, 8, 9)
		ok     = file("ok.npz", 5, 1, 5, 2, 3, 4, 5, 6, 7, 8, 9)
	)
	number := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		args    []string
		want    *float64
		warning string
	}{
		{[]string{"rsa-spearman", x, plus}, number(1), ""},
		{[]string{"rsa-kendall", x, plus, "--kendall", "b"}, number(1), ""},
		{[]string{"rsa-spearman", x, line}, number(0.1200198396), ""},
		{[]string{"rsa-kendall", x, line, "--kendall", "b"}, number(0.0975900073), ""},
		{[]string{"cka-unbiased", i10, i10x3}, nil, "equally far apart"},
		{[]string{"rsa-spearman", i10, i10x3, "--permutations", "5"}, nil, "undefined"},
		{[]string{"restab", silent, loud}, number(1), "3 of 6 dissimilarities are left out"},
		{[]string{"rsa-cosine", silent, loud, "--dissimilarity", "cosine"}, number(1), "3 of 6 dissimilarities are left out"},
		{[]string{"rsa-spearman", huge, ok}, number(0.2305827461), ""},
		{[]string{"rsa-spearman", huge, huge}, number(1), ""},
		{[]string{"cka-linear", huge, huge}, number(1), ""}, {[]string{"cka-rbf", huge, huge}, number(1), ""},
		{[]string{"cca", huge, huge}, number(1), ""}, {[]string{"svcca", huge, huge}, number(1), ""}, {[]string{"pwcca", huge, huge}, number(1), ""},
	} {
		stdout, stderr, code := command(append([]string{"compare", "--json", "--metric"}, c.args...)...)
		if code != 0 || !strings.Contains(stderr, c.warning) {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
			continue
		}
		var r comparing.Result
		strict(t, stdout, &r)
		switch {
		case c.want == nil && (!strings.Contains(stdout, `"value":null`) || r.Why == "" || r.P != nil):
			t.Errorf("%v: %s, want null and why", c.args, stdout)
		case c.want != nil && (r.Value == nil || math.Abs(*r.Value-*c.want) > 1e-9 || r.Why != ""):
			t.Errorf("%v: %s, want %v", c.args, stdout, *c.want)
		}
	}
	if stdout, _, code := command("compare", "--metric", "cka-unbiased", i10, i10x3); code != 0 || !strings.Contains(stdout, "undefined: ") {
		t.Errorf("as text: %d, %s", code, stdout)
	}
	for _, args := range [][]string{{"cka-unbiased", i10, i10x3}, {"rsa-spearman", huge, ok}, {"restab", silent, loud, "--dissimilarity", "cosine"}} {
		dir := filepath.Join(t.TempDir(), "report")
		if stdout, stderr, code := command(append([]string{"compare", "--out", dir, "--metric"}, args...)...); code != 0 {
			t.Errorf("report of %v: %d, %s%s", args, code, stdout, stderr)
		}
	}
}

// Two million stimuli have 2·10¹² dissimilarities: the process died of them.
func TestDissimilaritiesBeyondMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 64 MB")
	}
	path := file(t, "many.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.U8(make([]byte, 8<<20), 4<<20, 2)})
	})
	for _, metric := range []string{"rsa-spearman", "restab", "cka-unbiased", "cka-rbf"} {
		if _, stderr, code := command("compare", "--metric", metric, path, path); code != 1 || !strings.Contains(stderr, "of memory") {
			t.Errorf("%s: exit code %d, %.300s", metric, code, stderr)
		}
	}
}

// A trillion permutations were asked of the memory at once.
func TestPermutationsAreBounded(t *testing.T) {
	path := file(t, "x.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.F64([]float64{1, 2, 4, 8, 16, 32, 64, 3}, 4, 2)})
	})
	if _, stderr, code := command("compare", "--metric", "rsa-spearman", "--permutations", "1000000000000", path, path); code == 0 || !strings.Contains(stderr, "want 0 to 1048576") {
		t.Errorf("exit code %d, %.300s", code, stderr)
	}
}

// The ceiling of a recording with two repetitions of one unit, by hand in package compare/ceiling, and
// what has none.
func TestCompareCeiling(t *testing.T) {
	a := recordingFile(t, "a.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 9, 4, 7, 2, 5}, 6, 1)})
	b := recordingFile(t, "b.npz", map[string]npz.Array{"repetitions": npz.F64([]float64{1, 9, 4, 7, 2, 5, 2, 8, 3, 6, 3.5, 7}, 2, 6, 1)})
	stdout, stderr, code := command("compare", "--metric", "pls", "--folds", "2", "--ceiling", "3", "--json", a, b)
	var r comparing.Result
	if code != 0 {
		t.Fatal(stderr)
	}
	strict(t, stdout, &r)
	if c := r.Ceiling; c == nil || math.Abs(*c.Units-0.9409938061254755) > 1e-12 || math.Abs(*c.Mapped-0.8649004012489641) > 1e-9 || math.Abs(*c.ExplainedVariance - *r.Value**r.Value / *c.Units) > 1e-12 {
		t.Errorf("%s", stdout)
	}
	if stdout, _, code := command("compare", "--metric", "ridge", "--folds", "2", "--ceiling", "3", a, b); code != 0 || !strings.Contains(stdout, "reliability of units") || !strings.Contains(stdout, "0.9410") {
		t.Errorf("%d: %s", code, stdout)
	}
	for want, args := range map[string][]string{
		"has no repetitions":  {"--metric", "pls", "--ceiling", "3", b, a},
		"with ridge or pls":   {"--metric", "cka-linear", "--ceiling", "3", a, b},
		"1 to 10000 halves":   {"--metric", "pls", "--ceiling=-1", a, b},
		"9 folds of 6 stimul": {"--metric", "pls", "--ceiling", "3", "--folds", "9", a, b},
	} {
		if _, stderr, code := command(append([]string{"compare"}, args...)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}

// Two areas find their layers among recordings; a network's layers are found the same way.
func TestAreas(t *testing.T) {
	a, b := waves()
	files := map[string]string{
		"one": recordingFile(t, "one.npz", map[string]npz.Array{"x": npz.F64(a, 60, 8)}),
		"two": recordingFile(t, "two.npz", map[string]npz.Array{"x": npz.F64(b, 60, 6)}),
	}
	picture := filepath.Join(t.TempDir(), "areas.svg")
	stdout, stderr, code := command("areas", "V4="+files["one"], "IT="+files["two"], "--responses", files["two"], "--responses", "first="+files["one"],
		"--metric", "rsa-spearman", "--splits", "3", "--resamples", "5", "--json", "--figure", picture)
	if code != 0 {
		t.Fatal(stderr)
	}
	var r struct {
		Metric    string         `json:"metric"`
		Params    map[string]any `json:"params"`
		NStimuli  int            `json:"n_stimuli"`
		Splits    int            `json:"splits"`
		Resamples int            `json:"resamples"`
		Layers    []string       `json:"layers"`
		Areas     []areas.Result `json:"areas"`
	}
	strict(t, stdout, &r)
	if len(r.Areas) != 2 || r.Areas[0].Layer != "first" || r.Areas[1].Layer != "two" || *r.Areas[0].Score != 1 || *r.Areas[1].Low != 1 || r.NStimuli != 60 {
		t.Errorf("%s", stdout)
	}
	if src, err := os.ReadFile(picture); err != nil || !strings.Contains(string(src), "V4: first") {
		t.Errorf("%v", err)
	}
	if stdout, _, code := command("areas", "IT="+files["two"], "--responses", files["one"], "--metric", "pls", "--splits", "2", "--resamples", "3"); code != 0 || !strings.Contains(stdout, "ALL STIMULI") {
		t.Errorf("%d: %s", code, stdout)
	}
	for want, args := range map[string][]string{
		"no layers":      {files["one"]},
		"two recordings": {files["one"], files["one"], "--responses", files["two"]},
		"want a record":  {"area.csv", "--responses", files["two"]},
		"--permutations": {files["one"], "--responses", files["two"], "--permutations", "5"},
		"--splits 0":     {files["one"], "--responses", files["two"], "--splits", "0"},
		"ends in .svg":   {files["one"], "--responses", files["two"], "--figure", "a.pdf"},
	} {
		if _, stderr, code := command(append([]string{"areas"}, args...)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}
