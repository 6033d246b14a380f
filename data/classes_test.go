package data

import (
	"strings"
	"testing"

	"synfire/tensor"
)

// Classes that look alike trained as several without a word.
func TestClassesThatLookAlike(t *testing.T) {
	for _, names := range [][]string{{"Shirt", "shirt"}, {"Shirt", "Shi rt"}, {"Shirt", "Ѕhirt"}, {"a\u00a0b", "a b"}, {"caf\u00e9", "cafe\u0301"}, {"Ａ1", "a1"}, {"x-ray", "x–ray"}} {
		if pairs := lookAlikes(names); len(pairs) != 1 {
			t.Errorf("%+q: %v", names, pairs)
		}
	}
	for _, names := range [][]string{{"cat", "cab"}, {"pêche", "peche"}, {"1", "10"}, {"α", "a"}} {
		if pairs := lookAlikes(names); len(pairs) != 0 {
			t.Errorf("%+q: %v", names, pairs)
		}
	}
}

// Classes without a training sample got no word.
func TestClassesWithoutATrainingSample(t *testing.T) {
	set := &Set{Shape: tensor.Shape{1}, Values: []tensor.Float{1, 2}, Labels: []int{0, 3}, Classes: []string{"a", "b", "c", "d"}}
	doubts, err := Doubts(set)
	if err != nil || len(doubts) != 1 || !strings.Contains(doubts[0], "2 of the 4 classes of class: b, c") {
		t.Errorf("%q, %v", doubts, err)
	}
	set.Classes, set.Labels = []string{"a", "b"}, []int{1, 0}
	if doubts, err = Doubts(set); err != nil || len(doubts) != 0 {
		t.Errorf("%q, %v", doubts, err)
	}
}
