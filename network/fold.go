package network

import (
	"context"
	"fmt"

	"synfire/layer"
	"synfire/tensor"
)

// FoldBatchNorm is the Transform that makes each BatchNorm which alone follows a
// Linear or Conv2D layer part of that layer's weights and bias, for inference. The
// layer keeps its name, the BatchNorm is gone; those that follow anything else
// stay. A mean over pixels may stand between the two: that of scaled and shifted values is
// the scaled and shifted mean. Outputs are the same up to rounding.
type FoldBatchNorm struct{}

// Apply folds; it needs no inputs.
func (FoldBatchNorm) Apply(_ context.Context, g Graph, _ Calibration) (Graph, Report, error) {
	net, err := g.Outline()
	if err != nil {
		return Graph{}, nil, fmt.Errorf("network.FoldBatchNorm: %w", err)
	}
	var r Report
	e := Edit(g)
	for _, nd := range e.Graph().Nodes {
		norm, ok := nd.Layer.(layer.BatchNorm)
		if !ok {
			continue
		}
		into, why := e.foldsInto(nd.Name)
		if why != "" {
			r.Add(nd.Name, Kept, "%s", why)
			continue
		}
		if err := e.fold(net, norm, nd.Name, into); err != nil {
			return Graph{}, nil, fmt.Errorf("network.FoldBatchNorm: %w", err)
		}
		r.Add(nd.Name, Changed, "became part of the weights and bias of %s", into)
	}
	return e.Graph(), r, nil
}

// foldsInto is the node whose layer a BatchNorm goes into, or why there is none.
func (e *Editor) foldsInto(name string) (into, why string) {
	norm, _ := e.Node(name)
	for at := norm.Inputs[0]; ; {
		before, err := e.Node(at)
		if err != nil {
			return "", "follows the network's input"
		}
		mean := false
		switch l := before.Layer.(type) {
		case layer.Linear, layer.Conv2D:
		case layer.AvgPool:
			if mean = true; l.CountPadding { // zeros of the padding would be shifted
				return "", fmt.Sprintf("follows %s, whose means count padding", before.Name)
			}
		default:
			return "", fmt.Sprintf("follows %s, which has no weights to scale", before.Name)
		}
		if nodes, outputs := e.Consumers(before.Name); len(nodes)+len(outputs) > 1 {
			return "", fmt.Sprintf("others read %s too", before.Name)
		}
		if !mean {
			return before.Name, ""
		}
		at = before.Inputs[0]
	}
}

// fold makes a BatchNorm part of the node before it; net has their arrays' roles.
func (e *Editor) fold(net *Network, norm layer.BatchNorm, name, into string) error {
	of, err := e.arrays(net, name)
	if err != nil {
		return err
	}
	params, err := e.arrays(net, into)
	if err != nil {
		return err
	}
	scale, shift := norm.Affine(of[:2], of[2:])
	nd, _ := e.Node(into)
	nd.Layer, nd.Arrays = scaled(nd.Layer, params, scale, shift)
	if err := e.Replace(into, nd); err != nil {
		return err
	}
	return e.Remove(name)
}

// scaled makes one affine layer of l, Linear or Conv2D, followed by y = scale·x + shift for each of
// its output channels:
//
//	W' = W·scale,   b' = b·scale + shift
//
// The layer has a bias then, and its parameters are new.
func scaled(l layer.Layer, params []tensor.Tensor, scale, shift []tensor.Float) (layer.Layer, map[string]tensor.Tensor) {
	switch with := l.(type) {
	case layer.Linear:
		with.NoBias = false
		l = with
	case layer.Conv2D:
		with.NoBias = false
		l = with
	}
	w, b := params[0].Clone(), tensor.New(len(scale))
	for i := range w.Data {
		w.Data[i] *= scale[i%len(scale)]
	}
	copy(b.Data, shift)
	if len(params) > 1 {
		for j, v := range params[1].Data {
			b.Data[j] += tensor.Float(v * scale[j])
		}
	}
	return l, map[string]tensor.Tensor{"weight": w, "bias": b}
}

// arrays are a node's parameters and buffers, in the order of its layer.
func (e *Editor) arrays(net *Network, name string) (v []tensor.Tensor, err error) {
	nd, err := e.Node(name)
	if err != nil {
		return nil, err
	}
	i, err := net.index(name)
	if err != nil {
		return nil, err
	}
	for _, role := range net.roles(i) {
		t, err := nd.Array(role)
		if err != nil {
			return nil, err
		}
		v = append(v, t)
	}
	return v, nil
}
