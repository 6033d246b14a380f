package catalog_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/format/npz"
	"synfire/model"
	"synfire/modelfile"
	"synfire/run"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
	"synfire/train"
)

// decode reads a configuration whose paths are relative to dir.
func decode(t testing.TB, yaml, dir string) model.Config {
	t.Helper()
	c, err := catalog.Default().Decode("net.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	catalog.Relative(&c.Data, dir)
	return c
}

// fit trains a configuration on loaded samples and returns its result and its model
// file.
func fit(t testing.TB, c model.Config, trainSet, testSet sample.Source) (*train.Result, string) {
	t.Helper()
	c, sets, err := c.Prepare(t.Context(), trainSet, testSet)
	if err != nil {
		t.Fatal(err)
	}
	loop, err := c.Loop(sets, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := catalog.Default().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := run.Open(filepath.Join(t.TempDir(), "run"), text, false)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	loop.Dir = dir
	loop.Model = modelfile.File{Rule: catalog.Default().RuleName(c.Rule), Config: text, Spec: &sets.Spec, Normalization: sets.Normalization}
	r, err := loop.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r, filepath.Join(dir.Path, "model.safetensors")
}

// fitFile is fit of the data that the configuration names.
func fitFile(t testing.TB, yaml, dir string) (*train.Result, string) {
	t.Helper()
	c := decode(t, yaml, dir)
	a, b, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return fit(t, c, a, b)
}

// value is a figure of the test samples.
func value(t testing.TB, r *train.Result, name string) float64 {
	t.Helper()
	s, ok := r.Test.Scalar(name)
	if !ok || !s.Defined() {
		t.Fatalf("no figure %s among %v", name, r.Test.Scalars)
	}
	return s.Value
}

// save writes arrays to a file of a new folder, which it returns.
func save(t testing.TB, arrays map[string]npz.Array) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "own.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npz.Write(f, arrays); err != nil {
		t.Fatal(err)
	}
	return dir
}

// moving is n series of 6 images of 8×8 pixels in two polarities, on which a bar
// moves to the right or to the left.
func moving(n int) (x []float32, y []int64) {
	for i := range n {
		label := i % 2
		for t := range 6 {
			image := make([]float32, 8*8*2)
			at := (t + i/2) % 8
			if label == 1 {
				at = (800 - t - i/2) % 8
			}
			for row := range 8 {
				image[(row*8+at)*2+t%2] = 1
			}
			x = append(x, image...)
		}
		y = append(y, int64(label))
	}
	return x, y
}

// An event set as arrays N×T×H×W×2: steps come from the data.
func TestSeriesOfImages(t *testing.T) {
	x, y := moving(80)
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, 80, 6, 8, 8, 2), "y": npz.I64(y, 80)})
	const file = `
data: {source: {kind: arrays, path: own.npz}, holdout: 0.25}
encoder: frames
layers:
  - flatten
  - {kind: linear, out: 24}
  - {kind: recurrent, neuron: lif, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: linear, out: 2}
  - readout
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 12
batch: 10
valid: 0
`
	r, path := fitFile(t, file, dir)
	if a := value(t, r, "accuracy"); a < 90 {
		t.Errorf("accuracy %v %%", a)
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil || m.Config.Steps != 6 || m.Spec.Steps != 6 {
		t.Fatalf("opened as %+v: %v", m, err)
	}
	_, err = catalog.Default().Decode("net.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	c := decode(t, file+"steps: 9\n", dir)
	a, b, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Prepare(t.Context(), a, b); err == nil {
		t.Error("a run of other steps than its data is accepted")
	}
}

// More classes than a byte tells apart.
func TestManyClasses(t *testing.T) {
	const classes, n = 400, 1600
	var x []float32
	var y []int64
	for i := range n {
		label := i % classes
		row := make([]float32, 40)
		row[label/20], row[20+label%20] = 1, 1
		x, y = append(x, row...), append(y, int64(label))
	}
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, n, 40), "y": npz.I64(y, n)})
	r, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.25}
