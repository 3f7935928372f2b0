//! The fixtures of sea-orm run on SQLite.

use fixture_sea_orm as fixture;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use std::time::Duration;

async fn database(directory: &tempfile::TempDir) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}/db?mode=rwc", directory.path().display()));
    options.max_connections(1).acquire_timeout(Duration::from_millis(700));
    let db = Database::connect(options).await.unwrap();
    db.execute_unprepared("DROP TABLE IF EXISTS carts; CREATE TABLE carts (id INTEGER); INSERT INTO carts VALUES (1)")
        .await
        .unwrap();
    db
}

async fn is_there(db: &DatabaseConnection) -> bool {
    db.execute_unprepared("UPDATE carts SET id = 1").await.unwrap().rows_affected() == 1
}

#[tokio::test]
async fn a_forgotten_commit_loses_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let db = database(&directory).await;
    fixture::text_forgotten(&db).await.unwrap();
    fixture::generic(&db).await.unwrap();
    fixture::owner(db.begin().await.unwrap()).await.unwrap();
    assert!(is_there(&db).await, "the DELETE was rolled back");
    fixture::scoped(&db).await.unwrap();
    assert!(!is_there(&db).await, "the closure was committed");
}

#[tokio::test]
async fn a_discarded_transaction_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let db = database(&directory).await;
    fixture::discarded(&db).await.unwrap();
    assert!(!is_there(&db).await, "the DELETE ran outside of it");
}

#[tokio::test]
async fn a_leaked_transaction_is_missing_in_the_pool() {
    let directory = tempfile::tempdir().unwrap();
    let db = database(&directory).await;
    fixture::leaked(&db).await.unwrap();
    db.execute_unprepared("SELECT 1").await.unwrap_err();
}
