package spikes

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"synfire/distance/recording"
	"synfire/sample"
	"synfire/spike"
	"synfire/spike/statistics"
)

// edits are the options of trains.
type edits struct {
	Merge  []string `help:"File whose units join these; may be repeated." placeholder:"FILE" sep:"none"`
	Keep   string   `help:"Trials to keep, as those of one condition." placeholder:"N,…"`
	Slice  string   `help:"Piece of the window to keep; the rest was not observed." placeholder:"A,B"`
	Onsets string   `help:"Onsets to cut epochs about, which become trials; an onset is 0 in its own." placeholder:"TIME,…"`
	Before *float64 `help:"Time before an onset that belongs to its epoch (default 0)." placeholder:"TIME"`
	After  *float64 `help:"Time after an onset that belongs to its epoch." placeholder:"TIME"`
	Move   *float64 `help:"Time by which all is put later." name:"shift" placeholder:"TIME"`
	Pool   string   `help:"Make one unit of all, with all their spikes, of this name." placeholder:"NAME"`
}

// given are the names of the options that were given.
func (p edits) given() (names []string) {
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"merge", len(p.Merge) > 0}, {"keep", p.Keep != ""}, {"slice", p.Slice != ""}, {"onsets", p.Onsets != ""}, {"before", p.Before != nil},
		{"after", p.After != nil}, {"shift", p.Move != nil}, {"pool", p.Pool != ""},
	} {
		if o.given {
			names = append(names, o.name)
		}
	}
	return names
}

// checkEdits returns an error for what makes no sense whatever the recording.
func (c *Spikes) checkEdits() error {
	if c.Slice != "" {
		if _, err := window("--slice", c.Slice); err != nil {
			return err
		}
	}
	if _, err := c.onsets(); err != nil {
		return err
	}
	if (c.Onsets == "") != (c.After == nil) || c.Onsets == "" && c.Before != nil {
		return errors.New("--onsets and --after belong together, and --before to them: give the onsets and how long an epoch is")
	}
	return nil
}

func (c *Spikes) onsets() (list []float64, err error) {
	if c.Onsets == "" {
		return nil, nil
	}
	for _, text := range strings.Split(c.Onsets, ",") {
		at, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, fmt.Errorf("--onsets: %q is no time; want times between commas", sample.Printable(text))
		}
		list = append(list, at)
	}
	return list, nil
}

// edit is the trains as they were asked for: merged, of the trials kept, cut, in epochs,
// shifted, pooled, in this order.
func (c *Spikes) edit(in input) (result, error) {
	params := map[string]any{}
	for _, f := range []func(in input, params map[string]any) (input, error){c.merge, c.keepTrials, c.slice, c.epochs, c.shift, c.pool} {
		var err error
		if in, err = f(in, params); err != nil {
			return result{}, err
		}
	}
	return trainsOf(in, params), nil
}

func (c *Spikes) merge(in input, params map[string]any) (input, error) {
	for _, path := range c.Merge {
		list, _, err := recording.Read(path, recording.Options{Every: true})
		if err != nil {
			return in, err
		}
		if len(list) != 1 {
			return in, fmt.Errorf("%s: %d recordings; want one to merge", path, len(list))
		}
		if c.Trial != "" && len(list[0].Trials) > 0 {
			if list[0], err = list[0].Trial(c.Trial); err != nil {
				return in, fmt.Errorf("%s: %w", path, err)
			}
		}
		other, _, err := c.input(list[0])
		if err != nil {
			return in, fmt.Errorf("%s: %w", path, err)
		}
		a, b := in.units[0][0], other.units[0][0]
		if !slices.Equal(in.trialNames, other.trialNames) || a.Start != b.Start || a.Stop != b.Stop {
			return in, fmt.Errorf("%s: its trials %d and window [%v, %v] are not those of the others, %d and [%v, %v]", path, other.trials, b.Start, b.Stop, in.trials, a.Start, a.Stop)
		}
		for i, name := range other.names {
			if slices.Contains(in.names, name) {
				return in, fmt.Errorf("%s: a unit %q is there already; rename it", path, sample.Printable(name))
			}
			in.names, in.units = append(slices.Clip(in.names), name), append(slices.Clip(in.units), other.units[i])
		}
		params["merged"] = c.Merge
	}
	return in, nil
}

