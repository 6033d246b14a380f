package complete_test

import (
	"fmt"

	"github.com/alecthomas/kong"

	"synfire/internal/complete"
)

// What may follow "train --l", and what "train ", whose argument has values of its own.
func ExampleWords() {
	var cli struct {
		Train struct {
			Net   string `arg:""`
			Layer int
		} `cmd:""`
	}
	k, err := kong.New(&cli, kong.Name("mine"))
	if err != nil {
		fmt.Println(err)
		return
	}
	values := func(*kong.Node, *kong.Value) []string { return []string{"small", "large"} }
	fmt.Println(complete.Words(k.Model.Node, []string{"train", "--l"}, values))
	fmt.Println(complete.Words(k.Model.Node, []string{"train", "s"}, values))
	// Output:
	// [--layer]
	// [small]
}
