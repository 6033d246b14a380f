package figure
import ("testing";"os")
func TestZZ(t *testing.T){
 f,err:=Training("Training", History{TrainLoss:[]float64{1,.5,.4},TestLoss:[]float64{.8,.6,.5},TestAccuracy:[]float64{90,95,97.25}})
 if err!=nil{t.Fatal(err)}
 b,_:=f.PNG(144); os.WriteFile("/tmp/rp/train.png",b,0o644)
 names:=[]string{"aeroplane","bird","cat with a very long name indeed","dog"}
 f,err=Confusion("Classes",[][]int{{10,0,3,0},{1,12345,0,0},{0,0,0,0},{2,2,2,2}},names)
 if err!=nil{t.Fatal(err)}
 b,_=f.PNG(144); os.WriteFile("/tmp/rp/conf.png",b,0o644)
 big:=make([][]int,100); for i:=range big{big[i]=make([]int,100); for j:=range big{ if (i*7+j*3)%11==0{big[i][j]=1}};big[i][i]=80}
 f,err=Confusion("Hundred classes",big,nil)
 if err!=nil{t.Fatal(err)}
 b,_=f.PNG(144); os.WriteFile("/tmp/rp/conf100.png",b,0o644); t.Log(len(f.SVG()))
 l:=Layer{Name:"hidden",Steps:300,Units:50,Values:make([]float64,15000)}
 for i:=range l.Values{ if i%17==0||i%23==5{l.Values[i]=1}}
 f,err=Raster("Long",[]Layer{l,{Name:"one unit",Steps:300,Units:1,Values:l.Values[:300]}})
 if err!=nil{t.Fatal(err)}
 b,_=f.PNG(144); os.WriteFile("/tmp/rp/rast.png",b,0o644); t.Log(len(f.SVG()))
 k:=make([][]float64,64); for i:=range k{k[i]=make([]float64,784); for j:=range k[i]{k[i][j]=float64((i*j)%13-6)/20}}
 f,err=Filters("Large",28,28,k); if err!=nil{t.Fatal(err)}
 b,_=f.PNG(144); os.WriteFile("/tmp/rp/filt.png",b,0o644); t.Log(len(f.SVG()))
}
