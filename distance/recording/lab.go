package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"synfire/format/hdf5"
	"synfire/format/mat"
	"synfire/format/npz"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
)

// labs are the forms of other systems, by what a path is: they are read from files and
// folders, not from standard input, and most tell no window.
var labs = map[string]func(path string) (spiketrain.Recording, error){
	"nwb":    readNWB,
	"phy":    readPhy,
	"matrix": readMatrix,
	"mat":    readMAT,
	"rda":    readRDA,
	"hdf5":   readHDF5,
}

// labOf is the form of a path of another system, "" for one of Forms.
func labOf(path string) string {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return "phy"
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".nwb":
		return "nwb"
	case ".npy":
		return "matrix"
	case ".mat":
		return "mat"
	case ".rda", ".rdata":
		return "rda"
	case ".h5", ".hdf5":
		return "hdf5"
	}
	return ""
}

// readNWB reads the units of Neurodata Without Borders: the data sets units/spike_times and
// units/spike_times_index, the number of spikes up to the end of each unit, and units/id, their
// names. Times are in seconds.
func readNWB(path string) (rec spiketrain.Recording, err error) {
	f, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		return rec, err
	}
	defer f.Close()
	read := func(name string, into func(a *hdf5.Array) error) error {
		o, err := f.Root.Find(name)
		if err == nil && o.Array == nil {
			err = errors.New("it is a group")
		}
		if err == nil {
			err = into(o.Array)
		}
		if err != nil {
			return fmt.Errorf("data set %s: %w; want the units of an NWB file", name, err)
		}
		return nil
	}
	var times []float64
	var ends, ids []int64
	err = errors.Join(
		read("units/spike_times", func(a *hdf5.Array) (err error) { times, err = a.Float64s(); return err }),
		read("units/spike_times_index", func(a *hdf5.Array) (err error) { ends, err = a.Int64s(); return err }))
	if err != nil {
		return rec, err
	}
	if o, err := f.Root.Find("units/id"); err == nil && o.Array != nil {
		if ids, err = o.Array.Int64s(); err != nil || len(ids) != len(ends) {
			return rec, fmt.Errorf("data set units/id: %d names of %d units, %v", len(ids), len(ends), err)
		}
	}
	if len(ends) > spiketrain.MaxTrains {
		return rec, fmt.Errorf("%d units, at most %d are read", len(ends), spiketrain.MaxTrains)
	}
	from := int64(0)
	for i, to := range ends {
		if to < from || to > int64(len(times)) {
			return rec, fmt.Errorf("data set units/spike_times_index: unit %d ends at spike %d, the one before at %d of %d; the file is damaged", i, to, from, len(times))
		}
		name := strconv.Itoa(i)
		if ids != nil {
			name = strconv.FormatInt(ids[i], 10)
		}
		rec.Trains = append(rec.Trains, spiketrain.Train{Unit: name, Times: times[from:to:to]})
		from = to
	}
	if from != int64(len(times)) {
		return rec, fmt.Errorf("data set units/spike_times: %d spikes, and the units end at %d; the file is damaged", len(times), from)
	}
	return rec, nil
}

// readPhy reads a folder of Phy or Kilosort: spike_times.npy in samples, spike_clusters.npy
// (else spike_templates.npy), the unit of each, and sample_rate of params.py. Times are in
// seconds.
func readPhy(dir string) (rec spiketrain.Recording, err error) {
	rate, err := sampleRate(filepath.Join(dir, "params.py"))
	if err != nil {
		return rec, err
	}
	samples, err := integers(filepath.Join(dir, "spike_times.npy"))
	if err != nil {
		return rec, err
	}
	units, err := integers(filepath.Join(dir, "spike_clusters.npy"))
	if errors.Is(err, os.ErrNotExist) {
		units, err = integers(filepath.Join(dir, "spike_templates.npy"))
	}
	if err != nil {
		return rec, err
	}
	if len(units) != len(samples) {
		return rec, fmt.Errorf("%s: %d times and %d units of spikes; want one for each spike", dir, len(samples), len(units))
	}
	var spikes spiketrain.Spikes
	for i, at := range samples {
		if err := spikes.Add(strconv.FormatInt(units[i], 10), "", 0, float64(at)/rate); err != nil {
			return rec, err
		}
	}
	return spikes.Recording()
}

