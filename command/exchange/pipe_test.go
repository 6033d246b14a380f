//go:build unix

package exchange

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"synfire/exchange/torch"
	"synfire/network"
)

// A pipe is refused: to open it would wait for its writer.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	c := &Import{File: pipe}
	_, _, weights := c.load(network.Graph{}, torch.Names{})
	_, _, nir := readNIR(c)
	_, _, onnx := readONNX(c)
	for want, err := range map[string]error{"want a file": weights, "no regular file": nir, "a pipe or a device": onnx} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
