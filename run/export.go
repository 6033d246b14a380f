package run

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Row is a run as lists show it.
type Row struct {
	Run         string              `json:"run"`
	Recipe      string              `json:"recipe"`
	Scale       string              `json:"scale"`
	Seed        uint64              `json:"seed"`
	Status      Status              `json:"status"`
	Started     *time.Time          `json:"started"`
	WallSeconds *float64            `json:"wall_seconds"` // null unless done
	Metrics     map[string]*float64 `json:"metrics"`
	Figure      string              `json:"-"` // of the metrics, the first task's first
}

// Row is the run's.
func (r Info) Row() Row {
	out := Row{Run: r.Name, Recipe: r.Recipe, Scale: r.Scale, Seed: r.Seed, Status: r.Status, Metrics: map[string]*float64{}}
	if !r.Started.IsZero() {
		out.Started = &r.Started
	}
	if r.Result != nil {
		out.WallSeconds = &r.Result.WallSeconds
		out.Figure = r.Result.Figure
		if r.Result.Metrics != nil {
			out.Metrics = r.Result.Metrics
		}
	}
	return out
}

// WriteRows writes a table of runs as CSV.
func WriteRows(w io.Writer, rows []Row) error {
	var records []map[string]string
	for _, x := range rows {
		rec := map[string]string{"run": x.Run, "recipe": x.Recipe, "scale": x.Scale, "seed": strconv.FormatUint(x.Seed, 10), "status": string(x.Status)}
		if x.Started != nil {
			rec["started"] = x.Started.Format(time.RFC3339)
		}
		if x.WallSeconds != nil {
			rec["wall_seconds"] = number(*x.WallSeconds)
		}
		for name, v := range x.Metrics {
			if v != nil {
				rec[name] = number(*v)
			}
		}
		records = append(records, rec)
	}
	return writeCSV(w, []string{"run", "recipe", "scale", "seed", "status", "started", "wall_seconds"}, records)
}

// WriteEpochs writes a table of a run's epochs as CSV.
func WriteEpochs(w io.Writer, epochs []Epoch) error {
	var records []map[string]string
	for _, e := range epochs {
		rec := map[string]string{"epoch": strconv.Itoa(e.Epoch), "step": strconv.Itoa(e.Step), "seconds": number(e.Seconds)}
		for split, figures := range map[string]Figures{"train_": e.Train, "valid_": e.Valid, "test_": e.Test, "rate.": Figures(e.Rates)} {
			for name, v := range figures {
				rec[split+name] = number(v)
			}
		}
		records = append(records, rec)
	}
	return writeCSV(w, []string{"epoch", "step", "seconds"}, records)
}

// writeCSV writes the first columns, then all others that a record has, by name.
func writeCSV(out io.Writer, columns []string, records []map[string]string) error {
	more := map[string]bool{}
	for _, r := range records {
		for name := range r {
			more[name] = !slices.Contains(columns, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if more[name] {
			columns = append(columns, name)
		}
	}
	w := csv.NewWriter(out)
	if err := w.Write(columns); err != nil {
		return err
	}
	for _, r := range records {
		line := make([]string, len(columns))
		for i, name := range columns {
			line[i] = r[name]
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
