package spikingresnet

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/convert"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/network/named"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/tensor"
)

type study struct {
	*recipe.ConversionStudy
	size size
}

var (
	zero  = 0.0
	hard  = neuron.Zero
	small = 8 // channels of the first stage
)

const batch = 100

func sgd(rate float64) optim.SGD { return optim.SGD{LR: rate, Momentum: 0.9, Decay: 1e-4} }

// method is an arm by the paper's method.
func method(name, text string, o convert.Options) recipe.Arm {
	return recipe.Arm{Name: name, Text: text, Method: "spiking-resnet", Options: o}
}

// digits is ResNet-8 on MNIST.
func (s *study) digits(ctx context.Context) {
	c, z := s.Conversions("resnet8", s.size.calibrated), s.size
	m := recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data, Train: z.digitImages, Normalize: true}, residual(8, small).Nodes(), z.digitEpochs, batch, sgd(0.1), optim.Cosine{})
	t := c.Train(ctx, m)
	a := method("half", "99.9 percentile, from ½", convert.Options{})
	a.Steps, a.Tested = z.digitSteps, z.digitTested
	f := c.Follow(ctx, t, a)
	if f == nil {
		return
	}
	s.Claim(digitsClaim, f.Loss(z.digitSteps[len(z.digitSteps)-1]), f.N)
	s.Show(c, "ResNet-8 on MNIST", "8, 16 and 32 channels, batch normalisation folded, constant input.")
}

// residual is a residual network with batch normalisation.
func residual(depth, width int) named.ResNet {
	a := named.NewResNet(depth)
	a.Width = width
	return a
}

// small is ResNet-20 of a quarter of the operations, by all that the paper's method is made of.
func (s *study) small(ctx context.Context) {
	z := s.size
	if !s.Turn(ctx, model.Data{Name: recipe.Photographs}, shortcutClaim, half64Claim, half128Claim, zeroClaim, percentileClaim, moreClaim, compensationClaim, needlessClaim, hardClaim) {
		return
	}
	c := s.Conversions("small", z.calibrated)
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: recipe.Photographs, Train: z.images, Normalize: true}, residual(20, small).Nodes(), z.epochs, batch, sgd(0.1), optim.Cosine{}))
	compensated := method("half-compensated", "from ½, weights times 1.03", convert.Options{Factor: 1.03})
	compensated.Unseen = true
	ratios := map[string]float64{}
	alike := method("alike", "from ½, shortcuts of weight 1", convert.Options{})
	alike.Change = unscaled(ratios)
	found := map[string]*recipe.Followed{}
	for _, a := range []recipe.Arm{
		method("half", "99.9 percentile, from ½", convert.Options{}),
		method("zero", "from 0", convert.Options{Start: &zero}),
		method("largest", "largest activation, from ½", convert.Options{Percentile: 100}),
		alike,
		method("zero-compensated", "from 0, weights times 1.03", convert.Options{Start: &zero, Factor: 1.03}),
		compensated,
		method("hard", "from 0, hard reset", convert.Options{Start: &zero, Reset: &hard}),
	} {
		a.Steps, a.Tested = []int{8, 16, 32, 64, 128}, tested
		if found[a.Name] = c.Follow(ctx, t, a); found[a.Name] == nil {
			return
		}
	}
	s.acceptSmall(found)
	s.Show(c, "ResNet-20 of 8, 16 and 32 channels", fmt.Sprintf("Of %s training images, %d epochs. Batch normalisation is folded, input constant, the first block of each stage has a 1×1 convolution for a shortcut. %s", report.Integer(int64(z.images)), z.epochs, ratioText(ratios)))
}

func (s *study) acceptSmall(found map[string]*recipe.Followed) {
	half, n := found["half"], found["half"].N
	gains := func(a, b string, steps ...int) (all []float64) {
		for _, k := range steps {
			all = append(all, found[a].At(k).Accuracy-found[b].At(k).Accuracy)
		}
		return all
	}
	best := math.Inf(-1)
	for _, p := range found["hard"].Points {
		best = max(best, p.Accuracy)
	}
	s.Claim(shortcutClaim, slices.Min(gains("half", "alike", 64, 128)), n)
	s.Claim(half64Claim, half.Loss(64), n)
	s.Claim(half128Claim, half.Loss(128), n)
	s.Claim(zeroClaim, gains("half", "zero", 32)[0], n)
	s.Claim(percentileClaim, slices.Min(gains("half", "largest", 8, 16, 32, 64)), n)
	s.Claim(moreClaim, half.At(128).Spikes/found["largest"].At(128).Spikes, n)
	s.Claim(compensationClaim, slices.Min(gains("zero-compensated", "zero", 32, 64)), n)
	s.Claim(needlessClaim, slices.Max(gains("half-compensated", "half", 32, 64)), n)
	s.Claim(hardClaim, best, n)
}

