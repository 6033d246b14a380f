package yaml

import (
	"strings"
	"testing"
)

// Each difference stands under the path of its key, with both values; how a document
// is laid out is none.
func TestDiff(t *testing.T) {
	old := "seed: 1\nepochs: 3\noptimizer: {kind: adam, lr: 0.1}\nlayers:\n  - {kind: linear, out: 10}\n  - relu\nnames: [a]\nnone: null\ngone: true\n"
	for now, want := range map[string]string{
		old: "",
		"# a comment\nepochs: 3\nseed: 1\ngone: true\nnone: ~\noptimizer:\n  lr: 0.1\n  kind: adam\nlayers: [{kind: linear, out: 10}, relu]\nnames:\n- a\n": "",
		strings.Replace(old, "epochs: 3", "epochs: 4", 1):       "epochs: 3, now 4",
		strings.Replace(old, "lr: 0.1", "lr: 0.2", 1):           "optimizer.lr: 0.1, now 0.2",
		strings.Replace(old, "out: 10", "out: 5", 1):            "layers[0].out: 10, now 5",
		strings.Replace(old, "  - relu\n", "", 1):               "layers[1]: relu, now not there",
		strings.Replace(old, "[a]", "[a, b c]", 1):              "names[1]: not there, now b c",
		strings.Replace(old, "gone: true", "new: {x: \"\"}", 1): "gone: true, now not there|new: not there, now {x: \"\"}",
		strings.Replace(old, "seed: 1", "seed: \"1\"", 1):       "seed: 1, now \"1\"",
		strings.Replace(old, "none: null", "none: 0", 1):        "none: null, now 0",
		"3": "the document: {seed: 1, epochs: 3, optimizer: {kind: adam, lr: 0.1}, layer…, now 3",
	} {
		all, err := Diff([]byte(old), []byte(now))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range all {
			got = append(got, d.String())
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s\ngives %q, want %q", now, s, want)
		}
	}
	for i, docs := range [][2]string{{"a: [", "a: 1"}, {"a: 1", "\x00"}} {
		if _, err := Diff([]byte(docs[0]), []byte(docs[1])); err == nil || !strings.Contains(err.Error(), []string{"first", "second"}[i]) {
			t.Errorf("%q: %v", docs, err)
		}
	}
}
