package report

import (
	"fmt"
	"strings"
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

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "~", `\~`)

// markdownText keeps text on one line and literal inside a table cell.
func markdownText(s string) string { return markdownEscapes.Replace(oneLine(s)) }
