package bptt

import (
	"fmt"
	"math"
	"strconv"
)

// Lead says when a sample is answered: once its largest score leads by
// Lead, or with Certain once no later spike can change the answer; with neither
// after all steps. In files these are a number, certain and off.
type Lead struct {
	Lead    float64 // in spikes, or the unit of the network's output
	Certain bool
}

// On reports whether samples are answered early.
func (e Lead) On() bool { return e.Certain || e.Lead > 0 }

// String is how the value stands in files.
func (e Lead) String() string {
	switch {
	case e.Certain:
		return "certain"
	case e.Lead > 0:
		return strconv.FormatFloat(e.Lead, 'g', -1, 64)
	}
	return "off"
}

// MarshalText is String.
func (e Lead) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText is the inverse of String.
func (e *Lead) UnmarshalText(text []byte) error {
	switch string(text) {
	case "off":
		*e = Lead{}
		return nil
	case "certain":
		*e = Lead{Certain: true}
		return nil
	}
	lead, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(lead > 0) || math.IsInf(lead, 1) {
		return fmt.Errorf("early exit %q: want the lead of the largest score, a positive number, or certain, or off", text)
	}
	*e = Lead{Lead: lead}
	return nil
}
