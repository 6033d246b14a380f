// Package model is the one table of kinds, and the configuration of a training
// run that is written with it.
//
// A kind is a name for a type: of layer, neuron, surrogate, loss, regularizer,
// optimiser, schedule, encoder, augmentation, source, task or rule. The same table
// serves YAML files, model files and the gradient checks: each kind comes with an
// example, and a kind without one does not pass the tests. A Table is a value:
// callers add kinds of their own to a copy; nothing registers itself by being
// imported. The rules stand above this package: package catalog adds them.
package model

import (
	"fmt"
	"reflect"

	"synfire/data"
	"synfire/data/arrays"
	"synfire/data/events"
	"synfire/data/folder"
	"synfire/data/generated"
	"synfire/data/sound"
	"synfire/data/table"
	"synfire/data/trains"
	"synfire/data/voc"
	"synfire/detect"
	"synfire/encode"
	"synfire/format/yaml"
	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/loss"
	"synfire/network"
	"synfire/network/named"
	"synfire/neuron"
	"synfire/optim"
	"synfire/surrogate"
	"synfire/task"
	"synfire/train"
)

// Table maps the names of kinds to their entries, by what they are.
type Table struct {
	Layers       map[string]Kind
	Networks     map[string]Kind
	Neurons      map[string]Kind
	Surrogates   map[string]Kind
	Losses       map[string]Kind
	Regularizers map[string]Kind
	Optimizers   map[string]Kind
	Schedules    map[string]Kind
	Averages     map[string]Kind
	Encoders     map[string]Kind
	Decoders     map[string]Kind
	Augments     map[string]Kind
	Sources      map[string]Kind
	Tasks        map[string]Kind
	Rules        map[string]Kind
}

// Kind is an entry of the table. New returns a pointer to a value with its
// defaults. Example is a valid value, small enough for a gradient check.
type Kind struct {
	New     func() any
	Example any
}

// kind is the entry of a type, with its defaults and an example.
func kind[T any](defaults, example T) Kind {
	return Kind{New: func() any { v := defaults; return &v }, Example: example}
}

// Default is the table of this module's kinds, a fresh copy at each call.
func Default() Table {
	return Table{
		Layers:       layerKinds(),
		Networks:     networkKinds(),
		Neurons:      neuronKinds(),
		Surrogates:   surrogateKinds(),
		Losses:       lossKinds(),
		Regularizers: regularizerKinds(),
		Optimizers:   optimizerKinds(),
		Schedules:    scheduleKinds(),
		Averages:     averageKinds(),
		Encoders:     encoderKinds(),
		Decoders:     decoderKinds(),
		Augments:     augmentKinds(),
		Sources:      sourceKinds(),
		Tasks:        taskKinds(),
		Rules:        map[string]Kind{},
	}
}

// What layers and optimizers take where nothing is given.
var (
	lif  = neuron.LIF{Beta: 0.9, Threshold: 1}
	fast = surrogate.FastSigmoid{Slope: 25}
	adam = optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
)

