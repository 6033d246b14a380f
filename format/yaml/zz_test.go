package yaml
import ("testing";"strings";"fmt";"time";"github.com/goccy/go-yaml/lexer";"github.com/goccy/go-yaml/parser")
func TestZZ(t *testing.T){
 for _,u:=range []string{"&a ","*a ","%","\"","\"a\" ","\"\"\n","'' ","a: \"b\"\n"} {
  s:=strings.Repeat(u,maxBytes/4/len(u))
  t0:=time.Now(); tk:=lexer.Tokenize(s); t1:=time.Now(); parser.Parse(tk,0); fmt.Println(u,t1.Sub(t0),time.Since(t1))
 }
}
