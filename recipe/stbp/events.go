package stbp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
	"synfire/tensor"
)

// folds is the number of parts that all recordings are cut into, each tested once.
const folds = 5

// eventData are the recordings, padded to the longest.
var eventData = model.Data{Name: "nmnist-1100", Length: data.Length{Pad: 0.34}}

// eventBatch is the recordings a step. It and the epochs were chosen on a fifth of the
// 1,000 training recordings, held out.
const eventBatch = 20

// eventNeuron has the published threshold for N-MNIST.
var eventNeuron = spiking(0.25, 0.3)

// recordings are real events in five folds, beside networks that do without time.
func (s *study) recordings(ctx context.Context) error {
	if s.size.eventEpochs == 0 {
		return s.leave("short runs all 1,100 recordings", eventsClaim)
	}
	a, b, err := s.Env.Catalog.Load(ctx, eventData, s.Env.Data)
	if err != nil {
		return s.missing(ctx, "N-MNIST", err, eventsClaim)
	}
	all, err := sample.Join(a, b)
	if err != nil {
		return err
	}
	outcome := make([]right, len(ways))
	for i := range ways {
		outcome[i] = make(right, all.Len())
	}
	for k, f := range Folds(all.Len(), folds) {
		for i, w := range ways {
			if err := s.fold(ctx, w, k, all, f, outcome[i]); err != nil {
				return err
			}
		}
	}
	simulated, err := s.simulated(ctx, a.Len(), b.Len())
	if err != nil {
		return err
	}
	return s.compared(outcome, simulated, a.Len())
}

