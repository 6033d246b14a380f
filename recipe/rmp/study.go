package rmp

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/convert"
	"synfire/model"
	"synfire/network/named"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
)

type study struct {
	*recipe.ConversionStudy
	size size
	deep *recipe.Trained // 784–8×128–10, and its conversions
}

var (
	soft, hard = neuron.Subtract, neuron.Zero
	half       = 0.5
	adam       = optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
)

const batch = 100

// resets are thresholds by reset and start.
func (s *study) resets(ctx context.Context) {
	c, z := s.Conversions("deep", s.size.calibrated), s.size
	s.deep = c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data, Train: z.images}, named.MLP{Hidden: slices.Repeat([]int{128}, 8), Classes: 10}.Nodes(), z.epochs, batch, adam, optim.Fixed{}))
	kept, passed, n := math.Inf(1), math.Inf(-1), 0
	for _, by := range []struct {
		name, text, method string
		percentile         float64
	}{{"spike", "spike-norm", "spike-norm", 0}, {"most", "largest activation", "percentile", 100}, {"most-99.9", "percentile 99.9", "percentile", 99.9}} {
		for _, how := range []struct {
			name, text string
			o          convert.Options
		}{
			{"hard", "hard reset", convert.Options{Reset: &hard}}, {"soft", "soft reset", convert.Options{Reset: &soft}},
			{"half", "soft reset from ½", convert.Options{Reset: &soft, Start: &half}},
		} {
			how.o.Percentile = by.percentile
			f := c.Follow(ctx, s.deep, recipe.Arm{
				Name: by.name + "-" + how.name, Text: by.text + ", " + how.text, Method: by.method, Options: how.o,
				Steps: []int{16, 32, 64, 128, 256, 512}, Tested: z.tested, Unseen: by.name == "most",
			})
			switch {
			case f == nil:
				return
			case by.name == "spike": // its last layer hardly fires
			case how.name == "hard":
				passed = max(passed, f.Last().Transmitted)
			default:
				kept = min(kept, f.Last().Transmitted)
			}
			n = f.N
		}
	}
	s.Claim(softClaim, kept, n)
	s.Claim(hardClaim, passed, n)
	s.Show(c, "Resets", "784–8×128–10 without biases, constant input. What a layer transmits is the sum of its decoded rates over that of its activations: a network without biases forgives hard reset in accuracy, as a common loss of gain leaves the largest score.")
}

// sweep is factors of the thresholds in the domain of spikes.
func (s *study) sweep(ctx context.Context) {
	if s.Err() != nil {
		return
	}
	c, steps := s.Conversions("deep", s.size.calibrated), []int{16, 32, 64, 128, 256}
	softly, hardly := map[float64]*recipe.Followed{}, map[float64]*recipe.Followed{}
	for _, alpha := range []float64{1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3} {
		a := recipe.Arm{Method: "spike-norm", Poisson: true, Steps: steps, Tested: s.size.tested}
		a.Name, a.Text, a.Options = fmt.Sprintf("soft-%v", alpha), fmt.Sprintf("%v, soft reset", alpha), convert.Options{Reset: &soft, Factor: alpha}
		a.Unseen = alpha == 0.8
		softly[alpha] = c.Follow(ctx, s.deep, a)
		a.Name, a.Text, a.Options = fmt.Sprintf("hard-%v", alpha), fmt.Sprintf("%v, hard reset", alpha), convert.Options{Reset: &hard, Factor: alpha}
		a.Unseen = true
		if hardly[alpha] = c.Follow(ctx, s.deep, a); hardly[alpha] == nil {
			return
		}
	}
	found := c.Follow(ctx, s.deep, recipe.Arm{Name: "found", Text: "found, soft reset", Method: "rmp", Poisson: true, Steps: steps, Tested: s.size.tested, Unseen: true})
	if found == nil {
		return
	}
	one, n := softly[1], softly[1].N
	fast, least := math.Inf(1), math.Inf(1)
	for alpha, f := range softly {
		if alpha >= 0.5 && alpha <= 0.7 {
			fast = min(fast, one.Reaches(1)/f.Reaches(1))
		}
		for _, k := range []int{16, 32} {
			if alpha >= 0.5 {
				least = min(least, f.At(k).Accuracy-hardly[alpha].At(k).Accuracy)
			}
		}
	}
	s.Claim(sweepClaim, one.Reaches(2)/softly[0.6].Reaches(2), n)
	s.Claim(fastClaim, fast, n)
	s.Claim(foundClaim, one.Reaches(1)/found.Reaches(1), n)
	s.Claim(resetClaim, least, n)
	s.Claim(fallsClaim, softly[0.3].At(16).Accuracy-softly[0.3].At(256).Accuracy, n)
	s.Claim(backlogClaim, softly[0.3].Last().Backlog, n)
	s.Show(c, "Factors of thresholds", "The same network, Poisson input; thresholds are the largest input in a step times the factor, which compounds over eight layers. Below the best factor neurons get more than they can send: backlog grows with T, and accuracy falls.")
}

