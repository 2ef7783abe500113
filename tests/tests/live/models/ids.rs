//! Ids of every type.

use redis_model::prelude::*;
use redis_model_tests::stack;
use ulid::Ulid;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(id)]
struct OrderId(u32);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: OrderId,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "upload")]
struct Upload {
    #[redis(id)]
    id: Uuid,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ticket")]
struct Ticket {
    #[redis(id)]
    id: Ulid,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "session")]
struct Session {
    #[redis(id)]
    id: String,
}

#[tokio::test]
async fn ids_of_every_type() -> Result<()> {
    let redis = stack().redis();
    let order = Order { id: Order::next_id(&redis).await? };
    assert_eq!((Order::next_id(&redis).await?, Order::key(&order.id)?), (OrderId(2), "order:1".into()));
    order.save(&redis).await?;
    assert_eq!(Order::load(&redis, &order.id).await?, Some(order), "a record of nothing but its id exists");
    let upload = Upload { id: Upload::generate_id() };
    upload.save(&redis).await?;
    assert_eq!(Upload::load(&redis, upload.id).await?, Some(upload));
    let ticket = Ticket { id: Ticket::generate_id() };
    ticket.save(&redis).await?;
    assert_eq!(Ticket::load(&redis, ticket.id).await?, Some(ticket));
    let session = Session { id: "é /?#".into() };
    session.save(&redis).await?;
    assert_eq!(Session::load(&redis, "é /?#").await?, Some(session));
    Ok(())
}
