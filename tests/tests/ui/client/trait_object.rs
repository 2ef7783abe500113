// The command families are no trait objects.
use redis_model::prelude::*;

struct App {
    redis: Box<dyn StringCommands>,
}

fn main() {}
