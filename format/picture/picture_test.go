package picture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"reflect"
	"slices"
	"testing"

	"synfire/format/picture"
)

// numbered is a grey image of w×h whose pixels are 1, 2, 3 … row by row.
func numbered(w, h int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(i + 1)
	}
	return m
}

// tiff is Exif data with an orientation in either order of bytes.
func tiff(orientation int, order binary.ByteOrder) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	b = append(b, make([]byte, 4+2+24)...)
	order.PutUint32(b[4:], 8)
	order.PutUint16(b[8:], 2)
	order.PutUint16(b[10:], 256) // another tag before it
	order.PutUint16(b[22:], 274)
	order.PutUint16(b[24:], 3)
	order.PutUint32(b[26:], 1)
	order.PutUint16(b[30:], uint16(orientation))
	return b
}

// pngWith is the image with Exif data before its pixels.
func pngWith(t testing.TB, m image.Image, exif []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(append(chunk, "eXIf"...), exif...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return slices.Insert(b.Bytes(), 33, chunk...) // behind IHDR
}

// jpegWith is the image with Exif data.
func jpegWith(t testing.TB, m image.Image, exif []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	segment := append([]byte("\xff\xe1\x00\x00Exif\x00\x00"), exif...)
	binary.BigEndian.PutUint16(segment[2:], uint16(len(segment)-2))
	return slices.Insert(b.Bytes(), 2, segment...)
}

func TestOrientation(t *testing.T) {
	// 1 2 3   as it is seen, by orientation
	// 4 5 6
	want := map[int][]uint8{
		1: {1, 2, 3, 4, 5, 6}, 2: {3, 2, 1, 6, 5, 4}, 3: {6, 5, 4, 3, 2, 1}, 4: {4, 5, 6, 1, 2, 3},
		5: {1, 4, 2, 5, 3, 6}, 6: {4, 1, 5, 2, 6, 3}, 7: {6, 3, 5, 2, 4, 1}, 8: {3, 6, 2, 5, 1, 4},
		0: {1, 2, 3, 4, 5, 6}, 9: {1, 2, 3, 4, 5, 6}, // no orientations
	}
	for o, pixels := range want {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			b := pngWith(t, numbered(3, 2), tiff(o, order))
			info, err := picture.ReadInfo(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			m, err := picture.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]uint8, 6)
			picture.Pack(got, m, info.Height, info.Width, 1)
			if !slices.Equal(got, pixels) || m.Bounds().Dx() != info.Width || (info.Width == 2) != (o >= 5 && o <= 8) {
				t.Errorf("orientation %d, %v: %d×%d %v, want %v", o, order, info.Width, info.Height, got, pixels)
			}
			info, err = picture.ReadInfo(bytes.NewReader(jpegWith(t, numbered(3, 2), tiff(o, order))))
			if err != nil || (info.Width == 2) != (o >= 5 && o <= 8) || !info.Grey {
				t.Errorf("orientation %d of a JPEG file: %+v, %v", o, info, err)
			}
		}
	}
}

// Colours stay as they are when an image is turned.
func TestTurnedColours(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	m.Set(0, 0, color.NRGBA{200, 10, 20, 255})
	m.Set(1, 0, color.NRGBA{200, 10, 20, 0})
	p, err := picture.Decode(pngWith(t, m, tiff(6, binary.BigEndian)))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]uint8, 6)
	if picture.Pack(got, p, 2, 1, 3); !slices.Equal(got, []uint8{200, 10, 20, 0, 0, 0}) {
		t.Errorf("pixels %v", got)
	}
}

// Bits and colours of an image are those of the file when it is turned.
func TestTurnedKeepsItsBits(t *testing.T) {
	box := image.Rect(0, 0, 2, 1)
	for _, c := range []struct{ m, want image.Image }{
		{image.NewGray(box), &image.Gray{}}, {image.NewGray16(box), &image.Gray16{}}, {image.NewNRGBA(box), &image.RGBA{}}, {image.NewNRGBA64(box), &image.RGBA64{}},
	} {
		p, err := picture.Decode(pngWith(t, c.m, tiff(6, binary.BigEndian)))
		if err != nil || reflect.TypeOf(p) != reflect.TypeOf(c.want) {
			t.Errorf("%T turned is %T, %v, want %T", c.m, p, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(pngWith(f, numbered(3, 2), tiff(6, binary.BigEndian)))
	f.Add(jpegWith(f, numbered(3, 2), tiff(5, binary.LittleEndian)))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x02"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := picture.Decode(in)
		if err != nil {
			return
		}
		info, err := picture.ReadInfo(bytes.NewReader(in))
		if err != nil || m.Bounds().Dx() != info.Width || m.Bounds().Dy() != info.Height {
			t.Fatalf("decoded %v, info %+v, %v", m.Bounds(), info, err)
		}
		picture.Pack(make([]uint8, 4*5*3), m, 4, 5, 3)
	})
}

func ExampleReadInfo() {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 7, 5))); err != nil {
		fmt.Println(err)
		return
	}
	info, err := picture.ReadInfo(&b)
	fmt.Println(info.Width, info.Height, info.Grey, info.Orientation, err)
	// Output: 7 5 true 1 <nil>
}
