package compare

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/canonical"
	"synfire/compare/internal/numeric"
	"synfire/compare/predictivity"
	"synfire/distance"
	"synfire/internal/limit"
	"synfire/internal/par"
	"synfire/internal/suggest"
	"synfire/spike"
)

// Responses are what one side of a comparison does in response to the stimuli.
type Responses struct {
	Name   string     // of a layer or a file
	X      *mat.Dense // stimuli × units; of spike trains their counts
	Trials []Trials   // [stimulus]; nil where there are no spike trains
	// Repeated are the responses to repetitions of the stimuli, stimuli × units each, of which X
	// is the mean; nil where there is one alone.
	Repeated []*mat.Dense
	// Roundoff is how far X was rounded, relative to each response: 0x1p-24 for float32
	// numbers; 0 means to float64.
	Roundoff float64
}

// Stimuli is their number.
func (r Responses) Stimuli() int { return r.X.RawMatrix().Rows }

// Params are the parameters of all metrics; each uses some (Metric.Used). The tags
// name, explain and default them for command lines and JSON.
type Params struct {
	Dissimilarity string  `json:"dissimilarity" help:"Of RSA: euclidean (squared, a unit), correlation, cosine, poisson, or spikes: a distance of spike trains." enum:"euclidean,correlation,cosine,poisson,spikes" default:"euclidean"`
	Distance      string  `json:"distance" help:"Of spike trains: van-rossum (squared), victor-purpura, isi or spike." enum:"van-rossum,victor-purpura,isi,spike" default:"van-rossum"`
	Tau           string  `json:"tau" help:"Time constant of van-rossum, in the recording's unit, or auto: the mean interval between spikes." placeholder:"TIME"`
	Cost          string  `json:"cost" help:"Cost of victor-purpura to move a spike, per unit of time, or auto: one over the mean interval between spikes." placeholder:"Q"`
	Kendall       string  `json:"kendall" help:"Of rsa-kendall: tau a, or b, which corrects for ties." enum:"a,b" default:"a"`
	Width         float64 `json:"width" help:"Of cka-rbf: width in median distances." default:"1"`
	Variance      float64 `json:"variance" help:"Of svcca: share of variance kept." default:"0.99"`
	Penalty       float64 `json:"penalty" help:"Of ridge." default:"1"`
	Components    int     `json:"components" help:"Of pls, at most." default:"25"`
	Folds         int     `json:"folds" help:"Of ridge and pls: runs of stimuli that are held out in turn." default:"5"`
	Permutations  int     `json:"permutations" help:"Of RSA: permutations for a p-value; 0: none." default:"0"`
	Seed          uint64  `json:"seed" help:"Of permutations." default:"1"`
}

// MaxPermutations is the most that Params may ask for; more tell p no better than one in
// a million.
const MaxPermutations = 1 << 20

// DefaultParams are the usual ones.
func DefaultParams() Params {
	return Params{
		Dissimilarity: "euclidean", Distance: "van-rossum", Kendall: "a",
		Width: 1, Variance: 0.99, Penalty: 1, Components: 25, Folds: 5, Seed: 1,
	}
}

// get is the parameter of a name in JSON.
func (p Params) get(name string) any {
	t, v := reflect.TypeFor[Params](), reflect.ValueOf(p)
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == name {
			return v.Field(i).Interface()
		}
	}
	return nil
}

// ErrParams is wrapped by errors about parameters that do not fit the metric or the
// data: mistakes of who asked.
var ErrParams = errors.New("parameter")

func badParams(format string, args ...any) error {
	return paramError{fmt.Errorf("compare: "+format, args...)}
}

type paramError struct{ error }

func (paramError) Is(target error) bool { return target == ErrParams }
func (e paramError) Unwrap() error      { return e.error }

// Metric is a measure by name. One of responses has a measure, one of
// dissimilarities a similarity.
type Metric struct {
	Name   string
	Doc    string   // what it measures, in a clause
	Params []string // the parameters that it always uses, beside those of dissimilarities

	measure    func(a, b Responses, p Params) (Result, error)
	similarity func(p Params) Similarity
}

// Result is what a metric finds.
type Result struct {
	Value     float64
	Undefined string // why there is no value; "" where there is one
	P         float64
	Permuted  bool // P is a p-value
	LeftOut   int  // dissimilarities left out, of stimuli without a pattern
	Of        int  // dissimilarities; 0 of metrics that compare none
	Stimuli   int
}

