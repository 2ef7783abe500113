//! Scripts that are wrong on purpose: the test must notice each. It is a test of the test.
//!
//! All of them: `MODEL_MUTATIONS=all cargo test -p redis-model-tests --test model mutations -- --nocapture`.

use redis_model_tests::direct::Mutation;
use redis_model_tests::random::{number, seed};
use redis_model_tests::{Stack, own_stack, own_stack_in_english};

use crate::run::{self, Settings};

/// The scripts as they are.
const SCRIPTS: [&str; 10] = [
    include_str!("../../../mapper/src/scripts/rows.lua"),
    include_str!("../../../mapper/src/scripts/put.lua"),
    include_str!("../../../mapper/src/scripts/write_start.lua"),
    include_str!("../../../mapper/src/scripts/write.lua"),
    include_str!("../../../mapper/src/scripts/write_patch.lua"),
    include_str!("../../../mapper/src/scripts/write_claims.lua"),
    include_str!("../../../mapper/src/scripts/write_changes.lua"),
    include_str!("../../../mapper/src/scripts/query.lua"),
    include_str!("../../../mapper/src/scripts/reindex_entries.lua"),
    include_str!("../../../mapper/src/scripts/values.lua"),
];

/// The operations within which a mutation is noticed.
const BOUND: u64 = 40_000;

/// What is noticed soon: these run with the other tests.
const QUICK: [&str; 4] =
    ["conditions are not tested", "claims inside a batch", "old entries stay", "outcomes are not kept"];

struct Broken {
    name: &'static str,
    replace: &'static [(&'static str, &'static str)],
    ids: usize,
    needs_locale: bool,
}

const fn broken(name: &'static str, replace: &'static [(&'static str, &'static str)]) -> Broken {
    Broken { name, replace, ids: 50, needs_locale: false }
}

const ALL: &[Broken] = &[
    // Queries.
    broken("entries of a record twice", &[("return first == entry_value", "return true")]),
    broken(
        "expired records in answers",
        &[("local is_there = not (marks and marks[i] and tonumber(marks[i]) <= now)", "local is_there = true")],
    ),
    broken(
        "an entry at the end of a page comes again",
        &[(
            "if reverse then source.upper = '(' .. member else source.lower = '(' .. member end",
            "if reverse then source.upper = '[' .. member else source.lower = '[' .. member end",
        )],
    ),
    broken("conditions are not tested", &[("if not holds(condition, columns) then return false end", "")]),
    Broken {
        name: "texts are compared by the locale",
        replace: &[("  if left == right then return false end\n", "  if true then return left < right end\n")],
        ids: 50,
        needs_locale: true,
    },
    // Unique values.
    broken("claims inside a batch", &[("if other and other ~= operation.id then", "if false then")]),
    broken(
        "claims are not checked",
        &[
            ("if not own or own.purges and own.exists then", "if false then"),
            ("if call('ZLEXCOUNT', key, '[' .. value .. '\\0', '(' .. value .. '\\1') > 0 then return end", ""),
        ],
    ),
    broken("the claim of an expired owner", &[("if not due or tonumber(due) > now() then", "if true then")]),
    broken("values cannot be exchanged", &[("if not own or own.purges and own.exists then", "do")]),
    broken(
        "a living owner loses its values",
        &[
            ("if operation.exists and operation.row and operation.row.is_current then keep_columns(operation) end", ""),
            ("if not exists then forget(", "do forget("),
        ],
    ),
    // Expiry.
    broken(
        "the old mark is kept",
        &[
            ("  elseif group.has_marks then\n    call('ZREM', group.expiry, operation.id)\n", ""),
            ("    elseif first_mark then\n      call('ZREM', expiry, id)\n", ""),
        ],
    ),
    broken(
        "marks do not follow",
        &[
            (
                "  if not group then return end\n  local expires_at",
                "  if not group or lifetime == 'keep' then return end\n  local expires_at",
            ),
            (
                "if expires_at > 0 then\n      call('ZADD', expiry",
                "if lifetime ~= 'keep' and expires_at > 0 then\n      call('ZADD', expiry",
            ),
        ],
    ),
    Broken {
        name: "the sweep takes records of the batch",
        replace: &[("if not group.by_id[id] then forget(", "do forget(")],
        ids: 5,
        needs_locale: false,
    },
    broken("nothing is swept", &[("'BYSCORE', 'LIMIT', 0, 20)", "'BYSCORE', 'LIMIT', 0, 0)")]),
    // Rows.
    broken(
        "records of other programs have a row",
        &[("operation.needs_row = not operation.row or not operation.row.is_current", "operation.needs_row = false")],
    ),
    broken(
        "old entries stay",
        &[
            ("if not new[entry] then call('ZREM'", "if false then call('ZREM'"),
            ("if old ~= '' then call('ZREM'", "if false then call('ZREM'"),
        ],
    ),
    broken(
        "only the first column of an index is compared",
        &[(
            "if row.columns[position] ~= columns[position] then return false end",
            "if true then return row.columns[position] == columns[position] end",
        )],
    ),
    broken(
        "only the old columns are compared",
        &[("operation.columns or { unpack(operation.row.columns) }", "operation.columns or operation.row.columns")],
    ),
    broken(
        "deleted records stay in the indexes",
        &[("if operation.group then forget(operation.layout, operation.group, operation.id, operation.row) end", "")],
    ),
    // Exactly once.
    broken("outcomes are not kept", &[("if outcome_key then call('SET'", "if false then call('SET'")]),
    broken(
        "refusals are not kept",
        &[("if check_all() then return finish() end", "if check_all() then return table.concat(reply) end")],
    ),
    // The short way of a full write.
    broken(
        "the short way takes rows of several values",
        &[("or find(old_row, '\\2', 1, true) then return end", "then return end")],
    ),
    broken(
        "the short way takes an empty text for none",
        &[("if find(old_row, '=%z') or sub(old_row, -1) == '=' then return end", "")],
    ),
    // Reindex.
    broken(
        "reindex takes a part of an id for a value",
        &[(
            "return string.sub(member, 1, last - 1), string.sub(member, last + 1)",
            "return string.match(member, '^(.*)%z([^%z]*)$')",
        )],
    ),
    // Checks.
    broken("stale versions are written", &[("if (stored or '0') ~= expected then", "if false then")]),
    broken("conditions of a write do not count", &[("differs = differs or", "local _ =")]),
    broken(
        "sums are doubles",
        &[(
            "if not left_digits or not right_digits then return nil end",
            "do return string.format('%.0f', tonumber(left) + tonumber(right)) end",
        )],
    ),
    broken(
        "bounds of integers do not count",
        &[("if is_less_integer(sum, min) or is_less_integer(max, sum) then", "if false then")],
    ),
    broken(
        "appended separators are not escaped",
        &[("return (string.gsub(text, '[%z\\1\\2]', ESCAPES))", "return text")],
    ),
];

