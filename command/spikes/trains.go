package spikes

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/sample"
	"synfire/spike"
	"synfire/view"
)

// each is the recording with other trains in place of its own.
func (in input) each(f func(unit, trial int) (spike.Train, error)) (input, error) {
	out := in
	out.units = make([][]spike.Train, len(in.units))
	for i, u := range in.units {
		for k := range u {
			t, err := f(i, k)
			if err != nil {
				return in, fmt.Errorf("unit %q: %w", sample.Printable(in.names[i]), err)
			}
			out.units[i] = append(out.units[i], t)
		}
	}
	return out, nil
}

// trainsOf is a result that is trains; its values are the spikes of each unit.
func trainsOf(in input, params map[string]any) result {
	r := result{form: trains, Unit: "spikes", Params: params, in: in, Units: in.names, picture: in.raster}
	for _, u := range in.units {
		n := 0
		for _, t := range u {
			n += len(t.Times)
		}
		r.values = append(r.values, []float64{float64(n)})
	}
	return r
}

// recordingJSON is a trial of trains as the verb prints it, and as it reads it again.
type recordingJSON struct {
	Statistic string         `json:"statistic"`
	Name      string         `json:"name,omitempty"`
	Params    map[string]any `json:"params"`
	Unit      string         `json:"unit"`
	Units     []string       `json:"units"`
	Values    []int          `json:"values"` // spikes
	Start     float64        `json:"t_start"`
	Stop      float64        `json:"t_end"`
	Trains    [][]float64    `json:"trains"`
}

// trials prints a line for each trial.
func (r result) trials(w io.Writer) error {
	out := json.NewEncoder(w)
	for k := range r.in.trials {
		first := r.in.units[0][k]
		line := recordingJSON{Statistic: r.Statistic, Name: r.Name, Params: r.Params, Unit: r.Unit, Units: r.Units, Start: first.Start, Stop: first.Stop}
		if r.in.trials > 1 {
			line.Name = "trial " + r.in.trialNames[k]
		}
		for _, u := range r.in.units {
			line.Trains = append(line.Trains, append([]float64{}, u[k].Times...))
			line.Values = append(line.Values, len(u[k].Times))
		}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// endings are those of files that trains can be written to.
var endings = []string{".csv", ".npz", ".json", ".txt"}

// export writes the trains to a file, by its ending.
func (r result) export(path string) error {
	var b bytes.Buffer
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz":
		err = npz.Write(&b, r.in.arrays())
	case ".json":
		err = r.trials(&b)
	case ".txt":
		err = r.in.text(&b)
	default:
		err = r.in.csv(&b)
	}
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	return atomicfile.Write(path, content(b.Bytes()))
}

func number64(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// csv has a line for each spike; silent units leave none.
func (in input) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"unit", "time"}}
	if in.trials > 1 {
		rows[0] = append(rows[0], "trial")
	}
	for i, u := range in.units {
		for k, t := range u {
			for _, at := range t.Times {
				row := []string{in.names[i], number64(at)}
				if in.trials > 1 {
					row = append(row, in.trialNames[k])
				}
				rows = append(rows, row)
			}
		}
	}
	return out.WriteAll(rows)
}

// text has a line for each unit.
func (in input) text(w io.Writer) error {
	if in.trials > 1 {
		return fmt.Errorf("text holds one trial, and there are %d; choose it by --trial, or write .csv or .npz", in.trials)
	}
	for _, u := range in.units {
		var words []string
		for _, at := range u[0].Times {
			words = append(words, number64(at))
		}
		if _, err := fmt.Fprintln(w, strings.Join(words, " ")); err != nil {
			return err
		}
	}
	return nil
}

// arrays are those of NPZ, with the window and the names of silent units.
func (in input) arrays() map[string]npz.Array {
	var times []float64
	var units, trials []string
	for i, u := range in.units {
		for k, t := range u {
			for _, at := range t.Times {
				times, units, trials = append(times, at), append(units, in.names[i]), append(trials, in.trialNames[k])
			}
		}
	}
	first := in.units[0][0]
	out := map[string]npz.Array{
		"times": npz.F64(times, len(times)), "units": npz.Text(units, len(units)), "unit_names": npz.Text(in.names, len(in.names)),
		"t_start": npz.F64([]float64{first.Start}), "t_end": npz.F64([]float64{first.Stop}),
	}
	if in.trials > 1 {
		out["trials"] = npz.Text(trials, len(trials))
	}
	return out
}

// printTrains tells what the trains are.
func (r result) printTrains(s view.Screen) {
	first := r.in.units[0][0]
	fmt.Fprintf(s.Out, "\nwindow  %s to %s %s, %d units, %d trials; the trains themselves: --json, or --out FILE (%s)\n\n", view.Short(first.Start), view.Short(first.Stop), plural(r.in.ofTime()), len(r.in.units), r.in.trials, strings.Join(endings, ", "))
}
