// Command mutate makes small faults in the packages of this module, one at a
// time, and tells which of them no test notices:
//
//	go run ./tools/mutate -n 350 -log mutants.jsonl
//
// A fault is an operator turned, a condition dropped, a statement left out, a
// constant one larger, a loop one short, an error swallowed. A seed draws
// them, from each package in proportion to its statements; generated code,
// messages and String methods get none. All faults of a package are compiled
// at once, each in a copy of its function that a variable of the environment
// calls; the compiler sees them through -overlay, so the tree stays as it is.
// Of the package's tests those run that call the function, without the long ones
// unless -long asks for them; with -wide also those of the packages that import it,
// with -tags both in a second build. A fault that does not compile is replaced by the next and not
// counted; tests that no longer end have noticed.
//
// The log has a line of JSON for each fault tried. What stands in it is not
// tried again, but for survivors with -only survivors; -report prints the score
// alone. A fault may make tests use all memory or write where they should not:
// run it under a limit (ulimit -v) and without rights that it does not need.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

type options struct {
	root   string
	number int
	seed   uint64
	log    string
	only   string
	wide   int
	tags   string
	long   bool
	tests  string
	report bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.root, "C", ".", "directory of the module")
	flag.IntVar(&o.number, "n", 350, "faults in all")
	flag.Uint64Var(&o.seed, "seed", 1, "decides which faults")
	flag.StringVar(&o.log, "log", "mutants.jsonl", "results, appended as they come")
	flag.StringVar(&o.only, "only", "", "survivors: try again what survived in the log, and nothing else")
	flag.IntVar(&o.wide, "wide", 0, "how many of the packages that import a package run their tests too, those of the fewest dependencies first")
	flag.StringVar(&o.tags, "tags", "", "tags of a second build, whose tests run too")
	flag.BoolVar(&o.long, "long", false, "run tests without -short")
	flag.StringVar(&o.tests, "run", ".", "run tests that match this regular expression alone")
	flag.BoolVar(&o.report, "report", false, "print the report of the log and end")
	flag.Parse()
	if err := mutate(o, flag.Args(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func mutate(o options, patterns []string, w io.Writer) error {
	if o.only != "" && o.only != "survivors" {
		return fmt.Errorf("-only %s: want survivors", o.only)
	}
	trials, err := readLog(o.log)
	if err != nil {
		return err
	}
	if o.report {
		return report(w, trials)
	}
	out, err := os.OpenFile(o.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	packages, err := list(o.root, patterns)
	if err != nil {
		return err
	}
	b := bench{options: o, packages: packages, scratch: scratch, log: out, progress: w, trials: trials}
	shares := share(o.number, packages)
	for i, p := range packages {
		if err := b.run(p, shares[i]); err != nil {
			return err
		}
	}
	return report(w, trials)
}

// pack is a package as go list tells of it, and its faults.
type pack struct {
	ImportPath, Dir, Name                    string
	GoFiles, TestGoFiles, XTestGoFiles       []string
	Imports, TestImports, XTestImports, Deps []string
	mutants                                  []Mutant
	statements                               int
}

func (p pack) tested() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

func (p pack) imports(path string) bool {
	return slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), path)
}

// list returns the packages that the patterns name. Programs have no faults:
// they are generators, or a call of a package.
func list(root string, patterns []string) ([]pack, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	text, err := run(root, time.Minute, nil, "go", append([]string{"list", "-json"}, patterns...)...)
	if err != nil {
		return nil, fmt.Errorf("go list %s in %s: %w\n%s", strings.Join(patterns, " "), root, err, text)
	}
	var packages []pack
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var p pack
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		if p.Name != "main" {
			if p.mutants, p.statements, err = mutants(p.ImportPath, p.Dir, p.GoFiles); err != nil {
				return nil, err
			}
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// share parts n by the statements of packages, one at least for each.
func share(n int, packages []pack) []int {
	total := 0
	for _, p := range packages {
		total += p.statements
	}
	shares := make([]int, len(packages))
	for i, p := range packages {
		shares[i] = min(len(p.mutants), max(1, (n*p.statements+total/2)/max(1, total)))
	}
	return shares
}

// bench is what packages are tried on, one after another.
type bench struct {
	options
	packages []pack
	scratch  string
	log      io.Writer
	progress io.Writer
	trials   map[string]Trial
}

// run tries n faults of a package that compile. The draw of one package does
// not depend on the others, and a larger n only adds to it.
func (b *bench) run(p pack, n int) error {
	h := fnv.New64a()
	h.Write([]byte(p.ImportPath))
	drawn := slices.Clone(p.mutants)
	rand.New(rand.NewPCG(b.seed, h.Sum64())).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	var open []Mutant // some more than n: not all will compile
	for _, m := range drawn {
		t, known := b.trials[m.Key()]
		switch {
		case b.only != "" && t.survived(), b.only == "" && !known:
			open = append(open, m)
		case b.only == "" && t.Status != Invalid:
			n--
		}
		if b.only == "" && len(open) >= n+n/2+2*min(n, 1) {
			break
		}
	}
	if n <= 0 || len(open) == 0 {
		return nil
	}
	planted, err := plant(p, open, b.scratch)
	if err != nil {
		return err
	}
	suites := b.suites(p)
	for id, m := range open {
		if n == 0 {
			return nil
		}
		start := time.Now()
		t := Trial{Mutant: m, Status: Invalid}
		if planted.compiles[id] {
			if t.Status, t.By, err = b.try(planted, id, m, suites); err != nil {
				return err
			}
		}
		t.Seconds = time.Since(start).Seconds()
		b.trials[m.Key()] = t
		if err := json.NewEncoder(b.log).Encode(t); err != nil {
			return err
		}
		fmt.Fprintf(b.progress, "%-11s %5.1f s  %s\n", t.Status, t.Seconds, m.Key())
		if t.Status != Invalid {
			n--
		}
	}
	return nil
}

// suites are the tests that a package's faults are held against. One without
// tests of its own is tested by those above it.
func (b *bench) suites(p pack) []*suite {
	var above []pack
	for _, q := range b.packages {
		if q.tested() && q.ImportPath != p.ImportPath && q.imports(p.ImportPath) {
			above = append(above, q)
		}
	}
	slices.SortStableFunc(above, func(a, b pack) int { return cmp.Compare(len(a.Deps), len(b.Deps)) })
	wide := b.wide
	if !p.tested() {
		wide = max(wide, 2)
	}
	above = above[:min(wide, len(above))]
	if p.tested() {
		above = slices.Insert(above, 0, p)
	}
	short := fmt.Sprintf("-test.short=%v", !b.long)
	var all []*suite
	for _, q := range above {
		all = append(all, &suite{pack: q, pattern: b.tests, short: short})
	}
	if b.tags != "" {
		for _, q := range above {
			all = append(all, &suite{pack: q, pattern: b.tests, short: short, tags: b.tags})
		}
	}
	return all
}

// try holds a fault against the suites until one notices it.
func (b *bench) try(o *planted, id int, m Mutant, suites []*suite) (status, by string, err error) {
	status = Bare
	for i, s := range suites {
		if s.binary == "" {
			s.binary = filepath.Join(b.scratch, fmt.Sprintf("%d.test", i))
			if err := s.compile(o.flag, s.binary); err != nil {
				return "", "", err
			}
			if err := s.probe(b.scratch, b.progress); err != nil {
				return "", "", err
			}
		}
		binary := s.binary
		if m.in == nil {
			if binary, err = b.alone(o.pack, m, s); err != nil {
				return Invalid, "", nil
			}
		}
		now, who := s.try(binary, strconv.Itoa(id), m.in == nil)
		if now != Bare {
			status, by = now, who
		}
		if now == Killed || now == Timeout {
			break
		}
	}
	return status, by, nil
}

// alone compiles a fault that stands in no function.
func (b *bench) alone(p pack, m Mutant, s *suite) (binary string, err error) {
	o := overlay{p, filepath.Join(b.scratch, "alone"), map[string]string{}}
	if err := errors.Join(os.MkdirAll(o.scratch, 0o755), o.place(m)); err != nil {
		return "", err
	}
	flag, err := o.flag()
	if err != nil {
		return "", err
	}
	binary = filepath.Join(o.scratch, "alone.test")
	return binary, s.compile(flag, binary)
}

// readLog returns the last trial of each fault. A line cut short by an
// interrupt is an error that names it.
func readLog(path string) (map[string]Trial, error) {
	trials := map[string]Trial{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return trials, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var t Trial
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, fmt.Errorf("%s line %d: %w; delete the line to go on", filepath.Base(path), n, err)
		}
		trials[t.Key()] = t
	}
	return trials, lines.Err()
}
