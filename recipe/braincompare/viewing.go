package braincompare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/activity"
	"synfire/compare"
	"synfire/compare/evaluation"
	"synfire/data"
	"synfire/data/recordings"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
	"synfire/tensor"
)

// seenBy is what a network or a control makes of the pictures: by the layer that is best on half
// of them, its correlation on the rest.
type seenBy struct {
	kind    string
	seen    string // what it learned, or would learn; empty: a control
	score   float64
	layer   string
	byLayer []float64 // over all pictures
}

// look trains networks on photographs, and shows the pictures to all networks and to the same untrained.
// It returns all of them, and why none learned photographs.
func (b *brains) look(ctx context.Context, jobs *recipe.Study, nets []subject) (all []subject, unseen string, err error) {
	if b == nil {
		return nets, "", nil
	}
	seen, unseen, err := photographs(ctx, jobs)
	if err != nil {
		return nil, "", err
	}
	all = append(nets, seen...)
	var list []viewer
	for _, n := range all {
		kind := viewed(n.kind, n.seen)
		blank, err := n.untrained()
		if err != nil {
			return nil, "", err
		}
		list = append(list, viewer{kind, n.Network(), n}, viewer{kind + ", untrained", blank, n})
	}
	slices.SortStableFunc(list, func(x, y viewer) int { return strings.Compare(x.kind, y.kind) })
	return all, unseen, b.show(ctx, list, jobs.Env.Seed)
}

// resized is the pictures in the height and width of a network's input, areas averaged; of one
// channel it takes their grey.
func resized(pictures [][]byte, shape tensor.Shape) (*data.Set, error) {
	if len(shape) != 3 || shape[0] < 1 || shape[1] < 1 || shape[0] > recordings.PictureSide || shape[1] > recordings.PictureSide || shape[2] != 1 && shape[2] != 3 {
		return nil, fmt.Errorf("a network of inputs %v cannot be shown pictures; it takes height × width × 1 or 3, at most %d high and wide", shape, recordings.PictureSide)
	}
	set := &data.Set{Name: "brain-92images", Split: "pictures", Shape: shape, Classes: []string{"picture"}, Labels: make([]int, len(pictures))}
	h, w, channels := shape[0], shape[1], shape[2]
	const side = recordings.PictureSide
	for _, p := range pictures {
		for y := range h {
			for x := range w {
				var sum [3]float64
				n := 0.0
				for i := y * side / h; i < (y+1)*side/h; i++ {
					for j := x * side / w; j < (x+1)*side/w; j++ {
						for c := range sum {
							sum[c] += float64(p[(i*side+j)*3+c])
						}
						n++
					}
				}
				if channels == 1 {
					set.Images = append(set.Images, uint8(math.Round((0.299*sum[0]+0.587*sum[1]+0.114*sum[2])/n)))
					continue
				}
				for c := range sum {
					set.Images = append(set.Images, uint8(math.Round(sum[c]/n)))
				}
			}
		}
	}
	return set, nil
}

// viewer is a network with how it is fed.
type viewer struct {
	kind string
	net  *network.Network
	of   subject
}

// viewed is what networks of a kind are called in figures that learned something, short as the names
// of bars must be.
func viewed(kind Kind, seen string) string {
	name := string(kind)
	if kind == RealValued {
		name = "ReLU"
	}
	return name + ", " + seen
}

// The controls.
const (
	silhouettes  = "silhouettes"
	greyPixels   = "pixels, grey"
	colourPixels = "pixels, colour"
)

