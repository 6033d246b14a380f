package spikeprop

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/spikeprop"
)

// A neuron that fires several times is to follow another one's train: afferents with a spike each
// within span ms, terminals of 16 delays, the usual τ and θ.
const (
	afferents = 12
	span      = 40.0
	trials    = 1000
	near      = 0.1 // ms within which a wanted spike is met
	rate      = 0.3
	most      = 0.005 // what a weight changes by in a trial at most, and by where the number of spikes is not the wanted one
)

// follower is a run of the experiment.
type follower struct {
	wanted, first, last []float64
	off                 []float64 // ms that the worst spike is off after each trial, +∞ where their numbers differ
}

// solved tells whether all wanted spikes are met, several of them.
func (f follower) solved() bool { return len(f.wanted) > 1 && f.off[len(f.off)-1] < near }

// neuron has weights drawn from 0 to 2.
func neuron(src *rng.Source) *spikeprop.Trains {
	r := spikeprop.NewRule()
	l := spikeprop.NewTrains(spikeprop.NewLayer(afferents, 1, r.Terminals, r.Tau, r.Threshold))
	for k := range l.W {
		l.W[k] = 2 * src.Float64()
	}
	return l
}

// follow lets a neuron learn the train of another, of the same inputs, until it meets it. The other
// is drawn until it fires twice or more.
func follow(ctx context.Context, seed uint64) (f follower, err error) {
	src := rng.New(seed, "followed train").Source()
	in := make([][]float64, afferents)
	for i := range in {
		in[i] = []float64{span * src.Float64()}
	}
	for len(f.wanted) < 2 {
		f.wanted = slices.Clone(neuron(src).Forward(in)[0])
	}
	l := neuron(src)
	f.first = slices.Clone(l.Forward(in)[0])
	for range trials {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		l.Follow(in, [][]float64{f.wanted}, rate, most)
		f.last = slices.Clone(l.Forward(in)[0])
		f.off = append(f.off, worst(f.last, f.wanted))
		if f.solved() {
			break
		}
	}
	return f, nil
}

// worst is the largest distance of paired times, +∞ where their numbers differ.
func worst(a, b []float64) (off float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i, t := range a {
		off = max(off, math.Abs(t-b[i]))
	}
	return off
}

// severalSection lets neurons follow trains over the seeds.
func severalSection(ctx context.Context, s *recipe.Study, n size) (report.Section, error) {
	out := report.Section{
		Title: "Several spikes",
		Text:  fmt.Sprintf("A neuron that fires several times, each spike taking the threshold off its potential (Booij and tat Nguyen 2005), is to fire when another one does, whose weights were drawn likewise, for the same %d inputs with a spike each in %.0f ms. Spikes and wanted spikes are paired in their order; where their numbers differ all weights grow or shrink by %v instead, which is also the most that one changes by in a trial. A run ends where all are within %v ms.", afferents, span, most, near),
	}
	table := report.Table{Head: []string{"seed", "wanted spikes", "at first", "trials", "worst spike off by (ms)"}, Right: []bool{true, true, true, true, true}}
	var lines []figure.Series
	solved := 0.0
	for k := range n.seeds {
		seed := s.Env.Seed + uint64(k)
		f, err := follow(ctx, seed)
		if err != nil {
			return out, err
		}
		solved += indicator(f.solved())
		s.Add("several", indicator(f.solved()), 0)
		off := "another number"
		if last := f.off[len(f.off)-1]; !math.IsInf(last, 1) {
			off = fmt.Sprintf("%.3f", last)
		}
		s.Metrics[fmt.Sprintf("several_trials_s%d", seed)] = float64(len(f.off))
		table.Rows = append(table.Rows, []string{fmt.Sprint(seed), fmt.Sprint(len(f.wanted)), fmt.Sprint(len(f.first)), fmt.Sprint(len(f.off)), off})
		if k < 6 {
			line := figure.Series{Name: fmt.Sprintf("seed %d", seed)}
			for trial, v := range f.off {
				if !math.IsInf(v, 1) {
					line.X, line.Y = append(line.X, float64(trial+1)), append(line.Y, max(v, 1e-3))
				}
			}
			if len(line.X) > 0 {
				lines = append(lines, line)
			}
		}
	}
	s.Metrics["several_solved"] = solved
	out.Tables = []report.Table{table}
	if len(lines) == 0 {
		return out, nil
	}
	f, err := figure.Curves("The worst spike over trials", "trial", figure.Panel{Name: "off by (ms)", Series: lines, LogY: true})
	out.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Distance of the worst spike over trials for several seeds", Caption: "Trials in which the number of spikes is not the wanted one are left out."}}
	return out, err
}
