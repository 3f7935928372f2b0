"""Puts one known mistake at a time into functions that commit, and counts those that sessionlint reports.

Usage: mutate.py DIRECTORY [PATH OF THE BINARY]. Files are changed in place and restored.
"""
import glob
import json
import os
import re
import subprocess
import sys

SL=sys.argv[2] if len(sys.argv)>2 else 'sessionlint'
root=sys.argv[1]
ops={
 'delete':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)(?:\.await)?(?:\s*\.\w+\([^()]*(?:\([^()]*\))?[^()]*\))*\??;\s*$'), lambda m:''),
 'noawait':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)\.await.*;\s*$'), lambda m: f'{m.group(1)}let _ = {m.group(2)}.commit();'),
 'ignore':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)(\.await)?.*;\s*$'), lambda m: f'{m.group(1)}let _ = {m.group(2)}.commit(){m.group(3) or ""};'),
 'under_if':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)(\.await)?(.*);\s*$'), lambda m: f'{m.group(1)}if std::env::args().count() > 3 {{ {m.group(2)}.commit(){m.group(3) or ""}{m.group(4)}; }}'),
 'sleep':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)\.await.*;\s*$'), lambda m: f'{m.group(1)}tokio::time::sleep(std::time::Duration::from_secs(1)).await; {m.group(0).strip()}'),
 'early':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)(\.await)?.*\?;\s*$'), lambda m: f'{m.group(1)}if std::env::args().count() > 3 {{ return Ok(Default::default()); }}\n{m.group(0)}'),
 'arm':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)(\.await)?(.*);\s*$'), lambda m: f'{m.group(1)}match std::env::args().count() {{ 3 => {{ {m.group(2)}.commit(){m.group(3) or ""}{m.group(4)}; }} _ => {{}} }}'),
 # The way on is in a function of its own, which is lent the transaction, and forgets the commit.
 'helper':(re.compile(r'^(\s*)(\w+)\.commit\(\)(\.await)?(.*);\s*$'), lambda m: f'{m.group(1)}the_way_on(&mut {m.group(2)}){m.group(3) or ""};'),
 # The same, by value: the new owner answers for what it writes itself, so these are knowingly missed.
 'given_away':(re.compile(r'^(\s*)(\w+)\.commit\(\)(\.await)?(.*);\s*$'), lambda m: f'{m.group(1)}the_end({m.group(2)}){m.group(3) or ""};'),
 'http':(re.compile(r'^(\s*)([\w\.]+)\.commit\(\)\.await.*;\s*$'), lambda m: f'{m.group(1)}let _told = reqwest::get("https://example.org").await; {m.group(0).strip()}'),
 'lock':(re.compile(r'^(?!\s*//).*\bpg_(try_)?advisory_xact_lock\b.*$'), lambda m: m.group(0).replace('_xact_lock', '_lock')),
 'forget':(re.compile(r'^(\s*)([\w]+)\.commit\(\)(\.await)?.*;\s*$'), lambda m: f'{m.group(1)}std::mem::forget({m.group(2)});'),
}
rules={'delete':{'uncommitted-transaction','unguarded-session'},'noawait':{'unawaited-release'},'ignore':{'ignored-release-result'},'under_if':{'uncommitted-transaction'},'early':{'uncommitted-transaction'},'acquire':{'nested-acquire'},'pool':{'transaction-bypass'},'forget':{'leaked-session'},'sleep':{'session-held-across-await'},'http':{'session-held-across-await'},'arm':{'uncommitted-transaction'},'helper':{'uncommitted-transaction'},'given_away':{'uncommitted-transaction'},'lock':{'session-state-leak'}}
# A mutant compiles only where the package depends on what it names.
NEEDS={'sleep':'tokio','http':'reqwest'}
def depends(path,name):
    directory=os.path.dirname(os.path.abspath(path))
    while directory!='/':
        manifest=os.path.join(directory,'Cargo.toml')
        if os.path.exists(manifest): return re.search(rf'^(\[dependencies\.{name}\]|{name}(\.workspace)? *=)',open(manifest).read(),re.M) is not None
        directory=os.path.dirname(directory)
    return False
# What a mutant needs beside it, at the end of its file.
TAILS={'helper':'\n{ASYNC}fn the_way_on<T>(_it: &mut T) {}\n','given_away':'\n{ASYNC}fn the_end<T>(_it: T) {}\n'}
# Two that need the pool of the transaction: `let mut tx = POOL.begin().await?` above in the same function.
OPENED=re.compile(r'let (?:mut )?(\w+) = ([\w\.&()]+?)\.begin\(\)')
def pool_of(lines,i,name):
    for j in range(i,-1,-1):
        m=OPENED.search(lines[j])
        if m and m.group(1)==name: return m.group(2)
        if re.match(r'\s*(pub(\(\w+\))? )?(async )?fn ',lines[j]): return None
def acquire(lines,i):
    m=re.match(r'^(\s*)(\w+)\.commit\(\)\.await.*;\s*$',lines[i])
    pool=m and pool_of(lines,i,m.group(2))
    return f'{m.group(1)}let _second = {pool}.acquire().await?;\n{lines[i]}' if pool else None
def to_pool(lines,i):
    m=re.search(r'\(&mut \*{0,2}(\w+)\)',lines[i])
    pool=m and 'execute' in lines[i] and pool_of(lines,i,m.group(1))
    return lines[i][:m.start()]+f'(&{pool})'+lines[i][m.end():] if pool else None
more={'acquire':acquire,'pool':to_pool}
res={k:[0,0] for k in [*ops,*more]}; surv=[]
for f in sorted(glob.glob(root+'/**/*.rs',recursive=True)):
    rel=os.path.relpath(f,root)
    if '/tests/' in rel or '/examples/' in rel or '/benches/' in rel or rel.endswith('tests.rs'): continue
    t=open(f,errors='replace').read()
    lines=t.split('\n')
    cut=next((i for i,l in enumerate(lines) if l.strip()=='#[cfg(test)]'),len(lines))
    base=json.loads(subprocess.run([SL,'check',f,'--isolated','--no-ignore','--no-cache','--format','json'],capture_output=True,text=True).stdout)['findings']
    try:
      mutants=[(op,i,sub(m)) for op,(pat,sub) in ops.items() for i,l in enumerate(lines[:cut]) if (m:=pat.match(l))]
      mutants=[one for one in mutants if one[0] not in NEEDS or depends(f,NEEDS[one[0]])]
      mutants+=[(op,i,new) for op,make in more.items() for i in range(cut) if (new:=make(lines,i))]
      for op,i,changed in mutants:
          l=lines[i]; new=lines[:]; new[i]=changed
          tail=TAILS.get(op,'').replace('{ASYNC}','async ' if '.await' in l else '')
          open(f,'w').write('\n'.join(new)+tail)
          r=subprocess.run([SL,'check',f,'--isolated','--no-ignore','--no-cache','--format','json'],capture_output=True,text=True)
          d=json.loads(r.stdout)
          hit=[x for x in d['findings'] if x['rule'] in rules[op]]
          res[op][1]+=1
          if len(hit)>len([x for x in base if x['rule'] in rules[op]]): res[op][0]+=1
          else: surv.append(f'{op} {rel}:{i+1}: {l.strip()}')
    finally:
      open(f,'w').write(t)
print(res)
for s in surv: print(s)
