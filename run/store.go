// Package run owns the directory that a run leaves behind: while the run goes on, Dir
// writes it; afterwards, or from another process, Read and List tell what ran, how far
// it came, what it measured, and in what two runs differ.
//
// There is no database: a directory is the record of its run, and a folder of them is
// the store. These are a directory's files, each of which may be missing:
//
//	run.json                        what was asked for, written when the run starts (Start)
//	config.yaml                     the resolved configuration
//	metrics.jsonl                   a line for some steps and each epoch (Point, Epoch)
//	log.csv, log.jsonl, events.out… logs, where they are asked for
//	checkpoints/step-N.safetensors  the last two
//	checkpoints/best.safetensors    of the epoch that was the best on validation samples
//	weights.png                     what is being learned, where that is pictures
//	model.safetensors               the model that the run came to
//	result.json                     what the run printed when it was done
//	report.html, report.md, figures what was made of it for people
//	lock                            held while a process writes to the directory
package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"synfire/internal/atomicfile"
)

// Status is how far a run came.
type Status string

// The statuses. An interrupted run can be resumed; an empty one ended before
// anything was saved.
const (
	Done        Status = "done"
	Running     Status = "running"
	Interrupted Status = "interrupted"
	Empty       Status = "empty"
)

// Record is run.json: what it takes to start the run again.
type Record struct {
	Recipe  string    `json:"recipe"` // "" for a training file of one's own
	Scale   string    `json:"scale"`
	Seed    uint64    `json:"seed"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds,omitempty"` // that its processes have worked: see Clock
}

// Info is what a directory tells of its run.
type Info struct {
	Record
	Name   string // of the directory
	Dir    string
	Status Status
	Result *Result // nil unless done
	Raw    []byte  // result.json
	Config []byte  // config.yaml
}

// Result is what the store reads of a result.json; the file has more.
type Result struct {
	Recipe      string              `json:"recipe"`
	Scale       string              `json:"scale"`
	Seed        uint64              `json:"seed"`
	WallSeconds float64             `json:"wall_seconds"`
	Metrics     map[string]*float64 `json:"metrics"` // nil for a figure that is not finite
	Figure      string              `json:"figure"`  // the metric that says it all: the first task's first; "" of runs of before
	Weights     string              `json:"weights_sha256"`
	Claims      []struct {
		ID       string   `json:"id"`
		Measured *float64 `json:"measured"`
		Verdict  string   `json:"verdict"`
	} `json:"claims"`
}

// maxFile bounds what is read of a file of a run.
const maxFile = 64 << 20

// Start makes the directory of a run with its record; a record that is there
// already stays. abandon takes back what Start made, where nothing was saved: the run
// never began, and the next one may have its name.
func Start(dir string, r Record) (abandon func(), err error) {
	path := filepath.Join(dir, recordFile)
	if _, err := os.Stat(path); err == nil {
		return func() {}, nil
	}
	parent := filepath.Dir(dir)
	_, noParent := os.Stat(parent)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the run directory: %w; choose another with --out", err)
	}
	abandon = func() {
		if !unused(dir) {
			return
		}
		for _, name := range []string{recordFile, configFile, metricsFile, lockName, checkpointsDir} {
			os.Remove(filepath.Join(dir, name))
		}
		os.Remove(dir)
		if noParent != nil {
			os.Remove(parent)
		}
	}
	if err := r.write(path); err != nil {
		abandon()
		return nil, err
	}
	return abandon, nil
}

// write replaces the file of a record in one step.
func (r Record) write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

// unused reports whether a directory has nothing but what a run writes before it
// begins.
func unused(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil || InUse(dir) {
		return false
	}
	for _, e := range entries {
		switch e.Name() {
		case recordFile, lockName:
		case configFile: // Open writes it beside a folder for checkpoints
			if _, err := os.Stat(filepath.Join(dir, checkpointsDir)); err != nil {
				return false
			}
		case metricsFile:
			if info, err := e.Info(); err != nil || info.Size() > 0 {
				return false
			}
		case checkpointsDir:
			if saved, err := os.ReadDir(filepath.Join(dir, e.Name())); err != nil || len(saved) > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// List is the runs below root, the newest first. A directory within a run is
// part of it. Without root there are none.
func List(root string) ([]Info, error) {
	var runs []Info
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !d.IsDir() || !isRun(path):
			return nil
		}
		r, err := Read(path)
		if err != nil {
			return err
		}
		runs = append(runs, r)
		return fs.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("list the runs in %s: %w", root, err)
	}
	slices.SortStableFunc(runs, func(a, b Info) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.Name, b.Name))
	})
	return runs, nil
}

