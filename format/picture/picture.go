// Package picture decodes PNG and JPEG images from hands that are not trusted, turned
// as their Exif orientation says they are to be seen:
//
//	1 as stored            5 mirrored at the main diagonal
//	2 mirrored sideways    6 turned by 90° clockwise
//	3 turned by 180°       7 mirrored at the other diagonal
//	4 mirrored upside down 8 turned by 90° anticlockwise
//
// The orientation is looked for in the Exif segment of a JPEG file, and in the chunk
// eXIf of a PNG file where it stands before the pixels. An image that declares more
// than MaxSide pixels on a side or MaxPixels in all is refused before memory is taken
// for it.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders of image.Decode
	_ "image/png"
	"io"

	"golang.org/x/image/draw"

	"synfire/internal/magic"
)

const (
	// MaxSide is the most pixels of a side.
	MaxSide = 1 << 14
	// MaxPixels is the most pixels of an image.
	MaxPixels = 1 << 26
)

// Info is what an image's file says before its pixels.
type Info struct {
	Width, Height int  // as the image is seen
	Grey          bool // one channel
	Orientation   int  // of Exif, 1 to 8
}

// ReadInfo reads the beginning of a file.
func ReadInfo(r io.Reader) (Info, error) {
	var head bytes.Buffer // what decoding the size went over holds the orientation
	c, _, err := image.DecodeConfig(io.TeeReader(r, &head))
	if errors.Is(err, image.ErrFormat) {
		return Info{}, fmt.Errorf("the image cannot be decoded: the file is %s, not PNG or JPEG: replace the file or remove it", magic.Found(head.Bytes()[:min(head.Len(), magic.Bytes)]))
	}
	if err != nil {
		return Info{}, damaged(err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxSide || c.Height > MaxSide || c.Width*c.Height > MaxPixels {
		return Info{}, fmt.Errorf("%d×%d pixels are declared; expected at least 1×1, at most %d on a side and %d in all: scale it down or remove it", c.Width, c.Height, MaxSide, MaxPixels)
	}
	i := Info{Width: c.Width, Height: c.Height, Grey: c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model, Orientation: orientation(head.Bytes())}
	if i.Orientation >= 5 {
		i.Width, i.Height = i.Height, i.Width
	}
	return i, nil
}

// Decode decodes a whole file.
func Decode(b []byte) (image.Image, error) {
	info, err := ReadInfo(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, damaged(err)
	}
	return turn(m, info.Orientation), nil
}

func damaged(err error) error {
	return fmt.Errorf("the image cannot be decoded (%w): replace the file or remove it", err)
}

// Pack writes an image to dst as height, width, channels, stretched to that size where
// it has another; of channels there are 1 (grey) or 3. What is transparent is black.
func Pack(dst []uint8, m image.Image, height, width, channels int) {
	to := image.Rect(0, 0, width, height)
	if channels == 1 {
		stretch(&image.Gray{Pix: dst, Stride: width, Rect: to}, m)
		return
	}
	rgba := image.NewRGBA(to)
	stretch(rgba, m)
	for i := range height * width {
		copy(dst[3*i:3*i+3], rgba.Pix[4*i:])
	}
}

func stretch(dst draw.Image, m image.Image) {
	if m.Bounds().Size() == dst.Bounds().Size() {
		draw.Draw(dst, dst.Bounds(), m, m.Bounds().Min, draw.Src)
		return
	}
	draw.BiLinear.Scale(dst, dst.Bounds(), m, m.Bounds(), draw.Src, nil)
}
