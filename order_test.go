package synfire

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// order is the one import order: a package imports only what stands before it.
// A pattern that ends in /* holds siblings, which never import each other.
var order = []string{
	"internal/machine", "internal/magic", "internal/limit", "internal/eol", "internal/suggest", "internal/enum", "internal/half", "internal/huge", "internal/par", "internal/atomicfile", "internal/mel", "internal/complete", "internal/shared", "internal/kernel", "internal/rng",
	"tensor", "spike", "spike/statistics", "signal", "linmap", "format/*", "sample", "modelfile", "zoo", "run", "surrogate", "neuron", "neuron/dynamics", "encode", "distance", "distance/classify", "distance/recording", "compare/internal/numeric", "compare/predictivity", "compare/canonical", "compare", "compare/*",
	"data", "data/*", "layer", "layer/neunorm", "layer/temporal", "layer/ordinary", "loss", "optim", "network", "network/named", "task", "detect", "train", "train/online", "energy", "model", "exchange/onnx/pb", "exchange/*", "exchange/certify", "convert", "convert/ttfs", "convert/detector",
	"rule/eqprop/sparse", "rule/eqprop/limit", "rule/eqprop/unit", "rule/eqprop/coupling", "rule/*", "rule/eqprop/diagnose", "rule/stdp/balanced",
	"catalog", "inspect", "activity", "bench", "report/*", "report", "recipe", "recipe/nmnist", "recipe/diehlcook", "recipe/*",
	"recipe/all", "docs", "examples", "serve", "view", "command/exchange", "command/comparing", "command/conversion", "command/detection", "command/neurons", "command/spikes", "command/rdms", "command/matrices", "command", "cmd/*", "tools/*",
}

func rank(pkg string) int {
	best := -1
	for i, p := range order {
		if p == pkg {
			return i
		}
		if dir, ok := strings.CutSuffix(p, "/*"); ok && strings.HasPrefix(pkg, dir+"/") {
			best = i
		}
	}
	return best
}

func TestImportOrder(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports ","}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	checked := 0
	for _, line := range strings.Fields(string(out)) {
		pkg, imports, _ := strings.Cut(line, ":")
		pkg = strings.TrimPrefix(pkg, "synfire/")
		if pkg == "synfire" || pkg == "snntest" {
			continue
		}
		r := rank(pkg)
		if r < 0 {
			t.Errorf("package %s has no place in the import order", pkg)
		}
		for _, imp := range strings.Split(imports, ",") {
			dep, ours := strings.CutPrefix(imp, "synfire/")
			if !ours {
				continue
			}
			checked++
			if dep == "snntest" {
				t.Errorf("%s imports snntest, which is for tests alone", pkg)
			}
			if d := rank(dep); d >= r {
				t.Errorf("%s imports %s, which does not stand before it", pkg, dep)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d imports were checked", checked)
	}
}

// Packages that many programs want do not pull in what few of them need.
func TestTrainIsLight(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./train").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if strings.HasPrefix(dep, "gonum.org/") || dep == "synfire/compare" || dep == "synfire/model" || dep == "synfire/recipe" {
			t.Errorf("train pulls in %s", dep)
		}
	}
}

// No package is larger than a person can keep in mind: lines without tests.
func TestSizes(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{.Dir}} {{join .GoFiles " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		most := 4000
		switch f[0] {
		case "synfire/internal/kernel":
			continue // generated code
		case "synfire/command":
			most = 3500
		}
		lines := 0
		for _, name := range f[2:] {
			b, err := os.ReadFile(filepath.Join(f[1], name))
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(b, []byte("\n"))
		}
		if lines > most {
			t.Errorf("package %s has %d lines, at most %d are wanted: split it by what its parts are for", f[0], lines, most)
		}
	}
}

// The README's program is the example of package train, to the letter.
func TestReadmeProgram(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("train/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(readme), "```go\n")
	code, _, closed := strings.Cut(code, "```")
	if !ok || !closed {
		t.Fatal("README.md has no program")
	}
	indented := "\t" + strings.ReplaceAll(strings.TrimSuffix(code, "\n"), "\n", "\n\t")
	if !strings.Contains(string(example), indented) {
		t.Error("the program in README.md is not the one of train/example_test.go")
	}
}

// inDouble is what runs in double precision too: packages, and a pattern of their tests.
var inDouble = []struct {
	packages []string
	run      string
}{
	{[]string{"./neuron", "./surrogate", "./layer", "./loss", "./optim", "./network", "./model", "./snntest"}, "."},
	{[]string{"./rule/eqprop/...", "./rule/bptt", "./rule/joint"}, "Gradient|Differences|Drives|Chain|LimitedPredictor|Truncated|Alignment|Backprop|WeightsOfLosses"},
}

// The gradient checks need double precision: the engine's tests run again with it, and
// of the rules those that compare gradients.
func TestDoublePrecision(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the engine's tests a second time")
	}
	for _, s := range inDouble {
		cmd := exec.Command("go", append([]string{"test", "-short", "-tags", "float64", "-run", s.run}, s.packages...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// A test that passes itself over in single precision is among those that run in double.
func TestSkippedInSingleRunsInDouble(t *testing.T) {
	function := regexp.MustCompile(`(?m)^func (Test\w+)`)
	found := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || path == "order_test.go" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		source := string(b)
		for _, at := range regexp.MustCompile(`run with -tags float64`).FindAllStringIndex(source, -1) {
			before := function.FindAllStringSubmatch(source[:at[0]], -1)
			if len(before) == 0 {
				continue
			}
			found++
			if name := before[len(before)-1][1]; !runsInDouble("./"+filepath.ToSlash(filepath.Dir(path)), name) {
				t.Errorf("%s: %s is not run in double precision: add it to inDouble", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 8 {
		t.Errorf("%d tests that need double precision, more were there", found)
	}
}

func runsInDouble(dir, name string) bool {
	for _, s := range inDouble {
		for _, p := range s.packages {
			tree, all := strings.CutSuffix(p, "/...")
			if (dir == p || all && (dir == tree || strings.HasPrefix(dir, tree+"/"))) && regexp.MustCompile(s.run).MatchString(name) {
				return true
			}
		}
	}
	return false
}
