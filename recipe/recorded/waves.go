package recorded

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/spike"
)

const (
	near       = 210.0 // µm, the farthest pairs of the claim
	sttcWindow = 0.1   // s
	demas      = "Demas2003"
	wild       = "wt"
)

func waves() recipe.Recipe {
	return recipe.Recipe{
		ID:      "waves",
		Title:   "Retinal waves: correlation over distance and age",
		Minutes: map[report.Scale]float64{report.Smoke: 0.02, report.Short: 0.05, report.Full: 0.06},
		Claims: []report.Claim{
			judged("age", "Demas 2003, wild type, P9 to P21: Spearman correlation of age and mean STTC (0.1 s) of pairs at most 210 µm apart, a value a retina", "", report.AtMost, -0.7, demasRetinas),
		},
		Run: runWaves,
	}
}

// demasRetinas are the wild-type recordings of Demas et al. 2003.
const demasRetinas = 16

// retina is a recording of one.
type retina struct {
	file, study, genotype, treatment, species string
	age                                       int
	units                                     []spike.Train
	at                                        [][]float64 // µm
	pairs                                     []tiled
}

// tiled is a pair's distance in µm and its STTC.
type tiled struct{ apart, sttc float64 }

func waveData(ctx context.Context, e *recipe.Env) (list []retina, err error) {
	if e.Scale == report.Smoke {
		return madeWaves(e.Seed), nil
	}
	a, err := open(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, info := range a.Infos {
		if info.Study == "" || info.Days == nil {
			continue
		}
		if len(info.Positions) != len(info.Units) {
			return nil, fmt.Errorf("recordings: %s has %d positions of %d units; fetch the archive again", info.File, len(info.Positions), len(info.Units))
		}
		units, err := trainsOf(a, info)
		if err != nil {
			return nil, err
		}
		treatment, _ := info.Condition["treatment"].(string)
		list = append(list, retina{info.File, info.Study, info.Genotype, treatment, info.Species, *info.Days, units, info.Positions, nil})
	}
	return list, nil
}

// madeWaves draws retinas whose neighbours fire in events, fewer of them the older.
func madeWaves(seed uint64) (list []retina) {
	for k, age := range []int{9, 11, 13, 15, 21} {
		r := retina{file: fmt.Sprintf("made P%d", age), study: demas, genotype: wild, treatment: "control", species: "none", age: age}
		events, err := spike.Poisson{Rate: 0.1}.Train(spike.Stream(seed, 31, uint64(k)), 0, 300)
		if err != nil {
			panic(err) // the rate is a constant
		}
		for u := range uint64(8) {
			src := spike.Stream(seed, 32, uint64(k), u).Source()
			t := spike.Train{Stop: 300}
			for _, v := range events.Times {
				if src.Float64() < 8/float64(age) {
					t.Times = append(t.Times, min(300, v+0.05*src.Float64()))
				}
			}
			for range 30 {
				t.Times = append(t.Times, 300*src.Float64())
			}
			r.units, r.at = append(r.units, t.Sort()), append(r.at, []float64{70 * float64(u), 0})
		}
		list = append(list, r)
	}
	return list
}

// tile fills in the pairs; those with a silent unit have no coefficient.
func (r *retina) tile() error {
	for i := range r.units {
		for j := range i {
			v, err := spike.STTC(r.units[i], r.units[j], sttcWindow)
			if err != nil {
				return fmt.Errorf("%s: %w", r.file, err)
			}
			if !math.IsNaN(v) {
				r.pairs = append(r.pairs, tiled{math.Hypot(r.at[i][0]-r.at[j][0], r.at[i][1]-r.at[j][1]), v})
			}
		}
	}
	return nil
}

// within is the mean STTC of pairs at distances from lo to hi, both included.
func (r retina) within(lo, hi float64) float64 {
	var v []float64
	for _, p := range r.pairs {
		if p.apart >= lo && p.apart <= hi+1e-6 {
			v = append(v, p.sttc)
		}
	}
	return mean(v)
}

func runWaves(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	if !slices.Contains(recipe.Scales, e.Scale) {
		return nil, recipe.NoScale("waves", e.Scale)
	}
	list, err := waveData(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("waves: %w", err)
	}
	s := &waveStudy{findings: newFindings(), list: list}
	for _, part := range []func() error{func() error { return s.tile(ctx, e.Pool) }, s.age, s.distance, s.pooled} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("waves: %w", err)
		}
	}
	return s.outcome(e.Scale, "Retinal waves: correlation over distance and age",
		fmt.Sprintf("In the wild-type retinas of Demas et al. 2003, the correlation of neighbours falls with age: Spearman %.2f over %d retinas. All studies pooled have %.2f.", s.rho, len(s.own()), s.all),
		[]string{
			"The source keeps no recording time: the window is from the floor of the first to the ceiling of the last spike.",
			"Retinas of one animal are counted as they are: they are not independent, and no p value is given.",
		}, "recordings (retinal waves, collected by Eglen et al. 2014, GigaScience 3:3; GPL-2)"), nil
}

