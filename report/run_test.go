package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"synfire/report"
)

// contract is what `synfire run --json` promises, field by field and in order.
const contract = `{"synfire":"0.1.0","recipe":"stbp","paper":"stbp-2019","scale":"short","seed":18446744073709551615,` +
	`"run":"stbp-short-s1","dir":"runs/stbp-short-s1","commit":"unknown","dirty":true,"cpu":"a <processor>","threads":2,"kernel":"avx512",` +
	`"wall_seconds":412.3,"peak_rss_bytes":641728512,"claims":[` +
	`{"id":"mnist-cnn","name":"MNIST test accuracy, CNN","unit":"%","published":99.42,"source":"paper, table 3",` +
	`"direction":"at_least","bound":99.2,"measured":99.31,"values":[99.31],"arms":[],"n":10000,"seeds":1,"statistic":"median",` +
	`"verdict":"met","why":""},` +
	`{"id":"order","name":"A > B","unit":"","published":null,"source":"reported",` +
	`"direction":"order","bound":null,"measured":1,"values":[3,2],"arms":["a","b"],"n":0,"seeds":1,"statistic":"median",` +
	`"verdict":"not_tested","why":"no bound at the short scale"},` +
	`{"id":"broken","name":"diverged","unit":"","published":null,"source":"",` +
	`"direction":"at_most","bound":1,"measured":null,"values":[null],"arms":[],"n":0,"seeds":1,"statistic":"mean",` +
	`"verdict":"not_met","why":"value 1 of 1 is NaN, not a finite number"}` +
	`],"metrics":{"loss":null,"test_accuracy":99.31},"weights_sha256":"5f1d"}` + "\n"

func contractRun() report.Run {
	judge := func(c report.Claim, m report.Measurement) report.Result { return c.Judge(report.Short, m) }
	return report.Run{
		Synfire: "0.1.0", Recipe: "stbp", Paper: "stbp-2019", Scale: report.Short, Seed: math.MaxUint64,
		Run: "stbp-short-s1", Dir: "runs/stbp-short-s1", Commit: "unknown", Dirty: true, CPU: "a <processor>", Threads: 2, Kernel: "avx512",
		WallSeconds: 412.3, PeakRSSBytes: 641728512, WeightsSHA256: "5f1d",
		Metrics: report.Metrics{"test_accuracy": 99.31, "loss": math.NaN()},
		Claims: []report.Result{
			judge(report.Claim{ID: "mnist-cnn", Name: "MNIST test accuracy, CNN", Unit: "%", Published: new(99.42), Source: "paper, table 3",
				Direction: report.AtLeast, Bounds: report.Bounds{Short: new(99.2)}, Statistic: report.Median},
				report.Measurement{Values: []float64{99.31}, N: 10000}),
			judge(report.Claim{ID: "order", Name: "A > B", Source: "reported", Direction: report.Order, Statistic: report.Median}, arms("a b", 3, 2)),
			judge(report.Claim{ID: "broken", Name: "diverged", Direction: report.AtMost, Bounds: report.Bounds{Short: new(1.0)}, Statistic: report.Mean}, values(math.NaN())),
		},
	}
}

// Scripts read these names: the JSON to the letter, and back without a field
// that is unknown or lost.
func TestRunJSON(t *testing.T) {
	var b bytes.Buffer
	if err := contractRun().WriteJSON(&b); err != nil || b.String() != contract {
		t.Fatalf("%v\n%s\nwant\n%s", err, b.String(), contract)
	}
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	var r report.Run
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(r.Metrics["loss"]) || !math.IsNaN(r.Claims[2].Values[0]) {
		t.Errorf("null came back as %v and %v, want NaN", r.Metrics["loss"], r.Claims[2].Values[0])
	}
	want := contractRun()
	for _, x := range []*report.Run{&r, &want} { // NaN equals nothing
		x.Metrics["loss"], x.Claims[2].Values[0] = 0, 0
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("came back as\n%+v\nwant\n%+v", r, want)
	}
}

