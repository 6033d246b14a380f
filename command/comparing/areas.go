package comparing

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/command/exchange"
	"synfire/compare"
	"synfire/compare/areas"
	"synfire/internal/par"
	"synfire/report/figure"
	"synfire/sample"
)

// Areas is the verb areas.
type Areas struct {
	Areas     []string `arg:"" help:"Recordings of the areas (.npz, or .safetensors with an array x), of the same stimuli in the same order; NAME=FILE names one."`
	Model     string   `help:"Network whose layers are mapped." placeholder:"FILE"`
	Layer     []string `help:"Layer of the network, by name; repeat it for several. Without it, each that fires or rectifies, and the last."`
	Responses []string `help:"Responses of a layer of any other network, as a recording; NAME=FILE names it. May be repeated." placeholder:"FILE" sep:"none"`
	Shown
	Metric string `help:"How a layer agrees with an area: rsa-spearman, rsa-kendall, rsa-cosine, rsa-whitened, ridge or pls." enum:"rsa-spearman,rsa-kendall,rsa-cosine,rsa-whitened,ridge,pls" default:"ridge"`
	compare.Params
	Splits    int    `help:"Random divisions of the stimuli into halves." default:"20"`
	Resamples int    `help:"Bootstrap resamples of the stimuli, for intervals." default:"200"`
	Threads   int    `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Figure    string `help:"Write the areas' scores to a file, .svg or .png." placeholder:"FILE"`
	JSON      bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Areas) Help() string {
	return `Which layer of a network is most like which area of a brain? For each area the layer that
agrees best with it on a random half of the stimuli is measured on the other half, and the
other way round, over many divisions; intervals hold 95 % by a bootstrap over the stimuli.
The scores of all layers over all stimuli stand beside: the best of these is no fair score.

  synfire areas V4=v4.npz IT=it.npz --model net.safetensors --data folder:images --metric pls
  synfire areas IT=it.npz --responses conv1=c1.npz --responses conv2=c2.npz --metric rsa-spearman`
}

// Validate returns an error for what cannot be.
func (c *Areas) Validate() error {
	if c.Model == "" && len(c.Responses) == 0 {
		return fmt.Errorf("no layers; name a network by --model, or recordings of layers by --responses")
	}
	if c.Splits < 1 || c.Splits > 100_000 || c.Resamples < 2 || c.Resamples > 1_000_000 {
		return fmt.Errorf("--splits %d, --resamples %d: want 1 to 100000 and 2 to 1000000", c.Splits, c.Resamples)
	}
	if c.Permutations > 0 {
		return fmt.Errorf("--permutations are not for areas; its intervals are of a bootstrap over stimuli")
	}
	if e := strings.ToLower(filepath.Ext(c.Figure)); c.Figure != "" && e != ".svg" && e != ".png" {
		return fmt.Errorf("--figure %q: want a file that ends in .svg or .png", c.Figure)
	}
	return nil
}

// mapping is the JSON of areas.
type mapping struct {
	Metric   string         `json:"metric"`
	Params   map[string]any `json:"params"`
	NStimuli int            `json:"n_stimuli"`
	Splits   int            `json:"splits"`
	Samples  int            `json:"resamples"`
	Layers   []string       `json:"layers"`
	Areas    []areas.Result `json:"areas"`
}

// Run maps.
func (c *Areas) Run(e Env) error {
	list, err := c.recordings(e, c.Areas)
	if err != nil {
		return err
	}
	layers, err := c.recordings(e, c.Responses)
	if err != nil {
		return err
	}
	if c.Model != "" {
		of, err := c.load(e, "areas", c.Model, c.Layer, c.Dissimilarity)
		if err != nil {
			return err
		}
		for _, r := range of {
			layers = append(layers, r.Responses)
		}
	}
	metric, err := compare.Lookup(c.Metric)
	if err != nil {
		return exchange.Usage{Err: err}
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	score, err := areas.By(metric, layers, list, c.Params, pool)
	if err != nil {
		return exchange.Usage{Err: err}
	}
	r := mapping{Metric: c.Metric, Params: metric.Used(c.Params), NStimuli: list[0].Stimuli(), Splits: c.Splits, Samples: c.Resamples, Layers: names(layers)}
	e.Status("%d areas, %d layers, %d resamples", len(list), len(layers), c.Resamples)
	stopped := func(layer, area int, stimuli []int) (float64, error) {
		if err := e.Context.Err(); err != nil {
			return 0, err
		}
		return score(layer, area, stimuli)
	}
	r.Areas, err = areas.Map(r.Layers, names(list), r.NStimuli, stopped, areas.Options{Splits: c.Splits, Resamples: c.Resamples, Seed: c.Seed, Pool: pool})
	if err != nil {
		return err
	}
	if c.Figure != "" {
		if err := c.draw(r); err != nil {
			return fmt.Errorf("areas: --figure: %w", err)
		}
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(r)
	}
	return r.print(e.Out)
}

func names(list []compare.Responses) (out []string) {
	for _, r := range list {
		out = append(out, r.Name)
	}
	return out
}

// recordings reads files, with names of their own or NAME=FILE.
func (c *Areas) recordings(e Env, files []string) (out []compare.Responses, err error) {
	for _, f := range files {
		name, path, named := strings.Cut(f, "=")
		if !named {
			name, path = strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)), f
		}
		if strings.EqualFold(filepath.Ext(path), ".npz") || strings.EqualFold(filepath.Ext(path), ".safetensors") {
			list, err := (&Shown{}).load(e, "areas", path, nil, c.Dissimilarity)
			if err != nil {
				return nil, err
			}
			r := list[0].Responses
			r.Name = name
			if slices.ContainsFunc(out, func(o compare.Responses) bool { return o.Name == name }) {
				return nil, exchange.Usage{Err: fmt.Errorf("areas: two recordings %q; name one by NAME=FILE", name)}
			}
			out = append(out, r)
			continue
		}
		return nil, exchange.Usage{Err: fmt.Errorf("areas: %q, want a recording, .npz or .safetensors", path)}
	}
	return out, nil
}

func (r mapping) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d stimuli; layers chosen on halves, scored on the others\n\nAREA\tLAYER\tCHOSEN\tSCORE\t95 %%\n", r.Metric, r.NStimuli)
	for _, a := range r.Areas {
		if a.Score == nil {
			fmt.Fprintf(w, "%s\t–\t–\tundefined: %s\t\n", sample.Printable(a.Area), a.Why)
			continue
		}
		interval := "–"
		if a.Low != nil {
			interval = fmt.Sprintf("%.4f to %.4f", *a.Low, *a.High)
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f %%\t%.4f\t%s\n", sample.Printable(a.Area), sample.Printable(a.Layer), 100*slices.Max(a.Chosen), *a.Score, interval)
		if a.Left > 0 {
			fmt.Fprintf(w, "  %d of %d halves have no score\n", a.Left, 2*r.Splits)
		}
	}
	fmt.Fprint(w, "\nALL STIMULI")
	for _, a := range r.Areas {
		fmt.Fprintf(w, "\t%s", sample.Printable(a.Area))
	}
	fmt.Fprintln(w)
	for l, name := range r.Layers {
		fmt.Fprint(w, sample.Printable(name))
		for _, a := range r.Areas {
			if v := a.ByLayer[l]; v != nil {
				fmt.Fprintf(w, "\t%.4f", *v)
			} else {
				fmt.Fprint(w, "\t–")
			}
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// draw writes a bar an area.
func (c *Areas) draw(r mapping) error {
	var list []figure.Bar
	for _, a := range r.Areas {
		b := figure.Bar{Name: sample.Printable(a.Area)}
		if a.Score == nil {
			b.Note = "undefined"
		} else {
			b.Value, b.Name = *a.Score, b.Name+": "+sample.Printable(a.Layer)
		}
		if a.Low != nil {
			b.Low, b.High = *a.Low, *a.High
		}
		list = append(list, b)
	}
	f, err := figure.Bars("Areas and the layers most like them", r.Metric+" on stimuli that did not choose", list)
	if err != nil {
		return err
	}
	return f.Write(c.Figure)
}
