package darknet

import (
	"fmt"
	"io"
	"os"

	"synfire/format/darknet"
	"synfire/internal/atomicfile"
	"synfire/network"
)

// Read reads a configuration and the weights that belong to it.
func Read(config, weights string) (g network.Graph, classes int, report []Lowered, err error) {
	c, err := readConfig(config)
	if err != nil {
		return g, 0, nil, err
	}
	layers, err := c.Layers()
	if err != nil {
		return g, 0, nil, err
	}
	f, err := open(weights)
	if err != nil {
		return g, 0, nil, err
	}
	defer f.Close()
	_, all, err := darknet.ReadWeights(f, layers)
	if err != nil {
		return g, 0, nil, err
	}
	return Lower(c, all)
}

func readConfig(path string) (*darknet.Config, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return darknet.Parse(f)
}

// open opens a regular file: to open a pipe would wait for its writer.
func open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is a folder, a pipe or a device, want a file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("darknet: %w", err)
	}
	return os.Open(path)
}

// Write writes a network to a configuration and its weights, of version 0.2.5.
func Write(config, weights string, g network.Graph, classes int) ([]Lowered, error) {
	c, all, report, err := Raise(g, classes)
	if err != nil {
		return nil, err
	}
	layers, err := c.Layers()
	if err != nil {
		return nil, err
	}
	err = atomicfile.Write(weights, func(w io.Writer) error {
		return darknet.WriteWeights(w, darknet.Header{Minor: 2, Revision: 5}, layers, all)
	})
	if err == nil {
		err = atomicfile.Write(config, c.Write)
	}
	if err != nil {
		return nil, fmt.Errorf("darknet: %w", err)
	}
	return report, nil
}
