package braincompare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/compare/units"
	"synfire/data"
	"synfire/internal/par"
	"synfire/network"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/bptt"
	"synfire/train"
)

// selectivity is that of the units of a hidden layer for digits, the largest first.
type selectivity struct {
	name  string // of the network
	layer string
	index []float64
}

// median of the units.
func (v selectivity) median() float64 { return v.index[len(v.index)/2] }

// lesion is the accuracy of a network with units of one layer silenced, by order of silencing.
type lesion struct {
	name, layer string
	orders      []silencing
}

// silencing is an order in which units were silenced; of random ones the mean, and the range.
type silencing struct {
	name            string
	share, accuracy []float64
	least, most     []float64 // nil of one order
}

// shares of the units that are silenced.
var shares = []float64{0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9}

// randomOrders is how many random orders an accuracy is the mean of.
const randomOrders = 3

// unitStudy is what single units do: how selective they are, and how the networks do without.
type unitStudy struct {
	selective []selectivity
	lesions   []lesion
	images    int // that accuracies are of
}

// hidden are the places among the study's layers of the hidden ones of a network whose last hidden
// layer is given.
func hidden(last int) []int { return []int{last - 1, last} }

// studyUnits looks at the first network of each kind and an untrained one. Of the images the first
// half tells selectivity, the other half is classified.
func (s *study) studyUnits(ctx context.Context, nets []subject, set *data.Set, pool *par.Pool) (*unitStudy, error) {
	half := s.images / 2
	u := &unitStudy{images: s.images - half}
	for k, last := range [][]int{s.ann, s.snn} {
		for _, of := range []int{last[0], last[2]} {
			for _, i := range hidden(of) {
				l := s.layers[i]
				index, err := units.Selectivity(first(l.x, half), s.labels[:half])
				if err != nil {
					return nil, fmt.Errorf("%s: %w", l.name(), err)
				}
				sorted := slices.Clone(index)
				slices.Sort(sorted)
				slices.Reverse(sorted)
				u.selective = append(u.selective, selectivity{strings.Split(l.group, ", seed")[0], l.layer, sorted})
				if of != last[0] {
					continue
				}
				v, err := nets[k*ofAKind].silenced(ctx, l.layer, index, set, half, s.images, pool)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", l.name(), err)
				}
				u.lesions = append(u.lesions, v)
			}
		}
	}
	return u, nil
}

// silenced measures accuracy on the images from..to with units of a hidden layer silenced.
func (n subject) silenced(ctx context.Context, layer string, index []float64, set *data.Set, from, to int, pool *par.Pool) (lesion, error) {
	out := lesion{name: string(n.kind), layer: layer}
	var positions []int
	for i := from; i < to; i++ {
		positions = append(positions, i)
	}
	part, err := set.Subset(positions)
	if err != nil {
		return out, err
	}
	accuracy := func(silenced []bool) (float64, error) {
		net, err := without(n.Network(), layer, silenced)
		if err != nil {
			return 0, err
		}
		p, err := bptt.NewPredictor(net, n.Config.Setting(n.Sets, pool), n.Config.Rule.(bptt.Rule).Loss)
		if err != nil {
			return 0, err
		}
		v, err := train.Evaluate(ctx, p, part, train.EvaluateOptions{Tasks: n.Config.Task, Normalize: n.Sets.Normalization})
		if err != nil {
			return 0, err
		}
		return v.Value("accuracy"), nil
	}
	descending := units.Descending(index)
	ascending := slices.Clone(descending)
	slices.Reverse(ascending)
	for _, o := range []struct {
		name  string
		order []int
	}{{"most selective first", descending}, {"least selective first", ascending}} {
		curve, err := units.Ablation(accuracy, o.order, shares)
		if err != nil {
			return out, err
		}
		v := silencing{name: o.name}
		for _, p := range curve {
			v.share, v.accuracy = append(v.share, 100*p.Share), append(v.accuracy, p.Accuracy)
		}
		out.orders = append(out.orders, v)
	}
	random := silencing{name: "at random", share: out.orders[0].share}
	for k := range shares {
		random.accuracy, random.least, random.most = append(random.accuracy, 0), append(random.least, math.Inf(1)), append(random.most, math.Inf(-1))
		for r := range randomOrders {
			curve, err := units.Ablation(accuracy, units.RandomOrder(len(index), n.Config.Seed+uint64(r)), shares[k:k+1])
			if err != nil {
				return out, err
			}
			v := curve[0].Accuracy
			random.accuracy[k] += v / randomOrders
			random.least[k], random.most[k] = min(random.least[k], v), max(random.most[k], v)
		}
	}
	out.orders = append(out.orders, random)
	return out, nil
}

