// Package inspect tells what a file is and what is in it, by its first bytes and its
// header: models and checkpoints, other safetensors files, NumPy arrays, IDX and HDF5 files,
// recordings of spike trains in JSON, CSV and text, other tables in CSV, configurations of
// training runs, run directories. Elements of arrays are read when
// they are asked for, one array at a time.
package inspect

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/catalog"
	"synfire/distance/recording"
	"synfire/format/idx"
	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/internal/limit"
	"synfire/internal/magic"
	"synfire/model"
	"synfire/modelfile"
	"synfire/run"
	"synfire/task"
	"synfire/zoo"
)

// File is what a file holds.
type File struct {
	Format  string // model, checkpoint, safetensors, npz, npy, idx, hdf5, spike trains, table, training run, run
	Version string
	Summary map[string]string // facts by name
	Arrays  []Array
	Trains  []Train // of a recording, one for each of Arrays
	Groups  []Group // with attributes, of formats that have groups
	Tree    string  // groups and arrays in lines, of formats that have groups
	Text    string  // the configuration, where there is one
}

// Group is a group of arrays.
type Group struct {
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
}

// Array is an array of a file.
type Array struct {
	Name  string
	DType string
	Shape []int
	Bytes int64 // of all elements

	Storage    string            // how it is stored, where there are several ways
	Attributes map[string]string // facts by name, of formats that have them

	each func(take func(piece []float64) error) error
}

// Train is what is in an array of a recording of spike trains.
type Train struct {
	Unit, Trial string
	Times       []float64
	Window      *[2]float64 // nil where the file has none
}

// Each reads the elements as numbers and passes them to take, in pieces as they stand in
// the file, so that no array is too large. Arrays that hold no numbers have none.
func (a Array) Each(take func(piece []float64) error) error { return a.each(take) }

// UnknownError says that a file begins like no format that is known.
type UnknownError struct {
	Path string
	What string // what it is, where that is known
}

// Error lists the known formats.
func (e UnknownError) Error() string {
	what := "it begins like no format that is known"
	if e.What != "" {
		what = "the file is " + e.What + ", which is no format that is known"
	}
	return fmt.Sprintf("%s: %s; known are safetensors (models, checkpoints), IDX (plain or .gz), NPY, NPZ, HDF5 (.h5, .nir), spike trains (.json, .csv, .txt, .dat), tables (.csv), YAML files (.yaml) and run directories", e.Path, what)
}

// ConfigError is a mistake in a configuration file.
type ConfigError struct{ error }

// Unwrap is the mistake.
func (e ConfigError) Unwrap() error { return e.error }

// Open finds out what is at a path; where there is nothing, what the model is that ships
// under this name. The catalogue decodes configurations.
func Open(c catalog.Catalog, path string) (File, error) {
	st, err := os.Stat(path)
	if m, ok := zoo.Find(path); ok && errors.Is(err, fs.ErrNotExist) {
		return ofShipped(c, m)
	}
	if err != nil {
		return File{}, err
	}
	if st.IsDir() {
		return ofRun(path)
	}
	head, err := firstBytes(path)
	if err != nil {
		return File{}, err
	}
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		return ofNPZ(path)
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return ofNPY(path)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}), len(head) > 3 && head[0] == 0 && head[1] == 0 && head[2] >= 8:
		return ofIDX(path)
	case bytes.HasPrefix(head, []byte("\x89HDF")), slices.Contains(hdf5Names, ext):
		return ofHDF5(path)
	case ext == ".yaml", ext == ".yml":
		return ofYAML(c, path)
	case ext == ".safetensors", len(head) > 8 && head[8] == '{' && !magic.IsText(head):
		return ofSafetensors(c, path)
	case ext == ".csv":
		return ofCSV(path)
	case slices.Contains([]string{".json", ".jsonl", ".txt", ".dat"}, ext):
		return ofTrains(path)
	}
	return File{}, UnknownError{path, magic.What(head)}
}

func firstBytes(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, magic.Bytes)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// numpyTypes are the safetensors types that NumPy has too, by its names.
var numpyTypes = map[string]string{
	"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
	"F16": "<f2", "F32": "<f4", "F64": "<f8",
}

