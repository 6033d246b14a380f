// Package spikes holds the verb that measures recordings of spike trains.
package spikes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/command/exchange"
	"synfire/data"
	"synfire/data/recordings"
	"synfire/distance/recording"
	"synfire/format/spiketrain"
	"synfire/internal/suggest"
	"synfire/sample"
	"synfire/spike"
	"synfire/view"
)

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
	Data    data.Options
}

// Spikes is the verb spikes.
type Spikes struct {
	File string `arg:"" help:"Recording: JSON, text with a train a line, CSV with the columns unit, time and perhaps trial, or NPZ; an NWB file, a folder of Phy, text of NeuroExplorer, cells of MATLAB, R's .rda, HDF5 of waverepo, or a matrix of 0 and 1 as NPY; - reads standard input; recordings:NAME is one of the data set recordings."`
	Verb string `arg:"" help:"What to tell of it: one of the statistics below." enum:"${spikes_verbs}"`

	Window  string   `help:"Window of observation, for files that have none or in place of theirs." placeholder:"A,B"`
	Trial   string   `help:"Trial to take, of a file with several; else statistics are over all." placeholder:"N"`
	Units   string   `help:"Units that were observed, silent ones too: their number, or their names." placeholder:"N|NAMES"`
	Only    []string `help:"Units to take, by their names; may be repeated." placeholder:"NAME" sep:"none"`
	Sort    bool     `help:"Put spikes in order, and merge those at one time unless --repeats."`
	Clip    bool     `help:"Drop spikes outside the window."`
	Repeats bool     `help:"Keep several spikes of a unit at one time."`
	Format  string   `help:"Form of the file: json, text, csv, npz or nex (default by its name, else by its content)." enum:",json,text,csv,npz,nex" default:"" placeholder:"FORM"`
	Unit    string   `help:"Unit of time of the file, such as s or ms; it names the units of results." placeholder:"UNIT"`

	params
	chance
	edits

	Out    string `help:"Write the values to a file, .csv or .npz, with the names of the units; trains also to .json and .txt." placeholder:"FILE"`
	Figure string `help:"Write a picture to a file, .svg or .png." placeholder:"FILE"`
	JSON   bool   `help:"Print JSON; JSON lines for a file that holds a list of recordings, or for trials of trains."`

	context context.Context
}

// Help is the verb's longer help.
func (Spikes) Help() string {
	var b strings.Builder
	b.WriteString("Measures a recording of spike trains. Times are in the unit of the file, and so are\nall options that are times. What is undefined is said to be, with the reason; it is null\nin JSON. The statistics, with the options that are theirs:\n\n")
	for _, v := range verbs() {
		flags := ""
		if len(v.flags) > 0 {
			flags = " (--" + strings.Join(v.flags, ", --") + ")"
		}
		fmt.Fprintf(&b, "  %-13s %s%s\n", v.name, v.about, flags)
	}
	b.WriteString(`
  synfire spikes trains.csv summary --window 0,30 --unit s
  synfire spikes trains.csv rate --window 0,30 --bandwidth 0.2 --figure rate.svg
  synfire spikes trains.npz cross --width 0.001 --lag 0.05 --only a --only b --json`)
	return b.String()
}

// Validate returns an error for options that would be ignored, or that make no sense.
func (c *Spikes) Validate() error {
	v := verbOf(c.Verb)
	if v.run == nil {
		return nil // which the list of names tells better
	}
	for _, name := range c.given() {
		if c.Verb == "test" && c.Statistic != "" && slices.Contains(verbOf(c.Statistic).flags, name) {
			continue
		}
		if !slices.Contains(v.flags, name) {
			return fmt.Errorf("--%s is not for %s; it is for %s", name, c.Verb, strings.Join(takers(name), ", "))
		}
	}
	for _, name := range v.needs {
		if !slices.Contains(c.given(), name) {
			return fmt.Errorf("%s needs --%s, in the unit of time of the file", c.Verb, name)
		}
	}
	if strings.HasPrefix(c.File, recordings.Prefix) && (c.Units != "" || c.Format != "") {
		return errors.New("--units and --format are for files; the data set knows units and form")
	}
	for flag, f := range map[string]struct {
		path    string
		endings []string
	}{"out": {c.Out, v.files()}, "figure": {c.Figure, []string{".svg", ".png"}}} {
		if f.path != "" && !slices.Contains(f.endings, strings.ToLower(filepath.Ext(f.path))) {
			return fmt.Errorf("--%s %q: want a file that ends in %s", flag, f.path, strings.Join(f.endings, " or "))
		}
	}
	if err := c.checkChance(); err != nil {
		return err
	}
	if err := c.checkEdits(); err != nil {
		return err
	}
	return c.check()
}

// given are the names of the options of statistics that were given.
func (c *Spikes) given() []string {
	return slices.Concat(c.params.given(), c.chance.given(), c.edits.given())
}

// interrupted tells whether the command is to end.
func (c *Spikes) interrupted() bool { return c.context != nil && c.context.Err() != nil }

// Run measures each recording of the file.
func (c *Spikes) Run(e Env) error {
	c.context = e.Context
	list, many, err := c.read(e)
	if err != nil {
		return fmt.Errorf("spikes: %w", err)
	}
	if many && (c.Out != "" || c.Figure != "") {
		return exchange.Usage{Err: fmt.Errorf("spikes: --out and --figure take one recording; %s holds a list of %d", c.File, len(list))}
	}
	for i, r := range list {
		if err := c.one(e, r, i); err != nil {
			if many {
				err = fmt.Errorf("recording %d: %w", i, err)
			}
			return fmt.Errorf("spikes: %s: %w", c.File, err)
		}
		if e.Context.Err() != nil {
			return fmt.Errorf("spikes: interrupted after %d of %d recordings: %w", i+1, len(list), e.Context.Err())
		}
	}
	return nil
}

