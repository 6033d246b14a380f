package energy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"synfire/energy"
)

// The page has the table of constants, and those of a file are the defaults.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../docs/energy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range energy.Table() {
		if line := fmt.Sprintf("| %s | %v | %s |", row.What, row.PJ, row.Known); !strings.Contains(string(page), line) {
			t.Errorf("docs/energy.md has no line %s", line)
		}
	}
	_, text, _ := strings.Cut(string(page), "for `--energy`")
	_, text, _ = strings.Cut(text, "\n\n")
	text, _, _ = strings.Cut(text, "\n\n")
	own, err := energy.Decode("docs/energy.md", []byte(strings.ReplaceAll("\n"+text, "\n    ", "\n")))
	want := energy.Horowitz()
	if want.Name, want.Source = own.Name, own.Source; err != nil || own != want {
		t.Errorf("%+v, want %+v, %v", own, want, err)
	}
}

// The controls of the crossing, as docs/energy.md quotes them.
func ExampleCrossing() {
	c := energy.Horowitz()
	for _, steps := range []int{8, 1} {
		fmt.Printf("%d steps: %.1f %%\n", steps, 100*energy.Crossing(c, energy.Scatter, 1, 8, steps))
	}
	// Output:
	// 8 steps: 5.3 %
	// 1 steps: 42.1 %
}
