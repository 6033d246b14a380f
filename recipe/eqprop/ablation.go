package eqprop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"synfire/data"
	"synfire/internal/kernel"
	"synfire/report"
	"synfire/report/figure"
	rule "synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/diagnose"
	"synfire/rule/eqprop/limit"
	"synfire/sample"
)

// ablation measures what predictions of a board's jobs take.
type ablation struct {
	*board
	cells []cell
}

// testBatch is the number of images that are counted at once.
const testBatch = 256

// cell is a way in which a trained network predicts, and what that takes.
type cell struct {
	job       Job
	how       string // "", or in place of the equilibrium: forward, bits
	host      string // and the number of its treatment, if it is one of those compared
	treatment int
	grid      *grid // if it is one of its cells
	k         int
	sparsity  float64

	wrong          float64   // percent
	active         []float64 // units above zero, mean over test images, by hidden layer
	weights, total int       // that are not zero, of all that the prediction uses
	products       float64   // of an image, see diagnose.CostOf
	epoch, predict float64   // seconds, the latter for 10,000 images
}

// treatments are what is done to each host.
var treatments = [...]string{"as it is", "budget of 10", "90 % pruned", "both"}

// host runs a treatment of a host, and returns its test error. A predictor alone and bits
// sent are further hosts, trained with it.
func (a *ablation) host(ctx context.Context, host string, treatment int, j Job) float64 {
	return a.measure(ctx, cell{job: j, host: host, treatment: treatment})
}

// grid runs all cells of a grid.
func (a *ablation) grid(ctx context.Context, g grid, images, epochs int) {
	for i := range g.seeds {
		for _, k := range g.limits {
			for _, q := range g.sparsities {
				a.measure(ctx, cell{job: g.job(a.Env.Seed+i, images, epochs, k, q), grid: &g, k: k, sparsity: q})
			}
		}
	}
}

// measure runs a job and counts what its predictions take: at equilibrium, by its
// predictor alone, and with bits where weights are binary.
func (a *ablation) measure(ctx context.Context, c cell) float64 {
	c.wrong = a.testError(ctx, c.job)
	if a.Err() != nil {
		return 0
	}
	d := &a.jobs[len(a.jobs)-1]
	c.epoch = a.Metrics[metric(c.job)+"_seconds_per_epoch"]
	a.count(ctx, c, d.learner)
	if c.job.Config.Predictor != nil && c.job.Config.Spiking == nil {
		c.how = "forward"
		a.count(ctx, c, d.learner)
	}
	if c.job.Config.Binary != nil {
		c.how = "bits"
		if bits, err := sendingBits(*d, a.Env.Pool); err != nil {
			a.Fail(err)
		} else {
			a.count(ctx, c, bits)
		}
	}
	a.forget()
	return c.wrong
}

// count predicts the test set in a cell's way and keeps the figures.
func (a *ablation) count(ctx context.Context, c cell, l *rule.Learner) {
	if a.Err() != nil {
		return
	}
	err := a.time(ctx, &c, l)
	if err == nil {
		err = c.count(ctx, l, a.Test())
	}
	if err != nil {
		a.Fail(fmt.Errorf("%s, seed %d, predictions: %w", c.job.Name, c.job.Config.Seed, err))
		return
	}
	name := metric(c.job)
	if c.how != "" {
		name += "_" + c.how
		if c.host != "" {
			c.host += ", " + c.how
		}
	}
	a.Metrics[name+"_test_error"] = c.wrong
	a.Metrics[name+"_weights"] = float64(c.weights)
	a.Metrics[name+"_weights_share"] = c.share()
	a.Metrics[name+"_macs_per_image"] = c.products
	a.Metrics[name+"_seconds_per_10000"] = c.predict
	for i, n := range c.active {
		a.Metrics[fmt.Sprintf("%s_active_layer%d", name, i+1)] = n
	}
	a.cells = append(a.cells, c)
}

// time is the test error, and the fastest time of a few, for those that take long of one.
func (a *ablation) time(ctx context.Context, c *cell, l *rule.Learner) error {
	output := rule.OutputName
	if c.how == "forward" {
		output = rule.ForwardName
	}
	for total := 0.0; total < 1; {
		start := a.Env.Now()
		wrong := a.evaluate(ctx, l, output)
		if err := a.Err(); err != nil {
			return err
		}
		seconds := a.Env.Now().Sub(start).Seconds()
		if total == 0 || seconds*10_000/float64(a.Test().Len()) < c.predict {
			c.predict = seconds * 10_000 / float64(a.Test().Len())
		}
		c.wrong = wrong
		total += max(seconds, 1.0/3)
	}
	return nil
}

