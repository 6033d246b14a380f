package bench_test

import (
	"fmt"

	"synfire/bench"
)

func Example() {
	cases, err := bench.Cases(bench.Selection{Names: []string{"W6"}, Threads: 1, Small: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cases {
		fmt.Println(c.Workload, c.Shape, c.Phase)
	}
	// Output:
	// W6 isi matrix
	// W6 spike matrix
	// W6 ri-spike matrix
	// W6 sync matrix
	// W6 order matrix
	// W6 van-rossum matrix
	// W6 victor-purpura matrix
}
