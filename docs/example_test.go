package docs_test

import (
	"fmt"

	"synfire/docs"
	"synfire/report"
)

func Example() {
	page := "<!-- results: quickstart -->\n<!-- /results -->"
	runs := []report.Run{{Recipe: "quickstart", Scale: report.Short, Seed: 1, Threads: 2, CPU: "some processor", Kernel: "avx2", WallSeconds: 57, PeakRSSBytes: 1 << 28, Commit: "0123456789"}}
	fmt.Println(docs.Fill(page, runs))
	// Output:
	// <!-- results: quickstart -->
	//
	// Scale short, seed 1: 57.0 s on 2 threads (some processor, avx2), 256.0 MiB of memory at most, commit 0123456.
	//
	// | claim | published | bound | measured | verdict |
	// |---|--:|--:|--:|---|
	//
	// <!-- /results -->
}
