package eqprop

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/data"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/diagnose"
	"synfire/rule/eqprop/limit"
	"synfire/sample"
	"synfire/tensor"
)

// hosts are the first of the jobs whose learners are kept with a kind of network each:
// what it has in its layers, and how these move.
func (b *board) hosts() (hosts []done) {
	var known []string
	for _, d := range b.jobs {
		c := d.job.Config
		kind := fmt.Sprint(c.Sizes, c.Activation, c.Predictor != nil, c.Spiking != nil, c.Binary != nil, c.TopK != nil)
		if d.learner != nil && !slices.Contains(known, kind) {
			known, hosts = append(known, kind), append(hosts, d)
		}
	}
	return hosts
}

// first is a batch of test images.
func (b *board) first(n int) (*sample.Batch, error) {
	cursor, err := data.NewCursor(b.Test(), data.CursorOptions{Batch: n})
	if err != nil {
		return nil, err
	}
	var batch sample.Batch
	_, err = cursor.Next(context.Background(), &batch)
	return &batch, err
}

// sample is a batch for the diagnostics of a network, small where they take long.
func (b *board) sample(c rule.Config) (*sample.Batch, error) {
	n := 20
	switch {
	case b.Env.Scale == report.Smoke:
		n = 2
	case c.Convolutional != nil || len(c.Sizes) > 3:
		n = 5
	}
	return b.first(n)
}

// grid are the values of a parameter that a figure tries, with the network's own.
func (b *board) grid(own float64, values ...float64) []float64 {
	if b.Env.Scale == report.Smoke {
		values = []float64{values[0], values[len(values)/2]}
	}
	values = append(values, own)
	slices.Sort(values)
	return slices.Compact(values)
}

// like is a learner with the weights of a finished job and other phases, of which it
// takes all steps.
func (d done) like(change func(c *rule.Config)) (*rule.Learner, error) {
	c := d.job.Config
	c.Particles, c.TestParticles, c.Tolerance = 0, 0, 0
	change(&c)
	l, err := rule.New(c)
	if err != nil {
		return nil, err
	}
	return l, l.SetState(d.learner.Model())
}

// relaxations draws traces of each kind of network.
func (b *board) relaxations() ([]report.Section, error) {
	s := report.Section{Title: "Relaxation"}
	batch, err := b.first(20)
	if err != nil {
		return nil, err
	}
	var broken []string
	for _, d := range b.hosts() {
		f, err := d.relaxation(batch)
		if err != nil {
			return nil, err
		}
		s.Figures = append(s.Figures, f)
		warnings, err := diagnose.Warnings(d.learner, batch)
		if err != nil {
			return nil, err
		}
		for _, w := range warnings {
			broken = append(broken, d.job.Name+": "+w)
		}
	}
	s.Text = "No bound of a stable and informative relaxation is broken."
	if len(broken) > 0 {
		s.Text = "Bounds that these runs break, knowingly or not:\n\n" + strings.Join(broken, ".\n\n") + "."
	}
	return []report.Section{s}, nil
}

// relaxation draws the energy and what moves.
func (d done) relaxation(batch *sample.Batch) (report.Figure, error) {
	trace, err := diagnose.Follow(d.learner, batch)
	if err != nil {
		return report.Figure{}, err
	}
	energy := figure.Series{Name: "energy", Y: trace.Energy}
	for t := range trace.Energy {
		energy.X = append(energy.X, float64(t))
	}
	var moved []figure.Series
	for l, r := range trace.Residual {
		moved = append(moved, figure.Series{Name: fmt.Sprintf("layer %d", l+1), Y: positive(r)})
	}
	f, err := figure.Curves("Relaxation, run "+d.job.Name, "step",
		figure.Panel{Name: "energy", Series: []figure.Series{energy}}, figure.Panel{Name: "largest change of a state", Series: moved, LogY: true})
	if err != nil {
		return report.Figure{}, err
	}
	return report.Figure{
		SVG: f.SVG(), Alt: "Energy and largest change of a state in each step of a relaxation, " + d.job.Name,
		Caption: fmt.Sprintf("The first test image: %d free steps, then nudged by +β = %g towards its class. Where no state moves there is no line.", trace.Free, d.job.Config.Beta),
	}, nil
}

