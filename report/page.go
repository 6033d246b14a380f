package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"strings"
)

// Page is one self-contained report: it refers to nothing outside itself but by
// links that a reader may follow. All text is plain and is escaped.
type Page struct {
	Title    string
	Lead     string // the outcome in a sentence or two
	Links    []Link // e.g. the paper
	Claims   []Result
	Sections []Section
	Config   string // resolved configuration, YAML
	Facts    []Fact // provenance
}

// Link is a place to read on, of scheme http, https or mailto.
type Link struct{ Text, URL string }

// Section is a titled part of a page: text, then figures, then tables. An empty
// line in Text starts a new paragraph.
type Section struct {
	Title   string
	Text    string
	Figures []Figure
	Tables  []Table
}

// Figure is a drawing with what it shows (Alt, for those who cannot see it)
// and what to see in it (Caption). Either SVG holds a document, such as
// report/figure makes, or PNG a picture.
type Figure struct {
	SVG     []byte
	PNG     []byte
	Alt     string
	Caption string
}

// Table is a table of text; columns that Right marks hold numbers. One of more
// than 24 rows is folded up on the screen.
type Table struct {
	Caption string
	Head    []string
	Right   []bool
	Rows    [][]string
}

// Fact is a label and its value.
type Fact struct{ Label, Value string }

// longTable is the number of rows above which a table is folded up.
const longTable = 24

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"svg":        func(b []byte) template.HTML { return template.HTML(inlineSVG(b)) },
	"png":        func(b []byte) template.URL { return template.URL(pngURL + base64.StdEncoding.EncodeToString(b)) },
	"published":  func(r Result) string { return r.publishedText() },
	"bound":      func(r Result) string { return r.boundText() },
	"measured":   func(r Result) string { return r.measuredText() },
	"verdict":    func(r Result) string { return r.Verdict.text() },
	"basis":      func(r Result) string { return r.basisText() },
	"tally":      func(rs []Result) string { return Count(rs).String() },
	"fallsShort": func(rs []Result) bool { return Count(rs).NotMet > 0 },
	"met":        func(rs []Result) bool { t := Count(rs); return t.NotMet == 0 && t.Met > 0 },
	"paragraphs": paragraphs,
	"right":      func(right []bool, i int) bool { return i < len(right) && right[i] },
	"long":       func(t Table) bool { return len(t.Rows) > longTable },
}).Parse(pageSource))

const pngURL = "data:image/png;base64,"

// HTML renders the page. A figure without Alt or without a drawing is an error,
// and so is an SVG that could run, load or restyle anything.
func (p Page) HTML() ([]byte, error) {
	for _, s := range p.Sections {
		for _, f := range s.Figures {
			if err := f.check(); err != nil {
				return nil, fmt.Errorf("render report %q, section %q, figure %q: %w", p.Title, s.Title, f.Alt, err)
			}
		}
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render report %q: %w", p.Title, err)
	}
	return b.Bytes(), nil
}

func (f Figure) check() error {
	switch {
	case strings.TrimSpace(f.Alt) == "":
		return errors.New("no alternative text; say in Alt what it shows")
	case (len(f.SVG) == 0) == (len(f.PNG) == 0):
		return fmt.Errorf("%d bytes of SVG and %d of PNG, want one of the two", len(f.SVG), len(f.PNG))
	case len(f.PNG) > 0 && !bytes.HasPrefix(f.PNG, []byte("\x89PNG\r\n\x1a\n")):
		return errors.New("the PNG lacks its signature")
	case len(f.SVG) > 0:
		return checkSVG(f.SVG)
	}
	return nil
}

func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// basisText says where the claim comes from and what it was measured on.
func (r Result) basisText() string {
	var parts []string
	if r.Source != "" {
		parts = append(parts, r.Source)
	}
	if r.N > 0 {
		parts = append(parts, "n = "+Integer(int64(r.N)))
	}
	if r.Seeds > 1 {
		parts = append(parts, fmt.Sprintf("%s of %d seeds", r.Statistic, r.Seeds))
	}
	return strings.Join(parts, " · ")
}

// Facts are the run's provenance for a page; what is unknown is left out.
func (r Run) Facts() []Fact {
	commit, memory := r.Commit, ""
	if r.Dirty {
		commit += ", with uncommitted changes"
	}
	if r.PeakRSSBytes > 0 { // not every system tells
		memory = Bytes(r.PeakRSSBytes)
	}
	all := []Fact{
		{"run", r.Run},
		{"recipe", r.Recipe},
		{"scale", string(r.Scale)},
		{"seed", fmt.Sprint(r.Seed)},
		{"synfire", r.Synfire},
		{"commit", commit},
		{"processor", r.CPU},
		{"kernel", r.Kernel},
		{"threads", fmt.Sprint(r.Threads)},
		{"time", Seconds(r.WallSeconds)},
		{"peak memory", memory},
		{"SHA-256 of the weights", r.WeightsSHA256},
	}
	var known []Fact
	for _, f := range all {
		if f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}
