package enum

import "testing"

func TestNames(t *testing.T) {
	type color uint8
	names := []string{"red", "green"}
	var c color
	if err := Parse(&c, []byte("green"), "color", names); err != nil || c != 1 || Name(c, names) != "green" {
		t.Errorf("%v, %v", c, err)
	}
	if got := Name(color(7), names); got != "7" {
		t.Errorf("a number without a name is %s", got)
	}
	if err := Parse(&c, []byte("gren"), "color", names); err == nil || err.Error() != `unknown color "gren"; did you mean "green"? known names: red, green` || c != 1 {
		t.Errorf("%v, %v", c, err)
	}
}
