package docs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
)

// The figures that the documentation quotes are those of the kept results, and
// these still answer the recipes' claims.
func TestPages(t *testing.T) {
	runs, err := Results()
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		t.Fatal("no results are kept")
	}
	for _, r := range runs {
		if err := Check(r, all.Recipes()); err != nil {
			t.Error(err)
		}
		if r.Dirty || len(r.Commit) != 40 {
			t.Errorf("kept result of %s, scale %s: commit %q, dirty %v; run it from a clean checkout", r.Recipe, r.Scale, r.Commit, r.Dirty)
		}
	}
	earlier, err := Earlier()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range earlier {
		if r.Dirty || len(r.Commit) != 40 || len(r.Claims) == 0 {
			t.Errorf("earlier result of %s, scale %s: commit %q, dirty %v, %d claims", r.Recipe, r.Scale, r.Commit, r.Dirty, len(r.Claims))
		}
	}
	rows, err := Benchmarks()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Dirty || len(r.Commit) != 40 || r.CPU == "" {
			t.Errorf("kept measurement of %s, %s: commit %q, dirty %v, on %q; measure with a clean checkout", r.Workload, r.Phase, r.Commit, r.Dirty, r.CPU)
		}
	}
	svg, err := DensityFigure(rows)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile("density.svg"); svg != nil && (err != nil || !bytes.Equal(kept, svg)) {
		t.Errorf("density.svg is out of date; run: go generate .")
	}
	pages, err := Pages("..", all.Recipes())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range pages {
		seen[filepath.Base(p.Path)] = true
		if p.Is != p.Want {
			t.Errorf("%s is out of date; run: go generate .", p.Path)
		}
	}
	papers, err := filepath.Glob("papers/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(papers, "README.md", "performance.md", "kinds.md", "faq.md") {
		if !seen[filepath.Base(path)] {
			t.Errorf("%s is not among the %d pages that are looked after", path, len(pages))
		}
	}
}

func TestCheckSeesChanges(t *testing.T) {
	recipes := all.Recipes()
	good := func() report.Run {
		claim := recipes[0].Claims[0].Judge(report.Short, report.Measurement{Values: []float64{98}, N: 10_000})
		return report.Run{Recipe: recipes[0].ID, Scale: report.Short, Claims: []report.Result{claim}}
	}
	if err := Check(good(), recipes); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(r *report.Run){
		"verdict": func(r *report.Run) { r.Claims[0].Verdict = report.NotMet },
		"value":   func(r *report.Run) { r.Claims[0].Values[0] = 90 },
		"bound":   func(r *report.Run) { *r.Claims[0].Bound -= 1 },
		"claims":  func(r *report.Run) { r.Claims = nil },
		"recipe":  func(r *report.Run) { r.Recipe = "none" },
	} {
		r := good()
		bound := *r.Claims[0].Bound
		r.Claims[0].Bound = &bound
		change(&r)
		if Check(r, recipes) == nil {
			t.Errorf("a changed %s goes unnoticed", what)
		}
	}
}

// A page that is there and cannot be read is an error, and not left out.
func TestPageThatCannotBeRead(t *testing.T) {
	root := t.TempDir()
	gone := filepath.Join(root, "docs", "gone.md")
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "docs"), 0o755), os.WriteFile(filepath.Join(root, "README.md"), nil, 0o644), os.Symlink("nowhere", gone)); err != nil {
		t.Fatal(err)
	}
	if _, err := Pages(root, nil); err == nil || !strings.Contains(err.Error(), "gone.md") {
		t.Errorf("%v", err)
	}
}

func TestFill(t *testing.T) {
	runs := []report.Run{{Recipe: "a", Scale: report.Short, Seed: 3, Threads: 2, CPU: "X", Kernel: "go", Commit: "0123456789"}}
	page := "before\n<!-- results: a -->\nold\n<!-- /results -->\nbetween\n<!-- results: b -->\n<!-- /results -->\nafter\n"
	got := Fill(page, runs)
	for _, want := range []string{"before\n<!-- results: a -->\n\nScale short, seed 3", "commit 0123456.", "between\n<!-- results: b -->\n\nNo result is kept yet.", "\nafter\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || Fill(got, runs) != got {
		t.Errorf("filled again:\n%s", Fill(got, runs))
	}
}

