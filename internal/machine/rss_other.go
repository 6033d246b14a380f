//go:build !unix

package machine

// PeakRSS is not known on this system.
func PeakRSS() int64 { return 0 }
