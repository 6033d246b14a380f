package joint

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
)

// study is the runs of the recipe and what its page shows of them.
type study struct {
	*recipe.Study
	size     size
	chosen   map[arm]choice
	found    map[arm]map[int][]figures // by arm and steps, seed after seed
	sections []report.Section
	shown    *recipe.Trained // a joint run at the primary T
}

// figures are those of a run on the test samples.
type figures struct{ spiking, ordinary, correlation, spikes, seconds float64 }

func newStudy(ctx context.Context, e *recipe.Env, z size) (*study, error) {
	jobs, err := recipe.Load(ctx, e, model.Data{Name: z.data})
	if err != nil {
		return nil, err
	}
	return &study{Study: jobs, size: z, chosen: map[arm]choice{}, found: map[arm]map[int][]figures{}}, nil
}

// train runs an arm. Sequential training starts from an ordinary network of the share of the
// epochs, which is trained where there is none yet.
func (s *study) train(ctx context.Context, a arm, c choice, name string, seed uint64, steps int, choosing bool) *recipe.Trained {
	epochs, seconds, init := s.size.epochs, 0.0, ""
	if a == sequential {
		first := int(math.Round(c.share * float64(epochs)))
		label := fmt.Sprintf("ordinary-%d", first)
		if choosing {
			label = "choose-" + label
		}
		t := s.done(label, seed)
		if t == nil {
			if t = s.Run(ctx, recipe.Job{Name: label, Config: s.size.config(s.size.ordinary(), seed, steps, first, choosing)}); t == nil {
				return nil
			}
		}
		epochs, seconds = epochs-first, t.EpochSeconds()*float64(first)
		init = filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", label, seed), "model.safetensors")
	}
	cfg := s.size.config(s.size.ruleOf(a, c), seed, steps, epochs, choosing)
	cfg.Init = init
	t := s.Run(ctx, recipe.Job{Name: name, Config: cfg})
	if t == nil || choosing {
		return t
	}
	f := figuresOf(t)
	f.seconds += seconds
	if s.found[a] == nil {
		s.found[a] = map[int][]figures{}
	}
	s.found[a][steps] = append(s.found[a][steps], f)
	key := fmt.Sprintf("%s_s%d_", strings.ReplaceAll(name, "-", "_"), seed)
	s.Metrics[key+"accuracy"], s.Metrics[key+"ann_accuracy"] = f.spiking, f.ordinary
	s.Metrics[key+"spikes"], s.Metrics[key+"rate_correlation"], s.Metrics[key+"seconds"] = f.spikes, f.correlation, f.seconds
	return t
}

// done is a job that has run.
func (s *study) done(name string, seed uint64) *recipe.Trained {
	for _, t := range s.Jobs {
		if t.Name == name && t.Config.Seed == seed {
			return t
		}
	}
	return nil
}

func figuresOf(t *recipe.Trained) figures {
	ev := t.Result.Test
	spikes := 0
	for _, r := range ev.Metrics.Rates {
		spikes += r.Spikes
	}
	return figures{
		spiking: ev.Value("accuracy"), ordinary: ev.Value("ann-accuracy"), correlation: ev.Value("rate-correlation"),
		spikes: float64(spikes) / float64(ev.Metrics.N), seconds: t.EpochSeconds() * float64(len(t.Epochs)),
	}
}

// apart is how far the seed of choices is from those that are measured.
const apart = 1000

// choose takes the best choice of each arm's grid, by the last epoch on samples held out.
func (s *study) choose(ctx context.Context) error {
	table := report.Table{
		Caption: fmt.Sprintf("Spiking accuracy at T = %d on %s held-out samples", primary, report.Integer(int64(s.size.held))),
		Head:    []string{"arm", "rate", "factor of thresholds", "share", "accuracy"}, Right: []bool{false, true, true, true, true},
	}
	for _, a := range []arm{sequential, joint, conversion} {
		best := -1.0
		for i, c := range s.size.grid(a) {
			t := s.train(ctx, a, c, fmt.Sprintf("choose-%s-%d", a, i+1), s.Env.Seed+apart, primary, true)
			if t == nil {
				return s.Err()
			}
			v := t.Epochs[len(t.Epochs)-1].Valid["accuracy"]
			if v > best {
				best, s.chosen[a] = v, c
			}
			table.Rows = append(table.Rows, []string{string(a), fmt.Sprint(c.rate), fmt.Sprint(c.scale), fmt.Sprint(c.share), percent(v)})
		}
		c, key := s.chosen[a], "chosen_"+string(a)+"_"
		s.Metrics[key+"rate"], s.Metrics[key+"scale"], s.Metrics[key+"share"] = c.rate, c.scale, c.share
	}
	s.chosen[plain], s.chosen[jointTandem], s.chosen[byTandem] = s.chosen[joint], s.chosen[joint], s.chosen[joint]
	s.chosen[scratch] = choice{rate: s.chosen[sequential].rate, scale: 1}
	s.sections = append(s.sections, report.Section{
		Title: "What was chosen",
		Text: fmt.Sprintf("Sequential and joint training choose from grids of equal size. The rate is that of the whole run for joint training, and of the second phase for sequential training, whose first has %v. The share is that of the first phase, or for joint training the part of the run from which the spiking branch learns alone (1: never). Chosen: %s for sequential, %s for joint training. Conversion, which is the ordinary network alone, has rate %v and factor %v; the other arms take what was chosen for joint training, scratch the rate of sequential training.",
			ordinaryRate, s.chosen[sequential], s.chosen[joint], s.chosen[conversion].rate, s.chosen[conversion].scale),
		Tables: []report.Table{table},
	})
	return nil
}

