package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"synfire/format/safetensors"
	"synfire/internal/atomicfile"
)

// RunDir is the directory of one run, held by one process at a time:
//
//	config.yaml                    the resolved configuration
//	metrics.jsonl                  a line an epoch
//	log.csv, …                     logs, where Loop.Logs asks for them
//	checkpoints/step-N.safetensors the last two
//	checkpoints/best.safetensors   the one of the best test accuracy
//	report.html, figures/          what a recipe adds
type RunDir struct {
	Path   string
	Kind   string // of the learner, recorded in checkpoints
	Config []byte // resolved configuration, recorded in checkpoints
	lock   *os.File
}

// checkpoints kept besides the best.
const keepCheckpoints = 2

// OpenRunDir makes or takes the directory. A directory in use by another
// process, of another configuration, or one that cannot be written to is an
// error. Without resume a directory that holds checkpoints is one too.
func OpenRunDir(path, kind string, config []byte, resume bool) (*RunDir, error) {
	if err := os.MkdirAll(filepath.Join(path, "checkpoints"), 0o755); err != nil {
		return nil, fmt.Errorf("open run directory %s: %w; choose another with --out", path, err)
	}
	lock, err := lockFile(filepath.Join(path, "lock"))
	if err != nil {
		return nil, fmt.Errorf("open run directory %s: %w", path, err)
	}
	d := &RunDir{Path: path, Kind: kind, Config: config, lock: lock}
	if err := d.check(resume); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *RunDir) check(resume bool) error {
	names, err := d.list()
	if err != nil {
		return err
	}
	if len(names) > 0 && !resume {
		return fmt.Errorf("open run directory %s: it holds checkpoints of an earlier run; continue it with --resume, or choose another with --out", d.Path)
	}
	file := filepath.Join(d.Path, "config.yaml")
	old, err := os.ReadFile(file)
	if err == nil && len(names) > 0 {
		if !bytes.Equal(old, d.Config) {
			return fmt.Errorf("open run directory %s: its configuration (config.yaml) differs from the one given; resume with the same configuration, or choose another directory with --out", d.Path)
		}
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open run directory: %w", err)
	}
	return d.WriteFile("config.yaml", d.Config)
}

// Close lets other processes use the directory.
func (d *RunDir) Close() error { return unlockFile(d.lock) }

// WriteFile writes a file of the directory in one step.
func (d *RunDir) WriteFile(name string, content []byte) error {
	path := filepath.Join(d.Path, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// list is the step checkpoints, oldest first.
func (d *RunDir) list() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(d.Path, "checkpoints", "step-*.safetensors"))
	sort.Strings(names)
	return names, err
}

// Best is the path of the best checkpoint.
func (d *RunDir) Best() string { return filepath.Join(d.Path, "checkpoints", "best.safetensors") }

// History reads metrics.jsonl.
func (d *RunDir) History() (points []Point, epochs []Epoch, err error) {
	raw, err := os.ReadFile(filepath.Join(d.Path, "metrics.jsonl"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the metrics: %w", err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var p Point
		var e Epoch
		if err := errors.Join(json.Unmarshal([]byte(line), &p), json.Unmarshal([]byte(line), &e)); err != nil {
			return nil, nil, fmt.Errorf("read the metrics: metrics.jsonl:%d: %w", i+1, err)
		}
		if p.Kind == "step" {
			points = append(points, p)
		} else {
			epochs = append(epochs, e)
		}
	}
	return points, epochs, nil
}

// Checkpoint is a file of a learner's state.
type Checkpoint struct {
	Kind   string // of the learner
	Config []byte // resolved configuration
	State  map[string]Array

	progress progress
}

// Keys of a checkpoint's metadata.
const (
	formatKey   = "format"
	formatValue = "synfire checkpoint 1"
	kindKey     = "learner"
	configKey   = "config"
	progressKey = "progress"
)

// ReadCheckpoint reads a checkpoint and verifies its checksum.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	f, err := safetensors.ReadFile(path, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if f.Meta[formatKey] != formatValue {
		return nil, fmt.Errorf("read checkpoint %s: format is %q, want %q: it is another kind of file, or of another version", path, f.Meta[formatKey], formatValue)
	}
	if _, ok := f.Meta[safetensors.SumKey]; !ok {
		return nil, fmt.Errorf("read checkpoint %s: it has no checksum; use another checkpoint of the run", path)
	}
	c := &Checkpoint{Kind: f.Meta[kindKey], Config: []byte(f.Meta[configKey]), State: f.Tensors}
	if err := json.Unmarshal([]byte(f.Meta[progressKey]), &c.progress); err != nil {
		return nil, fmt.Errorf("read checkpoint %s: progress: %w", path, err)
	}
	return c, nil
}

