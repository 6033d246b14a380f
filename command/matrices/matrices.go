// Package matrices holds the verb that looks at a matrix of distances: clusters, a map, and
// whether classes are told apart.
package matrices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"synfire/distance"
	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/view"
)

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
}

// Matrix is the verb matrix.
type Matrix struct {
	File string `arg:"" help:"Matrix of distances: CSV or NPZ as distance --save writes it, JSON as distance --matrix --json prints it, or an array of shape [n, n] of an NPY or NPZ file (FILE.npz:ARRAY); - reads JSON or CSV from standard input."`
	Verb string `arg:"" help:"What to make of it: clusters, map or classify." enum:"clusters,map,classify"`

	Similarity bool     `help:"Values are similarities up to 1, and distances 1 less them; known of sync in JSON."`
	Squared    bool     `help:"Map, Ward's linkage: values are squared distances already, as those of squared Euclidean RDMs and of van-rossum --squared."`
	Without    []string `help:"Item to leave out, by its name; may be repeated." placeholder:"NAME" sep:"none"`

	Labels string `help:"Classes of the items: a list as in a,a,b; a file with one a line, in the order of items; or FILE.csv:COLUMN, a table whose first column names items." placeholder:"LABELS"`
	Split  string `help:"Classes of the items, in place of --labels: what stands before SEP in their names." placeholder:"SEP"`

	Linkage  string `help:"Clusters: how far apart two are: average, single, complete or ward (ward of Euclidean distances)." enum:"average,single,complete,ward" default:"average"`
	Clusters int    `help:"Clusters: into how many to cut the tree." placeholder:"N"`
	Dims     int    `help:"Map: dimensions." default:"2"`

	Neighbours   int     `help:"Classify: nearest neighbours that vote." default:"1"`
	Power        float64 `help:"Classify by the classes' mean distances of this power in place of neighbours; --power=-2 is Victor and Purpura's." placeholder:"Z"`
	Groups       string  `help:"Classify: items that are left out together, such as those of a day; in the forms of --labels." placeholder:"LABELS"`
	Permutations int     `help:"Classify: random labellings for the p-value." default:"999"`
	Seed         uint64  `help:"Of the labellings." default:"1"`
	Threads      int     `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`

	Out    string `help:"Write the result to a file, .csv or .npz, with the names of the items." placeholder:"FILE"`
	Figure string `help:"Write a picture to a file, .svg or .png." placeholder:"FILE"`
	JSON   bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Matrix) Help() string {
	return `Looks at distances between items, whatever they are: spike trains, trials, stimuli,
recordings. A distance that is undefined is an error that says whose it is; --without
leaves an item out.

  clusters  Hierarchical clustering: which items join at which distance; --clusters cuts
            the tree. The picture is a heat map beside the tree. NPZ holds the links as
            [a, b, height, items], a row each, clusters numbered from the items on.
  map       Classical multidimensional scaling: places in --dims dimensions whose
            distances are like those of the matrix, and how well they are.
  classify  Each item is left out in turn and given to the class of its nearest
            neighbours: the confusion matrix, the share of right answers, and how often
            random labels do as well. Classes that are equally near share an item.

  synfire distance trials.csv --metric victor-purpura --cost 20 --save d.csv
  synfire matrix d.csv classify --labels odours.csv:odour --figure confusion.svg
  synfire distance trains.csv --metric isi --matrix --json | synfire matrix - map`
}

// Validate returns an error for options that would be ignored, or that make no sense.
func (c *Matrix) Validate() error {
	for _, o := range []struct {
		given bool
		name  string
		verbs string
	}{
		{c.Clusters != 0, "clusters", "clusters"}, {c.Linkage != "average" && c.Linkage != "", "linkage", "clusters"}, {c.Dims != 2 && c.Dims != 0, "dims", "map"},
		{c.Neighbours > 1, "neighbours", "classify"}, {c.Power != 0, "power", "classify"}, {c.Groups != "", "groups", "classify"},
		{c.Squared && c.Linkage != string(distance.Ward), "squared", "map, and for clusters by --linkage ward"},
	} {
		if o.given && !strings.HasPrefix(o.verbs, c.Verb) {
			return fmt.Errorf("--%s is not for %s; it is for %s", o.name, c.Verb, o.verbs)
		}
	}
	switch {
	case c.Labels != "" && c.Split != "":
		return errors.New("--labels and --split: give one of them")
	case c.Verb == "classify" && c.Labels == "" && c.Split == "":
		return errors.New("classify needs the classes of the items: --labels or --split")
	case c.Verb == "clusters" && c.Labels+c.Split != "":
		return errors.New("--labels and --split are not for clusters; they are for map and classify")
	case c.Neighbours < 1:
		return fmt.Errorf("--neighbours %d: want one or more", c.Neighbours)
	case c.Power != 0 && c.Neighbours > 1:
		return errors.New("--power is in place of --neighbours; give one of them")
	case c.Dims < 1:
		return fmt.Errorf("--dims %d: want one or more", c.Dims)
	case c.Clusters < 0:
		return fmt.Errorf("--clusters %d: want one or more", c.Clusters)
	case c.Permutations < 1 || c.Permutations > 1_000_000:
		return fmt.Errorf("--permutations %d: want 1 to 1000000", c.Permutations)
	}
	for flag, f := range map[string]struct {
		path    string
		endings []string
	}{"out": {c.Out, []string{".csv", ".npz"}}, "figure": {c.Figure, []string{".svg", ".png"}}} {
		if f.path != "" && !slices.Contains(f.endings, strings.ToLower(filepath.Ext(f.path))) {
			return fmt.Errorf("--%s %q: want a file that ends in %s", flag, f.path, strings.Join(f.endings, " or "))
		}
	}
	return nil
}

// result is what a verb gives.
type result interface {
	print(s view.Screen)
	table() [][]string // of CSV, with a head
	arrays() map[string]npz.Array
	figure() (figure.Figure, error)
}

// Run looks at the matrix.
func (c *Matrix) Run(e Env) error {
	if err := c.run(e); err != nil {
		return fmt.Errorf("matrix: %s: %w", sample.Printable(c.File), err)
	}
	return nil
}

func (c *Matrix) run(e Env) error {
	in, err := c.read()
	if err != nil {
		return err
	}
	r, err := map[string]func(Env, items) (result, error){"clusters": c.cluster, "map": c.place, "classify": c.classify}[c.Verb](e, in)
	if err != nil {
		return err
	}
	if e.Context.Err() != nil {
		return e.Context.Err()
	}
	if err := c.keep(r); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(r)
	}
	r.print(e.Screen)
	return nil
}

// keep writes the files that were asked for.
func (c *Matrix) keep(r result) error {
	if c.Out != "" {
		err := atomicfile.Write(c.Out, func(w io.Writer) error {
			if strings.EqualFold(filepath.Ext(c.Out), ".npz") {
				return npz.Write(w, r.arrays())
			}
			return writeCSV(w, r.table())
		})
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if c.Figure == "" {
		return nil
	}
	f, err := r.figure()
	if err != nil {
		return fmt.Errorf("--figure: %w", err)
	}
	return f.Write(c.Figure)
}

// shownRows is how many items are printed; the rest goes to files and JSON.
const shownRows = 40

func printRest(s view.Screen, n int) {
	if n > shownRows {
		fmt.Fprintf(s.Out, "\n%d of %d are shown; --json and --out FILE.csv have all\n", shownRows, n)
	}
}
