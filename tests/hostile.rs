//! Broken text never breaks the tool: any prefix, deletion or splice of a real file is read without a panic.
//!
//! `MANGLED=600 cargo test --test hostile` reads more of them.

#![expect(clippy::disallowed_macros, reason = "which input is tried")]

use sessionlint_engine::Outcome;
use sessionlint_testkit::{check, rust_files, targets};
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<String> {
    let files = rust_files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures"));
    let mut texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    texts
}

/// Numbers that are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// A place in a text where it can be cut.
fn cut(numbers: &mut Numbers, text: &str) -> usize {
    let mut at = numbers.below(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// How many mangled texts are read.
fn mangled_texts() -> usize {
    std::env::var("MANGLED").map_or(120, |count| count.parse().unwrap())
}

/// Reads texts on so many threads; 0 is one for each core.
fn assert_read(texts: &[String], threads: usize) -> Outcome {
    let directory = tempfile::TempDir::new().unwrap();
    for (index, text) in texts.iter().enumerate() {
        fs::write(directory.path().join(format!("{index}.rs")), text).unwrap();
    }
    let outcome = check(directory.path(), &["."], |options| options.threads = threads);
    assert_eq!(outcome.summary.files, texts.len());
    let broken: Vec<_> = outcome.skipped.iter().filter(|skipped| skipped.reason.contains("internal")).collect();
    for one in &broken {
        let index: usize = Path::new(&one.path).file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let _ = std::fs::write(std::env::temp_dir().join(format!("sessionlint-broken-{index}.rs")), &texts[index]);
    }
    assert!(broken.is_empty());
    assert!(outcome.summary.functions > texts.len() / 4, "the texts are looked at");
    outcome
}

#[test]
fn any_prefix_is_read() {
    let mut numbers = Numbers(1);
    let texts = fixtures();
    let prefixes = (0..mangled_texts()).map(|_| {
        let text = &texts[numbers.below(texts.len())];
        text[..cut(&mut numbers, text)].to_owned()
    });
    assert_read(&prefixes.collect::<Vec<_>>(), 0);
}

#[test]
fn any_deletion_is_read() {
    let mut numbers = Numbers(2);
    let texts = fixtures();
    let deletions = (0..mangled_texts()).map(|_| {
        let text = &texts[numbers.below(texts.len())];
        let (a, b) = (cut(&mut numbers, text), cut(&mut numbers, text));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
        let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
        format!("{}{}", &text[..from], &text[to..])
    });
    assert_read(&deletions.collect::<Vec<_>>(), 0);
}

#[test]
fn any_splice_is_read() {
    let mut numbers = Numbers(3);
    let texts = fixtures();
    let splices = (0..mangled_texts()).map(|_| {
        let (one, other) = (&texts[numbers.below(texts.len())], &texts[numbers.below(texts.len())]);
        format!("{}{}", &one[..cut(&mut numbers, one)], &other[cut(&mut numbers, other)..])
    });
    assert_read(&splices.collect::<Vec<_>>(), 0);
}

/// Code that goes in circles: types around themselves, functions that call each other, macros that call themselves,
/// modules that import each other.
#[test]
fn circles_end() {
    let texts = [
        "pub struct W { inner: Box<W>, tx: sqlx::PgTransaction<'static> }
        pub async fn f(pool: &sqlx::PgPool) -> sqlx::Result<()> {
            let mut w = W { inner: other(), tx: pool.begin().await? };
            loop { w = W { inner: Box::new(w), tx: other() }; }
        }
        pub async fn g(pool: &sqlx::PgPool) -> sqlx::Result<()> {
            let mut tx = Some(pool.begin().await?);
            loop { tx = Some(tx); }
        }",
        "pub async fn a(pool: &sqlx::PgPool, tx: &mut sqlx::PgConnection) -> sqlx::Result<()> { b(pool, tx).await?; a(pool, tx).await }
        pub async fn b(pool: &sqlx::PgPool, tx: &mut sqlx::PgConnection) -> sqlx::Result<()> { c(pool, tx).await?; b(pool, tx).await }
        pub async fn c(pool: &sqlx::PgPool, tx: &mut sqlx::PgConnection) -> sqlx::Result<()> {
            a(pool, tx).await?; b(pool, tx).await?; c(pool, tx).await
        }
        pub async fn f(pool: &sqlx::PgPool) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?;
            a(pool, &mut tx).await?;
            tx.commit().await
        }",
        "macro_rules! again { ($e:expr) => { again!(again!($e)) }; }
        macro_rules! one { ($e:expr) => { other!($e) }; }
        macro_rules! other { ($e:expr) => { { one!($e); one!($e) } }; }
        pub async fn f(pool: &sqlx::PgPool) -> sqlx::Result<()> {
            let mut tx = again!(pool.begin().await?);
            one!(tx.commit().await?);
            Ok(())
        }",
        "pub mod a { pub use super::b::*; pub use super::c::*; } pub mod b { pub use super::a::*; pub use super::c::*; }
        pub mod c { pub use super::a::*; pub use super::b::*; }
        pub async fn f(pool: &a::PgPool) { let tx = pool.begin().await; a::run(tx).await; b::Unit::new(tx).save().await; }",
        "pub trait A { fn a(&self) -> Box<dyn B>; } pub trait B { fn b(&self) -> Box<dyn A>; }
        pub struct S { a: Box<dyn A>, b: Box<dyn B>, tx: Option<sqlx::PgTransaction<'static>> }
        impl A for S { fn a(&self) -> Box<dyn B> { self.b.b().a() } } impl B for S { fn b(&self) -> Box<dyn A> { self.a.a().b() } }
        impl std::ops::Deref for S { type Target = S; fn deref(&self) -> &S { self } }
        pub async fn f(s: S) { let x = s.a().b().a(); s.missing().begin().await; drop(x); }
        type Loop = Loop; pub fn g(x: Loop) -> Loop { x.begin() }",
    ];
    let mut texts: Vec<String> = texts.iter().map(|text| format!("use sqlx::Connection;\n{text}")).collect();
    // Each module imports all of each other by names that it has by such imports only.
    let all: String = (0..12).map(|at| format!("pub use m{at}::*; ")).collect();
    let modules: String = (0..12).map(|at| format!("pub mod m{at} {{ pub use super::*; {all} }}\n")).collect();
    texts.push(format!("{modules}pub async fn f(pool: &m0::Missing) {{ m3::run(pool.begin().await).await; }}"));
    // A name that is imported again and again from below itself, and a function that wraps what it is lent and calls itself with that.
    let again: String = (0..10).map(|at| format!("#[cfg(feature = \"f{at}\")] use x::y{at} as x;\n")).collect();
    texts.push(format!(
        "{again}pub async fn f(pool: &sqlx::PgPool, a: &x::Thing) {{ x::run(pool.begin().await).await; }}"
    ));
    texts.push(
        "pub struct W<T> { inner: T }
        pub async fn deeper<T>(tx: T) -> sqlx::Result<()> { let mut w = W { inner: tx }; deeper(&mut w).await }
        pub async fn f(pool: &sqlx::PgPool) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?;
            deeper(&mut tx).await?;
            tx.commit().await
        }"
        .to_owned(),
    );
    let steps = assert_read(&texts, 1).summary.steps;
    println!("{steps} steps");
    assert!(steps < 20_000, "{steps}");
}

/// A text in which a few pieces were left out, doubled or put elsewhere.
fn mangled(numbers: &mut Numbers, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..=numbers.below(2) {
        let (a, b) = (cut(numbers, &text), cut(numbers, &text));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 6));
        let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
        let piece = text[from..to].to_owned();
        match numbers.below(3) {
            0 => text.replace_range(from..to, ""),
            1 => text.insert_str(from, &piece),
            _ => {
                let at = cut(numbers, &text);
                text.insert_str(at, &piece);
            }
        }
    }
    text
}

