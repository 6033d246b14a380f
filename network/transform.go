package network

import (
	"context"
	"fmt"
	"strings"

	"synfire/signal"
)

// Transform rewrites a graph into another: it folds, converts, prunes, quantises.
// It leaves its argument as it is, shares arrays with it and writes to none. What it
// cannot do it says, in its report or by an error.
type Transform interface {
	// Apply rewrites g. A transform that measures runs the network over inputs
	// of c; c may be nil for others.
	Apply(ctx context.Context, g Graph, c Calibration) (Graph, Report, error)
}

// Calibration yields batches of inputs, of the graph's input shape, for a transform
// that measures; each range over it starts anew. A batch is valid until the next
// one, and an error ends the range.
type Calibration func(yield func(in *signal.Signal, err error) bool)

// Effect is what happened to a node.
type Effect uint8

// Effects of a Transform.
const (
	Changed Effect = iota
	Kept           // though it is of the kind that the transform is for
	Lost           // something that the node could has no place in the new graph
)

// String names the effect.
func (e Effect) String() string { return [...]string{"changed", "kept", "lost"}[e] }

// Report says what a Transform did, in the order of the nodes.
type Report []Line

// Line is about one node, by its name in the graph before.
type Line struct {
	Node   string
	Effect Effect
	Text   string // what was done, or why not
}

// Add adds a line.
func (r *Report) Add(node string, e Effect, format string, args ...any) {
	*r = append(*r, Line{node, e, fmt.Sprintf(format, args...)})
}

// String has a line for each node.
func (r Report) String() string {
	var b strings.Builder
	for _, l := range r {
		fmt.Fprintf(&b, "%s: %v: %s\n", l.Node, l.Effect, l.Text)
	}
	return b.String()
}
