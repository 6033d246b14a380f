package limit_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"synfire/internal/limit"
)

func TestReadFile(t *testing.T) {
	fsys := fstest.MapFS{"a": {Data: []byte("abc")}, "empty": {}}
	for _, c := range []struct {
		name string
		max  int64
		want string
		over bool
	}{{"a", 3, "abc", false}, {"a", 9, "abc", false}, {"a", 2, "", true}, {"empty", 0, "", false}} {
		got, err := limit.ReadFile(fsys, c.name, c.max)
		var over *limit.Error
		if string(got) != c.want || errors.As(err, &over) != c.over || (err != nil && !c.over) {
			t.Errorf("%s, at most %d: %q, %v", c.name, c.max, got, err)
		}
	}
	if _, err := limit.ReadFile(fsys, "absent", 9); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}