// Metrics is the table of metrics in the order in which they are listed.
func Metrics() []Metric {
	fixed := func(s Similarity) func(Params) Similarity { return func(Params) Similarity { return s } }
	with := func(f func(x, y *mat.Dense, p Params) (float64, error)) func(a, b Responses, p Params) (Result, error) {
		return func(a, b Responses, p Params) (Result, error) {
			v, err := f(a.X, b.X, p)
			return Result{Value: v}, err
		}
	}
	plain := func(f func(x, y *mat.Dense) (float64, error)) func(a, b Responses, p Params) (Result, error) {
		return with(func(x, y *mat.Dense, _ Params) (float64, error) { return f(x, y) })
	}
	return []Metric{
		{Name: "rsa-spearman", Doc: "rank correlation of dissimilarities", similarity: fixed(Spearman)},
		{Name: "rsa-kendall", Doc: "Kendall's tau of dissimilarities", Params: []string{"kendall"}, similarity: kendallTau},
		{Name: "rsa-cosine", Doc: "cosine of dissimilarities", similarity: fixed(CosineSimilarity)},
		{Name: "rsa-whitened", Doc: "cosine of dissimilarities in the metric of their noise", similarity: fixed(WhitenedCosine)},
		{Name: "cka-linear", Doc: "alignment of Gram matrices", measure: plain(LinearCKA)},
		{Name: "cka-rbf", Doc: "alignment of Gram matrices of a Gaussian kernel", Params: []string{"width"}, measure: with(func(x, y *mat.Dense, p Params) (float64, error) {
			return RBFCKA(x, y, p.Width)
		})},
		{Name: "cka-unbiased", Doc: "alignment of Gram matrices without the bias of few stimuli", measure: plain(UnbiasedCKA)},
		{Name: "svcca", Doc: "canonical correlation of principal components", Params: []string{"variance"}, measure: with(func(x, y *mat.Dense, p Params) (float64, error) {
			return canonical.SVCCA(x, y, p.Variance)
		})},
		{Name: "pwcca", Doc: "canonical correlation weighted by what A makes of it", measure: plain(canonical.PWCCA)},
		{Name: "cca", Doc: "mean canonical correlation", measure: plain(canonical.MeanCCA)},
		{Name: "ridge", Doc: "how well a ridge regression of A predicts B held out", Params: []string{"penalty", "folds"}, measure: with(func(x, y *mat.Dense, p Params) (float64, error) {
			return predicted(x, y, predictivity.Ridge{Penalty: p.Penalty}, p)
		})},
		{Name: "pls", Doc: "how well partial least squares of A predict B held out", Params: []string{"components", "folds"}, measure: with(func(x, y *mat.Dense, p Params) (float64, error) {
			return predicted(x, y, predictivity.PLS{Components: p.Components}, p)
		})},
		{Name: "restab", Doc: "stability of one model at two settings: correlation of 1 − cosine", measure: stability},
	}
}

func kendallTau(p Params) Similarity {
	if p.Kendall == "b" {
		return TauB
	}
	return TauA
}

func predicted(x, y *mat.Dense, m predictivity.Mapping, p Params) (float64, error) {
	folds, err := predictivity.Folds(x.RawMatrix().Rows, p.Folds)
	if err != nil {
		return 0, paramError{err}
	}
	r, err := predictivity.PredictPooled(x, y, m, folds)
	return r.Score, err
}

// stability is ReStA with the number of what it leaves out.
func stability(a, b Responses, _ Params) (Result, error) {
	v, missing, err := reSta(a, b)
	n := a.Stimuli()
	return Result{Value: v, LeftOut: missing, Of: n * (n - 1) / 2}, err
}

// Names of the metrics.
func Names() (names []string) {
	for _, m := range Metrics() {
		names = append(names, m.Name)
	}
	return names
}

// Lookup finds a metric; the error suggests one for a name that is not known.
func Lookup(name string) (Metric, error) {
	for _, m := range Metrics() {
		if m.Name == name {
			return m, nil
		}
	}
	return Metric{}, badParams("no metric %q; %s", name, suggest.Names("metrics", name, Names()))
}

// OfDissimilarities reports whether the metric compares dissimilarities of choice.
func (m Metric) OfDissimilarities() bool { return m.similarity != nil }

// Similarity is how the metric compares dissimilarities; nil of one that compares none.
func (m Metric) Similarity(p Params) Similarity {
	if m.similarity == nil {
		return nil
	}
	return m.similarity(p)
}

// Used are the parameters that the metric uses, by name.
func (m Metric) Used(p Params) map[string]any {
	names := m.Params
	if m.OfDissimilarities() {
		names = append(append([]string{}, names...), p.ofDissimilarity()...)
		if p.Permutations > 0 {
			names = append(names, "permutations", "seed")
		}
	}
	used := map[string]any{}
	for _, n := range names {
		used[n] = p.get(n)
		if v, err := strconv.ParseFloat(fmt.Sprint(used[n]), 64); err == nil && (n == "tau" || n == "cost") && !math.IsInf(v, 0) {
			used[n] = v
		}
	}
	if m.Name == "restab" {
		used["dissimilarity"] = "cosine"
	}
	return used
}

