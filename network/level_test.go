package network_test

import (
	"testing"

	"synfire/internal/kernel"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
)

// All assembly levels of this machine give the same bits.
func TestLevels(t *testing.T) {
	var levels []kernel.Level
	for _, l := range kernel.Levels() {
		if l != kernel.Go {
			levels = append(levels, l)
		}
	}
	if len(levels) < 2 {
		t.Skipf("levels %v here: there is nothing to compare", kernel.Levels())
	}
	each(t, func(t *testing.T, net *network.Network, in *signal.Signal) {
		var want snntest.Result
		for i, l := range levels {
			restore, err := kernel.SetLevel(l)
			if err != nil {
				t.Fatal(err)
			}
			got := snntest.Run(t, net, in, network.Options{})
			restore()
			if i > 0 {
				snntest.Equal(t, l.String(), want, got)
			}
			want = got
		}
	})
}
