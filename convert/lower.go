package convert

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/tensor"
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

// Pooling is what becomes of max pooling.
type Pooling uint8

// What becomes of it.
const (
	Gates  Pooling = iota // temporal.MaxCount, which passes on the largest count of a window
	Leads                 // temporal.MaxCount with Leader, which passes on the spikes of the element that has the most: too many
	Any                   // layer.MaxPool, which passes on any spike: more still
	Means                 // layer.AvgPool: another function
	Refuse                // an error
)

// Pools is the Transform that replaces max pooling, of which spikes in a window would pass
// whenever any comes. Gates count, and their sum is the largest of the sums: with rates for
// activations nothing is lost. Leads and Any pass on spikes as they come, and more than the largest
// count, however many steps there are; they stand behind units, where the units follow the pooling
// the two change places. Means are another function, for which the weights were not trained.
// The report says what is lost.
type Pools struct{ By Pooling }

// Apply replaces; it needs no inputs.
func (p Pools) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	var r network.Report
	e := network.Edit(g)
	for i, nd := range e.Graph().Nodes {
		l, ok := nd.Layer.(layer.MaxPool)
		if !ok {
			continue
		}
		by, err := p.replacement(l)
		if err == nil && (p.By == Leads || p.By == Any) {
			err = behindUnits(e, nd.Name, &r)
		}
		if err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Pools: %w", &network.NodeError{Index: i, Name: nd.Name, Err: err})
		}
		switch p.By {
		case Gates:
			r.Add(nd.Name, network.Changed, "passes on the spikes of the element that has had the most")
		case Leads:
			r.Add(nd.Name, network.Lost, "its maxima: spikes of the element that leads pass, too many where the lead changes")
		case Any:
			r.Add(nd.Name, network.Lost, "its maxima: any spike of a window passes, too many where elements take turns")
		case Means:
			r.Add(nd.Name, network.Lost, "its maxima: they became means, for which the weights were not trained; compare the accuracy of the ordinary network with means")
		}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Layer: by}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Pools: %w", err)
		}
	}
	return e.Graph(), r, nil
}

// replacement is what stands in a layer's place.
func (p Pools) replacement(l layer.MaxPool) (layer.Layer, error) {
	switch p.By {
	case Gates, Leads:
		return temporal.MaxCount{Size: l.Size, Stride: l.Stride, Padding: l.Padding, Leader: p.By == Leads}, nil
	case Any:
		return l, nil
	case Means:
		return layer.AvgPool{Size: l.Size, Stride: l.Stride, Padding: l.Padding}, nil
	}
	return nil, errors.New("is max pooling, which is refused; let it count (Gates)")
}

// behindUnits puts a pooling behind the units that follow it, unless it gets spikes as it is.
func behindUnits(e *network.Editor, name string, r *network.Report) error {
	nd, err := e.Node(name)
	if err != nil {
		return err
	}
	for at := nd.Inputs[0]; at != network.Input; {
		from, err := e.Node(at)
		if err != nil {
			return err
		}
		if ordinary.Rectified(from.Layer) {
			return nil
		}
		if !keepsSpikes(from.Layer) {
			break
		}
		at = from.Inputs[0]
	}
	nodes, outputs := e.Consumers(name)
	if len(nodes) == 1 && len(outputs) == 0 {
		unit, err := e.Node(nodes[0])
		if err == nil && ordinary.Rectified(unit.Layer) {
			if err = e.Remove(name); err == nil {
				err = e.InsertAfter(unit.Name, nd)
			}
			r.Add(name, network.Changed, "and %s changed places, which changes no maximum", unit.Name)
			return err
		}
	}
	return errors.New("takes maxima of what are no spikes, whose largest in each step says nothing of the largest mean; put it right behind a relu, or let it count (gate)")
}

// keepsSpikes reports whether a layer gives spikes of spikes.
func keepsSpikes(l layer.Layer) bool {
	switch l.(type) {
	case layer.MaxPool, temporal.MaxCount, layer.Flatten, layer.Upsample:
		return true
	}
	return false
}

// Compensate is the Transform that multiplies the weights of all layers but the first ones, not
// their biases, by a factor a little above 1, against the rates that whole spikes lose from
// layer to layer where neurons start from 0 (Hu et al., 2018). Shortcuts without weights are
// multiplied too where they have a layer that scales them.
type Compensate struct{ Factor float64 }

// Apply multiplies; it needs no inputs.
func (k Compensate) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if !(k.Factor >= 1) || math.IsInf(k.Factor, 0) {
		return network.Graph{}, nil, fmt.Errorf("convert.Compensate: factor is %v, want 1 or a little more, such as 1.02", k.Factor)
	}
	var r network.Report
	g = network.Edit(g).Graph()
	depth, _ := depths(g)
	for i, nd := range g.Nodes {
		switch nd.Layer.(type) {
		case layer.Linear, layer.Conv2D:
		default:
			continue
		}
		if depth[nd.Name] == 0 || k.Factor == 1 { // analogue input loses nothing
			continue
		}
		if w, ok := nd.Arrays["weight"]; ok {
			w = w.Clone()
			for j := range w.Data {
				w.Data[j] = tensor.Float(k.Factor * float64(w.Data[j]))
			}
			g.Nodes[i].Arrays["weight"] = w
		}
		r.Add(nd.Name, network.Changed, "weights multiplied by %v", k.Factor)
	}
	return g, r, nil
}
