package eqprop

import (
	"reflect"
	"strings"
	"testing"

	"synfire/format/yaml"
	"synfire/internal/par"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
)

// A configuration is written and read again as it is, all its parts included, but for
// the seed and the threads, which are the run's.
func TestConfigAsYAML(t *testing.T) {
	all := variants()
	all["all spiking"] = Config{
		Spiking: &unit.Spiking{Quantiser: unit.Stochastic, Lambda: 0.5, LambdaDecay: 0.1, Drift: 0.1, Warm: 3, Bidirectional: true}, Predictor: &Predictor{Lambda: 0.1, Leak: 0.02, TopK: true},
		TopK: &limit.TopK{K: 4, Variant: limit.Soft, Temperature: 0.1, Begin: 1, End: 3, Hot: 0.5, Cooling: 9}, Binary: &unit.Binary{},
		Pruning: &sparse.Pruning{Sparsity: 0.5, Last: 0.1, Begin: 2, End: 4, Every: 1, Saliency: sparse.Movement, Regrow: true, SharedMask: true},
	}
	for name, c := range all {
		c = complete(c)
		c.Seed = 0
		src, err := yaml.Encode(c, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var again Config
		if err := yaml.Decode("eqprop.yaml", src, &again, nil); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%s: %+v, want %+v; %v in\n%s", name, again, c, err, src)
		}
	}
	src := must(yaml.Encode(complete(Config{Pool: par.New(1), Convolutional: small(true), Weights: coupling.FanIn}), nil))
	for _, want := range []string{"weights: fan-in", "learning-rates: [0.2, 0.1, 0.1]", "cost-scale: 0", "image: [5, 8, 1]", "average: true", "nudge: centred"} {
		if !strings.Contains(string(src), want) {
			t.Errorf("no %q in\n%s", want, src)
		}
	}
}

// What does not go together is said of files too, and of misspelt names which was meant.
func TestBadYAML(t *testing.T) {
	for text, want := range map[string]string{
		"sizes: [4, 3, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3":                                "1 learning rates for 2 matrices",
		"sizes: [4, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3\nnudge: central":                   `did you mean "centred"?`,
		"sizes: [4, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3\npruning: {saliency: size}":        "known names: magnitude, movement",
		"sizes: [4, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3\ntop-k: {k: 3, variant: soft}":     "temperature 0",
		"sizes: [4, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3\nrates: [1]":                       "learning-rates",
		"sizes: [4, 2]\nlearning-rates: [1]\nbeta: 1\nfree: 3\nspiking: {quantiser: threshhold}": `did you mean "threshold"?`,
	} {
		var c Config
		if err := yaml.Decode("eqprop.yaml", []byte(text), &c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
