// Command synfire trains, measures and reproduces spiking neural networks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"synfire/compare"
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/train"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line.
type cli struct {
	Papers     papersCmd     `cmd:"" group:"study" help:"The reading list, and how far each paper is reproduced."`
	Run        runCmd        `cmd:"" group:"study" help:"Run a recipe and judge its claims."`
	Recipes    recipesCmd    `cmd:"" group:"study" help:"List the recipes with their claims."`
	Train      trainCmd      `cmd:"" group:"own" help:"Train a network described by a YAML file."`
	Eval       evalCmd       `cmd:"" group:"own" help:"Measure a checkpoint on a data set."`
	Plan       planCmd       `cmd:"" group:"own" help:"Tell parameters, memory and time before a run."`
	Schema     schemaCmd     `cmd:"" group:"own" help:"Print the JSON schema of the YAML files, for editors."`
	Distance   distanceCmd   `cmd:"" group:"measure" help:"Measure how far spike trains are apart."`
	Compare    compareCmd    `cmd:"" group:"measure" help:"Compare two representations of the same stimuli."`
	Neuron     neuronCmd     `cmd:"" group:"look" help:"Run one neuron and show its membrane and spikes."`
	Inspect    inspectCmd    `cmd:"" group:"look" help:"Tell what is in a file: checkpoint, arrays, configuration, run."`
	Runs       runsCmd       `cmd:"" group:"look" help:"List, show, compare, resume and export runs."`
	Data       dataCmd       `cmd:"" group:"machine" help:"List, get, import and verify data sets."`
	Bench      benchCmd      `cmd:"" group:"machine" help:"Measure this machine's speed on known workloads."`
	Doctor     doctorCmd     `cmd:"" group:"machine" help:"Check this machine: kernels, determinism, speed, data."`
	Completion completionCmd `cmd:"" group:"machine" help:"Print a completion script for a shell."`
	Complete   completeCmd   `cmd:"" group:"machine" hidden:""`
}

// groups are the headings of the help page; a verb names its own by the key.
var groups = []kong.Group{
	{Key: "study", Title: "The reading list"},
	{Key: "own", Title: "Networks of your own"},
	{Key: "measure", Title: "Recordings and representations"},
	{Key: "look", Title: "What is there"},
	{Key: "machine", Title: "Data and machine"},
}

// app is what every verb works with: the process's streams and settings.
type app struct {
	ctx      context.Context
	out, err io.Writer
	color    bool // of out
	live     bool // progress on err
	width    int
}

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs the command line and returns the exit code.
func execute(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := newApp(ctx, out, errOut)
	code := -1
	parser, err := kong.New(&cli{},
		kong.Name("synfire"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 80}),
		kong.ExplicitGroups(groups), kong.Vars{"save": strconv.Itoa(saveEvery), "compare_metrics": compareMetrics, "compare_names": strings.Join(compare.Names(), ",")}, kong.Writers(out, errOut), kong.Exit(func(c int) { code = c; panic(exited{}) }), kong.Bind(a))
	if err != nil {
		panic(err) // the structs above are wrong: every test fails
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parse(parser, args)
	switch {
	case code >= 0:
		return code
	case err != nil:
		fmt.Fprintf(errOut, "synfire: %v\nTry: synfire --help\n", err)
		return exitUsage
	}
	if err := kernel.Problem(); err != nil {
		fmt.Fprintln(errOut, "synfire:", err)
	}
	return a.report(runVerb(cmd))
}

// exited unwinds from kong's own exit (help).
type exited struct{}

func parse(p *kong.Kong, args []string) (cmd *kong.Context, err error) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(exited); !ok {
				panic(v)
			}
		}
	}()
	return p.Parse(args)
}

// runVerb runs the verb; a panic, which is a defect, becomes an error.
func runVerb(cmd *kong.Context) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *par.Panic:
			err = fmt.Errorf("internal error, please report it: %v\n%s", v.Value, v.Stack)
		default:
			err = fmt.Errorf("internal error, please report it: %v", v)
		}
	}()
	return cmd.Run()
}

// usageError is a mistake in what the user asked for.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// codeError ends the command with a code and nothing more to say.
type codeError int

func (e codeError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// report prints an error and returns the exit code.
func (a *app) report(err error) int {
	var code codeError
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, train.ErrInterrupted):
		fmt.Fprintf(a.err, "synfire: %v\n", err)
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(a.err, "synfire: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(a.err, "synfire: %v\n", err)
	return exitFailed
}

func newApp(ctx context.Context, out, errOut io.Writer) *app {
	a := &app{ctx: ctx, out: out, err: errOut, width: 100}
	if f, ok := errOut.(*os.File); ok {
		a.live = term.IsTerminal(int(f.Fd()))
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		a.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 { // some terminals do not tell
			a.width = min(w, 100)
		}
	}
	return a
}

const description = `Spiking neural networks: train them, measure them, reproduce the papers.

  synfire run quickstart        train a spiking network on MNIST, with a report
  synfire papers                the reading list, and how far each paper works
  synfire plan net.yaml         what a network of your own will need
  synfire train net.yaml        train it
  synfire eval CHECKPOINT --data mnist

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 a claim is not met.`
