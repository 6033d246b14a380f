// Package comparing holds the verbs that compare representations: two of the same stimuli, and the
// layers of a network with the areas of a brain.
package comparing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"synfire/catalog"
	"synfire/command/exchange"
	"synfire/compare"
	"synfire/compare/ceiling"
	"synfire/internal/atomicfile"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/view"
)

// Env is what the verbs work with.
type Env struct {
	view.Screen
	Context context.Context
	Catalog catalog.Catalog
	// Measurable loads what a model of a file is to be measured with.
	Measurable func(verb string, f *modelfile.File, data, split, dir string) (catalog.Part, error)
}

// Compare is the verb compare.
type Compare struct {
	A string `arg:"" help:"Recording (.npz, or .safetensors with an array x) or checkpoint of a network."`
	B string `arg:"" help:"The other one, of the same stimuli in the same order."`

	Metric string `help:"${compare_metrics}." enum:"${compare_names}" default:"cka-linear"`
	compare.Params

	Layer  []string `help:"Layer of a network, by name; repeat it for several. Without it, each that fires or rectifies, and the last."`
	LayerB []string `help:"Layer of network B, where it differs."`
	Shown

	Ceiling int    `help:"Of ridge and pls: random halves of B's repetitions that the noise ceiling is estimated by, 10 are usual; 0: no ceiling." default:"0" placeholder:"HALVES"`
	Threads int    `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Out     string `help:"Directory for a report with RDMs and maps." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`
}

// Result is the JSON of compare. A value that does not exist is null, and why
// says why.
type Result struct {
	Metric   string           `json:"metric"`
	Params   map[string]any   `json:"params"`
	Value    *float64         `json:"value"`
	Why      string           `json:"why,omitempty"`
	NStimuli int              `json:"n_stimuli"`
	P        *float64         `json:"p,omitempty"` // with permutations
	Ceiling  *ceiling.Ceiling `json:"ceiling,omitempty"`
	Layers   []Score          `json:"layers,omitempty"` // of networks with several
}

// Score is the value of two layers.
type Score struct {
	A     string   `json:"a"`
	B     string   `json:"b"`
	Value *float64 `json:"value"`
	Why   string   `json:"why,omitempty"`

	Ceiling *ceiling.Ceiling `json:"ceiling,omitempty"`
}

// text is the value with some digits, or why there is none.
func (l Score) text(digits int) string {
	if l.Value == nil {
		return "undefined: " + l.Why
	}
	return fmt.Sprintf("%.*f", digits, *l.Value)
}

// Metrics explains the names of the metrics.
const Metrics = `What is measured: agreement of dissimilarities (rsa-…), alignment of Gram matrices (cka-…), canonical correlation (cca, svcca, pwcca), how well a linear map of A predicts B held out (ridge, pls), or stability of one model at two settings (restab)`

// Help is the verb's longer help.
func (Compare) Help() string {
	return `How alike are two representations of the same stimuli? A recording is an array x,
stimuli × units, or spikes: arrays times, stimulus and unit (one entry a spike,
numbered from 0), perhaps trial, with t_start and t_end. With trials, or with an array
repetitions (repetitions × stimuli × units) in place of x, --ceiling tells how well ridge
or pls could predict B at best, given its noise.

  synfire compare --metric cka-linear a.npz b.npz
  synfire compare --metric rsa-spearman neurons.npz net.safetensors --data mnist --n 200
  synfire compare --metric pls --ceiling 10 net.safetensors v4.npz --data folder:images
  synfire compare one.safetensors two.safetensors --data mnist --out report`
}

// Run compares.
func (c *Compare) Run(e Env) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	left, err := c.load(e, "compare", c.A, c.Layer, c.Dissimilarity)
	if err != nil {
		return err
	}
	layers := c.LayerB
	if layers == nil {
		layers = c.Layer
	}
	right, err := c.load(e, "compare", c.B, layers, c.Dissimilarity)
	if err != nil {
		return err
	}
	result, err := c.measure(e, pool, left, right)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := c.report(pool, result, left, right); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(result)
	}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", result.Metric, Score{Value: result.Value, Why: result.Why}.text(6))
	for _, k := range slices.Sorted(maps.Keys(result.Params)) {
		fmt.Fprintf(w, "  %s\t%v\n", k, result.Params[k])
	}
	if result.P != nil {
		fmt.Fprintf(w, "p\t%.4g\n", *result.P)
	}
	fmt.Fprintf(w, "stimuli\t%d\n", result.NStimuli)
	printCeiling(w, result.Ceiling)
	for _, l := range result.Layers {
		fmt.Fprintf(w, "%s – %s\t%s\n", l.A, l.B, l.text(4))
	}
	if c.Out != "" {
		fmt.Fprintf(w, "report\t%s\n", filepath.Join(c.Out, "report.html"))
	}
	return w.Flush()
}

// printCeiling tells a ceiling, or why there is none.
func printCeiling(w io.Writer, c *ceiling.Ceiling) {
	if c == nil {
		return
	}
	for _, row := range []struct {
		name string
		v    *float64
	}{{"reliability of units", c.Units}, {"  explained variance, r²/reliability", c.ExplainedVariance}, {"half predicts half", c.Mapped}, {"  share of it", c.ShareOfMapped}} {
		if row.v == nil {
			fmt.Fprintf(w, "%s\tundefined\n", row.name)
			continue
		}
		fmt.Fprintf(w, "%s\t%.4f\n", row.name, *row.v)
	}
	if c.Why != "" {
		fmt.Fprintf(w, "  why\t%s\n", c.Why)
	}
}

// measure compares each layer of one side with each of the other; the value is
// that of the last ones.
func (c *Compare) measure(e Env, pool *par.Pool, left, right []representation) (*Result, error) {
	metric, err := compare.Lookup(c.Metric)
	if err != nil {
		return nil, exchange.Usage{Err: err}
	}
	if metric.OfDissimilarities() {
		if c.Params, err = c.Params.Fit(responses(left, right)...); errors.Is(err, compare.ErrParams) {
			return nil, exchange.Usage{Err: err}
		} else if err != nil {
			return nil, err
		}
	}
	result := &Result{Metric: c.Metric, Params: metric.Used(c.Params)}
	noise, err := c.noise(right)
	if err != nil {
		return nil, err
	}
	for _, x := range left {
		for k, y := range right {
			if x.Stimuli() != y.Stimuli() {
				return nil, exchange.Usage{Err: fmt.Errorf("compare: %s has %d stimuli, %s has %d; give both the same in the same order, and to networks as many by --n", x.source, x.Stimuli(), y.source, y.Stimuli())}
			}
			r, err := metric.Compare(x.Responses, y.Responses, c.Params, pool)
			if errors.Is(err, compare.ErrParams) {
				return nil, exchange.Usage{Err: err}
			} else if err != nil {
				return nil, err
			}
			if r.LeftOut > 0 {
				fmt.Fprintf(e.Err, "warning: %s, %s: %d of %d dissimilarities are left out, of stimuli that are silent or without variance over the units\n", x.Name, y.Name, r.LeftOut, r.Of)
			}
			if r.Undefined != "" {
				fmt.Fprintf(e.Err, "warning: %s, %s: the value is undefined: %s\n", x.Name, y.Name, r.Undefined)
			}
			result.add(x, y, r)
			if noise != nil && r.Undefined == "" {
				before := noise[k].Before(r.Value)
				result.Ceiling, result.Layers[len(result.Layers)-1].Ceiling = &before, &before
			}
		}
	}
	if len(result.Layers) == 1 {
		result.Layers = nil
	}
	return result, nil
}

// noise is the ceilings of the predicted side, nil where none are asked for.
func (c *Compare) noise(right []representation) (list []ceiling.Noise, err error) {
	switch {
	case c.Ceiling == 0:
		return nil, nil
	case c.Ceiling < 0 || c.Ceiling > 10_000 || c.Metric != "ridge" && c.Metric != "pls":
		return nil, exchange.Usage{Err: fmt.Errorf("compare: --ceiling %d with metric %s; want 1 to 10000 halves, with ridge or pls", c.Ceiling, c.Metric)}
	}
	for _, y := range right {
		n, err := ceiling.Of(c.Metric, y.Responses, c.Params, c.Ceiling)
		if err != nil {
			return nil, exchange.Usage{Err: fmt.Errorf("compare %s: %w", y.source, err)}
		}
		list = append(list, n)
	}
	return list, nil
}

// responses are those of all layers of all sides.
func responses(sides ...[]representation) (list []compare.Responses) {
	for _, x := range slices.Concat(sides...) {
		list = append(list, x.Responses)
	}
	return list
}

// add notes what was found of two layers.
func (c *Result) add(x, y representation, r compare.Result) {
	c.NStimuli, c.Value, c.Why, c.P = r.Stimuli, nil, r.Undefined, nil
	if r.Undefined == "" {
		c.Value = &r.Value
	}
	if r.Permuted {
		c.P = &r.P
	}
	c.Layers = append(c.Layers, Score{A: x.Name, B: y.Name, Value: c.Value, Why: c.Why})
}

// report writes the page, its figures and the result into a directory.
func (c *Compare) report(pool *par.Pool, result *Result, left, right []representation) error {
	page, err := c.page(pool, result, left, right)
	if err != nil {
		return err
	}
	if err := page.Write(c.Out); err != nil {
		return err
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(c.Out, "result.json"), func(w io.Writer) error { _, err := w.Write(append(raw, '\n')); return err })
}
