package kernel

// Logistic is the logistic function of scores against a threshold, in units of a
// temperature: 1/(1 + exp((Threshold − z)·Slope)), where Slope is 1 over the
// temperature. Each operation is rounded, and so all levels give the same bits.
type Logistic struct{ Threshold, Slope Float }

// logisticLanes is the number of chains that sums of shares are added in.
const logisticLanes = 16

// logisticLimit is an exponent beyond which a share is 0 or 1 in single precision, and
// its exponential still an ordinary number.
const logisticLimit = 80

// Of writes the shares to m, which may be z, and returns their sum and that of
// share·(1 − share). The exponential is off by less than a millionth of it. Sums have
// 16 chains, which are added by halves:
//
//	for i, x := range z {
//		e := Exp(min(max(Float((Threshold−x)*Slope), −80), 80))
//		m[i] = 1 / (1 + e)
//		sum[i%16] += m[i]
//		spread[i%16] += Float(m[i] * (1 − m[i]))
//	}
//
// Results for scores that are not numbers are left open.
func (p Logistic) Of(m, z []Float) (sum, spread Float) {
	checkEqual("kernel.Logistic: m", len(m), len(z))
	if len(z) == 0 {
		return 0, 0
	}
	var sums [2 * logisticLanes]Float
	p.of(m, z, &sums)
	for half := logisticLanes / 2; half > 0; half /= 2 {
		for j := range half {
			sums[j] += sums[j+half]
			sums[logisticLanes+j] += sums[logisticLanes+j+half]
		}
	}
	return sums[0], sums[logisticLanes]
}

func (p Logistic) ofGo(m, z []Float, sums *[2 * logisticLanes]Float) {
	for i, x := range z {
		u := Float((p.Threshold - x) * p.Slope)
		if !(u > -logisticLimit) {
			u = -logisticLimit
		}
		if !(u < logisticLimit) {
			u = logisticLimit
		}
		v := 1 / (1 + exp(u))
		m[i] = v
		lane := i % logisticLanes
		sums[lane] += v
		sums[logisticLanes+lane] += Float(v * (1 - v))
	}
}