/// Settings and baselines that are broken are told, or taken for what they are; nothing panics, and a message names its file.
#[test]
fn broken_settings_and_baselines_are_told() {
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("a.rs", "// sessionlint: allow(uncommitted-transaction) -- known\nfn f() {}\n");
    let mut numbers = Numbers(5);
    let (mut told, mut taken) = (0, 0);
    for (name, text) in [("rules.toml", SETTINGS), ("sessionlint-baseline.json", BASELINE)] {
        for _ in 0..400 {
            // The first is whole.
            let changed = if taken == 0 { text.to_owned() } else { mangled(&mut numbers, text) };
            write(name, &changed);
            let options = sessionlint_engine::Options {
                directory: directory.path().to_path_buf(),
                paths: vec![PathBuf::from(".")],
                baseline: sessionlint_engine::BaselineChoice::Default,
                ..Default::default()
            };
            match sessionlint_engine::run(&options, sessionlint_languages::ALL, &|_, _, _| {}) {
                Ok(_) => taken += 1,
                Err(error) => {
                    assert!(error.to_string().contains(name), "{error}");
                    told += 1;
                }
            }
        }
        fs::remove_file(directory.path().join(name)).unwrap();
    }
    assert!(told > 200 && taken > 10, "{told} {taken}");
}

