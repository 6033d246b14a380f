package trains

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"synfire/format/npz"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
	"synfire/spike"
)

// recording is spikes as a file gives them.
type recording struct {
	times  map[int][]float64 // by unit
	units  int               // that the file has, or the last one with spikes shows
	window *[2]float64       // nil where the file has none
}

// decode reads a file by its ending; of a pair, the inputs or the targets.
func decode(b []byte, name, role string) (recording, error) {
	if strings.EqualFold(path.Ext(name), ".npz") {
		p, err := decodePair(b)
		if role == "target" {
			return p.target, err
		}
		return p.input, err
	}
	var rec spiketrain.Recording
	var err error
	numbered := false
	switch strings.ToLower(path.Ext(name)) {
	case ".txt":
		rec, err = spiketrain.ReadText(bytes.NewReader(b), MaxFile)
	case ".csv":
		numbered = true
		rec, err = spiketrain.ReadCSV(bytes.NewReader(b), MaxFile)
	case ".json":
		var all []spiketrain.Recording
		if all, _, err = spiketrain.ReadJSON(bytes.NewReader(b), MaxFile); err == nil && len(all) != 1 {
			err = fmt.Errorf("%d recordings, expected one a file", len(all))
		}
		if err == nil {
			rec = all[0]
		}
	default:
		err = errors.New("the name does not end in .txt, .csv, .json or .npz; rename or convert the file")
	}
	if err != nil {
		return recording{}, err
	}
	out := recording{window: rec.Window, times: map[int][]float64{}}
	for i, t := range rec.Trains {
		unit := i
		if numbered {
			if unit, err = strconv.Atoi(t.Unit); err != nil || unit < 0 || unit >= maxUnits {
				return out, fmt.Errorf("unit %q in line %d, expected a number from 0 on", t.Unit, t.Line)
			}
		}
		out.times[unit], out.units = t.Times, max(out.units, unit+1)
	}
	return out, nil
}

// trains are the spikes of all units in seconds from the start of the window. A
// duration that is not 0 is that of the window, in seconds.
func (r recording) trains(units int, duration, seconds float64) ([]spike.Train, error) {
	start := 0.0
	if r.window != nil {
		start = r.window[0]
		if d := (r.window[1] - r.window[0]) * seconds; duration == 0 {
			duration = d
		} else if d != duration {
			return nil, fmt.Errorf("the recording lasts %v s, expected the %v of the option duration; leave that out", d, duration)
		}
	}
	if !(duration > 0) || math.IsInf(duration, 0) {
		return nil, fmt.Errorf("the recording lasts %v s, or does not say how long; set duration to seconds above 0", duration)
	}
	if r.units > units {
		return nil, fmt.Errorf("%d units, expected at most %d; set units (target-units) to at least as many", r.units, units)
	}
	all := make([]spike.Train, units)
	for unit := range all {
		all[unit].Stop = duration
		if len(r.times[unit]) == 0 {
			continue
		}
		times := make([]float64, len(r.times[unit]))
		for k, at := range r.times[unit] {
			times[k] = (at - start) * seconds
		}
		all[unit].Times = times
		if err := all[unit].Validate(); err != nil {
			return nil, fmt.Errorf("unit %d: %w", unit, err)
		}
		if last := times[len(times)-1]; last >= duration {
			return nil, fmt.Errorf("unit %d: the spike at %v s is not before the end at %v; set a longer duration", unit, last, duration)
		}
	}
	return all, nil
}

// pair is an NPZ file with inputs and targets.
type pair struct{ input, target recording }

func readPair(fsys fs.FS, name string) (pair, error) {
	b, err := limit.ReadFile(fsys, name, MaxFile)
	if err != nil {
		return pair{}, err
	}
	return decodePair(b)
}

func decodePair(b []byte) (p pair, err error) {
	arrays, err := npz.Read(bytes.NewReader(b), int64(len(b)), 8*MaxFile)
	if err != nil {
		return p, err
	}
	if p.input, err = spikes(arrays, "input"); err == nil {
		p.target, err = spikes(arrays, "target")
	}
	return p, err
}

// spikes are the arrays of one half of a pair.
func spikes(arrays map[string]npz.Array, role string) (r recording, err error) {
	times, ok := first(arrays, role+"_times_s", role+"_times")
	list, ok2 := arrays[role+"_units"]
	if !ok || !ok2 {
		return r, fmt.Errorf("no arrays %s_times and %s_units; expected these and those of the other half, duration, n_input and n_target", role, role)
	}
	t, err := times.Float64s()
	if err != nil {
		return r, fmt.Errorf("%s_times: %w", role, err)
	}
	units, err := list.Int64s()
	if err != nil {
		return r, fmt.Errorf("%s_units: %w", role, err)
	}
	if len(t) != len(units) {
		return r, fmt.Errorf("%d %s_times and %d %s_units, expected as many", len(t), role, len(units), role)
	}
	count, err := scalar(arrays, "n_"+role)
	if err != nil {
		return r, err
	}
	if count < 0 || count > maxUnits || count != math.Trunc(count) {
		return r, fmt.Errorf("n_%s is %v, want a number of units up to %d", role, count, maxUnits)
	}
	r.units, r.times = int(count), map[int][]float64{}
	if d, err := scalar(arrays, "duration_s", "duration"); err != nil {
		return r, err
	} else if d != 0 {
		r.window = &[2]float64{0, d}
	}
	for i, at := range t {
		unit := int(units[i])
		if units[i] < 0 || units[i] >= maxUnits || count > 0 && unit >= int(count) {
			return r, fmt.Errorf("%s_units: spike %d is of unit %d, expected 0 to n_%s − 1", role, i, units[i], role)
		}
		r.times[unit], r.units = append(r.times[unit], at), max(r.units, unit+1)
	}
	return r, nil
}

// first is the array of the first name that there is.
func first(arrays map[string]npz.Array, names ...string) (npz.Array, bool) {
	for _, name := range names {
		if a, ok := arrays[name]; ok {
			return a, true
		}
	}
	return npz.Array{}, false
}

// scalar is an array of one number; 0 where there is none.
func scalar(arrays map[string]npz.Array, names ...string) (float64, error) {
	a, ok := first(arrays, names...)
	if !ok {
		return 0, nil
	}
	v, err := a.Float64s()
	if err == nil && len(v) != 1 {
		err = fmt.Errorf("%d numbers, expected one", len(v))
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", names[0], err)
	}
	return v[0], nil
}