// pairCells are accuracies of the calibration in 8 and 16 steps by factor, in percent.
var pairCells = map[float64][2]float64{1: {62.3, 96.9}, 0.8: {93.7, 97.1}, 0.6: {97.1, 97.3}, 0.4: {97.3, 97.3}, 0.2: {97.1, 97.3}}

const pairOrdinary = 97.35

// pair is 784–400–400–10: how the error of a rate falls with the steps, and factors.
func (s *study) pair(ctx context.Context) {
	c, z := s.Conversions("pair", s.size.calibrated), s.size
	t := c.Train(ctx, recipe.Ordinary(s.Env.Seed, model.Data{Name: z.data}, named.MLP{Hidden: []int{400, 400}, Dropout: 0.2, Classes: 10}.Nodes(), z.epochs, batch, adam, optim.Fixed{}))
	errors := map[string]map[int][]float64{"soft": {}, "hard": {}}
	n := 0
	for name, reset := range map[string]*neuron.Reset{"soft": &soft, "hard": &hard} {
		for _, steps := range []int{64, 512} {
			f := c.Follow(ctx, t, recipe.Arm{
				Name: fmt.Sprintf("%s-%d", name, steps), Text: name + " reset, largest activation", Method: "percentile",
				Options: convert.Options{Percentile: 100, Reset: reset}, Steps: []int{steps}, Tested: z.tested, Unseen: true,
			})
			if f == nil {
				return
			}
			n = f.N
			for _, l := range f.Layers {
				errors[name][steps] = append(errors[name][steps], l.Farthest)
			}
		}
	}
	ratio := func(name string, layer int) float64 { return errors[name][64][layer] / errors[name][512][layer] }
	apart := 0.0
	for _, alpha := range []float64{1, 0.8, 0.6, 0.4, 0.2} {
		f := c.Follow(ctx, t, recipe.Arm{
			Name: fmt.Sprintf("factor-%v", alpha), Text: fmt.Sprintf("factor %v, Poisson", alpha), Method: "spike-norm", Poisson: true,
			Options: convert.Options{Reset: &soft, Factor: alpha}, Steps: []int{8, 16, 64}, Tested: z.tested,
		})
		if f == nil {
			return
		}
		for k, steps := range []int{8, 16} {
			if card := pairCells[alpha][k]; card >= 96 {
				apart = max(apart, math.Abs(f.Loss(steps)-(pairOrdinary-card)))
			}
		}
	}
	s.Claim(firstClaim, 64*errors["soft"][64][0], n)
	s.Claim(lawClaim, ratio("soft", 1), n)
	s.Claim(stuckClaim, max(ratio("hard", 0), ratio("hard", 1)), n)
	s.Claim(cellsClaim, apart, n)
	s.Show(c, "Two hidden layers", fmt.Sprintf("784–400–400–10 without biases. The largest error of a decoded rate, in scales, of at most 100 training images: soft reset %.4f and %.4f in 64 steps, %.4f and %.4f in 512; hard reset %.4f and %.4f, and %.4f and %.4f.",
		errors["soft"][64][0], errors["soft"][64][1], errors["soft"][512][0], errors["soft"][512][1],
		errors["hard"][64][0], errors["hard"][64][1], errors["hard"][512][0], errors["hard"][512][1]))
}

