//! Variables of the environment with this program's prefix that it does not read: a setting that nobody heeds is a
//! slip. Pure; never looks at a value.

use std::collections::BTreeSet;

use clap::CommandFactory;
use zerodb_hooks_lexical::nearest;

use super::command_line::Cli;
use zerodb_hooks_delivery::secret::{PREFIX as SECRET, PROVIDER_PREFIX, SEALING};

const PREFIX: &str = "ZERODB_";

/// Each of these names that means nothing, with what is to be said of it.
pub fn unread(names: impl Iterator<Item = String>) -> Vec<String> {
    let known = known();
    names
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .filter_map(|name| fault(&name, &known).map(|fault| format!("{name}: {fault}")))
        .collect()
}

fn fault(name: &str, known: &BTreeSet<String>) -> Option<String> {
    let mut of_secrets = [SECRET, PROVIDER_PREFIX].into_iter();
    if let Some(rest) = of_secrets.find_map(|prefix| name.strip_prefix(prefix)) {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_secret = !rest.is_empty() && rest.chars().all(plain);
        return (!is_secret)
            .then(|| "nothing can refer to it; write its name in capitals, digits and _".to_owned());
    }
    Some(match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => format!("not read; did you mean {meant}?"),
        None => "not read; zerodb-hooks worker --help names the variables".to_owned(),
    })
}

/// The variables of all options of all commands.
fn known() -> BTreeSet<String> {
    let program = Cli::command();
    let options = program.get_subcommands().flat_map(|command| {
        let named = command.get_arguments().filter_map(|option| option.get_env());
        named
            .map(|name| name.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
    });
    options.chain([SEALING.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::unread;

    #[test]
    fn what_is_not_read_is_told_with_what_was_meant() {
        let names = [
            "HOME",
            "ZERODB_HOOKS_CONFIG",
            "ZERODB_HOOKS_POLL_MS",
            "ZERODB_SECRET_A1",
            "ZERODB_PROVIDER_A",
            "ZERODB_SEALING_KEY",
            "ZERODB_HOOKS_CONFIGG",
            "ZERODB_SECRET_lower",
            "ZERODB_SECRET_",
            "ZERODB_NONSENSE",
        ];
        let said = unread(names.into_iter().map(str::to_owned));
        let expected = [
            "ZERODB_HOOKS_CONFIGG: not read; did you mean ZERODB_HOOKS_CONFIG?",
            "ZERODB_SECRET_lower: nothing can refer to it",
            "ZERODB_SECRET_: nothing can refer to it",
            "ZERODB_NONSENSE: not read; zerodb-hooks worker --help",
        ];
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