// A failed result stays: those that were kept once, with their verdicts.
func TestFailedResultsStay(t *testing.T) {
	runs, err := Results()
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := Earlier()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ recipe, scale, commit, claim string }{
		{"init-eqprop", "short", "f54b92f", "control"}, {"init-eqprop", "short", "b7a411a", "control"}, {"init-eqprop", "full", "b7a411a", "control"},
		{"eqprop", "full", "ee1047d", "full"}, {"rate-vs-temporal", "full", "e542aa4", "mrts"},
		{"superspike", "short", "3404666", "hidden"}, {"superspike", "short", "b14ae48", "hidden"}, {"superspike", "short", "b14ae48", "hidden-anew"},
		{"eqprop", "full", "c1736d3", "training-error"}, {"topk-eqprop", "full", "ebcf4fc", "pruned-binary"}, {"s4nn", "full", "c1736d3", "twenty-epochs"},
		{"joint", "short", "7d30708", "joint"}, {"superspike", "short", "d94d9fc", "hidden-tuned"}, {"superspike", "short", "7f11aeb", "hidden-tuned"}, {"superspike", "full", "7d30708", "hidden"}, {"superspike", "full", "7d30708", "picture-order"},
		{"joint", "full", "dfa447c", "joint"}, {"superspike", "full", "dfa447c", "hidden"}, {"superspike", "full", "dfa447c", "hidden-tuned"}, {"superspike", "full", "dfa447c", "picture-order"},
		{"stdb", "short", "7d30708", "hybrid-t8"}, {"stdb", "short", "7d30708", "hybrid-t8-stdb"}, {"stdb", "short", "7d30708", "hybrid-t6"},
		{"qcfs", "short", "4b06376", "mnist-loss"}, {"qcfs", "short", "4b06376", "mnist-cells"}, {"qcfs", "short", "4b06376", "mnist-start"},
		{"rmp", "short", "4b06376", "sweep-fast"}, {"rmp", "short", "4b06376", "sweep-soft"}, {"spikenorm", "short", "4b06376", "mnist"}, {"spikenorm", "short", "4b06376", "blocks-spikes"}, {"spikenorm", "short", "4b06376", "blocks-plateau"},
		{"stdb", "full", "dfa447c", "hybrid-t8"}, {"stdb", "full", "dfa447c", "hybrid-t8-stdb"}, {"stdb", "full", "dfa447c", "hybrid-t6"},
		{"stbp", "short", "3eb5add", "mnist-cnn"}, {"stbp", "full", "75a8509", "cifar10"}, {"stbp", "full", "da17a25", "cifar10"}, {"precise-timing", "full", "bee79bb", "tenfold"}, {"spoken-digits", "short", "516d04e", "beats-linear"},
		{"spiking-dbn", "short", "516d04e", "offline"}, {"spiking-dbn", "short", "516d04e", "ecd"}, {"spiking-dbn", "short", "a45ce2f", "offline-sparse"},
		{"ordinary", "short", "6720a6d", "resnet-20"}, {"ordinary", "short", "3111222", "resnet-20-longer"}, {"ordinary", "short", "52fdcba", "resnet-20-low-rate"}, {"spiking-resnet", "short", "8410b99", "mnist"}, {"spiking-resnet", "full", "23eb707", "balance"}, {"spiking-resnet", "full", "23eb707", "balance-gain"}, {"hybrid", "short", "8410b99", "order"},
		{"spikenorm", "full", "588e0ce", "cifar10-depth"}, {"spikenorm", "full", "588e0ce", "cifar10-factor"},
		{"spiking-yolo", "short", "ba5412a", "channel-over-layer"}, {"spiking-yolo", "short", "ba5412a", "converges-faster"},
		{"brain-compare", "short", "8d78336", "networks-controls"},
		{"brunel", "short", "9262d59", "regimes"}, {"brunel", "short", "9262d59", "regimes-mean"}, {"brunel", "full", "9262d59", "regimes"}, {"brunel", "full", "35acbef", "regimes"},
	} {
		found := false
		for _, r := range append(runs, earlier...) {
			for _, c := range r.Claims {
				found = found || r.Recipe == want.recipe && string(r.Scale) == want.scale && r.Commit[:7] == want.commit && c.ID == want.claim && c.Verdict == report.NotMet
			}
		}
		if !found {
			t.Errorf("the result of %s at scale %s, commit %s, that did not meet %s is gone", want.recipe, want.scale, want.commit, want.claim)
		}
	}
}

