// Package huge asks the operating system for large pages behind large slices.
//
// Weights, membranes and errors are read row by row all over megabytes: with
// pages of 4 KiB each row costs a walk of the page tables. Go leaves the choice
// to the system, which on most Linux machines gives large pages to those alone
// who ask.
package huge

import "unsafe"

// least is the size of a slice from which large pages are worth asking for, and
// page the size of a large page.
const (
	least = 4 << 20
	page  = 2 << 20
)

// Make is make([]T, n). A large slice gets large pages where the system has
// them; what it holds is the same.
func Make[T any](n int) []T {
	s := make([]T, n)
	if size := uintptr(n) * unsafe.Sizeof(*new(T)); size >= least {
		from := uintptr(unsafe.Pointer(&s[0]))
		lo, hi := (from+page-1)/page*page-from, (from+size)/page*page-from
		advise(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), size)[lo:hi])
	}
	return s
}
