//! Does every line of the data about slow work do its work? Each type with each of its calls, and each function, is used once.

use sessionlint_protocols::{Model, Profile, Work};
use sessionlint_testkit::check;
use std::collections::BTreeSet;
use std::fs;

/// The path as code writes it: some packages have a library of another name.
fn written(model: &Model, work: &Work, path: &str) -> String {
    let (krate, rest) = path.split_once("::").unwrap();
    let package = work.crates.iter().find(|package| package.replace('-', "_") == krate).unwrap();
    format!("{}::{rest}", model.library_name(package).unwrap_or(krate))
}

/// The calls that one entry speaks of, each with the parameter that it needs.
fn uses(model: &Model, work: &Work) -> Vec<(String, String)> {
    let mut uses = Vec::new();
    for path in &work.types {
        let ty = written(model, work, path);
        if work.awaited {
            uses.push((format!("it: {ty}"), "it.await".to_owned()));
        }
        if work.stream {
            uses.push((format!("it: &mut {ty}"), "it.next().await".to_owned()));
        }
        for call in &work.calls {
            let call = if call == "*" { "ask_for_it" } else { call };
            uses.push((format!("it: &mut {ty}"), format!("it.{call}(what).await")));
        }
    }
    // What makes a value of this program's own does no work.
    for path in work.functions.iter().filter(|_| !work.made_here) {
        uses.push(("_it: ()".to_owned(), format!("{}(what).await", written(model, work, path))));
    }
    uses
}

#[test]
fn every_entry_is_found() {
    let model = Model::built_in();
    let uses: Vec<(String, String)> = model.all_work().iter().flat_map(|work| uses(&model, work)).collect();
    let mut text = String::new();
    for (number, (parameter, call)) in uses.iter().enumerate() {
        text += &format!(
            "pub async fn use_{number}(pool: &sqlx::PgPool, {parameter}, what: u8) -> anyhow::Result<()> {{\n    \
             let tx = pool.begin().await?;\n    let _answer = {call};\n    tx.commit().await?;\n    Ok(())\n}}\n"
        );
    }
    let packages: BTreeSet<&String> = model.all_work().iter().flat_map(|work| &work.crates).collect();
    let dependencies: String = packages.iter().map(|package| format!("{package} = \"*\"\n")).collect();
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"every\"\nversion = \"0.0.0\"\n[dependencies]\nsqlx = \"0.9\"\nanyhow = \"1\"\n{dependencies}"
    );
    fs::write(project.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(project.path().join("src/lib.rs"), text).unwrap();
    // Quick work is told there, too.
    let outcome = check(project.path(), &["."], |options| options.profile = Some(Profile::Strict));
    let found: BTreeSet<&str> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "session-held-across-await")
        .filter_map(|finding| finding.function.rsplit("::").next())
        .collect();
    let silent: Vec<String> = uses
        .iter()
        .enumerate()
        .filter(|(number, _)| !found.contains(format!("use_{number}").as_str()))
        .map(|(_, (parameter, call))| format!("{parameter}: {call}"))
        .collect();
    assert!(silent.is_empty(), "{} of {} are silent:\n{}", silent.len(), uses.len(), silent.join("\n"));
}
