// Package recording reads what brains and networks did in response to stimuli, for
// package compare: an array x of responses, stimuli × units, in NPZ or safetensors,
// or in NPZ the spikes, one entry a spike,
//
//	times, stimulus, unit [, trial]    numbered from 0
//	t_start, t_end                     the window; by default from 0 to the last spike
//	n_stimuli, n_trials, n_units       how many there are; by default up to the last with a spike
//
// Of spikes and repetitions, X holds the mean over trials, and Repeated each where there are
// several.
package recording

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/internal/limit"
	"synfire/spike"
)

// ErrNone is wrapped by errors about well-formed files that hold no recording.
var ErrNone = errors.New("no recording")

// roundoffs of NumPy's floating-point types shorter than float64.
var roundoffs = map[string]float64{"<f2": 0x1p-11, "<f4": 0x1p-24}

// Recording is responses with what a reader should be told of them.
type Recording struct {
	compare.Responses
	Notes []string // such as numbers of stimuli without a spike
}

// Read reads an NPZ file by its name, else a safetensors file.
func Read(path string) (Recording, error) {
	name := filepath.Base(path)
	if strings.EqualFold(filepath.Ext(path), ".npz") {
		r, err := readNPZ(path, name)
		if err != nil && !errors.Is(err, ErrNone) {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return r, err
	}
	return readTensor(path, name)
}

// readTensor reads the array x of a safetensors file, and nothing else of it.
func readTensor(path, name string) (Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Recording{}, err
	}
	places, err := safetensors.Index(f, st.Size(), safetensors.Limits{})
	if err != nil {
		return Recording{}, fmt.Errorf("%s: %w", path, err)
	}
	x, ok := places["x"]
	if !ok {
		return Recording{}, fmt.Errorf("%w: want an array x, stimuli × units", ErrNone)
	}
	dtype := map[string]string{"F32": "<f4", "F64": "<f8"}[x.DType]
	if dtype == "" {
		return Recording{}, fmt.Errorf("%s: array x has the type %s, want F64 or F32", path, x.DType)
	}
	info, err := npz.InfoOf(dtype, x.Shape)
	if err != nil {
		return Recording{}, fmt.Errorf("%s: %w", path, err)
	}
	v, err := info.Float64s(io.NewSectionReader(f, x.Offset, x.Bytes))
	if err != nil {
		return Recording{}, fmt.Errorf("%s: array x: %w", path, err)
	}
	return fromMatrix(name, v, x.Shape, roundoffs[dtype])
}

// readNPZ reads of an archive what is needed: responses without the other arrays, and
// without holding the bytes that they are made of.
func readNPZ(path, name string) (Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Recording{}, err
	}
	entries, err := npz.Entries(f, st.Size())
	if err != nil {
		return Recording{}, err
	}
	given := slices.IndexFunc(entries, func(e npz.Entry) bool { return e.Name == "x" })
	repeated := slices.IndexFunc(entries, func(e npz.Entry) bool { return e.Name == repetitions && len(e.Shape) > 2 })
	if given >= 0 && repeated >= 0 {
		return Recording{}, fmt.Errorf("arrays x and %s; leave x out, which is the mean of the others", repetitions)
	}
	if k := max(given, repeated); k >= 0 {
		e := entries[k]
		if e.Bytes > npz.DefaultMax {
			return Recording{}, fmt.Errorf("array %s takes %d bytes, more than the permitted %d; take a part of the stimuli", e.Name, e.Bytes, int64(npz.DefaultMax))
		}
		v, err := e.Float64s()
		if err != nil {
			return Recording{}, err
		}
		if repeated >= 0 {
			return fromRepetitions(name, v, e.Shape, roundoffs[e.DType])
		}
		return fromMatrix(name, v, e.Shape, roundoffs[e.DType])
	}
	if err := npz.Permitted(entries, npz.DefaultMax); err != nil {
		return Recording{}, err
	}
	arrays := map[string]array{}
	for _, e := range entries {
		arrays[e.Name] = array{e.Shape, e}
	}
	return ofSpikes(name, arrays)
}

// array is one in memory or in a file.
type array struct {
	shape []int
	numbers
}

type numbers interface {
	Float64s() ([]float64, error)
	Int64s() ([]int64, error)
}

// size is the number of elements.
func (a array) size() int64 {
	n := int64(1)
	for _, d := range a.shape {
		n *= int64(d)
	}
	return n
}