func integers(path string) ([]int64, error) {
	a, err := readNPY(path)
	if err != nil {
		return nil, err
	}
	if n := len(a.Shape); n != 1 && (n != 2 || a.Shape[1] != 1) {
		return nil, fmt.Errorf("%s: its shape is %v; want one number for each spike", path, a.Shape)
	}
	v, err := a.Int64s()
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return v, err
}

func readNPY(path string) (npz.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return npz.Array{}, err
	}
	defer f.Close()
	a, err := npz.ReadNPY(bufio.NewReader(f), npz.DefaultMax)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return a, err
}

// maxParams is the largest params.py that is read, in bytes.
const maxParams = 1 << 16

// sampleRate is the number after "sample_rate =", which alone is read of the program.
func sampleRate(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(limit.Reader(f, maxParams))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(name) != "sample_rate" {
			continue
		}
		value, _, _ = strings.Cut(value, "#")
		rate, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), "."), 64)
		if err != nil || !(rate > 0) {
			return 0, fmt.Errorf("%s: sample_rate is %q; want a number above 0", path, strings.TrimSpace(value))
		}
		return rate, nil
	}
	return 0, fmt.Errorf("%s: no line sample_rate = N; times are in samples, and want it", path)
}

// readMatrix reads an NPY file of 0 and 1, units × steps: a spike of step k is at k, in the
// window [0, steps]. The unit of time is the step. Units are named by their rows.
func readMatrix(path string) (rec spiketrain.Recording, err error) {
	a, err := readNPY(path)
	if err != nil {
		return rec, err
	}
	if len(a.Shape) != 2 || a.Shape[0] < 1 || a.Shape[1] < 1 || a.Shape[0] > spiketrain.MaxTrains {
		return rec, fmt.Errorf("%s: its shape is %v; want a matrix of 0 and 1, units × steps", path, a.Shape)
	}
	v, err := a.Int64s()
	if err != nil {
		return rec, fmt.Errorf("%s: %w", path, err)
	}
	steps := a.Shape[1]
	rec.Window = &[2]float64{0, float64(steps)}
	for i := range a.Shape[0] {
		t := spiketrain.Train{Unit: strconv.Itoa(i)}
		for k, x := range v[i*steps:][:steps] {
			if x != 0 && x != 1 {
				return rec, fmt.Errorf("%s: unit %d has %d in step %d; want 0 or 1, as counts have no times", path, i, x, k)
			}
			if x == 1 {
				t.Times = append(t.Times, float64(k))
			}
		}
		rec.Trains = append(rec.Trains, t)
	}
	return rec, nil
}

// readMAT reads a MATLAB file of cells of spike times: its only cell array, with a cell for
// each unit, or units × trials. The scalars t_start and t_end are the window. Units and trials
// are named by their numbers from 1 on.
func readMAT(path string) (rec spiketrain.Recording, err error) {
	f, err := os.Open(path)
	if err != nil {
		return rec, err
	}
	defer f.Close()
	arrays, err := mat.Read(f, 0)
	if err != nil {
		return rec, err
	}
	var cells []mat.Array
	var names []string
	edges := map[string]float64{}
	for _, a := range arrays {
		names = append(names, fmt.Sprintf("%q (%s)", a.Name, a.Class))
		switch {
		case a.Cells != nil:
			cells = append(cells, a)
		case (a.Name == "t_start" || a.Name == "t_end") && len(a.Values) == 1:
			edges[a.Name] = a.Values[0]
		}
	}
	if len(cells) != 1 || len(cells[0].Shape) != 2 || len(cells[0].Cells) == 0 {
		return rec, fmt.Errorf("found %s; want one cell array, units × trials, of spike times", strings.Join(names, ", "))
	}
	if len(edges) == 2 {
		rec.Window = &[2]float64{edges["t_start"], edges["t_end"]}
	}
	units, trials := cells[0].Shape[0], cells[0].Shape[1]
	if units == 1 {
		units, trials = trials, 1
	}
	if trials > 1 {
		for k := range trials {
			rec.Trials = append(rec.Trials, strconv.Itoa(k+1))
		}
	}
	for i := range units {
		for k := range trials {
			cell := cells[0].Cells[k*units+i]
			t := spiketrain.Train{Unit: strconv.Itoa(i + 1), Times: cell.Values}
			if cell.Values == nil {
				return rec, fmt.Errorf("the cell of unit %d, trial %d is %s; want the times of a train", i+1, k+1, cell.Class)
			}
			if trials > 1 {
				t.Trial = rec.Trials[k]
			}
			rec.Trains = append(rec.Trains, t)
		}
	}
	return rec, nil
}