/// What once broke something, found by `fuzz/run.sh`, and pieces of what the tool reads, mangled: each target holds.
#[test]
fn targets_hold() {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut numbers = Numbers(6);
    for (name, target) in targets::ALL {
        assert!(fuzz.join(format!("targets/{name}.rs")).is_file(), "{name} is fuzzed");
        let mut inputs = Vec::new();
        if let Ok(entries) = fs::read_dir(fuzz.join("regressions").join(name)) {
            inputs.extend(entries.map(|entry| entry.unwrap().path()));
        }
        inputs.sort();
        for path in inputs {
            println!("{}", path.display());
            target(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
        let seeds: Vec<String> = match *name {
            "sql" => SQL.iter().map(|text| (*text).to_owned()).collect(),
            "rules" => vec![SETTINGS.to_owned()],
            "baseline" => vec![BASELINE.to_owned()],
            _ => fixtures().into_iter().filter(|text| text.len() < 4_000).collect(),
        };
        for _ in 0..mangled_texts() / 3 {
            let seed = &seeds[numbers.below(seeds.len())];
            let text = mangled(&mut numbers, seed);
            if std::env::var_os("SHOW").is_some() {
                println!("{name}: {text:?}");
            }
            target(&text);
        }
    }
}

const SQL: &[&str] = &[
    "WITH gone AS (DELETE FROM carts WHERE id = $1 RETURNING *) INSERT INTO log SELECT * FROM gone; COMMIT",
    "BEGIN IMMEDIATE; UPDATE t SET a = 'it''s' /* b */ WHERE c IN ({}); ROLLBACK TO SAVEPOINT s -- d",
    "SELECT pg_advisory_lock(1), set_config('role', 'x', false); SET ROLE admin; RESET ALL; LISTEN c",
];

/// Types that lead back to themselves, or double with each name.
#[test]
fn types_in_circles_end() {
    let texts = [
        // What a block is for depends on what its parameters ask for, and that on what the block says.
        "pub trait Properties { type Resolution; fn key() -> String; }
        pub trait Update<R> { fn update(); }
        pub struct Chart<U, P>(U, P);
        impl<U: Update<P::Resolution>, P: Properties> Properties for Chart<U, P> {
            type Resolution = P::Resolution;
            fn key() -> String { P::key() }
        }
        pub async fn f<P: Properties>(pool: &PgPool) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?; P::key(); tx.commit().await
        }",
        "pub trait A { type X; fn a(&self) -> Self::X; } pub trait B { type Y; fn b(&self) -> Self::Y; }
        pub struct P<T>(T); pub struct Q<T>(T); pub struct S;
        impl<T: B<Y = <P<T> as A>::X>> A for P<T> { type X = Vec<<T as B>::Y>; fn a(&self) -> Self::X { self.0.b() } }
        impl<T: A<X = <Q<T> as B>::Y>> B for Q<T> { type Y = Option<<T as A>::X>; fn b(&self) -> Self::Y { self.0.a() } }
        impl A for S { type X = (<S as A>::X, <S as B>::Y, Self::X); fn a(&self) -> Self::X { self.b() } }
        impl B for S { type Y = (<S as A>::X, <S as B>::Y, Self::Y); fn b(&self) -> Self::Y { self.a() } }
        pub async fn f(pool: &PgPool, p: P<Q<P<S>>>, s: S) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?; p.a().b().a(); s.a().b().begin().await; tx.commit().await
        }",
        "pub trait Grow { type Next; fn grow(self) -> Self::Next; } pub struct W<T> { inner: T }
        impl<T> Grow for Vec<T> where Vec<Vec<T>>: Grow { type Next = <Vec<Vec<T>> as Grow>::Next; fn grow(self) -> Self::Next { todo!() } }
        impl<T> Grow for W<T> where W<W<T>>: Grow { type Next = W<W<(T, T, T)>>; fn grow(self) -> Self::Next { W { inner: self }.grow() } }
        pub async fn again<T: Grow>(w: W<T>) -> sqlx::Result<()> { again(w.grow()).await }
        pub async fn f(pool: &PgPool, w: W<PgPool>) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?;
            w.grow().grow().grow().grow().grow().grow().grow().grow().grow().grow().grow().grow().begin().await;
            again(W { inner: &mut tx }).await?;
            tx.commit().await
        }",
        "pub struct D { e: E } pub struct E { d: D } pub struct R<T>(T);
        impl Deref for D { type Target = E; fn deref(&self) -> &E { &self.e } }
        impl Deref for E { type Target = D; fn deref(&self) -> &Self::Target { &self.d } }
        impl<T> Deref for R<T> { type Target = R<(R<T>, R<T>)>; fn deref(&self) -> &Self::Target { todo!() } }
        pub async fn f(d: D, r: R<PgPool>, pool: &PgPool) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?;
            d.missing.begin().await; d.begin().await; r.begin().await; r.missing.begin().await;
            tx.commit().await
        }",
        "pub struct Whole<T = Whole<Whole>> { inner: T } pub trait Same<T = Self> { type Out; fn out(&self) -> T; }
        impl<T: Same<T, Out = T>> Same for Whole<T> { type Out = Whole<T::Out>; fn out(&self) -> Self { self.inner.out() } }
        pub async fn f<T: Same<T, Out = T::Out>>(pool: &PgPool, t: T, w: Whole) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?; t.out().begin().await; w.inner.inner.out().out().begin().await; tx.commit().await
        }",
        "pub trait U: V { type K; } pub trait V: U { fn k(&self) -> Self::K; } impl<T: V> U for T { type K = <T as U>::K; }
        pub async fn f<T: V>(pool: &PgPool, t: T, k: T::K) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?; t.k().begin().await; k.begin().await; tx.commit().await
        }",
        "pub struct S { tx: PgTransaction<'static>, t: Box<T> } pub struct T { s: Box<S> }
        type Round<T> = Other<T>; type Other<T> = Round<(T, Round<T>)>;
        pub async fn f(pool: &PgPool, s: S, t: T, r: Round<PgPool>) -> sqlx::Result<()> {
            let mut tx = pool.begin().await?; s.t.s.tx.execute().await; t.s.t.s.tx.execute().await; r.begin().await; tx.commit().await
        }",
    ];
    let mut texts: Vec<String> =
        texts.iter().map(|text| format!("use std::ops::Deref;\nuse sqlx::*;\n{text}")).collect();
    // Each parameter asks four times for the next one, each name stands four times for the one before, each trait asks for all others.
    let wide: String = (0..24).map(|at| format!("T{at}: Wide<T{0}, T{0}, T{0}, T{0}>, ", at + 1)).collect();
    let names: String =
        (0..24).map(|at| format!("type N{}<T> = N{at}<(T, N{at}<T>, N{at}<T>, T)>;\n", at + 1)).collect();
    let asked: String = (0..24).map(|at| format!("pub trait M{at}: {} {{}}\n", all_traits(at))).collect();
    let body = "let mut tx = pool.begin().await?; t.out().begin().await; tx.commit().await";
    let function = |generics: &str, ty: &str| {
        format!("pub async fn f<{generics}>(pool: &PgPool, t: {ty}) -> sqlx::Result<()> {{ {body} }}\n")
    };
    let declared = "use sqlx::*;\npub trait Wide<A, B, C, D> { type Out; fn out(&self) -> Self::Out; }\n";
    texts.push(format!("{declared}{}", function(&format!("{wide}T24"), "T0::Out")));
    texts.push(format!("{declared}type N0<T> = (T, T, T, T);\n{names}{}", function("", "N24<PgPool>")));
    texts.push(format!("{declared}{asked}{}", function("T: M0", "T::Missing")));
    let steps = assert_read(&texts, 1).summary.steps;
    println!("{steps} steps");
    assert!(steps < 20_000, "{steps}");
}

