//! The fixtures of rusqlite and r2d2 run on SQLite.

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use std::time::Duration;

fn tables(conn: &Connection) {
    conn.execute_batch("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1)")
        .unwrap();
}

fn orders(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_forgotten_commit_loses_what_was_written() {
    let mut conn = Connection::open_in_memory().unwrap();
    tables(&conn);
    fixture_rusqlite::outer_forgotten(&mut conn).unwrap();
    fixture_rusqlite::savepoint_forgotten(&mut conn).unwrap();
    assert_eq!(orders(&conn), 1, "the DELETE was rolled back");
    fixture_rusqlite::savepoint_committed(&mut conn).unwrap();
    assert_eq!(orders(&conn), 0);
}

#[test]
fn a_begin_as_text_stays_open() {
    let conn = Connection::open_in_memory().unwrap();
    fixture_rusqlite::begin_as_text(&conn).unwrap_err();
    assert!(!conn.is_autocommit(), "still inside of it");
}

#[test]
fn a_pooled_connection_goes_back_inside_the_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let manager = SqliteConnectionManager::file(directory.path().join("db"));
    let pool = Pool::builder().max_size(1).connection_timeout(Duration::from_millis(500)).build(manager).unwrap();
    tables(&pool.get().unwrap());
    fixture_r2d2::forgotten(&pool).unwrap();
    assert_eq!(orders(&pool.get().unwrap()), 1);
    fixture_r2d2::committed(&pool).unwrap();
    assert_eq!(orders(&pool.get().unwrap()), 0);
    fixture_r2d2::two_at_a_time(&pool).unwrap_err();
    pool.get().unwrap().execute_batch("DROP TABLE orders").unwrap();
    fixture_r2d2::begin_and_rollback(&pool).unwrap();
    assert!(pool.get().unwrap().is_autocommit());
    fixture_r2d2::begin_as_text(&pool).unwrap_err();
    assert!(!pool.get().unwrap().is_autocommit(), "the next user is inside of it");
    fixture_r2d2::leaked(&pool).unwrap();
    pool.get().unwrap_err();
}
