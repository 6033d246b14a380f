package spikegrad

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"

	"synfire/data"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/spikegrad"
	"synfire/run"
	"synfire/sample"
)

// study is the jobs of the recipe and what its page shows of them.
type study struct {
	*recipe.Study
	size     size
	sections []report.Section
}

func newStudy(ctx context.Context, e *recipe.Env) (*study, error) {
	n, err := sizeOf(e.Scale)
	if err != nil {
		return nil, err
	}
	jobs, err := recipe.Load(ctx, e, model.Data{Name: n.data})
	if err != nil {
		return nil, err
	}
	return &study{Study: jobs, size: n}, nil
}

func runStudy(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	s, err := newStudy(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{s.mlps, s.spikeSide, s.cnn, s.alphas, s.levels, s.cifar} {
		if err := part(ctx); err != nil {
			s.Fail(err)
		}
		if s.Err() != nil {
			return nil, s.Err()
		}
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title:    "Backpropagation by signed spikes",
			Lead:     "Spikes of both signs carry activations forward and errors backward. What a neuron sends in all is an integer that an ordinary network computes as well.",
			Links:    []report.Link{{Text: "Thiele, Bichler and Dupret 2020", URL: "https://arxiv.org/abs/1906.00851"}},
			Claims:   r.Claims,
			Sections: s.sections, Facts: r.Facts(),
		}
	})
}

// accuracy runs a job and keeps its figures as metrics.
func (s *study) accuracy(ctx context.Context, j recipe.Job) (*recipe.Trained, float64) {
	t := s.Run(ctx, j)
	if t == nil {
		return nil, 0
	}
	v := t.Result.Test.Value("accuracy")
	name := fmt.Sprintf("%s_s%d_", strings.ReplaceAll(j.Name, "-", "_"), j.Config.Seed)
	s.Metrics[name+"test_accuracy"] = v
	s.Metrics[name+"seconds_per_epoch"] = t.EpochSeconds()
	for figure, v := range t.Epochs[len(t.Epochs)-1].Train {
		s.Metrics[name+"train_"+strings.ReplaceAll(figure, "-", "_")] = v
	}
	return t, v
}

// last is a training figure of a job's last epoch.
func last(t *recipe.Trained, name string) float64 { return t.Epochs[len(t.Epochs)-1].Train[name] }

// mlps is 784–300–10, with real errors and as an ordinary network beside it.
func (s *study) mlps(ctx context.Context) error {
	table := report.Table{Caption: "784–300–10, six epochs", Head: []string{"gradient", "seed", "test accuracy", "error spikes an image, last epoch"}, Right: []bool{false, true, true, true}}
	for seed := s.Env.Seed; seed < s.Env.Seed+uint64(s.size.seeds); seed++ {
		arms := []struct {
			name, text string
			truncate   rule.Truncate
		}{{"mlp", "spikes", rule.Both}, {"mlp-float", "real, of the spiking network", rule.Forward}, {"mlp-real", "real, of real activations", rule.None}}
		for i, arm := range arms {
			if i > 0 && !s.size.floats {
				break
			}
			c, r := mlp(seed, s.size.data, func(_ *model.Config, r *rule.Rule) { r.Truncate = arm.truncate })
			t, v := s.accuracy(ctx, job(arm.name, c, r))
			if t == nil {
				return nil
			}
			spikes := "–"
			if i == 0 {
				s.Add("mnist-mlp", v, s.Test().Len())
				spikes = fmt.Sprintf("%.1f", last(t, "error-spikes"))
			}
			table.Rows = append(table.Rows, []string{arm.text, fmt.Sprint(seed), fmt.Sprintf("%.2f %%", v), spikes})
		}
	}
	course := s.Course("mlp", func(e run.Epoch) float64 { return e.Train["error-spikes"] })
	dead := s.Course("mlp", func(e run.Epoch) float64 { return e.Train["dead"] })
	f, err := figure.Curves("Error spikes", "epoch", figure.Panel{Name: "error spikes an image", Series: []figure.Series{course}}, figure.Panel{Name: "images without one (%)", Series: []figure.Series{dead}})
	return s.section("Learning by error spikes", "Errors are at most 1, and are sent in steps of Θ_bp/α. The better the network, the fewer are left.", []report.Table{table}, f, err,
		"Error spikes an image and the share of images without one, over epochs of 784–300–10", "Of the training images, before they are learnt from. Of several seeds the mean, with their range as a band.")
}

