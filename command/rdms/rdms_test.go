package rdms

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/format/npz"
	"synfire/internal/shared"
	"synfire/view"
)

// file writes RDMs of four stimuli: two subjects, and two models of which the first is like
// them.
func file(t *testing.T) string {
	t.Helper()
	square := func(v ...float64) []float64 {
		return []float64{0, v[0], v[1], v[2], v[0], 0, v[3], v[4], v[1], v[3], 0, v[5], v[2], v[4], v[5], 0}
	}
	path := filepath.Join(t.TempDir(), "r.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	subjects := append(square(1, 2, 3, 4, 5, 6), square(1, 2, 3, 4, 6, 5)...)
	models := append(square(1, 2, 3, 4, 5, 6), square(6, 5, 4, 3, 2, 1)...)
	if err := npz.Write(f, map[string]npz.Array{"s": npz.F64(subjects, 2, 4, 4), "m": npz.F64(models, 2, 4, 4), "three": npz.F64(make([]float64, 9), 3, 3)}); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, c RDM) (string, error) {
	t.Helper()
	var out bytes.Buffer
	if c.Similarity == "" {
		c.Similarity = "spearman"
	}
	c.Correction, c.Resamples, c.Seed = "holm", 20, 1
	err := c.Run(Env{Screen: view.NewScreen(&out, io.Discard), Context: t.Context(), Data: data.Options{CacheDir: t.TempDir(), Proxies: "off"}})
	return out.String(), err
}

func TestRun(t *testing.T) {
	path := file(t)
	picture := filepath.Join(t.TempDir(), "p.svg")
	out, err := run(t, RDM{Subjects: []string{path + ":s"}, Model: []string{"good=" + path + ":m:0", path + ":m:1"}, JSON: true, Figure: picture})
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	// Spearman of one adjacent swap among six is 33/35
	if r.Rows[0].Model != "good" || r.Rows[0].Subjects[0] != 1 || r.Subjects != 2 || r.Stimuli != 4 || len(r.Pairs) != 1 || *r.Lower > *r.Upper {
		t.Errorf("%+v", r)
	}
	if src, err := os.ReadFile(picture); err != nil || !strings.Contains(string(src), "noise ceiling") {
		t.Errorf("%v", err)
	}
	out, err = run(t, RDM{Subjects: []string{path + ":s"}, Model: []string{path + ":m"}})
	if err != nil || !strings.Contains(out, "r.npz:m:0") || !strings.Contains(out, "noise ceiling") {
		t.Errorf("%v in\n%s", err, out)
	}
}

// Geometries: a model with noise that all stimuli have alike is the data, and nothing is tested against 0.
func TestGeometries(t *testing.T) {
	points := [][2]float64{{0, 0}, {1, 0.5}, {3, 1}, {2, 4}, {5, 2}, {4, 7}}
	data, noisy, others := make([]float64, 36), make([]float64, 36), make([]float64, 36)
	for i, a := range points {
		for j, b := range points {
			if i != j {
				data[6*i+j] = 1 + (a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1])
				noisy[6*i+j] = 3 * (data[6*i+j] - 0.5)
				others[6*i+j] = 8 / data[6*i+j]
			}
		}
	}
	path := filepath.Join(t.TempDir(), "g.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npz.Write(f, map[string]npz.Array{"s": npz.F64(append(slices.Clone(data), data...), 2, 6, 6), "m": npz.F64(append(noisy, others...), 2, 6, 6)}); err != nil {
		t.Fatal(err)
	}
	for _, similarity := range []string{"bures", "riemann"} {
		out, err := run(t, RDM{Subjects: []string{path + ":s"}, Model: []string{path + ":m"}, Similarity: similarity, JSON: true})
		if err != nil {
			t.Fatal(err)
		}
		var r result
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		best := r.Rows[0]
		if best.Model != "g.npz:m:0" || similarity == "riemann" && best.Mean < -1e-5 || best.P != nil || best.PT != nil || best.PRank != nil || r.Pairs[0].P == nil || r.Pairs[0].PT == nil {
			t.Errorf("%s: %s", similarity, out)
		}
	}
}

// sixes writes RDMs of six stimuli: two subjects who are alike, and two parts of which they are
// made, 3 to 1.
func sixes(t *testing.T) string {
	t.Helper()
	a, b := make([]float64, 36), make([]float64, 36)
	for i := range 6 {
		for j := range 6 {
			if i != j {
				a[6*i+j], b[6*i+j] = float64((i-j)*(i-j)), float64((3*i+5*j+3*j*i+5*i)%11+1)
			}
		}
	}
	mix := make([]float64, 36)
	for i := range 6 {
		for j := range i {
			b[6*i+j] = b[6*j+i]
		}
	}
	for k := range mix {
		mix[k] = 3*a[k] + b[k]
	}
	path := filepath.Join(t.TempDir(), "six.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npz.Write(f, map[string]npz.Array{"s": npz.F64(append(slices.Clone(mix), mix...), 2, 6, 6), "m": npz.F64(append(slices.Clone(a), b...), 2, 6, 6)}); err != nil {
		t.Fatal(err)
	}
	return path
}

