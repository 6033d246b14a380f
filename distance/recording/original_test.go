package recording_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/distance/recording"
	"synfire/format/hdf5"
)

// original is the recording of a file, with all trials.
func original(path string) (units, trials []string, times [][]float64, window *[2]float64, err error) {
	list, _, err := recording.Read(path, recording.Options{Every: true})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	for _, t := range list[0].Trains {
		units, times = append(units, t.Unit), append(times, t.Times)
	}
	return units, list[0].Trials, times, list[0].Window, nil
}

// Units, and units of trials, as R saves them; a silent unit and a silent trial stay.
func TestRDA(t *testing.T) {
	units, trials, times, _, err := original("../../format/rda/testdata/gzip.rda")
	if want := [][]float64{{0.5, 1.25}, {}, {2, 3, 4.5}}; err != nil || trials != nil || !reflect.DeepEqual(times, want) || units[2] != "neuron 3" {
		t.Errorf("%q, %q, %v, %v", units, trials, times, err)
	}
	units, trials, times, _, err = original("../../format/rda/testdata/bzip2.rda")
	if want := [][]float64{{1, 2}, {3}, {}, {0.25, 0.5}}; err != nil || !reflect.DeepEqual(trials, []string{"stim. 1", "stim. 2"}) || !reflect.DeepEqual(times, want) || !reflect.DeepEqual(units, []string{"a", "a", "b", "b"}) {
		t.Errorf("%q, %q, %v, %v", units, trials, times, err)
	}
	for name, want := range map[string]string{"xz.rda": "found 0 objects of spike trains", "ascii.rda": "want XDR"} {
		if _, _, _, _, err := original("../../format/rda/testdata/" + name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestHDF5(t *testing.T) {
	write := func(arrays map[string]*hdf5.Array) string {
		root := &hdf5.Object{}
		for _, name := range []string{"names", "recordingtime", "sCount", "spikes"} {
			if a := arrays[name]; a != nil {
				root.Children = append(root.Children, &hdf5.Object{Name: name, Array: a})
			}
		}
		path := filepath.Join(t.TempDir(), "wave.h5")
		if err := hdf5.WriteFile(path, root); err != nil {
			t.Fatal(err)
		}
		return path
	}
	spikes, counts := hdf5.F64([]float64{1, 2, 0.5}, 3), hdf5.I64([]int64{2, 0, 1}, 3)
	units, _, times, window, err := original(write(map[string]*hdf5.Array{"spikes": spikes, "sCount": counts, "names": hdf5.Strings([]string{"a", "b", "c"}, 3), "recordingtime": hdf5.F64([]float64{0, 9}, 2)}))
	if want := [][]float64{{1, 2}, {}, {0.5}}; err != nil || !reflect.DeepEqual(times, want) || units[2] != "c" || window == nil || window[1] != 9 {
		t.Errorf("%q, %v, %v, %v", units, times, window, err)
	}
	if units, _, _, window, err := original(write(map[string]*hdf5.Array{"spikes": spikes, "sCount": counts})); err != nil || units[2] != "3" || window != nil {
		t.Errorf("%q, %v, %v", units, window, err)
	}
	for want, arrays := range map[string]map[string]*hdf5.Array{
		"no data sets spikes": {"sCount": counts},
		"1 are no unit's":     {"spikes": spikes, "sCount": hdf5.I64([]int64{2}, 1)},
		"unit 2 has 5 spikes": {"spikes": spikes, "sCount": hdf5.I64([]int64{2, 5}, 2)},
		"unit 1 has -1":       {"spikes": spikes, "sCount": hdf5.I64([]int64{-1}, 1)},
		"1 names of 3 units":  {"spikes": spikes, "sCount": counts, "names": hdf5.Strings([]string{"a"}, 1)},
		"recordingtime":       {"spikes": spikes, "sCount": counts, "recordingtime": hdf5.F64([]float64{0}, 1)},
	} {
		if _, _, _, _, err := original(write(arrays)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Text with names first is NeuroExplorer's, also in a file that ends in .txt; its own binary form
// is told.
func TestNEX(t *testing.T) {
	for name, text := range map[string]string{"plexon.txt": "SPK01a\tSPK01b\n1\t2\n3\n", "pairs": "SPK01a 1\nSPK01b 2\nSPK01a 3\n"} {
		path := put(t, t.TempDir(), name, []byte(text))
		units, _, times, _, err := original(path)
		if err != nil || !reflect.DeepEqual(units, []string{"SPK01a", "SPK01b"}) || !reflect.DeepEqual(times, [][]float64{{1, 3}, {2}}) {
			t.Errorf("%s: %q, %v, %v", name, units, times, err)
		}
	}
	path := put(t, t.TempDir(), "a.nex", []byte("NEX1\x68\x00\x00\x00"))
	if _, _, _, _, err := original(path); err == nil || !strings.Contains(err.Error(), "own binary form") {
		t.Errorf("%v", err)
	}
}