type waveStudy struct {
	*findings
	list     []retina
	rho, all float64
}

func (s *waveStudy) tile(ctx context.Context, pool *par.Pool) error {
	errs := make([]error, len(s.list))
	pool.For(len(s.list), 1, func(_, lo, hi int) {
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			errs[i] = s.list[i].tile()
		}
	})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// own are the retinas of the claim.
func (s *waveStudy) own() (list []retina) {
	for _, r := range s.list {
		if r.study == demas && r.genotype == wild {
			list = append(list, r)
		}
	}
	return list
}

// byAge is ages and mean coefficients of near pairs, of those retinas that have any.
func byAge(list []retina) (age, sttc []float64, names []string) {
	for _, r := range list {
		if v := r.within(0, near); !math.IsNaN(v) {
			age, sttc, names = append(age, float64(r.age)), append(sttc, v), append(names, r.study)
		}
	}
	return age, sttc, names
}

func (s *waveStudy) age() error {
	age, sttc, _ := byAge(s.own())
	s.rho = recipe.Spearman(age, sttc)
	s.claim("age", len(age), s.rho)
	s.metrics["Spearman"] = s.rho
	clouds := []figure.Cloud{{Name: "control"}, {Name: "dark reared"}}
	table := report.Table{Caption: "The retinas", Head: []string{"recording", "age", "treatment", "units", "near pairs' mean STTC"}, Right: []bool{false, true, false, true, true}}
	var control []retina
	for _, r := range s.own() {
		to := &clouds[0]
		if r.treatment != "control" {
			to = &clouds[1]
		} else {
			control = append(control, r)
		}
		v := r.within(0, near)
		if !math.IsNaN(v) {
			to.X, to.Y = append(to.X, float64(r.age)), append(to.Y, v)
		}
		table.Rows = append(table.Rows, []string{r.file, fmt.Sprintf("P%d", r.age), r.treatment, fmt.Sprint(len(r.units)), fmt.Sprintf("%.3f", v)})
	}
	if len(clouds[1].X) == 0 {
		clouds = clouds[:1]
	}
	a, v, _ := byAge(control)
	s.metrics["Spearman, control alone"] = recipe.Spearman(a, v)
	f, err := figure.Scatter("Correlation of neighbours over age", figure.ScatterOptions{X: "age (days after birth)", Y: "mean STTC of pairs within 210 µm"}, clouds...)
	return s.section("Age", fmt.Sprintf("The spike-time tiling coefficient with ±0.1 s of all pairs at most %.0f µm apart, its mean for each retina. Spearman's correlation with age is %.3f over all %d retinas, and %.3f without those reared in the dark.", near, s.rho, len(age), s.metrics["Spearman, control alone"]), []report.Table{table},
		draw(f, err, "Mean STTC over age, a point a retina", "Waves end about the opening of the eyes."))
}

// bin is the width of distances that are averaged, in µm.
const bin = 70.0

