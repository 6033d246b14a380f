package distance

import "synfire/spike"

// VictorPurpura is the cost of the cheapest way to turn one train into the other
// (Victor and Purpura 1996): 1 to insert or delete a spike, Cost·|Δt| to move it.
// It is a metric. The window does not matter.
type VictorPurpura struct {
	Cost float64 // q, per unit of time; 0 and +Inf are allowed
}

// Name is "victor-purpura".
func (VictorPurpura) Name() string { return "victor-purpura" }

// Distance is the least cost, between |N−M| (q = 0) and N+M.
func (m VictorPurpura) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }

// VictorPurpuraCosts is the distance for each of several costs q.
func VictorPurpuraCosts(a, b spike.Train, costs []float64) ([]float64, error) {
	return nil, errNotYet
}
