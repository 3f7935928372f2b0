//! The fixtures run against PostgreSQL: the wrong form really goes wrong, the right one does not. `PG_URL` names a
//! database that may be emptied.

use futures::FutureExt;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};
use std::time::Duration;

fn url() -> String {
    std::env::var("PG_URL").expect("PG_URL names a database")
}

/// A pool of one connection, and tables with one order, one cart and one piece of stock.
async fn pool_of(size: u32) -> PgPool {
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_millis(700))
        .connect(&url())
        .await
        .unwrap();
    sqlx::raw_sql(
        "DROP TABLE IF EXISTS orders, carts, stock, old, jobs;
         CREATE TABLE orders (id bigint, kind int DEFAULT 0);
         CREATE TABLE carts (id bigint, n int DEFAULT 0, name text);
         CREATE TABLE stock (id bigint, n int);
         CREATE TABLE old (id bigint);
         CREATE TABLE jobs (id bigint, failed bool);
         INSERT INTO carts (id) VALUES (1);
         INSERT INTO stock VALUES (1, 5)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(pool).await.unwrap().get(0)
}

/// Whether the connection that the pool lends next is inside of a transaction: in one that began earlier, time stands
/// still.
async fn is_inside(pool: &PgPool) -> bool {
    let mut conn = pool.acquire().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..2 {
        match sqlx::query("SELECT now()::text").fetch_one(&mut *conn).await {
            Ok(row) => times.push(row.get::<String, _>(0)),
            // "current transaction is aborted"
            Err(_) => return true,
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    times[0] == times[1]
}

#[tokio::test]
async fn a_forgotten_commit_loses_what_was_written() {
    use fixture_sqlx::commits;
    let pool = pool_of(2).await;
    commits::forgotten(&pool).await.unwrap();
    assert_eq!(count(&pool, "orders").await, 0);
    commits::committed(&pool).await.unwrap();
    assert_eq!(count(&pool, "orders").await, 1);
    commits::helper_commits(&pool).await.unwrap();
    let before = count(&pool, "orders").await;
    commits::owner_by_parameter(pool.begin().await.unwrap()).await.unwrap();
    assert_eq!(count(&pool, "orders").await, before);
}

#[tokio::test]
async fn an_end_that_nobody_awaits_is_none() {
    use fixture_sqlx::releases;
    let pool = pool_of(2).await;
    sqlx::query("INSERT INTO orders (id) VALUES (1)").execute(&pool).await.unwrap();
    releases::bare_statement(&pool).await.unwrap();
    assert_eq!(count(&pool, "orders").await, 1, "the DELETE was rolled back");
    releases::result_ignored(&pool).await.unwrap();
    assert_eq!(count(&pool, "orders").await, 0, "awaited, it was committed");
}

#[tokio::test]
async fn what_is_bound_to_an_underscore_holds_nothing() {
    let pool = pool_of(2).await;
    sqlx::query("INSERT INTO orders (id) VALUES (1)").execute(&pool).await.unwrap();
    fixture_sqlx::sessions::underscore(&pool).await.unwrap();
    assert_eq!(count(&pool, "orders").await, 0, "the DELETE ran outside of the transaction, and stays");
}

#[tokio::test]
async fn a_begin_as_text_stays_open_on_the_pooled_connection() {
    use fixture_sqlx::begin_text;
    let pool = pool_of(1).await;
    sqlx::query("DROP TABLE stock").execute(&pool).await.unwrap();
    {
        let mut conn = pool.acquire().await.unwrap();
        begin_text::borrowed(&mut conn).await.unwrap_err();
    }
    assert!(is_inside(&pool).await, "the next user is inside of it");
    let pool = pool_of(1).await;
    sqlx::query("DROP TABLE stock").execute(&pool).await.unwrap();
    begin_text::rolled_back(&pool).await.unwrap_err();
    assert!(!is_inside(&pool).await);
}

#[tokio::test]
async fn a_leaked_connection_is_missing_in_the_pool() {
    use fixture_sqlx::sessions;
    let pool = pool_of(1).await;
    sessions::does_the_pool_work(&pool).await.unwrap();
    pool.acquire().await.unwrap();
    sessions::forgotten(&pool).await.unwrap();
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolTimedOut)));
    let pool = pool_of(1).await;
    sessions::transaction_forgotten(&pool).await.unwrap();
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolTimedOut)));
}

