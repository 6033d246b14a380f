package command

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/energy"
)

const ordinaryNet = `
data: {name: mnist-sample, train: 400, test: 200}
encoder: constant
steps: 1
layers: [{kind: conv2d, out: 4, kernel: 5, stride: 2}, batch-norm, relu, flatten, {kind: linear, out: 10}]
loss: count-cross-entropy
optimizer: {kind: adam, lr: 0.01}
epochs: 3
batch: 20
`

// conversionJSON is the contract, with what was added.
type conversionJSON struct {
	Method      string
	Reset       string
	Start       float64
	Neuron      string
	Residual    int
	Delay       int
	AnnAccuracy float64 `json:"ann_accuracy"`
	Curve       []struct {
		Steps    int
		Accuracy float64
		Low      float64 `json:"accuracy_low"`
		High     float64 `json:"accuracy_high"`
		Equal    float64 `json:"equal_scores"`
		Spikes   float64 `json:"spikes_per_sample"`
		Synops   float64 `json:"synops_per_sample"`
		Energy   float64 `json:"energy_uj"`
	}
	Exits struct {
		ChosenOn int `json:"chosen_on"`
		Chosen   *int
		Curve    []struct {
			Margin   float64
			Steps    float64 `json:"steps_per_sample"`
			Accuracy float64
			Low      float64 `json:"accuracy_low"`
			High     float64 `json:"accuracy_high"`
		}
	}
	Energy struct {
		Constants energy.Constants
		Papers    struct {
			Ann struct {
				MACs  float64
				Total float64 `json:"total_uj"`
			}
			Snn energy.Papers
		}
		NeuroBench struct{ Ann, Snn energy.NeuroBench }
		Memory     struct {
			Ann struct {
				Flow     string `json:"data_flow"`
				Bits     int
				Accuracy float64
				Samples  int     `json:"chosen_on"`
				Trained  float64 `json:"chosen_on_accuracy"`
				Aim      float64 `json:"chosen_to_reach"`
				Reached  bool    `json:"as_accurate"`
				Density  *float64
				energy.Cost
			}
			Snn []struct {
				Flow string `json:"data_flow"`
				energy.Cost
				Rate     *float64
				Crossing *float64 `json:"crossing_rate"`
				All      *float64 `json:"crossing_rate_all"`
				Why      string
			}
			Published float64 `json:"published_crossing_rate"`
		}
	}
	Outputs []string
	Layers  []struct {
		Name, Op    string
		Lambda      float64
		LambdaLeast float64 `json:"lambda_least"`
		Threshold   float64
		Largest     float64 `json:"ann_activation_max"`
		Above, Rate float64
		Correlation *float64
		Transmitted *float64
		Error       struct{ Total, Inherited, Own, Clip, Quantise, Uneven float64 }
	}
	Notes []struct{ Node, Effect, Text string }
	N     int
}

