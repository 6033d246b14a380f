package s4nn

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"synfire/data"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/modelfile"
	rule "synfire/rule/s4nn"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// WitnessFile is the authors' released weights as NumPy's archive: the array hidden
// [400, 28, 28] and the array output [10, 400, 1], whose row k stands for the digit
// order[k].
const WitnessFile = "s4nn.npz"

// order is the digits that the rows of the authors' output stand for.
var order = []string{"4", "1", "0", "7", "9", "2", "3", "5", "8", "6"}

// measuredBefore are the figures of the released weights on the 10,000 test images of
// MNIST, measured by two other programs, with as many digits as they are known to.
var measuredBefore = []struct {
	figure string
	value  float64
	digits int
}{
	{rule.WithTies, 96.69, 2},
	{"accuracy", 96.11, 2},
	{rule.Unique, 95.29, 2},
	{rule.Silent, 0.80, 2},
	{rule.Ties, 1.47, 2},
	{rule.Hidden, 109.1358, 4},
	{rule.Decision, 83.16, 2},
}

// findWitness is the path of the released weights: s4nn/s4nn.npz or s4nn.npz in the
// user's folder of data, or in the cache; empty where there is none.
func findWitness(o data.Options) string {
	for _, dir := range []string{o.DataDir, o.CacheDir} {
		for _, name := range []string{filepath.Join("s4nn", WitnessFile), WitnessFile} {
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); dir != "" && err == nil {
				return path
			}
		}
	}
	return ""
}

// readWitness makes the arrays of a model of the released weights.
func readWitness(path string) (map[string]train.Array, error) {
	const most = 64 << 20
	arrays, err := npz.ReadFile(path, most)
	if err != nil {
		return nil, err
	}
	all := map[string]train.Array{"scale": safetensors.F64([]float64{1}, 1)}
	for i, l := range []struct {
		name    string
		out, in int
	}{{"hidden", 400, 784}, {"output", 10, 400}} {
		v, err := arrays[l.name].Float64s()
		if err != nil || len(v) != l.out*l.in {
			return nil, fmt.Errorf("%s: array %s has %d numbers, want %d×%d: is it %s? (%w)", path, l.name, len(v), l.out, l.in, WitnessFile, err)
		}
		w := tensor.New(l.in, l.out)
		for j := range l.out {
			for k := range l.in {
				w.Data[k*l.out+j] = tensor.Float(v[j*l.in+k])
			}
		}
		all[fmt.Sprintf("weight%d", i+1)] = modelfile.Pack(w)
	}
	return all, nil
}

// witness evaluates the released weights on the test images of MNIST. The outputs of the
// weights are in the authors' order, which ties are decided by.
func witness(ctx context.Context, path string, test sample.Source, pool *par.Pool) (*train.Evaluation, error) {
	arrays, err := readWitness(path)
	if err != nil {
		return nil, err
	}
	src, err := sample.Reclass(test, "", order)
	if err != nil {
		return nil, err
	}
	r := rule.NewRule()
	r.Hidden, r.EarlyExit = []int{400}, false
	p, err := r.Predictor(train.Setting{Spec: src.Spec(), Steps: steps, Pool: pool}, arrays)
	if err != nil {
		return nil, err
	}
	return train.Evaluate(ctx, p, src, train.EvaluateOptions{Tasks: []task.Binding{{Task: task.Classify{}}}})
}

// differing is how many figures of the released weights are other than before.
func differing(ev *train.Evaluation) (names []string) {
	for _, want := range measuredBefore {
		have, ok := ev.Metrics.Mean(want.figure)
		unit := math.Pow(10, float64(want.digits))
		if !ok || math.Round(have*unit) != math.Round(want.value*unit) {
			names = append(names, want.figure)
		}
	}
	return names
}
