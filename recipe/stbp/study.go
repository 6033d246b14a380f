package stbp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer/neunorm"
	"synfire/loss"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
)

// size is what a scale trains.
type size struct {
	mlpEpochs, mlpSteps, hidden int
	cnnEpochs, cnnSteps         int
	published2018               bool // and three seeds of each network for digits

	images, ablationEpochs int // of ablation and window; 0: all images
	windows                []int
	windowEpochs           int

	widths       []int // of photographs; none: left out
	deep         bool  // arms with batch normalisation are vgg-fast, and two views of a test image count
	photoEpochs  int
	longerEpochs int // 0: left out

	eventEpochs, eventSteps int // 0: left out; short has all of it
}

var sizes = map[report.Scale]size{
	report.Smoke: {mlpEpochs: 2, mlpSteps: 4, hidden: 100, cnnEpochs: 1, cnnSteps: 2, ablationEpochs: 1, windows: []int{1, 2}, windowEpochs: 1},
	report.Short: {
		mlpEpochs: 10, mlpSteps: 8, hidden: 800, cnnEpochs: 10, cnnSteps: 4,
		images: 10_000, ablationEpochs: 3, windows: []int{2, 4, 8, 16}, windowEpochs: 3,
		widths: []int{64, 128, 256}, photoEpochs: 6, eventEpochs: 40, eventSteps: 20,
	},
	report.Full: {
		mlpEpochs: 12, mlpSteps: 10, hidden: 800, cnnEpochs: 12, cnnSteps: 4, published2018: true,
		images: 20_000, ablationEpochs: 4, windows: []int{2, 4, 8, 16}, windowEpochs: 3,
		widths: []int{64, 128, 256}, deep: true, photoEpochs: 12, longerEpochs: 30,
	},
}

// study is the jobs of a run, by part, and the sections that they give.
type study struct {
	*recipe.Study
	size     size
	sections []report.Section
}

func digitName(scale report.Scale) string {
	if scale == report.Smoke {
		return mnist.SampleName
	}
	return "mnist"
}

// digitData is MNIST, the first images of it where a number is given.
func (s *study) digitData(images int) model.Data {
	return model.Data{Name: digitName(s.Env.Scale), Train: images}
}

// batch is the samples a step of digits.
func (s *study) batch() int {
	if s.Env.Scale == report.Smoke {
		return 25
	}
	return 100
}

// accuracyOf runs a job, keeps its figures, and returns its test accuracy in percent.
func (s *study) accuracyOf(ctx context.Context, name string, c model.Config) (float64, *recipe.Trained) {
	t := s.Run(ctx, recipe.Job{Name: name, Config: c})
	if t == nil {
		return 0, nil
	}
	accuracy := t.Result.Test.Value("accuracy")
	key := fmt.Sprintf("%s_s%d", strings.ReplaceAll(name, "-", "_"), c.Seed)
	s.Metrics[key+"_test_accuracy"] = accuracy
	s.Metrics[key+"_seconds_per_epoch"] = t.EpochSeconds()
	for layer, rate := range t.Epochs[len(t.Epochs)-1].Rates {
		s.Metrics[key+"_rate_"+layer] = rate
	}
	if net := t.Network(); net != nil {
		weights := 0
		for _, p := range net.Params() {
			weights += len(p.Value.Data)
		}
		s.Metrics[key+"_weights"] = float64(weights)
	}
	return accuracy, t
}

// measure runs a job and adds its accuracy to a claim.
func (s *study) measure(ctx context.Context, claim, name string, c model.Config) error {
	accuracy, _ := s.accuracyOf(ctx, name, c)
	s.Add(claim, accuracy, s.Test().Len())
	return s.Err()
}

// digits are the networks for MNIST.
func (s *study) digits(ctx context.Context) error {
	z, d := s.size, s.digitData(0)
	d.Augment = shifted
	seeds := 1
	if z.published2018 {
		seeds = paired
	}
	for i := range seeds {
		seed := s.Env.Seed + uint64(i)
		c := config(seed, d, perceptron(z.hidden), loss.CountMSE{}, 1e-3, z.mlpSteps, z.mlpEpochs, s.batch())
		c.Encoder = encode.Poisson{Scale: 1} // drawn anew in each step, as the released program does
		if err := s.measure(ctx, mlpClaim, "mlp", c); err != nil {
			return err
		}
		if err := s.measure(ctx, cnnClaim, "cnn", config(seed, d, released(), loss.CountMSE{}, 2e-3, z.cnnSteps, z.cnnEpochs, s.batch())); err != nil {
			return err
		}
		if !z.published2018 {
			continue
		}
		if err := s.measure(ctx, publishedClaim, "cnn-2018", config(seed, d, published2018(), loss.CountMSE{}, 2e-3, z.cnnSteps, z.cnnEpochs, s.batch())); err != nil {
			return err
		}
	}
	return s.learning("MNIST", "Spikes of 784–800–10 are drawn anew in each step; the convolutions see the images themselves.")
}

