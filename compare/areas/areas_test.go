package areas_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/areas"
	"synfire/internal/par"
	"synfire/internal/rng"
)

func gaussian(seed uint64, n, p int) *mat.Dense {
	s := rng.New(seed, "areas test").Source()
	x := mat.NewDense(n, p, nil)
	x.Apply(func(int, int, float64) float64 { return s.Norm() }, x)
	return x
}

// weights of a score that is their mean over the stimuli.
var weights = [][]float64{{1, -2, 3, 0, -1, 2}, {0, 2, -1, 1, 3, -2}, {2, 1, 0, -3, 1, 1.5}}

func meanWeight(layer, _ int, stimuli []int) (float64, error) {
	sum := 0.0
	for _, i := range stimuli {
		sum += weights[layer][i]
	}
	return sum / float64(len(stimuli)), nil
}

// Of six stimuli there are ten divisions. The mean over them by a script that lists all: for each
// half the layer with the largest mean weight, and its mean on the rest,
//
//	for st in combinations(range(6), 3): s = [mean(w[i] for i in st) for w in W]; k = argmax(s)
//
// is −0.2583, with the layers chosen by 7, 9 and 4 of the 20 halves; the largest mean over all stimuli,
// which chose itself, is 0.5.
func TestDivisions(t *testing.T) {
	got, err := areas.Map([]string{"one", "two", "three"}, []string{"IT"}, 6, meanWeight, areas.Options{Splits: 4000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := got[0]
	if math.Abs(*r.Score+0.2583333333) > 0.03 || r.Layer != "two" || r.Left != 0 {
		t.Errorf("%v by layer %s", *r.Score, r.Layer)
	}
	for l, want := range []float64{0.35, 0.45, 0.2} {
		if math.Abs(r.Chosen[l]-want) > 0.03 {
			t.Errorf("layer %d is chosen by %v of the halves, want %v", l, r.Chosen[l], want)
		}
	}
	if *r.ByLayer[0] != 0.5 || !(*r.Low < *r.Score && *r.Score < *r.High) {
		t.Errorf("%+v", r)
	}
}

// A score that no stimuli change has an interval of no width, and threads change nothing.
func TestConstantScore(t *testing.T) {
	score := func(layer, area int, _ []int) (float64, error) { return float64((layer+area)%3) / 4, nil }
	pool := par.New(3)
	defer pool.Close()
	one, err := areas.Map([]string{"a", "b", "c"}, []string{"V1", "V4", "IT"}, 10, score, areas.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []string{"c", "b", "a"} {
		if r := one[k]; r.Layer != want || *r.Score != 0.5 || *r.Low != 0.5 || *r.High != 0.5 {
			t.Errorf("%+v, want layer %s", r, want)
		}
	}
	if many, err := areas.Map([]string{"a", "b", "c"}, []string{"V1", "V4", "IT"}, 10, score, areas.Options{Pool: pool}); err != nil || !reflect.DeepEqual(one, many) {
		t.Errorf("three threads differ from one, %v", err)
	}
}

// responses of two layers, and of two areas: each follows one of the layers, noisily.
func responses() (layers, list []compare.Responses) {
	for k := range uint64(2) {
		x := gaussian(k, 30, 6)
		var y mat.Dense
		y.Mul(x, gaussian(10+k, 6, 5))
		noise := gaussian(20+k, 30, 5)
		noise.Scale(0.3, noise)
		y.Add(&y, noise)
		layers = append(layers, compare.Responses{Name: fmt.Sprint("layer ", k), X: x})
		list = append(list, compare.Responses{Name: fmt.Sprint("area ", k), X: &y})
	}
	slices.Reverse(list)
	return layers, list
}

var names = []string{"layer 0", "layer 1"}

func mapped(t *testing.T, metric string, p compare.Params, layers, list []compare.Responses) []areas.Result {
	t.Helper()
	m, err := compare.Lookup(metric)
	if err != nil {
		t.Fatal(err)
	}
	score, err := areas.By(m, layers, list, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := areas.Map(names, []string{"area 1", "area 0"}, 30, score, areas.Options{Splits: 4, Resamples: 6, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Each area finds its layer by each metric; neither the scale of a side nor the order of units and
// of stimuli (of dissimilarities) changes that.
func TestBy(t *testing.T) {
	layers, list := responses()
	for _, metric := range []string{"rsa-spearman", "rsa-cosine", "ridge", "pls"} {
		p := compare.DefaultParams()
		before := mapped(t, metric, p, layers, list)
		for k, r := range before {
			if want := names[1-k]; r.Layer != want || r.Chosen[1-k] < 0.9 || !(*r.Low < *r.Score && *r.Score < *r.High && *r.Score > 0.3) {
				t.Errorf("%s: %+v, want %s: %v, %v to %v", metric, r, want, *r.Score, *r.Low, *r.High)
			}
		}
		var other []compare.Responses
		for _, r := range layers {
			x := mat.NewDense(30, 6, nil)
			for j := range 6 {
				x.SetCol(5-j, mat.Col(nil, j, r.X))
			}
			x.Scale(8, x)
			other = append(other, compare.Responses{Name: r.Name, X: x})
		}
		p.Penalty *= 64 // ten times as large responses need a hundred times the penalty
		for k, r := range mapped(t, metric, p, other, list) {
			if b := before[k]; r.Layer != b.Layer || math.Abs(*r.Score-*b.Score) > 1e-9 || math.Abs(*r.High-*b.High) > 1e-9 {
				t.Errorf("%s, scaled and in another order: %v by %s, before %v by %s", metric, *r.Score, r.Layer, *b.Score, b.Layer)
			}
		}
	}
}

// Six stimuli are enough for halves of three, each of which is left out in turn.
func TestFew(t *testing.T) {
	x := []compare.Responses{{Name: "six", X: mat.NewDense(6, 2, []float64{1, 0, 0, 2, 3, 1, 4, 4, 2, 7, 5, 1})}}
	p := compare.DefaultParams()
	p.Folds = 2
	for _, metric := range []string{"ridge", "pls"} {
		m, err := compare.Lookup(metric)
		if err != nil {
			t.Fatal(err)
		}
		score, err := areas.By(m, x, x, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := areas.Map([]string{"l"}, []string{"a"}, 6, score, areas.Options{Resamples: 50}); err != nil {
			t.Errorf("%s: %v", metric, err)
		}
	}
}

// A layer that answers to everything alike is not chosen; of such layers alone there is no score.
func TestUndefined(t *testing.T) {
	layers, list := responses()
	layers[1].X = mat.NewDense(30, 6, nil)
	for _, metric := range []string{"rsa-spearman", "ridge", "pls"} {
		got := mapped(t, metric, compare.DefaultParams(), layers, list)
		if r := got[0]; r.ByLayer[1] != nil || r.Layer != "layer 0" || r.Score == nil {
			t.Errorf("%s: %+v", metric, r)
		}
		flat := []compare.Responses{layers[1], layers[1]}
		if r := mapped(t, metric, compare.DefaultParams(), flat, list)[0]; r.Score != nil || r.Low != nil || r.Layer != "" || r.Why == "" || r.Left != 8 {
			t.Errorf("%s of layers without an answer: %+v", metric, r)
		}
	}
}

func TestErrors(t *testing.T) {
	layers, list := responses()
	cka, err := compare.Lookup("cka-linear")
	if err != nil {
		t.Fatal(err)
	}
	few := []compare.Responses{{Name: "few", X: gaussian(1, 4, 2)}}
	p := compare.DefaultParams()
	for want, f := range map[string]func() error{
		"0 layers":      func() error { _, err := areas.Map(nil, names, 9, meanWeight, areas.Options{}); return err },
		"at least 6":    func() error { _, err := areas.Map(names, names, 5, meanWeight, areas.Options{}); return err },
		"-1 divisions":  func() error { _, err := areas.Map(names, names, 6, meanWeight, areas.Options{Splits: -1}); return err },
		"no mapping by": func() error { _, err := areas.By(cka, layers, list, p, nil); return err },
		"few has 4":     func() error { _, err := areas.By(cka, layers, few, p, nil); return err },
		"area V1: no": func() error {
			_, err := areas.Map(names, []string{"V1"}, 6, func(int, int, []int) (float64, error) { return 0, fmt.Errorf("no data") }, areas.Options{})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
}

// Which of two layers is like the area? The one whose dissimilarities it has.
func Example() {
	area := compare.Responses{Name: "IT", X: mat.NewDense(8, 1, []float64{1, 2, 4, 7, 11, 16, 22, 29})}
	layers := []compare.Responses{{Name: "first", X: mat.NewDense(8, 1, []float64{3, 1, 4, 1, 5, 9, 2, 6})}, {Name: "last", X: area.X}}
	metric, err := compare.Lookup("rsa-spearman")
	if err != nil {
		fmt.Println(err)
		return
	}
	score, err := areas.By(metric, layers, []compare.Responses{area}, compare.DefaultParams(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := areas.Map([]string{"first", "last"}, []string{"IT"}, 8, score, areas.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %s, %.2f\n", found[0].Area, found[0].Layer, *found[0].Score)
	// Output: IT: last, 1.00
}
