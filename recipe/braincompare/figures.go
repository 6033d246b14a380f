package braincompare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/canonical"
	"synfire/report"
	"synfire/report/figure"
)

// sections are the report's.
func (s *study) sections() ([]report.Section, error) {
	var out []report.Section
	for _, build := range []func() (report.Section, error){s.layersSection, s.imagesSection, s.timingSection, s.stabilitySection} {
		section, err := build()
		if err != nil {
			return nil, err
		}
		out = append(out, section)
	}
	return out, nil
}

// add draws a figure into a section.
func add(s *report.Section, f figure.Figure, err error, alt, caption string) error {
	if err != nil {
		return fmt.Errorf("figure %q: %w", alt, err)
	}
	s.Figures = append(s.Figures, report.Figure{SVG: f.SVG(), Alt: alt, Caption: caption})
	return nil
}

func (s *study) layersSection() (report.Section, error) {
	out := report.Section{
		Title: "Layers",
		Text:  "Linear CKA of all layers: 1 where two layers arrange the images alike, up to rotation and scale. Then the pairs on which the claims rest, with RSA (squared Euclidean dissimilarities), unbiased CKA, and SVCCA of the components that explain 90 % of the variance.",
	}
	var names []string
	var values [][]float64
	for i, l := range s.layers {
		names = append(names, l.short())
		values = append(values, mat.Row(nil, i, s.table))
	}
	f, err := figure.Heatmap("Linear CKA of layers", figure.Grid{Values: values, Rows: names, Columns: names, Quantity: "linear CKA", Low: 0, High: 1})
	if err := add(&out, f, err, "Linear CKA of all pairs of layers", "Of real-valued (R) and spiking (S) networks the layers 1, 2 and the output, for two seeds and untrained (0). Blocks along the diagonal are the layers of one network. Look for how alike the networks of other kinds and seeds are in the same layer."); err != nil {
		return out, err
	}
	if err := s.layerMap(&out); err != nil {
		return out, err
	}
	table, err := s.pairTable()
	out.Tables = append(out.Tables, s.kindTable(), table)
	return out, err
}

// layerMap places layers by 1 − CKA.
func (s *study) layerMap(out *report.Section) error {
	r := compare.NewRDM(len(s.layers))
	k := 0
	for i := range s.layers {
		for j := i + 1; j < len(s.layers); j++ {
			r.Values[k] = 1 - s.cka(i, j)
			k++
		}
	}
	points, explained, err := compare.MDS(r, 2)
	if err != nil {
		return err
	}
	var clouds []figure.Cloud
	for i, l := range s.layers {
		kind := strings.Split(l.group, ", seed")[0]
		if l.group == l.layer {
			kind = "pixels and labels"
		}
		c := slices.IndexFunc(clouds, func(c figure.Cloud) bool { return c.Name == kind })
		if c < 0 {
			c, clouds = len(clouds), append(clouds, figure.Cloud{Name: kind})
		}
		clouds[c].X, clouds[c].Y = append(clouds[c].X, points.At(i, 0)), append(clouds[c].Y, points.At(i, 1))
		clouds[c].Labels = append(clouds[c].Labels, l.layer)
	}
	f, err := figure.Scatter("Map of layers", figure.ScatterOptions{Map: true}, clouds...)
	return add(out, f, err, "Map of all layers by their CKA", fmt.Sprintf("Layers that stand together arrange the images alike: multidimensional scaling of 1 − CKA; two dimensions show %.0f %% of it.", 100*explained))
}

