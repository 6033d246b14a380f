package recordings_test

import (
	"archive/zip"
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/recordings"
	"synfire/format/spiketrain"
	"synfire/internal/shared"
)

func load(t *testing.T) *recordings.Archive {
	t.Helper()
	dir := filepath.Dir(shared.File(t, "data/recordings.zip"))
	a, err := recordings.Load(t.Context(), data.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Every recording has the units and spikes that the index counts, inside its window.
func TestEveryRecording(t *testing.T) {
	a := load(t)
	total, infos := 0, a.Infos
	if len(infos) != 128 {
		t.Errorf("%d recordings, want 128", len(infos))
	}
	if testing.Short() {
		infos = infos[:20]
	}
	for _, r := range infos {
		rec, err := a.Recording(r)
		if err != nil {
			t.Fatal(err)
		}
		trials := max(1, len(rec.Trials))
		if len(rec.Trials) != len(r.Trials) {
			t.Errorf("%s: %d trials, want %d", r.File, len(rec.Trials), len(r.Trials))
		}
		spikes := 0
		for i := range trials {
			one := rec
			if len(rec.Trials) > 0 {
				if one, err = rec.Trial(rec.Trials[i]); err != nil {
					t.Fatal(err)
				}
			}
			trains, _, err := one.Build(spiketrain.Options{Repeats: true})
			if err != nil || len(trains) != len(r.Units) {
				t.Errorf("%s: %d units, want %d, %v", r.File, len(trains), len(r.Units), err)
			}
			for _, u := range trains {
				spikes += len(u.Times)
			}
		}
		if spikes != r.Spikes {
			t.Errorf("%s: %d spikes, want %d", r.File, spikes, r.Spikes)
		}
		total += spikes
	}
	if !testing.Short() && total != 4938545 {
		t.Errorf("%d spikes, want 4,938,545", total)
	}
}

func TestInfo(t *testing.T) {
	a := load(t)
	r, err := a.Info("star/CAL1V")
	if err != nil || *r.On != 4.49 || *r.Off != 4.99 || r.Window != [2]float64{0, 11} || len(r.Units) != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := a.Info("star/CAL1W"); err == nil || !strings.Contains(err.Error(), "star/CAL1V") {
		t.Errorf("%v", err)
	}
}

// Archives that are not whole are refused.
func TestBrokenArchives(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"index.json":                      {},
		"lacks a file, units or a window": {"index.json": `{"recordings":[{"file":"a.csv","units":["u"],"window_s":[2,1]}]}`},
		"unexpected end":                  {"index.json": `{"recordings":[`},
		"a.csv":                           {"index.json": `{"recordings":[{"file":"a.csv","units":["u"],"window_s":[0,1]}]}`},
		`unit "v"`:                        {"index.json": `{"recordings":[{"file":"a.csv","units":["u"],"window_s":[0,1]}]}`, "a.csv": "unit,time\nv,0.5\n"},
	} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for name, text := range files {
			f, err := w.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			f.Write([]byte(text))
		}
		w.Close()
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		a, err := recordings.Open(z)
		if err == nil {
			_, err = a.Recording(a.Infos[0])
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
