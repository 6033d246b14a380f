package recording

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"

	"synfire/format/hdf5"
	"synfire/format/rda"
	"synfire/format/spiketrain"
)

// readRDA reads the only object with spike trains of a file of R's save, as those of the R
// package STAR: a vector of times, a list of such, one for each unit, or a list of units that
// are lists of trials (of class repeatedTrain one unit's). Names are R's, else numbers from 1 on;
// a silent unit is numeric(0).
func readRDA(path string) (rec spiketrain.Recording, err error) {
	f, err := os.Open(path)
	if err != nil {
		return rec, err
	}
	defer f.Close()
	objects, err := rda.Read(f, 0)
	if err != nil {
		return rec, err
	}
	found := 0
	var told []string
	for _, o := range objects {
		one, err := trainsOfR(o)
		if err == nil {
			rec = one
			found++
			err = errors.New("spike trains")
		}
		told = append(told, fmt.Sprintf("%s: %v", o.Name, err))
	}
	if found != 1 {
		return spiketrain.Recording{}, fmt.Errorf("found %d objects of spike trains, want one (%q); save it alone by R's save", found, told)
	}
	return rec, nil
}

// trainsOfR is what an object of R holds.
func trainsOfR(o rda.Value) (rec spiketrain.Recording, err error) {
	units := []rda.Value{o}
	if o.Class == "list" {
		units = o.List
	}
	rec.Name = o.Name
	for i, u := range units {
		trials := []rda.Value{u}
		nested := u.Class == "list" || u.Class == "repeatedTrain"
		if nested {
			trials = u.List
		}
		if want := max(len(rec.Trials), 1); i > 0 && (nested != (rec.Trials != nil) || len(trials) != want) {
			return rec, fmt.Errorf("unit %s has %d trials, the one before %d; want as many in each", rName(u, i), len(trials), want)
		}
		for k, v := range trials {
			if !slices.Contains([]string{"numeric", "integer", "spikeTrain"}, v.Class) {
				return rec, fmt.Errorf("%s holds %s, want spike times (numeric(0) for a silent unit)", rName(u, i), v.Class)
			}
			if k := slices.IndexFunc(v.Numbers, math.IsNaN); k >= 0 {
				return rec, fmt.Errorf("%s: time %d is NA", rName(u, i), k+1)
			}
			t := spiketrain.Train{Unit: rName(u, i), Times: v.Numbers}
			if nested {
				if i == 0 {
					rec.Trials = append(rec.Trials, rName(v, k))
				}
				t.Trial = rec.Trials[k]
			}
			rec.Trains = append(rec.Trains, t)
		}
	}
	if len(rec.Trains) == 0 {
		return rec, fmt.Errorf("it holds %s without elements", o.Class)
	}
	return rec, nil
}

func rName(v rda.Value, i int) string {
	if v.Name != "" {
		return v.Name
	}
	return strconv.Itoa(i + 1)
}

// readHDF5 reads HDF5 as the repositories waverepo and g2chvcdata have it (Eglen et al. 2014):
// the data sets spikes, the times of all units one after the other in seconds, sCount, how many
// are each unit's, and if they are there names, and recordingtime, the window.
func readHDF5(path string) (rec spiketrain.Recording, err error) {
	f, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		return rec, err
	}
	defer f.Close()
	array := func(name string) *hdf5.Array {
		if o := f.Root.Child(name); o != nil {
			return o.Array
		}
		return nil
	}
	spikes, counts := array("spikes"), array("sCount")
	if spikes == nil || counts == nil {
		return rec, errors.New("no data sets spikes and sCount; want HDF5 as waverepo and g2chvcdata have it, or an NWB file that ends in .nwb")
	}
	times, errA := spikes.Float64s()
	each, errB := counts.Int64s()
	if err := errors.Join(errA, errB); err != nil {
		return rec, fmt.Errorf("spikes and sCount: %w", err)
	}
	var names []string
	if a := array("names"); a != nil {
		if names, err = a.Strings(); err == nil && len(names) != len(each) {
			err = fmt.Errorf("%d names of %d units", len(names), len(each))
		}
		if err != nil {
			return rec, fmt.Errorf("data set names: %w", err)
		}
	}
	if a := array("recordingtime"); a != nil {
		w, err := a.Float64s()
		if err != nil || len(w) != 2 {
			return rec, fmt.Errorf("data set recordingtime: %d numbers, %v; want when it begins and ends", len(w), err)
		}
		rec.Window = &[2]float64{w[0], w[1]}
	}
	for i, n := range each {
		if n < 0 || n > int64(len(times)) {
			return rec, fmt.Errorf("data set sCount: unit %d has %d spikes, and %d are left; the file is damaged", i+1, n, len(times))
		}
		t := spiketrain.Train{Unit: strconv.Itoa(i + 1), Times: times[:n:n]}
		if names != nil {
			t.Unit = names[i]
		}
		rec.Trains, times = append(rec.Trains, t), times[n:]
	}
	if len(times) != 0 {
		return rec, fmt.Errorf("data set spikes: %d are no unit's; the file is damaged", len(times))
	}
	return rec, nil
}