// kindTable is the CKA within kinds beside that between them, over all networks.
func (s *study) kindTable() report.Table {
	t := report.Table{
		Caption: fmt.Sprintf("Linear CKA of last hidden layers over all pairs of %d networks a kind, each from a seed of its own", ofAKind),
		Head:    []string{"pairs", "mean", "least", "greatest"}, Right: []bool{false, true, true, true},
	}
	for _, row := range []struct {
		name string
		v    spread
	}{
		{"real-valued, both trained", s.within(RealValued)}, {"spiking, both trained", s.within(Spiking)}, {"real-valued and spiking, both trained", s.between()},
		{"of a kind, one untrained", s.half(true)}, {"of two kinds, one untrained", s.half(false)},
	} {
		t.Rows = append(t.Rows, []string{row.name, fmt.Sprintf("%.3f", row.v.mean), fmt.Sprintf("%.3f", row.v.least), fmt.Sprintf("%.3f", row.v.most)})
	}
	return t
}

func (s *study) pairTable() (report.Table, error) {
	t := report.Table{
		Caption: fmt.Sprintf("Last hidden layers of single networks. CKA and SVCCA of %d images, RSA of %d.", s.images, s.rsa),
		Head:    []string{"pair", "linear CKA", "unbiased CKA", "RSA Spearman", "RSA Pearson", "SVCCA"}, Right: []bool{false, true, true, true, true, true},
	}
	for _, p := range s.compared() {
		x, y := s.layers[p[0]], s.layers[p[1]]
		unbiased, err := compare.UnbiasedCKA(x.x, y.x)
		if err != nil {
			return t, err
		}
		spearman, pearson, err := s.rsaOf(p[0], p[1])
		if err != nil {
			return t, err
		}
		svcca := "–"
		if v, err := canonical.SVCCA(x.x, y.x, 0.9); err == nil {
			svcca = fmt.Sprintf("%.3f", v)
		}
		row := []string{x.group + " – " + y.group}
		for _, v := range []float64{s.cka(p[0], p[1]), unbiased, spearman, pearson} {
			row = append(row, fmt.Sprintf("%.3f", v))
		}
		t.Rows = append(t.Rows, append(row, svcca))
	}
	return t, nil
}

// shownImages is how many stand in an RDM and in a map.
const (
	shownImages = 100
	mapped      = 60
)

// imagesSection shows RDMs of images sorted by class, and a map of them.
func (s *study) imagesSection() (report.Section, error) {
	out := report.Section{
		Title: "Images",
		Text:  fmt.Sprintf("How unlike the networks find pairs of images. RSA of the spiking and the real-valued network's last hidden layers: p = %.4f that images without relation agree as well (permutation test).", s.p),
	}
	n := min(shownImages, s.rsa)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.labels[a], s.labels[b]) })
	var digits []string
	for _, i := range order {
		digits = append(digits, strconv.Itoa(s.labels[i]))
	}
	for _, i := range []int{s.pixels, s.snn[2], s.snn[0], s.ann[0]} {
		r, err := s.rdm(i)
		if err != nil {
			return out, err
		}
		m := r.Subset(order).Matrix()
		values := make([][]float64, n)
		for k := range values {
			values[k] = mat.Row(nil, k, m)
		}
		name := s.layers[i].name()
		f, err := figure.Heatmap("RDM, "+name, figure.Grid{Values: values, Quantity: "squared distance a unit"})
		if err := add(&out, f, err, "RDM of "+name, fmt.Sprintf("%d test images sorted by digit: clear blocks along the diagonal are digits of which all images are alike.", n)); err != nil {
			return out, err
		}
	}
	for _, i := range []int{s.snn[2], s.snn[0]} {
		if err := s.imageMap(&out, i); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *study) imageMap(out *report.Section, layer int) error {
	r, err := s.rdm(layer)
	if err != nil {
		return err
	}
	n := min(mapped, s.rsa)
	few := make([]int, n)
	for i := range few {
		few[i] = i
	}
	points, explained, err := compare.MDS(r.Subset(few), 2)
	if err != nil {
		return err
	}
	cloud := figure.Cloud{Name: "images"}
	for i := range n {
		cloud.X, cloud.Y = append(cloud.X, points.At(i, 0)), append(cloud.Y, points.At(i, 1))
		cloud.Labels = append(cloud.Labels, strconv.Itoa(s.labels[i]))
	}
	name := s.layers[layer].name()
	f, err := figure.Scatter("Map of images, "+name, figure.ScatterOptions{Map: true}, cloud)
	return add(out, f, err, "Map of images in "+name, fmt.Sprintf("%d test images placed by multidimensional scaling of their dissimilarities; two dimensions show %.0f %% of them.", n, 100*explained))
}

