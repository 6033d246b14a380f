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
	"synfire/compare/recording"
	"synfire/data"
	"synfire/data/recordings"
	"synfire/internal/par"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
	"synfire/tensor"
)

// The claims on brains, and what they are held against: figures of the same data, computed
// beforehand by another program.
const (
	ceilingClaim = "ceiling"
	orderClaim   = "order"
	brainBound   = 0.005
	brainsStated = "2026-11-29"

	learnedClaim = "networks"
	controlClaim = "networks-controls"
	seenStated   = "2026-11-30"
)

var (
	wantCeiling = [2]float64{0.372, 0.666}
	wantOrder   = []float64{0.296, 0.160, 0.027}
)

// ranked are the models of the claim on order, the best first.
var ranked = []string{"monkeyIT", "HMAX", "V1"}

// brainClaims are judged where the data are.
func brainClaims() []report.Claim {
	const source = "the RDMs of Kriegeskorte et al. 2008, computed beforehand by another program"
	var out []report.Claim
	for _, c := range []struct{ id, name string }{
		{ceilingClaim, "human IT, four subjects, Spearman: the noise ceiling's bounds, farthest from 0.372 and 0.666"},
		{orderClaim, "human IT: mean correlations with monkey IT, HMAX and V1, farthest from 0.296, 0.160 and 0.027"},
	} {
		b := recipe.Bounded(c.id, c.name, "", source, report.AtMost, brainBound, report.Seeds{Short: 1, Full: 1}, report.Samples{Short: recordings.Pictures, Full: recordings.Pictures})
		b.Stated, b.Note = brainsStated, "Says that the instrument reads these data as others do, not that the steps differ: four subjects do not establish each of them."
		out = append(out, b)
	}
	const half = recordings.Pictures / 2
	for _, c := range []struct{ id, less string }{
		{learnedClaim, "that of the same before training"}, {controlClaim, "that of the best of pixels and silhouettes"},
	} {
		b := recipe.Bounded(c.id, "human IT: correlation of a network that learned photographs, by its layer that agrees best on half of the pictures, on the other half less "+c.less+", of the kind that gains less",
			"", "no paper: what photographs teach small networks", report.AtLeast, 0, report.Seeds{Short: ofAKind, Full: ofAKind}, report.Samples{Short: half, Full: half})
		b.Stated, b.Note = seenStated, "Stated before any run: the median over seeds, each with halves of its own. Either outcome is reported."
		out = append(out, b)
	}
	return out
}

// resamples of the bootstrap.
var resamples = map[report.Scale]int{report.Smoke: 20, report.Short: 200, report.Full: 1000}

// brains is human IT with what is held against it.
type brains struct {
	subjects []compare.RDM
	models   []evaluation.Model // all of the archive, then the model of animacy last
	pictures [][]byte
	table    evaluation.Table
	scores   evaluation.Scores
	tau      evaluation.Scores // of animacy alone, by tau-a
	networks []seenBy
	steps    []figure.Series // mean correlation of the last hidden layer of the first spiking network of each kind, by step
}

// seenBy is what a network or a control makes of the pictures: by the layer that is best on half
// of them, its correlation on the rest.
type seenBy struct {
	kind    string
	seen    string // what it learned, or would learn; empty: a control
	score   float64
	layer   string
	byLayer []float64 // over all pictures
}

var (
	spearman = compare.Comparison{Similarity: compare.Spearman, Pooling: compare.PoolRanks}
	tauA     = compare.Comparison{Similarity: compare.TauA, Pooling: compare.PoolRanks}
)

// loadBrains reads human IT, sessions averaged, the models and the pictures.
func loadBrains(ctx context.Context, o data.Options) (*brains, error) {
	archive, err := recordings.LoadBrains(ctx, o)
	if err != nil {
		return nil, err
	}
	read := func(name string) ([]compare.RDM, []string, error) {
		d, v, err := archive.Array(name)
		if err != nil {
			return nil, nil, err
		}
		list, err := recording.RDMsOf(v, d.Shape)
		return list, d.Names, err
	}
	b := &brains{}
	if b.subjects, _, err = read("human_it_sessions"); err != nil {
		return nil, err
	}
	list, names, err := read("models")
	if err != nil {
		return nil, err
	}
	if len(names) != len(list) {
		return nil, fmt.Errorf("brain-92images: %d models and %d names; import the archive again", len(list), len(names))
	}
	for i, r := range list {
		b.models = append(b.models, evaluation.Model{Name: names[i], RDM: r})
	}
	b.pictures, err = archive.Images()
	return b, err
}