fn all_traits(but: usize) -> String {
    (0..24).filter(|at| *at != but).map(|at| format!("M{at}")).collect::<Vec<_>>().join(" + ")
}

const SETTINGS: &str = "profile = \"strict\"\nexclude = [\"generated/**\"]\ntests = \"skip\"\n\n[rules]\nnested-acquire = \"deny\"\n\
    session-held-across-await = { level = \"warn\", also = [\"Mailer::tell\"] }\n\n\
    [[override]]\npaths = [\"tools/**\"]\nrules = { unguarded-session = \"allow\" }\n\n\
    [[protocol]]\nid = \"mydb.pool\"\nkind = \"pool\"\npaths = [\"mydb::Pool\"]\n";

const BASELINE: &str = "{\n  \"version\": 1,\n  \"findings\": [\n    {\"path\":\"a.rs\",\"function\":\"f\",\"rule\":\"nested-acquire\",\"fingerprint\":\"a764373a2a3804cac08e7eeaac687a99\"}\n  ]\n}\n";

/// What `O::Transaction` is depends on what the block is for, and that on what `O::Transaction` is.
#[test]
fn associated_types_that_are_known_through_each_other() {
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"queue\"\nversion = \"0.1.0\"\n[dependencies]\nsqlx = \"0.9\"\n");
    write(
        "src/lib.rs",
        "pub trait Order {}\npub trait Source {}\npub struct Queue<S, O: Order> { source: S, order: O }\n\
         impl<S, O> Take for Queue<S, O> where S: Source, O: Order<Transaction = <S as Source>::Transaction> {\n    \
         type Transaction = O::Transaction;\n    \
         async fn take(&self, item: Self::Transaction) -> Result<(), Error> { let kept = self.keep(item).await; Ok(()) }\n}\n",
    );
    let mut command = assert_cmd::Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(directory.path()).args(["check", "--no-cache"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
