//! MULTI on a shared connection of redis. `REDIS_URL` names a server.

use redis::aio::MultiplexedConnection;

async fn shared() -> MultiplexedConnection {
    let client = redis::Client::open(std::env::var("REDIS_URL").expect("REDIS_URL names a server")).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn every_clone_is_inside_of_multi() {
    let con = shared().await;
    let (mut one, mut other) = (con.clone(), con.clone());
    redis::cmd("MULTI").exec_async(&mut one).await.unwrap();
    let answer: redis::Value = redis::cmd("GET").arg("cart").query_async(&mut other).await.unwrap();
    assert_eq!(answer, redis::Value::SimpleString("QUEUED".to_owned()), "somebody else's GET was queued");
    redis::cmd("DISCARD").exec_async(&mut one).await.unwrap();
    let answer: redis::Value = redis::cmd("GET").arg("nothing").query_async(&mut other).await.unwrap();
    assert_eq!(answer, redis::Value::Nil);
}

#[tokio::test]
async fn a_pipeline_is_sent_as_one() {
    let mut con = shared().await;
    fixture_redis::own(&mut con).await.unwrap();
    let value: i64 = redis::cmd("GET").arg("cart").query_async(&mut con).await.unwrap();
    assert_eq!(value, 1);
}