steps: 1
layers: [flatten, {kind: linear, out: 400}]
loss: membrane-cross-entropy
task: {kind: classify, top: [5]}
optimizer: {kind: adam, lr: 0.05}
epochs: 25
batch: 50
valid: 0.2
`, dir)
	if a := value(t, r, "accuracy"); a < 95 {
		t.Errorf("accuracy %v %%", a)
	}
	if a := value(t, r, "top5"); a < value(t, r, "accuracy") {
		t.Errorf("top 5 %v %%, accuracy %v %%", a, value(t, r, "accuracy"))
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil || len(m.Classes()) != classes {
		t.Fatalf("%d classes, %v", len(m.Classes()), err)
	}
}

// Regression of a sine by a recurrent network: the value at each step from those before.
func TestRegressionOfASine(t *testing.T) {
	const n, steps = 120, 20
	var x, y []float32
	for i := range n {
		phase := float64(i) * 0.37
		for s := range steps {
			x = append(x, float32(math.Sin(phase+0.4*float64(s))))
			y = append(y, float32(math.Sin(phase+0.4*float64(s+1))))
		}
	}
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, n, steps, 1), "y": npz.F32(y, n, steps, 1)})
	r, path := fitFile(t, `
data: {source: {kind: arrays, path: own.npz, series: true, targets: {y: series}}, holdout: 0.25}
encoder: frames
layers:
  - {kind: linear, out: 30}
  - {kind: recurrent, neuron: lif, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: linear, out: 1}
  - {kind: readout, beta: 0.5}
loss: {kind: mse, read: each}
optimizer: {kind: adam, lr: 0.01}
epochs: 30
batch: 15
valid: 0.1
patience: 20
`, dir)
	if v := value(t, r, "r2"); v < 0.8 {
		t.Errorf("R² %v", v)
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Predict(t.Context(), &sample.Sample{X: make([]tensor.Float, steps)})
	if err != nil || len(a) != 1 || a[0].Task != "values" || len(a[0].Values) != 1 {
		t.Errorf("answers %+v, %v", a, err)
	}
}

// frozen is input spikes of 30 units over 40 steps of 1 ms, which are to make 3 units
// fire at given times.
func frozen() *data.Set {
	const units, steps = 30, 40
	r := rand.New(rand.NewPCG(1, 2))
	field := &sample.Field{Name: "spikes", Kind: sample.Trains, Shape: tensor.Shape{3}}
	s := &data.Set{Name: "frozen", Shape: tensor.Shape{units}, Steps: steps, Duration: 0.04, Values: make([]tensor.Float, units*steps)}
	for i := range s.Values {
		if r.Float64() < 0.1 {
			s.Values[i] = 1
		}
	}
	var trains []spike.Train
	for _, times := range [][]float64{{0.01, 0.03}, {0.02}, {0.015, 0.025, 0.035}} {
		trains = append(trains, spike.Train{Times: times, Stop: 0.04})
	}
	s.Targets = []sample.Column{{Field: field, Trains: [][]spike.Train{trains}}}
	return s
}

// A network learns to fire at given times, by backpropagation of van Rossum's distance.
func TestMatchTrains(t *testing.T) {
	c := decode(t, `
data: {name: mnist-sample}
encoder: frames
layers:
  - {kind: linear, out: 100}
  - {kind: spiking, neuron: {kind: lif, beta: 0.8}, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: linear, out: 3}
  - {kind: spiking, neuron: {kind: lif, beta: 0.8}, surrogate: {kind: fast-sigmoid, slope: 5}}