// show records what networks make of the pictures, and what pixels and silhouettes do.
func (b *brains) show(ctx context.Context, list []viewer, seed uint64) error {
	if len(list) == 0 {
		return nil
	}
	if err := b.controls(list, seed); err != nil {
		return err
	}
	for i, n := range list {
		layers, err := b.record(ctx, n, false)
		if err != nil {
			return err
		}
		var names []string
		var rdms []compare.RDM
		for j, l := range layers {
			r, err := compare.Euclidean(mat.NewDense(l.Samples, l.Units, l.Mean))
			if err != nil {
				return err
			}
			names, rdms = append(names, fmt.Sprintf("layer %d", j+1)), append(rdms, r)
		}
		choose, test := halves(seed, i%ofAKind)
		s, err := b.chosen(n.kind, names, rdms, choose, test)
		if err != nil {
			return err
		}
		s.seen = n.of.seen
		b.networks = append(b.networks, s)
	}
	for i, n := range list {
		first := slices.IndexFunc(list, func(o viewer) bool { return o.kind == n.kind }) == i
		if first && n.of.Config.Steps > 1 {
			if err := b.overSteps(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// record is what the layers of a network make of the pictures, with each step where times are asked for.
func (b *brains) record(ctx context.Context, n viewer, times bool) ([]activity.Recording, error) {
	set, err := resized(b.pictures, n.of.Sets.Spec.Shape)
	if err != nil {
		return nil, err
	}
	layers, err := activity.Record(ctx, activity.Options{
		Net: n.net, Steps: n.of.Config.Steps, Encoder: n.of.Config.Encoder, Normalize: n.of.Sets.Normalization, Seed: n.of.Config.Seed, Source: set, Times: times,
	})
	if err != nil {
		return nil, fmt.Errorf("%s on the pictures: %w", n.kind, err)
	}
	return layers, nil
}

// controls are the pixels, as networks of each shape see them, and the silhouettes.
func (b *brains) controls(list []viewer, seed uint64) error {
	silhouette, err := b.model("Silhouette")
	if err != nil {
		return err
	}
	models := []evaluation.Model{{Name: silhouettes, RDM: silhouette.RDM}}
	for _, n := range list {
		shape := n.of.Sets.Spec.Shape
		name := map[int]string{1: greyPixels, 3: colourPixels}[shape[len(shape)-1]]
		if slices.ContainsFunc(models, func(m evaluation.Model) bool { return m.Name == name }) {
			continue
		}
		set, err := resized(b.pictures, shape)
		if err != nil {
			return err
		}
		pixels, err := compare.Euclidean(pixelsOf(set))
		if err != nil {
			return err
		}
		models = append(models, evaluation.Model{Name: name, RDM: pixels})
	}
	for k := range ofAKind {
		choose, test := halves(seed, k)
		for _, m := range models {
			s, err := b.chosen(m.Name, []string{m.Name}, []compare.RDM{m.RDM}, choose, test)
			if err != nil {
				return err
			}
			b.networks = append(b.networks, s)
		}
	}
	return nil
}

// halves divides the pictures, anew for each seed.
func halves(seed uint64, k int) (choose, test []int) {
	order := spike.Stream(seed, 92, uint64(k)).Source().Perm(recordings.Pictures)
	choose, test = order[:recordings.Pictures/2], order[recordings.Pictures/2:]
	slices.Sort(choose)
	slices.Sort(test)
	return choose, test
}

func pixelsOf(set *data.Set) *mat.Dense {
	x := mat.NewDense(set.Len(), set.Shape.Size(), nil)
	for i := range set.Len() {
		for j, p := range set.Image(i) {
			x.Set(i, j, float64(p)/255)
		}
	}
	return x
}

// agreement is the mean correlation of an RDM with the subjects over some pictures, nil for
// all; 0 where a layer says nothing.
func (b *brains) agreement(r compare.RDM, pictures []int) (float64, error) {
	sum := 0.0
	for _, s := range b.subjects {
		x, y := r, s
		if pictures != nil {
			x, y = r.Subset(pictures), s.Subset(pictures)
		}
		v, err := compare.Spearman(x, y)
		if errors.Is(err, compare.ErrUndefined) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += v / float64(len(b.subjects))
	}
	return sum, nil
}

// chosen takes the layer that agrees best on some pictures and measures it on others.
func (b *brains) chosen(kind string, names []string, rdms []compare.RDM, choose, test []int) (seenBy, error) {
	out := seenBy{kind: kind}
	best := math.Inf(-1)
	for i, r := range rdms {
		all, err := b.agreement(r, nil)
		if err != nil {
			return out, err
		}
		out.byLayer = append(out.byLayer, all)
		v, err := b.agreement(r, choose)
		if err != nil {
			return out, err
		}
		if v > best {
			best, out.layer = v, names[i]
			if out.score, err = b.agreement(r, test); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// overSteps follows the last hidden layer of a spiking network over its steps.
func (b *brains) overSteps(ctx context.Context, n viewer) error {
	layers, err := b.record(ctx, n, true)
	if err != nil {
		return err
	}
	last := layers[max(0, len(layers)-2)]
	times := mat.NewDense(last.Samples, last.Units*last.T, last.Steps)
	line := figure.Series{Name: n.kind}
	for t := 1; t <= last.T; t++ {
		r, err := compare.Euclidean(until(times, last.T, t))
		if err != nil {
			return err
		}
		v, err := b.agreement(r, nil)
		if err != nil {
			return err
		}
		line.X, line.Y = append(line.X, float64(t)), append(line.Y, v)
	}
	b.steps = append(b.steps, line)
	return nil
}

// byKind is the networks' scores in the order of their kinds.
func (b *brains) byKind() (kinds []string, scores map[string][]float64) {
	scores = map[string][]float64{}
	for _, n := range b.networks {
		if !slices.Contains(kinds, n.kind) {
			kinds = append(kinds, n.kind)
		}
		scores[n.kind] = append(scores[n.kind], n.score)
	}
	return kinds, scores
}

// gains are the scores of the networks that learned photographs less others, seed by seed, of the kind
// whose median is lower.
func gains(scores map[string][]float64, unseen string, others func(kind string, i int) float64) report.Measurement {
	m := report.Measurement{N: recordings.Pictures / 2, Why: unseen}
	least := math.Inf(1)
	for _, k := range []Kind{RealValued, Spiking} {
		kind := viewed(k, photographic)
		var v []float64
		for i, score := range scores[kind] {
			v = append(v, score-others(kind, i))
		}
		if len(v) == 0 {
			continue
		}
		if median := slices.Sorted(slices.Values(v))[len(v)/2]; median < least {
			least, m.Values = median, v
		}
	}
	return m
}