// model is one of the archive's; the name must be there.
func (b *brains) model(name string) (evaluation.Model, error) {
	i := slices.IndexFunc(b.models, func(m evaluation.Model) bool { return m.Name == name })
	if i < 0 {
		return evaluation.Model{}, fmt.Errorf("brain-92images: no model %q; import the archive again", name)
	}
	return b.models[i], nil
}

// rank evaluates the models.
func (b *brains) rank(scale report.Scale, seed uint64, pool *par.Pool) (err error) {
	if b.scores, err = evaluation.Run(spearman, b.models, b.subjects); err != nil {
		return err
	}
	animacy, err := b.model("animacy")
	if err != nil {
		return err
	}
	if b.tau, err = evaluation.Run(tauA, []evaluation.Model{animacy}, b.subjects); err != nil {
		return err
	}
	b.table, err = evaluation.Rank(compare.Bootstrap{Comparison: spearman, Resamples: resamples[scale], Seed: seed, Pool: pool}, b.models, b.subjects, "holm")
	return err
}

// mean is a model's mean correlation; NaN for one that is not there.
func (b *brains) mean(name string) float64 {
	i := slices.Index(b.scores.Models, name)
	if i < 0 {
		return math.NaN()
	}
	return b.scores.Mean(i)
}

// measured are the claims on brains, with the reason where there are none.
func (b *brains) measured(why, unseen string) map[string]report.Measurement {
	if b == nil {
		none := report.Measurement{Why: why}
		return map[string]report.Measurement{ceilingClaim: none, orderClaim: none, learnedClaim: none, controlClaim: none}
	}
	ceiling := max(math.Abs(b.scores.Lower-wantCeiling[0]), math.Abs(b.scores.Upper-wantCeiling[1]))
	far := 0.0
	for i, name := range ranked {
		far = max(far, math.Abs(b.mean(name)-wantOrder[i]))
	}
	out := map[string]report.Measurement{
		ceilingClaim: {Values: []float64{ceiling}, N: recordings.Pictures}, orderClaim: {Values: []float64{far}, N: recordings.Pictures},
	}
	untrained := func(kind string, i int) float64 { return b.scoresOf(kind + ", untrained")[i] }
	control := func(_ string, i int) float64 {
		return max(b.scoresOf(colourPixels)[i], b.scoresOf(silhouettes)[i])
	}
	out[learnedClaim], out[controlClaim] = b.gains(unseen, untrained), b.gains(unseen, control)
	return out
}

