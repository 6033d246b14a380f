package spiketrain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"synfire/internal/suggest"
)

// ErrSilent is wrapped by errors about files without a spike: well-formed, but
// without a word on which units were observed (WithUnits).
var ErrSilent = errors.New("no spikes")

// Names is what the trains are called: their units, or their numbers where units have
// no names.
func (r Recording) Names() []string {
	names := make([]string, len(r.Trains))
	for i, t := range r.Trains {
		names[i] = t.Unit
		if t.Unit == "" {
			names[i] = strconv.Itoa(i)
		}
	}
	return names
}

// Named tells whether the file names its units.
func (r Recording) Named() bool {
	return slices.ContainsFunc(r.Trains, func(t Train) bool { return t.Unit != "" })
}

// Trial is the recording of one trial, of all units that spike in any; one without a
// spike in this trial is silent. "" means the only trial. An error lists the trials
// that there are.
func (r Recording) Trial(name string) (Recording, error) {
	switch {
	case name == "" && len(r.Trials) > 1:
		return r, r.fail("there are %d trials (%s); choose one (--trial %s)", len(r.Trials), list(r.Trials), r.Trials[0])
	case name != "" && len(r.Trials) == 0:
		return r, r.fail("there are no trials to choose %q from; leave out --trial", shorten(name))
	case name != "" && !slices.Contains(r.Trials, name):
		return r, r.fail("no trial %q: %s", shorten(name), suggest.Names("trials", name, r.Trials))
	case len(r.Trials) == 0:
		return r, nil
	case name == "":
		name = r.Trials[0]
	}
	var trains []Train
	at := map[string]int{}
	for _, t := range r.Trains {
		i, known := at[t.Unit]
		if !known {
			i, at[t.Unit] = len(trains), len(trains)
			trains = append(trains, Train{Unit: t.Unit})
		}
		if t.Trial == name {
			trains[i] = t
		}
	}
	r.Trains, r.Trials = trains, nil
	return r, nil
}

// WithUnits is the recording with a train for each unit that was observed, silent ones
// too: units is their number, or their names separated by commas. Units by number are
// 0 to N − 1, in files that name them.
func (r Recording) WithUnits(units string) (Recording, error) {
	names := strings.Split(units, ",")
	n, err := strconv.Atoi(units)
	counted := err == nil
	switch {
	case counted && (n < 1 || n > mostUnits):
		return r, fmt.Errorf("spike trains: %d units; want 1 to %d", n, mostUnits)
	case counted:
		names = make([]string, n)
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
	}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	unnamed := counted && !r.Named()
	out, err := r.Observed(names)
	for i := range out.Trains {
		if unnamed {
			out.Trains[i].Unit = ""
		}
	}
	return out, err
}

// Observed is the recording with a train for each of the units named: those of the
// file by their names, those without names in order, and silent ones. In a recording
// of several trials, a silent unit is so in each.
func (r Recording) Observed(names []string) (Recording, error) {
	at := map[string]int{}
	for i, name := range names {
		if _, twice := at[name]; twice || name == "" {
			return r, r.fail("unit %d is named %q, which is empty or the name of another; name each once", i, shorten(name))
		}
		at[name] = i
	}
	var trains []Train
	found := make([]bool, len(names))
	named := r.Named()
	for i, t := range r.Trains {
		unit := i
		if named {
			var known bool
			if unit, known = at[t.Unit]; !known {
				return r, r.fail("unit %q is not among the %d units %s; name all that were observed (--units a,b,c)", shorten(t.Unit), len(names), list(names))
			}
		}
		if unit >= len(names) {
			return r, r.fail("there are %d trains and %d units; want a unit for each", len(r.Trains), len(names))
		}
		t.Unit = names[unit]
		trains = append(trains, t)
		found[unit] = true
	}
	for unit, found := range found {
		if !found {
			silent := Train{Unit: names[unit]}
			if len(r.Trials) > 0 {
				silent.Trial = r.Trials[0]
			}
			trains = append(trains, silent)
		}
	}
	slices.SortStableFunc(trains, func(a, b Train) int { return at[a.Unit] - at[b.Unit] })
	r.Trains = trains
	r.Notes = slices.DeleteFunc(slices.Clone(r.Notes), func(n Note) bool { return n.Units })
	return r, nil
}

// twice returns an error where units, or trials, are one number written in two ways, as 1
// and 01: the file means one of it, or does not say which is which.
func (r Recording) twice() error {
	for what, name := range map[string]func(Train) string{
		"units":  func(t Train) string { return t.Unit },
		"trials": func(t Train) string { return t.Trial },
	} {
		written := map[int]string{}
		for _, t := range r.Trains {
			text := name(t)
			n, err := strconv.Atoi(text)
			if err != nil {
				continue
			}
			if first, known := written[n]; known && first != text {
				return r.fail("the %s %q and %q are one number written in two ways; write it in one", what, shorten(first), shorten(text))
			}
			written[n] = text
		}
	}
	return nil
}

// mostUnits bounds the silent units that a number may ask for.
const mostUnits = 1 << 20

// Note is something about a file that its reader should be told.
type Note struct {
	Text  string
	Units bool // it is about which units there are, which WithUnits settles
}

// gaps notes numbers that units lack between the first and the last: silent units
// leave no trace in lists of spikes.
func (r *Recording) gaps() {
	seen := map[int]bool{}
	least, most := -1, -1
	for _, t := range r.Trains {
		n, err := strconv.Atoi(t.Unit)
		if err != nil || n < 0 {
			return
		}
		if seen[n] = true; least < 0 || n < least {
			least = n
		}
		most = max(most, n)
	}
	if most-least >= mostUnits {
		return
	}
	var missing []string
	for n := least; n < most; n++ {
		if !seen[n] {
			missing = append(missing, strconv.Itoa(n))
		}
	}
	if len(missing) > 0 {
		r.note(true, "no spikes of unit %s, between %d and %d: left out; if silent, say which units there are (--units)", list(missing), least, most)
	}
}

func (r *Recording) note(units bool, format string, args ...any) {
	r.Notes = append(r.Notes, Note{fmt.Sprintf(format, args...), units})
}

// list is names as far as a message may be long.
func list(names []string) string {
	const shown = 8
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
