package statistics_test

import (
	"fmt"

	"synfire/spike"
	"synfire/spike/statistics"
)

// Two trials of a unit that answers a stimulus at 0.5 s: the rate by kernels whose width the
// spikes choose.
func Example() {
	trials := []spike.Train{
		{Times: []float64{0.1, 0.51, 0.52, 0.55, 0.58, 0.9}, Stop: 1},
		{Times: []float64{0.3, 0.5, 0.53, 0.54, 0.57}, Stop: 1},
	}
	width, err := statistics.Bandwidth(trials)
	if err != nil {
		panic(err)
	}
	rate, err := statistics.KernelRate(trials, statistics.Kernel{Shape: statistics.Gaussian, Width: width}, 0.2, true)
	if err != nil {
		panic(err)
	}
	fmt.Printf("width %.3f s\n", width)
	for i, v := range rate.Values {
		fmt.Printf("%.1f s: %4.1f spikes/s\n", rate.Centre(i), v)
	}
	// Output:
	// width 0.038 s
	// 0.1 s:  5.3 spikes/s
	// 0.3 s:  5.3 spikes/s
	// 0.5 s: 25.6 spikes/s
	// 0.7 s:  0.0 spikes/s
	// 0.9 s:  5.3 spikes/s
}