#[tokio::test]
async fn a_second_checkout_waits_for_the_first() {
    use fixture_sqlx::meanwhile;
    let pool = pool_of(1).await;
    assert!(matches!(meanwhile::two_at_a_time(&pool).await, Err(sqlx::Error::PoolTimedOut)));
    assert!(matches!(meanwhile::write_goes_to_the_pool(&pool).await, Err(sqlx::Error::PoolTimedOut)));
    assert!(matches!(meanwhile::executor_is_the_pool(&pool).await, Err(sqlx::Error::PoolTimedOut)));
    meanwhile::first_is_dropped(&pool).await.unwrap();
    meanwhile::executor_is_the_transaction(&pool).await.unwrap();
    meanwhile::one_after_the_other(&pool).await.unwrap();
    meanwhile::temporary_ends_with_its_statement(&pool).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_sleeps_is_missing_meanwhile() {
    let pool = pool_of(1).await;
    sqlx::query("INSERT INTO jobs VALUES (1, false)").execute(&pool).await.unwrap();
    let sleeper = tokio::spawn({
        let pool = pool.clone();
        async move { fixture_sqlx::meanwhile::connection_sleeps(&pool).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolTimedOut)));
    let other = PgPoolOptions::new().connect(&url()).await.unwrap();
    sqlx::query("DELETE FROM jobs").execute(&other).await.unwrap();
    sleeper.await.unwrap().unwrap();
    pool.acquire().await.unwrap();
}

async fn search_path(pool: &PgPool) -> String {
    sqlx::query("SHOW search_path").fetch_one(pool).await.unwrap().get(0)
}

async fn locks(pool: &PgPool) -> i64 {
    let text = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    sqlx::query(text).fetch_one(pool).await.unwrap().get(0)
}

#[tokio::test]
async fn state_of_the_session_meets_the_next_user() {
    use fixture_sqlx::state;
    let pool = pool_of(1).await;
    let usual = search_path(&pool).await;
    state::setting_through_the_pool(&pool).await.ok();
    assert_eq!(search_path(&pool).await, "tenant_a");
    for right in [0, 1, 2] {
        let pool = pool_of(1).await;
        match right {
            0 => state::local_to_the_transaction(&pool).await.ok(),
            1 => state::rollback_takes_it_back(&pool).await.ok(),
            _ => state::setting_is_put_back(&pool).await.ok(),
        };
        let path = search_path(&pool).await;
        assert!(path == usual || path == "public", "{right}: {path}");
    }
    let pool = pool_of(1).await;
    state::commit_keeps_the_setting(&pool).await.ok();
    // The tables are not in that path, so that the transaction fails and takes the setting back: it is made there.
    sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS tenant_a; CREATE TABLE IF NOT EXISTS tenant_a.orders (id bigint)")
        .execute(&pool)
        .await
        .unwrap();
    state::commit_keeps_the_setting(&pool).await.unwrap();
    assert_eq!(search_path(&pool).await, "tenant_a");
    sqlx::raw_sql("DROP SCHEMA tenant_a CASCADE").execute(&pool).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_the_session_outlives_its_function() {
    use fixture_sqlx::state;
    let pool = pool_of(1).await;
    state::helpers_lock_and_unlock(&pool).await.unwrap();
    assert_eq!(locks(&pool).await, 0);
    state::helper_locks_and_nobody_unlocks(&pool).await.unwrap();
    assert_eq!(locks(&pool).await, 1);
    drop(pool);
    let pool = pool_of(1).await;
    sqlx::query("DROP TABLE orders").execute(&pool).await.unwrap();
    state::lock_outlives_the_rollback(&pool).await.unwrap_err();
    assert!(locks(&pool).await >= 1, "rolled back, and still locked");
}

/// How many milliseconds each answer takes on the slow way.
static DELAY: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// A way to the server on which every answer takes its time. Gives the address that leads there.
async fn slow_way() -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url().split(['@', '/']).nth(3).unwrap().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap().to_string();
    let slow = url().replace(&address, &near);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = tokio::net::TcpStream::connect(&address).await.unwrap();
            let ((mut asks, mut hears), (mut answers, mut told)) = (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut asks, &mut told).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = answers.read(&mut bytes).await {
                    let delay = DELAY.load(std::sync::atomic::Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    hears.write_all(&bytes[..count]).await.unwrap();
                }
            });
        }
    });
    slow
}

