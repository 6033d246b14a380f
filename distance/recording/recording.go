// Package recording reads spike trains from files of any form that format/spiketrain
// and format/npz know: JSON, text, CSV, NPZ and NeuroExplorer's text (nex), by the file's name or
// by how it begins.
//
// An NPZ file has one entry a spike, or one array for each train, empty for a silent
// unit,
//
//	times, units [, trials]   units and trials are numbers or names; unit and trial will do
//	n_units | unit_names      which units there are: 0 to n − 1, or by name
//	t_start, t_end            the window
//
// and without n_units or unit_names a unit without a spike is not there.
//
// Of other systems it reads the units of NWB files (.nwb), folders of Phy and Kilosort, cells
// of MATLAB (.mat), matrices of 0 and 1, units × steps (.npy), objects of R's save as those of the
// package STAR (.rda), and HDF5 of the repositories waverepo and g2chvcdata (.h5).
package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"synfire/format/npz"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
	"synfire/internal/magic"
)

// Options say what a file does not.
type Options struct {
	Form  string // of Forms; "" goes by the file's name, else by how it begins
	Trial string // the one to take, where there are several
	Every bool   // keep the trains of all trials, and the recording's list of them
	Units string // how many units there are, or their names (spiketrain.Recording.WithUnits)
}

// Forms are the names of the forms.
func Forms() []string { return []string{"json", "text", "csv", "npz", "nex"} }

// Read reads the recordings of a file, or of standard input for "-". many tells a list
// of recordings, even of one, from a single one. Each has the trains of one trial, unless every one is asked for; what
// its reader should be told stands in its notes.
func Read(path string, o Options) (list []spiketrain.Recording, many bool, err error) {
	if path == "-" {
		return From(os.Stdin, path, o)
	}
	if lab := labOf(path); lab != "" && o.Form == "" {
		one, err := labs[lab](path)
		if err != nil {
			return nil, false, fmt.Errorf("%s, read as %s: %w", path, lab, err)
		}
		list, err = o.fit([]spiketrain.Recording{one}, path)
		return list, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	buffered := bufio.NewReaderSize(f, 1<<16)
	if st, err := f.Stat(); err == nil && st.Size() > spiketrain.DefaultMax && cmp.Or(o.Form, formOf(path, buffered)) != "npz" {
		return nil, false, fmt.Errorf("%s: %d bytes of text, at most %d are read; part the recording, or save it as NPZ", path, st.Size(), int64(spiketrain.DefaultMax))
	}
	return From(buffered, path, o)
}

// From reads what Read does from r; name is the file's.
func From(r io.Reader, name string, o Options) (list []spiketrain.Recording, many bool, err error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	form := cmp.Or(o.Form, formOf(name, buffered))
	if err := foreign(buffered, form); err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	list, many, err = decode(buffered, form)
	if errors.Is(err, spiketrain.ErrSilent) && o.Units != "" {
		list, err = []spiketrain.Recording{{}}, nil // all units are silent
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s, read as %s: %w", name, form, err)
	}
	list, err = o.fit(list, name)
	return list, many, err
}

// fit is the recordings of the trial and with the units that were asked for.
func (o Options) fit(list []spiketrain.Recording, name string) (_ []spiketrain.Recording, err error) {
	for i := range list {
		if !o.Every {
			list[i], err = list[i].Trial(o.Trial)
		}
		if err == nil && o.Units != "" {
			list[i], err = list[i].WithUnits(o.Units)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, nil
}

func decode(r io.Reader, form string) (list []spiketrain.Recording, many bool, err error) {
	var one spiketrain.Recording
	switch form {
	case "json":
		return spiketrain.ReadJSON(r, 0)
	case "csv":
		one, err = spiketrain.ReadCSV(r, 0)
	case "npz":
		var f *os.File
		var size int64
		if f, size, err = spool(r); err == nil {
			defer os.Remove(f.Name())
			defer f.Close()
			one, err = readNPZ(f, size)
		}
	case "text":
		one, err = spiketrain.ReadText(r, 0)
	case "nex":
		one, err = spiketrain.ReadNEX(r, 0)
	default:
		err = fmt.Errorf("no such form; want one of %s", strings.Join(Forms(), ", "))
	}
	return []spiketrain.Recording{one}, false, err
}

// foreign is an error where a text was expected and something else was found.
func foreign(r *bufio.Reader, form string) error {
	head, _ := r.Peek(magic.Bytes)
	if bytes.HasPrefix(head, []byte("NEX1")) || bytes.HasPrefix(head, []byte("NEX5")) {
		return errors.New("the file is NeuroExplorer's own binary form; want its text (there: Save As Text File)")
	}
	if form == "npz" || len(head) == 0 || magic.IsText(head) {
		return nil
	}
	if what := magic.What(head); what != "" && what != "JSON" {
		return fmt.Errorf("the file is %s, read as %s; want JSON, text, CSV or NPZ of spike trains", what, form)
	}
	return nil
}

// formOf guesses the form by the file's name, else by how it begins.
func formOf(path string, r *bufio.Reader) string {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".json", ".jsonl", ".csv", ".npz":
		return strings.TrimSuffix(ext[1:], "l")
	}
	head, _ := r.Peek(512)
	text := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(string(head), "\ufeff")))
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "npz"
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return "json"
	case !named(path) && strings.Contains(first, "unit") && strings.Contains(first, "time"):
		return "csv"
	case beginsWithName(first):
		return "nex"
	}
	return "text"
}

