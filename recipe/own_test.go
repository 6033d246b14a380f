package recipe_test

import (
	"slices"
	"strings"
	"testing"

	"synfire/internal/machine"
	"synfire/recipe"
	"synfire/train"
)

// A run that needs all memory fits; a byte more does not, and what to try depends
// on what takes it.
func TestFits(t *testing.T) {
	have := machine.Memory()
	if have == 0 {
		t.Skip("the machine's memory is not known")
	}
	for _, c := range []struct {
		plan train.Plan
		want string
	}{
		{train.Plan{Train: 1}, ""},
		{train.Plan{Train: have}, ""},
		{train.Plan{Train: have + 1}, "try a smaller batch than 7"},
		{train.Plan{Train: have + 1, Least: have}, "or memory: "},
		{train.Plan{Train: have + 1, Least: have + 1}, "try a smaller batch than 7"},
		{train.Plan{Train: 3 * have, Weights: have + 1}, "smaller layers"},
	} {
		err := recipe.Fits(c.plan, 7)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.plan, err, c.want)
		}
	}
}

// Jobs of several seeds have one name.
func TestNamesOfJobs(t *testing.T) {
	s := &recipe.Study{Jobs: []*recipe.Trained{{Name: "b"}, {Name: "a"}, {Name: "b"}}}
	if got := s.Names(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("names %q", got)
	}
}
