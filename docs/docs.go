// Package docs holds the kept results of recipes, the unedited output of
// `synfire run ID --json` in results/ID-SCALE-sSEED.json, of runs of parts with their names behind
// the seed, and writes the tables
// of figures that the documentation quotes.
//
// A table stands in a Markdown file between two comments,
//
//	<!-- results: quickstart -->
//	<!-- /results -->
//
// and `go generate .` at the top of the module writes it anew. Blocks of claims, with how
// each was stated (FillClaims), of results that newer ones took the place of (FillEarlier)
// and of the processors that gave a sum of weights (FillHashes) are marked likewise. Measurements of
// speed are kept as results/bench-*.json, and their tables marked likewise by
// <!-- bench: NAME --> (FillBench).
//
// The reading list is reading.yaml (Papers); papers/KEY.md is the page of a
// paper, whose head is written anew too (FillPaper). A test fails where a page is
// out of date, or a kept result no longer fits its recipe's claims.
package docs

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"synfire/catalog"
	"synfire/recipe"
	"synfire/report"
)

//go:embed results
var files embed.FS

// Results is all kept results in the order of recipe, scale and seed.
func Results() ([]report.Run, error) {
	return read("results", func(r report.Run) string { return named(r) + ".json" })
}

// named is a result's name: ID-SCALE-sSEED, of a run of parts with these behind it.
func named(r report.Run) string {
	return strings.Join(append([]string{fmt.Sprintf("%s-%s-s%d", r.Recipe, r.Scale, r.Seed)}, r.Parts...), "-")
}

// read reads the results of a folder, each of which has a name that follows from it.
func read(folder string, name func(r report.Run) string) ([]report.Run, error) {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read the kept results: %w", err)
	}
	var runs []report.Run
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || isBenchmark(e.Name()) {
			continue
		}
		raw, err := files.ReadFile(folder + "/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the kept results: %w", err)
		}
		var r report.Run
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("read the kept results: %s: %w", e.Name(), err)
		}
		if want := name(r); e.Name() != want {
			return nil, fmt.Errorf("read the kept results: %s is a result of %s; name it so", e.Name(), want)
		}
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b report.Run) int {
		return cmp.Or(cmp.Compare(a.Recipe, b.Recipe), cmp.Compare(size(a), size(b)), cmp.Compare(a.Seed, b.Seed), slices.Compare(a.Parts, b.Parts), cmp.Compare(a.Commit, b.Commit))
	})
	return runs, nil
}

func size(r report.Run) int { return slices.Index(recipe.Scales, r.Scale) }

// Earlier is the results that newer ones took the place of, in the order of recipe, scale
// and seed: results/earlier/ID-SCALE-sSEED-COMMIT.json, unedited like the others.
func Earlier() ([]report.Run, error) {
	return read("results/earlier", func(r report.Run) string {
		return fmt.Sprintf("%s-%.7s.json", named(r), r.Commit)
	})
}

// Check compares a result with its recipe: the claims, and the verdicts that follow from
// the measured values. Each must be a claim as it is stated now, or a former one; those
// without a day of their own must all be there. It fails where the recipe has changed
// since.
func Check(r report.Run, recipes []recipe.Recipe) error {
	i := slices.IndexFunc(recipes, func(x recipe.Recipe) bool { return x.ID == r.Recipe })
	if i < 0 {
		return fmt.Errorf("kept result of %s: there is no such recipe", r.Recipe)
	}
	known := append(slices.Clone(recipes[i].Claims), recipes[i].Former...)
	for _, c := range r.Claims {
		if !slices.ContainsFunc(known, func(k report.Claim) bool { return judged(c, k, r.Scale) }) {
			return fmt.Errorf("kept result of %s, scale %s: claim %s is\n%s\nwhich the recipe doesn't claim, now or formerly; run it again", r.Recipe, r.Scale, c.ID, asJSON(c))
		}
	}
	for _, k := range recipes[i].Claims {
		if k.Stated == "" && !slices.ContainsFunc(r.Claims, func(c report.Result) bool { return c.ID == k.ID }) {
			return fmt.Errorf("kept result of %s, scale %s: claim %s is not there; run it again", r.Recipe, r.Scale, k.ID)
		}
	}
	return nil
}