// String tells a choice.
func (c choice) String() string {
	return fmt.Sprintf("rate %v, factor %v, share %v", c.rate, c.scale, c.share)
}

// name is that of an arm's runs in some steps.
func name(a arm, steps int) string { return fmt.Sprintf("%s-t%d", a, steps) }

// compare is sequential and joint training at the primary T, paired by seed, with the
// ordinary network alone.
func (s *study) compare(ctx context.Context) error {
	n := seeds
	if s.size.quickest {
		n = 2
	}
	table := report.Table{Head: []string{"seed", "sequential", "joint", "difference", "ordinary alone", "ordinary branch"}, Right: []bool{true, true, true, true, true, true}}
	var differences []float64
	for i := range n {
		seed := s.Env.Seed + uint64(i)
		for _, a := range []arm{conversion, sequential, joint} {
			t := s.train(ctx, a, s.chosen[a], name(a, primary), seed, primary, false)
			if t == nil {
				return s.Err()
			}
			if a == joint && i == 0 {
				s.shown = t
			}
		}
		of := func(a arm) figures { return s.found[a][primary][i] }
		d, lost := of(joint).spiking-of(sequential).spiking, of(conversion).ordinary-of(joint).ordinary
		differences = append(differences, d)
		s.Add(keptClaim, lost, s.Test().Len())
		table.Rows = append(table.Rows, []string{
			fmt.Sprint(seed), percent(of(sequential).spiking), percent(of(joint).spiking), fmt.Sprintf("%+.2f", d), percent(of(conversion).ordinary), percent(of(joint).ordinary),
		})
	}
	mean, half := interval(differences)
	s.Metrics["joint_gain"], s.Metrics["joint_gain_half_interval"] = mean, half
	s.Add(jointClaim, mean-half, s.Test().Len())
	s.Seeds(jointClaim, n)
	s.sections = append([]report.Section{{Title: "Does it pay?", Text: s.verdict(mean, half, n), Tables: []report.Table{table}}}, s.sections...)
	return nil
}

// verdict says plainly what came out.
func (s *study) verdict(mean, half float64, n int) string {
	said := "It is open whether joint training pays: the interval holds 0."
	switch {
	case mean-half > 0:
		said = "Joint training pays: the whole interval lies above 0."
	case mean+half < 0:
		said = "Joint training does not pay: the whole interval lies below 0."
	}
	cost := s.mean(joint, primary).seconds / s.mean(sequential, primary).seconds
	s.Metrics["joint_seconds_of_sequential"] = cost
	return fmt.Sprintf("%s At T = %d its spiking network is %+.2f ± %.2f points against sequential training (95 %% over %d seeds, paired), of equal updates and equal choices. An update of both at once costs more: the runs take %.1f times as long.", said, primary, mean, half, n, cost)
}

func percent(v float64) string { return fmt.Sprintf("%.2f %%", v) }

// studentT95 are the two-sided 95 % points of Student's t by degrees of freedom.
var studentT95 = map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}

// interval is the mean of paired differences, and half its 95 % interval.
func interval(d []float64) (mean, half float64) {
	n, squares := float64(len(d)), 0.0
	for _, v := range d {
		mean += v / n
	}
	for _, v := range d {
		squares += (v - mean) * (v - mean)
	}
	return mean, studentT95[len(d)-1] * math.Sqrt(squares/(n-1)/n)
}

// mean is the figures of an arm in some steps, over its seeds.
func (s *study) mean(a arm, steps int) (m figures) {
	all := s.found[a][steps]
	n := float64(len(all))
	for _, f := range all {
		m.spiking, m.ordinary, m.correlation = m.spiking+f.spiking/n, m.ordinary+f.ordinary/n, m.correlation+f.correlation/n
		m.spikes, m.seconds = m.spikes+f.spikes/n, m.seconds+f.seconds/n
	}
	return m
}