/// The connection is looked at, which takes one answer, and BEGIN another: the limit of a second lies between them.
#[tokio::test]
async fn a_begin_that_is_cancelled_stays_open() {
    use fixture_sqlx::cancel;
    let tables = pool_of(1).await;
    let url = slow_way().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    cancel::statement_under_a_timeout(&pool).await.unwrap();
    assert!(!is_inside(&pool).await);
    // The connection is back in its pool by then.
    tokio::time::sleep(Duration::from_millis(300)).await;
    DELAY.store(700, std::sync::atomic::Ordering::Relaxed);
    cancel::begin_under_a_timeout(&pool).await.unwrap_err();
    DELAY.store(0, std::sync::atomic::Ordering::Relaxed);
    assert!(is_inside(&pool).await, "sqlx 0.9.0 stands being cancelled: the data file is wrong");
    drop(tables);
}

#[tokio::test]
async fn a_copy_without_its_end_stores_nothing() {
    use fixture_sqlx::sessions;
    let pool = pool_of(2).await;
    let mut conn = pool.acquire().await.unwrap();
    sessions::copy_is_forgotten(&mut conn, b"1\t0\n").await.unwrap();
    drop(conn);
    assert_eq!(count(&pool, "orders").await, 0);
    let mut conn = pool.acquire().await.unwrap();
    // The server still answers the one that was aborted.
    let _aborted = sqlx::query("SELECT 1").execute(&mut *conn).await;
    sessions::copy_is_finished(&mut conn, b"1\t0\n").await.unwrap();
    drop(conn);
    assert_eq!(count(&pool, "orders").await, 1);
}

mod tokio_postgres_ {
    use super::{count, pool_of, url};
    use fixture_tokio_postgres as fixture;
    use std::time::Duration;
    use tokio_postgres::{Client, NoTls};

    async fn client() -> Client {
        fixture::connection_spawned(&url()).await.unwrap()
    }

    #[tokio::test]
    async fn a_forgotten_commit_loses_what_was_written() {
        let pool = pool_of(1).await;
        let mut client = client().await;
        fixture::forgotten(&mut client).await.unwrap();
        fixture::built(&mut client).await.unwrap();
        assert_eq!(count(&pool, "orders").await, 0);
        fixture::committed(&mut client).await.unwrap();
        assert_eq!(count(&pool, "orders").await, 1);
    }