loss: {kind: van-rossum, tau: 3}
task: {kind: match-trains, tau: 0.004}
optimizer: {kind: adam, lr: 0.005}
schedule: cosine
epochs: 400
batch: 1
valid: 0
`, "")
	before := c
	before.Epochs = 1
	first, _ := fit(t, before, frozen(), frozen())
	last, path := fit(t, c, frozen(), frozen())
	if a, b := value(t, first, "van-rossum"), value(t, last, "van-rossum"); b > a/3 {
		t.Errorf("distance %v after one epoch, %v at the end", a, b)
	}
	if d := value(t, last, "counts"); d > 0.34 {
		t.Errorf("spike counts are off by %v", d)
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Predict(t.Context(), &sample.Sample{X: frozen().Values})
	if err != nil || len(a[0].Trains) != 3 {
		t.Fatalf("answers %+v, %v", a, err)
	}
	off := 0.0
	for u, want := range []int{2, 1, 3} {
		steps := a[0].Trains[u]
		off += math.Abs(float64(len(steps) - want))
		if !slices.IsSorted(steps) || len(steps) > 0 && (steps[0] < 0 || steps[len(steps)-1] >= 40) {
			t.Errorf("unit %d fires in steps %v of 40", u, steps)
		}
	}
	if d := value(t, last, "counts"); math.Abs(off/3-d) > 1e-9 {
		t.Errorf("spike counts of the answer are off by %v, of the test by %v", off/3, d)
	}
}

// A model is measured on the parts that training had, and on the parts that
// other data come with.
func TestParts(t *testing.T) {
	array := func(n int) (x, y npz.Array) {
		var values []float32
		var labels []int64
		for i := range n {
			values, labels = append(values, float32(i%2), float32(i)), append(labels, int64(i%2))
		}
		return npz.F32(values, n, 2), npz.I64(labels, n)
	}
	x, y := array(20)
	own := save(t, map[string]npz.Array{"x": x, "y": y})
	x, y = array(8)
	whole := save(t, map[string]npz.Array{"x": x, "y": y})
	x, y = array(6)
	xt, yt := array(4)
	parted := save(t, map[string]npz.Array{"x_train": x, "y_train": y, "x_test": xt, "y_test": yt})
	_, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.2}
steps: 2
layers: [flatten, {kind: linear, out: 2}]
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 1
batch: 4
valid: 0.25
`, own)
	f, err := modelfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir, split string
		n          int // 0: an error
		part       string
	}{
		{"", "train", 12, "train"}, {"", "valid", 4, "valid"}, {"", "test", 4, "test"}, {"", "all", 20, "all"},
		{whole, "train", 0, ""}, {whole, "valid", 0, ""}, {whole, "test", 8, "all"}, {whole, "all", 8, "all"},
		{parted, "train", 6, "train"}, {parted, "valid", 0, ""}, {parted, "test", 4, "test"}, {parted, "all", 10, "all"},
	} {
		flag := ""
		if c.dir != "" {
			flag = "npz:" + filepath.Join(c.dir, "own.npz")
		}
		part, err := catalog.Default().Measurable(t.Context(), f, flag, c.split, data.Options{})
		switch {
		case c.n == 0:
			if err == nil || !strings.Contains(err.Error(), "choose test or all") {
				t.Errorf("%s of %q: %v", c.split, flag, err)
			}
		case err != nil || part.Source.Len() != c.n || part.Split != c.part:
			t.Errorf("%s of %q: part %q, %v; want %s, %d samples", c.split, flag, part.Split, err, c.part, c.n)
		}
	}
}

// A source that is computed has no path to be called by.
func TestModelOfASourceWithoutPath(t *testing.T) {
	_, path := fitFile(t, `
data: {source: {kind: moons, train: 40, test: 10}}
steps: 2
layers: [flatten, {kind: linear, out: 2}]
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 1
batch: 10
`, "")
	f, err := modelfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"": "source", "source": "source"} {
		part, err := catalog.Default().Measurable(t.Context(), f, flag, "test", data.Options{})
		if err != nil || part.Name != want || part.Source.Len() != 10 {
			t.Errorf("--data %q: %+v, %v", flag, part, err)
		}
	}
	if _, err := catalog.Default().Measurable(t.Context(), f, "source:my.csv", "test", data.Options{}); err == nil || !strings.Contains(err.Error(), "is generated and has no path") {
		t.Errorf("a path: %v", err)
	}
}

// Two outputs, two losses, two tasks, from a file.
func TestTwoOutputs(t *testing.T) {
	const n = 200
	r := rand.New(rand.NewPCG(5, 6))
	var x, size []float32
	var y []int64
	for i := range n {
		label, s := i%3, r.Float64()
		row := make([]float32, 6)
		row[label], row[3+label] = float32(0.5+s/2), float32(s)
		x, y, size = append(x, row...), append(y, int64(label)), append(size, float32(s))
	}
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, n, 6), "y": npz.I64(y, n), "y_size": npz.F32(size, n, 1)})
	result, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.25}
