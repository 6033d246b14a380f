package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// ExitNotMet is the command's exit code where a run ended but a tested claim
// is not met.
const ExitNotMet = 3

// Run is everything that `synfire run --json` prints. Paper is empty for recipes
// that belong to none, Recipe for a training file of one's own.
type Run struct {
	Synfire       string   `json:"synfire"`
	Recipe        string   `json:"recipe"`
	Paper         string   `json:"paper"`
	Scale         Scale    `json:"scale"`
	Seed          uint64   `json:"seed"`
	Parts         []string `json:"parts,omitempty"` // of the recipe, where not all of it was run
	Run           string   `json:"run"`
	Dir           string   `json:"dir"`
	Commit        string   `json:"commit"`
	Dirty         bool     `json:"dirty"`
	CPU           string   `json:"cpu"`
	Threads       int      `json:"threads"`
	Kernel        string   `json:"kernel"`
	WallSeconds   float64  `json:"wall_seconds"`
	PeakRSSBytes  int64    `json:"peak_rss_bytes"`
	Result        string   `json:"result,omitempty"` // what the result of a training run is, for people: the last epoch, or the best
	Figure        string   `json:"figure,omitempty"` // of the metrics of a training run the one that says most: the first task's first
	Claims        []Result `json:"claims"`
	Metrics       Metrics  `json:"metrics"`
	WeightsSHA256 string   `json:"weights_sha256"`
}

// WriteJSON writes the run as one line of JSON. Absent claims and metrics are
// written as empty; values, measured figures and metrics that are not finite as
// null.
func (r Run) WriteJSON(w io.Writer) error {
	if r.Claims == nil {
		r.Claims = []Result{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // "≥" and ">" stay readable in the kept result files
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("write run %s as JSON: %w", r.Run, err)
	}
	return nil
}

// Met reports whether no tested claim falls short. A run without tested claims
// is met.
func (r Run) Met() bool { return Count(r.Claims).NotMet == 0 }

// ExitCode is 0, or ExitNotMet where a tested claim falls short.
func (r Run) ExitCode() int {
	if r.Met() {
		return 0
	}
	return ExitNotMet
}

// Verdict is the line that ends a run: its name and how its claims stand.
func (r Run) Verdict() string { return fmt.Sprintf("run %s: %s", r.Run, Count(r.Claims)) }

// Tally counts verdicts.
type Tally struct{ Met, NotMet, NotTested int }

// Count tallies the verdicts of results.
func Count(results []Result) Tally {
	var t Tally
	for _, r := range results {
		switch r.Verdict {
		case Met:
			t.Met++
		case NotTested:
			t.NotTested++
		default: // an unknown verdict must not pass
			t.NotMet++
		}
	}
	return t
}

// String reads, e.g., "2 of 3 claims met, 1 not tested"; where none was tested, "none of
// 3 claims is tested at this scale".
func (t Tally) String() string {
	n := t.Met + t.NotMet + t.NotTested
	if n == 0 {
		return "no claims"
	}
	if t.NotTested == n && n > 1 {
		return fmt.Sprintf("none of %d claims is tested at this scale", n)
	} else if t.NotTested == n {
		return "its claim is not tested at this scale"
	}
	noun := "claims"
	if n == 1 {
		noun = "claim"
	}
	parts := []string{fmt.Sprintf("%d of %d %s met", t.Met, n, noun)}
	if t.NotMet > 0 {
		parts = append(parts, fmt.Sprintf("%d not met", t.NotMet))
	}
	if t.NotTested > 0 {
		parts = append(parts, fmt.Sprintf("%d not tested", t.NotTested))
	}
	return strings.Join(parts, ", ")
}

// Numbers is a list of figures whose JSON has null for those that are not finite,
// and [] for an empty list.
type Numbers []float64

// MarshalJSON implements json.Marshaler.
func (n Numbers) MarshalJSON() ([]byte, error) {
	list := make([]*float64, len(n))
	for i, v := range n {
		list[i] = orNull(v)
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements json.Unmarshaler; null becomes NaN.
func (n *Numbers) UnmarshalJSON(b []byte) error {
	var list []*float64
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*n = make(Numbers, len(list))
	for i, v := range list {
		(*n)[i] = orNaN(v)
	}
	return nil
}

// Metrics are a run's named figures; their JSON has null for those that are not
// finite, and {} for none.
type Metrics map[string]float64

// MarshalJSON implements json.Marshaler.
func (m Metrics) MarshalJSON() ([]byte, error) {
	flat := make(map[string]*float64, len(m))
	for name, v := range m {
		flat[name] = orNull(v)
	}
	return json.Marshal(flat)
}

// UnmarshalJSON implements json.Unmarshaler; null becomes NaN.
func (m *Metrics) UnmarshalJSON(b []byte) error {
	var flat map[string]*float64
	if err := json.Unmarshal(b, &flat); err != nil {
		return err
	}
	*m = make(Metrics, len(flat))
	for name, v := range flat {
		(*m)[name] = orNaN(v)
	}
	return nil
}

func orNull(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
