package distance_test

import (
	"encoding/binary"
	"math"
	"testing"

	"synfire/distance"
	"synfire/spike"
)

// Whatever two trains hold, each measure gives an error or a number that is one.
func FuzzDistance(f *testing.F) {
	bytes := func(times ...float64) (b []byte) {
		for _, t := range times {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(t))
		}
		return b
	}
	f.Add(bytes(1, 2, 4), bytes(1, 3), 0.0, 10.0, 1.0)
	f.Add(bytes(0, 10), bytes(), 0.0, 10.0, 0.0)
	f.Add(bytes(10), bytes(10), 0.0, 10.0, math.Inf(1))
	f.Add(bytes(2, 1), bytes(math.NaN()), 0.0, 10.0, -1.0)
	f.Add(bytes(0, 1e-200), bytes(1e200), -1e300, 1e300, 1e-300)
	f.Fuzz(func(t *testing.T, a, b []byte, start, stop, parameter float64) {
		read := func(b []byte) spike.Train {
			tr := spike.Train{Start: start, Stop: stop}
			for ; len(b) >= 8; b = b[8:] {
				tr.Times = append(tr.Times, math.Float64frombits(binary.LittleEndian.Uint64(b)))
			}
			return tr
		}
		raw := []spike.Train{read(a), read(b)}
		mended := []spike.Train{raw[0].Sort(), raw[1].Sort()}
		for i := range mended {
			mended[i], _ = mended[i].Clip(start, stop)
		}
		for _, m := range []distance.Measure{
			distance.ISI{MRTS: parameter}, distance.SPIKE{MRTS: parameter}, distance.SPIKE{MRTS: parameter, RateIndependent: true},
			distance.Sync{MRTS: parameter}, distance.Sync{MaxTau: parameter}, distance.Order{MRTS: parameter}, distance.Directionality{MaxTau: parameter},
			distance.VictorPurpura{Cost: parameter}, distance.VanRossum{Tau: parameter},
		} {
			if v, err := m.Distance(raw[0], raw[1]); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Errorf("%s%+v of %v: %v", m.Name(), m, raw, v)
			}
			d, err := m.Distance(mended[0], mended[1])
			matrix, err2 := distance.Matrix(m, mended, distance.Options{Threads: 1})
			if (err == nil) != (err2 == nil) {
				t.Errorf("%s%+v of %v: %v, matrix %v", m.Name(), m, mended, err, err2)
			}
			if n := float64(len(a) + len(b) + 1); err == nil && !(math.Abs(matrix[0][1]-d) <= 1e-4*n) {
				t.Errorf("%s%+v of %v: %v, matrix %v", m.Name(), m, mended, d, matrix[0][1])
			}
		}
	})
}
