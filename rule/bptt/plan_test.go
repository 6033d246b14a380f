package train_test

import (
	"runtime"
	"testing"
	"time"

	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/train"
)

func planned(units, steps int) model.Config {
	c := model.NewConfig()
	c.Data.Name, c.Steps, c.Encoder = mnist.SampleName, steps, encode.Poisson{Scale: 1}
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	c.Layers = network.Chain(layer.Flatten{}, layer.Linear{Out: units}, spiking, layer.Linear{Out: 10}, spiking)
	return c
}

// A plan bounds the memory that training really takes, not absurdly, and costs
// none itself.
func TestPlanBoundsMemory(t *testing.T) {
	set, _ := mnist.Sample()
	c := planned(1000, 20)
	c.Data.Train, c.Data.Test = 128, 64
	p, err := train.NewPlan(c, set)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(784*1000 + 1000 + 1000*10 + 10); p.Parameters != want || p.Window != 20 || p.Batches != 2 {
		t.Errorf("%+v, want %d parameters", p, want)
	}
	before := heap()
	l, err := train.NewLoop(c, set, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Observer = train.None{}
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
	set, _ := mnist.Sample()
	for _, c := range []model.Config{planned(1<<39, 10), planned(10, 1<<40)} {
		p, err := train.NewPlan(c, set)
		if err != nil {
			t.Fatal(err)
		}
		if p.Train < 1<<45 || p.Parameters < 1 {
			t.Errorf("%d bytes, %d parameters", p.Train, p.Parameters)
		}
	}
	if _, err := train.NewPlan(planned(1<<41, 10), set); err == nil {
		t.Error("a layer of 2^41 units is accepted")
	}
}

// The time of an epoch is measured on some of its batches, by the given clock.
func TestEpochSeconds(t *testing.T) {
	set, _ := mnist.Sample()
	clock := time.Time{}
	now := func() time.Time {
		clock = clock.Add(time.Second)
		return clock
	}
	got, err := train.EpochSeconds(t.Context(), planned(10, 2), set, set, nil, now, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Each batch takes a second: 64 samples in training, 256 in a test.
	if want := float64(set.Len())/64 + float64(set.Len())/256; got < want*0.99 || got > want*1.2 {
		t.Errorf("%v seconds, want about %v", got, want)
	}
}
