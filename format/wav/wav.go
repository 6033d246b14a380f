// Package wav reads sound from WAV files: RIFF containers with uncompressed (PCM)
// samples of 8, 16, 24 or 32 bits, or 32-bit floating-point ones. It writes those of 16 bits.
//
//	"RIFF" size "WAVE"      the container
//	"fmt " 16… bytes        coding (1: PCM, 3: float), channels, samples a second,
//	                        bytes a second, bytes a frame, bits a sample
//	"data" size samples     frame after frame, a sample of each channel in a frame
//
// Chunks of other names are passed over. All numbers are little-endian.
package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"synfire/internal/limit"
	"synfire/internal/magic"
)

// Sound is the content of a file. Samples are interleaved: frame after frame, one
// sample of each channel in a frame. Those of n bits are divided by 2ⁿ⁻¹ (8 bits are
// unsigned: 128 becomes 0).
type Sound struct {
	Rate     int // frames a second
	Channels int
	Samples  []float32
}

// codings of samples.
const (
	pcm        = 1
	float      = 3
	extensible = 0xFFFE // the coding follows in an extension
)

type format struct {
	coding, channels, rate, bits int
}

// Read reads a file of at most max bytes.
func Read(r io.Reader, max int64) (*Sound, error) {
	r = limit.Reader(r, max)
	start := make([]byte, 12)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:4]) != "RIFF" || string(start[8:]) != "WAVE" {
		return nil, foreign(start)
	}
	f, size, _, err := samples(r)
	if err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	return f.sound(r, size)
}

// foreign is the error of a file that begins otherwise.
func foreign(start []byte) error {
	return fmt.Errorf("wav: not a WAV file: expected RIFF and WAVE in its first 12 bytes, the file is %s", magic.Found(bytes.TrimRight(start, "\x00")))
}

// Decode decodes a file that is in memory.
func Decode(b []byte) (*Sound, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// Encode is the file of a sound, with samples of 16 bits: the nearest of 2¹⁵·x, and the
// outermost where that is beyond.
func Encode(s *Sound) []byte {
	le, size := binary.LittleEndian, uint32(2*len(s.Samples))
	b := le.AppendUint32([]byte("RIFF"), 36+size)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, pcm), uint16(s.Channels))
	b = le.AppendUint32(le.AppendUint32(b, uint32(s.Rate)), uint32(2*s.Channels*s.Rate))
	b = le.AppendUint16(le.AppendUint16(b, uint16(2*s.Channels)), 16)
	b = le.AppendUint32(append(b, "data"...), size)
	for _, v := range s.Samples {
		v := math.Round(float64(v) * (1 << 15))
		b = le.AppendUint16(b, uint16(int16(min(max(v, math.MinInt16), math.MaxInt16))))
	}
	return b
}

// samples reads up to the samples, which take size bytes; passed is how many bytes it
// read after the file's start.
func samples(r io.Reader) (f *format, size, passed int64, err error) {
	for {
		chunk := make([]byte, 8)
		if _, err := io.ReadFull(r, chunk); err != nil {
			var over *limit.Error
			if errors.As(err, &over) {
				return nil, 0, 0, err
			}
			return nil, 0, 0, errors.New("the file has no samples (chunk \"data\")")
		}
		name, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		passed += 8
		switch {
		case name == "data" && f == nil:
			return nil, 0, 0, errors.New("samples come before their format; convert the file")
		case name == "data":
			return f, size, passed, nil
		case name == "fmt " && size <= maxFormat:
			b := make([]byte, size+size%2) // chunks begin at even places
			if _, err := io.ReadFull(r, b); err != nil {
				return nil, 0, 0, fmt.Errorf("truncated: chunk %q declares %d bytes: %w", name, size, err)
			}
			if f, err = parseFormat(b[:size]); err != nil {
				return nil, 0, 0, err
			}
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return nil, 0, 0, fmt.Errorf("truncated: chunk %q declares %d bytes: %w", name, size, err)
			}
		}
		passed += size + size%2
	}
}

// maxFormat is the longest description of a format, in bytes.
const maxFormat = 1 << 10

func parseFormat(b []byte) (*format, error) {
	if len(b) < 16 {
		return nil, fmt.Errorf("format of %d bytes, expected at least 16", len(b))
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	f := &format{coding: u16(0), channels: u16(2), rate: int(binary.LittleEndian.Uint32(b[4:])), bits: u16(14)}
	if f.coding == extensible && len(b) >= 26 {
		f.coding = u16(24)
	}
	known := f.coding == pcm && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32) || f.coding == float && f.bits == 32
	if !known || f.channels == 0 || f.rate == 0 {
		return nil, fmt.Errorf("coding %d with %d bits, %d channels, %d Hz: expected PCM (1) of 8, 16, 24 or 32 bits or float (3) of 32; convert the file", f.coding, f.bits, f.channels, f.rate)
	}
	return f, nil
}

// sound decodes samples of size bytes, a piece at a time.
func (f *format) sound(r io.Reader, size int64) (*Sound, error) {
	width := f.bits / 8
	var b []byte
	v, err := limit.Collect(size/int64(width), func(piece []float32) (int, error) {
		b = slices.Grow(b[:0], len(piece)*width)[:len(piece)*width]
		n, err := io.ReadFull(r, b)
		for i := range n / width {
			piece[i] = f.sample(b[i*width:])
		}
		return n / width, err
	})
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("wav: truncated: chunk \"data\" declares %d bytes, found %d", size, len(v)*width)
	case err != nil:
		return nil, fmt.Errorf("wav: %w", err)
	}
	if err := f.whole(size); err != nil {
		return nil, err
	}
	return &Sound{Rate: f.rate, Channels: f.channels, Samples: v}, nil
}

// whole is an error where size bytes are no whole frames.
func (f *format) whole(size int64) error {
	if frame := int64(f.bits / 8 * f.channels); size%frame != 0 {
		return fmt.Errorf("wav: %d bytes of samples, expected a multiple of %d", size, frame)
	}
	return nil
}

func (f *format) sample(b []byte) float32 {
	switch {
	case f.coding == float:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case f.bits == 8:
		return (float32(b[0]) - 128) / (1 << 7)
	case f.bits == 16:
		return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case f.bits == 24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
	}
	return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
}
