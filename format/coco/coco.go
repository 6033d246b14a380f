// Package coco reads boxes from the JSON of COCO (Lin et al., "Microsoft COCO: common objects
// in context", ECCV 2014): three lists,
//
//	images       id, file_name, width, height
//	categories   id, name
//	annotations  image_id, category_id, bbox [x, y, width, height], iscrowd
//
// Boxes are in pixels, counted from 0 at the upper left corner; ids are any numbers. What else
// an annotation has, as a segmentation, is passed over.
package coco

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"synfire/internal/limit"
)

const (
	maxFile = 1 << 30
	maxSide = 1 << 20 // pixels
)

// Set is the content of a file. Images are in its order.
type Set struct {
	Classes []string // names of the categories in the order of the file
	Images  []Image
}

// Image is a picture with its boxes, in the order of the file.
type Image struct {
	Name          string // of its file
	Width, Height int
	Boxes         []Box
}

// Box is around an object: [XMin, XMax) × [YMin, YMax) in pixels.
type Box struct {
	Class                  int // in Classes
	XMin, YMin, XMax, YMax float64
	Crowd                  bool // around several objects at once
}

type file struct {
	Images []struct {
		ID            int64  `json:"id"`
		Name          string `json:"file_name"`
		Width, Height int
	}
	Categories []struct {
		ID   int64
		Name string
	}
	Annotations []struct {
		Image    int64     `json:"image_id"`
		Category int64     `json:"category_id"`
		Box      []float64 `json:"bbox"`
		Crowd    int       `json:"iscrowd"`
	}
}

// Read reads a file. Annotations of images or categories that it does not have, boxes that
// are empty or reach more than a pixel beyond their image, and ids that come twice are errors.
func Read(r io.Reader) (*Set, error) {
	content, err := limit.ReadAll(r, maxFile)
	if err != nil {
		return nil, fmt.Errorf("coco: %w", err)
	}
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, fmt.Errorf("coco: %w; is it the JSON of annotations?", err)
	}
	if len(f.Categories) == 0 || len(f.Images) == 0 {
		return nil, fmt.Errorf("coco: %d images and %d categories, want at least one of each", len(f.Images), len(f.Categories))
	}
	s := &Set{}
	classes, images := map[int64]int{}, map[int64]int{}
	for i, c := range f.Categories {
		if _, twice := classes[c.ID]; twice || c.Name == "" {
			return nil, fmt.Errorf("coco: category %d, %.80q: its id %d comes twice, or it has no name", i, c.Name, c.ID)
		}
		classes[c.ID] = i
		s.Classes = append(s.Classes, c.Name)
	}
	for i, m := range f.Images {
		if _, twice := images[m.ID]; twice || m.Name == "" || min(m.Width, m.Height) < 1 || max(m.Width, m.Height) > maxSide {
			return nil, fmt.Errorf("coco: image %d, %.80q of %d×%d pixels: its id %d comes twice, or it lacks a name or a size", i, m.Name, m.Width, m.Height, m.ID)
		}
		images[m.ID] = i
		s.Images = append(s.Images, Image{Name: m.Name, Width: m.Width, Height: m.Height})
	}
	for i, a := range f.Annotations {
		at, known := images[a.Image]
		class, named := classes[a.Category]
		if !known || !named {
			return nil, fmt.Errorf("coco: annotation %d is of image %d and category %d, which the file does not both have", i, a.Image, a.Category)
		}
		m := &s.Images[at]
		b, err := m.box(a.Box)
		if err != nil {
			return nil, fmt.Errorf("coco: annotation %d, in %.80q: %w", i, m.Name, err)
		}
		b.Class, b.Crowd = class, a.Crowd != 0
		m.Boxes = append(m.Boxes, b)
	}
	return s, nil
}

// box is [x, y, width, height] of an image, whose edges a rounded box may cross by a pixel:
// it is cut off there.
func (m *Image) box(v []float64) (b Box, err error) {
	if len(v) != 4 {
		return b, fmt.Errorf("bbox has %d numbers, want 4: x, y, width, height", len(v))
	}
	w, h := float64(m.Width), float64(m.Height)
	if !(v[2] > 0 && v[3] > 0 && v[0] >= -1 && v[1] >= -1 && v[0]+v[2] <= w+1 && v[1]+v[3] <= h+1 && v[0] < w && v[1] < h) {
		return b, fmt.Errorf("bbox %v (x, y, width, height) in an image of %d×%d pixels, want one of some area inside", v, m.Width, m.Height)
	}
	b = Box{XMin: math.Max(v[0], 0), YMin: math.Max(v[1], 0), XMax: math.Min(v[0]+v[2], w), YMax: math.Min(v[1]+v[3], h)}
	if b.XMin >= b.XMax || b.YMin >= b.YMax {
		return b, fmt.Errorf("bbox %v (x, y, width, height) is outside its image of %d×%d pixels", v, m.Width, m.Height)
	}
	return b, nil
}
