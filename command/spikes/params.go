package spikes

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"synfire/spike"
	"synfire/spike/statistics"
)

// params are the options of the statistics; nil and "" are defaults.
type params struct {
	Width      *float64 `help:"Width of bins (default a hundredth of the window; of intervals and lags a tenth of the mean interval)." placeholder:"TIME"`
	Kernel     string   `help:"Kernel of rates: gaussian, boxcar, exponential or alpha." enum:",gaussian,boxcar,exponential,alpha" default:"" placeholder:"KERNEL"`
	Bandwidth  string   `help:"Standard deviation of the kernel; auto finds it by the spikes (the default), adaptive one that follows time." placeholder:"TIME|auto|adaptive"`
	Uncorrect  bool     `help:"Leave out the correction at borders of the window, or of lags for the part of the window that they fit into." name:"uncorrected"`
	Lag        *float64 `help:"Longest lag (default 50 bins)." placeholder:"TIME"`
	As         string   `help:"What correlograms show: counts of pairs, the rate at a lag from a spike, or the coefficient of counts in bins." enum:",counts,rate,coefficient" default:"" placeholder:"WHAT"`
	Smooth     *float64 `help:"Standard deviation of a Gaussian that smooths correlograms." placeholder:"TIME"`
	Longest    *float64 `help:"Longest interval: of the histogram (default 50 bins), or within a burst." placeholder:"TIME"`
	Level      *float64 `help:"Level of the interval of rates (default 0.95)." placeholder:"P"`
	Reach      *float64 `help:"How far apart spikes may be that count as together, for sttc." placeholder:"TIME"`
	Spread     *float64 `help:"How far apart the spikes of an event may follow one another." placeholder:"TIME"`
	Least      *int     `help:"Fewest units of an event (default 2), or spikes of a burst (default 3)." placeholder:"N"`
	Surprise   *float64 `help:"Least Poisson surprise of a burst (default 10), in place of --longest." placeholder:"S"`
	Refractory *float64 `help:"Refractoriness constant of lvr; 5 ms in the paper." placeholder:"TIME"`
	Shortest   *float64 `help:"Shortest bins of contrast; 10 ms in the paper." placeholder:"TIME"`
}

// given are the names of the options that were given.
func (p params) given() (names []string) {
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"width", p.Width != nil}, {"kernel", p.Kernel != ""}, {"bandwidth", p.Bandwidth != ""}, {"uncorrected", p.Uncorrect},
		{"lag", p.Lag != nil}, {"as", p.As != ""}, {"smooth", p.Smooth != nil}, {"longest", p.Longest != nil}, {"level", p.Level != nil},
		{"reach", p.Reach != nil}, {"spread", p.Spread != nil}, {"least", p.Least != nil}, {"surprise", p.Surprise != nil},
		{"refractory", p.Refractory != nil}, {"shortest", p.Shortest != nil},
	} {
		if o.given {
			names = append(names, o.name)
		}
	}
	return names
}

// check returns an error for values that make no sense whatever the recording.
func (c *Spikes) check() error {
	if c.Window != "" {
		if _, err := window("--window", c.Window); err != nil {
			return err
		}
	}
	if _, err := strconv.ParseFloat(c.Bandwidth, 64); c.Bandwidth != "" && c.Bandwidth != "auto" && c.Bandwidth != "adaptive" && err != nil {
		return fmt.Errorf("--bandwidth %q: want a time, auto or adaptive", c.Bandwidth)
	}
	if c.Bandwidth == "adaptive" && (c.Kernel != "" && c.Kernel != string(statistics.Gaussian) || c.Uncorrect) {
		return errors.New("--bandwidth adaptive is for a Gaussian kernel, and does not correct borders; leave out --kernel and --uncorrected")
	}
	if c.Surprise != nil && (c.Longest != nil || c.Least != nil) {
		return errors.New("--surprise finds bursts by another rule than --longest and --least; give one of the two")
	}
	if c.Verb == "bursts" && c.Surprise == nil && c.Longest == nil {
		return errors.New("bursts needs --longest, the longest interval within one, or --surprise, such as 10")
	}
	if c.As == "coefficient" && c.Smooth != nil {
		return errors.New("--smooth is for counts and rates; leave it out, or choose another --as")
	}
	for name, v := range map[string]*float64{"width": c.Width, "lag": c.Lag, "smooth": c.Smooth, "longest": c.Longest, "reach": c.Reach, "spread": c.Spread, "surprise": c.Surprise, "refractory": c.Refractory, "shortest": c.Shortest, "level": c.Level} {
		if v != nil && (!(*v >= 0) || math.IsInf(*v, 1)) {
			return fmt.Errorf("--%s %v: want a number from 0 on", name, *v)
		}
	}
	return nil
}

// takers are the statistics that an option is for.
func takers(flag string) (names []string) {
	for _, v := range verbs() {
		for _, f := range v.flags {
			if f == flag {
				names = append(names, v.name)
			}
		}
	}
	return names
}

// or is a given value, or else the default.
func or[T any](given *T, otherwise T) T {
	if given != nil {
		return *given
	}
	return otherwise
}

// bins is the width of bins over time.
func (c *Spikes) bins(in input) float64 { return or(c.Width, in.duration()/100) }

// whole is the width of bins that the window falls into, at most so much; that itself where there
// are none, which the statistic tells.
func (in input) whole(width float64) float64 {
	first := in.units[0][0]
	h, err := spike.Counts(spike.Train{Start: first.Start, Stop: first.Stop}, width)
	if err != nil {
		return width
	}
	return h.Width
}

// fine is the width of bins of intervals and lags.
func (c *Spikes) fine(in input) (float64, error) {
	mean := in.meanInterval()
	if c.Width == nil && math.IsNaN(mean) {
		return 0, errors.New("there are no spikes to take a width of bins from; give --width")
	}
	return or(c.Width, mean/10), nil
}

// perTime is a unit of rates, ofTime one of times.
func (in input) perTime() string {
	if in.time == "" {
		return "spikes per unit of time"
	}
	return "spikes/" + in.time
}

func (in input) ofTime() string {
	if in.time == "" {
		return "unit of time"
	}
	return in.time
}

// Names are the statistics, for the command line.
func Names() string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return strings.Join(names, ",")
}
