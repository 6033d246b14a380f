package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/format/npz"
	"synfire/recipe"
	"synfire/report"
)

// measuring is a recipe whose figure of its one claim, at least 1, is v. The seed that
// it was given and the scale are among its metrics and its sum of weights.
func measuring(id string, v float64, err error) recipe.Recipe {
	bound := 1.0
	return recipe.Recipe{
		ID: id, Title: id,
		Claims: []report.Claim{{
			ID: "figure", Name: "a figure", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Short: &bound},
		}},
		Run: func(_ context.Context, e *recipe.Env) (*recipe.Outcome, error) {
			if err != nil {
				return nil, err
			}
			return &recipe.Outcome{
				Measured: map[string]report.Measurement{"figure": {Values: []float64{v}, N: 10}},
				Metrics:  report.Metrics{"seed": float64(e.Seed)}, WeightsSHA256: fmt.Sprintf("%s %d", e.Scale, e.Seed),
				Page: func(report.Run) report.Page { return report.Page{Title: id} },
			}, nil
		},
	}
}

// judged runs the command with such recipes alone.
func judged(args ...string) (out, errOut string, code int) {
	var o, e bytes.Buffer
	p := Program{Catalog: catalog.Default(), Recipes: []recipe.Recipe{measuring("met", 1, nil), measuring("missed", 0.99, nil), measuring("broken", 1, errors.New("out of luck"))}}
	code = p.Execute(args, &o, &e)
	return o.String(), e.String(), code
}

// A claim that is not met is exit code 3, with the whole result and its report; at a
// scale that has no bound nothing is missed.
func TestExitCodeOfClaims(t *testing.T) {
	for _, c := range []struct {
		recipe, scale string
		code          int
		verdict       report.Verdict
	}{
		{"met", "short", 0, report.Met}, {"missed", "short", 3, report.NotMet}, {"missed", "smoke", 0, report.NotTested}, {"broken", "short", 1, ""},
	} {
		for _, asJSON := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "run")
			args := []string{"run", c.recipe, "--scale", c.scale, "--out", dir}
			if asJSON {
				args = append(args, "--json")
			}
			stdout, stderr, code := judged(args...)
			if code != c.code {
				t.Errorf("%s at %s: exit code %d, want %d; %s", c.recipe, c.scale, code, c.code, stderr)
			}
			_, err := os.Stat(filepath.Join(dir, "report.html"))
			if (err == nil) != (c.verdict != "") {
				t.Errorf("%s: report: %v", c.recipe, err)
			}
			if c.verdict == "" {
				if !strings.Contains(stderr, "out of luck") {
					t.Errorf("%s: %s", c.recipe, stderr)
				}
				continue
			}
			if asJSON {
				var r report.Run
				strict(t, stdout, &r)
				if len(r.Claims) != 1 || r.Claims[0].Verdict != c.verdict || string(r.Scale) != c.scale || !(r.WallSeconds > 0) {
					t.Errorf("%s at %s: %+v, want %s", c.recipe, c.scale, r, c.verdict)
				}
			}
			// runs show tells of the run that it did not meet its claim, and is itself done
			if _, stderr, code := command("runs", "show", dir); code != 0 {
				t.Errorf("runs show: exit code %d, %s", code, stderr)
			}
		}
	}
}

