package command

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/activity"
	"synfire/catalog"
	"synfire/compare"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/modelfile"
	"synfire/network"
	"synfire/spike"
)

// representation is the responses of one layer, or of a recording, to stimuli.
type representation struct {
	source string // file
	layer  string
	x      *mat.Dense       // stimuli × units; of spike trains their counts
	trials []compare.Trials // nil: no spike trains
}

func (r representation) stimuli() int { return r.x.RawMatrix().Rows }

// load reads a recording, or the activity of a network's layers on the data set.
func (c *compareCmd) load(a *app, path string, layers []string) ([]representation, error) {
	if strings.EqualFold(filepath.Ext(path), ".npz") {
		r, err := readRecording(path)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", path, err)
		}
		return []representation{r}, nil
	}
	f, err := safetensors.ReadFile(path, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	if x, ok := f.Tensors["x"]; ok {
		r, err := ofTensor(path, x)
		return []representation{r}, err
	}
	return c.network(a, path, layers)
}

// ofTensor is the responses in a safetensors file.
func ofTensor(path string, x safetensors.Array) (representation, error) {
	v, err := x.F64s()
	if err != nil {
		v32, err := x.F32s()
		if err != nil {
			return representation{}, fmt.Errorf("compare %s: array x: %w", path, err)
		}
		for _, f := range v32 {
			v = append(v, float64(f))
		}
	}
	m, err := responses(v, x.Shape)
	if err != nil {
		return representation{}, fmt.Errorf("compare %s: %w", path, err)
	}
	return representation{source: path, layer: filepath.Base(path), x: m}, nil
}

// responses makes a matrix of stimuli × units; axes after the first are units.
func responses(v []float64, shape []int) (*mat.Dense, error) {
	if len(shape) < 2 || shape[0] < 1 || len(v) == 0 {
		return nil, fmt.Errorf("array x has shape %v, want stimuli × units", shape)
	}
	return mat.NewDense(shape[0], len(v)/shape[0], v), nil
}

// readRecording reads an NPZ file of responses or of spikes.
func readRecording(path string) (representation, error) {
	r := representation{source: path, layer: filepath.Base(path)}
	arrays, err := npz.ReadFile(path, 0)
	if err != nil {
		return r, err
	}
	if x, ok := arrays["x"]; ok {
		v, err := x.Float64s()
		if err != nil {
			return r, fmt.Errorf("array x: %w", err)
		}
		r.x, err = responses(v, x.Shape)
		return r, err
	}
	if _, ok := arrays["times"]; !ok {
		return r, fmt.Errorf("neither an array x (stimuli × units) nor times, stimulus and unit of spikes")
	}
	return r, r.readSpikes(arrays)
}

// mostTrains bounds what a file of few spikes may ask for by large numbers.
const mostTrains = 4_000_000

// readSpikes sorts spikes into trains. Stimuli, trials and units are numbered from
// 0; ones without a spike are silent.
func (r *representation) readSpikes(arrays map[string]npz.Array) error {
	times, err := arrays["times"].Float64s()
	if err != nil {
		return fmt.Errorf("array times: %w", err)
	}
	var sizes [3]int
	var indices [3][]int64
	for k, name := range []string{"stimulus", "trial", "unit"} {
		array, ok := arrays[name]
		if !ok && name == "trial" {
			indices[k], sizes[k] = make([]int64, len(times)), 1
			continue
		}
		if indices[k], err = array.Int64s(); err != nil {
			return fmt.Errorf("array %s: %w", name, err)
		}
		if len(indices[k]) != len(times) || len(times) == 0 {
			return fmt.Errorf("array %s has %d entries, times %d; want one for each spike", name, len(indices[k]), len(times))
		}
		if slices.Min(indices[k]) < 0 || slices.Max(indices[k]) >= mostTrains {
			return fmt.Errorf("array %s: want numbers from 0 to %d", name, mostTrains-1)
		}
		sizes[k] = int(slices.Max(indices[k])) + 1
	}
	if sizes[0] > mostTrains/sizes[1]/sizes[2] {
		return fmt.Errorf("%d stimuli × %d trials × %d units are more than %d spike trains", sizes[0], sizes[1], sizes[2], mostTrains)
	}
	start, stop, err := spikeWindow(arrays, times)
	if err != nil {
		return err
	}
	r.x, r.trials = silentTrials(sizes, start, stop)
	for k, at := range times {
		i, t, u := indices[0][k], indices[1][k], indices[2][k]
		train := &r.trials[i][t][u]
		train.Times = append(train.Times, at)
		r.x.Set(int(i), int(u), r.x.At(int(i), int(u))+1/float64(sizes[1]))
	}
	for _, trials := range r.trials {
		for _, trains := range trials {
			for _, train := range trains {
				slices.Sort(train.Times)
			}
		}
	}
	return nil
}

