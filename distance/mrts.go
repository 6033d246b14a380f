package distance

import "synfire/spike"

// AutoMRTS is a threshold for the adaptive measures, estimated from trains: the
// root of the mean squared interspike interval, pooled over all of them
// (Satuvuori et al. 2017).
func AutoMRTS(trains []spike.Train) (float64, error) { return 0, errNotYet }
