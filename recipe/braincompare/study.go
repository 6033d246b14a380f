package braincompare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/activity"
	"synfire/compare"
	"synfire/data"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/bptt"
)

// layerActivity is one layer's responses to the images.
type layerActivity struct {
	group string // the network it is of
	code  string // the same in two characters
	layer string
	x     *mat.Dense // images × units
	times *mat.Dense // first images × units·steps; kept of one spiking network alone
	steps int
}

func (l layerActivity) name() string {
	if l.group == l.layer {
		return l.layer
	}
	return l.group + ": " + l.layer
}

// short is the name in a crowded figure: R for real-valued or S for spiking, the
// seed's place, 0 for untrained, and the layer.
func (l layerActivity) short() string {
	if l.group == l.layer {
		return l.layer
	}
	return l.code + " " + strings.TrimPrefix(l.layer, "hidden ")
}

// study is the layers of the first networks with the measures between them, and the last
// hidden layers of all. A layer is known by its place in layers.
type study struct {
	images, rsa int
	labels      []int
	layers      []layerActivity
	pixels      int
	oneHot      int
	ann, snn    []int // last hidden layers, of two seeds, then untrained

	table *mat.Dense // linear CKA of all pairs of layers

	last  map[Kind]last // last hidden layers of all networks
	pairs *mat.Dense    // linear CKA of all pairs of them, and of the labels
	codes []code        // what they are, in the order of pairs

	taus      []float64 // in steps
	timing    []float64 // Pearson of van Rossum RDM and rate RDM, by τ
	withANN   []float64 // Spearman of the van Rossum RDM and the real-valued network's
	stability map[string][]float64
	times     []float64 // steps after which stability is measured
	p         float64   // permutation test of spiking and real-valued RDM
}

// last is the last hidden layers of a kind.
type last struct{ trained, untrained []*mat.Dense }

// code says what a row of pairs is.
type code struct {
	kind    Kind
	trained bool
}

// shown is how many trained networks of a kind stand with all their layers in the figures.
const shown = 2

func newStudy(ctx context.Context, e *recipe.Env, nets []subject, testSet *data.Set) (*study, error) {
	z := sizes[e.Scale]
	s := &study{images: z.images, rsa: z.rsa, labels: testSet.Labels[:z.images], last: map[Kind]last{}}
	s.addImages(testSet)
	for i, n := range nets {
		letter, k := strings.ToUpper(string(n.kind[:1])), i%ofAKind
		layers, err := s.record(ctx, n.name(), fmt.Sprint(letter, k+1), n, n.Network(), testSet)
		if err != nil {
			return nil, err
		}
		blank, err := n.untrained()
		if err != nil {
			return nil, err
		}
		empty, err := s.record(ctx, string(n.kind)+", untrained", letter+"0", n, blank, testSet)
		if err != nil {
			return nil, err
		}
		kind := s.last[n.kind]
		kind.trained = append(kind.trained, layers[len(layers)-2].x)
		kind.untrained = append(kind.untrained, empty[len(empty)-2].x)
		s.last[n.kind] = kind
		if k < shown {
			s.show(n.kind, layers)
		}
		if k == shown-1 {
			s.show(n.kind, empty)
		}
	}
	s.addLabels()
	return s, s.addTimes(ctx, nets[ofAKind], testSet)
}

// addTimes records the spikes of the first spiking network step by step.
func (s *study) addTimes(ctx context.Context, n subject, set *data.Set) error {
	hidden := s.snn[0] - 1
	recordings, err := activity.Record(ctx, activity.Options{
		Net: n.Network(), Steps: n.Config.Steps, Encoder: n.Config.Encoder, Seed: n.Config.Seed, Source: set, Samples: s.rsa, Times: true,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.name(), err)
	}
	for i, r := range recordings {
		if r.Spikes {
			s.layers[hidden+i].times = mat.NewDense(r.Samples, r.Units*r.T, r.Steps)
		}
	}
	return nil
}

func (s *study) addImages(set *data.Set) {
	x := mat.NewDense(s.images, set.Shape.Size(), nil)
	for i := range s.images {
		for j, p := range set.Image(i) {
			x.Set(i, j, float64(p)/255)
		}
	}
	s.pixels = len(s.layers)
	s.layers = append(s.layers, layerActivity{group: "pixels", layer: "pixels", x: x})
}

func (s *study) addLabels() {
	x := mat.NewDense(s.images, 10, nil)
	for i, l := range s.labels {
		x.Set(i, l, 1)
	}
	s.oneHot = len(s.layers)
	s.layers = append(s.layers, layerActivity{group: "labels", layer: "labels", x: x})
}

// untrained is a network like a subject before training, from a seed of its own.
func (n subject) untrained() (*network.Network, error) {
	c := n.Config
	c.Seed += untrainedSeeds
	return c.Rule.(bptt.Rule).Network(c.Setting(n.Sets, nil))
}

