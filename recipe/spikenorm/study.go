package spikenorm

import (
	"context"
	"math"
	"slices"

	"synfire/convert"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/network/named"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
)

type study struct {
	*recipe.ConversionStudy
	size size
}

var soft = neuron.Subtract

const batch = 100

var adam = optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}

// cells are accuracies of the calibration in 8, 16, 32, 64, 128 and 512 steps, in percent.
var (
	cellSteps = []int{8, 16, 32, 64, 128, 512}
	cells     = map[string][]float64{
		"model": {8.8, 8.8, 8.8, 8.8, 21.9, 97.3}, "spike-hard": {56.6, 96.9, 97.2, 97.4, 97.4, 97.4}, "spike-soft": {62.3, 96.9, 97.3, 97.4, 97.3, 97.4},
		"spike-99.9": {97.0, 97.4, 97.4, 97.4, 97.4, 97.4}, "data": {96.0, 97.1, 97.4, 97.3, 97.4, 97.4},
		"percentile-99.9": {97.4, 97.3, 97.4, 97.4, 97.4, 97.4}, "percentile-99": {97.3, 97.4, 97.3, 97.3, 97.3, 97.3},
	}
)

const cellsOrdinary = 97.35

// begin begins with no network of a kind.
func (s *study) begin(name string) *recipe.Conversions {
	c := s.Conversions(name, s.size.calibrated)
	c.Currents = s.size.currents
	return c
}

// perceptron is 784–400–400–10 by all methods.
func (s *study) perceptron(ctx context.Context) {
	c, z := s.begin("mlp"), s.size
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data}, named.MLP{Hidden: []int{400, 400}, Dropout: 0.2, Classes: 10}.Nodes(), z.epochs, batch, adam, optim.Fixed{}))
	found := map[string]*recipe.Followed{}
	for _, a := range []recipe.Arm{
		{Name: "model", Text: "model", Method: "model"},
		{Name: "spike-hard", Text: "spike-norm, hard reset, Poisson", Method: "spike-norm", Poisson: true},
		{Name: "spike-soft", Text: "spike-norm, soft reset, Poisson", Method: "spike-norm", Options: convert.Options{Reset: &soft}, Poisson: true},
		{Name: "spike-99.9", Text: "spike-norm 99.9, soft reset, Poisson", Method: "spike-norm", Options: convert.Options{Reset: &soft, Percentile: 99.9}, Poisson: true},
		{Name: "data", Text: "data, Poisson", Method: "data", Poisson: true},
		{Name: "percentile-99.9", Text: "percentile 99.9", Method: "percentile"},
		{Name: "percentile-99", Text: "percentile 99", Method: "percentile", Options: convert.Options{Percentile: 99}, Unseen: true},
	} {
		a.Steps, a.Tested = cellSteps, z.tested
		if found[a.Name] = c.Follow(ctx, t, a); found[a.Name] == nil {
			return
		}
	}
	s.acceptPerceptron(found)
	s.Show(c, "784–400–400–10", "Without biases, with dropout. All layers act in the same step. Input is a current in each step, or Poisson: a spike in a step with the pixel for its probability.")
}

func (s *study) acceptPerceptron(found map[string]*recipe.Followed) {
	model, hard, spiking := found["model"], found["spike-hard"], found["spike-soft"]
	n, apart, settled, loss, resets := model.N, 0.0, 0.0, math.Inf(-1), 0.0
	for name, row := range cells {
		for k, steps := range cellSteps {
			l := found[name].Loss(steps)
			if off := math.Abs(l - (cellsOrdinary - row[k])); row[k] >= 96 {
				apart = max(apart, off)
				if steps >= 16 {
					settled = max(settled, off)
				}
			}
			if name != "model" && steps >= 64 {
				loss = max(loss, l)
			}
		}
	}
	for _, steps := range cellSteps[1:] {
		resets = max(resets, math.Abs(hard.At(steps).Accuracy-spiking.At(steps).Accuracy))
	}
	accuracy, spikes := math.Inf(1), math.Inf(1)
	order := []*recipe.Followed{found["percentile-99.9"], found["data"], spiking, model}
	for i, f := range order[1:] {
		accuracy = min(accuracy, order[i].At(8).Accuracy-f.At(8).Accuracy)
		spikes = min(spikes, order[i].At(64).Spikes-f.At(64).Spikes)
	}
	s.Claim(mnistClaim, apart, n)
	s.Claim(settledClaim, settled, n)
	s.Claim(convergedClaim, loss, n)
	s.Claim(orderClaim, accuracy, n)
	s.Claim(spikesClaim, spikes, n)
	s.Claim(earlyClaim, model.At(64).Accuracy, n)
	s.Claim(lateClaim, model.Loss(512), n)
	s.Claim(resetClaim, resets, n)
}

