package eqprop

import (
	"math"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// digits are n batches of the sample's images.
func digits(t *testing.T, n, batch int) (all []*sample.Batch) {
	t.Helper()
	set, _ := mnist.Sample()
	cursor, err := data.NewCursor(set, data.CursorOptions{Batch: batch, Seed: 1, Shuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		b := new(sample.Batch)
		must(cursor.Next(t.Context(), b))
		all = append(all, b)
	}
	return all
}

// Each host learns with each limit and each pruning, or says which two do not go
// together. Outputs of zero cost 1, and chance is right once in ten.
func TestCombinations(t *testing.T) {
	convs := &coupling.Convolutional{Image: tensor.Shape{28, 28, 1}, Layers: []coupling.Convolution{{Out: 4, Kernel: 5, Pool: 4}}}
	spiking := &unit.Spiking{Drift: 0.0346, Lambda: 0.275}
	plain := Config{Sizes: []int{784, 40, 10}, LearningRates: []float64{0.2, 0.1}, Free: 20, Nudged: 6, Beta: 0.3, CostScale: 1, Seed: 1}
	host := func(set func(c *Config)) Config { c := plain; set(&c); return c }
	hosts := map[string]Config{
		"real":           plain,
		"predictor":      host(func(c *Config) { c.Predictor = &Predictor{Lambda: 0.1} }),
		"limited":        host(func(c *Config) { c.Predictor = &Predictor{Lambda: 0.1, TopK: true} }),
		"spiking":        host(func(c *Config) { c.Spiking = spiking }),
		"init-spiking":   host(func(c *Config) { c.Spiking, c.Predictor = spiking, &Predictor{Lambda: 0.1} }),
		"binary":         host(func(c *Config) { c.Binary = &unit.Binary{} }),
		"binary-spiking": host(func(c *Config) { c.Binary, c.Spiking = &unit.Binary{}, spiking }),
		"convolutional":  host(func(c *Config) { c.Convolutional, c.Sizes, c.Weights = convs, convs.Sizes(10), coupling.FanIn }),
	}
	limits := map[string]*limit.TopK{
		"no limit": nil, "budget": {K: 8}, "soft": {K: 8, Variant: limit.Soft, Temperature: 0.1, Hot: 0.5, Cooling: 40},
		"hard": {K: 8, Variant: limit.Hard}, "perturbed": {K: 8, Variant: limit.Perturbed, Temperature: 0.1},
	}
	prunings := map[string]*sparse.Pruning{
		"whole": nil, "pruned": {Sparsity: 0.7, Last: 0.3, Begin: 5, End: 30, Every: 5},
		"moved": {Sparsity: 0.7, Last: 0.3, Begin: 5, End: 30, Every: 5, Saliency: sparse.Movement, Regrow: true},
	}
	refused := map[string][2]string{
		"limited, no limit":     {"predictor", "top-k"},
		"limited, perturbed":    {"predictor", "top-k"},
		"convolutional, pruned": {"convolutions", "pruning"},
		"convolutional, moved":  {"convolutions", "pruning"},
		"convolutional, hard":   {"convolutions", "hard top-k"},
	}
	if _, err := New(host(func(c *Config) { c.Convolutional, c.Sizes, c.Binary = convs, convs.Sizes(10), &unit.Binary{} })); err == nil || !strings.Contains(err.Error(), "neither pruning nor binary") {
		t.Errorf("%v, want one that names convolutions and binary weights", err)
	}
	batches, test := digits(t, 80, 8), digits(t, 1, 100)
	for hostName, c := range hosts {
		for limitName, limit := range limits {
			for pruningName, pruning := range prunings {
				c.TopK, c.Pruning = limit, pruning
				name := hostName + ", " + limitName + ", " + pruningName
				words, no := refused[hostName+", "+pruningName]
				if !no {
					words, no = refused[hostName+", "+limitName]
				}
				l, err := New(c)
				if no {
					if err == nil || !strings.Contains(err.Error(), words[0]) || !strings.Contains(err.Error(), words[1]) {
						t.Errorf("%s: %v, want one that names %s and %s", name, err, words[0], words[1])
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if (testing.Short() || snntest.DoublePrecision()) && pruningName != "pruned" {
					continue
				}
				before := cost(t, l, test[0])
				for _, b := range batches {
					step(t, l, b)
				}
				m := must(l.Predict(t.Context(), test[0])).Metrics
				if !(meanOf(m, train.Loss) < min(before, 1)) || !(meanOf(m, "accuracy") > 20) {
					t.Errorf("%s: loss %v, was %v; %v %% right, of which 10 are chance", name, meanOf(m, train.Loss), before, meanOf(m, "accuracy"))
				}
			}
		}
	}
}

// meanOf is a figure of metrics, NaN where there is none.
func meanOf(m train.Metrics, name string) float64 {
	if v, ok := m.Mean(name); ok {
		return v
	}
	return math.NaN()
}
