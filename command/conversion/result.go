package conversion

import (
	"math"

	"synfire/convert"
	"synfire/energy"
	"synfire/network"
)

// conversion is the JSON of convert.
type conversion struct {
	Method      string     `json:"method"`
	Reset       string     `json:"reset"`
	Start       float64    `json:"start"`
	Delay       int        `json:"delay"`    // steps that scores leave out
	Neuron      string     `json:"neuron"`   // what spikes can be
	Residual    int        `json:"residual"` // steps before the run, among those of the curve
	AnnAccuracy float64    `json:"ann_accuracy"`
	Curve       []point    `json:"curve"`
	Exits       exits      `json:"exits"`
	Energy      accounts   `json:"energy"`
	Outputs     []string   `json:"outputs"`
	Layers      []layerRow `json:"layers"`
	Notes       []note     `json:"notes"` // what passes did
	N           int        `json:"n"`
}

type point struct {
	Steps    int     `json:"steps"`
	Accuracy float64 `json:"accuracy"`
	Low      float64 `json:"accuracy_low"` // of the band of 95 %
	High     float64 `json:"accuracy_high"`
	Equal    float64 `json:"equal_scores"` // percent of samples whose scores are all equal, and count as the first class
	Spikes   float64 `json:"spikes_per_sample"`
	Synops   float64 `json:"synops_per_sample"`
	Energy   float64 `json:"energy_uj"` // by the account of papers
}

// exits are accuracies of samples that are answered early, by margins for eval --early-exit.
type exits struct {
	ChosenOn int    `json:"chosen_on"` // training samples, which set the margins too
	Chosen   *int   `json:"chosen"`    // in the curve; null: no margin is as accurate as all steps there
	Curve    []exit `json:"curve"`
}

type exit struct {
	Margin   float64 `json:"margin"`
	Steps    float64 `json:"steps_per_sample"`
	Accuracy float64 `json:"accuracy"`
	Low      float64 `json:"accuracy_low"` // of the band of 95 %
	High     float64 `json:"accuracy_high"`
}

func exitsOf(r convert.Result) exits {
	x := exits{ChosenOn: r.Exits.Samples, Curve: []exit{}}
	if r.Exits.Chosen >= 0 {
		x.Chosen = &r.Exits.Chosen
	}
	for _, e := range r.Exits.List {
		lo, hi := convert.Band(e.Accuracy, r.N)
		x.Curve = append(x.Curve, exit{e.Margin, e.Steps, e.Accuracy, lo, hi})
	}
	return x
}

// accounts are those of energy, side by side, after the last of the steps.
type accounts struct {
	Constants energy.Constants `json:"constants"`
	Papers    struct {
		Ann ordinaryPapers `json:"ann"`
		Snn energy.Papers  `json:"snn"`
	} `json:"papers"`
	NeuroBench struct {
		Ann energy.NeuroBench `json:"ann"`
		Snn energy.NeuroBench `json:"snn"`
	} `json:"neurobench"`
	Memory memory `json:"memory"`
}

type ordinaryPapers struct {
	MACs  float64 `json:"macs"`
	Total float64 `json:"total_uj"`
}

// memory is the account with memory beside an ordinary network of quantised activations.
type memory struct {
	Ann       quantised           `json:"ann"`
	Snn       []energy.Comparison `json:"snn"`
	Published float64             `json:"published_crossing_rate"`
}

type quantised struct {
	Flow     string   `json:"data_flow"`
	Bits     int      `json:"bits"`
	Accuracy float64  `json:"accuracy"`
	Samples  int      `json:"chosen_on"` // training samples
	Trained  float64  `json:"chosen_on_accuracy"`
	Aim      float64  `json:"chosen_to_reach"`
	Reached  bool     `json:"as_accurate"`
	Density  *float64 `json:"density"` // of inputs that are not 0, of weights behind units; null without such
	energy.Cost
}

func accountsOf(r convert.Result) accounts {
	e := r.Energy
	a := accounts{Constants: e.Constants}
	a.Papers.Ann = ordinaryPapers{e.Ordinary.Dense, e.PapersOrdinary()}
	a.Papers.Snn = r.Points[len(r.Points)-1].Work.Papers(e.Constants)
	a.NeuroBench.Ann, a.NeuroBench.Snn = e.Ordinary, e.Spiking
	q := e.Quantised
	a.Memory = memory{
		Ann: quantised{energy.Outputs.String(), q.Bits, q.Accuracy, q.Samples, q.Trained, q.Aim, q.Reached, defined(q.Rest.Density()), q.Cost(e.Constants)},
		Snn: e.Beside, Published: energy.Published(r.Points[len(r.Points)-1].Steps),
	}
	return a
}

type layerRow struct {
	Name        string   `json:"name"`
	Op          string   `json:"op"`
	Lambda      float64  `json:"lambda"` // the largest of the channels
	LambdaLeast float64  `json:"lambda_least"`
	Threshold   float64  `json:"threshold"`
	Largest     float64  `json:"ann_activation_max"`
	Above       float64  `json:"above"` // share of activations above the scale
	Rate        float64  `json:"rate"`
	Correlation *float64 `json:"correlation"` // null where rates or activations do not vary
	Transmitted *float64 `json:"transmitted"` // null where all activations are 0
	Error       split    `json:"error"`
}

// split is an error in parts, shares of the root mean square of the activations.
type split struct {
	Total     float64 `json:"total"`
	Inherited float64 `json:"inherited"`
	Own       float64 `json:"own"`
	Clip      float64 `json:"clip"`
	Quantise  float64 `json:"quantise"`
	Uneven    float64 `json:"uneven"`
}

type note struct {
	Node   string `json:"node"`
	Effect string `json:"effect"`
	Text   string `json:"text"`
}

func resultOf(r convert.Result) conversion {
	c := conversion{
		Method: r.Method, Reset: r.Fire.Reset.String(), Start: r.Fire.Start, Neuron: r.Fire.Code.String(), Residual: r.Fire.Residual, Delay: r.Late, AnnAccuracy: r.Accuracy, N: r.N,
		Exits: exitsOf(r), Energy: accountsOf(r), Curve: []point{}, Outputs: r.Outputs, Layers: layersOf(r.Layers), Notes: notesOf(r.Report),
	}
	for _, p := range r.Points {
		lo, hi := convert.Band(p.Accuracy, r.N)
		c.Curve = append(c.Curve, point{Steps: p.Steps, Accuracy: p.Accuracy, Low: lo, High: hi, Equal: p.Equal, Spikes: p.Spikes, Synops: p.Synops, Energy: p.Work.Papers(r.Energy.Constants).Total})
	}
	return c
}

func layersOf(list []convert.LayerFigures) []layerRow {
	rows := []layerRow{}
	for _, l := range list {
		rows = append(rows, layerRow{
			l.Name, l.Op, l.Scale, l.Least, l.Threshold, l.Largest, l.Above, l.Rate, defined(l.Correlation), defined(l.Transmitted), split(l.Error),
		})
	}
	return rows
}

func notesOf(list network.Report) []note {
	notes := []note{}
	for _, l := range list {
		notes = append(notes, note{l.Node, l.Effect.String(), l.Text})
	}
	return notes
}

// defined is null for what is not.
func defined(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
