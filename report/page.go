package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// Page is one self-contained report: it refers to nothing outside itself.
type Page struct {
	Title    string
	Lead     string // the outcome in a sentence or two
	Claims   []Result
	Sections []Section
	Config   string // resolved configuration, YAML
	Facts    []Fact // provenance
}

// Section is a titled part of a page: text, then figures, then tables.
type Section struct {
	Title   string
	Text    string
	Figures []Figure
	Tables  []Table
}

// Figure is a drawing with what it shows (Alt, for those who cannot see it)
// and what to see in it (Caption). SVG is a document of report/figure's.
type Figure struct {
	SVG     []byte
	Alt     string
	Caption string
}

// Table is a table of text; columns that Right marks hold numbers.
type Table struct {
	Caption string
	Head    []string
	Right   []bool
	Rows    [][]string
}

// Fact is a label and its value.
type Fact struct{ Label, Value string }

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"svg":       func(b []byte) template.HTML { return template.HTML(inlineSVG(b)) },
	"published": func(r Result) string { return r.publishedText() },
	"bound":     func(r Result) string { return r.boundText() },
	"measured":  func(r Result) string { return r.measuredText() },
	"verdict":   func(r Result) string { return r.Verdict.text() },
	"right":     func(right []bool, i int) bool { return i < len(right) && right[i] },
}).Parse(pageSource))

// HTML renders the page.
func (p Page) HTML() ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render report %q: %w", p.Title, err)
	}
	return b.Bytes(), nil
}

// inlineSVG drops what may stand before the svg element of a document.
func inlineSVG(doc []byte) []byte {
	if i := bytes.Index(doc, []byte("<svg")); i > 0 {
		return doc[i:]
	}
	return doc
}

// Facts are the run's provenance for a page.
func (r Run) Facts() []Fact {
	commit := r.Commit
	if r.Dirty {
		commit += ", with uncommitted changes"
	}
	return []Fact{
		{"run", r.Run},
		{"recipe, scale, seed", fmt.Sprintf("%s, %s, %d", r.Recipe, r.Scale, r.Seed)},
		{"synfire", r.Synfire},
		{"commit", commit},
		{"processor", r.CPU},
		{"kernel, threads", fmt.Sprintf("%s, %d", r.Kernel, r.Threads)},
		{"time", Seconds(r.WallSeconds)},
		{"peak memory", Bytes(r.PeakRSSBytes)},
		{"SHA-256 of the weights", r.WeightsSHA256},
	}
}