func ofSafetensors(c catalog.Catalog, path string) (File, error) {
	raw, err := safetensors.ReadFileHeader(path, safetensors.Limits{})
	if err != nil {
		return File{}, err
	}
	f := File{Format: "safetensors", Summary: raw.Meta}
	if f.Summary == nil {
		f.Summary = map[string]string{}
	}
	if f.Arrays, err = placesIn(path); err != nil {
		return File{}, err
	}
	if !strings.HasPrefix(raw.Meta["format"], "synfire ") {
		return f, nil
	}
	m, err := modelfile.ReadHeader(path)
	if err != nil {
		return File{}, err
	}
	return ofModel(c, m, f.Arrays), nil
}

// ofShipped is a model that is part of the program.
func ofShipped(c catalog.Catalog, m zoo.Model) (File, error) {
	content := bytes.NewReader(m.Content())
	file, err := modelfile.Decode(m.Content())
	if err != nil {
		return File{}, err
	}
	arrays, err := places(content, content.Size(), func(offset int64, info npz.Info, take func([]float64) error) error {
		return info.Each(io.NewSectionReader(content, offset, info.Bytes), take)
	})
	return ofModel(c, file, arrays), err
}

// ofModel is a model or a checkpoint.
func ofModel(c catalog.Catalog, m *modelfile.File, arrays []Array) File {
	f := File{Format: "model", Version: strconv.Itoa(m.Format), Text: string(m.Config), Summary: facts(c, m), Arrays: arrays}
	if m.Progress != nil || m.Format == 1 {
		f.Format = "checkpoint"
	}
	slices.SortStableFunc(f.Arrays, func(a, b Array) int { // the model's own first
		return strings.Count(a.Name, ":") - strings.Count(b.Name, ":")
	})
	return f
}

// placesIn are the arrays of a safetensors file at a path.
func placesIn(path string) (out []Array, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return nil, err
	}
	out, err = places(in, st.Size(), func(offset int64, info npz.Info, take func([]float64) error) error {
		return section(path, offset, info, take)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// places are the arrays of a safetensors file, whose elements read hands over.
func places(in io.ReaderAt, size int64, read func(offset int64, info npz.Info, take func([]float64) error) error) (out []Array, err error) {
	index, err := safetensors.Index(in, size, safetensors.Limits{})
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(index)) {
		p := index[name]
		out = append(out, Array{Name: name, DType: p.DType, Shape: append([]int{}, p.Shape...), Bytes: p.Bytes, each: func(take func([]float64) error) error {
			info, err := npz.InfoOf(numpyTypes[p.DType], p.Shape)
			if err != nil {
				return nil // a type that NumPy has not
			}
			return read(p.Offset, info, take)
		}})
	}
	return out, nil
}

// section reads the elements at an offset of a file.
func section(path string, offset int64, info npz.Info, take func([]float64) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := info.Each(io.NewSectionReader(f, offset, info.Bytes), take); err != nil {
		return fmt.Errorf("%s: %w", path, truncated(err))
	}
	return nil
}

// truncated is the error of an array whose elements end too early.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends before the elements that its header declares; copy it again")
	}
	return err
}

// facts are those of a model file.
func facts(c catalog.Catalog, m *modelfile.File) map[string]string {
	out := map[string]string{"rule": m.Rule}
	if m.Spec != nil {
		out["samples"] = m.Spec.String()
		for _, t := range m.Spec.Targets {
			text := t.Kind.String()
			if len(t.Classes) > 0 {
				text = fmt.Sprintf("%d classes: %s", len(t.Classes), strings.Join(t.Classes, ", "))
			}
			out["target "+t.Name] = text
		}
	}
	if n := m.Normalization; n != nil {
		out["normalised by"] = fmt.Sprintf("mean %v, deviation %v", n.Mean, n.Std)
	}
	if m.Stored != "" {
		out["stored as"] = m.Stored
	}
	if m.Format > 1 && !m.Finished {
		out["finished"] = "no: the rule completes the model at the end of an epoch"
	}
	if text := resultOf(m.Progress); text != "" {
		out["progress"] = text
	}
	cfg, err := c.ConfigOf(m)
	if err != nil {
		out["configuration"] = err.Error()
		return out
	}
	maps.Copy(out, ofConfig(c, cfg))
	return out
}

