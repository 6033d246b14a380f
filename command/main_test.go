package command

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/bench"
	"synfire/catalog"
	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testProgram is the command of this module.
func testProgram() Program { return Program{Catalog: catalog.Default(), Recipes: all.Recipes()} }

// command runs a command line and returns what it printed and its exit code.
func command(args ...string) (out, errOut string, code int) {
	var o, e bytes.Buffer
	code = testProgram().Execute(args, &o, &e)
	return o.String(), e.String(), code
}

func TestHelp(t *testing.T) {
	for _, verb := range []string{"", "papers", "run", "plan", "inspect", "neuron", "runs", "runs list", "runs show", "runs diff", "runs resume", "runs export", "recipes", "train", "eval", "data", "data list", "data get", "data import", "data verify", "data convert", "schema", "bench", "spikes", "distance", "matrix", "compare", "areas", "rdm", "doctor", "completion", "predict", "stream", "kinds", "version"} {
		args := append(strings.Fields(verb), "--help")
		out, _, code := command(args...)
		if code != 0 {
			t.Errorf("%q: exit code %d", verb, code)
		}
		golden(t, "help-"+strings.ReplaceAll(strings.TrimSpace("synfire "+verb), " ", "-"), out)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make it with: go test ./command -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant\n%s", path, got, want)
	}
}

// strict decodes JSON whose fields must all be known.
func strict(t *testing.T, src string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, src)
	}
	if d.More() {
		t.Errorf("more than one JSON value: %s", src)
	}
}

const tinyNet = `
data: {name: mnist-sample, train: 200, test: 100}
steps: 3
layers: [{kind: conv2d, out: 4, kernel: 5, stride: 2}, spiking, flatten, {kind: linear, out: 10}, {kind: readout}]
loss: membrane-cross-entropy
batch: 20
`

// write writes a file in a folder of its own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	return writeIn(t, t.TempDir(), name, content)
}

