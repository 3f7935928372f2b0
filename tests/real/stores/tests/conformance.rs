//! The fixtures of embedded key-value stores run on files.

#[test]
fn redb_aborts_what_is_dropped() {
    use redb::{Database, ReadableDatabase, TableDefinition};
    const ORDERS: TableDefinition<u64, u64> = TableDefinition::new("orders");
    let directory = tempfile::tempdir().unwrap();
    let db = Database::create(directory.path().join("db")).unwrap();
    let is_there = || {
        let read = db.begin_read().unwrap();
        read.open_table(ORDERS).is_ok_and(|orders| orders.get(1).unwrap().is_some())
    };
    fixture_redb::forgotten(&db).unwrap();
    assert!(!is_there());
    fixture_redb::committed(&db).unwrap();
    assert!(is_there());
}

#[test]
fn fjall_discards_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let db = fjall::SingleWriterTxDatabase::builder(directory.path().join("one")).open().unwrap();
    let carts = db.keyspace("carts", fjall::KeyspaceCreateOptions::default).unwrap();
    fixture_fjall::forgotten(&db, &carts).unwrap();
    assert!(carts.get("a").unwrap().is_none());
    fixture_fjall::committed(&db, &carts).unwrap();
    assert!(carts.get("a").unwrap().is_some());
    let db = fjall::OptimisticTxDatabase::builder(directory.path().join("two")).open().unwrap();
    let carts = db.keyspace("carts", fjall::KeyspaceCreateOptions::default).unwrap();
    fixture_fjall::optimistic(&db, &carts, false).unwrap();
    assert!(carts.get("a").unwrap().is_none());
    fixture_fjall::optimistic(&db, &carts, true).unwrap();
    assert!(carts.get("a").unwrap().is_some());
}

#[test]
fn heed_aborts_what_is_dropped() {
    use heed::EnvOpenOptions;
    use heed::types::Str;
    let directory = tempfile::tempdir().unwrap();
    // The directory is this test's own.
    let env = unsafe { EnvOpenOptions::new().open(directory.path()).unwrap() };
    let txn = env.write_txn().unwrap();
    let created = env.create_databases_and_commit(txn, |open, txn| {
        open.create_database::<Str, Str>(txn, None).map(heed::CommitOrAbort::<_, ()>::Commit)
    });
    let carts = created.unwrap().unwrap_commit();
    fixture_heed::forgotten(&env, carts).unwrap();
    assert!(!fixture_heed::read_only(&env, carts).unwrap());
    fixture_heed::committed(&env, carts).unwrap();
    assert!(fixture_heed::read_only(&env, carts).unwrap());
}

#[test]
fn jammdb_discards_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let db = jammdb::DB::open(directory.path().join("db")).unwrap();
    fixture_jammdb::forgotten(&db).unwrap();
    assert!(db.tx(false).unwrap().get_bucket("carts").is_err(), "not even the bucket is there");
    fixture_jammdb::committed(&db).unwrap();
    assert!(fixture_jammdb::read_only(&db).unwrap());
}

#[test]
fn native_db_aborts_what_is_dropped() {
    use fixture_native_db::Cart;
    let mut models = native_db::Models::new();
    models.define::<Cart>().unwrap();
    let db = native_db::Builder::new().create_in_memory(&models).unwrap();
    let is_there = || db.r_transaction().unwrap().get().primary::<Cart>(1_u64).unwrap().is_some();
    fixture_native_db::forgotten(&db, Cart { id: 1 }).unwrap();
    assert!(!is_there());
    fixture_native_db::committed(&db, Cart { id: 1 }).unwrap();
    assert!(is_there());
}