// record records the hidden layers and the output of a network with a subject's
// configuration.
func (s *study) record(ctx context.Context, name, code string, n subject, net *network.Network, set *data.Set) (layers []layerActivity, err error) {
	recordings, err := activity.Record(ctx, activity.Options{
		Net: net, Steps: n.Config.Steps, Encoder: n.Config.Encoder, Seed: n.Config.Seed, Source: set, Samples: s.images,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, r := range recordings {
		l := layerActivity{group: name, code: code, layer: fmt.Sprintf("hidden %d", i+1), x: mat.NewDense(r.Samples, r.Units, r.Mean), steps: r.T}
		if i == len(recordings)-1 {
			l.layer = "output"
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// show takes layers among those of the figures.
func (s *study) show(kind Kind, layers []layerActivity) {
	s.layers = append(s.layers, layers...)
	last := len(s.layers) - 2
	if kind == Spiking {
		s.snn = append(s.snn, last)
	} else {
		s.ann = append(s.ann, last)
	}
}

// comparePairs measures all pairs of last hidden layers, and each with the labels.
func (s *study) comparePairs() (err error) {
	var all []*mat.Dense
	for _, kind := range []Kind{RealValued, Spiking} {
		for _, x := range s.last[kind].trained {
			all, s.codes = append(all, x), append(s.codes, code{kind, true})
		}
		for _, x := range s.last[kind].untrained {
			all, s.codes = append(all, x), append(s.codes, code{kind, false})
		}
	}
	s.pairs, err = compare.CKATable(all, append(slices.Clone(all), s.layers[s.oneHot].x), compare.Linear)
	return err
}

// spread is CKA over pairs: mean, least and greatest.
type spread struct{ mean, least, most float64 }

// String reads 0.912 (0.874–0.951).
func (v spread) String() string { return fmt.Sprintf("%.3f (%.3f–%.3f)", v.mean, v.least, v.most) }

// over is the CKA of the pairs of networks that are asked for.
func (s *study) over(ask func(a, b code) bool) spread {
	v, n := spread{least: math.Inf(1), most: math.Inf(-1)}, 0.0
	for i, a := range s.codes {
		for j, b := range s.codes[i+1:] {
			if ask(a, b) || ask(b, a) {
				x := s.pairs.At(i, i+1+j)
				v.mean, v.least, v.most, n = v.mean+x, min(v.least, x), max(v.most, x), n+1
			}
		}
	}
	v.mean /= n
	return v
}

// within is the CKA of two trained networks of a kind.
func (s *study) within(kind Kind) spread {
	return s.over(func(a, b code) bool { return a == code{kind, true} && b == a })
}

// between is the CKA of a spiking and a real-valued network, both trained.
func (s *study) between() spread {
	return s.over(func(a, b code) bool { return a == code{Spiking, true} && b == code{RealValued, true} })
}

// half is the CKA of a trained and an untrained network, of one kind or of two.
func (s *study) half(oneKind bool) spread {
	return s.over(func(a, b code) bool { return a.trained && !b.trained && (a.kind == b.kind) == oneKind })
}

// withLabels is the CKA with the labels of trained or untrained networks of a kind.
func (s *study) withLabels(c code) spread {
	v, n := spread{least: math.Inf(1), most: math.Inf(-1)}, 0.0
	for i, a := range s.codes {
		if a == c {
			x := s.pairs.At(i, len(s.codes))
			v.mean, v.least, v.most, n = v.mean+x, min(v.least, x), max(v.most, x), n+1
		}
	}
	v.mean /= n
	return v
}

// compare measures.
func (s *study) compare(e *recipe.Env) error {
	var all []*mat.Dense
	for _, l := range s.layers {
		all = append(all, l.x)
	}
	var err error
	if s.table, err = compare.CKATable(all, all, compare.Linear); err != nil {
		return err
	}
	if err := s.comparePairs(); err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	if err := s.stabilities(); err != nil {
		return err
	}
	spiking, err := s.rdm(s.snn[0])
	if err != nil {
		return err
	}
	real, err := s.rdm(s.ann[0])
	if err != nil {
		return err
	}
	const permutations = 500
	_, s.p, err = compare.PermutationTest(compare.Spearman, spiking, real, permutations, e.Seed, e.Pool)
	return err
}

// cka of two layers.
func (s *study) cka(i, j int) float64 { return s.table.At(i, j) }

// withUntrained is the largest CKA of a trained network and an untrained one.
func (s *study) withUntrained() float64 { return max(s.half(true).most, s.half(false).most) }

// first is the first rows of x.
func first(x *mat.Dense, n int) *mat.Dense {
	_, p := x.Dims()
	return x.Slice(0, n, 0, p).(*mat.Dense)
}

func (s *study) rdm(layer int) (compare.RDM, error) {
	return compare.Euclidean(first(s.layers[layer].x, s.rsa))
}

// rsaOf is Spearman's and Pearson's correlation of two layers' RDMs.
func (s *study) rsaOf(i, j int) (spearman, pearson float64, err error) {
	r, err := s.rdm(i)
	if err != nil {
		return 0, 0, err
	}
	q, err := s.rdm(j)
	if err != nil {
		return 0, 0, err
	}
	if spearman, err = compare.Spearman(r, q); err != nil {
		return 0, 0, err
	}
	pearson, err = compare.Pearson(r, q)
	return spearman, pearson, err
}

// sweep compares RDMs of spike trains, for time constants from a fraction of a
// step to ten presentations, with those of rates.
func (s *study) sweep() error {
	l := s.layers[s.snn[0]]
	for _, f := range []float64{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10} {
		s.taus = append(s.taus, f*float64(l.steps))
	}
	rate, err := s.rdm(s.snn[0])
	if err != nil {
		return err
	}
	real, err := s.rdm(s.ann[0])
	if err != nil {
		return err
	}
	for _, tau := range s.taus {
		traces, err := compare.Traces(l.times, l.steps, tau)
		if err != nil {
			return err
		}
		r, err := compare.Euclidean(traces)
		if err != nil {
			return err
		}
		withRate, err := compare.Pearson(r, rate)
		if err != nil {
			return err
		}
		withReal, err := compare.Spearman(r, real)
		if err != nil {
			return err
		}
		s.timing, s.withANN = append(s.timing, withRate), append(s.withANN, withReal)
	}
	return nil
}

// stabilities is the ReStA of the spiking network's hidden layers: of the rates
// after some steps with those after all. Before a layer answers to every image it
// has no value.
func (s *study) stabilities() error {
	s.stability = map[string][]float64{}
	steps := s.layers[s.snn[0]].steps
	for t := 1; t <= steps; t++ {
		s.times = append(s.times, float64(t))
	}
	for _, l := range s.layers {
		if l.times == nil {
			continue
		}
		all := until(l.times, steps, steps)
		for t := 1; t <= steps; t++ {
			v := math.NaN()
			if x := until(l.times, steps, t); !silent(x) {
				var err error
				if v, err = compare.ReStA(x, all); err != nil {
					return err
				}
			}
			s.stability[l.layer] = append(s.stability[l.layer], v)
		}
	}
	return nil
}

// until is the number of spikes of each unit in the first t of the steps.
func until(times *mat.Dense, steps, t int) *mat.Dense {
	n, p := times.Dims()
	out := mat.NewDense(n, p/steps, nil)
	for i := range n {
		row := times.RawRowView(i)
		for u := range p / steps {
			for _, v := range row[u*steps:][:t] {
				out.Set(i, u, out.At(i, u)+v)
			}
		}
	}
	return out
}

// silent reports whether some image is answered by no unit.
func silent(x *mat.Dense) bool {
	for i := range x.RawMatrix().Rows {
		if !slices.ContainsFunc(x.RawRowView(i), func(v float64) bool { return v != 0 }) {
			return true
		}
	}
	return false
}

// measured is what the claims are judged by.
func (s *study) measured() map[string]report.Measurement {
	pair := func(larger, smaller float64, names ...string) report.Measurement {
		return report.Measurement{Values: []float64{larger, smaller}, Arms: names, N: s.images, Seeds: ofAKind}
	}
	gain := math.Inf(1)
	for _, kind := range []Kind{RealValued, Spiking} {
		gain = min(gain, s.withLabels(code{kind, true}).least-s.withLabels(code{kind, false}).most)
	}
	return map[string]report.Measurement{
		sameClass: pair(min(s.within(RealValued).least, s.within(Spiking).least), s.half(true).most,
			"two trained of a kind, the least alike pair", "trained and untrained of a kind, the most alike pair"),
		trained: pair(s.between().least, s.half(false).most,
			"spiking and real-valued, trained, the least alike pair", "one of them untrained, the most alike pair"),
		labels: {Values: []float64{gain}, N: s.images, Seeds: ofAKind},
	}
}

// compared are the pairs of the table of figures.
func (s *study) compared() (pairs [][2]int) {
	a, n := s.ann, s.snn
	return [][2]int{
		{a[0], a[1]}, {n[0], n[1]}, {a[0], n[0]}, {a[0], a[2]}, {n[0], n[2]}, {a[0], n[2]}, {n[0], a[2]},
		{s.pixels, a[0]}, {s.pixels, n[0]}, {s.pixels, a[2]}, {s.pixels, n[2]},
		{a[2], s.oneHot}, {a[0], s.oneHot}, {n[2], s.oneHot}, {n[0], s.oneHot},
	}
}