// simulated are as many digits of MNIST as an ideal camera sees them, in folds likewise.
func (s *study) simulated(ctx context.Context, train, test int) (right, error) {
	a, b, err := s.Env.Catalog.Load(ctx, model.Data{Name: "mnist-saccades"}, s.Env.Data)
	if err != nil {
		return nil, err
	}
	first, err := sample.First(a, train)
	if err != nil {
		return nil, err
	}
	last, err := sample.First(b, test)
	if err != nil {
		return nil, err
	}
	joined, err := sample.Join(first, last)
	if err != nil {
		return nil, err
	}
	all := remember(joined)
	w, out := ways[0], make(right, all.Len())
	w.name = "nmnist-simulated"
	for k, f := range Folds(all.Len(), folds) {
		if err := s.fold(ctx, w, k, all, f, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// right says of each recording whether it was answered right.
type right []bool

// share is the part of recordings from the first on that were answered right, in percent.
func (r right) share(first int) float64 {
	n := 0
	for _, ok := range r[first:] {
		if ok {
			n++
		}
	}
	return 100 * float64(n) / float64(len(r)-first)
}

// way is one that recordings are classified in.
type way struct {
	name, what string
	of         func(sample.Source) sample.Source // the samples it gets
	config     func(s *study, d model.Data) model.Config
}

// ways are the spiking network, and what it is compared with. The last one, without a
// configuration, is kernel ridge regression.
var ways = []way{
	{"nmnist", "spiking network", func(src sample.Source) sample.Source { return src }, spikingConfig},
	{"nmnist-scrambled", "the same, times scrambled", func(src sample.Source) sample.Source { return scrambled{src} }, spikingConfig},
	{"nmnist-counts", "ReLU network on counts", func(src sample.Source) sample.Source { return counted{src} }, countConfig},
	{"nmnist-kernel", "kernel ridge on blurred counts", nil, nil},
}

func spikingConfig(s *study, d model.Data) model.Config {
	c := config(s.Env.Seed, d, eventful(eventNeuron, eventNeuron), loss.CountMSE{}, 3e-3, s.size.eventSteps, s.size.eventEpochs, eventBatch)
	c.Encoder = encode.Events{}
	return c
}

func countConfig(s *study, d model.Data) model.Config {
	d.Length = data.Length{}
	return config(s.Env.Seed, d, eventful(layer.ReLU{}), loss.StepCrossEntropy{Level: 1}, 3e-3, 1, s.size.eventEpochs, eventBatch)
}

// fold classifies the test part of a fold.
func (s *study) fold(ctx context.Context, w way, k int, all sample.Source, f Fold, out right) error {
	train, err := sample.Subset(all, f.Train)
	if err != nil {
		return err
	}
	test, err := sample.Subset(all, f.Test)
	if err != nil {
		return err
	}
	if w.config == nil {
		answers, err := kernelRidge(ctx, counted{train}, counted{test})
		if err != nil {
			return err
		}
		for i, answer := range answers {
			target, err := test.Target(i, 0)
			if err != nil {
				return err
			}
			out[f.Test[i]] = answer == target.Class
		}
		return nil
	}
	s.On(w.of(train), w.of(test))
	t := s.Run(ctx, recipe.Job{Name: fmt.Sprintf("%s-%d", w.name, k+1), Config: w.config(s, eventData)})
	if t == nil {
		return s.Err()
	}
	bad, err := wrong(t)
	if err != nil {
		return err
	}
	for i, place := range f.Test {
		out[place] = !bad[i]
	}
	t.Learner = nil // of twenty jobs they would take memory
	return nil
}

// compared makes the section and the figures of all ways, and of simulated recordings.
func (s *study) compared(outcome []right, simulated right, firstTest int) error {
	table := report.Table{
		Head:  []string{"way", "accuracy", "95 % interval", "on the 100 test recordings", "better than the spiking network in", "worse in", "p (McNemar)"},
		Right: []bool{false, true, true, true, true, true, true},
	}
	for i, w := range ways {
		accuracy := outcome[i].share(0)
		low, high := wilson(accuracy/100, len(outcome[i]))
		row := []string{w.what, fmt.Sprintf("%.2f %%", accuracy), fmt.Sprintf("%.1f–%.1f", 100*low, 100*high), fmt.Sprintf("%.0f %%", outcome[i].share(firstTest)), "–", "–", "–"}
		key := "nmnist_" + w.name[min(len(w.name), len("nmnist-")):]
		if i == 0 {
			key = "nmnist_spiking"
		}
		s.Metrics[key+"_accuracy"], s.Metrics[key+"_test100_accuracy"] = accuracy, outcome[i].share(firstTest)
		if i > 0 {
			better, worse := discordant(outcome[i], outcome[0])
			p := McNemar(better, worse)
			row[4], row[5], row[6] = fmt.Sprint(better), fmt.Sprint(worse), fmt.Sprintf("%.3g", p)
			s.Metrics[key+"_better"], s.Metrics[key+"_worse"], s.Metrics[key+"_p"] = float64(better), float64(worse), p
		}
		table.Rows = append(table.Rows, row)
	}
	low, high := wilson(simulated.share(0)/100, len(simulated))
	s.Metrics["nmnist_simulated_accuracy"], s.Metrics["nmnist_simulated_test100_accuracy"] = simulated.share(0), simulated.share(firstTest)
	table.Rows = append(table.Rows, []string{"spiking network on simulated recordings of other digits", fmt.Sprintf("%.2f %%", simulated.share(0)), fmt.Sprintf("%.1f–%.1f", 100*low, 100*high), fmt.Sprintf("%.0f %%", simulated.share(firstTest)), "–", "–", "–"})
	s.Add(eventsClaim, outcome[0].share(0), len(outcome[0]))
	s.sections = append(s.sections, report.Section{
		Title:  "N-MNIST, real recordings",
		Text:   fmt.Sprintf("1,100 recordings in %d folds, each tested once by a network that learned from the others. Counts are of a pixel and polarity over the whole recording, and know no time; scrambled recordings have the same events, whose times are permuted within each recording, in training and in the test. Time helps where the spiking network is right on recordings on which the others are wrong more often than chance: p is McNemar's exact test, two-sided. Simulated recordings are of the first digits of MNIST, as an ideal camera would see them in saccades; they are other digits, so that no test pairs them.", folds),
		Tables: []report.Table{table},
	})
	return s.Err()
}

// Fold is one of several parts of samples: the places that are learnt from and those
// that are tested.
type Fold struct{ Train, Test []int }

// Folds cuts n samples into k parts by a fixed permutation; places are in order.
func Folds(n, k int) []Fold {
	out := make([]Fold, k)
	for i, place := range rng.New(0, "stbp.folds").Source().Perm(n) {
		for j := range out {
			if i%k == j {
				out[j].Test = append(out[j].Test, place)
			} else {
				out[j].Train = append(out[j].Train, place)
			}
		}
	}
	for _, f := range out {
		slices.Sort(f.Train)
		slices.Sort(f.Test)
	}
	return out
}

// discordant counts where a is right and b is not, and the other way round.
func discordant(a, b right) (onlyA, onlyB int) {
	for i := range a {
		switch {
		case a[i] && !b[i]:
			onlyA++
		case b[i] && !a[i]:
			onlyB++
		}
	}
	return onlyA, onlyB
}

// McNemar is the two-sided exact p of two classifiers that disagree on a + b samples,
// one right on a of them and the other on b: twice the lower tail of a binomial
// distribution of a half, at most 1.
func McNemar(a, b int) float64 {
	n, tail := float64(a+b), 0.0
	for k := range min(a, b) + 1 {
		all, _ := math.Lgamma(n + 1)
		in, _ := math.Lgamma(float64(k) + 1)
		out, _ := math.Lgamma(n - float64(k) + 1)
		tail += math.Exp(all - in - out - n*math.Ln2)
	}
	return min(1, 2*tail)
}

// wilson is the 95 % interval of a share p of n.
func wilson(p float64, n int) (low, high float64) {
	const z = 1.959964
	m := float64(n)
	centre, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return (centre - half) / (1 + z*z/m), (centre + half) / (1 + z*z/m)
}

// scrambled are recordings whose times are permuted among their events: each pixel has
// as many events as before, and the camera as many in each step.
type scrambled struct{ sample.Source }

// Read decodes a recording and permutes its times.
func (s scrambled) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := s.Source.Read(ctx, i, x); err != nil {
		return err
	}
	units := make([]int32, len(x.Events))
	for k, j := range rng.New(0, "stbp.scrambled").Int(uint64(s.Index(i))).Source().Perm(len(units)) {
		units[k] = x.Events[j].Unit
	}
	for k := range units {
		x.Events[k].Unit = units[k]
	}
	return nil
}

// remembered reads each recording once: to simulate one takes milliseconds.
type remembered struct {
	sample.Source
	once []sync.Once
	of   []sample.Sample
	errs []error
}

func remember(s sample.Source) remembered {
	return remembered{s, make([]sync.Once, s.Len()), make([]sample.Sample, s.Len()), make([]error, s.Len())}
}

// Read copies a recording that was read before, or reads it.
func (s remembered) Read(ctx context.Context, i int, x *sample.Sample) error {
	s.once[i].Do(func() { s.errs[i] = s.Source.Read(ctx, i, &s.of[i]) })
	y := &s.of[i]
	x.Length, x.Frame = y.Length, y.Frame
	x.Events, x.Targets = append(x.Events, y.Events...), append(x.Targets, y.Targets...)
	return s.errs[i]
}

// eventScale is what counts of events are divided by.
const eventScale = 4

// counted are recordings as images: the number of events of each place, over eventScale.
type counted struct{ sample.Source }

// Spec is one of values.
func (s counted) Spec() sample.Spec {
	spec := s.Source.Spec()
	spec.Events, spec.Duration = false, 0
	return spec
}

// Read counts the events of a recording.
func (s counted) Read(ctx context.Context, i int, x *sample.Sample) error {
	y := sample.Sample{}
	if err := s.Source.Read(ctx, i, &y); err != nil {
		return err
	}
	clear(x.X)
	for _, e := range y.Events {
		x.X[e.Unit] += tensor.Float(1) / eventScale
	}
	x.Targets = append(x.Targets, y.Targets...)
	return nil
}
