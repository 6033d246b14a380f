package train

import "fmt"

// Warnings for layers whose firing carries no information.
const (
	deadRate      = 0
	saturatedRate = 0.98
)

func (l *Loop) warnRates(epoch int, rates []Rate) {
	for _, r := range rates {
		switch v := r.Value(); {
		case v <= deadRate && r.Graded:
			l.Observer.Warn(fmt.Sprintf("epoch %d: layer %s is zero for every sample: it passes nothing on; raise the weights before it or lower the learning rate", epoch, r.Layer))
		case r.Graded: // values that are never zero, as those of a logistic function, carry what they carry
		case v <= deadRate:
			l.Observer.Warn(fmt.Sprintf("epoch %d: layer %s never fires: no error passes where the surrogate is zero; lower its threshold or raise the weights before it", epoch, r.Layer))
		case v > 1: // spikes that are counted carry their numbers
		case v >= saturatedRate:
			l.Observer.Warn(fmt.Sprintf("epoch %d: layer %s fires at %.0f %% of its steps: it carries little information; raise its threshold or lower the weights before it", epoch, r.Layer, 100*v))
		}
	}
}