// FromNPZ is the responses or the spikes in arrays of an NPZ file.
func FromNPZ(name string, arrays map[string]npz.Array) (Recording, error) {
	if x, ok := arrays["x"]; ok {
		v, err := x.Float64s()
		if err != nil {
			return Recording{}, fmt.Errorf("array x: %w", err)
		}
		return fromMatrix(name, v, x.Shape, roundoffs[x.DType])
	}
	if x, ok := arrays[repetitions]; ok && len(x.Shape) > 2 {
		v, err := x.Float64s()
		if err != nil {
			return Recording{}, fmt.Errorf("array %s: %w", repetitions, err)
		}
		return fromRepetitions(name, v, x.Shape, roundoffs[x.DType])
	}
	spikes := map[string]array{}
	for key, a := range arrays {
		spikes[key] = array{a.Shape, a}
	}
	return ofSpikes(name, spikes)
}

func ofSpikes(name string, arrays map[string]array) (Recording, error) {
	if _, ok := arrays["times"]; !ok {
		return Recording{}, fmt.Errorf("%w: neither an array x (stimuli × units) nor times, stimulus and unit of spikes", ErrNone)
	}
	return fromSpikes(name, arrays)
}

// fromMatrix makes a matrix of stimuli × units; axes after the first are units.
// Responses were rounded by roundoff, 0 for float64.
func fromMatrix(name string, v []float64, shape []int, roundoff float64) (Recording, error) {
	if len(shape) < 2 || shape[0] < 1 || len(v) == 0 {
		return Recording{}, fmt.Errorf("array x has shape %v, want stimuli × units", shape)
	}
	return Recording{Responses: compare.Responses{Name: name, X: mat.NewDense(shape[0], len(v)/shape[0], v), Roundoff: roundoff}}, nil
}

// repetitions is the array of repeated responses.
const repetitions = "repetitions"

// fromRepetitions makes a matrix of stimuli × units of each repetition, and their mean.
func fromRepetitions(name string, v []float64, shape []int, roundoff float64) (Recording, error) {
	if shape[0] < 2 || len(v) == 0 {
		return Recording{}, fmt.Errorf("array %s has shape %v, want 2 or more repetitions × stimuli × units", repetitions, shape)
	}
	r := Recording{Responses: compare.Responses{Name: name, Roundoff: roundoff}}
	each := len(v) / shape[0]
	for k := range shape[0] {
		r.Repeated = append(r.Repeated, mat.NewDense(shape[1], each/shape[1], v[k*each:][:each]))
	}
	r.X = mean(r.Repeated)
	return r, nil
}

// mean of responses; of counts, whose sums are exact, but for one rounding.
func mean(list []*mat.Dense) *mat.Dense {
	sum := mat.DenseCopyOf(list[0])
	for _, x := range list[1:] {
		sum.Add(sum, x)
	}
	sum.Apply(func(_, _ int, v float64) float64 { return v / float64(len(list)) }, sum)
	return sum
}

// mostTrains bounds what a file of few spikes may ask for by large numbers.
const mostTrains = 4_000_000

// axis is one of the numbers of a spike: of its stimulus, trial or unit.
type axis struct {
	name   string
	number []int64 // of each spike
	size   int
}

