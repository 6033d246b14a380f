package docs

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"synfire/format/yaml"
	"synfire/recipe"
	"synfire/report"
)

//go:embed reading.yaml
var readingList []byte

// Paper is an entry of the reading list.
type Paper struct {
	Key     string   `yaml:"key,required"`
	Title   string   `yaml:"title,required"`
	Authors string   `yaml:"authors,required"` // family names
	Year    *int     `yaml:"year"`             // of the first version; nil where there is none
	Link    string   `yaml:"link"`
	Venue   string   `yaml:"venue"`
	Claim   string   `yaml:"claim,required"`
	Method  string   `yaml:"method,required"` // its equations in words
	Recipes []string `yaml:"recipes"`         // that reproduce it, built or not
	Needs   string   `yaml:"needs"`           // what has to be built first
	// Untested are figures and statements of the paper that can't be tested here.
	Untested []Untested `yaml:"untested"`
}

// Untested is what a paper has and two cores can't test, with the reason.
type Untested struct {
	What string `yaml:"what,required" json:"what"`
	Why  string `yaml:"why,required" json:"why"`
}

// Status says how far a paper is reproduced.
type Status string

// The statuses. A paper works when each claim of each of its recipes, as it is stated
// now, is tested and met by a kept result: at the full scale, or at the short one where
// full has no bound of its own; and when no kept result has one that is not met. What
// can't be tested here is listed beside. A paper is planned when it has no recipe, and
// partial else.
const (
	Works   Status = "works"
	Partial Status = "partial"
	Planned Status = "planned"
)

// Listing is a paper as `synfire papers --json` lists it.
type Listing struct {
	Key     string   `json:"key"`
	Title   string   `json:"title"`
	Authors string   `json:"authors"`
	Year    *int     `json:"year"`
	Link    string   `json:"link"`
	Recipes []string `json:"recipes"` // that can be run
	Status  Status   `json:"status"`
	Missing string   `json:"missing"`

	Untested []Untested `json:"untested"` // can't be tested here
}

// Papers is the reading list in its order.
func Papers() ([]Paper, error) {
	var list struct {
		Papers []Paper `yaml:"papers,required"`
	}
	if err := yaml.Decode("reading.yaml", readingList, &list, nil); err != nil {
		return nil, fmt.Errorf("read the reading list: %w", err)
	}
	return list.Papers, nil
}

// Listing judges how far the recipes reproduce the paper, by the kept results.
func (p Paper) Listing(recipes []recipe.Recipe, runs []report.Run) Listing {
	l := Listing{Key: p.Key, Title: p.Title, Authors: p.Authors, Year: p.Year, Link: p.Link, Recipes: []string{}, Status: Planned, Untested: append([]Untested{}, p.Untested...)}
	var missing []string
	for _, id := range p.Recipes {
		if !slices.ContainsFunc(recipes, func(r recipe.Recipe) bool { return r.ID == id }) {
			missing = append(missing, "recipe "+id)
		}
	}
	for _, r := range recipes {
		if r.Paper == p.Key || slices.Contains(p.Recipes, r.ID) {
			l.Recipes = append(l.Recipes, r.ID)
			missing = append(missing, shortfalls(r, runs)...)
		}
	}
	if p.Needs != "" {
		missing = append(missing, p.Needs)
	}
	if len(l.Recipes) > 0 {
		l.Status = Works
		if len(missing) > 0 {
			l.Status = Partial
		}
	}
	l.Missing = strings.Join(missing, "; ")
	return l
}

// shortfalls is what keeps a recipe from counting as reproduced: whatever a kept result
// did not meet, by a former statement too, then the claims that none tests where they have
// to be.
func shortfalls(r recipe.Recipe, runs []report.Run) (missing []string) {
	if len(r.Claims) == 0 {
		return []string{"a claim of " + r.ID}
	}
	for _, run := range runs {
		for _, c := range run.Claims {
			if run.Recipe == r.ID && run.Scale != report.Smoke && c.Verdict == report.NotMet {
				missing = append(missing, fmt.Sprintf("%s [%s] at scale %s is not met: %s", r.ID, c.ID, run.Scale, c.Why))
			}
		}
	}
	decisive, untested := map[report.Scale]int{}, map[report.Scale][]string{}
	for _, c := range r.Claims {
		scale := decides(c)
		decisive[scale]++
		if !slices.ContainsFunc(runs, func(run report.Run) bool { return run.Scale == scale && tests(run, r.ID, c) }) {
			untested[scale] = append(untested[scale], "["+c.ID+"]")
		}
	}
	for _, scale := range recipe.Scales {
		switch n := len(untested[scale]); {
		case n == 0:
		case n == decisive[scale]:
			missing = append(missing, fmt.Sprintf("a kept result of %s at scale %s that tests its claims", r.ID, scale))
		default:
			missing = append(missing, fmt.Sprintf("a kept result of %s at scale %s that tests %s", r.ID, scale, strings.Join(untested[scale], ", ")))
		}
	}
	return missing
}

