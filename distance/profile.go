package distance

// Kind is the form of a profile between its times.
type Kind string

// The kinds of profiles.
const (
	Constant Kind = "constant" // pieces of one value: ISI
	Linear   Kind = "linear"   // pieces that are linear, with jumps between them: SPIKE
	Discrete Kind = "discrete" // values at times: Sync, Order
)

// Profile is a value over time.
type Profile struct {
	Kind Kind
	// X is the borders of the pieces, one more than there are pieces, the first and
	// last those of the window; for a discrete profile the times of all spikes.
	X []float64
	// Y is the values: of a constant profile one a piece; of a linear one two a
	// piece, at its left and at its right end; of a discrete one the sum at a time.
	Y []float64
	// Weight is, for a discrete profile alone, the number of values in each sum of
	// Y: spikes of a pair, summed over the pairs.
	Weight []float64
}

// Mean is the profile's average over the intervals together, none meaning all of
// the window. A discrete profile has the times strictly inside the intervals
// count, and is 1 where there is none; without intervals all times count, also
// those on the edges of the window.
func (p Profile) Mean(intervals ...Interval) float64 { return 0 }

// At is the value at a time: at a border that of both limits' mean, and of a
// discrete profile Y/Weight, or NaN where it has no spike.
func (p Profile) At(t float64) float64 { return 0 }
