package spiketrain

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"synfire/internal/eol"
	"synfire/internal/limit"
)

// ReadNEX reads the two forms of text that NeuroExplorer imports, and writes, for timestamps, as
// of recordings by Plexon (its manual, "Importing Timestamps From Text Files"): a table with a
// column for each neuron, parted by tabs, whose first line has the names, shorter columns empty
// at their end; or lines of a name and a time. A column without a time is a silent unit. More
// than max bytes are an error; max ≤ 0 means DefaultMax.
func ReadNEX(r io.Reader, max int64) (Recording, error) {
	n := nex{lines: bufio.NewScanner(bounded(r, max))}
	n.lines.Buffer(nil, MaxLine)
	rec, err := n.read()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("line %d is longer than %d bytes", n.line+1, MaxLine)
	}
	if err != nil {
		return Recording{}, fmt.Errorf("spike trains: %w", err)
	}
	return rec, nil
}

type nex struct {
	lines *bufio.Scanner
	line  int
}

// next is the next line that is not empty.
func (n *nex) next() (text string, err error) {
	for n.lines.Scan() {
		n.line++
		if err := eol.Check(n.lines.Bytes(), n.line); err != nil {
			return "", err
		}
		if text = strings.TrimRight(n.lines.Text(), "\r"); strings.TrimSpace(text) != "" {
			if !utf8.ValidString(text) {
				return "", fmt.Errorf("line %d: want text in UTF-8", n.line)
			}
			return text, nil
		}
	}
	if err := n.lines.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

func (n *nex) read() (Recording, error) {
	first, err := n.next()
	if errors.Is(err, io.EOF) {
		return Recording{}, fmt.Errorf("%w: the file is empty; want names of neurons and times", ErrSilent)
	}
	if err != nil {
		return Recording{}, err
	}
	if words := strings.Fields(first); len(words) == 2 {
		if _, err := parseTime(words[1]); err == nil {
			return n.pairs(first)
		}
	}
	return n.table(first)
}

// pairs reads lines of a name and a time.
func (n *nex) pairs(text string) (Recording, error) {
	var spikes Spikes
	for {
		words := strings.Fields(text)
		if len(words) != 2 {
			return Recording{}, fmt.Errorf("line %d: %d words, want a name and a time", n.line, len(words))
		}
		at, err := parseTime(words[1])
		if err != nil {
			return Recording{}, fmt.Errorf("line %d: %w", n.line, err)
		}
		if err := spikes.Add(words[0], "", n.line, at); err != nil {
			return Recording{}, err
		}
		if text, err = n.next(); errors.Is(err, io.EOF) {
			return spikes.Recording()
		} else if err != nil {
			return Recording{}, err
		}
	}
}

// table reads columns of times below their names.
func (n *nex) table(head string) (rec Recording, err error) {
	names := strings.Split(strings.TrimRight(head, "\t "), "\t")
	if len(names) > MaxTrains {
		return rec, tooManyTrains()
	}
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); !startsWithLetter(names[i]) {
			return rec, fmt.Errorf("line %d, column %d: the name is %q; want one that begins with a letter, as NeuroExplorer writes them, columns parted by tabs", n.line, i+1, shorten(name))
		}
		rec.Trains = append(rec.Trains, Train{Unit: names[i], Line: n.line + 1})
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) < len(names) {
		return rec, fmt.Errorf("line %d: two columns have one name; rename one", n.line)
	}
	var memory limit.Meter
	ended := make([]bool, len(names))
	for {
		text, err := n.next()
		if errors.Is(err, io.EOF) {
			return rec, nil
		}
		if err != nil {
			return rec, err
		}
		cells := strings.Split(strings.TrimRight(text, "\t "), "\t")
		if len(cells) > len(names) {
			return rec, fmt.Errorf("line %d: %d columns below %d names", n.line, len(cells), len(names))
		}
		for i := range names {
			cell := ""
			if i < len(cells) {
				cell = strings.TrimSpace(cells[i])
			}
			if cell == "" {
				ended[i] = true
				continue
			}
			at, err := parseTime(cell)
			switch {
			case err != nil:
				return rec, fmt.Errorf("line %d, column %s: %w", n.line, shorten(names[i]), err)
			case ended[i]:
				return rec, fmt.Errorf("line %d, column %s: a time below an empty place; want columns that are empty at their end alone", n.line, shorten(names[i]))
			}
			if rec.Trains[i].Times = append(rec.Trains[i].Times, at); len(rec.Trains[i].Times)&(blockSize-1) == 0 {
				if err := memory.Take(8 * blockSize); err != nil {
					return rec, fmt.Errorf("line %d: %w", n.line, err)
				}
			}
		}
	}
}

func startsWithLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}
