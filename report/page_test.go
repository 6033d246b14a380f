package report_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"synfire/report"
)

func html(t *testing.T, p report.Page) string {
	t.Helper()
	b, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func body(t *testing.T, p report.Page) string {
	t.Helper()
	_, b, _ := strings.Cut(html(t, p), "<body>")
	return b
}

// A page with every kind of section is one file that fetches nothing, can be
// read without its pictures, and can be sent by mail.
func TestPage(t *testing.T) {
	page := demoPage(t)
	got := html(t, page)
	if len(got) > 300_000 {
		t.Errorf("%d bytes, want at most 300,000", len(got))
	}
	loads := regexp.MustCompile(`(?i)\s(?:src|srcset|xlink:href|href|action|data|poster)\s*=\s*"([^"]*)"`)
	for _, m := range loads.FindAllStringSubmatch(got, -1) {
		inside := strings.HasPrefix(m[1], "data:image/png;base64,") || strings.HasPrefix(m[1], "#")
		if !inside && m[1] != page.Links[0].URL {
			t.Errorf("the page refers to %.80q", m[1])
		}
	}
	if n := strings.Count(got, "<script"); n != 2 {
		t.Errorf("%d scripts, want the raster's data and the page's own", n)
	}
	for _, bad := range []string{"<link", "<iframe", "<object", "@import", "@font-face", "url(http", "url(//", "ZgotmplZ"} {
		if strings.Contains(strings.ToLower(got), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if n := strings.Count(got, "https://") + strings.Count(got, "http://"); n != 1 {
		t.Errorf("%d addresses, want that of the link alone", n)
	}
	figures := 0
	for _, s := range page.Sections {
		for _, f := range s.Figures {
			figures++
			for _, w := range []string{`-title">` + f.Alt + `</title>`, `-desc">` + f.Caption + `</desc>`, "<figcaption>" + f.Caption} {
				if !strings.Contains(got, w) {
					t.Errorf("no %s", w)
				}
			}
		}
	}
	if n := strings.Count(got, "<figure>"); figures < 5 || n != figures || n != strings.Count(got, "<svg") {
		t.Errorf("%d figures, %d drawings, want %d", n, strings.Count(got, "<svg"), figures)
	}
	for _, w := range []string{
		"<h1>Spatio-temporal backpropagation on MNIST</h1>", `<span class="mark verdict not_met">1 of 4 claims met, 2 not met, 1 not tested</span>`,
		"paper, table 3 · n = 10,000", "mean of 3 seeds", "98.47 % is more than 0.3 % from 98.89 %", "gap &gt; 0 %",
		"<h2>Configuration</h2>", "kind: conv2d, out: 15", "<dt>seed</dt><dd>1</dd>", "<dt>peak memory</dt><dd>612.0 MiB</dd>",
		"synfire · recipe stbp, scale short", "synfire run stbp --scale short --seed 1</pre>", "<td>test_accuracy</td><td class=\"n\">99.31</td>", "<li>All figures of this page are made up.</li>",
	} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q", w)
		}
	}
	if got != html(t, demoPage(t)) {
		t.Error("equal input gave different pages")
	}
}

// All text is text, wherever it stands.
func TestPageEscapes(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	r := hostile()
	r.ID, r.Name, r.Unit, r.Source, r.Why, r.Verdict = evil, evil, evil, evil, evil, report.Verdict(evil)
	got := body(t, report.Page{
		Title: evil, Lead: evil, Claims: []report.Result{r}, Config: "</pre>" + evil,
		Links: []report.Link{{Text: evil, URL: "javascript:alert(1)"}, {Text: "b", URL: `https://x.org/"` + evil}, {Text: "c", URL: "data:text/html," + evil}},
		Facts: []report.Fact{{Label: evil, Value: evil}},
		Sections: []report.Section{{
			Title: evil, Text: evil + "\r\n\r\n" + evil,
			Figures: []report.Figure{{SVG: []byte(svg("")), Alt: evil, Caption: evil}, {PNG: []byte("\x89PNG\r\n\x1a\n"), Alt: evil, Caption: evil}},
			Tables:  []report.Table{{Caption: evil, Head: []string{evil}, Rows: [][]string{{evil}}}, {Caption: evil, Rows: make([][]string, 30)}},
		}},
	})
	for _, bad := range []string{"<script", "<img src=x", `"'>`, "javascript:", "data:text"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s stands in the page:\n%s", bad, got)
		}
	}
	if n := strings.Count(got, "&lt;script&gt;"); n < 20 {
		t.Errorf("the text is written %d times, want each of its places", n)
	}
}

