//! Commands from their arguments.

use super::Command;
use crate::arg::ToArg;

/// A command from its arguments, the name first. It counts as a [`write`](Command::write): the client keeps no list of
/// commands.
impl<A: ToArg> FromIterator<A> for Command {
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> Self {
        let mut args = args.into_iter();
        let name = args.next().map_or(Ok(Vec::new()), |name| name.to_arg().into_bytes());
        let command = match name.map(String::from_utf8) {
            Ok(Ok(name)) => Command::write(name),
            Ok(Err(_)) => Command::write("command").reject("the name of a command is not UTF-8"),
            Err(error) => Command::write("command").fail(error),
        };
        command.args_of(args)
    }
}

/// A command without arguments, such as `PING`.
impl From<&str> for Command {
    fn from(name: &str) -> Self {
        Command::write(name.to_owned())
    }
}

impl<A: ToArg, const N: usize> From<[A; N]> for Command {
    fn from(args: [A; N]) -> Self {
        args.into_iter().collect()
    }
}

impl<A: ToArg> From<&[A]> for Command {
    fn from(args: &[A]) -> Self {
        args.iter().collect()
    }
}

impl<A: ToArg> From<Vec<A>> for Command {
    fn from(args: Vec<A>) -> Self {
        args.into_iter().collect()
    }
}

/// Tuples hold arguments of several types: `("SET", "visits", 1)`.
macro_rules! from_tuples {
    ([$($arg:ident)*]) => {};
    ([$($arg:ident)*] $next:ident $($rest:ident)*) => {
        impl<N: ToArg, $($arg: ToArg,)* $next: ToArg> From<(N, $($arg,)* $next)> for Command {
            #[expect(non_snake_case, reason = "a type parameter and its argument share a name")]
            fn from((name, $($arg,)* $next): (N, $($arg,)* $next)) -> Self {
                Command::from([name])$(.arg($arg))*.arg($next)
            }
        }
        from_tuples! { [$($arg)* $next] $($rest)* }
    };
}

from_tuples! { [] A B C D E F G H I J K }
