package spiketrain_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"synfire/format/spiketrain"
	"synfire/internal/limit"
)

// What is asked for in all to read a recording is little more than what it becomes:
// text took three times as much, JSON seven.
func TestMemoryOfText(t *testing.T) {
	line := strings.TrimSuffix(strings.Repeat("1.5,", 1000), ",")
	const lines = 1000
	for form, c := range map[string]struct {
		src  string
		most float64 // times what is returned
		read func(src string) (spiketrain.Recording, error)
	}{
		"text": {strings.Repeat(line+"\n", lines), 1.2, func(src string) (spiketrain.Recording, error) {
			return spiketrain.ReadText(strings.NewReader(src), 0)
		}},
		"json": {`{"trains":[` + strings.TrimSuffix(strings.Repeat("["+line+"],", lines), ",") + "]}", 1.2, func(src string) (spiketrain.Recording, error) {
			list, _, err := spiketrain.ReadJSON(strings.NewReader(src), 0)
			return list[0], err
		}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rec, err := c.read(c.src)
		runtime.ReadMemStats(&after)
		if err != nil || len(rec.Trains) != lines {
			t.Fatalf("%s: %d trains, %v", form, len(rec.Trains), err)
		}
		if ratio := float64(after.TotalAlloc-before.TotalAlloc) / (8 * 1000 * lines); ratio > c.most {
			t.Errorf("%s: %.2f times what is returned was asked for", form, ratio)
		}
	}
}

// Text is refused while it is read where the machine has no memory left.
func TestTextBeyondMemoryIsRefused(t *testing.T) {
	defer limit.Pretend(1 << 20)()
	_, err := spiketrain.ReadText(strings.NewReader(strings.Repeat(strings.Repeat("1 ", 1000)+"\n", 10_000)), 0)
	var memory *limit.MemoryError
	if !errors.As(err, &memory) {
		t.Errorf("%v", err)
	}
}

// A file of short lines became trains without end, 4 GB of 120 MB.
func TestTrainsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 4 million trains")
	}
	if _, err := spiketrain.ReadText(strings.NewReader(strings.Repeat("1\n", spiketrain.MaxTrains+1)), 0); err == nil || !strings.Contains(err.Error(), "more than 4194304 trains") {
		t.Errorf("%v", err)
	}
}

// Lists within trains and fields that are not known are read as before.
func TestJSONOfOtherKinds(t *testing.T) {
	src := "{\"x\":[[{\"y\":[1]}],\"]\"],\"Trains\":[ [ ] ,[ 1 , 2e0 ]\n],\"t_start\":0,\"T_END\":3} {\"cases\":null,\"trains\":[[]]}"
	list, many, err := spiketrain.ReadJSON(strings.NewReader(src), 0)
	if err != nil || !many || len(list) != 2 || len(list[0].Trains[0].Times) != 0 || list[0].Trains[1].Times[1] != 2 || list[0].Window[1] != 3 {
		t.Errorf("%+v, %v, %v", list, many, err)
	}
	for src, want := range map[string]string{
		`{"trains":[[[1]]]}`:                  "train 0, spike 0",
		`{"trains":3}`:                        `number for "trains"`,
		`{"trains":[[1]],"units":[1]}`:        `number for "units"`,
		strings.Repeat(`{"a":`, 100):          "not JSON",
		`{"a":` + strings.Repeat("[", 20_000): "more than 10000",
		`{"trains":[[1]]`:                     "not JSON from line 1",
		"{\"trains\":[[1]]}\n]":               "line 2",
	} {
		if _, _, err := spiketrain.ReadJSON(strings.NewReader(src), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", src, err, want)
		}
	}
}
