package exchange

import (
	"fmt"

	"synfire/catalog"
	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
)

// options are what a NIR file does not say; what is empty was not given.
func options(dt float64, reset, method string, strict bool, refractory int, coupling string) (nir.Options, error) {
	o := nir.Options{DT: dt, Method: nir.Method(method), Strict: strict, Refractory: refractory, Surrogate: surrogate.FastSigmoid{Slope: 25}}
	if coupling != "" {
		o.Coupling = new(neuron.Coupling)
		if err := o.Coupling.UnmarshalText([]byte(coupling)); err != nil {
			return o, err
		}
	}
	if reset == "" {
		return o, nil
	}
	o.Reset = new(neuron.Reset)
	return o, o.Reset.UnmarshalText([]byte(reset))
}

// readNIR makes a network of a NIR file, and checks the certificate beside it.
func readNIR(c *Import) (network.Graph, []node, error) {
	o, err := options(c.DT, c.Reset, c.Method, c.Strict, c.Refractory, c.Coupling)
	if err != nil {
		return network.Graph{}, nil, err
	}
	o.Floor = c.Floor
	g, err := nir.Read(c.File)
	if err != nil {
		return network.Graph{}, nil, err
	}
	net, report, err := g.Lower(o)
	if err != nil {
		return network.Graph{}, nil, err
	}
	cert, found, err := certify.Read(c.File)
	if err == nil && found {
		err = cert.Confirm(g, o)
	}
	return net, nodesOf(report), err
}

// writeNIR writes a network to a NIR file, and its certificate beside it.
func writeNIR(c *Export, net network.Graph, _ *catalog.Model) ([]node, error) {
	if c.DT == nil {
		c.DT = new(0.001)
	}
	if c.Steps == nil {
		c.Steps = new(100)
	}
	if *c.Steps < 1 || *c.Steps > 100_000 {
		return nil, fmt.Errorf("steps is %d, want 1 to 100000", *c.Steps)
	}
	g, o, report, err := nir.Raise(net, nir.Options{DT: *c.DT, Method: nir.Method(c.Method)})
	if err != nil {
		return nil, err
	}
	cert, err := certify.Check(g, certify.Setting{Options: o, Steps: *c.Steps})
	if err != nil {
		return nil, err
	}
	if err := nir.Write(c.Out, g); err != nil {
		return nil, err
	}
	return nodesOf(report), cert.Write(c.Out)
}

func nodesOf(report []nir.Lowered) (nodes []node) {
	for _, l := range report {
		nodes = append(nodes, newNode(l.Node, l.Kind, l.To, l.Lost))
	}
	return nodes
}
