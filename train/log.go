package train

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"synfire/format/tfevents"
	"synfire/run"
	"synfire/task"
)

// LogEntry is named figures after some step, as logs keep them: train/loss,
// valid/accuracy, test/accuracy and rate/LAYER.
type LogEntry struct {
	Time    time.Time // zero where the loop has no clock
	Epoch   int       // from 1
	Step    int       // steps done
	Scalars []task.Scalar
}

// Log is a file that follows a run, for another program to show. A checkpoint
// records how long it is, and a resumed run continues it from there.
type Log interface {
	Name() string          // of the file, unique within a run
	Open(size int64) error // drops what follows the first size bytes
	Write(r LogEntry) error
	Size() int64
	Close() error
}

// LogKinds are the names that NewLogs takes.
var LogKinds = []string{"tensorboard", "csv", "jsonl"}

// NewLogs makes logs of the named kinds in a directory.
func NewLogs(dir string, kinds []string) ([]Log, error) {
	var logs []Log
	for _, k := range kinds {
		switch k {
		case "tensorboard":
			logs = append(logs, TensorBoard(dir))
		case "csv":
			logs = append(logs, CSV(filepath.Join(dir, "log.csv")))
		case "jsonl":
			logs = append(logs, JSONLines(filepath.Join(dir, "log.jsonl")))
		default:
			return nil, fmt.Errorf("logs: no kind %q; there are %s", k, strings.Join(LogKinds, ", "))
		}
	}
	return logs, nil
}

// CSV is a log as a table with a row for each figure and the columns step, epoch,
// time, name and value.
func CSV(path string) Log {
	return &fileLog{path: path, head: []byte("step,epoch,time,name,value\n"), encode: encodeCSV}
}

// JSONLines is a log as a JSON object a line: step, epoch, time, and each figure
// by its name; one that is not finite is null.
func JSONLines(path string) Log { return &fileLog{path: path, encode: encodeJSON} }

// TensorBoard is a log as an event file in a directory that TensorBoard is pointed
// to.
func TensorBoard(dir string) Log {
	return &fileLog{
		path: filepath.Join(dir, "events.out.tfevents.0.synfire"),
		head: tfevents.Append(nil, tfevents.Event{Version: tfevents.Version}), encode: encodeEvent,
	}
}

// fileLog is a log whose file begins with a head and takes records at its end.
type fileLog struct {
	path   string
	head   []byte
	encode func(LogEntry) ([]byte, error)
	file   *os.File
	size   int64
}

func (l *fileLog) Name() string { return filepath.Base(l.path) }

func (l *fileLog) Size() int64 { return l.size }

// Open begins anew, too, where the file is shorter than it was: it was removed or
// comes from elsewhere.
func (l *fileLog) Open(size int64) error {
	err := os.MkdirAll(filepath.Dir(l.path), 0o755)
	if err == nil {
		l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_RDWR, 0o644)
	}
	if err != nil {
		return l.failed(err)
	}
	st, err := l.file.Stat()
	if err == nil && st.Size() < size {
		size = 0
	}
	if err == nil {
		err = l.file.Truncate(size)
	}
	if err == nil {
		_, err = l.file.Seek(size, 0)
	}
	if err != nil {
		return l.failed(errors.Join(err, l.file.Close()))
	}
	if l.size = size; size == 0 {
		return l.append(l.head)
	}
	return nil
}

// Write appends the record.
func (l *fileLog) Write(r LogEntry) error {
	b, err := l.encode(r)
	if err != nil {
		return l.failed(err)
	}
	return l.append(b)
}

func (l *fileLog) append(b []byte) error {
	n, err := l.file.Write(b)
	l.size += int64(n)
	if err != nil {
		return l.failed(err)
	}
	return nil
}

// Close closes the file.
func (l *fileLog) Close() error { return l.file.Close() }

func (l *fileLog) failed(err error) error {
	return fmt.Errorf("log %s: %w; free some space or leave this log out, and continue with --resume", l.Name(), err)
}

func encodeCSV(r LogEntry) ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	for _, s := range r.Scalars {
		_ = w.Write([]string{strconv.Itoa(r.Step), strconv.Itoa(r.Epoch), r.clock(), s.Name, strconv.FormatFloat(s.Value, 'g', -1, 64)})
	}
	w.Flush()
	return []byte(b.String()), nil
}

func encodeJSON(r LogEntry) ([]byte, error) {
	line := map[string]any{"step": r.Step, "epoch": r.Epoch}
	if t := r.clock(); t != "" {
		line["time"] = t
	}
	for _, s := range r.Scalars {
		if line[s.Name] = s.Value; math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			line[s.Name] = nil
		}
	}
	b, err := json.Marshal(line)
	return append(b, '\n'), err
}

func encodeEvent(r LogEntry) ([]byte, error) {
	e := tfevents.Event{Step: int64(r.Step)}
	if !r.Time.IsZero() {
		e.WallTime = float64(r.Time.UnixMicro()) / 1e6
	}
	for _, s := range r.Scalars {
		e.Scalars = append(e.Scalars, tfevents.Scalar{Tag: s.Name, Value: float32(s.Value)})
	}
	return tfevents.Append(nil, e), nil
}

// clock is the record's time in UTC, or empty.
func (r LogEntry) clock() string {
	if r.Time.IsZero() {
		return ""
	}
	return r.Time.UTC().Format(time.RFC3339Nano)
}

// openLogs opens the logs where the checkpoint that the run continues from left
// them.
func (l *Loop) openLogs() error {
	for i, log := range l.Logs {
		if err := log.Open(l.progress.LogBytes[log.Name()]); err != nil {
			return errors.Join(err, closeLogs(l.Logs[:i]))
		}
	}
	return nil
}

func closeLogs(logs []Log) (err error) {
	for _, log := range logs {
		err = errors.Join(err, log.Close())
	}
	return err
}

// writeLogs appends a record to each log, and notes their lengths for the next
// checkpoint.
func (l *Loop) writeLogs(r LogEntry) error {
	if len(l.Logs) == 0 {
		return nil
	}
	r.Time = l.now()
	l.progress.LogBytes = map[string]int64{}
	for _, log := range l.Logs {
		if err := log.Write(r); err != nil {
			return err
		}
		l.progress.LogBytes[log.Name()] = log.Size()
	}
	return nil
}

// prefixed are scalars with the split that they are of in front of their names.
func prefixed(split string, scalars []task.Scalar) []task.Scalar {
	out := slices.Clone(scalars)
	for i := range out {
		out[i].Name = split + "/" + out[i].Name
	}
	return out
}

// epochRecord is what an epoch adds to its points: the figures of validation and test
// samples and the firing rates, and where there are no points those of training.
func (l *Loop) epochRecord(e run.Epoch) LogEntry {
	r := LogEntry{Epoch: e.Epoch, Step: e.Step}
	splits := []struct {
		name    string
		figures run.Figures
	}{{SplitTrain, e.Train}, {SplitValid, e.Valid}, {SplitTest, e.Test}, {"rate", e.Rates}}
	for _, s := range splits {
		if s.name == SplitTrain && l.LogEvery > 0 {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.figures)) {
			r.Scalars = append(r.Scalars, task.Scalar{Name: s.name + "/" + name, Value: s.figures[name]})
		}
	}
	return r
}