// spikeSide learns by spikes in random order, and compares the weights.
func (s *study) spikeSide(ctx context.Context) error {
	arms := make([]*recipe.Trained, 2)
	for i, side := range []rule.Side{rule.Integers, rule.Asynchronous} {
		c, r := mlp(s.Env.Seed, s.size.data, func(c *model.Config, r *rule.Rule) { r.Side = side })
		c.WatchTest = false
		if s.size.spikeImages > 0 {
			c.Data.Train, c.Epochs = s.size.spikeImages, 1
		} else if i == 0 { // the same as the first
			arms[0] = s.Jobs[0]
			continue
		}
		// The test is left to the first test images: weights are what is compared.
		c.Data.Test = min(100, s.Test().Len())
		if arms[i], _ = s.accuracy(ctx, job("side-"+side.String(), c, r)); arms[i] == nil {
			return nil
		}
	}
	a, b, differ := arms[0].Learner.Model(), arms[1].Learner.Model(), 0
	for name, array := range a {
		width := len(array.Data) / max(1, arraySize(array.Shape))
		for k := 0; k < len(array.Data); k += width {
			if !bytes.Equal(array.Data[k:k+width], b[name].Data[k:k+width]) {
				differ++
			}
		}
	}
	images := s.size.spikeImages
	if images == 0 {
		images = s.Train().Len()
	}
	s.Add("spike-side", float64(differ), images)
	return nil
}

