package data_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

func ExampleCursor() {
	set := &data.Set{
		Name: "stripes", Split: "train", Classes: []string{"left", "right"},
		Shape:  tensor.Shape{1, 2, 1},
		Images: []uint8{255, 0, 0, 255, 51, 0},
		Labels: []int{0, 1, 0},
	}
	c, err := data.NewCursor(set, data.CursorOptions{Batch: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	var b sample.Batch
	for range 2 { // epochs
		for {
			ok, err := c.Next(context.Background(), &b)
			if err != nil {
				fmt.Println(err)
				return
			}
			if !ok {
				break
			}
			fmt.Println(b.Epoch, b.Index, b.X, b.Targets[0].Class)
		}
	}
	// Output:
	// 0 [0 1] [1 0 0 1] [0 1]
	// 0 [2] [0.2 0] [0]
	// 1 [0 1] [1 0 0 1] [0 1]
	// 1 [2] [0.2 0] [0]
}

// A walk that was left is taken up at the same batch.
func ExampleCursor_SetState() {
	set := &data.Set{
		Name: "numbers", Split: "train", Classes: []string{"any"},
		Shape: tensor.Shape{1, 1, 1}, Images: []uint8{0, 1, 2, 3, 4}, Labels: make([]int, 5),
	}
	options := data.CursorOptions{Batch: 2, Seed: 1, Shuffle: true}
	var b sample.Batch

	first, _ := data.NewCursor(set, options)
	first.Next(context.Background(), &b)
	saved := first.State()
	first.Next(context.Background(), &b)
	fmt.Println("uninterrupted:", b.Index)

	second, _ := data.NewCursor(set, options)
	if err := second.SetState(saved); err != nil {
		fmt.Println(err)
		return
	}
	second.Next(context.Background(), &b)
	fmt.Println("resumed:      ", b.Index)
	// Output:
	// uninterrupted: [3 2]
	// resumed:       [3 2]
}

func ExampleFetch() {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	hello := data.File{
		Name:    "greetings/hello.txt",
		SHA256:  "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		Size:    5,
		Sources: []data.Source{data.Mirror("https://data.example.org/greetings/")},
	}
	paths, err := data.Fetch(context.Background(), data.Options{DataDir: dir}, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filepath.Base(paths[0]))
	// Output: hello.txt
}
