//! What a role tries: calls, writes, triggers, hooks. Each attack is one text of SQL; what it may answer is checked
//! here.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use zerodb_hooks_harness::{Result, Session};

use super::{PATIENCE, values};

/// A function that the role may execute.
struct Call {
    name: String,
    types: Vec<String>,
}

pub struct Attacks {
    role: String,
    victim: String,
    calls: Vec<Call>,
    tables: Vec<String>,
}

impl Attacks {
    /// Looks up what the role may call, and makes its table `thing`, which is watched where the role may do so.
    pub async fn of(admin: &Session, role: &str, victim: &str) -> Result<Self> {
        admin
            .run(&format!(
                "CREATE TABLE {role}.thing (id int, note text, user_id uuid, embedding real[]); ALTER TABLE {role}.thing OWNER TO {role}"
            ))
            .await?;
        let functions = admin
            .texts(&format!(
                "SELECT p.proname || E'\\t' || coalesce((SELECT string_agg(format_type(t, NULL), E'\\t' ORDER BY n)
                    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (t, n)), '')
                FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace AND p.prorettype <> 'trigger'::regtype
                    AND (has_function_privilege('{role}', p.oid, 'EXECUTE') OR random() < 0.2)
                ORDER BY p.proname, p.oid"
            ))
            .await?;
        let calls = functions
            .iter()
            .map(|line| {
                let mut parts = line
                    .split('\t')
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned);
                Call {
                    name: parts.next().unwrap_or_default(),
                    types: parts.collect(),
                }
            })
            .collect();
        let tables = admin
            .texts(
                "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'zerodb'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY 1",
            )
            .await?;
        Ok(Self {
            role: role.to_owned(),
            victim: victim.to_owned(),
            calls,
            tables,
        })
    }

    pub fn next(&self, random: &mut StdRng) -> String {
        match random.random_range(0..10) {
            0 => self.write(random),
            1 => self.trigger(random),
            2 => self.hook(random),
            _ => self.call(random),
        }
    }

    fn call(&self, random: &mut StdRng) -> String {
        let Some(call) = self.calls.choose(random) else {
            return "SELECT 1".to_owned();
        };
        let arguments = call
            .types
            .iter()
            .map(|type_name| values::of_type(random, type_name, &self.role, &self.victim))
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "SELECT count(*) FROM (SELECT zerodb.{}({arguments})) AS answer",
            call.name
        )
    }

    fn write(&self, random: &mut StdRng) -> String {
        let table = self.tables.choose(random).map_or("zerodb.outbox", String::as_str);
        match random.random_range(0..5) {
            0 => format!("DELETE FROM {table}"),
            1 => format!("INSERT INTO {table} SELECT * FROM {table}"),
            2 => format!("SELECT 1 FROM {table} FOR UPDATE"),
            3 => format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
            _ => format!("SELECT count(*) FROM (SELECT * FROM {table} OFFSET 0) AS t"),
        }
    }

    /// A trigger made by hand, and a write through it.
    fn trigger(&self, random: &mut StdRng) -> String {
        let role = &self.role;
        let argument = values::trigger_argument(random);
        format!(
            "DROP TRIGGER IF EXISTS by_hand ON {role}.thing;
            CREATE TRIGGER by_hand AFTER INSERT ON {role}.thing REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION zerodb._capture({argument});
            INSERT INTO {role}.thing (id, note, user_id) VALUES (1, repeat('x', 1000), '00000000-0000-0000-0000-000000000000')"
        )
    }

    fn hook(&self, random: &mut StdRng) -> String {
        let hook_type = ["log", "webhook", "sql", "first_party", "function"]
            .choose(random)
            .unwrap_or(&"log");
        let config = values::of_type(random, "jsonb", &self.role, &self.victim);
        let number = random.random_range(0..1000);
        format!(
            "SELECT zerodb.create_hook('app.thing', 'h{number}', {config}, hook_type => '{hook_type}');
            SELECT zerodb.emit('app.thing', {})",
            values::of_type(random, "jsonb", &self.role, &self.victim)
        )
    }

    /// Runs one. Any clear refusal will do; a lost connection, an internal error or a panic will not.
    pub async fn check(&self, session: &Session, sql: &str) -> Result<()> {
        let answer = tokio::time::timeout(PATIENCE, session.client.batch_execute(sql)).await;
        let Ok(answer) = answer else {
            anyhow::bail!("no answer within {PATIENCE:?}: {sql}");
        };
        if let Err(error) = answer {
            let Some(refused) = error.as_db_error() else {
                anyhow::bail!("the connection was lost ({error}): {sql}");
            };
            let code = refused.code().code();
            anyhow::ensure!(
                !code.starts_with("XX") && !code.starts_with("57P"),
                "{code} {}: {sql}",
                refused.message()
            );
            session.client.batch_execute("ROLLBACK").await?;
        }
        Ok(())
    }
}
