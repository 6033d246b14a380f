package view

import (
	"fmt"
	"slices"
	"strings"

	"synfire/docs"
	"synfire/recipe"
	"synfire/report"
)

// ReadingList prints a block for each paper, and how many work.
func (s Screen) ReadingList(papers []docs.Paper, list []docs.Listing) error {
	count := map[docs.Status]int{}
	for i, p := range papers {
		l := list[i]
		count[l.Status]++
		fmt.Fprintf(s.Out, "%s%s%s\n", s.Style(Bold, p.Key), strings.Repeat(" ", max(1, 24-len(p.Key))), s.colored(l.Status))
		s.Paragraph(2, p.Title)
		s.Paragraph(2, p.Citation())
		s.Paragraph(4, p.Claim)
		for _, id := range l.Recipes {
			fmt.Fprintf(s.Out, "    > synfire run %s\n", id)
		}
		if l.Missing != "" {
			s.Paragraph(4, "missing: "+l.Missing)
		}
		fmt.Fprintln(s.Out)
	}
	_, err := fmt.Fprintf(s.Out, "%d entries: %d work, %d partial, %d planned.\nOne with its method: synfire papers KEY\n",
		len(papers), count[docs.Works], count[docs.Partial], count[docs.Planned])
	return err
}

// Paper prints one paper with its method and its kept results.
func (s Screen) Paper(p docs.Paper, l docs.Listing, recipes []recipe.Recipe, runs []report.Run) error {
	s.Paragraph(0, s.Style(Bold, p.Title))
	s.Paragraph(0, p.Citation())
	if p.Link != "" {
		fmt.Fprintln(s.Out, p.Link)
	}
	fmt.Fprintf(s.Out, "\n%s\n", s.Style(Bold, "What it claims"))
	s.Paragraph(2, p.Claim)
	fmt.Fprintf(s.Out, "\n%s\n", s.Style(Bold, "How it works"))
	s.Paragraph(2, p.Method)
	fmt.Fprintf(s.Out, "\n%s  %s\n", s.Style(Bold, "Here"), s.colored(l.Status))
	if l.Missing != "" {
		s.Paragraph(2, "Missing: "+l.Missing)
	}
	for _, u := range l.Untested {
		s.Paragraph(2, "Can't be tested here: "+u.What+": "+u.Why)
	}
	for _, r := range recipes {
		if !slices.Contains(l.Recipes, r.ID) {
			continue
		}
		fmt.Fprintf(s.Out, "\n  synfire run %s\n", r.ID)
		s.Paragraph(4, r.Title)
		for _, scale := range r.Listing().Scales {
			fmt.Fprintf(s.Out, "    --scale %-6s about %s\n", scale.Name, report.Seconds(60*scale.Minutes))
		}
		for _, kept := range runs {
			if kept.Recipe == r.ID {
				fmt.Fprintf(s.Out, "\n    kept result, scale %s, seed %d, %s:\n", kept.Scale, kept.Seed, report.Seconds(kept.WallSeconds))
				var table strings.Builder
				if err := kept.WriteTerminal(&table, s.Width-4, s.Color); err != nil {
					return err
				}
				fmt.Fprintf(s.Out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(table.String()), "\n", "\n    "))
			}
		}
	}
	return nil
}

// colored is a status in its colour.
func (s Screen) colored(is docs.Status) string {
	return s.Style(map[docs.Status]string{docs.Works: Green, docs.Partial: Yellow, docs.Planned: Dim}[is], string(is))
}
