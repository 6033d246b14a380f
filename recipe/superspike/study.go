package superspike

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/superspike"
	"synfire/spike"
)

// study is a run of the experiments and what they found.
type study struct {
	ctx      context.Context
	env      *recipe.Env
	size     size
	metrics  report.Metrics
	measured map[string]report.Measurement
	sections []report.Section
}

// job is a lesson to teach.
type job struct {
	name    string
	problem problem
	rule    superspike.Rule
	trials  int
	seed    uint64
	watch   int // trials between answers that are kept; 0: only the last
}

// taught is a job that is done.
type taught struct {
	job
	*lesson
	answers [][]spike.Train // before, each watch trials, and last
	final   float64         // D after the last trial
}

// trials is a number of trials at this scale.
func (s *study) trials(n int) int { return max(6, int(float64(n)*s.size.trials)) }

// teach does jobs, as many at once as there are threads. Each is one thread's, so that
// threads change nothing.
func (s *study) teach(jobs []job) ([]taught, error) {
	out, errs := make([]taught, len(jobs)), make([]error, len(jobs))
	s.env.Pool.For(len(jobs), 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i], errs[i] = s.lesson1(jobs[i])
		}
	})
	return out, errors.Join(errs...)
}

func (s *study) lesson1(j job) (t taught, err error) {
	fail := func(err error) (taught, error) {
		return t, fmt.Errorf("%s, seed %d: %w", j.name, j.seed, err)
	}
	t.job = j
	if t.lesson, err = newLesson(j.problem, j.rule, j.seed, nil); err != nil {
		return fail(err)
	}
	ask := func() error {
		trains, d, err := t.answer(s.ctx)
		t.answers, t.final = append(t.answers, trains), d
		return err
	}
	if err := ask(); err != nil {
		return fail(err)
	}
	for left := j.trials; left > 0; {
		n := left
		if j.watch > 0 {
			n = min(left, j.watch)
		}
		if err := t.lesson.teach(s.ctx, n); err != nil {
			return fail(err)
		}
		if left -= n; left > 0 {
			if err := ask(); err != nil {
				return fail(err)
			}
		}
	}
	if err := ask(); err != nil {
		return fail(err)
	}
	return t, nil
}

// learned is how good a lesson has to be.
const learned = 0.2

