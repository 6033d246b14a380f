package boxes_test

import (
	"fmt"
	"image"

	"synfire/report/boxes"
	"synfire/sample"
)

func Example() {
	picture := image.NewGray(image.Rect(0, 0, 64, 48))
	drawn := boxes.Draw(picture, []boxes.Box{{Box: sample.Box{X0: 8, Y0: 20, X1: 40, Y1: 40}, Text: "cell"}})
	png, err := boxes.Strip([]boxes.Panel{{Image: drawn, Title: "8 steps"}}, 1)
	fmt.Println(drawn.Bounds(), len(png) > 0, err)
	// Output:
	// (0,0)-(448,336) true <nil>
}
