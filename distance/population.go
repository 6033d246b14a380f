package distance

import "synfire/spike"

// PopulationMeasure compares two responses of several neurons: a[p] and b[p] are
// the trains of neuron p.
type PopulationMeasure interface {
	Name() string
	Distance(a, b []spike.Train) (float64, error)
}

// LabelledVictorPurpura is the Victor–Purpura distance of several neurons (Aronov
// 2003): to give a spike to another neuron costs LabelCost on top of its move.
type LabelledVictorPurpura struct {
	Cost      float64 // q, per unit of time; 0 and +Inf are allowed
	LabelCost float64 // k: 0 pools the neurons, 2 and above keeps them apart
}

// Name is "victor-purpura".
func (LabelledVictorPurpura) Name() string { return "victor-purpura" }

// Distance is the least cost.
func (m LabelledVictorPurpura) Distance(a, b []spike.Train) (float64, error) { return 0, errNotYet }

// LabelledVanRossum is the van Rossum distance of several neurons (Houghton and
// Sen 2008), whose traces point in directions with an angle between them:
//
//	D² = (1−c)·Σ_p D²_p + c·D²_pooled
type LabelledVanRossum struct {
	Tau     float64 // τ, in the unit of the trains; 0 and +Inf are allowed
	Cosine  float64 // c, of the angle: 0 keeps the neurons apart, 1 pools them
	Squared bool    // D² in place of D
}

// Name is "van-rossum".
func (LabelledVanRossum) Name() string { return "van-rossum" }

// Distance is D, or D².
func (m LabelledVanRossum) Distance(a, b []spike.Train) (float64, error) { return 0, errNotYet }

// PopulationMatrix is the value of each pair of responses, as Matrix.
func PopulationMatrix(m PopulationMeasure, responses [][]spike.Train, o Options) ([][]float64, error) {
	return nil, errNotYet
}