// positive leaves gaps where a logarithmic axis has no place.
func positive(y []float64) []float64 {
	out := slices.Clone(y)
	for i, v := range out {
		if v <= 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// gradients compares the estimates of each kind of network that sends its states with
// backpropagation through time.
func (b *board) gradients() (all []report.Section, err error) {
	for _, d := range b.hosts() {
		c := d.job.Config
		if c.Spiking != nil || c.TopK != nil && c.TopK.Variant != limit.Budget {
			continue
		}
		batch, err := b.sample(c)
		if err != nil {
			return nil, err
		}
		exact, err := diagnose.Backprop(d.learner, batch, c.Free)
		if err != nil {
			return nil, err
		}
		s := report.Section{Title: "Estimates against gradients, run " + d.job.Name}
		if len(all) == 0 {
			s.Text = "Cosines between the estimate for some test images and backpropagation through time, for the weights of each layer. All phases take all their steps. A cosine is zero where the nudge has not arrived."
		}
		for _, draw := range []func(done, *sample.Batch, *coupling.Net) (report.Figure, error){b.overBeta, b.overSteps} {
			f, err := draw(d, batch, exact)
			if err != nil {
				return nil, err
			}
			s.Figures = append(s.Figures, f)
		}
		all = append(all, s)
	}
	return all, nil
}

// overBeta draws the cosines of the estimates at the network's own number of nudged
// steps.
func (b *board) overBeta(d done, batch *sample.Batch, exact *coupling.Net) (report.Figure, error) {
	c := d.job.Config
	grid := b.grid(c.Beta, 0.01, 0.03, 0.1, 0.3, 1)
	oneSided, centred := newCosines("one-sided", c), newCosines("centred", c)
	for _, beta := range grid {
		for nudge, lines := range map[rule.Nudge]cosines{rule.OneSided: oneSided, rule.Centred: centred} {
			g, err := d.estimate(batch, nudge, beta, c.Nudged)
			if err != nil {
				return report.Figure{}, err
			}
			lines.add(beta, g, exact)
		}
	}
	return curves("Over β", "β", fmt.Sprintf("Backpropagation is through all %d free steps, the nudge of %d steps; training nudges by %g. %d test images.", c.Free, c.Nudged, c.Beta, batch.Len()), oneSided, centred)
}

// overSteps draws the cosines of the estimates at the network's own β, and of the
// centred one with as many steps of backpropagation.
func (b *board) overSteps(d done, batch *sample.Batch, exact *coupling.Net) (report.Figure, error) {
	c := d.job.Config
	oneSided, centred, truncated := newCosines("one-sided", c), newCosines("centred", c), newCosines("centred, as many steps back", c)
	for _, steps := range b.grid(float64(c.Nudged), 1, 2, 4, 8, 16, 32) {
		one, err := d.estimate(batch, rule.OneSided, c.Beta, int(steps))
		if err != nil {
			return report.Figure{}, err
		}
		both, err := d.estimate(batch, rule.Centred, c.Beta, int(steps))
		if err != nil {
			return report.Figure{}, err
		}
		oneSided.add(steps, one, exact)
		centred.add(steps, both, exact)
		if int(steps) > c.Free {
			continue
		}
		back, err := diagnose.Backprop(d.learner, batch, int(steps))
		if err != nil {
			return report.Figure{}, err
		}
		truncated.add(steps, both, back)
	}
	return curves("Over nudged steps", "nudged steps", fmt.Sprintf("At β = %g. Backpropagation is through all %d free steps, or through as many as are nudged; training nudges %d of them. %d test images.", c.Beta, c.Free, c.Nudged, batch.Len()), oneSided, centred, truncated)
}

// estimate is a learner's gradient with another nudge.
func (d done) estimate(batch *sample.Batch, nudge rule.Nudge, beta float64, steps int) (*coupling.Net, error) {
	l, err := d.like(func(c *rule.Config) { c.Nudge, c.Beta, c.Nudged = nudge, beta, steps })
	if err != nil {
		return nil, err
	}
	g, _, err := l.Gradient(batch)
	return g, err
}

// cosines are lines of one way to estimate, by layer.
type cosines []figure.Series

func newCosines(name string, c rule.Config) cosines {
	lines := make(cosines, len(c.Sizes)-1)
	for l := range lines {
		lines[l].Name = name
	}
	return lines
}

// add adds a point to the line of each layer.
func (c cosines) add(x float64, g, exact *coupling.Net) {
	for l := range c {
		c[l].X, c[l].Y = append(c[l].X, x), append(c[l].Y, diagnose.Cosine(g.W[l].Value.Data, exact.W[l].Value.Data))
	}
}

// curves draws a panel for each layer.
func curves(title, x, caption string, ways ...cosines) (report.Figure, error) {
	var panels []figure.Panel
	for l := range ways[0] {
		p := figure.Panel{Name: fmt.Sprintf("cosine, layer %d", l+1), LogX: true}
		for _, way := range ways {
			p.Series = append(p.Series, way[l])
		}
		panels = append(panels, p)
	}
	f, err := figure.Curves(title, x, panels...)
	return report.Figure{SVG: f.SVG(), Alt: title + ": cosines of estimates with backpropagation through time", Caption: caption}, err
}

// alignments lists how far the losses of each predictor's layers agree, before training
// and after.
func (b *board) alignments() ([]report.Section, error) {
	s := report.Section{Title: "Alignment of the local losses", Text: "Cosines between the gradient of a forward layer's own loss and what the losses of the layers above would send it by backpropagation. Where they are positive, local learning does not work against the global loss."}
	table := report.Table{Caption: "100 test images", Head: []string{"run", "forward layer", "untrained", "trained"}, Right: []bool{false, true, true, true}}
	for _, d := range b.hosts() {
		if p := d.job.Config.Predictor; p == nil || p.TopK {
			continue
		}
		batch, err := b.first(100)
		if err != nil {
			return nil, err
		}
		untrained, err := rule.New(d.job.Config)
		if err != nil {
			return nil, err
		}
		before, err := diagnose.Alignment(untrained, batch)
		if err != nil {
			return nil, err
		}
		after, err := diagnose.Alignment(d.learner, batch)
		if err != nil {
			return nil, err
		}
		for k := range after {
			table.Rows = append(table.Rows, []string{d.job.Name, fmt.Sprint(k + 1), fmt.Sprintf("%.3f", before[k]), fmt.Sprintf("%.3f", after[k])})
		}
	}
	if len(table.Rows) == 0 {
		return nil, nil
	}
	s.Tables = append(s.Tables, table)
	return []report.Section{s}, nil
}

// fidelities shows how near spiking networks are to the real-valued ones with the same
// weights.
func (b *board) fidelities() ([]report.Section, error) {
	s := report.Section{Title: "Spikes against states", Text: "Phases of other lengths with the trained weights, both by the same factor. The real-valued network has settled in both of its phases."}
	for _, d := range b.hosts() {
		if d.job.Config.Spiking == nil || d.job.Config.TopK != nil {
			continue
		}
		f, err := b.fidelity(d)
		if err != nil {
			return nil, err
		}
		s.Figures = append(s.Figures, f)
	}
	if len(s.Figures) == 0 {
		return nil, nil
	}
	return []report.Section{s}, nil
}

// fidelity draws the distance of free states, and the cosine between what a nudge
// changes, over the free steps.
func (b *board) fidelity(d done) (report.Figure, error) {
	c := d.job.Config
	batch, err := b.sample(c)
	if err != nil {
		return report.Figure{}, err
	}
	settled, err := d.like(func(c *rule.Config) {
		c.Spiking, c.Step, c.Free, c.Nudged, c.Tolerance = nil, 0.2, 2000, 2000, 1e-6
	})
	if err != nil {
		return report.Figure{}, err
	}
	free, changes, err := settled.States(batch)
	if err != nil {
		return report.Figure{}, err
	}
	far, same := newCosines("", c), newCosines("", c)
	for _, steps := range b.grid(float64(c.Free), 10, 25, 50, 100, 200, 400, 800) {
		l, err := d.like(func(c *rule.Config) { c.Free, c.Nudged = int(steps), max(1, int(steps)*c.Nudged/c.Free) })
		if err != nil {
			return report.Figure{}, err
		}
		f, g, err := l.States(batch)
		if err != nil {
			return report.Figure{}, err
		}
		for k := range far {
			far[k].X, far[k].Y = append(far[k].X, steps), append(far[k].Y, distance(f[k], free[k]))
			same[k].X, same[k].Y = append(same[k].X, steps), append(same[k].Y, diagnose.Cosine(g[k], changes[k]))
		}
	}
	for k := range far {
		far[k].Name, same[k].Name = fmt.Sprintf("layer %d", k+1), fmt.Sprintf("layer %d", k+1)
		far[k].Y = positive(far[k].Y)
	}
	f, err := figure.Curves("Spikes against states, run "+d.job.Name, "free steps",
		figure.Panel{Name: "mean distance of free states", Series: far, LogX: true, LogY: true},
		figure.Panel{Name: "cosine of nudged − free", Series: same, LogX: true})
	return report.Figure{
		SVG: f.SVG(), Alt: "Distance of free states, and cosine of what a nudge changes, of spiking and real-valued states over steps, " + d.job.Name,
		Caption: fmt.Sprintf("%d test images, nudged by +β = %g; training takes %d free and %d nudged steps.", batch.Len(), c.Beta, c.Free, c.Nudged),
	}, err
}

// distance is the mean distance of states.
func distance(a, b []tensor.Float) (mean float64) {
	for i, v := range a {
		mean += math.Abs(float64(v-b[i])) / float64(len(a))
	}
	return mean
}
