package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The terminal's colours, by their standard codes so that they follow the
// reader's own theme.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

const (
	columnGap = 2
	minName   = 16 // columns for a claim's name on the narrowest terminal
)

// WriteTerminal writes the table of claims, or of a run without claims what its result is
// and its figures, and as the last line the run's name and verdict. No line of the table is wider than width columns, unless width is less than
// what the figures take beside 16 columns for the claim's name; 80 to 100 reads
// best. With color it uses ANSI codes. A character counts as one column.
func (r Run) WriteTerminal(w io.Writer, width int, color bool) error {
	var b strings.Builder
	p := printer{&b, color}
	if len(r.Claims) > 0 {
		p.table(r.Claims, width)
		b.WriteByte('\n')
	} else {
		p.figures(r)
	}
	style := green
	switch {
	case !r.Met():
		style = red
	case Count(r.Claims).Met == 0:
		style = ""
	}
	p.styled(style, r.Verdict())
	b.WriteByte('\n')
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the claims of run %s: %w", r.Run, err)
	}
	return nil
}

// figures writes what a run without claims came to.
func (p printer) figures(r Run) {
	names := slices.Sorted(maps.Keys(r.Metrics))
	wide := len("result")
	for _, name := range names {
		wide = max(wide, columns(oneLine(name)))
	}
	row := func(name, text string) {
		fmt.Fprintf(p, "%s%s  %s\n", name, strings.Repeat(" ", wide-columns(name)), text)
	}
	if r.Result != "" {
		row("result", "the model of "+oneLine(r.Result))
	}
	for _, name := range names {
		row(oneLine(name), fmt.Sprintf("%.6g", r.Metrics[name]))
	}
	if r.Result != "" || len(names) > 0 {
		p.WriteByte('\n')
	}
}

type printer struct {
	*strings.Builder
	color bool
}

func (p printer) styled(style, text string) {
	if !p.color || style == "" {
		p.WriteString(text)
		return
	}
	p.WriteString(style + text + plain)
}

// table writes one line a claim, more where its name wraps, and below it the
// reason where the claim is not met or not tested.
func (p printer) table(results []Result, width int) {
	rows := [][5]string{{"claim", "published", "bound", "measured", "verdict"}}
	for _, r := range results {
		rows = append(rows, [5]string{oneLine(r.Name), r.publishedText(), r.boundText(), r.measuredText(), r.Verdict.text()})
	}
	var wide [5]int
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], columns(cell))
		}
	}
	figures := wide[1] + wide[2] + wide[3] + wide[4] + 4*columnGap
	wide[0] = max(minName, min(wide[0], width-figures))

	for i, row := range rows {
		if i == 0 {
			p.row(row, wide, bold, bold)
			continue
		}
		r := results[i-1]
		p.row(row, wide, "", r.Verdict.style())
		for _, line := range wrap(oneLine(r.Why), max(width, wide[0]+figures)-2) {
			p.WriteString("  ")
			p.styled(dim, line)
			p.WriteByte('\n')
		}
	}
}

func (p printer) row(cells [5]string, wide [5]int, style, verdictStyle string) {
	names := wrap(cells[0], wide[0])
	if names == nil {
		names = []string{""}
	}
	for i, name := range names {
		p.styled(style, name)
		if i == 0 {
			p.WriteString(strings.Repeat(" ", wide[0]-columns(name)))
			for c := 1; c <= 3; c++ {
				p.WriteString(strings.Repeat(" ", columnGap+wide[c]-columns(cells[c])))
				p.styled(style, cells[c])
			}
			p.WriteString(strings.Repeat(" ", columnGap))
			p.styled(verdictStyle, cells[4])
		}
		p.WriteByte('\n')
	}
}

func (v Verdict) style() string {
	switch v {
	case Met:
		return green
	case NotTested:
		return yellow
	}
	return red
}

func columns(s string) int { return utf8.RuneCountInString(s) }

// oneLine turns every run of white space into one space and drops control
// characters, so that no text can move the cursor.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}

// wrap breaks text between words into lines of at most width columns, and
// within a word that is longer than that. Empty text has no lines.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && columns(line)+1+columns(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for columns(word) > width {
			r := []rune(word)
			lines = append(lines, string(r[:width]))
			word = string(r[width:])
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
