package stbp

import (
	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/network/named"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
	"synfire/rule/bptt"
	"synfire/surrogate"
)

// spiking is a population of iterative LIF neurons of threshold θ and decay k.
func spiking(theta, k float64) layer.Spiking {
	return layer.Spiking{
		Neuron:    neuron.LIF{Beta: k, Threshold: theta, Strict: true, Reset: neuron.Zero, ResetGradient: true},
		Surrogate: surrogate.Rectangle{Height: 1, Width: 0.5},
	}
}

func conv(out, kernel int) layer.Conv2D {
	return layer.Conv2D{Out: out, Kernel: []int{kernel}, Padding: []int{kernel / 2}}
}

var pool = layer.AvgPool{Size: 2}

// digitNeuron has the threshold and the decay of the released program.
var digitNeuron = spiking(0.5, 0.2)

// perceptron is 784–800–10.
func perceptron(hidden int) []layer.Layer {
	return []layer.Layer{layer.Flatten{}, layer.Linear{Out: hidden}, digitNeuron, layer.Linear{Out: 10}, digitNeuron}
}

// released is 32C3–AP2–32C3–AP2–128–10.
func released() []layer.Layer {
	return []layer.Layer{
		conv(32, 3), digitNeuron, pool, conv(32, 3), digitNeuron, pool,
		layer.Flatten{}, layer.Linear{Out: 128}, digitNeuron, layer.Linear{Out: 10}, digitNeuron,
	}
}

// published2018 is 15C5–P2–40C5–P2–300–10.
func published2018() []layer.Layer {
	return []layer.Layer{
		layer.Conv2D{Out: 15, Kernel: []int{5}}, digitNeuron, pool, layer.Conv2D{Out: 40, Kernel: []int{5}}, digitNeuron, pool,
		layer.Flatten{}, layer.Linear{Out: 300}, digitNeuron, layer.Linear{Out: 10}, digitNeuron,
	}
}

// voting is 8C3–AP2–16C3–AP2–64–(10×5), with NeuNorm behind both convolutions or, where
// norm is nil, without.
func voting(norm *neunorm.NeuNorm) (list []layer.Layer) {
	for _, out := range []int{8, 16} {
		list = append(list, conv(out, 3), digitNeuron)
		if norm != nil {
			list = append(list, *norm)
		}
		list = append(list, pool)
	}
	return append(list, layer.Flatten{}, layer.Linear{Out: 64}, digitNeuron, layer.Linear{Out: 50}, digitNeuron, neunorm.Vote{Voters: 5})
}

// The two ways of NeuNorm.
var (
	asPaper     = neunorm.NeuNorm{Decay: 0.9}
	runningMean = neunorm.NeuNorm{Decay: 0.9, RunningMean: true}
)

// arm is a way to train the network for photographs.
type arm string

const (
	published   arm = "published"      // NeuNorm, votes, squared error
	normalised  arm = "tdbn"           // threshold-dependent batch normalisation, cross-entropy of each step
	longer      arm = "tdbn-longer"    // the same, in more epochs
	twin        arm = "relu-published" // the same layers of rectified units, one step
	twinNormal  arm = "relu-tdbn"
	voters          = 5
	theta           = 0.75
	decay           = 0.25
	tdbnShare       = 1. // α
	dropoutRate     = 0.2
)

// part is what runs the arm.
func (a arm) part() string {
	switch a {
	case normalised:
		return photosPart
	case longer:
		return longerPart
	case published:
		return publishedPart
	}
	return twinsPart
}

// relu reports whether the arm is a twin of rectified units.
func (a arm) relu() bool { return a == twin || a == twinNormal }

// batchNorm reports whether currents are normalised over the batch.
func (a arm) batchNorm() bool { return a == normalised || a == longer || a == twinNormal }

// gain is that of the initial weights; 0: 1. Without normalisation over the batch a gain of 1
// leaves the deeper layers silent, and no error passes where the surrogate is zero.
func (a arm) gain() float64 {
	switch a {
	case published:
		return 3
	case twin:
		return 2.45 // rectified units keep the variance (He et al., ICCV 2015)
	}
	return 0
}

// photoSteps are the steps of the spiking arms. On training images held out two are as good
// as four, at half the cost: 55.3 and 55.4 % after three epochs of 8,000 images.
const photoSteps = 2