// read reads the recordings of the file, or one of the data set's, whose times are in
// seconds.
func (c *Spikes) read(e Env) (list []spiketrain.Recording, many bool, err error) {
	if !strings.HasPrefix(c.File, recordings.Prefix) {
		return recording.Read(c.File, recording.Options{Form: c.Format, Trial: c.Trial, Every: c.Trial == "", Units: c.Units})
	}
	r, err := recordings.Named(e.Context, e.Data, c.File)
	if err == nil && c.Trial != "" {
		r, err = r.Trial(c.Trial)
	}
	c.Unit = cmp.Or(c.Unit, "s")
	return []spiketrain.Recording{r}, false, err
}

// one measures a recording.
func (c *Spikes) one(e Env, r spiketrain.Recording, i int) error {
	for _, n := range r.Notes {
		fmt.Fprintf(e.Err, "spikes: %s: %s\n", c.File, n.Text)
	}
	in, mended, err := c.input(r)
	if err != nil {
		return err
	}
	if mended != (spiketrain.Mended{}) {
		fmt.Fprintf(e.Err, "spikes: %s: %d trains put in order, %d spikes merged, %d dropped\n", c.File, mended.Unsorted, mended.Merged, mended.Dropped)
	}
	out, err := verbOf(c.Verb).run(c, in)
	if err != nil {
		return err
	}
	out.Statistic, out.Name = c.Verb, r.Name
	if out.Units == nil {
		out.Units = in.names
	}
	if out.in.units == nil {
		out.in = in
	}
	if err := out.keep(c.Out, c.Figure); err != nil {
		return err
	}
	if c.JSON {
		return out.json(e.Out)
	}
	if i > 0 {
		fmt.Fprintln(e.Out)
	}
	out.print(e.Screen)
	return nil
}

// input is units with their trials, all of one window.
type input struct {
	names      []string
	units      [][]spike.Train
	trials     int
	trialNames []string // one, "", where there are none
	time       string   // the unit of time, "" where it is not known
}

// input makes trains of a recording.
func (c *Spikes) input(r spiketrain.Recording) (in input, all spiketrain.Mended, err error) {
	o := spiketrain.Options{Sort: c.Sort, Clip: c.Clip, Repeats: c.Repeats}
	if c.Window != "" {
		w, err := window("--window", c.Window)
		if err != nil {
			return in, all, err
		}
		o.Window = &w
	}
	trials := r.Trials
	if len(trials) == 0 {
		trials = []string{""}
	}
	in = input{trials: len(trials), trialNames: trials, time: c.Unit}
	for _, name := range trials {
		one, err := r.Trial(name)
		if err != nil {
			return in, all, err
		}
		trains, mended, err := one.Build(o)
		if err != nil {
			return in, all, err
		}
		all.Unsorted, all.Merged, all.Dropped = all.Unsorted+mended.Unsorted, all.Merged+mended.Merged, all.Dropped+mended.Dropped
		if in.units == nil {
			in.names, in.units = one.Names(), make([][]spike.Train, len(trains))
		}
		for i, t := range trains {
			in.units[i] = append(in.units[i], t)
		}
	}
	in, err = in.only(c.Only)
	return in, all, err
}

// only is the units of some names, in their order.
func (in input) only(names []string) (input, error) {
	if len(names) == 0 {
		return in, nil
	}
	out := in
	out.names, out.units = nil, nil
	for _, name := range names {
		i := slices.Index(in.names, name)
		if i < 0 || slices.Contains(out.names, name) {
			return in, fmt.Errorf("--only %q: no such unit, or named twice: %s", sample.Printable(name), suggest.Names("units", name, in.names))
		}
		out.names, out.units = append(out.names, name), append(out.units, in.units[i])
	}
	return out, nil
}

// first are the units' trains where there is one trial; measures that compare units need
// that.
func (in input) first() ([]spike.Train, error) {
	if in.trials > 1 {
		return nil, fmt.Errorf("there are %d trials, and this is of one; choose it by --trial", in.trials)
	}
	var out []spike.Train
	for _, u := range in.units {
		out = append(out, u[0])
	}
	return out, nil
}

// meanInterval is the window's length over the mean number of spikes of a train, NaN
// without any.
func (in input) meanInterval() float64 {
	spikes, trains := 0, 0
	for _, u := range in.units {
		for _, t := range u {
			spikes += len(t.Times)
			trains++
		}
	}
	if spikes == 0 {
		return math.NaN()
	}
	return in.duration() * float64(trains) / float64(spikes)
}

func (in input) duration() float64 { return in.units[0][0].Duration() }

// window reads "a,b".
func window(flag, text string) (w [2]float64, err error) {
	a, b, _ := strings.Cut(text, ",")
	x, errA := strconv.ParseFloat(strings.TrimSpace(a), 64)
	y, errB := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if errors.Join(errA, errB) != nil || math.IsInf(x, 0) || math.IsInf(y, 0) || !(x < y) {
		return w, fmt.Errorf("%s %q: want two times, the smaller first, as in %s 0,10", flag, text, flag)
	}
	return [2]float64{x, y}, nil
}