// silentTrials are trains without spikes and their counts, for numbers of stimuli,
// trials and units.
func silentTrials(sizes [3]int, start, stop float64) (*mat.Dense, []compare.Trials) {
	trials := make([]compare.Trials, sizes[0])
	for i := range trials {
		trials[i] = make(compare.Trials, sizes[1])
		for t := range trials[i] {
			trials[i][t] = slices.Repeat([]spike.Train{{Start: start, Stop: stop}}, sizes[2])
		}
	}
	return mat.NewDense(sizes[0], sizes[2], nil), trials
}

// spikeWindow is that of t_start and t_end, by default from 0 to the last spike.
func spikeWindow(arrays map[string]npz.Array, times []float64) (start, stop float64, err error) {
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
		if math.IsNaN(t) || t < bounds[0] || t > bounds[1] {
			return 0, 0, fmt.Errorf("spike %d at %v is outside the window %v to %v; set t_start and t_end", k, t, bounds[0], bounds[1])
		}
	}
	return bounds[0], bounds[1], nil
}

// network records the layers of a checkpoint's network.
func (c *compareCmd) network(a *app, path string, layers []string) ([]representation, error) {
	f, err := modelfile.Read(path)
	if err != nil {
		return nil, fmt.Errorf("compare %s: neither a model nor a recording with an array x: %w", path, err)
	}
	if c.Data == "" {
		return nil, usageError{fmt.Errorf("compare %s: a network needs samples: name a data set by --data", path)}
	}
	part, err := a.measurable("compare", f, c.Data, c.Split, c.DataDir)
	if err != nil {
		return nil, err
	}
	spec := part.Source.Spec()
	m, err := a.Catalog.FromFile(f, catalog.OpenOptions{Spec: &spec})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	net, ok := m.Predictor().(interface{ Network() *network.Network })
	if !ok {
		return nil, fmt.Errorf("compare %s: the layers of a model of rule %s cannot be recorded", path, m.Rule)
	}
	src, err := m.Fit(part.Source)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", path, err)
	}
	recordings, err := activity.Record(a.ctx, activity.Options{
		Net: net.Network(), Steps: m.Config.Steps, Encoder: m.Config.Encoder, Normalize: m.Normalization, Seed: m.Config.Seed,
		Source: src, Samples: min(c.N, src.Len()), Layers: layers, Times: c.Dissimilarity == "spikes",
	})
	if err != nil {
		return nil, usageError{fmt.Errorf("compare %s: %w", path, err)}
	}
	var out []representation
	for _, r := range recordings {
		x := representation{source: path, layer: r.Layer, x: mat.NewDense(r.Samples, r.Units, r.Mean)}
		if r.Spikes && c.Dissimilarity == "spikes" {
			x.trials = r.Trials()
		}
		if r.Spikes && c.Dissimilarity == "poisson" {
			x.x.Scale(float64(r.T), x.x) // counts
		}
		out = append(out, x)
	}
	return out, nil
}
