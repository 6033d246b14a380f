package distance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"synfire/internal/par"
	"synfire/spike"
)

// tally is a sum of values and how many they are, or how much time they span.
type tally struct{ sum, weight float64 }

func (t *tally) add(o tally) { t.sum, t.weight = t.sum+o.sum, t.weight+o.weight }

// value is the mean. Without spikes there is nothing that does not coincide: 1.
func (t tally) value() float64 {
	if t.weight == 0 {
		return 1
	}
	return t.sum / t.weight
}

// kernel is a measure as the verbs drive it: once for each train, then once for
// each pair. pair returns no error: trains and parameters were checked.
type kernel interface {
	check() error
	prepare(t *train)
	pair(w *workspace, a, b *train) tally
}

// mirrored is a kernel for which the order of trains matters.
type mirrored interface {
	// mirror is pair(b, a) of what pair(a, b) gave.
	mirror(t tally, a, b *train) tally
}

// profiled is a kernel that writes the profile of a pair.
type profiled interface {
	kernel
	profile(p *Profile, w *workspace, a, b *train)
}

// train is a spike train and what a measure wants to know of it beforehand.
type train struct {
	spike.Train
	edges      []float64 // ISI, SPIKE: spikes, with auxiliary ones beyond the first and last
	inverse    []float64 // SPIKE: one over the length of each segment between edges
	head, tail bool      // SPIKE: the first, the last of edges has a distance of its own
	ahead      []float64 // Sync: windows of coincidence towards the next spike
	behind     []float64 // and towards the previous one
	slack      spike.Slack
}

// set takes a train, its first and last spike on the window's edges where they are
// so but for rounding.
func (t *train) set(from spike.Train) { t.Train, t.slack = from.OnEdges(), from.Slack() }

// workspace is the working memory of a goroutine.
type workspace struct {
	a, b   train
	deltas [2][]float64 // SPIKE: δ at the edges of both trains
	steps  []int        // SPIKE: the first train's segment in each piece
	walks  []walk       // SPIKE
	p      Profile
	cells  []float64 // VictorPurpura
	err    error     // of a measure that is not ours
}

var work = sync.Pool{New: func() any { return new(workspace) }}

// distance is the value of a pair.
func (w *workspace) distance(k kernel, a, b spike.Train) (float64, error) {
	if err := k.check(); err != nil {
		return 0, err
	}
	if err := checkPair(a, b); err != nil {
		return 0, err
	}
	w.a.set(a)
	w.b.set(b)
	k.prepare(&w.a)
	k.prepare(&w.b)
	t := k.pair(w, &w.a, &w.b)
	return t.value(), w.takeErr()
}

func (w *workspace) takeErr() error {
	err := w.err
	w.err = nil
	return err
}

// named and namedProfile are our measures.
type (
	named interface {
		kernel
		Measure
	}
	namedProfile interface {
		profiled
		Profiler
	}
)

// distanceOf is Measure.Distance of our kernels.
func distanceOf(k named, a, b spike.Train) (float64, error) {
	w := work.Get().(*workspace)
	defer work.Put(w)
	value, err := w.distance(k, a, b)
	if err != nil {
		return 0, fmt.Errorf("distance: %s: %w", k.Name(), err)
	}
	return value, nil
}

// profileOf is Profiler.Profile of our kernels.
func profileOf(k namedProfile, a, b spike.Train) (Profile, error) {
	if err := errors.Join(k.check(), checkPair(a, b)); err != nil {
		return Profile{}, fmt.Errorf("distance: profile of %s: %w", k.Name(), err)
	}
	w := work.Get().(*workspace)
	defer work.Put(w)
	w.a.set(a)
	w.b.set(b)
	k.prepare(&w.a)
	k.prepare(&w.b)
	var p Profile
	k.profile(&p, w, &w.a, &w.b)
	return p, nil
}

// foreign drives a measure that is not ours.
type foreign struct{ Measure }

func (foreign) check() error   { return nil }
func (foreign) prepare(*train) {}

func (f foreign) pair(w *workspace, a, b *train) tally {
	value, err := f.Distance(a.Train, b.Train)
	if err != nil && w.err == nil {
		w.err = err
	}
	return tally{value, 1}
}

