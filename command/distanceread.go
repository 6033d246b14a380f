package command

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/format/npz"
	"synfire/format/spiketrain"
	"synfire/internal/limit"
)

// readRecordings reads a file, or standard input for "-". many tells a list of
// recordings.
func readRecordings(path, form string) (list []spiketrain.Recording, many bool, err error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, false, err
		}
		defer f.Close()
		in = f
	}
	buffered := bufio.NewReaderSize(in, 1<<16)
	if form == "" {
		form = formOf(path, buffered)
	}
	var one spiketrain.Recording
	switch form {
	case "json":
		list, many, err = spiketrain.ReadJSON(buffered, 0)
	case "csv":
		one, err = spiketrain.ReadCSV(buffered, 0)
	case "npz":
		one, err = readNPZ(buffered)
	default:
		one, err = spiketrain.ReadText(buffered, 0)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s, read as %s: %w", path, form, err)
	}
	if list == nil {
		list = []spiketrain.Recording{one}
	}
	return list, many, nil
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
	text := strings.ToLower(strings.TrimSpace(string(head)))
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

// readNPZ takes trains from the arrays times and units, or one from each array;
// t_start and t_end are the window where they are given.
func readNPZ(r io.Reader) (rec spiketrain.Recording, err error) {
	src, err := limit.ReadAll(r, npz.DefaultMax)
	if err != nil {
		return rec, err
	}
	arrays, err := npz.Read(bytes.NewReader(src), int64(len(src)), 0)
	if err != nil {
		return rec, err
	}
	if rec.Window, err = window(arrays); err != nil {
		return rec, err
	}
	delete(arrays, "t_start")
	delete(arrays, "t_end")
	times, hasTimes := arrays["times"]
	if units, ok := arrays["units"]; ok && hasTimes {
		rec.Trains, err = byUnit(times, units)
		return rec, err
	}
	for _, name := range sortedNames(arrays) {
		times, err := arrays[name].Float64s()
		if err != nil || len(arrays[name].Shape) != 1 {
			return rec, fmt.Errorf("array %q of type %s and shape %v: want the times of a train; %w", name, arrays[name].DType, arrays[name].Shape, orShape(err))
		}
		rec.Trains = append(rec.Trains, spiketrain.Train{Unit: name, Times: times})
	}
	return rec, nil
}

func orShape(err error) error {
	if err == nil {
		return fmt.Errorf("want one axis")
	}
	return err
}

func window(arrays map[string]npz.Array) (*[2]float64, error) {
	start, hasStart := arrays["t_start"]
	end, hasEnd := arrays["t_end"]
	if !hasStart && !hasEnd {
		return nil, nil
	}
	a, errA := start.Float64s()
	b, errB := end.Float64s()
	if errA != nil || errB != nil || len(a) != 1 || len(b) != 1 {
		return nil, fmt.Errorf("t_start and t_end: want one number each")
	}
	return &[2]float64{a[0], b[0]}, nil
}

// byUnit splits times by the unit of each, in the order of units.
func byUnit(times, units npz.Array) ([]spiketrain.Train, error) {
	at, err := times.Float64s()
	if err != nil {
		return nil, fmt.Errorf("array times: %w", err)
	}
	names, err := unitNames(units)
	if err != nil {
		return nil, fmt.Errorf("array units, the unit of each spike: %w", err)
	}
	if len(at) != len(names) {
		return nil, fmt.Errorf("%d times and %d units; want the unit of each spike", len(at), len(names))
	}
	index := map[string]int{}
	var trains []spiketrain.Train
	for i, name := range names {
		j, known := index[name]
		if !known {
			j = len(trains)
			index[name] = j
			trains = append(trains, spiketrain.Train{Unit: name})
		}
		trains[j].Times = append(trains[j].Times, at[i])
	}
	slices.SortStableFunc(trains, func(a, b spiketrain.Train) int { return natural(a.Unit, b.Unit) })
	return trains, nil
}

func unitNames(a npz.Array) ([]string, error) {
	if names, err := a.Strings(); err == nil {
		return names, nil
	}
	numbers, err := a.Int64s()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(numbers))
	for i, v := range numbers {
		names[i] = strconv.FormatInt(v, 10)
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
