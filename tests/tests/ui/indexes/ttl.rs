use redis_model::prelude::*;

macro_rules! sessions {
    ($($name:ident: $(#[$attr:meta])+;)*) => {$(
        #[derive(RedisModel)]
        $(#[$attr])+
        struct $name {
            #[redis(id)]
            id: u64,
        }
    )*};
}

sessions! {
    Number: #[redis(prefix = "session", ttl = 60)];
    NoUnit: #[redis(prefix = "session", ttl = "60")];
    OtherUnit: #[redis(prefix = "session", ttl = "2w", sliding)];
    Zero: #[redis(prefix = "session", ttl = "0s")];
    Negative: #[redis(prefix = "session", ttl = "-1m")];
    Fraction: #[redis(prefix = "session", ttl = "1.5h")];
    Space: #[redis(prefix = "session", ttl = "30 m")];
    Long: #[redis(prefix = "session", ttl = "99999999d")];
    Sliding: #[redis(prefix = "session", sliding)];
    Flag: #[redis(prefix = "session", ttl)];
    Value: #[redis(prefix = "session", ttl = "1m", sliding = true)];
}

fn main() {}
