package command

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?s)```(sh|yaml|csv \\S+)\n(.*?)```")

// Every command of the pages runs as it stands there, recipes at the smoke scale,
// in a directory with the files that the page shows.
func TestCommandsOfThePages(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	docs, err := filepath.Abs(filepath.Join("..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"guide.md", "concepts.md", "faq.md", "bring.md", "recordings.md"} {
		src, err := os.ReadFile(filepath.Join(docs, page))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		copyWeights(t, filepath.Join(docs, "..", "exchange", "torch", "testdata"), dir)
		t.Chdir(dir)
		ran := 0
		for _, m := range block.FindAllStringSubmatch(string(src), -1) {
			if m[1] == "yaml" {
				name, _, ok := strings.Cut(strings.TrimPrefix(m[2], "# "), "\n")
				if !ok || filepath.Ext(name) != ".yaml" {
					t.Fatalf("%s: a YAML block without its file's name in the first line:\n%s", page, m[2])
				}
				if err := os.WriteFile(name, []byte(m[2]), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if name, ok := strings.CutPrefix(m[1], "csv "); ok {
				if err := os.WriteFile(name, []byte(m[2]), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			for _, line := range strings.Split(strings.TrimSpace(m[2]), "\n") {
				args := strings.Fields(line)
				if args[0] != "synfire" {
					t.Errorf("%s: cannot run %q", page, line)
					continue
				}
				if args[1] == "run" && !slices.Contains(args, "--scale") {
					args = append(args, "--scale", "smoke")
				}
				if stdout, stderr, code := command(args[1:]...); code != 0 || stdout == "" {
					t.Errorf("%s: %s: exit code %d\n%s%s", page, line, code, stdout, stderr)
				}
				ran++
			}
		}
		if ran == 0 {
			t.Errorf("%s: no commands found", page)
		}
	}
}

// copyWeights puts the weights of PyTorch networks that docs/bring.md imports into a folder.
func copyWeights(t *testing.T, from, dir string) {
	t.Helper()
	for _, name := range []string{"snntorch", "spikingjelly", "norse"} {
		b, err := os.ReadFile(filepath.Join(from, name+".safetensors"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".safetensors"), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every command line of the papers' pages and of the examples is one that the command
// understands, and names a recipe that there is.
func TestCommandLinesOfPapersAreUnderstood(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../docs/papers/*.md", "../docs/*.md", "../examples/*.yaml", "../README.md"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	line := regexp.MustCompile(`(?m)^(?:    |#     )(?:\S.* \| )?synfire ([^#\n>|]+)`)
	seen := 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(src), -1) {
			code := -1
			a := newApp(t.Context(), testProgram(), io.Discard, io.Discard)
			a.Name = "synfire"
			args := strings.Fields(m[1])
			_, err := parse(a.parser(&code), args)
			if err == nil && args[0] == "run" {
				_, err = a.findRecipe("run", args[1])
			}
			if err != nil {
				t.Errorf("%s: synfire %s: %v", file, m[1], err)
			}
			seen++
		}
	}
	if seen < 50 {
		t.Errorf("%d command lines, want at least 50: are they written otherwise now?", seen)
	}
}
