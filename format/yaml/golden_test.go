package yaml

import (
	"strings"
	"testing"
)

// goldenErrors pins messages: each src fails with exactly the lines of want.
var goldenErrors = []struct {
	name string
	src  string
	want []string
}{
	{"unknown key", "stpes: 8\n", []string{`net.yaml:1:1: unknown key "stpes"; did you mean "steps"? known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`}},
	{"unknown key, other style", "Learning_Rate: 8\n", []string{`net.yaml:1:1: unknown key "Learning_Rate"; did you mean "learning-rate"? known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`}},
	{"unknown key in a layer", "layers:\n  - {kind: conv2d, out: 1, kernal: 5}\n", []string{`net.yaml:2:28: layers[0]: unknown key "kernal"; did you mean "kernel"? known keys: kind, out, kernel, bias, pad`}},
	{"unknown key, nothing near", "data: {zzz: 1}\n", []string{`net.yaml:1:8: data: unknown key "zzz"; known keys: name, classes, weights`}},
	{"no keys at all", "layers: [{kind: relu, slope: 1}]\n", []string{`net.yaml:1:23: layers[0]: unknown key "slope"; known keys: kind`}},
	{"untagged field", "Ignored: 1\nprivate: 1\n", []string{
		`net.yaml:1:1: unknown key "Ignored"; known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`,
		`net.yaml:2:1: unknown key "private"; known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`}},
	{"unknown kind", "layers:\n- kind: covn2d\n  out: 1\n", []string{`net.yaml:2:9: layers[0]: unknown kind "covn2d"; did you mean "conv2d"? known kinds: conv2d, relu, spiking`}},
	{"unknown bare kind", "named: {a: softmax}\n", []string{`net.yaml:1:12: named.a: unknown kind "softmax"; known kinds: conv2d, relu, spiking`}},
	{"missing kind", "layers:\n  - out: 1\n", []string{`net.yaml:2:5: layers[0]: missing key "kind"; known kinds: conv2d, relu, spiking`}},
	{"kind is a number", "layers: [{kind: 3}]\n", []string{`net.yaml:1:17: layers[0].kind: expected the name of a kind, found the integer 3; known kinds: conv2d, relu, spiking`}},
	{"layer is a number", "layers: [3]\n", []string{`net.yaml:1:10: layers[0]: expected a mapping with a kind, or the name of a kind, found the integer 3; known kinds: conv2d, relu, spiking`}},
	{"missing required", "layers: [conv2d]\n", []string{`net.yaml:1:10: layers[0]: missing key "out"; it has no default: add it`}},
	{"validation", "layers:\n  - kind: spiking\n    neuron:\n      kind: lif\n      beta: 1.5\n", []string{`net.yaml:4:7: layers[0].neuron: beta is 1.5, want 0 to 1`}},
	{"string for integer", "steps: many\n", []string{`net.yaml:1:8: steps: expected an integer, found the string "many"`}},
	{"quoted integer", "steps: '8'\n", []string{`net.yaml:1:8: steps: expected an integer, found the string "8"; remove the quotes`}},
	{"float for integer", "steps: 8.0\n", []string{`net.yaml:1:8: steps: expected an integer, found the number 8.0; write 8`}},
	{"exponent for integer", "steps: 1e3\n", []string{`net.yaml:1:8: steps: expected an integer, found the number 1e3; write 1000`}},
	{"fraction for integer", "steps: 8.5\n", []string{`net.yaml:1:8: steps: expected an integer, found the number 8.5`}},
	{"leading zero", "steps: 010\n", []string{`net.yaml:1:8: steps: expected an integer, found the string "010"`}},
	{"range of int8", "small: 128\n", []string{`net.yaml:1:8: small: 128 is out of range; int8 holds -128 to 127`}},
	{"range of uint64", "seed: -1\n", []string{`net.yaml:1:7: seed: -1 is out of range; uint64 holds 0 to 18446744073709551615`}},
	{"range of int", "steps: 9223372036854775808\n", []string{`net.yaml:1:8: steps: 9223372036854775808 is out of range; int holds -9223372036854775808 to 9223372036854775807`}},
	{"range of float64", "learning-rate: 1e400\n", []string{`net.yaml:1:16: learning-rate: 1e400 is out of range; float64 holds numbers up to 1.8e+308`}},
	{"range of float32", "layers: [{kind: spiking, neuron: {kind: lif, beta: 1e39}}]\n", []string{`net.yaml:1:52: layers[0].neuron.beta: 1e39 is out of range; float32 holds numbers up to 3.4e+38`}},
	{"not finite", "learning-rate: .nan\ndata: {weights: {a: -.inf}}\n", []string{
		`net.yaml:1:16: learning-rate: expected a finite number, found the number .nan`,
		`net.yaml:2:21: data.weights.a: expected a finite number, found the number -.inf`}},
	{"quoted float", "learning-rate: \"0.1\"\n", []string{`net.yaml:1:16: learning-rate: expected a number, found the string "0.1"; remove the quotes`}},
	{"yes", "debug: yes\n", []string{`net.yaml:1:8: debug: expected true or false, found the string "yes"`}},
	{"number for string", "data: {name: 1.5}\n", []string{`net.yaml:1:14: data.name: expected a string, found the number 1.5; put it in quotes: "1.5"`}},
	{"boolean for string", "data: {classes: [a, true]}\n", []string{`net.yaml:1:21: data.classes[1]: expected a string, found the boolean true; put it in quotes: "true"`}},
	{"no value", "steps:\nseed: 1\n", []string{`net.yaml:1:7: steps: expected an integer, found no value; write a value, or remove the key to keep its default`}},
	{"bare duration", "every: 90\n", []string{`net.yaml:1:8: every: expected a duration, found the integer 90; write a number with its unit, such as 1m30s or 250ms`}},
	{"bad duration", "every: 5 minutes\n", []string{`net.yaml:1:8: every: expected a duration, found the string "5 minutes"; write a number with its unit, such as 1m30s or 250ms`}},
	{"text", "level: sse\n", []string{`net.yaml:1:8: level: no level "sse"; levels are avx2, avx512`}},
	{"text from a sequence", "level: [1]\n", []string{`net.yaml:1:8: level: expected a scalar, found a sequence; write a single value`}},
	{"scalar for sequence", "data: {classes: cat}\n", []string{`net.yaml:1:17: data.classes: expected a sequence, found the string "cat"; put it in brackets: [cat]`}},
	{"mapping for sequence", "layers:\n  kind: relu\n", []string{`net.yaml:2:3: layers: expected a sequence, found a mapping; write each value in a line that starts with a dash`}},
	{"sequence for mapping", "data: [1]\n", []string{`net.yaml:1:7: data: expected a mapping, found a sequence; known keys: name, classes, weights`}},
	{"sequence for map", "named: [1]\n", []string{`net.yaml:1:8: named: expected a mapping, found a sequence; write key: value`}},
	{"length of an array", "layers: [{kind: conv2d, out: 1, pad: [1, 2, 3]}]\n", []string{`net.yaml:1:38: layers[0].pad: expected a sequence of 2 values, found 3`}},
	{"duplicate key", "steps: 1\nseed: 2\nsteps: 3\n", []string{`net.yaml:3:1: duplicate key "steps"; the first is in line 1; keep one`}},
	{"key that is no name", "data: {weights: {\"a b.c\": x}}\n", []string{`net.yaml:1:27: data.weights["a b.c"]: expected a number, found the string "x"`}},
	{"several", "stps: 8\ndata: {name: 7}\nlayers:\n  - relu\n  - {kind: conv2d, kernel: big}\n", []string{
		`net.yaml:1:1: unknown key "stps"; did you mean "steps"? known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`,
		`net.yaml:2:14: data.name: expected a string, found the integer 7; put it in quotes: "7"`,
		`net.yaml:5:5: layers[1]: missing key "out"; it has no default: add it`,
		`net.yaml:5:28: layers[1].kernel: expected an integer, found the string "big"`}},
	{"around an interface", "nodes:\n  - {kind: conv2d, out: x, nane: a}\n  - {name: a, from: [1]}\n  - {nmae: a, kind: relu}\n  - {kind: conv3d, from: a}\n  - 3\n  - {name: input, kind: relu}\n  - {\"\": 1, kind: relu}\n  - {kind: conv2d, name: a}\n", []string{
		`net.yaml:2:25: nodes[0].out: expected an integer, found the string "x"`,
		`net.yaml:2:28: nodes[0]: unknown key "nane"; did you mean "name"? known keys: kind, name, from, out, kernel, bias, pad`,
		`net.yaml:3:5: nodes[1]: missing key "kind"; known kinds: conv2d, relu, spiking`,
		`net.yaml:3:22: nodes[1].from[0]: expected a string, found the integer 1; put it in quotes: "1"`,
		`net.yaml:4:6: nodes[2]: unknown key "nmae"; did you mean "name"? known keys: kind, name, from`,
		`net.yaml:5:12: nodes[3]: unknown kind "conv3d"; did you mean "conv2d"? known kinds: conv2d, relu, spiking`,
		`net.yaml:6:5: nodes[4]: expected a mapping with a kind, or the name of a kind, found the integer 3; known kinds: conv2d, relu, spiking`,
		`net.yaml:7:5: nodes[5]: the name input is taken`,
		`net.yaml:8:6: nodes[6]: unknown key ""; known keys: kind, name, from`,
		`net.yaml:9:5: nodes[7]: missing key "out"; it has no default: add it`}},
	{"empty", "", []string{`net.yaml:1:1: the document is empty; write at least one key`}},
	{"comments only", "# nothing\n", []string{`net.yaml:1:1: the document is empty; write at least one key`}},
	{"two documents", "steps: 1\n---\nsteps: 2\n", []string{`net.yaml:2:1: a second document starts here; keep one document in a file`}},
	{"two documents by an end marker", "steps: 1\n...\nseed: 2\n", []string{`net.yaml:3:1: a second document starts here; keep one document in a file`}},
	{"directive", "%YAML 1.2\n---\nsteps: 1\n", []string{`net.yaml:1:1: directives (%) are not supported; remove the line`}},
	{"tag", "steps: !!int 3\n", []string{`net.yaml:1:8: steps: tags such as !!int are not supported; remove it; quotes make a string`}},
	{"merge key", "data: &d {name: x}\nextra: {<<: *d}\n", []string{`net.yaml:2:9: extra: merge keys (<<) are not supported; write the keys out, or use an alias for the whole mapping`}},
	{"unknown alias", "data: *d\n", []string{`net.yaml:1:7: data: alias *d has no anchor &d before it; define the anchor first; it cannot contain itself`}},
	{"explicit key", "? steps\n: 3\n", []string{`net.yaml:1:1: a key must be a plain name, found ? steps; write name: value`}},
	{"not UTF-8", "steps: 1\ndata: {name: \xff}\n", []string{`net.yaml:2:14: not a text in UTF-8; save the file as UTF-8`}},
	{"array", "\x93NUMPY\x01\x00\x76\x00", []string{`net.yaml:1:1: not a text: the file is a NumPy array (.npy); name a YAML file`}},
	{"tab", "data:\n\tname: x\n", []string{`net.yaml:2:1: syntax: a tab stands where only spaces may; indent with spaces`}},
	{"open bracket", "steps: 1\nlayers: [relu\n", []string{`net.yaml:2:9: syntax: sequence end token ']' not found; close the brackets, and separate what is in them by commas`}},
	{"open quotes", "data: {name: \"x}\n", []string{`net.yaml:1:14: syntax: could not find end character of double-quoted text; close the quotes`}},
	{"two colons", "steps: 1: 2\n", []string{`net.yaml:1:8: syntax: mapping value is not allowed in this context; check the indentation, and put values with ": ", " #" or brackets in quotes`}},
	{"reserved", "data: {name: @x}\n", []string{`net.yaml:1:14: syntax: '@' is a reserved character; put the value in single quotes`}},
	{"scalar document", "hello\n", []string{`net.yaml:1:1: expected a mapping, found the string "hello"; known keys: seed, small, steps, learning-rate, debug, every, level, data, extra, layers, named, nodes`}},
}

func TestGoldenErrors(t *testing.T) {
	for _, tt := range goldenErrors {
		t.Run(tt.name, func(t *testing.T) {
			c := defaults()
			err := Decode("net.yaml", []byte(tt.src), &c, kinds)
			if err == nil {
				t.Fatal("no error")
			}
			if want := strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("got\n%s\nwant\n%s", err, want)
			}
		})
	}
}