func (d *RunDir) writeCheckpoint(name string, l Learner, p progress) error {
	meta, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return safetensors.WriteFileAtomic(filepath.Join(d.Path, "checkpoints", name), safetensors.File{
		Meta:    map[string]string{formatKey: formatValue, kindKey: d.Kind, configKey: string(d.Config), progressKey: string(meta), safetensors.SumKey: ""},
		Tensors: l.State(),
	})
}

// save writes a step checkpoint and removes the ones that are too old.
func (l *Loop) save() error {
	if l.Dir == nil {
		return nil
	}
	if err := l.Dir.writeCheckpoint(fmt.Sprintf("step-%09d.safetensors", l.progress.Step), l.Learner, l.progress); err != nil {
		return err
	}
	names, err := l.Dir.list()
	if err != nil {
		return err
	}
	for _, old := range names[:max(0, len(names)-keepCheckpoints)] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// record appends an epoch to metrics.jsonl and saves.
func (l *Loop) record(e Epoch) error {
	best := l.Test != nil && e.TestAccuracy > l.progress.Best
	if best {
		l.progress.Best, l.progress.BestEpoch = e.TestAccuracy, e.Epoch
	}
	if err := l.writeLogs(l.epochRecord(e)); err != nil || l.Dir == nil {
		return err
	}
	if err := l.appendMetrics(e); err != nil {
		return err
	}
	if best {
		if err := l.Dir.writeCheckpoint("best.safetensors", l.Learner, l.progress); err != nil {
			return err
		}
	}
	return l.save()
}

// appendMetrics adds a line to metrics.jsonl and notes the file's length.
func (l *Loop) appendMetrics(line any) error {
	n, err := l.Dir.appendMetrics(line)
	l.progress.MetricsBytes = n
	return err
}

func (d *RunDir) appendMetrics(record any) (int64, error) {
	line, err := json.Marshal(record)
	if err != nil {
		return 0, err
	}
	f, err := os.OpenFile(filepath.Join(d.Path, "metrics.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fmt.Errorf("record metrics: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return 0, fmt.Errorf("record metrics: %w; free some space and continue with --resume", err)
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("record metrics: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("record metrics: %w", err)
	}
	return st.Size(), nil
}

// resume continues from the newest checkpoint that is whole, if there is one.
func (l *Loop) resume() error {
	if l.Dir == nil {
		return nil
	}
	names, err := l.Dir.list()
	if err != nil {
		return err
	}
	var failed []error
	for i := len(names) - 1; i >= 0; i-- {
		c, err := ReadCheckpoint(names[i])
		if err != nil {
			failed = append(failed, err)
			l.Observer.Warn(fmt.Sprintf("%v; trying the checkpoint before it", err))
			continue
		}
		if err := l.Learner.SetState(c.State); err != nil {
			return fmt.Errorf("resume from %s: %w", names[i], err)
		}
		if err := l.Train.SetState(c.progress.Cursor); err != nil {
			return fmt.Errorf("resume from %s: %w", names[i], err)
		}
		l.progress = c.progress
		return l.Dir.truncateMetrics(c.progress.MetricsBytes)
	}
	if len(failed) > 0 {
		return fmt.Errorf("resume %s: no checkpoint can be used: %w; start anew in another directory with --out", l.Dir.Path, errors.Join(failed...))
	}
	return l.Dir.truncateMetrics(0)
}

// truncateMetrics drops lines written after the checkpoint.
func (d *RunDir) truncateMetrics(n int64) error {
	err := os.Truncate(filepath.Join(d.Path, "metrics.jsonl"), n)
	if errors.Is(err, fs.ErrNotExist) && n == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume %s: %w", d.Path, err)
	}
	return nil
}
