//! The server's memory for index entries, rows and kept outcomes.

use redis_model_tests::Stack;
use redis_model_tests::user::User;

use crate::commands::{hset, put, put_with_nonce};
use crate::server::{Line, Server, line};
use crate::{Outcome, float};

const RECORDS: usize = 100_000;

pub(crate) fn measure(stack: &Stack) -> Outcome<()> {
    let mut server = Server::connect(stack)?;
    let users: Vec<_> = (1..=RECORDS).map(User::new).collect();
    let each = |bytes: f64| bytes / float(RECORDS);
    let mut used = |commands: Vec<Line>| -> Outcome<f64> {
        server.fill(&[])?;
        let before = server.memory()?;
        server.fill(&commands)?;
        Ok(each(server.memory()? - before))
    };
    let plain = used(users.iter().map(hset).collect())?;
    let with_nonces = used(users.iter().map(put_with_nonce).collect())?;
    // Last, because its keys are looked at below.
    let indexed = used(users.iter().map(put).collect())?;
    println!("memory of {RECORDS} records of 12 fields with 3 indexes, bytes for each record:");
    println!("  the record {plain:.0}, rows and indexes {:.0}", indexed - plain);
    println!("  an outcome under a nonce {:.0}", with_nonces - indexed);
    let mut of_key = |key: &str| -> Outcome<f64> {
        let reply = server.run(&[line(["MEMORY", "USAGE", key, "SAMPLES", "0"])])?.concat();
        Ok(each(String::from_utf8(reply)?.parse()?))
    };
    println!("  its row {:.0}", of_key("user::rows")?);
    for index in ["email", "country", "age"] {
        let lengths = users.iter().map(|user| entry_length(user, index));
        let length = each(float(lengths.sum()));
        let bytes = of_key(&format!("user::index:{index}"))?;
        println!("  its entry of {length:.0} bytes in `{index}` {bytes:.0}: {:.0} more", bytes - length);
    }
    Ok(())
}

/// The bytes of a record's entry in an index: the encoded value, a NUL, and the id.
fn entry_length(user: &User, index: &str) -> usize {
    let value = match index {
        "email" => user.email.len(),
        "country" => user.country.len(),
        // The sign and the number of digits, in three bytes.
        _ => 3 + user.age.to_string().len(),
    };
    value + 1 + user.id.to_string().len()
}
