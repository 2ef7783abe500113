//! Decisions of aggregates: with errors of the program's own, with those of the crate, and without any.

use redis_model::prelude::*;
use redis_model::redis_rest::Client;
use redis_model::stream::Snapshots;
use redis_model::{AggregateLog, Error};
use redis_model_tests::key;

use crate::{Account, Event, paid, servers};

#[derive(Debug)]
enum Refusal {
    TooPoor { cents: i64 },
    Redis(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Redis(error)
    }
}

impl Account {
    fn withdraw(&self, cents: i64) -> Result<Vec<Event>, Refusal> {
        if cents > self.cents { Err(Refusal::TooPoor { cents: self.cents }) } else { Ok(vec![paid(-cents)]) }
    }

    fn deposit(&self, cents: &str) -> Result<Vec<Event>> {
        let cents: i64 = cents.parse().map_err(|_| Error::new(redis_model::ErrorKind::InvalidInput, "no number"))?;
        Ok(if self.is_closed { vec![] } else { vec![paid(cents)] })
    }
}

/// `?` works on the commit as it does in the decision.
async fn spend<C: Client>(client: C, account: &AggregateLog<Account>) -> Result<i64, Refusal> {
    C::resolve_or(account.commit(client, |_| vec![paid(5)])).await?;
    C::resolve_or(account.commit(client, |account| account.deposit("2"))).await?;
    let spent = C::resolve_or(account.commit_as(client, "spend", |account| {
        let mut events = account.withdraw(3)?;
        events.extend(account.deposit("1")?);
        Ok::<_, Refusal>(events)
    }));
    Ok(spent.await?.cents)
}

#[tokio::test]
async fn a_decision_has_the_error_that_it_likes() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let account =
            Event::log(key("decisions")).versioned().aggregate::<Account>().snapshots(Snapshots::json().every(2));
        assert_eq!(spend(&redis, &account).await.unwrap(), 5, "{name}");
        let version = account.load(&redis).await?.version;

        let refused = account.commit(&redis, |account| account.withdraw(50)).await;
        assert!(matches!(refused, Err(Refusal::TooPoor { cents: 5 })), "{name}: {refused:?}");
        let refused = account.commit(&redis, |account| account.deposit("much")).await.unwrap_err();
        assert!(refused.is_invalid_input() && refused.message() == "no number", "{name}: {refused:?}");
        let late = account.commit(&redis, |account| account.withdraw(1)).deadline(std::time::Duration::ZERO).await;
        assert!(matches!(&late, Err(Refusal::Redis(error)) if error.is_timeout()), "{name}: {late:?}");
        assert_eq!(account.load(&redis).await?.version, version, "{name}");

        let client = stack.blocking();
        let account = Event::log(key("blocking")).versioned().aggregate::<Account>();
        std::thread::spawn(move || {
            account.commit(&client, |_| vec![paid(5)]).unwrap();
            let refused = account.commit(&client, |account| account.withdraw(50));
            assert!(matches!(refused, Err(Refusal::TooPoor { cents: 5 })), "{refused:?}");
            assert_eq!(account.commit(&client, |account| account.withdraw(5)).unwrap().cents, 0);
        })
        .join()
        .unwrap();
    }
    Ok(())
}
