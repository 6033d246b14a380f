package certify

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"synfire/exchange/nir"
	"synfire/internal/atomicfile"
	"synfire/surrogate"
)

// Beside is where the certificate of a file stands.
func Beside(path string) string { return path + ".certificate.json" }

// sumPrefix is what the sum of the engine's spikes is listed by.
const sumPrefix = "spikes sha256 "

// sum is the SHA-256 of all spikes, node by node in the order of their names.
func (c Course) sum() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c.Spikes)) {
		fmt.Fprintf(h, "%q", name)
		for _, row := range c.Spikes[name] {
			b := make([]byte, len(row))
			for i, x := range row {
				b[i] = byte(x)
			}
			h.Write(b)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Write puts a certificate beside its file.
func (c Certificate) Write(path string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = atomicfile.Write(Beside(path), func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	return nil
}

// mostBytes bounds a certificate.
const mostBytes = 64 << 20

// Read reads the certificate beside a file; ok is false where there is none.
func Read(path string) (c Certificate, ok bool, err error) {
	info, err := os.Stat(Beside(path))
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err == nil && info.Size() > mostBytes {
		err = fmt.Errorf("%d bytes, at most %d are read", info.Size(), mostBytes)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(Beside(path))
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, false, fmt.Errorf("certify: certificate %s: %w; write it again by export, or remove it", Beside(path), err)
	}
	return c, true, nil
}

// Confirm holds a certificate against its file as it is read: that it is read as it was certified,
// and that the network fires so for the generated input, spike by spike.
func (c Certificate) Confirm(g *nir.Graph, o nir.Options) error {
	if c.DT != o.DT {
		return fmt.Errorf("certify: the certificate is of steps of %v, and the file is read with steps of %v; give --dt %v, or remove the certificate", c.DT, o.DT, c.DT)
	}
	if c.Steps < 1 || c.Steps > 1<<20 {
		return fmt.Errorf("certify: a certificate of %d steps, want 1 to %d; write it again by export, or remove it", c.Steps, 1<<20)
	}
	if o.Surrogate == nil {
		o.Surrogate = surrogate.FastSigmoid{Slope: 25}
	}
	net, report, err := g.Lower(o)
	if err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	certified := map[string]Node{}
	for _, n := range c.Nodes {
		certified[n.Name] = n
	}
	for _, l := range report {
		n, ok := certified[l.Node]
		if !ok || n.Kind != l.Kind || len(c.Nodes) != len(report) {
			return fmt.Errorf("certify: the certificate is of another graph: node %q (%s) is not in it; write it again by export, or remove it", l.Node, l.Kind)
		}
		if !slices.Equal(n.Lost, l.Lost) && len(n.Lost)+len(l.Lost) > 0 {
			return fmt.Errorf("certify: node %q is certified with %s, and read with %s; give the options of the certificate, or remove it", l.Node, strings.Join(n.Lost, ", "), strings.Join(l.Lost, ", "))
		}
	}
	input, err := Setting{Steps: c.Steps}.input(g)
	if err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	own, err := run(net, report, input)
	if err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	for _, a := range c.Against {
		if sum, ok := strings.CutPrefix(a.Trace, sumPrefix); ok && sum != own.sum() {
			return fmt.Errorf("certify: the network does not fire as certified: the file was changed, or this machine's kernels round otherwise; run certify on it, then remove the certificate")
		}
	}
	return nil
}
