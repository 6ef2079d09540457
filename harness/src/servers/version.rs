//! Which Postgres servers the tests run against, and where their programs are.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// A server that the environment names (see dev/paths.sh).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgVersion {
    pub major: u32,
    bin: PathBuf,
    share: PathBuf,
}

impl PgVersion {
    /// The servers that are set up. A missing one is said once, and why; without any the tests cannot run.
    pub fn present() -> &'static [Self] {
        static PRESENT: OnceLock<Vec<PgVersion>> = OnceLock::new();
        PRESENT.get_or_init(|| {
            let found: Vec<_> = ["ZERODB_PG18_CONFIG", "ZERODB_PG15_CONFIG"]
                .into_iter()
                .filter_map(|variable| match Self::named_by(variable) {
                    Ok(version) => Some(version),
                    Err(reason) => {
                        eprintln!("leaving out the server of {variable}: {reason:#}");
                        None
                    }
                })
                .collect();
            assert!(
                !found.is_empty(),
                "no PostgreSQL to test with: run the tests through dev/with_env.sh"
            );
            found
        })
    }

    /// The first server that is set up, for a test that one version is enough for.
    pub fn main() -> &'static Self {
        static MAIN: OnceLock<PgVersion> = OnceLock::new();
        MAIN.get_or_init(|| match Self::named_by("ZERODB_PG18_CONFIG") {
            Ok(version) => version,
            Err(reason) => panic!("no PostgreSQL: {reason:#}; run this through dev/with_env.sh"),
        })
    }

    fn named_by(variable: &str) -> Result<Self> {
        let pg_config = std::env::var_os(variable).context("the variable is not set")?;
        let ask = |option: &str| -> Result<String> {
            let answer = Command::new(&pg_config)
                .arg(option)
                .output()
                .context("pg_config does not run")?;
            ensure!(answer.status.success(), "pg_config {option} failed");
            Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
        };
        let version = ask("--version")?;
        let digits: String = version
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        let share = PathBuf::from(ask("--sharedir")?);
        let major = digits.parse().context("pg_config --version names no version")?;
        let control = share.join("extension/zerodb_hooks.control");
        // Not a reason to leave a server out: a green run that tested nothing would be worse.
        assert!(
            control.exists(),
            "the extension is not installed: run dev/install_extension.sh {major}"
        );
        Ok(Self {
            major,
            bin: ask("--bindir")?.into(),
            share,
        })
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Where the scripts of extensions lie.
    pub fn extension_dir(&self) -> PathBuf {
        self.share.join("extension")
    }
}