// ofConfig are the facts of a configuration.
func ofConfig(c catalog.Catalog, cfg model.Config) map[string]string {
	out := map[string]string{
		"data": cfg.Data.Called(), "rule": c.RuleName(cfg.Rule), "epochs": strconv.Itoa(cfg.Epochs), "batch": strconv.Itoa(cfg.Batch),
		"seed": strconv.FormatUint(cfg.Seed, 10), "valid": strconv.FormatFloat(cfg.Valid, 'g', -1, 64),
	}
	if cfg.Steps > 0 {
		out["steps"] = strconv.Itoa(cfg.Steps)
	}
	var tasks []string
	for _, t := range cfg.Task {
		tasks = append(tasks, catalog.KindOf(c.Tasks, t.Task))
	}
	out["task"] = strings.Join(tasks, ", ")
	return out
}

// resultOf says how far a checkpoint's run had come.
func resultOf(progress []byte) string {
	var p struct {
		Step      int          `json:"step"`
		Best      *task.Scalar `json:"best"`
		BestEpoch int          `json:"best_epoch"`
	}
	if progress == nil || json.Unmarshal(progress, &p) != nil {
		return ""
	}
	text := fmt.Sprintf("step %d", p.Step)
	if p.Best != nil {
		text += fmt.Sprintf(", epoch %d was the best so far (%s %v)", p.BestEpoch, p.Best.Name, p.Best)
	}
	return text
}

func ofNPZ(path string) (File, error) {
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return File{}, err
	}
	entries, err := npz.Entries(in, st.Size())
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	f := File{Format: "npz", Summary: map[string]string{}}
	for _, e := range entries {
		f.Arrays = append(f.Arrays, Array{Name: e.Name, DType: e.DType, Shape: append([]int{}, e.Shape...), Bytes: e.Bytes, each: func(take func([]float64) error) error {
			return entry(path, e.Name, take)
		}})
	}
	slices.SortFunc(f.Arrays, func(a, b Array) int { return strings.Compare(a.Name, b.Name) })
	return f, nil
}

// entry reads one array of an archive.
func entry(path, name string, take func([]float64) error) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	entries, err := npz.Entries(in, st.Size())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(entries, func(e npz.Entry) bool { return e.Name == name })
	if i < 0 {
		return fmt.Errorf("%s: array %q cannot be read", path, name)
	}
	return entries[i].Each(take)
}

func ofNPY(path string) (File, error) {
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	info, err := npz.ReadInfo(in)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	st, err := in.Stat()
	if err != nil {
		return File{}, err
	}
	if have := st.Size() - info.Header; have != info.Bytes {
		return File{}, fmt.Errorf("%s: shape %v of %s takes %d bytes, the file has %d; save the array again", path, info.Shape, info.DType, info.Bytes, have)
	}
	each := func(take func([]float64) error) error { return section(path, info.Header, info, take) }
	return File{Format: "npy", Summary: map[string]string{}, Arrays: []Array{{Name: "data", DType: info.DType, Shape: append([]int{}, info.Shape...), Bytes: info.Bytes, each: each}}}, nil
}

func ofIDX(path string) (File, error) {
	f := File{Format: "idx", Summary: map[string]string{}}
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	r, zipped, err := unzipped(in)
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	if zipped {
		f.Summary["compression"] = "gzip"
	}
	dims, err := idx.ReadInfo(r)
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	info, err := npz.InfoOf("|u1", dims)
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	if err := whole(in, r, zipped, int64(4+4*len(dims)), info.Bytes); err != nil {
		return f, fmt.Errorf("%s: dimensions %v declare %d bytes: %w", path, dims, info.Bytes, err)
	}
	f.Arrays = []Array{{Name: "data", DType: "U8", Shape: dims, Bytes: info.Bytes, each: func(take func([]float64) error) error {
		return idxElements(path, info, take)
	}}}
	return f, nil
}

// unzipped reads a file, which may be compressed.
func unzipped(in *os.File) (r io.Reader, zipped bool, err error) {
	if zr, err := gzip.NewReader(in); err == nil {
		return zr, true, nil
	}
	_, err = in.Seek(0, io.SeekStart)
	return in, false, err
}

