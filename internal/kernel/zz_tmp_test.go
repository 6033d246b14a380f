package kernel

import ("testing";"time";"fmt";"os";"strconv")

func best(f func()) float64 {
	d, _ := strconv.Atoi(os.Getenv("MS")); if d==0 {d=400}
	b := 1e18
	for s := time.Now(); time.Since(s) < time.Duration(d)*time.Millisecond; {
		t := time.Now(); f(); b = min(b, float64(time.Since(t).Nanoseconds()))
	}
	return b
}
func TestZZ(t *testing.T) {
	kk := 256
	a, b, c := make([]Float, 6*kk+64), make([]Float, 16*kk+64), make([]Float, 6*16+64)
	ns := best(func() { for range 1000 { microAVX2x6(kk, &a[0], &b[0], &c[0], 16) } })
	fmt.Printf("micro 6x16: %.1f GF\n", 1000*2*6*16*float64(kk)/ns)
	for _, s := range []struct{ m, n, k int }{{128, 1000, 784}, {1024, 1024, 1024}, {64, 8192, 576}} {
		x, w, c := make([]Float, s.m*s.k), make([]Float, s.k*s.n), make([]Float, s.m*s.n)
		var p Packed
		fl := 2*float64(s.m)*float64(s.n)*float64(s.k)
		p.Pack(nil, w, s.n, s.k, s.n, false)
		mm := best(func() { MatMul(nil, s.m, x, s.k, false, &p, c, s.n) })
		mt := best(func() { MatMul(nil, s.m, x, s.m, true, &p, c, s.n) })
		pk := best(func() { p.Pack(nil, w, s.n, s.k, s.n, false) })
		pt := best(func() { p.Pack(nil, w, s.k, s.k, s.n, true) })
		by := float64(4*s.k*s.n)
		fmt.Printf("%v: MatMul %.1f GF (trans %.1f), pack %.2f GB/s, trans %.2f GB/s, both %.1f GF\n", s, fl/mm, fl/mt, by/pk, by/pt, fl/(mm+pk))
	}
}