// unscaled lets shortcuts have the weight 1, and tells what they had, by the layer that they
// leave.
func unscaled(ratios map[string]float64) func(context.Context, *convert.Conversion) error {
	return func(_ context.Context, c *convert.Conversion) error {
		had := map[string]bool{}
		for _, nd := range c.Ordinary.Nodes {
			had[nd.Name] = true
		}
		for i, nd := range c.Graph.Nodes {
			from, _, added := strings.Cut(nd.Name, "_scale")
			l, ok := nd.Layer.(layer.Conv2D)
			if !added || !ok || !had[from] {
				continue
			}
			w := nd.Arrays["weight"].Clone()
			ratios[from] = float64(w.Data[0])
			for k := range w.Data {
				w.Data[k] = 1
			}
			c.Graph.Nodes[i] = network.GraphNode{Node: network.Node{Name: nd.Name, Layer: l, Inputs: nd.Inputs}, Arrays: map[string]tensor.Tensor{"weight": w}}
		}
		if len(ratios) == 0 {
			return fmt.Errorf("no shortcut of the network is scaled")
		}
		return nil
	}
}

// ratioText says what shortcuts are multiplied by.
func ratioText(ratios map[string]float64) string {
	if len(ratios) == 0 {
		return "" // the figures are those of an earlier run
	}
	var all []float64
	for _, v := range ratios {
		all = append(all, v)
	}
	slices.Sort(all)
	var text []string
	for _, v := range all {
		text = append(text, fmt.Sprintf("%.2f", v))
	}
	return "The factors of identity shortcuts, λ_in/λ_out: " + strings.Join(text, ", ") + "."
}

// published is ResNet-20 as published.
func (s *study) published(ctx context.Context) {
	c := s.Conversions("resnet20", s.size.calibrated)
	t := c.Photographic(ctx, recipe.ResNet20Cutout)
	a := method("half", "99.9 percentile, from ½", convert.Options{})
	a.Steps = []int{16, 32, 64, 128, 350}
	half := c.Follow(ctx, t, a)
	ratios := map[string]float64{}
	a = method("alike", "from ½, shortcuts of weight 1", convert.Options{})
	a.Steps, a.Change = []int{16, 32, 64, 128}, unscaled(ratios)
	alike := c.Follow(ctx, t, a)
	if s.Err() != nil {
		return
	}
	if s.Reached(t, floor, resnetClaim, shortcutClaim) {
		s.Claim(resnetClaim, half.Loss(350), half.N)
		s.Claim(shortcutClaim, min(half.At(64).Accuracy-alike.At(64).Accuracy, half.At(128).Accuracy-alike.At(128).Accuracy), half.N)
	}
	s.balanced(ctx, c, t)
	s.Show(c, "ResNet-20", "16, 32 and 64 channels, all images, 5,000 of them held out to choose the epoch. "+ratioText(ratios))
}

// scalarLoss is what the scalar must lose for the claims on balanced scales to be judged.
const scalarLoss = 20

// balanced is the same network in few steps from 0: a scale for a layer or one for each channel,
// fitted to the steps, and scores of all steps or without the first.
func (s *study) balanced(ctx context.Context, c *recipe.Conversions, t *recipe.Trained) {
	const steps = 32
	found := map[string]*recipe.Followed{}
	for _, a := range []recipe.Arm{
		{Name: "scalar", Text: "99.9 percentile, from 0", Method: "percentile"},
		{Name: "scalar-delayed", Text: "99.9 percentile, from 0, late", Method: "percentile", Options: convert.Options{Late: convert.FindLate}},
		{Name: "balance", Text: "scales of channels, from 0", Method: "balance"},
		{Name: "balance-delayed", Text: "scales of channels, from 0, late", Method: "balance", Options: convert.Options{Late: convert.FindLate}},
	} {
		a.Options.Start, a.Steps = &zero, []int{steps}
		found[a.Name] = c.Follow(ctx, t, a)
	}
	if s.Err() != nil || !s.Reached(t, floor, balanceClaim, balanceGainClaim) {
		return
	}
	if lost := found["scalar"].Loss(steps); lost < scalarLoss && s.Env.Rehearse == nil {
		for _, id := range []string{balanceClaim, balanceGainClaim} {
			s.Leave(id, fmt.Sprintf("the scalar loses %.1f points, and the claim is of a network that it makes lose %d", lost, scalarLoss))
		}
		return
	}
	both := found["balance-delayed"]
	s.Claim(balanceClaim, both.Loss(steps), both.N)
	s.Claim(balanceGainClaim, both.At(steps).Accuracy-found["scalar-delayed"].At(steps).Accuracy, both.N)
}

