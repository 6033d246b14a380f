package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"synfire/data"
	"synfire/model"
	"synfire/network"
	"synfire/train"
)

// Trained is a finished training run with what its report needs.
type Trained struct {
	Config model.Config
	YAML   []byte
	Net    *network.Network
	Test   *data.Set
	Result *train.Evaluation
	Points []train.Point
	Epochs []train.Epoch
}

// Train runs a configuration in the environment's run directory, continuing an
// earlier run of it where Env.Resume asks for that. The test set is nil where the
// configuration holds samples out for it.
func Train(ctx context.Context, e *Env, table model.Table, c model.Config, trainSet, testSet *data.Set) (*Trained, error) {
	var err error
	if c.Data, trainSet, testSet, err = c.Data.Resolve(trainSet, testSet); err != nil {
		return nil, err
	}
	yaml, err := table.Encode(c)
	if err != nil {
		return nil, fmt.Errorf("write the resolved configuration: %w", err)
	}
	loop, err := train.NewLoop(c, trainSet, testSet, e.Pool)
	if err != nil {
		return nil, err
	}
	dir, err := train.OpenRunDir(e.Out, train.KindBPTT, yaml, e.Resume)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if loop.Logs, err = train.NewLogs(e.Out, e.Logs); err != nil {
		return nil, err
	}
	loop.Dir, loop.Observer, loop.Now = dir, e.Observer, e.Now
	loop.SaveEvery, loop.LogEvery = e.SaveEvery, max(1, loop.Train.Len()/pointsAnEpoch)
	result, err := loop.Run(ctx)
	if err != nil {
		return nil, err
	}
	points, epochs, err := dir.History()
	if err != nil {
		return nil, err
	}
	return &Trained{
		Config: c, YAML: yaml, Net: loop.Learner.(*train.BPTT).Network(),
		Test: loop.Test, Result: result, Points: points, Epochs: epochs,
	}, nil
}

// pointsAnEpoch is how many points the training curve has in an epoch.
const pointsAnEpoch = 25

// WeightsSHA256 is a sum over the names, shapes and values of the parameters,
// for comparing runs.
func (t *Trained) WeightsSHA256() string {
	h := sha256.New()
	var b [8]byte
	for _, p := range t.Net.Params() {
		fmt.Fprintf(h, "%s %v\n", p.Name, p.Value.Shape)
		for _, v := range p.Value.Data {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(float64(v)))
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
