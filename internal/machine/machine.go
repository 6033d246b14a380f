// Package machine tells what this machine and this process are: the processor, the
// memory, how much of it was taken.
package machine

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// CPU is the processor's vendor, name and family-model-stepping where the system
// tells them: one name stands for a dozen processors.
func CPU() string {
	facts := map[string]string{}
	for key, value := range pairs("/proc/cpuinfo", ":") {
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
	return memory("MemTotal")
}

// Free is the memory that this process may still take, in bytes: what the system has,
// or less where the process is in a group with a bound; 0 where it is not known.
func Free() (bytes int64) {
	free := memory("MemAvailable")
	if bound, err := number("/sys/fs/cgroup/memory.max"); err == nil && free > 0 {
		used, _ := number("/sys/fs/cgroup/memory.current") // none was used where there is none
		for key, value := range pairs("/sys/fs/cgroup/memory.stat", " ") {
			if cached, err := strconv.ParseInt(value, 10, 64); key == "file" && err == nil {
				used -= cached // given back when it is needed
			}
		}
		free = min(free, max(1, bound-used))
	}
	return free
}

func number(path string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}

// memory is an entry of what the system says of its memory, in bytes.
func memory(entry string) int64 {
	for key, value := range pairs("/proc/meminfo", ":") {
		var kb int64
		if _, err := fmt.Sscanf(value, "%d kB", &kb); key == entry && err == nil {
			return kb << 10
		}
	}
	return 0
}

// pairs are the keys and values in the lines of a file, none where there is no such file.
func pairs(path, between string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			key, value, ok := strings.Cut(s.Text(), between)
			if ok && !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
