package recipe

import (
	"synfire/encode"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/network/named"
	"synfire/optim"
	"synfire/rule/bptt"
)

// Ordinary is the training of an ordinary network by the cross-entropy of its scores. What
// it is given else is for the caller to fill in.
func Ordinary(seed uint64, d model.Data, nodes []network.Node, epochs, batch int, o optim.Optimizer, s optim.Schedule) model.Config {
	return model.Config{
		Seed: seed, Data: d, Encoder: encode.Constant{}, Steps: 1, Epochs: epochs, Batch: batch,
		Rule: bptt.Rule{Layers: nodes, Loss: []bptt.Term{{Loss: loss.CountCrossEntropy{}}}, Optimizer: o, Schedule: s},
	}
}

// VGGLike is 32-32-A-64-64-A-128-128-A-256-10 for photographs, A means of 2×2, without biases
// and batch normalisation, with dropout.
func VGGLike() named.VGG {
	a := named.NewVGG(7)
	a.Hidden, a.Dropout, a.BatchNorm, a.Bias = []int{256}, 0.3, false, false
	return a
}
