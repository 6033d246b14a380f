// Package wav reads sound from WAV files: RIFF containers with uncompressed (PCM)
// samples of 8, 16, 24 or 32 bits, or 32-bit floating-point ones.
//
//	"RIFF" size "WAVE"      the container
//	"fmt " 16… bytes        coding (1: PCM, 3: float), channels, samples a second,
//	                        bytes a second, bytes a frame, bits a sample
//	"data" size samples     frame after frame, a sample of each channel in a frame
//
// Chunks of other names are passed over. All numbers are little-endian.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"synfire/internal/limit"
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
	b, err := limit.ReadAll(r, max)
	if err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	return Decode(b)
}

// Decode decodes a file that is in memory.
func Decode(b []byte) (s *Sound, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("wav: not a WAV file: expected RIFF and WAVE in its first 12 bytes")
	}
	var f *format
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		if size > int64(len(b)) {
			return nil, fmt.Errorf("wav: truncated: chunk %q declares %d bytes, found %d", name, size, len(b))
		}
		chunk := b[:size]
		b = b[min(size+size%2, int64(len(b))):] // chunks begin at even places
		switch name {
		case "fmt ":
			if f, err = parseFormat(chunk); err != nil {
				return nil, fmt.Errorf("wav: %w", err)
			}
		case "data":
			if f == nil {
				return nil, errors.New("wav: samples come before their format; convert the file")
			}
			return f.sound(chunk)
		}
	}
	return nil, errors.New("wav: the file has no samples (chunk \"data\")")
}

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

// sound decodes the samples of whole frames.
func (f *format) sound(b []byte) (*Sound, error) {
	size := f.bits / 8
	if frame := size * f.channels; len(b)%frame != 0 {
		return nil, fmt.Errorf("wav: %d bytes of samples, expected a multiple of %d", len(b), frame)
	}
	s := &Sound{Rate: f.rate, Channels: f.channels, Samples: make([]float32, len(b)/size)}
	for i := range s.Samples {
		s.Samples[i] = f.sample(b[i*size:])
	}
	return s, nil
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
