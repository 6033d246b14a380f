package picture

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/draw"
)

// orientation is that of the Exif data in the beginning of a file; 1 where there is
// none, or none that makes sense.
func orientation(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8")):
		return ofJPEG(b[2:])
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return ofPNG(b[8:])
	}
	return 1
}

// ofJPEG goes over segments: a marker of two bytes, the length of what follows.
func ofJPEG(b []byte) int {
	for len(b) >= 4 && b[0] == 0xff {
		if b[1] == 0xff { // filling
			b = b[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < 2 || len(b) < 2+n {
			return 1
		}
		if data, ok := bytes.CutPrefix(b[4:2+n], []byte("Exif\x00\x00")); ok && b[1] == 0xe1 {
			return ofTIFF(data)
		}
		b = b[2+n:]
	}
	return 1
}

// ofPNG goes over chunks: length, name, data, checksum.
func ofPNG(b []byte) int {
	for len(b) >= 12 {
		n := int64(binary.BigEndian.Uint32(b))
		if int64(len(b)) < 12+n {
			return 1
		}
		if string(b[4:8]) == "eXIf" {
			return ofTIFF(b[8 : 8+n])
		}
		b = b[12+n:]
	}
	return 1
}

// ofTIFF looks for tag 274 among the entries of the first directory.
func ofTIFF(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(b) < 8 {
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := int(order.Uint16(b[at:]))
	for b = b[at+2:]; entries > 0 && len(b) >= 12; entries, b = entries-1, b[12:] {
		if order.Uint16(b) != 274 {
			continue
		}
		if o := int(order.Uint16(b[8:])); o >= 1 && o <= 8 {
			return o
		}
	}
	return 1
}

// turn is the image as it is to be seen.
func turn(m image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return m
	}
	size := m.Bounds().Size()
	w, h := size.X, size.Y
	to := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		to = image.Rect(0, 0, h, w)
	}
	var dst draw.Image = image.NewRGBA64(to)
	switch m.(type) { // eight bits stay eight bits
	case *image.Gray:
		dst = image.NewGray(to)
	case *image.YCbCr, *image.RGBA, *image.NRGBA, *image.Paletted, *image.CMYK:
		dst = image.NewRGBA(to)
	case *image.Gray16:
		dst = image.NewGray16(to)
	}
	origin := m.Bounds().Min
	for y := range to.Dy() {
		for x := range to.Dx() {
			sx, sy := source(orientation, x, y, w, h)
			dst.Set(x, y, m.At(origin.X+sx, origin.Y+sy))
		}
	}
	return dst
}

// source is the pixel of an image of w×h that is seen at (x, y).
func source(orientation, x, y, w, h int) (sx, sy int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}
