package wav

import (
	"encoding/binary"
	"errors"
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
		return Info{}, errors.New("wav: not a WAV file: expected RIFF and WAVE in its first 12 bytes")
	}
	var f *format
	for at := int64(len(start)); ; {
		chunk := make([]byte, 8)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return Info{}, errors.New("wav: the file has no samples (chunk \"data\")")
		}
		name, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += int64(len(chunk))
		switch {
		case name == "data" && f == nil:
			return Info{}, errors.New("wav: samples come before their format; convert the file")
		case name == "data":
			frame := int64(f.bits / 8 * f.channels)
			if size%frame != 0 {
				return Info{}, fmt.Errorf("wav: %d bytes of samples, expected a multiple of %d", size, frame)
			}
			return Info{f.rate, f.channels, size / frame, at + size}, nil
		case name == "fmt " && size <= 1<<10:
			b := make([]byte, size+size%2)
			if _, err := io.ReadFull(r, b); err != nil {
				return Info{}, fmt.Errorf("wav: truncated in its format: %w", err)
			}
			var err error
			if f, err = parseFormat(b[:size]); err != nil {
				return Info{}, fmt.Errorf("wav: %w", err)
			}
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return Info{}, fmt.Errorf("wav: truncated in chunk %q: %w", name, err)
			}
		}
		at += size + size%2
	}
}
