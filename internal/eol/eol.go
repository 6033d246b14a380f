// Package eol refuses text whose lines end in carriage returns alone, as old programs
// wrote it: read as it stands it is a single line.
package eol

import (
	"bytes"
	"fmt"
)

// Check returns an error for line number n, from 1 on, with its end, where a carriage
// return stands within it. One between quotes may belong to a field, but for the first
// line, which is all of a file without other ends.
func Check(line []byte, n int) error {
	at := bytes.IndexByte(bytes.TrimRight(line, "\r\n"), '\r')
	if at < 0 || n > 1 && bytes.IndexByte(line, '"') >= 0 {
		return nil
	}
	return fmt.Errorf("line %d has a carriage return within it: lines that end in these alone are not told apart; save the file with line feeds, as by tr '\\r' '\\n' < FILE", n)
}
