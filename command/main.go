// Package command is the command: its verbs, one file each, turn flags into calls of
// the packages below and print what these return, as text or as JSON. A program of
// another module has all of them, with its own kinds, rules, data sets and recipes:
//
//	func main() {
//		c := catalog.Default()
//		c.Layers["mine"] = model.Kind{New: func() any { return &Mine{} }, Example: Mine{}}
//		command.Main(c, all.Recipes())
//	}
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"synfire/catalog"
	"synfire/command/comparing"
	"synfire/command/conversion"
	"synfire/command/detection"
	"synfire/command/exchange"
	"synfire/command/matrices"
	"synfire/command/neurons"
	"synfire/command/rdms"
	"synfire/command/spikes"
	"synfire/compare"
	"synfire/data"
	"synfire/distance"
	"synfire/internal/kernel"
	"synfire/internal/machine"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/train"
	"synfire/view"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Program is a command: what its verbs know by name.
type Program struct {
	Name    string // as it is typed; empty: synfire
	Catalog catalog.Catalog
	Recipes []recipe.Recipe
}

// Main runs the command line of this process, and ends it with the exit code.
func Main(c catalog.Catalog, recipes []recipe.Recipe) {
	if free := machine.Free(); free > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(free) // near it, memory is collected before more is taken
	}
	os.Exit(Program{Catalog: c, Recipes: recipes}.Execute(os.Args[1:], os.Stdout, os.Stderr))
}

// cli is the command line.
type cli struct {
	Papers     papersCmd          `cmd:"" group:"study" help:"The reading list, and how far each paper is reproduced."`
	Run        runCmd             `cmd:"" group:"study" help:"Run a recipe and judge its claims."`
	Recipes    recipesCmd         `cmd:"" group:"study" help:"List the recipes with their claims."`
	Train      trainCmd           `cmd:"" group:"own" help:"Train a model described by a YAML file."`
	Eval       evalCmd            `cmd:"" group:"own" help:"Measure a model on a data set."`
	Predict    predictCmd         `cmd:"" group:"own" help:"Tell what a model says of images, sounds, tables, arrays, events."`
	Stream     streamCmd          `cmd:"" group:"own" help:"Go on learning from a pipe of events."`
	Plan       planCmd            `cmd:"" group:"own" help:"Tell parameters, memory and time before a run."`
	Import     exchange.Import    `cmd:"" group:"own" help:"Make a model of a network in NIR or ONNX, or of PyTorch's weights."`
	Export     exchange.Export    `cmd:"" group:"own" help:"Write the network of a model to NIR or ONNX."`
	Certify    exchange.Certify   `cmd:"" group:"own" help:"Tell what a NIR file means, and whether it runs so here."`
	Convert    conversion.Convert `cmd:"" group:"own" help:"Make an ordinary network a spiking one, and tell how accurate it is."`
	Detect     detection.Detect   `cmd:"" group:"own" help:"Find objects in pictures, with boxes around them."`
	Models     conversion.Models  `cmd:"" group:"own" help:"List the trained models that are part of the program."`
	Kinds      kindsCmd           `cmd:"" group:"own" help:"List the kinds that YAML files may name, with their keys."`
	Schema     schemaCmd          `cmd:"" group:"own" help:"Print the JSON schema of the YAML files, for editors."`
	Spikes     spikes.Spikes      `cmd:"" group:"measure" help:"Measure spike trains: rates, variability, correlations, bursts."`
	Distance   distanceCmd        `cmd:"" group:"measure" help:"Measure how far spike trains are apart."`
	Matrix     matrices.Matrix    `cmd:"" group:"measure" help:"Cluster, map and classify by a matrix of distances."`
	Compare    comparing.Compare  `cmd:"" group:"measure" help:"Compare two representations of the same stimuli."`
	Areas      comparing.Areas    `cmd:"" group:"measure" help:"Find the layer of a network that is most like an area of a brain."`
	RDM        rdms.RDM           `cmd:"" name:"rdm" group:"measure" help:"Rank models by their dissimilarities' agreement with subjects'."`
	Neuron     neurons.Neuron     `cmd:"" group:"look" help:"Run one neuron under a current: membrane, spikes, rate."`
	Inspect    inspectCmd         `cmd:"" group:"look" help:"Tell what is in a file: model, arrays, configuration, run."`
	Runs       runsCmd            `cmd:"" group:"look" help:"List, show, compare, resume and export runs."`
	Data       dataCmd            `cmd:"" group:"machine" help:"List, get, import and verify data sets."`
	Bench      benchCmd           `cmd:"" group:"machine" help:"Measure this machine's speed on known workloads."`
	Doctor     doctorCmd          `cmd:"" group:"machine" help:"Check this machine: kernels, determinism, speed, data."`
	Version    versionCmd         `cmd:"" group:"machine" help:"Print the version."`
	Completion completionCmd      `cmd:"" group:"machine" help:"Print a completion script for a shell."`
	Complete   completeCmd        `cmd:"" group:"machine" hidden:""`
}