func share(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// of are the values of some jobs.
func of(list []taught, value func(t taught) float64) (out []float64) {
	for _, t := range list {
		out = append(out, value(t))
	}
	return out
}

func final(t taught) float64 { return t.final }

// keep is what a claim is judged by.
func (s *study) keep(id string, values ...float64) {
	s.measured[id] = report.Measurement{Values: values, N: 1}
}

// one is A.
func (s *study) one() error {
	var jobs []job
	trials := s.trials(singleTrials)
	for i := range s.size.single {
		seed := s.env.Seed + uint64(i)
		jobs = append(jobs, job{name: "A", problem: frozen(100, 1, 10, seed), rule: single(), trials: trials, seed: seed, watch: max(1, trials/50)})
	}
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	s.keep("single-layer", of(done, func(t taught) float64 {
		last := t.answers[len(t.answers)-1][0]
		return share(t.final < learned && len(last.Times) == 5)
	})...)
	s.metrics["A median D"] = median(of(done, final))
	rows := [][]string{}
	for _, t := range done {
		last := t.answers[len(t.answers)-1][0]
		rows = append(rows, []string{fmt.Sprint(t.seed), report.Measured(t.D[0]), report.Measured(t.final), fmt.Sprint(first(t.D, 0.5)), fmt.Sprint(milliseconds(last.Times))})
	}
	table := report.Table{Caption: "Seeds", Head: []string{"seed", "D at first", "D at last", "first trial with D < 0.5", "spikes at last (ms)"}, Right: []bool{true, true, true, true}, Rows: rows}
	before, err := s.portrait(jobs[0], nil, "Before learning")
	if err != nil {
		return err
	}
	after, err := s.portrait(jobs[0], done[0].learner, "After learning")
	if err != nil {
		return err
	}
	dots := figure.Cloud{Name: "output"}
	goal := figure.Cloud{Name: "target"}
	for k, a := range done[0].answers {
		trial := float64(min(k*jobs[0].watch, trials))
		for _, at := range a[0].Times {
			dots.X, dots.Y = append(dots.X, 1000*at), append(dots.Y, trial)
		}
	}
	for _, at := range done[0].problem.targets[0].Times {
		goal.X, goal.Y = append(goal.X, 1000*at), append(goal.Y, float64(trials))
	}
	spikes, err := figure.Scatter("Output spikes over trials", figure.ScatterOptions{X: "time (ms)", Y: "trial"}, dots, goal)
	if err != nil {
		return err
	}
	curve, err := curves("Distance over trials", band("median and range of seeds", done))
	if err != nil {
		return err
	}
	s.section("A. One neuron", fmt.Sprintf("100 inputs of 10 Hz, frozen, and five target spikes in half a second, then 50 ms of silence; %d trials, an update each.", trials), []report.Table{table},
		shown{before, "Target, output, potential and error before learning, seed by seed the first", ""}, shown{after, "Target, output, potential and error after learning", "The error is zero where spikes stand on their targets."},
		shown{spikes, "Times of output spikes over trials", "Dots gather on the five target times."}, shown{curve, "Distance D over trials on a logarithmic axis", "D is no monotone function of the trial: spikes come and go until the rate falls. Values below 10⁻³ are drawn there."})
	return nil
}

// zeroPairs is how many pairs of trains are compared.
const zeroPairs = 200

// zero counts mistakes of the loss: it must be zero for equal trains alone.
func (s *study) zero() error {
	wrong := 0
	for i := range zeroPairs {
		seed := s.env.Seed*zeroPairs + uint64(i)
		p := frozen(20, 1, 40, seed)
		r := superspike.NewRule()
		r.Init = 150
		l, err := newLesson(p, r, seed, nil)
		if err != nil {
			return err
		}
		out, _, err := l.answer(s.ctx)
		if err != nil {
			return err
		}
		target := spike.Train{Stop: out[0].Stop}
		for _, at := range out[0].Times {
			target.Times = append(target.Times, at+dt/2)
		}
		src := rng.New(seed, rng.Train).Str("superspike zero").Source()
		differ := i%2 == 1
		if differ { // a spike is taken away or moved by a step, or one is added
			switch k := len(target.Times); {
			case k == 0:
				target.Times = []float64{dt * (0.5 + float64(src.IntN(p.steps)))}
			case i%4 == 1:
				target.Times = slices.Delete(target.Times, k-1, k)
			default:
				target.Times[src.IntN(k)] -= dt
			}
		}
		l.given.targets[0] = target
		if l.batch, err = l.given.batch(); err != nil {
			return err
		}
		_, d, err := l.answer(s.ctx)
		if err != nil {
			return err
		}
		wrong += int(share(differ != (d > 0)))
	}
	s.measured["loss-zero"] = report.Measurement{Values: []float64{float64(wrong)}, N: zeroPairs}
	return nil
}

// hidden is B, and B again with what was chosen anew, on other seeds.
func (s *study) hidden() error {
	frozen := through(8, superspike.Symmetric)
	frozen.Frozen = true
	jobs := append(s.hiddenJobs(firstChoice), s.hiddenGroup("B 8 hidden, frozen", frozen, throughTrials, firstChoice)...)
	if err := s.throughHidden("hidden", "B. Through hidden units", "The same problem through a layer that has to learn: where its weights stay as they were drawn, a few spikes of eight units can't place five.", jobs); err != nil {
		return err
	}
	if err := s.throughHidden("hidden-anew", "B. Through hidden units, uniform feedback chosen anew", "Other seeds, and for uniform feedback the source's rate, which falls once, to a tenth after half of the trials.", s.hiddenJobs(anewChoice)); err != nil {
		return err
	}
	if err := s.throughHidden("hidden-tuned", "B. Through hidden units, each kind of feedback chosen anew", "Other seeds again. Symmetric and uniform feedback have the source's rate, which falls once, to a tenth after half of the trials; random feedback has the first choice's rate and twice the trials.", s.hiddenJobs(tunedChoice)); err != nil {
		return err
	}
	return s.throughHidden("hidden-long", "B. Through hidden units, four times the trials", "Other seeds again, and one rate, ρ and schedule for all kinds of feedback: those that the first choice had for symmetric and random feedback.", s.hiddenJobs(longChoice))
}

// choice is how networks of B learn, and on which seeds.
type choice struct {
	name   string // behind the networks' own
	offset uint64 // added to the seeds: those of before were seen
	rule   func(units int, f superspike.Feedback) superspike.Rule
	trials func(f superspike.Feedback) int
}

var (
	firstChoice = choice{"", 0, through, func(superspike.Feedback) int { return throughTrials }}
	anewChoice  = choice{", anew", 10, anew, firstChoice.trials}
	tunedChoice = choice{", tuned", 20, tuned, tunedTrials}
	longChoice  = choice{", long", 30, long, func(superspike.Feedback) int { return longer * throughTrials }}
)

// hiddenJobs are 4 and 8 hidden units by each kind of feedback.
func (s *study) hiddenJobs(c choice) (jobs []job) {
	for _, n := range []int{4, 8} {
		for _, f := range feedbacks {
			jobs = append(jobs, s.hiddenGroup(fmt.Sprintf("B %d hidden, %v", n, f), c.rule(n, f), c.trials(f), c)...)
		}
	}
	return jobs
}

// hiddenGroup is a network of B for each seed.
func (s *study) hiddenGroup(name string, r superspike.Rule, trials int, c choice) (jobs []job) {
	for i := range s.size.hidden {
		seed := s.env.Seed + c.offset + uint64(i)
		jobs = append(jobs, job{name: name + c.name, problem: frozen(100, 1, 10, seed), rule: r, trials: s.trials(trials), seed: seed})
	}
	return jobs
}

// throughHidden teaches networks of B, judges the claim, and shows them.
func (s *study) throughHidden(claim, title, text string, jobs []job) error {
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	least := 1.0
	var rows [][]string
	series := map[int][]figure.Series{}
	for at := 0; at < len(done); at += s.size.hidden {
		group := done[at:][:s.size.hidden]
		d := of(group, final)
		n := 0.0
		for _, v := range d {
			n += share(v < learned)
		}
		name := group[0].name
		s.metrics[name+" median D"] = median(d)
		rows = append(rows, []string{name[2:], fmt.Sprint(int(n)), report.Measured(median(d)), report.Measured(slices.Min(d)), report.Measured(slices.Max(d)), fmt.Sprint(int(median(of(group, func(t taught) float64 { return float64(t.lesson.hidden[len(t.lesson.hidden)-1]) }))))})
		if group[0].rule.Frozen {
			s.keep("frozen-control", d...)
		} else {
			least = min(least, n/float64(s.size.hidden))
		}
		units := group[0].rule.Hidden[0]
		line := band(name[2:], group)
		series[units] = append(series[units], line)
	}
	s.measured[claim] = report.Measurement{Values: []float64{least}, N: 1, Seeds: s.size.hidden}
	table := report.Table{Caption: fmt.Sprintf("%d seeds each, from %d on", s.size.hidden, done[0].seed), Head: []string{"network", "seeds with D < 0.2", "median D", "least", "largest", "hidden spikes of a trial"}, Right: []bool{false, true, true, true, true, true}, Rows: rows}
	four, err := curves("Four hidden units", series[4]...)
	if err != nil {
		return err
	}
	eight, err := curves("Eight hidden units", series[8]...)
	if err != nil {
		return err
	}
	s.section(title, text, []report.Table{table},
		shown{four, "Distance over trials through four hidden units, by kind of feedback", ""}, shown{eight, "Distance over trials through eight hidden units", ""})
	return nil
}

// order is C.
func (s *study) order() error {
	var jobs []job
	for _, f := range feedbacks {
		for i := range s.size.ordered {
			seed := s.env.Seed + uint64(i)
			jobs = append(jobs, job{name: "C " + f.String(), problem: frozen(100, 8, 10, seed), rule: several(f), trials: s.trials(severalTrials), seed: seed})
		}
	}
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	var medians []float64
	var lines []figure.Series
	var rows [][]string
	for k, f := range feedbacks {
		group := done[k*s.size.ordered:][:s.size.ordered]
		d := of(group, final)
		medians = append(medians, median(d))
		s.metrics["C "+f.String()+" median D"] = median(d)
		lines = append(lines, band(f.String(), group))
		row := []string{f.String(), report.Measured(median(d))}
		for _, v := range d {
			row = append(row, report.Measured(v))
		}
		rows = append(rows, row)
	}
	s.measured["feedback-order"] = report.Measurement{Arms: []string{"the lower of random and uniform", "symmetric"}, Values: []float64{min(medians[1], medians[2]), medians[0]}, N: 1, Seeds: s.size.ordered}
	head, right := []string{"feedback", "median"}, []bool{false, true}
	for i := range s.size.ordered {
		head, right = append(head, fmt.Sprintf("seed %d", s.env.Seed+uint64(i))), append(right, true)
	}
	curve, err := curves("Eight outputs", lines...)
	if err != nil {
		return err
	}
	group := done[0]
	matched, err := s.matched("Eight outputs after learning, symmetric feedback", group.problem.targets, group.answers[len(group.answers)-1])
	if err != nil {
		return err
	}
	s.section("C. Eight outputs", "32 hidden units and eight outputs, each with five targets of its own; all silent, D is 40. With several outputs hidden units need errors of their own.",
		[]report.Table{{Caption: "D over all outputs after learning", Head: head, Right: right, Rows: rows}}, shown{curve, "Distance over trials by kind of feedback", ""}, shown{matched, "Target and output trains of eight outputs", ""})
	return nil
}

// silence is D: weights so small that nothing fires.
func (s *study) silence() error {
	var jobs []job
	r := single()
	r.Init = 5
	for i := range s.size.silent {
		seed := s.env.Seed + uint64(i)
		jobs = append(jobs, job{name: "D", problem: frozen(100, 1, 10, seed), rule: r, trials: s.trials(singleTrials), seed: seed})
	}
	done, err := s.teach(jobs)
	if err != nil {
		return err
	}
	var values []float64
	var rows [][]string
	for i, t := range done {
		largest, err := spikePropGradient(jobs[i], nil)
		if err != nil {
			return err
		}
		later, err := spikePropGradient(jobs[i], t.learner)
		if err != nil {
			return err
		}
		silent := len(t.answers[0][0].Times) == 0
		values = append(values, share(silent && largest == 0 && t.final < learned))
		rows = append(rows, []string{fmt.Sprint(t.seed), fmt.Sprint(len(t.answers[0][0].Times)), fmt.Sprint(largest), fmt.Sprintf("%.3g", later), report.Measured(t.final)})
	}
	s.keep("silent-start", values...)
	s.section("D. From silence", "SpikeProp moves the spikes that there are. Without any its gradient is zero and nothing is learned; SuperSpike looks at how far the potential is from threshold.",
		[]report.Table{{Caption: "Largest entry of SpikeProp's gradient, and what SuperSpike makes of the same weights", Head: []string{"seed", "spikes at first", "SpikeProp at first", "SpikeProp after learning", "D of SuperSpike"}, Right: []bool{true, true, true, true, true}, Rows: rows}})
	return nil
}

func median(v []float64) float64 {
	m, err := report.Median.Of(v)
	if err != nil {
		return math.NaN()
	}
	return m
}

// first is the first trial with D below a level; 0 where there is none.
func first(d []float64, below float64) int {
	return slices.IndexFunc(d, func(v float64) bool { return v < below }) + 1
}
