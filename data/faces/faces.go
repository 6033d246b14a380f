// Package faces has the photos that come with face-api's tiny face detector, and the detector.
//
// Its package for Node (@vladmandic/face-api 1.7.15) holds both: `npm pack` fetches it, and
// `synfire data import face-api FILE.tgz` takes out of it what is here.
package faces

import (
	"context"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"

	"synfire/data"
	"synfire/format/picture"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

// Name is the data set's.
const Name = "face-api"

// Side is the height and width of a sample.
const Side = 224

// Manifest is the file that names the detector's weights.
const Manifest = "tiny_face_detector_model-weights_manifest.json"

// files are the detector's two, and then the photos.
var files = []data.File{
	{Name: Name + "/" + Manifest, SHA256: "5d1af4849ac48d5b985f4a9b16010c512353ddd6fcc63d50fd0bc9e9e64296e5", Size: 3219},
	{Name: Name + "/tiny_face_detector_model.bin", SHA256: "b7503ce7df31039b1c43316a9b865cab6a70dd748cc602d3fa28b551503c3871", Size: 193321},
	{Name: Name + "/sample1.jpg", SHA256: "8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51", Size: 144516},
	{Name: Name + "/sample2.jpg", SHA256: "7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691", Size: 181758},
	{Name: Name + "/sample3.jpg", SHA256: "8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936", Size: 221049},
	{Name: Name + "/sample4.jpg", SHA256: "729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc", Size: 210824},
	{Name: Name + "/sample5.jpg", SHA256: "6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938", Size: 166400},
	{Name: Name + "/sample6.jpg", SHA256: "9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87", Size: 302445},
}

// detector is how many files are the detector's.
const detector = 2

// Dataset describes the photos, letterboxed to Side×Side pixels: six, whose faces nobody has marked,
// so that their boxes are empty. Training samples are their mirror images.
func Dataset() data.Dataset {
	photos := len(files) - detector
	return data.Dataset{
		Name: Name, Title: "photos of face-api, with its tiny face detector", License: "MIT (Vladimir Mandic, Vincent Mühler); the photos' own licence is not stated",
		Classes: []string{"face"}, Splits: []data.Split{{Name: "train", Len: photos}, {Name: "test", Len: photos}}, Files: files,
		Load: data.InMemory(func(ctx context.Context, o data.Options) (train, test *data.Set, err error) {
			paths, err := data.Fetch(ctx, o, files...)
			if err != nil {
				return nil, nil, err
			}
			return open(ctx, paths[detector:])
		}),
	}
}

// Detector is the folder of the detector's files.
func Detector(ctx context.Context, o data.Options) (fs.FS, error) {
	paths, err := data.Fetch(ctx, o, files[:detector]...)
	if err != nil {
		return nil, err
	}
	return os.DirFS(filepath.Dir(paths[0])), nil
}

// maxFile is the most bytes of a photo.
const maxFile = 16 << 20

// open reads photos, and mirrors them.
func open(ctx context.Context, paths []string) (train, test *data.Set, err error) {
	train, test = empty("train", len(paths)), empty("test", len(paths))
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		content, err := limit.ReadPath(path, maxFile)
		var pixels image.Image
		if err == nil {
			pixels, err = picture.Decode(content)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %s: %w", Name, sample.Printable(filepath.Base(path)), err)
		}
		size := pixels.Bounds()
		x := make([]tensor.Float, Side*Side*3)
		data.Fit(size.Dx(), size.Dy(), Side, Side).Paint(x, test.Shape, pixels)
		test.Values = append(test.Values, x...)
		for at := range Side * Side {
			from := 3 * (at - at%Side + Side - 1 - at%Side)
			train.Values = append(train.Values, x[from:from+3]...)
		}
		train.Origins, test.Origins = append(train.Origins, "mirrored "+filepath.Base(path)), append(test.Origins, filepath.Base(path))
	}
	return train, test, nil
}

func empty(split string, n int) *data.Set {
	field := sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: []string{"face"}, Shape: tensor.Shape{Side, Side}}
	return &data.Set{Name: Name, Split: split, Shape: tensor.Shape{Side, Side, 3}, Targets: []sample.Column{{Field: &field, Boxes: make([][]sample.Box, n)}}}
}
