package superspike_test

import (
	"context"
	"fmt"
	"strings"

	"synfire/data"
	"synfire/data/generated"
	"synfire/encode"
	"synfire/rule/superspike"
	"synfire/task"
	"synfire/train"
)

// A pattern of spikes on 60 units is answered with two trains.
func Example() {
	source := generated.Patterns{Train: 1, Test: 1, Classes: 2, Units: 60, Rate: 20, Duration: 0.2, Targets: 2}
	trainSet, testSet, err := source.Open(context.Background(), data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := superspike.NewRule()
	rule.Hidden, rule.DecayEvery = []int{20}, 150
	learner, err := superspike.New(rule, train.Setting{Spec: trainSet.Spec(), Samples: 1, Encoder: encode.Events{}, Steps: 2000, Batch: 1, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor, err := data.NewCursor(trainSet, data.CursorOptions{Batch: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	loop := train.Loop{Learner: learner, Train: cursor, Test: testSet, Epochs: 200, Tasks: []task.Binding{{Task: task.MatchTrains{Tau: 0.01}, Target: "trains"}}}
	result, err := loop.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("what is left is worth less than two spikes:", result.Test.Value("loss") < 2)
	// Output: what is left is worth less than two spikes: true
}

// A stream learns from a pipe of events: here input 0 fires each 100 ms, and 20 ms later
// the output is to.
func ExampleStream_Pipe() {
	stream, err := superspike.NewStream(superspike.NewRule(), 1, 1, 0.1, 100, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	var events, out strings.Builder
	events.WriteString(superspike.PipeHeader + "\n")
	for i := range 100 {
		fmt.Fprintf(&events, "%.2f,0,input\n%.2f,0,target\n", 0.1*float64(i), 0.1*float64(i)+0.01)
	}
	if err := stream.Pipe(context.Background(), strings.NewReader(events.String()), &out); err != nil {
		fmt.Println(err)
		return
	}
	lines := strings.Split(out.String(), "\n")
	fmt.Println(lines[0], "and", len(lines) > 20, "after", stream.Updates(), "updates")
	// Output: time,unit and true after 99 updates
}
