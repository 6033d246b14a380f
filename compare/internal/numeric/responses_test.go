package numeric

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// As many stimuli as a figure needs are enough, one fewer is an error, as is what is no number.
func TestCheckResponses(t *testing.T) {
	for _, c := range []struct {
		x    *mat.Dense
		want string
	}{
		{mat.NewDense(3, 2, nil), ""}, {mat.NewDense(4, 1, nil), ""},
		{mat.NewDense(2, 5, nil), "responses to 2 stimuli, want at least 3"},
		{nil, "no responses"}, {&mat.Dense{}, "no responses"},
		{mat.NewDense(3, 1, []float64{0, math.NaN(), 0}), "unit 0 of 1 to stimulus 1 is NaN"},
		{mat.NewDense(3, 1, []float64{0, 0, math.Inf(1)}), "stimulus 2 is +Inf"},
	} {
		if err := CheckResponses("Test", c.x, 3); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