// The seed of a run is 1, or the file's, or that of --seed: it reaches the recipe, the
// record, the name of the directory and the result.
func TestSeedReachesTheRun(t *testing.T) {
	t.Chdir(t.TempDir())
	tiny := strings.Replace(tinyNet, "batch: 20", "batch: 20\nseed: 5", 1)
	if err := os.WriteFile("net.yaml", []byte(tiny), 0o644); err != nil {
		t.Fatal(err)
	}
	weights := map[string]bool{}
	for _, c := range []struct {
		verb, flag string
		seed       uint64
		dir        string
	}{
		{"run", "", 1, "met-short-s1"}, {"run", "7", 7, "met-short-s7"}, {"run", "0", 0, "met-short-s0"},
		{"train", "", 5, "net-s5"}, {"train", "7", 7, "net-s7"}, {"train", "0", 0, "net-s0"},
	} {
		args := []string{c.verb, map[string]string{"run": "met", "train": "net.yaml"}[c.verb], "--json"}
		if c.flag != "" {
			args = append(args, "--seed", c.flag)
		}
		stdout, stderr, code := judged(args...)
		if code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, stderr)
		}
		var r report.Run
		strict(t, stdout, &r)
		if r.Seed != c.seed || r.Run != c.dir {
			t.Errorf("%v: seed %d in %s, want %d in %s", args, r.Seed, r.Run, c.seed, c.dir)
		}
		if v, ok := r.Metrics["seed"]; c.verb == "run" && (!ok || v != float64(c.seed)) {
			t.Errorf("%v: the recipe got %v", args, r.Metrics)
		}
		if weights[r.WeightsSHA256] {
			t.Errorf("%v: the weights are those of another seed", args)
		}
		weights[r.WeightsSHA256] = true
		var record struct{ Seed uint64 }
		raw, err := os.ReadFile(filepath.Join("runs", c.dir, "run.json"))
		if err == nil {
			err = json.Unmarshal(raw, &record)
		}
		if err != nil || record.Seed != c.seed {
			t.Errorf("%v: recorded %+v, %v", args, record, err)
		}
		if c.verb == "train" {
			config, err := os.ReadFile(filepath.Join("runs", c.dir, "config.yaml"))
			if err != nil || !strings.Contains(string(config), fmt.Sprintf("seed: %d\n", c.seed)) && c.seed != 0 {
				t.Errorf("%v: %v, configuration\n%s", args, err, config)
			}
		}
	}
}