// Fitted models find the mixture on what they were not fitted to, where no part reaches it.
func TestFitted(t *testing.T) {
	path := sixes(t)
	for hold, said := range map[string]string{"": "both", "subjects": "subjects", "stimuli": "stimuli"} {
		out, err := run(t, RDM{Subjects: []string{path + ":s"}, Model: []string{"a=" + path + ":m:0"}, Weighted: []string{"mix=" + path + ":m:0", "mix=" + path + ":m:1"},
			Linear: []string{path + ":m"}, Select: []string{path + ":m"}, Interp: []string{path + ":m"}, Similarity: "cosine", HoldOut: hold, JSON: true})
		if err != nil {
			t.Fatal(err)
		}
		var r result
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if r.HoldOut != said || len(r.Rows) != 5 {
			t.Errorf("%+v", r)
		}
		for _, m := range r.Rows {
			// 3 and 1 by their root of 10; a share of 3/4
			if full := m.Model == "mix" || m.Model == "linear"; full && (math.Abs(m.Mean-1) > 1e-9 || math.Abs(m.Weights[0]-3/math.Sqrt(10)) > 1e-9 || len(m.Parts) != 2) || !full && m.Kind == "fixed" && m.Mean > 0.999 {
				t.Errorf("held out %s: %+v", said, m)
			}
			if m.Model == "interpolate" && m.Mean < 1-1e-6 {
				t.Errorf("held out %s: %+v", said, m)
			}
		}
	}
	out, err := run(t, RDM{Subjects: []string{path + ":s:0"}, Select: []string{path + ":m"}})
	if err != nil || !strings.Contains(out, "held out: stimuli;") || !strings.Contains(out, "select, select; weights") {
		t.Errorf("%v in\n%s", err, out)
	}
	if out, err = run(t, RDM{Subjects: []string{path + ":s"}, Select: []string{path + ":m"}}); err != nil || !strings.Contains(out, "held out: subjects and stimuli;") {
		t.Errorf("%v in\n%s", err, out)
	}
}

func TestErrors(t *testing.T) {
	path := file(t)
	for want, c := range map[string]RDM{
		"3 stimuli, the":          {Subjects: []string{path + ":s"}, Model: []string{path + ":three"}},
		"name one":                {Subjects: []string{path}, Model: []string{path + ":m"}},
		"two models":              {Subjects: []string{path + ":s"}, Model: []string{path + ":m", path + ":m"}},
		"take one":                {Subjects: []string{path + ":s"}, Model: []string{"a=" + path + ":m"}},
		"number from 0":           {Subjects: []string{path + ":s"}, Model: []string{path + ":m:7"}},
		"none.npy":                {Subjects: []string{"none.npy"}, Model: []string{path + ":m"}},
		"brain-92images":          {Subjects: []string{"brain-92images:models"}, Model: []string{path + ":m"}},
		"two models \"m\"":        {Subjects: []string{path + ":s"}, Model: []string{"m=" + path + ":m:0"}, Select: []string{"m=" + path + ":m"}},
		"want at least 2 to hold": {Subjects: []string{path + ":s:0"}, Select: []string{path + ":m"}, HoldOut: "both"},
		"at least 6":              {Subjects: []string{path + ":s"}, Select: []string{path + ":m"}},
		"subject 3 is of":         {Subjects: []string{path + ":s", path + ":three"}, Model: []string{path + ":m"}},
	} {
		if _, err := run(t, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
	if ok := (&RDM{Resamples: 10, Linear: []string{"a"}}).Validate(); ok != nil {
		t.Error(ok)
	}
	for _, c := range []RDM{{Resamples: 1, Model: []string{"a"}}, {Resamples: 10, Model: []string{"a"}, Figure: "a.pdf"}, {Resamples: 10}, {Resamples: 10, Select: []string{"a"}, HoldOut: "nothing"}} {
		if c.Validate() == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// The data set's arrays: four subjects, sessions averaged, and a model by its name.
func TestBrains(t *testing.T) {
	e := Env{Context: t.Context(), Data: data.Options{DataDir: filepath.Dir(shared.File(t, "data/brain-92images.zip"))}}
	list, _, err := load(e, "brain-92images:human_it_sessions")
	if err != nil || len(list) != 4 || list[0].N != 92 {
		t.Fatalf("%d RDMs, %v", len(list), err)
	}
	one, names, err := load(e, "brain-92images:models:HMAX")
	if err != nil || len(one) != 1 || names[0] != "HMAX" {
		t.Errorf("%v, %v", names, err)
	}
	if _, _, err := load(e, "brain-92images:models:HMX"); err == nil || !strings.Contains(err.Error(), "HMAX") {
		t.Errorf("%v", err)
	}
}