#[test]
fn mutations_are_of_the_scripts_as_they_are() {
    for Broken { name, replace, .. } in ALL {
        for (from, _) in *replace {
            let from = as_sent(from);
            assert!(
                SCRIPTS.iter().any(|script| as_sent(script).contains(&from)),
                "{name}: no script contains {from:?}"
            );
        }
    }
}

#[test]
fn mutations_are_noticed() {
    let seed = seed("MODEL_SEED");
    let all = std::env::var("MODEL_MUTATIONS");
    let is_wanted = |name: &str| match all.as_deref() {
        Ok("all") => true,
        Ok(part) => name.contains(part),
        Err(_) => QUICK.contains(&name),
    };
    let bound = number("MODEL_OPERATIONS").unwrap_or(BOUND);
    let stack = own_stack();
    let mut missed = Vec::new();
    for broken in ALL.iter().filter(|broken| is_wanted(broken.name)) {
        let missing = if broken.needs_locale {
            match own_stack_in_english() {
                Some(stack) => noticed(&stack, broken, seed, bound),
                None => {
                    println!("SKIPPED: {}: there is no localedef here", broken.name);
                    None
                }
            }
        } else {
            noticed(&stack, broken, seed, bound)
        };
        missed.extend(missing);
    }
    assert!(missed.is_empty(), "MODEL_SEED={seed}, not noticed: {missed:?}");
}

/// Scripts are sent without comments and indentation.
fn as_sent(text: &str) -> String {
    let lines = text.split('\n').map(str::trim_start).filter(|line| !line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

fn noticed(stack: &Stack, broken: &Broken, seed: u64, bound: u64) -> Option<&'static str> {
    let replace = broken.replace.iter().map(|(from, to)| (as_sent(from), as_sent(to))).collect();
    let mutation = Mutation { name: broken.name, replace };
    let settings = Settings {
        operations: bound,
        seed,
        ids: broken.ids,
        mutation: Some(mutation),
        stops: true,
        ..Settings::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(run::run(stack, settings));
    let first = report.problems.first().map_or("nothing", |problem| problem.get(..110).unwrap_or(problem));
    println!("{}: after {} operations: {first}", broken.name, report.operations);
    (report.problems.is_empty() || !report.has_mutated).then_some(broken.name)
}