// biases is ResNet-20 with batch normalisation, which folded leaves biases.
func (s *study) biases(ctx context.Context) {
	z := s.size
	onlyShort, onlyFull := []string{biasHardClaim, biasHalfClaim}, []string{resnetClaim, resnetLate, resnetHalf}
	if !s.Turn(ctx, model.Data{Name: recipe.Photographs}, append(onlyShort, failsClaim)...) {
		return
	}
	c := s.Conversions("resnet20", z.calibrated)
	steps, tested, full := []int{16, 32, 64, 128}, few, z.photoImages == 0
	var t *recipe.Trained
	if full {
		tested, steps = 0, append(steps, 256)
		t = c.Photographic(ctx, recipe.ResNet20Cutout)
	} else { // few epochs, as of the calibration
		net, d := named.NewResNet(20), model.Data{Name: recipe.Photographs, Train: z.photoImages, Normalize: true}
		net.Width = z.width
		t = c.Train(ctx, recipe.Ordinary(s.Env.Seed, d, net.Nodes(), z.photoEpochs, batch, optim.SGD{LR: 0.1, Momentum: 0.9, Decay: 1e-4}, optim.Cosine{}))
	}
	zero := c.Follow(ctx, t, recipe.Arm{Name: "soft", Text: "soft reset", Method: "percentile", Steps: steps, Tested: tested})
	from := c.Follow(ctx, t, recipe.Arm{Name: "half", Text: "soft reset from ½", Method: "percentile", Options: convert.Options{Start: &half}, Steps: steps, Tested: tested})
	hardly := c.Follow(ctx, t, recipe.Arm{Name: "hard", Text: "hard reset", Method: "percentile", Options: convert.Options{Reset: &hard}, Steps: steps, Tested: tested})
	if s.Err() != nil {
		return
	}
	switch {
	case !full:
		s.Claim(failsClaim, zero.At(128).Accuracy-hardly.At(128).Accuracy, zero.N)
		s.Claim(biasHardClaim, hardly.At(128).Accuracy, hardly.N)
		s.Claim(biasHalfClaim, from.Loss(128), from.N)
	case s.Reached(t, resnetFloor, append(onlyFull, failsClaim)...):
		s.Claim(failsClaim, zero.At(128).Accuracy-hardly.At(128).Accuracy, zero.N)
		s.Claim(resnetClaim, zero.Loss(128), zero.N)
		s.Claim(resnetLate, zero.Loss(256), zero.N)
		s.Claim(resnetHalf, from.Loss(128), from.N)
	}
	s.Show(c, "Biases", "ResNet-20 with batch normalisation, folded, 99.9 percentile, constant input. By hard reset gain is lost from layer to layer while biases keep their size.")
}

// vgg is the VGG-like network, its factor chosen on held-out training images.
func (s *study) vgg(ctx context.Context) {
	const chosenAt = 128
	c, steps := s.Conversions("vgg", s.size.calibrated), []int{16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512}
	t := c.Photographic(ctx, recipe.PlainVGG)
	arm := func(alpha float64, held bool) recipe.Arm {
		return recipe.Arm{Name: fmt.Sprintf("factor-%v", alpha), Text: fmt.Sprintf("factor %v", alpha), Method: "spike-norm", Options: convert.Options{Reset: &soft, Factor: alpha}, Steps: steps, Held: held}
	}
	chosen, most := 1.0, math.Inf(-1)
	for _, alpha := range []float64{1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3} {
		a := arm(alpha, true)
		a.Name, a.Steps = "held-"+a.Name, []int{chosenAt}
		f := c.Follow(ctx, t, a)
		if f == nil {
			return
		}
		if v := f.At(chosenAt).Accuracy; v > most { // of equals the larger factor, which fires less
			chosen, most = alpha, v
		}
	}
	s.Metrics["vgg_chosen_factor"] = chosen
	f := c.Follow(ctx, t, arm(chosen, false))
	one := f
	if chosen != 1 {
		one = c.Follow(ctx, t, arm(1, false))
	}
	if s.Err() != nil {
		return
	}
	if s.Reached(t, vggFloor, vggClaim, vggLateClaim, sweepClaim) {
		s.Claim(vggClaim, f.Loss(128), f.N)
		s.Claim(vggLateClaim, f.Loss(512), f.N)
		s.Claim(sweepClaim, one.Reaches(2)/f.Reaches(2), f.N)
	}
	s.Show(c, "A VGG-like network", fmt.Sprintf("CIFAR-10 (JPEG Q75), without biases, constant input, soft reset from 0. Of factors from 1 to 0.3 the one of %v had the best accuracy in %d steps on 5,000 training images held out.", chosen, chosenAt))
}