func layerKinds() map[string]Kind {
	return map[string]Kind{
		"linear": kind(layer.Linear{}, layer.Linear{Out: 4}),
		"conv2d": kind(layer.Conv2D{},
			layer.Conv2D{Out: 3, Kernel: []int{2, 3}, Stride: []int{2, 1}, Padding: []int{1, 0, 2, 1}, Dilation: []int{1, 2}}),
		"max-pool":        kind(layer.MaxPool{}, layer.MaxPool{Size: 3, Stride: 2, Padding: []int{1}}),
		"avg-pool":        kind(layer.AvgPool{}, layer.AvgPool{Size: 3, Stride: 2, Padding: []int{0, 1, 2, 1}}),
		"global-avg-pool": kind(layer.GlobalAvgPool{}, layer.GlobalAvgPool{}),
		"upsample":        kind(layer.Upsample{Factor: 2}, layer.Upsample{Factor: 3}),
		"flatten":         kind(layer.Flatten{}, layer.Flatten{}),
		"gather":          kind(ordinary.Gather{}, ordinary.Gather{Shape: []int{5, 4, 2}, Indexed: true}),
		"clip":            kind(ordinary.Clip{Min: -1, Max: 1}, ordinary.Clip{Min: -0.4, Max: 0.6}),
		"softmax":         kind(ordinary.Softmax{}, ordinary.Softmax{}),
		"qcfs":            kind(ordinary.QCFS{Levels: 4, Init: 8}, ordinary.QCFS{Levels: 4, Init: 0.7}),
		"relu":            kind(layer.ReLU{}, layer.ReLU{Slope: 0.1, Max: 0.6}),
		"spiking": kind(layer.Spiking{Neuron: lif, Surrogate: fast},
			layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 4}}),
		"readout":    kind(layer.Readout{Beta: 0.9}, layer.Readout{Beta: 0.9}),
		"batch-norm": kind(layer.BatchNorm{Momentum: 0.1, Epsilon: 1e-5, Scale: 1}, layer.BatchNorm{Scale: 0.5}),
		"neu-norm":   kind(neunorm.NeuNorm{Decay: 0.9}, neunorm.NeuNorm{Decay: 0.7}),
		"vote":       kind(neunorm.Vote{}, neunorm.Vote{Voters: 3}),
		"dropout":    kind(layer.Dropout{}, layer.Dropout{Rate: 0.3}),
		"add":        kind(layer.Add{}, layer.Add{}),
		"recurrent": kind(layer.Recurrent{Neuron: lif, Surrogate: fast},
			layer.Recurrent{Neuron: neuron.LIF{Beta: 0.8, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 4}}),
		"parametric-spiking": kind(layer.ParametricSpiking{Beta: 0.5, Threshold: 1, Surrogate: surrogate.ArcTan{Alpha: 2}},
			layer.ParametricSpiking{Beta: 0.7, Threshold: 0.3, Reset: neuron.Zero, DecayInput: true, Surrogate: surrogate.ArcTan{Alpha: 2}}),
		"concat": kind(layer.Concat{}, layer.Concat{}),
		"integrator": kind(temporal.Integrator{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.None}},
			temporal.Integrator{Neuron: neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Coupling: neuron.Euler, Threshold: 1, Reset: neuron.None, Leak: 0.2}}),
		"delay":     kind(temporal.Delay{Steps: 1}, temporal.Delay{Steps: 2}),
		"after":     kind(temporal.After{Steps: 1}, temporal.After{Steps: 1}),
		"counting":  kind(temporal.Counting{Code: temporal.Graded, Threshold: 1}, temporal.Counting{Code: temporal.SigmaDelta, Threshold: 0.3, Start: 0.5}),
		"signed":    kind(temporal.Signed{Slope: 0.1, Threshold: 1}, temporal.Signed{Code: temporal.LeakyDelta, Slope: 0.3, Threshold: 0.3, Start: 0.5}),
		"max-count": kind(temporal.MaxCount{}, temporal.MaxCount{Size: 2, Stride: 1, Padding: []int{0, 1, 1, 0}}),
	}
}

// networkKinds are networks by name. Those of a family differ in their defaults.
func networkKinds() map[string]Kind {
	small := named.VGG{Stages: [][]int{{2}, {3, 3}}, Hidden: []int{4}, BatchNorm: true, MaxPool: true, Classes: 3}
	kinds := map[string]Kind{
		"mlp":          kind(named.NewMLP(), named.MLP{Hidden: []int{5, 4}, Bias: true, Classes: 3}),
		"residual-mlp": kind(named.NewResidual(), named.Residual{Width: 4, Blocks: 2, Classes: 3}),
		"vgg-fast":     kind(named.NewFast(), named.Fast{Kernels: 6, Widths: []int{3, 4}, Classes: 3}),
	}
	for _, layers := range []int{7, 9, 11, 16} {
		kinds[fmt.Sprintf("vgg-%d", layers)] = kind(named.NewVGG(layers), small)
	}
	for _, depth := range []int{8, 14, 20, 32, 44, 56, 110} {
		kinds[fmt.Sprintf("resnet-%d", depth)] = kind(named.NewResNet(depth), named.ResNet{Depth: 8, Width: 2, Stem: 3, Bias: true, Classes: 3})
	}
	return kinds
}