// Compare is the metric of two sides, on the threads of pool (nil: one), which
// change no bit. A value that the data do not have comes as a Result that says why,
// not as an error. Errors that wrap ErrParams are mistakes in p or m.
func (m Metric) Compare(a, b Responses, p Params, pool *par.Pool) (Result, error) {
	if m.measure == nil && m.similarity == nil {
		return Result{}, badParams("a metric without a measure; take one from Metrics or Lookup")
	}
	if a.Stimuli() != b.Stimuli() {
		return Result{}, badParams("%s has %d stimuli, %s has %d; give both the same in the same order", a.Name, a.Stimuli(), b.Name, b.Stimuli())
	}
	switch {
	case p.Permutations < 0 || p.Permutations > MaxPermutations:
		return Result{}, badParams("%d permutations, want 0 to %d", p.Permutations, MaxPermutations)
	case p.Permutations > 0 && m.measure != nil:
		return Result{}, badParams("permutations are not for the metric %s, which compares no dissimilarities; use them with rsa-spearman, rsa-kendall, rsa-cosine or rsa-whitened", m.Name)
	}
	if err := limit.Fits(m.memory(a.X, b.X)); err != nil {
		return Result{}, fmt.Errorf("compare by %s of %d stimuli, %d and %d units: %w", m.Name, a.Stimuli(), a.X.RawMatrix().Cols, b.X.RawMatrix().Cols, err)
	}
	compare := m.ofDissimilarities
	if m.measure != nil {
		compare = func(a, b Responses, p Params, _ *par.Pool) (Result, error) { return m.measure(a, b, p) }
	}
	r, err := compare(a, b, p, pool)
	r.Stimuli = a.Stimuli()
	if errors.Is(err, ErrUndefined) {
		r.Value, r.Undefined, r.Permuted = 0, numeric.Reason(err), false
		return r, nil
	}
	return r, err
}

// memory is about what the metric takes beside the responses, in bytes: copies of them
// that are centred and scaled, and matrices of stimuli × stimuli or of units × units.
func (m Metric) memory(a, b *mat.Dense) int64 {
	stimuli, unitsA := a.Dims()
	_, unitsB := b.Dims()
	n, p, q := int64(stimuli), int64(unitsA), int64(unitsB)
	larger, square := n*max(p, q), n*n
	switch {
	case m.OfDissimilarities():
		return 8 * (3*larger + 8*square)
	case m.Name == "restab":
		return 8 * (3*larger + 6*square)
	case m.Name == "cka-rbf":
		return 8 * (2*larger + 6*square)
	case m.Name == "cka-unbiased":
		return 8 * (2*larger + 3*square)
	case m.Name == "cka-linear" && p+q >= n:
		return 8 * (n*(p+q) + 4*square)
	case m.Name == "cka-linear":
		return 8 * (n*(p+q) + p*p + q*q)
	case m.Name == "ridge" || m.Name == "pls":
		return 8 * (6*n*(p+q) + 4*p*q + min(n, p)*min(n, p))
	}
	return 8 * (8*larger + n*(p+q)) // canonical correlations
}

func (m Metric) ofDissimilarities(a, b Responses, p Params, pool *par.Pool) (Result, error) {
	if p.Kendall != "a" && p.Kendall != "b" {
		return Result{}, badParams("kendall %q, want a or b", p.Kendall)
	}
	p, err := p.Fit(a, b)
	if err != nil {
		return Result{}, err
	}
	r, err := p.RDM(a, pool)
	if err != nil {
		return Result{}, err
	}
	s, err := p.RDM(b, pool)
	if err != nil {
		return Result{}, err
	}
	if r, s, err = Common(r, s); err != nil {
		return Result{}, err
	}
	out := Result{LeftOut: r.Missing(), Of: len(r.Values)}
	if out.Of-out.LeftOut < numeric.MinStimuli {
		return out, numeric.Undefined(m.Name, "%d of %d dissimilarities are left out: too many stimuli are without variance over the units", out.LeftOut, out.Of)
	}
	similarity := m.similarity(p)
	if p.Permutations == 0 {
		out.Value, err = similarity(r, s)
		return out, err
	}
	if out.LeftOut > 0 {
		return Result{}, badParams("no permutations where dissimilarities are missing; leave them out, or use another dissimilarity")
	}
	out.Permuted = true
	out.Value, out.P, err = PermutationTest(similarity, r, s, p.Permutations, p.Seed, pool)
	return out, err
}

// dissimilarities of responses by name; scaleFree ones can be made of responses on
// any scale, since no similarity sees that of an RDM.
var dissimilarities = []struct {
	name      string
	of        func(x *mat.Dense, coarser float64) (RDM, error)
	scaleFree bool
}{
	{"euclidean", euclidean, true}, {"correlation", correlationDistance, true}, {"cosine", cosineDistance, true}, {"poisson", poisson, false},
}