// named tells a file whose ending says that it is text.
func named(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".txt" || ext == ".dat"
}

// beginsWithName tells NeuroExplorer's text, whose first line has names.
func beginsWithName(line string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
	word, _, _ := strings.Cut(first, " ")
	r, _ := utf8.DecodeRuneInString(word)
	_, err := strconv.ParseFloat(word, 64) // as nan
	return unicode.IsLetter(r) && err != nil
}

// readNPZ reads numbers without holding the bytes that they are made of.
func readNPZ(r io.ReaderAt, size int64) (rec spiketrain.Recording, err error) {
	entries, err := npz.Entries(r, size)
	if err == nil {
		err = npz.Permitted(entries, npz.DefaultMax)
	}
	if err != nil {
		return rec, err
	}
	columns := map[string]column{}
	for _, e := range entries {
		columns[e.Name] = column{e.DType, e.Shape, e}
	}
	return fromColumns(columns)
}

// column is an array, in memory or in a file.
type column struct {
	dtype string
	shape []int
	reader
}

type reader interface {
	Float64s() ([]float64, error)
	Int64s() ([]int64, error)
	Strings() ([]string, error)
}

// size is the number of elements.
func (c column) size() int64 {
	n := int64(1)
	for _, d := range c.shape {
		n *= int64(d)
	}
	return n
}

