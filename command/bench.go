package command

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"synfire/bench"
	"synfire/internal/kernel"
	"synfire/internal/limit"
	"synfire/internal/machine"
)

type benchCmd struct {
	Names   []string `arg:"" optional:"" name:"name" help:"Workloads; none means all but W6b and density."`
	Repeat  int      `help:"Repeats of each measurement, at least 5." default:"7"`
	Threads int      `help:"Threads; 0 means one for each processor." default:"0"`
	Kernel  string   `help:"Kernel level: go, avx2 or avx512 (default the best)." placeholder:"LEVEL"`
	Phase   string   `help:"Measure one phase alone: train, infer or latency." placeholder:"PHASE"`
	Shapes  []string `name:"shape" help:"Measure these shapes alone, as the table writes them, such as isi,spike of W6b." placeholder:"SHAPE,..."`
	Compare string   `help:"Compare with FILE: an earlier --json output, or the JSON lines of a script that times other simulators." placeholder:"FILE"`
	Settle  int      `help:"On several threads, repeat what was measured while the cores were far apart, for up to so many seconds a row." placeholder:"SECONDS"`
	Profile bool     `help:"Show where the time goes, by layer and kernel, beside what the machine can do."`
	Small   bool     `help:"Tiny shapes, to try the command: the figures mean nothing."`
	JSON    bool     `help:"Print JSON."`

	Case    int       `hidden:"" default:"-1" help:"Measure one case in this process."`
	Factors []float64 `hidden:"" help:"Factors of the weights, in place of calibration."`
}

// Help is the verb's longer help.
func (benchCmd) Help() string {
	return `Workloads: ` + strings.Join(bench.Names(), ", ") + `. They are described in
docs/performance.md. Each row is measured by a process of its own, after its layers
are calibrated to fire at a given rate; figures are medians over the repeats, with
minimum and maximum. A row whose layers end up silent or saturated fails (exit code 1).`
}

// repeatSeconds is the least time of a repeat.
const repeatSeconds = 0.3

// Run measures the selected workloads.
func (c *benchCmd) Run(a *app) error {
	if c.Repeat < bench.MinRepeat {
		return usageError{fmt.Errorf("bench: --repeat %d, want at least %d: fewer show no spread", c.Repeat, bench.MinRepeat)}
	}
	if err := kernel.Use(c.Kernel); err != nil {
		return usageError{fmt.Errorf("bench: %w", err)}
	}
	if c.Threads <= 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	cases, err := bench.Cases(bench.Selection{Names: c.Names, Phase: c.Phase, Shapes: c.Shapes, Threads: c.Threads, Small: c.Small})
	if err != nil {
		return usageError{err}
	}
	if c.Case >= 0 {
		return c.measure(a, cases[c.Case])
	}
	refs, err := c.references()
	if err != nil {
		return usageError{err}
	}
	rows, stopped := c.runAll(a, cases)
	if stopped != nil && len(rows) == 0 {
		return stopped
	}
	failed := 0
	for i := range rows {
		rows[i].Compare(refs)
		if rows[i].Error != "" {
			failed++
		}
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(rows)
	} else {
		err = a.Bench(rows, c.Compare)
	}
	if err == nil && failed > 0 {
		err = codeError(exitFailed)
	}
	return cmp.Or(stopped, err)
}

// references are what to compare with.
func (c *benchCmd) references() ([]bench.Reference, error) {
	switch {
	case c.Compare == "":
		return nil, nil
	case c.Small:
		return nil, errors.New("bench: --small and --compare: tiny shapes compare with nothing; leave one out")
	}
	src, err := limit.ReadPath(c.Compare, 64<<20)
	if err != nil {
		return nil, fmt.Errorf("bench: compare: %w", err)
	}
	return bench.ReadReferences(filepath.Base(c.Compare), src)
}

// runAll measures the cases, each in a process of its own, so that the peak of
// memory is the case's. The factors of a network are found here, once for all its
// cases. What was measured before an interruption is returned beside the error.
func (c *benchCmd) runAll(a *app, cases []bench.Case) (rows []bench.Row, stopped error) {
	built := machine.BuiltFrom()
	factors := map[string][]float64{}
	for i, one := range cases {
		a.Status("[%d of %d] %s %s", i+1, len(cases), one.Workload, one.Phase)
		key := one.Workload + one.Shape
		if c.Factors != nil {
			factors[key] = c.Factors
		}
		if _, ok := factors[key]; !ok {
			f, err := one.Calibrate()
			if err != nil {
				a.Status("")
				return nil, err
			}
			factors[key] = f
		}
		got, err := c.child(a, i, factors[key])
		if a.ctx.Err() != nil {
			stopped = fmt.Errorf("bench: interrupted; %d of %d cases were measured", i, len(cases))
			break
		}
		if err == nil && len(got) > 0 {
			got[0].Cut, err = one.CutError(factors[key])
		}
		if err != nil {
			got = one.Failed(err)
		}
		rows = append(rows, got...)
	}
	a.Status("")
	if c.Profile && stopped == nil {
		bench.Ceilings(bench.Options{Now: time.Now}, c.Threads, rows)
	}
	stamp(rows, built)
	return rows, stopped
}

// stamp says what program and machine measured the rows.
func stamp(rows []bench.Row, built machine.Source) {
	for i := range rows {
		r := &rows[i]
		r.Synfire, r.Commit, r.Dirty, r.CPU, r.Cores = version, built.Commit, built.Dirty, machine.CPU(), runtime.NumCPU()
	}
}

// child measures a case in another process of this program.
func (c *benchCmd) child(a *app, i int, factors []float64) ([]bench.Row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{"bench"}, c.Names...)
	args = append(args, "--repeat", strconv.Itoa(c.Repeat), "--threads", strconv.Itoa(c.Threads), "--phase="+c.Phase,
		"--kernel="+kernel.Current().String(), "--small="+strconv.FormatBool(c.Small), "--profile="+strconv.FormatBool(c.Profile), "--settle", strconv.Itoa(c.Settle), "--case", strconv.Itoa(i))
	if len(c.Shapes) > 0 {
		args = append(args, "--shape="+strings.Join(c.Shapes, ","))
	}
	if factors != nil {
		args = append(args, "--factors="+join(factors))
	}
	cmd := exec.CommandContext(a.ctx, self, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(errOut.String()))
	}
	var rows []bench.Row
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
		return nil, fmt.Errorf("the process that measures printed no rows: %w", err)
	}
	return rows, nil
}

// join writes numbers so that they are read again exactly.
func join(v []float64) string {
	var parts []string
	for _, x := range v {
		parts = append(parts, strconv.FormatFloat(x, 'g', -1, 64))
	}
	return strings.Join(parts, ",")
}

// measure is the child's work.
func (c *benchCmd) measure(a *app, one bench.Case) error {
	o := bench.Options{Now: time.Now, Repeat: c.Repeat, Least: time.Duration(repeatSeconds * float64(time.Second)), Settle: time.Duration(c.Settle) * time.Second, Factors: c.Factors, Profile: c.Profile}
	if c.Small {
		o.Least = 0
	}
	rows := one.Run(o)
	for i := range rows {
		rows[i].PeakRSSBytes = machine.PeakRSS()
	}
	return json.NewEncoder(a.out).Encode(rows)
}
