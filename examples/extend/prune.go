package main

import (
	"context"
	"fmt"
	"maps"
	"math"

	"synfire/network"
)

// Prune is a transform of networks: weights smaller than Below become zero.
type Prune struct{ Below float64 }

// Apply prunes a copy of each weight.
func (p Prune) Apply(ctx context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if !(p.Below >= 0) {
		return g, nil, fmt.Errorf("prune: below %v, want a number that is not negative", p.Below)
	}
	var report network.Report
	e := network.Edit(g)
	for _, nd := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return g, nil, err
		}
		w, ok := nd.Arrays["weight"]
		if !ok {
			continue
		}
		w, pruned := w.Clone(), 0
		for i, v := range w.Data {
			if math.Abs(float64(v)) < p.Below {
				w.Data[i] = 0
				pruned++
			}
		}
		node, err := e.Node(nd.Name)
		if err != nil {
			return g, nil, err
		}
		node.Arrays = maps.Clone(node.Arrays) // arrays are shared and never written
		node.Arrays["weight"] = w
		if err := e.Replace(nd.Name, node); err != nil {
			return g, nil, err
		}
		report.Add(nd.Name, network.Changed, "%d of %d weights are zero", pruned, len(w.Data))
	}
	return e.Graph(), report, nil
}
