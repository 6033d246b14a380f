package data

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders of image.Decode
	_ "image/png"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"synfire/internal/limit"
	"synfire/internal/par"
	"synfire/tensor"
)

const (
	maxImageFile   = 64 << 20 // bytes of one file
	maxImageSide   = 1 << 14  // pixels
	maxImagePixels = 1 << 26
	maxImageBytes  = 4 << 30 // of a whole split, decoded
)

// FolderOptions say how the images of a folder become samples.
type FolderOptions struct {
	Height, Width int      // to which images are stretched; 0: as they are, and all must be alike
	Channels      int      // 1 (grey) or 3 (red, green, blue); 0: 1 where all images are grey, else 3
	Classes       []string // names of the class folders in the order of the labels; nil: all, sorted
}

// Folder describes a data set of the user's own: a folder or zip file of PNG and JPEG
// images,
//
//	train/CLASS/*.png|jpg    test/CLASS/*.png|jpg
//
// or CLASS/* alone, without test samples. The name of a class is that of its folder.
func Folder(at string, o FolderOptions) Dataset {
	return Dataset{
		Name: "folder:" + at, Title: "images in " + at, License: "your own",
		Load: InMemory(func(context.Context, Options) (train, test *Set, err error) {
			fsys, closer, err := openFolder(at)
			if err != nil {
				return nil, nil, fmt.Errorf("data: folder %s: %w", at, err)
			}
			defer closer()
			return FromFolder(fsys, "folder:"+at, o)
		}),
	}
}

func openFolder(at string) (fs.FS, func(), error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return os.DirFS(at), func() {}, nil
	}
	z, err := zip.OpenReader(at)
	if err != nil {
		return nil, nil, fmt.Errorf("neither a folder nor a zip file: %w", err)
	}
	return z, func() { z.Close() }, nil
}

// FromFolder reads class folders of images; see Folder. Where there is no test folder,
// test is nil. Samples come class by class in turn: the first of each, the second of
// each. Every image is measured before any is decoded; one that is damaged, absurdly
// large or no PNG or JPEG is an error that names its file.
func FromFolder(fsys fs.FS, name string, o FolderOptions) (train, test *Set, err error) {
	r := &folderReader{fsys: fsys, name: name, o: o, pool: par.New(0)}
	defer r.pool.Close()
	splits := []string{"."}
	if isDir(fsys, "train") || isDir(fsys, "test") {
		splits = []string{"train", "test"}
	}
	files, err := r.list(splits)
	if err == nil {
		err = r.measure(slices.Concat(files...))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", name, err)
	}
	var sets []*Set
	for i, split := range splits {
		s, err := r.read(files[i])
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", name, err)
		}
		if s.Split = split; split == "." {
			s.Split = "all"
		}
		sets = append(sets, s)
	}
	if len(sets) == 1 {
		return sets[0], nil, nil
	}
	return sets[0], sets[1], nil
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

type folderReader struct {
	fsys    fs.FS
	name    string
	o       FolderOptions
	pool    *par.Pool
	classes []string
	shape   tensor.Shape
}

// labelled is an image file and its class.
type labelled struct {
	path  string
	label int
}

// list finds the classes and the images of each split.
func (r *folderReader) list(splits []string) ([][]labelled, error) {
	found := map[string]bool{}
	for _, split := range splits {
		names, err := r.folders(split)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			found[n] = true
		}
	}
	r.classes = r.o.Classes
	if r.classes == nil {
		for c := range found {
			r.classes = append(r.classes, c)
		}
		slices.Sort(r.classes)
	}
	for c := range found {
		if !slices.Contains(r.classes, c) {
			return nil, fmt.Errorf("class folder %s is none of the classes %s; remove it, or name it in classes", c, strings.Join(r.classes, ", "))
		}
	}
	if n := len(r.classes); n < 2 || n > maxClasses {
		return nil, fmt.Errorf("found %d class folders, expected 2 to %d: train/CLASS/… and test/CLASS/… with PNG or JPEG files, or CLASS/… alone", n, maxClasses)
	}
	var all [][]labelled
	for _, split := range splits {
		files, err := r.images(split)
		if err != nil {
			return nil, err
		}
		all = append(all, files)
	}
	return all, nil
}

