//go:build unix

package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// PeakRSS is the largest resident size of this process so far, in bytes. Linux's
// rusage starts from the size of the process that started this one, so its own
// file is asked first.
func PeakRSS() int64 {
	status, _ := os.ReadFile("/proc/self/status") // there is none on other systems
	if _, line, ok := strings.Cut(string(status), "\nVmHWM:"); ok {
		var kib int64
		if _, err := fmt.Sscan(line, &kib); err == nil {
			return kib * 1024
		}
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
