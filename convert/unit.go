package convert

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// unit is what rectified units are like.
type unit struct {
	limit  float64 // largest output; 0: none
	levels int     // between 0 and the limit; 0: all values
	slope  float64 // below zero
}

// unitOf is what a node's units are like, where they are rectified.
func unitOf(nd network.GraphNode) (u unit, ok bool) {
	switch l := nd.Layer.(type) {
	case layer.ReLU:
		return unit{limit: l.Max, slope: l.Slope}, true
	case ordinary.QCFS:
		u = unit{limit: l.Init, levels: l.Levels}
		if v, ok := nd.Arrays["scale"]; ok {
			u.limit = float64(v.Data[0])
		}
		return u, true
	}
	return u, false
}

// of is what units give for a value, before their limit.
func (u unit) of(z float64) float64 {
	if z < 0 {
		return u.slope * z
	}
	return z
}

// limited is a node of units with another limit.
func limited(nd network.GraphNode, limit float64) network.GraphNode {
	switch l := nd.Layer.(type) {
	case layer.ReLU:
		l.Max = limit
		nd.Layer = l
	case ordinary.QCFS:
		l.Init = limit
		nd.Layer, nd.Arrays = l, map[string]tensor.Tensor{"scale": {Shape: tensor.Shape{1}, Data: []tensor.Float{tensor.Float(limit)}}}
	}
	return nd
}

// Quantize is the Transform that puts the staircase ordinary.QCFS in the place of rectified
// units, to be trained before a conversion by method qcfs. The scales λ, where their training
// starts, are the P percentile of a layer's activations, all values counted, or a limit that
// the units have. A node that is named after its kind (relu1) is named so again (qcfs1).
type Quantize struct {
	Levels int     // L of each layer
	P      float64 // percentile, in (0, 100]; 0: 99.9
}

// Apply quantises by the activations over the inputs of c.
func (q Quantize) Apply(ctx context.Context, g network.Graph, c network.Calibration) (network.Graph, network.Report, error) {
	fail := func(err error) (network.Graph, network.Report, error) {
		return network.Graph{}, nil, fmt.Errorf("convert.Quantize: %w", err)
	}
	if q.P == 0 {
		q.P = 99.9
	}
	if err := (Normalize{By: Percentile, P: q.P}).validate(c); err != nil {
		return fail(err)
	}
	acts, err := observe(ctx, g, c, false, true)
	if err != nil {
		return fail(err)
	}
	var r network.Report
	e := network.Edit(g)
	for i, nd := range e.Graph().Nodes {
		l, ok := nd.Layer.(layer.ReLU)
		if !ok {
			continue
		}
		wrong := func(err error) (network.Graph, network.Report, error) {
			return fail(&network.NodeError{Index: i, Name: nd.Name, Err: err})
		}
		if l.Slope != 0 {
			return wrong(errors.New("is a leaky relu, and a staircase has no negative values; train with slope 0"))
		}
		scale := l.Max
		if scale == 0 {
			if scale, err = acts[nd.Name][0].percentile(q.P, false); err != nil {
				return wrong(err)
			}
		}
		staircase := network.GraphNode{Node: network.Node{Name: nd.Name, Layer: ordinary.QCFS{Levels: q.Levels}}}
		if k, ok := strings.CutPrefix(nd.Name, "relu"); ok {
			staircase.Name = "qcfs" + k
		}
		staircase = limited(staircase, scale)
		if _, err := staircase.Layer.Output(tensor.Shape{1}); err != nil {
			return wrong(err)
		}
		if err := e.Replace(nd.Name, staircase); err != nil {
			return fail(err)
		}
		r.Add(nd.Name, network.Changed, "became %s, %d levels up to %.4g", staircase.Name, q.Levels, scale)
	}
	if len(r) == 0 {
		return fail(errors.New("no node is a relu: there is nothing to quantise"))
	}
	return e.Graph(), r, nil
}
