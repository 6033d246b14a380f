package model_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/format/yaml"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// timeless is a rule that relaxes on values as they are: it has no steps of time.
type timeless struct {
	Rate float64 `yaml:"rate"`
}

func (r timeless) Validate() error {
	if r.Rate < 0 {
		return errors.New("rate is negative")
	}
	return nil
}
func (timeless) Learner(train.Setting) (train.Learner, error) { return nil, errors.New("not here") }
func (timeless) Predictor(train.Setting, map[string]train.Array) (train.Predictor, error) {
	return nil, errors.New("not here")
}
func (timeless) Ignores() []string { return []string{"encoder", "steps"} }

// withTimeless is the table with a rule of another module.
func withTimeless() model.Table {
	t := kinds()
	t.Rules["timeless"] = model.Kind{New: func() any { return &timeless{Rate: 0.5} }, Example: timeless{}}
	return t
}

// A file that names no rule learns by backpropagation; another one's keys are its own.
func TestRuleOfAFile(t *testing.T) {
	table := withTimeless()
	c, err := table.Decode("x.yaml", []byte("data: {name: mnist}\nrule: timeless\nrate: 0.25\nepochs: 3\nvalid: 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Rule != train.Rule(timeless{Rate: 0.25}) || c.Epochs != 3 || c.Encoder != nil || c.Steps != 0 {
		t.Errorf("decoded as %+v", c)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := table.Decode("again.yaml", src)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: again %+v from\n%s", err, again, src)
	}
	if c, err = c.For(digits(10)); err != nil || c.Steps != 0 || len(c.Task) != 1 {
		t.Errorf("for digits: %+v, %v", c, err)
	}
	if c, err = table.Decode("x.yaml", []byte(example)); err != nil || rule(t, c).Optimizer == nil || c.Encoder != encode.Encoder(encode.Constant{}) {
		t.Errorf("without a rule: %+v, %v", c, err)
	}
}

// A key that the rule does without, or does not know, is an error at its place.
func TestIgnoredKeysAreErrors(t *testing.T) {
	const file = "data: {name: mnist}\nrule: timeless\n"
	for add, want := range map[string]string{
		"steps: 4\n":                      "x.yaml:3:8: steps: the rule does without this key; remove it",
		"encoder: poisson\n":              "x.yaml:3:10: encoder: the rule does without this key; remove it",
		"encoder: {kind: poisson}\n":      "encoder: the rule does without this key; remove it",
		"layers: [flatten]\n":             `unknown key "layers"`,
		"rate: -1\n":                      "rate is negative",
		"optimizer: {kind: sgd, lr: 1}\n": `unknown key "optimizer"`,
	} {
		_, err := withTimeless().Decode("x.yaml", []byte(file+add))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", add, err, want)
		}
	}
	if _, err := kinds().Decode("x.yaml", []byte(example+"rate: 1\n")); err == nil || !strings.Contains(err.Error(), `unknown key "rate"`) {
		t.Errorf("another rule's key: %v", err)
	}
}

const twoOutputs = `
data: {name: own}
steps: 3
task:
  - {kind: classify, output: what}
  - {name: size, kind: regress, output: where, target: place, read: last}
layers:
  - {name: features, kind: linear, out: 8}
  - {name: hidden, kind: spiking}
  - {kind: linear, out: 2}
  - {name: class, kind: readout}
  - {kind: linear, out: 3, from: hidden}
  - {name: place, kind: readout}
outputs:
  - {name: what, node: class}
  - {name: where, node: place}
loss:
  - {kind: membrane-cross-entropy, output: what}
  - {kind: mse, read: last, output: where, target: place, weight: 0.5}
`

// places are samples with a class and a place of three values.
func places() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{5}, Targets: []sample.Field{
		{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b"}},
		{Name: "place", Kind: sample.Values, Shape: tensor.Shape{3}},
	}}
}

// Losses and tasks find outputs of the network and targets of the data by name.
func TestTwoOutputs(t *testing.T) {
	c, err := kinds().Decode("two.yaml", []byte(twoOutputs))
	if err != nil {
		t.Fatal(err)
	}
	r := rule(t, c)
	wantLoss := []bptt.Term{{Loss: loss.MembraneCrossEntropy{}, Output: "what"}, {Loss: loss.MSE{Read: loss.ReadLast}, Output: "where", Target: "place", Weight: 0.5}}
	wantTask := []task.Binding{{Task: task.Classify{}, Output: "what"}, {Name: "size", Task: task.Regress{Read: task.ReadLast}, Output: "where", Target: "place"}}
	if !reflect.DeepEqual(r.Loss, wantLoss) || !reflect.DeepEqual(c.Task, wantTask) || !reflect.DeepEqual(r.Outputs, []bptt.Output{{Name: "what", Node: "class"}, {Name: "where", Node: "place"}}) {
		t.Errorf("decoded as losses %+v, tasks %+v, outputs %+v", r.Loss, c.Task, r.Outputs)
	}
	src, err := kinds().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := kinds().Decode("again.yaml", src); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: again %+v from\n%s", err, again, src)
	}
	net, err := build(c, places())
	if err != nil {
		t.Fatal(err)
	}
	if o := net.Outputs(); len(o) != 2 || o[0].Name != "what" || o[1].Name != "where" || !net.OutputShapes()[1].Equal(tensor.Shape{3}) {
		t.Errorf("outputs %+v of %v", o, net.OutputShapes())
	}
}

// What does not fit is named: the output, the target, the loss or the task.
func TestTwoOutputsErrors(t *testing.T) {
	for _, c := range []struct{ replace, by, want string }{
		{"weight: 0.5", "weight: -1", "weight -1"},
		{"{kind: mse, read: last, output: where", "{kind: mse, read: last, output: were", `no output "were"`},
		{"target: place, weight", "target: palace, weight", `no target "palace"`},
		{"target: place, read", "target: palace, read", `no target "palace"`},
		{"{kind: classify, output: what}", "{kind: classify, output: where}", `task: node "place": task classify: the output has 3 scores, and target "class" 2 classes`},
		{"read: last, output: where, target: place, weight", "read: last, output: what, target: place, weight", `loss: node "class": `},
		{"node: place", "node: palace", `no node "palace"`},
		{"name: where, node", "name: what, node", `two outputs are called "what"`},
	} {
		src := strings.Replace(twoOutputs, c.replace, c.by, 1)
		if src == twoOutputs {
			t.Fatalf("no %q in the file", c.replace)
		}
		cfg, err := kinds().Decode("two.yaml", []byte(src))
		if err == nil {
			_, err = build(cfg, places())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.by, err, c.want)
		}
	}
	// The place of the node stands in the file.
	src := strings.Replace(twoOutputs, "{kind: linear, out: 2}", "{kind: linear, out: 4}", 1)
	cfg, err := kinds().Decode("two.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	_, err = build(cfg, places())
	var node *network.NodeError
	var located *yaml.Error
	if !errors.As(err, &node) || node.Name != "class" || !errors.As(model.Locate("two.yaml", []byte(src), err), &located) || located.Line != 11 {
		t.Errorf("%v at %+v, want node class in line 11", err, located)
	}
}
