package layer

// Fires reports whether a layer is a population of neurons, whose outputs are
// spikes of its own: those have a firing rate to report.
func Fires(l Layer) bool {
	switch l.(type) {
	case Spiking, Recurrent, ParametricSpiking:
		return true
	}
	return false
}
