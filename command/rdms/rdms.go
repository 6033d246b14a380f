// Package rdms holds the verb that ranks models of dissimilarities by how well they agree with
// those of several subjects.
package rdms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/compare"
	"synfire/compare/evaluation"
	"synfire/compare/geometry"
	"synfire/compare/recording"
	"synfire/data"
	"synfire/data/recordings"
	"synfire/internal/par"
	"synfire/internal/suggest"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/view"
)

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
	Data    data.Options
}

// RDM is the verb rdm.
type RDM struct {
	Subjects   []string `arg:"" name:"subjects" help:"RDMs of the subjects: an NPY file, FILE.npz:ARRAY, or brain-92images:ARRAY of the data set; of shape [subjects, ..., n, n], where axes between are averaged."`
	Model      []string `help:"RDM of a model, or several along the first axis; NAME=SOURCE names it, SOURCE:INDEX or SOURCE:NAME takes one. May be repeated." placeholder:"SOURCE" sep:"none"`
	Weighted   []string `help:"Model of several RDMs, the parts, with weights that are not negative, fitted to the subjects; NAME=SOURCE names it, and the same NAME again adds parts." placeholder:"SOURCE" sep:"none"`
	Linear     []string `help:"The same with weights of any sign." placeholder:"SOURCE" sep:"none"`
	Select     []string `help:"Model that is the one of several RDMs, such as of a network's layers, that agrees best." placeholder:"SOURCE" sep:"none"`
	Interp     []string `name:"interpolate" help:"Model between neighbours of several RDMs in their order." placeholder:"SOURCE" sep:"none"`
	HoldOut    string   `help:"What models are scored on and were not fitted to: subjects, stimuli, both or nothing. Default: both where a model is fitted, of one subject stimuli; else nothing." enum:",subjects,stimuli,both,nothing" default:"" placeholder:"WHAT"`
	Similarity string   `help:"How RDMs are compared: spearman, pearson, cosine, tau-a, tau-b, rho-a, whitened-cosine, whitened-pearson, bures (of geometries) or riemann (minus their distance; slow)." enum:"spearman,pearson,cosine,tau-a,tau-b,rho-a,whitened-cosine,whitened-pearson,bures,riemann" default:"spearman"`
	Correction string   `help:"Of p-values for the number of models, and of pairs: holm, bonferroni, fdr or none." enum:"holm,bonferroni,fdr,none" default:"holm"`
	Resamples  int      `help:"Bootstrap resamples over subjects, stimuli, and both." default:"1000"`
	Seed       uint64   `help:"Of the resamples." default:"1"`
	Threads    int      `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Figure     string   `help:"Write the bars with the noise ceiling to a file, .svg or .png." placeholder:"FILE"`
	JSON       bool     `help:"Print JSON."`
}

// Help is the verb's longer help.
func (RDM) Help() string {
	return `Which model's dissimilarities agree best with the subjects'? Tells for each model the mean
similarity with the subjects, its 95 % interval and p-value by the bootstrap over subjects
and stimuli both (to which it generalises: other subjects, other stimuli), and p-values by
a t-test and by signed ranks over the subjects (other subjects alone); the noise ceiling,
between which bounds the best of all models lies; and the same for the differences of all
pairs of models. How responses or layers are compared tells compare.

Similarities bures and riemann compare what dissimilarities are squared distances of: second
moments. Unrelated RDMs are not at 0 by them, so that nothing is tested against it. riemann is
minus a distance, 0 at most, which forgives a model noise that all its stimuli have alike; it
takes some 50 milliseconds for 92 stimuli: use --resamples 100. Both leave out stimuli with
missing entries.

Models of several RDMs are fitted to the subjects. All models are then scored on folds of
subjects and stimuli that none was fitted to, and the ceiling is that of these folds.

  synfire rdm subjects.npz:rdms --model HMAX=models.npz:hmax --model V1=models.npz:v1
  synfire rdm brain-92images:human_it_sessions --model brain-92images:models --figure it.svg
  synfire rdm subjects.npz:rdms --model V1=v1.npy --select net=layers.npz:rdms --weighted mix=layers.npz:rdms`
}

// Validate returns an error for what cannot be.
func (c *RDM) Validate() error {
	if len(c.Model)+len(c.Weighted)+len(c.Linear)+len(c.Select)+len(c.Interp) == 0 {
		return errors.New("no model; give one by --model, --weighted, --linear, --select or --interpolate")
	}
	if fitted := len(c.Weighted) + len(c.Linear) + len(c.Select) + len(c.Interp); fitted > 0 && c.HoldOut == "nothing" {
		return errors.New("--hold-out nothing: a model that is fitted needs something that it is not fitted to; use subjects, stimuli or both")
	}
	if c.Resamples < 2 || c.Resamples > 1_000_000 {
		return fmt.Errorf("--resamples %d: want 2 to 1000000; 1000 is usual", c.Resamples)
	}
	if e := strings.ToLower(filepath.Ext(c.Figure)); c.Figure != "" && e != ".svg" && e != ".png" {
		return fmt.Errorf("--figure %q: want a file that ends in .svg or .png", c.Figure)
	}
	return nil
}

var comparisons = map[string]compare.Comparison{
	"spearman": {Similarity: compare.Spearman, Pooling: compare.PoolRanks}, "rho-a": {Similarity: compare.RhoA, Pooling: compare.PoolRanks},
	"tau-a": {Similarity: compare.TauA, Pooling: compare.PoolRanks}, "tau-b": {Similarity: compare.TauB, Pooling: compare.PoolRanks},
	"pearson": {Similarity: compare.Pearson, Pooling: compare.PoolCorrelation}, "whitened-pearson": {Similarity: compare.WhitenedPearson, Pooling: compare.PoolCorrelation},
	"cosine": {Similarity: compare.CosineSimilarity, Pooling: compare.PoolCosine}, "whitened-cosine": {Similarity: compare.WhitenedCosine, Pooling: compare.PoolCosine},
	"bures": geometry.Comparison(geometry.Bures), "riemann": geometry.Comparison(geometry.Riemann),
}

// held is what is held out by the names of --hold-out.
var held = map[string]compare.HoldOut{"nothing": compare.HoldNothing, "both": compare.HoldBoth, "subjects": compare.HoldSubjects, "stimuli": compare.HoldStimuli}

// holdOut is the name of what is held out: the one asked for, or the usual one.
func (c *RDM) holdOut(models []evaluation.Model, subjects int) string {
	switch {
	case c.HoldOut != "":
		return c.HoldOut
	case !slices.ContainsFunc(models, func(m evaluation.Model) bool { return len(m.Parts) > 0 }):
		return "nothing"
	case subjects == 1:
		return "stimuli"
	}
	return "both"
}

// result is the JSON of rdm.
type result struct {
	Similarity string `json:"similarity"`
	Correction string `json:"correction"`
	Resamples  int    `json:"resamples"`
	HoldOut    string `json:"hold_out"`
	Stimuli    int    `json:"n_stimuli"`
	Subjects   int    `json:"n_subjects"`
	evaluation.Table
}

// Run ranks.
func (c *RDM) Run(e Env) error {
	var subjects []compare.RDM
	for _, s := range c.Subjects {
		list, _, err := load(e, s)
		if err != nil {
			return fmt.Errorf("rdm: %w", err)
		}
		subjects = append(subjects, list...)
	}
	models, err := c.models(e)
	if err != nil {
		return fmt.Errorf("rdm: %w", err)
	}
	for i, r := range subjects {
		if r.N != subjects[0].N {
			return fmt.Errorf("rdm: subject %d is of %d stimuli, subject 1 of %d; give all the same stimuli in the same order", i+1, r.N, subjects[0].N)
		}
	}
	for _, m := range models {
		for _, r := range append(m.Parts, m.RDM) {
			if r.N != 0 && r.N != subjects[0].N {
				return fmt.Errorf("rdm: model %s is of %d stimuli, the subjects of %d; give all the same stimuli in the same order", sample.Printable(m.Name), r.N, subjects[0].N)
			}
		}
	}
	hold := c.holdOut(models, len(subjects))
	if held[hold] != compare.HoldNothing && hold != "stimuli" && len(subjects) == 1 {
		return fmt.Errorf("rdm: --hold-out %s: one subject, want at least 2 to hold one out; use --hold-out stimuli", hold)
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	e.Status("%d resamples of subjects, stimuli and both", c.Resamples)
	table, err := evaluation.Rank(compare.Bootstrap{Comparison: comparisons[c.Similarity], Resamples: c.Resamples, Seed: c.Seed, HoldOut: held[hold], Pool: pool}, models, subjects, c.Correction)
	if err != nil {
		return fmt.Errorf("rdm: %w", err)
	}
	r := result{c.Similarity, c.Correction, c.Resamples, hold, subjects[0].N, len(subjects), table}
	if c.Figure != "" {
		if err := c.draw(r); err != nil {
			return fmt.Errorf("rdm: --figure: %w", err)
		}
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(r)
	}
	return r.print(e.Out)
}

// models reads all of them, with names.
func (c *RDM) models(e Env) (out []evaluation.Model, err error) {
	for _, s := range c.Model {
		name, source, named := strings.Cut(s, "=")
		if !named {
			name, source = "", s
		}
		list, names, err := load(e, source)
		if err != nil {
			return nil, err
		}
		if named && len(list) > 1 {
			return nil, fmt.Errorf("%s: %d RDMs for one name; take one by :INDEX", sample.Printable(s), len(list))
		}
		for i, r := range list {
			called := names[i]
			if named {
				called = name
			}
			if slices.ContainsFunc(out, func(m evaluation.Model) bool { return m.Name == called }) {
				return nil, fmt.Errorf("two models %q; name one by NAME=SOURCE", called)
			}
			out = append(out, evaluation.Model{Name: called, RDM: r})
		}
	}
	fixed := len(out)
	for _, f := range []struct {
		kind    evaluation.Kind
		sources []string
	}{{evaluation.Weighted, c.Weighted}, {evaluation.Linear, c.Linear}, {evaluation.Select, c.Select}, {evaluation.Interpolate, c.Interp}} {
		for _, s := range f.sources {
			if out, err = addParts(e, out, fixed, f.kind, s); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// addParts adds the RDMs of a source to the fitted model of its name, which stands behind the
// fixed ones, or begins one.
func addParts(e Env, models []evaluation.Model, fixed int, kind evaluation.Kind, s string) ([]evaluation.Model, error) {
	name, source, named := strings.Cut(s, "=")
	if !named {
		name, source = string(kind), s
	}
	list, names, err := load(e, source)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(models, func(m evaluation.Model) bool { return m.Name == name })
	switch {
	case i < 0:
		i, models = len(models), append(models, evaluation.Model{Name: name, Kind: kind})
	case i < fixed || models[i].Kind != kind:
		return nil, fmt.Errorf("two models %q; name one by NAME=SOURCE", name)
	}
	m := &models[i]
	m.Parts, m.Names = append(m.Parts, list...), append(m.Names, names...)
	return models, nil
}

// brains is how sources in the data set begin.
const brains = "brain-92images:"

// load reads the RDMs of a source, and names for them.
func load(e Env, source string) ([]compare.RDM, []string, error) {
	if rest, ok := strings.CutPrefix(source, brains); ok {
		return fromBrains(e, rest)
	}
	list, err := recording.RDMs(source)
	take := ""
	if err != nil {
		i := strings.LastIndex(source, ":")
		if i < 0 {
			return nil, nil, err
		}
		if _, bad := strconv.Atoi(source[i+1:]); bad != nil {
			return nil, nil, err
		}
		source, take = source[:i], source[i+1:]
		if list, err = recording.RDMs(source); err != nil {
			return nil, nil, err
		}
	}
	base := filepath.Base(source)
	return pick(list, numbered(base, len(list)), base, take)
}

func fromBrains(e Env, rest string) ([]compare.RDM, []string, error) {
	b, err := recordings.LoadBrains(e.Context, e.Data)
	if err != nil {
		return nil, nil, err
	}
	array, take, _ := strings.Cut(rest, ":")
	d, v, err := b.Array(array)
	if err != nil {
		return nil, nil, err
	}
	list, err := recording.RDMsOf(v, d.Shape)
	if err != nil {
		return nil, nil, fmt.Errorf("%s%s: %w", brains, array, err)
	}
	names := d.Names
	if len(names) != len(list) {
		names = numbered(array, len(list))
	}
	return pick(list, names, array, take)
}

// numbered names several by their place.
func numbered(base string, n int) []string {
	if n == 1 {
		return []string{base}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s:%d", base, i)
	}
	return names
}

// pick takes one RDM by its name or number, or all where take is empty.
func pick(list []compare.RDM, names []string, from, take string) ([]compare.RDM, []string, error) {
	if take == "" {
		return list, names, nil
	}
	i := slices.Index(names, take)
	if k, err := strconv.Atoi(take); i < 0 && err == nil && k >= 0 && k < len(list) {
		i = k
	}
	if i < 0 {
		return nil, nil, fmt.Errorf("%s has no RDM %q: %s, or a number from 0 to %d", sample.Printable(from), take, suggest.Names("RDMs", take, names), len(list)-1)
	}
	return list[i : i+1], names[i : i+1], nil
}

func (r result) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d subjects, %d stimuli", r.Similarity, r.Subjects, r.Stimuli)
	if r.Lower != nil {
		fmt.Fprintf(w, "; noise ceiling %.4f to %.4f", *r.Lower, *r.Upper)
	}
	if r.HoldOut != "nothing" {
		fmt.Fprintf(w, "\nmodels are fitted to others and scored on what is held out: %s; so is the ceiling", map[string]string{"both": "subjects and stimuli"}[r.HoldOut]+strings.TrimSuffix(r.HoldOut, "both"))
	}
	fmt.Fprintf(w, "\np adjusted: %s\n\nMODEL\tMEAN\t95 %%\tP > 0\tT-TEST\tRANKS\tBELOW CEILING\n", r.Correction)
	for _, m := range r.Rows {
		fmt.Fprintf(w, "%s\t%.4f\t%s\t%s\t%s\t%s\t%s\n", sample.Printable(m.Model), m.Mean, between(m.Low, m.High), text(m.P), text(m.PT), text(m.PRank), text(m.PCeiling))
	}
	for _, m := range r.Rows {
		printParts(w, m)
	}
	if len(r.Pairs) > 0 {
		fmt.Fprintf(w, "\nPAIR\tDIFFERENCE\t95 %%\tP\tT-TEST\tRANKS\n")
	}
	for _, p := range r.Pairs {
		fmt.Fprintf(w, "%s – %s\t%.4f\t%s\t%s\t%s\t%s\n", sample.Printable(p.A), sample.Printable(p.B), p.Difference, between(p.Low, p.High), text(p.P), text(p.PT), text(p.PRank))
	}
	return w.Flush()
}

// printParts tells the weights of a fitted model, and how often it had no similarity.
func printParts(w io.Writer, m evaluation.Row) {
	if m.Undefined > 0 {
		fmt.Fprintf(w, "\n%s: %d similarities with held-out data are undefined and count as 0\n", sample.Printable(m.Model), m.Undefined)
	}
	if m.Weights == nil {
		return
	}
	fmt.Fprintf(w, "\n%s, %s; weights fitted to all data, their squares summing to 1:\n", sample.Printable(m.Model), m.Kind)
	for i, v := range m.Weights {
		fmt.Fprintf(w, "  %s\t%.4f\n", sample.Printable(m.Parts[i]), v)
	}
}

// text is a p-value, a dash where the test does not exist.
func text(p *float64) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.3g", *p)
}

// between is an interval, a dash where it is not known.
func between(low, high *float64) string {
	if low == nil || high == nil {
		return "–"
	}
	return fmt.Sprintf("%.4f to %.4f", *low, *high)
}

// draw writes the customary figure.
func (c *RDM) draw(r result) error {
	f, err := Bars(r.Table, "mean "+r.Similarity+" with the subjects")
	if err != nil {
		return err
	}
	return f.Write(c.Figure)
}

// drawn is how many models a figure holds.
const drawn = 40

// Bars draws models with their intervals before the noise ceiling. A star marks those above 0,
// by the dual bootstrap, adjusted p below 0.05; a dagger those below the lower ceiling.
func Bars(t evaluation.Table, quantity string) (figure.Figure, error) {
	if len(t.Rows) > drawn {
		return figure.Figure{}, errors.New("more than 40 models; choose some")
	}
	var list []figure.Bar
	for _, m := range t.Rows {
		bar := figure.Bar{Name: sample.Printable(m.Model), Value: m.Mean}
		if m.Low != nil {
			bar.Low, bar.High = *m.Low, *m.High
		}
		if m.P != nil && *m.P < 0.05 {
			bar.Mark += "*"
		}
		if m.PCeiling != nil && *m.PCeiling < 0.05 {
			bar.Mark += "†"
		}
		list = append(list, bar)
	}
	var zone *figure.Zone
	if t.Lower != nil {
		zone = &figure.Zone{Name: "noise ceiling", Low: *t.Lower, High: *t.Upper}
	}
	return figure.BarsIn("Models, noise ceiling (* above 0, † below it, p < 0.05)", quantity, list, zone)
}