// ablate is all arms over T.
func (s *study) ablate(ctx context.Context) error {
	table := report.Table{
		Head:  []string{"arm", "T", "seeds", "spiking", "ordinary branch", "spikes an image", "correlation of rates and activations", "time"},
		Right: []bool{false, true, true, true, true, true, true, true},
	}
	accuracy, spikes := figure.Panel{Name: "spiking accuracy (%)"}, figure.Panel{Name: "spikes an image"}
	for _, a := range arms {
		line, cost := figure.Series{Name: string(a)}, figure.Series{Name: string(a)}
		for _, steps := range s.size.steps {
			for i := len(s.found[a][steps]); i < s.size.seeds; i++ {
				if s.train(ctx, a, s.chosen[a], name(a, steps), s.Env.Seed+uint64(i), steps, false) == nil {
					return s.Err()
				}
			}
			m := s.mean(a, steps)
			table.Rows = append(table.Rows, []string{
				string(a), fmt.Sprint(steps), fmt.Sprint(len(s.found[a][steps])), percent(m.spiking), percent(m.ordinary), fmt.Sprintf("%.0f", m.spikes), fmt.Sprintf("%.3f", m.correlation), report.Seconds(m.seconds),
			})
			line.X, line.Y = append(line.X, float64(steps)), append(line.Y, m.spiking)
			cost.X, cost.Y = append(cost.X, float64(steps)), append(cost.Y, m.spikes)
		}
		if a != jointTandem { // as many as can be told apart
			accuracy.Series, spikes.Series = append(accuracy.Series, line), append(spikes.Series, cost)
		}
	}
	f, err := figure.Curves("Arms over T", "steps T", accuracy, spikes)
	if err != nil {
		return fmt.Errorf("figure of the arms: %w", err)
	}
	s.sections = append(s.sections, report.Section{
		Title:   "All arms",
		Text:    "Trained and measured in T steps each, with what was chosen at T = 6. Each of the two layers is a step late, so of T steps T − 2 reach the output. Where the arm trains one branch alone, the other is the same weights at work. Time is of training, on this machine.",
		Tables:  []report.Table{table},
		Figures: []report.Figure{{SVG: f.SVG(), Alt: "Spiking accuracy and spikes an image over T, for each arm", Caption: "Means over the seeds of the table."}},
	})
	return nil
}

// gradients is how the gradients of both branches agree over a joint run.
func (s *study) gradients(context.Context) error {
	panel := figure.Panel{Name: "cosine"}
	for _, node := range s.shown.Network().Nodes() {
		line := figure.Series{Name: node.Name}
		for _, p := range s.shown.Points {
			if v, ok := p.Train["cosine/"+node.Name]; ok && v != 0 {
				line.X, line.Y = append(line.X, float64(p.Step)), append(line.Y, v)
			}
		}
		if len(line.X) > 0 {
			s.Metrics["cosine_"+node.Name] = line.Y[len(line.Y)-1]
			panel.Series = append(panel.Series, line)
		}
	}
	text := "The cosine between the gradients of both branches, layer by layer, smoothed over about a hundred updates, from the end of the first phase on. It stands still where the spiking branch learns alone."
	if len(panel.Series) == 0 {
		s.sections = append(s.sections, report.Section{Title: "Gradients", Text: text})
		return nil
	}
	f, err := figure.Curves("Agreement of gradients", "update", panel)
	if err != nil {
		return fmt.Errorf("figure of gradients: %w", err)
	}
	s.sections = append(s.sections, report.Section{
		Title: "Gradients", Text: text,
		Figures: []report.Figure{{SVG: f.SVG(), Alt: "Cosine of both branches' gradients over training, a line for each layer", Caption: "Joint training at T = 6, the first seed."}},
	})
	return nil
}

// outcome is the result with its page; a joint run is shown at work.
func (s *study) outcome(ctx context.Context) (*recipe.Outcome, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	more, err := s.shown.Sections(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range more {
		m.Title = s.shown.Name + ": " + m.Title
		s.sections = append(s.sections, m)
	}
	return s.Outcome(func(r report.Run) report.Page {
		return report.Page{
			Title:    "Two networks, one set of weights",
			Lead:     "An ordinary and a spiking network are trained at once on shared weights, and compared with training one after the other.",
			Claims:   r.Claims,
			Sections: s.sections,
			Config:   string(s.shown.YAML),
			Facts:    r.Facts(),
		}
	})
}
