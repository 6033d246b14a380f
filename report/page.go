package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"synfire/report/figure"
	"synfire/sample"
)

// Page is one self-contained report: it refers to nothing outside itself but by
// links that a reader may follow. All text is plain and is escaped.
//
// A recipe writes the title, the lead and the sections, and what else it alone
// knows; Of adds what every run has.
type Page struct {
	Title     string
	Subtitle  string // what kind of run it is, e.g. "recipe stbp, short"
	Lead      string // the outcome in a sentence or two
	Links     []Link // e.g. the paper
	Claims    []Result
	Facts     []Fact // provenance
	Sections  []Section
	Notes     []string // what a reader should know before quoting a figure
	Metrics   Metrics
	Reproduce string // command line
	Config    string // resolved configuration, YAML
}

// Of is the page completed with what the run itself says: its claims, its
// provenance before the facts that the page has of its own, its metrics, and the
// command line that repeats it.
func (p Page) Of(r Run) Page {
	facts := r.Facts()
	for _, own := range p.Facts {
		if !slices.ContainsFunc(facts, func(f Fact) bool { return f.Label == own.Label }) {
			facts = append(facts, own)
		}
	}
	p.Claims, p.Facts, p.Metrics = r.Claims, facts, r.Metrics
	if p.Subtitle == "" && r.Recipe != "" {
		p.Subtitle = fmt.Sprintf("recipe %s, scale %s", r.Recipe, r.Scale)
	}
	if p.Reproduce == "" {
		p.Reproduce = r.Command()
	}
	return p
}

// Command is the command line that repeats the run.
func (r Run) Command() string {
	if r.Recipe == "" {
		return "synfire train " + r.Dir + "/config.yaml"
	}
	line := fmt.Sprintf("synfire run %s --scale %s --seed %d", r.Recipe, r.Scale, r.Seed)
	for _, part := range r.Parts {
		line += " --part " + part
	}
	return line
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
//
// Raster, beside the SVG of it, is what the page offers to explore: it can be
// zoomed, moved through and scrubbed. Without JavaScript and on paper the SVG
// stands in its place.
type Figure struct {
	SVG     []byte
	PNG     []byte
	Alt     string
	Caption string
	Raster  []figure.Layer
}

// Document is the figure's file: its PNG, or its SVG with Alt as its title and
// Caption as its description.
func (f Figure) Document() []byte {
	if len(f.PNG) > 0 {
		return f.PNG
	}
	return describe(f.SVG, f.Alt, f.Caption, "figure")
}

// Table is a table of text; columns that Right marks hold numbers. One of more
// than 24 rows is folded up on the screen; on a phone, the rows of one of more than
// four columns become cards, each value beside its column's name.
type Table struct {
	Caption string
	Head    []string
	Right   []bool
	Rows    [][]string
}

// Fact is a label and its value.
type Fact struct{ Label, Value string }

const (
	longTable   = 24 // rows above which a table is folded up
	narrowTable = 4  // columns that fit a phone
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
	//go:embed raster.js
	rasterScript string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":         func() template.CSS { return template.CSS(pageStyle) },
	"script":      func() template.JS { return template.JS(rasterScript) },
	"policy":      contentPolicy,
	"interactive": Page.interactive,
	"svg": func(f Figure, section, place int) template.HTML {
		return template.HTML(inlineSVG(describe(f.SVG, f.Alt, f.Caption, fmt.Sprintf("f%d-%d", section, place))))
	},
	"raster":     encodeRaster,
	"png":        func(b []byte) template.URL { return template.URL(pngURL + base64.StdEncoding.EncodeToString(b)) },
	"published":  func(r Result) string { return r.publishedText() },
	"bound":      func(r Result) string { return r.boundText() },
	"measured":   func(r Result) string { return r.measuredText() },
	"verdict":    func(r Result) string { return r.Verdict.text() },
	"basis":      func(r Result) string { return r.basisText() },
	"tally":      func(rs []Result) string { return Count(rs).String() },
	"fallsShort": func(rs []Result) bool { return Count(rs).NotMet > 0 },
	"met":        func(rs []Result) bool { t := Count(rs); return t.NotMet == 0 && t.Met > 0 },
	"wide":       func(f Fact) bool { return len(f.Value) > 40 },
	"metrics":    Metrics.table,
	"paragraphs": paragraphs,
	"right":      func(right []bool, i int) bool { return i < len(right) && right[i] },
	"folded":     func(t Table) bool { return len(t.Rows) > longTable },
	"cards":      func(t Table) bool { return len(t.Head) > narrowTable },
	"label": func(head []string, i int) string {
		if i < len(head) {
			return head[i]
		}
		return ""
	},
}).Parse(pageSource))

// contentPolicy forbids the page to load anything, and to run anything but its
// own script.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(rasterScript))
	return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (p Page) interactive() bool {
	return slices.ContainsFunc(p.Sections, func(s Section) bool {
		return slices.ContainsFunc(s.Figures, func(f Figure) bool { return len(f.Raster) > 0 })
	})
}

// table is the metrics by name.
func (m Metrics) table() Table {
	t := Table{Head: []string{"metric", "value"}, Right: []bool{false, true}}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value := missing
		if finite(m[name]) {
			value = rounded(m[name], "")
		}
		t.Rows = append(t.Rows, []string{name, value})
	}
	return t
}

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
	return []byte(sample.PrintableText(b.String())), nil
}

// File is a file of a report; its name is a path with slashes, relative to the
// report.
type File struct {
	Name    string
	Content []byte
}

// FigureFiles are the page's figures as files of their own, numbered in order.
func (p Page) FigureFiles() (files []File) {
	for _, s := range p.Sections {
		for _, f := range s.Figures {
			files = append(files, File{f.file(len(files) + 1), f.Document()})
		}
	}
	return files
}

// file is the name of the n-th figure's file.
func (f Figure) file(n int) string {
	extension := "svg"
	if len(f.PNG) > 0 {
		extension = "png"
	}
	words := strings.FieldsFunc(strings.ToLower(f.Alt), func(r rune) bool { return r < 'a' || r > 'z' })
	return fmt.Sprintf("figures/%02d-%s.%s", n, strings.Join(words[:min(4, len(words))], "-"), extension)
}

func (f Figure) check() error {
	switch {
	case strings.TrimSpace(f.Alt) == "":
		return errors.New("no alternative text; say in Alt what it shows")
	case (len(f.SVG) == 0) == (len(f.PNG) == 0):
		return fmt.Errorf("%d bytes of SVG and %d of PNG, want one of the two", len(f.SVG), len(f.PNG))
	case len(f.PNG) > 0 && !bytes.HasPrefix(f.PNG, []byte("\x89PNG\r\n\x1a\n")):
		return errors.New("the PNG lacks its signature")
	case len(f.Raster) > 0 && len(f.SVG) == 0:
		return errors.New("a raster without its SVG; draw one with figure.Raster")
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
