"""Gives the crates of an application path dependencies on each other, as in the workspace they were published from.

Usage: link.py DIRECTORY...; each directory holds the unpacked crates of one application.
"""
import os,re,sys,tomllib
for app in sys.argv[1:]:
    sib={}
    for d in os.listdir(app):
        p=os.path.join(app,d,'Cargo.toml')
        if os.path.exists(p):
            try: sib[tomllib.load(open(p,'rb'))['package']['name']]=d
            except Exception as e: print(p,e)
    n=0
    for name,d in sib.items():
        p=os.path.join(app,d,'Cargo.toml'); t=open(p).read(); out=[]
        lines=t.split('\n'); i=0
        for i,l in enumerate(lines):
            out.append(l)
            m=re.match(r'^\[(?:target\..*\.)?(?:dev-|build-)?dependencies\.("?)([\w-]+)\1\]$',l)
            if m:
                key=m.group(2); pkg=key
                for k in lines[i+1:i+12]:
                    if k.startswith('['): break
                    mm=re.match(r'^package = "(.*)"',k)
                    if mm: pkg=mm.group(1)
                    if k.startswith('path'): pkg=None; break
                if pkg in sib and pkg!=name: out.append(f'path = "../{sib[pkg]}"'); n+=1
        open(p,'w').write('\n'.join(out))
    print(app,len(sib),n)
