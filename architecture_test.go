package synfire

import (
	"os"
	"os/exec"
	"regexp"
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
