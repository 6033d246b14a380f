package command

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"synfire/distance"
	"synfire/format/spiketrain"
	"synfire/internal/par"
	"synfire/spike"
)

type distanceCmd struct {
	File   string `arg:"" help:"Recording: JSON, text with a train a line, CSV with the columns unit and time, or NPZ; - reads standard input."`
	Metric string `help:"What to measure: isi, spike, ri-spike, sync, adaptive a-isi, a-spike, a-ri-spike, a-sync, order, directionality, synfire, victor-purpura or van-rossum." required:"" enum:"isi,spike,ri-spike,sync,a-isi,a-spike,a-ri-spike,a-sync,order,directionality,synfire,victor-purpura,van-rossum" placeholder:"METRIC"`

	Cost       string   `help:"Victor-Purpura: cost of moving a spike by one unit of time, 0 to inf (default 100)." placeholder:"Q"`
	Tau        string   `help:"van Rossum: time constant, 0 to inf (default 0.01)." placeholder:"TIME"`
	Squared    bool     `help:"van Rossum: D² in place of D."`
	MRTS       string   `name:"mrts" help:"Adaptive metrics: minimum relevant time scale, a time or auto (default auto)." placeholder:"TIME"`
	MaxTau     *float64 `help:"Synchronisation and order: bound on the window of coincidence." placeholder:"TIME"`
	Normalized bool     `help:"Directionality: divided by the first train's number of spikes."`
	Labels     string   `help:"Neurons of a response: their number, where trains are those of one response after the other, or the neuron of each train, as in a,b,a,b." placeholder:"N|LIST"`
	LabelCost  *float64 `help:"Victor-Purpura with labels: cost of giving a spike to another neuron, 0 to 2 (default 1)." placeholder:"K"`
	Angle      string   `help:"van Rossum with labels: angle between neurons, 0 to pi/2 in radians, or as in 60deg (default 90deg)." placeholder:"ANGLE"`

	Window   string   `help:"Window of observation, for files that have none or in place of theirs." placeholder:"A,B"`
	Interval []string `help:"Piece of the window to measure; may be repeated." placeholder:"A,B" sep:"none"`
	Sort     bool     `help:"Put spikes in order, and merge those at one time."`
	Clip     bool     `help:"Drop spikes outside the window."`
	Format   string   `help:"Form of the file: json, text, csv or npz (default by its name, else by its content)." enum:",json,text,csv,npz" default:"" placeholder:"FORM"`

	Matrix     bool     `help:"Values of all pairs."`
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
and directionality tell who leads. Times are in the unit of the file, and costs
per that unit: the defaults of --cost and --tau are meant for seconds.

JSON is {"t_start":0,"t_end":10,"trains":[[1,2.5],[2]]}, optionally with an
"interval", or a list of such. NPZ has arrays times and units of equal length,
or one array for each train, and t_start and t_end.

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
	Value      *float64          `json:"value"`
	Matrix     [][]float64       `json:"matrix,omitempty"`
	Profile    *measuredProfile  `json:"profile,omitempty"`
	Spikes     [][]float64       `json:"spikes,omitempty"`
	Sorting    *measuredSorting  `json:"sorting,omitempty"`
	Surrogates *measuredByChance `json:"surrogates,omitempty"`
	Mended     *measuredMended   `json:"mended,omitempty"`

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
	recordings, many, err := readRecordings(c.File, c.Format)
	if err != nil {
		return fmt.Errorf("distance: %w", err)
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	for i, r := range recordings {
		dir := c.Out
		if many && dir != "" {
			dir = fmt.Sprintf("%s/%04d", dir, i)
		}
		if i > 0 && !c.JSON {
			fmt.Fprintln(a.out)
		}
		if err := c.one(a, r, dir, pool); err != nil {
			if many {
				err = fmt.Errorf("recording %d: %w", i, err)
			}
			return fmt.Errorf("distance: %s: %w", c.File, err)
		}
		if a.ctx.Err() != nil {
			return fmt.Errorf("distance: interrupted after %d of %d recordings", i+1, len(recordings))
		}
	}
	return nil
}

// one measures a recording and prints it.
func (c *distanceCmd) one(a *app, r spiketrain.Recording, dir string, pool *par.Pool) error {
	o := spiketrain.Options{Sort: c.Sort, Clip: c.Clip}
	if c.Window != "" {
		w, err := pair("--window", c.Window)
		if err != nil {
			return err
		}
		o.Window = &w
	}
	trains, mended, err := r.Build(o)
	if err != nil {
		return err
	}
	intervals, err := c.intervals(r)
	if err != nil {
		return err
	}
	m, err := c.measurement(trains, distance.Options{Threads: c.Threads, Intervals: intervals})
	if err != nil {
		return err
	}
	out, err := c.measure(m, trains, pool)
	if err != nil {
		return err
	}
	out.Name = r.Name
	if mended != (spiketrain.Mended{}) {
		out.Mended = &measuredMended{mended.Unsorted, mended.Merged, mended.Dropped}
	}
	if dir != "" {
		if err := c.figures(a, dir, out, trainNames(r), trains); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(out)
	}
	return c.print(a, out, trainNames(r), trains)
}

// measure fills in what was asked for.
func (c *distanceCmd) measure(m measurement, trains []spike.Train, pool *par.Pool) (out measured, err error) {
	out = measured{Metric: c.Metric, Params: m.params, NTrains: len(trains), response: m.response}
	value, err := m.value(trains)
	if err != nil {
		return out, err
	}
	out.Value = &value
	if c.Matrix || c.Out != "" {
		if out.matrix, err = m.matrix(trains); err != nil {
			return out, err
		}
	}
	if c.Matrix {
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
			w := meanInterval(trains)
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
	got, err := spike.Test(trains, m.value, s, c.Surrogates, m.tail, spike.Stream(c.Seed), pool)
	if err != nil {
		return nil, err
	}
	out.Mean, out.Std, out.P = got.Mean, got.Std, got.P
	return out, nil
}

// meanInterval is the time per spike over all trains, at most the window.
func meanInterval(trains []spike.Train) float64 {
	total, n := 0.0, 0
	for _, t := range trains {
		total += t.Duration()
		n += len(t.Times)
	}
	return min(total/float64(max(n, 1)), trains[0].Duration())
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
			p[i], err = numberFrom(flag, s, math.Inf(-1))
		}
	}
	if !ok || err != nil || math.IsInf(p[0], 0) || math.IsInf(p[1], 0) || !(p[0] < p[1]) {
		return p, fmt.Errorf("%s %q: want two times, the smaller first, as in %s 0,10", flag, text, flag)
	}
	return p, nil
}