// judged reports whether a result is what a claim makes of its values.
func judged(r report.Result, c report.Claim, scale report.Scale) bool {
	return r.ID == c.ID && asJSON(r) == asJSON(c.Judge(scale, r.Measurement()))
}

func asJSON(r report.Result) string {
	raw, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

var marked = regexp.MustCompile(`(?s)<!-- results: ([a-z0-9-]+) -->\n.*?<!-- /results -->`)

// Fill writes the tables of a Markdown page anew.
func Fill(page string, runs []report.Run) string {
	return marked.ReplaceAllStringFunc(page, func(block string) string {
		id := marked.FindStringSubmatch(block)[1]
		var b strings.Builder
		fmt.Fprintf(&b, "<!-- results: %s -->\n", id)
		b.WriteString(Table(id, runs))
		b.WriteString("<!-- /results -->")
		return b.String()
	})
}

// Table is the kept results of a recipe as Markdown: its claims at each scale,
// and on what they were measured.
func Table(id string, runs []report.Run) string {
	var b strings.Builder
	for _, r := range runs {
		if r.Recipe != id {
			continue
		}
		fmt.Fprintf(&b, "\nScale %s%s, seed %d: %s on %d threads (%s, %s), %s of memory at most, commit %.7s.\n\n",
			r.Scale, of(r), r.Seed, report.Seconds(r.WallSeconds), r.Threads, r.CPU, r.Kernel, report.Bytes(r.PeakRSSBytes), r.Commit)
		b.WriteString(report.ClaimsMarkdown(r.Claims))
	}
	if b.Len() == 0 {
		return "\nNo result is kept yet.\n\n"
	}
	return b.String() + "\n"
}

// of says of which parts a result is, where it is not of all.
func of(r report.Run) string {
	if len(r.Parts) == 0 {
		return ""
	}
	return " of " + strings.Join(r.Parts, " and ")
}

// Written is a page as it is on the disk and as it should be.
type Written struct{ Path, Is, Want string }

// Pages is the README and all Markdown below docs of the module at root, with
// every table, head and index as the kept results have them now, and the page of kinds.
func Pages(root string, recipes []recipe.Recipe) (pages []Written, err error) {
	runs, err := Results()
	if err != nil {
		return nil, err
	}
	rows, err := Benchmarks()
	if err != nil {
		return nil, err
	}
	earlier, err := Earlier()
	if err != nil {
		return nil, err
	}
	papers, err := Papers()
	if err != nil {
		return nil, err
	}
	var withPage []string
	paths, err := markdown(root)
	if err != nil {
		return nil, fmt.Errorf("find the pages: %w", err)
	}
	index := filepath.Join(root, "docs", "papers", "README.md")
	kinds := filepath.Join(root, "docs", "kinds.md")
	for _, path := range paths {
		if path == kinds {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		page := string(raw)
		if filepath.Dir(path) == filepath.Dir(index) && path != index {
			key := strings.TrimSuffix(filepath.Base(path), ".md")
			i := slices.IndexFunc(papers, func(p Paper) bool { return p.Key == key })
			if i < 0 {
				return nil, fmt.Errorf("%s: the reading list has no %q; name the page by a key of reading.yaml", path, key)
			}
			withPage = append(withPage, key)
			page = FillPaper(page, papers[i], recipes, runs)
		}
		if path != index {
			page = FillHashes(FillClaims(FillEarlier(FillBench(Fill(page, runs), rows), earlier), recipes), append(slices.Clone(runs), earlier...))
			pages = append(pages, Written{path, string(raw), page})
		}
	}
	raw, err := os.ReadFile(kinds)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	page, err := Kinds(catalog.Default())
	if err != nil {
		return nil, err
	}
	pages = append(pages, Written{kinds, string(raw), page})
	raw, err = os.ReadFile(index)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return append(pages, Written{index, string(raw), PaperIndex(papers, recipes, runs, withPage)}), nil
}

func markdown(root string) (paths []string, err error) {
	paths = []string{filepath.Join(root, "README.md")}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}