// groups are the headings of the help page; a verb names its own by the key.
var groups = []kong.Group{
	{Key: "study", Title: "The reading list"},
	{Key: "own", Title: "Networks of your own"},
	{Key: "measure", Title: "Recordings and representations"},
	{Key: "look", Title: "What is there"},
	{Key: "machine", Title: "Data and machine"},
}

// app is what every verb works with: the program, the process's streams, its end.
type app struct {
	Program
	view.Screen
	ctx      context.Context
	out, err io.Writer // the screen's
	color    bool
	width    int
}

// Execute runs a command line and returns the exit code. SIGINT and SIGTERM let what
// can be saved be saved; a second one ends the process.
func (p Program) Execute(args []string, out, errOut io.Writer) int {
	if p.Name == "" {
		p.Name = "synfire"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	a := newApp(ctx, p, out, errOut)
	code := -1
	parser := a.parser(&code)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == "--version" {
		args[0] = "version"
	}
	cmd, err := parse(parser, args)
	if code >= 0 {
		return code
	}
	if err == nil {
		err = checkThreads(cmd)
	}
	if err != nil {
		fmt.Fprintf(errOut, "%s: %s\nTry: %s --help\n", p.Name, printable(mistake(err)), verbOf(cmd, err))
		return exitUsage
	}
	if err := kernel.Problem(); err != nil {
		fmt.Fprintf(errOut, "%s: %v\n", p.Name, err)
	}
	return a.report(await(ctx, cmd))
}

// await is the verb's end. A verb that saves is waited for when it is interrupted;
// another one only for a moment.
func await(ctx context.Context, cmd *kong.Context) error {
	done := make(chan error, 1)
	go func() { done <- runVerb(cmd) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if _, saves := cmd.Selected().Target.Addr().Interface().(interface{ saves() }); saves {
		return <-done
	}
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return context.Canceled
	}
}

// patience is how long an interrupted verb may take to end by itself.
const patience = 2 * time.Second

// exited unwinds from kong's own exit (help).
type exited struct{}

// parser reads command lines; help ends with an exit code.
func (a *app) parser(code *int) *kong.Kong {
	parser, err := kong.New(&cli{},
		kong.Name(a.Name), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 80}),
		kong.ExplicitGroups(groups), kong.Vars{"save": strconv.Itoa(saveEvery), "compare_metrics": comparing.Metrics, "compare_names": strings.Join(compare.Names(), ","), "distance_names": strings.Join(distance.Names(), ","), "spikes_verbs": spikes.Names()},
		kong.Writers(a.out, a.err), kong.Exit(func(c int) { *code = c; panic(exited{}) }),
		kong.Bind(a, spikes.Env{Screen: a.Screen, Context: a.ctx, Data: dataOptions(a, "")}, rdms.Env{Screen: a.Screen, Context: a.ctx, Data: dataOptions(a, "")}, matrices.Env{Screen: a.Screen, Context: a.ctx}, comparing.Env{Screen: a.Screen, Context: a.ctx, Catalog: a.Catalog, Measurable: a.measurable}, conversion.Env{Screen: a.Screen, Context: a.ctx, Catalog: a.Catalog, Data: func(dir string) data.Options { return dataOptions(a, dir) }}, detection.Env{Screen: a.Screen, Context: a.ctx, Catalog: a.Catalog, Program: a.Name, Measurable: a.measurable}, neurons.Env{Screen: a.Screen, Context: a.ctx, Catalog: a.Catalog}, exchange.Env{Context: a.ctx, Catalog: a.Catalog, Out: a.out, Data: func(dir string) data.Options { return dataOptions(a, dir) }}))
	if err != nil {
		panic(err) // the structs above are wrong: every test fails
	}
	return parser
}

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

type codeError = exchange.Exit

// report prints an error and returns the exit code.
func (a *app) report(err error) int {
	var code codeError
	var usage usageError
	var config recipe.UsageError
	var asked exchange.Usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	text := printable(err)
	if errors.Is(err, context.Canceled) && !errors.Is(err, train.ErrInterrupted) {
		text = "interrupted; nothing was kept of this command"
	}
	fmt.Fprintf(a.err, "%s: %s\n", a.Name, text)
	if errors.As(err, &usage) || errors.As(err, &config) || errors.As(err, &asked) {
		return exitUsage
	}
	return exitFailed
}

func newApp(ctx context.Context, p Program, out, errOut io.Writer) *app {
	s := view.NewScreen(out, errOut)
	return &app{Program: p, Screen: s, ctx: ctx, out: s.Out, err: s.Err, color: s.Color, width: s.Width}
}

const description = `Spiking neural networks: train them, measure them, reproduce the papers.

  synfire run quickstart        train a spiking network on MNIST, with a report
  synfire papers                the reading list, and how far each paper works
  synfire plan net.yaml         what a network of your own will need
  synfire train net.yaml        train it
  synfire eval MODEL            measure it
  synfire predict MODEL FILE    use it

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 a claim is not met.`