func writeIn(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Train, resume, evaluate: the JSON of the contract, and a report.
func TestTrainAndEval(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	file := write(t, "net.yaml", tinyNet)
	stdout, stderr, code := command("train", file, "--out", out, "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r report.Run
	strict(t, stdout, &r)
	if r.Recipe != "" || len(r.Claims) != 0 || len(r.WeightsSHA256) != 64 || r.Threads < 1 || r.Kernel == "" {
		t.Errorf("run: %+v", r)
	}
	html, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil || !bytes.Contains(html, []byte("<svg")) {
		t.Errorf("report: %d bytes, %v", len(html), err)
	}
	best := filepath.Join(out, "checkpoints", "best.safetensors")
	stdout, stderr, code = command("eval", best, "--data", "mnist-sample", "--json")
	if code != 0 {
		t.Fatalf("eval: exit code %d: %s", code, stderr)
	}
	var e catalog.Evaluation
	strict(t, stdout, &e)
	if e.N != 500 || len(e.Confusion) != 10 || len(e.Rates) != 1 {
		t.Errorf("evaluation: %+v", e)
	}
	if e.Loss == nil || e.StepsPerSample != 3 {
		t.Errorf("evaluation over all steps: loss %v, %v steps", e.Loss, e.StepsPerSample)
	}
	stdout, stderr, code = command("eval", best, "--data", "mnist-sample", "--early-exit", "0.001", "--json")
	var early catalog.Evaluation
	strict(t, stdout, &early)
	if code != 0 || early.N != 500 || early.Loss != nil || !(early.StepsPerSample < 3) {
		t.Errorf("early exit: exit code %d, %+v; %s", code, early, stderr)
	}
	if _, stderr, code = command("eval", best, "--data", "mnist-sample", "--early-exit", "soon"); code != exitUsage || !strings.Contains(stderr, "or certain") {
		t.Errorf("--early-exit soon: exit code %d, %s", code, stderr)
	}
	stdout, stderr, code = command("train", file, "--out", out, "--resume", "--json")
	var again report.Run
	strict(t, stdout, &again)
	if code != 0 || again.WeightsSHA256 != r.WeightsSHA256 {
		t.Errorf("resumed after the end: exit code %d, other weights: %v; %s", code, again.WeightsSHA256 != r.WeightsSHA256, stderr)
	}
}

func TestQuickstartSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	stdout, stderr, code := command("run", "quickstart", "--scale", "smoke", "--out", filepath.Join(t.TempDir(), "q"), "--json")
	var r report.Run
	strict(t, stdout, &r)
	if code != 0 || len(r.Claims) != 1 || r.Claims[0].Verdict != report.Met || r.Claims[0].N != 500 {
		t.Errorf("exit code %d, claims %+v, %s", code, r.Claims, stderr)
	}
}

// A part by itself: its name stands in the result, and other parts' claims are not tested.
func TestPart(t *testing.T) {
	out := filepath.Join(t.TempDir(), "part")
	stdout, stderr, code := command("run", "stbp", "--scale", "smoke", "--part", "nmnist", "--out", out, "--json")
	var r report.Run
	strict(t, stdout, &r)
	if code != 0 || !slices.Equal(r.Parts, []string{"nmnist"}) || r.Command() != "synfire run stbp --scale smoke --seed 1 --part nmnist" {
		t.Fatalf("exit code %d, parts %v, %s", code, r.Parts, stderr)
	}
	for _, c := range r.Claims {
		if want := map[string]string{"mnist-mlp": "part digits was not run", "nmnist": "short runs all 1,100 recordings"}[c.ID]; c.Verdict != report.NotTested || want != "" && c.Why != want {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
	}
}

func TestLists(t *testing.T) {
	stdout, _, code := command("recipes", "--json")
	var list []recipe.Listing
	strict(t, stdout, &list)
	if code != 0 || len(list) == 0 || list[0].ID != "quickstart" || *list[0].Claims[0].Bounds.Short != 97.5 || *list[0].Claims[0].Bounds.Full != 99.2 {
		t.Errorf("recipes: exit code %d, %s", code, stdout)
	}
	stdout, _, code = command("data", "list", "--json")
	var sets []struct {
		Name, License, Status string
		Classes               any
		Splits                map[string]int
		Bytes                 int64
		Sources               []string
	}
	strict(t, stdout, &sets)
	if code != 0 || len(sets) != len(catalog.Default().Datasets) {
		t.Errorf("data list: exit code %d, %s", code, stdout)
	}
}

// Each mistake gets one message that says what to do, and its exit code; and
// leaves no run behind.
func TestMistakes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	net := func(old, by string) string { return write(t, "net.yaml", strings.Replace(tinyNet, old, by, 1)) }
	damaged := write(t, "x.safetensors", "not a checkpoint")
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--help"}, []string{"rum"}},
		{2, []string{"no recipe", `did you mean "quickstart"?`}, []string{"run", "quick", "--out", out}},
		{2, []string{"no run", "synfire train"}, []string{"runs", "show", "absent", "--in", out}},
		{2, []string{`no paper "rpm"`, "rmp-2020"}, []string{"papers", "rpm"}},
		{2, []string{"--threads -1", "want 1 to 1024"}, []string{"eval", damaged, "--threads=-1"}},
		{2, []string{"--threads 100000000", "want 1 to 1024"}, []string{"train", net("a", "a"), "--threads", "100000000", "--out", out}},
		{2, []string{"--save -5", "number of steps"}, []string{"train", net("a", "a"), "--save=-5", "--out", out}},
		{2, []string{"--surrogates -1", "1048576"}, []string{"distance", damaged, "--metric", "isi", "--surrogates=-1"}},
		{2, []string{"--surrogates 2000000", "1048576"}, []string{"distance", damaged, "--metric", "isi", "--surrogates", "2000000"}},
		{2, []string{"did you mean \"a-isi\"", "Try: synfire distance --help"}, []string{"distance", damaged, "--metric", "a-isl"}},
		{2, []string{"did you mean \"cka-linear\"", "Try: synfire compare --help"}, []string{"compare", damaged, damaged, "--metric", "cka-linar"}},
		{2, []string{"smoke"}, []string{"run", "quickstart", "--scale", "long"}},
		{2, []string{"quickstart has no parts"}, []string{"run", "quickstart", "--part", "digits"}},
		{2, []string{`no part "digit"; it has digits, neunorm`}, []string{"run", "stbp", "--part", "digit"}},
		{2, []string{"no such file"}, []string{"train", "absent.yaml", "--out", out}},
		{2, []string{"net.yaml:4", `did you mean "kernel"`}, []string{"train", net("kernel:", "kernal:"), "--out", out}},
		{2, []string{`no data set "mist"`, `did you mean "mnist"?`}, []string{"train", net("mnist-sample", "mist"), "--out", out}},
		{2, []string{"conv2d1", "does not fit"}, []string{"train", net("kernel: 5", "kernel: 50"), "--out", out}},
		{2, []string{"10 classes"}, []string{"train", net("out: 10", "out: 9"), "--out", out}},
		{1, []string{"training needs about", "this machine has", "smaller layers"}, []string{"plan", net("out: 10}", "out: 100000000000}, {kind: linear, out: 10}")}},
		{1, []string{"training needs about", "memory: "}, []string{"plan", net("steps: 3", "steps: 10000000")}},
		{1, []string{"training needs about"}, []string{"train", net("out: 10}", "out: 100000000000}, {kind: linear, out: 10}"), "--out", out}},
		{2, []string{`no neuron "liff"`, `did you mean "lif"`}, []string{"neuron", "liff"}},
		{2, []string{`did you mean "beta"`}, []string{"neuron", "lif", "--set", "bata=1"}},
		{2, []string{"--set beta=0.8"}, []string{"neuron", "lif", "--set", "beta"}},
		{2, []string{"no such file"}, []string{"inspect", "absent.npz"}},
		{1, []string{"x.safetensors"}, []string{"inspect", damaged}},
		{2, []string{"no format that is known", "safetensors"}, []string{"inspect", write(t, "x.bin", "what is this?")}},
		{2, []string{"net.yaml:", "does not fit"}, []string{"plan", net("kernel: 5", "kernel: 50")}},
		{2, []string{"no recipe", `did you mean "quickstart"`}, []string{"plan", "quickstrat"}},
		{2, []string{"no such file"}, []string{"plan", "absent.yaml"}},
		{2, []string{"net.yaml:4", `did you mean "kernel"`}, []string{"plan", net("kernel:", "kernal:")}},
		{2, []string{"samples asked for"}, []string{"train", net("train: 200", "train: 2000"), "--out", out}},
		{1, []string{"no such file"}, []string{"eval", "absent.safetensors", "--data", "mnist-sample"}},
		{1, []string{"x.safetensors"}, []string{"eval", damaged, "--data", "mnist-sample"}},
		{2, []string{"no data set"}, []string{"data", "get", "cifar"}},
		{1, []string{"no such file"}, []string{"data", "import", "mnist", "/absent"}},
	} {
		_, stderr, code := command(c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: message without %q: %s", c.args, w, stderr)
			}
		}
		if strings.Contains(stderr, "internal error") || strings.Contains(stderr, "goroutine") {
			t.Errorf("%v: %s", c.args, stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a mistake left a run directory behind")
	}
}

func TestDoctorJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("times matrix products")
	}
	stdout, stderr, code := command("doctor", "--json")
	var h bench.Health
	strict(t, stdout, &h)
	if code != 0 || !h.OK || h.CPU == "" || h.Cores < 1 || h.Kernels["go"] != "pass" || h.GEMM["1"] <= 0 || h.Data["mnist-sample"] != "cached" {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
}