func kernelOf(m Measure) kernel {
	if k, ok := m.(kernel); ok {
		return k
	}
	return foreign{m}
}

// set is many trains under one measure.
type set struct {
	kernel    kernel
	trains    []train
	intervals []Interval
	pool      *par.Pool
	work      []workspace
	meter     *meter
}

// meter tells how far a verb has come, one goroutine at a time.
type meter struct {
	mu          sync.Mutex
	tell        func(done, total int) error // or nil
	done, total int
	err         error // that tell returned
}

// add counts what is done; the error says to do no more.
func (m *meter) add(n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	if m.tell != nil && m.err == nil {
		m.err = m.tell(m.done, m.total)
	}
	return m.err
}

// newSet checks everything and prepares the trains.
func newSet(verb string, m Measure, trains []spike.Train, o Options) (*set, error) {
	s := &set{kernel: kernelOf(m), trains: make([]train, len(trains)), intervals: slices.Clone(o.Intervals), meter: &meter{tell: o.Progress}}
	if err := s.check(trains); err != nil {
		return nil, fmt.Errorf("distance.%s of %s: %w", verb, m.Name(), err)
	}
	s.pool = par.New(o.Threads)
	s.work = make([]workspace, s.pool.Threads())
	_, whole := s.kernel.(profiled)
	s.pool.For(len(trains), 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			t := &s.trains[i]
			t.set(trains[i])
			if s.intervals != nil && !whole {
				t.Times = within(t.Times, s.intervals, t.slack)
			}
			s.kernel.prepare(&s.trains[i])
		}
	})
	return s, nil
}

func (s *set) close() { s.pool.Close() }

func (s *set) check(trains []spike.Train) error {
	if err := s.kernel.check(); err != nil {
		return err
	}
	if err := checkTrains(trains); err != nil {
		return err
	}
	if s.intervals == nil || len(trains) == 0 {
		return nil
	}
	if _, ok := s.kernel.(Directionality); ok {
		return errors.New("intervals, which it does not take; leave them out, or use Order")
	}
	return checkIntervals(s.intervals, trains[0].Start, trains[0].Stop)
}

// walker is a kernel that goes along two trains in stretches.
type walker interface {
	kernel
	begin(a, b *train) walk
	// stretch goes on by one, and tells whether that was the last.
	stretch(w *workspace, p *walk) bool
}

// Pairs are measured in blocks of so many rows and columns, whose trains a cache holds: of
// a walker a stretch of each pair, then the next of each.
const blockRows, blockColumns = 4, 4

// rows calls done with the tallies of each row, from its diagonal on.
func (s *set) rows(done func(i int, row []tally)) error {
	n := len(s.trains)
	blocks, errs := make([][blockRows][]tally, len(s.work)), make([]error, n)
	s.meter.total = n * (n + 1) / 2
	s.pool.For(n, blockRows, func(worker, lo, hi int) {
		rows, w := blocks[worker][:hi-lo], &s.work[worker]
		for i := range rows {
			rows[i] = sized(rows[i], n)
		}
		for from := lo; from < n; from += blockColumns {
			pairs := s.block(w, rows, lo, from, min(from+blockColumns, n))
			if errs[lo] = cmp.Or(w.takeErr(), s.meter.add(pairs)); errs[lo] != nil {
				return
			}
		}
		for i, row := range rows {
			done(lo+i, row)
		}
	})
	return first(errs)
}

// block fills in columns [from, to) of the rows from the one at first on, but for what is
// before the diagonal, and returns how many pairs these are.
func (s *set) block(w *workspace, rows [][]tally, first, from, to int) (pairs int) {
	k, walks := s.kernel.(walker)
	walks = walks && s.intervals == nil
	w.walks = w.walks[:0]
	for i, row := range rows {
		lo := max(first+i, from)
		pairs += max(to-lo, 0)
		if !walks {
			s.part(w, row, first+i, lo, to)
			continue
		}
		for j := lo; j < to; j++ {
			p := k.begin(&s.trains[first+i], &s.trains[j])
			p.to = &row[j]
			w.walks = append(w.walks, p)
		}
	}
	for left := len(w.walks); left > 0; {
		for i := range w.walks {
			if p := &w.walks[i]; !p.over {
				if p.over = k.stretch(w, p); p.over {
					*p.to = p.tally()
					left--
				}
			}
		}
	}
	return pairs
}

