package activity_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"synfire/activity"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// What is recorded node by node is what a Pass computes over all of time: rates,
// steps and trains agree with its spikes.
func TestRecord(t *testing.T) {
	_, set := mnist.Sample()
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	net, err := network.Sequential(set.Shape, 1, layer.Flatten{}, layer.Linear{Out: 30}, spiking, layer.Linear{Out: 20}, layer.ReLU{}, layer.Linear{Out: 10}, spiking)
	if err != nil {
		t.Fatal(err)
	}
	const n, steps = 70, 6 // more than a batch
	c := activity.Options{Net: net, Steps: steps, Encoder: encode.Constant{}, Seed: 1, Source: set, Samples: n, Times: true}
	got, err := activity.Record(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Layer != "spiking1" || got[1].Layer != "relu1" || got[2].Layer != "spiking2" || got[1].Spikes || !got[2].Spikes {
		t.Fatalf("layers %+v", got)
	}
	x := make([]tensor.Float, 0, n*784)
	for i := range n {
		for _, p := range set.Image(i) {
			x = append(x, tensor.Float(p)/255)
		}
	}
	in := &signal.Signal{}
	spec := set.Spec()
	encode.Constant{}.Encode(in, &sample.Batch{Spec: &spec, X: x}, nil, encode.Window{T1: steps, Steps: steps})
	in.B = n
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(n), in, false)
	if err != nil {
		t.Fatal(err)
	}
	out := outs[0]
	last, row := got[2], make([]tensor.Float, 10)
	trials := last.Trials()
	for i := range n {
		for u := range 10 {
			sum, times := 0.0, []float64(nil)
			for s := range steps {
				out.ReadRow(row, s*n+i)
				if v := float64(row[u]); v != last.Steps[(i*10+u)*steps+s] {
					t.Fatalf("sample %d, unit %d, step %d: %v recorded, %v from a pass", i, u, s, last.Steps[(i*10+u)*steps+s], v)
				} else if v != 0 {
					sum, times = sum+v, append(times, float64(s))
				}
			}
			if math.Abs(last.Mean[i*10+u]-sum/steps) > 1e-12 {
				t.Errorf("sample %d, unit %d: mean %v, want %v", i, u, last.Mean[i*10+u], sum/steps)
			}
			if train := trials[i][0][u]; !reflect.DeepEqual(train.Times, times) || train.Stop != steps {
				t.Errorf("sample %d, unit %d: train %+v, want %v", i, u, train, times)
			}
		}
	}
	c.Layers, c.Times = []string{"linear1"}, false
	if got, err = activity.Record(t.Context(), c); err != nil || len(got) != 1 || got[0].Units != 30 || got[0].Steps != nil {
		t.Errorf("linear1 alone: %d recordings, %v", len(got), err)
	}
	c.Layers = []string{"linear9"}
	if _, err := activity.Record(t.Context(), c); err == nil || !strings.Contains(err.Error(), `no layer "linear9"; it has flatten1`) {
		t.Errorf("linear9: %v", err)
	}
	c.Layers, c.Samples = nil, 501
	if _, err := activity.Record(t.Context(), c); err == nil || !strings.Contains(err.Error(), "501 samples") {
		t.Errorf("501 of 500 samples: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Samples = 0
	if _, err := activity.Record(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := activity.Record(t.Context(), activity.Options{}); err == nil {
		t.Error("an empty configuration: no error")
	}
}

// Staircases were left out where no layers are chosen, as if they were no units.
func TestRecordStaircases(t *testing.T) {
	_, set := mnist.Sample()
	net, err := network.Sequential(set.Shape, 1, layer.Flatten{}, layer.Linear{Out: 5}, ordinary.QCFS{Levels: 4, Init: 1}, layer.Linear{Out: 3})
	if err != nil {
		t.Fatal(err)
	}
	got, err := activity.Record(t.Context(), activity.Options{Net: net, Steps: 1, Encoder: encode.Constant{}, Source: set, Samples: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Layer != "qcfs1" || got[0].Units != 5 {
		t.Errorf("layers %+v", got)
	}
}