// whole is an error where a file does not have the bytes that its header declares. A
// compressed one ends with its length, modulo 2³²; where that is another, it may have
// several parts, and r, which stands behind the header, is read to its end.
func whole(in *os.File, r io.Reader, zipped bool, header, declared int64) error {
	st, err := in.Stat()
	if err != nil {
		return err
	}
	have := st.Size() - header
	if zipped {
		var last [4]byte
		if _, err := in.ReadAt(last[:], st.Size()-4); err != nil {
			return err
		}
		if binary.LittleEndian.Uint32(last[:]) == uint32(header+declared) {
			return nil
		}
		have, err = io.CopyN(io.Discard, r, declared+1)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("truncated after %d: %w; fetch the file again", have, err)
		}
	}
	switch {
	case have < declared:
		return fmt.Errorf("truncated: found %d; fetch the file again", have)
	case have > declared:
		return errors.New("more bytes follow; is the file one whole array?")
	}
	return nil
}

// idxElements reads the elements of an IDX file.
func idxElements(path string, info npz.Info, take func([]float64) error) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	r, _, err := unzipped(in)
	if err == nil {
		_, err = idx.ReadInfo(r)
	}
	if err == nil {
		err = info.Each(r, take)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, truncated(err))
	}
	return nil
}

// ofTrains has an array for each train, of its times.
func ofTrains(path string) (File, error) {
	list, many, err := recording.Read(path, recording.Options{Every: true})
	if err != nil {
		return File{}, err
	}
	f := File{Format: "spike trains", Summary: map[string]string{}}
	if many {
		f.Summary["recordings"] = strconv.Itoa(len(list))
	}
	spikes := 0
	for i, r := range list {
		prefix := ""
		if many {
			prefix = strconv.Itoa(i) + ": "
		}
		if w := r.Window; w != nil {
			f.Summary[prefix+"window"] = fmt.Sprintf("%v to %v", w[0], w[1])
		}
		if len(r.Trials) > 0 {
			f.Summary[prefix+"trials"] = strings.Join(r.Trials, ", ")
		}
		for k, n := range r.Notes {
			f.Summary[fmt.Sprintf("%snote %d", prefix, k+1)] = n.Text
		}
		names := r.Names()
		for j, t := range r.Trains {
			spikes += len(t.Times)
			name := prefix + names[j]
			f.Trains = append(f.Trains, Train{name, t.Trial, t.Times, r.Window})
			if t.Trial != "" {
				name += ", trial " + t.Trial
			}
			f.Arrays = append(f.Arrays, Array{Name: name, DType: "times", Shape: []int{len(t.Times)}, Bytes: 8 * int64(len(t.Times)), each: func(take func([]float64) error) error {
				return take(t.Times)
			}})
		}
	}
	f.Summary["trains"], f.Summary["spikes"] = strconv.Itoa(len(f.Arrays)), strconv.Itoa(spikes)
	return f, nil
}

func ofYAML(c catalog.Catalog, path string) (File, error) {
	src, err := limit.ReadPath(path, model.MaxConfig)
	if err != nil {
		return File{}, err
	}
	cfg, err := c.Decode(path, src)
	if err != nil {
		return File{}, ConfigError{err}
	}
	resolved, err := c.Encode(cfg)
	if err != nil {
		return File{}, err
	}
	return File{Format: "training run", Text: string(resolved), Summary: ofConfig(c, cfg)}, nil
}

func ofRun(path string) (File, error) {
	r, err := run.Read(path)
	if err != nil {
		return File{}, ConfigError{err}
	}
	f := File{Format: "run", Text: string(r.Config), Summary: map[string]string{
		"status": string(r.Status), "recipe": r.Recipe, "scale": r.Scale, "seed": strconv.FormatUint(r.Seed, 10),
	}}
	var saved []string
	entries, _ := os.ReadDir(filepath.Join(path, "checkpoints")) // a run may have none
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".safetensors") {
			saved = append(saved, e.Name())
		}
	}
	f.Summary["checkpoints"] = strings.Join(saved, ", ")
	return f, nil
}