func (s *study) timingSection() (report.Section, error) {
	steps := float64(s.layers[s.snn[0]].steps)
	out := report.Section{
		Title: "Spike timing",
		Text:  fmt.Sprintf("RDMs of the spike trains themselves, by van Rossum's distance with time constant τ, in the spiking network's last hidden layer; a presentation is %.0f steps. With a small τ spikes must coincide to be alike, with a large one only their number counts.", steps),
	}
	f, err := figure.Curves("RSA of spike trains", "τ in steps",
		figure.Panel{Name: "Pearson, with the RDM of rates", LogX: true, Series: []figure.Series{{Name: "van Rossum", X: s.taus, Y: s.timing}}},
		figure.Panel{Name: "Spearman, with the real-valued network", LogX: true, Series: []figure.Series{{Name: "van Rossum", X: s.taus, Y: s.withANN}}})
	return out, add(&out, f, err, "Agreement of spike-train RDMs with rates and with the real-valued network, over the time constant", "The upper curve tends to 1 as τ passes the presentation. Where the lower one is highest is the time scale on which the spiking network agrees best with the real-valued one.")
}

func (s *study) stabilitySection() (report.Section, error) {
	out := report.Section{
		Title: "Stability over time",
		Text:  "Representational stability (ReStA): Pearson's correlation of a layer's RDM (1 − cosine) after some steps with that after all. Where it is near 1, further steps no longer change how the images are arranged.",
	}
	var series []figure.Series
	for _, l := range []string{"hidden 1", "hidden 2"} {
		if slices.ContainsFunc(s.stability[l], func(v float64) bool { return !math.IsNaN(v) }) {
			series = append(series, figure.Series{Name: l, X: s.times, Y: s.stability[l]})
		}
	}
	f, err := figure.Curves("ReStA of the spiking network", "time steps", figure.Panel{Name: "ReStA with all steps", Series: series})
	return out, add(&out, f, err, "Representational stability of the spiking network over its time steps", "No value where some image has not caused a spike yet.")
}

// metrics are flat numbers for scripts.
func (s *study) metrics(nets []subject) report.Metrics {
	m := report.Metrics{
		"cka_pixels_ann": s.cka(s.pixels, s.ann[0]), "cka_pixels_snn": s.cka(s.pixels, s.snn[0]),
		"permutation_p": s.p, "images": float64(s.images), "images_rsa": float64(s.rsa),
	}
	for name, v := range map[string]spread{
		"cka_ann_ann": s.within(RealValued), "cka_snn_snn": s.within(Spiking), "cka_ann_snn": s.between(),
		"cka_untrained_of_kind": s.half(true), "cka_untrained_of_other_kind": s.half(false),
		"cka_labels_ann": s.withLabels(code{RealValued, true}), "cka_labels_ann_untrained": s.withLabels(code{RealValued, false}),
		"cka_labels_snn": s.withLabels(code{Spiking, true}), "cka_labels_snn_untrained": s.withLabels(code{Spiking, false}),
	} {
		m[name], m[name+"_least"], m[name+"_most"] = v.mean, v.least, v.most
	}
	for _, n := range nets {
		m[fmt.Sprintf("accuracy_%s_s%d", strings.ReplaceAll(n.Name, "-", "_"), n.Config.Seed)] = n.Result.Test.Value("accuracy")
	}
	for k, tau := range s.taus {
		m[fmt.Sprintf("rate_rsa_tau_%g", tau)] = s.timing[k]
	}
	for _, t := range []int{1, 2, 4, 8} {
		m[fmt.Sprintf("resta_hidden2_t%d", t)] = s.stability["hidden 2"][t-1]
	}
	return m
}
