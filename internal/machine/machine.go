// Package machine tells what this machine and this process are: the processor, the
// memory, how much of it was taken.
package machine

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// CPU is the processor's vendor, name and family-model-stepping where the system
// tells them: one name stands for a dozen processors.
func CPU() string {
	facts := map[string]string{}
	for key, value := range pairs("/proc/cpuinfo") {
		if _, known := facts[key]; !known {
			facts[key] = value
		}
	}
	if facts["model name"] == "" {
		return runtime.GOARCH
	}
	parts := []string{facts["model name"]}
	if v := facts["vendor_id"]; v != "" && !strings.HasPrefix(parts[0], v) {
		parts = append([]string{v}, parts...)
	}
	if facts["cpu family"] != "" {
		parts = append(parts, facts["cpu family"]+"-"+facts["model"]+"-"+facts["stepping"])
	}
	return strings.Join(parts, ", ")
}

// Memory is the machine's, in bytes; 0 where it is not known.
func Memory() (bytes int64) {
	for key, value := range pairs("/proc/meminfo") {
		var kb int64
		if _, err := fmt.Sscanf(value, "%d kB", &kb); key == "MemTotal" && err == nil {
			return kb << 10
		}
	}
	return 0
}

// pairs are the lines "key: value" of a file, none where there is no such file.
func pairs(path string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			key, value, ok := strings.Cut(s.Text(), ":")
			if ok && !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
