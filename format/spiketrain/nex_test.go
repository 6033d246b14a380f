package spiketrain_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"synfire/format/spiketrain"
)

// NeuroExplorer's manual has these two files of the same neurons; here a third one is silent.
const (
	nexTable = "Neuron01\tNeuron02\tNeuron03\r\n0.01\t0.001\r\n0.3\t0.05\t\r\n0.5\t0.1\t\n\t0.4\n\n\t0.6\t\n"
	nexPairs = "Neuron01 0.01\nNeuron01 0.3\nNeuron02\t0.001\nNeuron02 0.05\n\nNeuron01 0.5\nNeuron02 0.1\nNeuron02 0.4\nNeuron02 0.6\n"
)

func TestReadNEX(t *testing.T) {
	one, two := []float64{0.01, 0.3, 0.5}, []float64{0.001, 0.05, 0.1, 0.4, 0.6}
	for text, units := range map[string]int{nexTable: 3, nexPairs: 2, "SPK01a\n1.5\n2\n": 1} {
		rec, err := spiketrain.ReadNEX(strings.NewReader(text), 0)
		if err != nil || len(rec.Trains) != units {
			t.Errorf("%q: %+v, %v", text, rec, err)
			continue
		}
		if units > 1 && (!reflect.DeepEqual(rec.Trains[0].Times, one) || !reflect.DeepEqual(rec.Trains[1].Times, two) || rec.Trains[1].Unit != "Neuron02") {
			t.Errorf("%q: %+v", text, rec)
		}
	}
	for text, want := range map[string]string{
		"":                        "empty",
		"a\tb\n1\t2\t3\n":         "line 2: 3 columns below 2 names",
		"a\tb\n1\t5\n\t2\n3\t4\n": "line 4, column a: a time below an empty place",
		"a\t2b\n1\n":              `column 2: the name is "2b"`,
		"a\ta\n1\n":               "one name",
		"a\tb\n1\tx\n":            `line 2, column b: found "x"`,
		"a 1\nb\n":                "line 2: 1 words",
		"a 1\nb NaN\n":            "line 2",
		"\xff\xfe\n":              "UTF-8",
	} {
		if rec, err := spiketrain.ReadNEX(strings.NewReader(text), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", text, rec, err, want)
		}
	}
	if _, err := spiketrain.ReadNEX(strings.NewReader(nexTable), 20); err == nil {
		t.Error("more than was permitted is read")
	}
}

func FuzzNEX(f *testing.F) {
	f.Add([]byte(nexTable))
	f.Add([]byte(nexPairs))
	f.Fuzz(func(t *testing.T, src []byte) {
		rec, err := spiketrain.ReadNEX(bytes.NewReader(src), 1<<20)
		if err == nil && len(rec.Names()) != len(rec.Trains) {
			t.Errorf("%d names of %d trains", len(rec.Names()), len(rec.Trains))
		}
	})
}