// spikeTrains names the dissimilarity of spike trains.
const spikeTrains = "spikes"

// Dissimilarities are the names that Params.Dissimilarity may have.
func Dissimilarities() (names []string) {
	for _, d := range dissimilarities {
		names = append(names, d.name)
	}
	return append(names, spikeTrains)
}

// RDM is the dissimilarities of the stimuli that p chooses. Where squares of the
// responses are beyond a float64, it is that of the responses divided by a power of
// two, if the dissimilarity allows it.
func (p Params) RDM(r Responses, pool *par.Pool) (RDM, error) {
	if p.Dissimilarity == spikeTrains {
		return p.spikeRDM(r, pool)
	}
	for _, d := range dissimilarities {
		if d.name != p.Dissimilarity {
			continue
		}
		rdm, err := d.of(r.X, r.Roundoff)
		if errors.Is(err, numeric.ErrRange) && d.scaleFree {
			near1, _ := numeric.Rescaled(r.X)
			rdm, err = d.of(near1, r.Roundoff)
		}
		return rdm, err
	}
	return RDM{}, badParams("no dissimilarity %q; %s", p.Dissimilarity, suggest.Names("dissimilarities", p.Dissimilarity, Dissimilarities()))
}

func (p Params) spikeRDM(r Responses, pool *par.Pool) (RDM, error) {
	if r.Trials == nil {
		return RDM{}, badParams("%s holds no spike trains; use another dissimilarity: %s", r.Name, strings.Join(Dissimilarities()[:len(dissimilarities)], ", "))
	}
	d, err := p.trainDistance()
	if err != nil {
		return RDM{}, err
	}
	out, err := SpikeRDM(r.Trials, d, pool)
	return out.D, err
}

// trainDistances by name, with the parameter that each uses.
var trainDistances = []struct {
	name, param string
	of          func(v float64) TrainDistance
}{
	{"van-rossum", "tau", func(v float64) TrainDistance { return distance.VanRossum{Tau: v, Squared: true} }},
	{"victor-purpura", "cost", func(v float64) TrainDistance { return distance.VictorPurpura{Cost: v} }},
	{"isi", "", func(float64) TrainDistance { return distance.ISI{} }},
	{"spike", "", func(float64) TrainDistance { return distance.SPIKE{} }},
}

// Distances are the names that Params.Distance may have.
func Distances() (names []string) {
	for _, d := range trainDistances {
		names = append(names, d.name)
	}
	return names
}

func (p Params) trainDistance() (TrainDistance, error) {
	for _, d := range trainDistances {
		if d.name != p.Distance {
			continue
		}
		if d.param == "" {
			return d.of(0), nil
		}
		text := p.get(d.param).(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0) {
			return nil, badParams("%s %q, want a number from 0 on, or auto", d.param, text)
		}
		return d.of(v), nil
	}
	return nil, badParams("no distance %q of spike trains; %s", p.Distance, suggest.Names("distances", p.Distance, Distances()))
}

// timeParam is the parameter with a unit of time that p uses, "" where there is none.
func (p Params) timeParam() string {
	for _, d := range trainDistances {
		if p.Dissimilarity == spikeTrains && d.name == p.Distance {
			return d.param
		}
	}
	return ""
}

// Fit takes tau or cost where it is auto from the trains of all sides: their mean interval
// between spikes, or one over it (distance.MeanInterval). One that is used and missing is
// an error, as no value fits seconds and milliseconds alike.
func (p Params) Fit(sides ...Responses) (Params, error) {
	name := p.timeParam()
	given, _ := p.get(name).(string)
	if name == "" || given != "" && given != "auto" {
		return p, nil
	}
	var trains []spike.Train
	for _, r := range sides {
		for _, stimulus := range r.Trials {
			trains = append(trains, slices.Concat(stimulus...)...)
		}
	}
	if len(trains) == 0 {
		return p, nil // RDM says what is missing
	}
	interval, err := distance.MeanInterval(trains)
	if err != nil {
		return p, err
	}
	if given == "" {
		return p, badParams("%s is missing: %s has no value of it that fits all units of time; give one, or auto (the mean interval is %.4g here)", name, p.Distance, interval)
	}
	if name == "cost" {
		p.Cost = strconv.FormatFloat(1/interval, 'g', -1, 64)
	} else {
		p.Tau = strconv.FormatFloat(interval, 'g', -1, 64)
	}
	return p, nil
}

// ofDissimilarity names the parameters that the dissimilarity uses.
func (p Params) ofDissimilarity() []string {
	names := []string{"dissimilarity"}
	if p.Dissimilarity != spikeTrains {
		return names
	}
	names = append(names, "distance")
	if name := p.timeParam(); name != "" {
		names = append(names, name)
	}
	return names
}
