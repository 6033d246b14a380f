package distance_test

import (
	"fmt"

	"synfire/distance"
	"synfire/spike"
)

// Three trains of one neuron each, and how far they are apart.
func Example() {
	trains := []spike.Train{
		{Times: []float64{1, 4, 8}, Start: 0, Stop: 10},
		{Times: []float64{1.25, 4, 7.5}, Start: 0, Stop: 10},
		{Times: []float64{0.75, 3.5, 4.5, 9}, Start: 0, Stop: 10},
	}
	for _, m := range []distance.Measure{
		distance.ISI{}, distance.SPIKE{}, distance.Sync{}, distance.VictorPurpura{Cost: 1}, distance.VanRossum{Tau: 0.5},
	} {
		pair, err := m.Distance(trains[0], trains[1])
		if err != nil {
			panic(err)
		}
		all, err := distance.Multi(m, trains, distance.Options{})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%-15s %.4f %.4f\n", m.Name(), pair, all)
	}
	// Output:
	// isi             0.1083 0.1531
	// spike           0.0774 0.1668
	// sync            1.0000 0.7000
	// victor-purpura  0.7500 2.3333
	// van-rossum      1.4322 1.9110
}