func arraySize(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// cnn trains the convolutional network and runs its test images as spikes.
func (s *study) cnn(ctx context.Context) error {
	t, v := s.accuracy(ctx, cnn(s.Env.Seed, s.size.data, s.size.cnnEpochs))
	if t == nil {
		return nil
	}
	s.Add("gradient-ratio", max(last(s.Jobs[0], "gradient-ratio"), last(t, "gradient-ratio")), s.Train().Len())
	l := t.Learner.(*rule.Learner)
	found, err := s.verify(ctx, l)
	if err != nil {
		return err
	}
	s.Metrics["cnn_verified_images"], s.Metrics["cnn_different"], s.Metrics["cnn_inexact"] = float64(found.Samples), float64(found.Different), float64(found.Inexact)
	s.Metrics["cnn_sent_over_counted"] = float64(found.Sent) / float64(max(1, found.Counted))
	s.Add("spikes-equal", float64(found.Different+found.Inexact), found.Samples)
	if found.Samples == s.Test().Len() {
		s.Add("mnist-cnn", v-100*float64(found.Different)/float64(found.Samples), found.Samples)
	} else {
		s.Leave("mnist-cnn", fmt.Sprintf("%d of %d test images ran as spikes", found.Samples, s.Test().Len()))
	}
	return s.residuals(ctx, l, found)
}

// verifyBatch is how many images run as spikes between two looks at the context.
const verifyBatch = 50

// verify runs test images as spikes.
func (s *study) verify(ctx context.Context, l *rule.Learner) (total rule.Verification, err error) {
	cursor, err := data.NewCursor(s.Test(), data.CursorOptions{Batch: verifyBatch})
	if err != nil {
		return total, err
	}
	images := verified(s.Env.Scale)
	var b sample.Batch
	for total.Samples < images {
		more, err := cursor.Next(ctx, &b)
		if err != nil || !more {
			return total, err
		}
		if left := images - total.Samples; left < b.Len() {
			b.Index, b.X = b.Index[:left], b.X[:left*len(b.X)/b.Len()]
			for i := range b.Targets {
				b.Targets[i].Class = b.Targets[i].Class[:left]
			}
		}
		v, err := l.Verify(ctx, &b, 3)
		if err != nil {
			return total, err
		}
		total.Add(v)
	}
	return total, nil
}

// residuals draws what potentials end with.
func (s *study) residuals(ctx context.Context, l *rule.Learner, found rule.Verification) error {
	cursor, err := data.NewCursor(s.Test(), data.CursorOptions{Batch: 100})
	if err != nil {
		return err
	}
	var b sample.Batch
	if _, err := cursor.Next(ctx, &b); err != nil {
		return err
	}
	layers, err := l.Residuals(&b)
	if err != nil {
		return err
	}
	const low, high, bins = -3.0, 1.0, 40
	var series []figure.Series
	for k, v := range layers {
		line, n := figure.Series{Name: fmt.Sprintf("layer%d", k+1), Y: make([]float64, bins)}, 0.0
		for i := range bins {
			line.X = append(line.X, low+(float64(i)+0.5)*(high-low)/bins)
		}
		for _, x := range v {
			if x == 0 {
				continue // pools and neurons that nothing reached
			}
			n++
			if i := int(math.Floor((float64(x) - low) / (high - low) * bins)); i >= 0 && i < bins {
				line.Y[i]++
			}
		}
		for i := range line.Y {
			line.Y[i] *= bins / (high - low) / max(1, n)
		}
		series = append(series, line)
	}
	f, err := figure.Curves("What is left of potentials", "V/Θ", figure.Panel{Name: "density", Series: series})
	text := fmt.Sprintf("%s test images as spikes, layer by layer and in %d random orders, settled: %d end otherwise than the integers, sums of %d may be inexact. In random order neurons send %.2f times the spikes that count in the end.",
		report.Integer(int64(found.Samples)), found.Orders, found.Different, found.Inexact, float64(found.Sent)/float64(max(1, found.Counted)))
	return s.section("Spikes and integers", text, nil, f, err, "Density of V/Θ at the end of the forward phase, by layer of the CNN",
		"Of 100 test images, values of exactly 0 left out. Between 0 and 1 is what truncation loses; below 0 are silent neurons, which keep what inhibits them.")
}

// alphas is the ablation of the scale of errors.
func (s *study) alphas(ctx context.Context) error {
	var x, y, spikes []float64
	for _, alpha := range s.size.alphas {
		t, v := s.accuracy(ctx, small(s.Env.Seed, s.size.data, s.size.smallImages, fmt.Sprintf("alpha-%v", alpha), func(r *rule.Rule) { r.Alpha = alpha }))
		if t == nil {
			return nil
		}
		if alpha == 1 {
			s.Add("alpha-control", v, s.Test().Len())
		}
		x, y, spikes = append(x, alpha), append(y, v), append(spikes, last(t, "error-spikes"))
	}
	f, err := figure.Curves("The scale of errors", "α", figure.Panel{Name: "test accuracy (%)", LogX: true, Series: []figure.Series{{Name: "784–100–10", X: x, Y: y}}},
		figure.Panel{Name: "error spikes an image", LogX: true, Series: []figure.Series{{Name: "784–100–10", X: x, Y: spikes}}})
	return s.section("The scale of errors", "Errors below Θ_bp/α vanish. With α = 1 all do.", nil, f, err, "Test accuracy and error spikes over α", "Five epochs of 10,000 images, or at smoke of the sample.")
}

// levels is the ablation of the input's levels.
func (s *study) levels(ctx context.Context) error {
	var x, y []float64
	for _, levels := range s.size.levels {
		t, v := s.accuracy(ctx, small(s.Env.Seed, s.size.data, s.size.smallImages, fmt.Sprintf("levels-%d", levels), func(r *rule.Rule) { r.ThetaIn = 1 / float64(levels) }))
		if t == nil {
			return nil
		}
		x, y = append(x, float64(levels)), append(y, v)
	}
	f, err := figure.Curves("The levels of the input", "spikes of a white pixel, 1/Θ_in", figure.Panel{Name: "test accuracy (%)", LogX: true, Series: []figure.Series{{Name: "784–100–10", X: x, Y: y}}})
	return s.section("The levels of the input", "More spikes of the input are more of all others, and finer numbers.", nil, f, err, "Test accuracy over the levels of the input", "Five epochs of 10,000 images, or at smoke of the sample; κ and B are 1/Θ_in.")
}

// cifar trains on colour images, with errors as spikes and with real ones.
func (s *study) cifar(ctx context.Context) error {
	if !s.size.real {
		return nil
	}
	trainSet, testSet, err := s.Env.Catalog.Load(ctx, model.Data{Name: recipe.Photographs}, s.Env.Data)
	if err != nil {
		return err
	}
	s.On(trainSet, testSet)
	_, spikes := s.accuracy(ctx, cifar(s.Env.Seed, "cifar-spikes", rule.Both))
	_, float := s.accuracy(ctx, cifar(s.Env.Seed, "cifar-float", rule.Forward))
	s.Add("cifar10", spikes, testSet.Len())
	s.Add("cifar10-paired", spikes-float, testSet.Len())
	return nil
}

// section is a part of the page with a figure; drawing fails only by a defect.
func (s *study) section(title, text string, tables []report.Table, f figure.Figure, err error, alt, caption string) error {
	if err != nil {
		return fmt.Errorf("figure %q: %w", alt, err)
	}
	s.sections = append(s.sections, report.Section{Title: title, Text: text, Tables: tables, Figures: []report.Figure{{SVG: f.SVG(), Alt: alt, Caption: caption}}})
	return nil
}
