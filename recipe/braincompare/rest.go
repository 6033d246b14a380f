package braincompare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"synfire/compare/fixedpoint"
	"synfire/internal/rng"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/tensor"
)

// settling are the sizes of the study of fixed points.
type settling struct{ hidden, epochs, images, starts int }

var settlings = map[report.Scale]settling{
	report.Smoke: {hidden: 32, epochs: 4, images: 4, starts: 4},
	report.Short: {hidden: 64, epochs: 2, images: 20, starts: 8},
	report.Full:  {hidden: 64, epochs: 4, images: 50, starts: 16},
}

// restingConfig is a network that learns by equilibrium propagation.
func restingConfig(scale report.Scale, seed uint64, of model.Data) model.Config {
	z := settlings[scale]
	return model.Config{
		Seed: seed, Data: of, Epochs: z.epochs, Batch: 20,
		Rule: eqprop.Rule{Hidden: []int{z.hidden}, Config: eqprop.Config{
			Step: 0.5, CostScale: 1, Beta: 0.3, Free: 20, Nudged: 4, LearningRates: []float64{0.1, 0.05},
		}},
	}
}

// relaxation is the free dynamics of such a network under one input, in float64:
// h ← clip((1 − ε)·h + ε·(base + A·h), 0, 1), with the symmetric coupling A of its two layers.
type relaxation struct {
	step float64
	base []float64
	w    [][]float64 // [hidden][output]
}

func newRelaxation(net *coupling.Net, step float64, x []tensor.Float) *relaxation {
	inputs, units, outputs := net.Sizes[0], net.Sizes[1], net.Sizes[2]
	r := &relaxation{step: step, base: make([]float64, units+outputs)}
	for j := range units {
		r.base[j] = float64(net.B[0].Value.Data[j])
		r.w = append(r.w, make([]float64, outputs))
		for k := range outputs {
			r.w[j][k] = float64(net.W[1].Value.Data[j*outputs+k])
		}
	}
	for i := range inputs {
		if x[i] == 0 {
			continue
		}
		for j := range units {
			r.base[j] += float64(x[i]) * float64(net.W[0].Value.Data[i*units+j])
		}
	}
	for k := range outputs {
		r.base[units+k] = float64(net.B[1].Value.Data[k])
	}
	return r
}

// next writes the states after a step.
func (r *relaxation) next(dst, h []float64) {
	n := len(r.w)
	copy(dst, r.base)
	for j, row := range r.w {
		for k, w := range row {
			dst[j] += w * h[n+k]
			dst[n+k] += w * h[j]
		}
	}
	for i, z := range dst {
		dst[i] = min(max((1-r.step)*h[i]+r.step*z, 0), 1)
	}
}

// distances to a state, step by step from zeros.
func (r *relaxation) distances(to []float64, steps int) []float64 {
	h, next := make([]float64, len(to)), make([]float64, len(to))
	var out []float64
	for range steps + 1 {
		out = append(out, floats.Distance(h, to, 2))
		r.next(next, h)
		h, next = next, h
	}
	return out
}

// resting is where a network comes to rest, over images.
type resting struct {
	name     string
	points   []int       // fixed points found, by image
	unstable int         // of all points
	lost     int         // starts of all that ended in none
	moduli   [][]float64 // of the eigenvalues at an image's first point, the largest first
	gap      []float64   // distance from it of the state after the free phase
	agrees   int         // images whose class the fixed point gives as the free phase does
}

// dynamics are the fixed points of a network by equilibrium propagation.
type dynamics struct {
	of       settling
	free     int // steps of the free phase
	accuracy float64
	nets     []resting // trained, untrained
	distance []float64 // of the first image from its fixed point, by step
	modulus  float64   // of its largest eigenvalue
}