// folders are the names of the folders in one; none where it does not exist.
func (r *folderReader) folders(dir string) (names []string, err error) {
	entries, err := fs.ReadDir(r.fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && isDir(r.fsys, path.Join(dir, e.Name())) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// images are the files of a split, in turn of the classes.
func (r *folderReader) images(split string) (all []labelled, err error) {
	byClass := make([][]string, len(r.classes))
	most := 0
	for label, class := range r.classes {
		if byClass[label], err = r.files(path.Join(split, class)); err != nil {
			return nil, err
		}
		most = max(most, len(byClass[label]))
	}
	for i := range most {
		for label, files := range byClass {
			if i < len(files) {
				all = append(all, labelled{files[i], label})
			}
		}
	}
	return all, nil
}

func (r *folderReader) files(dir string) (all []string, err error) {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		at := path.Join(dir, e.Name())
		switch strings.ToLower(path.Ext(e.Name())) {
		case ".png", ".jpg", ".jpeg":
			all = append(all, at)
		default:
			if !strings.HasPrefix(e.Name(), ".") {
				return nil, fmt.Errorf("%s is no PNG or JPEG file; convert it, or move it out of the class folder", at)
			}
		}
	}
	return all, nil
}

// measure reads the headers of all images and fixes the shape of a sample.
func (r *folderReader) measure(files []labelled) error {
	if len(files) == 0 {
		return errors.New("no images in the class folders; put PNG or JPEG files there")
	}
	configs := make([]image.Config, len(files))
	err := r.each(files, func(i int) (err error) {
		configs[i], err = r.config(files[i].path)
		return err
	})
	if err != nil {
		return err
	}
	h, w, channels := r.o.Height, r.o.Width, r.o.Channels
	if h == 0 && w == 0 {
		h, w = configs[0].Height, configs[0].Width
		for i, c := range configs {
			if c.Height != h || c.Width != w {
				return fmt.Errorf("images differ in size: %s has %d×%d pixels, %s %d×%d (width×height); set size: [HEIGHT, WIDTH] to stretch them all",
					files[0].path, w, h, files[i].path, c.Width, c.Height)
			}
		}
	}
	if channels == 0 {
		channels = 1
		for _, c := range configs {
			if c.ColorModel != color.GrayModel && c.ColorModel != color.Gray16Model {
				channels = 3
			}
		}
	}
	if h < 1 || w < 1 || h > maxImageSide || w > maxImageSide || (channels != 1 && channels != 3) {
		return fmt.Errorf("samples of %d×%d pixels and %d channels; expected a size of at least 1×1, and 1 (grey) or 3 channels", h, w, channels)
	}
	r.shape = tensor.Shape{h, w, channels}
	if size := int64(r.shape.Size()); size > maxImageBytes/int64(len(files)) {
		return fmt.Errorf("%d images of %v take more than the permitted %d bytes; set a smaller size", len(files), r.shape, int64(maxImageBytes))
	}
	return nil
}

// each runs a function for all files in parallel, and returns the error of the first
// file that has one.
func (r *folderReader) each(files []labelled, f func(i int) error) error {
	errs := make([]error, len(files))
	r.pool.For(len(files), 16, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			if errs[i] = f(i); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", files[i].path, errs[i])
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// config is the size of an image, from the beginning of its file.
func (r *folderReader) config(at string) (image.Config, error) {
	f, err := r.fsys.Open(at)
	if err != nil {
		return image.Config{}, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(limit.Reader(f, maxImageFile))
	if err != nil {
		return c, damaged(err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxImageSide || c.Height > maxImageSide || c.Width*c.Height > maxImagePixels {
		return c, fmt.Errorf("%d×%d pixels are declared; expected at least 1×1, at most %d on a side and %d in all: scale it down or remove it", c.Width, c.Height, maxImageSide, maxImagePixels)
	}
	return c, nil
}

func damaged(err error) error {
	return fmt.Errorf("the image cannot be decoded (%w): replace the file or remove it", err)
}

// read decodes the images of a split.
func (r *folderReader) read(files []labelled) (*Set, error) {
	size := r.shape.Size()
	s := &Set{
		Name: r.name, Classes: r.classes, Shape: r.shape,
		Images: make([]uint8, len(files)*size), Labels: make([]int, len(files)),
	}
	err := r.each(files, func(i int) error {
		s.Labels[i] = files[i].label
		return r.decode(s.Image(i), files[i].path)
	})
	return s, err
}

// decode writes an image to dst, of the set's shape.
func (r *folderReader) decode(dst []uint8, at string) error {
	f, err := r.fsys.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := limit.ReadAll(f, maxImageFile)
	if err != nil {
		return err
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return damaged(err)
	}
	pack(dst, m, r.shape)
	return nil
}

// pack writes an image as height, width, channels, stretched to the shape; what is
// transparent is black.
func pack(dst []uint8, m image.Image, shape tensor.Shape) {
	h, w, channels := shape[0], shape[1], shape[2]
	to := image.Rect(0, 0, w, h)
	if channels == 1 {
		grey := &image.Gray{Pix: dst, Stride: w, Rect: to}
		stretch(grey, m)
		return
	}
	rgba := image.NewRGBA(to)
	stretch(rgba, m)
	for i := range h * w {
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