    #[tokio::test]
    async fn a_connection_that_is_not_run_answers_nothing() {
        let _pool = pool_of(1).await;
        let waited = tokio::time::timeout(Duration::from_secs(2), fixture::connection_is_not_run(&url())).await;
        assert!(waited.is_err(), "it waits for ever");
        let thrown_away = fixture::connection_discarded(&url()).await.unwrap();
        assert!(thrown_away.simple_query("SELECT 1").await.unwrap_err().is_closed());
        let (client, connection) = tokio_postgres::connect(&url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client.simple_query("SELECT 1").await.unwrap();
    }

    #[tokio::test]
    async fn a_begin_as_text_stays_open() {
        let pool = pool_of(1).await;
        sqlx::query("DROP TABLE orders").execute(&pool).await.unwrap();
        let client = client().await;
        fixture::begin_as_text(&client).await.unwrap_err();
        let failed = client.simple_query("SELECT 1").await.unwrap_err();
        assert_eq!(failed.code().map(|code| code.code()), Some("25P02"), "inside of a failed transaction");
    }

    #[tokio::test]
    async fn a_copy_without_its_end_stores_nothing() {
        let pool = pool_of(1).await;
        let client = client().await;
        fixture::copies::forgotten(&client, b"1\t0\n").await.unwrap();
        assert_eq!(count(&pool, "orders").await, 0);
        fixture::copies::finished(&client, b"1\t0\n").await.unwrap();
        fixture::copies::pinned(&client, b"1\t0\n").await.unwrap();
        assert_eq!(count(&pool, "orders").await, 2);
    }
}

#[tokio::test]
async fn pools_of_deadpool_hand_the_open_transaction_on() {
    let tables = pool_of(1).await;
    let manager = deadpool_postgres::Manager::new(url().parse().unwrap(), tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    sqlx::query("INSERT INTO orders (id) VALUES (1)").execute(&tables).await.unwrap();
    fixture_deadpool::forgotten(&pool).await.unwrap();
    assert_eq!(count(&tables, "orders").await, 1);
    fixture_deadpool::committed(&pool).await.unwrap();
    assert_eq!(count(&tables, "orders").await, 0);
    let two = tokio::time::timeout(Duration::from_secs(1), fixture_deadpool::two_at_a_time(&pool)).await;
    assert!(two.is_err(), "it waits for ever: no timeout is set by default");
    fixture_deadpool::one_after_the_other(&pool).await.unwrap();
    sqlx::query("DROP TABLE orders").execute(&tables).await.unwrap();
    fixture_deadpool::begin_and_rollback(&pool).await.unwrap();
    pool.get().await.unwrap().simple_query("SELECT 1").await.unwrap();
    fixture_deadpool::begin_as_text(&pool).await.unwrap_err();
    pool.get().await.unwrap().simple_query("SELECT 1").await.unwrap_err();
}

#[tokio::test]
async fn pools_of_bb8_hand_the_open_transaction_on() {
    let tables = pool_of(1).await;
    let manager = bb8_postgres::PostgresConnectionManager::new(url().parse().unwrap(), tokio_postgres::NoTls);
    let pool = bb8::Pool::builder().max_size(1).build(manager).await.unwrap();
    sqlx::query("INSERT INTO orders (id) VALUES (1)").execute(&tables).await.unwrap();
    fixture_bb8::forgotten(&pool).await.unwrap();
    assert_eq!(count(&tables, "orders").await, 1);
    fixture_bb8::committed(&pool).await.unwrap();
    assert_eq!(count(&tables, "orders").await, 0);
    sqlx::query("DROP TABLE orders").execute(&tables).await.unwrap();
    fixture_bb8::begin_and_rollback(&pool).await.unwrap();
    pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap();
    fixture_bb8::begin_as_text(&pool).await.unwrap_err();
    // It looks at its connections when it hands them out, and this one fails.
    let next = tokio::time::timeout(Duration::from_secs(2), pool.get()).await;
    assert!(
        !matches!(next, Ok(Ok(ref conn)) if conn.batch_execute("SELECT 1").now_or_never().is_some_and(|r| r.is_ok()))
    );
}

#[tokio::test]
async fn diesel_rolls_nothing_back_by_itself() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let tables = pool_of(1).await;
    sqlx::query("DROP TABLE orders").execute(&tables).await.unwrap();
    let (wrong, right, text) = tokio::task::spawn_blocking(|| {
        let open = |run: fn(&mut diesel::PgConnection) -> diesel::result::QueryResult<()>| {
            let mut conn = diesel::PgConnection::establish(&super_url()).unwrap();
            run(&mut conn).ok();
            conn.batch_execute("SELECT 1").is_err()
        };
        (
            open(fixture_diesel::question_mark_leaves),
            open(fixture_diesel::rolled_back),
            open(fixture_diesel::begin_as_text),
        )
    })
    .await
    .unwrap();
    assert!(wrong, "still inside of the failed transaction");
    assert!(!right);
    assert!(text);

    use diesel_async::{AsyncConnection, SimpleAsyncConnection};
    let mut conn = diesel_async::AsyncPgConnection::establish(&url()).await.unwrap();
    fixture_diesel::with_async::question_mark_leaves_async(&mut conn).await.unwrap_err();
    conn.batch_execute("SELECT 1").await.unwrap_err();
}

fn super_url() -> String {
    url()
}

#[tokio::test]
async fn the_blocking_client_rolls_back_when_it_is_dropped() {
    let tables = pool_of(1).await;
    tokio::task::spawn_blocking(|| {
        let mut client = postgres::Client::connect(&url(), postgres::NoTls).unwrap();
        let orders = |client: &mut postgres::Client| -> i64 {
            client.query_one("SELECT count(*) FROM orders", &[]).unwrap().get(0)
        };
        fixture_postgres::forgotten(&mut client).unwrap();
        assert_eq!(orders(&mut client), 0);
        fixture_postgres::committed(&mut client).unwrap();
        assert_eq!(orders(&mut client), 1);
        fixture_postgres::copies::forgotten(&mut client, b"1\t0\n").unwrap();
        assert_eq!(orders(&mut client), 1);
        fixture_postgres::copies::finished(&mut client, b"1\t0\n").unwrap();
        assert_eq!(orders(&mut client), 2);
    })
    .await
    .unwrap();
    assert_eq!(count(&tables, "orders").await, 2);
}
