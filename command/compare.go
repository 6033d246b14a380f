package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/distance"
	"synfire/internal/atomicfile"
	"synfire/internal/par"
)

type compareCmd struct {
	A string `arg:"" help:"Recording (.npz, or .safetensors with an array x) or checkpoint of a network."`
	B string `arg:"" help:"The other one, of the same stimuli in the same order."`

	Metric string `help:"${compare_metrics}." enum:"rsa-spearman,rsa-kendall,rsa-cosine,rsa-whitened,cka-linear,cka-rbf,cka-unbiased,svcca,pwcca,cca,ridge,pls,restab" default:"cka-linear"`

	Dissimilarity string  `help:"Of RSA: euclidean (squared, a unit), correlation, cosine, poisson, or spikes: a distance of spike trains." enum:"euclidean,correlation,cosine,poisson,spikes" default:"euclidean"`
	Distance      string  `help:"Of spike trains: van-rossum (squared), victor-purpura, isi or spike." enum:"van-rossum,victor-purpura,isi,spike" default:"van-rossum"`
	Tau           float64 `help:"Time constant of van-rossum, in the recording's unit." default:"10"`
	Cost          float64 `help:"Cost of victor-purpura to move a spike, per unit of time." default:"0.1"`
	Kendall       string  `help:"Of rsa-kendall: tau a, or b, which corrects for ties." enum:"a,b" default:"a"`
	Width         float64 `help:"Of cka-rbf: width in median distances." default:"1"`
	Variance      float64 `help:"Of svcca: share of variance kept." default:"0.99"`
	Penalty       float64 `help:"Of ridge." default:"1"`
	Components    int     `help:"Of pls, at most." default:"25"`
	Folds         int     `help:"Of ridge and pls: runs of stimuli that are held out in turn." default:"5"`
	Permutations  int     `help:"Of RSA: permutations for a p-value; 0: none." default:"0"`

	Layer   []string `help:"Layer of a network, by name; repeat it for several. Without it, each that fires or rectifies, and the last."`
	LayerB  []string `help:"Layer of network B, where it differs."`
	Data    string   `help:"Data set whose images the networks see."`
	Split   string   `help:"Split: train or test." enum:"train,test" default:"test"`
	N       int      `help:"Images, from the first." default:"500"`
	DataDir string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`

	Seed    uint64 `help:"Of permutations." default:"1"`
	Threads int    `help:"Threads; 0 means one for each processor. Results do not depend on it." default:"0"`
	Out     string `help:"Directory for a report with RDMs and maps." placeholder:"DIR"`
	JSON    bool   `help:"Print JSON."`
}

// comparison is the JSON of compare.
type comparison struct {
	Metric   string         `json:"metric"`
	Params   map[string]any `json:"params"`
	Value    float64        `json:"value"`
	NStimuli int            `json:"n_stimuli"`
	P        *float64       `json:"p,omitempty"`      // with permutations
	Layers   []layerScore   `json:"layers,omitempty"` // of networks with several
}

// layerScore is the value of two layers.
type layerScore struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	Value float64 `json:"value"`
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
	fmt.Fprintf(w, "%s\t%.6f\n", result.Metric, result.Value)
	for _, k := range slices.Sorted(maps.Keys(result.Params)) {
		fmt.Fprintf(w, "  %s\t%v\n", k, result.Params[k])
	}
	if result.P != nil {
		fmt.Fprintf(w, "p\t%.4g\n", *result.P)
	}
	fmt.Fprintf(w, "stimuli\t%d\n", result.NStimuli)
	for _, l := range result.Layers {
		fmt.Fprintf(w, "%s – %s\t%.4f\n", l.A, l.B, l.Value)
	}
	if c.Out != "" {
		fmt.Fprintf(w, "report\t%s\n", filepath.Join(c.Out, "report.html"))
	}
	return w.Flush()
}

// measure compares each layer of one side with each of the other; the value is
// that of the last ones.
func (c *compareCmd) measure(a *app, pool *par.Pool, left, right []representation) (*comparison, error) {
	result := &comparison{Metric: c.Metric, Params: c.params()}
	for _, x := range left {
		for _, y := range right {
			if x.stimuli() != y.stimuli() {
				return nil, usageError{fmt.Errorf("compare: %s has %d stimuli, %s has %d; give both the same in the same order, and to networks as many by --n", x.source, x.stimuli(), y.source, y.stimuli())}
			}
			v, p, err := c.score(a, pool, x, y)
			if errors.Is(err, compare.ErrUndefined) {
				fmt.Fprintf(a.err, "warning: %s, %s: %v; it counts as 0\n", x.layer, y.layer, err)
			} else if err != nil {
				return nil, err
			}
			result.Value, result.P, result.NStimuli = v, p, x.stimuli()
			result.Layers = append(result.Layers, layerScore{x.layer, y.layer, v})
		}
	}
	if len(result.Layers) == 1 {
		result.Layers = nil
	}
	return result, nil
}

// isRSA reports whether the metric compares dissimilarities of choice.
func (c *compareCmd) isRSA() bool { return c.similarity() != nil }

// similarity is that of an RSA metric, else nil.
func (c *compareCmd) similarity() compare.Similarity {
	switch c.Metric {
	case "rsa-spearman":
		return compare.Spearman
	case "rsa-kendall":
		if c.Kendall == "b" {
			return compare.TauB
		}
		return compare.TauA
	case "rsa-cosine":
		return compare.CosineSimilarity
	case "rsa-whitened":
		return compare.WhitenedCosine
	}
	return nil
}

// params are the options that the metric uses.
func (c *compareCmd) params() map[string]any {
	p := map[string]any{}
	switch c.Metric {
	case "rsa-kendall":
		p["kendall"] = c.Kendall
	case "cka-rbf":
		p["width"] = c.Width
	case "svcca":
		p["variance"] = c.Variance
	case "ridge":
		p["penalty"], p["folds"] = c.Penalty, c.Folds
	case "pls":
		p["components"], p["folds"] = c.Components, c.Folds
	case "restab":
		p["dissimilarity"] = "cosine"
	}
	if !c.isRSA() {
		return p
	}
	p["dissimilarity"] = c.Dissimilarity
	if c.Permutations > 0 {
		p["permutations"], p["seed"] = c.Permutations, c.Seed
	}
	if c.Dissimilarity == "spikes" {
		p["distance"] = c.Distance
		switch c.Distance {
		case "van-rossum":
			p["tau"] = c.Tau
		case "victor-purpura":
			p["cost"] = c.Cost
		}
	}
	return p
}

// score is the value of two representations, and the p-value if one was asked for.
func (c *compareCmd) score(a *app, pool *par.Pool, x, y representation) (float64, *float64, error) {
	if similarity := c.similarity(); similarity != nil {
		return c.ofDissimilarities(a, pool, similarity, x, y)
	}
	v, err := c.ofResponses(x.x, y.x)
	return v, nil, err
}

func (c *compareCmd) ofDissimilarities(a *app, pool *par.Pool, similarity compare.Similarity, x, y representation) (float64, *float64, error) {
	r, err := c.rdm(pool, x)
	if err != nil {
		return 0, nil, err
	}
	s, err := c.rdm(pool, y)
	if err != nil {
		return 0, nil, err
	}
	if r, s, err = compare.Common(r, s); err != nil {
		return 0, nil, err
	}
	if n := r.Missing(); n > 0 {
		fmt.Fprintf(a.err, "warning: %s, %s: %d of %d dissimilarities are left out: stimuli without variance over the units\n", x.layer, y.layer, n, len(r.Values))
	}
	if c.Permutations > 0 {
		if r.Missing() > 0 {
			return 0, nil, usageError{errors.New("compare: no permutations where dissimilarities are missing; leave --permutations out, or use another --dissimilarity")}
		}
		v, p, err := compare.PermutationTest(similarity, r, s, c.Permutations, c.Seed, pool)
		return v, &p, err
	}
	v, err := similarity(r, s)
	return v, nil, err
}

func (c *compareCmd) ofResponses(x, y *mat.Dense) (float64, error) {
	switch c.Metric {
	case "cka-linear":
		return compare.LinearCKA(x, y)
	case "cka-rbf":
		return compare.RBFCKA(x, y, c.Width)
	case "cka-unbiased":
		return compare.UnbiasedCKA(x, y)
	case "svcca":
		return compare.SVCCA(x, y, c.Variance)
	case "pwcca":
		return compare.PWCCA(x, y)
	case "cca":
		return compare.MeanCCA(x, y)
	case "restab":
		return compare.ReStA(x, y)
	}
	var m compare.Mapping = compare.Ridge{Penalty: c.Penalty}
	if c.Metric == "pls" {
		m = compare.PLS{Components: c.Components}
	}
	folds, err := compare.Folds(x.RawMatrix().Rows, c.Folds)
	if err != nil {
		return 0, usageError{err}
	}
	p, err := compare.PredictPooled(x, y, m, folds)
	return p.Score, err
}

// rdm is the dissimilarities of a representation's stimuli.
func (c *compareCmd) rdm(pool *par.Pool, x representation) (compare.RDM, error) {
	switch c.Dissimilarity {
	case "correlation":
		return compare.Correlation(x.x)
	case "cosine":
		return compare.Cosine(x.x)
	case "poisson":
		return compare.Poisson(x.x)
	case "spikes":
		if x.trials == nil {
			return compare.RDM{}, usageError{fmt.Errorf("compare: %s holds no spike trains; use another --dissimilarity", x.source)}
		}
		d, err := compare.SpikeRDM(x.trials, c.trainDistance(), pool)
		return d.D, err
	}
	return compare.Euclidean(x.x)
}

func (c *compareCmd) trainDistance() compare.TrainDistance {
	switch c.Distance {
	case "victor-purpura":
		return distance.VictorPurpura{Cost: c.Cost}
	case "isi":
		return distance.ISI{}
	case "spike":
		return distance.SPIKE{}
	}
	return distance.VanRossum{Tau: c.Tau, Squared: true}
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