// gains are the scores of the networks that learned photographs less others, seed by seed, of the kind
// whose median is lower.
func (b *brains) gains(unseen string, others func(kind string, i int) float64) report.Measurement {
	m := report.Measurement{N: recordings.Pictures / 2, Why: unseen}
	least := math.Inf(1)
	for _, k := range []Kind{RealValued, Spiking} {
		kind := viewed(k, photographic)
		var v []float64
		for i, score := range b.scoresOf(kind) {
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

// scoresOf are those of the networks of a kind, by seed.
func (b *brains) scoresOf(kind string) (scores []float64) {
	for _, n := range b.networks {
		if n.kind == kind {
			scores = append(scores, n.score)
		}
	}
	return scores
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
		set, err := resized(b.pictures, n.of.Sets.Spec.Shape)
		if err != nil {
			return err
		}
		layers, err := activity.Record(ctx, activity.Options{
			Net: n.net, Steps: n.of.Config.Steps, Encoder: n.of.Config.Encoder, Normalize: n.of.Sets.Normalization, Seed: n.of.Config.Seed, Source: set,
		})
		if err != nil {
			return fmt.Errorf("%s on the pictures: %w", n.kind, err)
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
	set, err := resized(b.pictures, n.of.Sets.Spec.Shape)
	if err != nil {
		return err
	}
	layers, err := activity.Record(ctx, activity.Options{
		Net: n.net, Steps: n.of.Config.Steps, Encoder: n.of.Config.Encoder, Normalize: n.of.Sets.Normalization, Seed: n.of.Config.Seed, Source: set, Times: true,
	})
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

// sections are the report's on brains; of no data they say so, and why networks have seen no
// photographs.
func (b *brains) sections(why, unseen string) ([]report.Section, error) {
	if b == nil {
		return []report.Section{{Title: "Brains", Text: "Human and monkey IT were not compared: " + why + "."}}, nil
	}
	models, err := b.modelSection()
	if err != nil {
		return nil, err
	}
	networks, err := b.networkSection(unseen)
	return []report.Section{models, networks}, err
}

func (b *brains) modelSection() (report.Section, error) {
	out := report.Section{
		Title: "Brains: models of human IT",
		Text: fmt.Sprintf("Dissimilarities of 92 pictures in human inferior temporal cortex (fMRI, four subjects, two sessions averaged each), and how well others agree with them: monkey IT, models, categories. Spearman's correlation, mean over subjects. Between the bounds %.3f and %.3f of the noise ceiling lies the best that any model can have. A model of two values, animacy, has %.3f, above the lower bound of %.3f; by Kendall's tau a, which does not reward ties, %.3f, below its lower bound of %.3f: Spearman flatters a model of two values, and no verdict is drawn from it. Intervals and p-values in the figure are of the bootstrap over subjects and pictures both; four subjects do not establish each step of the order, and signed ranks of four can never reach p = 0.05.",
			b.scores.Lower, b.scores.Upper, b.mean("animacy"), b.scores.Lower, b.tau.Mean(0), b.tau.Lower),
	}
	var bars []figure.Bar
	rows := report.Table{Caption: fmt.Sprintf("Models; p-values by Holm over models, t-test with %d degrees of freedom", len(b.subjects)-1), Head: []string{"model", "mean", "95 %, dual bootstrap", "p above 0", "t-test", "signed ranks", "below ceiling"}, Right: []bool{false, true, false, true, true, true, true}}
	for _, m := range b.table.Rows {
		bar := figure.Bar{Name: m.Model, Value: m.Mean, Low: *m.Low, High: *m.High}
		if *m.P < 0.05 {
			bar.Mark = "*"
		}
		bars = append(bars, bar)
		rows.Rows = append(rows.Rows, []string{m.Model, fmt.Sprintf("%.3f", m.Mean), fmt.Sprintf("%.3f to %.3f", *m.Low, *m.High), p(m.P), p(m.PT), p(m.PRank), p(m.PCeiling)})
	}
	f, err := figure.BarsIn("Agreement with human IT", "mean Spearman correlation with four subjects", bars, &figure.Zone{Name: "noise ceiling", Low: b.scores.Lower, High: b.scores.Upper})
	if err := add(&out, f, err, "Mean correlation of models with human IT before the noise ceiling", "Whiskers hold 95 % by the dual bootstrap. A star: above 0, p < 0.05 after Holm."); err != nil {
		return out, err
	}
	pairs := report.Table{Caption: "Differences of the models of the claim; the t-test's interval and p are of four subjects alone", Head: []string{"pair", "difference", "95 %, dual bootstrap", "95 %, t(3)", "p, dual", "p, t"}, Right: []bool{false, true, false, false, true, true}}
	for _, d := range b.table.Pairs {
		if slices.Contains(ranked, d.A) && slices.Contains(ranked, d.B) && d.HalfT != nil {
			pairs.Rows = append(pairs.Rows, []string{d.A + " – " + d.B, fmt.Sprintf("%.3f", d.Difference), fmt.Sprintf("%.3f to %.3f", *d.Low, *d.High), fmt.Sprintf("%.3f to %.3f", d.Difference-*d.HalfT, d.Difference+*d.HalfT), p(d.P), p(d.PT)})
		}
	}
	out.Tables = append(out.Tables, rows, pairs)
	return out, nil
}

// p is a p-value, a dash for none.
func p(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.2g", *v)
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

func (b *brains) networkSection(unseen string) (report.Section, error) {
	out := report.Section{
		Title: "Brains: networks shown the same pictures",
		Text:  fmt.Sprintf("The networks of this run, perceptrons that learned digits and convolutional ones that learned the photographs of CIFAR-10, and the same untrained, are shown the 92 pictures in the size of their input, in grey or in colour. Of each network the layer that agrees best with the subjects on half of the pictures is measured on the other half; the halves are drawn anew for each of %d seeds. Pixels and silhouettes stand beside them as controls: what is learned shows where a network is above them and above the untrained ones.", ofAKind),
	}
	if unseen != "" {
		out.Text += " Networks of photographs were not trained: " + unseen + "."
	}
	if len(b.networks) == 0 {
		return out, nil
	}
	kinds, scores := b.byKind()
	var bars []figure.Bar
	for _, k := range kinds {
		v := scores[k]
		sum := 0.0
		for _, x := range v {
			sum += x / float64(len(v))
		}
		bars = append(bars, figure.Bar{Name: k, Value: sum, Low: slices.Min(v), High: slices.Max(v)})
	}
	f, err := figure.BarsIn("Networks and human IT", "mean Spearman correlation on pictures that chose nothing", bars, &figure.Zone{Name: "noise ceiling", Low: b.scores.Lower, High: b.scores.Upper})
	if err := add(&out, f, err, "Correlation of networks and controls with human IT", "Mean over seeds; whiskers are the least and the greatest. The ceiling is that of all pictures."); err != nil {
		return out, err
	}
	f, err = figure.Curves("Over layers", "layer", b.layerPanels(kinds)...)
	if err := add(&out, f, err, "Correlation with human IT over layers", "All pictures, mean over seeds; the last layer is the output."); err != nil || len(b.steps) == 0 {
		return out, err
	}
	f, err = figure.Curves("Over time", "time steps", figure.Panel{Name: "mean Spearman correlation", Series: b.steps})
	return out, add(&out, f, err, "Correlation with human IT over steps of time", "Counts of spikes up to each step in the last hidden layer, of the first spiking network of each kind.")
}

// layerPanels are the kinds over their layers, a panel for what they learned.
func (b *brains) layerPanels(kinds []string) (panels []figure.Panel) {
	for _, seen := range []string{digital, photographic} {
		p := figure.Panel{Name: "mean Spearman correlation, networks for " + seen}
		for _, k := range kinds {
			var mean []float64
			for _, n := range b.networks {
				if n.kind != k || n.seen != seen {
					continue
				}
				if mean == nil {
					mean = make([]float64, len(n.byLayer))
				}
				for i, v := range n.byLayer {
					mean[i] += v / float64(len(b.scoresOf(k)))
				}
			}
			if mean != nil {
				p.Series = append(p.Series, figure.Series{Name: k, Y: mean})
			}
		}
		if len(p.Series) > 0 {
			panels = append(panels, p)
		}
	}
	return panels
}

// metrics are flat numbers for scripts.
func (b *brains) metrics(m report.Metrics) {
	if b == nil {
		return
	}
	m["brain_ceiling_lower"], m["brain_ceiling_upper"] = b.scores.Lower, b.scores.Upper
	for i, name := range b.scores.Models {
		m["brain_"+name] = b.scores.Mean(i)
	}
	m["brain_animacy_tau_a"], m["brain_ceiling_lower_tau_a"] = b.tau.Mean(0), b.tau.Lower
	kinds, scores := b.byKind()
	for _, k := range kinds {
		for _, v := range scores[k] {
			m["brain_network_"+strings.ReplaceAll(k, ", ", "_")] += v / float64(len(scores[k]))
		}
	}
}

// withBrains ranks models by brains where the data are here. Why says why not.
func withBrains(ctx context.Context, e *recipe.Env) (b *brains, why string, err error) {
	if e.Scale == report.Smoke {
		return nil, "the smoke scale needs no data", nil
	}
	if b, err = loadBrains(ctx, e.Data); err != nil {
		if ctx.Err() != nil {
			return nil, "", err
		}
		return nil, fmt.Sprintf("the data set brain-92images could not be read (%v); see synfire data import --help", err), nil
	}
	return b, "", b.rank(e.Scale, e.Seed, e.Pool)
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