// count takes the counts of a set's predictions.
func (c *cell) count(ctx context.Context, l *rule.Learner, set sample.Source) error {
	cursor, err := data.NewCursor(set, data.CursorOptions{Batch: testBatch})
	if err != nil {
		return err
	}
	var cost diagnose.Cost
	var b sample.Batch
	for {
		more, err := cursor.Next(ctx, &b)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		one, err := diagnose.CostOf(ctx, l, &b)
		if err != nil {
			return err
		}
		cost.Add(one)
	}
	n := float64(set.Len())
	nets, products, active := []*coupling.Net{l.Net(), l.Predictor()}, cost.Products, cost.Active
	if c.how == "forward" {
		nets, products, active = nets[1:], cost.Forward, cost.Predicted
	}
	c.products = float64(products) / n
	for _, units := range active[:len(active)-1] {
		c.active = append(c.active, float64(units)/n)
	}
	for _, net := range nets {
		if net == nil {
			continue
		}
		for _, w := range net.W {
			c.weights += kernel.CountNonzero(w.Value.Data)
			c.total += len(w.Value.Data)
		}
	}
	return nil
}

func (c cell) share() float64 { return float64(c.weights) / float64(c.total) }

// sections are those of a page: the hosts, the grids, and all figures.
func (a *ablation) sections() ([]report.Section, error) {
	if a.Err() != nil {
		return nil, a.Err()
	}
	var out []report.Section
	for _, build := range []func() (report.Section, error){a.hostSection, a.gridSection} {
		s, err := build()
		if err != nil {
			return nil, err
		}
		if len(s.Tables) > 0 {
			out = append(out, s)
		}
	}
	return append(out, a.costs()), nil
}

// hostSection compares the treatments of each host.
func (a *ablation) hostSection() (report.Section, error) {
	s := report.Section{
		Title: "Budget and pruning on each host",
		Text:  "Test errors with seed " + fmt.Sprint(a.Env.Seed) + ". Forward is the predictor alone, limited and pruned likewise, by masks of its own; bits are the binary network's predictions with units that send a bit a step, trained without. Images and epochs are in the table of runs under Learning: spiking hosts take fewer epochs, and at full scale all but the real-valued host fewer images.",
	}
	errs := report.Table{Caption: "Test error (%)", Head: append([]string{"host"}, treatments[:]...), Right: []bool{false, true, true, true, true}}
	products := errs
	products.Caption = "Products of a prediction, thousands"
	var names []string
	rows := map[string][]cell{}
	for _, c := range a.cells {
		if c.host != "" && c.job.Config.Seed == a.Env.Seed {
			if rows[c.host] == nil {
				names = append(names, c.host)
			}
			rows[c.host] = append(rows[c.host], c)
		}
	}
	var states, spikes []figure.Cloud
	for _, name := range names {
		e, p := []string{name}, []string{name}
		cloud := figure.Cloud{Name: name}
		for _, c := range rows[name] {
			e, p = append(e, fmt.Sprintf("%.2f", c.wrong)), append(p, thousands(c.products))
			cloud.X, cloud.Y = append(cloud.X, c.products/1000), append(cloud.Y, c.wrong)
			cloud.Labels = append(cloud.Labels, treatments[len(cloud.Labels)])
		}
		errs.Rows, products.Rows = append(errs.Rows, e), append(products.Rows, p)
		if strings.Contains(name, "spiking") || strings.Contains(name, "bits") {
			spikes = append(spikes, cloud)
		} else {
			states = append(states, cloud)
		}
	}
	s.Tables = append(s.Tables, errs, products)
	for _, f := range []struct {
		what   string
		clouds []figure.Cloud
	}{{"Units that send their states", states}, {"Units that send bits", spikes}} {
		drawn, err := figure.Scatter(f.what, figure.ScatterOptions{X: "products of a prediction, thousands", Y: "test error (%)", LogX: true, Joined: true}, f.clouds...)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, report.Figure{
			SVG: drawn.SVG(), Alt: f.what + ": test error against the products of a prediction",
			Caption: "Four points a host, joined in order: as it is, with a budget of 10, nine tenths of the weights pruned, and both.",
		})
	}
	return s, nil
}

func thousands(v float64) string { return fmt.Sprintf("%.1f", v/1000) }

// gridSection shows the ablation of limits and sparsities.
func (a *ablation) gridSection() (report.Section, error) {
	s := report.Section{Title: "Limits of activity by sparsity"}
	var budget []mean
	for _, g := range grids(a.Env.Scale) {
		means := a.means(g)
		s.Tables = append(s.Tables,
			g.table(fmt.Sprintf("%v: test error (%%)%s", g.variant, g.spread()), means, mean.errorText),
			g.table(fmt.Sprintf("%v: active units of 500", g.variant), means, func(m mean) string { return fmt.Sprintf("%.1f", m.active) }),
			g.table(fmt.Sprintf("%v: products of a prediction, thousands", g.variant), means, func(m mean) string { return thousands(m.products) }))
		if g.variant == limit.Budget {
			budget = means
		}
	}
	if budget == nil {
		return s, nil
	}
	s.Text = "Rows are limits k, and 500 is none; columns the share q of pruned weights, of the outputs' weights half of it. Units are counted in the free states of all test images; soft memberships are small, and never zero."
	limit := func(m mean) string { return fmt.Sprintf("k = %d", m.k) }
	sparsity := func(m mean) string { return fmt.Sprintf("q = %g", m.sparsity) }
	k := func(m mean) string { return fmt.Sprint(m.k) }
	q := func(m mean) string { return fmt.Sprint(m.sparsity) }
	for _, f := range []struct {
		title, x, caption string
		of                func(mean) float64
		line, point       func(mean) string
	}{
		{"active units", "active hidden units, of 500", "One line a sparsity; its points are the limits k beside them, joined in order.", func(m mean) float64 { return m.active }, sparsity, k},
		{"weights", "weights kept (%)", "One line a limit; its points are the sparsities q beside them, joined in order.", func(m mean) float64 { return 100 * m.share }, limit, q},
		{"products", "products of a prediction, thousands", "One line a sparsity; its points are the limits k beside them, joined in order. Left and low is best.", func(m mean) float64 { return m.products / 1000 }, sparsity, k},
		{"time", "time of 10,000 predictions (s)", "One line a sparsity; its points are the limits k beside them, joined in order. A limit saves products, but is a projection in each step.", func(m mean) float64 { return m.predict }, sparsity, k},
	} {
		drawn, err := figure.Scatter("Test error and "+f.title, figure.ScatterOptions{X: f.x, Y: "test error (%)", LogX: true, Joined: true}, clouds(budget, f.of, f.line, f.point)...)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, report.Figure{SVG: drawn.SVG(), Alt: "Test error against the " + f.x, Caption: f.caption})
	}
	return s, nil
}

