package report_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"synfire/report"
	"synfire/report/figure"
)

var demoDir = flag.String("demo", "", "write a demonstration page into this directory")

// TestDemo writes the page that a person looks at after changing the design:
//
//	go test ./report -run Demo -demo DIR
func TestDemo(t *testing.T) {
	html, err := demoPage(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	if *demoDir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*demoDir, "report.html"), html, 0o644); err != nil {
		t.Fatal(err)
	}
}

// demoPage is a page of made-up figures with every kind of section.
func demoPage(t *testing.T) report.Page {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	d := demo{t: t, rand: r}
	run := demoRun()
	return report.Page{
		Title:    "Spatio-temporal backpropagation on MNIST",
		Lead:     "The network classifies 99.31 % of 10,000 test images correctly after 20 epochs, 0.11 points below the published figure.",
		Links:    []report.Link{{Text: "The paper", URL: "https://example.org/paper"}},
		Sections: []report.Section{d.learning(), d.mistakes(), d.activity(), d.comparison(), d.structure()},
		Notes:    []string{"All figures of this page are made up.", "The paper does not say how its images were scaled; here they lie in [0, 1]."},
		Config:   "seed: 1\nsteps: 8\nlayers:\n  - {kind: conv2d, out: 15, kernel: 5}\n  - kind: spiking\n    neuron: {kind: lif, beta: 0.9}\n",
		Facts:    []report.Fact{{Label: "data", Value: "MNIST, made up for this page"}},
	}.Of(run)
}

func demoRun() report.Run {
	claims := []report.Claim{
		{ID: "cnn", Name: "MNIST test accuracy, CNN", Unit: "%", Published: new(99.42), Source: "paper, table 3",
			Direction: report.AtLeast, Bounds: report.Bounds{Short: new(99.2)}, Statistic: report.Median},
		{ID: "mlp", Name: "MNIST test accuracy, fully connected", Unit: "%", Published: new(98.89), Source: "paper, table 2",
			Direction: report.Within, Bounds: report.Bounds{Short: new(0.3)}, Statistic: report.Mean},
		{ID: "order", Name: "Temporal coding beats rate coding beats none", Unit: "%", Source: "reported",
			Direction: report.Order, Bounds: report.Bounds{Short: new(0.0)}, Statistic: report.Median},
		{ID: "full", Name: "N-MNIST test accuracy", Unit: "%", Published: new(98.78), Source: "paper, table 4",
			Direction: report.AtLeast, Bounds: report.Bounds{Full: new(98.0)}, Statistic: report.Median},
	}
	measured := []report.Measurement{
		{Values: []float64{99.31}, N: 10000},
		{Values: []float64{98.41, 98.52, 98.47}, N: 10000},
		{Values: []float64{99.31, 99.02, 99.12}, Arms: []string{"temporal", "rate", "none"}, N: 10000},
		{Why: "the short scale trains on still images only"},
	}
	run := report.Run{
		Synfire: "0.1.0", Recipe: "stbp", Paper: "stbp-2019", Scale: report.Short, Seed: 1, Run: "stbp-short-s1", Dir: "runs/stbp-short-s1",
		Commit: "0123abc", CPU: "a processor", Threads: 2, Kernel: "avx512", WallSeconds: 412.3, PeakRSSBytes: 612 << 20,
		Metrics: report.Metrics{"test_accuracy": 99.31}, WeightsSHA256: "5f1d0c7f3e2ab8a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef012",
	}
	for i, c := range claims {
		run.Claims = append(run.Claims, c.Judge(run.Scale, measured[i]))
	}
	return run
}

type demo struct {
	t    *testing.T
	rand *rand.Rand
}

func (d demo) figure(alt, caption string) func(figure.Figure, error) report.Figure {
	return func(f figure.Figure, err error) report.Figure {
		d.t.Helper()
		if err != nil {
			d.t.Fatal(err)
		}
		return report.Figure{SVG: f.SVG(), Alt: alt, Caption: caption}
	}
}

