package compare_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/canonical"
	"synfire/compare/predictivity"
	"synfire/spike"
)

// The tags of the parameters, from which command lines are made, say what the table
// and DefaultParams do.
func TestParamsTags(t *testing.T) {
	p := reflect.TypeFor[compare.Params]()
	defaults := reflect.ValueOf(compare.DefaultParams())
	names := map[string]bool{}
	for i := range p.NumField() {
		f := p.Field(i)
		names[f.Tag.Get("json")] = true
		var text string
		switch v := defaults.Field(i); v.Kind() {
		case reflect.String:
			text = v.String()
		case reflect.Float64:
			text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
		case reflect.Int:
			text = strconv.FormatInt(v.Int(), 10)
		default:
			text = strconv.FormatUint(v.Uint(), 10)
		}
		if text != f.Tag.Get("default") || f.Tag.Get("help") == "" || f.Tag.Get("json") == "" {
			t.Errorf("%s: default %q, by its tag %q; every parameter has help and a name in JSON", f.Name, text, f.Tag.Get("default"))
		}
		switch f.Name {
		case "Dissimilarity":
			if got := f.Tag.Get("enum"); got != strings.Join(compare.Dissimilarities(), ",") {
				t.Errorf("dissimilarities %q", got)
			}
		case "Distance":
			if got := f.Tag.Get("enum"); got != strings.Join(compare.Distances(), ",") {
				t.Errorf("distances %q", got)
			}
		}
	}
	for _, m := range compare.Metrics() {
		for _, used := range m.Params {
			if !names[used] {
				t.Errorf("%s uses %q, which is no parameter", m.Name, used)
			}
		}
		if m.Doc == "" {
			t.Errorf("%s says nothing of itself", m.Name)
		}
	}
}

// The names of the metrics are part of the command's contract.
func TestMetricNames(t *testing.T) {
	want := []string{"rsa-spearman", "rsa-kendall", "rsa-cosine", "rsa-whitened", "cka-linear", "cka-rbf", "cka-unbiased", "svcca", "pwcca", "cca", "ridge", "pls", "restab"}
	if got := compare.Names(); !slices.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	_, err := compare.Lookup("rsa-spearmann")
	if !errors.Is(err, compare.ErrParams) || !strings.Contains(err.Error(), `did you mean "rsa-spearman"`) {
		t.Errorf("a misspelt metric: %v", err)
	}
}

// By name a metric is the function, with its parameters.
func TestMetricsAreTheFunctions(t *testing.T) {
	x, y := gaussian(1, 20, 3), gaussian(2, 20, 4)
	y.Add(y, times(x, gaussian(3, 3, 4)))
	pooled := func(m predictivity.Mapping, k int) float64 {
		folds, err := predictivity.Folds(20, k)
		if err != nil {
			t.Fatal(err)
		}
		p, err := predictivity.PredictPooled(x, y, m, folds)
		if err != nil {
			t.Fatal(err)
		}
		return p.Score
	}
	value := func(v float64, err error) float64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	set := func(change func(*compare.Params)) compare.Params {
		p := compare.DefaultParams()
		change(&p)
		return p
	}
	for _, c := range []struct {
		name string
		p    compare.Params
		want float64
		used map[string]any
	}{
		{"rsa-spearman", set(func(p *compare.Params) { p.Dissimilarity = "cosine" }), value(rsa(compare.Cosine, compare.Spearman)(x, y)), map[string]any{"dissimilarity": "cosine"}},
		{"rsa-spearman", set(func(p *compare.Params) { p.Dissimilarity = "correlation" }), value(rsa(compare.Correlation, compare.Spearman)(x, y)), map[string]any{"dissimilarity": "correlation"}},
		{"rsa-kendall", set(func(p *compare.Params) {}), value(rsa(compare.Euclidean, compare.TauA)(x, y)), map[string]any{"dissimilarity": "euclidean", "kendall": "a"}},
		{"rsa-kendall", set(func(p *compare.Params) { p.Kendall = "b" }), value(rsa(compare.Euclidean, compare.TauB)(x, y)), map[string]any{"dissimilarity": "euclidean", "kendall": "b"}},
		{"rsa-cosine", set(func(p *compare.Params) { p.Permutations, p.Seed = 20, 3 }), value(rsa(compare.Euclidean, compare.CosineSimilarity)(x, y)), map[string]any{"dissimilarity": "euclidean", "permutations": 20, "seed": uint64(3)}},
		{"rsa-whitened", compare.DefaultParams(), value(rsa(compare.Euclidean, compare.WhitenedCosine)(x, y)), map[string]any{"dissimilarity": "euclidean"}},
		{"cka-linear", compare.DefaultParams(), value(compare.LinearCKA(x, y)), map[string]any{}},
		{"cka-rbf", set(func(p *compare.Params) { p.Width = 0.5 }), value(compare.RBFCKA(x, y, 0.5)), map[string]any{"width": 0.5}},
		{"cka-unbiased", compare.DefaultParams(), value(compare.UnbiasedCKA(x, y)), map[string]any{}},
		{"cca", compare.DefaultParams(), value(canonical.MeanCCA(x, y)), map[string]any{}},
		{"svcca", set(func(p *compare.Params) { p.Variance = 0.7 }), value(canonical.SVCCA(x, y, 0.7)), map[string]any{"variance": 0.7}},
		{"pwcca", compare.DefaultParams(), value(canonical.PWCCA(x, y)), map[string]any{}},
		{"ridge", set(func(p *compare.Params) { p.Penalty, p.Folds = 3, 4 }), pooled(predictivity.Ridge{Penalty: 3}, 4), map[string]any{"penalty": 3., "folds": 4}},
		{"pls", set(func(p *compare.Params) { p.Components = 1 }), pooled(predictivity.PLS{Components: 1}, 5), map[string]any{"components": 1, "folds": 5}},
		{"restab", compare.DefaultParams(), value(compare.ReStA(x, y)), map[string]any{"dissimilarity": "cosine"}},
	} {
		m, err := compare.Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Compare(compare.Responses{X: x}, compare.Responses{X: y}, c.p, nil)
		if err != nil || r.Value != c.want || r.Undefined != "" || r.Stimuli != 20 || r.Permuted != (c.p.Permutations > 0) || r.Permuted && !(r.P > 0 && r.P <= 1) {
			t.Errorf("%s: %+v, %v; want %v", c.name, r, err, c.want)
		}
		if used := m.Used(c.p); !reflect.DeepEqual(used, c.used) {
			t.Errorf("%s uses %v, want %v", c.name, used, c.used)
		}
	}
}

