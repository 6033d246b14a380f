package snntest_test

import (
	"fmt"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// report is the testing.TB of the example; a test passes its own *testing.T.
type report struct{ testing.TB }

func (report) Helper()                        {}
func (report) Errorf(format string, a ...any) { fmt.Printf(format+"\n", a...) }

// jitter is a layer whose result depends on how spikes are multiplied.
type jitter struct{ layer.Linear }

func (l jitter) Forward(c *layer.Call) {
	l.Linear.Forward(c)
	if c.Path == layer.Events {
		c.Out.Data[0] = 1
	}
	if c.Path == layer.Dense {
		c.Out.Data[0] = 2
	}
}

// The checks run a network with the layer in question.
func Example() {
	net, err := network.Sequential(tensor.Shape{8}, 1, jitter{layer.Linear{Out: 3}})
	if err != nil {
		fmt.Println(err)
		return
	}
	in := snntest.Random(signal.Spikes, 4, 2, tensor.Shape{8}, 0.2, 1)
	dense := snntest.Run(report{}, net, in, network.Options{Path: layer.Dense})
	events := snntest.Run(report{}, net, in, network.Options{Path: layer.Events})
	snntest.Equal(report{}, "events", dense, events)
	// Output: events: output: element 0 is 2 and 1
}
