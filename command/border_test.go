package command

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/command/conversion"
	"synfire/distance"
	"synfire/spike"
)

// full is a standard error that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A sample that cannot be read is exit code 1, though nobody can be told of it.
func TestPredictThatCannotTell(t *testing.T) {
	m := modelOf(t, classes(1, 1, 2), "data: {npz: x.npz}"+readoutNet)
	var out bytes.Buffer
	if code := testProgram().Execute([]string{"predict", m, write(t, "bad.csv", "0.5,a\n")}, &out, full{}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

// An interrupted measurement says how far it came: its values are not those of the file.
func TestInterruptedDistance(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	a := newApp(ctx, testProgram(), &out, &out)
	c := distanceCmd{File: write(t, "two.json", twoCases), Metric: "isi"}
	if err := c.Run(a); err == nil || !strings.Contains(err.Error(), "interrupted; 1 of 2 recordings were begun") {
		t.Errorf("%v", err)
	}
}

// What a metric cannot measure is an error of the whole recording.
func TestMetricThatFails(t *testing.T) {
	fail := errors.New("it cannot be measured")
	one := func([]spike.Train) (float64, error) { return 1, nil }
	for name, c := range map[string]struct {
		cmd distanceCmd
		m   measurement
	}{
		"value":   {distanceCmd{}, measurement{value: func([]spike.Train) (float64, error) { return 0, fail }}},
		"matrix":  {distanceCmd{Matrix: true}, measurement{value: one, matrix: func([]spike.Train) ([][]float64, float64, error) { return nil, 0, fail }}},
		"profile": {distanceCmd{Profile: true}, measurement{value: one, profile: func([]spike.Train) (distance.Profile, error) { return distance.Profile{}, fail }}},
		"spikes":  {distanceCmd{Profile: true, Metric: "directionality"}, measurement{value: one, spikes: func([]spike.Train) ([][]float64, error) { return nil, fail }}},
		"sorting": {distanceCmd{}, measurement{value: one, sorting: func([]spike.Train) (distance.Sorting, error) { return distance.Sorting{}, fail }}},
	} {
		if _, err := c.cmd.measure(c.m, nil, nil); !errors.Is(err, fail) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A unit without a spike, in a file that gives no window, has an empty raster from 0 on.
func TestRasterOfASilentUnit(t *testing.T) {
	dir := t.TempDir()
	file, svg := write(t, "a.json", `{"trains":[[],[1]]}`), filepath.Join(dir, "a.svg")
	if _, stderr, code := command("inspect", file, "--tensor", "0", "--svg", svg); code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	text, err := os.ReadFile(svg)
	if err != nil || !strings.Contains(string(text), "0 spikes") || strings.Contains(string(text), "Inf") || strings.Contains(string(text), "NaN") {
		t.Errorf("%v, %s", err, text)
	}
}

// One sample is enough to find scales by.
func TestConvertBySamples(t *testing.T) {
	for samples, want := range map[int]string{-1: "--samples", 0: "--samples", 1: "", 500: ""} {
		c := conversion.Convert{Method: []string{"data"}, Steps: []int{1}, Delay: "auto", Samples: samples}
		if err := c.Validate(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d samples: %v", samples, err)
		}
	}
}
