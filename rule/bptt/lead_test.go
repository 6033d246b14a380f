package bptt_test

import (
	"testing"

	"synfire/rule/bptt"
)

func TestEarlyExitText(t *testing.T) {
	for text, want := range map[string]bptt.Lead{"off": {}, "certain": {Certain: true}, "2.5": {Lead: 2.5}} {
		var e bptt.Lead
		if err := e.UnmarshalText([]byte(text)); err != nil || e != want || e.String() != text || e.On() != (text != "off") {
			t.Errorf("%q is %+v, %q: %v", text, e, e, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "soon", "inf", "nan"} {
		if new(bptt.Lead).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q: accepted", text)
		}
	}
}
