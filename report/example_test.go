package report_test

import (
	"fmt"
	"os"

	"synfire/report"
)

// A claim, what was measured, and the verdict as the terminal shows it.
func Example() {
	published, bound := 99.42, 99.2
	accuracy := report.Claim{
		ID: "mnist-cnn", Name: "MNIST test accuracy", Unit: "%", Published: &published, Source: "paper, table 3",
		Direction: report.AtLeast, Statistic: report.Median, Bounds: report.Bounds{Short: &bound},
	}
	result := accuracy.Judge(report.Short, report.Measurement{Values: []float64{99.31, 99.08, 99.14}, N: 10000})
	run := report.Run{Run: "stbp-short-s1", Claims: []report.Result{result}}
	if err := run.WriteTerminal(os.Stdout, 80, false); err != nil {
		fmt.Println(err)
	}
	fmt.Println("exit code", run.ExitCode())
	// Output:
	// claim                published     bound  measured  verdict
	// MNIST test accuracy    99.42 %  ≥ 99.2 %   99.14 %  not met
	//   99.14 % is below 99.2 %
	//
	// run stbp-short-s1: 0 of 1 claim met, 1 not met
	// exit code 3
}
