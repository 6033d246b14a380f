package machine

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestFacts(t *testing.T) {
	if CPU() == "" || PeakRSS() < 0 {
		t.Errorf("processor %q, peak %d", CPU(), PeakRSS())
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells more")
	}
	if Memory() < 1<<26 || PeakRSS() < 1<<20 || PeakRSS() > Memory() {
		t.Errorf("%d bytes of memory, %d taken", Memory(), PeakRSS())
	}
	if Free() < 1 || Free() > Memory() {
		t.Errorf("%d bytes free of %d", Free(), Memory())
	}
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err == nil && strings.Contains(string(raw), "stepping") && strings.Count(CPU(), "-") < 2 {
		t.Errorf("%q has no family, model and stepping", CPU())
	}
}
