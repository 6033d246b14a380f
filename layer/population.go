package layer

import "synfire/neuron"

// Population is a Layer of neurons, whose outputs are spikes of its own: it has
// firing rates to report and to bound. A layer that embeds one is one too.
type Population interface {
	Layer
	// Neurons is the model of its units; driven reports whether the layer is no
	// more than that, so that its input is all their current. With learnt options
	// the model is the one before training.
	Neurons() (n neuron.Neuron, driven bool)
}

// Fires reports whether a layer is a Population.
func Fires(l Layer) bool {
	_, ok := l.(Population)
	return ok
}

// Neurons is the layer's neuron, which its input alone drives.
func (l Spiking) Neurons() (n neuron.Neuron, driven bool) { return l.Neuron, true }

// Neurons is the layer's neuron. Its own spikes drive it as well.
func (l Recurrent) Neurons() (n neuron.Neuron, driven bool) { return l.Neuron, false }

// Neurons is the neuron before training.
func (l ParametricSpiking) Neurons() (n neuron.Neuron, driven bool) {
	lif := l.lif()
	lif.DecayInput = l.DecayInput
	return lif, false
}