// rest trains the network and searches the fixed points of its free dynamics.
func rest(ctx context.Context, jobs *recipe.Study, of model.Data) (*dynamics, error) {
	z := settlings[jobs.Env.Scale]
	t := jobs.Run(ctx, recipe.Job{Name: "settling", Config: restingConfig(jobs.Env.Scale, jobs.Env.Seed, of)})
	if t == nil {
		return nil, jobs.Err()
	}
	learner := t.Learner.(*eqprop.Learner)
	blank, err := eqprop.New(learner.Config())
	if err != nil {
		return nil, err
	}
	d := &dynamics{of: z, free: learner.Config().Free, accuracy: t.Result.Test.Value("accuracy")}
	var images [][]tensor.Float
	enough := errors.New("enough images")
	err = t.EachTest(ctx, func(x []tensor.Float, _ int) error {
		if images = append(images, slices.Clone(x)); len(images) == z.images {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	for _, n := range []struct {
		name string
		net  *coupling.Net
	}{{"trained", learner.Net()}, {"untrained", blank.Net()}} {
		v, err := d.look(ctx, n.name, n.net, learner.Config().Step, images, jobs.Env.Seed)
		if err != nil {
			return nil, err
		}
		d.nets = append(d.nets, v)
	}
	return d, nil
}

// look searches from zeros, from the state after the free phase, and from random states.
func (d *dynamics) look(ctx context.Context, name string, net *coupling.Net, step float64, images [][]tensor.Float, seed uint64) (resting, error) {
	out := resting{name: name}
	for i, x := range images {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r := newRelaxation(net, step, x)
		n := len(r.base)
		starts, s := mat.NewDense(d.of.starts, n, nil), rng.New(seed, "starts").Int(uint64(i)).Source()
		free, next := make([]float64, n), make([]float64, n)
		for range d.free {
			r.next(next, free)
			free, next = next, free
		}
		starts.SetRow(1, free)
		for k := 2; k < d.of.starts; k++ {
			for j := range n {
				starts.Set(k, j, s.Float64())
			}
		}
		points, err := fixedpoint.Find(r.next, starts, fixedpoint.Options{})
		if err != nil {
			return out, fmt.Errorf("%s network, image %d: %w", name, i, err)
		}
		out.points = append(out.points, len(points))
		if len(points) == 0 {
			out.lost++
			continue
		}
		for _, p := range points {
			if p.Unstable > 0 {
				out.unstable++
			}
		}
		out.note(r, points[0], free)
		if i == 0 && name == "trained" {
			d.distance, d.modulus = r.distances(points[0].H, 3*d.free), cmplx.Abs(points[0].Eigenvalues[0])
		}
	}
	return out, nil
}

// note keeps what there is of an image's fixed point.
func (o *resting) note(r *relaxation, p fixedpoint.Point, free []float64) {
	var moduli []float64
	for _, v := range p.Eigenvalues {
		moduli = append(moduli, cmplx.Abs(v))
	}
	o.moduli, o.gap = append(o.moduli, moduli), append(o.gap, floats.Distance(free, p.H, 2))
	n := len(r.w)
	if floats.MaxIdx(p.H[n:]) == floats.MaxIdx(free[n:]) {
		o.agrees++
	}
}

// ofRank is the mean, least and greatest modulus over images by rank.
func (o resting) ofRank() (mean, least, most []float64) {
	for k := range o.moduli[0] {
		sum, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
		for _, m := range o.moduli {
			sum, lo, hi = sum+m[k], min(lo, m[k]), max(hi, m[k])
		}
		mean, least, most = append(mean, sum/float64(len(o.moduli))), append(least, lo), append(most, hi)
	}
	return mean, least, most
}

// reached is the distance at which a fixed point is reached: the search ends at about as much.
const reached = 1e-6

// shownEigenvalues is how many stand in the figure.
const shownEigenvalues = 30

func (d *dynamics) section() (report.Section, error) {
	out := report.Section{
		Title: "Fixed points",
		Text: fmt.Sprintf("A network that learns by equilibrium propagation, 784–%d–10 (%.1f %% right), comes to rest in a fixed point of its free dynamics. From %d states an image, zeros, the state after the free phase of %d steps, and random ones, Newton's method finds the states that a step leaves as they are; the eigenvalues of the step's Jacobian there tell which attract: all below 1 in modulus. The largest one is the factor by which a step brings the network nearer.",
			d.of.hidden, d.accuracy, d.of.starts, d.free),
	}
	table := report.Table{Head: []string{"network", "images", "fixed points an image, mean", "most", "images without", "unstable points", "largest modulus, mean", "greatest", "distance after the free phase, mean", "same class there"}, Right: []bool{false, true, true, true, true, true, true, true, true, true}}
	spectrum := figure.Panel{Name: "modulus"}
	for _, n := range d.nets {
		total, most := 0, 0
		for _, p := range n.points {
			total, most = total+p, max(most, p)
		}
		row := []string{n.name, fmt.Sprint(len(n.points)), fmt.Sprintf("%.2f", float64(total)/float64(len(n.points))), fmt.Sprint(most), fmt.Sprint(n.lost), fmt.Sprint(n.unstable)}
		if len(n.moduli) == 0 {
			table.Rows = append(table.Rows, append(row, "–", "–", "–", "–"))
			continue
		}
		mean, lo, hi := n.ofRank()
		gap := 0.0
		for _, g := range n.gap {
			gap += g / float64(len(n.gap))
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprintf("%.4f", mean[0]), fmt.Sprintf("%.4f", hi[0]), fmt.Sprintf("%.2g", gap), fmt.Sprintf("%d of %d", n.agrees, len(n.moduli))))
		k := min(shownEigenvalues, len(mean))
		spectrum.Series = append(spectrum.Series, figure.Series{Name: n.name, Y: mean[:k], Low: lo[:k], High: hi[:k]})
	}
	out.Tables = append(out.Tables, table)
	if len(spectrum.Series) == 0 {
		return out, nil
	}
	f, err := figure.Curves("Eigenvalues at fixed points", "rank", spectrum)
	if err := add(&out, f, err, "Moduli of the largest eigenvalues at fixed points", "Mean over images; the band is their range. Below 1 a perturbation shrinks. Where units are clipped at 0 or 1 there are eigenvalues of 0; a unit that nothing couples has 1 − ε."); err != nil || d.distance == nil {
		return out, err
	}
	var steps, theory []float64
	for t, v := range d.distance {
		if v < reached {
			break // what the search leaves is no distance
		}
		steps = append(steps, float64(t))
		theory = append(theory, d.distance[d.free]*math.Pow(d.modulus, float64(t-d.free)))
	}
	f, err = figure.Curves("On the way to rest", "steps", figure.Panel{Name: "distance from the fixed point", LogY: true, Series: []figure.Series{
		{Name: "measured", X: steps, Y: d.distance[:len(steps)]}, {Name: "by the largest eigenvalue", X: steps, Y: theory, Reference: true},
	}})
	return out, add(&out, f, err, "Distance of the states from the fixed point over steps", "Of one test image, from zeros, beside a fall by the largest eigenvalue a step, through the state after the free phase.")
}

// metrics are flat numbers for scripts.
func (d *dynamics) metrics(m report.Metrics) {
	m["settling_accuracy"] = d.accuracy
	for _, n := range d.nets {
		total := 0
		for _, p := range n.points {
			total += p
		}
		m["fixed_points_"+n.name], m["fixed_points_unstable_"+n.name] = float64(total)/float64(len(n.points)), float64(n.unstable)
		if len(n.moduli) > 0 {
			mean, _, _ := n.ofRank()
			m["fixed_point_modulus_"+n.name] = mean[0]
		}
	}
}
