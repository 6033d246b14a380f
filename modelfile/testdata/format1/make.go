//go:build ignore

// Command fixtures makes the files of modelfile/testdata/format1 with the program of
// commit 98eca3d, where it was compiled as cmd/fixtures: one checkpoint of each
// learner of that program, and what it predicted.
//
//	go run ./cmd/fixtures DIR
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/model"
	recipe "synfire/recipe/eqprop"
	rule "synfire/rule/eqprop"
	"synfire/tensor"
	"synfire/train"
)

// scores is what the JSON beside a checkpoint holds.
type scores struct {
	Data    string           `json:"data"`              // whose first test images were predicted
	Test    []int            `json:"test"`              // their places in the data set's file
	Labels  []int            `json:"labels"`            // and true classes
	Scores  [][]tensor.Float `json:"scores"`            // of each image, one a class
	Forward [][]tensor.Float `json:"forward,omitempty"` // those of the forward network alone
}

const images = 5

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: fixtures DIR")
	}
	out := os.Args[1]
	if err := bptt(out); err != nil {
		log.Fatal(err)
	}
	for _, j := range jobs() {
		if err := eqprop(out, j); err != nil {
			log.Fatalf("%s: %v", j.Name, err)
		}
	}
}

const bpttYAML = `data: {name: mnist-sample, mean: [0.1307], std: [0.3081]}
encoder: constant
steps: 4
layers:
  - {kind: conv2d, out: 4, kernel: 5, stride: 2}
  - batch-norm
  - {kind: spiking, neuron: {kind: lif, beta: 0.9}, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: max-pool, size: 2}
  - flatten
  - {kind: linear, out: 10}
  - {kind: readout, beta: 0.95}
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.005}
schedule: cosine
epochs: 2
batch: 50
`

func bptt(out string) error {
	cfg, err := model.Default().Decode("bptt", []byte(bpttYAML))
	if err != nil {
		return err
	}
	trainSet, testSet := mnist.Sample()
	resolved, err := model.Default().Encode(cfg)
	if err != nil {
		return err
	}
	loop, err := train.NewLoop(cfg, trainSet, testSet, nil)
	if err != nil {
		return err
	}
	loop.LogEvery = 8
	return run(out, "bptt", train.KindBPTT, resolved, loop, cfg.Data.Normalized(testSet), nil)
}

func jobs() []recipe.Job {
	job := func(name string, change func(*recipe.Job)) recipe.Job {
		j := recipe.Job{
			Name: name, Epochs: 8, Batch: 20, Shuffle: true,
			Config: rule.Config{Sizes: []int{784, 8, 10}, Step: 0.5, CostScale: 1, Beta: 0.3, Free: 20, Nudged: 4, Rates: []float64{0.1, 0.05}, Seed: 1},
		}
		change(&j)
		return j
	}
	return []recipe.Job{
		job("plain", func(j *recipe.Job) {
			j.Images, j.Shuffle, j.Epochs = 60, false, 30
			j.Config.Beta, j.Config.Nudge, j.Config.Particles = 0.5, rule.RandomSign, 100
		}),
		job("convolutional", func(j *recipe.Job) {
			convs := &rule.Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []rule.Convolution{{Out: 4, Kernel: 5, Pool: 2}, {Out: 8, Kernel: 5, Pool: 2}}}
			j.Config = rule.Config{
				Convolutional: convs, Sizes: convs.Sizes(10), Step: 1, Activation: rule.HardSigmoid, Weights: rule.FanIn,
				Free: 30, Nudged: 10, Beta: 0.4, Rates: []float64{0.15, 0.035, 0.015}, Tolerance: 1e-3, Seed: 1,
			}
		}),
		job("predictor", func(j *recipe.Job) {
			j.Config.Beta, j.Config.Nudge, j.Config.Free = 0.5, rule.RandomSign, 4
			j.Config.Predictor = &rule.Predictor{Lambda: 0.1}
		}),
		job("spiking", func(j *recipe.Job) {
			j.Config.Beta, j.Config.Nudge, j.Config.Free, j.Config.Nudged = 0.5, rule.RandomSign, 30, 15
			j.Config.Spiking = &rule.Spiking{Drift: 0.0346, Lambda: 0.275}
		}),
		job("binary", func(j *recipe.Job) { j.Config.Binary = &rule.Binary{} }),
		job("topk-pruned", func(j *recipe.Job) {
			j.Config.Sizes = []int{784, 16, 10}
			j.Config.TopK = &rule.TopK{K: 4}
			j.Config.Pruning = &rule.Pruning{Sparsity: 0.9, Last: 0.45, Begin: 40, End: 280, Every: 20}
		}),
		job("cross-entropy", func(j *recipe.Job) {
			j.Config.Sizes = []int{784, 8, 8, 10}
			j.Config.Output, j.Config.Activation, j.Config.Schedule = rule.CrossEntropy, rule.Tanh, rule.SweepForward
			j.Config.Rates, j.Config.Anneal = []float64{0.1, 0.1, 0.05}, 800
		}),
	}
}

func eqprop(out string, j recipe.Job) error {
	trainSet, testSet := mnist.Sample()
	if j.Images > 0 {
		first := make([]int, j.Images)
		for i := range first {
			first[i] = i
		}
		var err error
		if trainSet, err = trainSet.Subset(first); err != nil {
			return err
		}
	}
	learner, err := rule.New(j.Config)
	if err != nil {
		return err
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: j.Batch, Seed: j.Config.Seed, Shuffle: j.Shuffle})
	if err != nil {
		return err
	}
	loop := &train.Loop{Learner: learner, Train: cursor, Test: testSet, Epochs: j.Epochs}
	var forward train.Learner
	if j.Config.Predictor != nil {
		if forward, err = learner.Forward(); err != nil {
			return err
		}
	}
	return run(out, "eqprop-"+j.Name, rule.Kind, j.YAML(), loop, testSet, forward)
}

// run trains, keeps the last checkpoint and predicts with what it holds.
func run(out, name, kind string, config []byte, loop *train.Loop, test *data.Set, forward train.Learner) error {
	path, err := os.MkdirTemp("", name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(path)
	if loop.Dir, err = train.OpenRunDir(path, kind, config, false); err != nil {
		return err
	}
	result, err := loop.Run(context.Background())
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f %%\n", name, result.Metrics.Accuracy())
	files, err := filepath.Glob(filepath.Join(path, "checkpoints", "step-*"))
	if err != nil {
		return err
	}
	last := files[len(files)-1]
	ck, err := train.ReadCheckpoint(last)
	if err != nil {
		return err
	}
	if err := loop.Learner.SetState(ck.State); err != nil {
		return err
	}
	cursor, err := data.NewCursor(test, data.CursorOptions{Batch: images})
	if err != nil {
		return err
	}
	var b data.Batch
	cursor.Next(&b)
	s := scores{Data: "mnist-sample", Test: b.Index, Labels: b.Labels}
	if s.Scores, err = predict(loop.Learner, &b); err != nil {
		return err
	}
	if forward != nil {
		if s.Forward, err = predict(forward, &b); err != nil {
			return err
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	for from, to := range map[string]string{last: name + ".safetensors", filepath.Join(path, "metrics.jsonl"): name + ".metrics.jsonl"} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(out, to), content, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, name+".json"), append(text, '\n'), 0o644)
}

func predict(l train.Learner, b *data.Batch) ([][]tensor.Float, error) {
	p, err := l.Predict(context.Background(), b)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(slices.Clone(p.Scores), p.Classes)), nil
}
