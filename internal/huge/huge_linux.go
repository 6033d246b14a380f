package huge

import "golang.org/x/sys/unix"

// advise asks for large pages; a system without them says so, and nothing is
// lost.
func advise(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