// spool is a stream in a temporary file, since archives are read from their end.
func spool(r io.Reader) (f *os.File, size int64, err error) {
	if f, err = os.CreateTemp("", "synfire-*.npz"); err != nil {
		return nil, 0, err
	}
	os.Remove(f.Name()) // where the system lets files be removed that are open
	if size, err = io.Copy(f, limit.Reader(r, npz.DefaultMax)); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

// FromNPZ is the recording in the arrays of a file.
func FromNPZ(arrays map[string]npz.Array) (spiketrain.Recording, error) {
	columns := map[string]column{}
	for name, a := range arrays {
		columns[name] = column{a.DType, a.Shape, a}
	}
	return fromColumns(columns)
}

func fromColumns(arrays map[string]column) (spiketrain.Recording, error) {
	window, err := windowOf(arrays)
	if err != nil {
		return spiketrain.Recording{}, err
	}
	var rec spiketrain.Recording
	if _, ok := arrays["times"]; ok && (has(arrays, "units") || has(arrays, "unit")) {
		rec, err = bySpike(arrays)
	} else {
		rec, err = byTrain(arrays)
	}
	rec.Window = window
	return rec, err
}

func has(arrays map[string]column, name string) bool {
	_, ok := arrays[name]
	return ok
}

func windowOf(arrays map[string]column) (*[2]float64, error) {
	if !has(arrays, "t_start") && !has(arrays, "t_end") {
		return nil, nil
	}
	a, errA := one(arrays, "t_start")
	b, errB := one(arrays, "t_end")
	if errA != nil || errB != nil {
		return nil, errors.New("t_start and t_end: want one number each")
	}
	return &[2]float64{a, b}, nil
}

// one is the only number of an array.
func one(arrays map[string]column, name string) (float64, error) {
	a, ok := arrays[name]
	if !ok || a.size() != 1 {
		return 0, errors.New("want one number")
	}
	v, err := a.Float64s()
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// byTrain takes a train from each array.
func byTrain(arrays map[string]column) (rec spiketrain.Recording, err error) {
	for _, name := range sortedNames(arrays) {
		if name == "t_start" || name == "t_end" {
			continue
		}
		a := arrays[name]
		var times []float64
		err := errors.New("want one axis")
		if len(a.shape) == 1 {
			times, err = a.Float64s()
		}
		if err != nil {
			return rec, fmt.Errorf("array %q of type %s and shape %v: want the times of a train; %w", name, a.dtype, a.shape, err)
		}
		if !utf8.ValidString(name) {
			return rec, fmt.Errorf("array %q: want a name in UTF-8", name)
		}
		rec.Trains = append(rec.Trains, spiketrain.Train{Unit: name, Times: times})
	}
	return rec, nil
}

// bySpike splits times by the unit and the trial of each, in the order of units.
func bySpike(arrays map[string]column) (rec spiketrain.Recording, err error) {
	if err := fits(arrays["times"].size()); err != nil {
		return rec, err
	}
	times, err := arrays["times"].Float64s()
	if err != nil {
		return rec, fmt.Errorf("array times: %w", err)
	}
	known := []string{"times", "t_start", "t_end", "n_units", "unit_names"}
	of := [2]func(spike int) string{unnamed, unnamed}
	for i, name := range []string{"units", "trials"} {
		if singular := strings.TrimSuffix(name, "s"); has(arrays, singular) && !has(arrays, name) {
			name = singular
		}
		if known = append(known, name); !has(arrays, name) {
			continue
		}
		if n := arrays[name].size(); n != int64(len(times)) {
			return rec, fmt.Errorf("%d times and %d %s; want one for each spike", len(times), n, name)
		}
		if of[i], err = labels(arrays[name]); err != nil {
			return rec, fmt.Errorf("array %s, one for each spike: %w", name, err)
		}
	}
	for _, name := range sortedNames(arrays) {
		if !slices.Contains(known, name) {
			return rec, fmt.Errorf("array %q is not known beside times of spikes; want units, trials, n_units or unit_names, t_start and t_end: rename or remove it", name)
		}
	}
	var spikes spiketrain.Spikes
	for i, t := range times {
		if err := spikes.Add(of[0](i), of[1](i), 0, t); err != nil {
			return rec, err
		}
	}
	if rec, err = spikes.Recording(); err != nil {
		return rec, err
	}
	slices.SortStableFunc(rec.Trains, func(a, b spiketrain.Train) int { return natural(a.Unit, b.Unit) })
	slices.SortFunc(rec.Trials, natural)
	return withStored(rec, arrays)
}

func unnamed(int) string { return "" }

// fits is an error where the machine has not the memory for so many spikes: a time, a
// unit and a trial each, and the time in its train.
func fits(spikes int64) error { return limit.Fits(4 * 8 * spikes) }

// withStored adds the silent units that the file knows of.
func withStored(rec spiketrain.Recording, arrays map[string]column) (spiketrain.Recording, error) {
	var names []string
	switch {
	case has(arrays, "unit_names"):
		var err error
		if n := arrays["unit_names"].size(); n > mostUnits {
			return rec, fmt.Errorf("array unit_names: %d names, want at most %d", n, mostUnits)
		}
		if names, err = arrays["unit_names"].Strings(); err != nil {
			return rec, fmt.Errorf("array unit_names: %w", err)
		}
	case has(arrays, "n_units"):
		n, err := one(arrays, "n_units")
		if err != nil || !(n >= 1 && n <= mostUnits) || n != math.Trunc(n) {
			return rec, fmt.Errorf("array n_units: want one whole number from 1 to %d", mostUnits)
		}
		for i := range int(n) {
			names = append(names, strconv.Itoa(i))
		}
	default:
		return rec, nil
	}
	return rec.Observed(names)
}

// mostUnits bounds the silent units that a number may ask for.
const mostUnits = 1 << 20

// labels are names of units or trials, or their numbers as text, by spike.
func labels(c column) (func(spike int) string, error) {
	if numbers, err := c.Int64s(); err == nil {
		texts := map[int64]string{}
		return func(spike int) string {
			n := numbers[spike]
			text, known := texts[n]
			if !known {
				text = strconv.FormatInt(n, 10)
				texts[n] = text
			}
			return text
		}, nil
	} else if !strings.ContainsAny(c.dtype, "US") {
		return nil, err
	}
	names, err := c.Strings()
	if err == nil && slices.Contains(names, "") {
		err = errors.New("one has no name")
	}
	return func(spike int) string { return names[spike] }, err
}

func sortedNames(arrays map[string]column) []string {
	var names []string
	for name := range arrays {
		names = append(names, name)
	}
	slices.SortFunc(names, natural)
	return names
}

// natural puts arr_2 before arr_10: what precedes a number at the end counts
// first, and then the number.
func natural(a, b string) int {
	x, i := splitNumber(a)
	y, j := splitNumber(b)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(i, j), cmp.Compare(a, b))
}

func splitNumber(s string) (string, int) {
	head := strings.TrimRight(s, "0123456789")
	n, err := strconv.Atoi(s[len(head):])
	if err != nil {
		return s, -1
	}
	return head, n
}
