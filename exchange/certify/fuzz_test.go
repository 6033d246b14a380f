package certify_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/format/hdf5"
	"synfire/neuron"
)

// encoded is a graph as a file.
func encoded(t testing.TB, g *nir.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := hdf5.Write(&b, g.Encode()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// check reads a file and checks what is in it.
func check(b []byte) (c certify.Certificate, err error) {
	f, err := hdf5.Open(bytes.NewReader(b), int64(len(b)), hdf5.Limits{Bytes: 1 << 20})
	if err != nil {
		return c, err
	}
	g, err := nir.Decode(f.Root)
	if err != nil {
		return c, err
	}
	for _, n := range g.Nodes {
		size := 1.0
		for _, d := range n.Params["shape"].Data {
			size *= d
		}
		if size > 1<<12 {
			return c, nil // a large network is no fault
		}
	}
	reset := neuron.Subtract
	return certify.Check(g, certify.Setting{Options: nir.Options{DT: 0.5, Reset: &reset}, Steps: 3})
}

// A file that is cut short anywhere is one error.
func TestTruncatedFiles(t *testing.T) {
	b := encoded(t, recurrent(rand.New(rand.NewPCG(1, 1)), "LIF"))
	if _, err := check(b); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b)-8; n += max(1, len(b)/97) {
		if _, err := check(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are no error", n, len(b))
		} else if text := err.Error(); strings.Contains(text, "\n") {
			t.Errorf("%d bytes: %q", n, text)
		}
	}
}

// Parameters of sizes and values that do not fit, by the node's name.
func TestLyingSizes(t *testing.T) {
	for want, change := range map[string]func(g *nir.Graph){
		`node "in" (Affine): weight of shape [6 5]`: func(g *nir.Graph) {
			g.Nodes[1].Params["weight"] = random(rand.New(rand.NewPCG(1, 1)), 0, 1, 6, 5)
		},
		`node "in" (Affine): bias of shape [5]`: func(g *nir.Graph) {
			g.Nodes[1].Params["bias"] = random(rand.New(rand.NewPCG(1, 1)), 0, 1, 5)
		},
		`node "n" (LIF): tau of shape [7]`: func(g *nir.Graph) {
			g.Nodes[2].Params["tau"] = random(rand.New(rand.NewPCG(1, 1)), 1, 2, 7)
		},
		"want it positive":    func(g *nir.Graph) { g.Nodes[2].Params["tau"].Data[3] = -1 },
		"want positive sizes": func(g *nir.Graph) { g.Nodes[0].Params["shape"].Data[0] = 0 },
		`the nodes back, late, n, output are on cycles`: func(g *nir.Graph) {
			g.Nodes = append(g.Nodes, nir.Node{Name: "back", Kind: "Scale", Params: map[string]nir.Param{"scale": {Data: []float64{1}}}})
			g.Edges = append(g.Edges, nir.Edge{From: "late", To: "back"}, nir.Edge{From: "back", To: "n"})
		},
	} {
		g := recurrent(rand.New(rand.NewPCG(1, 1)), "LIF")
		change(g)
		if _, err := check(encoded(t, g)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzCheck: no file brings reading, lowering or checking down.
func FuzzCheck(f *testing.F) {
	for i, kind := range certify.Populations {
		f.Add(encoded(f, recurrent(rand.New(rand.NewPCG(uint64(i), 1)), kind)))
	}
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = check(b) })
}
