package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"synfire/recipe"
	"synfire/report"
)

// filled writes the blocks of a kind anew: what stands between <!-- KIND: ID --> and
// <!-- /KIND -->.
func filled(page, kind string, block func(id string) string) string {
	marked := regexp.MustCompile(`(?s)<!-- ` + kind + `: ([a-z0-9-]+) -->\n.*?<!-- /` + kind + ` -->`)
	return marked.ReplaceAllStringFunc(page, func(old string) string {
		id := marked.FindStringSubmatch(old)[1]
		return fmt.Sprintf("<!-- %s: %s -->\n%s<!-- /%s -->", kind, id, block(id), kind)
	})
}

// FillClaims writes how the claims of a recipe are stated, between <!-- claims: ID --> and
// <!-- /claims -->: their statistic, seeds and samples, the day, and the note.
func FillClaims(page string, recipes []recipe.Recipe) string {
	return filled(page, "claims", func(id string) string {
		i := slices.IndexFunc(recipes, func(r recipe.Recipe) bool { return r.ID == id })
		if i < 0 {
			return "\nThere is no such recipe.\n\n"
		}
		return statements(recipes[i])
	})
}

func statements(r recipe.Recipe) string {
	var b strings.Builder
	b.WriteString("\nHow the claims are stated:\n\n")
	for _, c := range r.Claims {
		fmt.Fprintf(&b, "- `%s`: %s", c.ID, measure(c))
		if c.Stated != "" {
			fmt.Fprintf(&b, "; stated %s", c.Stated)
		}
		if c.Beside != "" {
			fmt.Fprintf(&b, " beside `%s`", c.Beside)
		}
		fmt.Fprintf(&b, ".%s\n", orNothing(" ", c.Note))
	}
	for i, c := range r.Former {
		if i == 0 {
			b.WriteString("\nNo longer judged:\n\n")
		}
		fmt.Fprintf(&b, "- `%s` (%s), since %s. %s\n", c.ID, c.Name, c.Stated, c.Note)
	}
	return b.String() + "\n"
}

// measure is what is compared with the bound, by scale.
func measure(c report.Claim) string {
	var scales []string
	for _, s := range []report.Scale{report.Short, report.Full} {
		if c.Bounds.At(s) == nil {
			continue
		}
		n := ""
		if c.N.At(s) > 0 {
			n = " of n = " + report.Integer(int64(c.N.At(s)))
		}
		scales = append(scales, fmt.Sprintf("%s %s%s", s, plural(c.Seeds.At(s), "seed"), n))
	}
	what := string(c.Statistic)
	if c.Direction == report.Order {
		what = "smallest gap"
	}
	return what + ", " + strings.Join(scales, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// FillEarlier writes the results of a recipe that newer ones took the place of, between
// <!-- earlier: ID --> and <!-- /earlier -->.
func FillEarlier(page string, earlier []report.Run) string {
	return filled(page, "earlier", func(id string) string { return Table(id, earlier) })
}

var hashBlock = regexp.MustCompile(`(?s)<!-- hashes -->\n.*?<!-- /hashes -->`)

// FillHashes writes which sums of weights were seen on which processors, between
// <!-- hashes --> and <!-- /hashes -->.
func FillHashes(page string, runs []report.Run) string {
	return hashBlock.ReplaceAllLiteralString(page, "<!-- hashes -->\n"+hashes(runs)+"<!-- /hashes -->")
}

// unnamed is a processor of a result that has its name alone, which many models share.
const unnamed = "a model that was not recorded"

func hashes(runs []report.Run) string {
	type seen struct {
		title, sum string
		on         []string // processors, each once
	}
	var list []seen
	for _, r := range runs {
		if r.WeightsSHA256 == "" {
			continue
		}
		title := fmt.Sprintf("%s, %s%s, seed %d", r.Recipe, r.Scale, of(r), r.Seed)
		i := slices.IndexFunc(list, func(s seen) bool { return s.title == title && s.sum == r.WeightsSHA256 })
		if i < 0 {
			i, list = len(list), append(list, seen{title: title, sum: r.WeightsSHA256})
		}
		cpu := r.CPU + ", " + r.Kernel
		if !strings.Contains(r.CPU, ",") {
			cpu = fmt.Sprintf("%s (%s)", unnamed, cpu)
		}
		if !slices.Contains(list[i].on, cpu) {
			list[i].on = append(list[i].on, cpu)
		}
	}
	slices.SortStableFunc(list, func(a, b seen) int { return strings.Compare(a.title, b.title) })
	var b strings.Builder
	b.WriteString("\n| result | sum of weights | models | seen on |\n|---|---|--:|---|\n")
	for _, s := range list {
		models := 0
		for _, cpu := range s.on {
			if !strings.HasPrefix(cpu, unnamed) {
				models++
			}
		}
		fmt.Fprintf(&b, "| %s | %.12s | %d | %s |\n", s.title, s.sum, models, strings.Join(s.on, "; "))
	}
	return b.String() + "\n"
}
