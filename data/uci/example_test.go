package uci_test

import (
	"fmt"
	"strings"

	"synfire/data/uci"
)

func Example() {
	const header = "sepal_length,sepal_width,petal_length,petal_width,species\n"
	s, err := uci.ReadIris(strings.NewReader(header + "5.5,3.5,1.5,0.25,Iris-setosa\n6.5,3.25,6.0,2.5,Iris-virginica\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Values, s.Labels, s.Classes)
	// Output:
	// [5.5 3.5 1.5 0.25 6.5 3.25 6 2.5] [0 2] [setosa versicolor virginica]
}
