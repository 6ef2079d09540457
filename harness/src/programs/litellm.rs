//! The LiteLLM proxy before a model endpoint, as a process of its own: a rate limiter that we have not written. Used by
//! benchmarks; `dev/litellm.sh` installs it. It has no database and asks nothing outside the machine.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::wait::eventually;

/// The key that it accepts.
pub const KEY: &str = "sk-proxy";

/// Requests per minute, and which of its two limiters counts them. What they answer stands in harness/README.md.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// The caller's key: a minute from the first request on. A 429 says `Retry-After: 60` whatever remains of it.
    PerKey(u32),
    /// The model: each minute of the clock. A 429 does not say when to come back.
    PerModel(u32),
}

pub struct LiteLlm {
    pub port: u16,
    child: Child,
    folder: TempDir,
}

/// Its program where dev/litellm.sh has installed it already.
pub fn installed() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::var_os("DEV_HOME")?).join("litellm/bin/litellm");
    program.exists().then_some(program)
}

/// Installs it where that has not been done (about 2 minutes), and names its program.
pub async fn install() -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/litellm.sh");
    let output = tokio::process::Command::new(script).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "dev/litellm.sh failed:\n{said}");
    let program = String::from_utf8(output.stdout)?;
    Ok(PathBuf::from(program.trim()))
}

impl LiteLlm {
    /// Answers for `model` from the endpoint at `base` (`http://…/v1`); neither retries nor leaves the endpoint out
    /// after an error. Ready after 5 to 20 s.
    pub async fn start(program: &Path, base: &str, model: &str, limit: Limit) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(
            folder.path().join("config.yaml"),
            configuration(base, model, limit).to_string(),
        )?;
        fs::write(folder.path().join("limited_key.py"), authority(limit))?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let log = File::create(folder.path().join("log"))?;
        let child = Command::new(program)
            .args(["--config", "config.yaml", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            // Otherwise it fetches a list of prices when it starts.
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut proxy = Self { port, child, folder };
        let answers = async || match proxy.child.try_wait() {
            Ok(None) => TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true),
            _ => Some(false),
        };
        let reached = eventually(Duration::from_secs(300), answers).await;
        ensure!(reached?, "the proxy has ended:\n{}", proxy.log());
        Ok(proxy)
    }

    /// The base URL, as a client's configuration has it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for LiteLlm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// JSON, which is YAML.
fn configuration(base: &str, model: &str, limit: Limit) -> serde_json::Value {
    let mut configuration = serde_json::json!({
        "model_list": [{
            "model_name": model,
            "litellm_params": {"model": format!("openai/{model}"), "api_base": base, "api_key": "sk-upstream"},
        }],
        "router_settings": {"num_retries": 0, "disable_cooldowns": true},
        "general_settings": {"custom_auth": "limited_key.check"},
    });
    if let Limit::PerModel(requests) = limit {
        configuration["model_list"][0]["litellm_params"]["rpm"] = requests.into();
        configuration["router_settings"]["optional_pre_call_checks"] =
            serde_json::json!(["enforce_model_rate_limits"]);
    }
    configuration
}

/// The proxy keeps the limits of its keys in a database; its own hook for keys from elsewhere needs none.
fn authority(limit: Limit) -> String {
    let limit = match limit {
        Limit::PerKey(requests) => format!(", rpm_limit={requests}"),
        Limit::PerModel(_) => String::new(),
    };
    format!(
        "from fastapi import HTTPException\n\
         from litellm.proxy._types import UserAPIKeyAuth\n\n\n\
         async def check(request, api_key):\n    \
             if api_key != \"{KEY}\":\n        \
                 raise HTTPException(401, \"no such key\")\n    \
             return UserAPIKeyAuth(api_key=api_key{limit})\n"
    )
}