// Long tables are folded up, short ones are not, and numbers stand right;
// paragraphs are parted by empty lines.
func TestPageTables(t *testing.T) {
	for _, c := range []struct {
		rows   int
		folded bool
	}{{24, false}, {25, true}} {
		tab := report.Table{Caption: "log", Head: []string{"epoch", "loss"}, Right: []bool{true}, Rows: slices.Repeat([][]string{{"1", "0.5"}}, c.rows)}
		got := body(t, report.Page{Sections: []report.Section{{Title: "s", Text: "one\n\ntwo\nstill two\n\n\n", Tables: []report.Table{tab}}}})
		if strings.Contains(got, "<details><summary>log, 25 rows</summary>") != c.folded || strings.Count(got, `<td class="n">1</td><td>0.5</td>`) != c.rows {
			t.Errorf("%d rows: folded %v\n%s", c.rows, !c.folded, got)
		}
		if !strings.Contains(got, "<p>one</p>\n<p>two\nstill two</p>\n") || strings.Count(got, "<p>") != 2 {
			t.Errorf("other paragraphs than one and two:\n%s", got)
		}
	}
}

// On a phone no table is cut: rows of many columns become cards, whose values stand
// beside their columns' names, and cells of few may break.
func TestTablesFitAPhone(t *testing.T) {
	wide := report.Table{Head: []string{"epoch", "loss", "training accuracy", "test <accuracy>", "time"}, Right: []bool{true}, Rows: [][]string{{"1", "0.5", "90 %", "91 %", "2 s", "beyond"}}}
	few := report.Table{Head: []string{"metric", "value"}, Rows: [][]string{{"a", "1"}}}
	got := body(t, report.Page{Sections: []report.Section{{Title: "s", Tables: []report.Table{wide, few}}}})
	for _, want := range []string{
		`<table class="cards">`, `<td class="n" data-label="epoch">1</td>`, `<td data-label="test &lt;accuracy&gt;">91 %</td>`, `<td data-label="">beyond</td>`,
		`<table class="narrow">`, `<td>a</td>`,
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q stands %d times in\n%s", want, strings.Count(got, want), got)
		}
	}
}

// What is unknown about a run is left out of its facts.
func TestFacts(t *testing.T) {
	r := report.Run{Run: "r", Scale: report.Smoke, Seed: 3, Commit: "abc", Dirty: true, Threads: 2, WallSeconds: 61}
	want := []report.Fact{{Label: "run", Value: "r"}, {Label: "scale", Value: "smoke"}, {Label: "seed", Value: "3"},
		{Label: "commit", Value: "abc, with uncommitted changes"}, {Label: "threads", Value: "2"}, {Label: "time", Value: "1 min 01 s"}}
	if got := r.Facts(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func svg(inside string) string {
	return `<?xml version="1.0"?>` + "\n" + `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">` + inside + `</svg>`
}

// Drawings are placed in the page as they are, so only what draws may pass.
func TestFigures(t *testing.T) {
	png := []byte("\x89PNG\r\n\x1a\nrest")
	for _, c := range []struct {
		f    report.Figure
		want string // of the error; empty where it must pass
	}{
		{report.Figure{Alt: "a", PNG: png}, ""},
		{report.Figure{Alt: "a", SVG: []byte(svg(`<defs><g id="x"/></defs><use href=" #x"/><image href="data:image/png;base64,AA=="/><path style="fill:url(#g)"/>`))}, ""},
		{report.Figure{Alt: " ", PNG: png}, "no alternative text"},
		{report.Figure{Alt: "a"}, "0 bytes of SVG and 0 of PNG"},
		{report.Figure{Alt: "a", PNG: png, SVG: []byte(svg(""))}, "want one of the two"},
		{report.Figure{Alt: "a", PNG: []byte("GIF89a")}, "lacks its signature"},
		{drawing("<svg>"), "not a well-formed document"},
		{drawing(""), "0 bytes of SVG"},
		{drawing("plain text"), "text outside"},
		{drawing("<html></html>"), "<html> at depth 1"},
		{drawing(svg("") + "<svg/>"), "want one <svg> around all else"},
		{drawing(svg("<svg/>")), "<svg> at depth 2"},
		{drawing("<!DOCTYPE svg>" + svg("")), "document type"},
		{drawing("before" + svg("")), "text outside"},
		{drawing(svg("<script>alert(1)</script>")), "element <script>"},
		{drawing(`<!--<svg onload="alert(1)">-->` + svg("")), "comment"},
		{drawing(svg("<!--><script>alert(1)</script>-->")), "comment"},
		{drawing(`<?xml version="1.0" a="<svg onload=alert(1)>"?>` + svg("")), "processing instruction"},
		{drawing(svg("<?x ><script>alert(1)</script>?>")), "processing instruction"},
		{drawing(svg("<title><![CDATA[><script>alert(1)</script>]]></title>")), "CDATA"},
		{drawing(`<s:svg xmlns:s="http://www.w3.org/2000/svg"></s:svg>`), "prefix"},
		{drawing(svg(`<rect xmlns="http://www.w3.org/1999/xhtml"/>`)), "another namespace"},
		{drawing(svg(`<rect style="position:fixed"/>`)), "style"},
		{drawing(svg(`<rect style="fill:image-set('http://x')"/>`)), "style"},
		{drawing(svg("<style>p{color:red}</style>")), "element <style>"},
		{drawing(svg("<foreignObject/>")), "element <foreignObject>"},
		{drawing(svg(`<a href="#x"/>`)), "element <a>"},
		{drawing(svg(`<animate attributeName="href"/>`)), "element <animate>"},
		{drawing(svg(`<g onclick="alert(1)"/>`)), "event handler onclick"},
		{drawing(svg(`<g ONLOAD="alert(1)"/>`)), "event handler ONLOAD"},
		{drawing(svg(`<image href="https://example.org/x.png"/>`)), "refers to"},
		{drawing(svg(`<image href=" //example.org/x.png"/>`)), "refers to"},
		{drawing(svg(`<image href="data:image/svg+xml;base64,AA=="/>`)), "refers to"},
		{drawing(svg(`<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="x.svg#y"/>`)), "refers to"},
		{drawing(svg(`<path fill="url(https://example.org/x)"/>`)), "refers outside itself"},
		{drawing(svg(`<path style="fill:URL( 'x' )"/>`)), "refers outside itself"},
		{drawing(svg(`<path style="fill:u\72l(x)"/>`)), "refers outside itself"},
	} {
		b, err := report.Page{Title: "t", Sections: []report.Section{{Title: "s", Figures: []report.Figure{c.f}}}}.HTML()
		if (err == nil) != (c.want == "") || (err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `report "t", section "s"`))) {
			t.Errorf("%s%s: %v, want %q", c.f.SVG, c.f.PNG, err, c.want)
		}
		if (err == nil) != bytes.Contains(b, []byte("<figure>")) {
			t.Errorf("%s: error %v and a page of %d bytes", c.f.SVG, err, len(b))
		}
	}
}