func neuronKinds() map[string]Kind {
	return map[string]Kind{
		"if":  kind(neuron.IF{Threshold: 1}, neuron.IF{Threshold: 0.3}),
		"lif": kind(lif, neuron.LIF{Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, DecayInput: true}),
		"cuba-lif": kind(neuron.CuBaLIF{Alpha: 0.8, Beta: 0.9, Threshold: 1},
			neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Coupling: neuron.Exact, Delay: true, Threshold: 0.1, Reset: neuron.Zero, Refractory: 1}),
		"alif": kind(neuron.ALIF{Beta: 0.9, Threshold: 1, Adaptation: 0.1, Rho: 0.95},
			neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8}),
		"stdb": kind(neuron.STDB{Beta: 1, Threshold: 1, Delay: true}, neuron.STDB{Beta: 0.9, Threshold: 0.3, Delay: true}),
	}
}

func surrogateKinds() map[string]Kind {
	return map[string]Kind{
		"fast-sigmoid": kind(fast, surrogate.FastSigmoid{Slope: 4}),
		"arctan":       kind(surrogate.ArcTan{Alpha: 2}, surrogate.ArcTan{Alpha: 2}),
		"triangle":     kind(surrogate.Triangle{Height: 1, Width: 1}, surrogate.Triangle{Height: 0.7, Width: 1.1}),
		"rectangle":    kind(surrogate.Rectangle{Height: 1, Width: 0.5}, surrogate.Rectangle{Height: 0.7, Width: 0.9}),
		"sigmoid":      kind(surrogate.Sigmoid{Slope: 4}, surrogate.Sigmoid{Slope: 3}),
		"exponential":  kind(surrogate.Exponential{Height: 1, Slope: 5}, surrogate.Exponential{Height: 0.8, Slope: 2}),
		"spike-time":   kind(surrogate.SpikeTime{Alpha: 0.3, Beta: 0.01}, surrogate.SpikeTime{Alpha: 0.5, Beta: 0.1}),
	}
}

func lossKinds() map[string]Kind {
	return map[string]Kind{
		"count-cross-entropy":    kind(loss.CountCrossEntropy{}, loss.CountCrossEntropy{}),
		"membrane-cross-entropy": kind(loss.MembraneCrossEntropy{}, loss.MembraneCrossEntropy{}),
		"weighted-cross-entropy": kind(loss.WeightedCrossEntropy{Factor: 0.9}, loss.WeightedCrossEntropy{Factor: 0.7}),
		"count-mse":              kind(loss.CountMSE{}, loss.CountMSE{}),
		"rate-mse":               kind(loss.RateMSE{Right: 1}, loss.RateMSE{Right: 0.9, Wrong: 0.03}),
		"step-cross-entropy":     kind(loss.StepCrossEntropy{Level: 1}, loss.StepCrossEntropy{Lambda: 0.05, Level: 1}),
		"first-spike":            kind(loss.FirstSpike{Temperature: 1}, loss.FirstSpike{Temperature: 2}),
		"mse":                    kind(loss.MSE{}, loss.MSE{Read: loss.ReadEach}),
		"yolo":                   kind(detect.NewYOLO(), detect.YOLO{Anchors: []detect.Anchor{{1, 1}, {2, 3}}, Coord: 1, Object: 5, NoObject: 1, Class: 1, Ignore: 0.6}),
		"van-rossum":             kind(loss.VanRossum{}, loss.VanRossum{Tau: 3}),
	}
}

func regularizerKinds() map[string]Kind {
	return map[string]Kind{
		"rate-bounds": kind(loss.RateBounds{Weight: 1, Upper: 1}, loss.RateBounds{Weight: 0.1, Lower: 0.05, Upper: 0.3}),
	}
}