// deep is 784–8×128–10, whose rates fall with depth.
func (s *study) deep(ctx context.Context) {
	c, z := s.begin("deep"), s.size
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data, Train: z.few}, named.MLP{Hidden: slices.Repeat([]int{128}, 8), Classes: 10}.Nodes(), z.epochs, batch, adam, optim.Fixed{}))
	steps := []int{64, 128, 256, 512}
	hard := c.Follow(ctx, t, recipe.Arm{Name: "hard", Text: "spike-norm, hard reset", Method: "spike-norm", Steps: steps, Tested: z.tested})
	softly := c.Follow(ctx, t, recipe.Arm{Name: "soft", Text: "spike-norm, soft reset", Method: "spike-norm", Options: convert.Options{Reset: &soft}, Steps: steps, Tested: z.tested})
	if s.Err() != nil {
		return
	}
	rises := math.Inf(1)
	for i, k := range steps[1:] {
		rises = min(rises, hard.At(k).Accuracy-hard.At(steps[i]).Accuracy)
	}
	s.Claim(depthClaim, max(fading(hard), fading(softly)), hard.N)
	s.Claim(risesClaim, rises, hard.N)
	s.Show(c, "Eight hidden layers", "784–8×128–10 without biases, constant input. What a layer transmits is the sum of its decoded rates over that of its activations: hard reset drops what exceeds the threshold, layer after layer.")
}

// fading is the rank correlation of rates with depth.
func fading(f *recipe.Followed) float64 {
	var depths, rates []float64
	for i, l := range f.Layers {
		depths, rates = append(depths, float64(i)), append(rates, l.Rate)
	}
	return recipe.Spearman(depths, rates)
}

// blocks is the recipes for residual blocks.
func (s *study) blocks(ctx context.Context) {
	c, z := s.begin("blocks"), s.size
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data, Train: z.few}, named.NewResidual().Nodes(), z.epochs, batch, adam, optim.Fixed{}))
	found := map[string]*recipe.Followed{}
	for _, a := range []recipe.Arm{
		{Name: "rescale", Text: "shortcuts rescaled, largest activation", Method: "percentile", Options: convert.Options{Percentile: 100}},
		{Name: "unit", Text: "unit thresholds behind the first layer", Method: "spike-norm", Options: convert.Options{Reset: &soft}},
		{Name: "common", Text: "one scale for all", Method: "percentile", Options: convert.Options{Percentile: 100}, Change: common},
		{Name: "rescale-99.9", Text: "shortcuts rescaled, percentile 99.9", Method: "percentile"},
		{Name: "unit-99.9", Text: "unit thresholds, first layer by 99.9", Method: "spike-norm", Options: convert.Options{Reset: &soft, Percentile: 99.9}},
	} {
		a.Steps, a.Tested = []int{16, 32, 64, 512}, z.tested
		if found[a.Name] = c.Follow(ctx, t, a); found[a.Name] == nil {
			return
		}
	}
	n, loss, slower := found["common"].N, math.Inf(-1), math.Inf(1)
	for name, f := range found {
		loss = max(loss, f.Loss(512))
		for _, steps := range []int{16, 32} {
			if name != "common" {
				slower = min(slower, f.At(steps).Accuracy-found["common"].At(steps).Accuracy)
			}
		}
	}
	least := func(of func(unit, rescaled *recipe.Followed) float64) float64 {
		return min(of(found["unit"], found["rescale"]), of(found["unit-99.9"], found["rescale-99.9"]))
	}
	s.Claim(blocksClaim, loss, n)
	s.Claim(blocksSpikesClaim, least(func(u, r *recipe.Followed) float64 { return u.At(512).Spikes / r.At(512).Spikes }), n)
	s.Claim(blocksPlateauClaim, least(func(u, r *recipe.Followed) float64 { return r.At(512).Accuracy - u.At(512).Accuracy }), n)
	s.Claim(blocksFastClaim, least(func(u, r *recipe.Followed) float64 { return u.At(16).Accuracy - r.At(16).Accuracy }), n)
	s.Claim(blocksCommonClaim, slower, n)
	s.Show(c, "Residual blocks", "784–128, four blocks h ← ReLU(h + B·ReLU(A·h)), a readout; without biases, constant input, soft reset. Unit thresholds let all layers behind the first have its scale, as the paper does; what is above it is lost.")
}

// common gives all layers the largest scale of any.
func common(ctx context.Context, c *convert.Conversion) error {
	most := 0.0
	for _, v := range c.Scales {
		most = max(most, slices.Max(v))
	}
	for name := range c.Scales {
		c.Scales[name] = []float64{most}
	}
	return realign(ctx, c)
}