// row fills in the tallies of row i beyond the diagonal.
func (s *set) row(i int, row []tally) error {
	const grain = 64
	from := i + 1
	errs := make([]error, (len(row)-from+grain-1)/grain)
	s.pool.For(len(row)-from, grain, func(worker, lo, hi int) {
		w := &s.work[worker]
		s.part(w, row, i, from+lo, from+hi)
		errs[lo/grain] = w.takeErr()
	})
	return first(errs)
}

// part fills in columns [lo, hi) of row i.
func (s *set) part(w *workspace, row []tally, i, lo, hi int) {
	p, whole := s.kernel.(profiled)
	for j := lo; j < hi; j++ {
		if s.intervals != nil && whole {
			p.profile(&w.p, w, &s.trains[i], &s.trains[j])
			row[j] = w.p.tally(s.intervals) // which were checked
			continue
		}
		row[j] = s.kernel.pair(w, &s.trains[i], &s.trains[j])
	}
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Times beyond these would leave the range of numbers when they are multiplied.
const (
	tooLong  = 1e150
	tooShort = 1e-150
)

func checkPair(a, b spike.Train) error {
	if err := checkTrain(a); err != nil {
		return fmt.Errorf("train 0: %w", err)
	}
	if err := checkTrain(b); err != nil {
		return fmt.Errorf("train 1: %w", err)
	}
	return checkWindows(1, a, b)
}

func checkTrains(trains []spike.Train) error {
	for i, t := range trains {
		if err := checkTrain(t); err != nil {
			return fmt.Errorf("train %d: %w", i, err)
		}
		if err := checkWindows(i, trains[0], t); err != nil {
			return err
		}
	}
	return nil
}

func checkTrain(t spike.Train) error {
	if err := t.Validate(); err != nil {
		return err
	}
	gap, last := math.Inf(1), t.Start
	for _, x := range t.Times {
		if x != last {
			gap = min(gap, x-last)
		}
		last = x
	}
	if t.Stop != last {
		gap = min(gap, t.Stop-last)
	}
	if gap < tooShort || t.Stop-t.Start > tooLong {
		return fmt.Errorf("times are %v apart in a window of %v; use another unit of time", gap, t.Stop-t.Start)
	}
	return nil
}

func checkWindows(i int, a, b spike.Train) error {
	if a.Start != b.Start || a.Stop != b.Stop {
		return fmt.Errorf("train %d has the window [%v, %v] and train 0 [%v, %v], want one for all; spike.Unite gives the trains theirs together",
			i, b.Start, b.Stop, a.Start, a.Stop)
	}
	return nil
}

// checkIntervals sorts the intervals, too, and cuts what is outside the window by
// rounding alone.
func checkIntervals(intervals []Interval, start, stop float64) error {
	slices.SortFunc(intervals, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	e := spike.SlackOf(start, stop)
	for i, v := range intervals {
		cut := Interval{max(v.From, start), min(v.To, stop)}
		if !(cut.From < cut.To) || e.Before(v.From, start) || e.Before(stop, v.To) {
			return fmt.Errorf("the interval [%v, %v] is empty or not within the window [%v, %v]; give two times of the window in order", v.From, v.To, start, stop)
		}
		if i > 0 && e.Before(v.From, intervals[i-1].To) {
			return fmt.Errorf("the intervals [%v, %v] and [%v, %v] overlap; join them", intervals[i-1].From, intervals[i-1].To, v.From, v.To)
		}
		intervals[i] = cut
	}
	return nil
}

// within is the times inside the intervals, edges included.
func within(times []float64, intervals []Interval, e spike.Slack) []float64 {
	var in []float64
	for _, t := range times {
		if slices.ContainsFunc(intervals, func(v Interval) bool { return !e.Before(t, v.From) && !e.Before(v.To, t) }) {
			in = append(in, t)
		}
	}
	return in
}

// nonnegative is the check of a parameter.
func nonnegative(name string, v float64) error {
	if !(v >= 0) {
		return fmt.Errorf("%s is %v, want 0 or more", name, v)
	}
	return nil
}