// fromSpikes sorts spikes into trains. Stimuli, trials and units without a spike
// are silent.
func fromSpikes(name string, arrays map[string]array) (Recording, error) {
	// a time, and a stimulus, a trial and a unit each; the time in its train, which grows
	if err := limit.Fits((4 + 2) * 8 * arrays["times"].size()); err != nil {
		return Recording{}, fmt.Errorf("array times: %w", err)
	}
	times, err := arrays["times"].Float64s()
	if err != nil {
		return Recording{}, fmt.Errorf("array times: %w", err)
	}
	r := Recording{Responses: compare.Responses{Name: name}}
	axes := [3]axis{{name: "stimulus"}, {name: "trial"}, {name: "unit"}}
	for k, count := range []string{"n_stimuli", "n_trials", "n_units"} {
		if err := axes[k].read(arrays, len(times), count); err != nil {
			return Recording{}, err
		}
		r.Notes = append(r.Notes, axes[k].gaps()...)
	}
	stimuli, trials, units := axes[0], axes[1], axes[2]
	if stimuli.size > mostTrains/trials.size/units.size {
		return Recording{}, fmt.Errorf("%d stimuli × %d trials × %d units are more than %d spike trains", stimuli.size, trials.size, units.size, mostTrains)
	}
	start, stop, err := window(arrays, times)
	if err != nil {
		return Recording{}, err
	}
	var counts []*mat.Dense
	for range trials.size {
		counts = append(counts, mat.NewDense(stimuli.size, units.size, nil))
	}
	r.Trials = silent(stimuli.size, trials.size, units.size, spike.Train{Start: start, Stop: stop})
	for k, at := range times {
		i, t, u := int(stimuli.number[k]), int(trials.number[k]), int(units.number[k])
		train := &r.Trials[i][t][u]
		train.Times = append(train.Times, at)
		counts[t].Set(i, u, counts[t].At(i, u)+1)
	}
	r.X = mean(counts)
	if trials.size > 1 {
		r.Repeated = counts
	}
	for _, trials := range r.Trials {
		for _, trains := range trials {
			for _, train := range trains {
				slices.Sort(train.Times)
			}
		}
	}
	return r, nil
}

// read fills an axis from the array of its name, and its size from that named
// count. A recording may leave trials out.
func (a *axis) read(arrays map[string]array, spikes int, count string) (err error) {
	array, ok := arrays[a.name]
	switch {
	case ok:
		if a.number, err = array.Int64s(); err != nil {
			return fmt.Errorf("array %s: %w", a.name, err)
		}
	case a.name == "trial":
		a.number = make([]int64, spikes)
	}
	if len(a.number) != spikes || spikes == 0 {
		return fmt.Errorf("array %s has %d entries, times %d; want one for each spike", a.name, len(a.number), spikes)
	}
	least, most := slices.Min(a.number), slices.Max(a.number)
	if least < 0 || most >= mostTrains {
		return fmt.Errorf("array %s: want numbers from 0 to %d", a.name, mostTrains-1)
	}
	a.size = int(most) + 1
	given, ok := arrays[count]
	if !ok {
		return nil
	}
	n, err := given.Int64s()
	if err != nil || len(n) != 1 || n[0] < int64(a.size) || n[0] > mostTrains {
		return fmt.Errorf("array %s: want one whole number from %d (%s has %d) to %d", count, a.size, a.name, most, mostTrains)
	}
	a.size = int(n[0])
	return nil
}

// gaps is a note on numbers without a spike, which may be silent or left out of the
// file by mistake.
func (a axis) gaps() []string {
	seen, missing := make([]bool, a.size), []int{}
	for _, k := range a.number {
		seen[k] = true
	}
	for k, ok := range seen {
		if !ok {
			missing = append(missing, k)
		}
	}
	const shown = 5
	switch {
	case len(missing) == 0:
		return nil
	case len(missing) > shown:
		return []string{fmt.Sprintf("%d of %d numbers of %s have no spike and count as silent, the first %v", len(missing), a.size, a.name, missing[:shown])}
	}
	return []string{fmt.Sprintf("%s %v of %d: no spike, counts as silent", a.name, missing, a.size)}
}

// silent are trains without spikes.
func silent(stimuli, trials, units int, empty spike.Train) []compare.Trials {
	out := make([]compare.Trials, stimuli)
	for i := range out {
		out[i] = make(compare.Trials, trials)
		for t := range out[i] {
			out[i][t] = slices.Repeat([]spike.Train{empty}, units)
		}
	}
	return out
}

// window is that of t_start and t_end, by default from 0 to the last spike.
func window(arrays map[string]array, times []float64) (start, stop float64, err error) {
	bounds := [2]float64{min(0, slices.Min(times)), slices.Max(times)}
	for k, name := range []string{"t_start", "t_end"} {
		array, ok := arrays[name]
		if !ok {
			continue
		}
		v, err := array.Float64s()
		if err != nil || len(v) != 1 {
			return 0, 0, fmt.Errorf("array %s: want one number", name)
		}
		bounds[k] = v[0]
	}
	for k, t := range times {
		if math.IsNaN(t) || math.IsInf(t, 0) || t < bounds[0] || t > bounds[1] {
			return 0, 0, fmt.Errorf("spike %d at %v is outside the window %v to %v; set t_start and t_end", k, t, bounds[0], bounds[1])
		}
	}
	return bounds[0], bounds[1], nil
}
