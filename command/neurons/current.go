package neurons

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"synfire/format/npz"
	"synfire/internal/limit"
	"synfire/neuron/dynamics"
	"synfire/sample"
)

// maxRecording is the most bytes of a recorded current.
const maxRecording = 256 << 20

// current reads what --current says. The length is that of a recording, in ms or steps; 0 for the
// others. Values without times are a step apart.
func current(text string, step, duration float64) (s dynamics.Stimulus, length float64, err error) {
	if v, err := number(text); err == nil {
		return dynamics.Constant(v), 0, nil
	}
	form, rest, ok := strings.Cut(text, ":")
	if ok && (form == "step" || form == "ramp") {
		s, err := shaped(form, rest, duration)
		return s, 0, err
	}
	switch strings.ToLower(filepath.Ext(text)) {
	case ".csv", ".txt", ".npy", ".npz":
	default:
		return nil, 0, fmt.Errorf("--current %q: want a number, step:BASE,CURRENT,ON[,OFF], ramp:FROM,TO[,START,END] or a file .csv, .txt, .npy or .npz", sample.Printable(text))
	}
	times, values, err := recording(text)
	if err != nil {
		return nil, 0, fmt.Errorf("--current %s: %w", sample.Printable(text), err)
	}
	if times == nil {
		for k := range values {
			times = append(times, float64(k)*step)
		}
	}
	if s, err = dynamics.Recorded(times, values); err != nil {
		return nil, 0, fmt.Errorf("--current %s: %w", sample.Printable(text), err)
	}
	n := len(times)
	length = times[n-1] + step
	if n > 1 {
		length = times[n-1] + times[n-1] - times[n-2]
	}
	if !(length > 0) {
		return nil, 0, fmt.Errorf("--current %s: times end at %v, want them from 0 on", sample.Printable(text), times[n-1])
	}
	return s, length, nil
}

// shaped is a step or a ramp.
func shaped(form, rest string, duration float64) (dynamics.Stimulus, error) {
	var v []float64
	var wrong error
	for _, part := range strings.Split(rest, ",") {
		x, err := number(part)
		v, wrong = append(v, x), errors.Join(wrong, err)
	}
	switch {
	case wrong == nil && form == "step" && len(v) == 3:
		return dynamics.Step(v[0], v[1], v[2], math.Inf(1)), nil
	case wrong == nil && form == "step" && len(v) == 4 && v[2] < v[3]:
		return dynamics.Step(v[0], v[1], v[2], v[3]), nil
	case wrong == nil && form == "ramp" && len(v) == 2:
		return dynamics.Ramp(v[0], v[1], 0, duration), nil
	case wrong == nil && form == "ramp" && len(v) == 4 && v[2] < v[3]:
		return dynamics.Ramp(v[0], v[1], v[2], v[3]), nil
	}
	want := map[string]string{"step": "step:BASE,CURRENT,ON or step:BASE,CURRENT,ON,OFF with ON before OFF", "ramp": "ramp:FROM,TO or ramp:FROM,TO,START,END with START before END"}[form]
	return nil, fmt.Errorf("--current %s:%s: want %s", form, sample.Printable(rest), want)
}

// recording reads a file of currents; times are nil where it has none.
func recording(path string) (times, values []float64, err error) {
	if strings.EqualFold(filepath.Ext(path), ".npz") {
		arrays, err := npz.ReadFile(path, maxRecording)
		if err != nil {
			return nil, nil, err
		}
		return fromArrays(arrays)
	}
	raw, err := limit.ReadPath(path, maxRecording)
	if err != nil {
		return nil, nil, err
	}
	if strings.EqualFold(filepath.Ext(path), ".npy") {
		a, err := npz.ReadNPY(bytes.NewReader(raw), maxRecording)
		if err != nil {
			return nil, nil, err
		}
		return fromArrays(map[string]npz.Array{"current": a})
	}
	return parse(string(raw))
}

// fromArrays takes the array current, or the only one, and time where there is one. An array of
// two columns is times and values.
func fromArrays(arrays map[string]npz.Array) (times, values []float64, err error) {
	a, ok := arrays["current"]
	if !ok && len(arrays) == 1 {
		for _, a = range arrays {
			ok = true
		}
	}
	if !ok {
		return nil, nil, fmt.Errorf("%d arrays and none is named current", len(arrays))
	}
	if values, err = a.Float64s(); err != nil {
		return nil, nil, err
	}
	t, timed := arrays["time"]
	switch {
	case len(a.Shape) == 2 && a.Shape[1] == 2 && !timed:
		for k := 0; k < len(values); k += 2 {
			times = append(times, values[k])
		}
		rows := values
		values = make([]float64, len(times))
		for k := range values {
			values[k] = rows[2*k+1]
		}
	case len(a.Shape) != 1:
		return nil, nil, fmt.Errorf("an array of shape %v, want one axis, or two columns of times and values", a.Shape)
	case timed:
		times, err = t.Float64s()
	}
	return times, values, err
}

// parse reads lines of a value, or of a time and a value, with commas, semicolons, tabs or blanks between;
// empty lines and those that begin with # are left out, and so is a first line of names.
func parse(text string) (times, values []float64, err error) {
	columns := 0
	for k, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",; \t", r) })
		row := make([]float64, len(fields))
		var wrong error
		for i, f := range fields {
			if row[i], err = number(f); err != nil {
				wrong = errors.Join(wrong, err)
			}
		}
		if wrong != nil && columns == 0 && !slices.ContainsFunc(fields, func(f string) bool { _, err := number(f); return err == nil }) {
			columns = len(fields)
			continue // names
		}
		if columns == 0 {
			columns = len(row)
		}
		if wrong != nil || len(row) != columns || columns < 1 || columns > 2 {
			return nil, nil, fmt.Errorf("line %d: %q: want a value, or a time and a value, as in the lines before", k+1, sample.Printable(line[:min(len(line), 40)]))
		}
		if columns == 2 {
			times = append(times, row[0])
		}
		values = append(values, row[columns-1])
	}
	if len(values) == 0 {
		return nil, nil, errors.New("no values")
	}
	return times, values, nil
}
