package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/data/recordings"
	"synfire/distance"
	recorded "synfire/distance/recording"
	"synfire/format/spiketrain"
	"synfire/internal/par"
	"synfire/internal/suggest"
	"synfire/sample"
	"synfire/spike"
)

type distanceCmd struct {
	File   string `arg:"" help:"Recording: JSON, text with a train a line, CSV with the columns unit and time, NPZ, or another form that spikes reads; - reads standard input; recordings:NAME is one of the data set recordings."`
	Metric string `help:"What to measure: isi, spike, ri-spike, sync, adaptive a-isi, a-spike, a-ri-spike, a-sync, order, directionality, synfire, victor-purpura or van-rossum." required:"" enum:"${distance_names}" placeholder:"METRIC"`

	distance.Params
	Labels string `help:"Neurons of a response: their number, where trains are those of one response after the other, or the neuron of each train, as in a,b,a,b." placeholder:"N|LIST"`

	Window   string   `help:"Window of observation, for files that have none or in place of theirs." placeholder:"A,B"`
	Interval []string `help:"Piece of the window to measure; may be repeated." placeholder:"A,B" sep:"none"`
	Units    string   `help:"Units that were observed, silent ones too: their number, or their names." placeholder:"N|NAMES"`
	Trial    string   `help:"Trial to measure, of a file with several." placeholder:"N"`
	Trials   bool     `help:"Compare trials in place of units: by the unit that --only names, or by all of them where the metric is of several neurons."`
	Only     string   `help:"Unit to compare trials of." placeholder:"NAME"`
	Sort     bool     `help:"Put spikes in order, and merge those at one time."`
	Clip     bool     `help:"Drop spikes outside the window."`
	Format   string   `help:"Form of the file: json, text, csv, npz or nex (default by its name, else by its content)." enum:",json,text,csv,npz,nex" default:"" placeholder:"FORM"`
	Unit     string   `help:"Unit of time, such as ms, for the axes of figures." placeholder:"UNIT"`

	Matrix     bool     `help:"Values of all pairs."`
	Save       string   `help:"Write the values of all pairs to a file, .csv or .npz, with the names of the trains." placeholder:"FILE"`
	Profile    bool     `help:"Value over time; for directionality of each spike."`
	Surrogates int      `help:"Number of surrogates for a p-value." placeholder:"N"`
	Surrogate  string   `help:"Kind of surrogates: dither, isi or bins." enum:"dither,isi,bins" default:"dither" placeholder:"KIND"`
	Width      *float64 `help:"Reach of dither, width of bins (default the mean interval between spikes)." placeholder:"TIME"`
	Seed       uint64   `help:"Seed of surrogates, and of the search for an order." default:"1"`
	Threads    int      `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Out        string   `help:"Folder for figures, as SVG and PNG: raster, profile, heat map with clusters." placeholder:"DIR"`
	JSON       bool     `help:"Print JSON; JSON lines for a file that holds a list of recordings."`
}

// Help is the verb's longer help.
func (distanceCmd) Help() string {
	return `Measures how far spike trains are apart: of two trains, or the average over the
pairs of many. sync is a similarity, 1 where all spikes coincide; order, synfire
and directionality tell who leads. Times are in the unit of the file, --tau is in that
unit, and --cost per that unit; auto takes both from the mean interval between spikes
of all the file's recordings.

JSON is {"t_start":0,"t_end":10,"trains":[[1,2.5],[2]]}, optionally with an
"interval" and names in "units", or a list of such. In text, an empty line before the
last train is a silent unit. CSV may have a column trial. NPZ has arrays times and
units of equal length, with n_units or unit_names where some are silent, or one array
for each train, and t_start and t_end.

  synfire distance trains.json --metric spike --matrix --out figures
  synfire distance trains.txt --window 0,4 --metric victor-purpura --cost 50
  synfire distance trains.csv --window 0,4 --metric isi --surrogates 999`
}

// measured is the JSON of distance.
type measured struct {
	Metric     string            `json:"metric"`
	Name       string            `json:"name,omitempty"`
	Params     map[string]any    `json:"params"`
	NTrains    int               `json:"n_trains"`
	Units      []string          `json:"units,omitempty"` // names of the trains, where the file has them
	Value      *float64          `json:"value"`
	Matrix     [][]float64       `json:"matrix,omitempty"`
	Profile    *measuredProfile  `json:"profile,omitempty"`
	Spikes     [][]float64       `json:"spikes,omitempty"`
	Sorting    *measuredSorting  `json:"sorting,omitempty"`
	Surrogates *measuredByChance `json:"surrogates,omitempty"`
	Mended     *measuredMended   `json:"mended,omitempty"`

	names    []string         // of the trains
	trials   []string         // of the rows, where these are trials
	response string           // what an entry of the matrix stands for
	matrix   [][]float64      // for figures, whether asked for or not
	profile  *measuredProfile // likewise
}

type measuredProfile struct {
	X      []float64     `json:"x"`
	Y      []float64     `json:"y"`
	Kind   distance.Kind `json:"kind"`
	Weight []float64     `json:"weight,omitempty"`
}

type measuredSorting struct {
	Order     []int   `json:"order"`
	Sum       float64 `json:"sum"`
	Indicator float64 `json:"indicator"`
}

type measuredByChance struct {
	Kind  string   `json:"kind"`
	Width *float64 `json:"width"`
	N     int      `json:"n"`
	Mean  float64  `json:"mean"`
	Std   float64  `json:"std"`
	P     float64  `json:"p"`
}

type measuredMended struct {
	UnsortedTrains int `json:"unsorted_trains"`
	MergedSpikes   int `json:"merged_spikes"`
	DroppedSpikes  int `json:"dropped_spikes"`
}

// Run measures each recording of the file.
func (c *distanceCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usageError{fmt.Errorf("distance: %w", err)}
	}
	metric, err := distance.Lookup(c.Metric)
	if err != nil {
		return usageError{err}
	}
	setting, missing := metric.Set(c.Params)
	if errors.Is(missing, distance.ErrParams) && !c.lacks(missing) || missing != nil && !errors.Is(missing, distance.ErrParams) {
		return c.parameterError(missing, "")
	}
	list, many, err := c.read(a)
	if err != nil {
		return fmt.Errorf("distance: %w", err)
	}
	if many && c.Save != "" {
		return usageError{fmt.Errorf("distance: --save takes the matrix of one recording; %s holds a list of %d", c.File, len(list))}
	}
	inputs := make([]distanceInput, len(list))
	var all []spike.Train
	for i, r := range list {
		if c.Trials {
			if r, err = c.acrossTrials(r); err != nil {
				return c.located(err, i, many)
			}
		}
		if inputs[i], err = c.input(r); err != nil {
			return c.located(err, i, many)
		}
		for _, n := range r.Notes {
			fmt.Fprintf(a.err, "distance: %s: %s\n", c.File, n.Text)
		}
		all = append(all, inputs[i].trains...)
	}
	if missing != nil {
		interval, err := distance.MeanInterval(all)
		if err != nil {
			return fmt.Errorf("distance: %w", err)
		}
		return c.parameterError(missing, fmt.Sprintf(" (the mean interval is %s here)", digits(interval)))
	}
	if setting, err = setting.Fit(all, "cost", "tau"); err != nil {
		return err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	for i, in := range inputs {
		dir := c.Out
		if many && dir != "" {
			dir = fmt.Sprintf("%s/%04d", dir, i)
		}
		if i > 0 && !c.JSON {
			fmt.Fprintln(a.out)
		}
		err := c.one(a, setting, in, dir, pool)
		if a.ctx.Err() != nil && (err != nil || i+1 < len(inputs)) {
			return fmt.Errorf("distance: interrupted; %d of %d recordings were begun", i+1, len(list))
		}
		if err != nil {
			return c.located(err, i, many)
		}
	}
	return nil
}

// read reads the recordings of the file, or one of the data set's, whose times are in seconds.
func (c *distanceCmd) read(a *app) (list []spiketrain.Recording, many bool, err error) {
	if !strings.HasPrefix(c.File, recordings.Prefix) {
		return recorded.Read(c.File, recorded.Options{Form: c.Format, Trial: c.Trial, Every: c.Trials, Units: c.Units})
	}
	r, err := recordings.Named(a.ctx, dataOptions(a, ""), c.File)
	if err == nil && !c.Trials {
		r, err = r.Trial(c.Trial)
	}
	c.Unit = cmp.Or(c.Unit, "s")
	return []spiketrain.Recording{r}, false, err
}

// located says of which recording of the file an error is.
func (c *distanceCmd) located(err error, i int, many bool) error {
	if many {
		err = fmt.Errorf("recording %d: %w", i, err)
	}
	return fmt.Errorf("distance: %s: %w", c.File, err)
}

// lacks tells whether the error is about a parameter that was not given, which the
// recording helps to choose.
func (c *distanceCmd) lacks(err error) bool {
	var p *distance.ParamError
	return errors.As(err, &p) && (p.Name == "cost" && c.Cost == "" || p.Name == "tau" && c.Tau == "")
}

// parameterError names the option.
func (c *distanceCmd) parameterError(err error, hint string) error {
	var p *distance.ParamError
	if errors.As(err, &p) {
		named := fmt.Errorf("distance: --%s %s%s", strings.ReplaceAll(p.Name, "_", "-"), p.Reason(), hint)
		if errors.Is(err, distance.ErrParams) {
			return usageError{named}
		}
		return named
	}
	return err
}

// check refuses options that would be ignored.
func (c *distanceCmd) check() error {
	switch {
	case c.Profile && (c.Metric == "victor-purpura" || c.Metric == "van-rossum"):
		return fmt.Errorf("--profile is not for the metric %s, which has no value over time", c.Metric)
	case c.Labels == "" && !c.Trials && (c.LabelCost != nil || c.Angle != ""):
		return errors.New("--label-cost and --angle are for several neurons; say by --labels which trains are whose")
	case c.Labels != "" && c.Metric != "victor-purpura" && c.Metric != "van-rossum":
		return fmt.Errorf("--labels is not for the metric %s; use it with victor-purpura, van-rossum", c.Metric)
	case c.Trials && (c.Trial != "" || c.Labels != ""):
		return errors.New("--trials takes all trials, and its units are the neurons; leave out --trial and --labels")
	case c.Only != "" && !c.Trials:
		return errors.New("--only is for --trials, of which it names the unit")
	case c.Surrogates < 0 || c.Surrogates > maxSurrogates:
		return fmt.Errorf("--surrogates %d, want 1 to %d", c.Surrogates, maxSurrogates)
	case c.Width != nil && (c.Surrogates == 0 || c.Surrogate == "isi"):
		return errors.New("--width is for surrogates by dither or bins; add --surrogates 999")
	case strings.HasPrefix(c.File, recordings.Prefix) && (c.Units != "" || c.Format != ""):
		return errors.New("--units and --format are for files; the data set knows units and form")
	case c.Save != "" && !slices.Contains([]string{".csv", ".npz"}, strings.ToLower(filepath.Ext(c.Save))):
		return fmt.Errorf("--save %q: want a file that ends in .csv or .npz", c.Save)
	}
	return nil
}

const maxSurrogates = 1 << 20

// distanceInput is a recording as it is measured.
type distanceInput struct {
	recording spiketrain.Recording
	trains    []spike.Train
	mended    spiketrain.Mended
	intervals []distance.Interval
}

// acrossTrials is a recording of trials, whose trains are those of one unit, or of all of
// them, trial after trial.
func (c *distanceCmd) acrossTrials(r spiketrain.Recording) (out spiketrain.Recording, err error) {
	if len(r.Trials) < 2 {
		return out, fmt.Errorf("--trials: %d trials; want two or more, as in a column trial", len(r.Trials))
	}
	out, units := spiketrain.Recording{Name: r.Name, Window: r.Window, Interval: r.Interval, Notes: r.Notes}, 1
	for _, trial := range r.Trials {
		one, err := r.Trial(trial)
		if err != nil {
			return out, err
		}
		at := slices.Index(one.Names(), c.Only)
		switch {
		case c.Only != "" && at < 0:
			return out, fmt.Errorf("--only: no unit %q: %s", sample.Printable(c.Only), suggest.Names("units", c.Only, one.Names()))
		case c.Only != "":
			one.Trains = one.Trains[at : at+1]
		case len(one.Trains) > 1:
			units = len(one.Trains)
		}
		for _, t := range one.Trains {
			out.Trains = append(out.Trains, spiketrain.Train{Unit: trial, Line: t.Line, Times: t.Times})
		}
	}
	if c.Labels = ""; units > 1 {
		c.Labels = strconv.Itoa(units)
		if c.Metric != "victor-purpura" && c.Metric != "van-rossum" {
			return out, fmt.Errorf("--trials of %d units: %s is of one; name it by --only, or use victor-purpura or van-rossum", units, c.Metric)
		}
	}
	return out, nil
}

// input makes trains of a recording.
func (c *distanceCmd) input(r spiketrain.Recording) (in distanceInput, err error) {
	o := spiketrain.Options{Sort: c.Sort, Clip: c.Clip}
	if c.Window != "" {
		w, err := pair("--window", c.Window)
		if err != nil {
			return in, err
		}
		o.Window = &w
	}
	in.recording = r
	if in.trains, in.mended, err = r.Build(o); err != nil {
		return in, err
	}
	if len(in.trains) < 2 {
		return in, fmt.Errorf("there is %d train; want two or more to compare", len(in.trains))
	}
	in.intervals, err = c.intervals(r)
	return in, err
}

// one measures a recording and prints it.
func (c *distanceCmd) one(a *app, s distance.Setting, in distanceInput, dir string, pool *par.Pool) error {
	s, err := s.Fit(in.trains)
	if err != nil {
		return err
	}
	m, err := c.measurement(s, in)
	if err != nil {
		return err
	}
	show := a.Share("distance: " + c.Metric)
	m.options.Progress = func(done, total int) error {
		show(done, total)
		return a.ctx.Err()
	}
	out, err := c.measure(m, in.trains, pool)
	a.Status("")
	if err != nil {
		return err
	}
	out.Name, out.names = in.recording.Name, in.recording.Names()
	if in.recording.Named() {
		out.Units = out.names
	}
	if c.Trials {
		neurons, _ := out.Params["neurons"].(int)
		for i := 0; i < len(out.names); i += max(neurons, 1) {
			out.trials = append(out.trials, out.names[i])
		}
		out.Units = out.trials
	}
	if in.mended != (spiketrain.Mended{}) {
		out.Mended = &measuredMended{in.mended.Unsorted, in.mended.Merged, in.mended.Dropped}
	}
	if dir != "" {
		if err := c.figures(a, dir, out, in.trains); err != nil {
			return err
		}
	}
	if c.Save != "" {
		if err := out.save(c.Save); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(out)
	}
	return c.print(a, out, in.trains)
}

// measure fills in what was asked for.
func (c *distanceCmd) measure(m measurement, trains []spike.Train, pool *par.Pool) (out measured, err error) {
	out = measured{Metric: c.Metric, Params: m.params, NTrains: len(trains), response: m.response}
	value := 0.0
	if c.Matrix || c.Out != "" || c.Save != "" {
		out.matrix, value, err = m.matrix(trains)
	} else {
		value, err = m.value(trains)
	}
	if err != nil {
		return out, err
	}
	if out.Value = &value; c.Matrix {
		out.Matrix = out.matrix
	}
	if c.Profile && c.Metric == "directionality" {
		if out.Spikes, err = m.spikes(trains); err != nil {
			return out, err
		}
	} else if m.profile != nil && (c.Profile || c.Out != "") {
		p, err := m.profile(trains)
		if err != nil {
			return out, err
		}
		out.profile = &measuredProfile{X: p.X, Y: p.Y, Kind: p.Kind, Weight: p.Weight}
	}
	if c.Profile {
		out.Profile = out.profile
	}
	if m.sorting != nil {
		s, err := m.sorting(trains)
		if err != nil {
			return out, err
		}
		out.Sorting = &measuredSorting{s.Order, s.Sum, s.Indicator}
	}
	if c.Surrogates > 0 {
		if out.Surrogates, err = c.chance(m, trains, pool); err != nil {
			return out, err
		}
	}
	return out, nil
}

// chance compares the value with those of surrogates.
func (c *distanceCmd) chance(m measurement, trains []spike.Train, pool *par.Pool) (*measuredByChance, error) {
	out := &measuredByChance{Kind: c.Surrogate, N: c.Surrogates}
	if c.Surrogate != "isi" {
		out.Width = c.Width
		if c.Width == nil {
			w, err := distance.MeanInterval(trains)
			if err != nil {
				return nil, err
			}
			out.Width = &w
		}
	}
	var s spike.Surrogate
	switch c.Surrogate {
	case "isi":
		s = spike.ShuffleIntervals{}
	case "bins":
		s = spike.ShuffleBins{Width: *out.Width}
	default:
		s = spike.Dither{Width: *out.Width}
	}
	m.options.Threads = 1 // the surrogates run side by side
	progress := m.options.Progress
	m.options.Progress = func(int, int) error { return progress(0, 0) }
	got, err := spike.Test(trains, m.value, s, c.Surrogates, m.tail, spike.Stream(c.Seed), pool)
	if err != nil {
		return nil, err
	}
	out.Mean, out.Std, out.P = got.Mean, got.Std, got.P
	return out, nil
}

// intervals are those of the command line, else that of the recording.
func (c *distanceCmd) intervals(r spiketrain.Recording) (list []distance.Interval, err error) {
	for _, text := range c.Interval {
		p, err := pair("--interval", text)
		if err != nil {
			return nil, err
		}
		list = append(list, distance.Interval{From: p[0], To: p[1]})
	}
	if list == nil && r.Interval != nil {
		list = []distance.Interval{{From: r.Interval[0], To: r.Interval[1]}}
	}
	return list, nil
}

// pair reads "a,b".
func pair(flag, text string) (p [2]float64, err error) {
	a, b, ok := strings.Cut(text, ",")
	for i, s := range []string{a, b} {
		if err == nil {
			p[i], err = strconv.ParseFloat(strings.TrimSpace(s), 64)
		}
	}
	if !ok || err != nil || math.IsInf(p[0], 0) || math.IsInf(p[1], 0) || !(p[0] < p[1]) {
		return p, fmt.Errorf("%s %q: want two times, the smaller first, as in %s 0,10", flag, text, flag)
	}
	return p, nil
}