func optimizerKinds() map[string]Kind {
	return map[string]Kind{
		"sgd":   kind(optim.SGD{}, optim.SGD{LR: 0.1, Momentum: 0.9}),
		"adam":  kind(adam, optim.Adam{LR: 1e-3}),
		"adamw": kind(optim.AdamW{Adam: adam, Decay: 0.01}, optim.AdamW{Adam: optim.Adam{LR: 1e-3}, Decay: 0.01}),
	}
}

func scheduleKinds() map[string]Kind {
	return map[string]Kind{
		"fixed":      kind(optim.Fixed{}, optim.Fixed{}),
		"cosine":     kind(optim.Cosine{}, optim.Cosine{Warmup: 3}),
		"step":       kind(optim.Step{Factor: 0.1}, optim.Step{Every: 100, Factor: 0.5}),
		"milestones": kind(optim.Milestones{Factor: 0.1}, optim.Milestones{At: []float64{0.5, 0.75}, Factor: 0.1}),
		"one-cycle":  kind(optim.OneCycle{Rise: 0.3, Divide: 25, FinalDivide: 1e4}, optim.OneCycle{}),
		"triangular": kind(optim.Triangular{Rise: 0.25, Start: 0.2, End: 0}, optim.Triangular{Rise: 0.25, Start: 0.2, End: 0.1}),
	}
}

func averageKinds() map[string]Kind {
	return map[string]Kind{
		"ema":        kind(optim.EMA{Decay: 0.999}, optim.EMA{Decay: 0.5}),
		"look-ahead": kind(optim.LookAhead{Every: 5, Alpha: 0.5}, optim.LookAhead{Every: 2, Alpha: 0.5, Power: 3}),
	}
}

func encoderKinds() map[string]Kind {
	return map[string]Kind{
		"constant":     kind(encode.Constant{}, encode.Constant{}),
		"poisson":      kind(encode.Poisson{Scale: 1}, encode.Poisson{Scale: 0.5}),
		"latency":      kind(encode.Latency{}, encode.Latency{Span: 10}),
		"log-latency":  kind(encode.LogLatency{Tau: 5, Threshold: 0.01}, encode.LogLatency{Tau: 20, Threshold: 0.2}),
		"population":   kind(encode.Population{}, encode.Population{Units: 4, Span: 10}),
		"rank-order":   kind(encode.RankOrder{}, encode.RankOrder{Span: 10}),
		"burst":        kind(encode.Burst{Growth: 2, Threshold: 0.125}, encode.Burst{Growth: 1.5, Threshold: 0.2}),
		"phase":        kind(encode.Phase{Bits: 8}, encode.Phase{Bits: 4}),
		"frames":       kind(encode.Frames{}, encode.Frames{}),
		"delta":        kind(encode.Delta{Threshold: 0.1}, encode.Delta{Threshold: 0.2}),
		"step-forward": kind(encode.StepForward{Threshold: 0.1}, encode.StepForward{Threshold: 0.2}),
		"events":       kind(encode.Events{}, encode.Events{Count: true}),
	}
}

func decoderKinds() map[string]Kind {
	return map[string]Kind{
		"count":    kind(encode.Count{}, encode.Count{}),
		"membrane": kind(encode.Membrane{}, encode.Membrane{}),
		"weighted": kind(encode.Weighted{Factor: 0.9}, encode.Weighted{Factor: 0.5}),
		"boxes":    kind(detect.Boxes{}, detect.Boxes{Anchors: []detect.Anchor{{1, 2}}}),
	}
}

func augmentKinds() map[string]Kind {
	return map[string]Kind{
		"shift":            kind(data.Shift{}, data.Shift{Max: 2}),
		"crop":             kind(data.Crop{Padding: 4}, data.Crop{Padding: 2, Border: data.Reflect}),
		"flip":             kind(data.Flip{Probability: 0.5}, data.Flip{Probability: 0.5}),
		"alternating-flip": kind(data.AlternatingFlip{}, data.AlternatingFlip{}),
		"scale":            kind(data.Scale{By: 0.2}, data.Scale{By: 0.3, Border: data.Edge}),
		"cutout":           kind(data.Cutout{}, data.Cutout{Size: 3}),
		"slide":            kind(sound.Slide{Max: 2}, sound.Slide{Max: 1}),
		"color-jitter":     kind(data.ColorJitter{}, data.ColorJitter{Brightness: 0.2, Contrast: 0.2, Saturation: 0.2}),
	}
}