// ablation is NeuNorm in its two ways and none, paired by seed.
func (s *study) ablation(ctx context.Context) error {
	z := s.size
	without := neunorm.NeuNorm{}
	table := report.Table{Head: []string{"seed", "without", "as published", "running mean"}, Right: []bool{true, true, true, true}}
	gains := map[string][]float64{}
	var names []string
	var spread maps
	for i := range paired {
		seed := s.Env.Seed + uint64(i)
		row := []string{fmt.Sprint(seed)}
		base := 0.0
		for _, a := range []struct {
			name, claim string
			norm        neunorm.NeuNorm
		}{{"plain", "", without}, {"neunorm", normClaim, asPaper}, {"neunorm-mean", meanClaim, runningMean}} {
			norm := &a.norm
			if a.claim == "" {
				norm = nil
			}
			accuracy, t := s.accuracyOf(ctx, a.name, config(seed, s.digitData(z.images), voting(norm), loss.CountMSE{}, 2e-3, 4, z.ablationEpochs, s.batch()))
			if t == nil {
				return s.Err()
			}
			if err := spread.add(ctx, s, a.name, t); err != nil {
				return err
			}
			if a.claim == "" {
				base = accuracy
			} else {
				gains[a.claim] = append(gains[a.claim], accuracy-base)
			}
			row = append(row, fmt.Sprintf("%.2f %%", accuracy))
			if i == 0 {
				names = append(names, a.name)
			}
		}
		table.Rows = append(table.Rows, row)
	}
	text := "8C3–AP2–16C3–AP2–64–(10×5) in four steps, of equal seeds."
	for _, id := range []string{normClaim, meanClaim} {
		mean, half := interval(gains[id])
		s.Metrics[strings.ReplaceAll(id, "-", "_")+"_gain"], s.Metrics[strings.ReplaceAll(id, "-", "_")+"_gain_half_interval"] = mean, half
		gain := fmt.Sprintf("%+.2f ± %.2f points (95 %% over %d seeds)", mean, half, paired)
		text += fmt.Sprintf(" Gain of %s: %s.", id, gain)
		if math.Abs(mean) <= half {
			s.Leave(id, "the sign is open: "+gain)
			continue
		}
		for _, g := range gains[id] {
			s.Add(id, g, s.Test().Len())
		}
	}
	if err := s.courses("NeuNorm", text, names, table); err != nil {
		return err
	}
	return spread.section(s)
}

// studentT95 is the two-sided 95 % point of Student's t with 2 degrees of freedom, for
// three seeds.
const studentT95 = 4.3027

// interval is the mean of differences of three seeds, and half its 95 % interval.
func interval(d []float64) (mean, half float64) {
	n, squares := float64(len(d)), 0.0
	for _, v := range d {
		mean += v / n
	}
	for _, v := range d {
		squares += (v - mean) * (v - mean)
	}
	return mean, studentT95 * math.Sqrt(squares/(n-1)/n)
}

// window is the released network in more and more steps.
func (s *study) window(ctx context.Context) error {
	z := s.size
	table := report.Table{Head: []string{"steps", "test accuracy", "an epoch"}, Right: []bool{true, true, true}}
	line, cost := curve{name: "test accuracy (%)"}, curve{name: "seconds an epoch"}
	of := map[int]float64{}
	for _, steps := range z.windows {
		accuracy, t := s.accuracyOf(ctx, fmt.Sprintf("window-%d", steps), config(s.Env.Seed, s.digitData(z.images), released(), loss.CountMSE{}, 2e-3, steps, z.windowEpochs, s.batch()))
		if t == nil {
			return s.Err()
		}
		of[steps] = accuracy
		table.Rows = append(table.Rows, []string{fmt.Sprint(steps), fmt.Sprintf("%.2f %%", accuracy), report.Seconds(t.EpochSeconds())})
		line.add(float64(steps), accuracy)
		cost.add(float64(steps), t.EpochSeconds())
	}
	if long, ok := of[16]; ok {
		s.Add(windowClaim, long-of[4], s.Test().Len())
	}
	return s.curves("Steps of time", "The network of the released program on equal images and epochs. The first layer's product is done once, whatever the number of steps.", "steps", table, line, cost)
}

