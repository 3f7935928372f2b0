//! Work grows with the size of a text, and not faster, in whatever way it grows. Steps of the analysis are counted, since a clock
//! tells of the machine; what is done before the analysis is timed by `tests/bench.sh growth`.

#![expect(clippy::disallowed_macros, reason = "figures of the run")]

use sessionlint_testkit::targets;

/// A way to grow, and what a text of so many pieces says.
type Growing = (&'static str, fn(usize) -> String);

/// Pieces of the smaller of two texts.
const PIECES: usize = 50;

/// The same where that would be too many, because eight times of it is more than what is read, or not enough for the analysis to
/// have as many ways as it keeps.
const OTHER_PIECES: &[(&str, usize)] = &[
    ("functions that call each other", 200),
    ("conditions that are asked again", 100),
    ("sessions of one function", 8),
    ("else ifs", 8),
    ("braces in each other", 16),
    ("ifs in each other", 16),
    ("modules in each other", 4),
];

/// How many times the steps eight times the text may take; squared it would be 64.
const BOUND: usize = 10;

/// Known to grow faster, and why. What gets better leaves this list.
const KNOWN: &[(&str, &str)] = &[
    ("sessions of one function", "a session that was ended stays among the facts of every statement behind it"),
    ("else ifs", "each arm is a way of its own through all the ends of those around it, up to 64 ways"),
];

/// What grows here is no work for the analysis: the same steps, whatever the size.
const SPARED: &[&str] = &[
    "functions that are no Rust",
    "attributes that silence",
    "arguments",
    "fields",
    "imports",
    "methods",
    "a statement's text",
    "statements of one text",
    "brackets without a partner",
    "closing brackets",
    "a long line",
    "braces in each other",
    "modules in each other",
    "types in each other",
];

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
        within(&format!("    work(&mut tx){}.await?;\n", ".then(one)?".repeat(25)).repeat(n / 25))
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

/// Steps that the analysis of a text takes, on one thread.
fn steps(text: &str) -> usize {
    let directory = tempfile::TempDir::new().unwrap();
    std::fs::write(directory.path().join("lib.rs"), text).unwrap();
    let strict = |options: &mut sessionlint_engine::Options| {
        options.profile = Some(sessionlint_protocols::Profile::Strict);
        options.threads = 1;
    };
    sessionlint_testkit::check(directory.path(), &["."], strict).summary.steps
}

/// Two texts, the second of eight times the pieces.
fn texts(name: &str, text: fn(usize) -> String) -> (String, String) {
    let pieces = OTHER_PIECES.iter().find(|(other, _)| *other == name).map_or(PIECES, |(_, pieces)| *pieces);
    (text(pieces), text(8 * pieces))
}

/// Eight times the text takes about eight times the steps, in whatever way it grows.
#[test]
fn work_is_linear_in_size() {
    let mut wrong = Vec::new();
    for (name, text) in GROWING {
        let (small, large) = texts(name, *text);
        let (before, after) = (steps(&small), steps(&large));
        println!("{name}: {before} steps, {after}: {:.1} times", after as f64 / before.max(1) as f64);
        if SPARED.contains(name) {
            if after != before {
                wrong.push(format!("{name}: {before} steps, and {after} for eight times the size"));
            }
        } else if KNOWN.iter().any(|(known, _)| known == name) {
            if after <= BOUND * before {
                wrong.push(format!("{name}: {before} and {after} steps; it got better, and is known no more"));
            }
        } else if after > BOUND * before {
            wrong.push(format!("{name}: {before} steps, and {after} for eight times the size"));
        } else if after < 2 * before {
            wrong.push(format!("{name}: {before} and {after} steps: the larger text was not read to its end"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lists speak of ways to grow that exist.
#[test]
fn exceptions_have_a_text() {
    let names = OTHER_PIECES.iter().map(|(name, _)| name).chain(KNOWN.iter().map(|(name, _)| name)).chain(SPARED);
    for name in names {
        assert!(GROWING.iter().any(|(known, _)| known == name), "{name}");
    }
}

/// Texts for a clock: `EMIT=DIRECTORY cargo test --test growth -- emit` writes a folder of each size for every way to grow.
#[test]
fn emit() {
    let Some(directory) = std::env::var_os("EMIT").map(std::path::PathBuf::from) else { return };
    for (name, text) in GROWING {
        for pieces in [200, 1600] {
            let folder = directory.join(name.replace(' ', "-")).join(pieces.to_string());
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("lib.rs"), text(pieces)).unwrap();
        }
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
    assert!(gaps.contains(&"this function has too many paths".to_owned()), "{gaps:?}");
}
