package run

import (
	"fmt"
	"os"
)

// Free is base, or with a number added the first that is not there yet. To
// resume, it is the last one that is.
func Free(base string, resume bool) string {
	dir := base
	for i := 2; ; i++ {
		next := fmt.Sprintf("%s-%d", base, i)
		if _, err := os.Stat(dir); err != nil {
			return dir
		}
		if _, err := os.Stat(next); resume && err != nil {
			return dir
		}
		dir = next
	}
}