// A trained ordinary network becomes spiking models that eval finds as accurate as the curve
// says, with a report; by all methods, whatever the threads, and with Poisson input.
func TestConvertNetwork(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := command("train", write(t, "net.yaml", ordinaryNet), "--out", filepath.Join(dir, "ann")); code != 0 {
		t.Fatal(stderr)
	}
	model, out := filepath.Join(dir, "ann", "model.safetensors"), filepath.Join(dir, "snn")
	args := []string{"convert", model, "--method", "model,data,percentile,channel,spike-norm,rmp,spiking-resnet,balance,calibrate", "--steps", "4,32", "--samples", "60", "--json"}
	stdout, stderr, code := command(append(args, "--out", out, "--threads", "2")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	if again, _, _ := command(append(args, "--threads", "1")...); again != stdout {
		t.Error("one thread gives other figures than two")
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 9 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		var c conversionJSON
		strict(t, line, &c)
		last := c.Curve[len(c.Curve)-1]
		if len(c.Curve) != 2 || last.Steps != 32 || c.N != 200 || len(c.Layers) != 1 || len(c.Outputs) != 1 || !(last.Low < last.Accuracy && last.Accuracy < last.High) || !(last.Energy > 0) {
			t.Errorf("%s", line)
		}
		if c.Method != "model" && (math.Abs(last.Accuracy-c.AnnAccuracy) > 5 || c.AnnAccuracy < 60 || !(*c.Layers[0].Correlation > 0.9) || math.Abs(last.Synops-10*last.Spikes) > 1e-6) {
			t.Errorf("%s: %v after 32 steps, ordinary %v: %s", c.Method, last.Accuracy, c.AnnAccuracy, line)
		}
		checkEnergy(t, c)
		checkExits(t, c, filepath.Join(out, c.Method+".safetensors"))
		var e catalog.Evaluation
		stdout, stderr, code := command("eval", filepath.Join(out, c.Method+".safetensors"), "--energy", "45nm", "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		strict(t, stdout, &e)
		if b := e.Energy.NeuroBench; !reflect.DeepEqual(b, c.Energy.NeuroBench.Snn) {
			t.Errorf("%s: eval counts %+v, convert %+v", c.Method, b, c.Energy.NeuroBench.Snn)
		}
		if *e.Accuracy != last.Accuracy || math.Abs(e.SpikesPerSample-last.Spikes) > 1e-9 || e.StepsPerSample != 32 {
			t.Errorf("%s: eval has %v %% and %v spikes in %v steps, the curve %+v", c.Method, *e.Accuracy, e.SpikesPerSample, e.StepsPerSample, last)
		}
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil || !strings.Contains(string(page), "Accuracy over the steps") || !strings.Contains(string(page), "Where the error arises") {
		t.Errorf("report: %v", err)
	}
	var kept []conversionJSON
	raw, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil || len(kept) != 9 {
		t.Errorf("result.json: %d results, %v", len(kept), err)
	}
	late := filepath.Join(dir, "late")
	stdout, stderr, code = command("convert", model, "--method", "balance", "--start", "0", "--steps", "6,9", "--samples", "60", "--delay", "auto", "--out", late, "--json")
	var c conversionJSON
	if strict(t, stdout, &c); code != 0 || c.Delay < 0 || c.Delay > 5 {
		t.Fatalf("exit code %d, a delay of %d: %s", code, c.Delay, stderr)
	}
	stdout, stderr, code = command("eval", filepath.Join(late, "balance.safetensors"), "--json")
	var e catalog.Evaluation
	if strict(t, stdout, &e); code != 0 || *e.Accuracy != c.Curve[1].Accuracy {
		t.Errorf("delay %d: eval has %v %%, the curve %v, %s", c.Delay, *e.Accuracy, c.Curve[1].Accuracy, stderr)
	}
	stdout, stderr, code = command("convert", model, "--method", "rmp", "--steps", "8", "--samples", "20", "--input", "poisson")
	for _, want := range []string{"rmp", "95 % BAND", "ordinary", "spiking1", "conv2d", "adds most to the error", "neuron operations, dense", "output stationary", "bits"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", code, want, stdout, stderr)
		}
	}
}

// checkExits checks that answers are as early and as good as eval finds them by the same margin.
func checkExits(t *testing.T, c conversionJSON, model string) {
	t.Helper()
	x := c.Exits
	if len(x.Curve) == 0 && c.Method == "model" {
		return // no score leads
	}
	if x.ChosenOn != 60 || len(x.Curve) != 16 || x.Curve[0].Steps <= x.Curve[15].Steps {
		t.Errorf("%s: %+v", c.Method, x)
	}
	for _, e := range x.Curve[4:6] {
		stdout, stderr, code := command("eval", model, "--early-exit", strconv.FormatFloat(e.Margin, 'g', -1, 64), "--json")
		var got catalog.Evaluation
		if code != 0 {
			t.Fatal(stderr)
		}
		strict(t, stdout, &got)
		if math.Abs(got.StepsPerSample-e.Steps) > 1e-9 || *got.Accuracy != e.Accuracy || !(e.Low <= e.Accuracy && e.Accuracy <= e.High) {
			t.Errorf("%s, margin %v: eval has %v %% in %v steps, convert %+v", c.Method, e.Margin, *got.Accuracy, got.StepsPerSample, e)
		}
	}
}

// checkEnergy checks the accounts of ordinaryNet: 12×12 pixels of 4 channels and 25 taps, 10 outputs.
func checkEnergy(t *testing.T, c conversionJSON) {
	t.Helper()
	e, last := c.Energy, c.Curve[len(c.Curve)-1]
	const first, rest = 12 * 12 * 4 * 25, 12 * 12 * 4 * 10
	close := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }
	if e.Papers.Ann.MACs != first+rest || !close(e.Papers.Ann.Total, 4.6e-6*(first+rest)) {
		t.Errorf("%s: ordinary %+v", c.Method, e.Papers.Ann)
	}
	if p := e.Papers.Snn; !close(p.Total, 4.6e-6*first+0.9e-6*last.Synops) || p.Total != last.Energy || !close(p.FirstEachStep, 32*4.6e-6*first) {
		t.Errorf("%s: spiking %+v", c.Method, p)
	}
	ann, snn := e.NeuroBench.Ann, e.NeuroBench.Snn
	if ann.Samples != 200 || snn.Steps != 32 || ann.Dense != first+rest || snn.Dense != 32*(first+rest) || !close(snn.EffectiveACs, last.Synops) || snn.EffectiveMACs == 0 || *snn.NeuronOpsDense != 4*32*576 {
		t.Errorf("%s: %+v, %+v", c.Method, ann, snn)
	}
	m := e.Memory
	if m.Ann.Bits < 1 || m.Ann.Bits > 8 || m.Ann.Reached != (m.Ann.Trained >= m.Ann.Aim) || m.Ann.Samples != 60 || !(*m.Ann.Density > 0 && *m.Ann.Density < 1) || m.Published != 6.0/(8*32) {
		t.Errorf("%s: %+v", c.Method, m.Ann)
	}
	for i, flow := range []string{"event scatter", "output stationary"} {
		v := m.Snn[i]
		if want := last.Synops / (32 * rest); v.Flow != flow || !close(*v.Rate, want) || !(*v.Crossing > 0) || !close(v.Total, v.First+v.Synapses+v.Scan+v.Neurons) {
			t.Errorf("%s: %+v, want the rate %v", c.Method, v, want)
		}
	}
	if !(m.Snn[0].Synapses > m.Snn[1].Synapses && *m.Snn[0].Crossing < *m.Snn[1].Crossing && m.Snn[0].Scan == 0 && m.Snn[1].Scan > 0) {
		t.Errorf("%s: %+v", c.Method, m.Snn)
	}
}

// Constants of one's own are those of the accounts; a file that is none is told before anything runs.
func TestEnergyConstants(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := command("train", write(t, "net.yaml", tinyNet), "--out", filepath.Join(dir, "snn")); code != 0 {
		t.Fatal(stderr)
	}
	model, own := filepath.Join(dir, "snn", "model.safetensors"), write(t, "chip.yaml", "name: a chip\nsource: its data sheet\nac: 1.8\n")
	of := func(constants string) (e catalog.Evaluation) {
		stdout, stderr, code := command("eval", model, "--energy", constants, "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		strict(t, stdout, &e)
		return e
	}
	a, b := of("45nm").Energy, of(own).Energy
	if b.Constants.Name != "a chip" || !(a.Papers.Spikes > 0) || math.Abs(b.Papers.Spikes-2*a.Papers.Spikes) > 1e-12 || len(a.Memory) != 2 {
		t.Errorf("%+v, %+v", a, b)
	}
	stdout, stderr, code := command("eval", model, "--energy", own)
	for _, want := range []string{"a chip (its data sheet)", "neuron operations, dense", "event scatter", "That it is as accurate is not known."} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", code, want, stdout, stderr)
		}
	}
	for constants, want := range map[string]string{filepath.Join(dir, "absent.yaml"): "give a YAML file of constants", write(t, "bad.yaml", "name: x\nsource: y\nac: 0\n"): "ac is 0"} {
		if _, stderr, code := command("eval", model, "--energy", constants); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, no %q in %s", code, want, stderr)
		}
	}
}

