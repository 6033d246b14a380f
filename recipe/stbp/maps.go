package stbp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"synfire/activity"
	"synfire/layer"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
)

// mapImages is on how many test images the rates of maps are compared.
const mapImages = 1000

// maps is how unequally the maps of each layer with several fire, in each arm of the
// ablation: the variance over maps of a map's mean rate.
type maps struct {
	arms, layers []string
	values       map[string][]float64 // by arm and layer, of the seeds
}

// add takes in a trained arm.
func (m *maps) add(ctx context.Context, s *study, arm string, t *recipe.Trained) error {
	net := t.Network()
	names, sizes := firingMaps(net)
	recordings, err := activity.Record(ctx, activity.Options{
		Net: net, Steps: t.Config.Steps, Encoder: t.Config.Encoder, Normalize: t.Sets.Normalization, Seed: t.Config.Seed,
		Source: t.Sets.Test, Samples: min(mapImages, t.Sets.Test.Len()), Layers: names,
	})
	if err != nil {
		return err
	}
	if !slices.Contains(m.arms, arm) {
		m.arms = append(m.arms, arm)
	}
	for i, r := range recordings {
		if name := fmt.Sprintf("layer%d", i+1); !slices.Contains(m.layers, name) {
			m.layers = append(m.layers, name)
		}
		v := stat.PopVariance(mapRates(r, sizes[i]), nil)
		if m.values == nil {
			m.values = map[string][]float64{}
		}
		key := arm + "/" + m.layers[i]
		m.values[key] = append(m.values[key], v)
		s.Metrics[fmt.Sprintf("%s_s%d_map_variance_%s", strings.ReplaceAll(arm, "-", "_"), t.Config.Seed, m.layers[i])] = v
	}
	return nil
}

// firingMaps are the nodes that fire and have maps, with the numbers of these.
func firingMaps(net *network.Network) (names []string, sizes []int) {
	for _, nd := range net.Nodes() {
		if layer.Fires(nd.Layer) && len(nd.Out) == 3 {
			names, sizes = append(names, nd.Name), append(sizes, nd.Out[2])
		}
	}
	return names, sizes
}

// mapRates is the mean over samples and places of each of n maps, which are the last axis.
func mapRates(r activity.Recording, n int) []float64 {
	rates := make([]float64, n)
	for i, v := range r.Mean {
		rates[i%r.Units%n] += v * float64(n) / float64(len(r.Mean))
	}
	return rates
}

// section draws the variances, a line for each arm.
func (m *maps) section(s *study) error {
	table := report.Table{Head: append([]string{"variance over maps"}, m.layers...), Right: make([]bool, len(m.layers)+1)}
	panel := figure.Panel{Name: "variance of rates"}
	for _, arm := range m.arms {
		row, line := []string{arm}, figure.Series{Name: arm}
		for i, name := range m.layers {
			values := m.values[arm+"/"+name]
			mean := stat.Mean(values, nil)
			row = append(row, fmt.Sprintf("%.2g", mean))
			line.X, line.Y = append(line.X, float64(i+1)), append(line.Y, mean)
			line.Low, line.High = append(line.Low, slices.Min(values)), append(line.High, slices.Max(values))
		}
		table.Rows, panel.Series = append(table.Rows, row), append(panel.Series, line)
	}
	for i := range m.layers {
		table.Right[i+1] = true
	}
	f, err := figure.Curves("Rates over maps", "convolution", panel)
	text := fmt.Sprintf("How unequally the maps of a layer fire: the variance over maps of a map's mean rate on %d test images, mean over %d seeds. NeuNorm is to even them out; nothing is claimed.", min(mapImages, s.Test().Len()), paired)
	return s.section("Rates over maps", text, table, f, err, "Variance over maps of their rates, for each convolution and arm", "The band is the range of the seeds.")
}
