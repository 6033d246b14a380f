package report

import (
	"fmt"
	"strings"

	"synfire/sample"
)

// ClaimsMarkdown is the table of claims as GitHub-flavoured Markdown, with a
// line for each reason below it.
func ClaimsMarkdown(results []Result) string {
	var b strings.Builder
	b.WriteString("| claim | published | bound | measured | verdict |\n")
	b.WriteString("|---|--:|--:|--:|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", markdownText(r.Name), markdownText(r.publishedText()),
			markdownText(r.boundText()), markdownText(r.measuredText()), r.Verdict.text())
	}
	reason := "\n"
	for _, r := range results {
		if r.Why != "" {
			fmt.Fprintf(&b, "%s- %s: %s, %s\n", reason, markdownText(r.Name), r.Verdict.text(), markdownText(r.Why))
			reason = ""
		}
	}
	return b.String()
}

// FactsMarkdown is a table of labels and values as GitHub-flavoured Markdown.
func FactsMarkdown(facts []Fact) string {
	var b strings.Builder
	b.WriteString("| | |\n|---|---|\n")
	for _, f := range facts {
		fmt.Fprintf(&b, "| %s | %s |\n", markdownText(f.Label), markdownText(f.Value))
	}
	return b.String()
}

// Markdown is the page as GitHub-flavoured Markdown, to stand beside the files of
// FigureFiles.
func (p Page) Markdown() []byte {
	var b strings.Builder
	heading := func(level int, text string) {
		fmt.Fprintf(&b, "%s %s\n\n", strings.Repeat("#", level), markdownText(text))
	}
	heading(1, p.Title)
	for _, text := range paragraphs(p.Lead) {
		fmt.Fprintf(&b, "%s\n\n", markdownText(text))
	}
	for _, l := range p.Links {
		fmt.Fprintf(&b, "<%s>: %s\n\n", strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20").Replace(oneLine(l.URL)), markdownText(l.Text))
	}
	if len(p.Claims) > 0 {
		fmt.Fprintf(&b, "**%s**\n\n%s\n", Count(p.Claims), ClaimsMarkdown(p.Claims))
	}
	if len(p.Facts) > 0 {
		b.WriteString(FactsMarkdown(p.Facts) + "\n")
	}
	figures := 0
	for _, s := range p.Sections {
		heading(2, s.Title)
		for _, text := range paragraphs(s.Text) {
			fmt.Fprintf(&b, "%s\n\n", markdownText(text))
		}
		for _, f := range s.Figures {
			figures++
			fmt.Fprintf(&b, "![%s](%s)\n\n%s\n\n", markdownText(f.Alt), f.file(figures), markdownText(f.Caption))
		}
		for _, t := range s.Tables {
			b.WriteString(t.markdown() + "\n")
		}
	}
	if len(p.Notes) > 0 {
		heading(2, "Notes")
		for _, n := range p.Notes {
			fmt.Fprintf(&b, "- %s\n", markdownText(n))
		}
		b.WriteByte('\n')
	}
	if len(p.Metrics) > 0 {
		heading(2, "Metrics")
		b.WriteString(p.Metrics.table().markdown() + "\n")
	}
	if p.Reproduce != "" {
		heading(2, "How to reproduce")
		b.WriteString(indented(p.Reproduce) + "\n")
	}
	if p.Config != "" {
		heading(2, "Configuration")
		b.WriteString(indented(p.Config))
	}
	return []byte(sample.PrintableText(strings.TrimRight(b.String(), "\n") + "\n"))
}

func (t Table) markdown() string {
	var b strings.Builder
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(&b, "| %s ", markdownText(c))
		}
		b.WriteString("|\n")
	}
	if t.Caption != "" {
		fmt.Fprintf(&b, "%s\n\n", markdownText(t.Caption))
	}
	row(t.Head)
	for i := range t.Head {
		if i < len(t.Right) && t.Right[i] {
			b.WriteString("|--:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for _, cells := range t.Rows {
		row(cells)
	}
	return b.String()
}

// indented is text as a block of code.
func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "~", `\~`)

// markdownText keeps text on one line and literal inside a table cell.
func markdownText(s string) string { return markdownEscapes.Replace(oneLine(s)) }
