//! Time grows with the size of a text, and not faster, in whatever way it grows.

#![expect(clippy::disallowed_macros, reason = "figures of the run")]

use sessionlint_testkit::targets;

/// A way to grow, and what a text of so many pieces says.
type Growing = (&'static str, fn(usize) -> String);

const WRITE: &str = "    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n";

/// Texts that grow, each in another way.
const GROWING: &[Growing] = &[
    ("statements in one function", |n| within(&WRITE.repeat(n))),
    ("functions", |n| {
        (0..n).map(|at| within("    work(&mut tx).await?;\n").replace("place", &format!("place_{at}"))).collect()
    }),
    ("functions that call each other", |n| {
        let one = |at: usize| {
            format!(
                "async fn f{at}(tx: &mut PgConnection) -> sqlx::Result<()> {{ f{}(tx).await?; f{}(tx).await }}\n",
                at + 1,
                at + 2
            )
        };
        (0..n).map(one).collect::<String>() + &within("    f0(&mut tx).await?;\n")
    }),
    ("conditions in a row", |n| {
        within(&(0..n).map(|at| format!("    if c{at} {{ work(&mut tx).await?; }}\n")).collect::<String>())
    }),
    ("conditions that are asked again", |n| {
        let ask = |at: usize| format!("    if c{at} {{ work(&mut tx).await?; }}\n");
        within(&(0..n / 4).chain(0..n / 4).map(ask).collect::<String>())
    }),
    ("early returns", |n| within(&"    if check(&mut tx).await? { return Ok(()); }\n".repeat(n))),
    ("question marks in a row", |n| {
        within(&format!("    work(&mut tx){}.await?;\n", ".then(one)?".repeat(n % 400)).repeat(n / 100 + 1))
    }),
    ("arms of a match", |n| {
        within(&format!(
            "    match n {{ {} _ => {{}} }}\n",
            (0..n).map(|at| format!("{at} => work(&mut tx).await?,\n")).collect::<String>()
        ))
    }),
    ("alternatives of a pattern", |n| {
        within(&format!(
            "    match n {{ {} => {{}} _ => {{}} }}\n",
            (0..n).map(|at| at.to_string()).collect::<Vec<_>>().join(" | ")
        ))
    }),
    ("sessions of one function", |n| {
        let one = |at: usize| {
            format!(
                "    let mut t{at} = pool.begin().await?;\n    work(&mut t{at}).await?;\n    t{at}.commit().await?;\n"
            )
        };
        within(&(0..n).map(one).collect::<String>())
    }),
    ("loops in a row", |n| {
        within(&"    for x in xs { if x { continue; } if y { break; } work(&mut tx).await?; }\n".repeat(n))
    }),
    ("jumps out of one loop", |n| {
        let one = |at: usize| format!("        if c{at} {{ continue 'a; }} if d{at} {{ break 'b; }}\n");
        within(&format!(
            "    'a: loop {{ 'b: loop {{\n{} }} work(&mut tx).await?; }}\n",
            (0..n).map(one).collect::<String>()
        ))
    }),
    ("states of a machine", |n| {
        let one = |at: usize| {
            format!("        {at} => {{ work(&mut tx).await?; state = {}; if c {{ continue; }} }}\n", at * 7 % n)
        };
        let arms: String = (0..n).map(one).collect();
        within(&format!("    let mut state = 0;\n    loop {{ match state {{\n{arms}        _ => break,\n    }} }}\n"))
    }),
    ("functions that are no Rust", |n| {
        (0..n).map(|at| within("    work(&mut tx . ).await?;\n").replace("place", &format!("place_{at}"))).collect()
    }),
    ("mistakes", |n| {
        let leak = within(WRITE).replace("    tx.commit().await?;\n", "");
        (0..n).map(|at| leak.replace("place", &format!("place_{at}"))).collect()
    }),
    ("attributes that silence", |n| {
        let one = |at: usize| {
            format!("#[cfg_attr(any(), sessionlint::allow(leaked-session, reason = \"x\"))]\nfn f{at}() {{}}\n")
        };
        (0..n).map(one).collect::<String>() + &within("")
    }),
    ("variables of one name", |n| within(&"    let tx = tx;\n".repeat(n))),
    ("closures", |n| within(&"    let f = |x| x + 1; f(1);\n".repeat(n))),
    ("arguments", |n| within(&format!("    work(&mut tx, {}).await?;\n", "1, ".repeat(n)))),
    ("calls of a macro", |n| {
        format!(
            "macro_rules! m {{ ($e:expr) => {{ $e.commit().await?; }} }}\n{}",
            within(&"    m!(other);\n".repeat(n))
        )
    }),
    ("fields", |n| {
        format!(
            "pub struct S {{ {} }}\n{}",
            (0..n).map(|at| format!("f{at}: PgPool,\n")).collect::<String>(),
            within("")
        )
    }),
    ("imports", |n| (0..n).map(|at| format!("use sqlx::x{at} as y{at};\n")).collect::<String>() + &within("")),
    ("methods", |n| {
        format!(
            "pub struct S; impl S {{ {} }}\n{}",
            (0..n).map(|at| format!("pub fn commit_{at}(&self) {{}}\n")).collect::<String>(),
            within("")
        )
    }),
    ("comments that silence", |n| {
        within(&"    // sessionlint: allow(uncommitted-transaction) -- why\n    work(&mut tx).await?;\n".repeat(n))
    }),
    ("a statement's text", |n| {
        within(&format!(
            "    sqlx::query(\"INSERT INTO t VALUES (1{})\").execute(&mut *tx).await?;\n",
            ", 'a'".repeat(n)
        ))
    }),
    ("statements of one text", |n| {
        within(&format!("    sqlx::query(\"{}\").execute(&mut *tx).await?;\n", "DELETE FROM t; ".repeat(n)))
    }),
    ("brackets without a partner", |n| format!("{}{}", within(""), "fn a() { ( [ ".repeat(n))),
    ("closing brackets", |n| format!("{}{}", within(""), ") ] }\n".repeat(n))),
    ("a long line", |n| format!("{}// {}\n", within(""), "x sqlx ".repeat(n))),
    ("a chain", |n| within(&format!("    let x = a{};\n", ".b()".repeat(n)))),
    ("a sum", |n| within(&format!("    let x = 1{};\n", " + 1".repeat(n)))),
    ("braces in each other", |n| within(&format!("    {}work(&mut tx).await?;{}\n", "{ ".repeat(n), "}".repeat(n)))),
    ("ifs in each other", |n| within(&format!("    {}work(&mut tx).await?;{}\n", "if c { ".repeat(n), "}".repeat(n)))),
    ("else ifs", |n| {
        within(&format!(
            "    if c {{}} {} else {{ work(&mut tx).await?; }}\n",
            (0..n).map(|at| format!("else if c == {at} {{ work(&mut tx).await?; }}\n")).collect::<String>()
        ))
    }),
    ("modules in each other", |n| format!("{}{}{}", "mod m { ".repeat(n), within(""), "}".repeat(n))),
    ("types in each other", |n| format!("{}fn f(x: {}u8{}) {{}}\n", within(""), "Option<".repeat(n), ">".repeat(n))),
];

/// A function that opens a transaction, does something, and commits.
fn within(work: &str) -> String {
    format!(
        "use sqlx::{{PgConnection, PgPool}};\npub async fn place(pool: &PgPool) -> sqlx::Result<()> {{\n    let mut tx = pool.begin().await?;\n\
         {work}    tx.commit().await?;\n    Ok(())\n}}\n"
    )
}

/// Seconds that checking a text takes: the least of some times, because others use the machine too.
fn seconds(text: &str, times: usize) -> f64 {
    let one = || {
        let started = std::time::Instant::now();
        targets::check(text);
        started.elapsed().as_secs_f64()
    };
    (0..times).map(|_| one()).fold(f64::MAX, f64::min)
}

/// Eight times the text takes about eight times the time, in whatever way it grows: squared it would be 64.
#[test]
fn time_is_linear_in_size() {
    const PIECES: usize = 200;
    targets::check(&within(""));
    for (name, text) in GROWING {
        if std::env::var("ONLY").is_ok_and(|only| !name.contains(&only)) {
            continue;
        }
        let (small, large) = (text(PIECES), text(8 * PIECES));
        // What is over in no time tells nothing.
        let before = seconds(&small, 3).max(0.02);
        let after = seconds(&large, if before < 0.3 { 3 } else { 1 });
        println!("{name}: {:.0} ms, {:.0} ms: {:.1} times", before * 1e3, after * 1e3, after / before);
        assert!(after / before < 20.0, "{name}: {before} s, and {after} s for eight times the size");
    }
}

/// A function of a hundred thousand lines is read like any other.
#[test]
fn a_function_of_a_hundred_thousand_lines_is_read() {
    let lines = "    count(total, one);\n".repeat(100_000);
    let leak = within(&lines).replace("    tx.commit().await?;\n", WRITE);
    let directory = tempfile::TempDir::new().unwrap();
    std::fs::write(directory.path().join("lib.rs"), &leak).unwrap();
    let outcome = sessionlint_testkit::check(directory.path(), &["."], |_| {});
    let found: Vec<&str> = outcome.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(found, ["uncommitted-transaction"], "{:?}", outcome.gaps);
}

/// Loops around loops, each left and gone on with from the innermost: no gap, or one that is told.
#[test]
fn jumps_across_many_loops_are_read() {
    const DEPTH: usize = 60;
    let open: String = (0..DEPTH).map(|at| format!("'l{at}: loop {{\n")).collect();
    let jump = |at: usize| format!("if c{at} {{ continue 'l{at}; }} if d{at} {{ break 'l{}; }}\n", DEPTH - 1 - at);
    let jumps: String = (0..DEPTH).map(jump).collect();
    let text = within(&format!("{open}{jumps}work(&mut tx).await?;\n{}", "}".repeat(DEPTH)));
    targets::check(&text);
    targets::lowering(&text);
}

/// What cannot be told apart is silent and counted: nothing is said about a body with too many ways.
#[test]
fn too_many_ways_are_a_gap() {
    let told = |count: usize| {
        let open =
            |at: usize| format!("    let mut t{at} = None;\n    if c{at}() {{ t{at} = Some(pool.begin().await?); }}\n");
        let write = |at: usize| {
            format!(
                "    if let Some(t) = &mut t{at} {{ sqlx::query(\"DELETE FROM carts\").execute(&mut **t).await?; }}\n"
            )
        };
        let work: String = (0..count).map(open).chain((0..count).map(write)).collect();
        let directory = tempfile::TempDir::new().unwrap();
        std::fs::write(directory.path().join("lib.rs"), within(&work)).unwrap();
        let outcome = sessionlint_testkit::check(directory.path(), &["."], |_| {});
        let rules: Vec<&str> = outcome.findings.iter().map(|finding| finding.rule).collect();
        let leaks = rules.iter().filter(|rule| **rule == "uncommitted-transaction").count();
        (leaks, outcome.gaps.into_iter().map(|gap| gap.reason).collect::<Vec<_>>())
    };
    assert_eq!(told(3), (3, Vec::new()));
    let (leaks, gaps) = told(12);
    assert_eq!(leaks, 0);
    assert!(gaps.contains(&"too many ways through this body".to_owned()), "{gaps:?}");
}
