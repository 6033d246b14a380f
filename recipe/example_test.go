package recipe_test

import (
	"context"
	"fmt"

	"synfire/recipe"
	"synfire/report"
)

// A recipe is a run and the claims that it is judged by.
func Example() {
	bound := 97.5
	coin := recipe.Recipe{
		ID: "coin", Title: "A coin that falls on one side",
		Minutes: map[report.Scale]float64{report.Short: 0.1},
		Claims: []report.Claim{{
			ID: "heads", Name: "heads", Unit: "%", Source: "no paper", Direction: report.AtLeast, Statistic: report.Median,
			Bounds: report.Bounds{Short: &bound},
		}},
		Run: func(_ context.Context, e *recipe.Env) (*recipe.Outcome, error) {
			share := 90 + float64(e.Seed)
			return &recipe.Outcome{Measured: map[string]report.Measurement{"heads": {Values: []float64{share}, N: 100}}}, nil
		},
	}
	for _, seed := range []uint64{1, 8} {
		outcome, err := coin.Run(context.Background(), &recipe.Env{Scale: report.Short, Seed: seed})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range coin.Judge(report.Short, outcome) {
			fmt.Println(r.Name, *r.Measured, r.Verdict, r.Why)
		}
	}
	// Output:
	// heads 91 not_met 91.00 % is below 97.5 %
	// heads 98 met
}