// Staircases become neurons whose graded spikes answer as they do, in as many steps; steps
// before the run are among the steps; the kept models answer as the curves say.
func TestConvertStaircases(t *testing.T) {
	dir := t.TempDir()
	net := strings.Replace(ordinaryNet, "relu, flatten", "{kind: qcfs, levels: 3, init: 2}, flatten", 1)
	if _, stderr, code := command("train", write(t, "net.yaml", net), "--out", filepath.Join(dir, "ann")); code != 0 {
		t.Fatal(stderr)
	}
	model, out := filepath.Join(dir, "ann", "model.safetensors"), filepath.Join(dir, "snn")
	for _, c := range []struct {
		neuron   string
		residual int
		args     []string
	}{{"graded", 0, []string{"--neuron", "graded"}}, {"if", 2, []string{"--residual", "2"}}} {
		stdout, stderr, code := command(append([]string{"convert", model, "--method", "qcfs", "--steps", "3,5", "--samples", "60", "--json", "--out", out}, c.args...)...)
		if code != 0 {
			t.Fatal(stderr)
		}
		var r conversionJSON
		strict(t, strings.TrimSpace(stdout), &r)
		last := r.Curve[1]
		if r.Neuron != c.neuron || r.Residual != c.residual || r.Start != 0.5 || c.neuron == "graded" && r.Curve[0].Accuracy != r.AnnAccuracy || math.Abs(last.Accuracy-r.AnnAccuracy) > 8 || last.Spikes == 0 {
			t.Errorf("%s", stdout)
		}
		var e catalog.Evaluation
		stdout, stderr, code = command("eval", filepath.Join(out, "qcfs.safetensors"), "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		strict(t, stdout, &e)
		if *e.Accuracy != last.Accuracy || math.Abs(e.SpikesPerSample-last.Spikes) > 1e-9 {
			t.Errorf("eval has %v %% and %v spikes, the curve %+v", *e.Accuracy, e.SpikesPerSample, last)
		}
	}
	if _, stderr, code := command("convert", model, "--method", "ttfs", "--steps", "20"); code != 1 || !strings.Contains(stderr, `node "qcfs1": is a ordinary.QCFS`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Methods that train: of a network with a shortcut and max pooling hybrid trains the neurons on, and qcfs
// staircases first. What training has found is what is measured, kept and continued, whatever the threads.
func TestConvertTrainsOn(t *testing.T) {
	dir := t.TempDir()
	net := strings.Replace(ordinaryNet, "relu, flatten", "{name: stem, kind: relu}, {kind: conv2d, out: 4, kernel: 1}, {kind: add, from: [previous, stem]}, relu, {kind: max-pool, size: 2}, flatten", 1)
	if _, stderr, code := command("train", write(t, "net.yaml", net), "--out", filepath.Join(dir, "ann")); code != 0 {
		t.Fatal(stderr)
	}
	model, out := filepath.Join(dir, "ann", "model.safetensors"), filepath.Join(dir, "snn")
	args := []string{"convert", model, "--method", "rmp,hybrid,qcfs", "--steps", "2,4", "--samples", "60", "--epochs", "3", "--rate", "0.003", "--levels", "4", "--json"}
	stdout, stderr, code := command(append(args, "--out", out, "--threads", "2")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	if again, _, _ := command(append(args, "--threads", "1")...); again != stdout {
		t.Error("one thread, and no folder, give other figures than two")
	}
	if again, stderr, code := command(append(args, "--out", out, "--resume")...); again != stdout || code != 0 {
		t.Errorf("what stands gives other figures when it is resumed: code %d, %s", code, stderr)
	}
	if _, stderr, code := command(append(args, "--out", out)...); code != 1 || !strings.Contains(stderr, "--resume") {
		t.Errorf("an earlier training: code %d, %s", code, stderr)
	}
	last := map[string]float64{}
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		var c conversionJSON
		strict(t, line, &c)
		last[c.Method] = c.Curve[1].Accuracy
		note := c.Notes[len(c.Notes)-1].Text
		if trained := strings.HasPrefix(note, "Trained on") && strings.Contains(note, "epochs: 3, learning rate: 0.003"); trained != (c.Method != "rmp") {
			t.Errorf("%s: %q", c.Method, note)
		}
		var e catalog.Evaluation
		stdout, stderr, code := command("eval", filepath.Join(out, c.Method+".safetensors"), "--json")
		if code != 0 {
			t.Fatal(stderr)
		}
		strict(t, stdout, &e)
		if *e.Accuracy != c.Curve[1].Accuracy || math.Abs(e.SpikesPerSample-c.Curve[1].Spikes) > 1e-9 {
			t.Errorf("%s: eval has %v %% and %v spikes, the curve %+v", c.Method, *e.Accuracy, e.SpikesPerSample, c.Curve[1])
		}
	}
	if page, err := os.ReadFile(filepath.Join(out, "report.md")); err != nil || strings.Count(string(page), "Trained on") != 2 {
		t.Errorf("the report says of both methods what was trained? %v", err)
	}
	if last["hybrid"] <= last["rmp"] || last["qcfs"] <= last["rmp"] {
		t.Errorf("training on has gained nothing: %v", last)
	}
}

// Single spikes answer as the ordinary network, in exact time.
func TestConvertToSingleSpikes(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := command("train", write(t, "net.yaml", ordinaryNet), "--out", filepath.Join(dir, "ann")); code != 0 {
		t.Fatal(stderr)
	}
	out := filepath.Join(dir, "single")
	args := []string{"convert", filepath.Join(dir, "ann", "model.safetensors"), "--method", "ttfs", "--steps", "10,100,1000", "--samples", "60"}
	stdout, stderr, code := command(append(args, "--json", "--out", out)...)
	if code != 0 {
		t.Fatal(stderr)
	}
	var r struct {
		Method string
		Ann    float64 `json:"ann_accuracy"`
		Curve  []struct {
			Steps    *int
			DT       float64
			Accuracy float64
			Low      float64  `json:"accuracy_low"`
			High     float64  `json:"accuracy_high"`
			Spikes   float64  `json:"spikes_per_sample"`
			Synops   *float64 `json:"synops_per_sample"`
			Energy   *float64 `json:"energy_uj"`
			Error    float64  `json:"largest_score_error"`
		}
		Energy  *struct{ Papers, NeuroBench, Memory *float64 }
		Outputs []string
		Layers  []struct {
			Name         string
			Window, Rate float64
			Largest      float64 `json:"ann_activation_max"`
			Clipped      int
		}
		Notes []struct{ Node, Effect, Text string }
		N     int
	}
	strict(t, strings.TrimSpace(stdout), &r)
	exact, fine := r.Curve[0], r.Curve[3]
	if exact.Steps != nil || exact.Accuracy != r.Ann || exact.Error > 1e-3 || *fine.Steps > 1000 || *fine.Steps < 990 || math.Abs(fine.Accuracy-r.Ann) > 2 || len(r.Layers) != 1 || r.Layers[0].Rate > 1 || r.N != 200 {
		t.Errorf("%s", stdout)
	}
	if page, err := os.ReadFile(filepath.Join(out, "report.html")); err != nil || !strings.Contains(string(page), "Single spikes") {
		t.Errorf("report: %v", err)
	}
	stdout, stderr, code = command(args...)
	for _, want := range []string{"ttfs", "exact time", "relu1", "CLIPPED"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", code, want, stdout, stderr)
		}
	}
	if _, stderr, code := command(append(args, "--steps", "1")...); code == 0 {
		t.Errorf("one step for two windows: %s", stderr)
	}
}

// Mistakes are told before anything runs.
func TestConvertNetworkRefuses(t *testing.T) {
	dir := t.TempDir()
	train := func(name, text string) string {
		if _, stderr, code := command("train", write(t, "net.yaml", text), "--out", filepath.Join(dir, name)); code != 0 {
			t.Fatal(stderr)
		}
		return filepath.Join(dir, name, "model.safetensors")
	}
	max := train("max", strings.Replace(strings.Replace(ordinaryNet, "relu, flatten", "{kind: relu, slope: 0.1}, {kind: max-pool, size: 2}, flatten", 1), "epochs: 3", "epochs: 1", 1))
	spiking := train("spiking", tinyNet)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{1, []string{`node "maxpool1": takes maxima`, "train with"}, []string{max, "--max-pool", "refuse"}},
		{1, []string{`node "spiking1": is spiking already`}, []string{spiking}},
		{2, []string{`no method "precentile"`, "percentile"}, []string{max, "--method", "precentile"}},
		{2, []string{"--steps", "ascend"}, []string{max, "--steps", "8,4"}},
		{2, []string{"--steps", "ascend"}, []string{max, "--steps", "8,8"}},
		{2, []string{"--delay", "below 8"}, []string{max, "--steps", "8", "--delay", "8"}},
		{2, []string{"--delay", "want auto"}, []string{max, "--steps", "8", "--delay", "late"}},
		{2, []string{"data is given twice"}, []string{max, "--method", "data,model,data"}},
		{2, []string{"--samples"}, []string{max, "--samples", "0"}},
		{2, []string{"does without factor"}, []string{max, "--factor", "0.5"}},
		{1, []string{"no such file"}, []string{filepath.Join(dir, "absent")}},
		{1, []string{`node "relu1": is a leaky relu`}, []string{max, "--method", "qcfs"}},
		{2, []string{"snm, sigma-delta, graded"}, []string{max, "--neuron", "burst"}},
		{2, []string{"--residual: 4 steps before the run"}, []string{max, "--residual", "4", "--steps", "4,8"}},
		{2, []string{"--residual"}, []string{max, "--residual", "-1"}},
		{2, []string{"soft reset"}, []string{max, "--neuron", "graded", "--reset", "zero"}},
		{2, []string{"2 residual steps with code graded"}, []string{max, "--neuron", "graded", "--residual", "2"}},
		{2, []string{"does without residual"}, []string{max, "--method", "rmp", "--residual", "2"}},
		{2, []string{"--resume are of methods that train"}, []string{max, "--epochs", "2"}},
		{2, []string{"--resume are of methods that train"}, []string{max, "--resume", "--out", dir}},
		{2, []string{"--resume continues the training that --out holds"}, []string{max, "--method", "hybrid", "--resume"}},
		{2, []string{"--levels is of method qcfs"}, []string{max, "--method", "hybrid", "--levels", "4"}},
		{2, []string{"want positive numbers"}, []string{max, "--method", "hybrid", "--epochs=-1"}},
		{2, []string{"leave --neuron and --delay out"}, []string{max, "--method", "hybrid", "--neuron", "graded"}},
		{2, []string{"does without residual"}, []string{max, "--method", "hybrid", "--residual", "2"}},
		{1, []string{`node "relu1": is a leaky relu`}, []string{max, "--method", "hybrid"}},
		{2, []string{"ttfs stands alone"}, []string{max, "--method", "ttfs,data"}},
		{2, []string{"--neuron: ttfs does without"}, []string{max, "--method", "ttfs", "--neuron", "graded"}},
		{1, []string{`node "relu1": is a leaky relu`}, []string{max, "--method", "ttfs"}},
		{2, []string{"--delay"}, []string{max, "--residual", "2", "--delay", "1"}},
		{2, []string{"start is 1 of the threshold"}, []string{max, "--start", "1"}},
		{2, []string{"percentile is 101"}, []string{max, "--percentile", "101"}},
		{2, []string{"factor is NaN"}, []string{max, "--method", "rmp", "--factor", "NaN"}},
		{2, []string{"--steps: 4611686018427387904, want at most 16777216"}, []string{max, "--steps", "4611686018427387904"}},
		{2, []string{"--energy: ttfs does without"}, []string{max, "--method", "ttfs", "--energy", "mine.yaml"}},
	} {
		_, stderr, code := command(append([]string{"convert"}, c.args...)...)
		for _, want := range c.want {
			if code != c.code || !strings.Contains(stderr, want) {
				t.Errorf("%v: exit code %d, want %d; no %q in %s", c.args, code, c.code, want, stderr)
			}
		}
	}
}

const relaxingNet = `
data: {name: mnist-sample, train: 40, test: 20}
rule: eqprop
hidden: [10]
learning-rates: [0.2, 0.1]
epochs: 1
batch: 20
`

// A model of a rule without layers was refused for its encoder, which it has none of (<nil>).
func TestConvertRuleWithoutLayers(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	if _, stderr, code := command("train", write(t, "net.yaml", relaxingNet), "--out", out); code != 0 {
		t.Fatal(stderr)
	}
	_, stderr, code := command("convert", filepath.Join(out, "model.safetensors"))
	if code != 1 || !strings.Contains(stderr, "rule eqprop") || strings.Contains(stderr, "nil") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// The models of the methods before one that fails were left without a report, also where the
// command said that nothing was kept; and a directory that cannot be made was told at the end.
func TestConvertKeepsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	net := strings.Replace(strings.Replace(ordinaryNet, "relu, flatten", "{name: stem, kind: relu}, {kind: conv2d, out: 4, kernel: 1}, {kind: add, from: [previous, stem]}, relu, flatten", 1), "epochs: 3", "epochs: 1", 1)
	if _, stderr, code := command("train", write(t, "net.yaml", net), "--out", filepath.Join(dir, "ann")); code != 0 {
		t.Fatal(stderr)
	}
	model, out := filepath.Join(dir, "ann", "model.safetensors"), filepath.Join(dir, "snn")
	_, stderr, code := command("convert", model, "--method", "data,spike-norm", "--steps", "2", "--samples", "20", "--out", out)
	if left, _ := os.ReadDir(out); code != 1 || !strings.Contains(stderr, "spike-norm") && !strings.Contains(stderr, "SpikeNorm") || len(left) > 0 {
		t.Errorf("exit code %d, left %v: %s", code, left, stderr)
	}
	if _, stderr, code := command("convert", model, "--method", "data", "--steps", "2", "--samples", "100000", "--out", out); code != 0 || !strings.Contains(stderr, "training samples to find scales by, not 100000") {
		t.Errorf("more samples than there are: exit code %d, %s", code, stderr)
	}
	if _, stderr, code := command("convert", model, "--method", "percentile", "--steps", "2", "--samples", "20", "--out", out); code != 1 || !strings.Contains(stderr, "data.safetensors is of an earlier conversion") {
		t.Errorf("models of an earlier conversion: exit code %d, %s", code, stderr)
	}
	stdout, stderr, code := command("convert", model, "--method", "data", "--steps", "2", "--out", model)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "not a directory") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// Classes of other data were numbered as those data number them, not as the model does, and samples
// of another shape were told by the network's first layer.
func TestConvertTakesDataAsTheModel(t *testing.T) {
	shapes := filepath.Join("..", "examples", "testdata", "shapes")
	dir := t.TempDir()
	for _, to := range []struct{ folder, class, from string }{
		{"three", "blank", "standing"}, {"three", "lying", "lying"}, {"three", "standing", "standing"},
		{"two", "lying", "lying"}, {"two", "standing", "standing"},
	} {
		for _, part := range []string{"train", "test"} {
			if err := os.CopyFS(filepath.Join(dir, to.folder, part, to.class), os.DirFS(filepath.Join(shapes, part, to.from))); err != nil {
				t.Fatal(err)
			}
		}
	}
	net := strings.Replace(ordinaryNet, "{name: mnist-sample, train: 400, test: 200}", "{folder: "+filepath.Join(dir, "three")+", size: [12, 12]}", 1)
	net = strings.Replace(strings.Replace(net, "out: 10", "out: 3", 1), "epochs: 3", "epochs: 10", 1)
	if _, stderr, code := command("train", write(t, "net.yaml", net), "--out", filepath.Join(dir, "run")); code != 0 {
		t.Fatal(stderr)
	}
	model, other := filepath.Join(dir, "run", "model.safetensors"), "yaml:"+write(t, "two.yaml", "folder: "+filepath.Join(dir, "two")+"\nsize: [12, 12]\n")
	stdout, stderr, code := command("eval", model, "--data", other, "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	var e catalog.Evaluation
	strict(t, stdout, &e)
	stdout, stderr, code = command("convert", model, "--data", other, "--steps", "4", "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	var c conversionJSON
	strict(t, stdout, &c)
	if c.AnnAccuracy != *e.Accuracy || c.N != e.N {
		t.Errorf("the ordinary network has %v %% of %d, by eval %v %% of %d", c.AnnAccuracy, c.N, *e.Accuracy, e.N)
	}
	// Training on takes them so, too.
	stdout, stderr, code = command("convert", model, "--data", other, "--method", "hybrid", "--epochs", "20", "--rate", "0.01", "--steps", "8", "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	strict(t, stdout, &c)
	if c.Curve[0].Accuracy < 90 {
		t.Errorf("%v %% after training on other data, the ordinary network has %v", c.Curve[0].Accuracy, c.AnnAccuracy)
	}
	_, stderr, code = command("convert", model, "--data", "mnist-sample", "--steps", "4")
	if code != 1 || !strings.Contains(stderr, "use the data set that it is for") {
		t.Errorf("samples of another shape: exit code %d, %s", code, stderr)
	}
	// The advice was to choose test, which convert does not calibrate by.
	_, stderr, code = command("convert", model, "--data", "yaml:"+write(t, "one.yaml", "folder: "+filepath.Join(dir, "two", "train")+"\nsize: [12, 12]\n"), "--steps", "4")
	if code != 1 || !strings.Contains(stderr, "has no part train") || strings.Contains(stderr, "choose test") {
		t.Errorf("data in one part: exit code %d, %s", code, stderr)
	}
}
