package exchange

import (
	"path/filepath"
	"strings"
	"testing"

	"synfire/network"
	"synfire/tensor"
)

// The steps of a certificate are 1 to 100,000, when it is written and when it is asked for; after
// them the network and the file are looked at.
func TestStepsOfACertificate(t *testing.T) {
	dir := t.TempDir()
	for steps, refused := range map[int]bool{-1: true, 0: true, 1: false, 100_000: false, 100_001: true} {
		c := &Export{Out: filepath.Join(dir, "net.nir"), Steps: &steps}
		_, err := writeNIR(c, network.Graph{Input: tensor.Shape{4, 3}}, nil) // a shape that NIR has not
		if err == nil || strings.Contains(err.Error(), "want 1 to 100000") != refused {
			t.Errorf("written with %d steps: %v", steps, err)
		}
		_, err = (&Certify{File: filepath.Join(dir, "absent.nir"), Steps: steps}).check()
		if err == nil || strings.Contains(err.Error(), "want 1 to 100000") != refused {
			t.Errorf("certified with %d steps: %v", steps, err)
		}
	}
}