func (d demo) learning() report.Section {
	var h figure.History
	log := report.Table{Head: []string{"epoch", "loss", "train", "test"}, Right: []bool{true, true, true, true}}
	for e := range 20 {
		x := float64(e)
		h.TrainLoss = append(h.TrainLoss, 0.02+0.5*math.Exp(-x/3))
		h.TestLoss = append(h.TestLoss, 0.05+0.3*math.Exp(-x/2.5)+0.01*d.rand.Float64())
		h.TrainAccuracy = append(h.TrainAccuracy, 99.6-8*math.Exp(-x/3))
		h.TestAccuracy = append(h.TestAccuracy, 99.3-4*math.Exp(-x/2.5)-0.2*d.rand.Float64())
		log.Rows = append(log.Rows, []string{fmt.Sprint(e + 1), fmt.Sprintf("%.4f", h.TrainLoss[e]),
			fmt.Sprintf("%.2f %%", h.TrainAccuracy[e]), fmt.Sprintf("%.2f %%", h.TestAccuracy[e])})
	}
	counts := make([][]int, 10)
	for i := range counts {
		counts[i] = make([]int, 10)
		for j := range counts[i] {
			counts[i][j] = max(0, d.rand.IntN(12)-5)
		}
		counts[i][i] = 950 + d.rand.IntN(100)
	}
	kernels := make([][]float64, 15)
	for i := range kernels {
		a, p := d.rand.Float64()*math.Pi, d.rand.Float64()*3
		for y := range 5 {
			for x := range 5 {
				u := math.Cos(a)*float64(x-2) + math.Sin(a)*float64(y-2)
				kernels[i] = append(kernels[i], 0.3*math.Sin(1.2*u+p)+0.06*d.rand.NormFloat64())
			}
		}
	}
	return report.Section{Title: "Learning", Figures: []report.Figure{
		d.figure("Loss and accuracy over epochs", "Accuracy rises for ten epochs and stays. The test loss levels off above the training loss.")(figure.Training("Training", h)),
		d.figure("Confusion matrix", "Rows are true classes, columns answers. Off the diagonal stand the mistakes.")(figure.Confusion("Test images by class", counts, nil)),
		d.figure("First-layer kernels", "Orange weights excite, blue ones inhibit. Look for strokes of different orientation.")(figure.Filters("First-layer filters", 5, 5, kernels)),
	}, Tables: []report.Table{log}}
}

func (d demo) mistakes() report.Section {
	var digits []figure.Picture
	for range 21 {
		digits = append(digits, figure.Picture{Height: 28, Width: 28, Pixels: d.stroke(), Caption: fmt.Sprintf("%d → %d", d.rand.IntN(10), d.rand.IntN(10))})
	}
	return report.Section{Title: "Mistakes", Text: "69 of 10,000 test images are misclassified.", Figures: []report.Figure{
		d.figure("Misclassified images", "The first mistakes in the order of the test set, true class → answer.")(figure.Pictures("Misclassified", 0, digits))}}
}

// stroke is a picture of a bent line.
func (d demo) stroke() []float64 {
	px := make([]float64, 28*28)
	a, b := 4+4*d.rand.Float64(), 2*math.Pi*d.rand.Float64()
	for y := range 28 {
		for x := range 28 {
			r := math.Hypot(float64(x)-13.5, (float64(y)-13.5)*0.8)
			arc := math.Mod(math.Atan2(float64(y)-13.5, float64(x)-13.5)+b+4*math.Pi, 2*math.Pi)
			if arc < 4.6 {
				px[y*28+x] = math.Exp(-(r - a) * (r - a) / 2.2)
			}
		}
	}
	return px
}

func (d demo) activity() report.Section {
	var layers []figure.Layer
	for _, l := range []struct {
		name  string
		units int
		rate  float64
	}{{"input", 784, 0.13}, {"spiking1", 2160, 0.06}, {"spiking2", 300, 0.11}, {"spiking3", 10, 0.1}} {
		layer := figure.Layer{Name: l.name, Steps: 32, Units: l.units, Values: make([]float64, 32*l.units)}
		for i := range layer.Values {
			u := float64(i % l.units)
			if d.rand.Float64() < 2*l.rate*math.Pow(math.Sin(u*0.011+1), 2) {
				layer.Values[i] = 1
			}
		}
		layers = append(layers, layer)
	}
	var traces []figure.Trace
	for i, name := range []string{"spiking1, unit 412", "spiking1, unit 77", "spiking2, unit 103", "spiking3, unit 7"} {
		tr, v := figure.Trace{Name: name, Threshold: 1}, 0.0
		for s := range 32 {
			v = 0.9*v + 0.35*d.rand.Float64() - 0.04*float64(i)
			tr.V = append(tr.V, v)
			if v >= 1 {
				tr.Spikes, v = append(tr.Spikes, s), v-1
			}
		}
		traces = append(traces, tr)
	}
	rates := []figure.Rate{{Layer: "spiking1", Value: 0.0612}, {Layer: "spiking2", Value: 0.114}, {Layer: "spiking3", Value: 0}}
	raster := d.figure("Spike raster", "Each mark is a spike of one unit.")(figure.Raster("Spikes by layer", layers))
	raster.Raster = layers
	return report.Section{Title: "Activity", Text: "What the network does with one test image in 32 steps.", Figures: []report.Figure{
		raster,
		d.figure("Membrane potentials", "At the dashed threshold a neuron fires and the threshold is subtracted.")(figure.Membrane("Membranes", traces)),
		d.figure("Firing rates", "A silent layer passes nothing on.")(figure.Rates("Firing rates", rates)),
	}}
}