// Every verb: 0 where it did what was asked, 1 where that failed, 2 where it was asked
// what cannot be.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string { return writeIn(t, dir, name, content) }
	net, run := file("net.yaml", tinyNet), filepath.Join(dir, "run")
	damaged, trains, table := file("x.safetensors", "not a model"), file("trains.txt", "1 2 3\n1.5 2.5\n"), file("t.csv", "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n")
	responses := recordingFile(t, "r.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 0, 0, 2, 3, 1, 4, 4}, 4, 2)})
	six := recordingFile(t, "six.npz", map[string]npz.Array{"x": npz.F64([]float64{1, 0, 0, 2, 3, 1, 4, 4, 2, 7, 5, 1}, 6, 2)})
	if _, stderr, code := command("train", net, "--out", run); code != 0 {
		t.Fatal(stderr)
	}
	model := filepath.Join(run, "model.safetensors")
	absent := filepath.Join(dir, "absent")
	seen := map[string]map[int]bool{}
	for _, c := range []struct {
		code int
		verb string
		args []string
	}{
		{0, "papers", nil}, {0, "papers", []string{"--json"}}, {2, "papers", []string{"no-such-paper"}},
		{0, "run", []string{"met", "--out", filepath.Join(dir, "met")}}, {3, "run", []string{"missed", "--out", filepath.Join(dir, "missed")}},
		{1, "run", []string{"broken", "--out", filepath.Join(dir, "broken")}}, {2, "run", []string{"absent"}}, {2, "run", []string{"met", "--scale", "long"}},
		{1, "run", []string{"met", "--out", net}},
		{0, "recipes", nil}, {2, "recipes", []string{"more"}},
		{0, "train", []string{net, "--out", filepath.Join(dir, "again")}}, {1, "train", []string{net, "--out", run}}, {2, "train", []string{absent}}, {2, "train", []string{damaged}},
		{0, "eval", []string{model}}, {1, "eval", []string{absent}}, {1, "eval", []string{damaged}}, {2, "eval", []string{model, "--split", "none"}}, {2, "eval", nil},
		{0, "plan", []string{net}}, {2, "plan", []string{absent}},
		{0, "kinds", nil}, {0, "kinds", []string{"lif"}}, {2, "kinds", []string{"absent"}},
		{0, "models", nil}, {2, "models", []string{"more"}}, {0, "eval", []string{"mnist-cnn", "--data", "mnist-sample"}},
		{1, "detect", []string{model, absent}}, {2, "detect", []string{model}}, {2, "detect", nil},
		{0, "schema", nil}, {2, "schema", []string{"more"}},
		{0, "spikes", []string{trains, "cv", "--window", "0,4"}}, {1, "spikes", []string{trains, "cv"}}, {1, "spikes", []string{absent, "cv"}}, {2, "spikes", []string{trains, "none"}}, {2, "spikes", []string{trains, "sttc"}}, {2, "spikes", nil},
		{0, "distance", []string{trains, "--metric", "isi", "--window", "0,4"}}, {2, "distance", []string{trains, "--metric", "none"}}, {2, "distance", []string{trains, "--metric", "van-rossum", "--window", "0,4"}}, {2, "distance", nil},
		{0, "matrix", []string{file("square.csv", "t,a,b\na,0,1\nb,1,0\n"), "clusters"}}, {1, "matrix", []string{damaged, "map"}}, {2, "matrix", []string{damaged, "none"}}, {2, "matrix", []string{damaged, "classify"}}, {2, "matrix", nil},
		{0, "compare", []string{responses, responses, "--metric", "rsa-spearman"}}, {2, "compare", []string{responses, responses, "--metric", "none"}}, {1, "compare", []string{trains, damaged, "--metric", "cca"}}, {2, "compare", []string{responses}},
		{0, "areas", []string{six, "--responses", six, "--resamples", "2", "--folds", "2"}}, {2, "areas", []string{six}}, {1, "areas", []string{damaged, "--responses", six}}, {2, "areas", nil},
		{0, "neuron", []string{"lif"}}, {2, "neuron", []string{"none"}},
		{0, "inspect", []string{net}}, {0, "inspect", []string{model}}, {1, "inspect", []string{damaged}}, {2, "inspect", []string{absent}},
		{0, "runs list", []string{"--in", dir}}, {0, "runs list", []string{"--in", absent}}, {2, "runs list", []string{"more"}},
		{0, "runs show", []string{run}}, {2, "runs show", []string{absent, "--in", dir}},
		{0, "runs diff", []string{run, run}}, {2, "runs diff", []string{run}},
		{2, "runs resume", []string{run}}, {2, "runs resume", []string{absent, "--in", dir}},
		{0, "runs export", []string{run}}, {2, "runs export", []string{absent, "--in", dir}},
		{0, "data list", nil}, {2, "data list", []string{"more"}},
		{0, "data get", []string{"mnist-sample"}}, {2, "data get", []string{"absent"}},
		{1, "data import", []string{"mnist", absent}}, {2, "data import", []string{"absent", absent}},
		{1, "rdm", []string{damaged, "--model", damaged}}, {1, "rdm", []string{responses, "--model", responses + ":x:9"}}, {2, "rdm", nil}, {2, "rdm", []string{responses, "--model", responses, "--resamples", "1"}},
		{0, "data verify", []string{"mnist-sample"}}, {2, "data verify", []string{"absent"}},
		{0, "data convert", []string{table, filepath.Join(dir, "t.npz"), "--label", "label"}}, {2, "data convert", []string{table}},
		{2, "bench", []string{"absent"}}, {2, "doctor", []string{"more"}},
		{0, "version", nil}, {0, "completion", []string{"bash"}}, {2, "completion", []string{"none"}},
		{2, "predict", []string{model}}, {2, "import", nil}, {2, "export", nil}, {1, "export", []string{model, "--out", filepath.Join(dir, "net.unknown")}}, {1, "export", []string{damaged, "--out", filepath.Join(dir, "net.nir")}},
		{0, "certify", []string{nirFile(t)}}, {1, "certify", []string{damaged}}, {1, "certify", []string{file("x.nir", "not a file")}}, {2, "certify", nil}, {3, "certify", []string{nirFile(t), "--against", file("against.csv", "1000,0,0,0,0,0,0\n1000,0,0,0,0,0,0\n")}},
		{1, "convert", []string{model}}, {2, "convert", []string{model, "--method", "none"}}, {2, "stream", []string{model, "--out", filepath.Join(dir, "wiser")}}, {1, "stream", []string{damaged}}, {1, "predict", []string{damaged, net}},
	} {
		_, stderr, code := judged(append(strings.Fields(c.verb), c.args...)...)
		if code != c.code {
			t.Errorf("%s %v: exit code %d, want %d: %s", c.verb, c.args, code, c.code, stderr)
		}
		if (code == 1 || code == 2) && stderr == "" || strings.Contains(stderr, "internal error") {
			t.Errorf("%s %v: %s", c.verb, c.args, stderr)
		}
		if seen[c.verb] == nil {
			seen[c.verb] = map[int]bool{}
		}
		seen[c.verb][code] = true
	}
	for _, verb := range verbs(reflect.TypeFor[cli](), "") {
		if seen[verb] == nil && verb != "complete" { // which shells call, and which never fails
			t.Errorf("no row for the verb %q: add one", verb)
		}
	}
}

