package synfire

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ARCHITECTURE.md has a line for each package, or for the folder that it stands in.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(string(page), "\n## ")
	named := map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z]+(/[a-z0-9…]*)*`).FindAllString(list, -1) {
		named[strings.TrimRight(word, "/…")] = true
	}
	out, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		pkg, ours := strings.CutPrefix(pkg, "synfire/")
		dir, _, _ := strings.Cut(pkg, "/")
		if ours && !named[pkg] && !named[dir] {
			t.Errorf("ARCHITECTURE.md does not say what package %s is for", pkg)
		}
	}
}

// A package that others may import has a comment and an example that runs. Verbs, recipes, what is
// internal and what is generated are used by the command.
func TestPackagesHaveExamples(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{.Dir}}|{{.Doc}}|{{join .TestGoFiles ","}},{{join .XTestGoFiles ","}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	apart := regexp.MustCompile(`^synfire$|/internal/|^synfire/(command|cmd|tools|recipe|examples|exchange/onnx/pb)(/|$)`)
	example := regexp.MustCompile(`(?s)\nfunc Example[^\n]*{\n.*?// (Unordered o|O)utput:`)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.SplitN(line, "|", 4)
		if apart.MatchString(f[0]) {
			continue
		}
		if f[2] == "" {
			t.Errorf("package %s has no comment", f[0])
		}
		if !slices.ContainsFunc(strings.Split(f[3], ","), func(name string) bool {
			if name == "" {
				return false
			}
			src, err := os.ReadFile(filepath.Join(f[1], name))
			return err == nil && example.Match(src)
		}) {
			t.Errorf("package %s has no example that runs", f[0])
		}
	}
}