// depths are deeper and shallower networks, and what they lose.
func (s *study) depths(ctx context.Context) {
	table := report.Table{Caption: "Loss against depth, 1,000 test images, points", Head: []string{"layers", "ordinary", "64 steps", "128 steps", "350 steps", "128 steps, weight 1"}, Right: []bool{true, true, true, true, true, true}}
	for _, net := range []struct {
		depth int
		name  string
	}{{14, recipe.ResNet14}, {32, recipe.ResNet32}, {44, recipe.ResNet44}} {
		c := s.Conversions(strings.ReplaceAll(net.name, "-", ""), s.size.calibrated)
		t := c.Photographic(ctx, net.name)
		a := method("half", "99.9 percentile, from ½", convert.Options{})
		a.Steps, a.Tested = []int{64, 128, 350}, tested
		half := c.Follow(ctx, t, a)
		a.Name, a.Text, a.Steps, a.Change = "alike", "shortcuts of weight 1", []int{64, 128}, unscaled(map[string]float64{})
		alike := c.Follow(ctx, t, a)
		if s.Err() != nil {
			return
		}
		row := []string{fmt.Sprint(net.depth), fmt.Sprintf("%.2f %%", half.Ordinary)}
		for _, v := range []float64{half.Loss(64), half.Loss(128), half.Loss(350), alike.Loss(128)} {
			row = append(row, fmt.Sprintf("%.2f", v))
		}
		table.Rows = append(table.Rows, row)
		s.Show(c, fmt.Sprintf("ResNet-%d", net.depth), "As ResNet-20.")
	}
	s.Sections = append(s.Sections, report.Section{Title: "Depth", Text: "The deeper a network, the more layers lose a part of a spike each.", Tables: []report.Table{table}})
}

// gates are what max pooling becomes, by name.
var gates = []struct {
	name string
	by   convert.Pooling
}{{"count", convert.Gates}, {"leader", convert.Leads}, {"or", convert.Any}}

// pooledNet is 16-16-M-32-32-M-64-64-M-10 with batch normalisation.
var pooledNet = named.VGG{Stages: [][]int{{16, 16}, {32, 32}, {64, 64}}, BatchNorm: true, Bias: true, MaxPool: true, Classes: 10}

// pooled is a network with max pooling by all gates.
func (s *study) pooled(ctx context.Context) {
	if !s.Turn(ctx, model.Data{Name: recipe.Photographs}, poolClaim, countClaim, biasesClaim) {
		return
	}
	c, found, steps := s.Conversions("pooled", s.size.calibrated), map[string]*recipe.Followed{}, []int{8, 16, 32, 64}
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: recipe.Photographs, Train: 12_000, Normalize: true}, pooledNet.Nodes(), 4, batch, sgd(0.03), optim.Cosine{}))
	for _, g := range gates {
		a := method(g.name, "gate "+g.name, convert.Options{Pooling: g.by})
		a.Steps, a.Tested = steps, tested
		found[g.name] = c.Follow(ctx, t, a)
	}
	a := method("no-biases", "gate count, biases dropped", convert.Options{})
	a.Steps, a.Tested, a.Change = steps, tested, unbiased
	bare := c.Follow(ctx, t, a)
	if s.Err() != nil {
		return
	}
	count := found["count"]
	s.Claim(countClaim, max(count.Loss(32), count.Loss(64)), count.N)
	s.Claim(biasesClaim, count.At(32).Accuracy-bare.At(32).Accuracy, count.N)
	leader, or := found["leader"], found["or"]
	s.Claim(poolClaim, min(count.At(32).Accuracy-leader.At(32).Accuracy, leader.At(32).Accuracy-or.At(32).Accuracy), count.N)
	s.Show(c, "Max pooling", "16-16-M-32-32-M-64-64-M-10 with batch normalisation, 12,000 training images, four epochs; constant input, from ½. The gate that counts passes on as many spikes as the element of a window that has had the most.")
}

// unbiased drops all biases of a spiking network.
func unbiased(_ context.Context, c *convert.Conversion) error {
	for i, nd := range c.Graph.Nodes {
		b, ok := nd.Arrays["bias"]
		if !ok {
			continue
		}
		b = b.Clone()
		clear(b.Data)
		arrays := map[string]tensor.Tensor{"bias": b}
		for name, v := range nd.Arrays {
			if name != "bias" {
				arrays[name] = v
			}
		}
		c.Graph.Nodes[i].Arrays = arrays
	}
	return nil
}