func (c *Spikes) keepTrials(in input, params map[string]any) (input, error) {
	if c.Keep == "" {
		return in, nil
	}
	out := in
	out.trialNames, out.units = nil, make([][]spike.Train, len(in.units))
	for name := range strings.SplitSeq(c.Keep, ",") {
		name = strings.TrimSpace(name)
		k := slices.Index(in.trialNames, name)
		if k < 0 || name == "" || slices.Contains(out.trialNames, name) {
			return in, fmt.Errorf("--keep: no trial %q, or it is named twice", sample.Printable(name))
		}
		out.trialNames = append(out.trialNames, name)
		for i, u := range in.units {
			out.units[i] = append(out.units[i], u[k])
		}
	}
	out.trials = len(out.trialNames)
	params["trials"] = out.trialNames
	return out, nil
}

func (c *Spikes) slice(in input, params map[string]any) (input, error) {
	if c.Slice == "" {
		return in, nil
	}
	w, err := window("--slice", c.Slice)
	if err != nil {
		return in, err
	}
	if first := in.units[0][0]; w[0] < first.Start || w[1] > first.Stop {
		return in, fmt.Errorf("--slice %s reaches out of the window [%v, %v]", c.Slice, first.Start, first.Stop)
	}
	params["slice"] = w
	return in.each(func(i, k int) (spike.Train, error) {
		t, _ := in.units[i][k].Clip(w[0], w[1])
		return t, nil
	})
}

func (c *Spikes) epochs(in input, params map[string]any) (input, error) {
	if c.Onsets == "" {
		return in, nil
	}
	onsets, err := c.onsets()
	if err != nil {
		return in, err
	}
	units, err := in.first()
	if err != nil {
		return in, err
	}
	out := in
	out.units, out.trials, out.trialNames = nil, len(onsets), nil
	for i := range onsets {
		out.trialNames = append(out.trialNames, strconv.Itoa(i+1))
	}
	for _, u := range units {
		trials, err := u.Epochs(onsets, or(c.Before, 0), *c.After)
		if err != nil {
			return in, err
		}
		out.units = append(out.units, trials)
	}
	params["onsets"], params["before"], params["after"] = onsets, or(c.Before, 0), *c.After
	return out, nil
}

func (c *Spikes) shift(in input, params map[string]any) (input, error) {
	by := or(c.edits.Move, 0)
	if by == 0 {
		return in, nil
	}
	params["shift"] = by
	return in.each(func(i, k int) (spike.Train, error) {
		from := in.units[i][k]
		to := from.Moved(by)
		err := to.ValidateRepeats()
		for j := 1; j < len(to.Times) && err == nil; j++ {
			if to.Times[j] == to.Times[j-1] && from.Times[j] != from.Times[j-1] {
				err = fmt.Errorf("spikes at %v and %v would be at one time", from.Times[j-1], from.Times[j])
			}
		}
		if err != nil {
			err = fmt.Errorf("--shift %v is too far from the window [%v, %v] for its times to be told apart: %w", by, from.Start, from.Stop, err)
		}
		return to, err
	})
}

func (c *Spikes) pool(in input, params map[string]any) (input, error) {
	if c.Pool == "" {
		return in, nil
	}
	out := in
	out.names, out.units = []string{c.Pool}, [][]spike.Train{nil}
	for k := range in.trials {
		var trains []spike.Train
		for _, u := range in.units {
			trains = append(trains, u[k])
		}
		t, err := spike.Union(trains)
		if err != nil {
			return in, err
		}
		out.units[0] = append(out.units[0], t)
	}
	params["pooled"] = len(in.units)
	return out, nil
}

// clean is the trains without their synchrofacts.
func (c *Spikes) clean(in input) (result, error) {
	units, err := in.first()
	if err != nil {
		return result{}, err
	}
	rest, removed, err := statistics.WithoutSynchrofacts(units, *c.Spread, or(c.Least, 2))
	if err != nil {
		return result{}, err
	}
	out, err := in.each(func(i, _ int) (spike.Train, error) { return rest[i], nil })
	return trainsOf(out, map[string]any{"spread": *c.Spread, "least": or(c.Least, 2), "removed": removed}), err
}
