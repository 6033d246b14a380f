package detector_test

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/detect"
	"synfire/layer"
	"synfire/network"
	"synfire/tensor"
)

func Example() {
	n, err := network.New(tensor.Shape{8, 8, 1}, 3,
		network.Node{Layer: layer.Conv2D{Out: 6, Kernel: []int{3}, Padding: []int{1}}},
		network.Node{Layer: layer.ReLU{Slope: 0.1}},
		network.Node{Layer: layer.Conv2D{Out: 6, Kernel: []int{1}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := n.Graph()
	g.Outputs[0].Read = detect.Boxes{Anchors: []detect.Anchor{{2, 2}}} // a box has four numbers, how sure it is, and a class
	s := detector.Study{
		Study: convert.Study{Graph: g, Train: pictures{6, 8}, Test: pictures{5, 8}, Steps: []int{16, 256}, Samples: 6, Seed: 1},
		Task:  detect.NewDetect(),
	}
	ordinary, err := s.Ordinary(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	channel, err := convert.MethodOf("channel")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := s.Convert(context.Background(), channel, convert.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	points, err := s.Points(context.Background(), c)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(points[0].Error > points[1].Error, points[1].Spikes > 0, ordinary.Spikes)
	// Output:
	// true true 0
}
