package command

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"synfire/command/spikes"
	"synfire/format/npz"
	"synfire/internal/shared"
)

// spikesJSON is what the contract says of spikes --json, whatever the statistic.
type spikesJSON struct {
	Statistic string         `json:"statistic"`
	Name      string         `json:"name"`
	Params    map[string]any `json:"params"`
	Unit      string         `json:"unit"`
	Units     []string       `json:"units"`
	X         []float64      `json:"x"`
	XUnit     string         `json:"x_unit"`
	Values    []any          `json:"values"`
	Low       [][]*float64   `json:"low"`
	High      [][]*float64   `json:"high"`
	Why       string         `json:"why"`

	Start  float64     `json:"t_start"` // of trains
	Stop   float64     `json:"t_end"`
	Trains [][]float64 `json:"trains"`
}

// The recording has two units of two trials; a third is silent.
const spikesCSV = "unit,trial,time\n" +
	"a,1,1\na,1,2\na,1,4\na,1,5\na,1,5.5\na,1,9\n" + "a,2,3\na,2,3.5\na,2,7\n" +
	"b,1,1.5\nb,1,2\nb,1,2.5\nb,1,8\n" + "b,2,6\n"

// needed are the options of each statistic that has some without defaults.
var needed = map[string]string{
	"lvr": "--refractory 0.005", "sttc": "--reach 0.5", "contrast": "--shortest 0.5", "complexity": "--spread 0.25",
	"synchrofacts": "--spread 0.5", "bursts": "--longest 1", "test": "--statistic cv --surrogates 19", "clean": "--spread 0.25",
}

func spikesArgs(file, verb string, more ...string) []string {
	args := append([]string{"spikes", file, verb, "--window", "0,10", "--units", "a,b,c", "--unit", "s"}, strings.Fields(needed[verb])...)
	return append(args, more...)
}

// Every statistic prints text, JSON, CSV, NPZ and a picture.
func TestSpikesEveryVerb(t *testing.T) {
	file := write(t, "rec.csv", spikesCSV)
	for verb := range strings.SplitSeq(spikes.Names(), ",") {
		dir := t.TempDir()
		csv, picture := filepath.Join(dir, "out.csv"), filepath.Join(dir, "out.svg")
		text, errOut, code := command(spikesArgs(file, verb, "--trial", "1", "--out", csv, "--figure", picture)...)
		if code != 0 || !strings.Contains(text, verb) {
			t.Errorf("%s: exit code %d, %s%s", verb, code, text, errOut)
			continue
		}
		if b, err := os.ReadFile(picture); err != nil || !strings.HasPrefix(string(b), "<svg") {
			t.Errorf("%s: picture %.20s, %v", verb, b, err)
		}
		table, err := os.ReadFile(csv)
		if err != nil || strings.Count(string(table), "\n") < 2 {
			t.Errorf("%s: %s, %v", verb, table, err)
		}
		archive := filepath.Join(dir, "out.npz")
		line, errOut, code := command(spikesArgs(file, verb, "--trial", "1", "--json", "--out", archive)...)
		var got spikesJSON
		strict(t, line, &got)
		if code != 0 || got.Statistic != verb || got.Unit == "" || got.Values == nil || len(got.Units) == 0 {
			t.Errorf("%s: exit code %d, %s%s", verb, code, line, errOut)
		}
		if strings.Contains(line, "null") != (got.Why != "") {
			t.Errorf("%s: what is null has a reason, and nothing else: %s", verb, line)
		}
		f, err := os.Open(archive)
		if err != nil {
			t.Fatal(err)
		}
		st, _ := f.Stat()
		arrays, err := npz.Read(f, st.Size(), 0)
		f.Close()
		if got.Trains != nil {
			if err != nil || arrays["unit_names"].Shape[0] != 3 || got.Stop != 10 {
				t.Errorf("%s: %v, %v, %s", verb, arrays, err, line)
			}
			continue
		}
		if err != nil || arrays["values"].Shape[0] != len(got.Values) {
			t.Errorf("%s: %v, %v", verb, arrays["values"].Shape, err)
		}
	}
}