steps: 4
layers:
  - flatten
  - {kind: linear, out: 32}
  - {name: hidden, kind: spiking, neuron: lif, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {name: which, kind: linear, out: 3, from: hidden}
  - {name: big, kind: linear, out: 1, from: hidden}
outputs: [{name: kind, node: which}, {name: size, node: big}]
loss:
  - {kind: membrane-cross-entropy, output: kind}
  - {kind: mse, output: size, target: size, weight: 2}
task:
  - {kind: classify, output: kind}
  - {kind: regress, output: size, target: size}
optimizer: {kind: adam, lr: 0.01}
epochs: 30
batch: 20
`, dir)
	if a := value(t, result, "kind/accuracy"); a < 95 {
		t.Errorf("accuracy %v %%", a)
	}
	if v := value(t, result, "size/r2"); v < 0.5 {
		t.Errorf("R² %v", v)
	}
	if !result.Chosen || result.By.Name != "kind/accuracy" {
		t.Errorf("the best was chosen by %+v", result.By)
	}
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Predict(t.Context(), &sample.Sample{X: []tensor.Float{0, 1, 0, 0, 1, 0}})
	if err != nil || a[0].Class != "1" || len(a[0].Outputs) != 2 {
		t.Errorf("answers %+v, %v", a, err)
	}
}

// One model serves many goroutines with the bits of one.
func TestServesManyGoroutines(t *testing.T) {
	x, y := moving(40)
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, 40, 6, 8, 8, 2), "y": npz.I64(y, 40)})
	_, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.25, normalize: true}
encoder: frames
layers: [{kind: conv2d, out: 3, kernel: 3}, {kind: spiking, neuron: lif, surrogate: fast-sigmoid}, flatten, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
batch: 10
`, dir)
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(i int) catalog.Answer {
		s := &sample.Sample{X: make([]tensor.Float, m.Spec.Size())}
		for k := range s.X {
			s.X[k] = tensor.Float(x[i*len(s.X)+k])
		}
		a, err := m.Predict(context.Background(), s)
		if err != nil {
			t.Error(err)
			return catalog.Answer{}
		}
		return a[0]
	}
	var want []catalog.Answer
	for i := range 32 {
		want = append(want, ask(i))
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for range 5 {
				if got := ask(i); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("sample %d: %+v, alone %+v", i, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// What does not fit is said of the data, with the sample where it is one.
func TestWhatDoesNotFit(t *testing.T) {
	x, y := moving(40)
	dir := save(t, map[string]npz.Array{"x": npz.F32(x, 40, 6, 8, 8, 2), "y": npz.I64(y, 40)})
	_, path := fitFile(t, `
data: {npz: own.npz, holdout: 0.25}
encoder: frames
layers: [flatten, {kind: linear, out: 2}, readout]
loss: membrane-cross-entropy
batch: 10
`, dir)
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set := func(shape tensor.Shape, steps int, classes []string, labels []int) *data.Set {
		return &data.Set{Name: "other", Shape: shape, Steps: steps, Classes: classes, Labels: labels, Values: make([]tensor.Float, len(labels)*max(1, steps)*shape.Size())}
	}
	for want, src := range map[string]sample.Source{
		"the data are samples of 6 steps of 8×8×1": set(tensor.Shape{8, 8, 1}, 6, []string{"0", "1"}, []int{0}),
		`"owl"`: set(tensor.Shape{8, 8, 2}, 6, []string{"0", "owl"}, []int{0, 1}),
	} {
		_, err := m.Evaluate(t.Context(), m.Predictor(), src, 0, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	// Classes are matched by name, whatever their order.
	ev, err := m.Evaluate(t.Context(), m.Predictor(), set(tensor.Shape{8, 8, 2}, 6, []string{"1", "0"}, []int{0, 0, 1}), 0, nil)
	if err != nil || ev.Classes().Confusion[1][0]+ev.Classes().Confusion[1][1] != 2 {
		t.Errorf("confusion %v, %v", ev.Classes(), err)
	}
	for want, s := range map[string]*sample.Sample{
		"3 values, and the model takes samples of 6 steps of 8×8×2": {X: make([]tensor.Float, 3)},
		"value 5 is NaN": {X: func() []tensor.Float {
			x := make([]tensor.Float, m.Spec.Size())
			x[5] = tensor.Float(math.NaN())
			return x
		}()},
	} {
		if _, err := m.Predict(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for want, yaml := range map[string]string{
		"is it the data set that the network is for": "data: {npz: own.npz, holdout: 0.2}\nencoder: frames\nlayers: [flatten, {kind: linear, out: 3}, readout]\nloss: membrane-cross-entropy\n",
		"target \"class\" is class":                  "data: {npz: own.npz, holdout: 0.2}\nencoder: frames\nlayers: [flatten, {kind: linear, out: 2}, readout]\nloss: mse\n",
		"samples are series":                         "data: {npz: own.npz, holdout: 0.2}\nsteps: 6\nlayers: [flatten, {kind: linear, out: 2}, readout]\nloss: membrane-cross-entropy\n",
	} {
		c := decode(t, yaml, dir)
		a, b, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var sets model.Sets
		c, sets, err = c.Prepare(t.Context(), a, b)
		if err == nil {
			_, err = c.Loop(sets, nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
