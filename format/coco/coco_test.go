package coco_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/format/coco"
)

const good = `{"info": {"year": 2020},
"images": [{"id": 9, "file_name": "b.jpg", "width": 20, "height": 10}, {"id": 4, "file_name": "a.jpg", "width": 8, "height": 6}],
"categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 1, "name": "person"}],
"annotations": [
 {"id": 1, "image_id": 4, "category_id": 1, "bbox": [1, 2, 3.5, 4], "segmentation": [[1, 2]], "area": 14},
 {"id": 2, "image_id": 9, "category_id": 18, "bbox": [-0.5, 0, 21, 10], "iscrowd": 1},
 {"id": 3, "image_id": 4, "category_id": 18, "bbox": [0, 0, 1, 1], "iscrowd": 0}]}`

func TestRead(t *testing.T) {
	s, err := coco.Read(strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Classes, []string{"dog", "person"}) || len(s.Images) != 2 || s.Images[0].Name != "b.jpg" {
		t.Fatalf("%+v", s)
	}
	if got := s.Images[0].Boxes; !slices.Equal(got, []coco.Box{{0, 0, 0, 20, 10, true}}) {
		t.Errorf("a box that is cut off: %+v", got)
	}
	if got := s.Images[1].Boxes; !slices.Equal(got, []coco.Box{{1, 1, 2, 4.5, 6, false}, {0, 0, 0, 1, 1, false}}) {
		t.Errorf("boxes %+v", got)
	}
}

func TestErrors(t *testing.T) {
	for want, change := range map[string][2]string{
		"is it the JSON":                   {`{"info"`, `{"info`},
		"0 images":                         {`"images"`, `"pictures"`},
		"0 categories":                     {`"categories"`, `"classes"`},
		"its id 9 comes twice":             {`"id": 4`, `"id": 9`},
		"its id 18 comes twice":            {`"id": 1, "name"`, `"id": 18, "name"`},
		"of image 7 and category 1":        {`"image_id": 4, "category_id": 1,`, `"image_id": 7, "category_id": 1,`},
		"of image 9 and category 2":        {`"category_id": 18, "bbox": [-`, `"category_id": 2, "bbox": [-`},
		"bbox has 3 numbers":               {`[1, 2, 3.5, 4]`, `[1, 2, 3.5]`},
		"annotation 0, in \"a.jpg\": bbox": {`[1, 2, 3.5, 4]`, `[1, 2, 3.5, 6]`},
		"want one of some area inside":     {`[1, 2, 3.5, 4]`, `[1, 2, 0, 4]`},
		"is outside its image":             {`[0, 0, 1, 1]`, `[-1, 0, 1, 1]`},
		"8×0 pixels":                       {`"height": 6`, `"height": 0`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if _, err := coco.Read(strings.NewReader(text)); text == good || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A rounded box may cross each edge of its image by a pixel, where it is cut off, and by no more.
func TestEdges(t *testing.T) {
	const file = `{"images": [{"id": 1, "file_name": "a", "width": 8, "height": 6}], "categories": [{"id": 1, "name": "b"}], "annotations": [{"image_id": 1, "category_id": 1, "bbox": %s}]}`
	for box, want := range map[string]*coco.Box{
		"[-1, 1, 3, 2]": {XMax: 2, YMin: 1, YMax: 3}, "[1, -1, 3, 2]": {XMin: 1, XMax: 4, YMax: 1},
		"[7, 1, 2, 2]": {XMin: 7, XMax: 8, YMin: 1, YMax: 3}, "[1, 5, 3, 2]": {XMin: 1, XMax: 4, YMin: 5, YMax: 6},
		"[-2, 1, 4, 2]": nil, "[1, -2, 3, 3]": nil, "[7, 1, 3, 2]": nil, "[1, 5, 3, 3]": nil,
	} {
		s, err := coco.Read(strings.NewReader(fmt.Sprintf(file, box)))
		if (err == nil) != (want != nil) || err == nil && s.Images[0].Boxes[0] != *want {
			t.Errorf("%s: %+v, %v; want %+v", box, s, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := coco.Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		for _, m := range s.Images {
			for _, b := range m.Boxes {
				if !(b.XMin >= 0 && b.XMin < b.XMax && b.XMax <= float64(m.Width) && b.YMin >= 0 && b.YMin < b.YMax && b.YMax <= float64(m.Height)) || b.Class >= len(s.Classes) {
					t.Fatalf("%+v in %+v", b, m)
				}
			}
		}
	})
}

func ExampleRead() {
	s, err := coco.Read(strings.NewReader(good))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range s.Images {
		fmt.Println(m.Name, len(m.Boxes), s.Classes[m.Boxes[0].Class])
	}
	// Output:
	// b.jpg 1 dog
	// a.jpg 2 person
}
