//! Wrong uses of the derive: each error is on the user's own line and names the fix.

use std::process::Command;

/// The compiler whose words the expectations are. Another release words its own part differently.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn wrong_uses_are_explained() {
    let compiler = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&compiler.stdout).into_owned();
    if version.starts_with(COMPILER) {
        trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
    } else {
        eprintln!("not compared: the expectations are of {COMPILER}x, this is {version}");
    }
}
