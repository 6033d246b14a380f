# Leave-one-out shares of right answers of the three odours, from the unpacked recordings.zip in recordings/,
# by definitions alone: python3 odours.py. recorded_test.go quotes what it prints.
import csv,json
idx={r['file']:r for r in json.load(open('recordings/index.json'))['recordings']}
def vp(a,b,q):
    G=[float(j) for j in range(len(b)+1)]
    for i,x in enumerate(a,1):
        d=G[0]; G[0]=float(i)
        for j,y in enumerate(b,1):
            u=G[j]; G[j]=min(u+1,G[j-1]+1,d+q*abs(x-y)); d=u
    return G[-1]
def trials(lo,hi):
    out=[];lab=[]
    for c,f in enumerate(['terpi','citron','mix']):
        f='star/e060817%s.csv'%f; on=idx[f]['stimulus_on_s']
        T={}
        for r in csv.DictReader(open('recordings/'+f)):
            t=float(r['time'])-on
            if lo<=t<=hi: T.setdefault((int(r['trial']),r['unit']),[]).append(t)
        for k in sorted(idx[f].get('trials') or range(1,21)) if isinstance(idx[f].get('trials'),list) else range(1,21):
            out.append([sorted(T.get((k,'neuron %d'%n),[])) for n in (1,2,3)]); lab.append(c)
    return out,lab
def right(T,lab,q,neurons=(0,1,2)):
    n=len(T); D=[[0.]*n for _ in T]
    for i in range(n):
        for j in range(i):
            D[i][j]=D[j][i]=sum(vp(T[i][k],T[j][k],q) for k in neurons)
    s=0
    for i in range(n):
        m=[]
        for c in range(3):
            v=[D[i][j] for j in range(n) if j!=i and lab[j]==c]
            m.append(float('inf') if 0 in v else sum(x**-2 for x in v)/len(v))
        w=[c for c in range(3) if m[c]>=max(m)*(1-1e-12)]
        s+=(lab[i] in w)/len(w)
    return s/n
T,lab=trials(0,2); print(len(T),[ (q,right(T,lab,q)) for q in (0,5,100)], right(T,lab,5,(1,)), right(T,lab,0,(0,)))
T,lab=trials(-2.5,-0.5); print(right(T,lab,20), right(T,lab,0))
