package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// variable of the environment says which fault a program shows, or names a
// file that is to tell whose functions are called.
const variable = "MUTANT"

// chooser is added to the package.
const chooser = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantWanted_             = os.Getenv("` + variable + `")
	mutantNumber_, mutantErr_ = strconv.Atoi(mutantWanted_)
	mutantCalled_             [%d]atomic.Bool
)

func mutant_(id int) bool {
	if mutantErr_ == nil || mutantCalled_[id].Swap(true) {
		return mutantErr_ == nil && mutantNumber_ == id
	}
	if f, err := os.OpenFile(mutantWanted_, os.O_APPEND|os.O_WRONLY, 0); err == nil {
		f.WriteString(strconv.Itoa(id) + "\n")
		f.Close()
	}
	return false
}
`

// overlay are files that the compiler sees in place of those of a package.
type overlay struct {
	pack
	scratch string
	files   map[string]string
}

func (o *overlay) add(name string, text []byte) error {
	scratch := filepath.Join(o.scratch, name)
	o.files[filepath.Join(o.Dir, name)] = scratch
	return os.WriteFile(scratch, text, 0o644)
}

// flag writes what the compiler is told.
func (o *overlay) flag() (string, error) {
	list, err := json.Marshal(map[string]any{"Replace": o.files})
	if err != nil {
		return "", err
	}
	path := filepath.Join(o.scratch, "overlay.json")
	return "-overlay=" + path, os.WriteFile(path, list, 0o644)
}

// place puts a fault where it stands.
func (o *overlay) place(m Mutant) error {
	src, err := os.ReadFile(filepath.Join(o.Dir, m.File))
	if err != nil {
		return err
	}
	return o.add(m.File, slices.Concat(src[:m.from], []byte(m.New), src[m.to:]))
}

// span is the lines of the copy of a function that has a fault.
type span struct {
	file      string
	from, to  int
	candidate int
}

// copies puts the faults that are wanted into a package, each into a copy of
// its function, which is called where the environment asks for it. Lines stay
// where they are.
func (o *overlay) copies(faults []Mutant, wanted map[int]bool) (spans []span, err error) {
	for _, name := range o.GoFiles {
		src, err := os.ReadFile(filepath.Join(o.Dir, name))
		if err != nil {
			return nil, err
		}
		var inserts []insert
		seen := map[*function]bool{}
		copies := bytes.NewBuffer(nil)
		for i, m := range faults {
			f := m.in
			if m.File != name || f == nil || !wanted[i] {
				continue
			}
			if !seen[f] {
				seen[f] = true
				inserts = append(inserts, f.names...)
			}
			copied := fmt.Sprintf("mutant%d_%s", i, f.name)
			inserts = append(inserts, insert{f.body, 0, fmt.Sprintf(" if mutantWanted_ != \"\" && mutant_(%d) { %s };", i, fmt.Sprintf(f.call, copied))})
			from := bytes.Count(src, newline) + bytes.Count(copies.Bytes(), newline) + 1
			fmt.Fprintf(copies, "\n%s%s%s%s%s\n", src[f.from:f.at], copied, src[f.at+len(f.name):m.from], m.New, src[m.to:f.to])
			spans = append(spans, span{name, from, bytes.Count(src, newline) + bytes.Count(copies.Bytes(), newline), i})
		}
		if copies.Len() > 0 {
			if err := o.add(name, append(edited(src, inserts), copies.Bytes()...)); err != nil {
				return nil, err
			}
		}
	}
	return spans, o.add("zmutant.go", fmt.Appendf(nil, chooser, o.Name, len(faults)))
}

var newline = []byte("\n")

func edited(src []byte, inserts []insert) []byte {
	slices.SortStableFunc(inserts, func(a, b insert) int { return cmp.Compare(a.at, b.at) })
	var out []byte
	at := 0
	for _, e := range inserts {
		out = append(append(out, src[at:e.at]...), e.text...)
		at = e.at + e.drop
	}
	return append(out, src[at:]...)
}

// message is a line in which the compiler complains of a place.
var message = regexp.MustCompile(`(?m)([^/\s]+\.go):(\d+):\d+: `)

// faulty are the candidates that a failed compilation complains of.
func faulty(out []byte, spans []span) map[int]bool {
	found := map[int]bool{}
	for _, m := range message.FindAllSubmatch(out, -1) {
		line, _ := strconv.Atoi(string(m[2]))
		for _, s := range spans {
			if s.file == string(m[1]) && s.from <= line && line <= s.to {
				found[s.candidate] = true
			}
		}
	}
	return found
}

// planted is a package with all those of the faults that compile.
type planted struct {
	overlay
	flag     string
	compiles map[int]bool
}

// plant finds by trying which faults compile.
func plant(p pack, faults []Mutant, scratch string) (*planted, error) {
	o := &planted{overlay: overlay{pack: p, scratch: scratch}, compiles: map[int]bool{}}
	for id := range faults {
		o.compiles[id] = true
	}
	for {
		o.files = map[string]string{}
		spans, err := o.copies(faults, o.compiles)
		if err != nil {
			return nil, err
		}
		if o.flag, err = o.overlay.flag(); err != nil {
			return nil, err
		}
		out, err := run(p.Dir, time.Hour, nil, "go", "build", o.flag, "-gcflags=-e", ".")
		if err == nil {
			return o, nil
		}
		bad := faulty(out, spans)
		if len(bad) == 0 {
			return nil, fmt.Errorf("%s with its faults does not compile: %w\n%s", p.ImportPath, err, out)
		}
		for id := range bad {
			delete(o.compiles, id)
		}
	}
}