// junctions gives what meets at a junction one scale, the larger: that of the block's input
// and of the units within.
func junctions(ctx context.Context, c *convert.Conversion) error {
	for _, nd := range c.Ordinary.Nodes {
		if _, ok := nd.Layer.(layer.Add); !ok {
			continue
		}
		most, met := 0.0, []string(nil)
		for _, in := range nd.Inputs {
			unit := unitBefore(c.Ordinary, in)
			met, most = append(met, unit), max(most, slices.Max(c.Scales[unit]))
		}
		for _, unit := range met {
			c.Scales[unit] = []float64{most}
		}
	}
	return realign(ctx, c)
}

// unitBefore is the rectified units that a chain of other nodes comes from.
func unitBefore(g network.Graph, name string) string {
	for _, nd := range slices.Backward(g.Nodes) {
		if nd.Name != name {
			continue
		}
		if _, ok := nd.Layer.(layer.ReLU); ok {
			return name
		}
		name = nd.Inputs[0]
	}
	return name
}

// realign makes the spiking network anew by changed scales.
func realign(ctx context.Context, c *convert.Conversion) (err error) {
	c.Graph, c.Report, err = convert.Apply(ctx, c.Ordinary, nil, convert.Align{Scales: c.Scales}, c.Fire)
	return err
}

// photographs is the VGG-like network, by the paper's input.
func (s *study) photographs(ctx context.Context) {
	c := s.begin("vgg")
	t := c.Photographic(ctx, recipe.PlainVGG)
	steps := []int{32, 48, 64, 96, 128, 192, 256, 384, 512}
	softly := c.Follow(ctx, t, recipe.Arm{Name: "soft", Text: "spike-norm, soft reset", Method: "spike-norm", Options: convert.Options{Reset: &soft}, Poisson: true, Steps: steps})
	lowered := c.Follow(ctx, t, recipe.Arm{Name: "soft-0.7", Text: "the same, thresholds times 0.7", Method: "spike-norm", Options: convert.Options{Reset: &soft, Factor: 0.7}, Poisson: true, Steps: steps})
	hard := c.Follow(ctx, t, recipe.Arm{Name: "hard", Text: "spike-norm, hard reset", Method: "spike-norm", Poisson: true, Steps: append(slices.Clone(steps), 1024, 2500), Tested: 2000})
	if s.Err() != nil {
		return
	}
	if s.Reached(t, floor, cifarClaim, cifarHardClaim, cifarDepthClaim, cifarFactorClaim) {
		s.Claim(cifarClaim, softly.Loss(512), softly.N)
		s.Claim(cifarHardClaim, hard.Loss(2500), hard.N)
		s.Claim(cifarDepthClaim, fading(softly), softly.N)
		s.Claim(cifarFactorClaim, softly.Reaches(2)/lowered.Reaches(2), softly.N)
	}
	s.Show(c, "CIFAR-10", "32-32-A-64-64-A-128-128-A-256-10 without biases and batch normalisation, A means of 2×2; images are JPEG of quality 75, drawn as Poisson spikes. Of the training images 5,000 are held out to choose the epoch.")
}

// residual is ResNet-20 by the recipes for its junctions.
func (s *study) residual(ctx context.Context) {
	c := s.begin("resnet20")
	t := c.Photographic(ctx, recipe.PlainResNet)
	if t == nil {
		return
	}
	text := "ResNet-20 without biases and batch normalisation, behind three convolutions of 3×3, hard reset, Poisson input. At a junction the identity has the weight 1, so that what meets there must have one scale, or be rescaled."
	for _, a := range []recipe.Arm{
		{Name: "equal", Text: "equal scales at each junction", Options: convert.Options{Rescale: true}, Change: junctions},
		{Name: "unit", Text: "unit thresholds"},
		{Name: "rescale", Text: "shortcuts rescaled", Options: convert.Options{Rescale: true}},
	} {
		a.Method, a.Poisson, a.Steps, a.Tested = "spike-norm", true, []int{128, 256, 512, 1024, 2500}, 2000
		f, err := c.Try(ctx, t, a)
		switch {
		case ctx.Err() != nil:
			s.Fail(ctx.Err())
			return
		case err != nil: // so deep a layer may get no spike in the steps of the calibration
			s.Env.Observer.Warn(err.Error())
			text += " Left out: " + err.Error() + "."
			if a.Name == "equal" {
				s.Leave(residualClaim, err.Error())
			}
		case a.Name == "equal" && s.Reached(t, floor, residualClaim):
			s.Claim(residualClaim, f.Loss(2500), f.N)
		}
	}
	s.Show(c, "Residual network", text)
}