// without is a copy of a network of Config in which units of a hidden layer send nothing: the weights
// that lead from them to the next layer are 0.
func without(net *network.Network, layer string, silenced []bool) (*network.Network, error) {
	c := net.Clone()
	which := map[string]int{"hidden 1": 1, "hidden 2": 2}[layer]
	matrices := 0
	for _, p := range c.Params() {
		shape := p.Value.Shape
		if len(shape) != 2 {
			continue
		}
		if matrices == which {
			if shape[0] != len(silenced) {
				return nil, fmt.Errorf("weights %s of shape %v behind a layer of %d units", p.Name, shape, len(silenced))
			}
			for u, off := range silenced {
				if off {
					clear(p.Value.Data[u*shape[1]:][:shape[1]])
				}
			}
			return c, nil
		}
		matrices++
	}
	return nil, fmt.Errorf("no weights behind layer %q", layer)
}

func (u *unitStudy) sections() ([]report.Section, error) {
	selective, err := u.selectivitySection()
	if err != nil {
		return nil, err
	}
	ablation, err := u.ablationSection()
	return []report.Section{selective, ablation}, err
}

func (u *unitStudy) selectivitySection() (report.Section, error) {
	out := report.Section{
		Title: "Selectivity of units",
		Text:  "How much more a unit answers its best digit than the others in the mean, (μ_max − μ_rest)/(μ_max + μ_rest) of mean rates: 1 is a unit that answers one digit alone, 0 one that answers all alike or none. Of the first network of each kind, and of an untrained one; units sorted.",
	}
	table := report.Table{Head: []string{"network", "layer", "median", "silent or alike", "above 0.9"}, Right: []bool{false, false, true, true, true}}
	panels := map[string]*figure.Panel{}
	var list []figure.Panel
	for _, v := range u.selective {
		if panels[v.layer] == nil {
			panels[v.layer] = &figure.Panel{Name: "selectivity, " + v.layer}
		}
		var share []float64
		zero, high := 0, 0
		for i, x := range v.index {
			share = append(share, 100*(float64(i)+0.5)/float64(len(v.index)))
			if x == 0 {
				zero++
			}
			if x > 0.9 {
				high++
			}
		}
		panels[v.layer].Series = append(panels[v.layer].Series, figure.Series{Name: v.name, X: share, Y: v.index})
		table.Rows = append(table.Rows, []string{v.name, v.layer, fmt.Sprintf("%.3f", v.median()), fmt.Sprintf("%d of %d", zero, len(v.index)), fmt.Sprintf("%d of %d", high, len(v.index))})
	}
	for _, l := range []string{"hidden 1", "hidden 2"} {
		list = append(list, *panels[l])
	}
	f, err := figure.Curves("Selectivity of units", "% of the units, most selective first", list...)
	out.Tables = append(out.Tables, table)
	return out, add(&out, f, err, "Selectivity of the units of both hidden layers, sorted", "Trained and untrained networks of both kinds.")
}

func (u *unitStudy) ablationSection() (report.Section, error) {
	out := report.Section{
		Title: "Ablation",
		Text:  fmt.Sprintf("Accuracy on %d test images with units of one hidden layer silenced: the most selective first, the least selective first, or at random (mean and range of %d orders). Selectivity was measured on other images. Where the most selective units are missed no more than random ones, selectivity does not tell which units a network needs.", u.images, randomOrders),
	}
	for _, l := range []string{"hidden 1", "hidden 2"} {
		var panels []figure.Panel
		for _, v := range u.lesions {
			if v.layer != l {
				continue
			}
			p := figure.Panel{Name: "accuracy (%), " + v.name}
			for _, o := range v.orders {
				p.Series = append(p.Series, figure.Series{Name: o.name, X: o.share, Y: o.accuracy, Low: o.least, High: o.most})
			}
			panels = append(panels, p)
		}
		f, err := figure.Curves("Silencing "+l, "% of the units silenced", panels...)
		if err := add(&out, f, err, "Accuracy over the share of units of "+l+" that are silenced", "The band is the range of random orders."); err != nil {
			return out, err
		}
	}
	return out, nil
}

// metrics are flat numbers for scripts.
func (u *unitStudy) metrics(m report.Metrics) {
	name := func(parts ...string) string {
		return strings.NewReplacer(" ", "_", "-", "_", ",", "").Replace(strings.Join(parts, "_"))
	}
	for _, v := range u.selective {
		m[name("selectivity", v.name, v.layer)] = v.median()
	}
	for _, v := range u.lesions {
		for _, o := range v.orders {
			for k, a := range o.accuracy {
				m[name("ablation", v.name, v.layer, o.name)+fmt.Sprintf("_%.0f", o.share[k])] = a
			}
		}
	}
}
