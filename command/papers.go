package command

import (
	"encoding/json"

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
		return a.Paper(papers[0], list[0], recipes, runs)
	}
	return a.ReadingList(papers, list)
}