func isRun(dir string) bool {
	for _, name := range []string{recordFile, configFile, resultFile} {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// Read reads the run in a directory.
func Read(dir string) (Info, error) {
	r := Info{Name: filepath.Base(dir), Dir: dir, Status: Empty}
	if !isRun(dir) {
		return r, fmt.Errorf("read run %s: there is no run.json, config.yaml or result.json in it; name the directory of a run", dir)
	}
	config, err := read(filepath.Join(dir, configFile))
	if err != nil {
		return r, err
	}
	r.Config = config
	if st, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
		r.Started = st.ModTime().UTC().Truncate(time.Second) // where there is no record
	}
	if err := r.readRecord(); err != nil {
		return r, err
	}
	if r.Raw, err = read(filepath.Join(dir, resultFile)); err != nil {
		return r, err
	}
	if r.Raw != nil {
		r.Result = &Result{}
		if err := json.Unmarshal(r.Raw, r.Result); err != nil {
			return r, fmt.Errorf("read run %s: result.json: %w", dir, err)
		}
		r.Recipe, r.Scale, r.Seed = r.Result.Recipe, r.Result.Scale, r.Result.Seed
	}
	if r.Status, err = status(dir); err != nil {
		return r, fmt.Errorf("read run %s: %w", dir, err)
	}
	if r.Status != Running && r.Result != nil {
		r.Status = Done
	}
	return r, nil
}

// Figures of a part of a study that are kept for --resume are in files of these names, in the
// directory of the job that they are of, whether it was trained there or not.
const (
	figuresPrefix = "arm-"
	figuresExt    = ".gob"
)

// FiguresFile is the path of the figures of a part in a job's directory.
func FiguresFile(job, part string) string {
	return filepath.Join(job, figuresPrefix+part+figuresExt)
}

// holdsFigures reports whether a directory has some. What cannot be read has none.
func holdsFigures(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), figuresPrefix) && strings.HasSuffix(e.Name(), figuresExt)
	})
}

// status is how far a run without a result came: of a study, whose jobs have directories
// of their own within its, the furthest of them.
func status(dir string) (Status, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Empty, err
	}
	parts, out := []string{dir}, Empty
	for _, e := range entries {
		part := filepath.Join(dir, e.Name())
		if e.IsDir() && isRun(part) {
			parts = append(parts, part)
		}
		if e.IsDir() && holdsFigures(part) {
			out = Interrupted
		}
	}
	for _, part := range parts {
		if InUse(part) {
			return Running, nil
		}
		saved, err := checkpoints(part)
		if err != nil {
			return out, err
		}
		if len(saved) > 0 {
			out = Interrupted
		}
	}
	return out, nil
}

func (r *Info) readRecord() error {
	raw, err := read(filepath.Join(r.Dir, recordFile))
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, &r.Record); err != nil {
		return fmt.Errorf("read run %s: run.json: %w", r.Dir, err)
	}
	return nil
}

// read is the content of a file, nil where there is none.
func read(path string) ([]byte, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !st.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: it is no regular file", path)
	case err == nil && st.Size() > maxFile:
		return nil, fmt.Errorf("read %s: it has %d bytes, more than a run writes", path, st.Size())
	}
	return os.ReadFile(path)
}

// History is the run's points and epochs, none where it recorded none.
func (r Info) History() ([]Point, []Epoch, error) { return History(r.Dir) }

// Find is the run of a name below root, or in the directory that the name is.
func Find(root, name string) (Info, error) {
	if isRun(name) {
		return Read(name)
	}
	if dir := filepath.Join(root, name); isRun(dir) {
		return Read(dir)
	}
	runs, err := List(root)
	if err != nil {
		return Info{}, err
	}
	var known []string
	for _, r := range runs {
		known = append(known, r.Name)
	}
	if len(known) == 0 {
		return Info{}, fmt.Errorf("no run %s: there are none in %s; synfire run and synfire train make them", name, root)
	}
	return Info{}, fmt.Errorf("no run %s in %s; there are: %s", name, root, strings.Join(known, ", "))
}

// Line is a line of a difference: Mark is '-' for one of the first text alone,
// '+' for one of the second.
type Line struct {
	Mark byte
	Text string
}

// DiffConfig is the lines in which the configurations differ.
func DiffConfig(a, b Info) ([]Line, error) {
	x, y := lines(a.Config), lines(b.Config)
	if max(len(x), len(y)) > maxLines {
		return nil, fmt.Errorf("compare %s with %s: a config.yaml of %d lines is no configuration of a run", a.Name, b.Name, max(len(x), len(y)))
	}
	return diff(x, y), nil
}

const maxLines = 4000

func lines(src []byte) []string {
	return strings.Split(string(bytes.TrimRight(src, "\n")), "\n")
}

// diff is a shortest edit of one text into the other, by the longest common
// subsequence, without the lines that both share.
func diff(a, b []string) (out []Line) {
	common := make([][]int, len(a)+1) // length for a[i:], b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, Line{'-', a[i]})
			i++
		default:
			out = append(out, Line{'+', b[j]})
			j++
		}
	}
	return out
}
