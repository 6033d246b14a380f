package bptt_test

import (
	"runtime"
	"testing"

	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/train"
)

func planned(units, steps int) model.Config {
	c, r := model.NewConfig(), bptt.NewRule()
	c.Data.Name, c.Steps, c.Encoder, c.Valid = mnist.SampleName, steps, encode.Poisson{Scale: 1}, 0
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	r.Layers = network.Chain(layer.Flatten{}, layer.Linear{Out: units}, spiking, layer.Linear{Out: 10}, spiking)
	c.Rule = r
	return c
}

// plan is that of a configuration for the sample of MNIST.
func plan(t *testing.T, c model.Config) (train.Plan, error) {
	t.Helper()
	c, sets := prepared(t, c)
	return c.Rule.(train.Planner).Plan(c.Setting(sets, nil))
}

// A plan bounds the memory that training really takes, not absurdly, and costs
// none itself.
func TestPlanBoundsMemory(t *testing.T) {
	c := planned(1000, 20)
	c.Data.Train, c.Data.Test = 128, 64
	p, err := plan(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(784*1000 + 1000 + 1000*10 + 10); p.Parameters != want || p.Window != 20 {
		t.Errorf("%+v, want %d parameters", p, want)
	}
	before := heap()
	l := loop(t, c, nil)
	if l.Train.Len() != 2 {
		t.Errorf("%d batches, want 2", l.Train.Len())
	}
	if _, err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := heap() - before
	runtime.KeepAlive(l)
	if took > p.Train || took < p.Train/5 {
		t.Errorf("training took %d bytes, planned %d", took, p.Train)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Sizes that no machine has are told, and do not overflow.
func TestPlanOfTheImpossible(t *testing.T) {
	for _, c := range []model.Config{planned(1<<39, 10), planned(10, 1<<40)} {
		p, err := plan(t, c)
		if err != nil {
			t.Fatal(err)
		}
		if p.Train < 1<<45 || p.Parameters < 1 {
			t.Errorf("%d bytes, %d parameters", p.Train, p.Parameters)
		}
	}
	if _, err := plan(t, planned(1<<41, 10)); err == nil {
		t.Error("a layer of 2^41 units is accepted")
	}
}
