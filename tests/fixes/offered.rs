//! Which fixes are offered? None that the types forbid, and none that would not compile.

use super::{MANIFEST, package, sessionlint, text_of};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Code in which a commit before the return would not compile.
const NOT_FIXABLE: &str = r#"use sqlx::PgPool;

pub async fn committed_on_another_way(pool: &PgPool, kind: u8) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    match kind {
        0 => tx.commit().await?,
        1 => {
            sqlx::query("DELETE FROM orders").execute(&mut *tx).await?;
        }
        _ => tx.rollback().await?,
    }
    Ok(())
}

pub async fn inside_of_an_option(pool: &PgPool) -> sqlx::Result<()> {
    let mut slot = Some(pool.begin().await?);
    if let Some(tx) = &mut slot {
        sqlx::query("DELETE FROM carts").execute(&mut **tx).await?;
    }
    Ok(())
}

pub async fn returned_with_it(pool: &PgPool) -> sqlx::Result<usize> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(size(&tx))
}

fn size<T>(_: &T) -> usize {
    size_of::<T>()
}

pub async fn waited_for_at_the_end(pool: &PgPool) -> sqlx::Result<i64> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(count(1).await)
}

async fn count(n: i64) -> i64 {
    n
}

pub async fn no_result(pool: &PgPool) -> Option<i64> {
    let mut tx = pool.begin().await.ok()?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.ok()?;
    Some(1)
}

pub async fn what_it_gives_is_made_elsewhere(pool: &PgPool, done: sqlx::Result<()>) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    done
}

pub async fn at_the_end_of_a_loop(pool: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for _ in ids {
        let mut tx = pool.begin().await?;
        sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    }
    Ok(())
}

pub fn not_async(tx: sqlx::Transaction<'static, sqlx::Postgres>) -> sqlx::Result<()> {
    let _ = tx.commit();
    Ok(())
}

pub async fn without_a_name(pool: &PgPool) -> sqlx::Result<()> {
    pool.begin().await?;
    Ok(())
}

pub async fn pool_of_a_call(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    sqlx::query("DELETE FROM orders").execute(&pool.clone()).await?;
    tx.commit().await
}

pub async fn not_mutable(pool: &PgPool) -> sqlx::Result<()> {
    let tx = pool.begin().await?;
    sqlx::query("DELETE FROM orders").execute(pool).await?;
    tx.commit().await
}
"#;

#[test]
fn what_would_not_compile_is_not_offered() {
    let here = package();
    fs::write(here.path().join("src/lib.rs"), NOT_FIXABLE).unwrap();
    let (_, report, _) = sessionlint(here.path(), &["--format", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 11, "{report}");
    assert!(findings.iter().all(|finding| finding["fixes"].as_array().unwrap().is_empty()), "{report}");
}

/// Code in which the commit would move what was moved or is borrowed, or its error would go nowhere.
const NOT_TYPED: &str = r#"use sqlx::{PgPool, Postgres, Transaction};

async fn store(tx: Transaction<'static, Postgres>) -> sqlx::Result<()> {
    tx.commit().await
}

pub async fn handed_on_in_a_loop(pool: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    for id in ids {
        sqlx::query("DELETE FROM carts WHERE id = $1").bind(id).execute(&mut *tx).await?;
        if *id == 7 {
            store(tx).await?;
            if ids.len() > 9 {
                tx = pool.begin().await?;
            } else {
                break;
            }
        }
    }
    Ok(())
}

pub async fn kept_in_a_closure(pool: &PgPool, late: bool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    if late {
        tokio::spawn(async move { tx.commit().await });
    }
    Ok(())
}

pub struct Failure;

pub async fn error_of_another_kind(pool: &PgPool) -> Result<(), Failure> {
    let mut tx = pool.begin().await.map_err(|error| log(pool, error))?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.map_err(|_| Failure)?;
    Ok(())
}

fn log(_: &PgPool, _: sqlx::Error) -> Failure {
    Failure
}

pub async fn shadowed(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    {
        let tx = 1;
        drop(tx);
    }
    Ok(())
}

pub struct Carts<'a> {
    tx: &'a mut Transaction<'static, Postgres>,
}

impl Carts<'_> {
    pub fn count(&self) -> usize {
        size_of_val(&*self.tx)
    }
}

