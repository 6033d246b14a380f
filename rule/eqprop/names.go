package eqprop

import "synfire/internal/enum"

var (
	nudgeNames    = []string{"centred", "one-sided", "random-sign"}
	scheduleNames = []string{"simultaneous", "sweep-forward", "sweep-backward"}
	outputNames   = []string{"squared-error", "cross-entropy"}
)

// String is the way's name in configurations.
func (n Nudge) String() string { return enum.Name(n, nudgeNames) }

// MarshalText is String.
func (n Nudge) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText is the inverse of String.
func (n *Nudge) UnmarshalText(text []byte) error { return enum.Parse(n, text, "nudge", nudgeNames) }

// String is the schedule's name in configurations.
func (s Schedule) String() string { return enum.Name(s, scheduleNames) }

// MarshalText is String.
func (s Schedule) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of String.
func (s *Schedule) UnmarshalText(text []byte) error {
	return enum.Parse(s, text, "schedule", scheduleNames)
}

// String is the readout's name in configurations.
func (o Output) String() string { return enum.Name(o, outputNames) }

// MarshalText is String.
func (o Output) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is the inverse of String.
func (o *Output) UnmarshalText(text []byte) error { return enum.Parse(o, text, "output", outputNames) }
