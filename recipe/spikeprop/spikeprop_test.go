package spikeprop

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/spikeprop"
	"synfire/sample"
	"synfire/train"
)

// Half splits have half of each class, and no sample twice.
func TestHalves(t *testing.T) {
	labels := []int{0, 0, 0, 1, 1, 1, 1, 1, 2, 2}
	train, test := halves(labels, 3, 1)
	count := func(part []int) (n [3]int) {
		for _, i := range part {
			n[labels[i]]++
		}
		return n
	}
	if a, b := count(train), count(test); a != [3]int{1, 3, 1} || b != [3]int{2, 2, 1} {
		t.Errorf("classes %v and %v", a, b)
	}
	all := append(train, test...)
	slices.Sort(all)
	for i, v := range all {
		if i != v {
			t.Fatalf("samples %v", all)
		}
	}
}

// Ridge regression of two inputs by hand: XᵀX + I = [[3, 1], [1, 3]], XᵀY of the classes
// (2, 1) and (0, 1), so W = [[5/8, −1/8], [1/8, 3/8]].
func TestLinear(t *testing.T) {
	rows := [][]float64{{1, 0}, {1, 1}, {0, 1}, {0, 2}, {3, 1}}
	a, err := linear(func(i int) []float64 { return rows[i] }, []int{0, 0, 1, 1, 0}, 2, []int{0, 1, 2}, []int{3, 4})
	if err != nil || a != 100 {
		t.Errorf("%v, %v", a, err)
	}
	m := [][]float64{{3, 1, 2, 0}, {1, 3, 1, 1}}
	if err := solve(m, 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float64{{5.0 / 8, -1.0 / 8}, {1.0 / 8, 3.0 / 8}} {
		for c, v := range want {
			if math.Abs(m[i][2+c]-v) > 1e-12 {
				t.Errorf("weights %v", m)
			}
		}
	}
	if solve([][]float64{{0, 1}}, 1) == nil {
		t.Error("equations without a solution are solved")
	}
}

// Without the input at 0, E of (0, 0) and (6, 6) is 9 at least.
func TestControl(t *testing.T) {
	c, err := xor(t.Context(), 1, spikeprop.Plain, 1, false)
	if err != nil || c.solved(cycles+1) || slices.Min(c.e) < 9 {
		t.Errorf("E %v, %v", slices.Min(c.e), err)
	}
}

// Trains of a seed that settings were chosen on are met; what is off is the worst pair.
func TestFollow(t *testing.T) {
	f, err := follow(t.Context(), 2001)
	if err != nil || !f.solved() || worst(f.first, f.wanted) < near || worst(f.last, f.wanted) >= near {
		t.Errorf("%+v, %v", f, err)
	}
	if worst([]float64{1, 2}, []float64{1.5, 2}) != 0.5 || !math.IsInf(worst([]float64{1}, nil), 1) {
		t.Error("the worst pair")
	}
}

func TestRun(t *testing.T) {
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: par.New(1), Data: data.DefaultOptions()}
	for _, name := range []string{"iris", "wisconsin"} {
		if d, err := e.Catalog.Dataset(name); err != nil || d.Verify(e.Data) != nil {
			t.Skip(name, "is not on this machine:", err)
		}
	}
	r := Recipe()
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Measured["xor"].Values) != 2 || len(o.Measured["iris"].Values) != 1 || o.Measured["wisconsin"].Values[0] < 60 {
		t.Errorf("measured %+v", o.Measured)
	}
	page := o.Page(report.Run{})
	if page.Lead == "" || len(page.Sections) != 4 || len(page.Sections[0].Figures) != 3 {
		t.Errorf("page %+v", page)
	}
	e.Scale = "long"
	if _, err := r.Run(t.Context(), e); err == nil {
		t.Error("a scale that there is not is run")
	}
}

// Without a table its claim is left with the reason, and the rest is run.
func TestMissingTables(t *testing.T) {
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: par.New(1), Observer: train.None{}}
	for i, d := range e.Catalog.Datasets {
		if d.Name == "iris" || d.Name == "wisconsin" {
			e.Catalog.Datasets[i].Load = func(context.Context, data.Options) (sample.Source, sample.Source, error) {
				return nil, nil, errors.New("no network")
			}
		}
	}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if why := o.Measured["wisconsin"].Why; !strings.Contains(why, "no network") || o.Measured["iris"].Why == "" || len(o.Measured["xor"].Values) != 2 {
		t.Errorf("measured %+v", o.Measured)
	}
}
