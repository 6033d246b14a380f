package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"synfire/docs"
	"synfire/recipe"
	"synfire/report"
)

type papersCmd struct {
	Key  string `arg:"" optional:"" help:"Key of one paper, to show it with its method."`
	JSON bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (papersCmd) Help() string {
	return `A paper "works" when each claim of its recipes is met by a kept result of the
full scale, or of the short one where full has no bound of its own, and no kept
result has one that is not met. It is "partial" when something is missing, and
"planned" when it has no recipe. What can't be tested here is listed beside.`
}

// Run prints the reading list, or one paper of it.
func (c *papersCmd) Run(a *app) error {
	papers, err := docs.Papers()
	if err != nil {
		return err
	}
	runs, err := docs.Results()
	if err != nil {
		return err
	}
	return c.print(a, papers, a.Recipes, runs)
}

func (c *papersCmd) print(a *app, papers []docs.Paper, recipes []recipe.Recipe, runs []report.Run) error {
	if c.Key != "" {
		i, err := choose("papers", "paper", c.Key, names(papers, func(p docs.Paper) string { return p.Key }))
		if err != nil {
			return usageError{err}
		}
		papers = papers[i : i+1]
	}
	list := make([]docs.Listing, len(papers))
	for i, p := range papers {
		list[i] = p.Listing(recipes, runs)
	}
	switch {
	case c.JSON:
		return json.NewEncoder(a.out).Encode(list)
	case c.Key != "":
		return a.paper(papers[0], list[0], recipes, runs)
	}
	return a.readingList(papers, list)
}

// readingList prints a block for each paper, and how many work.
func (a *app) readingList(papers []docs.Paper, list []docs.Listing) error {
	count := map[docs.Status]int{}
	for i, p := range papers {
		l := list[i]
		count[l.Status]++
		fmt.Fprintf(a.out, "%s%s%s\n", a.style(bold, p.Key), strings.Repeat(" ", max(1, 24-len(p.Key))), a.colored(l.Status))
		a.paragraph(2, p.Title)
		a.paragraph(2, p.Citation())
		a.paragraph(4, p.Claim)
		for _, id := range l.Recipes {
			fmt.Fprintf(a.out, "    > synfire run %s\n", id)
		}
		if l.Missing != "" {
			a.paragraph(4, "missing: "+l.Missing)
		}
		fmt.Fprintln(a.out)
	}
	_, err := fmt.Fprintf(a.out, "%d entries: %d work, %d partial, %d planned.\nOne with its method: synfire papers KEY\n",
		len(papers), count[docs.Works], count[docs.Partial], count[docs.Planned])
	return err
}

// paper prints one paper with its method and its kept results.
func (a *app) paper(p docs.Paper, l docs.Listing, recipes []recipe.Recipe, runs []report.Run) error {
	a.paragraph(0, a.style(bold, p.Title))
	a.paragraph(0, p.Citation())
	if p.Link != "" {
		fmt.Fprintln(a.out, p.Link)
	}
	fmt.Fprintf(a.out, "\n%s\n", a.style(bold, "What it claims"))
	a.paragraph(2, p.Claim)
	fmt.Fprintf(a.out, "\n%s\n", a.style(bold, "How it works"))
	a.paragraph(2, p.Method)
	fmt.Fprintf(a.out, "\n%s  %s\n", a.style(bold, "Here"), a.colored(l.Status))
	if l.Missing != "" {
		a.paragraph(2, "Missing: "+l.Missing)
	}
	for _, u := range l.Untested {
		a.paragraph(2, "Can't be tested here: "+u.What+": "+u.Why)
	}
	for _, r := range recipes {
		if !slices.Contains(l.Recipes, r.ID) {
			continue
		}
		fmt.Fprintf(a.out, "\n  synfire run %s\n", r.ID)
		a.paragraph(4, r.Title)
		for _, s := range r.Listing().Scales {
			fmt.Fprintf(a.out, "    --scale %-6s about %s\n", s.Name, report.Seconds(60*s.Minutes))
		}
		for _, kept := range runs {
			if kept.Recipe == r.ID {
				fmt.Fprintf(a.out, "\n    kept result, scale %s, seed %d, %s:\n", kept.Scale, kept.Seed, report.Seconds(kept.WallSeconds))
				var table strings.Builder
				if err := kept.WriteTerminal(&table, a.width-4, a.color); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(table.String()), "\n", "\n    "))
			}
		}
	}
	return nil
}

// colored is a status in its colour.
func (a *app) colored(s docs.Status) string {
	return a.style(map[docs.Status]string{docs.Works: green, docs.Partial: yellow, docs.Planned: dim}[s], string(s))
}