// photographic is the network for 32×32 images: convolutions of 3×3, each followed by a
// 2×2 mean. The first mean is of the encoding layer's currents, which are the same in
// each step, so that what follows sees a quarter of the pixels.
func photographic(a arm, widths []int) (list []layer.Layer) {
	for i, out := range widths {
		c := conv(out, 3)
		c.NoBias, c.Gain = a.batchNorm(), a.gain()
		list = append(list, c)
		if i == 0 {
			list = append(append(list, pool), a.unit()...)
		} else {
			list = append(append(list, a.unit()...), pool)
		}
	}
	list = append(list, layer.Flatten{})
	if !a.batchNorm() {
		list = append(list, layer.Dropout{Rate: dropoutRate})
	}
	if a == published {
		return append(list, layer.Linear{Out: 10 * voters, Gain: a.gain()}, spiking(theta, decay), neunorm.Vote{Voters: voters})
	}
	return append(list, layer.Linear{Out: 10})
}

// deep is vgg-fast for an arm with batch normalisation. What is before the first neurons is
// the encoding layer, done once for all steps: whitened patches, rectified, and a convolution.
// The twin is the network itself.
func deep(a arm) []network.Node {
	nodes, first := named.NewFast().Nodes(), true
	if a.relu() {
		return nodes
	}
	for i, nd := range nodes {
		switch l := nd.Layer.(type) {
		case layer.BatchNorm:
			l.Scale = tdbnShare * theta
			nodes[i].Layer = l
		case layer.ReLU:
			if !first {
				nodes[i].Layer = spiking(theta, decay)
			}
			first = false
		}
	}
	return nodes
}

// unit is what follows a convolution in an arm.
func (a arm) unit() (list []layer.Layer) {
	if a.batchNorm() {
		scale := 1.
		if !a.relu() {
			scale = tdbnShare * theta
		}
		list = append(list, layer.BatchNorm{Scale: scale})
	}
	if a.relu() {
		return append(list, layer.ReLU{})
	}
	list = append(list, spiking(theta, decay))
	if a == published {
		list = append(list, asPaper)
	}
	return list
}

// photoBatch is the images a step.
const photoBatch = 125

// training is how an arm learns: of widths by convolutions of them, and where the scale is
// deep and the arm has batch normalisation, vgg-fast. Rates were chosen on training images
// held out. Rectified units have one step, in which the loss of each step is the
// cross-entropy. recipe.Fast is for currents that are normalised; after five epochs of 8,000
// images an arm with it is right on 67.7 % of those held out.
func (a arm) training(seed uint64, d model.Data, z size) model.Config {
	var objective loss.Loss = loss.StepCrossEntropy{Level: 1, Smoothing: recipe.FastSmoothing}
	if a == published {
		objective = loss.CountMSE{}
	}
	steps, epochs := photoSteps, z.photoEpochs
	if a.relu() {
		steps = 1
	}
	if a == longer {
		epochs = z.longerEpochs
	}
	c := config(seed, d, photographic(a, z.widths), objective, 3e-3, steps, epochs, photoBatch)
	if a.batchNorm() {
		r := c.Rule.(bptt.Rule)
		recipe.Fast(&r, photoBatch)
		if z.deep {
			r.Layers, r.Whiten = deep(a), &bptt.Whiten{}
		}
		c.Rule = r
	}
	// Views take longer to look at than they tell of the course.
	c.WatchTest = !z.deep
	return c
}

// eventful is the network for 34×34 pixels of two polarities, of spiking or of rectified
// units. Means of 2×2 pixels come first: they halve the image before the first product.
func eventful(units layer.Layer, last ...layer.Layer) []layer.Layer {
	list := []layer.Layer{
		pool, conv(16, 3), units, pool, conv(32, 3), units, pool,
		layer.Flatten{}, layer.Dropout{Rate: 0.5}, layer.Linear{Out: 10 * voters},
	}
	return append(append(list, last...), neunorm.Vote{Voters: voters})
}

// config is a run of a network: Adam at rates of one cycle, the last epoch the result.
func config(seed uint64, d model.Data, layers []layer.Layer, l loss.Loss, rate float64, steps, epochs, batch int) model.Config {
	return model.Config{
		Seed: seed, Data: d, Encoder: encode.Constant{}, Steps: steps, Epochs: epochs, Batch: batch, WatchTest: true,
		Rule: bptt.Rule{
			Layers: network.Chain(layers...), Loss: []bptt.Term{{Loss: l}},
			Optimizer: optim.Adam{LR: rate}, Schedule: optim.OneCycle{},
		},
	}
}

// shifted are shifts by up to a pixel.
var shifted = []data.Augment{data.Shift{Max: 1}}
