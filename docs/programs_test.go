package docs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"synfire/catalog"
	"synfire/command"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// The program of faq.md; a spike is bit 0 of the word of its step.
func Example_faq() {
	for _, k := range []struct {
		name string
		n    neuron.Neuron
	}{
		{"synfire", neuron.LIF{Beta: 0.9, Threshold: 1}},
		{"snnTorch", neuron.SnnTorchLeaky(0.9, 1)},
		{"SpikingJelly", neuron.SpikingJelly(10, 1)},
		{"Norse", neuron.Norse(5, 10, 1, 1)},
	} {
		spikes := make([]uint64, 16) // a step each
		k.n.Forward(neuron.Window{
			Steps: 16, Units: 1, Input: neuron.Strided{Data: []tensor.Float{0.3}}, // stride 0: constant
			State: make([]tensor.Float, k.n.States()), Spikes: neuron.Bits{Data: spikes, Stride: 1},
		})
		fmt.Println(k.name, spikes)
	}
	// Output:
	// synfire [0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1]
	// snnTorch [0 0 0 1 0 0 0 0 1 0 0 0 1 0 0 0]
	// SpikingJelly [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]
	// Norse [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1]
}

// The program of guide.md.
func Example_guide() {
	trainSet, testSet := mnist.Sample() // mnist.Load for all 60,000
	net, err := network.Sequential(trainSet.Shape, 1,
		layer.Flatten{}, layer.Linear{Out: 100},
		layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}},
		layer.Linear{Out: 10}, layer.Readout{Beta: 0.95})
	if err != nil {
		log.Fatal(err)
	}
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: 10, Encoder: encode.Poisson{Scale: 1}, Losses: []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 0.002, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 50, Seed: 1, Shuffle: true})
	if err != nil {
		log.Fatal(err)
	}
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Tasks: []task.Binding{{Task: task.Classify{}}}, Epochs: 4}
	result, err := loop.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("better than 70 %:", result.Test.Value("accuracy") > 70)
	// Output: better than 70 %: true
}

// The program of guide.md that predicts; the model is that of moons.yaml.
func Example_predict() {
	defer moons()()
	m, err := catalog.Default().Open("runs/moons-s1/model.safetensors", catalog.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	answers, err := m.Predict(context.Background(),
		&sample.Sample{X: []tensor.Float{0, 0.9}}, &sample.Sample{X: []tensor.Float{1, -0.4}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answers[0].Class, answers[1].Class) // 0 1
	// Output: 0 1
}

// moons trains the guide's moons.yaml as the guide does, in a folder of its own, which
// becomes the working directory until the function that it returns is called.
func moons() (back func()) {
	page, err := os.ReadFile("guide.md")
	if err != nil {
		log.Fatal(err)
	}
	_, file, _ := strings.Cut(string(page), "```yaml\n# moons.yaml\n")
	file, _, _ = strings.Cut(file, "```")
	home, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "moons")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(os.Chdir(dir), os.WriteFile("moons.yaml", []byte(file), 0o644)); err != nil {
		log.Fatal(err)
	}
	p := command.Program{Catalog: catalog.Default()}
	if code := p.Execute([]string{"train", "moons.yaml", "--json"}, io.Discard, os.Stderr); code != 0 {
		log.Fatalf("exit code %d", code)
	}
	return func() {
		if err := errors.Join(os.Chdir(home), os.RemoveAll(dir)); err != nil {
			log.Fatal(err)
		}
	}
}
