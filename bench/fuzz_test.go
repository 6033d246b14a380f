package bench

import "testing"

// No file to compare with makes ReadReferences panic.
func FuzzReadReferences(f *testing.F) {
	f.Add([]byte(`[{"workload":"W1","phase":"train","median":3,"threads":1}]`))
	f.Add([]byte(`{"work":"W1","lib":"a","mode":"train","threads":1,"median":3,"min":2,"max":4}` + "\n"))
	f.Add([]byte(`{"what":"isi","trains":10,"spikes":100,"seconds":0.5}` + "\n{"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if refs, err := ReadReferences("f", src); err == nil && refs == nil && len(src) == 0 {
			t.Fatal("nothing was read of nothing")
		}
	})
}
