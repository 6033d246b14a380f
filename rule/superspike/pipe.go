package superspike

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// PipeHeader is the first line of what Pipe reads.
const PipeHeader = "time,unit,kind"

// longestGap is the most steps between two events of a pipe, hours of them: a time in
// another unit is an error rather than a wait.
const longestGap = 1 << 30

// Pipe learns from events as they arrive, until r ends or ctx does, and writes the spikes of
// the outputs as they fall. The memory it takes does not grow with the number of events.
//
// Both are CSV. Of r, the first line is PipeHeader; each other is an event, its time in
// seconds, never less than that of the line before, its unit, and its kind, input or target.
// w gets the lines time,unit after a header of these names. The steps up to an event's are run
// when it is read, and its own when a later one comes or r ends. Empty lines are passed over.
func (s *Stream) Pipe(ctx context.Context, r io.Reader, w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "time,unit")
	p := pipe{stream: s, out: out}
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(lines.Text())
		switch {
		case n == 1 && text != PipeHeader:
			return fmt.Errorf("superspike: line 1 is %.40q, expected %s", text, PipeHeader)
		case n == 1 || text == "":
			continue
		}
		if err := p.event(ctx, text); err != nil {
			out.Flush()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("superspike: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("superspike: line %d is longer than %d bytes, expected an event: %s; are there line ends?", n+1, bufio.MaxScanTokenSize, PipeHeader)
	} else if err != nil {
		return fmt.Errorf("superspike: line %d: %w", n+1, err)
	}
	if n == 0 {
		return fmt.Errorf("superspike: nothing to read, expected a first line %s", PipeHeader)
	}
	if err := p.step(); err != nil {
		return err
	}
	return out.Flush()
}

// pipe is the step that is being gathered.
type pipe struct {
	stream          *Stream
	out             *bufio.Writer
	now             int64 // the step
	inputs, targets []int32
}

func (p *pipe) event(ctx context.Context, text string) error {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return fmt.Errorf("%d fields in %.40q, expected three: %s", len(fields), text, PipeHeader)
	}
	at, err := strconv.ParseFloat(strings.TrimSpace(fields[0]), 64)
	if err != nil || !(at >= 0) || math.IsInf(at, 0) {
		return fmt.Errorf("the time is %.40q, expected seconds from 0 on", fields[0])
	}
	unit, err := strconv.ParseInt(strings.TrimSpace(fields[1]), 10, 32)
	if err != nil {
		return fmt.Errorf("the unit is %.40q, expected a number", fields[1])
	}
	steps := math.Floor(1000*at/p.stream.clock.dt + 1e-6) // on a border but for rounding
	switch {
	case steps < float64(p.now):
		return fmt.Errorf("the event at %v s comes after one in a later step; sort the events by time", at)
	case steps-float64(p.now) > longestGap:
		return fmt.Errorf("the event at %v s is %.3g steps after the one before, expected at most %d; are its times in seconds?", at, steps-float64(p.now), longestGap)
	}
	for p.now < int64(steps) {
		if p.now%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.step(); err != nil {
			return err
		}
	}
	switch kind := strings.TrimSpace(fields[2]); kind {
	case "input":
		p.inputs, err = p.add(p.inputs, int32(unit), p.stream.net.layers[0].in)
	case "target":
		p.targets, err = p.add(p.targets, int32(unit), p.stream.net.top().out)
	default:
		err = fmt.Errorf("the kind is %.40q, expected input or target", kind)
	}
	return err
}

// add inserts a unit in its order.
func (p *pipe) add(units []int32, unit int32, n int) ([]int32, error) {
	if unit < 0 || int(unit) >= n {
		return units, fmt.Errorf("unit %d, expected one from 0 to %d", unit, n-1)
	}
	i, twice := slices.BinarySearch(units, unit)
	if twice {
		return units, fmt.Errorf("unit %d fires twice in a step of %v ms; use shorter steps, or merge the events", unit, p.stream.clock.dt)
	}
	return slices.Insert(units, i, unit), nil
}

// step runs the step that was gathered.
func (p *pipe) step() error {
	fired, err := p.stream.Step(p.inputs, p.targets)
	if err != nil {
		return err
	}
	var wrong error
	for _, u := range fired {
		_, err := fmt.Fprintf(p.out, "%.12g,%d\n", float64(p.now)*p.stream.clock.dt/1000, u)
		wrong = errors.Join(wrong, err)
	}
	if len(fired) > 0 {
		wrong = errors.Join(wrong, p.out.Flush())
	}
	p.now, p.inputs, p.targets = p.now+1, p.inputs[:0], p.targets[:0]
	return wrong
}
