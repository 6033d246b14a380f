package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"synfire/compare"
	"synfire/internal/atomicfile"
	"synfire/internal/par"
)

type compareCmd struct {
	A string `arg:"" help:"Recording (.npz, or .safetensors with an array x) or checkpoint of a network."`
	B string `arg:"" help:"The other one, of the same stimuli in the same order."`

	Metric string `help:"${compare_metrics}." enum:"${compare_names}" default:"cka-linear"`
	compare.Params

	Layer   []string `help:"Layer of a network, by name; repeat it for several. Without it, each that fires or rectifies, and the last."`
	LayerB  []string `help:"Layer of network B, where it differs."`
	Data    string   `help:"Data set whose images the networks see."`
	Split   string   `help:"Split: train or test." enum:"train,test" default:"test"`
	N       int      `help:"Images, from the first." default:"500"`
	DataDir string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`

	Threads int    `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Out     string `help:"Directory for a report with RDMs and maps." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`
}

// comparison is the JSON of compare. A value that does not exist is null, and why
// says why.
type comparison struct {
	Metric   string         `json:"metric"`
	Params   map[string]any `json:"params"`
	Value    *float64       `json:"value"`
	Why      string         `json:"why,omitempty"`
	NStimuli int            `json:"n_stimuli"`
	P        *float64       `json:"p,omitempty"`      // with permutations
	Layers   []layerScore   `json:"layers,omitempty"` // of networks with several
}

// layerScore is the value of two layers.
type layerScore struct {
	A     string   `json:"a"`
	B     string   `json:"b"`
	Value *float64 `json:"value"`
	Why   string   `json:"why,omitempty"`
}

// text is the value with some digits, or why there is none.
func (l layerScore) text(digits int) string {
	if l.Value == nil {
		return "undefined: " + l.Why
	}
	return fmt.Sprintf("%.*f", digits, *l.Value)
}

// compareMetrics explains the names of the metrics.
const compareMetrics = `What is measured: agreement of dissimilarities (rsa-…), alignment of Gram matrices (cka-…), canonical correlation (cca, svcca, pwcca), how well a linear map of A predicts B held out (ridge, pls), or stability of one model at two settings (restab)`

// Help is the verb's longer help.
func (compareCmd) Help() string {
	return `How alike are two representations of the same stimuli? A recording is an array x,
stimuli × units, or spikes: arrays times, stimulus and unit (one entry a spike,
numbered from 0), perhaps trial, with t_start and t_end.

  synfire compare --metric cka-linear a.npz b.npz
  synfire compare --metric rsa-spearman neurons.npz net.safetensors --data mnist --n 200
  synfire compare one.safetensors two.safetensors --data mnist --out report`
}

// Run compares.
func (c *compareCmd) Run(a *app) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	left, err := c.load(a, c.A, c.Layer)
	if err != nil {
		return err
	}
	layers := c.LayerB
	if layers == nil {
		layers = c.Layer
	}
	right, err := c.load(a, c.B, layers)
	if err != nil {
		return err
	}
	result, err := c.measure(a, pool, left, right)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := c.report(a, pool, result, left, right); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(result)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", result.Metric, layerScore{Value: result.Value, Why: result.Why}.text(6))
	for _, k := range slices.Sorted(maps.Keys(result.Params)) {
		fmt.Fprintf(w, "  %s\t%v\n", k, result.Params[k])
	}
	if result.P != nil {
		fmt.Fprintf(w, "p\t%.4g\n", *result.P)
	}
	fmt.Fprintf(w, "stimuli\t%d\n", result.NStimuli)
	for _, l := range result.Layers {
		fmt.Fprintf(w, "%s – %s\t%s\n", l.A, l.B, l.text(4))
	}
	if c.Out != "" {
		fmt.Fprintf(w, "report\t%s\n", filepath.Join(c.Out, "report.html"))
	}
	return w.Flush()
}

// measure compares each layer of one side with each of the other; the value is
// that of the last ones.
func (c *compareCmd) measure(a *app, pool *par.Pool, left, right []representation) (*comparison, error) {
	metric, err := compare.Lookup(c.Metric)
	if err != nil {
		return nil, usageError{err}
	}
	if metric.OfDissimilarities() {
		if c.Params, err = c.Params.Fit(responses(left, right)...); errors.Is(err, compare.ErrParams) {
			return nil, usageError{err}
		} else if err != nil {
			return nil, err
		}
	}
	result := &comparison{Metric: c.Metric, Params: metric.Used(c.Params)}
	for _, x := range left {
		for _, y := range right {
			if x.Stimuli() != y.Stimuli() {
				return nil, usageError{fmt.Errorf("compare: %s has %d stimuli, %s has %d; give both the same in the same order, and to networks as many by --n", x.source, x.Stimuli(), y.source, y.Stimuli())}
			}
			r, err := metric.Compare(x.Responses, y.Responses, c.Params, pool)
			if errors.Is(err, compare.ErrParams) {
				return nil, usageError{err}
			} else if err != nil {
				return nil, err
			}
			if r.LeftOut > 0 {
				fmt.Fprintf(a.err, "warning: %s, %s: %d of %d dissimilarities are left out, of stimuli that are silent or without variance over the units\n", x.Name, y.Name, r.LeftOut, r.Of)
			}
			if r.Undefined != "" {
				fmt.Fprintf(a.err, "warning: %s, %s: the value is undefined: %s\n", x.Name, y.Name, r.Undefined)
			}
			result.add(x, y, r)
		}
	}
	if len(result.Layers) == 1 {
		result.Layers = nil
	}
	return result, nil
}

// responses are those of all layers of all sides.
func responses(sides ...[]representation) (list []compare.Responses) {
	for _, x := range slices.Concat(sides...) {
		list = append(list, x.Responses)
	}
	return list
}

// add notes what was found of two layers.
func (c *comparison) add(x, y representation, r compare.Result) {
	c.NStimuli, c.Value, c.Why, c.P = r.Stimuli, nil, r.Undefined, nil
	if r.Undefined == "" {
		c.Value = &r.Value
	}
	if r.Permuted {
		c.P = &r.P
	}
	c.Layers = append(c.Layers, layerScore{x.Name, y.Name, c.Value, c.Why})
}

// report writes the page, its figures and the result into a directory.
func (c *compareCmd) report(a *app, pool *par.Pool, result *comparison, left, right []representation) error {
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
	return atomicfile.Write(filepath.Join(c.Out, "result.json"), writer(append(raw, '\n')))
}