func sourceKinds() map[string]Kind {
	return map[string]Kind{
		"folder": kind(folder.Images{}, folder.Images{Path: "images"}),
		"arrays": kind(arrays.Arrays{}, arrays.Arrays{Path: "own.npz"}),
		"table":  kind(table.CSV{}, table.CSV{Path: "own.csv", Label: "class"}),
		"nmnist": kind(events.NMNIST{}, events.NMNIST{Path: "recordings"}),
		"wav":    kind(sound.WAV{Frame: 80}, sound.WAV{Path: "sounds", Frame: 100}),
		"trains": kind(trains.Files{}, trains.Files{Path: "pairs.csv"}),
		"boxes":  kind(voc.Boxes{}, voc.Boxes{Path: "VOC", Size: []int{32, 32}}),
		"sine": kind(generated.Sine{Train: 500, Test: 100, Steps: 50, Period: 20, Seed: 1},
			generated.Sine{Train: 8, Test: 4, Steps: 10, Period: 5}),
		"moons": kind(generated.Moons{Train: 500, Test: 100, Noise: 0.1, Seed: 1}, generated.Moons{Train: 8, Test: 4}),
		"spirals": kind(generated.Spirals{Train: 600, Test: 150, Arms: 3, Turns: 1, Noise: 0.02, Seed: 1},
			generated.Spirals{Train: 9, Test: 3, Arms: 3, Turns: 1}),
		"patterns": kind(generated.Patterns{Train: 400, Test: 100, Classes: 4, Units: 30, Rate: 20, Duration: 0.2, Jitter: 0.005, Seed: 1},
			generated.Patterns{Train: 8, Test: 4, Classes: 2, Units: 5, Rate: 20, Duration: 0.1}),
	}
}

func taskKinds() map[string]Kind {
	return map[string]Kind{
		"classify":     kind(task.Classify{}, task.Classify{Top: []int{5}}),
		"regress":      kind(task.Regress{}, task.Regress{Read: task.ReadLast}),
		"match-trains": kind(task.MatchTrains{}, task.MatchTrains{Tau: 0.01}),
		"detect":       kind(detect.NewDetect(), detect.Detect{Threshold: 0.01, Overlap: 0.5}),
		"reconstruct":  kind(task.Reconstruct{}, task.Reconstruct{Read: task.ReadSum}),
	}
}

// Kinds is the table in the form in which YAML is decoded.
func (t Table) Kinds() yaml.Kinds {
	return yaml.Kinds{
		reflect.TypeFor[layer.Layer]():          constructors(t.Layers),
		reflect.TypeFor[network.Architecture](): constructors(t.Networks),
		reflect.TypeFor[neuron.Neuron]():        constructors(t.Neurons),
		reflect.TypeFor[surrogate.Surrogate]():  constructors(t.Surrogates),
		reflect.TypeFor[loss.Loss]():            constructors(t.Losses),
		reflect.TypeFor[loss.Regularizer]():     constructors(t.Regularizers),
		reflect.TypeFor[optim.Optimizer]():      constructors(t.Optimizers),
		reflect.TypeFor[optim.Schedule]():       constructors(t.Schedules),
		reflect.TypeFor[optim.Average]():        constructors(t.Averages),
		reflect.TypeFor[encode.Encoder]():       constructors(t.Encoders),
		reflect.TypeFor[encode.Decoder]():       constructors(t.Decoders),
		reflect.TypeFor[data.Augment]():         constructors(t.Augments),
		reflect.TypeFor[data.Opener]():          constructors(t.Sources),
		reflect.TypeFor[task.Task]():            constructors(t.Tasks),
		reflect.TypeFor[train.Rule]():           constructors(t.Rules),
	}
}

func constructors(kinds map[string]Kind) map[string]func() any {
	m := make(map[string]func() any, len(kinds))
	for name, k := range kinds {
		m[name] = k.New
	}
	return m
}
