package train_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/format/tfevents"
	"synfire/task"
	"synfire/train"
)

// logged is a run of two epochs of 13 steps with logs of every kind.
func logged(t *testing.T, dir string, resume bool) *train.Loop {
	t.Helper()
	f := &fake{after: []outcome{{8, 0.1}, {9, 0.2}}, perEpoch: 13, rates: []train.Rate{{Layer: "spiking1", Spikes: 1, Slots: 4}}}
	l := loopOf(t, f, numbers(26), 2, 2)
	l.Valid, l.WatchTest = nil, true
	openDir(t, l, dir, resume)
	logs, err := train.NewLogs(dir, train.LogKinds)
	if err != nil {
		t.Fatal(err)
	}
	l.Logs, l.LogEvery, l.SaveEvery = logs, 7, 4
	return l
}

func logFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"log.csv", "log.jsonl", "events.out.tfevents.0.synfire"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	return files
}

// Logs of a run that was killed and resumed are, byte for byte, those of one that
// was not, even where they had run ahead of the checkpoint, or were lost.
func TestLogsResume(t *testing.T) {
	plain := t.TempDir()
	finish(t, logged(t, plain, false))
	want := logFiles(t, plain)
	dir := t.TempDir()
	first := logged(t, dir, false)
	ctx, _ := cancelAt(first, "epoch 2, 18 of 26, sum of 18") // after step 22
	if _, err := first.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
		t.Fatal(err)
	}
	first.Dir.Close()
	checkpoints, err := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*"))
	if err != nil || len(checkpoints) != 2 {
		t.Fatalf("%q, %v", checkpoints, err)
	}
	if err := os.Remove(checkpoints[1]); err != nil { // as if killed before it was written
		t.Fatal(err)
	}
	if got := logFiles(t, dir)["log.csv"]; !strings.HasPrefix(want["log.csv"], got) || len(got) == len(want["log.csv"]) {
		t.Fatalf("before resuming, log.csv is not a part of the whole:\n%s", got)
	}
	second := logged(t, dir, true)
	finish(t, second)
	second.Dir.Close()
	if got := logFiles(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("resumed: %q\nwant %q", got, want)
	}
}

// All kinds say the same.
func TestLogsAgree(t *testing.T) {
	dir := t.TempDir()
	l := logged(t, dir, false)
	now := time.Unix(1_700_000_000, 0)
	l.Now = func() time.Time { now = now.Add(time.Second); return now }
	finish(t, l)
	files := logFiles(t, dir)

	rows, err := csv.NewReader(strings.NewReader(files["log.csv"])).ReadAll()
	if err != nil || strings.Join(rows[0], ",") != "step,epoch,time,name,value" {
		t.Fatalf("%v, %v", rows[0], err)
	}
	var fromCSV, fromEvents, fromJSON []string
	for _, r := range rows[1:] {
		fromCSV = append(fromCSV, r[0]+" "+r[3])
	}
	for d := tfevents.NewReader(strings.NewReader(files["events.out.tfevents.0.synfire"])); ; {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Version == "" && e.WallTime < 1_700_000_000 {
			t.Errorf("%+v has no time", e)
		}
		for _, s := range e.Scalars {
			fromEvents = append(fromEvents, fmt.Sprintf("%d %s", e.Step, s.Tag))
		}
	}
	for line := range strings.Lines(files["log.jsonl"]) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		step := m["step"]
		for _, k := range []string{"step", "epoch", "time"} {
			if m[k] == nil {
				t.Errorf("no %s in %s", k, line)
			}
			delete(m, k)
		}
		for name := range m {
			fromJSON = append(fromJSON, fmt.Sprintf("%v %s", step, name))
		}
	}
	if !slices.Equal(fromCSV, fromEvents) {
		t.Errorf("CSV and events differ:\n%q\n%q", fromCSV, fromEvents)
	}
	slices.Sort(fromCSV)
	slices.Sort(fromJSON)
	if !slices.Equal(fromCSV, fromJSON) {
		t.Errorf("CSV and JSON differ:\n%q\n%q", fromCSV, fromJSON)
	}
	for _, want := range []string{"7 train/loss", "13 test/accuracy", "13 rate/spiking1"} {
		if !slices.Contains(fromCSV, want) {
			t.Errorf("no %q in %q", want, fromCSV)
		}
	}
}

// A figure that is not finite is null in JSON, and kept by the others.
func TestLogNotFinite(t *testing.T) {
	dir := t.TempDir()
	logs, err := train.NewLogs(dir, train.LogKinds)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		err := errors.Join(l.Open(0), l.Write(train.LogEntry{Epoch: 1, Step: 2, Scalars: []task.Scalar{{Name: "a,b", Value: math.NaN()}}}), l.Close())
		if st, e := os.Stat(filepath.Join(dir, l.Name())); err != nil || e != nil || st.Size() != l.Size() {
			t.Errorf("%s: %v, %v", l.Name(), err, e)
		}
	}
	files := logFiles(t, dir)
	if files["log.jsonl"] != `{"a,b":null,"epoch":1,"step":2}`+"\n" || !strings.HasSuffix(files["log.csv"], "\n2,1,,\"a,b\",NaN\n") {
		t.Errorf("%q", files)
	}
}

// A log that cannot be kept ends the run and says which.
func TestLogErrors(t *testing.T) {
	if _, err := train.NewLogs("x", []string{"wandb"}); err == nil || !strings.Contains(err.Error(), "tensorboard, csv, jsonl") {
		t.Errorf("unknown kind: %v", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l, _ := fakeLoop(t, outcome{8, 0.1})
	l.Logs = []train.Log{train.CSV(filepath.Join(t.TempDir(), "log.csv")), train.JSONLines(filepath.Join(blocked, "log.jsonl"))}
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "log log.jsonl") {
		t.Errorf("a log below a file: %v", err)
	}
}

func ExampleCSV() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "log.csv")
	log := train.CSV(path) // in a run, Loop.Logs; the loop opens, writes and closes it
	err = errors.Join(log.Open(0), log.Write(train.LogEntry{Epoch: 1, Step: 20, Scalars: []task.Scalar{{Name: "train/loss", Value: 0.5}}}), log.Close())
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := os.ReadFile(path)
	fmt.Print(string(bytes.TrimSpace(b)), err)
	// Output:
	// step,epoch,time,name,value
	// 20,1,,train/loss,0.5<nil>
}
