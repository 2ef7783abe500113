//! The commands that the documentation of the service lists for the REST API.

/// The commands, in lower case and sorted. `config|get` is a subcommand of a command that is not listed as a whole.
///
/// The list is that of the documentation in August 2026, and the newer array and vector commands of `@upstash/redis` 1.39.0.
#[rustfmt::skip]
const COMMANDS: [&str; 283] = [
    "acl|cat", "acl|deluser", "acl|genpass", "acl|gentoken", "acl|getuser", "acl|list", "acl|load", "acl|log",
    "acl|resttoken", "acl|save", "acl|setuser", "acl|users", "acl|whoami", "append", "arcount", "ardel", "ardelrange",
    "arget", "argetrange", "argrep", "arinfo", "arinsert", "arlastitems", "arlen", "armget", "armset", "arnext",
    "arop", "arring", "arscan", "arseek", "arset", "bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos",
    "command", "config|get", "config|set", "copy", "dbsize", "decr", "decrby", "del", "delex", "digest", "dump",
    "echo", "eval", "eval_ro", "evalsha", "evalsha_ro", "exists", "expire", "expireat", "expiretime", "fcall",
    "fcall_ro", "flushall", "flushdb", "function|delete", "function|flush", "function|kill", "function|list",
    "function|load", "function|stats", "geoadd", "geodist", "geohash", "geopos", "georadius", "georadius_ro",
    "georadiusbymember", "georadiusbymember_ro", "geosearch", "geosearchstore", "get", "getbit", "getdel", "getex",
    "getrange", "getset", "hdel", "hexists", "hexpire", "hexpireat", "hexpiretime", "hget", "hgetall", "hgetdel",
    "hgetex", "hincrby", "hincrbyfloat", "hkeys", "hlen", "hmget", "hmset", "hpersist", "hpexpire", "hpexpireat",
    "hpexpiretime", "hpttl", "hrandfield", "hscan", "hset", "hsetex", "hsetnx", "hstrlen", "httl", "hvals", "incr",
    "incrby", "incrbyfloat", "info", "json.arrappend", "json.arrindex", "json.arrinsert", "json.arrlen",
    "json.arrpop", "json.arrtrim", "json.clear", "json.debug", "json.del", "json.forget", "json.get", "json.merge",
    "json.mget", "json.mset", "json.numincrby", "json.nummultby", "json.objkeys", "json.objlen", "json.resp",
    "json.set", "json.strappend", "json.strlen", "json.toggle", "json.type", "keys", "lindex", "linsert", "llen",
    "lmove", "lmpop", "lpop", "lpos", "lpush", "lpushx", "lrange", "lrem", "lset", "ltrim", "memory|usage", "mget",
    "mset", "msetnx", "persist", "pexpire", "pexpireat", "pexpiretime", "pfadd", "pfcount", "pfmerge", "ping",
    "psetex", "pttl", "publish", "pubsub", "randomkey", "rename", "renamenx", "restore", "rpop", "rpoplpush", "rpush",
    "rpushx", "sadd", "scan", "scard", "script|exists", "script|flush", "script|kill", "script|load", "sdiff",
    "sdiffstore", "search.aggregate", "search.aliasadd", "search.aliasdel", "search.count", "search.create",
    "search.describe", "search.drop", "search.listaliases", "search.listindexes", "search.query", "search.reindex",
    "search.waitindexing", "select", "set", "setbit", "setex", "setnx", "setrange", "sinter", "sintercard",
    "sinterstore", "sismember", "smembers", "smismember", "smove", "spop", "srandmember", "srem", "sscan", "strlen",
    "sunion", "sunionstore", "time", "touch", "ttl", "type", "unlink", "vector.add", "vector.count", "vector.create",
    "vector.del", "vector.drop", "vector.get", "vector.info", "vector.query", "wait", "waitaof", "xack", "xackdel",
    "xadd", "xautoclaim", "xclaim", "xdel", "xdelex", "xgroup", "xinfo|consumers", "xinfo|groups", "xinfo|stream",
    "xlen", "xpending", "xrange", "xread", "xreadgroup", "xrevrange", "xtrim", "zadd", "zcard", "zcount", "zdiff",
    "zdiffstore", "zincrby", "zinter", "zintercard", "zinterstore", "zlexcount", "zmpop", "zmscore", "zpopmax",
    "zpopmin", "zrandmember", "zrange", "zrangebylex", "zrangebyscore", "zrangestore", "zrank", "zrem",
    "zremrangebylex", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrangebylex", "zrevrangebyscore",
    "zrevrank", "zscan", "zscore", "zunion", "zunionstore",
];

/// Whether the service documents a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Documented {
    /// The command, or the subcommand that is called.
    Yes,
    /// Other subcommands of this command.
    Otherwise,
    No,
}

/// Returns whether the service documents a command. Both words are in lower case.
pub(crate) fn documented(name: &[u8], subcommand: Option<&[u8]>) -> Documented {
    let is_listed = |name: &[u8]| COMMANDS.binary_search_by(|listed| listed.as_bytes().cmp(name)).is_ok();
    let container = [name, b"|"].concat();
    let has_subcommands = || COMMANDS.iter().any(|listed| listed.as_bytes().starts_with(&container));
    if is_listed(name) || subcommand.is_some_and(|word| is_listed(&[&container, word].concat())) {
        Documented::Yes
    } else if has_subcommands() {
        Documented::Otherwise
    } else {
        Documented::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted_and_may_be_subcommands() {
        assert!(COMMANDS.is_sorted());
        for (name, subcommand, expected) in [
            ("get", None, Documented::Yes),
            ("xgroup", Some("create"), Documented::Yes),
            ("config", Some("get"), Documented::Yes),
            ("config", Some("resetstat"), Documented::Otherwise),
            ("config", None, Documented::Otherwise),
            ("object", Some("encoding"), Documented::No),
            ("lcs", None, Documented::No),
        ] {
            assert_eq!(documented(name.as_bytes(), subcommand.map(str::as_bytes)), expected, "{name} {subcommand:?}");
        }
    }
}