// A run of a file of one's own has no claims: empty lists, never null.
func TestEmptyRunJSON(t *testing.T) {
	var b strings.Builder
	if err := (report.Run{}).WriteJSON(&b); err != nil || !strings.Contains(b.String(), `"claims":[],"metrics":{}`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

// The list of recipes and the exit code of a run are read by scripts, too.
func TestClaimJSON(t *testing.T) {
	c := claim(report.Within, report.Fraction, 0.5)
	c.Seeds = report.Seeds{Short: 1, Full: 3}
	want := `{"id":"c","name":"a claim","unit":"%","published":90,"source":"paper, table 1","direction":"within",` +
		`"bounds":{"smoke":null,"short":0.5,"full":null},"seeds":{"short":1,"full":3},"statistic":"fraction"}`
	if got, err := json.Marshal(c); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// The exit code and the last line follow from the verdicts alone; one that is
// not known must not pass.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		verdicts []report.Verdict
		code     int
		want     string
	}{
		{nil, 0, "run r: no claims"},
		{[]report.Verdict{report.Met}, 0, "run r: 1 of 1 claim met"},
		{[]report.Verdict{report.Met, report.NotTested}, 0, "run r: 1 of 2 claims met, 1 not tested"},
		{[]report.Verdict{report.NotTested}, 0, "run r: its claim is not tested at this scale"},
		{[]report.Verdict{report.NotTested, report.NotTested}, 0, "run r: none of 2 claims is tested at this scale"},
		{[]report.Verdict{report.Met, report.NotMet, report.NotTested}, 3, "run r: 1 of 3 claims met, 1 not met, 1 not tested"},
		{[]report.Verdict{report.Met, "splendid"}, 3, "run r: 1 of 2 claims met, 1 not met"},
	} {
		r := report.Run{Run: "r"}
		for _, v := range c.verdicts {
			r.Claims = append(r.Claims, report.Result{Verdict: v})
		}
		if r.Verdict() != c.want || r.ExitCode() != c.code || r.Met() != (c.code == 0) {
			t.Errorf("%v: %q, exit code %d, met %v; want %q, %d", c.verdicts, r.Verdict(), r.ExitCode(), r.Met(), c.want, c.code)
		}
	}
}

// What a reader sees of numbers.
func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{report.Integer(0), "0"}, {report.Integer(999), "999"}, {report.Integer(1000), "1,000"},
		{report.Integer(-1234567), "-1,234,567"}, {report.Integer(-999), "-999"}, {report.Integer(math.MinInt64), "-9,223,372,036,854,775,808"},
		{report.Bytes(0), "0 B"}, {report.Bytes(1023), "1023 B"}, {report.Bytes(1024), "1.0 KiB"},
		{report.Bytes(1<<20 - 1), "1.0 MiB"}, {report.Bytes(432537600), "412.5 MiB"}, {report.Bytes(5 << 40), "5.0 TiB"}, {report.Bytes(5 << 50), "5120.0 TiB"},
		{report.Seconds(0.42), "0.42 s"}, {report.Seconds(41.26), "41.3 s"}, {report.Seconds(59.96), "1 min 00 s"}, {report.Seconds(412.3), "6 min 52 s"},
		{report.Seconds(3599.6), "1 h 00 min"}, {report.Seconds(7500), "2 h 05 min"}, {report.Seconds(math.NaN()), "–"}, {report.Seconds(-1), "–"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// What cannot be written is an error that names the run.
func TestWriteErrors(t *testing.T) {
	r := contractRun()
	for _, err := range []error{r.WriteJSON(full{}), r.WriteTerminal(full{}, 80, false)} {
		if err == nil || !strings.Contains(err.Error(), "stbp-short-s1") {
			t.Errorf("%v, want an error with the run's name", err)
		}
	}
}