// Distances of spike trains by name, each with its own parameter.
func TestMetricsOfSpikes(t *testing.T) {
	var trials []compare.Trials
	for i := range 5 {
		trials = append(trials, compare.Trials{{spike.Train{Times: []float64{1, 2 + 0.3*float64(i*i), 9}, Stop: 10}}})
	}
	side := compare.Responses{X: mat.NewDense(5, 1, []float64{3, 3, 3, 3, 3}), Trials: trials}
	m, err := compare.Lookup("rsa-spearman")
	if err != nil {
		t.Fatal(err)
	}
	for name, param := range map[string]string{"van-rossum": "tau", "victor-purpura": "cost", "isi": "", "spike": ""} {
		p := compare.DefaultParams()
		p.Dissimilarity, p.Distance, p.Tau, p.Cost = "spikes", name, "10", "0.1"
		r, err := m.Compare(side, side, p, nil)
		if err != nil || math.Abs(r.Value-1) > 1e-12 {
			t.Errorf("%s with itself: %+v, %v", name, r, err)
		}
		want := map[string]any{"dissimilarity": "spikes", "distance": name}
		if param != "" {
			want[param] = map[string]float64{"tau": 10, "cost": 0.1}[param]
		}
		if used := m.Used(p); !reflect.DeepEqual(used, want) {
			t.Errorf("%s uses %v, want %v", name, used, want)
		}
	}
}

// Mistakes of who asks are told from those of the data.
func TestMetricErrors(t *testing.T) {
	x := compare.Responses{Name: "a.npz", X: gaussian(1, 6, 3)}
	silent := compare.Responses{Name: "s.npz", X: mat.DenseCopyOf(x.X)}
	silent.X.SetRow(0, make([]float64, 3))
	set := func(change func(*compare.Params)) compare.Params {
		p := compare.DefaultParams()
		change(&p)
		return p
	}
	for _, c := range []struct {
		metric, want string
		b            compare.Responses
		p            compare.Params
	}{
		{"rsa-spearman", "6 stimuli, b.npz has 5", compare.Responses{Name: "b.npz", X: gaussian(1, 5, 3)}, compare.DefaultParams()},
		{"rsa-spearman", `did you mean "euclidean"`, x, set(func(p *compare.Params) { p.Dissimilarity = "euclidian" })},
		{"rsa-spearman", "holds no spike trains", x, set(func(p *compare.Params) { p.Dissimilarity = "spikes" })},
		{"rsa-kendall", "want a or b", x, set(func(p *compare.Params) { p.Kendall = "c" })},
		{"rsa-cosine", "-1 permutations, want 0 to 1048576", x, set(func(p *compare.Params) { p.Permutations = -1 })},
		{"rsa-cosine", "100000000000 permutations, want 0 to 1048576", x, set(func(p *compare.Params) { p.Permutations = 100_000_000_000 })},
		{"cka-linear", "permutations are not for the metric cka-linear", x, set(func(p *compare.Params) { p.Permutations = 10 })},
		{"rsa-cosine", "no permutations where", silent, set(func(p *compare.Params) { p.Dissimilarity, p.Permutations = "cosine", 10 })},
		{"ridge", "9 folds of 6", x, set(func(p *compare.Params) { p.Folds = 9 })},
	} {
		m, err := compare.Lookup(c.metric)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Compare(x, c.b, c.p, nil); !errors.Is(err, compare.ErrParams) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a mistake in the parameters, %q", c.metric, err, c.want)
		}
	}
	bad := compare.Responses{X: mat.NewDense(3, 1, []float64{1, math.NaN(), 2})}
	m, err := compare.Lookup("cka-linear")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Compare(bad, bad, compare.DefaultParams(), nil); err == nil || errors.Is(err, compare.ErrParams) {
		t.Errorf("NaN: %v, want an error of the data", err)
	}
	if _, err := (compare.Metric{}).Compare(x, x, compare.DefaultParams(), nil); !errors.Is(err, compare.ErrParams) {
		t.Errorf("an empty metric: %v", err)
	}
}
