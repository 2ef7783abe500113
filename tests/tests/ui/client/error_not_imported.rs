// The prelude has `Result`, but no `Error`: programs have errors of their own.
use redis_model::prelude::*;

fn example() -> Result<(), Box<dyn Error>> {
    Ok(())
}

fn main() {}
