// Package recordings has spike trains of real neurons, and brains' dissimilarities of
// pictures.
//
// The archive recordings.zip holds 128 recordings as CSV (unit, time in seconds, trial) and
// what is known of each: antennal-lobe neurons with odours and Purkinje cells (R package
// STAR), retinal waves (Eglen et al. 2014), hippocampal and cortical cultures (Charlesworth
// et al. 2015), a plate of electrodes (Gelfman et al. 2018), and earthquakes, which are no
// neurons. Silent units and trials, which leave no line, are known from the index.
package recordings

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/data"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
	"synfire/internal/suggest"
)

// archive and brain are zip files. No public source has these bytes.
var (
	archive = data.File{
		Name:   "recordings/recordings.zip",
		SHA256: "df803ec467f7d45a059dcefbdbc96f019ced6ddf08a17c2b10b973518be95492",
		Size:   20855698,
	}
	brain = data.File{
		Name:   "brain-92images/brain-92images.zip",
		SHA256: "1e07f72356d8328d003dff78de61980e9aac55ac4f43e19c4918a6198028b7b5",
		Size:   5011378,
	}
)

// Dataset describes the recordings, which are no samples to learn from.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "recordings", Title: "spike trains of real neurons", License: "GPL (cran/STAR, sje30/waverepo, sje30/g2chvcdata, cran/meaRtools)",
		Splits: []data.Split{{Name: "recordings", Len: 128}}, Files: []data.File{archive},
	}
}

// Brain describes the dissimilarities of 92 pictures in human and monkey inferior temporal
// cortex, models and behaviour (Kriegeskorte et al. 2008, Mur et al. 2013), with the
// pictures.
func Brain() data.Dataset {
	return data.Dataset{
		Name: "brain-92images", Title: "dissimilarities of 92 pictures in brains", License: "MIT (rsagroup/rsatoolbox)",
		Splits: []data.Split{{Name: "pictures", Len: 92}}, Files: []data.File{brain},
	}
}

// Info is what the index says of a recording; what does not apply is empty or nil. Times are
// in seconds.
type Info struct {
	File         string         `json:"file"`
	Dataset      string         `json:"dataset"`
	Species      string         `json:"species"`
	Preparation  string         `json:"preparation"`
	Animal       string         `json:"animal"`
	Condition    map[string]any `json:"condition"`
	Study        string         `json:"study"`
	Region       string         `json:"region"`
	Genotype     string         `json:"genotype"`
	Days         *int           `json:"age_days_postnatal"`
	DaysInVitro  *int           `json:"age_days_in_vitro"`
	Group        string         `json:"group_for_cross_validation"` // left out together
	Window       [2]float64     `json:"window_s"`
	WindowSource string         `json:"window_source"` // how the window is known
	Units        []string       `json:"units"`
	Trials       []int          `json:"trials"`
	On           *float64       `json:"stimulus_on_s"`
	Off          *float64       `json:"stimulus_off_s"`
	Positions    [][]float64    `json:"electrode_positions_um"` // of each unit, µm
	Spikes       int            `json:"spikes"`
	Citation     string         `json:"citation"`
	License      string         `json:"licence"`
}

// Archive is the recordings.
type Archive struct {
	Infos []Info // in the order of the index
	zip   *zip.Reader
}

// Load reads the index, from a folder of the user's or the cache.
func Load(ctx context.Context, o data.Options) (*Archive, error) {
	z, err := data.FetchZip(ctx, o, archive)
	if err != nil {
		return nil, err
	}
	return Open(z)
}

// Prefix begins the name of a recording of the data set where files are named too, as in
// recordings:star/CAL1S.
const Prefix = "recordings:"

// Named is the recording of a name that begins with Prefix, with all its trials. Times are in
// seconds.
func Named(ctx context.Context, o data.Options, name string) (spiketrain.Recording, error) {
	a, err := Load(ctx, o)
	if err != nil {
		return spiketrain.Recording{}, err
	}
	info, err := a.Info(strings.TrimPrefix(name, Prefix))
	if err != nil {
		return spiketrain.Recording{}, err
	}
	return a.Recording(info)
}

// maxIndex is the largest index that is read, in bytes.
const maxIndex = 1 << 24

// Open reads the index of an archive.
func Open(z *zip.Reader) (*Archive, error) {
	f, err := z.Open("index.json")
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(limit.Reader(f, maxIndex))
	if err != nil {
		return nil, fmt.Errorf("recordings: index.json: %w", err)
	}
	var index struct{ Recordings []Info }
	if err := json.Unmarshal(src, &index); err != nil {
		return nil, fmt.Errorf("recordings: index.json: %w", err)
	}
	for i, r := range index.Recordings {
		if r.File == "" || len(r.Units) == 0 || !(r.Window[0] < r.Window[1]) || math.IsInf(r.Window[1]-r.Window[0], 0) {
			return nil, fmt.Errorf("recordings: index.json: recording %d (%q) lacks a file, units or a window; fetch the archive again", i, r.File)
		}
	}
	return &Archive{Infos: index.Recordings, zip: z}, nil
}

// Info is what is known of a recording by its file, as star/CAL1S.csv, with or without its
// ending.
func (a *Archive) Info(name string) (Info, error) {
	var names []string
	for _, r := range a.Infos {
		names = append(names, strings.TrimSuffix(r.File, ".csv"))
	}
	name = strings.TrimSuffix(name, ".csv")
	i := slices.Index(names, name)
	if i < 0 {
		return Info{}, fmt.Errorf("recordings: no recording %q: %s", name, suggest.Names("recordings", name, names))
	}
	return a.Infos[i], nil
}

// Recording reads a recording, with its window, all its units, and all its trials.
func (a *Archive) Recording(r Info) (spiketrain.Recording, error) {
	f, err := a.zip.Open(r.File)
	if err != nil {
		return spiketrain.Recording{}, fmt.Errorf("recordings: %w", err)
	}
	defer f.Close()
	var in io.Reader = f
	if r.File == shocks {
		if in, err = twoColumns(f); err != nil {
			return spiketrain.Recording{}, fmt.Errorf("recordings: %s: %w", r.File, err)
		}
	}
	rec, err := spiketrain.ReadCSV(in, 0)
	if err == nil {
		if len(r.Trials) > 0 {
			rec.Trials = rec.Trials[:0:0]
			for _, n := range r.Trials {
				rec.Trials = append(rec.Trials, strconv.Itoa(n))
			}
		}
		rec, err = rec.Observed(r.Units)
	}
	if err != nil {
		return spiketrain.Recording{}, fmt.Errorf("recordings: %s: %w", r.File, err)
	}
	rec.Name, rec.Window = r.File, &r.Window
	return rec, nil
}

// shocks are the earthquakes, whose third column is their magnitude.
const shocks = "other/ShallowShocks.csv"

// twoColumns is CSV without what follows the second column.
func twoColumns(r io.Reader) (io.Reader, error) {
	rows, err := csv.NewReader(limit.Reader(r, maxIndex)).ReadAll()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		w.Write(row[:min(2, len(row))]) // a buffer takes every write
	}
	w.Flush()
	return &b, nil
}
