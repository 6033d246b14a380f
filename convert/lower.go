package convert

import (
	"context"
	"errors"
	"fmt"

	"synfire/layer"
	"synfire/network"
)

// Fold is the Transform that makes batch normalisations part of the layer before them
// (network.FoldBatchNorm), biases with them, and takes out dropout, which only training
// needs. A normalisation that cannot be folded is an error.
type Fold struct{}

// Apply folds; it needs no inputs.
func (Fold) Apply(ctx context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	out, r, err := network.FoldBatchNorm{}.Apply(ctx, g, nil)
	if err != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Fold: %w", err)
	}
	if kept := unfolded(g, r); kept != nil {
		return network.Graph{}, nil, fmt.Errorf("convert.Fold: %w", errors.Join(kept...))
	}
	e := network.Edit(out)
	for _, nd := range e.Graph().Nodes {
		if _, ok := nd.Layer.(layer.Dropout); !ok {
			continue
		}
		if err := e.Remove(nd.Name); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Fold: %w", err)
		}
		r.Add(nd.Name, network.Changed, "is gone: only training drops units")
	}
	return e.Graph(), r, nil
}

// unfolded are errors for the normalisations that a folding kept.
func unfolded(g network.Graph, r network.Report) (errs []error) {
	for i, nd := range network.Edit(g).Graph().Nodes {
		for _, l := range r {
			if l.Node == nd.Name && l.Effect == network.Kept {
				errs = append(errs, &network.NodeError{Index: i, Name: nd.Name, Err: fmt.Errorf("is a batch normalisation that cannot be folded: it %s; put it right behind a linear or conv2d layer that nothing else reads", l.Text)})
			}
		}
	}
	return errs
}

// Pools is the Transform that puts means in the place of maxima: the rate of a window's
// largest spike is not the largest of its rates. That is another function, for which the
// weights were not trained, and the report says so.
type Pools struct{}

// Apply replaces; it needs no inputs.
func (Pools) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	var r network.Report
	e := network.Edit(g)
	for _, nd := range e.Graph().Nodes {
		l, ok := nd.Layer.(layer.MaxPool)
		if !ok {
			continue
		}
		mean := layer.AvgPool{Size: l.Size, Stride: l.Stride, Padding: l.Padding}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Layer: mean}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Pools: %w", err)
		}
		r.Add(nd.Name, network.Lost, "its maxima: they became means, for which the weights were not trained; compare the accuracy of the ordinary network with means")
	}
	return e.Graph(), r, nil
}
