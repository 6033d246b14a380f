package wav

import (
	"fmt"
	"io"
)

// Info is what a file says before its samples.
type Info struct {
	Rate     int // frames a second
	Channels int
	Frames   int64
	End      int64 // bytes of the file up to the last sample
}

// ReadInfo reads the beginning of a file, up to its samples.
func ReadInfo(r io.Reader) (Info, error) {
	start := make([]byte, 12)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:4]) != "RIFF" || string(start[8:]) != "WAVE" {
		return Info{}, foreign(start)
	}
	f, size, passed, err := samples(r)
	if err != nil {
		return Info{}, fmt.Errorf("wav: %w", err)
	}
	if err := f.whole(size); err != nil {
		return Info{}, err
	}
	return Info{f.rate, f.channels, size / int64(f.bits/8*f.channels), int64(len(start)) + passed + size}, nil
}