// mean is a cell of a grid over its seeds.
type mean struct {
	k                       int
	sparsity                float64
	wrong, low, high        float64
	active, share, products float64
	predict                 float64
}

// errorText is the mean error and, of several seeds, its range.
func (m mean) errorText() string {
	if m.low == m.high {
		return fmt.Sprintf("%.2f", m.wrong)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", m.wrong, m.low, m.high)
}

// spread says what of several seeds is shown.
func (g grid) spread() string {
	if g.seeds == 1 {
		return ""
	}
	return fmt.Sprintf(", mean and range of %d seeds", g.seeds)
}

// means are a grid's, row by row.
func (a *ablation) means(g grid) (out []mean) {
	for _, k := range g.limits {
		for _, q := range g.sparsities {
			m, n := mean{k: k, sparsity: q, low: 100}, float64(g.seeds)
			for _, c := range a.cells {
				if c.grid != nil && c.grid.variant == g.variant && c.k == k && c.sparsity == q {
					m.wrong += c.wrong / n
					m.low, m.high = min(m.low, c.wrong), max(m.high, c.wrong)
					m.active += c.active[0] / n
					m.share += c.share() / n
					m.products += c.products / n
					m.predict += c.predict / n
				}
			}
			out = append(out, m)
		}
	}
	return out
}

// table has a row a limit and a column a sparsity.
func (g grid) table(caption string, means []mean, text func(mean) string) report.Table {
	t := report.Table{Caption: caption, Head: []string{"k"}, Right: []bool{true}}
	for _, q := range g.sparsities {
		t.Head, t.Right = append(t.Head, fmt.Sprintf("q = %g", q)), append(t.Right, true)
	}
	for row := range slices.Chunk(means, len(g.sparsities)) {
		cells := []string{fmt.Sprint(row[0].k)}
		for _, m := range row {
			cells = append(cells, text(m))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// clouds groups means by the name of their line, each in the order of its limits or
// sparsities.
func clouds(means []mean, x func(mean) float64, line, point func(mean) string) (out []figure.Cloud) {
	at := map[string]int{}
	for _, m := range means {
		i, ok := at[line(m)]
		if !ok {
			i = len(out)
			at[line(m)] = i
			out = append(out, figure.Cloud{Name: line(m)})
		}
		out[i].X, out[i].Y, out[i].Labels = append(out[i].X, x(m)), append(out[i].Y, m.wrong), append(out[i].Labels, point(m))
	}
	return out
}

// costs lists all runs.
func (a *ablation) costs() report.Section {
	t := report.Table{
		Head:  []string{"run", "seed", "test error", "active", "weights", "kept", "products", "an epoch", "10,000 predictions"},
		Right: []bool{false, true, true, true, true, true, true, true, true},
	}
	for _, c := range a.cells {
		name := c.job.Name
		if c.how != "" {
			name += ", " + c.how
		}
		var active []string
		for _, n := range c.active {
			active = append(active, fmt.Sprintf("%.1f", n))
		}
		t.Rows = append(t.Rows, []string{
			name, fmt.Sprint(c.job.Config.Seed), fmt.Sprintf("%.2f %%", c.wrong), strings.Join(active, ", "),
			report.Integer(int64(c.weights)), fmt.Sprintf("%.1f %%", 100*c.share()), report.Integer(int64(c.products)),
			report.Seconds(c.epoch), report.Seconds(c.predict),
		})
	}
	return report.Section{
		Title: "What predictions take",
		Text: "Active is the mean number of hidden units above zero at the end of the free phase. Weights are those that are not zero, of all that a prediction uses, a predictor's too. " +
			"Products are multiply-accumulates of one prediction where zeros are skipped: once the product with the input, and in each free step what active units send up and down through the weights that are left. " +
			"Where units send bits they are additions, of the input too in each step.",
		Tables: []report.Table{t},
	}
}