// Values by hand, over all trials where none is chosen; a silent unit is null, and why.
func TestSpikesValues(t *testing.T) {
	file := write(t, "rec.csv", spikesCSV)
	measure := func(verb string, more ...string) (got spikesJSON) {
		t.Helper()
		line, errOut, code := command(spikesArgs(file, verb, append(more, "--json")...)...)
		if code != 0 {
			t.Fatalf("%s: exit code %d, %s", verb, code, errOut)
		}
		strict(t, line, &got)
		return got
	}
	is := func(what string, got any, want float64) {
		t.Helper()
		if v, ok := got.(float64); !ok || math.Abs(v-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	// Intervals of a: 1 2 1 0.5 3.5 and 0.5 3.5, of b: 0.5 0.5 5.5 and none.
	cv := measure("cv")
	mean := 12.0 / 7
	square := (1 + 4 + 1 + 0.25 + 12.25 + 0.25 + 12.25) / 7
	is("CV", cv.Values[0], math.Sqrt(square-mean*mean)/mean)
	if cv.Values[2] != nil || cv.Why == "" || cv.Unit != "1" || !slices.Equal(cv.Units, []string{"a", "b", "c"}) {
		t.Errorf("%+v", cv)
	}
	is("CV2", measure("cv2").Values[1], (0+2*5/6.0)/2)
	psth := measure("psth", "--width", "2")
	a := psth.Values[0].([]any)
	is("PSTH", a[1], 3/4.0) // 2, 3 and 3.5 in [2, 4), of two trials
	if len(psth.X) != 5 || psth.X[1] != 3 || psth.XUnit != "s" || psth.Unit != "spikes/s" || len(psth.Low) != 3 || *psth.Low[2][0] != 0 || !(*psth.High[0][1] > 0.5) {
		t.Errorf("%+v", psth)
	}
	bursts := measure("bursts", "--trial", "1")
	if len(bursts.Values) != 2 {
		t.Fatalf("%+v", bursts.Values)
	}
	first := bursts.Values[0].(map[string]any)
	if first["unit"] != "a" || first["start"] != 4.0 || first["stop"] != 5.5 || first["spikes"] != 3.0 {
		t.Errorf("%+v", first)
	}
	one := measure("cross", "--trial", "1", "--width", "0.5", "--lag", "1", "--uncorrected", "--only", "b", "--only", "a")
	if !slices.Equal(one.Units, []string{"b → a"}) || len(one.X) != 5 {
		t.Errorf("%+v", one)
	}
	is("pairs at the same time", one.Values[0].([]any)[2], 1)
	is("pairs in which b follows by 0.5", one.Values[0].([]any)[1], 2)
}

// Standard input and lists of recordings, a line each; units of the file have names.
func TestSpikesOfAPipe(t *testing.T) {
	in, err := os.Open(write(t, "in", `[{"name":"x","t_start":0,"t_end":4,"units":["u"],"trains":[[1,2]]},{"t_start":0,"t_end":4,"trains":[[1,3],[]]}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	out, errOut, code := command("spikes", "-", "summary", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit code %d, %s%s", code, out, errOut)
	}
	var got spikesJSON
	strict(t, lines[0], &got)
	row := got.Values[0].(map[string]any)
	if got.Name != "x" || row["unit"] != "u" || row["rate"] != 0.5 || row["cv"] != 0.0 || row["lv"] != nil || got.Unit != "spikes per unit of time" {
		t.Errorf("%+v", got)
	}
}

func TestSpikesMistakes(t *testing.T) {
	file := write(t, "rec.csv", spikesCSV)
	for want, args := range map[string][]string{
		`did you mean "fano"?`:          {file, "fanoo"},
		"sttc needs --reach":            {file, "sttc"},
		"--reach is not for cv":         {file, "cv", "--reach", "1"},
		"bursts needs --longest":        {file, "bursts"},
		"--surprise finds bursts by":    {file, "bursts", "--surprise", "10", "--least", "3"},
		`want a time, auto or adaptive`: {file, "rate", "--bandwidth", "wide"},
		"is for a Gaussian kernel":      {file, "rate", "--bandwidth", "adaptive", "--kernel", "alpha"},
		"ends in .csv or .npz":          {file, "cv", "--out", "x.json"},
		"--width -1":                    {file, "counts", "--width=-1"},
		"want two times":                {file, "counts", "--window", "5,1"},
		"--move is not for isi":         {file, "surrogate", "--surrogate", "isi", "--move", "1"},
		"test needs --statistic":        {file, "test"},
		"a test of sttc needs --reach":  {file, "test", "--statistic", "sttc"},
		"--process compound needs":      {file, "generate", "--process", "compound", "--correlation", "0.1"},
		"belong together":               {file, "generate", "--correlation", "0.1"},
		"--cv is for":                   {file, "generate", "--cv", "0.1"},
		"--surrogates 0":                {file, "test", "--statistic", "cv", "--surrogates", "0"},
		"--refractory is not for":       {file, "generate", "--process", "log-normal", "--refractory", "0.1"},
		"belong together, and":          {file, "trains", "--onsets", "1,2"},
		`"x" is no time`:                {file, "trains", "--onsets", "1,x", "--after", "1"},
		"--slice \"5\"":                 {file, "trains", "--slice", "5"},
		"the data set knows units":      {"recordings:star/CAL1S", "cv", "--units", "4"},
		"--smooth is for counts":        {file, "auto", "--as", "coefficient", "--smooth", "1"},
	} {
		_, errOut, code := command(append([]string{"spikes"}, args...)...)
		if code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit code %d, %s, want %s", args, code, errOut, want)
		}
	}
	for want, args := range map[string][]string{
		"--window 0,10":         {file, "cv"},
		"choose it by --trial":  {file, "sttc", "--reach", "1", "--window", "0,10"},
		`--only "z"`:            {file, "cv", "--window", "0,10", "--only", "z"},
		"no such file":          {file + "x", "cv"},
		"shorter one":           {file, "contrast", "--window", "0,10", "--trial", "1", "--shortest", "6"},
		"outside the window":    {file, "cv", "--window", "0,5"},
		"--shift 1e+308 is":     {file, "trains", "--window", "0,10", "--shift", "1e308"},
		"--shift 1e+18 is":      {file, "trains", "--window", "0,10", "--shift", "1e18"},
		"--window=-20,0":        {write(t, "before.csv", "unit,time\na,-12\na,-3\n"), "cv"},
		"(--window=-20,0 holds": {write(t, "before.csv", "unit,time\na,-12\na,-3\n"), "cv", "--window", "0,10"},
		"below the window":      {file, "auto", "--as", "coefficient", "--window", "0,10", "--lag", "20", "--width", "1"},
	} {
		_, errOut, code := command(append([]string{"spikes"}, args...)...)
		if code != exitFailed || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit code %d, %s, want %s", args, code, errOut, want)
		}
	}
}

// Trains that the verb writes it reads again, silent units, windows and trials too, in every
// form that holds them.
func TestSpikesWritesTrains(t *testing.T) {
	file, dir := write(t, "rec.csv", spikesCSV), t.TempDir()
	made := func(out string, more ...string) string {
		path := filepath.Join(dir, out)
		if _, errOut, code := command(spikesArgs(file, "surrogate", append(more, "--surrogate", "shift", "--move", "2", "--out", path)...)...); code != 0 {
			t.Fatal(errOut)
		}
		return path
	}
	counts := func(path string, more ...string) (list []any) {
		line, errOut, code := command(append([]string{"spikes", path, "counts", "--width", "10", "--json"}, more...)...)
		if code != 0 {
			t.Fatal(errOut)
		}
		for one := range strings.Lines(line) {
			var got spikesJSON
			strict(t, one, &got)
			for _, v := range got.Values {
				list = append(list, v.([]any)[0])
			}
		}
		return list
	}
	for out, more := range map[string][]string{"a.npz": nil, "a.csv": {"--window", "0,10", "--units", "a,b,c"}} {
		if got := counts(made(out), more...); !slices.Equal(got, []any{9.0, 5.0, 0.0}) {
			t.Errorf("%s: %v", out, got)
		}
	}
	if got := counts(made("a.json")); !slices.Equal(got, []any{6.0, 4.0, 0.0, 3.0, 1.0, 0.0}) {
		t.Errorf("JSON, a line a trial: %v", got)
	}
	if got := counts(made("b.txt", "--trial", "1"), "--window", "0,10", "--units", "3"); !slices.Equal(got, []any{6.0, 4.0, 0.0}) {
		t.Errorf("text: %v", got)
	}
	if _, errOut, code := command(spikesArgs(file, "surrogate", "--out", filepath.Join(dir, "c.txt"))...); code != exitFailed || !strings.Contains(errOut, "text holds one trial") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}

// Trains are merged, cut, parted into epochs, shifted and pooled.
func TestSpikesTrains(t *testing.T) {
	file, other := write(t, "rec.csv", spikesCSV), write(t, "other.txt", "0.5 9")
	trains := func(args ...string) (list []spikesJSON) {
		t.Helper()
		line, errOut, code := command(append([]string{"spikes", file, "trains", "--window", "0,10", "--json"}, args...)...)
		if code != 0 {
			t.Fatal(errOut)
		}
		for one := range strings.Lines(line) {
			var got spikesJSON
			strict(t, one, &got)
			list = append(list, got)
		}
		return list
	}
	got := trains("--trial", "1", "--onsets", "2,5", "--before", "1", "--after", "0.5")
	if len(got) != 2 || got[0].Start != -1 || got[0].Stop != 0.5 || !slices.Equal(got[0].Trains[0], []float64{-1, 0}) || !slices.Equal(got[1].Trains[0], []float64{-1, 0, 0.5}) || got[1].Name != "trial 2" {
		t.Errorf("epochs: %+v", got)
	}
	if got = trains("--keep", "2", "--slice", "3,6", "--shift", "10"); len(got) != 1 || got[0].Start != 13 || !slices.Equal(got[0].Trains[0], []float64{13, 13.5}) || !slices.Equal(got[0].Trains[1], []float64{16}) {
		t.Errorf("trial 2, [3, 6], later by 10: %+v", got)
	}
	if got = trains("--trial", "2", "--merge", other, "--pool", "mua"); !slices.Equal(got[0].Units, []string{"mua"}) || !slices.Equal(got[0].Trains[0], []float64{0.5, 3, 3.5, 6, 7, 9}) {
		t.Errorf("pooled: %+v", got)
	}
	for want, args := range map[string][]string{
		"reaches out of the window": {"--trial", "1", "--onsets", "9.9", "--after", "1"},
		"--keep: no trial":          {"--keep", "3"},
		"choose it by --trial":      {"--onsets", "1", "--after", "1"},
		"is there already":          {"--merge", file},
		"are not those of":          {"--merge", other},
	} {
		_, errOut, code := command(append([]string{"spikes", file, "trains", "--window", "0,10"}, args...)...)
		if code != exitFailed || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit code %d, %s, want %s", args, code, errOut, want)
		}
	}
}

// Surrogates that permute intervals have the CV of the trains, of which p is 1; of units that
// fire together STTC is beyond chance, and of a silent unit it is undefined.
func TestSpikesTest(t *testing.T) {
	var b strings.Builder
	b.WriteString("unit,time\n")
	for i := range 60 {
		at := float64(i) + float64(i*i%7)/10
		for unit, shift := range map[string]float64{"a": 0, "b": 0.001, "c": 0.3 * float64(i%3)} {
			b.WriteString(unit + "," + strconv.FormatFloat(at+shift, 'g', -1, 64) + "\n")
		}
	}
	file := write(t, "rec.csv", b.String())
	test := func(more ...string) (got spikesJSON) {
		t.Helper()
		line, errOut, code := command(append([]string{"spikes", file, "test", "--sort", "--window=-1,70", "--units", "a,b,c,d", "--json", "--surrogates", "99"}, more...)...)
		if code != 0 {
			t.Fatal(errOut)
		}
		strict(t, line, &got)
		return got
	}
	got := test("--statistic", "sttc", "--reach", "0.01", "--move", "0.5")
	if len(got.Values) != 6 || got.Why == "" {
		t.Fatalf("%+v", got)
	}
	first, last := got.Values[0].(map[string]any), got.Values[5].(map[string]any)
	if first["of"] != "a – b" || first["p"] != 0.01 || first["p_corrected"] != 0.03 || !(first["value"].(float64) > 0.9) || last["p"] != nil {
		t.Errorf("%+v\n%+v", first, last)
	}
	if fdr := test("--statistic", "sttc", "--reach", "0.01", "--move", "0.5", "--correct", "fdr").Values[0].(map[string]any); !(fdr["p_corrected"].(float64) <= 0.03) {
		t.Errorf("%+v", fdr)
	}
	if one, two := test("--statistic", "cv", "--threads", "1"), test("--statistic", "cv", "--threads", "2"); !reflect.DeepEqual(one, two) {
		t.Errorf("on one thread %+v, on two %+v", one, two)
	}
	small := test("--statistic", "cv", "--surrogate", "isi", "--tail", "small", "--only", "a").Values[0].(map[string]any)
	if !(small["p"].(float64) > 0.2) || math.Abs(small["mean"].(float64)-small["value"].(float64)) > 0.05 {
		t.Errorf("CV against permuted intervals: %+v", small)
	}
}

// What bins are told to be is what they were: a whole number of them in the window. A test tells
// the parameters of its statistic too.
func TestSpikesTellParams(t *testing.T) {
	file := write(t, "one.csv", "unit,time\na,0.5\na,1.25\na,3\na,3.5\nb,1.26\nb,3.01\nb,7\nb,9\n")
	bins := 10.0 / 34
	for _, c := range []struct {
		name string
		want float64
		args []string
	}{
		{"width", bins, []string{"fano", "--width", "0.3"}},
		{"width", bins, []string{"covariance", "--width", "0.3"}},
		{"width", bins, []string{"correlation", "--width", "0.3"}},
		{"width", bins, []string{"timescale", "--width", "0.3", "--lag", "2"}},
		{"step", bins, []string{"rate", "--width", "0.3", "--bandwidth", "1"}},
		{"width", bins, []string{"test", "--statistic", "fano", "--width", "0.3"}},
		{"width", bins, []string{"test", "--statistic", "correlation", "--width", "0.3"}},
		{"width", bins, []string{"test", "--statistic", "timescale", "--width", "0.3", "--lag", "2"}},
		{"lag", 2, []string{"test", "--statistic", "timescale", "--width", "0.3", "--lag", "2"}},
		{"reach", 0.02, []string{"test", "--statistic", "sttc", "--reach", "0.02"}},
		{"shortest", 0.1, []string{"test", "--statistic", "contrast", "--shortest", "0.1"}},
		{"refractory", 0.005, []string{"test", "--statistic", "lvr", "--refractory", "0.005"}},
	} {
		args := append([]string{"spikes", file, "--window", "0,10", "--json"}, c.args...)
		if c.args[0] == "test" {
			args = append(args, "--surrogates", "9")
		}
		line, errOut, code := command(args...)
		if code != 0 {
			t.Errorf("%v: exit code %d, %s", c.args, code, errOut)
			continue
		}
		var got spikesJSON
		strict(t, line, &got)
		if v, ok := got.Params[c.name].(float64); !ok || math.Abs(v-c.want) > 1e-12 {
			t.Errorf("%v: %s is %v, want %v", c.args, c.name, got.Params[c.name], c.want)
		}
	}
}

// A recording of the data set knows its window, units and trials.
func TestSpikesOfTheDataSet(t *testing.T) {
	t.Setenv("SYNFIRE_DATA", filepath.Dir(shared.File(t, "data/recordings.zip")))
	line, errOut, code := command("spikes", "recordings:star/CAL1V", "counts", "--width", "11", "--json")
	if code != 0 {
		t.Fatalf("exit code %d, %s", code, errOut)
	}
	var got spikesJSON
	strict(t, line, &got)
	if len(got.Units) != 4 || got.Units[0] != "neuron 1" || got.Params["trials"] != 20.0 || got.XUnit != "s" || got.X[0] != 5.5 {
		t.Errorf("%+v", got)
	}
	saved := filepath.Join(t.TempDir(), "d.csv")
	out, errOut, code := command("distance", "recordings:star/CAL1V", "--trial", "2", "--metric", "isi", "--json", "--save", saved)
	if code != 0 || !strings.Contains(out, `"units":["neuron 1"`) {
		t.Errorf("distance: exit code %d, %s%s", code, errOut, out)
	}
	if out, errOut, code := command("distance", "recordings:star/CAL1V", "--trials", "--only", "neuron 1", "--metric", "isi", "--json"); code != 0 || !strings.Contains(out, `"n_trains":20`) {
		t.Errorf("distance of trials: exit code %d, %s%s", code, errOut, out)
	}
	if _, errOut, code := command("distance", "recordings:star/CAL1V", "--metric", "isi", "--units", "5"); code != exitUsage || !strings.Contains(errOut, "the data set knows") {
		t.Errorf("distance of given units: exit code %d, %s", code, errOut)
	}
	if _, errOut, code := command("spikes", "recordings:star/CAL1W", "cv"); code != exitFailed || !strings.Contains(errOut, "star/CAL1") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}