// A kept result names no folder of the machine that it was run on.
func TestResultsNameNoMachine(t *testing.T) {
	runs, err := Results()
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := Earlier()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range append(runs, earlier...) {
		if filepath.IsAbs(r.Dir) {
			t.Errorf("%s, %s, seed %d: dir is %s; write runs/%s-%s-s%d", r.Recipe, r.Scale, r.Seed, r.Dir, r.Recipe, r.Scale, r.Seed)
		}
	}
}

// Results may have former claims and may lack those that were stated since, and nothing
// else.
func TestCheckKnowsFormerClaims(t *testing.T) {
	one := 1.0
	claim := func(id, stated string) report.Claim {
		return report.Claim{ID: id, Name: "n", Direction: report.AtLeast, Statistic: report.Median, Bounds: report.Bounds{Short: &one}, Stated: stated}
	}
	r := recipe.Recipe{ID: "a", Claims: []report.Claim{claim("first", ""), claim("since", "2026-11-28")}, Former: []report.Claim{claim("former", "2026-11-28")}}
	kept := func(claims ...report.Claim) (run report.Run) {
		run = report.Run{Recipe: "a", Scale: report.Short}
		for _, c := range claims {
			run.Claims = append(run.Claims, c.Judge(report.Short, report.Measurement{Values: []float64{2}}))
		}
		return run
	}
	for what, ok := range map[string]struct {
		run  report.Run
		want bool
	}{
		"all":             {kept(r.Claims...), true},
		"the first":       {kept(r.Claims[0]), true},
		"with the former": {kept(r.Claims[0], r.Former[0]), true},
		"without first":   {kept(r.Claims[1]), false},
		"unknown":         {kept(r.Claims[0], claim("other", "")), false},
	} {
		if err := Check(ok.run, []recipe.Recipe{r}); (err == nil) != ok.want {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Blocks of claims and of sums are written between their marks.
func TestFillClaims(t *testing.T) {
	one := 1.0
	c := report.Claim{ID: "c", Name: "n", Direction: report.AtLeast, Statistic: report.Fraction, Bounds: report.Bounds{Full: &one}, Seeds: report.Seeds{Full: 5}, N: report.Samples{Full: 10_000}, Stated: "2026-11-28", Beside: "b", Note: "For a reason."}
	former := report.Claim{ID: "f", Name: "a former claim", Stated: "2026-11-27", Note: "Gone."}
	r := recipe.Recipe{ID: "a", Claims: []report.Claim{c}, Former: []report.Claim{former}}
	got := FillClaims("<!-- claims: a -->\nold\n<!-- /claims -->", []recipe.Recipe{r})
	for _, want := range []string{"- `c`: fraction, full 5 seeds of n = 10,000; stated 2026-11-28 beside `b`. For a reason.\n", "- `f` (a former claim), since 2026-11-27. Gone.\n"} {
		if !strings.Contains(got, want) || strings.Contains(got, "old") {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	run := func(cpu, sum string) report.Run {
		return report.Run{Recipe: "a", Scale: report.Full, Seed: 1, CPU: cpu, Kernel: "avx2", WeightsSHA256: sum}
	}
	got = FillHashes("<!-- hashes -->\n<!-- /hashes -->", []report.Run{run("X", "12"), run("X, 1-2-3", "12"), run("X, 1-2-4", "12"), run("X, 1-2-4", "12"), run("X, 1-2-4", "34")})
	for _, want := range []string{"| a, full, seed 1 | 12 | 2 | a model that was not recorded (X, avx2); X, 1-2-3, avx2; X, 1-2-4, avx2 |\n", "| a, full, seed 1 | 34 | 1 | X, 1-2-4, avx2 |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
