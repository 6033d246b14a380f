package all_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
)

// papers are the keys of the reading list; the recipes without a paper stand
// below.
var (
	papers = []string{
		"survey-2018", "rate-vs-temporal-2018", "bnn-ann", "superspike-2017", "eqprop-2017", "init-eqprop-2018", "spiking-eqprop-2019",
		"spikegrad-2020", "stbp-2019", "s4nn-2020", "spikenorm-2019", "spiking-resnet-2018", "stdb-2020", "rmp-2020", "spiking-yolo-2020",
		"idea-topk-eqprop", "idea-joint-ann-snn",
	}
	paperless = []string{"quickstart", "vgg-fast", "ordinary", "qcfs", "spoken-digits", "cultures", "waves"}
	word      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// What the list promises to users and scripts: names that are typed and stay,
// times for each scale, and claims that can be judged.
func TestRecipes(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range all.Recipes() {
		if !word.MatchString(r.ID) || ids[r.ID] {
			t.Errorf("recipe %q: its id is taken, or is not of small letters, digits and dashes", r.ID)
		}
		ids[r.ID] = true
		if r.Title == "" || r.Run == nil {
			t.Errorf("%s: title %q, run given: %v", r.ID, r.Title, r.Run != nil)
		}
		if known := slices.Contains(papers, r.Paper); !known && (r.Paper != "" || !slices.Contains(paperless, r.ID)) {
			t.Errorf("%s: paper %q is not on the reading list", r.ID, r.Paper)
		}
		checkMinutes(t, r)
		checkClaims(t, r)
		checkParts(t, r)
	}
	if !ids["quickstart"] {
		t.Error("no quickstart, the first thing to run")
	}
}

// checkMinutes wants the time of each scale, growing; smoke is for every change
// and takes seconds.
func checkMinutes(t *testing.T, r recipe.Recipe) {
	t.Helper()
	before := 0.0
	for _, s := range recipe.Scales {
		m, ok := r.Minutes[s]
		if !ok || m <= before {
			t.Errorf("%s: %v minutes at the %s scale, want more than %v", r.ID, m, s, before)
		}
		before = m
	}
	if r.Minutes[report.Smoke] > 1 || len(r.Minutes) != len(recipe.Scales) {
		t.Errorf("%s: minutes %v, want a time for smoke, short and full, and for smoke at most one", r.ID, r.Minutes)
	}
}

// checkParts wants each claim in a part, where there are some.
func checkParts(t *testing.T, r recipe.Recipe) {
	t.Helper()
	parts, tested := map[string]bool{}, map[string]bool{}
	for _, p := range r.Parts {
		if !word.MatchString(p.Name) || parts[p.Name] {
			t.Errorf("%s, part %q: its name is taken, or is not of small letters, digits and dashes", r.ID, p.Name)
		}
		parts[p.Name] = true
		for i, id := range p.Claims {
			if slices.Contains(p.Claims[:i], id) || !known(r, id) {
				t.Errorf("%s, part %s: claim %q is there twice, or there is none", r.ID, p.Name, id)
			}
			tested[id] = true
		}
	}
	for _, c := range r.Claims {
		if len(r.Parts) > 0 && !tested[c.ID] {
			t.Errorf("%s, claim %s: it is of no part", r.ID, c.ID)
		}
	}
}

// known reports whether a recipe has or had a claim.
func known(r recipe.Recipe, id string) bool {
	return slices.ContainsFunc(append(slices.Clone(r.Claims), r.Former...), func(c report.Claim) bool { return c.ID == id })
}

func checkClaims(t *testing.T, r recipe.Recipe) {
	t.Helper()
	if len(r.Claims) == 0 {
		t.Errorf("%s: no claims", r.ID)
	}
	taken := map[string]bool{}
	for _, c := range r.Claims {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
		if !word.MatchString(c.ID) || taken[c.ID] {
			t.Errorf("%s, claim %q: its id is taken, or is not of small letters, digits and dashes", r.ID, c.ID)
		}
		taken[c.ID] = true
		if c.Beside != "" && !known(r, c.Beside) {
			t.Errorf("%s, claim %s: it stands beside %q, which there is not", r.ID, c.ID, c.Beside)
		}
		if c.Source == "" {
			t.Errorf("%s, claim %s: no source", r.ID, c.ID)
		}
		if c.Bounds.Short == nil && c.Bounds.Full == nil {
			t.Errorf("%s, claim %s: neither short nor full can test it", r.ID, c.ID)
		}
		if c.Seeds.Short < 1 || c.Seeds.Full < 1 || c.Bounds.Smoke != nil && c.Seeds.Smoke < 1 {
			t.Errorf("%s, claim %s: seeds %+v, want at least one where there is a bound", r.ID, c.ID, c.Seeds)
		}
	}
}

// An outcome without measurements meets nothing and fails nothing, whatever
// the recipe: no claim passes by default.
func TestNothingMeasured(t *testing.T) {
	for _, r := range all.Recipes() {
		for _, s := range recipe.Scales {
			for _, got := range r.Judge(s, &recipe.Outcome{}) {
				if got.Verdict != report.NotTested || got.Why == "" {
					t.Errorf("%s at %s: claim %s is %s, %q", r.ID, s, got.ID, got.Verdict, got.Why)
				}
			}
		}
	}
}

// The rows of `synfire recipes --json` have the fields of the contract, all of
// them and no others.
func TestListing(t *testing.T) {
	type contract struct {
		ID, Paper, Title *string
		Scales           []struct {
			Name    string
			Minutes float64
		}
		Claims []struct {
			ID, Name, Unit, Source, Direction, Statistic *string
			Published                                    *float64
			Bounds                                       *struct{ Smoke, Short, Full *float64 }
			Seeds, N                                     map[string]int
			Stated, Beside, Note                         string
		}
		Parts []string
	}
	for _, r := range all.Recipes() {
		src, err := json.Marshal(r.Listing())
		if err != nil {
			t.Fatal(err)
		}
		var c contract
		d := json.NewDecoder(bytes.NewReader(src))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			t.Fatalf("%s: %v in %s", r.ID, err, src)
		}
		if c.ID == nil || *c.ID != r.ID || c.Paper == nil || c.Title == nil || len(c.Scales) != 3 || c.Scales[0].Name != "smoke" || len(c.Claims) != len(r.Claims) {
			t.Errorf("%s: %s", r.ID, src)
		}
		for i, k := range c.Claims {
			if k.ID == nil || *k.ID != r.Claims[i].ID || k.Name == nil || k.Unit == nil || k.Source == nil || k.Direction == nil || k.Statistic == nil || k.Bounds == nil {
				t.Errorf("%s: claim %d lacks a field in %s", r.ID, i, src)
			}
		}
		for _, field := range []string{`"published":`, `"smoke":`, `"short":`, `"full":`} {
			if !strings.Contains(string(src), field) {
				t.Errorf("%s: no field %s in %s", r.ID, field, src)
			}
		}
	}
}

// What a claim promises is pinned, line by line in testdata/claims.txt: direction,
// statistic, bounds, seeds and samples of short and full, the day. Former claims say when
// they ended and why.
func TestClaimsArePinned(t *testing.T) {
	var b strings.Builder
	for _, r := range all.Recipes() {
		for _, c := range r.Claims {
			fmt.Fprintf(&b, "%s/%s %s %s", r.ID, c.ID, c.Direction, c.Statistic)
			for _, s := range recipe.Scales {
				if v := c.Bounds.At(s); v != nil {
					fmt.Fprintf(&b, " %s:%v,seeds=%d,n=%d", s, *v, c.Seeds.At(s), c.N.At(s))
				}
			}
			fmt.Fprintln(&b, " "+c.Stated)
		}
		for _, c := range r.Former {
			if c.Stated == "" || c.Note == "" || c.Validate() != nil {
				t.Errorf("%s, former claim %s: stated %q, note %q, %v", r.ID, c.ID, c.Stated, c.Note, c.Validate())
			}
		}
	}
	want, err := os.ReadFile("testdata/claims.txt")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the claims are\n%s\nand were pinned as\n%s", &b, want)
	}
}
