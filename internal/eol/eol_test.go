package eol

import "testing"

func TestCheck(t *testing.T) {
	for _, k := range []struct {
		line string
		n    int
		ok   bool
	}{
		{"a,b\n", 1, true}, {"a,b\r\n", 1, true}, {"a,b\r\r\n", 2, true}, {"a,b", 3, true},
		{"a,b\r1,2\r", 1, false}, {"1,2\r3,4\n", 5, false},
		{"\"a\",\"b\"\r1,2\r", 1, false}, {"1,\"x\ry\"\n", 2, true}, {"\"x\ry\",1\n", 2, true},
	} {
		if err := Check([]byte(k.line), k.n); (err == nil) != k.ok {
			t.Errorf("%q as line %d: %v", k.line, k.n, err)
		}
	}
}