pub async fn borrowed(pool: &PgPool) -> sqlx::Result<usize> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    let carts = Carts { tx: &mut tx };
    Ok(carts.count())
}

pub async fn result_of_the_begin(pool: &PgPool) -> Result<(), Failure> {
    let mut tx = pool.begin().await.map_err(|_| Failure)?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.map_err(|_| Failure)?;
    let _ = tx.commit();
    Ok(())
}

pub async fn beside_itself(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    let writes = sqlx::query("DELETE FROM orders").execute(pool);
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    writes.await?;
    tx.commit().await
}
"#;

/// The fixes that are offered, by function.
fn offered(directory: &Path) -> Vec<(String, String)> {
    let (_, report, _) = sessionlint(directory, &["--format", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let with_fixes = report["findings"].as_array().unwrap().iter().flat_map(|finding| {
        let edits = finding["fixes"].as_array().unwrap().iter().map(|fix| fix["edits"][0]["text"].as_str().unwrap());
        edits.map(|text| (finding["function"].as_str().unwrap().to_owned(), text.trim().to_owned())).collect::<Vec<_>>()
    });
    with_fixes.collect()
}

#[test]
fn what_the_types_forbid_is_not_offered() {
    let here = package();
    fs::write(here.path().join("src/lib.rs"), NOT_TYPED).unwrap();
    let (_, found, _) = sessionlint(here.path(), &["--format", "concise"]);
    assert!(found.lines().count() >= 6, "{found}");
    // An error that a closure without variables of its own makes can be made there, too.
    assert_eq!(offered(here.path()), [("result_of_the_begin".to_owned(), String::new())], "{found}");
    sessionlint(here.path(), &["--fix"]);
    assert!(text_of(here.path()).contains("    tx.commit().await.map_err(|_| Failure)?;\n"));
}

/// Functions whose error takes that of the library, each in another way.
const ERRORS: &str = r#"use sqlx::PgPool;

mod error {
    pub type Result<T, E = Failure> = std::result::Result<T, E>;

    pub enum Failure {
        Database(sqlx::Error),
    }

    impl From<sqlx::Error> for Failure {
        fn from(error: sqlx::Error) -> Self {
            Failure::Database(error)
        }
    }

    #[derive(Debug, thiserror::Error)]
    pub enum Marked {
        #[error(transparent)]
        Database(#[from] sqlx::Error),
    }

    pub struct Other(pub String);
}

pub async fn alias(pool: &PgPool) -> error::Result<()> {
    let Ok(mut tx) = pool.begin().await else { return Ok(()) };
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    let _ = tx.commit();
    Ok(())
}

pub async fn marked(pool: &PgPool) -> Result<(), error::Marked> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(())
}

pub async fn any(pool: &PgPool) -> anyhow::Result<()> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(())
}

pub async fn boxed(pool: &PgPool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(())
}

pub async fn neighbour(pool: &PgPool, all: bool) -> Result<(), error::Other> {
    let mut tx = pool.begin().await.map_err(|error| error::Other(error.to_string()))?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.map_err(|_| error::Other(String::new()))?;
    Ok(())
}

pub async fn untold(pool: &PgPool) -> Result<(), error::Other> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.unwrap();
    Ok(())
}
"#;

#[test]
fn a_question_mark_stands_only_where_the_error_is_taken() {
    let here = package();
    let manifest = format!("{MANIFEST}anyhow = \"1\"\nthiserror = \"2\"\n");
    fs::write(here.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(here.path().join("src/lib.rs"), ERRORS).unwrap();
    let offered = offered(here.path());
    let shown: Vec<(&str, &str)> = offered.iter().map(|(function, text)| (function.as_str(), text.as_str())).collect();
    let plain = "tx.commit().await?;";
    let adapted = "tx.commit().await.map_err(|error| error::Other(error.to_string()))?;";
    let expected = [("alias", ""), ("marked", plain), ("any", plain), ("boxed", plain), ("neighbour", adapted)];
    assert_eq!(shown, expected);
    let (_, left, _) = sessionlint(here.path(), &["--fix", "--unsafe-fixes", "--format", "concise"]);
    assert_eq!(left.lines().count(), 1, "{left}");
}
