package rdms

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
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

func TestErrors(t *testing.T) {
	path := file(t)
	for want, c := range map[string]RDM{
		"3 stimuli, the":  {Subjects: []string{path + ":s"}, Model: []string{path + ":three"}},
		"name one":        {Subjects: []string{path}, Model: []string{path + ":m"}},
		"two models":      {Subjects: []string{path + ":s"}, Model: []string{path + ":m", path + ":m"}},
		"take one":        {Subjects: []string{path + ":s"}, Model: []string{"a=" + path + ":m"}},
		"number from 0":   {Subjects: []string{path + ":s"}, Model: []string{path + ":m:7"}},
		"none.npy":        {Subjects: []string{"none.npy"}, Model: []string{path + ":m"}},
		"brain-92images":  {Subjects: []string{"brain-92images:models"}, Model: []string{path + ":m"}},
		"subject 3 is of": {Subjects: []string{path + ":s", path + ":three"}, Model: []string{path + ":m"}},
	} {
		if _, err := run(t, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
	for _, c := range []RDM{{Resamples: 1}, {Resamples: 10, Figure: "a.pdf"}} {
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
