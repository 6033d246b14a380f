package recording_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/distance/recording"
	"synfire/format/hdf5"
	"synfire/format/npz"
)

func put(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func npy(t *testing.T, a npz.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npz.WriteNPY(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func nwb(t *testing.T, arrays map[string]*hdf5.Array) string {
	t.Helper()
	units := &hdf5.Object{Name: "units"}
	for _, name := range []string{"id", "spike_times", "spike_times_index"} {
		if a := arrays[name]; a != nil {
			units.Children = append(units.Children, &hdf5.Object{Name: name, Array: a})
		}
	}
	path := filepath.Join(t.TempDir(), "x.nwb")
	if err := hdf5.WriteFile(path, &hdf5.Object{Children: []*hdf5.Object{units}}); err != nil {
		t.Fatal(err)
	}
	return path
}

func phy(t *testing.T, params string, times, clusters npz.Array) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "params.py", []byte(params))
	put(t, dir, "spike_times.npy", npy(t, times))
	put(t, dir, "spike_clusters.npy", npy(t, clusters))
	return dir
}

// Units, silent ones too, and their spikes as other systems write them.
func TestOtherSystems(t *testing.T) {
	for what, c := range map[string]struct {
		path  string
		names []string
		times [][]float64
	}{
		"NWB": {nwb(t, map[string]*hdf5.Array{"spike_times": hdf5.F64([]float64{0.5, 2, 1}, 3), "spike_times_index": hdf5.I64([]int64{2, 2, 3}, 3), "id": hdf5.I64([]int64{7, 8, 11}, 3)}),
			[]string{"7", "8", "11"}, [][]float64{{0.5, 2}, {}, {1}}},
		"Phy": {phy(t, "dat_path = 'x'\nsample_rate = 20000.  # Hz\n", npz.I64([]int64{10000, 20000, 30000}, 3, 1), npz.I64([]int64{4, 2, 4}, 3)),
			[]string{"4", "2"}, [][]float64{{0.5, 1.5}, {1}}},
		"MATLAB": {filepath.Join("..", "..", "format", "mat", "testdata", "cells.mat"), []string{"1", "2", "3"}, [][]float64{{0.25, 1.5, 2}, {}, {3, 1000}}},
		"matrix": {put(t, t.TempDir(), "m.npy", npy(t, npz.U8([]uint8{0, 1, 1, 0, 0, 0}, 2, 3))),
			[]string{"0", "1"}, [][]float64{{1, 2}, {}}},
	} {
		list, many, err := recording.Read(c.path, recording.Options{})
		if err != nil || many || !slices.Equal(list[0].Names(), c.names) {
			t.Errorf("%s: %+v, %v", what, list, err)
			continue
		}
		for i, train := range list[0].Trains {
			if !slices.Equal(train.Times, c.times[i]) {
				t.Errorf("%s: unit %d %v, want %v", what, i, train.Times, c.times[i])
			}
		}
	}
}

func TestOtherSystemsDamaged(t *testing.T) {
	times := npz.I64([]int64{1, 2}, 2)
	for want, path := range map[string]string{
		"spike_times_index: unit 1": nwb(t, map[string]*hdf5.Array{"spike_times": hdf5.F64([]float64{1}, 1), "spike_times_index": hdf5.I64([]int64{1, 3}, 2)}),
		"the units end at 1":        nwb(t, map[string]*hdf5.Array{"spike_times": hdf5.F64([]float64{1, 2}, 2), "spike_times_index": hdf5.I64([]int64{1}, 1)}),
		"want the units of an NWB":  nwb(t, nil),
		"no line sample_rate":       phy(t, "x = 1\n", times, times),
		`sample_rate is "fast"`:     phy(t, "sample_rate = fast\n", times, times),
		"2 times and 1 units":       phy(t, "sample_rate = 1\n", times, npz.I64([]int64{1}, 1)),
		"want one number for each":  phy(t, "sample_rate = 1\n", npz.I64([]int64{1, 2, 3, 4}, 2, 2), times),
		"no MATLAB file":            put(t, t.TempDir(), "m.mat", []byte("unit,time")),
		"unit 0 has 2 in step 1":    put(t, t.TempDir(), "m.npy", npy(t, npz.U8([]uint8{0, 2}, 1, 2))),
		"its shape is [2]":          put(t, t.TempDir(), "m.npy", npy(t, npz.U8([]uint8{0, 1}, 2))),
		"no such file":              filepath.Join(t.TempDir(), "x.npy"),
	} {
		if _, _, err := recording.Read(path, recording.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
