// Package recording reads spike trains from files of any form that format/spiketrain
// and format/npz know: JSON, text, CSV and NPZ, by the file's name or by how it begins.
//
// An NPZ file has one entry a spike, or one array for each train, empty for a silent
// unit,
//
//	times, units [, trials]   units and trials are numbers or names; unit and trial will do
//	n_units | unit_names      which units there are: 0 to n − 1, or by name
//	t_start, t_end            the window
//
// and without n_units or unit_names a unit without a spike is not there.
package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
func Forms() []string { return []string{"json", "text", "csv", "npz"} }

// Read reads the recordings of a file, or of standard input for "-". many tells a list
// of recordings, even of one, from a single one. Each has the trains of one trial, unless every one is asked for; what
// its reader should be told stands in its notes.
func Read(path string, o Options) (list []spiketrain.Recording, many bool, err error) {
	if path == "-" {
		return From(os.Stdin, path, o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	return From(f, path, o)
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
	for i := range list {
		if !o.Every {
			list[i], err = list[i].Trial(o.Trial)
		}
		if err == nil && o.Units != "" {
			list[i], err = list[i].WithUnits(o.Units)
		}
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, many, nil
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
	default:
		err = fmt.Errorf("no such form; want one of %s", strings.Join(Forms(), ", "))
	}
	return []spiketrain.Recording{one}, false, err
}

// foreign is an error where a text was expected and something else was found.
func foreign(r *bufio.Reader, form string) error {
	head, _ := r.Peek(magic.Bytes)
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
	case ".txt", ".dat":
		return "text"
	}
	head, _ := r.Peek(512)
	text := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(string(head), "\ufeff")))
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "npz"
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return "json"
	case strings.Contains(first, "unit") && strings.Contains(first, "time"):
		return "csv"
	}
	return "text"
}

func readNPZ(r io.ReaderAt, size int64) (rec spiketrain.Recording, err error) {
	arrays, err := npz.Read(r, size, 0)
	if err != nil {
		return rec, err
	}
	return FromNPZ(arrays)
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

func has(arrays map[string]npz.Array, name string) bool {
	_, ok := arrays[name]
	return ok
}

func windowOf(arrays map[string]npz.Array) (*[2]float64, error) {
	if !has(arrays, "t_start") && !has(arrays, "t_end") {
		return nil, nil
	}
	a, errA := arrays["t_start"].Float64s()
	b, errB := arrays["t_end"].Float64s()
	if errA != nil || errB != nil || len(a) != 1 || len(b) != 1 {
		return nil, errors.New("t_start and t_end: want one number each")
	}
	return &[2]float64{a[0], b[0]}, nil
}

// byTrain takes a train from each array.
func byTrain(arrays map[string]npz.Array) (rec spiketrain.Recording, err error) {
	for _, name := range sortedNames(arrays) {
		if name == "t_start" || name == "t_end" {
			continue
		}
		a := arrays[name]
		var times []float64
		err := errors.New("want one axis")
		if len(a.Shape) == 1 {
			times, err = a.Float64s()
		}
		if err != nil {
			return rec, fmt.Errorf("array %q of type %s and shape %v: want the times of a train; %w", name, a.DType, a.Shape, err)
		}
		if !utf8.ValidString(name) {
			return rec, fmt.Errorf("array %q: want a name in UTF-8", name)
		}
		rec.Trains = append(rec.Trains, spiketrain.Train{Unit: name, Times: times})
	}
	return rec, nil
}

// bySpike splits times by the unit and the trial of each, in the order of units.
func bySpike(arrays map[string]npz.Array) (rec spiketrain.Recording, err error) {
	times, err := arrays["times"].Float64s()
	if err != nil {
		return rec, fmt.Errorf("array times: %w", err)
	}
	known := []string{"times", "t_start", "t_end", "n_units", "unit_names"}
	var of [2][]string
	for i, name := range []string{"units", "trials"} {
		if singular := strings.TrimSuffix(name, "s"); has(arrays, singular) && !has(arrays, name) {
			name = singular
		}
		if known = append(known, name); !has(arrays, name) {
			of[i] = make([]string, len(times))
			continue
		}
		if of[i], err = labels(arrays[name]); err != nil {
			return rec, fmt.Errorf("array %s, one for each spike: %w", name, err)
		}
		if len(of[i]) != len(times) {
			return rec, fmt.Errorf("%d times and %d %s; want one for each spike", len(times), len(of[i]), name)
		}
	}
	for _, name := range sortedNames(arrays) {
		if !slices.Contains(known, name) {
			return rec, fmt.Errorf("array %q is not known beside times of spikes; want units, trials, n_units or unit_names, t_start and t_end: rename or remove it", name)
		}
	}
	var spikes spiketrain.Spikes
	for i, t := range times {
		spikes.Add(of[0][i], of[1][i], 0, t)
	}
	rec = spikes.Recording()
	slices.SortStableFunc(rec.Trains, func(a, b spiketrain.Train) int { return natural(a.Unit, b.Unit) })
	slices.SortFunc(rec.Trials, natural)
	return withStored(rec, arrays)
}

// withStored adds the silent units that the file knows of.
func withStored(rec spiketrain.Recording, arrays map[string]npz.Array) (spiketrain.Recording, error) {
	var names []string
	switch {
	case has(arrays, "unit_names"):
		var err error
		if names, err = arrays["unit_names"].Strings(); err != nil {
			return rec, fmt.Errorf("array unit_names: %w", err)
		}
	case has(arrays, "n_units"):
		n, err := arrays["n_units"].Int64s()
		if err != nil || len(n) != 1 || n[0] < 1 || n[0] > mostUnits {
			return rec, fmt.Errorf("array n_units: want one whole number from 1 to %d", mostUnits)
		}
		for i := range int(n[0]) {
			names = append(names, strconv.Itoa(i))
		}
	default:
		return rec, nil
	}
	return rec.Observed(names)
}

// mostUnits bounds the silent units that a number may ask for.
const mostUnits = 1 << 20

// labels are names of units or trials, or their numbers as text.
func labels(a npz.Array) ([]string, error) {
	names, err := a.Strings()
	if err != nil {
		numbers, err := a.Int64s()
		if err != nil {
			return nil, err
		}
		for _, v := range numbers {
			names = append(names, strconv.FormatInt(v, 10))
		}
	}
	if slices.Contains(names, "") {
		return nil, errors.New("one has no name")
	}
	return names, nil
}

func sortedNames(arrays map[string]npz.Array) []string {
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
