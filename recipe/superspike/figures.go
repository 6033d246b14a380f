package superspike

import (
	"fmt"
	"math"
	"slices"

	"synfire/encode"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/superspike"
	"synfire/spike"
)

// shown is a figure, what it shows and what to see in it.
type shown struct {
	figure       figure.Figure
	alt, caption string
}

func (s *study) section(title, text string, tables []report.Table, figures ...shown) {
	sec := report.Section{Title: title, Text: text, Tables: tables}
	for _, f := range figures {
		sec.Figures = append(sec.Figures, report.Figure{SVG: f.figure.SVG(), Alt: f.alt, Caption: f.caption})
	}
	s.sections = append(s.sections, sec)
}

// least is the smallest D that a logarithmic axis shows.
const least = 1e-3

// band is D over the trials of some lessons: their median, with their range.
func band(name string, list []taught) figure.Series {
	line := figure.Series{Name: name}
	n := len(list[0].D)
	every := max(1, n/150)
	for t := 0; t < n; t += every {
		d := of(list, func(l taught) float64 { return max(l.D[t], least) })
		line.X = append(line.X, float64(t+1))
		line.Y, line.Low, line.High = append(line.Y, median(d)), append(line.Low, slices.Min(d)), append(line.High, slices.Max(d))
	}
	return line
}

func curves(title string, lines ...figure.Series) (figure.Figure, error) {
	return figure.Curves(title, "trial", figure.Panel{Name: "distance D", LogY: true, Series: lines})
}

// milliseconds are times in seconds, in ms with one digit.
func milliseconds(times []float64) []float64 {
	out := []float64{}
	for _, v := range times {
		out = append(out, math.Round(1e4*v)/10)
	}
	return out
}

// bySteps are the inputs and targets of a problem, step by step.
func (p problem) bySteps() (inputs, targets [][]int32, err error) {
	inputs, targets = make([][]int32, p.steps), make([][]int32, p.steps)
	add := func(list [][]int32, at float64, unit int32) error {
		t := encode.StepOf(at, p.steps, float64(p.steps)*dt)
		if t < 0 || t >= p.steps {
			return fmt.Errorf("a spike of unit %d at %v s is outside of the trial", unit, at)
		}
		if i, there := slices.BinarySearch(list[t], unit); !there {
			list[t] = slices.Insert(list[t], i, unit)
		}
		return nil
	}
	for _, e := range p.events {
		if err := add(inputs, e.Time, e.Unit); err != nil {
			return nil, nil, err
		}
	}
	for u, t := range p.targets {
		for _, at := range t.Times {
			if err := add(targets, at, int32(u)); err != nil {
				return nil, nil, err
			}
		}
	}
	return inputs, targets, nil
}

// never is a time between updates in ms that no trial lasts.
const never = 1e6

// stream is the network of a job step by step, with its first weights, or those of a learner;
// its weights stay.
func stream(j job, l *superspike.Learner) (*superspike.Stream, error) {
	if l != nil {
		return l.Stream(never)
	}
	return superspike.NewStream(j.rule, j.problem.inputs, len(j.problem.targets), 1000*dt, never, j.seed)
}

// portrait draws a trial: the target, the inputs and output as a raster, the potential and
// the error of the output.
func (s *study) portrait(j job, l *superspike.Learner, title string) (figure.Figure, error) {
	net, err := stream(j, l)
	if err != nil {
		return figure.Figure{}, err
	}
	inputs, targets, err := j.problem.bySteps()
	if err != nil {
		return figure.Figure{}, err
	}
	u := figure.Trace{Name: "output potential (mV)", Threshold: j.rule.Threshold}
	e := figure.Trace{Name: "error e, ticks are targets", Threshold: 0}
	top := len(j.rule.Hidden)
	for t := range j.problem.steps {
		if t%1000 == 0 && s.ctx.Err() != nil {
			return figure.Figure{}, s.ctx.Err()
		}
		fired, err := net.Step(inputs[t], targets[t])
		if err != nil {
			return figure.Figure{}, err
		}
		u.V, e.V = append(u.V, net.Potentials(top)[0]), append(e.V, net.Errors(top)[0])
		if len(fired) > 0 {
			u.Spikes = append(u.Spikes, t)
		}
		if len(targets[t]) > 0 {
			e.Spikes = append(e.Spikes, t)
		}
	}
	return figure.Membrane(title, []figure.Trace{u, e})
}

// matched draws target and output trains.
func (s *study) matched(title string, targets, answer []spike.Train) (figure.Figure, error) {
	var pairs []figure.Pair
	for i, t := range targets {
		pairs = append(pairs, figure.Pair{Name: fmt.Sprint(i), Target: milliseconds(t.Times), Output: milliseconds(answer[i].Times)})
	}
	return figure.Matched(title, "time (ms)", 0, 1000*targets[0].Stop, pairs)
}

// inputRaster draws the trains of a problem's inputs.
func inputRaster(p problem) (figure.Figure, error) {
	trains := make([]figure.Train, p.inputs)
	for i := range trains {
		trains[i].Name = fmt.Sprint(i)
	}
	for _, e := range p.events {
		trains[e.Unit].Times = append(trains[e.Unit].Times, 1000*e.Time)
	}
	return figure.Trains("Inputs", "time (ms)", 0, 1000*float64(p.steps)*dt, trains)
}

// image is trains as a picture: units upwards, columns of 10 ms, ink where they fire.
func image(trains []spike.Train, seconds float64, caption string) figure.Picture {
	const column = 0.01
	p := figure.Picture{Height: len(trains), Width: int(math.Round(seconds / column)), Channels: 1, Caption: caption}
	p.Pixels = make([]float64, p.Height*p.Width)
	for u, t := range trains {
		for _, at := range t.Times {
			if c := int(at / column); c < p.Width {
				p.Pixels[(len(trains)-1-u)*p.Width+c] = 1
			}
		}
	}
	return p
}
