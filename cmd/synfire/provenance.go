package main

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"synfire/internal/kernel"
	"synfire/report"
)

const version = "0.1.0-dev"

// provenance fills in what this program and machine are.
func (a *app) provenance(r report.Run) report.Run {
	r.Synfire, r.CPU, r.Kernel, r.PeakRSSBytes = version, cpuName(), kernel.Current().String(), peakRSS()
	r.Commit, r.Dirty = commit()
	return r
}

// commit is the commit that the program was built from: its stamp, or else
// what git says of the working directory if that is this module's.
func commit() (id string, dirty bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				id = s.Value
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
	}
	if id != "" {
		return id, dirty
	}
	if mod, err := os.ReadFile("go.mod"); err != nil || !strings.HasPrefix(string(mod), "module synfire\n") {
		return "unknown", false
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown", false
	}
	status, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	return strings.TrimSpace(string(head)), err != nil || len(status) > 0
}

// cpuName is the processor's name where the system tells it.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