// distance draws the coefficient over distance at each age.
func (s *waveStudy) distance() error {
	pooled := map[int][]retina{}
	for _, r := range s.own() {
		pooled[r.age] = append(pooled[r.age], r)
	}
	var ages []int
	for age := range pooled {
		ages = append(ages, age)
	}
	slices.Sort(ages)
	panel := figure.Panel{Name: "mean STTC"}
	for _, age := range ages {
		line := figure.Series{Name: fmt.Sprintf("P%d", age)}
		for lo := 0.0; lo < 700; lo += bin {
			var v []float64
			for _, r := range pooled[age] {
				v = append(v, r.within(lo, math.Nextafter(lo+bin, 0)-2e-6))
			}
			if m := mean(v); !math.IsNaN(m) {
				line.X, line.Y = append(line.X, lo+bin/2), append(line.Y, m)
			}
		}
		panel.Series = append(panel.Series, line)
	}
	f, err := figure.Curves("Correlation over distance", "distance of electrodes (µm)", panel)
	return s.section("Distance", "The same coefficient by the distance of the pair, in bins of 70 µm, mean over the retinas of an age.", nil,
		draw(f, err, "Mean STTC over distance, a line an age", "Waves travel: near cells fire together more than distant ones."))
}

// pooled asks the same of all studies together.
func (s *waveStudy) pooled() error {
	var list []retina
	for _, r := range s.list {
		if r.genotype == wild || r.genotype == "" {
			list = append(list, r)
		}
	}
	age, sttc, study := byAge(list)
	s.all = recipe.Spearman(age, sttc)
	s.metrics["Spearman, all studies"] = s.all
	clouds := []figure.Cloud{{Name: demas}, {Name: "other studies"}}
	byStudy := map[string][2][]float64{}
	for i, name := range study {
		to := &clouds[1]
		if name == demas {
			to = &clouds[0]
		} else {
			to.Labels = append(to.Labels, name)
		}
		to.X, to.Y = append(to.X, age[i]), append(to.Y, sttc[i])
		v := byStudy[name]
		byStudy[name] = [2][]float64{append(v[0], age[i]), append(v[1], sttc[i])}
	}
	if len(clouds[1].X) == 0 {
		clouds = clouds[:1]
	}
	table := report.Table{Caption: "By study, wild type or not stated", Head: []string{"study", "retinas", "ages", "least and largest mean STTC", "Spearman with age"}, Right: []bool{false, true, false, false, true}}
	var names []string
	for name := range byStudy {
		names = append(names, name)
	}
	slices.Sort(names)
	between := 0.0
	centre := mean(sttc)
	for _, name := range names {
		v := byStudy[name]
		between += float64(len(v[1])) * math.Pow(mean(v[1])-centre, 2)
		rho := "–"
		if len(v[0]) > 2 {
			rho = fmt.Sprintf("%.2f", recipe.Spearman(v[0], v[1]))
		}
		table.Rows = append(table.Rows, []string{name, fmt.Sprint(len(v[0])), fmt.Sprintf("P%.0f to P%.0f", slices.Min(v[0]), slices.Max(v[0])), fmt.Sprintf("%.3f, %.3f", slices.Min(v[1]), slices.Max(v[1])), rho})
	}
	total := 0.0
	for _, v := range sttc {
		total += (v - centre) * (v - centre)
	}
	s.metrics["variance between studies"] = between / total
	f, err := figure.Scatter("All studies", figure.ScatterOptions{X: "age (days after birth)", Y: "mean STTC of pairs within 210 µm"}, clouds...)
	return s.section("Why studies are not pooled", fmt.Sprintf("All %d retinas that are of the wild type, or of which nothing else is said, have a Spearman correlation of %.2f. %s of the variance of the mean coefficient is between studies, which differ in species, arrays, temperature and sorting, and in ages: most are of the first ten days, in which waves are still strong; what falls is what comes after.", len(age), s.all, percent(between/total)), []report.Table{table},
		draw(f, err, "Mean STTC over age, all studies", "Other studies differ from one another at one age, and are mostly of the first ten days."))
}
