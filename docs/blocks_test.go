package docs

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"synfire/tensor"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// Each program of a page stands in programs_test.go, which runs it, to the
// letter.
func TestPrograms(t *testing.T) {
	examples, err := os.ReadFile("programs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := markdown("..")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range paths[1:] { // the README's is an example of package train
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range goBlock.FindAllStringSubmatch(string(page), -1) {
			found++
			indented := "\t" + strings.ReplaceAll(strings.TrimSuffix(m[1], "\n"), "\n", "\n\t")
			if !strings.Contains(string(examples), strings.ReplaceAll(indented, "\n\t\n", "\n\n")) {
				t.Errorf("%s: no example of programs_test.go is\n%s", path, m[1])
			}
		}
	}
	if found < 2 {
		t.Errorf("%d programs found", found)
	}
}

// The figures are what the packages compute now.
func TestFigures(t *testing.T) {
	if unsafe.Sizeof(tensor.Float(0)) != 4 {
		t.Skip("the kept figures are drawn in single precision")
	}
	figures, err := Figures()
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range figures {
		if kept, err := os.ReadFile("figures/" + name); err != nil || !bytes.Equal(kept, svg) {
			t.Errorf("figures/%s is out of date; run: go generate .", name)
		}
	}
}