// photographs are the arms on CIFAR-10 whose part is run, each beside its twin of rectified units.
func (s *study) photographs(ctx context.Context) error {
	z := s.size
	arms := slices.DeleteFunc([]arm{normalised, longer, twinNormal, published, twin}, func(a arm) bool {
		return !s.Env.Wants(a.part()) || a == longer && z.longerEpochs == 0
	})
	if len(arms) == 0 {
		return nil
	}
	if z.widths == nil {
		return s.leave("not at this scale", cifarClaim, asPublished)
	}
	d := model.Data{Name: recipe.Photographs, Normalize: true, Augment: []data.Augment{data.Crop{Padding: 2, Border: data.Reflect}, data.AlternatingFlip{}}}
	if z.deep {
		d.Views = data.Views{Flip: true}
	}
	trainSet, testSet, err := s.Env.Catalog.Load(ctx, d, s.Env.Data)
	if err != nil {
		return s.missing(ctx, "CIFAR-10 (JPEG Q75)", err, cifarClaim, asPublished)
	}
	s.On(trainSet, testSet)
	table := report.Table{Head: []string{"arm", "steps", "weights", "test accuracy", "an epoch"}, Right: []bool{false, true, true, true, true}}
	of, names := map[arm]float64{}, []string(nil)
	for _, a := range arms {
		name := "cifar10-" + string(a)
		accuracy, t := s.accuracyOf(ctx, name, a.training(s.Env.Seed, d, z))
		if t == nil {
			return s.Err()
		}
		of[a], names = accuracy, append(names, name)
		weights := s.Metrics[fmt.Sprintf("%s_s%d_weights", strings.ReplaceAll(name, "-", "_"), s.Env.Seed)]
		table.Rows = append(table.Rows, []string{string(a), fmt.Sprint(t.Config.Steps), report.Integer(int64(weights)), fmt.Sprintf("%.2f %%", accuracy), report.Seconds(t.EpochSeconds())})
	}
	text := "The files are JPEG of quality 75. Arm tdbn has threshold-dependent batch normalisation, a cross-entropy of each step and the training of vgg-fast, published has NeuNorm, votes and the squared error of rates; tdbn-longer learns for more epochs; the twins are the same layers of rectified units without time, of equal epochs. All figures are of the last epoch."
	if z.deep {
		text += " Arm tdbn and its twin are vgg-fast; what it does before its first neurons, whitened patches, rectified, and a convolution, is the encoding layer. An image and its mirror image count together in all arms."
	}
	tdbn, ok := of[normalised]
	if ok {
		s.Add(cifarClaim, tdbn, testSet.Len())
	}
	if v, ok := of[longer]; ok {
		s.Add(longerClaim, v, testSet.Len())
	}
	if wu, both := of[published]; ok && both {
		s.Add(asPublished, tdbn-wu, testSet.Len())
		if tdbn-wu > 6 {
			text += " The arm as published is not reproduced: it lies more than 6 points below the other."
		}
	}
	return s.courses("CIFAR-10", text, names, table)
}

// published is what the networks as published would take.
func (s *study) published() error {
	table := report.Table{Caption: "Not trained here", Head: []string{"network", "weights", "memory of training"}, Right: []bool{false, true, true}}
	for _, name := range []string{"cifarnet", "alexnet", "neuromorphic"} {
		p, err := Cost(s.Env.Catalog, name)
		if err != nil {
			return err
		}
		table.Rows = append(table.Rows, []string{name, report.Integer(p.Parameters), fmt.Sprintf("%.1f GiB", float64(p.Train)/(1<<30))})
	}
	s.sections = append(s.sections, report.Section{Title: "As published", Text: "The networks of the paper are files of the recipe (recipe/stbp/published). They are planned, and not trained on two cores: `synfire plan` tells what they take.", Tables: []report.Table{table}})
	return nil
}

// leave says of claims why nothing is measured.
func (s *study) leave(why string, claims ...string) error {
	for _, id := range claims {
		s.Leave(id, why)
	}
	return nil
}

// missing leaves claims for want of data.
func (s *study) missing(ctx context.Context, what string, err error, claims ...string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Missing(what, err, claims...)
	return nil
}
