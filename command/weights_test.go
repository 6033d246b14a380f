package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const snnTorchYAML = `
data: {name: mnist-sample}
steps: 10
layers:
  - {kind: conv2d, out: 4, kernel: 5}
  - spiking
  - {kind: max-pool, size: 2}
  - flatten
  - {kind: linear, out: 10}
  - spiking
`

// Weights of PyTorch become a model that is as right here as it was there, and learns on.
func TestImportWeights(t *testing.T) {
	dir := t.TempDir()
	copyWeights(t, "../exchange/torch/testdata", dir)
	from, model := filepath.Join(dir, "snntorch.safetensors"), filepath.Join(dir, "model.safetensors")
	args := []string{"import", from, "-o", model, "--network", writeIn(t, dir, "net.yaml", snnTorchYAML)}
	stdout, stderr, code := command(append(args, "--json")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	var out struct {
		Format string
		Nodes  []struct {
			Name, Kind string
			LoweredTo  string `json:"lowered_to"`
			Lost       []string
		}
		Steps int
		DT    float64
		Model string
	}
	strict(t, stdout, &out)
	if out.Format != "safetensors" || len(out.Nodes) != 4 || out.Nodes[1].LoweredTo != "spiking1" || out.Steps != 10 {
		t.Errorf("%s", stdout)
	}
	stdout, stderr, code = command("eval", model, "--json")
	var figures struct{ Accuracy float64 }
	if err := json.Unmarshal([]byte(stdout), &figures); code != 0 || err != nil || figures.Accuracy < 85.39 || figures.Accuracy > 85.41 {
		t.Errorf("exit code %d, %s, %v, %s: snnTorch has 85.40 %%", code, stdout, err, stderr)
	}
	config, err := os.ReadFile(filepath.Join(dir, "net.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	on := strings.Replace(string(config), "- spiking", "- {kind: spiking, neuron: {kind: lif, strict: true, delayed: true}, varied: {beta: channel}}", 1)
	on = "init: model.safetensors\nvalid: 0\nepochs: 1\nbatch: 100\n" + strings.Replace(on, "mnist-sample", "mnist-sample, train: 100", 1)
	if _, stderr, code := command("train", writeIn(t, dir, "on.yaml", on), "--out", filepath.Join(dir, "run")); code != 0 {
		t.Error(stderr)
	}
}

// What does not fit together is a clear error.
func TestImportWeightsRefuses(t *testing.T) {
	dir := t.TempDir()
	copyWeights(t, "../exchange/torch/testdata", dir)
	snn, jelly := filepath.Join(dir, "snntorch.safetensors"), filepath.Join(dir, "spikingjelly.safetensors")
	net, out := writeIn(t, dir, "net.yaml", snnTorchYAML), filepath.Join(dir, "out.safetensors")
	names := writeIn(t, dir, "names.yaml", "names: {conv2d1: conv, linear1: fc}\n")
	wrong := writeIn(t, dir, "wrong.yaml", "nams: {}\n")
	rule := writeIn(t, dir, "rule.yaml", "data: {name: mnist-sample}\nrule: eqprop\nhidden: [5]\nlearning-rates: [0.1, 0.1]\n")
	from := writeIn(t, dir, "from.yaml", "init: other.safetensors\n"+snnTorchYAML)
	null := writeIn(t, dir, "null.yaml", "neurons: {spiking1: null}\n")
	wide := writeIn(t, dir, "wide.yaml", "data: {name: mnist-sample}\nsteps: 1\nlayers: [flatten, {kind: linear, out: 100000000}, spiking]\n") // 292 GiB of weights
	folder := filepath.Join(dir, "folder.safetensors")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		code int
		args []string
	}{
		"describe the network in a YAML file": {exitUsage, []string{snn, "--data", "mnist-sample"}},
		"leave out --encoder":                 {exitUsage, []string{snn, "--network", net, "--steps", "3"}},
		"nothing here takes lif1.beta":        {exitFailed, []string{snn, "--network", net, "--names", names}},
		"wrong.yaml:1:1":                      {exitUsage, []string{snn, "--network", net, "--names", wrong}},
		"want layers of bptt":                 {exitUsage, []string{snn, "--network", rule}},
		"has what layer conv2d1 needs":        {exitFailed, []string{jelly, "--network", net}},
		"leave out --network and --names":     {exitFailed, []string{onnxFile(t), "--network", net}},
		"safetensors.torch.save_file":         {exitFailed, []string{"net.pt", "--network", net}},
		"give the data":                       {exitUsage, []string{snn}},
		"leave out init and convert":          {exitUsage, []string{snn, "--network", from}},
		"no value, want a neuron":             {exitUsage, []string{snn, "--network", net, "--names", null}},
		"want a file; name the file":          {exitFailed, []string{folder, "--network", net}},
		"[100000000 784]":                     {exitFailed, []string{snn, "--network", wide}},
	} {
		if _, stderr, code := command(append([]string{"import", "-o", out}, c.args...)...); code != c.code || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %d, %q", c.args, code, stderr, c.code, want)
		}
	}
	for _, lost := range []string{snn, net, names} {
		before, err := os.ReadFile(lost)
		if err != nil {
			t.Fatal(err)
		}
		_, stderr, code := command("import", snn, "--network", net, "--names", names, "-o", lost)
		after, err := os.ReadFile(lost)
		if code != exitUsage || !strings.Contains(stderr, "is read and would be lost") || err != nil || string(before) != string(after) {
			t.Errorf("--out %s: exit code %d, %s, %v", lost, code, stderr, err)
		}
	}
}