// decides is the scale at which a claim has to be met.
func decides(c report.Claim) report.Scale {
	for _, scale := range []report.Scale{report.Full, report.Short} {
		if c.Bounds.At(scale) != nil {
			return scale
		}
	}
	return report.Full
}

// tests reports whether a run of a recipe tested a claim as it is stated now.
func tests(run report.Run, id string, c report.Claim) bool {
	return run.Recipe == id && slices.ContainsFunc(run.Claims, func(r report.Result) bool {
		return r.Verdict != report.NotTested && judged(r, c, run.Scale)
	})
}

// Citation is the paper in one line: authors, year and where it appeared.
func (p Paper) Citation() string {
	s := p.Authors
	if p.Year != nil {
		s += fmt.Sprintf(", %d", *p.Year)
	}
	if p.Venue != "" {
		s += ". " + p.Venue
	}
	return s
}

var (
	paperBlock = regexp.MustCompile(`(?s)<!-- paper: [a-z0-9-]+ -->\n.*?<!-- /paper -->`)
	heading    = regexp.MustCompile(`(?m)^# .*\n`)
)

// FillPaper writes the head of a paper's page anew, between the comments
// <!-- paper: KEY --> and <!-- /paper -->; a page without them gets it behind
// its heading.
func FillPaper(page string, p Paper, recipes []recipe.Recipe, runs []report.Run) string {
	block := p.head(p.Listing(recipes, runs))
	if paperBlock.MatchString(page) {
		return paperBlock.ReplaceAllLiteralString(page, block)
	}
	at := heading.FindStringIndex(page)
	if at == nil {
		return "# " + p.Title + "\n\n" + block + "\n" + page
	}
	return page[:at[1]] + "\n" + block + "\n" + page[at[1]:]
}

func (p Paper) head(l Listing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- paper: %s -->\n\n", p.Key)
	title := p.Title
	if p.Link != "" {
		title = fmt.Sprintf("[%s](%s)", p.Title, p.Link)
	}
	fmt.Fprintf(&b, "%s %s. Status: **%s**%s.\n\n", sentence(title), p.Citation(), l.Status, orNothing(", missing: ", l.Missing))
	fmt.Fprintf(&b, "*What it claims.* %s\n\n*How it works.* %s\n", p.Claim, p.Method)
	for i, u := range l.Untested {
		if i == 0 {
			b.WriteString("\nWhat can't be tested here:\n\n")
		}
		fmt.Fprintf(&b, "- %s: %s\n", u.What, u.Why)
	}
	for _, id := range l.Recipes {
		fmt.Fprintf(&b, "\n    synfire run %s", id)
	}
	if len(l.Recipes) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("\n<!-- /paper -->")
	return b.String()
}

// sentence ends s with a full stop, unless it ends with a question.
func sentence(s string) string {
	if strings.HasSuffix(s, "?") || strings.Contains(s, "?](") {
		return s
	}
	return s + "."
}

func orNothing(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

// PaperIndex is docs/papers/README.md: the reading list as a table, with a
// link for each paper in pages, the keys that have a page of their own.
func PaperIndex(papers []Paper, recipes []recipe.Recipe, runs []report.Run, pages []string) string {
	var b strings.Builder
	b.WriteString("# The reading list\n\nWritten by `go generate .` from docs/reading.yaml, the recipes and the kept results;\n`synfire papers` prints the same, `synfire papers KEY` one of them with its method.\n\n")
	b.WriteString("| key | paper | status | recipes | missing |\n|---|---|---|---|---|\n")
	for _, p := range papers {
		l := p.Listing(recipes, runs)
		name := p.Key
		if slices.Contains(pages, p.Key) {
			name = fmt.Sprintf("[%s](%s.md)", p.Key, p.Key)
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s | %s |\n", name, sentence(p.Title), p.Citation(), l.Status, strings.Join(l.Recipes, ", "), strings.ReplaceAll(l.Missing, "|", "\\|"))
	}
	return b.String()
}