// comparison has the figures of general use.
func (d demo) comparison() report.Section {
	measured := figure.Series{Name: "measured"}
	theory := figure.Series{Name: "theory", Reference: true}
	for i := range 25 {
		x := math.Pow(10, float64(i)/12)
		y := x * 0.004 * (1 + 0.3*d.rand.NormFloat64())
		y = max(y, x*0.001)
		measured.X, measured.Y = append(measured.X, x), append(measured.Y, y)
		measured.Low, measured.High = append(measured.Low, y*0.7), append(measured.High, y*1.4)
		theory.X, theory.Y = append(theory.X, x), append(theory.Y, x*0.004)
	}
	const n = 24
	distances, names := make([][]float64, n), make([]string, n)
	var joins []figure.Join
	for i := range n {
		names[i] = fmt.Sprintf("train %d", i+1)
		for j := range n {
			v := 0.75 + 0.2*math.Sin(float64(i*7+j*7))
			if i%3 == j%3 {
				v = 0.3
			}
			if i == j {
				v = 0
			}
			distances[i] = append(distances[i], v)
		}
	}
	cluster := [3]int{0, 1, 2}
	for i := 3; i < n; i++ {
		joins = append(joins, figure.Join{A: cluster[i%3], B: i, Height: 0.2 + float64(i)/100})
		cluster[i%3] = n + len(joins) - 1
	}
	joins = append(joins, figure.Join{A: cluster[0], B: cluster[1], Height: 0.7}, figure.Join{A: n + len(joins), B: cluster[2], Height: 0.9})
	scores := [][]float64{{1, 0.71, 0.12}, {0.64, 0.88, 0.2}, {-0.05, 0.3, 0.93}, {0.1, math.NaN(), 0.4}}
	clouds := []figure.Cloud{{Name: "conventional"}, {Name: "spiking"}, {Name: "untrained"}}
	for i := range clouds {
		for k := range 5 {
			clouds[i].X = append(clouds[i].X, float64(k)+0.3*d.rand.NormFloat64())
			clouds[i].Y = append(clouds[i].Y, 1.5*float64(i-1)*math.Exp(-float64(k)/4)+0.2*d.rand.NormFloat64())
			clouds[i].Labels = append(clouds[i].Labels, fmt.Sprintf("layer %d", k+1))
		}
	}
	published := 92.1
	return report.Section{Title: "Comparison", Text: "Figures that any recipe may use.", Figures: []report.Figure{
		d.figure("Distance over rate", "The band is the range over seeds, the grey line what theory says.")(figure.Curves("Distance over rate", "rate (Hz)",
			figure.Panel{Name: "distance", LogX: true, LogY: true, Series: []figure.Series{measured, theory}})),
		d.figure("Distances of spike trains", "Three groups, as the tree above finds them.")(figure.Heatmap("Distances of spike trains",
			figure.Grid{Values: distances, Rows: names, Quantity: "SPIKE distance", Tree: joins})),
		d.figure("Similarity of layers", "Orange layers are alike, blue ones opposed.")(figure.Heatmap("Similarity of layers", figure.Grid{Values: scores,
			Rows: []string{"conv 1", "conv 2", "linear", "output"}, Columns: []string{"spiking 1", "spiking 2", "spiking 3"}, RowAxis: "conventional", ColumnAxis: "spiking", Quantity: "CKA"})),
		d.figure("Map of layers", "Layers that answer alike lie close together.")(figure.Scatter("Map of layers", figure.ScatterOptions{Map: true}, clouds...)),
		d.figure("Accuracy of two networks", "On the dashed line both are equal.")(figure.Scatter("Spiking against conventional",
			figure.ScatterOptions{X: "conventional (%)", Y: "spiking (%)", Diagonal: true}, figure.Cloud{X: []float64{90, 94, 97, 98.5}, Y: []float64{88, 93.2, 96.9, 98.1}})),
		d.figure("Accuracy by variant", "The upright mark is the published figure, the whisker the range over seeds.")(figure.Bars("Accuracy by variant", "accuracy (%)", []figure.Bar{
			{Name: "real-valued", Value: 97.8, Low: 97.1, High: 98.2, Group: "dense"}, {Name: "spiking", Value: 91.3, Low: 89, High: 93, Reference: &published, Group: "dense"}, {Name: "spiking", Value: 84, Group: "pruned"}})),
	}}
}

func (d demo) structure() report.Section {
	return report.Section{Title: "Network", Tables: []report.Table{{
		Head: []string{"layer", "output", "parameters", "rate"}, Right: []bool{false, false, true, true},
		Rows: [][]string{{"conv2d1", "24×24×15", "390", "–"}, {"spiking1", "12×12×15", "0", "0.061"}, {"linear1", "10", "21,610", "0.114"}},
	}}}
}