func drawing(doc string) report.Figure { return report.Figure{Alt: "a", SVG: []byte(doc)} }

// The Markdown page says what the HTML page says, and names the files of its
// figures.
func TestPageMarkdown(t *testing.T) {
	p := demoPage(t)
	got := string(p.Markdown())
	for _, f := range p.FigureFiles() {
		if !strings.Contains(got, "]("+f.Name+")") || len(f.Content) == 0 {
			t.Errorf("no figure %s of %d bytes", f.Name, len(f.Content))
		}
	}
	for _, w := range []string{
		"# Spatio-temporal backpropagation on MNIST\n\nThe network classifies 99.31 % of", "**1 of 4 claims met, 2 not met, 1 not tested**", report.ClaimsMarkdown(p.Claims), report.FactsMarkdown(p.Facts),
		"<https://example.org/paper>: The paper", "## Learning\n", "![Firing rates](figures/07-firing-rates.svg)\n\nA silent layer passes nothing on.\n",
		"| epoch | loss | train | test |\n|--:|--:|--:|--:|\n| 1 | 0.5200 |", "- All figures of this page are made up.", "| test\\_accuracy | 99.31 |",
		"    synfire run stbp --scale short --seed 1\n", "    seed: 1\n    steps: 8\n",
	} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
}

// One claim that is not met is enough for the head's mark.
func TestMarkOfOneVerdict(t *testing.T) {
	for verdict, want := range map[report.Verdict]string{report.NotMet: `"mark verdict not_met"`, report.Met: `"mark verdict met"`, report.NotTested: `"mark verdict"`} {
		r := hostile()
		r.Verdict = verdict
		if got := body(t, report.Page{Title: "t", Claims: []report.Result{r}}); !strings.Contains(got, want) {
			t.Errorf("%s: no %s", verdict, want)
		}
	}
}

// Files of figures are numbered, and end as what they are.
func TestNamesOfFigureFiles(t *testing.T) {
	p := report.Page{Sections: []report.Section{
		{Figures: []report.Figure{{Alt: "Loss of all epochs, drawn", SVG: []byte(svg(""))}}},
		{Figures: []report.Figure{{Alt: "Kernels", PNG: []byte("\x89PNG\r\n\x1a\nrest")}}},
	}}
	var names []string
	for _, f := range p.FigureFiles() {
		names = append(names, f.Name)
	}
	if want := []string{"figures/01-loss-of-all-epochs.svg", "figures/02-kernels.png"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}
