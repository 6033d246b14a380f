package stbp

import (
	"context"
	"fmt"

	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/recipe/nmnist"
	"synfire/report"
	"synfire/sample"
)

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
	a, b, err := s.Env.Catalog.Load(ctx, nmnist.Data, s.Env.Data)
	if err != nil {
		return s.missing(ctx, "N-MNIST", err, eventsClaim)
	}
	all, err := sample.Join(a, b)
	if err != nil {
		return err
	}
	ways := s.ways()
	outcome := make([]nmnist.Right, len(ways))
	for i := range ways {
		outcome[i] = make(nmnist.Right, all.Len())
	}
	for k, f := range nmnist.Folds(all.Len(), nmnist.Parts) {
		for i, w := range ways {
			if err := s.fold(ctx, w, k, all, f, outcome[i]); err != nil {
				return err
			}
		}
	}
	simulated, err := s.simulated(ctx, ways[0], a.Len(), b.Len())
	if err != nil {
		return err
	}
	return s.compared(ways, outcome, simulated, a.Len())
}

// fold classifies a fold and keeps no network.
func (s *study) fold(ctx context.Context, w nmnist.Way, k int, all sample.Source, f nmnist.Fold, out nmnist.Right) error {
	t, err := w.Fold(ctx, s.Study, k, all, f, out)
	if t != nil {
		t.Learner = nil
	}
	return err
}

// simulated are as many digits of MNIST as an ideal camera sees them, in folds likewise.
func (s *study) simulated(ctx context.Context, w nmnist.Way, train, test int) (nmnist.Right, error) {
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
	all, out := nmnist.Remember(joined), make(nmnist.Right, joined.Len())
	w.Name = "nmnist-simulated"
	for k, f := range nmnist.Folds(all.Len(), nmnist.Parts) {
		if err := s.fold(ctx, w, k, all, f, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ways are the spiking network, and what it is compared with.
func (s *study) ways() []nmnist.Way {
	spikes := config(s.Env.Seed, nmnist.Data, eventful(eventNeuron, eventNeuron), loss.CountMSE{}, 3e-3, s.size.eventSteps, s.size.eventEpochs, eventBatch)
	spikes.Encoder = encode.Events{}
	whole := nmnist.Data
	whole.Length = data.Length{}
	counts := config(s.Env.Seed, whole, eventful(layer.ReLU{}), loss.StepCrossEntropy{Level: 1}, 3e-3, 1, s.size.eventEpochs, eventBatch)
	return []nmnist.Way{
		{Name: "nmnist", What: "spiking network", Key: "nmnist_spiking", Config: spikes},
		{Name: "nmnist-scrambled", What: "the same, times scrambled", Key: "nmnist_scrambled", Of: nmnist.Scramble, Config: spikes},
		{Name: "nmnist-counts", What: "ReLU network on counts", Key: "nmnist_counts", Of: nmnist.Count, Config: counts},
		{Name: "nmnist-kernel", What: "kernel ridge on blurred counts", Key: "nmnist_kernel"},
	}
}

// compared makes the section and the figures of all ways, and of simulated recordings.
func (s *study) compared(ways []nmnist.Way, outcome []nmnist.Right, simulated nmnist.Right, firstTest int) error {
	table, metrics := nmnist.Compared(ways, outcome, firstTest, "spiking network")
	for name, v := range metrics {
		s.Metrics[name] = v
	}
	s.Metrics["nmnist_simulated_accuracy"], s.Metrics["nmnist_simulated_test100_accuracy"] = simulated.Share(0), simulated.Share(firstTest)
	table.Rows = append(table.Rows, nmnist.Row("spiking network on simulated recordings of other digits", simulated, firstTest))
	s.Add(eventsClaim, outcome[0].Share(0), len(outcome[0]))
	s.sections = append(s.sections, report.Section{
		Title:  "N-MNIST, real recordings",
		Text:   fmt.Sprintf("1,100 recordings in %d folds, each tested once by a network that learned from the others. Counts are of a pixel and polarity over the whole recording, and know no time; scrambled recordings have the same events, whose times are permuted within each recording, in training and in the test. Time helps where the spiking network is right on recordings on which the others are wrong more often than chance: p is McNemar's exact test, two-sided. Simulated recordings are of the first digits of MNIST, as an ideal camera would see them in saccades; they are other digits, so that no test pairs them.", nmnist.Parts),
		Tables: []report.Table{table},
	})
	return s.Err()
}