// verbs are the names of a command line's verbs, with those that they have below them.
func verbs(t reflect.Type, before string) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if _, ok := f.Tag.Lookup("cmd"); !ok {
			continue
		}
		name := strings.TrimSpace(before + " " + strings.ToLower(f.Name))
		if below := verbs(f.Type, name); len(below) > 0 {
			names = append(names, below...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// The flags of a run reach it: checkpoints on the way, and logs.
func TestFlagsReachTheRun(t *testing.T) {
	names := func(args ...string) map[string]bool {
		dir := filepath.Join(t.TempDir(), "run")
		if _, stderr, code := command(append([]string{"train", write(t, "net.yaml", tinyNet), "--out", dir}, args...)...); code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, stderr)
		}
		found := map[string]bool{}
		for _, name := range []string{"step-000000004.safetensors", "step-000000008.safetensors", "step-000000009.safetensors"} {
			_, err := os.Stat(filepath.Join(dir, "checkpoints", name))
			found[name] = err == nil
		}
		for _, name := range []string{"log.csv", "log.jsonl"} {
			_, err := os.Stat(filepath.Join(dir, name))
			found[name] = err == nil
		}
		return found
	}
	const four, eight, last = "step-000000004.safetensors", "step-000000008.safetensors", "step-000000009.safetensors" // of 9 steps, the last two are kept
	for _, c := range []struct {
		args []string
		want map[string]bool
	}{
		{nil, map[string]bool{four: false, eight: false, last: true, "log.csv": false, "log.jsonl": false}},
		{[]string{"--save", "4"}, map[string]bool{four: false, eight: true, last: true, "log.csv": false, "log.jsonl": false}},
		{[]string{"--save", "4", "--log", "csv"}, map[string]bool{four: false, eight: true, last: true, "log.csv": true, "log.jsonl": false}},
		{[]string{"--log", "csv,jsonl"}, map[string]bool{four: false, eight: false, last: true, "log.csv": true, "log.jsonl": true}},
	} {
		if got := names(c.args...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: files %v, want %v", c.args, got, c.want)
		}
	}
}

// Paths in a file are relative to its folder, wherever the command is typed.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string { return writeIn(t, dir, name, content) }
	if _, stderr, code := command("train", file("first.yaml", tinyNet), "--out", filepath.Join(dir, "first")); code != 0 {
		t.Fatal(stderr)
	}
	t.Chdir(t.TempDir())
	second := file("second.yaml", "init: first/model.safetensors\nepochs: 2\n"+tinyNet)
	if _, stderr, code := command("train", second, "--out", filepath.Join(dir, "second")); code != 0 {
		t.Errorf("init beside the file: exit code %d, %s", code, stderr)
	}
	file("t.csv", "a,b,label\n"+strings.Repeat("1,2,x\n3,4,y\n", 20))
	table := file("table.yaml", "data: {source: {kind: table, path: t.csv, label: label}, holdout: 0.2}\nsteps: 2\nlayers: [flatten, {kind: linear, out: 2}, {kind: readout}]\nloss: membrane-cross-entropy\n")
	if _, stderr, code := command("train", table, "--out", filepath.Join(dir, "third")); code != 0 {
		t.Errorf("data beside the file: exit code %d, %s", code, stderr)
	}
}
